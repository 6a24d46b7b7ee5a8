//! Entries of a tree as callbacks of C are told of them.

use std::ffi::{CString, c_char, c_int, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::entry::{frazil_entry, frazil_entry_kind};
use super::stream::{UserData, taken};
use crate::{ArchiveEntry, EntryKind, Error, ErrorKind, Metadata, Result};

/// Is told of one entry, by the thread that made the call; `entry` is not to be kept. Any value but 0 stops the operation.
pub type frazil_entry_fn = Option<unsafe extern "C" fn(user_data: *mut c_void, entry: *const frazil_entry) -> c_int>;

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

/// Has an entry told as C knows it.
pub(super) fn with_entry<R>(entry: &ArchiveEntry, tell: impl FnOnce(*const frazil_entry) -> R) -> Result<R> {
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
    Ok(tell(&raw const told))
}

/// Tells a callback of an entry.
pub(super) fn tell(
    each: unsafe extern "C" fn(*mut c_void, *const frazil_entry) -> c_int,
    user_data: UserData,
    entry: &ArchiveEntry,
) -> Result<()> {
    // SAFETY: the header asks for a callback that may be called so until the function returns.
    let code = with_entry(entry, |entry| unsafe { each(user_data.0, entry) })?;
    taken(code, "the entry callback failed")
}
