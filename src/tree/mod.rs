//! Whole trees in a pax tar, over the system's libarchive.

mod codec;
mod level_id;
mod libarchive;
mod metadata;
mod path;
mod record;
mod restore;

pub use level_id::{LevelHeader, LevelId};
pub use libarchive::libarchive_version;
pub use metadata::{EntryKind, Metadata, Moment};
pub use record::Action;
pub use restore::SyncMode;
