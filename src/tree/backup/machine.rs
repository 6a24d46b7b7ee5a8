//! The machine behind a backup: the walk and the old snapshot side by side, a step at a time.

use std::io::{self, Read, Write};
use std::path::PathBuf;

use super::Reason;
use super::deletions::Listing;
use super::directories::Directory;
use super::files::UnderWay;
use super::links::Links;
use super::options::BackupOptions;
use super::previous::Previous;
use super::summary::{BackupSummary, EntryReport};
use crate::observer::Progress;
use crate::tree::archive::Outlet;
use crate::tree::level_id::LevelHeader;
use crate::tree::libarchive::Owners;
use crate::tree::metadata::{EntryKind, Metadata};
use crate::tree::path;
use crate::tree::record::{Action, Record};
use crate::tree::snapshot::{Mark, SnapshotRecord, SnapshotWriter};
use crate::tree::stat::Stat;
use crate::tree::walk::{Step, Visits};
use crate::{Error, ErrorKind, Result};

/// The observer is told once for so many entries at least.
pub(super) const WATCH_ENTRIES: u64 = 256;

pub(super) struct Machine {
    /// Where the walk begins.
    root: PathBuf,
    pub(super) walk: Visits,
    pub(super) previous: Option<Previous>,
    pub(super) outlet: Outlet,
    pub(super) snapshot: SnapshotWriter<Box<dyn Write + Send>>,
    pub(super) header: LevelHeader,
    pub(super) owners: Owners,
    pub(super) links: Links,
    pub(super) options: BackupOptions,
    pub(super) summary: BackupSummary,
    /// The directories that the walk is in.
    pub(super) directories: Vec<Directory>,
    /// Directories of the level before that are gone, and not yet all that was in them.
    pub(super) gone: Vec<SnapshotRecord>,
    /// What of the last step of the walk is not done, and what the level before has there.
    pub(super) unfinished: Option<Unfinished>,
    met: Option<SnapshotRecord>,
    /// A large file that is being read.
    pub(super) under_way: Option<UnderWay>,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Running,
    Ended,
    Failed,
}

/// A step of the walk that takes more than one step of the machine, since much is gone before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unfinished {
    Entry,
    Leave,
    End,
}

impl Machine {
    pub(super) fn new(
        root: PathBuf,
        walk: Visits,
        header: LevelHeader,
        previous: Option<Previous>,
        snapshot: Box<dyn Write + Send>,
        options: BackupOptions,
    ) -> Result<Self> {
        let was_directory = previous.as_ref().and_then(Previous::peek).map(|first| first.path.is_empty());
        if was_directory.is_some_and(|was_directory| was_directory == walk.is_single()) {
            return Err(Error::new(
                ErrorKind::InvalidInput,
                "the level before is of a directory or of a single file, and this is the other",
            )
            .doing("starting a backup"));
        }
        let threads = options.thread_count();
        Ok(Self {
            root,
            walk,
            previous,
            outlet: Outlet::new(header, options.filter, threads)?,
            snapshot: SnapshotWriter::new(snapshot, &header, threads)?,
            header,
            owners: Owners::new()?,
            links: Links::new(options.link_memory),
            summary: BackupSummary::new(header),
            directories: Vec::new(),
            gone: Vec::new(),
            unfinished: None,
            met: None,
            under_way: None,
            state: State::Running,
            options,
        })
    }

    pub(super) fn is_ended(&self) -> bool {
        self.state == State::Ended
    }

    /// Does the next piece of work.
    pub(super) fn step(&mut self) -> Result<()> {
        if self.state == State::Failed {
            return Err(Error::new(ErrorKind::State, "the backup has failed before").doing("backing up a tree"));
        }
        let result = self.try_step();
        if result.is_err() {
            self.state = State::Failed;
        }
        result
    }

