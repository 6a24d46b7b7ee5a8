//! A level on its way into the stage: content made and verified, and a journal of what to do with it.

use std::collections::BTreeSet;
use std::io::Read;

use super::dress::is_locked;
use super::leaders::Leaders;
use super::mapping::Mapping;
use super::{Confined, JournalWriter, Policy, RestoreOptions, RestoreSummary, Stage, StageId};
use crate::memory::zeroed;
use crate::observer::Progress;
use crate::patch::PatchReader;
use crate::tree::archive::{Intake, peek_header};
use crate::tree::level_id::LevelHeader;
use crate::tree::libarchive::Owners;
use crate::tree::metadata::{EntryKind, Metadata};
use crate::tree::path::{self, Position};
use crate::tree::path_set::PathSet;
use crate::tree::record::{Action, Record};
use crate::{Error, ErrorDetail, ErrorKind, Identity, PatchOptions, Result};

/// Content moved at once.
pub(super) const BUFFER_LEN: usize = 256 * 1024;

/// Where staged things go; `None` in a dry run.
pub(super) struct Ground {
    pub(super) stage: Stage,
    pub(super) journal: JournalWriter,
    /// Directories that lead to what is selected and stay as they are.
    pub(super) left: BTreeSet<Vec<u8>>,
}

/// A level that was taken in.
pub(super) struct Staged {
    /// What is to be published; `None` when nothing is.
    pub(super) ground: Option<Ground>,
    pub(super) summary: RestoreSummary,
    pub(super) progress: Progress,
    pub(super) unmet: Vec<Unmet>,
    /// Whether anything is said of the destination itself.
    pub(super) has_root: bool,
}

/// A selected path at which the level puts nothing.
pub(super) struct Unmet {
    pub(super) path: Vec<u8>,
    /// Whether it deletes what the one before had there.
    pub(super) is_deleted: bool,
}

/// Prepares the ground once the header of the archive is known, or says that the level is there already.
pub(super) type Prepare<'a> = &'a mut dyn FnMut(&LevelHeader) -> Result<Prepared>;

pub(super) enum Prepared {
    Ground(Box<Ground>),
    /// Nothing is to be changed: it is read and verified. What would stay is [`Ground::left`].
    DryRun(BTreeSet<Vec<u8>>),
    /// The destination stands at this level: it is read, and nothing else.
    AlreadyThere,
}

/// Takes in an archive.
pub(super) struct Incoming<'a> {
    pub(super) destination: &'a Confined,
    pub(super) options: &'a RestoreOptions,
    prepare: Prepare<'a>,
    pub(super) mapping: Mapping,
    /// Which of the selected paths were met.
    met: Vec<bool>,
    /// Which of them the level deletes.
    deleted: Vec<bool>,
    /// See [`Ground::left`].
    pub(super) left: BTreeSet<Vec<u8>>,
    /// Entries that need one that is not selected.
    pub(super) left_out: PathSet,
    pub(super) leaders: Leaders,
    pub(super) policy: Policy,
    pub(super) owners: Owners,
    pub(super) leaf_len: u32,
    prepared: Option<Prepared>,
    pub(super) summary: Option<RestoreSummary>,
    pub(super) progress: Progress,
    /// Bytes of content so far.
    pub(super) spent: u64,
    pub(super) buffer: Vec<u8>,
    /// Directories that lead to where everything is put, made along the way, the outermost first.
    above: Vec<Vec<u8>>,
    /// Whether they were.
    is_led: bool,
    /// See [`Staged::has_root`].
    has_root: bool,
    /// Where the last record went.
    last: Option<Position>,
}

impl<'a> Incoming<'a> {
    pub(super) fn new(
        destination: &'a Confined,
        options: &'a RestoreOptions,
        policy: Policy,
        prepare: Prepare<'a>,
    ) -> Result<Self> {
        let mapping = Mapping::new(options);
        Ok(Self {
            destination,
            options,
            prepare,
            met: vec![false; mapping.paths().len()],
            deleted: vec![false; mapping.paths().len()],
            left: BTreeSet::new(),
            left_out: PathSet::default(),
            leaders: Leaders::default(),
            mapping,
            policy,
            owners: Owners::new()?,
            leaf_len: 0,
            prepared: None,
            summary: None,
            progress: Progress::default(),
            spent: 0,
            is_led: false,
            has_root: false,
            last: None,
            buffer: zeroed(BUFFER_LEN)?,
            above: Vec::new(),
        })
    }

