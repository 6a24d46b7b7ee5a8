//! Entries of a tree as callbacks of C are told of them.

use std::ffi::{CString, c_char, c_int, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::entry::frazil_entry;
use super::metadata::{frazil_entry_kind, frazil_metadata};
use super::stream::{UserData, taken};
use crate::{ArchiveEntry, EntryKind, Error, ErrorKind, Fingerprint, Metadata, Result};

/// Is told of one entry, by the thread that made the call; `entry` is not to be kept. Any value but 0 stops
/// the operation.
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

pub(super) fn digest(fingerprint: Option<&Fingerprint>) -> *const u8 {
    fingerprint.map_or(std::ptr::null(), |fingerprint| fingerprint.digest().as_ptr())
}

/// Metadata as C knows it, with the texts that it points to.
pub(super) struct ToldMetadata {
    pub(super) told: frazil_metadata,
    _texts: [Option<CString>; 3],
}

impl ToldMetadata {
    pub(super) fn of(metadata: &Metadata) -> Result<Self> {
        let target = Some(&metadata.target).filter(|_| metadata.kind == EntryKind::Symlink);
        let (user, group) = (text(&metadata.user)?, text(&metadata.group)?);
        let texts = [Some(user), Some(group), target.map(|target| text(target)).transpose()?];
        let told = frazil_metadata {
            kind: metadata.kind.into(),
            mode: metadata.mode,
            uid: metadata.uid,
            gid: metadata.gid,
            modified_seconds: metadata.modified.seconds,
            modified_nanoseconds: metadata.modified.nanoseconds,
            device_major: metadata.device.0,
            device_minor: metadata.device.1,
            size: metadata.size,
            user: pointer(texts[0].as_ref()),
            group: pointer(texts[1].as_ref()),
            target: pointer(texts[2].as_ref()),
        };
        Ok(Self { told, _texts: texts })
    }

    /// That of an entry of which nothing is said.
    fn unknown() -> Self {
        let told = frazil_metadata {
            kind: frazil_entry_kind::FRAZIL_ENTRY_UNKNOWN,
            mode: 0,
            uid: 0,
            gid: 0,
            modified_seconds: 0,
            modified_nanoseconds: 0,
            device_major: 0,
            device_minor: 0,
            size: 0,
            user: std::ptr::null(),
            group: std::ptr::null(),
            target: std::ptr::null(),
        };
        Self { told, _texts: [None, None, None] }
    }
}

/// Has an entry told as C knows it.
pub(super) fn with_entry<R>(entry: &ArchiveEntry, tell: impl FnOnce(*const frazil_entry) -> R) -> Result<R> {
    let path = path_text(&entry.path)?;
    let from = entry.from.as_deref().map(path_text).transpose()?;
    let metadata = entry.metadata.as_ref().map_or_else(|| Ok(ToldMetadata::unknown()), ToldMetadata::of)?;
    let told = frazil_entry {
        path: path.as_ptr(),
        from: pointer(from.as_ref()),
        metadata: &raw const metadata.told,
        fingerprint: digest(entry.fingerprint.as_ref()),
        action: entry.action.into(),
        closes: entry.closes.into(),
        dirty: entry.dirty.into(),
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
