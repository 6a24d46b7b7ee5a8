//! What a record does to its place: checked against what is there, and staged as far as it can be.

use super::dress::dress_new;
use super::incoming::Incoming;
use super::private::check_outside;
use super::{StageId, SyncMode, inode_of, leading};
use crate::tree::archive::Intake;
use crate::tree::list::ArchiveEntry;
use crate::tree::metadata::{EntryKind, Metadata};
use crate::tree::path;
use crate::tree::record::{Action, Parent, Record};
use crate::{Error, ErrorKind, Fingerprint, Result};

/// What was staged for a record.
enum Made {
    /// Something, or nothing where there is nothing to be staged.
    Item(Option<StageId>),
    /// Nothing: the entry of this file system and inode is changed in place.
    InPlace((u64, u64)),
    Refused,
}

impl Incoming<'_> {
    /// Resolves the owner and stages what the record needs beside what was made of its content.
    pub(super) fn take(&mut self, mut record: Record, made: Option<StageId>) -> Result<()> {
        let Some(place) = self.mapping.place(&record.position.path) else {
            self.lead_with(&record);
            return self.discard(made);
        };
        if place.is_empty() && record.action == Action::Delete {
            // The destination itself stays, whatever was restored into it.
            return self.discard(made);
        }
        if record.action == Action::Void {
            return self.discard(made);
        }
        if self.mapping.leads(&record.position.path) {
            match leading::part(record) {
                Some(part) => record = part,
                None => return self.discard(made),
            }
        }
        match record.action {
            Action::Delete => self.miss(&record.position.path),
            _ => self.meet(&record.position.path),
        }
        if let Err(error) = check_outside(&place) {
            self.discard(made)?;
            return Err(error);
        }
        if self.leave(&place, &record, made)? {
            return Ok(());
        }
        if let Err(error) = self.check_parent(&place, &record) {
            self.discard(made)?;
            return Err(error);
        }
        record = self.stand_in(record);
        if self.needs_what_is_not_selected(&record, made) {
            return self.leave_out(&place, record, made);
        }
        let basis = record.basis_path().to_vec();
        record.basis = record.basis.and_then(|basis| self.mapping.place_selected(&basis));
        record.position.path = place;
        if let Some(metadata) = &mut record.metadata {
            self.give_owner(metadata);
        }
        let item = match record.action {
            Action::Full | Action::Delta if made.is_some() => made,
            Action::Full | Action::Metadata => match self.make(&record)? {
                Made::Item(item) => item,
                Made::InPlace(inode) => {
                    self.options.watch.restoring(|| ArchiveEntry::of(record.clone()));
                    self.tell_left_out(&record);
                    return self.append_in_place(inode, &record);
                }
                Made::Refused => return self.refuse(record),
            },
            Action::Copy => self.make_copy(&basis, &record)?,
            Action::Link => {
                check_outside(record.basis_path())?;
                None
            }
            _ => None,
        };
        self.options.watch.restoring(|| ArchiveEntry::of(record.clone()));
        if record.action != Action::Link {
            record.basis = None;
        }
        self.tell_left_out(&record);
        self.dress(item, &record)?;
        self.append(item, &record)
    }

    /// Whether an entry is made from another that is not restored with it.
    fn needs_what_is_not_selected(&mut self, record: &Record, made: Option<StageId>) -> bool {
        let basis = record.basis_path();
        let is_selected = self.mapping.place_selected(basis).is_some();
        match record.action {
            Action::Link => self.lacks_leader(basis),
            Action::Copy => !is_selected,
            // What its delta says itself counts too.
            Action::Delta => !is_selected || made.is_none() && self.stage().is_some(),
            _ => false,
        }
    }

    /// Reports an entry that cannot be made of what is selected; what is in its place stays.
    fn leave_out(&mut self, place: &[u8], record: Record, made: Option<StageId>) -> Result<()> {
        self.discard(made)?;
        let what = match record.action {
            Action::Link => "is one more name of a file that is not selected, and left out",
            _ => "is made from a file that is not selected, and left out",
        };
        let basis = path::to_os(record.basis_path());
        let problem = Error::new(ErrorKind::WrongBasis, what)
            .doing("restoring")
            .path(self.destination.display(place))
            .expected(format_args!("{} to be selected too", basis.display()), "it left out");
        self.count(|summary| summary.whole = false);
        self.problem(problem);
        // Nothing is a further name of a further name.
        if record.action != Action::Link {
            self.lead_with(&record);
            if let Err(error) = self.left_out.insert(&record.position.path) {
                self.problem(error.path(self.destination.display(place)));
            }
        }
        Ok(())
    }

    /// What is not made here takes what was there with it, if anything was.
    fn refuse(&mut self, record: Record) -> Result<()> {
        let place = &record.position.path;
        if record.action != Action::Full || record.parent.is_none() || self.destination.stat(place)?.is_none() {
            return Ok(());
        }
        let deletion = Record { parent: record.parent, ..Record::new(record.position, Action::Delete) };
        self.options.watch.restoring(|| ArchiveEntry::of(deletion.clone()));
        self.append(None, &deletion)
    }

    /// Reports, in a dry run, what would be left out of an entry: a restore does when it has dressed it.
    fn tell_left_out(&mut self, record: &Record) {
        let Some(metadata) = record.metadata.as_ref().filter(|_| self.stage().is_none()) else { return };
        // A directory is dressed where it closes.
        if metadata.kind == EntryKind::Directory && !record.position.closes {
            return;
        }
        for problem in self.policy.left_out(metadata, &record.attributes) {
            self.problem(problem.path(self.destination.display(&record.position.path)));
        }
    }

    fn give_owner(&mut self, metadata: &mut Metadata) {
        let mapped = |map: &std::collections::HashMap<u32, u32>, number| map.get(&number).copied();
        let (uid, gid) = (mapped(&self.options.users, metadata.uid), mapped(&self.options.groups, metadata.gid));
        let by_name = !self.options.numeric_owner;
        metadata.uid = match uid {
            Some(uid) => uid,
            None if by_name => self.owners.uid(&metadata.user, metadata.uid),
            None => metadata.uid,
        };
        metadata.gid = match gid {
            Some(gid) => gid,
            None if by_name => self.owners.gid(&metadata.group, metadata.gid),
            None => metadata.gid,
        };
    }

    /// Stages what has no content in the archive; nothing for what is changed in its place.
    fn make(&mut self, record: &Record) -> Result<Made> {
        let Some(metadata) = &record.metadata else { return Ok(Made::Item(None)) };
        let place = &record.position.path;
        if metadata.kind == EntryKind::Directory {
            return Ok(Made::Item(None));
        }
        if record.action == Action::Metadata {
            match self.destination.stat(place)? {
                Some(found) if found.st_nlink == 1 => return Ok(Made::InPlace(inode_of(&found))),
                Some(_) => {}
                // A device that was not made has nothing to be changed.
                None => return Ok(Made::Refused),
            }
            if metadata.kind == EntryKind::File {
                // Another name of it, in the tree or not, must not change with it.
                return self.copy_of_place(&place.clone(), record.identity).map(Made::Item);
            }
        }
        if !self.policy.makes(metadata.kind) {
            let what = "devices are restored on request only";
            let refused = Error::new(ErrorKind::Unsupported, what).doing("restoring");
            self.problem(refused.path(self.destination.display(place)));
            return Ok(Made::Refused);
        }
        let Some(stage) = self.stage() else { return Ok(Made::Item(None)) };
        let made = match metadata.kind {
            EntryKind::Symlink => stage.make_symlink(&metadata.target),
            EntryKind::Fifo => stage.make_fifo(),
            EntryKind::CharDevice | EntryKind::BlockDevice => stage.make_device(metadata.kind, metadata.device),
            EntryKind::File | EntryKind::Directory => return Ok(Made::Item(None)),
        };
        match made {
            Ok(item) => Ok(Made::Item(Some(item))),
            Err(error) if metadata.kind.is_device() => {
                self.problem(error.path(self.destination.display(place)));
                Ok(Made::Refused)
            }
            Err(error) => Err(error),
        }
    }

    /// What is in the destination has to be what the parent level had there.
    fn check_parent(&mut self, place: &[u8], record: &Record) -> Result<()> {
        let found = self.destination.stat(place)?;
        let kind = found.as_ref().and_then(|found| EntryKind::of_mode(found.st_mode));
        let expected = match record.parent {
            // Where the root of the tree goes there is always something.
            None if place.is_empty() || self.options.overwrite || found.is_none() => return Ok(()),
            None if record.position.closes || self.is_above(place, kind) => return Ok(()),
            None => {
                return Err(Error::new(ErrorKind::Exists, "is there already, and was not to be replaced")
                    .doing("restoring")
                    .path(self.destination.display(place)));
            }
            // It was not made here, or could not be.
            Some(expected) if found.is_none() && expected.kind.is_device() => return Ok(()),
            // Nor has what was to go.
            Some(_) if found.is_none() && record.action == Action::Delete && self.options.accept_partial => {
                return Ok(());
            }
            Some(expected) => expected,
        };
        let size = found.as_ref().map_or(0, |found| found.st_size as u64);
        let fits = kind == Some(expected.kind) && (expected.kind != EntryKind::File || size == expected.size);
        if fits {
            return self.check_content(place, &expected);
        }
        let said = |kind: EntryKind, size: u64| match kind {
            EntryKind::File => format!("a file of {size} byte{}", if size == 1 { "" } else { "s" }),
            kind => format!("a {kind}"),
        };
        let found = match (found, kind) {
            (None, _) => "nothing".to_owned(),
            (Some(_), Some(kind)) => said(kind, size),
            (Some(_), None) => "something else".to_owned(),
        };
        Err(Error::new(ErrorKind::WrongBasis, "is not what the level before had there")
            .doing("restoring")
            .path(self.destination.display(place))
            .expected(said(expected.kind, expected.size), found))
    }

    /// Holds the content against that of the parent level, where that is wanted.
    fn check_content(&mut self, place: &[u8], expected: &Parent) -> Result<()> {
        let (true, Some(digest)) = (self.options.verify_parent, expected.digest) else { return Ok(()) };
        let identity = self.identify(&mut self.destination.open_file(place)?)?;
        if *identity.fingerprint().digest() == digest {
            return Ok(());
        }
        let wanted = Fingerprint { leaf_len: self.leaf_len, length: expected.size, digest };
        Err(Error::new(ErrorKind::WrongBasis, "has other content than the level before had there")
            .doing("restoring")
            .path(self.destination.display(place))
            .expected(wanted, identity.fingerprint()))
    }

    /// Whether a directory may be there before a level 0 is, since it leads to where that is put.
    fn is_above(&self, place: &[u8], kind: Option<EntryKind>) -> bool {
        let prefix = &self.options.prefix;
        kind == Some(EntryKind::Directory) && (place == prefix.as_slice() || path::is_below(prefix, place))
    }

    /// Gives a staged item its metadata, all but what forbids renaming.
    fn dress(&mut self, item: Option<StageId>, record: &Record) -> Result<()> {
        let (Some(item), Some(metadata)) = (item, &record.metadata) else { return Ok(()) };
        let (policy, flush) = (self.policy, self.options.sync == SyncMode::File);
        let Some(stage) = self.stage() else { return Ok(()) };
        let (directory, name) = stage.place(item)?;
        let problems = dress_new(directory, name.as_bytes(), metadata, &record.attributes, policy)?;
        if flush && metadata.kind == EntryKind::File {
            stage.open(item)?.sync_all().map_err(|error| Error::io("flushing", error))?;
        }
        for problem in problems {
            self.problem(problem.path(self.destination.display(&record.position.path)));
        }
        Ok(())
    }
}
