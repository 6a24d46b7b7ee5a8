//! A level on its way into the stage: content made and verified, and a journal of what to do with it.

use std::fs::File;
use std::io::{self, Read, Write};

use super::mapping::Mapping;
use super::{Confined, JournalWriter, Policy, RestoreOptions, RestoreSummary, SparseFile, Stage, StageId};
use crate::engine::native::IdentityBuilder;
use crate::observer::Progress;
use crate::patch::PatchReader;
use crate::tree::archive::{Intake, peek_header};
use crate::tree::level_id::LevelHeader;
use crate::tree::libarchive::Owners;
use crate::tree::metadata::{EntryKind, Metadata};
use crate::tree::path::{self, Position};
use crate::tree::record::{Action, Record};
use crate::{Error, ErrorKind, Identity, PatchOptions, Result};

/// Content moved at once.
const BUFFER_LEN: usize = 256 * 1024;

/// Where staged things go; `None` in a dry run.
pub(super) struct Ground {
    pub(super) stage: Stage,
    pub(super) journal: JournalWriter,
}

/// Prepares the ground once the header of the archive is known, or says that the level is there already.
pub(super) type Prepare<'a> = &'a mut dyn FnMut(&LevelHeader) -> Result<Prepared>;

pub(super) enum Prepared {
    Ground(Box<Ground>),
    /// Nothing is to be changed: it is read and verified.
    DryRun,
    /// The destination stands at this level: it is read, and nothing else.
    AlreadyThere,
}

/// Takes in an archive.
pub(super) struct Incoming<'a> {
    pub(super) destination: &'a Confined,
    pub(super) options: &'a RestoreOptions,
    prepare: Prepare<'a>,
    pub(super) mapping: Mapping,
    pub(super) policy: Policy,
    pub(super) owners: Owners,
    leaf_len: u32,
    is_level_0: bool,
    prepared: Option<Prepared>,
    pub(super) summary: Option<RestoreSummary>,
    progress: Progress,
    buffer: Vec<u8>,
    /// Directories that lead to where everything is put, made along the way, the outermost first.
    above: Vec<Vec<u8>>,
}

impl<'a> Incoming<'a> {
    pub(super) fn new(
        destination: &'a Confined,
        options: &'a RestoreOptions,
        policy: Policy,
        prepare: Prepare<'a>,
    ) -> Result<Self> {
        Ok(Self {
            destination,
            options,
            prepare,
            mapping: Mapping::new(options),
            policy,
            owners: Owners::new()?,
            leaf_len: 0,
            is_level_0: false,
            prepared: None,
            summary: None,
            progress: Progress::default(),
            buffer: vec![0; BUFFER_LEN],
            above: Vec::new(),
        })
    }

    /// The archive has ended well: the ground as it is to be published.
    pub(super) fn into_ground(mut self) -> Result<(Option<Ground>, RestoreSummary)> {
        while let Some(directory) = self.above.pop() {
            let metadata = Some(plain_directory());
            self.append(None, &Record { metadata, ..Record::new(Position::closing(directory), Action::Metadata) })?;
        }
        let summary = self.summary.take().ok_or_else(|| Error::new(ErrorKind::Internal, "restore without a header"))?;
        Ok(match self.prepared {
            Some(Prepared::Ground(ground)) => (Some(*ground), summary),
            _ => (None, summary),
        })
    }

    fn is_already_there(&self) -> bool {
        matches!(self.prepared, Some(Prepared::AlreadyThere))
    }

    fn moved(&mut self, bytes: usize) -> Result<()> {
        self.progress.done_bytes += bytes as u64;
        self.options.watch.step(self.progress)
    }

    pub(super) fn stage(&mut self) -> Option<&mut Stage> {
        match &mut self.prepared {
            Some(Prepared::Ground(ground)) => Some(&mut ground.stage),
            _ => None,
        }
    }

    pub(super) fn append(&mut self, item: Option<StageId>, record: &Record) -> Result<()> {
        match &mut self.prepared {
            Some(Prepared::Ground(ground)) => ground.journal.append(item, record),
            _ => Ok(()),
        }
    }

