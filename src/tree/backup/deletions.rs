//! What the old snapshot has and the walk does not meet.

use super::Reason;
use super::machine::{Machine, WATCH_ENTRIES};
use super::previous::Previous;
use crate::Result;
use crate::tree::metadata::EntryKind;
use crate::tree::path::{self, Position};
use crate::tree::record::{Action, Record};
use crate::tree::snapshot::SnapshotRecord;

/// Whether what was not met is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Listing {
    Complete,
    /// A directory could not be listed to its end: what is missing may be there.
    Incomplete,
}

impl Machine {
    /// What is known of the directory that the walk is in.
    pub(super) fn listing(&self) -> Listing {
        match self.directories.last().is_some_and(|directory| directory.is_incomplete) {
            true => Listing::Incomplete,
            false => Listing::Complete,
        }
    }

    /// What comes before `path` in the old snapshot and was not met is gone; whether all of it is said.
    pub(super) fn delete_before(&mut self, path: &[u8]) -> Result<bool> {
        let listing = self.listing();
        self.delete_while(listing, |previous| previous.is_before(path))
    }

    /// What the old snapshot has below `directory` and was not met is gone; whether all of it is said.
    pub(super) fn delete_below(&mut self, directory: &[u8], listing: Listing) -> Result<bool> {
        self.advance_previous()?;
        self.delete_while(listing, |previous| previous.is_below(directory))
    }

    /// Deletes a piece at a time, so that what is said of a large tree that is gone does not pile up.
    pub(super) fn delete_while(&mut self, listing: Listing, is_gone: impl Fn(&Previous) -> bool) -> Result<bool> {
        for _ in 0..WATCH_ENTRIES {
            if !self.previous.as_ref().is_some_and(&is_gone) {
                self.close_gone(None)?;
                return Ok(true);
            }
            self.delete_next(listing)?;
        }
        Ok(false)
    }

    fn delete_next(&mut self, listing: Listing) -> Result<()> {
        if let Some(before) = self.previous.as_mut().and_then(Previous::take_next) {
            if listing == Listing::Incomplete {
                return self.keep_stale(before);
            }
            self.close_gone(Some(&before.path))?;
            match before.metadata.kind {
                EntryKind::Directory => self.gone.push(before),
                _ => self.delete(&before)?,
            }
        }
        self.advance_previous()
    }

    /// Closes the directories that are gone, but those that `path` is below.
    fn close_gone(&mut self, path: Option<&[u8]>) -> Result<()> {
        while let Some(gone) = self.gone.pop_if(|gone| path.is_none_or(|path| !path::is_below(path, &gone.path))) {
            self.delete(&gone)?;
        }
        Ok(())
    }

    pub(super) fn delete(&mut self, before: &SnapshotRecord) -> Result<()> {
        let closes = before.metadata.kind == EntryKind::Directory;
        let position = Position { path: before.path.clone(), closes };
        let record = Record { parent: Some(before.as_parent()), ..Record::new(position, Action::Delete) };
        self.emit(&record, Reason::Gone, 0)
    }
}
