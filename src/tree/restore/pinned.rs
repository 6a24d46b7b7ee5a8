//! One entry, held without being opened.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use rustix::fs::{AtFlags, CWD, Mode, OFlags, Stat, StatxAttributes, StatxFlags, Timestamps};
use rustix::io::Errno;

use crate::tree::metadata::EntryKind;

/// Opens nothing: a pipe does not wait, a device does nothing, and a link is held itself.
pub(crate) const PIN: OFlags = OFlags::PATH.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// The permissions in a mode, with its set-id and sticky bits.
const PERMISSIONS: u32 = 0o7777;

/// An entry of any kind, held by a descriptor through which nothing is read or written.
///
/// Whatever happens to its name, what is done here is done to this entry: the path beneath `/proc` leads
/// to what the descriptor holds, also to a symbolic link, and no further.
#[derive(Debug)]
pub(crate) struct Pinned {
    held: OwnedFd,
    stat: Stat,
    is_open: bool,
}

impl Pinned {
    /// The entry of this one name in a directory; the directory itself when the name is empty.
    pub(crate) fn at(directory: BorrowedFd<'_>, name: &[u8]) -> rustix::io::Result<Self> {
        let name = if name.is_empty() { b"." } else { name };
        Self::of(rustix::fs::openat(directory, name, PIN, Mode::empty())?)
    }

    pub(crate) fn of(held: OwnedFd) -> rustix::io::Result<Self> {
        let stat = rustix::fs::fstat(&held)?;
        Ok(Self { held, stat, is_open: false })
    }

    /// A regular file that was made here, in a directory that is closed to all others, opened for reading:
    /// what is done to it then takes no path.
    pub(super) fn opened(directory: BorrowedFd<'_>, name: &[u8]) -> rustix::io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        Ok(Self { is_open: true, ..Self::of(rustix::fs::openat(directory, name, flags, Mode::empty())?)? })
    }

    /// As it was when it was pinned.
    pub(crate) fn stat(&self) -> &Stat {
        &self.stat
    }

    /// `None` for a socket, and for what no system has today.
    pub(crate) fn kind(&self) -> Option<EntryKind> {
        EntryKind::of_mode(self.stat.st_mode)
    }

    /// Whether it had more names than one.
    pub(crate) fn has_other_names(&self) -> bool {
        self.stat.st_nlink > 1 && self.kind() != Some(EntryKind::Directory)
    }

    /// The path that leads to it, whatever its name is now.
    pub(crate) fn path(&self) -> String {
        proc_path(self.held.as_fd())
    }

    pub(crate) fn as_fd(&self) -> BorrowedFd<'_> {
        self.held.as_fd()
    }

    /// What it is opened by, if it is.
    pub(super) fn as_opened(&self) -> Option<BorrowedFd<'_>> {
        self.is_open.then_some(self.held.as_fd())
    }

    /// Sets the permissions; it is no symbolic link.
    pub(super) fn set_mode(&self, mode: u32) -> rustix::io::Result<()> {
        match self.as_opened() {
            Some(file) => rustix::fs::fchmod(file, Mode::from_raw_mode(mode)),
            None => chmod(self.as_fd(), mode),
        }
    }

    pub(super) fn set_times(&self, times: &Timestamps) -> rustix::io::Result<()> {
        match self.as_opened() {
            Some(file) => rustix::fs::futimens(file, times),
            None => rustix::fs::utimensat(CWD, self.path(), times, AtFlags::empty()),
        }
    }

    /// Opens a file or directory for reading; never anything else.
    ///
    /// An owner who may not read gives himself the permission for a moment.
    pub(crate) fn open(&self) -> rustix::io::Result<File> {
        match self.open_by(OFlags::empty()) {
            Err(Errno::ACCESS) if is_ours(&self.stat) => {
                // Not the mode of when it was pinned, which may have been changed through this very entry.
                let mode = permissions(rustix::fs::fstat(&self.held)?.st_mode);
                chmod(self.as_fd(), mode | 0o400)?;
                let opened = self.open_by(OFlags::empty());
                chmod(self.as_fd(), mode)?;
                opened
            }
            opened => opened,
        }
    }

    /// As [`Pinned::open`], with the permissions as they are, and if it may be without a trace of when it was
    /// read.
    pub(crate) fn open_untouched(&self) -> rustix::io::Result<File> {
        match self.open_by(OFlags::NOATIME) {
            // Only the owner may leave none.
            Err(Errno::PERM) => self.open_by(OFlags::empty()),
            opened => opened,
        }
    }

    fn open_by(&self, flags: OFlags) -> rustix::io::Result<File> {
        let kind = match self.kind() {
            Some(EntryKind::File) => OFlags::NONBLOCK,
            Some(EntryKind::Directory) => OFlags::DIRECTORY,
            _ => return Err(Errno::INVAL),
        };
        rustix::fs::open(self.path(), OFlags::RDONLY | OFlags::CLOEXEC | kind | flags, Mode::empty()).map(File::from)
    }

    /// Whether a flag forbids to change, to rename and to delete it, even to root. Where the file system
    /// does not say, nothing does.
    pub(crate) fn is_locked(&self) -> bool {
        let locks = StatxAttributes::IMMUTABLE | StatxAttributes::APPEND;
        rustix::fs::statx(&self.held, c"", AtFlags::EMPTY_PATH, StatxFlags::empty())
            .is_ok_and(|found| found.stx_attributes.intersects(locks))
    }
}

/// The permissions in a mode, without the kind.
pub(crate) fn permissions(mode: u32) -> u32 {
    mode & PERMISSIONS
}

/// Whether we own it and are not root, who needs no permission.
pub(crate) fn is_ours(stat: &Stat) -> bool {
    let user = rustix::process::geteuid();
    !user.is_root() && stat.st_uid == user.as_raw()
}

/// Sets the permissions of what is held, opened or not; it is no symbolic link.
pub(crate) fn chmod(held: BorrowedFd<'_>, mode: u32) -> rustix::io::Result<()> {
    rustix::fs::chmod(proc_path(held), Mode::from_raw_mode(mode))
}

pub(crate) fn proc_path(held: BorrowedFd<'_>) -> String {
    format!("/proc/self/fd/{}", held.as_raw_fd())
}

/// Fails where the paths of descriptors lead nowhere, before they are needed.
pub(crate) fn check_proc(held: BorrowedFd<'_>) -> io::Result<()> {
    let (direct, by_path) = (rustix::fs::fstat(held)?, rustix::fs::stat(proc_path(held))?);
    if (direct.st_dev, direct.st_ino) == (by_path.st_dev, by_path.st_ino) {
        return Ok(());
    }
    Err(io::Error::from(io::ErrorKind::NotFound))
}
