//! The directories between the destination and where work is going on.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use super::confined::Confined;
use super::pinned::{PIN, chmod, is_ours, permissions};
use crate::tree::{descriptors, path};
use crate::{Error, Result};

const SEARCH: u32 = 0o100;
const CHANGE: u32 = 0o300;

/// Called with the path of each directory that was missing and has been made.
pub(crate) type Made<'a> = &'a mut dyn FnMut(&[u8]);

/// Walks from directory to directory, in any order and best in that of a tree, one name at a time and
/// never through a link.
///
/// A user who owns a directory but may not search or change it gives himself the permission while he is
/// in it; leaving puts the mode back. Killed in between it stays, which the record that closes a directory
/// makes good: there is one for every directory whose names change. One that could only not be *searched*
/// has none; no backup by its owner ever saw what is in it.
#[derive(Debug)]
pub(crate) struct DirectoryStack<'a> {
    confined: &'a Confined,
    path: Vec<u8>,
    /// From the destination to the directory at `path`; never empty.
    levels: Vec<Level>,
    /// How many of the outermost levels are not held.
    let_go: usize,
    /// How many are held at a time; the outermost are let go first.
    held_max: usize,
}

#[derive(Debug)]
struct Level {
    /// Where the directory's path ends in the whole.
    end: usize,
    held: Option<OwnedFd>,
    /// The permissions that the directory had.
    mode: u32,
    /// Those that it was given for as long as it is in use.
    lent: u32,
    is_ours: bool,
}

impl Level {
    fn new(held: OwnedFd, end: usize) -> rustix::io::Result<Self> {
        let stat = rustix::fs::fstat(&held)?;
        Ok(Self { end, held: Some(held), mode: permissions(stat.st_mode), lent: 0, is_ours: is_ours(&stat) })
    }

    fn held(&self) -> rustix::io::Result<BorrowedFd<'_>> {
        // It could not be taken again: somebody removed or replaced it.
        self.held.as_ref().map(AsFd::as_fd).ok_or(Errno::NOENT)
    }

    fn lend(&mut self, bits: u32) -> rustix::io::Result<()> {
        if self.is_ours && (self.mode | self.lent) & bits != bits {
            chmod(self.held()?, self.mode | self.lent | bits)?;
            self.lent |= bits;
        }
        Ok(())
    }

    fn put_back(&mut self) {
        if self.lent & !self.mode != 0
            && let Some(held) = &self.held
        {
            // We own it and could set the mode before: if it fails now, the directory is lost anyway.
            let _ = chmod(held.as_fd(), self.mode);
        }
        self.lent = 0;
    }
}

impl<'a> DirectoryStack<'a> {
    pub(crate) fn new(confined: &'a Confined) -> rustix::io::Result<Self> {
        let root = rustix::io::fcntl_dupfd_cloexec(confined.root()?, 0)?;
        Ok(Self {
            confined,
            path: Vec::new(),
            levels: vec![Level::new(root, 0)?],
            let_go: 0,
            held_max: descriptors::for_directories(),
        })
    }

    /// Goes back to the destination itself, whose own mode is about to be set: what it was lent must not be
    /// put back over that.
    pub(super) fn settle(&mut self) {
        while self.levels.len() > 1 {
            self.leave();
        }
        self.last().put_back();
    }

    /// Learns the mode that the destination has been given.
    pub(super) fn renew(&mut self) -> rustix::io::Result<()> {
        let level = self.last();
        level.mode = permissions(rustix::fs::fstat(level.held()?)?.st_mode);
        Ok(())
    }

