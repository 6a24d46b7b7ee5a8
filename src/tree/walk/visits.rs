//! What a walk comes upon, found step by step or by a thread that goes ahead.
//!
//! Half of what a level costs in which nothing changed is looking at entries; the other half compares and
//! writes. Where much changed, most of it is reading small files. Where there may be threads, the one goes on while the
//! other does.

use std::collections::VecDeque;
use std::io;
use std::ops::Range;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::readlinkat;
use rustix::io::Errno;

use super::ahead::Ahead;
use super::look::open_file;
use super::read_ahead::ReadAhead;
use super::{Step, Walk, WalkOptions};
use crate::Result;
use crate::tree::descriptors;
use crate::tree::path::split;
use crate::tree::small_file::{SmallFile, Wanted};
use crate::tree::stat::Stat;

/// A batch is closed at so many steps, ...
const BATCH_STEPS: usize = 256;

/// ... when their paths take this many bytes, ...
const BATCH_PATHS: usize = 64 * 1024;

/// ... when it holds this many directories open, ...
const BATCH_DIRECTORIES: usize = 24;

/// ... or when there is so much content in it to be read, beside that of its last file.
const BATCH_CONTENT: u64 = 1 << 20;

/// Steps of a walk.
#[derive(Default)]
struct Batch {
    visits: VecDeque<(Step, Visit)>,
    paths: Vec<u8>,
    directories: Vec<Arc<OwnedFd>>,
}

/// Where a step is, and what is known of what is there.
struct Visit {
    /// In the paths of the batch.
    path: Range<usize>,
    stat: Stat,
    /// Which of the directories of the batch holds the entry, ...
    directory: Option<usize>,
    /// ... and which it is.
    opened: Option<usize>,
    is_passed: bool,
    /// The file that the entry is, where it was read.
    small: Option<Box<SmallFile>>,
}

impl Batch {
    /// Takes steps until it is full, or has enough to read; `None` once the walk has ended.
    fn gather(walk: &mut Walk, steps: usize, read_ahead: Option<ReadAhead>) -> Result<Option<Self>> {
        let mut batch = Self::default();
        let mut content = 0;
        while batch.visits.len() < steps
            && batch.paths.len() < BATCH_PATHS
            && batch.directories.len() < BATCH_DIRECTORIES
            && content < BATCH_CONTENT
            && let Some(step) = walk.advance()?
        {
            if read_ahead.is_some_and(|read_ahead| read_ahead.wants(&step, walk.stat())) {
                content += walk.stat().size;
            }
            let visit = batch.visit(walk);
            batch.visits.push_back((step, visit));
        }
        Ok(Some(batch).filter(|batch| !batch.visits.is_empty()))
    }

    /// Reads the files that are wanted.
    fn read(&mut self, read_ahead: ReadAhead, dereference: bool, threads: usize) {
        let (paths, directories) = (&self.paths, &self.directories);
        let wanted = self.visits.iter_mut().filter(|(step, visit)| read_ahead.wants(step, &visit.stat));
        let wanted = wanted.filter_map(|(_, visit)| {
            let (directory, name) = (directories.get(visit.directory?)?, split(&paths[visit.path.clone()]).1);
            let open = move || Ok(open_file(directory.as_fd(), name, dereference)?);
            Some(Wanted { place: &mut visit.small, size: visit.stat.size, open })
        });
        read_ahead.read(wanted.collect(), threads);
    }

    fn visit(&mut self, walk: &Walk) -> Visit {
        let start = self.paths.len();
        self.paths.extend_from_slice(walk.path());
        Visit {
            path: start..self.paths.len(),
            stat: *walk.stat(),
            directory: walk.directory().map(|directory| self.hold(directory)),
            opened: walk.opened().map(|directory| self.hold(directory)),
            is_passed: walk.is_passed(),
            small: None,
        }
    }

    /// Holds a directory once, since most steps are in that of the step before.
    fn hold(&mut self, directory: &Arc<OwnedFd>) -> usize {
        let held = self.directories.iter().rposition(|held| Arc::ptr_eq(held, directory));
        held.unwrap_or_else(|| {
            self.directories.push(Arc::clone(directory));
            self.directories.len() - 1
        })
    }
}

enum Source {
    Here(Box<Walk>),
    Ahead(Ahead<Batch>),
}

impl Source {
    fn ahead(walk: Walk, threads: usize, read_ahead: Option<ReadAhead>) -> Self {
        let dereference = walk.dereference;
        let gathered = Ahead::start("frazil-walk", walk, move |walk| Batch::gather(walk, BATCH_STEPS, read_ahead));
        let gathered = match (gathered, read_ahead) {
            (Ok(gathered), Some(read_ahead)) => Ahead::start("frazil-read", gathered, move |gathered| {
                let mut batch = gathered.next()?;
                if let Some(batch) = &mut batch {
                    batch.read(read_ahead, dereference, threads);
                }
                Ok(batch)
            })
            // What is not read ahead is read when it is asked for.
            .or_else(Ok),
            (gathered, _) => gathered,
        };
        gathered.map_or_else(|walk| Self::Here(Box::new(walk)), Self::Ahead)
    }
}

/// Goes from step to step of a walk. What the methods say is true until the next.
pub(crate) struct Visits {
    source: Source,
    batch: Batch,
    at: Visit,
    root: PathBuf,
    is_single: bool,
    dereference: bool,
}

