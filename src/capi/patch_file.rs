//! Patches and chains from path to path.

use std::ffi::{c_char, c_int, c_void};
use std::io::Read;
use std::path::Path;

use super::call::Call;
use super::error::{Outcome, frazil_error};
use super::input::{Delta, frazil_input, open_delta};
use super::observer::Watching;
use super::patch_options::{frazil_patch_options, frazil_patch_summary};
use super::status::frazil_status;
use super::stream::frazil_read_fn;
use crate::patch::{chain_to_file, patch_to_file};
use crate::patch_in_place;

/// What every function here is given beside deltas.
struct Given {
    basis_path: *const c_char,
    target_path: *const c_char,
    options: *const frazil_patch_options,
    summary: *mut frazil_patch_summary,
}

/// Applies one delta, which may be in a file of a path.
fn patch<'a, R: Read>(
    call: &'a Call,
    given: Given,
    open: impl FnOnce(&Watching) -> Outcome<(R, Option<&'a Path>)>,
) -> Outcome {
    let report = call.report(given.summary, "summary")?;
    let target = call.path(given.target_path, "target_path")?;
    let mut plan = call.patch_plan(given.options)?;
    let (delta, delta_path) = open(&plan.watching)?;
    let basis = plan.basis(call.optional_path(given.basis_path))?;
    plan.run(report, |options| patch_to_file(basis, delta, delta_path, target, options))
}

/// Applies the deltas of several levels.
fn chain(call: &Call, given: Given, open: impl FnOnce() -> Outcome<Vec<Delta>>) -> Outcome {
    let report = call.report(given.summary, "summary")?;
    let target = call.path(given.target_path, "target_path")?;
    let mut plan = call.patch_plan(given.options)?;
    let deltas = open()?;
    let basis = plan.basis(call.optional_path(given.basis_path))?;
    plan.run(report, |options| chain_to_file(basis, deltas, target, options))
}

/// Applies the delta in the file at `delta_path` to the file at `basis_path` and publishes the result as
/// `target_path`, which may be the same path; NULL is no basis, as for a level 0. `options` and `summary`
/// may be NULL.
///
/// The target appears whole and verified, or what was there stays as it was. `FRAZIL_ERR_EXISTS` when
/// something is there and `replace` is 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_patch_file(
    basis_path: *const c_char,
    delta_path: *const c_char,
    target_path: *const c_char,
    options: *const frazil_patch_options,
    summary: *mut frazil_patch_summary,
    error: *mut *mut frazil_error,
) -> frazil_status {
    // SAFETY: the arguments are the caller's, who keeps to the header.
    let call = unsafe { Call::new(error) };
    let given = Given { basis_path, target_path, options, summary };
    call.guard(|| {
        patch(&call, given, |_| {
            let path = call.path(delta_path, "delta_path")?;
            Ok((open_delta(path)?, Some(path)))
        })
    })
}

/// As `frazil_patch_file`, with the delta that the file descriptor `fd` gives from where it stands.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_patch_file_fd(
    basis_path: *const c_char,
    fd: c_int,
    target_path: *const c_char,
    options: *const frazil_patch_options,
    summary: *mut frazil_patch_summary,
    error: *mut *mut frazil_error,
) -> frazil_status {
    // SAFETY: the arguments are the caller's, who keeps to the header.
    let call = unsafe { Call::new(error) };
    let given = Given { basis_path, target_path, options, summary };
    call.guard(|| patch(&call, given, |watching| Ok((call.source(fd, watching)?, None))))
}

/// As `frazil_patch_file`, with the delta that a callback reads.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_patch_file_stream(
    basis_path: *const c_char,
    read: frazil_read_fn,
    user_data: *mut c_void,
    target_path: *const c_char,
    options: *const frazil_patch_options,
    summary: *mut frazil_patch_summary,
    error: *mut *mut frazil_error,
) -> frazil_status {
    // SAFETY: the arguments are the caller's, who keeps to the header.
    let call = unsafe { Call::new(error) };
    let given = Given { basis_path, target_path, options, summary };
    call.guard(|| patch(&call, given, |_| Ok((call.reader(read, user_data)?, None))))
}

/// Applies the deltas of several levels, lowest first, in one pass; else as `frazil_patch_file`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_patch_file_chain(
    basis_path: *const c_char,
    delta_paths: *const *const c_char,
    delta_count: usize,
    target_path: *const c_char,
    options: *const frazil_patch_options,
    summary: *mut frazil_patch_summary,
    error: *mut *mut frazil_error,
) -> frazil_status {
    // SAFETY: the arguments are the caller's, who keeps to the header.
    let call = unsafe { Call::new(error) };
    let given = Given { basis_path, target_path, options, summary };
    call.guard(|| chain(&call, given, || call.delta_files(delta_paths, delta_count)))
}

/// As `frazil_patch_file_chain`, with deltas that are files, descriptors or callbacks.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_patch_file_chain_inputs(
    basis_path: *const c_char,
    deltas: *const frazil_input,
    delta_count: usize,
    target_path: *const c_char,
    options: *const frazil_patch_options,
    summary: *mut frazil_patch_summary,
    error: *mut *mut frazil_error,
) -> frazil_status {
    // SAFETY: the arguments are the caller's, who keeps to the header.
    let call = unsafe { Call::new(error) };
    let given = Given { basis_path, target_path, options, summary };
    call.guard(|| chain(&call, given, || call.deltas(deltas, delta_count)))
}

/// Turns the file at `path` itself into the target of the delta in the file at `delta_path`, without a
/// second copy.
///
/// **What this gives up:** once writing has begun the old content is gone, and a crash or a full disk
/// leaves a file that is neither old nor new. The whole delta, and the basis where the delta is sealed,
/// are checked before the first write. An observer can stop the checks, but not the writing.
///
/// After a crash, the same call tells. With a sealed delta, it succeeds where the file is still the old one, and
/// refuses one that is not, `FRAZIL_ERR_WRONG_BASIS`, without a write: it may be the new one, or neither. A plain delta
/// is applied to whatever is there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_patch_in_place(
    path: *const c_char,
    delta_path: *const c_char,
    options: *const frazil_patch_options,
    summary: *mut frazil_patch_summary,
    error: *mut *mut frazil_error,
) -> frazil_status {
    // SAFETY: the arguments are the caller's, who keeps to the header.
    let call = unsafe { Call::new(error) };
    call.guard(|| {
        let report = call.report(summary, "summary")?;
        let (path, delta) = (call.path(path, "path")?, call.path(delta_path, "delta_path")?);
        call.patch_plan(options)?.run(report, |options| {
            patch_in_place(path, open_delta(delta)?, options).map_err(|error| error.in_stream(Some(delta)))
        })
    })
}
