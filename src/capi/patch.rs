//! Patches and chains, in their pull form.

use std::ffi::{c_char, c_int, c_void};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::call::Call;
use super::error::{Outcome, frazil_error};
use super::handle::{Handle, free_handle, give, handle_of};
use super::observer::Watching;
use super::patch_options::{PatchPlan, frazil_patch_options, frazil_patch_summary};
use super::sized::Report;
use super::status::frazil_status;
use super::stream::frazil_read_fn;
use crate::{Chain, Error, NoBasis, PatchOptions, PatchReader, PatchSummary, ReadAt, Result};

/// A target that is read, out of one delta or of several.
trait Pull: Read + Send {
    fn finish(self: Box<Self>) -> Result<PatchSummary>;
}

impl<D: Read + Send, B: ReadAt> Pull for PatchReader<D, B> {
    fn finish(self: Box<Self>) -> Result<PatchSummary> {
        (*self).finish()
    }
}

impl<B: ReadAt, D: ReadAt> Pull for Chain<B, D> {
    fn finish(self: Box<Self>) -> Result<PatchSummary> {
        (*self).finish()
    }
}

struct Patch {
    reader: Box<dyn Pull>,
    watching: Watching,
}

/// One delta, or the deltas of several levels, applied to a basis: the target, as it is read. One call at
/// a time may use it, from any thread.
pub struct frazil_patch(Handle<Patch>);
handle_of!(frazil_patch, Patch);

fn begin(reader: impl Pull + 'static, watching: Watching) -> *mut frazil_patch {
    give(frazil_patch(Handle::new("patch", Patch { reader: Box::new(reader), watching })))
}

pub(super) fn open_delta(path: &Path) -> Result<File> {
    File::open(path).map_err(|error| Error::io("opening the delta", error).path(path))
}

pub(super) fn open_deltas(paths: &[PathBuf]) -> Result<Vec<File>> {
    paths.iter().map(|path| open_delta(path)).collect()
}

pub(super) fn open_basis(path: Option<&Path>) -> Result<Box<dyn ReadAt>> {
    let Some(path) = path else { return Ok(Box::new(NoBasis)) };
    let file = File::open(path).map_err(|error| Error::io("opening the basis", error).path(path))?;
    Ok(Box::new(file))
}

/// Opens the delta in the file at `delta_path`, to be applied to the file at `basis_path`; NULL is no
/// basis, as for a level 0. `options` may be NULL.
///
/// Read the target by `frazil_patch_read`. What has been read is **provisional** until the read that
/// gives 0 bytes: only then has the whole target been held against the trailer of the delta.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_patch_open(
    basis_path: *const c_char,
    delta_path: *const c_char,
    options: *const frazil_patch_options,
    patch: *mut *mut frazil_patch,
    error: *mut *mut frazil_error,
) -> frazil_status {
    // SAFETY: the arguments are the caller's, who keeps to the header.
    let call = unsafe { Call::new(error) };
    call.guard(|| {
        let out = call.out(patch, "patch")?;
        let (basis, delta) = (call.optional_path(basis_path), call.path(delta_path, "delta_path")?);
        let PatchPlan { options, watching } = call.patch_plan(options)?;
        let reader = PatchReader::new(open_delta(delta)?, open_basis(basis)?, options)?;
        out.set(begin(reader, watching));
        Ok(frazil_status::FRAZIL_OK)
    })
}

/// As `frazil_patch_open`, with the delta that the file descriptor `fd` gives from where it stands.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_patch_open_fd(
    basis_path: *const c_char,
    fd: c_int,
    options: *const frazil_patch_options,
    patch: *mut *mut frazil_patch,
    error: *mut *mut frazil_error,
) -> frazil_status {
    // SAFETY: the arguments are the caller's, who keeps to the header.
    let call = unsafe { Call::new(error) };
    call.guard(|| {
        let out = call.out(patch, "patch")?;
        let (basis, delta) = (call.optional_path(basis_path), call.descriptor(fd)?);
        let PatchPlan { options, watching } = call.patch_plan(options)?;
        out.set(begin(PatchReader::new(delta, open_basis(basis)?, options)?, watching));
        Ok(frazil_status::FRAZIL_OK)
    })
}

