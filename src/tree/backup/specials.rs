//! Links, pipes and devices; and further names of what was met before.

use super::Reason;
use super::links::{Kept, Leader};
use super::machine::Machine;
use super::reason::{is_racy, reason};
use crate::tree::archive::full_name;
use crate::tree::libarchive::TarEntry;
use crate::tree::metadata::{Attributes, EntryKind, Metadata, Moment};
use crate::tree::path::Position;
use crate::tree::record::{Action, Record};
use crate::tree::snapshot::{Mark, SnapshotRecord};
use crate::tree::stat::Stat;
use crate::tree::{attributes, descriptors};
use crate::{Error, ErrorKind, Result};

impl Machine {
    /// An entry without content: a link, a pipe or a device.
    pub(super) fn special(&mut self, path: Vec<u8>, stat: &Stat, before: Option<SnapshotRecord>) -> Result<()> {
        let Some(why) = reason(before.as_ref(), stat, &self.options) else {
            return self.unchanged(stat, before);
        };
        let read = Moment::now();
        let kind = stat.kind.unwrap_or(EntryKind::Fifo);
        let mut metadata = self.metadata(stat)?;
        if kind == EntryKind::Symlink {
            match self.walk.read_link() {
                Ok(target) => metadata.target = target,
                Err(error) => return self.unreadable_entry(&path, before, Error::io("reading a link", error)),
            }
        }
        let attributes = self.walk.directory().map(|directory| attributes::of_name(directory, self.walk.name()));
        let (attributes, is_whole) = self.attributes_or_problem(&path, attributes.unwrap_or_default());
        let record = SnapshotRecord {
            path: path.clone(),
            evidence: stat.evidence(),
            attributes: attributes::digest(&attributes),
            identity: None,
            link: None,
            mark: Mark { racy: is_racy(stat, read), dirty: !is_whole, stale: false },
            metadata,
        };
        let action = match &before {
            Some(before) if before.link.is_some() || !is_same_thing(&before.metadata, &record.metadata) => {
                Some(Action::Full)
            }
            Some(before) if before.metadata != record.metadata || before.attributes != record.attributes => {
                Some(Action::Metadata)
            }
            Some(_) => None,
            None => Some(Action::Full),
        };
        if action == Some(Action::Full) {
            let (name, metadata) = (full_name(&path), &record.metadata);
            let entry = TarEntry { path: &name, metadata, attributes: &attributes, hardlink: None, data: None };
            self.outlet.begin(&entry)?;
            self.outlet.end()?;
        }
        match action {
            Some(action) => {
                let record = Record {
                    metadata: Some(record.metadata.clone()),
                    attributes,
                    parent: before.as_ref().map(SnapshotRecord::as_parent),
                    ..Record::new(place(&path, before.as_ref()), action)
                };
                self.emit(&record, why, 0)?;
            }
            None => self.tell(&path, None, why, 0),
        }
        self.remember(&record, std::io::empty())?;
        self.lead(stat, &record, action)
    }

    /// What the evidence calls unchanged.
    pub(super) fn unchanged(&mut self, stat: &Stat, before: Option<SnapshotRecord>) -> Result<()> {
        let Some(before) = before else { return Ok(()) };
        let record = SnapshotRecord { evidence: stat.evidence(), ..before };
        self.keep(&record)?;
        self.lead(stat, &record, None)
    }

    /// Remembers an entry that has other names.
    pub(super) fn lead(&mut self, stat: &Stat, record: &SnapshotRecord, action: Option<Action>) -> Result<()> {
        let full = action == Some(Action::Full);
        if stat.links > 1 && self.links.lead(stat.links, record, action.is_some(), full) == Kept::No {
            let what = "too many files with several names: this one's others become files of their own";
            let limit = Error::new(ErrorKind::Limit, what).doing("backing up").path(self.on_disk(&record.path));
            self.problem(limit);
        }
        Ok(())
    }

    /// One more name of an entry that was met before.
    pub(super) fn another_name(
        &mut self,
        path: Vec<u8>,
        stat: &Stat,
        before: Option<SnapshotRecord>,
        leader: &Leader,
    ) -> Result<()> {
        let to = &leader.record.path;
        if leader.record.evidence != stat.evidence() {
            let changed = Error::new(ErrorKind::SourceChanged, "a file with several names changed between two of them");
            self.problem(changed.doing("backing up").path(self.on_disk(&path)));
        }
        // A stale one is what it was then, and its group may have changed since.
        let is_as_before = before.as_ref().is_some_and(|before| before.link.as_ref() == Some(to) && !before.mark.stale);
        if leader.sent || !is_as_before {
            if leader.full {
                let (name, target) = (full_name(&path), full_name(to));
                let (metadata, attributes) = (&leader.record.metadata, &Attributes::new());
                self.outlet.begin(&TarEntry {
                    path: &name,
                    metadata,
                    attributes,
                    hardlink: Some(&target),
                    data: None,
                })?;
                self.outlet.end()?;
            }
            let record = Record {
                basis: Some(to.clone()),
                parent: before.as_ref().map(SnapshotRecord::as_parent),
                ..Record::new(place(&path, before.as_ref()), Action::Link)
            };
            self.emit(&record, Reason::Link, 0)?;
        }
        let record =
            SnapshotRecord { path, evidence: stat.evidence(), link: Some(to.clone()), ..leader.record.clone() };
        self.remember(&record, std::io::empty())
    }

    /// What could not be read stays as the level before knew it.
    pub(super) fn unreadable_entry(&mut self, path: &[u8], before: Option<SnapshotRecord>, error: Error) -> Result<()> {
        let error = error.path(self.on_disk(path));
        if descriptors::is_shortage(&error) {
            return Err(error);
        }
        self.problem(error);
        match before {
            Some(before) => self.keep_stale(before),
            None => Ok(()),
        }
    }

    /// Attributes that could not all be read are reported, and the entry goes on without them; whether they
    /// could.
    fn attributes_or_problem(&mut self, path: &[u8], read: (Attributes, Option<Error>)) -> (Attributes, bool) {
        let (attributes, problem) = read;
        let is_whole = problem.is_none();
        if let Some(problem) = problem {
            self.problem(problem.path(self.on_disk(path)));
        }
        (attributes, is_whole)
    }

    /// The attributes of what was open, and whether nothing of them is missing; its flags go into the metadata.
    pub(super) fn attributes_of(
        &mut self,
        path: &[u8],
        flags: Result<u32>,
        read: (Attributes, Option<Error>),
        metadata: &mut Metadata,
    ) -> (Attributes, bool) {
        let has_flags = flags.is_ok();
        match flags {
            Ok(flags) => metadata.flags = flags,
            Err(error) => self.problem(error.path(self.on_disk(path))),
        }
        let (attributes, is_whole) = self.attributes_or_problem(path, read);
        (attributes, is_whole && has_flags)
    }
}

/// Where the record of something stands that takes the place of `before`.
pub(super) fn place(path: &[u8], before: Option<&SnapshotRecord>) -> Position {
    let closes = before.is_some_and(|before| before.metadata.kind == EntryKind::Directory);
    Position { path: path.to_vec(), closes }
}

/// Whether one can become the other without being made anew.
fn is_same_thing(before: &Metadata, now: &Metadata) -> bool {
    before.kind == now.kind && before.target == now.target && before.device == now.device
}
