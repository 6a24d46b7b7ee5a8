//! Patches and chains, in their pull form.

use std::ffi::{c_char, c_int, c_void};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::call::Call;
use super::error::{Outcome, frazil_error};
use super::handle::{Handle, free_handle, give, handle_of};
use super::input::frazil_input;
use super::observer::Watching;
use super::patch_options::{PatchPlan, frazil_patch_options, frazil_patch_summary};
use super::status::frazil_status;
use super::stream::frazil_read_fn;
use crate::{Chain, Error, PatchReader, PatchSummary, ReadAt, Result};

/// What a failure says was being done, where it says nothing else.
pub(super) const DOING: &str = "applying a delta";

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
    /// Where the one delta is, if that is known.
    delta_path: Option<PathBuf>,
}

/// One delta, or the deltas of several levels, applied to a basis: the target, as it is read. One call at
/// a time may use it, from any thread.
pub struct frazil_patch(Handle<Patch>);
handle_of!(frazil_patch, Patch);

impl Patch {
    fn give(reader: impl Pull + 'static, watching: Watching, delta_path: Option<&Path>) -> *mut frazil_patch {
        let (reader, delta_path) = (Box::new(reader), delta_path.map(Path::to_owned));
        give(frazil_patch(Handle::new("patch", Self { reader, watching, delta_path })))
    }

    fn explain(&self, error: impl Into<Error>) -> Box<frazil_error> {
        self.watching.explain(DOING, error.into().in_stream(self.delta_path.as_deref()))
    }
}

fn begin(
    basis: Option<&Path>,
    delta: impl Read + Send + 'static,
    delta_path: Option<&Path>,
    mut plan: PatchPlan,
) -> Outcome<*mut frazil_patch> {
    let reader = PatchReader::new(delta, plan.basis(basis)?, plan.options)?;
    Ok(Patch::give(reader, plan.watching, delta_path))
}

fn begin_chain(
    basis: Option<&Path>,
    deltas: Vec<impl ReadAt + 'static>,
    mut plan: PatchPlan,
) -> Outcome<*mut frazil_patch> {
    let chain =
        Chain::new(plan.basis(basis)?, deltas, plan.options).map_err(|error| plan.watching.explain(DOING, error))?;
    Ok(Patch::give(chain, plan.watching, None))
}

pub(super) fn open_delta(path: &Path) -> Result<File> {
    File::open(path).map_err(|error| Error::io("opening the delta", error).path(path))
}

pub(super) fn open_deltas(paths: &[PathBuf]) -> Result<Vec<File>> {
    paths.iter().map(|path| open_delta(path)).collect()
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
        let plan = call.patch_plan(options)?;
        out.set(begin(basis, open_delta(delta)?, Some(delta), plan)?);
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
        let plan = call.patch_plan(options)?;
        let (basis, delta) = (call.optional_path(basis_path), call.source(fd, &plan.watching)?);
        out.set(begin(basis, delta, None, plan)?);
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
        out.set(begin(basis, delta, None, call.patch_plan(options)?)?);
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
        let plan = call.patch_plan(options)?;
        out.set(begin_chain(basis, open_deltas(&deltas)?, plan)?);
        Ok(frazil_status::FRAZIL_OK)
    })
}

/// As `frazil_patch_open_chain`, with deltas that are files, descriptors or callbacks.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_patch_open_chain_inputs(
    basis_path: *const c_char,
    deltas: *const frazil_input,
    delta_count: usize,
    options: *const frazil_patch_options,
    patch: *mut *mut frazil_patch,
    error: *mut *mut frazil_error,
) -> frazil_status {
    // SAFETY: the arguments are the caller's, who keeps to the header.
    let call = unsafe { Call::new(error) };
    call.guard(|| {
        let out = call.out(patch, "patch")?;
        let (basis, deltas) = (call.optional_path(basis_path), call.deltas(deltas, delta_count)?);
        out.set(begin_chain(basis, deltas, call.patch_plan(options)?)?);
        Ok(frazil_status::FRAZIL_OK)
    })
}

/// Reads the next bytes of the target into `buffer` and puts how many into `*read`, at most `len`; 0,
/// unless `len` is 0, is the end, and says that the target was verified.
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
        let read = patch.0.work(|patch| patch.reader.read(buffer).map_err(|error| patch.explain(error)))?;
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
        let finish = |Patch { reader, watching, .. }| reader.finish().map_err(|error| watching.explain(DOING, error));
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
