//! Directories: opened before what is in them, closed after it.

use super::Reason;
use super::machine::{Machine, Unfinished};
use super::reason::{is_racy, reason};
use crate::Result;
use crate::tree::archive::full_name;
use crate::tree::attributes;
use crate::tree::libarchive::TarEntry;
use crate::tree::metadata::{Attributes, EntryKind, Metadata, Moment};
use crate::tree::path::Position;
use crate::tree::record::{Action, Parent, Record};
use crate::tree::snapshot::{Mark, SnapshotRecord};
use crate::tree::stat::Stat;

/// A directory that the walk is in.
pub(super) struct Directory {
    path: Vec<u8>,
    metadata: Metadata,
    attributes: Attributes,
    parent: Option<Parent>,
    /// Why it closes with a record, if it does: itself or something in it changed. A restore changes its
    /// times when it puts something into it.
    closing: Option<Reason>,
    /// Whether what is in it could not all be listed.
    pub(super) is_incomplete: bool,
}

impl Directory {
    pub(super) fn is_at(&self, path: &[u8]) -> bool {
        self.path == path
    }

    /// Something directly in it changed.
    pub(super) fn touch(&mut self) {
        self.closing.get_or_insert(Reason::Content);
    }
}

impl Machine {
    pub(super) fn directory(&mut self, path: Vec<u8>, stat: &Stat, before: Option<SnapshotRecord>) -> Result<()> {
        let read = Moment::now();
        let mut metadata = self.metadata(stat)?;
        let opened = self.walk.opened().map(|directory| (attributes::flags(directory), attributes::of_file(directory)));
        let attributes = match (opened, &before) {
            // A directory is looked at anew at every level, so nothing has to remind of what is missing.
            (Some((flags, read)), _) => self.attributes_of(&path, flags, read, &mut metadata).0,
            // On another file system it is as it looks from here, and empty.
            (None, _) if self.walk.is_passed() => Attributes::new(),
            // The walk says so when it comes to what is in it.
            (None, Some(before)) if before.metadata.kind == EntryKind::Directory => {
                return self.unknown_directory(path, before.clone());
            }
            (None, _) => Attributes::new(),
        };
        let record = SnapshotRecord {
            path: path.clone(),
            evidence: stat.evidence(),
            attributes: attributes::digest(&attributes),
            identity: None,
            link: None,
            mark: Mark { racy: is_racy(stat, read), ..Mark::default() },
            metadata: metadata.clone(),
        };
        let before_directory = before.as_ref().filter(|before| before.metadata.kind == EntryKind::Directory);
        let mut closing = None;
        match before_directory {
            None => {
                let name = full_name(&path);
                let entry =
                    TarEntry { path: &name, metadata: &metadata, attributes: &attributes, hardlink: None, data: None };
                self.outlet.begin(&entry)?;
                self.outlet.end()?;
                let why = if before.is_some() { Reason::Kind } else { Reason::New };
                let full = Record {
                    metadata: Some(metadata.clone()),
                    attributes: attributes.clone(),
                    parent: before.as_ref().map(SnapshotRecord::as_parent),
                    ..Record::new(Position::opening(path.clone()), Action::Full)
                };
                self.emit(&full, why, 0)?;
                closing = Some(why);
            }
            Some(before) if before.metadata != metadata || before.attributes != record.attributes => {
                closing = Some(reason(Some(before), stat, &self.options).unwrap_or(Reason::Changed));
            }
            Some(_) => {}
        }
        self.remember(&record, std::io::empty())?;
        let parent = before_directory.map(SnapshotRecord::as_parent);
        self.directories.push(Directory { path, metadata, attributes, parent, closing, is_incomplete: false });
        Ok(())
    }

    /// A directory that cannot be opened is kept as the level before knew it.
    fn unknown_directory(&mut self, path: Vec<u8>, before: SnapshotRecord) -> Result<()> {
        self.directories.push(Directory {
            path,
            metadata: before.metadata.clone(),
            attributes: Attributes::new(),
            parent: Some(before.as_parent()),
            closing: None,
            is_incomplete: true,
        });
        self.keep_stale(before)
    }

    /// The walk leaves a directory.
    pub(super) fn leave(&mut self) -> Result<()> {
        let path = self.walk.path().to_vec();
        let listing = self.listing();
        if !self.delete_below(&path, listing)? {
            self.unfinished = Some(Unfinished::Leave);
            return Ok(());
        }
        let Some(directory) = self.directories.pop_if(|directory| directory.path == path) else { return Ok(()) };
        let Some(why) = directory.closing else { return Ok(()) };
        let record = Record {
            metadata: Some(directory.metadata),
            attributes: directory.attributes,
            parent: directory.parent,
            ..Record::new(Position::closing(path), Action::Metadata)
        };
        self.emit(&record, why, 0)
    }
}
