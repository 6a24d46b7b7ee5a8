//! Whole trees in a pax tar, over the system's libarchive.

mod attributes;
mod codec;
mod level_id;
mod libarchive;
mod metadata;
mod path;
mod record;
mod select;
mod sorter;
mod stat;
mod walk;
mod restore;

pub use level_id::{LevelHeader, LevelId};
pub use libarchive::{Filter, libarchive_version};
pub use metadata::{EntryKind, Metadata, Moment};
pub use record::Action;
pub use select::Selection;
pub use restore::SyncMode;
