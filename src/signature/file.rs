//! A signature whose sums stay in its file.

use std::fs::File;
use std::io::{Seek, SeekFrom};
use std::path::{Path, PathBuf};

use crate::format::{Identity, SignatureParams, SignatureReader};
use crate::{Error, Result};

/// A signature that was checked from end to end and whose sums are read from its file, in order, when
/// they are wanted: for aligned levels and comparisons in constant memory.
#[derive(Clone, Debug)]
pub struct SignatureFile {
    path: PathBuf,
    params: SignatureParams,
    blocks: u64,
    identity: Option<Identity>,
    dirty: bool,
}

impl SignatureFile {
    /// Opens the file and reads it once, to check it and to learn the identity of the content.
    ///
    /// # Errors
    ///
    /// As [`SignatureReader::next_block`], with the path named.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self> {
        let path = path.into();
        Self::check(&path).map_err(|error| error.path(&path))
    }

    fn check(path: &Path) -> Result<Self> {
        let mut reader = SignatureReader::new(open_seekable(path)?)?;
        while reader.next_block()?.is_some() {}
        Ok(Self {
            path: path.to_owned(),
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
    pub fn reader(&self) -> Result<SignatureReader<File>> {
        open_seekable(&self.path).and_then(SignatureReader::new).map_err(|error| error.path(&self.path))
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

/// A pipe can be read only once; to say so here is better than an empty second reading.
fn open_seekable(path: &Path) -> Result<File> {
    let io = |error| Error::io("opening a signature", error);
    let mut file = File::open(path).map_err(io)?;
    file.seek(SeekFrom::Start(0)).map_err(io)?;
    Ok(file)
}