    /// Copies all that a reader has into a staged file, and gives its identity.
    fn copy(&mut self, from: &mut dyn Read, to: Option<&mut SparseFile>, limit: u64) -> Result<Identity> {
        let mut identity = IdentityBuilder::new(self.leaf_len, 1);
        self.pour(from, to, |content| {
            identity.update(content);
            if identity.length() <= limit {
                return Ok(());
            }
            Err(Error::new(ErrorKind::Limit, "a file is longer than is allowed")
                .expected(format_args!("at most {limit} bytes"), "more"))
        })?;
        Ok(identity.finish())
    }

    /// Copies all that a reader has into a staged file, a piece at a time past `check`.
    fn pour(
        &mut self,
        from: &mut dyn Read,
        mut to: Option<&mut SparseFile>,
        mut check: impl FnMut(&[u8]) -> Result<()>,
    ) -> Result<()> {
        let mut buffer = std::mem::take(&mut self.buffer);
        let result = loop {
            let len = match from.read(&mut buffer) {
                Ok(0) => break Ok(()),
                Ok(len) => len,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => break Err(Error::from(error)),
            };
            let content = &buffer[..len];
            let written = check(content).and_then(|()| match &mut to {
                Some(to) => to.write_all(content).map_err(|error| Error::io("writing", error)),
                None => Ok(()),
            });
            if let Err(error) = written.and_then(|()| self.moved(len)) {
                break Err(error);
            }
        };
        self.buffer = buffer;
        result
    }

    /// Fills a staged file by `fill`, and removes it again if that fails.
    fn staged<T>(
        &mut self,
        path: &[u8],
        fill: impl FnOnce(&mut Self, Option<&mut SparseFile>) -> Result<T>,
    ) -> Result<(Option<StageId>, T)> {
        match self.mapping.place(path) {
            Some(_) => self.staged_at(fill),
            None => Ok((None, fill(self, None)?)),
        }
    }

    pub(super) fn count(&mut self, count: impl FnOnce(&mut RestoreSummary)) {
        if let Some(summary) = &mut self.summary {
            count(summary);
        }
    }

    /// The file of the parent level at a path of the archive.
    fn basis(&self, path: &[u8]) -> Result<File> {
        let place = self.mapping.place(path).ok_or_else(|| {
            let what = "is made from a file that is not selected";
            Error::new(ErrorKind::WrongBasis, what).expected(format_args!("{}", path::to_os(path).display()), "nothing")
        })?;
        match self.destination.stat(&place)? {
            Some(_) => self.destination.open_file(&place),
            None => Err(Error::new(ErrorKind::WrongBasis, "the file that it is made from is missing")
                .doing("opening")
                .path(self.destination.display(&place))),
        }
    }

    /// Makes the directories that lead to the prefix part of the level, once; the prefix itself too where no
    /// entry is put there, since the names that would be are left out.
    fn lead_to_prefix(&mut self) -> Result<()> {
        let prefix = self.options.prefix.clone();
        let slashes = (0..prefix.len()).filter(|&at| prefix[at] == b'/');
        let itself = (self.options.strip > 0 && !prefix.is_empty()).then_some(prefix.len());
        for end in slashes.chain(itself) {
            let directory = prefix[..end].to_vec();
            if self.destination.stat(&directory)?.is_none() {
                let metadata = Some(plain_directory());
                let record = Record { metadata, ..Record::new(Position::opening(directory.clone()), Action::Full) };
                self.append(None, &record)?;
                self.above.push(directory);
            }
        }
        Ok(())
    }

    pub(super) fn make_copy(&mut self, basis: &[u8], record: &Record) -> Result<Option<StageId>> {
        let file = self.basis(basis)?;
        self.copy_of(file, record.identity, &record.position.path)
    }

    pub(super) fn copy_of_place(&mut self, place: &[u8], identity: Option<Identity>) -> Result<Option<StageId>> {
        let file = self.destination.open_file(place)?;
        self.copy_of(file, identity, place)
    }

