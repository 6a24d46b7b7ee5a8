//! The sums of a signature that stay in its file: read through once, then again as they are wanted.

use std::cell::RefCell;
use std::io::{BufReader, Read};

use super::index::{BlockIndex, IndexBuilder};
use super::reread::Reread;
use crate::format::{BlockSum, RecordPlace, SignatureParams, read_records};
use crate::memory::{reserve, resize};
use crate::read_at::{FromOffset, ReadAt};
use crate::{Error, ErrorKind, Result};

/// Blocks whose sums are read together, and have a checksum in memory: 9 KiB of sums, for 24 bytes.
const CHUNK_BLOCKS: usize = 256;

/// Chunks read at once where one follows the other.
const AHEAD: usize = 8;

/// Runs of chunks that are kept: content that was moved about goes back to where it was.
const RUNS: usize = 4;

/// The sums of all blocks, of which only those that were wanted last are in memory.
///
/// Each chunk has the checksum that it had when the whole signature was verified, so that a file that changes
/// meanwhile is found out. The error waits until [`FiledSums::check`] asks for it; meanwhile no sum is given out.
pub(crate) struct FiledSums {
    source: Box<dyn ReadAt>,
    params: SignatureParams,
    blocks: usize,
    /// The signature, until it is read through.
    reader: Option<Reread>,
    chunks: Vec<Chunk>,
    recent: RefCell<Recent>,
}

struct Chunk {
    place: RecordPlace,
    crc: u32,
}

/// What was read last.
#[derive(Default)]
struct Recent {
    runs: [Run; RUNS],
    /// The run that is replaced next, unless what is read follows another.
    oldest: usize,
    failure: Option<Error>,
}

/// Chunks that follow each other.
#[derive(Default)]
struct Run {
    first: usize,
    count: usize,
    records: Vec<u8>,
}

impl Run {
    fn has(&self, chunk: usize) -> bool {
        (self.first..self.first + self.count).contains(&chunk)
    }
}

impl FiledSums {
    /// The sums of so many blocks, which `reader` reads in order and `source` anywhere.
    pub(crate) fn new(source: Box<dyn ReadAt>, reader: Reread, blocks: usize) -> Self {
        let params = *reader.params();
        Self { source, params, blocks, reader: Some(reader), chunks: Vec::new(), recent: RefCell::default() }
    }

    /// Bytes of memory that the checksums of so many blocks take, and what is kept of their sums.
    pub(crate) fn memory_bytes(blocks: u64, params: &SignatureParams) -> u64 {
        let chunks = blocks.div_ceil(CHUNK_BLOCKS as u64);
        let kept = chunks.min((RUNS * AHEAD) as u64) * (CHUNK_BLOCKS * params.record_len()) as u64;
        chunks * size_of::<Chunk>() as u64 + kept
    }

    pub(super) fn params(&self) -> &SignatureParams {
        &self.params
    }

    pub(super) fn len(&self) -> usize {
        self.blocks
    }

