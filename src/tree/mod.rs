//! Whole trees in a pax tar, over the system's libarchive.
//!
//! [`backup`] walks a tree and makes the archive of its level and a snapshot; [`restore`] takes archives in
//! and publishes the tree, level by level; [`list`] and [`verify`] read archives without changing anything.
//! All of them speak in [`record`]s, which the [`archive`] carries in sealed batches.

mod archive;
mod attributes;
mod backup;
mod codec;
mod descriptors;
mod identify;
mod level_id;
mod libarchive;
mod list;
mod metadata;
mod path;
mod path_set;
mod record;
mod restore;
mod sealed;
mod select;
mod small_file;
mod snapshot;
mod sorter;
mod stat;
mod verify;
mod walk;

pub use archive::ArchiveTotals;
pub(crate) use backup::open_backup;
pub use backup::{
    BackupOptions, BackupReader, BackupSummary, EntryReport, Reason, Since, backup_tree, backup_tree_file,
};
pub use level_id::{LevelHeader, LevelId};
pub use libarchive::{Filter, libarchive_version};
pub use list::{ArchiveEntry, ArchiveSummary, archive_header, list_archive, verify_archive};
pub use metadata::{EntryKind, Metadata, Moment};
pub use record::Action;
pub use restore::{
    Recovery, RestoreOptions, RestoreSummary, RestoreWriter, SyncMode, conclude_restore, recover_restore, restore_tree,
    restored_level,
};
pub use select::Selection;
pub use snapshot::{SnapshotEntry, SnapshotSummary, list_snapshot};
pub use verify::{Difference, DifferenceKind, VerifyOptions, VerifySummary, verify_tree};
