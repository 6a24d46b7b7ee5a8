//! What a snapshot says of its level, entry by entry.

use std::io::Read;
use std::path::PathBuf;

use super::{SnapshotReader, SnapshotRecord, sums_of};
use crate::tree::level_id::LevelHeader;
use crate::tree::metadata::Metadata;
use crate::tree::path;
use crate::{Fingerprint, Result};

/// What a snapshot says of one entry.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SnapshotEntry {
    /// Where in the tree it is; the root is `.`.
    pub path: PathBuf,
    /// What it was.
    pub metadata: Metadata,
    /// The content of a regular file.
    pub fingerprint: Option<Fingerprint>,
    /// Blocks of which the snapshot has the sums.
    pub blocks: u64,
    /// Which entry it is a further name of.
    pub link: Option<PathBuf>,
    /// Whether it changed while it was read.
    pub dirty: bool,
    /// Whether it changed so shortly before it was read that it is read again at the next level.
    pub racy: bool,
    /// Whether it could not be read, and this is what the level before knew of it.
    pub stale: bool,
}

impl SnapshotEntry {
    fn of(record: SnapshotRecord, block_len: u32) -> Self {
        let own = record.identity.filter(|_| record.link.is_none());
        Self {
            path: path::to_os(&record.path),
            blocks: own.map_or(0, |identity| sums_of(identity.length(), block_len)),
            metadata: record.metadata,
            fingerprint: record.identity.map(|identity| *identity.fingerprint()),
            link: record.link.as_deref().map(path::to_os),
            dirty: record.mark.dirty,
            racy: record.mark.racy,
            stale: record.mark.stale,
        }
    }
}

/// What a snapshot is as a whole.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct SnapshotSummary {
    /// Which level of which chain it is of.
    pub header: LevelHeader,
    /// How many entries it has.
    pub entries: u64,
}

/// Reads a snapshot to its end, verifies it, and gives every entry to `each`.
///
/// # Errors
///
/// What is wrong with the snapshot, and whatever the source or `each` raises. What was given to `each` before
/// is provisional until the end.
pub fn list_snapshot(
    snapshot: impl Read,
    mut each: impl FnMut(SnapshotEntry) -> Result<()>,
) -> Result<SnapshotSummary> {
    let named = |error: crate::Error| match error.kind() {
        crate::ErrorKind::Io => error,
        _ => error.doing("reading a snapshot"),
    };
    let mut reader = SnapshotReader::new(snapshot, 1).map_err(named)?;
    let header = *reader.header();
    while let Some(record) = reader.next().map_err(named)? {
        each(SnapshotEntry::of(record, header.block_len))?;
    }
    Ok(SnapshotSummary { header, entries: reader.records() })
}
