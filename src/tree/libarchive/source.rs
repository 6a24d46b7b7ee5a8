//! Where a reader's bytes come from, as libarchive asks for them.

use std::any::Any;
use std::ffi::c_void;
use std::io::{self, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::sys::{Archive, ffi};
use crate::memory::zeroed;
use crate::read_at::CLAIMS_MORE;
use crate::{Error, Result};

/// The source, and what came of reading it inside C, to be dealt with outside.
pub(super) struct Source<R> {
    source: R,
    block: Vec<u8>,
    /// How much of the block libarchive was given.
    block_len: usize,
    /// How much it was given in all.
    pub(super) given: u64,
    pub(super) ended: bool,
    pub(super) error: Option<io::Error>,
    pub(super) panic: Option<Box<dyn Any + Send>>,
}

impl<R: Read> Source<R> {
    pub(super) fn new(source: R, block_len: usize) -> Result<Self> {
        let block = zeroed(block_len.max(1))?;
        Ok(Self { source, block, block_len: 0, given: 0, ended: false, error: None, panic: None })
    }

    /// Fills the block as far as the source goes: [`drain`](Self::drain) looks at what libarchive did not
    /// use in the last one only, and with long blocks that is all. An error comes before what was read of
    /// the same block.
    fn fill(&mut self) {
        self.block_len = 0;
        while self.block_len < self.block.len() && !self.ended && self.error.is_none() {
            match self.source.read(&mut self.block[self.block_len..]) {
                Ok(0) => self.ended = true,
                Ok(len) if len > self.block.len() - self.block_len => self.error = Some(io::Error::other(CLAIMS_MORE)),
                Ok(len) => self.block_len += len,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => self.error = Some(error),
            }
        }
        self.given += self.block_len as u64;
    }

    /// Reads on to the end, and counts the bytes that are not zero behind what libarchive has `used`.
    pub(super) fn drain(&mut self, used: u64) -> Result<u64> {
        let unused = usize::try_from(self.given.saturating_sub(used)).unwrap_or(usize::MAX).min(self.block_len);
        let mut count = not_zero(&self.block[self.block_len - unused..self.block_len]);
        // None of it is to be counted twice.
        self.block_len = 0;
        while !self.ended {
            match self.source.read(&mut self.block) {
                Ok(0) => self.ended = true,
                Ok(len) if len > self.block.len() => return Err(Error::from(io::Error::other(CLAIMS_MORE))),
                Ok(len) => count += not_zero(&self.block[..len]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::from(error)),
            }
        }
        Ok(count)
    }
}

fn not_zero(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|byte| **byte != 0).count() as u64
}

/// Gives libarchive the next block of the source. No panic passes through C.
pub(super) unsafe extern "C" fn read<R: Read>(
    archive: *mut Archive,
    source: *mut c_void,
    block: *mut *const c_void,
) -> isize {
    // SAFETY: `ArchiveReader` gave its source as client data; it outlives the handle, and nobody has a
    // reference to it while libarchive is called.
    let source = unsafe { &mut *source.cast::<Source<R>>() };
    // What failed is not asked again: libarchive may not have noticed.
    if source.panic.is_none() && source.error.is_none() {
        // The source is not used after a panic, so nobody sees it half changed.
        match catch_unwind(AssertUnwindSafe(|| source.fill())) {
            Ok(()) if source.error.is_none() => {
                // SAFETY: libarchive's, to be written to; the block stays as it is until the next is asked for.
                unsafe { *block = source.block.as_ptr().cast() };
                return source.block_len as isize;
            }
            Ok(()) => {}
            Err(panic) => source.panic = Some(panic),
        }
    }
    // SAFETY: the handle that is calling; the format is ended by a zero and takes no arguments.
    unsafe { ffi::archive_set_error(archive, ffi::EIO, c"source failed".as_ptr()) };
    -1
}
