//! The snapshot of the level before, as the walk goes along it.

use std::io::Read;

use crate::tree::codec::corrupt;
use crate::tree::level_id::LevelHeader;
use crate::tree::metadata::Moment;
use crate::tree::path;
use crate::tree::snapshot::{SnapshotFile, SnapshotReader, SnapshotRecord, sums_of};
use crate::{Error, Result};

use super::basis::Basis;

/// The level that a level is made against; its records are looked at one ahead.
pub(super) struct Previous {
    reader: SnapshotReader<Box<dyn Read + Send>>,
    next: Option<SnapshotRecord>,
    /// There where the snapshot is a file, so that what was renamed can be found in it.
    by_inode: Option<SnapshotFile>,
}

impl Previous {
    pub(super) fn of_stream(source: Box<dyn Read + Send>, threads: usize) -> Result<Self> {
        Self::begin(SnapshotReader::new(source, threads)?, None)
    }

    pub(super) fn of_file(file: SnapshotFile, threads: usize) -> Result<Self> {
        Self::begin(file.reader(threads)?, Some(file))
    }

    fn begin(mut reader: SnapshotReader<Box<dyn Read + Send>>, by_inode: Option<SnapshotFile>) -> Result<Self> {
        let next = reader.next()?;
        Ok(Self { reader, next, by_inode })
    }

    pub(super) fn header(&self) -> &LevelHeader {
        self.reader.header()
    }

    /// When what changed last of all that it has was changed, where that is known beforehand: of a file it is, since
    /// that was read once.
    pub(super) fn newest_change(&self) -> Option<Moment> {
        self.by_inode.as_ref().and_then(SnapshotFile::newest_change)
    }

    /// The record that comes next.
    pub(super) fn peek(&self) -> Option<&SnapshotRecord> {
        self.next.as_ref()
    }

    /// Whether the record that comes next comes before `path`.
    pub(super) fn is_before(&self, path: &[u8]) -> bool {
        self.next.as_ref().is_some_and(|next| path::compare(&next.path, path).is_lt())
    }

    /// Whether the record that comes next is of something below `directory`.
    pub(super) fn is_below(&self, directory: &[u8]) -> bool {
        self.next.as_ref().is_some_and(|next| path::is_below(&next.path, directory))
    }

    /// Takes the next record if it is of this path. Its sums have to be taken, or are passed over, before
    /// [`Previous::advance`].
    pub(super) fn take(&mut self, path: &[u8]) -> Option<SnapshotRecord> {
        self.next.take_if(|next| next.path == path)
    }

    /// Takes the next record, whatever it is of.
    pub(super) fn take_next(&mut self) -> Option<SnapshotRecord> {
        self.next.take()
    }

    /// Reads on after a record was taken.
    pub(super) fn advance(&mut self) -> Result<()> {
        if self.next.is_none() {
            self.next = self.reader.next()?;
        }
        Ok(())
    }

    /// The sums of the record that was taken last.
    pub(super) fn sums(&mut self) -> impl Read + '_ {
        self.reader.sums()
    }

    /// The record that was taken last, with its sums.
    pub(super) fn basis(&mut self, record: SnapshotRecord, memory_limit: u64) -> Result<Basis> {
        let block_len = self.header().block_len;
        Basis::load(record, self.reader.sums(), block_len, memory_limit)
    }

    /// The files that had an inode, without their sums.
    pub(super) fn find(&mut self, inode: u64) -> Result<Vec<(SnapshotRecord, u64)>> {
        match &mut self.by_inode {
            Some(file) => file.find(inode).map_err(|error| error.doing("looking for a renamed file")),
            None => Ok(Vec::new()),
        }
    }

    /// A file that was found, with its sums.
    pub(super) fn basis_found(&mut self, record: SnapshotRecord, sums_at: u64, memory_limit: u64) -> Result<Basis> {
        let block_len = self.header().block_len;
        let count = sums_of(record.metadata.size, block_len);
        match &mut self.by_inode {
            Some(file) => Basis::load(record, file.sums(sums_at, count), block_len, memory_limit),
            None => Err(corrupt("snapshot cannot be searched")),
        }
    }

    /// Fails unless the snapshot was read to its end, which proves it whole.
    pub(super) fn finish(self) -> Result<()> {
        match self.next {
            None => Ok(()),
            Some(_) => Err(Error::new(crate::ErrorKind::Internal, "snapshot was not read to its end")),
        }
    }
}
