//! The one directory in a destination that is frazil's own.

use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{AtFlags, CWD, Dir, FlockOperation, Mode, OFlags, Timespec, Timestamps, UTIME_OMIT};
use rustix::io::Errno;

use super::confined::Confined;
use super::flags::{LOCKS, set_flags, unlock};
use super::pinned::{Pinned, permissions};
use super::stack::DirectoryStack;
use crate::tree::metadata::EntryKind;
use crate::tree::path::{self, RESTORE_NAME};
use crate::{Error, ErrorKind, Result};

pub(super) const STATE: &[u8] = b"state";
pub(super) const NEW_STATE: &[u8] = b"state.new";
pub(super) const JOURNAL: &[u8] = b"journal";
pub(super) const STAGE: &[u8] = b"stage";

/// `.frazil-restore`, which is closed to all others, and held by one run at a time.
#[derive(Debug)]
pub(crate) struct Private {
    directory: OwnedFd,
    path: std::path::PathBuf,
}

impl Drop for Private {
    /// Gives the lock back by itself: a process that another thread is just starting may hold the same
    /// descriptor for a moment longer, and the lock with it.
    fn drop(&mut self) {
        let _ = rustix::fs::flock(&self.directory, FlockOperation::Unlock);
    }
}

impl Private {
    /// `None` when the destination has none.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] when something is there that is not ours, [`ErrorKind::State`] when
    /// another run holds it.
    pub(crate) fn open(destination: &Confined) -> Result<Option<Self>> {
        let path = destination.display(RESTORE_NAME);
        let failed = |error: Errno| Error::io("opening", error.into()).path(&path);
        let refused = |what| Error::new(ErrorKind::InvalidInput, what).doing("opening").path(&path);
        let entry = match destination.pin(RESTORE_NAME) {
            Ok(entry) => entry,
            Err(Errno::NOENT) => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        let (owner, user) = (entry.stat().st_uid, rustix::process::geteuid().as_raw());
        if entry.kind() != Some(EntryKind::Directory) {
            return Err(refused("is no directory, and so not of a restore"));
        }
        if owner != user {
            return Err(refused("belongs to another user").expected(user, owner));
        }
        if entry.stat().st_mode & 0o077 != 0 {
            let mode = permissions(entry.stat().st_mode);
            return Err(refused("is open to other users").expected("mode 700", format_args!("mode {mode:o}")));
        }
        let directory = OwnedFd::from(entry.open().map_err(failed)?);
        match rustix::fs::flock(&directory, FlockOperation::NonBlockingLockExclusive) {
            Err(Errno::WOULDBLOCK) => {
                let what = "another restore is at work in this destination";
                Err(Error::new(ErrorKind::State, what).doing("opening").path(&path))
            }
            // Some network file systems have no locks.
            _ => Ok(Some(Self { directory, path })),
        }
    }

    /// Opens it, and makes it when it is missing.
    pub(crate) fn create(destination: &Confined) -> Result<Self> {
        if let Some(there) = Self::open(destination)? {
            return Ok(there);
        }
        let path = destination.display(RESTORE_NAME);
        changing_root(destination, |root| {
            rustix::fs::mkdirat(root, RESTORE_NAME, Mode::RWXU)?;
            // Whatever the umask took away.
            let made = rustix::fs::openat(root, RESTORE_NAME, DIRECTORY, Mode::empty())?;
            rustix::fs::fchmod(made, Mode::RWXU)
        })
        .map_err(|error| Error::io("making the directory", error.into()).path(&path))?;
        Self::open(destination)?
            .ok_or_else(|| Error::io("opening", std::io::ErrorKind::NotFound.into()).path(destination.display(b"")))
    }

    /// Removes it with all that frazil put there; a name that frazil does not give is a failure.
    ///
    /// The destination's own time and flags stay what they were.
    pub(crate) fn remove(self, destination: &Confined) -> Result<()> {
        self.drop_work()?;
        self.unlink(STATE)?;
        changing_root(destination, |root| rustix::fs::unlinkat(root, RESTORE_NAME, AtFlags::REMOVEDIR))
            .map_err(|error| Error::io("removing the directory", error.into()).path(&self.path))
    }

    /// Removes stage and journal, and a state that did not come to be recorded.
    pub(crate) fn drop_work(&self) -> Result<()> {
        self.unlink(NEW_STATE)?;
        // First, so that no journal is ever without its stage.
        self.unlink(JOURNAL)?;
        let failed = |error: Errno| Error::io("removing the stage", error.into()).path(self.display(STAGE));
        let stage = match rustix::fs::openat(&self.directory, STAGE, DIRECTORY, Mode::empty()) {
            Ok(stage) => stage,
            Err(Errno::NOENT) => return Ok(()),
            Err(error) => return Err(failed(error)),
        };
        empty_stage(&stage).map_err(failed)?;
        rustix::fs::unlinkat(&self.directory, STAGE, AtFlags::REMOVEDIR).map_err(failed)
    }

    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.directory.as_fd()
    }