/// As `frazil_patch_open`, with the delta that a callback reads.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_patch_open_stream(
    basis_path: *const c_char,
    read: frazil_read_fn,
    user_data: *mut c_void,
    options: *const frazil_patch_options,
    patch: *mut *mut frazil_patch,
    error: *mut *mut frazil_error,
) -> frazil_status {
    // SAFETY: the arguments are the caller's, who keeps to the header.
    let call = unsafe { Call::new(error) };
    call.guard(|| {
        let out = call.out(patch, "patch")?;
        let (basis, delta) = (call.optional_path(basis_path), call.reader(read, user_data)?);
        let PatchPlan { options, watching } = call.patch_plan(options)?;
        out.set(begin(PatchReader::new(delta, open_basis(basis)?, options)?, watching));
        Ok(frazil_status::FRAZIL_OK)
    })
}

/// Opens the deltas of the levels on top of a basis, lowest level first, to be applied in one pass.
///
/// Every delta is read once and checked before anything comes out; else as `frazil_patch_open`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_patch_open_chain(
    basis_path: *const c_char,
    delta_paths: *const *const c_char,
    delta_count: usize,
    options: *const frazil_patch_options,
    patch: *mut *mut frazil_patch,
    error: *mut *mut frazil_error,
) -> frazil_status {
    // SAFETY: the arguments are the caller's, who keeps to the header.
    let call = unsafe { Call::new(error) };
    call.guard(|| {
        let out = call.out(patch, "patch")?;
        let basis = call.optional_path(basis_path);
        let deltas = call.paths(delta_paths, delta_count, "delta_paths")?;
        let PatchPlan { options, watching } = call.patch_plan(options)?;
        let chain = Chain::new(open_basis(basis)?, open_deltas(&deltas)?, options);
        let chain = chain.map_err(|error| watching.explain(error))?;
        out.set(begin(chain, watching));
        Ok(frazil_status::FRAZIL_OK)
    })
}

/// Reads the next bytes of the target into `buffer` and puts how many into `*read`, at most `len`; 0 is
/// the end, and says that the target was verified.
///
/// A failure of the delta's source leaves the patch as it was; reading again goes on where it stopped.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_patch_read(
    patch: *mut frazil_patch,
    buffer: *mut c_void,
    len: usize,
    read: *mut usize,
    error: *mut *mut frazil_error,
) -> frazil_status {
    // SAFETY: the arguments are the caller's, who keeps to the header.
    let call = unsafe { Call::new(error) };
    call.guard(|| {
        let out = call.out(read, "read")?;
        let patch = call.reference(patch, "patch")?;
        let buffer = call.buffer(buffer, len, "buffer")?;
        let read = patch.0.work(|patch| patch.reader.read(buffer).map_err(|error| patch.watching.explain(error)))?;
        out.set(read);
        Ok(frazil_status::FRAZIL_OK)
    })
}

/// Says what was done, after the target was read to its end; `FRAZIL_ERR_STATE` when it was not.
/// `summary` may be NULL. Whatever it returns, the patch can then only be freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_patch_finish(
    patch: *mut frazil_patch,
    summary: *mut frazil_patch_summary,
    error: *mut *mut frazil_error,
) -> frazil_status {
    // SAFETY: the arguments are the caller's, who keeps to the header.
    let call = unsafe { Call::new(error) };
    call.guard(|| {
        let report = call.report(summary, "summary")?;
        let patch = call.reference(patch, "patch")?;
        let finish = |patch: Patch| patch.reader.finish().map_err(|error| patch.watching.explain(error));
        report.set(&(&patch.0.finish(finish)?).into());
        Ok(frazil_status::FRAZIL_OK)
    })
}

/// Frees a patch, finished or not. Takes NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_patch_free(patch: *mut frazil_patch) {
    // SAFETY: it was given out by this library, and the caller frees it once.
    unsafe { free_handle(patch) }
}

/// Does a patch in one go, and tells the caller of it.
pub(super) fn whole(
    plan: PatchPlan,
    report: Report<frazil_patch_summary>,
    work: impl FnOnce(PatchOptions) -> Result<PatchSummary>,
) -> Outcome {
    let PatchPlan { options, watching } = plan;
    report.set(&(&work(options).map_err(|error| watching.explain(error))?).into());
    Ok(frazil_status::FRAZIL_OK)
}
