//! Backups of trees.

use std::ffi::{c_char, c_void};
use std::io::Read;

use super::backup_options::{frazil_backup_options, frazil_backup_summary};
use super::call::Call;
use super::error::frazil_error;
use super::handle::{Handle, free_handle, give, handle_of};
use super::observer::Watching;
use super::status::frazil_status;
use super::stream::frazil_write_fn;
use crate::tree::open_backup;
use crate::{BackupReader, BackupSummary, Publish, backup_tree, backup_tree_file};

struct Backup {
    reader: BackupReader,
    snapshot: Publish,
    watching: Watching,
}

/// The backup of a tree: its archive, made as it is read. One call at a time may use it, from any thread.
/// Unless it is to use one thread alone, it may have one that walks the tree ahead and some that read small files ahead,
/// until it is freed; a process that is forked in between cannot go on with it.
pub struct frazil_backup(Handle<Backup>);
handle_of!(frazil_backup, Backup);

fn status_of(summary: &BackupSummary) -> frazil_status {
    if summary.is_partial() { frazil_status::FRAZIL_PARTIAL } else { frazil_status::FRAZIL_OK }
}

/// Opens the tree at `root`, a directory or a single file, to back it up against the level whose snapshot
/// is the file at `since_path`; NULL makes a level 0. That one is read more than once, so that what was
/// renamed is found: what comes out of a pipe has to be saved first. The new snapshot is published as the new file at
/// `snapshot_path` by `frazil_backup_finish`, whole or not at all; `FRAZIL_ERR_EXISTS` when something is there,
/// which is never replaced. `options` may be NULL.
///
/// Read the archive by `frazil_backup_read`. What cannot be read, or changes while it is read, is told to
/// the observer and counted, and the backup goes on.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_backup_open(
    root: *const c_char,
    since_path: *const c_char,
    snapshot_path: *const c_char,
    options: *const frazil_backup_options,
    backup: *mut *mut frazil_backup,
    error: *mut *mut frazil_error,
) -> frazil_status {
    // SAFETY: the arguments are the caller's, who keeps to the header.
    let call = unsafe { Call::new(error) };
    call.guard(|| {
        let out = call.out(backup, "backup")?;
        let (root, since) = (call.path(root, "root")?, call.optional_path(since_path));
        let snapshot = call.path(snapshot_path, "snapshot_path")?;
        let (options, watching) = call.backup_options(options)?;
        let opened = open_backup(root, since.into(), snapshot, options);
        let (reader, snapshot) = opened.map_err(|error| watching.explain("backing up a tree", error))?;
        out.set(give(frazil_backup(Handle::new("backup", Backup { reader, snapshot, watching }))));
        Ok(frazil_status::FRAZIL_OK)
    })
}

/// Reads the next bytes of the archive into `buffer` and puts how many into `*read`, at most `len`; 0,
/// unless `len` is 0, is the end of the archive. What a failure ends stays ended.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_backup_read(
    backup: *mut frazil_backup,
    buffer: *mut c_void,
    len: usize,
    read: *mut usize,
    error: *mut *mut frazil_error,
) -> frazil_status {
    // SAFETY: the arguments are the caller's, who keeps to the header.
    let call = unsafe { Call::new(error) };
    call.guard(|| {
        let out = call.out(read, "read")?;
        let backup = call.reference(backup, "backup")?;
        let buffer = call.buffer(buffer, len, "buffer")?;
        let read = backup.0.work(|backup| {
            backup.reader.read(buffer).map_err(|error| backup.watching.explain("backing up a tree", error))
        })?;
        out.set(read);
        Ok(frazil_status::FRAZIL_OK)
    })
}

/// Publishes the snapshot and says what was done, after the archive was read to its end and is where it is
/// to stay; `FRAZIL_ERR_STATE` when it was not read. `summary` may be NULL.
///
/// Returns `FRAZIL_PARTIAL` when something could not be backed up as it was. Whatever it returns, the
/// backup can then only be freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_backup_finish(
    backup: *mut frazil_backup,
    summary: *mut frazil_backup_summary,
    error: *mut *mut frazil_error,
) -> frazil_status {
    // SAFETY: the arguments are the caller's, who keeps to the header.
    let call = unsafe { Call::new(error) };
    call.guard(|| {
        let report = call.report(summary, "summary")?;
        let backup = call.reference(backup, "backup")?;
        let summary = backup.0.finish(|Backup { reader, snapshot, watching }| {
            let summary = reader.finish().map_err(|error| watching.explain("backing up a tree", error))?;
            snapshot.commit()?;
            Ok(summary)
        })?;
        report.set(&(&summary).into());
        Ok(status_of(&summary))
    })
}

/// Frees a backup, finished or not; a snapshot that was not published leaves nothing. Takes NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_backup_free(backup: *mut frazil_backup) {
    // SAFETY: it was given out by this library, and the caller frees it once.
    unsafe { free_handle(backup) }
}

/// Backs up a tree in one call and writes the archive to a callback; else as `frazil_backup_open` and
/// `frazil_backup_finish`. `options` and `summary` may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_backup_tree(
    root: *const c_char,
    since_path: *const c_char,
    snapshot_path: *const c_char,
    options: *const frazil_backup_options,
    write: frazil_write_fn,
    user_data: *mut c_void,
    summary: *mut frazil_backup_summary,
    error: *mut *mut frazil_error,
) -> frazil_status {
    // SAFETY: the arguments are the caller's, who keeps to the header.
    let call = unsafe { Call::new(error) };
    call.guard(|| {
        let report = call.report(summary, "summary")?;
        let (root, since) = (call.path(root, "root")?, call.optional_path(since_path));
        let snapshot = call.path(snapshot_path, "snapshot_path")?;
        let sink = call.writer(write, user_data)?;
        let (options, watching) = call.backup_options(options)?;
        let done = backup_tree(root, since, snapshot, sink, options);
        let summary = done.map_err(|error| watching.explain("backing up a tree", error))?;
        report.set(&(&summary).into());
        Ok(status_of(&summary))
    })
}

/// As `frazil_backup_tree`, and publishes the archive as the new file at `archive_path`: both it and the
/// snapshot appear whole or not at all, the archive first, and neither is backed up. One place for both is
/// `FRAZIL_ERR_INVALID_INPUT`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_backup_tree_file(
    root: *const c_char,
    since_path: *const c_char,
    snapshot_path: *const c_char,
    archive_path: *const c_char,
    options: *const frazil_backup_options,
    summary: *mut frazil_backup_summary,
    error: *mut *mut frazil_error,
) -> frazil_status {
    // SAFETY: the arguments are the caller's, who keeps to the header.
    let call = unsafe { Call::new(error) };
    call.guard(|| {
        let report = call.report(summary, "summary")?;
        let (root, since) = (call.path(root, "root")?, call.optional_path(since_path));
        let snapshot = call.path(snapshot_path, "snapshot_path")?;
        let archive = call.path(archive_path, "archive_path")?;
        let (options, watching) = call.backup_options(options)?;
        let done = backup_tree_file(root, since, snapshot, archive, options);
        let summary = done.map_err(|error| watching.explain("backing up a tree", error))?;
        report.set(&(&summary).into());
        Ok(status_of(&summary))
    })
}
