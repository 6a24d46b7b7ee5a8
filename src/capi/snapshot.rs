//! What a snapshot says of the level that it is of.

use std::ffi::{c_char, c_int, c_void};
use std::fs::File;
use std::io::Read;

use super::arguments::null;
use super::call::Call;
use super::error::{Outcome, frazil_error};
use super::level_id::frazil_level_header;
use super::metadata::frazil_metadata;
use super::observer::Watching;
use super::sized::{Growing, Report, size_through};
use super::status::frazil_status;
use super::stream::{UserData, frazil_read_fn, taken};
use super::told_entry::{ToldMetadata, digest, path_text, pointer};
use crate::{Error, Result, SnapshotEntry, list_snapshot};

/// What a snapshot says of one entry. Later versions may add fields at its end.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct frazil_snapshot_entry {
    /// Where in the tree it is; the root is `.`.
    pub path: *const c_char,
    /// Which entry it is a further name of, or NULL.
    pub link: *const c_char,
    /// What it is, never NULL.
    pub metadata: *const frazil_metadata,
    /// The fingerprint of a regular file's content, 32 bytes, or NULL.
    pub fingerprint: *const u8,
    /// How many blocks the snapshot has the sums of.
    pub block_count: u64,
    /// 1 if it changed while it was read, else 0.
    pub dirty: c_int,
    /// 1 if it changed so shortly before it was read that the next level reads it again, else 0.
    pub racy: c_int,
    /// 1 if it could not be read, and this is what the level before knew of it; else 0.
    pub stale: c_int,
}

/// Is told of one entry, by the thread that made the call; `entry` is not to be kept. Any value but 0 stops
/// the operation.
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
    let metadata = ToldMetadata::of(&entry.metadata)?;
    let told = frazil_snapshot_entry {
        path: path.as_ptr(),
        link: pointer(link.as_ref()),
        metadata: &raw const metadata.told,
        fingerprint: digest(entry.fingerprint.as_ref()),
        block_count: entry.blocks,
        dirty: entry.dirty.into(),
        racy: entry.racy.into(),
        stale: entry.stale.into(),
    };
    // SAFETY: the header asks for a callback that may be called so until the function returns.
    taken(unsafe { each(user_data.0, &raw const told) }, "the entry callback failed")
}

fn list<R: Read>(
    open: impl FnOnce() -> Outcome<R>,
    each: frazil_snapshot_entry_fn,
    user_data: *mut c_void,
    report: Report<frazil_snapshot_summary>,
) -> Outcome {
    let each = each.ok_or_else(|| null("each"))?;
    let user_data = UserData(user_data);
    let summary = list_snapshot(open()?, |entry| tell(each, user_data, &entry))?;
    report.set(&frazil_snapshot_summary { size: 0, header: (&summary.header).into(), entries: summary.entries });
    Ok(frazil_status::FRAZIL_OK)
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
        let open = || Ok(File::open(path).map_err(|error| Error::io("opening the snapshot", error).path(path))?);
        list(open, each, user_data, report)
    })
}

/// As `frazil_snapshot_list`, of the snapshot that the file descriptor `fd` gives from where it stands.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_snapshot_list_fd(
    fd: c_int,
    each: frazil_snapshot_entry_fn,
    user_data: *mut c_void,
    summary: *mut frazil_snapshot_summary,
    error: *mut *mut frazil_error,
) -> frazil_status {
    // SAFETY: the arguments are the caller's, who keeps to the header.
    let call = unsafe { Call::new(error) };
    call.guard(|| {
        let report = call.report(summary, "summary")?;
        list(|| call.source(fd, &Watching::default()), each, user_data, report)
    })
}

/// As `frazil_snapshot_list`, of the snapshot that `read` gives, which is called with `read_user_data`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_snapshot_list_stream(
    read: frazil_read_fn,
    read_user_data: *mut c_void,
    each: frazil_snapshot_entry_fn,
    user_data: *mut c_void,
    summary: *mut frazil_snapshot_summary,
    error: *mut *mut frazil_error,
) -> frazil_status {
    // SAFETY: the arguments are the caller's, who keeps to the header.
    let call = unsafe { Call::new(error) };
    call.guard(|| {
        let report = call.report(summary, "summary")?;
        list(|| call.reader(read, read_user_data), each, user_data, report)
    })
}
