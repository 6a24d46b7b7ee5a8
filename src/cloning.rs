//! Ranges of a file that become those of another without being copied, where the file system can share extents.
#![cfg_attr(target_os = "linux", expect(unsafe_code, reason = "the call is C's alone"))]

use std::fs::File;
use std::io::{self, ErrorKind};
use std::ops::Range;
use std::os::unix::fs::MetadataExt;
use std::sync::atomic::{AtomicBool, Ordering};

/// Less than this is copied sooner than it is shared.
const CLONE_MIN: u64 = 64 * 1024;

/// A file that gets extents of another, until the file system refuses.
///
/// `copy_file_range` would share them too, but copies where it cannot, which is no better than to write what was read
/// to be verified anyway.
pub(crate) struct Cloning<'a> {
    from: Option<&'a File>,
    to: &'a File,
    /// Extents are shared in blocks of this length.
    block_len: u64,
    refused: AtomicBool,
}

impl<'a> Cloning<'a> {
    /// From nothing, nothing is cloned.
    pub(crate) fn new(from: Option<&'a File>, to: &'a File) -> Self {
        let block_len = to.metadata().map_or(0, |data| data.blksize());
        Self { from, to, block_len, refused: AtomicBool::new(block_len == 0) }
    }

    /// Makes `len` bytes at `to_offset` those at `from_offset`; gives the part of them that it has made so, which is
    /// whole blocks, or nothing.
    pub(crate) fn clone_range(&self, from_offset: u64, to_offset: u64, len: usize) -> Range<usize> {
        let Some(from) = self.from.filter(|_| !self.refused.load(Ordering::Relaxed)) else { return 0..0 };
        if from_offset % self.block_len != to_offset % self.block_len {
            return 0..0;
        }
        let start = from_offset.next_multiple_of(self.block_len) - from_offset;
        let whole = (len as u64).saturating_sub(start) / self.block_len * self.block_len;
        if whole < CLONE_MIN {
            return 0..0;
        }
        match share(from, from_offset + start, self.to, to_offset + start, whole) {
            Ok(()) => start as usize..(start + whole) as usize,
            Err(error) => {
                // The next may go well where this one was disturbed.
                let is_disturbed =
                    matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::WouldBlock | ErrorKind::OutOfMemory);
                self.refused.fetch_or(!is_disturbed, Ordering::Relaxed);
                0..0
            }
        }
    }
}

#[cfg(target_os = "linux")]
fn share(from: &File, from_offset: u64, to: &File, to_offset: u64, len: u64) -> io::Result<()> {
    use std::os::fd::AsRawFd;

    let range = libc::file_clone_range {
        src_fd: from.as_raw_fd().into(),
        src_offset: from_offset,
        src_length: len,
        dest_offset: to_offset,
    };
    // SAFETY: both are open, and the range is read alone.
    match unsafe { libc::ioctl(to.as_raw_fd(), libc::FICLONERANGE, &raw const range) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

#[cfg(not(target_os = "linux"))]
fn share(_: &File, _: u64, _: &File, _: u64, _: u64) -> io::Result<()> {
    Err(ErrorKind::Unsupported.into())
}
