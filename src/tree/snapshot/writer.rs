//! Writes a snapshot, record by record.

use std::io::{Read, Write};

use bytes::BufMut;

use super::{END, HEADER, INDEX, RECORD, SnapshotRecord, put_header, sums_of};
use crate::format::SealedKind;
use crate::tree::codec::PutFields;
use crate::tree::level_id::LevelHeader;
use crate::tree::metadata::EntryKind;
use crate::tree::sealed::SealedWriter;
use crate::tree::sorter::Sorter;
use crate::{Error, ErrorKind, Result};

/// Memory in which the index by inode is sorted.
const INDEX_MEMORY: usize = 4 << 20;

/// Writes a snapshot to a sink; without [`SnapshotWriter::finish`] it has no trailer, and nothing takes it
/// for complete.
pub(crate) struct SnapshotWriter<W> {
    out: SealedWriter<W>,
    block_len: u32,
    index: Sorter,
    indexed: u64,
    records: u64,
    buffer: Vec<u8>,
}

impl<W: Write> SnapshotWriter<W> {
    pub(crate) fn new(sink: W, header: &LevelHeader, threads: usize) -> Result<Self> {
        let mut out = SealedWriter::new(sink, SealedKind::Snapshot, header.id.stream_id(b"snapshot"), threads);
        let mut fields = Vec::new();
        fields.put_u8(HEADER);
        put_header(header, &mut fields);
        out.put(&fields)?;
        let index = Sorter::new(INDEX_MEMORY);
        Ok(Self { out, block_len: header.block_len, index, indexed: 0, records: 0, buffer: Vec::new() })
    }

    /// Adds a record, in order; `sums` has to be as long as the file's size wants it.
    pub(crate) fn push(&mut self, record: &SnapshotRecord, mut sums: impl Read) -> Result<()> {
        let count = match (&record.link, record.metadata.kind) {
            (None, EntryKind::File) => sums_of(record.metadata.size, self.block_len),
            _ => 0,
        };
        if record.link.is_none() && record.metadata.kind == EntryKind::File && record.metadata.size > 0 {
            let mut entry = [0; super::INDEX_ENTRY_LEN];
            entry[..8].copy_from_slice(&record.evidence.inode.to_be_bytes());
            entry[8..].copy_from_slice(&self.out.position().to_be_bytes());
            self.index.push(&entry)?;
            self.indexed += 1;
        }
        let mut body = std::mem::take(&mut self.buffer);
        body.clear();
        record.encode(&mut body);
        let mut head = Vec::with_capacity(16);
        head.put_u8(RECORD);
        head.put_number(body.len() as u64);
        head.put_number(count);
        self.out.put(&head)?;
        self.out.put(&body)?;
        self.buffer = body;
        self.records += 1;
        self.copy_sums(count, &mut sums)
    }

    fn copy_sums(&mut self, count: u64, sums: &mut impl Read) -> Result<()> {
        let mut left = count * super::SUM_LEN as u64;
        if left == 0 {
            return Ok(());
        }
        let mut buffer = vec![0; usize::try_from(left).unwrap_or(usize::MAX).min(64 * 1024)];
        while left > 0 {
            let take = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
            sums.read_exact(&mut buffer[..take]).map_err(|error| {
                Error::new(ErrorKind::Internal, format!("sums for a snapshot are missing: {error}"))
            })?;
            self.out.put(&buffer[..take])?;
            left -= take as u64;
        }
        Ok(())
    }

    /// Writes the index and the end, flushes the sink and gives it back.
    pub(crate) fn finish(mut self) -> Result<W> {
        let index_at = self.out.position();
        let mut head = Vec::new();
        head.put_u8(INDEX);
        head.put_number(self.indexed);
        self.out.put(&head)?;
        let mut index = self.index.finish()?;
        while let Some(entry) = index.next()? {
            self.out.put(entry)?;
        }
        let mut end = Vec::new();
        end.put_u8(END);
        end.put_number(self.records);
        end.put_number(index_at);
        self.out.put(&end)?;
        self.out.finish()
    }
}
