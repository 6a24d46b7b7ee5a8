//! What is left out of a tree.

use std::ffi::{OsStr, c_char, c_int};
use std::os::unix::ffi::OsStrExt;

use super::arguments::invalid;
use super::call::Call;
use super::error::Outcome;
use super::sized::{Growing, size_through, unused};
use crate::Selection;

/// What is left out of a tree: of its backup, and so of its verification. Zero leaves out nothing.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct frazil_selection {
    /// The size of this struct, as `frazil_selection_init` sets it.
    pub size: usize,
    /// Lines as in a `.gitignore` at the root of the tree, the last of which that matches decides; one that
    /// begins with `!` takes in. UTF-8.
    pub excludes: *const *const c_char,
    /// How many `excludes` there are.
    pub exclude_count: usize,
    /// Leaves out what is in a directory that holds anything of one of these names, `.nobackup` for one.
    pub exclude_marked: *const *const c_char,
    /// How many `exclude_marked` there are.
    pub exclude_marked_count: usize,
    /// Whether to leave out what is in a directory with a valid `CACHEDIR.TAG`.
    pub exclude_caches: c_int,
    /// Whether to leave out what has the `nodump` flag.
    pub nodump: c_int,
    /// Whether to stay on the file system of the root.
    pub one_file_system: c_int,
    /// Keep it 0.
    pub reserved: c_int,
}

// SAFETY: numbers and pointers, which may be NULL.
unsafe impl Growing for frazil_selection {
    const FIRST_SIZE: usize = size_through!(Self, reserved);
}

/// Makes a selection that leaves out nothing, of `size` bytes: `sizeof (frazil_selection)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_selection_init(selection: *mut frazil_selection, size: usize) {
    // SAFETY: the arguments are the caller's, who keeps to the header.
    let call = unsafe { Call::infallible() };
    call.init(selection, size);
}

impl Call {
    pub(super) fn selection(&self, selection: *const frazil_selection) -> Outcome<Selection> {
        let given = self.options(selection, "selection")?;
        unused(given.reserved)?;
        let mut selection = Selection::new()
            .exclude_caches(given.exclude_caches != 0)
            .nodump(given.nodump != 0)
            .one_file_system(given.one_file_system != 0);
        for pattern in self.texts(given.excludes, given.exclude_count, "excludes")? {
            let pattern = std::str::from_utf8(pattern).map_err(|_| invalid("a pattern to exclude is not UTF-8"))?;
            selection = selection.exclude(pattern);
        }
        for name in self.texts(given.exclude_marked, given.exclude_marked_count, "exclude_marked")? {
            selection = selection.exclude_marked(OsStr::from_bytes(name));
        }
        Ok(selection)
    }
}
