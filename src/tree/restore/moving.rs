//! Into a place by a rename, over what is there or only where nothing is; and names taken away.

use std::os::fd::BorrowedFd;

use rustix::fs::{AtFlags, RenameFlags, renameat, renameat_with, statat, unlinkat};
use rustix::io::Errno;

use super::dress::inode_of;
use super::flags::unlocking;
use crate::{Error, ErrorKind, Result};

/// What may be in the place of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Nothing: it was so when that was looked at, and what has come since is somebody else's.
    Free,
    /// What the parent level had there, or what the caller wants replaced.
    Replace,
}

/// Renames; over whatever is there if that is to be replaced, when an empty directory makes way too.
///
/// # Errors
///
/// [`ErrorKind::Exists`] when something is there that is not to be replaced.
pub(super) fn move_to(
    step: &mut dyn FnMut() -> Result<()>,
    (from, staged): (BorrowedFd<'_>, &[u8]),
    (directory, name): (BorrowedFd<'_>, &[u8]),
    way: Way,
) -> Result<()> {
    let rename = || match way {
        Way::Free => unlocking(directory, &[b""], || rename_to_free((from, staged), (directory, name))),
        Way::Replace => unlocking(directory, &[name, b""], || renameat(from, staged, directory, name)),
    };
    let failed = |error: Errno| match error {
        Errno::XDEV => Error::io("publishing across a mount point in the destination, to", error.into()),
        error => Error::io("publishing", error.into()),
    };
    step()?;
    match rename() {
        Err(Errno::EXIST) if way == Way::Free => Err(in_the_way()),
        Err(Errno::ISDIR | Errno::EXIST | Errno::NOTEMPTY) => {
            step()?;
            remove(directory, name, AtFlags::REMOVEDIR)?;
            step()?;
            rename().map_err(failed)
        }
        renamed => renamed.map_err(failed),
    }
}

fn rename_to_free(from: (BorrowedFd<'_>, &[u8]), to: (BorrowedFd<'_>, &[u8])) -> rustix::io::Result<()> {
    match renameat_with(from.0, from.1, to.0, to.1, RenameFlags::NOREPLACE) {
        // The file system, or the kernel, cannot do it at once.
        Err(Errno::INVAL | Errno::NOSYS) => look_and_rename(from, to),
        renamed => renamed,
    }
}

/// The same in two steps, between which something may still come.
fn look_and_rename(from: (BorrowedFd<'_>, &[u8]), to: (BorrowedFd<'_>, &[u8])) -> rustix::io::Result<()> {
    match statat(to.0, to.1, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(_) => Err(Errno::EXIST),
        Err(Errno::NOENT) => renameat(from.0, from.1, to.0, to.1),
        Err(error) => Err(error),
    }
}

/// Whether two names are of one entry.
pub(super) fn is_same(a: (BorrowedFd<'_>, &[u8]), b: (BorrowedFd<'_>, &[u8])) -> bool {
    let inode = |(directory, name)| statat(directory, name, AtFlags::SYMLINK_NOFOLLOW).map(|found| inode_of(&found));
    inode(a).is_ok_and(|a| inode(b) == Ok(a))
}

pub(super) fn in_the_way() -> Error {
    let what = "something came there since the level was checked, and was not to be replaced";
    Error::new(ErrorKind::Exists, what).doing("publishing")
}

/// Removes one name; that it is gone already is as good.
pub(super) fn remove(directory: BorrowedFd<'_>, name: &[u8], flags: AtFlags) -> Result<()> {
    match unlocking(directory, &[name, b""], || unlinkat(directory, name, flags)) {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(Errno::EXIST | Errno::NOTEMPTY) => {
            let what = "something that is not of this tree is in the directory, and stays";
            Err(Error::new(ErrorKind::Exists, what).doing("removing"))
        }
        Err(error) => Err(Error::io("removing", error.into())),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::fd::AsFd;

    use super::*;

    #[test]
    fn nothing_is_renamed_over_what_is_there_with_help_of_the_file_system_or_without() {
        for rename in [rename_to_free, look_and_rename] {
            let dir = tempfile::tempdir().unwrap();
            let directory = fs::File::open(dir.path()).unwrap();
            let at = |name: &'static [u8]| (directory.as_fd(), name);
            fs::write(dir.path().join("new"), "new").unwrap();
            fs::write(dir.path().join("there"), "there").unwrap();
            std::os::unix::fs::symlink("nowhere", dir.path().join("link")).unwrap();
            for there in [&b"there"[..], b"link", b"."] {
                assert!(rename(at(b"new"), at(there)).is_err());
            }
            assert_eq!(rename(at(b"new"), at(b"there")), Err(Errno::EXIST));
            assert_eq!(fs::read(dir.path().join("there")).unwrap(), b"there");
            rename(at(b"new"), at(b"free")).unwrap();
            assert_eq!(fs::read(dir.path().join("free")).unwrap(), b"new");
            assert_eq!(rename(at(b"new"), at(b"another")), Err(Errno::NOENT));
        }
    }
}