    /// The archive has ended well: the level as it is to be published.
    pub(super) fn into_staged(mut self) -> Result<Staged> {
        while let Some(directory) = self.above.pop() {
            let metadata = Some(plain_directory());
            let closing = Record::new(Position::closing(directory), Action::Metadata);
            self.journal(None, None, &Record { metadata, ..closing })?;
        }
        let summary = self.summary.take().ok_or_else(|| Error::new(ErrorKind::Internal, "restore without a header"))?;
        // The last chance to stop.
        self.options.watch.step(self.progress)?;
        let ground = match self.prepared {
            Some(Prepared::Ground(ground)) => Some(Ground { left: self.left, ..*ground }),
            _ => None,
        };
        let unmet = self.mapping.paths().iter().zip(self.deleted).zip(self.met).filter(|(_, met)| !met);
        let unmet = unmet.map(|((path, is_deleted), _)| Unmet { path: path.clone(), is_deleted }).collect();
        Ok(Staged { ground, summary, progress: self.progress, unmet, has_root: self.has_root })
    }

    /// Notes that there is something at or below the selected paths that an entry belongs to.
    pub(super) fn meet(&mut self, path: &[u8]) {
        self.mapping.selecting(path).for_each(|number| self.met[number] = true);
    }

    /// Notes that there is nothing any more at a selected path.
    pub(super) fn miss(&mut self, path: &[u8]) {
        let paths = self.mapping.paths().iter();
        paths.zip(&mut self.deleted).for_each(|(selected, deleted)| *deleted |= selected == path);
    }

    fn is_already_there(&self) -> bool {
        matches!(self.prepared, Some(Prepared::AlreadyThere))
    }

    pub(super) fn moved(&mut self, bytes: usize) -> Result<()> {
        self.progress.done_bytes += bytes as u64;
        self.options.watch.step(self.progress)
    }

    pub(super) fn stage(&mut self) -> Option<&mut Stage> {
        match &mut self.prepared {
            Some(Prepared::Ground(ground)) => Some(&mut ground.stage),
            _ => None,
        }
    }

    /// Has a record carried out when the level is published. What has content is counted here, and not where that
    /// is staged: much that is staged is discarded.
    pub(super) fn append(&mut self, item: Option<StageId>, record: &Record) -> Result<()> {
        let is_locked = record.metadata.as_ref().is_some_and(is_locked);
        let inode = match (item, self.stage()) {
            (Some(item), Some(stage)) if is_locked => Some(stage.inode(item)?),
            _ => None,
        };
        self.come_to(record)?;
        if let Some(identity) = record.identity {
            self.count(|summary| {
                summary.files += 1;
                summary.output_bytes += identity.length();
            });
        }
        self.journal(item, inode, record)
    }

    /// As [`Incoming::append`], of metadata that is changed in place.
    pub(super) fn append_in_place(&mut self, inode: (u64, u64), record: &Record) -> Result<()> {
        self.come_to(record)?;
        self.journal(None, Some(inode), record)
    }

    fn come_to(&mut self, record: &Record) -> Result<()> {
        self.lead(&record.position)?;
        if self.last.as_ref().is_some_and(|last| *last >= record.position) {
            let what = "with names left out, what is restored must come from one directory";
            return Err(Error::new(ErrorKind::InvalidInput, what).path(self.destination.display(&record.position.path)));
        }
        self.has_root |= record.position.path.is_empty();
        self.last = Some(record.position.clone());
        self.count(|summary| {
            summary.entries += 1;
            summary.deleted += u64::from(record.action == Action::Delete);
        });
        Ok(())
    }

    fn journal(&mut self, item: Option<StageId>, inode: Option<(u64, u64)>, record: &Record) -> Result<()> {
        match &mut self.prepared {
            Some(Prepared::Ground(ground)) => ground.journal.append(item, inode, record),
            _ => Ok(()),
        }
    }

    pub(super) fn count(&mut self, count: impl FnOnce(&mut RestoreSummary)) {
        if let Some(summary) = &mut self.summary {
            count(summary);
        }
    }

