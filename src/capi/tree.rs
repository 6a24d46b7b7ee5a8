//! A tree held against the archives of its chain.

use std::ffi::{c_char, c_int, c_void};
use std::io::Read;

use super::arguments::{gathered, null};
use super::call::Call;
use super::error::{Outcome, frazil_error};
use super::level_id::frazil_level_header;
use super::observer::{Watching, frazil_observer};
use super::restore::open_archive;
use super::selection::frazil_selection;
use super::sized::{Growing, size_through, unused};
use super::status::frazil_status;
use super::stream::{UserData, frazil_read_fn, taken};
use super::told_entry::path_text;
use crate::{Difference, DifferenceKind, Result, VerifyOptions, verify_tree};

/// How an entry of a tree differs from what its archives say.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum frazil_difference_kind {
    /// The archives have it, the tree does not.
    FRAZIL_DIFFERENCE_MISSING = 0,
    /// The tree has it, the archives do not.
    FRAZIL_DIFFERENCE_EXTRA = 1,
    /// It is another kind of entry.
    FRAZIL_DIFFERENCE_KIND = 2,
    /// Its content is another.
    FRAZIL_DIFFERENCE_CONTENT = 3,
    /// Its mode is another.
    FRAZIL_DIFFERENCE_MODE = 4,
    /// Its owner or group is another.
    FRAZIL_DIFFERENCE_OWNER = 5,
    /// Its modification time is another.
    FRAZIL_DIFFERENCE_MODIFIED = 6,
    /// Its extended attributes or ACLs are others.
    FRAZIL_DIFFERENCE_ATTRIBUTES = 7,
    /// Its flags are others.
    FRAZIL_DIFFERENCE_FLAGS = 8,
    /// It leads elsewhere, or is another device.
    FRAZIL_DIFFERENCE_TARGET = 9,
    /// It is not a further name of the file that it should be one of.
    FRAZIL_DIFFERENCE_LINK = 10,
    /// It cannot be read, all of it or what is in it, and could not be compared; the observer was told why.
    FRAZIL_DIFFERENCE_UNREADABLE = 11,
}

impl From<DifferenceKind> for frazil_difference_kind {
    fn from(kind: DifferenceKind) -> Self {
        match kind {
            DifferenceKind::Missing => Self::FRAZIL_DIFFERENCE_MISSING,
            DifferenceKind::Extra => Self::FRAZIL_DIFFERENCE_EXTRA,
            DifferenceKind::Kind => Self::FRAZIL_DIFFERENCE_KIND,
            DifferenceKind::Content => Self::FRAZIL_DIFFERENCE_CONTENT,
            DifferenceKind::Mode => Self::FRAZIL_DIFFERENCE_MODE,
            DifferenceKind::Owner => Self::FRAZIL_DIFFERENCE_OWNER,
            DifferenceKind::Modified => Self::FRAZIL_DIFFERENCE_MODIFIED,
            DifferenceKind::Attributes => Self::FRAZIL_DIFFERENCE_ATTRIBUTES,
            DifferenceKind::Flags => Self::FRAZIL_DIFFERENCE_FLAGS,
            DifferenceKind::Target => Self::FRAZIL_DIFFERENCE_TARGET,
            DifferenceKind::Link => Self::FRAZIL_DIFFERENCE_LINK,
            DifferenceKind::Unreadable => Self::FRAZIL_DIFFERENCE_UNREADABLE,
        }
    }
}

/// Where a tree differs from what its archives say. Later versions may add fields at its end.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct frazil_difference {
    /// Where in the tree; the root is `.`.
    pub path: *const c_char,
    /// What differs.
    pub kind: frazil_difference_kind,
}

/// Is told of one difference, by the thread that made the call; `difference` is not to be kept. Any value but 0
/// stops the operation.
pub type frazil_difference_fn =
    Option<unsafe extern "C" fn(user_data: *mut c_void, difference: *const frazil_difference) -> c_int>;

/// Options of the verification of a tree. Zero is the default of each.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct frazil_verify_options {
    /// The size of this struct, as `frazil_verify_options_init` sets it.
    pub size: usize,
    /// What was left out of the backup, and is no difference; or NULL for nothing.
    pub selection: *const frazil_selection,
    /// Who follows the work and may stop it, or NULL.
    pub observer: *const frazil_observer,
    /// Whether what a symbolic link leads to was backed up in its place, and is compared so.
    pub dereference: c_int,
    /// Keep it 0.
    pub reserved: c_int,
}

// SAFETY: numbers and pointers, which may be NULL.
unsafe impl Growing for frazil_verify_options {
    const FIRST_SIZE: usize = size_through!(Self, reserved);
}

/// Makes the default options, of `size` bytes: `sizeof (frazil_verify_options)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_verify_options_init(options: *mut frazil_verify_options, size: usize) {
    // SAFETY: the arguments are the caller's, who keeps to the header.
    let call = unsafe { Call::infallible() };
    call.init(options, size);
}

/// What a verified tree is.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct frazil_verify_summary {
    /// The size of this struct, as `frazil_verify_summary_init` sets it.
    pub size: usize,
    /// The last level.
    pub header: frazil_level_header,
    /// Entries that were held against the tree.
    pub entries: u64,
    /// Bytes of content that were read in the tree.
    pub source_bytes: u64,
    /// How many differences were found.
    pub differences: u64,
}