    /// A staged copy of a file of the parent level, which has to have this identity.
    fn copy_of(&mut self, file: File, expected: Option<Identity>, place: &[u8]) -> Result<Option<StageId>> {
        let mut from = file;
        let limit = expected.map_or(self.options.max_file_len, |identity| identity.length());
        let staged = self.staged_at(|this, to| this.copy(&mut from, to, limit));
        let (item, found) = staged.map_err(|error| match error.kind() {
            ErrorKind::Limit => wrong(expected, "more").path(self.destination.display(place)),
            _ => error.path(self.destination.display(place)),
        })?;
        if expected.is_some_and(|expected| expected != found) {
            self.discard(item)?;
            return Err(wrong(expected, found.fingerprint()).path(self.destination.display(place)));
        }
        self.count(|summary| summary.output_bytes += found.length());
        Ok(item)
    }

    /// As [`Incoming::staged`], for what was found to be selected.
    fn staged_at<T>(
        &mut self,
        fill: impl FnOnce(&mut Self, Option<&mut SparseFile>) -> Result<T>,
    ) -> Result<(Option<StageId>, T)> {
        let created = match self.stage() {
            Some(stage) => Some(stage.create_file()?),
            None => None,
        };
        let Some((id, file)) = created else { return Ok((None, fill(self, None)?)) };
        let mut file = SparseFile::new(file);
        let filled = fill(self, Some(&mut file));
        let finished = filled.and_then(|filled| {
            file.finish().map_err(|error| Error::io("writing", error))?;
            Ok(filled)
        });
        match finished {
            Ok(filled) => {
                self.count(|summary| summary.files += 1);
                Ok((Some(id), filled))
            }
            Err(error) => {
                self.stage().map_or(Ok(()), |stage| stage.discard(id))?;
                Err(error)
            }
        }
    }
}

fn wrong(expected: Option<Identity>, found: impl std::fmt::Display) -> Error {
    let error = Error::new(ErrorKind::WrongBasis, "the file that it is made from is another").doing("restoring");
    match expected {
        Some(expected) => error.expected(expected.fingerprint(), found),
        None => error,
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
        self.is_level_0 = header.parent.is_none();
        self.summary = Some(RestoreSummary::new(*header));
        let prepared = (self.prepare)(header)?;
        self.prepared = Some(prepared);
        let already_there = self.is_already_there();
        self.count(|summary| summary.already_there = already_there);
        self.lead_to_prefix()
    }

    fn file(&mut self, path: &[u8], size: u64, body: &mut dyn Read) -> Result<(Self::Made, Identity)> {
        let limit = self.options.max_file_len;
        if size > limit {
            return Err(Error::new(ErrorKind::Limit, "a file is longer than is allowed")
                .path(path::to_os(path))
                .expected(format_args!("at most {limit} bytes"), size));
        }
        let (item, identity) = self.staged(path, |this, to| this.copy(body, to, limit))?;
        self.count(|summary| summary.output_bytes += if item.is_some() { identity.length() } else { 0 });
        Ok((item, identity))
    }

    fn delta(&mut self, path: &[u8], delta: &mut dyn Read) -> Result<(Self::Made, Identity)> {
        let (header, delta) = peek_header(delta)?;
        if self.is_already_there() || self.mapping.place(path).is_none() {
            let inspection = crate::inspect(delta)?;
            return match (inspection.damage, inspection.identity) {
                (None, Some(identity)) => Ok((None, identity)),
                (Some(damage), _) => Err(damage.path(path::to_os(path))),
                (None, None) => Err(Error::new(ErrorKind::Corrupt, "delta of an archive is not sealed")),
            };
        }
        let basis_path = header.basis_path.as_deref().unwrap_or(path);
        path::check(basis_path)?;
        let basis = self.basis(basis_path)?;
        let options = PatchOptions::new().max_output(self.options.max_file_len).threads(self.options.threads);
        let mut patch = PatchReader::verifying_after(delta, basis, options)?;
        let (item, _) = self
            .staged(path, |this, to| this.pour(&mut patch, to, |_| Ok(())))
            .map_err(|error| error.path(path::to_os(path)))?;
        let identity =
            patch.finish()?.identity.ok_or_else(|| Error::new(ErrorKind::Internal, "sealed delta without identity"))?;
        self.count(|summary| summary.output_bytes += if item.is_some() { identity.length() } else { 0 });
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
}
