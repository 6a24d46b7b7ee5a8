//! Content that can be read anywhere: the basis of a patch, the deltas of a chain.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::{Arc, Mutex};

use crate::{Error, ErrorKind, Result};

/// Reads at any offset, without a position of its own.
///
/// It is there for files and for bytes in memory; [`Seekable`] makes one of any `Read + Seek`, and
/// [`NoBasis`] stands for the nothing that a level 0 is made against.
pub trait ReadAt: Send + Sync {
    /// Reads into `buffer` from `offset`; fewer bytes than fit are no failure, none are the end.
    ///
    /// # Errors
    ///
    /// Whatever the medium raises.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;

    /// The length in bytes.
    ///
    /// # Errors
    ///
    /// Whatever the medium raises.
    fn size(&self) -> io::Result<u64>;

    /// The file that it is, for messages, where that is known.
    fn path(&self) -> Option<&Path> {
        None
    }

    /// The file whose content this is, byte for byte, where it is one.
    ///
    /// Such a basis is read by several threads at once, and shares its extents with what is made of it where the
    /// file system can. Any other is read by the thread that drives the work alone.
    fn as_file(&self) -> Option<&File> {
        None
    }
}

impl ReadAt for File {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        FileExt::read_at(self, buffer, offset)
    }

    /// A device's size is where its end is; `stat` says 0. Its position is left where it was.
    fn size(&self) -> io::Result<u64> {
        let data = self.metadata()?;
        if data.is_file() {
            return Ok(data.len());
        }
        let mut file = self;
        let before = file.stream_position()?;
        let end = file.seek(SeekFrom::End(0))?;
        file.seek(SeekFrom::Start(before))?;
        Ok(end)
    }

    fn as_file(&self) -> Option<&File> {
        Some(self)
    }
}

impl ReadAt for [u8] {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let start = usize::try_from(offset).unwrap_or(usize::MAX).min(self.len());
        let len = buffer.len().min(self.len() - start);
        buffer[..len].copy_from_slice(&self[start..start + len]);
        Ok(len)
    }

    fn size(&self) -> io::Result<u64> {
        Ok(self.len() as u64)
    }
}

impl ReadAt for Vec<u8> {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.as_slice().read_at(buffer, offset)
    }

    fn size(&self) -> io::Result<u64> {
        self.as_slice().size()
    }
}

/// What points at content is that content.
macro_rules! read_at_of_what_it_points_at {
    ($($pointer:ty),+) => {$(
        impl<T: ReadAt + ?Sized> ReadAt for $pointer {
            fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
                (**self).read_at(buffer, offset)
            }

            fn size(&self) -> io::Result<u64> {
                (**self).size()
            }

            fn path(&self) -> Option<&Path> {
                (**self).path()
            }

            fn as_file(&self) -> Option<&File> {
                (**self).as_file()
            }
        }
    )+};
}

read_at_of_what_it_points_at!(&T, Box<T>, Arc<T>);

/// No bytes: the basis of a level 0.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoBasis;

impl ReadAt for NoBasis {
    fn read_at(&self, _: &mut [u8], _: u64) -> io::Result<usize> {
        Ok(0)
    }

    fn size(&self) -> io::Result<u64> {
        Ok(0)
    }
}

/// Any `Read + Seek`, one reader at a time.
#[derive(Debug)]
pub struct Seekable<R>(Mutex<R>);

impl<R: Read + Seek + Send> Seekable<R> {
    /// Takes the reader; its position is lost.
    pub fn new(inner: R) -> Self {
        Self(Mutex::new(inner))
    }

    fn with<T>(&self, work: impl FnOnce(&mut R) -> io::Result<T>) -> io::Result<T> {
        // A panic of the reader leaves no state of ours behind: each call seeks anew.
        work(&mut self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }
}

impl<R: Read + Seek + Send> ReadAt for Seekable<R> {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.with(|inner| {
            inner.seek(SeekFrom::Start(offset))?;
            inner.read(buffer)
        })
    }

    fn size(&self) -> io::Result<u64> {
        self.with(|inner| inner.seek(SeekFrom::End(0)))
    }
}

/// What is wrong with a reader that would have others believe bytes that it has not given.
pub(crate) const CLAIMS_MORE: &str = "reader claims more bytes than it was asked for";

/// Reads some bytes, again if it was interrupted.
pub(crate) fn read_some(source: &dyn ReadAt, buffer: &mut [u8], offset: u64) -> Result<usize> {
    loop {
        match source.read_at(buffer, offset) {
            Ok(len) if len <= buffer.len() => return Ok(len),
            Ok(_) => return Err(Error::new(ErrorKind::Internal, CLAIMS_MORE)),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Error::from(error)),
        }
    }
}

/// Reads on from a place, at a position of its own.
pub(crate) struct FromOffset<S> {
    source: S,
    position: u64,
}

impl<S: ReadAt> FromOffset<S> {
    pub(crate) fn new(source: S, position: u64) -> Self {
        Self { source, position }
    }
}

impl<S: ReadAt> Read for FromOffset<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read_at(buffer, self.position)?;
        self.position += read as u64;
        Ok(read)
    }
}
