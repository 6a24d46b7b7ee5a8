//! Regular files: read once, and sent whole, as a delta, or not at all.

use std::fs::File;
use std::io;

use rustix::io::Errno;

use super::basis::Basis;
use super::machine::Machine;
use super::reason::{Reason, is_racy, reason};
use super::sending::{Content, Sending, SendingDelta, SendingFull, Sent};
use super::specials::place;
use super::spool::Sums;
use crate::tree::archive::{EntryName, full_name};
use crate::tree::attributes;
use crate::tree::libarchive::TarEntry;
use crate::tree::metadata::{Attributes, EntryKind, Metadata, Moment};
use crate::tree::record::{Action, Record};
use crate::tree::small_file::{OpenedFile, SmallFile, Whole};
use crate::tree::snapshot::{Mark, SnapshotRecord};
use crate::tree::stat::Stat;
use crate::{Error, ErrorKind, Identity, Result};

/// A file that is being read.
pub(super) struct Reading {
    path: Vec<u8>,
    stat: Stat,
    /// When reading began.
    since: Moment,
    metadata: Metadata,
    attributes: Attributes,
    /// Whether no attribute or flag is missing that could not be read.
    is_whole: bool,
    /// What the level before has at its path.
    before: Option<SnapshotRecord>,
    /// The path of the basis, where it is another.
    basis_path: Option<Vec<u8>>,
    reason: Reason,
}

/// A large file that is being read, over several steps.
pub(super) struct UnderWay {
    file: File,
    reading: Reading,
    sending: Sending,
    /// The sums of `before`, for when the file cannot be read on, where it is not the basis.
    fallback: Option<Basis>,
    /// It could not be read on: what was begun of it is filled up.
    is_void: bool,
}

impl UnderWay {
    /// How much of it was read.
    pub(super) fn position(&self) -> u64 {
        self.sending.position()
    }
}

impl Machine {
    pub(super) fn file(&mut self, path: Vec<u8>, stat: &Stat, before: Option<SnapshotRecord>) -> Result<()> {
        let Some(reason) = reason(before.as_ref(), stat, &self.options) else {
            return self.unchanged(stat, before);
        };
        if let Some(small) = self.walk.take_small() {
            return self.small(path, small, before, reason);
        }
        let (file, opened) = match OpenedFile::by(|| self.walk.open()) {
            Ok(opened) => opened,
            Err(error) if error.os_code() == Some(Errno::NOENT.raw_os_error()) => {
                let vanished = Error::new(ErrorKind::SourceChanged, "vanished while the tree was read");
                self.problem(vanished.doing("backing up").path(self.on_disk(&path)));
                return before.map_or(Ok(()), |before| self.delete(&before));
            }
            Err(error) => return self.unreadable_entry(&path, before, error),
        };
        if opened.stat.size > u64::from(self.header.block_len) {
            self.summary.files_read += 1;
            let reading = self.reading(path, opened, before, reason)?;
            return self.large(file, reading);
        }
        match SmallFile::read(&file, opened, self.header.block_len) {
            Ok(small) => self.small(path, small, before, reason),
            Err(error) => self.unreadable_entry(&path, before, error),
        }
    }

    fn reading(
        &mut self,
        path: Vec<u8>,
        opened: OpenedFile,
        before: Option<SnapshotRecord>,
        reason: Reason,
    ) -> Result<Reading> {
        let OpenedFile { stat, since, flags, attributes } = opened;
        let mut metadata = self.metadata(&stat)?;
        let (attributes, is_whole) = self.attributes_of(&path, flags, attributes, &mut metadata);
        Ok(Reading { path, stat, since, metadata, attributes, is_whole, before, basis_path: None, reason })
    }

    /// A file of at most one block has been read before anything is said of it.
    fn small(&mut self, path: Vec<u8>, small: SmallFile, before: Option<SnapshotRecord>, reason: Reason) -> Result<()> {
        let SmallFile { opened, whole, identity } = small;
        self.summary.files_read += 1;
        let mut reading = self.reading(path, opened, before, reason)?;
        let sent = self.send_small(&mut reading, &whole, identity)?;
        self.settle(reading, sent, &whole.after)
    }

