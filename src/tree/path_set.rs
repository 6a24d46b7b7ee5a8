//! Paths of any number, remembered in bounded memory.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

use super::path::compare;
use crate::{Error, ErrorKind, Result};

/// As many as a table of 2^20 places takes before it grows: 9 MiB, and half as much again when it last did.
const PATHS_MAX: usize = 7 << 17;

/// Entries that further names of files may need and that are not there.
///
/// Of each path 8 bytes are kept, made with a key that is drawn by lot, so that nobody can choose two paths that are
/// taken for one. Where there are too many, all that come behind are taken to be in the set: too much is then left out,
/// and nothing wrong is linked.
pub(crate) struct PathSet {
    key: RandomState,
    digests: HashSet<u64>,
    max: usize,
    /// The first in the order of a tree that is not remembered.
    beyond: Option<Vec<u8>>,
}

impl Default for PathSet {
    fn default() -> Self {
        Self::with_max(PATHS_MAX)
    }
}

impl PathSet {
    fn with_max(max: usize) -> Self {
        Self { key: RandomState::new(), digests: HashSet::new(), max, beyond: None }
    }

    /// Adds a path.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Limit`], once, when there are too many; it is to be reported, and survived.
    pub(crate) fn insert(&mut self, path: &[u8]) -> Result<()> {
        let digest = self.key.hash_one(path);
        if self.digests.len() < self.max || self.digests.contains(&digest) {
            self.digests.insert(digest);
            return Ok(());
        }
        let is_first = self.beyond.is_none();
        if self.beyond.as_ref().is_none_or(|beyond| compare(path, beyond).is_lt()) {
            self.beyond = Some(path.to_vec());
        }
        if !is_first {
            return Ok(());
        }
        let what = "too many entries to remember are left out; so are all further names of those from here on";
        Err(Error::new(ErrorKind::Limit, what).expected(format_args!("at most {}", self.max), "more"))
    }

    /// Whether a path was added, or may have been.
    pub(crate) fn contains(&self, path: &[u8]) -> bool {
        self.digests.contains(&self.key.hash_one(path))
            || self.beyond.as_ref().is_some_and(|beyond| compare(path, beyond).is_ge())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_added_is_there_and_nothing_else() {
        let mut set = PathSet::default();
        for path in [&b""[..], b"a", b"a/b", &[b'x'; 70_000]] {
            assert!(!set.contains(path));
            set.insert(path).unwrap();
            assert!(set.contains(path));
        }
        assert!(!set.contains(b"b") && !set.contains(b"a/") && !set.contains(&[b'x'; 69_999]));
    }

    #[test]
    fn when_there_are_too_many_it_is_said_once_and_all_behind_are_taken_to_be_there() {
        let mut set = PathSet::with_max(2);
        set.insert(b"a/z").unwrap();
        set.insert(b"b").unwrap();
        set.insert(b"b").unwrap();
        let error = set.insert(b"c/d").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Limit);
        assert_eq!(
            error.to_string(),
            "too many entries to remember are left out; so are all further names of those from here on: expected at \
             most 2, found more"
        );
        set.insert(b"e").unwrap();
        for (path, expected) in [("a", false), ("a/z", true), ("b", true), ("c", false), ("c/d", true), ("c/e", true)] {
            assert_eq!(set.contains(path.as_bytes()), expected, "{path}");
        }
        // A directory comes before what is in it, and its record may come behind.
        set.insert(b"c").unwrap();
        assert!(set.contains(b"c") && set.contains(b"c/a") && !set.contains(b"bb"));
    }

    #[test]
    fn very_many_take_no_more_memory_than_a_few_less() {
        let mut set = PathSet::default();
        let path = |number: u64| format!("a directory with a name that is long/{number:08}").into_bytes();
        let told: usize = (0..2_000_000).map(|number| usize::from(set.insert(&path(number)).is_err())).sum();
        assert_eq!((told, set.digests.len()), (1, PATHS_MAX));
        // The places of the table are a power of two; of eight, seven are used.
        assert_eq!(set.digests.capacity(), PATHS_MAX);
        assert!((0..2_000_000).all(|number| set.contains(&path(number))));
        assert!(!set.contains(b"a directory") && set.contains(b"b"));
    }
}