    pub(super) fn display(&self, name: &[u8]) -> std::path::PathBuf {
        self.path.join(path::to_os(name))
    }

    /// Makes the names in it durable.
    pub(super) fn flush(&self) -> Result<()> {
        rustix::fs::fsync(&self.directory).map_err(|error| Error::io("flushing", error.into()).path(&self.path))
    }

    /// Opens a file of ours for reading; `None` when it is not there.
    pub(super) fn read(&self, name: &[u8]) -> Result<Option<File>> {
        match rustix::fs::openat(&self.directory, name, OFlags::RDONLY | CLOSED, Mode::empty()) {
            Ok(file) => Ok(Some(file.into())),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(Error::io("opening", error.into()).path(self.display(name))),
        }
    }

    /// Opens an empty file of ours for writing.
    pub(super) fn write(&self, name: &[u8]) -> Result<File> {
        self.unlink(name)?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | CLOSED;
        rustix::fs::openat(&self.directory, name, flags, Mode::RUSR | Mode::WUSR)
            .map(File::from)
            .map_err(|error| Error::io("creating", error.into()).path(self.display(name)))
    }

    fn unlink(&self, name: &[u8]) -> Result<()> {
        match rustix::fs::unlinkat(&self.directory, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(Error::io("removing", error.into()).path(self.display(name))),
        }
    }
}

/// Fails for a path that leads to what is not of the tree but of frazil.
pub(super) fn check_outside(path: &[u8]) -> Result<()> {
    if path == RESTORE_NAME || path::is_below(path, RESTORE_NAME) {
        return Err(Error::new(ErrorKind::Corrupt, "path is that of a restore's own directory").path(path::to_os(path)));
    }
    Ok(())
}

const CLOSED: OFlags = OFlags::NOFOLLOW.union(OFlags::CLOEXEC);
pub(super) const DIRECTORY: OFlags = OFlags::DIRECTORY.union(CLOSED);

/// Removes the shards of a stage with what is in them, and nothing that is not named as the stage does.
fn empty_stage(stage: &OwnedFd) -> rustix::io::Result<()> {
    for name in names(stage)? {
        let shard = match rustix::fs::openat(stage, name.as_slice(), DIRECTORY, Mode::empty()) {
            Ok(shard) => shard,
            // A link on its way to its place.
            Err(Errno::NOTDIR | Errno::LOOP) => {
                rustix::fs::unlinkat(stage, name.as_slice(), AtFlags::empty())?;
                continue;
            }
            Err(error) => return Err(error),
        };
        for name in names(&shard)? {
            rustix::fs::unlinkat(&shard, name.as_slice(), AtFlags::empty())?;
        }
        rustix::fs::unlinkat(stage, name.as_slice(), AtFlags::REMOVEDIR)?;
    }
    Ok(())
}

/// The names in a directory that are numbers or the stage's link, all at once: removing names while they
/// are read hides some on some file systems.
fn names(directory: &OwnedFd) -> rustix::io::Result<Vec<Vec<u8>>> {
    let mut names = Vec::new();
    for entry in Dir::read_from(directory)? {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if name == super::stage::LINK || name.iter().all(u8::is_ascii_digit) {
            names.push(name.to_vec());
        }
    }
    Ok(names)
}

/// Changes a name in the destination itself, whose time and flags stay what they were.
fn changing_root(
    destination: &Confined,
    mut change: impl FnMut(BorrowedFd<'_>) -> rustix::io::Result<()>,
) -> rustix::io::Result<()> {
    let mut stack = DirectoryStack::new(destination)?;
    let root = stack.reach_to_change()?;
    let pinned = Pinned::at(root, b"")?;
    let flags = unlock(&pinned)?;
    let changed = change(root);
    let times = Timestamps {
        last_access: Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT },
        last_modification: Timespec {
            tv_sec: pinned.stat().st_mtime,
            // The kernel keeps it below 10^9, whatever its type is here.
            tv_nsec: pinned.stat().st_mtime_nsec as _,
        },
    };
    let timed = match rustix::fs::utimensat(CWD, pinned.path(), &times, AtFlags::empty()) {
        // A destination that belongs to somebody else has its own time.
        Err(Errno::PERM | Errno::ACCESS) => Ok(()),
        timed => timed,
    };
    if !flags.is_empty() {
        set_flags(&pinned, flags, LOCKS)?;
    }
    changed.and(timed)
}
