//! A source of which the last part can be read again, to find the next entry after damage.

use std::cell::RefCell;
use std::io::{self, Read};
use std::rc::Rc;

use crate::memory::reserve;
use crate::read_at::CLAIMS_MORE;

/// How much is kept: more than lies between the header of an entry and where libarchive has read to.
const KEPT_LEN: usize = 1 << 20;

/// A tar has nothing shorter than this.
const BLOCK_LEN: u64 = 512;

/// Reads a source that others of its kind read too, one after the other.
pub(super) struct Replay<R>(Rc<RefCell<Inner<R>>>);

struct Inner<R> {
    source: R,
    /// The last bytes of the source, and where they begin.
    kept: Vec<u8>,
    kept_from: u64,
    /// Where the next byte is read.
    position: u64,
    ended: bool,
}

impl<R: Read> Replay<R> {
    pub(super) fn new(source: R) -> Self {
        let inner = Inner { source, kept: Vec::new(), kept_from: 0, position: 0, ended: false };
        Self(Rc::new(RefCell::new(inner)))
    }

    pub(super) fn again(&self) -> Self {
        Self(self.0.clone())
    }

    /// Goes to the next header of an entry of an archive after `offset`, or as near to it as is kept; its
    /// offset, or `None` at the end of the source. What is found is worth what the records say that it is.
    pub(super) fn seek_header(&self, offset: u64) -> io::Result<Option<u64>> {
        let inner = &mut *self.0.borrow_mut();
        inner.position = offset.max(inner.kept_from).next_multiple_of(BLOCK_LEN);
        let mut block = [0; BLOCK_LEN as usize];
        loop {
            let start = inner.position;
            let mut filled = 0;
            while filled < block.len() {
                match inner.read(&mut block[filled..])? {
                    0 => return Ok(None),
                    len => filled += len,
                }
            }
            if is_header(&block) {
                inner.position = start;
                return Ok(Some(start));
            }
        }
    }
}

impl<R: Read> Inner<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let kept_to = self.kept_from + self.kept.len() as u64;
        if self.position < kept_to {
            let from = (self.position - self.kept_from) as usize;
            let len = buffer.len().min(self.kept.len() - from);
            buffer[..len].copy_from_slice(&self.kept[from..from + len]);
            self.position += len as u64;
            return Ok(len);
        }
        if self.ended {
            return Ok(0);
        }
        // Before anything is read, which would else be lost.
        reserve(&mut self.kept, buffer.len())?;
        let len = self.source.read(buffer)?;
        if len > buffer.len() {
            return Err(io::Error::other(CLAIMS_MORE));
        }
        self.ended = len == 0;
        self.kept.extend_from_slice(&buffer[..len]);
        // Moved seldom, since it is moved as a whole.
        if self.kept.len() >= 2 * KEPT_LEN {
            let gone = self.kept.len() - KEPT_LEN;
            self.kept.drain(..gone);
            self.kept_from += gone as u64;
        }
        self.position += len as u64;
        Ok(len)
    }
}

impl<R: Read> Read for Replay<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.borrow_mut().read(buffer)
    }
}

/// Whether this is the header of a tar entry that is called as those of an archive are.
fn is_header(block: &[u8; BLOCK_LEN as usize]) -> bool {
    // As POSIX has it: the sum of all bytes, those of the sum itself taken for spaces.
    const SUM: std::ops::Range<usize> = 148..156;
    let named = [&b"full/"[..], b"full\0", b"delta/", b".frazil/"].iter().any(|name| block.starts_with(name));
    if !named || !block[257..].starts_with(b"ustar") {
        return false;
    }
    let sum: u32 =
        block.iter().enumerate().map(|(at, byte)| if SUM.contains(&at) { 32 } else { u32::from(*byte) }).sum();
    let digits: String = block[SUM].iter().take_while(|byte| byte.is_ascii_digit()).map(|&byte| byte as char).collect();
    u32::from_str_radix(&digits, 8) == Ok(sum)
}
