//! Reads a snapshot, record by record.

use std::io::{self, Read};

use super::{END, HEADER, INDEX, INDEX_ENTRY_LEN, RECORD, RECORD_MAX, SUM_LEN, SnapshotRecord, read_header, sums_of};
use crate::format::SealedKind;
use crate::tree::codec::{Fields, corrupt};
use crate::tree::level_id::LevelHeader;
use crate::tree::metadata::EntryKind;
use crate::tree::path;
use crate::tree::sealed::{Frame, SealedReader};
use crate::{Error, ErrorKind, Result};

/// The head of a level is no longer than this.
const HEADER_MAX: usize = 1 + 16 * 3 + 1 + 10 * 3;

/// A number takes no more bytes than this.
const NUMBER_MAX: usize = 10;

/// Reads records in order. What it gives comes from frames whose checksums held; that none is missing is
/// known when [`SnapshotReader::next`] has given `None`.
pub(crate) struct SnapshotReader<R> {
    sealed: SealedReader<R>,
    header: LevelHeader,
    /// Bytes of sums of the record given out last that were not read.
    sums_left: u64,
    last: Option<Vec<u8>>,
    records: u64,
    ended: bool,
}

impl<R: Read> SnapshotReader<R> {
    pub(crate) fn new(source: R, threads: usize) -> Result<Self> {
        Self::open(SealedReader::new(source, SealedKind::Snapshot, threads)?)
    }

    pub(super) fn open(mut sealed: SealedReader<R>) -> Result<Self> {
        sealed.hold(HEADER_MAX)?;
        let mut fields = Fields(sealed.held());
        if fields.byte()? != HEADER {
            return Err(corrupt("snapshot does not begin with the header of a level"));
        }
        let header = read_header(&mut fields)?;
        let len = sealed.held().len() - fields.0.len();
        sealed.take(len);
        Ok(Self { sealed, header, sums_left: 0, last: None, records: 0, ended: false })
    }

    pub(crate) fn header(&self) -> &LevelHeader {
        &self.header
    }

    /// How many records were given out.
    pub(crate) fn records(&self) -> u64 {
        self.records
    }

    pub(super) fn take_frames(&mut self) -> Vec<Frame> {
        self.sealed.take_frames()
    }

    pub(super) fn sealed_header(&self) -> Option<&crate::SealedHeader> {
        self.sealed.header()
    }

    /// The next record; what was not read of the sums of the one before is passed over.
    pub(crate) fn next(&mut self) -> Result<Option<SnapshotRecord>> {
        self.next_or_index(&mut |_| Ok(()))
    }

    /// As [`SnapshotReader::next`]; after the last record every entry of the index is given to `take`.
    pub(super) fn next_or_index(
        &mut self,
        take: &mut dyn FnMut(&[u8]) -> Result<()>,
    ) -> Result<Option<SnapshotRecord>> {
        let record = self.read_next(take);
        record.map_err(|error| {
            let offset = self.sealed.offset();
            if error.kind() == ErrorKind::Io || error.offset().is_some() { error } else { error.at(offset) }
        })
    }