    fn send_small(&mut self, reading: &mut Reading, whole: &Whole, identity: Identity) -> Result<Sent> {
        let (bytes, dirty) = (&whole.bytes, whole.is_resized);
        reading.metadata.size = bytes.len() as u64;
        let mut sent = Sent { content: Content::Same, identity, sums: Sums::default(), dirty, bytes: 0 };
        self.summary.source_bytes += bytes.len() as u64;
        if reading.before.as_ref().is_some_and(|before| before.identity == Some(identity)) {
            return Ok(sent);
        }
        if !bytes.is_empty() && self.is_another_inode(reading) {
            let found = self.find(reading.stat.inode)?;
            if let Some((record, _)) = found.into_iter().find(|(record, _)| record.identity == Some(identity)) {
                reading.basis_path = Some(record.path);
                return Ok(sent);
            }
        }
        let name = full_name(&reading.path);
        let (metadata, attributes) = (&reading.metadata, &reading.attributes);
        self.outlet.begin(&TarEntry { path: &name, metadata, attributes, hardlink: None, data: None })?;
        self.outlet.data(bytes)?;
        self.outlet.end()?;
        sent.content = Content::Full;
        sent.bytes = bytes.len() as u64;
        Ok(sent)
    }

    fn is_another_inode(&self, reading: &Reading) -> bool {
        reading
            .before
            .as_ref()
            .is_none_or(|before| before.metadata.kind != EntryKind::File || before.evidence.inode != reading.stat.inode)
    }

    fn find(&mut self, inode: u64) -> Result<Vec<(SnapshotRecord, u64)>> {
        self.previous.as_mut().map_or(Ok(Vec::new()), |previous| previous.find(inode))
    }

    /// A larger file is read piece by piece.
    fn large(&mut self, file: File, mut reading: Reading) -> Result<()> {
        let (limit, block_len) = (self.options.memory_limit, self.header.block_len);
        let has_sums = |record: &SnapshotRecord| {
            record.link.is_none()
                && record.metadata.kind == EntryKind::File
                && record.metadata.size > u64::from(block_len)
        };
        let candidate = self.candidate(&reading, reading.before.as_ref().is_some_and(has_sums))?;
        let own = match (&mut self.previous, reading.before.as_ref().filter(|before| has_sums(before))) {
            (Some(previous), Some(before)) => Some(previous.basis(before.clone(), limit)?),
            _ => None,
        };
        let (basis, fallback) = match (candidate, &mut self.previous) {
            (Some((record, sums_at)), Some(previous)) => {
                reading.basis_path = Some(record.path.clone()).filter(|path| *path != reading.path);
                (Some(previous.basis_found(record, sums_at, limit)?), own)
            }
            _ => (own, None),
        };
        let sent = file.try_clone().map_err(|error| Error::io("opening", error))?;
        let sending = match basis {
            Some(basis) => {
                let other = reading.basis_path.is_some();
                let stream_id = self.header.id.stream_id(&EntryName::Delta(&reading.path, 1).to_bytes());
                let delta = SendingDelta::begin(sent, reading.stat.size, basis, other, &self.options, stream_id)?;
                Sending::Delta(Box::new(delta))
            }
            None => {
                let name = full_name(&reading.path);
                let (metadata, attributes) = (&reading.metadata, &reading.attributes);
                let entry = TarEntry { path: &name, metadata, attributes, hardlink: None, data: None };
                let allocated = reading.stat.blocks.saturating_mul(512);
                let full = SendingFull::begin(sent, entry, allocated, &self.options, block_len, &mut self.outlet)?;
                Sending::Full(Box::new(full))
            }
        };
        self.under_way = Some(UnderWay { file, reading, sending, fallback, is_void: false });
        Ok(())
    }

    /// A file of the level before that is a better basis than what was at the path of this one: with sums to
    /// match against, and found by its inode. `has_own` says that what was at the path has sums too.
    fn candidate(&mut self, reading: &Reading, has_own: bool) -> Result<Option<(SnapshotRecord, u64)>> {
        let block_len = u64::from(self.header.block_len);
        let stat = &reading.stat;
        let leader = reading.before.as_ref().filter(|before| before.link.is_some()).map(|before| before.evidence.inode);
        let has_own = has_own || leader.is_some();
        if self.is_another_inode(reading) && !(has_own && self.options.ignore_inode) {
            // Most files are saved as a new one that takes the name, and file systems give inodes out again:
            // only what is as it was is a file that was renamed.
            let is_it = |metadata: &Metadata| metadata.size == stat.size && metadata.modified == stat.modified;
            let found = self.find(stat.inode)?;
            let mut found = found.into_iter().filter(|(record, _)| record.metadata.size > block_len);
            let best = match has_own {
                true => found.find(|(record, _)| is_it(&record.metadata)),
                false => found.max_by_key(|(record, _)| (is_it(&record.metadata), record.metadata.size == stat.size)),
            };
            if best.is_some() {
                return Ok(best);
            }
        }
        let Some(leader) = leader else { return Ok(None) };
        Ok(self.find(leader)?.into_iter().find(|(record, _)| record.metadata.size > block_len))
    }

