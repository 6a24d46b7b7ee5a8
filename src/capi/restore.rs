//! Restoring trees.

use std::ffi::{c_char, c_int, c_void};
use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

use super::call::Call;
use super::error::{Outcome, frazil_error};
use super::handle::{Handle, free_handle, give, handle_of};
use super::level_id::frazil_level_id;
use super::observer::Watching;
use super::restore_options::{frazil_restore_options, frazil_restore_summary};
use super::sized::Report;
use super::status::frazil_status;
use super::stream::frazil_read_fn;
use crate::{Error, RestoreSummary, RestoreWriter, Result, conclude_restore, restore_tree, restored_level};

struct Restore {
    writer: RestoreWriter,
    watching: Watching,
}

/// The restoration of one level of a tree, which is fed the archive. One call at a time may use it, from
/// any thread. It has a thread of its own until it is finished or freed; do not fork in between.
pub struct frazil_restore(Handle<Restore>);
handle_of!(frazil_restore, Restore);

/// Tells the caller what was done.
fn told(summary: &RestoreSummary, watching: &Watching, report: &Report<frazil_restore_summary>) -> frazil_status {
    summary.missing.iter().for_each(|path| watching.missing(path));
    report.set(&summary.into());
    if summary.is_partial() { frazil_status::FRAZIL_PARTIAL } else { frazil_status::FRAZIL_OK }
}

pub(super) fn open_archive(path: &Path) -> Result<File> {
    File::open(path).map_err(|error| Error::io("opening the archive", error).path(path))
}

/// Begins to restore one level into the directory `destination`, which is made if need be. `options` may
/// be NULL.
///
/// Nothing is published before `frazil_restore_finish`. Level 0 wants an empty destination, unless it may
/// overwrite; level n wants one that stands at level n-1, of which a note is kept there until
/// `frazil_restore_conclude`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_restore_open(
    destination: *const c_char,
    options: *const frazil_restore_options,
    restore: *mut *mut frazil_restore,
    error: *mut *mut frazil_error,
) -> frazil_status {
    // SAFETY: the arguments are the caller's, who keeps to the header.
    let call = unsafe { Call::new(error) };
    call.guard(|| {
        let out = call.out(restore, "restore")?;
        let destination = call.path(destination, "destination")?;
        let (options, watching) = call.restore_options(options)?;
        let writer = RestoreWriter::new(destination, options)?;
        let worker = writer.worker();
        out.set(give(frazil_restore(Handle::with_worker("restore", worker, Restore { writer, watching }))));
        Ok(frazil_status::FRAZIL_OK)
    })
}

/// Takes all of the `len` bytes of the archive at `data`. A failure of the restore may come out of a
/// later call than the one that fed the cause. If it fails, the restore can only be freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_restore_feed(
    restore: *mut frazil_restore,
    data: *const c_void,
    len: usize,
    error: *mut *mut frazil_error,
) -> frazil_status {
    // SAFETY: the arguments are the caller's, who keeps to the header.
    let call = unsafe { Call::new(error) };
    call.guard(|| {
        let restore = call.reference(restore, "restore")?;
        let archive = call.bytes(data, len, "data")?;
        let feed = |restore: &mut Restore| {
            restore.writer.write_all(archive).map_err(|error| restore.watching.explain("restoring a tree", error))
        };
        restore.0.work_or_end(feed)?;
        Ok(frazil_status::FRAZIL_OK)
    })
}

/// Ends the archive, publishes the level and says what was done, or fails unless the archive is whole;
/// `summary` may be NULL.
///
/// Returns `FRAZIL_PARTIAL` when something is not as the level has it. On any failure the tree is as it
/// was, or is finished by the next restore or by `frazil_restore_recover`. Whatever it returns, the
/// restore can then only be freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_restore_finish(
    restore: *mut frazil_restore,
    summary: *mut frazil_restore_summary,
    error: *mut *mut frazil_error,
) -> frazil_status {
    // SAFETY: the arguments are the caller's, who keeps to the header.
    let call = unsafe { Call::new(error) };
    call.guard(|| {
        let report = call.report(summary, "summary")?;
        let restore = call.reference(restore, "restore")?;
        let finish = |Restore { writer, watching }| {
            let summary = writer.finish().map_err(|error| watching.explain("restoring a tree", error))?;
            Ok(told(&summary, &watching, &report))
        };
        restore.0.finish(finish)
    })
}

