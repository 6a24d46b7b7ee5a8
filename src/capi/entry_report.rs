//! What the backup of a tree reports of each entry.

use std::ffi::c_char;

use super::action::frazil_action;

/// Why a backup looked at an entry: what the system says of it now, held against the level before.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "tree"), expect(dead_code, reason = "there are no entries"))]
pub enum frazil_reason {
    /// The level before has nothing there.
    FRAZIL_REASON_NEW = 0,
    /// The level before has another kind of entry there.
    FRAZIL_REASON_KIND = 1,
    /// Its size is another.
    FRAZIL_REASON_SIZE = 2,
    /// Its modification time is another.
    FRAZIL_REASON_MODIFIED = 3,
    /// Its change time is another: metadata, or content whose modification time was put back.
    FRAZIL_REASON_CHANGED = 4,
    /// Its owner or mode is another.
    FRAZIL_REASON_OWNER = 5,
    /// It is another inode.
    FRAZIL_REASON_INODE = 6,
    /// It is on another device.
    FRAZIL_REASON_DEVICE = 7,
    /// It changed so shortly before the last level was made that a later change may not show.
    FRAZIL_REASON_RACY = 8,
    /// It changed while the last level was made, or could not be read then.
    FRAZIL_REASON_DIRTY = 9,
    /// It was one more name of another file, and is no longer.
    FRAZIL_REASON_UNLINKED = 10,
    /// It is one more name of another file.
    FRAZIL_REASON_LINK = 11,
    /// Every file was to be read.
    FRAZIL_REASON_ALWAYS = 12,
    /// It is gone.
    FRAZIL_REASON_GONE = 13,
    /// Something in the directory changed.
    FRAZIL_REASON_CONTENT = 14,
}

#[cfg(feature = "tree")]
impl From<crate::Reason> for frazil_reason {
    fn from(reason: crate::Reason) -> Self {
        use crate::Reason;
        match reason {
            Reason::New => Self::FRAZIL_REASON_NEW,
            Reason::Kind => Self::FRAZIL_REASON_KIND,
            Reason::Size => Self::FRAZIL_REASON_SIZE,
            Reason::Modified => Self::FRAZIL_REASON_MODIFIED,
            Reason::Changed => Self::FRAZIL_REASON_CHANGED,
            Reason::Owner => Self::FRAZIL_REASON_OWNER,
            Reason::Inode => Self::FRAZIL_REASON_INODE,
            Reason::Device => Self::FRAZIL_REASON_DEVICE,
            Reason::Racy => Self::FRAZIL_REASON_RACY,
            Reason::Dirty => Self::FRAZIL_REASON_DIRTY,
            Reason::Unlinked => Self::FRAZIL_REASON_UNLINKED,
            Reason::Link => Self::FRAZIL_REASON_LINK,
            Reason::Always => Self::FRAZIL_REASON_ALWAYS,
            Reason::Gone => Self::FRAZIL_REASON_GONE,
            Reason::Content => Self::FRAZIL_REASON_CONTENT,
        }
    }
}

/// What the backup of a tree did about one entry that it looked at. Later versions may add fields at its
/// end.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct frazil_entry_report {
    /// Where in the tree it is; the root is `.`.
    pub path: *const c_char,
    /// How it is in the archive; `FRAZIL_ACTION_NONE` where it proved to be what it was.
    pub action: frazil_action,
    /// Why it was looked at.
    pub reason: frazil_reason,
    /// Bytes of content or delta that are in the archive for it.
    pub bytes: u64,
}

#[cfg(feature = "tree")]
impl frazil_entry_report {
    /// What is reported of an entry, whose path `path` holds.
    pub(super) fn of(entry: &crate::EntryReport<'_>, path: &std::ffi::CStr) -> Self {
        let action = entry.action.map_or(frazil_action::FRAZIL_ACTION_NONE, Into::into);
        Self { path: path.as_ptr(), action, reason: entry.reason.into(), bytes: entry.bytes }
    }
}
