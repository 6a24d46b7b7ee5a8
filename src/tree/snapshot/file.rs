//! A snapshot in its file, which can also be asked for what had an inode.

use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use super::{INDEX_ENTRY_LEN, RECORD, RECORD_MAX, SUM_LEN, SnapshotReader, SnapshotRecord};
use crate::format::SealedKind;
use crate::read_at::FromOffset;
use crate::tree::codec::{Fields, corrupt};
use crate::tree::level_id::LevelHeader;
use crate::tree::metadata::Moment;
use crate::tree::sealed::{SealedFile, SealedReader};
use crate::{Error, Result};

/// No more files of one inode are looked at: there is more than one only where a tree spans file systems.
const CANDIDATES_MAX: usize = 8;

/// A snapshot that was checked from end to end, and is held open.
pub(crate) struct SnapshotFile {
    file: Arc<File>,
    header: LevelHeader,
    sealed: SealedFile,
    /// The entries of the index, in a file of their own that can be searched.
    index: File,
    entries: u64,
    newest_change: Option<Moment>,
}

impl SnapshotFile {
    /// Opens the file and reads it once.
    pub(crate) fn open(path: &Path, threads: usize) -> Result<Self> {
        let file = File::open(path).map_err(|error| Error::io("opening a snapshot", error).path(path))?;
        Self::check(Arc::new(file), threads).map_err(|error| error.aiming("reading the snapshot", path))
    }

    fn check(file: Arc<File>, threads: usize) -> Result<Self> {
        let spool = tempfile::tempfile().map_err(|error| Error::io("making a temporary file", error))?;
        let mut index = BufWriter::with_capacity(64 * 1024, spool);
        let mut entries = 0;
        let sealed = SealedReader::new(FromOffset::new(file.clone(), 0), SealedKind::Snapshot, threads)?.with_frames();
        let mut reader = SnapshotReader::open(sealed)?;
        let mut take = |entry: &[u8]| {
            entries += 1;
            index.write_all(entry).map_err(|error| Error::io("writing a temporary file", error))
        };
        let (now, mut newest_change) = (Moment::now(), None);
        while let Some(record) = reader.next_or_index(&mut take)? {
            // What is dated ahead would hide every change until then.
            newest_change = newest_change.max(Some(record.evidence.changed).filter(|changed| *changed <= now));
        }
        let index = index.into_inner().map_err(|error| Error::io("writing a temporary file", error.into_error()))?;
        let sealed_header = reader.sealed_header().cloned().ok_or_else(|| corrupt("snapshot without a header"))?;
        let sealed = SealedFile::new(file.clone(), sealed_header, reader.take_frames());
        Ok(Self { header: *reader.header(), sealed, file, index, entries, newest_change })
    }

    /// The latest of the moments at which its entries had been changed, but for those that are still to come.
    pub(crate) fn newest_change(&self) -> Option<Moment> {
        self.newest_change
    }

    /// Reads the records from the first on.
    pub(crate) fn reader(&self, threads: usize) -> Result<SnapshotReader<Box<dyn Read + Send>>> {
        SnapshotReader::new(Box::new(FromOffset::new(self.file.clone(), 0)), threads)
    }

    /// The regular files that had this inode, each with where its sums begin.
    pub(crate) fn find(&mut self, inode: u64) -> Result<Vec<(SnapshotRecord, u64)>> {
        let mut found = Vec::new();
        let (mut low, mut high) = (0, self.entries);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.entry(middle)?.0 < inode { low = middle + 1 } else { high = middle }
        }
        while low < self.entries && found.len() < CANDIDATES_MAX {
            let (entry, position) = self.entry(low)?;
            if entry != inode {
                break;
            }
            found.push(self.record(position)?);
            low += 1;
        }
        Ok(found)
    }

    fn entry(&self, number: u64) -> Result<(u64, u64)> {
        let mut bytes = [0; INDEX_ENTRY_LEN];
        self.index.read_exact_at(&mut bytes, number * INDEX_ENTRY_LEN as u64)?;
        let mut fields = Fields(&bytes);
        Ok((u64::from_be_bytes(fields.array()?), u64::from_be_bytes(fields.array()?)))
    }

    fn record(&mut self, position: u64) -> Result<(SnapshotRecord, u64)> {
        let mut bytes = Vec::new();
        // The end of a snapshot is longer than what a record begins with.
        self.sealed.read(position, 1, &mut bytes)?;
        let mut at = position + 1;
        let len = self.number(&mut at)?;
        // How many sums follow is known from the size.
        self.number(&mut at)?;
        let len = usize::try_from(len).ok().filter(|&len| len <= RECORD_MAX);
        let (Some(len), Some(&RECORD)) = (len, bytes.first()) else {
            return Err(corrupt("index of the snapshot leads to no record"));
        };
        bytes.clear();
        self.sealed.read(at, len, &mut bytes)?;
        Ok((SnapshotRecord::decode(&bytes, self.header.block_len)?, at + len as u64))
    }

    fn number(&mut self, at: &mut u64) -> Result<u64> {
        let mut bytes = Vec::with_capacity(10);
        loop {
            self.sealed.read(*at, 1, &mut bytes)?;
            *at += 1;
            if bytes.last().is_some_and(|byte| byte & 0x80 == 0) || bytes.len() == 10 {
                return Fields(&bytes).number();
            }
        }
    }

    /// Reads `count` sums from where [`SnapshotFile::find`] said that they begin.
    pub(crate) fn sums(&mut self, position: u64, count: u64) -> SumsAt<'_> {
        SumsAt { sealed: &mut self.sealed, position, end: position + count * SUM_LEN as u64 }
    }
}

/// Reads the sums of a record that was found.
pub(crate) struct SumsAt<'a> {
    sealed: &'a mut SealedFile,
    position: u64,
    end: u64,
}

impl Read for SumsAt<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let len = buffer.len().min(usize::try_from(self.end - self.position).unwrap_or(usize::MAX));
        let mut out = Vec::with_capacity(len);
        self.sealed.read(self.position, len, &mut out)?;
        buffer[..len].copy_from_slice(&out);
        self.position += len as u64;
        Ok(len)
    }
}
