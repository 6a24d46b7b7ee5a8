//! The last word on each entry against the tree.

use std::fs::File;
use std::os::fd::AsFd;
use std::path::Path;

use rustix::io::Errno;

use super::{Difference, DifferenceKind, VerifyOptions};
use crate::engine::default_threads;
use crate::memory::zeroed;
use crate::observer::Progress;
use crate::tree::attributes;
use crate::tree::identify::identify;
use crate::tree::level_id::LevelHeader;
use crate::tree::metadata::{EntryKind, Metadata};
use crate::tree::path::{self, Position, is_below};
use crate::tree::record::{Action, Record};
use crate::tree::restore::{Confined, Pinned, inode_of, leads_nowhere};
use crate::tree::stat::Stat;
use crate::tree::walk::{Step, Visits, WalkOptions};
use crate::{Error, ErrorKind, Result};

/// Content read at once.
const BUFFER_LEN: usize = 1 << 20;

/// A path that may yet be spoken of where it closes.
struct Open {
    path: Vec<u8>,
    level: usize,
    record: Record,
    /// What the walk met there, if anything.
    met: Option<EntryKind>,
}

/// Goes through the records and the tree side by side.
pub(super) struct Comparing<'a> {
    tree: Confined,
    walk: Visits,
    /// The path that the walk stands at, and what is there; `None` after its last.
    at: Option<(Vec<u8>, EntryKind)>,
    open: Vec<Open>,
    /// What could not be read and was said to be so; of what is below nothing more is known.
    unreadable: Vec<Vec<u8>>,
    leaf_len: u32,
    options: VerifyOptions,
    each: &'a mut dyn FnMut(&Difference) -> Result<()>,
    progress: Progress,
    differences: u64,
    buffer: Vec<u8>,
}

impl<'a> Comparing<'a> {
    pub(super) fn new(
        root: &Path,
        header: &LevelHeader,
        options: VerifyOptions,
        each: &'a mut dyn FnMut(&Difference) -> Result<()>,
    ) -> Result<Self> {
        let walk_options = WalkOptions { selection: options.selection.clone(), dereference: options.dereference };
        let walk = Visits::new(root, walk_options, default_threads(), None)?;
        let mut this = Self {
            // A single file is looked up in the directory that holds it.
            tree: Confined::open(if walk.is_single() { parent_of(root) } else { root })?,
            walk,
            at: None,
            open: Vec::new(),
            unreadable: Vec::new(),
            leaf_len: header.block_len,
            options,
            each,
            progress: Progress::default(),
            differences: 0,
            buffer: zeroed(BUFFER_LEN)?,
        };
        this.advance()?;
        Ok(this)
    }

    /// The last word of the levels on a position, which comes after those before.
    pub(super) fn take(&mut self, position: Position, level: usize, record: Record) -> Result<()> {
        self.close_until(&position)?;
        self.unreadable.retain(|path| path::compare(path, &position.path).is_ge() || is_below(&position.path, path));
        let is_open = self.open.last().is_some_and(|open| open.path == position.path);
        if position.closes && is_open {
            if let Some(open) = self.open.pop() {
                let later = if open.level > level { open.record } else { record };
                self.decide(&later, open.met)?;
            }
            return Ok(());
        }
        let met = self.meet(&position.path)?;
        let open = Open { path: position.path, level, record, met };
        match position.closes {
            true => self.decide(&open.record, open.met),
            false => {
                self.open.push(open);
                Ok(())
            }
        }
    }

    /// Ends the records.
    pub(super) fn finish(mut self) -> Result<(u64, u64, u64)> {
        while let Some(open) = self.open.pop() {
            self.decide(&open.record, open.met)?;
        }
        while let Some((extra, _)) = self.at.take() {
            self.extra(&extra)?;
            self.advance()?;
        }
        self.options.watch.step(self.progress)?;
        Ok((self.progress.entries, self.progress.done_bytes, self.differences))
    }

