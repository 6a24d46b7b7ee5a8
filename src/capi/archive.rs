//! What an archive says of its level, and whether it is whole.

use std::ffi::{CString, c_char, c_int, c_void};
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::arguments::null;
use super::call::Call;
use super::error::{Outcome, frazil_error};
use super::level_id::frazil_level_header;
use super::observer::frazil_observer;
use super::restore::open_archive;
use super::sized::{Growing, Report};
use super::status::frazil_status;
use super::stream::{CallbackFailed, UserData, frazil_read_fn};
use crate::{Action, ArchiveEntry, ArchiveSummary, EntryKind, Error, ErrorKind, Result, list_archive, verify_archive};

/// How an entry comes to be what it is at its level.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum frazil_action {
    /// It is new, or replaces what was there; its content is in the archive whole.
    FRAZIL_ACTION_FULL = 0,
    /// A file made by a delta from a file of the parent level.
    FRAZIL_ACTION_DELTA = 1,
    /// A file with the very content of a file of the parent level.
    FRAZIL_ACTION_COPY = 2,
    /// One more name of a file of this level.
    FRAZIL_ACTION_LINK = 3,
    /// Its content stays, its metadata is other.
    FRAZIL_ACTION_METADATA = 4,
    /// It is gone.
    FRAZIL_ACTION_DELETE = 5,
    /// It could not be read to its end: what was sent of it is not used, and what was there stays.
    FRAZIL_ACTION_VOID = 6,
}

impl From<Action> for frazil_action {
    fn from(action: Action) -> Self {
        match action {
            Action::Full => Self::FRAZIL_ACTION_FULL,
            Action::Delta => Self::FRAZIL_ACTION_DELTA,
            Action::Copy => Self::FRAZIL_ACTION_COPY,
            Action::Link => Self::FRAZIL_ACTION_LINK,
            Action::Metadata => Self::FRAZIL_ACTION_METADATA,
            Action::Delete => Self::FRAZIL_ACTION_DELETE,
            Action::Void => Self::FRAZIL_ACTION_VOID,
        }
    }
}

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

/// What an archive is as a whole.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct frazil_archive_summary {
    /// The size of this struct, as `frazil_archive_summary_init` sets it.
    pub size: usize,
    /// Which level of which chain it is.
    pub header: frazil_level_header,
    /// Entries that the level says anything of; a directory may count twice.
    pub records: u64,
    /// Bytes of content and of deltas, before any filter.
    pub content_bytes: u64,
    /// What could not be backed up as it was.
    pub problems: u64,
}

// SAFETY: numbers.
unsafe impl Growing for frazil_archive_summary {}

/// Makes a summary that can be filled, of `size` bytes: `sizeof (frazil_archive_summary)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_archive_summary_init(summary: *mut frazil_archive_summary, size: usize) {
    // SAFETY: the arguments are the caller's, who keeps to the header.
    let call = unsafe { Call::infallible() };
    call.init(summary, size);
}

impl From<&ArchiveSummary> for frazil_archive_summary {
    fn from(summary: &ArchiveSummary) -> Self {
        Self {
            size: 0,
            header: (&summary.header).into(),
            records: summary.totals.records,
            content_bytes: summary.totals.content_bytes,
            problems: summary.totals.problems,
        }
    }
}

/// As a C string; paths and names out of an archive hold no zero byte, which its reader sees to.
fn text(bytes: &[u8]) -> Result<CString> {
    CString::new(bytes).map_err(|_| Error::new(ErrorKind::Corrupt, "a name in the archive holds a zero byte"))
}

pub(super) fn path_text(path: &Path) -> Result<CString> {
    text(path.as_os_str().as_bytes())
}

/// Tells a callback of an entry.
fn tell(
    each: unsafe extern "C" fn(*mut c_void, *const frazil_entry) -> c_int,
    user_data: UserData,
    entry: &ArchiveEntry,
) -> Result<()> {
    let path = path_text(&entry.path)?;
    let from = entry.from.as_deref().map(path_text).transpose()?;
    let metadata = entry.metadata.as_ref();
    let of = |bytes: Option<&Vec<u8>>| bytes.map(|bytes| text(bytes)).transpose();
    let user = of(metadata.map(|metadata| &metadata.user))?;
    let group = of(metadata.map(|metadata| &metadata.group))?;
    let symlink = metadata.filter(|metadata| metadata.kind == EntryKind::Symlink);
    let target = of(symlink.map(|metadata| &metadata.target))?;
    let pointer = |text: &Option<CString>| text.as_ref().map_or(std::ptr::null(), |text| text.as_ptr());
    let modified = metadata.map_or_else(Default::default, |metadata| metadata.modified);
    let device = metadata.map_or((0, 0), |metadata| metadata.device);
    let told = frazil_entry {
        path: path.as_ptr(),
        from: pointer(&from),
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
        user: pointer(&user),
        group: pointer(&group),
        target: pointer(&target),
    };
    // SAFETY: the header asks for a callback that may be called so until the function returns.
    match unsafe { each(user_data.0, &raw const told) } {
        0 => Ok(()),
        code => Err(io::Error::other(CallbackFailed { what: "the entry callback failed", code }).into()),
    }
}

