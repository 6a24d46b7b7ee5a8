//! A signature whose sums stay in its file.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::engine::native::{Reread, SumsChecksum};
use crate::format::{Identity, SignatureParams, SignatureReader, StreamId};
use crate::read_at::{FromOffset, ReadAt};
use crate::{Error, ErrorKind, Result};

/// A signature that was checked from end to end and whose sums are read from its file when they are wanted: in order
/// for aligned levels and comparisons, in constant memory; anywhere for rolling levels, of which only the index is
/// in memory, at most 12 bytes for each block.
#[derive(Clone, Debug)]
pub struct SignatureFile {
    path: PathBuf,
    file: Arc<File>,
    params: SignatureParams,
    stream_id: Option<StreamId>,
    blocks: u64,
    identity: Option<Identity>,
    dirty: bool,
    /// Of all sums.
    checksum: u32,
}

impl SignatureFile {
    /// Opens the file and reads it once, to check it and to learn the identity of the content. It is held
    /// open: another file that comes to be at its path is not taken for it.
    ///
    /// # Errors
    ///
    /// As [`SignatureReader::next_block`], with the path named; [`Io`](crate::ErrorKind::Io) for a pipe,
    /// which cannot be read twice.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self> {
        let path = path.into();
        let file = File::open(&path).map_err(|error| Error::io("opening a signature", error).path(&path))?;
        Self::check(Arc::new(file), &path).map_err(|error| error.path(&path))
    }

    /// As [`SignatureFile::open`], of a file that has no name.
    #[cfg(feature = "tree")]
    pub(crate) fn of_file(file: File) -> Result<Self> {
        Self::check(Arc::new(file), Path::new(""))
    }

    fn check(file: Arc<File>, path: &Path) -> Result<Self> {
        let mut reader = SignatureReader::new(FromOffset::new(file.clone(), 0))?;
        let mut checksum = SumsChecksum::new(reader.params());
        while let Some(sum) = reader.next_block()? {
            checksum.push(&sum);
        }
        Ok(Self {
            checksum: checksum.value(),
            path: path.to_owned(),
            file,
            params: *reader.params(),
            stream_id: stream_id(&reader),
            blocks: reader.blocks(),
            identity: reader.identity().copied(),
            dirty: reader.is_dirty(),
        })
    }

    /// Reads the sums from the first on.
    ///
    /// # Errors
    ///
    /// As [`SignatureReader::new`], with the path named; [`Corrupt`](ErrorKind::Corrupt) where another signature was
    /// written over it.
    pub fn reader(&self) -> Result<SignatureReader<Box<dyn Read + Send>>> {
        self.read_again().map_err(|error| error.path(&self.path))
    }

    fn read_again(&self) -> Result<SignatureReader<Box<dyn Read + Send>>> {
        let source = FromOffset::new(self.file.clone(), 0);
        let reader = SignatureReader::new(Box::new(source) as Box<dyn Read + Send>)?;
        // Each frame of a sealed signature is bound to its id.
        if (stream_id(&reader), *reader.params()) != (self.stream_id, self.params) {
            return Err(Error::new(ErrorKind::Corrupt, "signature is not what it was when it was opened")
                .doing("reading a signature"));
        }
        Ok(reader)
    }

    /// Reads the sums from the first on, and fails at the end if they are no more those that were there.
    pub(crate) fn reread(&self) -> Result<Reread> {
        Ok(Reread::new(self.reader()?, self.checksum, self.path.clone()))
    }

    /// Reads the file anywhere.
    pub(crate) fn source(&self) -> Box<dyn ReadAt> {
        Box::new(Opened { path: self.path.clone(), file: self.file.clone() })
    }

    /// The parameters: which sums over blocks of what length.
    pub fn params(&self) -> &SignatureParams {
        &self.params
    }

    /// How many blocks there are.
    pub fn block_count(&self) -> u64 {
        self.blocks
    }

    /// Length, CRC32 and fingerprint of the content; a plain signature has none of them.
    pub fn identity(&self) -> Option<&Identity> {
        self.identity.as_ref()
    }

    /// Whether the content changed while the signature was made.
    pub fn is_dirty(&self) -> bool {
        self.dirty
    }
}

fn stream_id<R: Read>(reader: &SignatureReader<R>) -> Option<StreamId> {
    reader.header().map(|header| header.stream_id)
}

/// A file with the path that it was opened by.
struct Opened {
    path: PathBuf,
    file: Arc<File>,
}

impl ReadAt for Opened {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        ReadAt::read_at(&*self.file, buffer, offset)
    }

    fn size(&self) -> io::Result<u64> {
        self.file.size()
    }

    fn path(&self) -> Option<&Path> {
        Some(self.path.as_path()).filter(|path| !path.as_os_str().is_empty())
    }
}