    /// What no position to come can speak of any more is decided.
    fn close_until(&mut self, position: &Position) -> Result<()> {
        while let Some(open) =
            self.open.pop_if(|open| open.path != position.path && !is_below(&position.path, &open.path))
        {
            self.decide(&open.record, open.met)?;
        }
        Ok(())
    }

    /// Moves the walk to a path, and gives what it meets there. What it passes is in no archive.
    fn meet(&mut self, path: &[u8]) -> Result<Option<EntryKind>> {
        while let Some((at, kind)) = self.at.take() {
            match path::compare(&at, path) {
                std::cmp::Ordering::Less => {
                    self.extra(&at)?;
                    self.advance()?;
                }
                std::cmp::Ordering::Equal => {
                    self.advance()?;
                    return Ok(Some(kind));
                }
                std::cmp::Ordering::Greater => {
                    self.at = Some((at, kind));
                    return Ok(None);
                }
            }
        }
        Ok(None)
    }

    fn advance(&mut self) -> Result<()> {
        loop {
            match self.walk.advance()? {
                None => return Ok(()),
                // A socket is in no archive, and no difference; nor is what a restore leaves.
                Some(Step::Entry) if self.walk.path() == path::RESTORE_NAME => {}
                Some(Step::Entry) => {
                    if let Some(kind) = self.walk.stat().kind {
                        self.at = Some((self.walk.path().to_vec(), kind));
                        return Ok(());
                    }
                }
                Some(Step::Leave | Step::Vanished) => {}
                Some(Step::Unreadable(error)) => {
                    let path = self.walk.path().to_vec();
                    self.unreadable(&path, &error)?;
                }
                Some(Step::Problem(error)) => self.options.watch.problem(&error),
            }
        }
    }

    fn extra(&mut self, path: &[u8]) -> Result<()> {
        self.differ(path, DifferenceKind::Extra)
    }

    fn differ(&mut self, path: &[u8], what: DifferenceKind) -> Result<()> {
        self.differences += 1;
        (self.each)(&Difference { path: path::to_os(path), what })
    }

    /// Says once that something cannot be read.
    fn unreadable(&mut self, path: &[u8], error: &Error) -> Result<()> {
        if self.unreadable.iter().any(|known| known == path) {
            return Ok(());
        }
        self.unreadable.push(path.to_vec());
        self.options.watch.problem(error);
        self.differ(path, DifferenceKind::Unreadable)
    }

    /// Whether it is known that nothing can be known of what is at a path.
    fn is_beyond_reading(&self, path: &[u8]) -> bool {
        self.unreadable.iter().any(|known| known == path || is_below(path, known))
    }

    fn decide(&mut self, record: &Record, met: Option<EntryKind>) -> Result<()> {
        let path = &record.position.path;
        self.progress.entries += u64::from(record.action != Action::Delete);
        match (record.action, met) {
            (Action::Delete, Some(_)) => self.differ(path, DifferenceKind::Extra),
            (Action::Delete, None) => Ok(()),
            (_, None) if self.is_beyond_reading(path) => Ok(()),
            (_, None) => self.differ(path, DifferenceKind::Missing),
            (_, Some(kind)) => {
                let mut differences = Vec::new();
                let compared = match record.action {
                    Action::Link => self.compare_link(path, kind, record.basis.as_deref().unwrap_or_default()),
                    _ => self.compare(path, kind, record, &mut differences),
                };
                match compared {
                    Ok(difference) => differences.extend(difference),
                    // It went after it was met.
                    Err(error) if error.os_code().map(Errno::from_raw_os_error).is_some_and(leads_nowhere) => {
                        differences = vec![DifferenceKind::Missing];
                    }
                    Err(error) if error.kind() == ErrorKind::Io => self.unreadable(path, &error)?,
                    Err(error) => return Err(error),
                }
                differences.into_iter().try_for_each(|what| self.differ(path, what))
            }
        }
    }

    fn failed(&self, doing: &'static str, path: &[u8], error: Errno) -> Error {
        Error::io(doing, error.into()).path(self.tree.display(path))
    }

    fn pin(&self, path: &[u8], kind: EntryKind) -> Result<Pinned> {
        self.try_pin(path, kind).map_err(|error| self.failed("looking at", path, error))
    }