    /// Reads and sends the next piece of the file that is under way.
    pub(super) fn send_on(&mut self) -> Result<()> {
        let Some(mut under_way) = self.under_way.take() else { return Ok(()) };
        if under_way.is_void {
            return match under_way.sending.fill_up(&mut self.outlet)? {
                true => self.abandon(under_way),
                false => {
                    self.under_way = Some(under_way);
                    Ok(())
                }
            };
        }
        match under_way.sending.step(&under_way.reading.path, &mut self.outlet) {
            Ok(None) => self.under_way = Some(under_way),
            Ok(Some(sent)) => {
                self.summary.source_bytes += sent.identity.length();
                let UnderWay { file, reading, .. } = under_way;
                let after = Stat::of(&file)
                    .map_err(|error| Error::io("looking at", error).path(self.on_disk(&reading.path)))?;
                self.settle(reading, sent, &after)?;
            }
            Err(error) if error.is_raised() => {
                self.problem(error.path(self.on_disk(&under_way.reading.path)));
                self.under_way = Some(UnderWay { is_void: true, ..under_way });
            }
            Err(error) => return Err(error.path(self.on_disk(&under_way.reading.path))),
        }
        Ok(())
    }

    /// The file cannot be read on: what was sent of it is void, and what the level before had stays.
    fn abandon(&mut self, under_way: UnderWay) -> Result<()> {
        let Reading { path, before, reason, .. } = under_way.reading;
        if under_way.sending.has_sent() {
            let parent = before.as_ref().map(SnapshotRecord::as_parent);
            let record = Record { parent, ..Record::new(place(&path, before.as_ref()), Action::Void) };
            self.emit(&record, reason, 0)?;
        }
        let own_basis = under_way.sending.into_basis().filter(|basis| basis.record.path == path);
        let (record, sums) = match (under_way.fallback.or(own_basis), before) {
            (Some(basis), _) => basis.into_sums()?,
            (None, Some(before)) => (before, Sums::default()),
            (None, None) => return Ok(()),
        };
        self.remember(&SnapshotRecord { mark: Mark { stale: true, ..record.mark }, ..record }, sums)
    }

    /// Says what became of a file that was read to its end.
    fn settle(&mut self, reading: Reading, sent: Sent, after: &Stat) -> Result<()> {
        let Reading { path, stat, since, mut metadata, attributes, is_whole, before, basis_path, reason } = reading;
        metadata.size = sent.identity.length();
        let moved = (stat.size, stat.modified, stat.changed) != (after.size, after.modified, after.changed);
        let dirty = sent.dirty || moved;
        if dirty {
            let changed = Error::new(ErrorKind::SourceChanged, "changed while it was read");
            self.problem(changed.doing("backing up").path(self.on_disk(&path)));
        }
        let record = SnapshotRecord {
            path,
            metadata,
            evidence: stat.evidence(),
            attributes: attributes::digest(&attributes),
            identity: Some(sent.identity),
            link: None,
            mark: Mark { dirty: dirty || !is_whole, racy: is_racy(&stat, since), stale: false },
        };
        let action = action(&record, before.as_ref(), sent.content, basis_path.is_some());
        match action {
            Some(action) => {
                let basis = basis_path.filter(|_| matches!(action, Action::Copy | Action::Delta));
                let said = Record {
                    metadata: Some(record.metadata.clone()),
                    attributes,
                    identity: Some(sent.identity),
                    dirty,
                    parent: before.as_ref().map(SnapshotRecord::as_parent),
                    basis,
                    ..Record::new(place(&record.path, before.as_ref()), action)
                };
                self.emit(&said, reason, sent.bytes)?;
            }
            None => self.tell(&record.path, None, reason, 0),
        }
        self.remember_file(&record, sent.sums)?;
        self.lead(&stat, &record, action)
    }

    fn remember_file(&mut self, record: &SnapshotRecord, sums: Sums) -> Result<()> {
        self.remember(record, io::BufReader::new(sums))
    }
}

/// How a file comes to be what it is now.
fn action(
    now: &SnapshotRecord,
    before: Option<&SnapshotRecord>,
    content: Content,
    from_another_path: bool,
) -> Option<Action> {
    match (content, before) {
        (Content::Full, _) => Some(Action::Full),
        (Content::Delta, _) => Some(Action::Delta),
        (Content::Same, None) => Some(Action::Copy),
        // A name that was another file's becomes a file of its own.
        (Content::Same, Some(before)) if from_another_path || before.link.is_some() => Some(Action::Copy),
        (Content::Same, Some(before)) => {
            let differs = before.metadata != now.metadata || before.attributes != now.attributes;
            differs.then_some(Action::Metadata)
        }
    }
}