// SAFETY: numbers.
unsafe impl Growing for frazil_verify_summary {
    const FIRST_SIZE: usize = size_through!(Self, differences);
}

/// Makes a summary that can be filled, of `size` bytes: `sizeof (frazil_verify_summary)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_verify_summary_init(summary: *mut frazil_verify_summary, size: usize) {
    // SAFETY: the arguments are the caller's, who keeps to the header.
    let call = unsafe { Call::infallible() };
    call.init(summary, size);
}

/// Tells a callback of a difference.
fn tell(
    each: unsafe extern "C" fn(*mut c_void, *const frazil_difference) -> c_int,
    user_data: UserData,
    difference: &Difference,
) -> Result<()> {
    let path = path_text(&difference.path)?;
    let told = frazil_difference { path: path.as_ptr(), kind: difference.what.into() };
    // SAFETY: the header asks for a callback that may be called so until the function returns.
    taken(unsafe { each(user_data.0, &raw const told) }, "the difference callback failed")
}

/// What every verification of a tree is given beside its archives.
struct Given {
    root: *const c_char,
    options: *const frazil_verify_options,
    each: frazil_difference_fn,
    user_data: *mut c_void,
    summary: *mut frazil_verify_summary,
}

fn verify<R: Read + Send>(call: &Call, given: Given, open: impl FnOnce() -> Outcome<Vec<R>>) -> Outcome {
    let report = call.report(given.summary, "summary")?;
    let root = call.path(given.root, "root")?;
    let each = given.each.ok_or_else(|| null("each"))?;
    let user_data = UserData(given.user_data);
    let chosen = call.options(given.options, "options")?;
    let watching = call.watching(chosen.observer)?;
    unused(chosen.reserved)?;
    let selection = call.selection(chosen.selection)?;
    let mut options = VerifyOptions::new().selection(selection).dereference(chosen.dereference != 0);
    if let Some(observer) = watching.observer() {
        options = options.observer(observer);
    }
    let verified = verify_tree(open()?, root, options, |difference| tell(each, user_data, difference));
    let summary = verified.map_err(|error| watching.explain("verifying a tree", error))?;
    report.set(&frazil_verify_summary {
        size: 0,
        header: (&summary.header).into(),
        entries: summary.entries,
        source_bytes: summary.source_bytes,
        differences: summary.differences,
    });
    Ok(if summary.differences > 0 { frazil_status::FRAZIL_PARTIAL } else { frazil_status::FRAZIL_OK })
}

/// Holds the tree at `root` against the archives of a chain, level 0 first, and tells `each` of every
/// difference; the archives are verified on the way, as `frazil_archive_verify` does. Nothing in the tree is
/// changed: what cannot be read is a difference. `options` and `summary` may be NULL.
///
/// Returns `FRAZIL_PARTIAL` when there are differences. `each` is called by the thread of the caller; each
/// archive has another thread, until the function returns.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_tree_verify(
    archive_paths: *const *const c_char,
    archive_count: usize,
    root: *const c_char,
    options: *const frazil_verify_options,
    each: frazil_difference_fn,
    user_data: *mut c_void,
    summary: *mut frazil_verify_summary,
    error: *mut *mut frazil_error,
) -> frazil_status {
    // SAFETY: the arguments are the caller's, who keeps to the header.
    let call = unsafe { Call::new(error) };
    let given = Given { root, options, each, user_data, summary };
    call.guard(|| {
        verify(&call, given, || {
            let paths = call.paths(archive_paths, archive_count, "archive_paths")?;
            gathered(paths.into_iter().map(|path| Ok(open_archive(path)?)))
        })
    })
}

/// As `frazil_tree_verify`, of the archives that file descriptors give from where they stand; each has to be
/// open on a file, a pipe or a socket of its own. While one that waits has nothing to read, nobody is asked
/// whether to stop.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_tree_verify_fd(
    fds: *const c_int,
    archive_count: usize,
    root: *const c_char,
    options: *const frazil_verify_options,
    each: frazil_difference_fn,
    user_data: *mut c_void,
    summary: *mut frazil_verify_summary,
    error: *mut *mut frazil_error,
) -> frazil_status {
    // SAFETY: the arguments are the caller's, who keeps to the header.
    let call = unsafe { Call::new(error) };
    let given = Given { root, options, each, user_data, summary };
    call.guard(|| {
        verify(&call, given, || {
            let fds = call.array(fds, archive_count, "fds")?;
            gathered(fds.iter().map(|&fd| call.source(fd, &Watching::default())))
        })
    })
}

/// As `frazil_tree_verify`, of the archives that `read` gives: each with one of `read_user_data`, an array of
/// `archive_count`. It is called by the thread that the archive has, and for several archives at once.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_tree_verify_stream(
    read: frazil_read_fn,
    read_user_data: *const *mut c_void,
    archive_count: usize,
    root: *const c_char,
    options: *const frazil_verify_options,
    each: frazil_difference_fn,
    user_data: *mut c_void,
    summary: *mut frazil_verify_summary,
    error: *mut *mut frazil_error,
) -> frazil_status {
    // SAFETY: the arguments are the caller's, who keeps to the header.
    let call = unsafe { Call::new(error) };
    let given = Given { root, options, each, user_data, summary };
    call.guard(|| {
        verify(&call, given, || {
            let archives = call.array(read_user_data, archive_count, "read_user_data")?;
            gathered(archives.iter().map(|&user_data| call.reader(read, user_data)))
        })
    })
}