    /// Holds what the walk met as being of this kind: the link itself where it met one, which leads nowhere, and
    /// what links lead to where it follows them.
    fn try_pin(&self, path: &[u8], kind: EntryKind) -> rustix::io::Result<Pinned> {
        match self.options.dereference {
            true => self.tree.pin_following(path, kind != EntryKind::Symlink),
            false => self.tree.pin_untouched(path),
        }
    }

    fn compare_link(&self, path: &[u8], kind: EntryKind, to: &[u8]) -> Result<Option<DifferenceKind>> {
        let found = inode_of(self.pin(path, kind)?.stat());
        let is_same = match self.try_pin(to, kind) {
            Ok(other) => inode_of(other.stat()) == found,
            Err(error) if leads_nowhere(error) => false,
            Err(error) => return Err(self.failed("looking at", to, error)),
        };
        Ok((!is_same).then_some(DifferenceKind::Link))
    }

    /// Notes what differs, until something cannot be read; gives what makes all else pointless.
    fn compare(
        &mut self,
        path: &[u8],
        kind: EntryKind,
        record: &Record,
        differences: &mut Vec<DifferenceKind>,
    ) -> Result<Option<DifferenceKind>> {
        let Some(expected) = &record.metadata else { return Ok(None) };
        let entry = self.pin(path, kind)?;
        let found = Stat::from(*entry.stat());
        if found.kind != Some(expected.kind) {
            return Ok(Some(DifferenceKind::Kind));
        }
        let mut note = |same: bool, what| {
            if !same {
                differences.push(what);
            }
        };
        // A link has no mode of its own.
        note(expected.kind == EntryKind::Symlink || found.mode == expected.mode, DifferenceKind::Mode);
        note((found.uid, found.gid) == (expected.uid, expected.gid), DifferenceKind::Owner);
        note(found.modified == expected.modified, DifferenceKind::Modified);
        note(self.same_target(path, &found, expected)?, DifferenceKind::Target);
        let open = match expected.kind {
            EntryKind::File | EntryKind::Directory => {
                Some(entry.open_untouched().map_err(|error| self.failed("opening", path, error))?)
            }
            _ => None,
        };
        let (attributes, unread) = match &open {
            Some(open) => {
                let flags = attributes::flags(open.as_fd()).map_err(|error| error.path(self.tree.display(path)))?;
                note(flags == expected.flags, DifferenceKind::Flags);
                attributes::of_file(open.as_fd())
            }
            None => {
                let (directory, name) = path::split(path);
                attributes::of_name(self.pin(directory, EntryKind::Directory)?.as_fd(), name)
            }
        };
        unread.map_or(Ok(()), |error| Err(error.path(self.tree.display(path))))?;
        note(attributes == record.attributes, DifferenceKind::Attributes);
        let (Some(expected), Some(open)) = (&record.identity, open) else { return Ok(None) };
        let same = found.size == expected.length()
            && self.identity(open).map_err(|error| error.path(self.tree.display(path)))? == *expected;
        Ok((!same).then_some(DifferenceKind::Content))
    }

    fn same_target(&self, path: &[u8], found: &Stat, expected: &Metadata) -> Result<bool> {
        Ok(match expected.kind {
            EntryKind::Symlink => {
                let (directory, name) = path::split(path);
                let target =
                    rustix::fs::readlinkat(self.pin(directory, EntryKind::Directory)?.as_fd(), name, Vec::new());
                target.map_err(|error| self.failed("reading a link", path, error))?.as_bytes() == expected.target
            }
            EntryKind::CharDevice | EntryKind::BlockDevice => found.special == expected.device,
            _ => true,
        })
    }

    fn identity(&mut self, mut file: File) -> Result<crate::Identity> {
        let Self { buffer, progress, options, .. } = self;
        identify(&mut file, self.leaf_len, default_threads(), buffer, |len| {
            progress.done_bytes += len as u64;
            options.watch.step(*progress)
        })
    }
}

fn parent_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
