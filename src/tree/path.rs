//! Paths within a tree, and the order in which everything about a tree comes.
//!
//! A path is the names of its components with `/` between them, as bytes: no `/` at either end, and the
//! root is the empty path. A tree is walked depth first, the names of a directory in the order of their
//! bytes, so that a directory comes before what is in it, and what is in it before its next sibling.

use std::cmp::Ordering;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::{Error, ErrorKind, Result};

/// The longest path that is read out of a stream: sixteen times what Linux opens at once.
pub(crate) const PATH_MAX: usize = 64 * 1024;

/// Where a restore keeps what is not of the tree, at the root of its destination; never backed up.
pub(crate) const RESTORE_NAME: &[u8] = b".frazil-restore";

/// The longest name that file systems take.
pub(crate) const NAME_MAX: usize = 255;

/// Compares two paths in the order of a walk: component by component, so `/` is below every other byte.
pub(crate) fn compare(a: &[u8], b: &[u8]) -> Ordering {
    let common = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    match (a.get(common), b.get(common)) {
        (None, None) => Ordering::Equal,
        (None, Some(_)) => Ordering::Less,
        (Some(_), None) => Ordering::Greater,
        (Some(b'/'), Some(_)) => Ordering::Less,
        (Some(_), Some(b'/')) => Ordering::Greater,
        (Some(a), Some(b)) => a.cmp(b),
    }
}

/// Whether `path` is below the directory `directory`, and not that directory itself.
pub(crate) fn is_below(path: &[u8], directory: &[u8]) -> bool {
    if directory.is_empty() {
        return !path.is_empty();
    }
    path.len() > directory.len() && path.starts_with(directory) && path[directory.len()] == b'/'
}

/// The directory that holds `path`, and its last name. The root has no name and is its own parent.
pub(crate) fn split(path: &[u8]) -> (&[u8], &[u8]) {
    match path.iter().rposition(|&byte| byte == b'/') {
        Some(at) => (&path[..at], &path[at + 1..]),
        None => (&[], path),
    }
}

/// Appends a name to the path of a directory.
pub(crate) fn join(directory: &[u8], name: &[u8]) -> Vec<u8> {
    let mut path = Vec::with_capacity(directory.len() + 1 + name.len());
    path.extend_from_slice(directory);
    if !directory.is_empty() {
        path.push(b'/');
    }
    path.extend_from_slice(name);
    path
}

/// As a path of the operating system, relative to the root of the tree; the root itself is `.`.
pub(crate) fn to_os(path: &[u8]) -> PathBuf {
    if path.is_empty() { PathBuf::from(".") } else { Path::new(OsStr::from_bytes(path)).to_owned() }
}

/// Fails unless this is a path that a writer makes: nothing that leads out of the tree, or names a thing
/// in two ways.
pub(crate) fn check(path: &[u8]) -> Result<()> {
    let refuse = |what: &'static str| {
        Err(Error::new(ErrorKind::Corrupt, what)
            .expected("names with a slash between them", format_args!("{:?}", to_os(path))))
    };
    if path.is_empty() {
        return Ok(());
    }
    if path.len() > PATH_MAX {
        return Err(Error::new(ErrorKind::Corrupt, "path is too long")
            .expected(format_args!("at most {PATH_MAX} bytes"), path.len()));
    }
    if path.contains(&0) {
        return refuse("path holds a zero byte");
    }
    for name in path.split(|&byte| byte == b'/') {
        match name {
            b"" => return refuse("path is absolute or has an empty name"),
            b"." | b".." => return refuse("path has a name that stands for another directory"),
            _ if name.len() > NAME_MAX => return refuse("path has a name that is too long"),
            _ => {}
        }
    }
    Ok(())
}

/// Where something stands in the order of a tree.
///
/// A directory stands at two places: where it opens, before what is in it, and where it closes, after.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) path: Vec<u8>,
    pub(crate) closes: bool,
}

impl Position {
    pub(crate) fn opening(path: impl Into<Vec<u8>>) -> Self {
        Self { path: path.into(), closes: false }
    }

    pub(crate) fn closing(path: impl Into<Vec<u8>>) -> Self {
        Self { path: path.into(), closes: true }
    }
}

impl Ord for Position {
    fn cmp(&self, other: &Self) -> Ordering {
        if self.path == other.path {
            return self.closes.cmp(&other.closes);
        }
        if self.closes && is_below(&other.path, &self.path) {
            return Ordering::Greater;
        }
        if other.closes && is_below(&self.path, &other.path) {
            return Ordering::Less;
        }
        compare(&self.path, &other.path)
    }
}

impl PartialOrd for Position {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_comes_before_what_is_in_it_and_closes_after_it() {
        let open = |path: &str| Position::opening(path);
        let close = |path: &str| Position::closing(path);
        let order = [
            open(""),
            open("a"),
            open("a/b"),
            open("a/b/c"),
            close("a/b"),
            open("a/c"),
            close("a"),
            open("a!"),
            open("a-b"),
            open("ab"),
            close("ab"),
            open("\u{e4}"),
            close(""),
        ];
        for (i, a) in order.iter().enumerate() {
            for (j, b) in order.iter().enumerate() {
                assert_eq!(a.cmp(b), i.cmp(&j), "{a:?} and {b:?}");
            }
        }
    }

    #[test]
    fn a_slash_is_below_every_other_byte() {
        assert_eq!(compare(b"a/z", b"a\x01"), Ordering::Less);
        assert_eq!(compare(b"a", b"a/z"), Ordering::Less);
        assert_eq!(compare(b"b", b"a/z"), Ordering::Greater);
    }

    #[test]
    fn what_no_writer_makes_is_refused() {
        let long = [b'n'; NAME_MAX + 1];
        for path in ["/a", "a/", "a//b", ".", "..", "a/..", "../a", "a/./b", "a\0b"] {
            assert_eq!(check(path.as_bytes()).unwrap_err().kind(), ErrorKind::Corrupt, "{path:?}");
        }
        assert_eq!(check(&long).unwrap_err().kind(), ErrorKind::Corrupt);
        for path in [&b""[..], b"a", b"a/b", b"...", b"a/..b", b"\xff\n %", &long[1..]] {
            check(path).unwrap();
        }
    }
}
