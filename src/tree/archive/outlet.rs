//! The writing side of an archive: entries with content, and the batches of records behind them.

use super::{
    ArchiveTotals, BATCH_CONTENT, BATCH_LEN, BATCH_RECORDS, BatchDigest, EntryName, Trailer, batch_head, encode_header,
    encode_trailer,
};
use crate::Result;
use crate::format::SealedKind;
use crate::tree::level_id::LevelHeader;
use crate::tree::libarchive::{ArchiveWriter, Filter, TarEntry};
use crate::tree::record::Record;
use crate::tree::sealed::seal;

/// Writes one archive into memory, from which it is taken as it grows.
pub(crate) struct Outlet {
    tar: ArchiveWriter,
    header: LevelHeader,
    batch: Vec<u8>,
    batch_records: u64,
    batch_content: u64,
    batches: u64,
    totals: ArchiveTotals,
    digest: BatchDigest,
    taken: u64,
}

impl Outlet {
    pub(crate) fn new(header: LevelHeader, filter: Filter, threads: usize) -> Result<Self> {
        let mut tar = ArchiveWriter::new(filter, threads)?;
        let payload = encode_header(&header);
        let mut digest = BatchDigest::new();
        digest.payload(&payload);
        let name = EntryName::Header.to_bytes();
        tar.file(&name, &seal(SealedKind::Records, header.id.stream_id(&name), &payload)?)?;
        let batch = batch_head(header.id, 1);
        Ok(Self {
            tar,
            header,
            batch,
            batch_records: 0,
            batch_content: 0,
            batches: 0,
            totals: ArchiveTotals::default(),
            digest,
            taken: 0,
        })
    }

    /// What is ready of the stream.
    pub(crate) fn output(&self) -> &[u8] {
        self.tar.output()
    }

    /// Forgets the output, which was taken.
    pub(crate) fn clear_output(&mut self) {
        self.taken += self.tar.output().len() as u64;
        self.tar.clear_output();
    }

    /// Puts the output into a buffer, whose memory is used again.
    pub(crate) fn take_output(&mut self, buffer: &mut Vec<u8>) {
        self.tar.take_output(buffer);
        self.taken += buffer.len() as u64;
    }

    /// Bytes of the stream so far.
    pub(crate) fn written(&self) -> u64 {
        self.taken + self.tar.output().len() as u64
    }

    pub(crate) fn totals(&self) -> ArchiveTotals {
        self.totals
    }

    /// Begins an entry of the tree; as many bytes as it says have to follow, then [`Outlet::end`].
    pub(crate) fn begin(&mut self, entry: &TarEntry<'_>) -> Result<()> {
        self.tar.begin(entry)
    }

    pub(crate) fn data(&mut self, content: &[u8]) -> Result<()> {
        self.count(content.len() as u64);
        self.tar.data(content)
    }

    /// Zeros that a hole of the entry's map stands for, or that take the place of what could not be read.
    pub(crate) fn zeros(&mut self, len: u64) -> Result<()> {
        self.tar.zeros(len)
    }

    pub(crate) fn end(&mut self) -> Result<()> {
        self.tar.end()
    }

    /// One part of a delta.
    pub(crate) fn part(&mut self, path: &[u8], number: u64, content: &[u8]) -> Result<()> {
        self.count(content.len() as u64);
        self.tar.file(&EntryName::Delta(path, number).to_bytes(), content)
    }

    fn count(&mut self, content_bytes: u64) {
        self.batch_content += content_bytes;
        self.totals.content_bytes += content_bytes;
    }

    /// Says what has become of an entry, after its content if it has any.
    pub(crate) fn record(&mut self, record: &Record) -> Result<()> {
        record.encode(&mut self.batch);
        self.batch_records += 1;
        self.totals.records += 1;
        let full =
            self.batch_records >= BATCH_RECORDS || self.batch_content >= BATCH_CONTENT || self.batch.len() >= BATCH_LEN;
        if full { self.close_batch() } else { Ok(()) }
    }

    fn close_batch(&mut self) -> Result<()> {
        if self.batch_records == 0 {
            return Ok(());
        }
        self.batches += 1;
        let next = batch_head(self.header.id, self.batches + 1);
        let payload = std::mem::replace(&mut self.batch, next);
        self.batch_records = 0;
        self.batch_content = 0;
        self.digest.payload(&payload);
        self.own(EntryName::Batch(self.batches), &payload)
    }

    /// Closes the archive.
    pub(crate) fn finish(&mut self, problems: u64) -> Result<()> {
        self.close_batch()?;
        self.totals.problems = problems;
        let trailer =
            Trailer { level: self.header.id, batches: self.batches, totals: self.totals, digest: self.digest.finish() };
        self.own(EntryName::Trailer, &encode_trailer(&trailer))?;
        self.tar.finish()
    }

    /// Seals an entry that is not of the tree.
    fn own(&mut self, name: EntryName<'_>, payload: &[u8]) -> Result<()> {
        let name = name.to_bytes();
        let sealed = seal(SealedKind::Records, self.header.id.stream_id(&name), payload)?;
        self.tar.file(&name, &sealed)
    }
}