    fn try_step(&mut self) -> Result<()> {
        if self.under_way.is_some() {
            self.send_on()?;
            return self.watch();
        }
        let again = self.unfinished.take();
        if again.is_some() {
            self.watch()?;
        }
        let step = match again {
            Some(Unfinished::Entry) => return self.entry(),
            Some(Unfinished::Leave) => return self.leave(),
            Some(Unfinished::End) => None,
            None => self.walk.advance()?,
        };
        match step {
            Some(Step::Entry) => {
                self.summary.entries += 1;
                if self.summary.entries.is_multiple_of(WATCH_ENTRIES) {
                    self.watch()?;
                }
                self.entry()
            }
            Some(Step::Leave) => self.leave(),
            Some(Step::Vanished) => {
                let vanished = Error::new(ErrorKind::SourceChanged, "vanished while the tree was read");
                self.problem(vanished.doing("backing up").path(self.walk.os_path()));
                Ok(())
            }
            Some(Step::Problem(error)) => {
                self.problem(error);
                Ok(())
            }
            Some(Step::Unreadable(error)) => {
                let path = self.walk.path().to_vec();
                self.unreadable(&path, error)
            }
            None => self.end(),
        }
    }

    fn watch(&self) -> Result<()> {
        self.options.watch.step(Progress {
            done_bytes: self.summary.source_bytes + self.under_way.as_ref().map_or(0, UnderWay::position),
            total_bytes: None,
            stream_bytes: self.outlet.written(),
            entries: self.summary.entries,
        })
    }

    fn entry(&mut self) -> Result<()> {
        let path = self.walk.path().to_vec();
        let stat = *self.walk.stat();
        if path == path::RESTORE_NAME {
            // That of a restore is closed to others; anything else is somebody's own.
            if !stat.is(EntryKind::Directory) || stat.mode & 0o077 != 0 {
                let taken = Error::new(ErrorKind::Unsupported, "has the name of a restore's own directory");
                self.problem(taken.doing("backing up").path(self.on_disk(&path)));
            }
            return Ok(());
        }
        if self.options.left_out.contains(&(stat.device, stat.inode)) {
            let own = Error::new(ErrorKind::Unsupported, "is written by this backup, so it is not part of it");
            self.options.watch.note(&own.path(self.on_disk(&path)));
            return Ok(());
        }
        let Some(kind) = stat.kind else {
            let socket = Error::new(ErrorKind::Unsupported, "sockets are not backed up");
            self.options.watch.note(&socket.doing("backing up").path(self.on_disk(&path)));
            return Ok(());
        };
        let before = match self.met.take() {
            Some(before) => Some(before),
            None if !self.delete_before(&path)? => {
                self.unfinished = Some(Unfinished::Entry);
                return Ok(());
            }
            None => self.previous.as_mut().and_then(|previous| previous.take(&path)),
        };
        let was_directory = before.as_ref().is_some_and(|before| before.metadata.kind == EntryKind::Directory);
        // What is in it has to go before something else takes its place.
        if was_directory && kind != EntryKind::Directory && !self.delete_below(&path, Listing::Complete)? {
            self.met = before;
            self.unfinished = Some(Unfinished::Entry);
            return Ok(());
        }
        let leader = match kind != EntryKind::Directory && stat.links > 1 {
            true => self.links.meet(stat.device, stat.inode),
            false => None,
        };
        match (kind, leader) {
            (EntryKind::Directory, _) => self.directory(path, &stat, before)?,
            (_, Some(leader)) => self.another_name(path, &stat, before, &leader)?,
            (EntryKind::File, None) => self.file(path, &stat, before)?,
            (_, None) => self.special(path, &stat, before)?,
        }
        self.advance_previous()
    }

    pub(super) fn advance_previous(&mut self) -> Result<()> {
        self.previous.as_mut().map_or(Ok(()), Previous::advance)
    }

