//! Options and summary of the backup of a tree.

use std::ffi::c_int;

use super::call::Call;
use super::choice::choose;
use super::error::Outcome;
use super::level_id::frazil_level_header;
use super::level_options::matching_of;
use super::observer::{Watching, frazil_observer};
use super::selection::frazil_selection;
use super::sized::{Growing, size_through};
use crate::{BackupOptions, BackupSummary, Filter};

/// What an archive is compressed with. A reader finds it out by itself.
#[repr(C)]
#[derive(Clone, Copy)]
pub enum frazil_filter {
    /// Nothing: the tar as it is.
    FRAZIL_FILTER_NONE = 0,
    /// gzip.
    FRAZIL_FILTER_GZIP = 1,
    /// bzip2.
    FRAZIL_FILTER_BZIP2 = 2,
    /// xz.
    FRAZIL_FILTER_XZ = 3,
    /// Zstandard.
    FRAZIL_FILTER_ZSTD = 4,
    /// LZ4.
    FRAZIL_FILTER_LZ4 = 5,
}

fn filter_of(number: c_int) -> Outcome<Filter> {
    use frazil_filter as named;
    choose(
        number,
        "filter",
        [
            (named::FRAZIL_FILTER_NONE as c_int, Filter::None),
            (named::FRAZIL_FILTER_GZIP as c_int, Filter::Gzip),
            (named::FRAZIL_FILTER_BZIP2 as c_int, Filter::Bzip2),
            (named::FRAZIL_FILTER_XZ as c_int, Filter::Xz),
            (named::FRAZIL_FILTER_ZSTD as c_int, Filter::Zstd),
            (named::FRAZIL_FILTER_LZ4 as c_int, Filter::Lz4),
        ],
    )
}

/// Options of the backup of a tree. Zero is the default of each.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct frazil_backup_options {
    /// The size of this struct, as `frazil_backup_options_init` sets it.
    pub size: usize,
    /// A `frazil_filter`: what the archive is compressed with.
    pub filter: c_int,
    /// A `frazil_matching`: which matches are looked for in a file that changed.
    pub matching: c_int,
    /// Bytes in a block, 1,024 to 2^30; 0 for 64 KiB, and above level 0 for that of the chain, which can
    /// be no other.
    pub block_len: u32,
    /// How many threads compute, compress and read small files; 0 for as many as there are processors. Unless it is 1,
    /// one more walks ahead, one reads ahead, and one writes where the archive goes to a path.
    pub threads: u32,
    /// Bytes of memory that the signature and the index of one changed file may take, beside 16 MiB that any level
    /// takes; 0 for 1 GiB.
    pub memory_limit: u64,
    /// Bytes of memory for files of which not all names were met; 0 for 32 MiB. Beyond it, hard links
    /// become files of their own, and that is reported.
    pub link_memory: u64,
    /// Whether what a symbolic link leads to is backed up in its place.
    pub dereference: c_int,
    /// Whether every file is read, whatever its metadata says.
    pub always_read: c_int,
    /// Whether a file is taken for unchanged although its change time is another.
    pub ignore_ctime: c_int,
    /// Whether a file is taken for unchanged although its inode is another.
    pub ignore_inode: c_int,
    /// Whether the holes that a file system tells of are taken for zeros without being read.
    pub trust_holes: c_int,
    /// Whether a file on another device is read again; the number of a device may be another after every start
    /// of the system.
    pub compare_device: c_int,
    /// What is left out, or NULL for nothing.
    pub selection: *const frazil_selection,
    /// Leaves out the regular files that these file descriptors are open on, wherever in the tree they are
    /// met: the archive, where it is written to a file in there. The snapshot is left out without it.
    pub leave_out_fds: *const c_int,
    /// How many `leave_out_fds` there are.
    pub leave_out_fd_count: usize,
    /// Who follows the work and may stop it, or NULL.
    pub observer: *const frazil_observer,
}