/// Frees a restore, finished or not; what was not published leaves the tree as it was. Takes NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_restore_free(restore: *mut frazil_restore) {
    // SAFETY: it was given out by this library, and the caller frees it once.
    unsafe { free_handle(restore) }
}

/// Restores a level in one call, on the thread of the caller.
fn whole<R: Read>(
    call: &Call,
    open: impl FnOnce(&Watching) -> Outcome<R>,
    destination: *const c_char,
    options: *const frazil_restore_options,
    report: Report<frazil_restore_summary>,
) -> Outcome {
    let destination = call.path(destination, "destination")?;
    let (options, watching) = call.restore_options(options)?;
    let restored = restore_tree(open(&watching)?, destination, options);
    Ok(told(&restored.map_err(|error| watching.explain("restoring a tree", error))?, &watching, &report))
}

/// Restores the level whose archive is the file at `archive_path` into the directory `destination`; else
/// as `frazil_restore_open` and `frazil_restore_finish`. `options` and `summary` may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_restore_tree(
    archive_path: *const c_char,
    destination: *const c_char,
    options: *const frazil_restore_options,
    summary: *mut frazil_restore_summary,
    error: *mut *mut frazil_error,
) -> frazil_status {
    // SAFETY: the arguments are the caller's, who keeps to the header.
    let call = unsafe { Call::new(error) };
    call.guard(|| {
        let report = call.report(summary, "summary")?;
        let path = call.path(archive_path, "archive_path")?;
        whole(&call, |_| Ok(open_archive(path)?), destination, options, report)
    })
}

/// As `frazil_restore_tree`, of the archive that the file descriptor `fd` gives from where it stands.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_restore_tree_fd(
    fd: c_int,
    destination: *const c_char,
    options: *const frazil_restore_options,
    summary: *mut frazil_restore_summary,
    error: *mut *mut frazil_error,
) -> frazil_status {
    // SAFETY: the arguments are the caller's, who keeps to the header.
    let call = unsafe { Call::new(error) };
    call.guard(|| {
        let report = call.report(summary, "summary")?;
        whole(&call, |watching| call.source(fd, watching), destination, options, report)
    })
}

/// As `frazil_restore_tree`, of the archive that a callback reads.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_restore_tree_stream(
    read: frazil_read_fn,
    user_data: *mut c_void,
    destination: *const c_char,
    options: *const frazil_restore_options,
    summary: *mut frazil_restore_summary,
    error: *mut *mut frazil_error,
) -> frazil_status {
    // SAFETY: the arguments are the caller's, who keeps to the header.
    let call = unsafe { Call::new(error) };
    call.guard(|| {
        let report = call.report(summary, "summary")?;
        let archive = call.reader(read, user_data)?;
        whole(&call, |_| Ok(archive), destination, options, report)
    })
}

/// Ends a chain: removes the note of the level that the directory `destination` stands at.
/// `FRAZIL_ERR_STATE` while a restore is under way there, or was left half-way.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_restore_conclude(
    destination: *const c_char,
    error: *mut *mut frazil_error,
) -> frazil_status {
    // SAFETY: the arguments are the caller's, who keeps to the header.
    let call = unsafe { Call::new(error) };
    call.guard(|| {
        conclude_restore(call.path(destination, "destination")?)?;
        Ok(frazil_status::FRAZIL_OK)
    })
}

/// Says in `*level` which level the directory `destination` stands at, or will once a restore that was killed
/// is finished; nothing is changed. `FRAZIL_END`, and zeros, where no chain of restores is under way, as where
/// there is no such directory yet, and `FRAZIL_ERR_STATE` while a restore is at work there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_restore_level(
    destination: *const c_char,
    level: *mut frazil_level_id,
    error: *mut *mut frazil_error,
) -> frazil_status {
    // SAFETY: the arguments are the caller's, who keeps to the header.
    let call = unsafe { Call::new(error) };
    call.guard(|| {
        let out = call.out(level, "level")?;
        let Some(level) = restored_level(call.path(destination, "destination")?)? else {
            return Ok(frazil_status::FRAZIL_END);
        };
        out.set(level.into());
        Ok(frazil_status::FRAZIL_OK)
    })
}
