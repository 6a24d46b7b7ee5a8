//! What is in a directory, in order.

use std::mem::MaybeUninit;
use std::os::fd::BorrowedFd;

use rustix::fs::RawDir;
use rustix::io::Errno;

use crate::Result;
use crate::tree::select::Selector;
use crate::tree::sorter::{Sorted, Sorter};

/// How much of a directory is listed in one call.
const BUFFER_LEN: usize = 1 << 16;

/// Lists one directory after another.
pub(super) struct Listing {
    buffer: Box<[MaybeUninit<u8>]>,
    /// Bytes of names that are held; what is beyond goes through a temporary file.
    limit: usize,
}

impl Listing {
    pub(super) fn new(limit: usize) -> Self {
        Self { buffer: vec![MaybeUninit::uninit(); BUFFER_LEN].into(), limit }
    }

    /// The names in a directory, or its marker alone, and what broke the listing off.
    pub(super) fn names(&mut self, directory: BorrowedFd<'_>, selector: &Selector) -> Result<(Sorted, Option<Errno>)> {
        let mut names = Sorter::new(self.limit);
        let mut listing = RawDir::new(directory, &mut self.buffer);
        let mut failure = None;
        while let Some(entry) = listing.next() {
            match entry {
                Ok(entry) => match entry.file_name().to_bytes() {
                    b"." | b".." => {}
                    name if selector.is_marker(directory, name) => {
                        names = Sorter::new(self.limit);
                        names.push(name)?;
                        break;
                    }
                    name => names.push(name)?,
                },
                Err(Errno::INTR) => {}
                // It was removed after it was opened: it is empty.
                Err(Errno::NOENT) => break,
                Err(errno) => {
                    failure = Some(errno);
                    break;
                }
            }
        }
        Ok((names.finish()?, failure))
    }
}
