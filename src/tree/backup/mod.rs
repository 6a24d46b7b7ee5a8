//! Backups of trees: one walk makes the archive of a level and the snapshot that the next level needs.
//!
//! The sorted walk and the sorted snapshot of the level before are gone through side by side. What both
//! have and what the evidence calls unchanged goes from the one snapshot into the other; what changed is
//! read once, and is in the archive whole, as a delta, or by its metadata alone; what only the old
//! snapshot has is gone. [`BackupReader`] is the stream as a `Read`; [`backup_tree`] writes it out.

mod basis;
mod deletions;
mod directories;
mod files;
mod links;
mod machine;
mod options;
mod previous;
mod reader;
mod reason;
mod sending;
mod specials;
mod spool;
mod start;
mod summary;

pub use options::BackupOptions;
pub(crate) use reader::open_backup;
pub use reader::{BackupReader, Since, backup_tree, backup_tree_file};
pub use reason::Reason;
pub use summary::{BackupSummary, EntryReport};
