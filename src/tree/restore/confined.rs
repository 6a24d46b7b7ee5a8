//! The destination of a restore, which nothing leads out of.

use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags, ResolveFlags, Stat};
use rustix::io::Errno;

use super::pinned::{PIN, Pinned, check_proc};
use super::stack::DirectoryStack;
use crate::tree::metadata::EntryKind;
use crate::tree::path;
use crate::{Error, ErrorKind, Result};

/// The most bytes of a path that the kernel takes at once, with the zero at its end.
const KERNEL_PATH_MAX: usize = 4096;

/// A destination, held by a descriptor.
///
/// Entries beneath it are reached in one call that refuses every link, or else name by name; each name is
/// looked up in a directory that is held. Whoever may change the destination meanwhile can make that fail,
/// or move a directory that is held; he cannot make a name lead anywhere else.
#[derive(Debug)]
pub(crate) struct Confined {
    /// `None` where it is not there.
    root: Option<OwnedFd>,
    path: PathBuf,
}

impl Confined {
    /// Holds a directory that is there; links on the way to it are the caller's own and are followed.
    pub(crate) fn open(destination: &Path) -> Result<Self> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = rustix::fs::open(destination, flags, Mode::empty())
            .map_err(|error| Error::io("opening the destination", error.into()).path(destination))?;
        check_proc(root.as_fd()).map_err(|_| {
            Error::new(ErrorKind::Unsupported, "a restore needs /proc, which is not mounted here")
                .doing("opening the destination")
                .path(destination)
        })?;
        Ok(Self { root: Some(root), path: destination.to_owned() })
    }

    /// As [`open`](Self::open), or where nothing is there, one in which nothing is.
    pub(super) fn open_if_there(destination: &Path) -> Result<Self> {
        match destination.symlink_metadata() {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Ok(Self { root: None, path: destination.to_owned() })
            }
            _ => Self::open(destination),
        }
    }

    pub(super) fn is_missing(&self) -> bool {
        self.root.is_none()
    }

    pub(crate) fn root(&self) -> rustix::io::Result<BorrowedFd<'_>> {
        self.root.as_ref().map(AsFd::as_fd).ok_or(Errno::NOENT)
    }

    /// A path of the tree as a person finds it, for messages only.
    pub(crate) fn display(&self, path: &[u8]) -> PathBuf {
        if path.is_empty() { self.path.clone() } else { self.path.join(path::to_os(path)) }
    }

    /// Opens a regular file for reading.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::WrongBasis`] when something else is there: it is not opened.
    pub(crate) fn open_file(&self, path: &[u8]) -> Result<File> {
        let io = |error: Errno| Error::io("opening", error.into()).path(self.display(path));
        let pinned = self.pin(path).map_err(io)?;
        if pinned.kind() != Some(EntryKind::File) {
            return Err(Error::new(ErrorKind::WrongBasis, "is no regular file")
                .doing("opening")
                .path(self.display(path))
                .expected(EntryKind::File, pinned.kind().map_or("something else".into(), |kind| kind.to_string())));
        }
        pinned.open().map_err(io)
    }

    /// What is there, unfollowed; `None` when nothing is, or when what should hold it is no directory.
    pub(crate) fn stat(&self, path: &[u8]) -> Result<Option<Stat>> {
        match self.pin(path) {
            Ok(pinned) => Ok(Some(*pinned.stat())),
            Err(error) if leads_nowhere(error) => Ok(None),
            Err(error) => Err(Error::io("looking at", error.into()).path(self.display(path))),
        }
    }

    /// Holds whatever is at a path.
    pub(crate) fn pin(&self, path: &[u8]) -> rustix::io::Result<Pinned> {
        match self.pin_at_once(path) {
            // A directory of ours on the way may not be searched.
            Err(Errno::ACCESS) => {
                let (directory, name) = path::split(path);
                let mut stack = DirectoryStack::new(self)?;
                Pinned::at(stack.reach(directory)?, name)
            }
            held => Pinned::of(held?),
        }
    }

    /// The same, with the permissions of the directories on the way as they are.
    pub(crate) fn pin_untouched(&self, path: &[u8]) -> rustix::io::Result<Pinned> {
        Pinned::of(self.pin_at_once(path)?)
    }

    /// The same, through the links on the way, and through that at its end if that is followed too: of what
    /// the caller means to be read wherever it is.
    pub(crate) fn pin_following(&self, path: &[u8], to_its_end: bool) -> rustix::io::Result<Pinned> {
        let flags = if to_its_end { PIN.difference(OFlags::NOFOLLOW) } else { PIN };
        let held = match path {
            b"" => rustix::io::fcntl_dupfd_cloexec(self.root()?, 0)?,
            _ if path.len() < KERNEL_PATH_MAX => rustix::fs::openat(self.root()?, path, flags, Mode::empty())?,
            _ => self.hold_by_name(path, PIN.difference(OFlags::NOFOLLOW), flags)?,
        };
        Pinned::of(held)
    }

    fn pin_at_once(&self, path: &[u8]) -> rustix::io::Result<OwnedFd> {
        if path.is_empty() {
            return rustix::io::fcntl_dupfd_cloexec(self.root()?, 0);
        }
        if path.len() < KERNEL_PATH_MAX {
            let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
            match rustix::fs::openat2(self.root()?, path, PIN, Mode::empty(), resolve) {
                // An old kernel, or a sandbox that does not know the call.
                Err(Errno::NOSYS | Errno::PERM) => {}
                held => return held,
            }
        }
        self.pin_by_name(path)
    }

    /// The same, on every kernel and for paths of any length.
    pub(super) fn pin_by_name(&self, path: &[u8]) -> rustix::io::Result<OwnedFd> {
        self.hold_by_name(path, PIN, PIN)
    }

    fn hold_by_name(&self, path: &[u8], on_the_way: OFlags, at_its_end: OFlags) -> rustix::io::Result<OwnedFd> {
        let (directory, name) = path::split(path);
        let root = self.root()?;
        let mut held = None::<OwnedFd>;
        for name in directory.split(|&byte| byte == b'/').filter(|name| !name.is_empty()) {
            let above = held.as_ref().map_or(root, AsFd::as_fd);
            held = Some(rustix::fs::openat(above, name, on_the_way | OFlags::DIRECTORY, Mode::empty())?);
        }
        rustix::fs::openat(held.as_ref().map_or(root, AsFd::as_fd), name, at_its_end, Mode::empty())
    }
}

/// Whether an error says that there is nothing at a path, or nothing that a path may lead through.
pub(crate) fn leads_nowhere(error: Errno) -> bool {
    matches!(error, Errno::NOENT | Errno::NOTDIR | Errno::LOOP)
}