    fn read_next(&mut self, take: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<Option<SnapshotRecord>> {
        while self.sums_left > 0 {
            let skip = self.hold_sums()?;
            self.take_sums(skip);
        }
        if self.ended {
            return Ok(None);
        }
        self.sealed.hold(1 + 2 * NUMBER_MAX)?;
        let mut fields = Fields(self.sealed.held());
        match fields.byte()? {
            RECORD => {}
            INDEX => {
                self.read_end(take)?;
                return Ok(None);
            }
            _ => return Err(corrupt("snapshot has a part that this frazil does not know")),
        }
        let (len, sums) = (fields.number()?, fields.number()?);
        let head = self.sealed.held().len() - fields.0.len();
        let len = usize::try_from(len).ok().filter(|&len| len <= RECORD_MAX);
        let len = len.ok_or_else(|| corrupt("snapshot record is too long"))?;
        if !self.sealed.hold(head + len)? {
            return Err(Error::new(ErrorKind::Truncated, "snapshot ends within a record"));
        }
        let record = SnapshotRecord::decode(&self.sealed.held()[head..head + len], self.header.block_len)?;
        self.sealed.take(head + len);
        let expected = match (&record.link, record.metadata.kind) {
            (None, EntryKind::File) => sums_of(record.metadata.size, self.header.block_len),
            _ => 0,
        };
        if sums != expected {
            return Err(
                corrupt("snapshot record has another number of sums than its size gives").expected(expected, sums)
            );
        }
        if self.last.as_ref().is_some_and(|last| path::compare(last, &record.path).is_ge()) {
            return Err(corrupt("snapshot records are out of order"));
        }
        self.last.get_or_insert_default().clone_from(&record.path);
        self.sums_left = sums * SUM_LEN as u64;
        self.records += 1;
        Ok(Some(record))
    }

    /// Holds some of the sums that are left, and says how many bytes.
    fn hold_sums(&mut self) -> Result<usize> {
        if !self.sealed.hold(1)? {
            return Err(Error::new(ErrorKind::Truncated, "snapshot ends within the sums of a file"));
        }
        let held = self.sealed.held().len();
        Ok(held.min(usize::try_from(self.sums_left).unwrap_or(usize::MAX)))
    }

    fn take_sums(&mut self, len: usize) {
        self.sealed.take(len);
        self.sums_left -= len as u64;
    }

    /// The sums of the record given out last, as bytes.
    pub(crate) fn sums(&mut self) -> Sums<'_, R> {
        Sums(self)
    }

    fn read_end(&mut self, take: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        let index_at = self.sealed.position();
        let mut fields = Fields(self.sealed.held());
        fields.byte()?;
        let entries = fields.number()?;
        let head = self.sealed.held().len() - fields.0.len();
        self.sealed.take(head);
        let mut last = [0; INDEX_ENTRY_LEN];
        for number in 0..entries {
            if !self.sealed.hold(INDEX_ENTRY_LEN)? {
                return Err(Error::new(ErrorKind::Truncated, "snapshot ends within its index"));
            }
            let entry = &self.sealed.held()[..INDEX_ENTRY_LEN];
            let leads_nowhere = u64::from_be_bytes(Fields(&entry[8..]).array()?) >= index_at;
            if leads_nowhere || (number > 0 && last[..] >= *entry) {
                return Err(corrupt("index of the snapshot is out of order or leads to no record"));
            }
            last.copy_from_slice(entry);
            take(entry)?;
            self.sealed.take(INDEX_ENTRY_LEN);
        }
        self.sealed.hold(1 + 2 * NUMBER_MAX + 1)?;
        let mut fields = Fields(self.sealed.held());
        if fields.byte()? != END {
            return Err(corrupt("snapshot does not end after its index"));
        }
        let (records, at) = (fields.number()?, fields.number()?);
        if records != self.records || at != index_at {
            return Err(corrupt("snapshot does not have the records that it counts").expected(records, self.records));
        }
        fields.end()?;
        let len = self.sealed.held().len();
        self.sealed.take(len);
        // The trailer is checked when no more payload comes.
        if self.sealed.hold(1)? {
            return Err(corrupt("snapshot goes on after its end"));
        }
        self.ended = true;
        Ok(())
    }
}

/// Reads the sums of one record.
pub(crate) struct Sums<'a, R>(&'a mut SnapshotReader<R>);

impl<R: Read> Read for Sums<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.0.sums_left == 0 || buffer.is_empty() {
            return Ok(0);
        }
        let len = self.0.hold_sums()?.min(buffer.len());
        buffer[..len].copy_from_slice(&self.0.sealed.held()[..len]);
        self.0.take_sums(len);
        Ok(len)
    }
}
