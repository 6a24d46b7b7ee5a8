//! Block-level backups, made and restored in stream.
//!
//! Backup agents resend whole files when a timestamp changes. frazil computes what changed, block by
//! block, in trees, files and streams, and restores levels 0..n in stream, in bounded memory, with no local
//! copy in between.
//!
//! A **level** is a stream, and making it costs one read of the source: one pass yields the level's
//! stream *and* the new full [`Signature`], which is all that the next level needs. Level 0 is the level
//! against nothing. Restoring is applying level 0, 1, … n, one after the other as they arrive, or all in
//! one pass ([`Chain`]).
//!
//! ```
//! use std::io;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let dir = tempfile::tempdir()?; let path = dir.path().join("disk.img");
//! # let restored = dir.path().join("restored.img");
//! std::fs::write(&path, vec![7; 300_000])?;
//! let (mut level0, mut level1) = (Vec::new(), Vec::new()); // your storage
//!
//! let mut level = frazil::gen_sig_from_file(&path, None)?; // level 0
//! io::copy(&mut level, &mut level0)?;
//! let signature = level.finish()?; // what level 1 needs
//!
//! std::fs::write(&path, [vec![7; 200_000], vec![9; 100_000]].concat())?;
//! let mut level = frazil::gen_sig_from_file(&path, Some(&signature))?; // level 1: what changed
//! io::copy(&mut level, &mut level1)?;
//! level.finish()?;
//!
//! frazil::patch_from_stream(&level0[..], &restored)?; // restore level 0, then 1
//! frazil::patch_from_stream(&level1[..], &restored)?;
//! assert_eq!(std::fs::read(&restored)?, std::fs::read(&path)?);
//! # Ok(()) }
//! ```
//!
//! The same holds for **trees**: a level of a directory is an archive, a pax tar that any tar lists, and
//! making it gives the snapshot that the next level needs. Of a file that changed, the blocks that did are
//! in it; of one that was renamed, no content is.
//!
//! ```
//! # #[cfg(feature = "tree")]
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let dir = tempfile::tempdir()?;
//! use std::fs::{File, create_dir, read, rename, write};
//!
//! use frazil::{BackupOptions, Filter, RestoreOptions, backup_tree_file, conclude_restore, restore_tree};
//!
//! let at = |name: &str| dir.path().join(name);
//! let options = BackupOptions::new().filter(Filter::Zstd);
//! create_dir(at("home"))?;
//! write(at("home/disk.img"), vec![7; 300_000])?;
//! backup_tree_file(at("home"), None, at("snap.0"), at("home.0"), options.clone())?; // level 0
//!
//! rename(at("home/disk.img"), at("home/old.img"))?;
//! write(at("home/letter"), "Dear reader")?;
//! let since = at("snap.0");
//! let level1 = backup_tree_file(at("home"), Some(&*since), at("snap.1"), at("home.1"), options)?;
//! assert_eq!((level1.full, level1.copies, level1.deleted), (1, 1, 1));
//! assert_eq!(level1.content_bytes, 11); // the letter
//!
//! for archive in ["home.0", "home.1"] {
//!     restore_tree(File::open(at(archive))?, at("restored"), RestoreOptions::new())?;
//! }
//! conclude_restore(at("restored"))?; // no level is to follow
//! assert_eq!(read(at("restored/old.img"))?, vec![7; 300_000]);
//! assert_eq!(read(at("restored/letter"))?, b"Dear reader");
//! # Ok(()) }
//! # #[cfg(not(feature = "tree"))]
//! # fn main() {}
//! ```
//!
//! Every long operation comes in three forms: **pull** (a `Read` you read from: [`LevelReader`],
//! [`PatchReader`], [`Chain`]), **push** (a `Write` you feed: [`LevelWriter`], [`PatchWriter`]) and
//! **whole** (path to path: [`level_file`], [`patch_file`], [`chain_file`]). The archive of a tree is pulled
//! out of `BackupReader` and fed to `RestoreWriter`; `backup_tree` and `restore_tree` are the whole. Each ends
//! with an explicit `finish` that reports what was done, or fails; dropped without it, nothing is published.
//!
//! Streams are *sealed* by default: every byte is checked, a wrong basis is refused by name, and the
//! result is verified before it is published. librsync's plain formats are read and written too, so
//! `rdiff` is a peer.

mod blueprint;
#[allow(unsafe_code)]
mod capi;
mod cloning;
mod engine;
mod error;
mod format;
mod holes;
mod in_order;
mod inspect;
mod level;
mod memory;
mod observer;
mod patch;
mod publish;
mod read_at;
mod sharing;
mod signature;
mod threads;
#[cfg(feature = "tree")]
mod tree;
mod write_behind;

pub use blueprint::{
    gen_sig_from_file, gen_sig_from_file_with, gen_sig_from_stream, gen_sig_from_stream_with, patch_from_file,
    patch_from_file_with, patch_from_stream, patch_from_stream_with,
};
pub use engine::{Engine, librsync_version};
pub use error::{Error, ErrorDetail, ErrorKind, Result};
pub use format::{
    BlockSum, Comparison, DEFAULT_BLOCK_LEN, Fingerprint, Format, Identity, MAX_BLOCK_LEN, SealedHeader, SealedKind,
    SignatureParams, SignatureReader, SignatureWriter, StreamId, StrongKind, WeakKind,
};
pub use inspect::{CommandStats, Inspection, inspect};
pub use level::{
    LevelBasis, LevelOptions, LevelReader, LevelStats, LevelSummary, LevelWriter, Matching, RangeLevel, level_file,
};
pub use observer::{Observer, Progress};
pub use patch::{
    Chain, PatchOptions, PatchReader, PatchSummary, PatchWriter, VerifyBasis, chain_file, patch_file, patch_in_place,
};
pub use publish::Publish;
pub use read_at::{NoBasis, ReadAt, Seekable};
pub use signature::{
    BlockRange, Comparer, RangeKind, Signature, SignatureFile, compare_data, compare_files, compare_streams,
};
#[cfg(feature = "tree")]
pub use tree::{
    Action, ArchiveEntry, ArchiveSummary, ArchiveTotals, BackupOptions, BackupReader, BackupSummary, Difference,
    DifferenceKind, EntryKind, EntryReport, Filter, LevelHeader, LevelId, Metadata, Moment, Reason, Recovery,
    RestoreOptions, RestoreSummary, RestoreWriter, Selection, Since, SnapshotEntry, SnapshotSummary, SyncMode,
    VerifyOptions, VerifySummary, archive_header, backup_tree, backup_tree_file, conclude_restore, libarchive_version,
    list_archive, list_snapshot, recover_restore, restore_tree, restored_level, verify_archive, verify_tree,
};

/// This crate's version, as `MAJOR.MINOR.PATCH`.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Compiles the README's example.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