    /// Makes the directories that lead to where everything is put part of the level, before its first record;
    /// the last of them too, unless that record makes it.
    fn lead(&mut self, first: &Position) -> Result<()> {
        if std::mem::replace(&mut self.is_led, true) || self.options.prefix.is_empty() {
            return Ok(());
        }
        let prefix = self.options.prefix.clone();
        let slashes = prefix.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(at, _)| at);
        let ends = slashes.chain((first.path != prefix).then_some(prefix.len()));
        for end in ends {
            let directory = prefix[..end].to_vec();
            if self.destination.stat(&directory)?.is_none() {
                let metadata = Some(plain_directory());
                let record = Record { metadata, ..Record::new(Position::opening(directory.clone()), Action::Full) };
                self.journal(None, None, &record)?;
                self.above.push(directory);
            }
        }
        Ok(())
    }
}

/// What leads to a prefix is any directory.
fn plain_directory() -> Metadata {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Metadata {
        kind: EntryKind::Directory,
        mode: 0o755,
        uid: rustix::process::geteuid().as_raw(),
        gid: rustix::process::getegid().as_raw(),
        user: Vec::new(),
        group: Vec::new(),
        size: 0,
        modified: crate::Moment { seconds: now.as_secs() as i64, nanoseconds: now.subsec_nanos() },
        flags: 0,
        device: (0, 0),
        target: Vec::new(),
    }
}

impl Intake for Incoming<'_> {
    type Made = Option<StageId>;

    fn begin(&mut self, header: &LevelHeader) -> Result<()> {
        self.leaf_len = header.block_len;
        self.summary = Some(RestoreSummary::new(*header));
        let mut prepared = (self.prepare)(header)?;
        self.left = match &mut prepared {
            Prepared::Ground(ground) => std::mem::take(&mut ground.left),
            Prepared::DryRun(left) => std::mem::take(left),
            Prepared::AlreadyThere => BTreeSet::new(),
        };
        self.prepared = Some(prepared);
        let already_there = self.is_already_there();
        self.count(|summary| summary.already_there = already_there);
        Ok(())
    }

    fn file(&mut self, path: &[u8], size: u64, body: &mut dyn Read) -> Result<(Self::Made, Identity)> {
        if self.is_already_there() || self.mapping.place_selected(path).is_none() {
            // What is not restored is within no limit.
            return Ok((None, self.identify(body)?));
        }
        let limit = self.options.max_file_len;
        if size > limit {
            return Err(Error::new(ErrorKind::Limit, "a file is longer than is allowed")
                .detailed(ErrorDetail::FileTooLong)
                .path(path::to_os(path))
                .expected(format_args!("at most {limit} bytes"), size));
        }
        self.staged(|this, to| this.copy(body, to, limit))
    }

    fn delta(&mut self, path: &[u8], delta: &mut dyn Read) -> Result<(Self::Made, Identity)> {
        let (header, delta) = peek_header(delta)?;
        let basis_path = header.basis_path.as_deref().unwrap_or(path);
        path::check(basis_path)?;
        let place = self.mapping.place_selected(path);
        let place = place.filter(|_| self.mapping.place_selected(basis_path).is_some());
        let Some(place) = place.filter(|_| !self.is_already_there()) else {
            let inspection = crate::inspect(delta)?;
            return match (inspection.damage, inspection.identity) {
                (None, Some(identity)) => Ok((None, identity)),
                (Some(damage), _) => Err(damage.of_entry(path::to_os(path))),
                (None, None) => Err(Error::new(ErrorKind::Corrupt, "delta of an archive is not sealed")),
            };
        };
        let basis = self.basis(basis_path, &place)?;
        let options = PatchOptions::new().max_output(self.options.max_file_len).threads(self.options.threads);
        let mut patch = PatchReader::verifying_after(delta, basis, options)?;
        let (item, _) = self
            .staged(|this, to| this.pour(&mut patch, to, |_| Ok(())))
            .map_err(|error| error.of_entry(path::to_os(path)))?;
        let identity =
            patch.finish()?.identity.ok_or_else(|| Error::new(ErrorKind::Internal, "sealed delta without identity"))?;
        Ok((item, identity))
    }

    fn record(&mut self, record: Record, made: Option<Self::Made>) -> Result<()> {
        self.progress.entries += 1;
        if self.is_already_there() {
            return Ok(());
        }
        self.take(record, made.flatten())
    }

    fn discard(&mut self, made: Self::Made) -> Result<()> {
        match (made, self.stage()) {
            (Some(item), Some(stage)) => stage.discard(item),
            _ => Ok(()),
        }
    }

    fn problem(&mut self, problem: Error) {
        self.count(|summary| summary.problems += 1);
        self.options.watch.problem(&problem);
    }

    fn passes_over(&self, error: &Error) -> bool {
        self.options.accept_partial && error.kind() == ErrorKind::WrongBasis
    }
}
