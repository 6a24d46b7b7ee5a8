//! The flags of files and directories, as `FS_IOC_SETFLAGS` sets them.

use std::os::fd::{AsFd, BorrowedFd};

use rustix::fs::{IFlags, ioctl_getflags, ioctl_setflags};
use rustix::io::Errno;

use super::pinned::Pinned;

/// Those that forbid renaming. They are set in the entry's last place and not before.
pub(crate) const LOCKS: IFlags = IFlags::IMMUTABLE.union(IFlags::APPEND);

/// Sets those flags of `mask` that are `wanted`, clears the others of it, and gives what there was.
pub(crate) fn set_flags(entry: &Pinned, wanted: IFlags, mask: IFlags) -> rustix::io::Result<IFlags> {
    match entry.as_opened() {
        Some(file) => set(file, wanted, mask),
        None => set(entry.open()?.as_fd(), wanted, mask),
    }
}

fn set(file: BorrowedFd<'_>, wanted: IFlags, mask: IFlags) -> rustix::io::Result<IFlags> {
    let found = ioctl_getflags(file)?;
    let flags = (found - mask) | (wanted & mask);
    if flags != found {
        ioctl_setflags(file, flags)?;
    }
    Ok(found)
}

/// Clears the flags that forbid changes, and says which they were.
pub(crate) fn unlock(entry: &Pinned) -> rustix::io::Result<IFlags> {
    if entry.is_locked() { Ok(set_flags(entry, IFlags::empty(), LOCKS)? & LOCKS) } else { Ok(IFlags::empty()) }
}

/// Does something to names in a directory, and does it once more when flags forbade it: those of the
/// entries named, or of the directory itself (the empty name).
///
/// A file keeps its flags under the other names that it has: what happens to this one says nothing of them.
pub(crate) fn unlocking<T>(
    directory: BorrowedFd<'_>,
    names: &[&[u8]],
    mut work: impl FnMut() -> rustix::io::Result<T>,
) -> rustix::io::Result<T> {
    match work() {
        Err(Errno::PERM) => {
            let mut cleared = Vec::new();
            for name in names {
                let unlocked = Pinned::at(directory, name).and_then(|entry| Ok((unlock(&entry)?, entry)));
                cleared.extend(unlocked.ok().filter(|(flags, _)| !flags.is_empty()));
            }
            if cleared.is_empty() {
                return Err(Errno::PERM);
            }
            let done = work();
            for (flags, entry) in cleared.iter().filter(|(_, entry)| entry.has_other_names()) {
                set_flags(entry, *flags, LOCKS)?;
            }
            done
        }
        done => done,
    }
}