    /// The strong sum as far as it is kept.
    pub(super) fn kept<'a>(&self, sum: &'a BlockSum) -> &'a [u8] {
        &sum.strong[..self.params.strong_len as usize]
    }

    /// Reads the signature through, and indexes its first `blocks` blocks.
    ///
    /// Blocks of one weak sum count as equal if their tags are: to look at their sums would be to read the file in
    /// no order. By that one move in 2^24 of those between which the weak sum does not decide is missed.
    pub(super) fn index(&mut self, blocks: usize) -> Result<BlockIndex> {
        let Some(mut reader) = self.reader.take() else {
            return Err(Error::new(ErrorKind::Internal, "the signature has been read through before"));
        };
        let mut builder = IndexBuilder::new(self.params.strong_len as usize);
        let chunks = self.blocks.div_ceil(CHUNK_BLOCKS);
        builder.reserve(blocks)?;
        if self.chunks.try_reserve_exact(chunks).is_err() {
            return Err(Error::new(ErrorKind::OutOfMemory, "no memory for the index of a signature"));
        }
        let mut records = Vec::new();
        for first in (0..self.blocks).step_by(CHUNK_BLOCKS) {
            let place = reader.place();
            records.clear();
            for block in first..self.blocks.min(first + CHUNK_BLOCKS) {
                let Some(sum) = reader.next_block()? else {
                    return Err(self.changed().expected(self.blocks, block));
                };
                if block < blocks {
                    builder.push(sum.weak, &sum.strong);
                }
                records.extend_from_slice(&sum.weak.to_be_bytes());
                records.extend_from_slice(self.kept(&sum));
            }
            self.chunks.push(Chunk { place, crc: crc32fast::hash(&records) });
        }
        if reader.next_block()?.is_some() {
            return Err(self.changed().expected(self.blocks, "more"));
        }
        builder.finish(|_, _| true)
    }

    /// What `look` says of the sums of a block; `false` if they cannot be read.
    pub(super) fn with(&self, block: usize, look: impl FnOnce(&BlockSum) -> bool) -> bool {
        let mut recent = self.recent.borrow_mut();
        let chunk = block / CHUNK_BLOCKS;
        let found = recent.runs.iter().position(|run| run.has(chunk));
        let found = found.map_or_else(|| self.read(&mut recent, chunk), Ok);
        match found {
            Ok(run) => {
                let Run { first, records, .. } = &recent.runs[run];
                let record_len = self.params.record_len();
                let start = (block - first * CHUNK_BLOCKS) * record_len;
                look(&BlockSum::from_record(&records[start..start + record_len]))
            }
            Err(error) => {
                recent.failure.get_or_insert(error);
                false
            }
        }
    }

    pub(super) fn check(&self) -> Result<()> {
        self.recent.borrow_mut().failure.take().map_or(Ok(()), Err)
    }

    /// Reads a chunk, and more if it follows one that was wanted before; gives the run that it is in.
    fn read(&self, recent: &mut Recent, chunk: usize) -> Result<usize> {
        if let Some(failure) = recent.failure.take() {
            return Err(failure);
        }
        let follows = recent.runs.iter().position(|run| run.count > 0 && run.first + run.count == chunk);
        let count = if follows.is_some() { AHEAD.min(self.chunks.len() - chunk) } else { 1 };
        let slot = follows.unwrap_or(recent.oldest);
        if slot == recent.oldest {
            recent.oldest = (slot + 1) % RUNS;
        }
        let run = &mut recent.runs[slot];
        run.count = 0;
        self.read_run(&mut run.records, chunk, count)?;
        (run.first, run.count) = (chunk, count);
        Ok(slot)
    }

    fn read_run(&self, records: &mut Vec<u8>, chunk: usize, count: usize) -> Result<()> {
        let record_len = self.params.record_len();
        let blocks = (count * CHUNK_BLOCKS).min(self.blocks - chunk * CHUNK_BLOCKS);
        let len = blocks * record_len;
        resize(records, len)?;
        let place = self.chunks[chunk].place;
        // All in one go: the heads of frames take little beside their payload.
        let mut source = FromOffset::new(&*self.source, place.offset);
        let most = len + len / 64 + 64;
        let mut ahead = Vec::new();
        reserve(&mut ahead, most)?;
        let read = (&mut source).take(most as u64).read_to_end(&mut ahead);
        let read = read.and_then(|_| read_records(ahead[..].chain(BufReader::new(source)), place, records));
        if !read.map_err(|error| self.named(Error::io("", error)))? {
            return Err(self.changed().at(place.offset));
        }
        let checked = records.chunks(CHUNK_BLOCKS * record_len).zip(&self.chunks[chunk..]);
        for (records, Chunk { place, crc }) in checked {
            let found = crc32fast::hash(records);
            if found != *crc {
                return Err(self
                    .changed()
                    .at(place.offset)
                    .expected(format_args!("{crc:08x}"), format_args!("{found:08x}")));
            }
        }
        Ok(())
    }

    fn changed(&self) -> Error {
        self.named(Error::new(ErrorKind::Corrupt, "signature is not what it was when it was opened"))
    }

    fn named(&self, error: Error) -> Error {
        let error = error.doing("reading a signature");
        match self.source.path() {
            Some(path) => error.path(path),
            None => error,
        }
    }
}
