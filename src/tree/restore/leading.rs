//! Directories that lead to what is selected: made where they are missing, and left as they are where not. What
//! is no directory leads nowhere, and is not restored.

use std::collections::BTreeSet;
use std::os::fd::AsFd;

use super::attributes::lends_rights;
use super::incoming::Incoming;
use super::mapping::Mapping;
use super::pinned::is_ours;
use super::{Confined, StageId};
use crate::tree::archive::Intake;
use crate::tree::attributes;
use crate::tree::metadata::{Attributes, EntryKind, Metadata};
use crate::tree::path::{self, Position};
use crate::tree::record::{Action, Record};
use crate::tree::stat::Stat;
use crate::{Error, Result};

/// The directories that lead to what is selected and are there, by their places.
pub(super) fn there(destination: &Confined, mapping: &Mapping) -> Result<BTreeSet<Vec<u8>>> {
    let mut there = BTreeSet::new();
    for selected in mapping.paths() {
        let mut above = path::split(selected).0;
        loop {
            if mapping.leads(above)
                && let Some(place) = mapping.place(above)
                && let Some(found) = destination.stat(&place)?
                && EntryKind::of_mode(found.st_mode) == Some(EntryKind::Directory)
            {
                there.insert(place);
            }
            if above.is_empty() {
                break;
            }
            above = path::split(above).0;
        }
    }
    Ok(there)
}

/// What of a record of a path that leads to what is selected is restored: what makes it a directory, or none.
pub(super) fn part(record: Record) -> Option<Record> {
    let is_directory = record.metadata.as_ref().is_some_and(|metadata| metadata.kind == EntryKind::Directory);
    let was_directory = record.parent.is_some_and(|parent| parent.kind == EntryKind::Directory);
    match (was_directory, is_directory) {
        (true, true) => Some(record),
        // What the parent level had there was not restored.
        (false, true) => Some(Record { parent: None, ..record }),
        // What was selected in it is gone, and it led to nothing else.
        (true, false) => Some(Record { parent: record.parent, ..Record::new(record.position, Action::Delete) }),
        (false, false) => None,
    }
}

impl Incoming<'_> {
    /// Whether a record is of a directory that leads to what is selected and was there before; then all is done
    /// that has to be.
    ///
    /// Names change in it, so it closes by a record like any other, but by one that has it as it is.
    pub(super) fn leave(&mut self, place: &[u8], record: &Record, made: Option<StageId>) -> Result<bool> {
        if !self.left.contains(place) || !self.mapping.leads(&record.position.path) {
            return Ok(false);
        }
        self.discard(made)?;
        if record.position.closes
            && let Some((metadata, attributes)) = self.as_it_is(place)?
        {
            let closing = Record::new(Position::closing(place), Action::Metadata);
            self.append(None, &Record { metadata: Some(metadata), attributes, ..closing })?;
        }
        Ok(true)
    }

    /// What a directory is now, of what a restore changes; `None` for one that is not ours to change, or gone.
    fn as_it_is(&self, place: &[u8]) -> Result<Option<(Metadata, Attributes)>> {
        let failed = |error: Error| error.path(self.destination.display(place));
        let Some(found) = self.destination.stat(place)? else { return Ok(None) };
        let is_root = rustix::process::geteuid().is_root();
        let metadata = Stat::from(found).metadata().filter(|metadata| metadata.kind == EntryKind::Directory);
        let Some(metadata) = metadata.filter(|_| is_root || is_ours(&found)) else { return Ok(None) };
        let opened = self.destination.pin(place).and_then(|pinned| pinned.open());
        let opened = opened.map_err(|error| failed(Error::io("opening", error.into())))?;
        let flags = attributes::flags(opened.as_fd()).map_err(failed)?;
        let (mut attributes, unread) = attributes::of_file(opened.as_fd());
        unread.map_or(Ok(()), |error| Err(failed(error)))?;
        // Others are neither given nor taken away.
        attributes.retain(|(name, _)| is_root && self.policy.privileged || !lends_rights(name));
        Ok(Some((Metadata { flags, ..metadata }, attributes)))
    }
}
