//! What an entry of a tree is in all that is not its content.

use std::ffi::c_char;

/// What kind of entry it is.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "tree"), expect(dead_code, reason = "there are no entries"))]
pub enum frazil_entry_kind {
    /// The archive does not say: it is gone, or a further name of another.
    FRAZIL_ENTRY_UNKNOWN = 0,
    /// A regular file.
    FRAZIL_ENTRY_FILE = 1,
    /// A directory.
    FRAZIL_ENTRY_DIRECTORY = 2,
    /// A symbolic link.
    FRAZIL_ENTRY_SYMLINK = 3,
    /// A named pipe.
    FRAZIL_ENTRY_FIFO = 4,
    /// A character device.
    FRAZIL_ENTRY_CHAR_DEVICE = 5,
    /// A block device.
    FRAZIL_ENTRY_BLOCK_DEVICE = 6,
}

/// What an entry is in all that is not its content. Where `kind` is `FRAZIL_ENTRY_UNKNOWN`, all else is zero
/// or NULL. Later versions may add fields at its end.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct frazil_metadata {
    /// What it is.
    pub kind: frazil_entry_kind,
    /// Permissions with set-id and sticky bits.
    pub mode: u32,
    /// Number of the owner.
    pub uid: u32,
    /// Number of the group.
    pub gid: u32,
    /// When the content was last changed, in seconds since 1970.
    pub modified_seconds: i64,
    /// Nanoseconds of the modification time.
    pub modified_nanoseconds: u32,
    /// Major number of a device.
    pub device_major: u32,
    /// Minor number of a device.
    pub device_minor: u32,
    /// Bytes of content of a regular file.
    pub size: u64,
    /// Name of the owner, empty where the system knew none.
    pub user: *const c_char,
    /// Name of the group, empty where the system knew none.
    pub group: *const c_char,
    /// Where a symbolic link leads, or NULL.
    pub target: *const c_char,
}
