//! What a snapshot says of the level that it is of.

use std::ffi::{c_char, c_int, c_void};
use std::fs::File;

use super::arguments::null;
use super::call::Call;
use super::entry::frazil_entry_kind;
use super::error::frazil_error;
use super::level_id::frazil_level_header;
use super::sized::{Growing, size_through};
use super::status::frazil_status;
use super::stream::{UserData, taken};
use super::told_entry::{MetadataTexts, path_text, pointer};
use crate::{Error, Result, SnapshotEntry, list_snapshot};

/// What a snapshot says of one entry. Later versions may add fields at its end.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct frazil_snapshot_entry {
    /// Where in the tree it is; the root is `.`.
    pub path: *const c_char,
    /// Which entry it is a further name of, or NULL.
    pub link: *const c_char,
    /// The fingerprint of a regular file's content, 32 bytes, or NULL.
    pub fingerprint: *const u8,
    /// How many blocks the snapshot has the sums of.
    pub block_count: u64,
    /// What it is.
    pub kind: frazil_entry_kind,
    /// 1 if it changed while it was read, else 0.
    pub dirty: c_int,
    /// 1 if it changed so shortly before it was read that the next level reads it again, else 0.
    pub racy: c_int,
    /// 1 if it could not be read, and this is what the level before knew of it; else 0.
    pub stale: c_int,
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

/// Is told of one entry, by the thread that made the call; `entry` is not to be kept. Any value but 0 stops the operation.
pub type frazil_snapshot_entry_fn =
    Option<unsafe extern "C" fn(user_data: *mut c_void, entry: *const frazil_snapshot_entry) -> c_int>;

/// What a snapshot is as a whole.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct frazil_snapshot_summary {
    /// The size of this struct, as `frazil_snapshot_summary_init` sets it.
    pub size: usize,
    /// Which level of which chain it is of.
    pub header: frazil_level_header,
    /// How many entries it has.
    pub entries: u64,
}

// SAFETY: numbers.
unsafe impl Growing for frazil_snapshot_summary {
    const FIRST_SIZE: usize = size_through!(Self, entries);
}

/// Makes a summary that can be filled, of `size` bytes: `sizeof (frazil_snapshot_summary)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_snapshot_summary_init(summary: *mut frazil_snapshot_summary, size: usize) {
    // SAFETY: the arguments are the caller's, who keeps to the header.
    let call = unsafe { Call::infallible() };
    call.init(summary, size);
}

/// Tells a callback of an entry.
fn tell(
    each: unsafe extern "C" fn(*mut c_void, *const frazil_snapshot_entry) -> c_int,
    user_data: UserData,
    entry: &SnapshotEntry,
) -> Result<()> {
    let path = path_text(&entry.path)?;
    let link = entry.link.as_deref().map(path_text).transpose()?;
    let metadata = &entry.metadata;
    let texts = MetadataTexts::of(metadata)?;
    let told = frazil_snapshot_entry {
        path: path.as_ptr(),
        link: pointer(link.as_ref()),
        fingerprint: entry.fingerprint.as_ref().map_or(std::ptr::null(), |print| print.digest().as_ptr()),
        block_count: entry.blocks,
        kind: metadata.kind.into(),
        dirty: entry.dirty.into(),
        racy: entry.racy.into(),
        stale: entry.stale.into(),
        mode: metadata.mode,
        uid: metadata.uid,
        gid: metadata.gid,
        modified_nanoseconds: metadata.modified.nanoseconds,
        modified_seconds: metadata.modified.seconds,
        size: metadata.size,
        device_major: metadata.device.0,
        device_minor: metadata.device.1,
        user: pointer(texts.user.as_ref()),
        group: pointer(texts.group.as_ref()),
        target: pointer(texts.target.as_ref()),
    };
    // SAFETY: the header asks for a callback that may be called so until the function returns.
    taken(unsafe { each(user_data.0, &raw const told) }, "the entry callback failed")
}

/// Reads the snapshot at `snapshot_path` to its end, verifies it, and tells `each` of every entry, in the
/// order of their paths. `summary` may be NULL.
///
/// What was told is provisional until the function has returned `FRAZIL_OK`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_snapshot_list(
    snapshot_path: *const c_char,
    each: frazil_snapshot_entry_fn,
    user_data: *mut c_void,
    summary: *mut frazil_snapshot_summary,
    error: *mut *mut frazil_error,
) -> frazil_status {
    // SAFETY: the arguments are the caller's, who keeps to the header.
    let call = unsafe { Call::new(error) };
    call.guard(|| {
        let report = call.report(summary, "summary")?;
        let path = call.path(snapshot_path, "snapshot_path")?;
        let each = each.ok_or_else(|| null("each"))?;
        let user_data = UserData(user_data);
        let snapshot = File::open(path).map_err(|error| Error::io("opening the snapshot", error).path(path))?;
        let summary = list_snapshot(snapshot, |entry| tell(each, user_data, &entry))?;
        report.set(&frazil_snapshot_summary { size: 0, header: (&summary.header).into(), entries: summary.entries });
        Ok(frazil_status::FRAZIL_OK)
    })
}
