//! What `stat` does not say: extended attributes, with the ACLs among them, and flags.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

use rustix::buffer::spare_capacity;
use rustix::fs::{IFlags, fgetxattr, flistxattr, ioctl_getflags, lgetxattr, llistxattr};
use rustix::io::Errno;

use super::codec::{ATTRIBUTES_MAX, PutFields};
use super::metadata::Attributes;
use crate::format::{Leaf, leaf_of};
use crate::{Error, ErrorKind, Result};

/// The flags that say what somebody wants of a file. Others say how a file system happens to store it,
/// and differ after a restore to another.
pub(crate) const INTENT: IFlags = IFlags::SECURE_REMOVAL
    .union(IFlags::UNRM)
    .union(IFlags::COMPRESSED)
    .union(IFlags::SYNC)
    .union(IFlags::IMMUTABLE)
    .union(IFlags::APPEND)
    .union(IFlags::NODUMP)
    .union(IFlags::NOATIME)
    .union(IFlags::DIRSYNC)
    .union(IFlags::TOPDIR)
    .union(IFlags::NOCOW)
    .union(IFlags::JOURNALING)
    .union(IFlags::NOTAIL);

/// Enough for the attributes of nearly every file at the first try.
const BUFFER_LEN: usize = 1024;

/// The attributes of an open file or directory, and the first failure: what could be read is there beside
/// it. The error does not name the file.
pub(crate) fn of_file(file: BorrowedFd<'_>) -> (Attributes, Option<Error>) {
    read(|list| flistxattr(file, spare_capacity(list)), |name, value| fgetxattr(file, name, spare_capacity(value)))
}

/// The attributes of what cannot or must not be opened: links, pipes, devices. The kernel has no call for
/// a name in a directory before Linux 6.13, so the path goes through `/proc`, the last name not followed.
pub(crate) fn of_name(directory: BorrowedFd<'_>, name: &[u8]) -> (Attributes, Option<Error>) {
    let mut path = format!("/proc/self/fd/{}/", directory.as_raw_fd()).into_bytes();
    path.extend_from_slice(name);
    let path = path.as_slice();
    read(|list| llistxattr(path, spare_capacity(list)), |name, value| lgetxattr(path, name, spare_capacity(value)))
}

fn read(
    mut list: impl FnMut(&mut Vec<u8>) -> rustix::io::Result<usize>,
    mut get: impl FnMut(&[u8], &mut Vec<u8>) -> rustix::io::Result<usize>,
) -> (Attributes, Option<Error>) {
    let mut attributes = Attributes::new();
    let mut problem = None;
    let names = match grown(&mut list) {
        Ok(names) => names,
        Err(Errno::NOTSUP | Errno::NOSYS) => return (attributes, None),
        Err(errno) => return (attributes, Some(Error::io("listing extended attributes of", errno.into()))),
    };
    let mut names: Vec<&[u8]> = names.split(|&byte| byte == 0).filter(|name| !name.is_empty()).collect();
    names.sort_unstable();
    names.dedup();
    let mut total = 0;
    for name in names {
        let failed = match grown(|value| get(name, value)) {
            Ok(value) => {
                total += name.len() + value.len();
                if total <= ATTRIBUTES_MAX {
                    attributes.push((name.to_vec(), value));
                    continue;
                }
                let what = format!("extended attributes of more than {ATTRIBUTES_MAX} bytes");
                return (attributes, Some(Error::new(ErrorKind::Limit, what)));
            }
            // It was taken away between the two calls.
            Err(Errno::NODATA) => continue,
            Err(errno) => Error::io(format!("reading the attribute {} of", name.escape_ascii()), errno.into()),
        };
        problem.get_or_insert(failed);
    }
    (attributes, problem)
}

