//! Archives: the stream of one level of a tree, a pax tar that any tar can read.
//!
//! `full/<path>` carries an entry whole, `delta/<path>/<part>` the sealed delta of a file in parts, and
//! `.frazil/` what the level says of itself: a header, batches of records behind the entries that they
//! describe, and a trailer. Neither the bodies of a tar nor its extended headers have checksums, so what
//! is restored is what the sealed records say, and content is used when its identity is theirs.

mod agreement;
mod claiming;
mod delta_header;
mod intake;
mod lost;
mod names;
mod outlet;
mod parts;
mod replay;
mod taking;
mod waiting;

pub(crate) use delta_header::peek_header;
pub(crate) use intake::{Intake, IntakeOptions, take_in};
pub(crate) use names::{EntryName, full_name};
pub(crate) use outlet::Outlet;

use bytes::BufMut;

use super::codec::{Fields, PutFields, corrupt};
use super::level_id::{LevelHeader, LevelId};
use super::record::Record;
use super::snapshot::{put_header, read_header};
use crate::Result;
use crate::memory::push;

const HEADER: u8 = b'H';
const BATCH: u8 = b'C';
const TRAILER: u8 = b'T';

/// A batch is closed at so many records, ...
const BATCH_RECORDS: u64 = 1024;

/// ... when the content that it answers for comes to this, ...
const BATCH_CONTENT: u64 = 4 << 20;

/// ... or its records do.
const BATCH_LEN: usize = 256 * 1024;

/// The longest sealed batch that is read: one record with all the extended attributes it may have.
const BATCH_MAX: usize = 20 << 20;

/// The longest sealed header or trailer.
const SMALL_MAX: usize = 64 * 1024;

/// Bytes of a delta in one entry: a tar header says the size first, and a delta's is not known.
pub(crate) const PART_LEN: usize = 1 << 20;

/// What an archive says at its end of all that was before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ArchiveTotals {
    /// Entries that the level says anything of; a directory may count twice, where it opens and closes.
    pub records: u64,
    /// Bytes of content and of deltas that are in the archive, before any filter.
    pub content_bytes: u64,
    /// What could not be backed up as it was: the backup was partial if this is not zero.
    pub problems: u64,
}

/// The trailer's own fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Trailer {
    level: LevelId,
    batches: u64,
    totals: ArchiveTotals,
    digest: [u8; 32],
}

/// The digest of the header and all batches, in order.
struct BatchDigest(blake2b_simd::State);

impl BatchDigest {
    fn new() -> Self {
        Self(blake2b_simd::Params::new().hash_length(32).personal(b"frazil-records").to_state())
    }

    /// Each payload by its length and bytes, so that nothing can move between two of them.
    fn payload(&mut self, payload: &[u8]) {
        self.0.update(&(payload.len() as u64).to_be_bytes());
        self.0.update(payload);
    }

    fn finish(&self) -> [u8; 32] {
        let mut digest = [0; 32];
        digest.copy_from_slice(self.0.finalize().as_bytes());
        digest
    }
}

fn encode_header(header: &LevelHeader) -> Vec<u8> {
    let mut payload = vec![HEADER];
    put_header(header, &mut payload);
    payload
}

fn decode_header(payload: &[u8]) -> Result<LevelHeader> {
    let mut fields = begin(payload, HEADER)?;
    let header = read_header(&mut fields)?;
    fields.end()?;
    Ok(header)
}

/// What a batch begins with.
fn batch_head(level: LevelId, number: u64) -> Vec<u8> {
    let mut payload = vec![BATCH];
    payload.put_slice(&level.0);
    payload.put_number(number);
    payload
}

/// A batch's level, its number, and its records.
fn decode_batch(payload: &[u8], leaf_len: u32) -> Result<(LevelId, u64, Vec<Record>)> {
    let mut fields = begin(payload, BATCH)?;
    let (level, number) = (LevelId(fields.array()?), fields.number()?);
    let mut records = Vec::new();
    while !fields.is_empty() {
        // A record takes many times the memory of what is read.
        if records.len() as u64 >= BATCH_RECORDS {
            return Err(corrupt("batch has more records than a writer puts into one")
                .expected(format_args!("at most {BATCH_RECORDS}"), "more"));
        }
        push(&mut records, Record::decode(&mut fields, leaf_len)?)?;
    }
    Ok((level, number, records))
}

fn encode_trailer(trailer: &Trailer) -> Vec<u8> {
    let mut payload = vec![TRAILER];
    payload.put_slice(&trailer.level.0);
    payload.put_number(trailer.batches);
    payload.put_number(trailer.totals.records);
    payload.put_number(trailer.totals.content_bytes);
    payload.put_number(trailer.totals.problems);
    payload.put_slice(&trailer.digest);
    payload
}

fn decode_trailer(payload: &[u8]) -> Result<Trailer> {
    let mut fields = begin(payload, TRAILER)?;
    let level = LevelId(fields.array()?);
    let batches = fields.number()?;
    let totals =
        ArchiveTotals { records: fields.number()?, content_bytes: fields.number()?, problems: fields.number()? };
    let trailer = Trailer { level, batches, totals, digest: fields.digest()? };
    fields.end()?;
    Ok(trailer)
}

fn begin(payload: &[u8], letter: u8) -> Result<Fields<'_>> {
    let mut fields = Fields(payload);
    if fields.byte()? == letter { Ok(fields) } else { Err(corrupt("part of an archive stands in another's place")) }
}
