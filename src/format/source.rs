//! A buffered `Read` that can be asked for its first bytes before they are consumed.

use std::io::{self, Read};

use crate::memory::zeroed;
use crate::read_at::CLAIMS_MORE;
use crate::{Error, ErrorKind, Result};

const BUFFER_LEN: usize = 64 * 1024;

/// Reads ahead into a buffer of 64 KiB; an interrupted read is tried again, any other error leaves the
/// buffer as it was, so that a caller may try again.
#[derive(Debug)]
pub(crate) struct Source<R> {
    inner: R,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    consumed: u64,
}

impl<R: Read> Source<R> {
    pub(crate) fn new(inner: R) -> Self {
        Self { inner, buffer: Vec::new(), start: 0, end: 0, consumed: 0 }
    }

    /// What has been read and not consumed.
    pub(crate) fn buffered(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Marks the first `len` buffered bytes as used.
    pub(crate) fn consume(&mut self, len: usize) {
        self.start += len;
        self.consumed += len as u64;
    }

    /// How many bytes were consumed.
    pub(crate) fn consumed(&self) -> u64 {
        self.consumed
    }

    /// Reads more; `false` at the end of the source.
    pub(crate) fn fill(&mut self) -> Result<bool> {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        } else if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        if self.buffer.is_empty() {
            self.buffer = zeroed(BUFFER_LEN)?;
        }
        debug_assert!(self.end < BUFFER_LEN, "a full buffer would look like the end");
        loop {
            match self.inner.read(&mut self.buffer[self.end..]) {
                Ok(0) => return Ok(false),
                Ok(len) if len > self.buffer.len() - self.end => {
                    return Err(Error::new(ErrorKind::Internal, CLAIMS_MORE));
                }
                Ok(len) => {
                    self.end += len;
                    return Ok(true);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::from(error)),
            }
        }
    }

    /// Reads until `len` bytes (at most the buffer's 64 KiB) are buffered; `false` when the source ends before.
    pub(crate) fn fill_to(&mut self, len: usize) -> Result<bool> {
        debug_assert!(len <= BUFFER_LEN);
        while self.buffered().len() < len {
            if !self.fill()? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives a few bytes at a time.
    struct InDribs<'a>(&'a [u8]);

    impl Read for InDribs<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let len = buffer.len().min(7);
            self.0.read(&mut buffer[..len])
        }
    }

    #[test]
    fn what_is_left_of_one_read_comes_before_the_next() {
        let content: Vec<u8> = (0..100).collect();
        let mut source = Source::new(InDribs(&content));
        let mut taken = Vec::new();
        while source.fill_to(10).unwrap() {
            taken.extend_from_slice(&source.buffered()[..10]);
            source.consume(10);
        }
        assert_eq!(taken, content);
        assert_eq!((source.consumed(), source.buffered()), (100, &[][..]));
    }
}
