//! Options and summary of the restoration of a level.

use std::ffi::{c_char, c_int};

use super::call::Call;
use super::choice::choose;
use super::error::Outcome;
use super::level_id::{frazil_level_header, frazil_level_id};
use super::observer::{Watching, frazil_observer};
use super::sized::{Growing, size_through, unused};
use crate::{LevelId, RestoreOptions, RestoreSummary, SyncMode};

/// When what was restored is flushed to the disk.
#[repr(C)]
#[derive(Clone, Copy)]
pub enum frazil_sync {
    /// The whole file system twice: before the level is published, and before it is called complete. Far
    /// faster for many small files.
    FRAZIL_SYNC_LEVEL = 0,
    /// Each file and directory on its own: for a file system on which much else is written.
    FRAZIL_SYNC_FILE = 1,
}

fn sync_of(number: c_int) -> Outcome<SyncMode> {
    use frazil_sync::{FRAZIL_SYNC_FILE as FILE, FRAZIL_SYNC_LEVEL as LEVEL};
    choose(number, "sync", [(LEVEL as c_int, SyncMode::Level), (FILE as c_int, SyncMode::File)])
}

/// The new owner of what belonged to another.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct frazil_owner_change {
    /// The number in the archive.
    pub from: u32,
    /// The number that is restored.
    pub to: u32,
}

/// Options of the restoration of a level. Zero is the default of each.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct frazil_restore_options {
    /// The size of this struct, as `frazil_restore_options_init` sets it.
    pub size: usize,
    /// Whether what is in the way is replaced; a level 0 is then restored anew, whatever level is there. What the
    /// archive does not name is never touched.
    pub overwrite: c_int,
    /// Whether to go on from a level that was restored in part; an entry that lacks what it is made from is
    /// then left as it is and reported, and the result is `FRAZIL_PARTIAL` again.
    pub accept_partial: c_int,
    /// Whether to restore what is whole of a damaged archive; else damage anywhere leaves the tree as it
    /// was. The result is then `FRAZIL_PARTIAL`.
    pub keep_going: c_int,
    /// Whether root restores what gives power over the system: devices, set-id bits, and attributes named
    /// `trusted.*` and `security.*`.
    pub privileged: c_int,
    /// Whether root restores owners by their numbers instead of by their names.
    pub numeric_owner: c_int,
    /// Whether everything is read and verified, and nothing changed.
    pub dry_run: c_int,
    /// A `frazil_sync`: when what was restored is flushed to the disk.
    pub sync: c_int,
    /// How many threads verify; 0 for as many as there are processors.
    pub threads: u32,
    /// Bytes that one restored file may have; 0 for 1 TiB.
    pub max_file_len: u64,
    /// The level at which the destination stands, where it does not say so itself; or NULL.
    pub assume_parent: *const frazil_level_id,
    /// Restores these paths and what is below them alone; of 0 paths, everything. All levels of a chain
    /// have to be restored with the same. What needs a file that is not selected, as a further name of it or
    /// made from it, is left out and reported.
    pub paths: *const *const c_char,
    /// How many `paths` there are.
    pub path_count: usize,
    /// Leaves out so many of the first names of each path; what has no more is not restored.
    pub strip: usize,
    /// Puts everything below this path of the destination, which is made if need be; or NULL.
    pub prefix: *const c_char,
    /// Users that become others.
    pub users: *const frazil_owner_change,
    /// How many `users` there are.
    pub user_count: usize,
    /// Groups that become others.
    pub groups: *const frazil_owner_change,
    /// How many `groups` there are.
    pub group_count: usize,
    /// Whether the content of files that are replaced, deleted or only given other metadata is read and held
    /// against the level before too, not their kind and size alone. What content is made from always is.
    pub verify_parent: c_int,
    /// Keep it 0.
    pub reserved: c_int,
    /// Bytes that all restored files of the level may have together; 0 for no limit. A hole counts.
    pub max_output: u64,
    /// Who follows the work and may stop it until publishing begins, or NULL.
    pub observer: *const frazil_observer,
}