    /// Goes to a directory, in which names can then be looked up.
    pub(crate) fn enter(&mut self, directory: &[u8]) -> Result<BorrowedFd<'_>> {
        let confined = self.confined;
        self.reach(directory).map_err(|error| failed(confined, directory, error))
    }

    /// Goes to a directory in which names are about to be made, replaced or removed. With `made`, the
    /// directories that are missing on the way are made.
    pub(crate) fn enter_to_change(&mut self, directory: &[u8], made: Option<Made<'_>>) -> Result<BorrowedFd<'_>> {
        let confined = self.confined;
        self.go(directory, made)
            .and_then(|()| self.reach_to_change())
            .map_err(|error| failed(confined, directory, error))
    }

    pub(super) fn reach(&mut self, directory: &[u8]) -> rustix::io::Result<BorrowedFd<'_>> {
        self.go(directory, None)?;
        self.levels[self.levels.len() - 1].held()
    }

    /// Stays where it is, and is allowed to change names there.
    pub(super) fn reach_to_change(&mut self) -> rustix::io::Result<BorrowedFd<'_>> {
        let level = self.last();
        level.lend(CHANGE)?;
        level.held()
    }

    fn go(&mut self, directory: &[u8], mut made: Option<Made<'_>>) -> rustix::io::Result<()> {
        while self.path != directory && !path::is_below(directory, &self.path) {
            self.leave();
        }
        self.last().lend(SEARCH)?;
        while self.path.len() < directory.len() {
            let start = self.path.len() + usize::from(!self.path.is_empty());
            let name = directory[start..].split(|&byte| byte == b'/').next().unwrap_or_default();
            let held = match self.open_below(name) {
                Err(Errno::NOENT) if made.is_some() => {
                    self.last().lend(CHANGE)?;
                    rustix::fs::mkdirat(self.last().held()?, name, Mode::RWXU)?;
                    if let Some(made) = &mut made {
                        made(&directory[..start + name.len()]);
                    }
                    self.open_below(name)?
                }
                held => held?,
            };
            let level = Level::new(held, start + name.len())?;
            self.path.extend_from_slice(&directory[self.path.len()..level.end]);
            self.levels.push(level);
            if self.levels.len() - self.let_go > self.held_max {
                self.levels[self.let_go].held = None;
                self.let_go += 1;
            }
            self.last().lend(SEARCH)?;
        }
        Ok(())
    }

    fn open_below(&mut self, name: &[u8]) -> rustix::io::Result<OwnedFd> {
        rustix::fs::openat(self.last().held()?, name, PIN | OFlags::DIRECTORY, Mode::empty())
    }

    fn last(&mut self) -> &mut Level {
        let last = self.levels.len() - 1;
        &mut self.levels[last]
    }

    /// Goes to the directory above.
    fn leave(&mut self) {
        self.last().put_back();
        self.levels.pop();
        let end = self.last().end;
        self.path.truncate(end);
        if self.let_go == self.levels.len() {
            // What cannot be taken again fails where it is used.
            let _ = self.take_again();
        }
    }

    /// Holds the innermost levels again, coming from the destination.
    fn take_again(&mut self) -> rustix::io::Result<()> {
        // Half of what may be held, so that a deep tree is not walked for each of them.
        let again = self.held_max / 2;
        let keep = self.levels.len().saturating_sub(again);
        let mut held = rustix::io::fcntl_dupfd_cloexec(self.confined.root()?, 0)?;
        let mut taken = Vec::with_capacity(again);
        for (depth, level) in self.levels.iter().enumerate() {
            if depth > 0 {
                let start = self.levels[depth - 1].end;
                let name = &self.path[start + usize::from(start > 0)..level.end];
                let next = rustix::fs::openat(&held, name, PIN | OFlags::DIRECTORY, Mode::empty())?;
                let above = std::mem::replace(&mut held, next);
                if depth > keep {
                    taken.push(above);
                }
            }
        }
        taken.push(held);
        for (level, held) in self.levels[keep..].iter_mut().zip(taken) {
            level.held = Some(held);
        }
        self.let_go = keep;
        Ok(())
    }
}

fn failed(confined: &Confined, directory: &[u8], error: Errno) -> Error {
    Error::io("opening the directory", error.into()).path(confined.display(directory))
}

impl Drop for DirectoryStack<'_> {
    fn drop(&mut self) {
        self.settle();
    }
}
