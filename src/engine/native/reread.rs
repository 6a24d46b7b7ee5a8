//! A signature in its file that was read to its end before, and is read in order again.

use std::io::Read;
use std::path::PathBuf;

use crate::format::{BlockSum, RecordPlace, SignatureParams, SignatureReader};
use crate::{Error, ErrorKind, Result};

/// The checksum of all sums of a signature, by which it is known again.
#[derive(Clone, Debug)]
pub(crate) struct SumsChecksum {
    crc: crc32fast::Hasher,
    strong_len: usize,
}

impl SumsChecksum {
    pub(crate) fn new(params: &SignatureParams) -> Self {
        Self { crc: crc32fast::Hasher::new(), strong_len: params.strong_len as usize }
    }

    pub(crate) fn push(&mut self, sum: &BlockSum) {
        self.crc.update(&sum.weak.to_be_bytes());
        self.crc.update(&sum.strong[..self.strong_len]);
    }

    pub(crate) fn value(&self) -> u32 {
        self.crc.clone().finalize()
    }
}

/// Gives the sums in order, and fails at the end if they are not those that were there before: a plain signature has
/// nothing in it by which another would be told from it.
pub(crate) struct Reread {
    reader: SignatureReader<Box<dyn Read + Send>>,
    found: SumsChecksum,
    expected: u32,
    path: PathBuf,
    ended: bool,
}

impl Reread {
    /// Errors name the file at `path`, unless that is empty.
    pub(crate) fn new(reader: SignatureReader<Box<dyn Read + Send>>, expected: u32, path: PathBuf) -> Self {
        let found = SumsChecksum::new(reader.params());
        Self { reader, found, expected, path, ended: false }
    }

    pub(super) fn params(&self) -> &SignatureParams {
        self.reader.params()
    }

    /// Where the next block's sums are.
    pub(super) fn place(&self) -> RecordPlace {
        self.reader.place()
    }

    pub(super) fn next_block(&mut self) -> Result<Option<BlockSum>> {
        self.try_next().map_err(|error| match self.path.as_os_str().is_empty() {
            true => error,
            false => error.path(&self.path),
        })
    }

    fn try_next(&mut self) -> Result<Option<BlockSum>> {
        if self.ended {
            return Ok(None);
        }
        let sum = self.reader.next_block()?;
        match &sum {
            Some(sum) => self.found.push(sum),
            None => {
                self.ended = true;
                let found = self.found.value();
                if found != self.expected {
                    return Err(Error::new(ErrorKind::Corrupt, "signature is not what it was when it was opened")
                        .doing("reading a signature")
                        .expected(format_args!("{:08x}", self.expected), format_args!("{found:08x}")));
                }
            }
        }
        Ok(sum)
    }

    /// Reads what is left.
    pub(super) fn finish(&mut self) -> Result<()> {
        while self.next_block()?.is_some() {}
        Ok(())
    }
}
