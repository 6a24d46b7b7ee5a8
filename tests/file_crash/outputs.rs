//! The files that a command makes, what was there before, and what a run that was cut short may leave of both.

use std::cell::Cell;
use std::fs;
use std::os::unix::fs::MetadataExt;

use crate::ground::Ground;

/// One file, or a first one and another that is of no use without it.
pub(crate) struct Outputs<'a> {
    ground: &'a Ground,
    names: &'a [&'a str],
    /// What was there before of each.
    old: Vec<Option<Vec<u8>>>,
    /// As an undisturbed run made them.
    new: Vec<Vec<u8>>,
    /// The inode of the first as it stood before a run.
    stood: Cell<Option<u64>>,
}

impl<'a> Outputs<'a> {
    /// Copies of the files `before` are there before, if any.
    pub(crate) fn new(ground: &'a Ground, names: &'a [&'a str], before: &[&str]) -> Self {
        assert!(before.is_empty() || before.len() == names.len());
        let old = (0..names.len()).map(|at| before.get(at).map(|name| ground.read(name))).collect();
        Self { ground, names, old, new: Vec::new(), stood: Cell::new(None) }
    }

    /// Everything as it is before a run.
    pub(crate) fn stand(&self) {
        for (name, old) in self.names.iter().zip(&self.old) {
            match old {
                Some(old) => fs::write(self.ground.path(name), old).expect("a file"),
                None => drop(fs::remove_file(self.ground.path(name))),
            }
        }
        self.stood.set(self.first());
    }

    fn first(&self) -> Option<u64> {
        fs::metadata(self.ground.path(self.names[0])).ok().map(|metadata| metadata.ino())
    }

    /// Whether a run has begun to put them in their places.
    pub(crate) fn are_being_published(&self) -> bool {
        let is_there = |name: &str| self.ground.path(name).exists();
        let is_taken = self.names.iter().zip(&self.old).any(|(name, old)| old.is_some() && !is_there(name));
        is_taken || self.first() != self.stood.get()
    }

    /// Keeps what an undisturbed run has made.
    pub(crate) fn remember(&mut self) {
        self.new = self.names.iter().map(|name| self.ground.read(name)).collect();
    }

    #[track_caller]
    pub(crate) fn assert_made(&self, context: &str) {
        for (name, new) in self.names.iter().zip(&self.new) {
            assert!(Ground::is_same(Some(&self.ground.read(name)), new), "{context}: {name}, made again");
        }
        assert_eq!(self.ground.remove_temporaries(self.names), 0, "{context}");
    }

    /// Says what a run has left, which may be nothing that is half-made, nor a second file that the first one belies.
    #[track_caller]
    pub(crate) fn left(&self, context: &str) -> &'static str {
        let temporaries = self.ground.remove_temporaries(self.names);
        let (mut are_new, mut are_there) = (Vec::new(), Vec::new());
        for (at, name) in self.names.iter().enumerate() {
            let found = fs::read(self.ground.path(name)).ok();
            let is_new = Ground::is_same(found.as_deref(), &self.new[at]);
            // The second of two may be gone.
            let is_old = found == self.old[at] || at > 0 && found.is_none();
            assert!(is_new || is_old, "{context}: {name} is neither what it was nor what it was to be");
            are_new.push(is_new);
            are_there.push(found.is_some());
        }
        let last = self.names.len() - 1;
        assert!(are_new[0] || !are_new[last], "{context}: the second is new, and the first is not");
        assert!(!are_new[0] || are_new[last] || !are_there[last], "{context}: the first is new, and the second is old");
        match (are_new[0], are_new[last], temporaries) {
            (true, true, _) => "left the new file",
            (true, false, _) => "left the first file without the second",
            (false, ..) if self.old[last].is_some() && !are_there[last] => "left the old first file alone",
            (false, _, 0) => "left the old file",
            (false, ..) => "left the old file and a temporary",
        }
    }
}
