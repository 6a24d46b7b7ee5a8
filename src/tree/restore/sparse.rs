//! Files in which blocks of zeros take no room.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;

use crate::engine::is_zeros;

/// Holes begin and end at multiples of this, as on nearly every file system.
const BLOCK: usize = 4096;

/// Writes to a new, empty file, and leaves out whole blocks of zeros.
#[derive(Debug)]
pub(crate) struct SparseFile {
    file: File,
    /// Where the next block begins; always a multiple of its length.
    offset: u64,
    /// The beginning of that block, shorter than it.
    begun: Vec<u8>,
    /// How long the file is by what was written to it.
    len: u64,
}

impl SparseFile {
    pub(crate) fn new(file: File) -> Self {
        Self { file, offset: 0, begun: Vec::with_capacity(BLOCK), len: 0 }
    }

    /// Writes what is left and gives the file its length.
    pub(crate) fn finish(mut self) -> io::Result<File> {
        let len = self.offset + self.begun.len() as u64;
        if !is_zeros(&self.begun) {
            self.file.write_all_at(&self.begun, self.offset)?;
            self.len = len;
        }
        // Only what ends in a hole: it costs a transaction of the file system.
        if self.len != len {
            self.file.set_len(len)?;
        }
        Ok(self.file)
    }

    /// Writes whole blocks, those next to each other at once.
    fn write_blocks(&mut self, blocks: &[u8]) -> io::Result<()> {
        for run in runs(blocks) {
            if !is_zeros(&run[..BLOCK]) {
                self.file.write_all_at(run, self.offset)?;
                self.len = self.offset + run.len() as u64;
            }
            self.offset += run.len() as u64;
        }
        Ok(())
    }
}

impl Write for SparseFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.begun.is_empty() && bytes.len() >= BLOCK {
            let len = bytes.len() / BLOCK * BLOCK;
            self.write_blocks(&bytes[..len])?;
            return Ok(len);
        }
        let len = bytes.len().min(BLOCK - self.begun.len());
        self.begun.extend_from_slice(&bytes[..len]);
        if self.begun.len() == BLOCK {
            let block = std::mem::take(&mut self.begun);
            let written = self.write_blocks(&block);
            self.begun = block;
            written?;
            self.begun.clear();
        }
        Ok(len)
    }

    /// Does nothing: a block that is begun is written when it is complete.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Takes whole blocks apart into runs that are zeros, or are without a block of zeros.
fn runs(mut blocks: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let first = is_zeros(blocks.get(..BLOCK)?);
        let len = blocks.chunks_exact(BLOCK).take_while(|block| is_zeros(block) == first).count() * BLOCK;
        let (run, rest) = blocks.split_at(len);
        blocks = rest;
        Some(run)
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    #[test]
    fn content_stays_and_blocks_of_zeros_become_holes_however_it_is_written() {
        let mut content = vec![7; 10_000];
        content.resize(1 << 20, 0);
        content.extend([1; 5]);
        content.resize((1 << 20) + 50_000, 0);
        for piece in [1, 1000, 4096, 4097, 100_000, content.len()] {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("f");
            let mut file = SparseFile::new(File::create(&path).unwrap());
            content.chunks(piece).for_each(|piece| file.write_all(piece).unwrap());
            file.finish().unwrap();
            assert_eq!(std::fs::read(&path).unwrap(), content, "in pieces of {piece}");
            assert!(std::fs::metadata(&path).unwrap().blocks() * 512 <= 64 << 10, "in pieces of {piece}");
        }
    }
}