impl Visits {
    /// With more than one thread, where one is to be had, and descriptors enough, the walk goes ahead on one of them,
    /// and another follows it that reads what is to be read ahead, with help. They live until the walk has ended or this
    /// is dropped; a process that is forked in between cannot go on with it.
    pub(crate) fn new(
        root: &Path,
        options: WalkOptions,
        threads: usize,
        read_ahead: Option<ReadAhead>,
    ) -> Result<Self> {
        let threads = if descriptors::suffice_to_go_ahead() { threads } else { 1 };
        Ok(Self::of(Walk::new(root, options)?, threads, read_ahead))
    }

    pub(super) fn of(walk: Walk, threads: usize, read_ahead: Option<ReadAhead>) -> Self {
        let stat = *walk.stat();
        let at = Visit { path: 0..0, stat, directory: None, opened: None, is_passed: false, small: None };
        let (root, is_single, dereference) = (walk.root.clone(), walk.single, walk.dereference);
        let source = match threads > 1 {
            true => Source::ahead(walk, threads, read_ahead),
            false => Source::Here(Box::new(walk)),
        };
        Self { source, batch: Batch::default(), at, root, is_single, dereference }
    }

    /// Goes one step further; `None` at the end. An error is no fault of the tree, and ends the walk.
    pub(crate) fn advance(&mut self) -> Result<Option<Step>> {
        if self.batch.visits.is_empty() {
            let batch = match &mut self.source {
                Source::Here(walk) => Batch::gather(walk, 1, None)?,
                Source::Ahead(ahead) => ahead.next()?,
            };
            let Some(batch) = batch else { return Ok(None) };
            self.batch = batch;
        }
        Ok(self.batch.visits.pop_front().map(|(step, visit)| {
            self.at = visit;
            step
        }))
    }

    /// Where the last step was, relative to the root, which is the empty path.
    pub(crate) fn path(&self) -> &[u8] {
        &self.batch.paths[self.at.path.clone()]
    }

    /// As a path of the operating system, for messages alone: it may be too long to be opened.
    pub(crate) fn os_path(&self) -> PathBuf {
        super::os_path(&self.root, self.is_single, self.path())
    }

    /// The last name of the path; empty for the root.
    pub(crate) fn name(&self) -> &[u8] {
        split(self.path()).1
    }

    /// What is known of the entry, or of the directory that is left as it was when it was entered.
    pub(crate) fn stat(&self) -> &Stat {
        &self.at.stat
    }

    /// The directory that holds the entry; `None` for the root.
    pub(crate) fn directory(&self) -> Option<BorrowedFd<'_>> {
        self.held(self.at.directory)
    }

    /// The directory that the entry is, where it could be opened.
    pub(crate) fn opened(&self) -> Option<BorrowedFd<'_>> {
        self.held(self.at.opened)
    }

    fn held(&self, index: Option<usize>) -> Option<BorrowedFd<'_>> {
        index.and_then(|index| self.batch.directories.get(index)).map(|directory| directory.as_fd())
    }

    /// Whether the directory that the entry is will not be entered, since it is of another file system.
    pub(crate) fn is_passed(&self) -> bool {
        self.at.is_passed
    }

    /// Whether the root is no directory, and the only entry.
    pub(crate) fn is_single(&self) -> bool {
        self.is_single
    }

    /// Opens the entry for reading. Another may have taken its place since: the caller compares.
    pub(crate) fn open(&self) -> io::Result<OwnedFd> {
        if let Some(opened) = self.opened() {
            return opened.try_clone_to_owned();
        }
        let directory = self.directory().ok_or(Errno::NOENT)?;
        Ok(open_file(directory, self.name(), self.dereference)?)
    }

    /// The small file that the entry is, where it was read ahead; once.
    pub(crate) fn take_small(&mut self) -> Option<SmallFile> {
        self.at.small.take().map(|small| *small)
    }

    /// Where the link that the entry is leads.
    pub(crate) fn read_link(&self) -> io::Result<Vec<u8>> {
        let directory = self.directory().ok_or(Errno::INVAL)?;
        Ok(readlinkat(directory, self.name(), Vec::new())?.into_bytes())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_batch_has_no_more_content_than_is_held_at_once() {
        let dir = tempfile::tempdir().unwrap();
        for number in 0..100 {
            fs::write(dir.path().join(number.to_string()), vec![1; 60_000]).unwrap();
        }
        let read_ahead = ReadAhead { changed: None, leaf_len: 65_536 };
        let mut walk = Walk::new(dir.path(), WalkOptions::default()).unwrap();
        let mut files = 0;
        while let Some(mut batch) = Batch::gather(&mut walk, BATCH_STEPS, Some(read_ahead)).unwrap() {
            batch.read(read_ahead, false, 2);
            let held: Vec<_> = batch.visits.iter().filter_map(|(_, visit)| visit.small.as_ref()).collect();
            let content: usize = held.iter().map(|small| small.whole.bytes.len()).sum();
            assert!(content < BATCH_CONTENT as usize + 60_000, "{content} bytes");
            files += held.len();
        }
        assert_eq!(files, 100);
        let mut walk = Walk::new(dir.path(), WalkOptions::default()).unwrap();
        let all = Batch::gather(&mut walk, BATCH_STEPS, None).unwrap().unwrap();
        assert_eq!(all.visits.len(), 102, "where nothing is read, one batch has it all, and the root twice");
    }
}