/// Calls with ever more room until what there is fits.
pub(crate) fn grown(mut call: impl FnMut(&mut Vec<u8>) -> rustix::io::Result<usize>) -> rustix::io::Result<Vec<u8>> {
    let mut buffer = Vec::with_capacity(BUFFER_LEN);
    loop {
        match call(&mut buffer) {
            Err(Errno::RANGE) if buffer.capacity() <= ATTRIBUTES_MAX => buffer.reserve(buffer.capacity() * 4),
            result => {
                buffer.shrink_to_fit();
                return result.map(|_| buffer);
            }
        }
    }
}

/// The flags of an open file or directory; 0 where the file system has none. Never for a device, whose
/// driver would take the call for one of its own.
pub(crate) fn flags(file: BorrowedFd<'_>) -> Result<u32> {
    match ioctl_getflags(file) {
        Ok(flags) => Ok((flags & INTENT).bits()),
        Err(Errno::NOTTY | Errno::NOTSUP | Errno::INVAL | Errno::NOSYS) => Ok(0),
        Err(errno) => Err(Error::io("reading the flags of", io::Error::from(errno))),
    }
}

/// What tells attributes apart in a snapshot; `None` when there are none.
pub(crate) fn digest(attributes: &Attributes) -> Option<Leaf> {
    if attributes.is_empty() {
        return None;
    }
    let mut encoded = Vec::new();
    encoded.put_attributes(attributes);
    Some(leaf_of(&encoded))
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::os::fd::AsFd;
    use std::os::unix::fs::symlink;

    use rustix::fs::{CWD, FileType, Mode, XattrFlags, fsetxattr, ioctl_setflags, lsetxattr, mknodat};

    use super::*;

    /// Whether the file system of the temporary directory has attributes of users at all.
    fn set(file: &File, name: &str, value: &[u8]) -> bool {
        match fsetxattr(file, name, value, XattrFlags::empty()) {
            Ok(()) => true,
            Err(Errno::NOTSUP) => false,
            Err(errno) => panic!("{errno}"),
        }
    }

    /// Without those that the system sets by itself.
    fn of_users((mut attributes, problem): (Attributes, Option<Error>)) -> Attributes {
        assert!(problem.is_none(), "{problem:?}");
        attributes.retain(|(name, _)| !name.starts_with(b"security."));
        attributes
    }

    #[test]
    fn attributes_come_in_the_order_of_their_names_whatever_their_length() {
        let dir = tempfile::tempdir().unwrap();
        let file = File::create(dir.path().join("file")).unwrap();
        assert_eq!(of_users(of_file(file.as_fd())), []);
        let long = vec![7; 3_000];
        if !set(&file, "user.z", b"\0\xff") {
            return;
        }
        assert!(set(&file, "user.a b", &long) && set(&file, "user.empty", b""));
        let expected = [
            (b"user.a b".to_vec(), long),
            (b"user.empty".to_vec(), Vec::new()),
            (b"user.z".to_vec(), b"\0\xff".to_vec()),
        ];
        assert_eq!(of_users(of_file(file.as_fd())), expected);
        let directory = File::open(dir.path()).unwrap();
        assert_eq!(of_users(of_name(directory.as_fd(), b"file")), expected);
    }

    #[test]
    fn an_acl_is_among_the_attributes() {
        let file = tempfile::tempfile().unwrap();
        // Version 2; user::rw-, user:7:r--, group::r--, mask::r--, other::---.
        let mut acl = vec![2, 0, 0, 0];
        for (tag, permissions, id) in
            [(1, 6, u32::MAX), (2, 4, 7), (4, 4, u32::MAX), (16, 4, u32::MAX), (32, 0, u32::MAX)]
        {
            acl.extend_from_slice(&[tag, 0, permissions, 0]);
            acl.extend_from_slice(&id.to_le_bytes());
        }
        if set(&file, "system.posix_acl_access", &acl) {
            assert_eq!(of_users(of_file(file.as_fd())), [(b"system.posix_acl_access".to_vec(), acl)]);
        }
    }

    #[test]
    fn a_link_is_asked_itself_and_a_pipe_is_not_opened() {
        let dir = tempfile::tempdir().unwrap();
        let directory = File::open(dir.path()).unwrap();
        let file = File::create(dir.path().join("file")).unwrap();
        if !set(&file, "user.a", b"1") {
            return;
        }
        symlink("file", dir.path().join("link")).unwrap();
        symlink("nowhere", dir.path().join("dangling")).unwrap();
        mknodat(CWD, dir.path().join("pipe"), FileType::Fifo, Mode::RUSR, 0).unwrap();
        for name in [&b"link"[..], b"dangling", b"pipe"] {
            assert_eq!(of_users(of_name(directory.as_fd(), name)), []);
        }
        // Only the privileged can give a link an attribute.
        match lsetxattr(dir.path().join("link"), "trusted.a", b"2", XattrFlags::empty()) {
            Ok(()) => {
                assert_eq!(of_users(of_name(directory.as_fd(), b"link")), [(b"trusted.a".to_vec(), b"2".to_vec())]);
            }
            Err(errno) => assert!(matches!(errno, Errno::PERM | Errno::NOTSUP), "{errno}"),
        }
    }

    #[test]
    fn an_attribute_that_cannot_be_read_is_reported_beside_the_others() {
        let list = |names: &mut Vec<u8>| {
            names.extend_from_slice(b"user.c\0user.gone\0user.bad\0user.a\0user.a\0");
            Ok(0)
        };
        let (attributes, problem) = read(list, |name, value| match name {
            b"user.gone" => Err(Errno::NODATA),
            b"user.bad" => Err(Errno::IO),
            _ => {
                value.push(1);
                Ok(1)
            }
        });
        assert_eq!(attributes, [(b"user.a".to_vec(), vec![1]), (b"user.c".to_vec(), vec![1])]);
        assert_eq!(problem.unwrap().to_string(), "reading the attribute user.bad of: Input/output error (os error 5)");
        let (none, problem) = read(|_| Err(Errno::NOTSUP), |_, _| Err(Errno::IO));
        assert!(none.is_empty() && problem.is_none());
        let (none, problem) = read(|_| Err(Errno::ACCESS), |_, _| Err(Errno::IO));
        assert!(none.is_empty() && problem.is_some());
    }

    #[test]
    fn attributes_beyond_the_limit_are_refused() {
        let list = |names: &mut Vec<u8>| {
            names.extend_from_slice(b"user.a\0user.b\0");
            Ok(0)
        };
        let (attributes, problem) = read(list, |_, value| {
            value.resize(ATTRIBUTES_MAX / 2, 0);
            Ok(0)
        });
        assert_eq!((attributes.len(), problem.unwrap().kind()), (1, ErrorKind::Limit));
    }

    #[test]
    fn flags_are_those_of_intent_and_none_where_there_are_none() {
        assert_eq!(flags(File::open("/proc/self/status").unwrap().as_fd()).unwrap(), 0);
        let file = tempfile::NamedTempFile::new().unwrap();
        let Ok(before) = ioctl_getflags(&file) else { return };
        if ioctl_setflags(&file, before | IFlags::NODUMP | IFlags::NOATIME).is_ok() {
            // ext4 adds EXTENTS, which is no one's wish.
            assert_eq!(flags(file.as_file().as_fd()).unwrap(), (IFlags::NODUMP | IFlags::NOATIME).bits());
        }
    }

    #[test]
    fn a_digest_tells_attributes_apart_and_none_from_some() {
        let one = |name: &[u8], value: &[u8]| vec![(name.to_vec(), value.to_vec())];
        assert_eq!(digest(&Attributes::new()), None);
        assert_eq!(digest(&one(b"a", b"b")), digest(&one(b"a", b"b")));
        assert_ne!(digest(&one(b"ab", b"")), digest(&one(b"a", b"b")));
    }
}
