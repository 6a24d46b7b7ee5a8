//! Patches and chains, in their pull form.

use std::ffi::{c_char, c_int, c_void};
use std::io::Read;
use std::path::{Path, PathBuf};

use super::call::Call;
use super::error::{Outcome, frazil_error};
use super::handle::{Handle, free_handle, give, handle_of};
use super::input::{Delta, frazil_input, open_delta};
use super::observer::Watching;
use super::patch_options::{frazil_patch_options, frazil_patch_summary};
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

/// What every function that opens a patch is given beside deltas.
struct Given {
    basis_path: *const c_char,
    options: *const frazil_patch_options,
    patch: *mut *mut frazil_patch,
}

/// Opens one delta, which may be in a file of a path.
fn begin<'a, R: Read + Send + 'static>(
    call: &'a Call,
    given: Given,
    open: impl FnOnce(&Watching) -> Outcome<(R, Option<&'a Path>)>,
) -> Outcome {
    let out = call.out(given.patch, "patch")?;
    let mut plan = call.patch_plan(given.options)?;
    let (delta, delta_path) = open(&plan.watching)?;
    let reader = PatchReader::new(delta, plan.basis(call.optional_path(given.basis_path))?, plan.options)?;
    out.set(Patch::give(reader, plan.watching, delta_path));
    Ok(frazil_status::FRAZIL_OK)
}

/// Opens the deltas of several levels.
fn begin_chain(call: &Call, given: Given, open: impl FnOnce() -> Outcome<Vec<Delta>>) -> Outcome {
    let out = call.out(given.patch, "patch")?;
    let mut plan = call.patch_plan(given.options)?;
    let deltas = open()?;
    let chain = Chain::new(plan.basis(call.optional_path(given.basis_path))?, deltas, plan.options);
    let chain = chain.map_err(|error| plan.watching.explain(DOING, error))?;
    out.set(Patch::give(chain, plan.watching, None));
    Ok(frazil_status::FRAZIL_OK)
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
    let given = Given { basis_path, options, patch };
    call.guard(|| {
        begin(&call, given, |_| {
            let path = call.path(delta_path, "delta_path")?;
            Ok((open_delta(path)?, Some(path)))
        })
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
    let given = Given { basis_path, options, patch };
    call.guard(|| begin(&call, given, |watching| Ok((call.source(fd, watching)?, None))))
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
    let given = Given { basis_path, options, patch };
    call.guard(|| begin(&call, given, |_| Ok((call.reader(read, user_data)?, None))))
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
    let given = Given { basis_path, options, patch };
    call.guard(|| begin_chain(&call, given, || call.delta_files(delta_paths, delta_count)))
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
    let given = Given { basis_path, options, patch };
    call.guard(|| begin_chain(&call, given, || call.deltas(deltas, delta_count)))
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
