//! Snapshots: what the next level of a tree needs to know of this one.
//!
//! A sealed, sorted stream of records, one for each entry: its metadata, its identity, and for a file of
//! more than one block the sums of its blocks. It is written while the walk goes on and read while the
//! next walk goes on, so neither takes memory for the number of entries. An index by inode at its end
//! lets a level that reads it from a file recognise an entry that was given another name.

mod file;
mod list;
mod reader;
mod record;
mod writer;

pub use list::{SnapshotEntry, SnapshotSummary, list_snapshot};

pub(crate) use file::SnapshotFile;
pub(crate) use reader::SnapshotReader;
pub(crate) use record::{Mark, SnapshotRecord};
pub(crate) use writer::SnapshotWriter;

use crate::format::{BlockSum, SignatureParams};
use crate::tree::codec::{Fields, PutFields, corrupt};
use crate::tree::level_id::{LevelHeader, LevelId};
use crate::{MAX_BLOCK_LEN, Result};
use bytes::BufMut;

/// The parts of the payload, each begun by its letter.
const HEADER: u8 = b'H';
const RECORD: u8 = b'R';
const INDEX: u8 = b'I';
const END: u8 = b'E';

/// The longest record: a path, a link and two owners at their longest.
const RECORD_MAX: usize = 256 * 1024;

/// Bytes of a block's sums, both of them whole.
pub(crate) const SUM_LEN: usize = 4 + 32;

/// An entry of the index: an inode, and where in the payload the record begins of a file that had it.
const INDEX_ENTRY_LEN: usize = 16;

/// Blocks shorter than this would make a tree of more sums than content, and leaves of another length.
pub(crate) const TREE_BLOCK_LEN_MIN: u32 = 1024;

/// How many sums the snapshot holds of a file: none of one that a block holds, which is sent whole when
/// it changes.
pub(crate) fn sums_of(size: u64, block_len: u32) -> u64 {
    if size > u64::from(block_len) { size.div_ceil(u64::from(block_len)) } else { 0 }
}

/// The sums that trees are matched by.
pub(crate) fn tree_params(block_len: u32) -> Result<SignatureParams> {
    SignatureParams::with_block_len(block_len)
}

pub(crate) fn block_sum(bytes: &[u8]) -> BlockSum {
    BlockSum::from_record(bytes)
}

/// The fields of a level's header, which archives carry too.
pub(crate) fn put_header(header: &LevelHeader, out: &mut Vec<u8>) {
    out.put_slice(&header.id.0);
    out.put_u8(u8::from(header.parent.is_some()));
    if let Some(parent) = header.parent {
        out.put_slice(&parent.0);
    }
    out.put_slice(&header.root.0);
    out.put_number(u64::from(header.number));
    out.put_number(u64::from(header.block_len));
    out.put_signed(header.created);
}

pub(crate) fn read_header(fields: &mut Fields<'_>) -> Result<LevelHeader> {
    let id = LevelId(fields.array()?);
    let parent = match fields.byte()? {
        0 => None,
        1 => Some(LevelId(fields.array()?)),
        _ => return Err(corrupt("header of a level is not one that a writer makes")),
    };
    let header = LevelHeader {
        id,
        parent,
        root: LevelId(fields.array()?),
        number: fields.number_u32()?,
        block_len: fields.number_u32()?,
        created: fields.signed()?,
    };
    if !(TREE_BLOCK_LEN_MIN..=MAX_BLOCK_LEN).contains(&header.block_len) {
        return Err(corrupt("block length is out of range")
            .expected(format_args!("{TREE_BLOCK_LEN_MIN} to {MAX_BLOCK_LEN}"), header.block_len));
    }
    if header.parent.is_none() != (header.root == header.id) || header.parent.is_none() != (header.number == 0) {
        return Err(corrupt("header of a level contradicts itself on its parent"));
    }
    Ok(header)
}

#[cfg(test)]
mod tests;
