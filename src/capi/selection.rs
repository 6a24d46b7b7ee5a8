//! What is left out of a tree, as several options say it.

use std::ffi::{OsStr, c_char, c_int};
use std::os::unix::ffi::OsStrExt;

use super::arguments::invalid;
use super::call::Call;
use super::error::Outcome;
use crate::Selection;

/// The fields of the options that say what is left out; arrays with their counts.
pub(super) struct LeftOut {
    pub(super) excludes: (*const *const c_char, usize),
    pub(super) marked: (*const *const c_char, usize),
    pub(super) caches: c_int,
    pub(super) nodump: c_int,
    pub(super) one_file_system: c_int,
}

impl Call {
    pub(super) fn selection(&self, given: &LeftOut) -> Outcome<Selection> {
        let mut selection = Selection::new()
            .exclude_caches(given.caches != 0)
            .nodump(given.nodump != 0)
            .one_file_system(given.one_file_system != 0);
        for pattern in self.texts(given.excludes.0, given.excludes.1, "excludes")? {
            let pattern = std::str::from_utf8(pattern).map_err(|_| invalid("a pattern to exclude is not UTF-8"))?;
            selection = selection.exclude(pattern);
        }
        for name in self.texts(given.marked.0, given.marked.1, "exclude_marked")? {
            selection = selection.exclude_marked(OsStr::from_bytes(name));
        }
        Ok(selection)
    }
}
