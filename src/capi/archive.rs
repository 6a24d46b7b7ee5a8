//! What an archive says of its level, and whether it is whole.

use std::ffi::{c_char, c_int, c_void};
use std::io::Read;

use super::arguments::{Out, null};
use super::call::Call;
use super::error::{Outcome, frazil_error};
use super::level_id::frazil_level_header;
use super::observer::{Watching, frazil_observer};
use super::restore::open_archive;
use super::sized::{Growing, Report, size_through};
use super::status::frazil_status;
use super::stream::{UserData, frazil_read_fn};
use super::told_entry::{frazil_entry_fn, tell};
use crate::{ArchiveSummary, Result, archive_header, list_archive, verify_archive};

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
unsafe impl Growing for frazil_archive_summary {
    const FIRST_SIZE: usize = size_through!(Self, problems);
}

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

fn header(archive: impl Read, out: Out<frazil_level_header>) -> Outcome {
    out.set((&archive_header(archive)?).into());
    Ok(frazil_status::FRAZIL_OK)
}

/// Says in `*header` which level of which chain the archive at `archive_path` is, and reads no more of it
/// than that needs.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_archive_header(
    archive_path: *const c_char,
    header: *mut frazil_level_header,
    error: *mut *mut frazil_error,
) -> frazil_status {
    // SAFETY: the arguments are the caller's, who keeps to the header.
    let call = unsafe { Call::new(error) };
    call.guard(|| {
        let out = call.out(header, "header")?;
        self::header(open_archive(call.path(archive_path, "archive_path")?)?, out)
    })
}

/// As `frazil_archive_header`, of the archive that the file descriptor `fd` gives from where it stands. More
/// of it may have been read.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_archive_header_fd(
    fd: c_int,
    header: *mut frazil_level_header,
    error: *mut *mut frazil_error,
) -> frazil_status {
    // SAFETY: the arguments are the caller's, who keeps to the header.
    let call = unsafe { Call::new(error) };
    call.guard(|| {
        let out = call.out(header, "header")?;
        self::header(call.source(fd, &Watching::default())?, out)
    })
}

/// As `frazil_archive_header`, of the archive that a callback reads. It may be asked for more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_archive_header_stream(
    read: frazil_read_fn,
    user_data: *mut c_void,
    header: *mut frazil_level_header,
    error: *mut *mut frazil_error,
) -> frazil_status {
    // SAFETY: the arguments are the caller's, who keeps to the header.
    let call = unsafe { Call::new(error) };
    call.guard(|| {
        let out = call.out(header, "header")?;
        self::header(call.reader(read, user_data)?, out)
    })
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
        let archive = call.source(fd, &Watching::default())?;
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
    open: impl FnOnce(&Watching) -> Outcome<R>,
    observer: *const frazil_observer,
    report: Report<frazil_archive_summary>,
) -> Outcome {
    let watching = call.watching(observer)?;
    let summary = verify_archive(open(&watching)?, watching.observer())
        .map_err(|error| watching.explain("reading an archive", error))?;
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
        verify(&call, |_| Ok(open_archive(path)?), observer, report)
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
        verify(&call, |watching| call.source(fd, watching), observer, report)
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
        verify(&call, |_| Ok(archive), observer, report)
    })
}
