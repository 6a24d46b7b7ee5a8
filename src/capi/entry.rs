//! What an archive says of one entry of a tree.

use std::ffi::{c_char, c_int};

use super::action::frazil_action;
use super::metadata::frazil_metadata;

/// What an archive says of one entry. Later versions may add fields at its end.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct frazil_entry {
    /// Where in the tree it is; the root is `.`.
    pub path: *const c_char,
    /// Where in the level before its content is from, or which entry of this level it is a further name
    /// of; else NULL.
    pub from: *const c_char,
    /// What it is, never NULL: where the archive does not say, its kind is `FRAZIL_ENTRY_UNKNOWN`.
    pub metadata: *const frazil_metadata,
    /// The fingerprint of a regular file's content, 32 bytes, or NULL. A delta's is claimed, not proven:
    /// only a restore shows.
    pub fingerprint: *const u8,
    /// How it comes to be what it is.
    pub action: frazil_action,
    /// 1 if a directory closes here, with its metadata as all that is in it leaves it; else 0.
    pub closes: c_int,
    /// 1 if it changed while it was read, else 0.
    pub dirty: c_int,
}