// SAFETY: numbers and pointers, which may be NULL.
unsafe impl Growing for frazil_backup_options {
    const FIRST_SIZE: usize = size_through!(Self, observer);
}

/// Makes the default options, of `size` bytes: `sizeof (frazil_backup_options)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_backup_options_init(options: *mut frazil_backup_options, size: usize) {
    // SAFETY: the arguments are the caller's, who keeps to the header.
    let call = unsafe { Call::infallible() };
    call.init(options, size);
}

/// What a finished backup is.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct frazil_backup_summary {
    /// The size of this struct, as `frazil_backup_summary_init` sets it.
    pub size: usize,
    /// Which level it is.
    pub header: frazil_level_header,
    /// Entries that the walk met.
    pub entries: u64,
    /// Regular files whose content was read.
    pub files_read: u64,
    /// Bytes of content that were read.
    pub source_bytes: u64,
    /// Bytes of content and deltas in the archive, before any filter.
    pub content_bytes: u64,
    /// Bytes of the archive.
    pub stream_bytes: u64,
    /// Entries that are in the archive whole.
    pub full: u64,
    /// Files that are there as a delta.
    pub deltas: u64,
    /// Files with the content of another file of the level before.
    pub copies: u64,
    /// Further names of files.
    pub links: u64,
    /// Entries of which only the metadata changed.
    pub metadata: u64,
    /// Entries that are gone.
    pub deleted: u64,
    /// What could not be backed up as it was; the observer was told of each.
    pub problems: u64,
}

// SAFETY: numbers.
unsafe impl Growing for frazil_backup_summary {
    const FIRST_SIZE: usize = size_through!(Self, problems);
}

/// Makes a summary that can be filled, of `size` bytes: `sizeof (frazil_backup_summary)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_backup_summary_init(summary: *mut frazil_backup_summary, size: usize) {
    // SAFETY: the arguments are the caller's, who keeps to the header.
    let call = unsafe { Call::infallible() };
    call.init(summary, size);
}

impl From<&BackupSummary> for frazil_backup_summary {
    fn from(summary: &BackupSummary) -> Self {
        Self {
            size: 0,
            header: (&summary.header).into(),
            entries: summary.entries,
            files_read: summary.files_read,
            source_bytes: summary.source_bytes,
            content_bytes: summary.content_bytes,
            stream_bytes: summary.stream_bytes,
            full: summary.full,
            deltas: summary.deltas,
            copies: summary.copies,
            links: summary.links,
            metadata: summary.metadata,
            deleted: summary.deleted,
            problems: summary.problems,
        }
    }
}

impl Call {
    pub(super) fn backup_options(&self, options: *const frazil_backup_options) -> Outcome<(BackupOptions, Watching)> {
        let given = self.options(options, "options")?;
        let watching = self.watching(given.observer)?;
        let mut options = BackupOptions::new()
            .filter(filter_of(given.filter)?)
            .matching(matching_of(given.matching)?)
            .threads(given.threads as usize)
            .selection(self.selection(given.selection)?)
            .dereference(given.dereference != 0)
            .always_read(given.always_read != 0)
            .ignore_ctime(given.ignore_ctime != 0)
            .ignore_inode(given.ignore_inode != 0)
            .compare_device(given.compare_device != 0)
            .trust_holes(given.trust_holes != 0);
        for &fd in self.array(given.leave_out_fds, given.leave_out_fd_count, "leave_out_fds")? {
            options = options.leave_out(&self.descriptor(fd)?)?;
        }
        if given.block_len > 0 {
            options = options.block_len(given.block_len);
        }
        if given.memory_limit > 0 {
            options = options.memory_limit(given.memory_limit);
        }
        if given.link_memory > 0 {
            options = options.link_memory(given.link_memory);
        }
        if let Some(observer) = watching.observer() {
            options = options.observer(observer);
        }
        Ok((options, watching))
    }
}
