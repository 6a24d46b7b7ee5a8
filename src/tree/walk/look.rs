//! One name in one directory: what it is, and opening it.

use std::os::fd::{BorrowedFd, OwnedFd};

use rustix::fs::{AtFlags, Mode, OFlags, fstat, openat, statat};
use rustix::io::Errno;

use crate::tree::metadata::EntryKind;
use crate::tree::stat::Stat;

/// What a name stands for; and where it is a link that is followed, what is known of the link.
pub(super) fn look(
    directory: BorrowedFd<'_>,
    name: &[u8],
    dereference: bool,
) -> rustix::io::Result<(Stat, Option<Stat>)> {
    let stat = Stat::from(statat(directory, name, AtFlags::SYMLINK_NOFOLLOW)?);
    if !dereference || !stat.is(EntryKind::Symlink) {
        return Ok((stat, None));
    }
    match statat(directory, name, AtFlags::empty()) {
        Ok(followed) => Ok((followed.into(), Some(stat))),
        // It leads nowhere, or round in circles.
        Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::NAMETOOLONG) => Ok((stat, None)),
        Err(errno) => Err(errno),
    }
}

pub(super) fn open_directory(
    directory: BorrowedFd<'_>,
    name: &[u8],
    flags: OFlags,
) -> rustix::io::Result<(OwnedFd, Stat)> {
    let descriptor = open(directory, name, flags)?;
    let stat = fstat(&descriptor)?;
    Ok((descriptor, stat.into()))
}

/// Opens what was a file for reading. Another may have taken its place since: the caller compares.
pub(super) fn open_file(directory: BorrowedFd<'_>, name: &[u8], dereference: bool) -> rustix::io::Result<OwnedFd> {
    // What was a file may be a pipe by now, which must not hold up the backup.
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    open(directory, name, if dereference { flags } else { flags | OFlags::NOFOLLOW })
}

/// Opens for reading, if it may be without a trace of when it was read.
pub(super) fn open(directory: BorrowedFd<'_>, name: &[u8], flags: OFlags) -> rustix::io::Result<OwnedFd> {
    let flags = flags | OFlags::RDONLY | OFlags::CLOEXEC;
    match openat(directory, name, flags | OFlags::NOATIME, Mode::empty()) {
        // Only the owner may leave none.
        Err(Errno::PERM) => openat(directory, name, flags, Mode::empty()),
        result => result,
    }
}
