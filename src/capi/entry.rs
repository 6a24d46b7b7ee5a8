//! What an archive says of one entry of a tree.

use std::ffi::{CString, c_char, c_int, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::action::frazil_action;
use super::stream::{UserData, taken};
use crate::{ArchiveEntry, EntryKind, Error, ErrorKind, Metadata, Result};

/// What kind of entry it is.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

impl From<EntryKind> for frazil_entry_kind {
    fn from(kind: EntryKind) -> Self {
        match kind {
            EntryKind::File => Self::FRAZIL_ENTRY_FILE,
            EntryKind::Directory => Self::FRAZIL_ENTRY_DIRECTORY,
            EntryKind::Symlink => Self::FRAZIL_ENTRY_SYMLINK,
            EntryKind::Fifo => Self::FRAZIL_ENTRY_FIFO,
            EntryKind::CharDevice => Self::FRAZIL_ENTRY_CHAR_DEVICE,
            EntryKind::BlockDevice => Self::FRAZIL_ENTRY_BLOCK_DEVICE,
        }
    }
}

/// What an archive says of one entry. Where `kind` is `FRAZIL_ENTRY_UNKNOWN`, all from `mode` on is zero or
/// NULL. Later versions may add fields at its end.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct frazil_entry {
    /// Where in the tree it is; the root is `.`.
    pub path: *const c_char,
    /// Where in the level before its content is from, or which entry of this level it is a further name
    /// of; else NULL.
    pub from: *const c_char,
    /// How it comes to be what it is.
    pub action: frazil_action,
    /// What it is.
    pub kind: frazil_entry_kind,
    /// 1 if a directory closes here, with its metadata as all that is in it leaves it; else 0.
    pub closes: c_int,
    /// 1 if it changed while it was read, else 0.
    pub dirty: c_int,
    /// The fingerprint of a regular file's content, 32 bytes, or NULL. A delta's is claimed, not proven:
    /// only a restore shows.
    pub fingerprint: *const u8,
    /// Permissions with set-id and sticky bits.
    pub mode: u32,
    /// Number of the owner.
    pub uid: u32,
    /// Number of the group.
    pub gid: u32,
    /// Nanoseconds of the modification time.
    pub modified_nanoseconds: u32,
    /// When the content was last changed, in seconds since 1970.
    pub modified_seconds: i64,
    /// Bytes of content of a regular file.
    pub size: u64,
    /// Major number of a device.
    pub device_major: u32,
    /// Minor number of a device.
    pub device_minor: u32,
    /// Name of the owner, empty where the system knew none.
    pub user: *const c_char,
    /// Name of the group, empty where the system knew none.
    pub group: *const c_char,
    /// Where a symbolic link leads, or NULL.
    pub target: *const c_char,
}

/// Is told of one entry, which is not to be kept. Any value but 0 stops the operation.
pub type frazil_entry_fn = Option<unsafe extern "C" fn(user_data: *mut c_void, entry: *const frazil_entry) -> c_int>;

/// A path or name as a C string; it holds no zero byte, which the reader of the stream sees to.
fn text(bytes: &[u8]) -> Result<CString> {
    CString::new(bytes).map_err(|_| Error::new(ErrorKind::Corrupt, "a name of an entry holds a zero byte"))
}

pub(super) fn path_text(path: &Path) -> Result<CString> {
    text(path.as_os_str().as_bytes())
}

pub(super) fn pointer(text: Option<&CString>) -> *const c_char {
    text.map_or(std::ptr::null(), |text| text.as_ptr())
}

/// The texts in the metadata of an entry.
#[derive(Default)]
pub(super) struct MetadataTexts {
    pub(super) user: Option<CString>,
    pub(super) group: Option<CString>,
    pub(super) target: Option<CString>,
}

impl MetadataTexts {
    pub(super) fn of(metadata: &Metadata) -> Result<Self> {
        let target = Some(&metadata.target).filter(|_| metadata.kind == EntryKind::Symlink);
        Ok(Self {
            user: Some(text(&metadata.user)?),
            group: Some(text(&metadata.group)?),
            target: target.map(|target| text(target)).transpose()?,
        })
    }
}

/// Tells a callback of an entry.
pub(super) fn tell(
    each: unsafe extern "C" fn(*mut c_void, *const frazil_entry) -> c_int,
    user_data: UserData,
    entry: &ArchiveEntry,
) -> Result<()> {
    let path = path_text(&entry.path)?;
    let from = entry.from.as_deref().map(path_text).transpose()?;
    let metadata = entry.metadata.as_ref();
    let texts = metadata.map(MetadataTexts::of).transpose()?.unwrap_or_default();
    let modified = metadata.map_or_else(Default::default, |metadata| metadata.modified);
    let device = metadata.map_or((0, 0), |metadata| metadata.device);
    let told = frazil_entry {
        path: path.as_ptr(),
        from: pointer(from.as_ref()),
        action: entry.action.into(),
        kind: metadata.map_or(frazil_entry_kind::FRAZIL_ENTRY_UNKNOWN, |metadata| metadata.kind.into()),
        closes: entry.closes.into(),
        dirty: entry.dirty.into(),
        fingerprint: entry.fingerprint.as_ref().map_or(std::ptr::null(), |print| print.digest().as_ptr()),
        mode: metadata.map_or(0, |metadata| metadata.mode),
        uid: metadata.map_or(0, |metadata| metadata.uid),
        gid: metadata.map_or(0, |metadata| metadata.gid),
        modified_nanoseconds: modified.nanoseconds,
        modified_seconds: modified.seconds,
        size: metadata.map_or(0, |metadata| metadata.size),
        device_major: device.0,
        device_minor: device.1,
        user: pointer(texts.user.as_ref()),
        group: pointer(texts.group.as_ref()),
        target: pointer(texts.target.as_ref()),
    };
    // SAFETY: the header asks for a callback that may be called so until the function returns.
    taken(unsafe { each(user_data.0, &raw const told) }, "the entry callback failed")
}
