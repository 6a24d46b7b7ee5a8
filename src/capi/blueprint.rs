//! The blueprint's functions in one call each, under its own names.

use std::ffi::{c_char, c_void};
use std::io::{self, Read};

use super::call::Call;
use super::error::{Outcome, frazil_error};
use super::level::LevelOuts;
use super::level_options::frazil_level_options;
use super::observer::Watching;
use super::patch_options::{frazil_patch_options, frazil_patch_summary};
use super::signature::frazil_signature;
use super::status::frazil_status;
use super::stream::{CallbackWriter, frazil_read_fn, frazil_write_fn};
use crate::{Error, LevelReader, patch_from_file_with, patch_from_stream_with};

/// Writes a level out, if it has somewhere to go, and ends it.
fn run<R: Read>(
    (mut level, watching): (LevelReader<R>, Watching),
    sink: Option<CallbackWriter>,
    outs: LevelOuts,
) -> Outcome {
    if let Some(mut sink) = sink {
        io::copy(&mut level, &mut sink).map_err(|error| watching.explain("making a level", Error::from(error)))?;
    }
    Ok(outs.set(level.finish_summary().map_err(|error| watching.explain("making a level", error))?))
}

/// Reads the file at `fs_path` once, gives its signature and writes its level to a callback: level 0
/// where `ex_signature` is NULL, else level n against the signature of level n-1.
///
/// `write` may be NULL when only the signature is wanted, `signature` when only the level is, and
/// `options` for the default. Returns `FRAZIL_DIRTY` when the file changed while it was read.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_gen_sig_from_file(
    fs_path: *const c_char,
    ex_signature: *const frazil_signature,
    options: *const frazil_level_options,
    write: frazil_write_fn,
    user_data: *mut c_void,
    signature: *mut *mut frazil_signature,
    error: *mut *mut frazil_error,
) -> frazil_status {
    // SAFETY: the arguments are the caller's, who keeps to the header.
    let call = unsafe { Call::new(error) };
    call.guard(|| {
        let outs = call.level_outs(signature, std::ptr::null_mut())?;
        let path = call.path(fs_path, "fs_path")?;
        let level = call.level_plan(ex_signature, options)?.open(path)?;
        run(level, call.optional_writer(write, user_data), outs)
    })
}

/// As `frazil_gen_sig_from_file`, of what `read` gives, which is called with `read_user_data`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_gen_sig_from_stream(
    read: frazil_read_fn,
    read_user_data: *mut c_void,
    ex_signature: *const frazil_signature,
    options: *const frazil_level_options,
    write: frazil_write_fn,
    write_user_data: *mut c_void,
    signature: *mut *mut frazil_signature,
    error: *mut *mut frazil_error,
) -> frazil_status {
    // SAFETY: the arguments are the caller's, who keeps to the header.
    let call = unsafe { Call::new(error) };
    call.guard(|| {
        let outs = call.level_outs(signature, std::ptr::null_mut())?;
        let source = call.reader(read, read_user_data)?;
        let level = call.level_plan(ex_signature, options)?.read(source)?;
        run(level, call.optional_writer(write, write_user_data), outs)
    })
}

/// Applies a delta to a file.
///
/// Where `read` is NULL, the file at `source` is a delta and is applied to `destination`, as
/// `frazil_patch_from_stream` does. Else `source` is the basis, `read` gives the delta, and `destination`
/// is created. `options` may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_patch_from_file(
    source: *const c_char,
    destination: *const c_char,
    read: frazil_read_fn,
    user_data: *mut c_void,
    options: *const frazil_patch_options,
    summary: *mut frazil_patch_summary,
    error: *mut *mut frazil_error,
) -> frazil_status {
    // SAFETY: the arguments are the caller's, who keeps to the header.
    let call = unsafe { Call::new(error) };
    call.guard(|| {
        let report = call.report(summary, "summary")?;
        let (source, destination) = (call.path(source, "source")?, call.path(destination, "destination")?);
        let mut delta = if read.is_some() { Some(call.reader(read, user_data)?) } else { None };
        call.patch_plan(options)?.run(report, |options| {
            let delta = delta.as_mut().map(|delta| delta as &mut dyn Read);
            patch_from_file_with(source, destination, delta, options)
        })
    })
}

/// Applies the delta that `read` gives: a level 0 creates the file at `destination`, a level n turns the
/// file that is there into its next state, whole or not at all. `options` and `summary` may be NULL.
///
/// A level 0 over a file that is there fails with `FRAZIL_ERR_WRONG_BASIS`, unless the options let it
/// replace the file.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_patch_from_stream(
    read: frazil_read_fn,
    user_data: *mut c_void,
    destination: *const c_char,
    options: *const frazil_patch_options,
    summary: *mut frazil_patch_summary,
    error: *mut *mut frazil_error,
) -> frazil_status {
    // SAFETY: the arguments are the caller's, who keeps to the header.
    let call = unsafe { Call::new(error) };
    call.guard(|| {
        let report = call.report(summary, "summary")?;
        let (delta, destination) = (call.reader(read, user_data)?, call.path(destination, "destination")?);
        call.patch_plan(options)?.run(report, |options| patch_from_stream_with(delta, destination, options))
    })
}
