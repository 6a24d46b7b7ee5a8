//! What a backup has done, entry by entry and in all.

use std::path::Path;

use super::Reason;
use crate::tree::level_id::LevelHeader;
use crate::tree::record::Action;

/// What a backup says of an entry that it looked at.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct EntryReport<'a> {
    /// Where in the tree it is; the root is `.`.
    pub path: &'a Path,
    /// How it is in the archive; `None` when it proved to be what it was.
    pub action: Option<Action>,
    /// Why it was looked at.
    pub reason: Reason,
    /// Bytes of content or delta that are in the archive for it.
    pub bytes: u64,
}

/// What a finished backup is.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct BackupSummary {
    /// Which level it is.
    pub header: LevelHeader,
    /// Entries that the walk met.
    pub entries: u64,
    /// Regular files whose content was read.
    pub files_read: u64,
    /// Bytes of content that were read.
    pub source_bytes: u64,
    /// Bytes of content and deltas in the archive, before any filter.
    pub content_bytes: u64,
    /// Bytes of the archive.
    pub stream_bytes: u64,
    /// Entries that are in the archive whole.
    pub full: u64,
    /// Files that are there as a delta.
    pub deltas: u64,
    /// Files with the content of another file of the level before.
    pub copies: u64,
    /// Further names of files.
    pub links: u64,
    /// Entries of which only the metadata changed.
    pub metadata: u64,
    /// Entries that are gone.
    pub deleted: u64,
    /// What could not be backed up as it was; the observer was told of each.
    pub problems: u64,
}

impl BackupSummary {
    pub(super) fn new(header: LevelHeader) -> Self {
        Self {
            header,
            entries: 0,
            files_read: 0,
            source_bytes: 0,
            content_bytes: 0,
            stream_bytes: 0,
            full: 0,
            deltas: 0,
            copies: 0,
            links: 0,
            metadata: 0,
            deleted: 0,
            problems: 0,
        }
    }

    pub(super) fn count(&mut self, action: Action) {
        match action {
            Action::Full => self.full += 1,
            Action::Delta => self.deltas += 1,
            Action::Copy => self.copies += 1,
            Action::Link => self.links += 1,
            Action::Metadata => self.metadata += 1,
            Action::Delete => self.deleted += 1,
            Action::Void => {}
        }
    }

    /// Whether something could not be backed up as it was.
    pub fn is_partial(&self) -> bool {
        self.problems > 0
    }
}