fn list<R: Read>(
    open: impl FnOnce() -> Result<R>,
    each: frazil_entry_fn,
    user_data: *mut c_void,
    report: Report<frazil_archive_summary>,
) -> Outcome {
    let each = each.ok_or_else(|| null("each"))?;
    let user_data = UserData(user_data);
    let summary = list_archive(open()?, |entry| tell(each, user_data, &entry))?;
    report.set(&(&summary).into());
    Ok(frazil_status::FRAZIL_OK)
}

/// Reads the archive at `archive_path` to its end, verifies all that can be without the level before, and
/// tells `each` of every entry, in the order of their paths. `summary` may be NULL.
///
/// What was told is provisional until the function has returned `FRAZIL_OK`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_archive_list(
    archive_path: *const c_char,
    each: frazil_entry_fn,
    user_data: *mut c_void,
    summary: *mut frazil_archive_summary,
    error: *mut *mut frazil_error,
) -> frazil_status {
    // SAFETY: the arguments are the caller's, who keeps to the header.
    let call = unsafe { Call::new(error) };
    call.guard(|| {
        let report = call.report(summary, "summary")?;
        let path = call.path(archive_path, "archive_path")?;
        list(|| open_archive(path), each, user_data, report)
    })
}

/// As `frazil_archive_list`, of the archive that the file descriptor `fd` gives from where it stands.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_archive_list_fd(
    fd: c_int,
    each: frazil_entry_fn,
    user_data: *mut c_void,
    summary: *mut frazil_archive_summary,
    error: *mut *mut frazil_error,
) -> frazil_status {
    // SAFETY: the arguments are the caller's, who keeps to the header.
    let call = unsafe { Call::new(error) };
    call.guard(|| {
        let report = call.report(summary, "summary")?;
        let archive = call.descriptor(fd)?;
        list(|| Ok(archive), each, user_data, report)
    })
}

/// As `frazil_archive_list`, of the archive that `read` gives, which is called with `read_user_data`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_archive_list_stream(
    read: frazil_read_fn,
    read_user_data: *mut c_void,
    each: frazil_entry_fn,
    user_data: *mut c_void,
    summary: *mut frazil_archive_summary,
    error: *mut *mut frazil_error,
) -> frazil_status {
    // SAFETY: the arguments are the caller's, who keeps to the header.
    let call = unsafe { Call::new(error) };
    call.guard(|| {
        let report = call.report(summary, "summary")?;
        let archive = call.reader(read, read_user_data)?;
        list(|| Ok(archive), each, user_data, report)
    })
}

fn verify<R: Read>(
    call: &Call,
    open: impl FnOnce() -> Result<R>,
    observer: *const frazil_observer,
    report: Report<frazil_archive_summary>,
) -> Outcome {
    let watching = call.watching(observer)?;
    let summary = verify_archive(open()?, watching.observer()).map_err(|error| watching.explain(error))?;
    report.set(&(&summary).into());
    Ok(frazil_status::FRAZIL_OK)
}

/// Reads the archive at `archive_path` to its end and verifies the framing, every digest and the order,
/// the content of what is there whole, and the commands of deltas. What a delta makes is claimed, not
/// proven: only a restore shows. `observer` and `summary` may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_archive_verify(
    archive_path: *const c_char,
    observer: *const frazil_observer,
    summary: *mut frazil_archive_summary,
    error: *mut *mut frazil_error,
) -> frazil_status {
    // SAFETY: the arguments are the caller's, who keeps to the header.
    let call = unsafe { Call::new(error) };
    call.guard(|| {
        let report = call.report(summary, "summary")?;
        let path = call.path(archive_path, "archive_path")?;
        verify(&call, || open_archive(path), observer, report)
    })
}

/// As `frazil_archive_verify`, of the archive that the file descriptor `fd` gives from where it stands.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_archive_verify_fd(
    fd: c_int,
    observer: *const frazil_observer,
    summary: *mut frazil_archive_summary,
    error: *mut *mut frazil_error,
) -> frazil_status {
    // SAFETY: the arguments are the caller's, who keeps to the header.
    let call = unsafe { Call::new(error) };
    call.guard(|| {
        let report = call.report(summary, "summary")?;
        let archive = call.descriptor(fd)?;
        verify(&call, || Ok(archive), observer, report)
    })
}

/// As `frazil_archive_verify`, of the archive that a callback reads.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_archive_verify_stream(
    read: frazil_read_fn,
    user_data: *mut c_void,
    observer: *const frazil_observer,
    summary: *mut frazil_archive_summary,
    error: *mut *mut frazil_error,
) -> frazil_status {
    // SAFETY: the arguments are the caller's, who keeps to the header.
    let call = unsafe { Call::new(error) };
    call.guard(|| {
        let report = call.report(summary, "summary")?;
        let archive = call.reader(read, user_data)?;
        verify(&call, || Ok(archive), observer, report)
    })
}
