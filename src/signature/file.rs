//! A signature whose sums stay in its file.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::format::{Identity, SignatureParams, SignatureReader};
use crate::read_at::FromStart;
use crate::{Error, Result};

/// A signature that was checked from end to end and whose sums are read from its file, in order, when
/// they are wanted: for aligned levels and comparisons in constant memory.
#[derive(Clone, Debug)]
pub struct SignatureFile {
    path: PathBuf,
    file: Arc<File>,
    params: SignatureParams,
    blocks: u64,
    identity: Option<Identity>,
    dirty: bool,
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
        let mut reader = SignatureReader::new(FromStart::new(file.clone()))?;
        while reader.next_block()?.is_some() {}
        Ok(Self {
            path: path.to_owned(),
            file,
            params: *reader.params(),
            blocks: reader.blocks(),
            identity: reader.identity().copied(),
            dirty: reader.is_dirty(),
        })
    }

    /// Reads the sums from the first on.
    ///
    /// # Errors
    ///
    /// As [`SignatureReader::new`], with the path named.
    pub fn reader(&self) -> Result<SignatureReader<Box<dyn Read + Send>>> {
        let from_start = FromStart::new(self.file.clone());
        SignatureReader::new(Box::new(from_start) as Box<dyn Read + Send>).map_err(|error| error.path(&self.path))
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