    /// What could not be read stays as the level before knew it.
    fn unreadable(&mut self, path: &[u8], error: Error) -> Result<()> {
        self.problem(error);
        if let Some(directory) = self.directories.last_mut().filter(|directory| directory.is_at(path)) {
            // What was listed of it may still come, and what does not is not known to be gone.
            directory.is_incomplete = true;
            return Ok(());
        }
        while !self.delete_before(path)? {}
        if let Some(before) = self.previous.as_mut().and_then(|previous| previous.take(path)) {
            self.keep_stale(before)?;
        }
        while self.previous.as_ref().is_some_and(|previous| previous.is_below(path)) {
            if let Some(before) = self.previous.as_mut().and_then(Previous::take_next) {
                self.keep_stale(before)?;
            }
        }
        Ok(())
    }

    /// Keeps the record that was taken last, with its sums.
    pub(super) fn keep_stale(&mut self, before: SnapshotRecord) -> Result<()> {
        let stale = SnapshotRecord { mark: Mark { stale: true, ..before.mark }, ..before };
        self.keep(&stale)?;
        self.advance_previous()
    }

    /// Writes the record that was taken last, with the sums that it had.
    pub(super) fn keep(&mut self, record: &SnapshotRecord) -> Result<()> {
        match &mut self.previous {
            Some(previous) => self.snapshot.push(record, previous.sums()),
            None => self.snapshot.push(record, io::empty()),
        }
    }

    pub(super) fn remember(&mut self, record: &SnapshotRecord, sums: impl Read) -> Result<()> {
        self.snapshot.push(record, sums)
    }

    /// Puts a record into the archive and tells of it.
    pub(super) fn emit(&mut self, record: &Record, reason: Reason, bytes: u64) -> Result<()> {
        self.outlet.record(record)?;
        let closes = record.action == Action::Metadata && record.position.closes;
        if let Some(directory) = self.directories.last_mut().filter(|_| !closes) {
            directory.touch();
        }
        self.summary.count(record.action);
        self.tell(&record.position.path, Some(record.action), reason, bytes);
        Ok(())
    }

    pub(super) fn tell(&self, path: &[u8], action: Option<Action>, reason: Reason, bytes: u64) {
        self.options.watch.entry(&EntryReport { path: &path::to_os(path), action, reason, bytes });
    }

    /// Where an entry is, for messages.
    pub(super) fn on_disk(&self, path: &[u8]) -> PathBuf {
        match path.is_empty() || self.walk.is_single() {
            true => self.root.clone(),
            false => self.root.join(path::to_os(path)),
        }
    }

    pub(super) fn problem(&mut self, problem: Error) {
        self.summary.problems += 1;
        self.options.watch.problem(&problem);
    }

    fn end(&mut self) -> Result<()> {
        if !self.delete_while(Listing::Complete, |previous| previous.peek().is_some())? {
            self.unfinished = Some(Unfinished::End);
            return Ok(());
        }
        self.previous.take().map_or(Ok(()), Previous::finish)?;
        self.watch()?;
        self.outlet.finish(self.summary.problems)?;
        self.state = State::Ended;
        Ok(())
    }

    /// Closes the snapshot, once the archive was taken.
    pub(super) fn finish(mut self) -> Result<BackupSummary> {
        if self.state != State::Ended || !self.outlet.output().is_empty() {
            let what = "the archive was not read to its end";
            return Err(Error::new(ErrorKind::State, what).doing("finishing a backup"));
        }
        self.summary.content_bytes = self.outlet.totals().content_bytes;
        self.summary.stream_bytes = self.outlet.written();
        self.snapshot.finish().map_err(|error| error.doing("writing the snapshot"))?;
        Ok(self.summary)
    }

    /// What `stat` says, with names; flags and what a link leads to are added by who has them.
    pub(super) fn metadata(&mut self, stat: &Stat) -> Result<Metadata> {
        let mut metadata = stat.metadata().ok_or_else(|| Error::new(ErrorKind::Internal, "entry without a kind"))?;
        metadata.user.extend_from_slice(self.owners.user(stat.uid));
        metadata.group.extend_from_slice(self.owners.group(stat.gid));
        Ok(metadata)
    }
}