// SAFETY: numbers and pointers, which may be NULL.
unsafe impl Growing for frazil_restore_options {
    const FIRST_SIZE: usize = size_through!(Self, observer);
}

/// Makes the default options, of `size` bytes: `sizeof (frazil_restore_options)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_restore_options_init(options: *mut frazil_restore_options, size: usize) {
    // SAFETY: the arguments are the caller's, who keeps to the header.
    let call = unsafe { Call::infallible() };
    call.init(options, size);
}

/// What the restoration of one level has done.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct frazil_restore_summary {
    /// The size of this struct, as `frazil_restore_summary_init` sets it.
    pub size: usize,
    /// Which level it is.
    pub header: frazil_level_header,
    /// Entries that were made, changed or deleted; a directory may count twice.
    pub entries: u64,
    /// Files whose content was written, or in a dry run would be.
    pub files: u64,
    /// Bytes of content that were written, or in a dry run would be.
    pub output_bytes: u64,
    /// Entries that were deleted.
    pub deleted: u64,
    /// What could not be restored as it was; the observer was told of each.
    pub problems: u64,
    /// What the backup itself could not read as it was.
    pub backup_problems: u64,
    /// 1 if the destination stood at this level before, else 0.
    pub already_there: c_int,
    /// 1 if the archive was whole, and all of it that is selected was put in its place, else 0.
    pub whole: c_int,
    /// How many of the selected paths there is nothing at, at this level; the observer's `missing` was told of
    /// each.
    pub missing: u64,
}

// SAFETY: numbers.
unsafe impl Growing for frazil_restore_summary {
    const FIRST_SIZE: usize = size_through!(Self, missing);
}

/// Makes a summary that can be filled, of `size` bytes: `sizeof (frazil_restore_summary)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_restore_summary_init(summary: *mut frazil_restore_summary, size: usize) {
    // SAFETY: the arguments are the caller's, who keeps to the header.
    let call = unsafe { Call::infallible() };
    call.init(summary, size);
}

impl From<&RestoreSummary> for frazil_restore_summary {
    fn from(summary: &RestoreSummary) -> Self {
        Self {
            size: 0,
            header: (&summary.header).into(),
            entries: summary.entries,
            files: summary.files,
            output_bytes: summary.output_bytes,
            deleted: summary.deleted,
            problems: summary.problems,
            backup_problems: summary.backup_problems,
            already_there: summary.already_there.into(),
            whole: summary.whole.into(),
            missing: summary.missing.len() as u64,
        }
    }
}

impl Call {
    pub(super) fn restore_options(
        &self,
        options: *const frazil_restore_options,
    ) -> Outcome<(RestoreOptions, Watching)> {
        let given = self.options(options, "options")?;
        unused(given.reserved)?;
        let watching = self.watching(given.observer)?;
        let mut options = RestoreOptions::new()
            .overwrite(given.overwrite != 0)
            .accept_partial(given.accept_partial != 0)
            .keep_going(given.keep_going != 0)
            .privileged(given.privileged != 0)
            .numeric_owner(given.numeric_owner != 0)
            .dry_run(given.dry_run != 0)
            .verify_parent(given.verify_parent != 0)
            .sync(sync_of(given.sync)?)
            .threads(given.threads as usize)
            .strip(given.strip);
        if given.max_file_len > 0 {
            options = options.max_file_len(given.max_file_len);
        }
        if given.max_output > 0 {
            options = options.max_output(given.max_output);
        }
        if let Some(level) = self.optional(given.assume_parent) {
            options = options.assume_parent(LevelId(level.bytes));
        }
        for path in self.texts(given.paths, given.path_count, "paths")? {
            options = options.path(path)?;
        }
        if let Some(prefix) = self.optional_text(given.prefix) {
            options = options.prefix(prefix)?;
        }
        for user in self.array(given.users, given.user_count, "users")? {
            options = options.map_user(user.from, user.to);
        }
        for group in self.array(given.groups, given.group_count, "groups")? {
            options = options.map_group(group.from, group.to);
        }
        if let Some(observer) = watching.observer() {
            options = options.observer(observer);
        }
        Ok((options, watching))
    }
}
