//! The last word on each entry against the tree.

use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};

use super::{Difference, DifferenceKind, VerifyOptions};
use crate::engine::native::IdentityBuilder;
use crate::observer::Progress;
use crate::tree::attributes;
use crate::tree::level_id::LevelHeader;
use crate::tree::metadata::{EntryKind, Metadata, Moment};
use crate::tree::path::{self, Position, is_below};
use crate::tree::record::{Action, Record};
use crate::tree::walk::{Step, Walk, WalkOptions};
use crate::{Error, Result};

/// Content read at once.
const BUFFER_LEN: usize = 1 << 20;

/// A path that may yet be spoken of where it closes.
struct Open {
    path: Vec<u8>,
    level: usize,
    record: Record,
    /// Whether the walk met it.
    met: bool,
}

/// Goes through the records and the tree side by side.
pub(super) struct Comparing<'a> {
    root: PathBuf,
    walk: Walk,
    /// The path that the walk stands at; `None` after its last.
    at: Option<Vec<u8>>,
    open: Vec<Open>,
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
        let walk = Walk::new(root, WalkOptions { selection: options.selection.clone(), dereference: false })?;
        let mut this = Self {
            root: root.to_owned(),
            walk,
            at: None,
            open: Vec::new(),
            leaf_len: header.block_len,
            options,
            each,
            progress: Progress::default(),
            differences: 0,
            buffer: vec![0; BUFFER_LEN],
        };
        this.advance()?;
        Ok(this)
    }

    /// The last word of the levels on a position, which comes after those before.
    pub(super) fn take(&mut self, position: Position, level: usize, record: Record) -> Result<()> {
        self.close_until(&position)?;
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
        while let Some(extra) = self.at.take() {
            self.extra(&extra)?;
            self.advance()?;
        }
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

    /// Moves the walk to a path; whether it meets it. What it passes is in no archive.
    fn meet(&mut self, path: &[u8]) -> Result<bool> {
        while let Some(at) = self.at.take() {
            match path::compare(&at, path) {
                std::cmp::Ordering::Less => {
                    self.extra(&at)?;
                    self.advance()?;
                }
                std::cmp::Ordering::Equal => {
                    self.advance()?;
                    return Ok(true);
                }
                std::cmp::Ordering::Greater => {
                    self.at = Some(at);
                    return Ok(false);
                }
            }
        }
        Ok(false)
    }

    fn advance(&mut self) -> Result<()> {
        loop {
            match self.walk.advance()? {
                None => return Ok(()),
                Some(Step::Entry) if self.walk.path() == path::RESTORE_NAME => {
                    self.walk.skip_directory();
                }
                // A socket is in no archive, and no difference.
                Some(Step::Entry) if self.walk.stat().kind.is_none() => {}
                Some(Step::Entry) => {
                    self.at = Some(self.walk.path().to_vec());
                    return Ok(());
                }
                Some(Step::Leave | Step::Vanished) => {}
                Some(Step::Unreadable(error) | Step::Problem(error)) => return Err(error),
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

    fn decide(&mut self, record: &Record, met: bool) -> Result<()> {
        let path = &record.position.path;
        self.progress.entries += 1;
        match (record.action, met) {
            (Action::Delete, true) => self.differ(path, DifferenceKind::Extra),
            (Action::Delete | Action::Void, _) => Ok(()),
            (_, false) => self.differ(path, DifferenceKind::Missing),
            (Action::Link, true) => self.compare_link(path, record.basis.as_deref().unwrap_or_default()),
            (_, true) => self.compare(path, record),
        }
    }

    fn on_disk(&self, path: &[u8]) -> PathBuf {
        if path.is_empty() { self.root.clone() } else { self.root.join(path::to_os(path)) }
    }

    fn compare_link(&mut self, path: &[u8], to: &[u8]) -> Result<()> {
        let stat = |path: PathBuf| std::fs::symlink_metadata(&path).map_err(|e| Error::io("looking at", e).path(path));
        let (a, b) = (stat(self.on_disk(path))?, stat(self.on_disk(to)));
        match b {
            Ok(b) if (a.dev(), a.ino()) == (b.dev(), b.ino()) => Ok(()),
            _ => self.differ(path, DifferenceKind::Link),
        }
    }

    fn compare(&mut self, path: &[u8], record: &Record) -> Result<()> {
        let Some(expected) = &record.metadata else { return Ok(()) };
        let on_disk = self.on_disk(path);
        let failed = |doing: &'static str| {
            let on_disk = on_disk.clone();
            move |error: std::io::Error| Error::io(doing, error).path(on_disk)
        };
        let data = std::fs::symlink_metadata(&on_disk).map_err(failed("looking at"))?;
        if EntryKind::of_mode(data.mode()) != Some(expected.kind) {
            return self.differ(path, DifferenceKind::Kind);
        }
        let modified = Moment { seconds: data.mtime(), nanoseconds: data.mtime_nsec() as u32 };
        let is_link = expected.kind == EntryKind::Symlink;
        let mut found = Vec::new();
        let mut note = |same: bool, what| {
            if !same {
                found.push(what);
            }
        };
        // A link has no mode of its own.
        note(is_link || data.mode() & 0o7777 == expected.mode, DifferenceKind::Mode);
        note((data.uid(), data.gid()) == (expected.uid, expected.gid), DifferenceKind::Owner);
        note(modified == expected.modified, DifferenceKind::Modified);
        note(self.same_target(&on_disk, &data, expected)?, DifferenceKind::Target);
        let open = match expected.kind {
            EntryKind::File | EntryKind::Directory => Some(open(&on_disk).map_err(failed("opening"))?),
            _ => None,
        };
        let attributes = match &open {
            Some(open) => {
                note(attributes::flags(open.as_fd())? == expected.flags, DifferenceKind::Flags);
                attributes::of_file(open.as_fd())
            }
            None => {
                let (directory, name) = (on_disk.parent(), on_disk.file_name());
                match (directory, name) {
                    (Some(directory), Some(name)) => {
                        let directory = open_directory(directory).map_err(failed("opening"))?;
                        attributes::of_name(directory.as_fd(), name.as_bytes())
                    }
                    _ => (Vec::new(), None),
                }
            }
        };
        let (attributes, unread) = attributes;
        unread.map_or(Ok(()), |error| Err(error.path(&on_disk)))?;
        note(attributes == record.attributes, DifferenceKind::Attributes);
        if let (Some(expected), Some(open)) = (&record.identity, open) {
            let same = data.len() == expected.length()
                && self.identity(File::from(open)).map_err(|error| error.path(&on_disk))? == *expected;
            if !same {
                found.push(DifferenceKind::Content);
            }
        }
        found.into_iter().try_for_each(|what| self.differ(path, what))
    }

    fn same_target(&self, on_disk: &Path, data: &std::fs::Metadata, expected: &Metadata) -> Result<bool> {
        Ok(match expected.kind {
            EntryKind::Symlink => {
                let target = std::fs::read_link(on_disk).map_err(|e| Error::io("reading a link", e).path(on_disk))?;
                target.as_os_str().as_bytes() == expected.target
            }
            EntryKind::CharDevice | EntryKind::BlockDevice => {
                (rustix::fs::major(data.rdev()), rustix::fs::minor(data.rdev())) == expected.device
            }
            _ => true,
        })
    }

    fn identity(&mut self, mut file: File) -> Result<crate::Identity> {
        let mut identity = IdentityBuilder::new(self.leaf_len, crate::engine::default_threads());
        loop {
            match crate::tree::list::read_some(&mut file, &mut self.buffer)? {
                0 => return Ok(identity.finish()),
                len => {
                    identity.update(&self.buffer[..len]);
                    self.progress.done_bytes += len as u64;
                    self.options.watch.step(self.progress)?;
                }
            }
        }
    }
}

fn open(path: &Path) -> std::io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    Ok(rustix::fs::open(path, flags, Mode::empty())?)
}

fn open_directory(path: &Path) -> std::io::Result<OwnedFd> {
    Ok(rustix::fs::open(path, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?)
}
