//! Signatures: computed, loaded and saved.

use std::ffi::{c_char, c_int, c_void};
use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::arguments::{Out, invalid};
use super::call::Call;
use super::error::{Outcome, frazil_error};
use super::format::format_of;
use super::handle::{free, give};
use super::level_options::frazil_level_options;
use super::observer::Watching;
use super::status::frazil_status;
use super::stream::{frazil_read_fn, frazil_write_fn};
use crate::{Error, LevelReader, Result, Signature};

/// The sums of every block of some content: what a level is made against. It is immutable, and may be
/// used by several threads at once; levels that are made against it share its memory, and it may be
/// freed before they are.
pub struct frazil_signature(pub(super) Signature);

const _: () = {
    const fn is_shared<T: Send + Sync>() {}
    is_shared::<frazil_signature>()
};

/// Reads a source to its end for its signature alone, and gives that out.
fn give_signature_of<R: Read>(
    (level, watching): (LevelReader<R>, Watching),
    out: Out<*mut frazil_signature>,
) -> Outcome {
    let summary = level.finish_summary().map_err(|error| watching.explain("computing a signature", error))?;
    let signature = summary.signature.ok_or_else(|| invalid("a signature that is not to be held cannot be given"))?;
    out.set(give(frazil_signature(signature)));
    Ok(if summary.dirty { frazil_status::FRAZIL_DIRTY } else { frazil_status::FRAZIL_OK })
}

/// Computes the signature of a file, a device or anything that has a path. `options` may be NULL. Returns
/// `FRAZIL_DIRTY` when it changed while it was read.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_signature_of_path(
    path: *const c_char,
    options: *const frazil_level_options,
    signature: *mut *mut frazil_signature,
    error: *mut *mut frazil_error,
) -> frazil_status {
    // SAFETY: the arguments are the caller's, who keeps to the header.
    let call = unsafe { Call::new(error) };
    call.guard(|| {
        let out = call.out(signature, "signature")?;
        let path = call.path(path, "path")?;
        let level = call.level_plan(std::ptr::null(), options)?.open(path)?;
        give_signature_of(level, out)
    })
}

/// As `frazil_signature_of_path`, of what the file descriptor `fd` gives from where it stands.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_signature_of_fd(
    fd: c_int,
    options: *const frazil_level_options,
    signature: *mut *mut frazil_signature,
    error: *mut *mut frazil_error,
) -> frazil_status {
    // SAFETY: the arguments are the caller's, who keeps to the header.
    let call = unsafe { Call::new(error) };
    call.guard(|| {
        let out = call.out(signature, "signature")?;
        let plan = call.level_plan(std::ptr::null(), options)?;
        let source = call.source(fd, &plan.watching)?;
        give_signature_of(plan.read(source)?, out)
    })
}

/// As `frazil_signature_of_path`, of what a callback reads.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_signature_of_stream(
    read: frazil_read_fn,
    user_data: *mut c_void,
    options: *const frazil_level_options,
    signature: *mut *mut frazil_signature,
    error: *mut *mut frazil_error,
) -> frazil_status {
    // SAFETY: the arguments are the caller's, who keeps to the header.
    let call = unsafe { Call::new(error) };
    call.guard(|| {
        let out = call.out(signature, "signature")?;
        let source = call.reader(read, user_data)?;
        let level = call.level_plan(std::ptr::null(), options)?.read(source)?;
        give_signature_of(level, out)
    })
}

/// As `frazil_signature_of_path`, of bytes in memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_signature_of_data(
    data: *const c_void,
    len: usize,
    options: *const frazil_level_options,
    signature: *mut *mut frazil_signature,
    error: *mut *mut frazil_error,
) -> frazil_status {
    // SAFETY: the arguments are the caller's, who keeps to the header.
    let call = unsafe { Call::new(error) };
    call.guard(|| {
        let out = call.out(signature, "signature")?;
        let source = call.bytes(data, len, "data")?;
        let level = call.level_plan(std::ptr::null(), options)?.read(source)?;
        give_signature_of(level, out)
    })
}

fn load(source: impl Read, memory_limit: u64) -> Result<frazil_signature> {
    let limit = if memory_limit == 0 { u64::MAX } else { memory_limit };
    Signature::read_limited(source, limit).map(frazil_signature)
}

fn load_file(path: &Path, memory_limit: u64) -> Result<frazil_signature> {
    let file = File::open(path).map_err(|error| Error::io("opening a signature", error).path(path))?;
    load(file, memory_limit).map_err(|error| error.path(path))
}

/// Loads a signature from a file, sealed or plain, into at most `memory_limit` bytes; 0 is no limit.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_signature_load(
    path: *const c_char,
    memory_limit: u64,
    signature: *mut *mut frazil_signature,
    error: *mut *mut frazil_error,
) -> frazil_status {
    // SAFETY: the arguments are the caller's, who keeps to the header.
    let call = unsafe { Call::new(error) };
    call.guard(|| {
        let out = call.out(signature, "signature")?;
        out.set(give(load_file(call.path(path, "path")?, memory_limit)?));
        Ok(frazil_status::FRAZIL_OK)
    })
}

/// As `frazil_signature_load`, out of the file descriptor `fd` to its end.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_signature_load_fd(
    fd: c_int,
    memory_limit: u64,
    signature: *mut *mut frazil_signature,
    error: *mut *mut frazil_error,
) -> frazil_status {
    // SAFETY: the arguments are the caller's, who keeps to the header.
    let call = unsafe { Call::new(error) };
    call.guard(|| {
        let out = call.out(signature, "signature")?;
        out.set(give(load(call.source(fd, &Watching::default())?, memory_limit)?));
        Ok(frazil_status::FRAZIL_OK)
    })
}

/// As `frazil_signature_load`, out of a callback to its end.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_signature_load_stream(
    read: frazil_read_fn,
    user_data: *mut c_void,
    memory_limit: u64,
    signature: *mut *mut frazil_signature,
    error: *mut *mut frazil_error,
) -> frazil_status {
    // SAFETY: the arguments are the caller's, who keeps to the header.
    let call = unsafe { Call::new(error) };
    call.guard(|| {
        let out = call.out(signature, "signature")?;
        out.set(give(load(call.reader(read, user_data)?, memory_limit)?));
        Ok(frazil_status::FRAZIL_OK)
    })
}

/// As `frazil_signature_load`, out of bytes in memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_signature_load_data(
    data: *const c_void,
    len: usize,
    signature: *mut *mut frazil_signature,
    error: *mut *mut frazil_error,
) -> frazil_status {
    // SAFETY: the arguments are the caller's, who keeps to the header.
    let call = unsafe { Call::new(error) };
    call.guard(|| {
        let out = call.out(signature, "signature")?;
        out.set(give(load(call.bytes(data, len, "data")?, 0)?));
        Ok(frazil_status::FRAZIL_OK)
    })
}

/// Saves a signature as a new file, which appears whole or not at all; `format` is a `frazil_format`.
/// `FRAZIL_ERR_EXISTS` when something is at `path`, which is never replaced.
///
/// A signature of MD4 or shortened sums, or one that was loaded from the plain format and knows neither
/// length nor fingerprint, cannot be sealed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_signature_save(
    signature: *const frazil_signature,
    path: *const c_char,
    format: c_int,
    error: *mut *mut frazil_error,
) -> frazil_status {
    // SAFETY: the arguments are the caller's, who keeps to the header.
    let call = unsafe { Call::new(error) };
    call.guard(|| {
        let signature = call.reference(signature, "signature")?;
        signature.0.save(call.path(path, "path")?, format_of(format)?)?;
        Ok(frazil_status::FRAZIL_OK)
    })
}

/// As `frazil_signature_save`, to the file descriptor `fd`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_signature_save_fd(
    signature: *const frazil_signature,
    fd: c_int,
    format: c_int,
    error: *mut *mut frazil_error,
) -> frazil_status {
    // SAFETY: the arguments are the caller's, who keeps to the header.
    let call = unsafe { Call::new(error) };
    call.guard(|| {
        let signature = call.reference(signature, "signature")?;
        let (sink, format) = (call.descriptor(fd)?, format_of(format)?);
        let writing = |error: Error| Error::io(format!("writing to file descriptor {fd}"), error.into());
        signature.0.write_to(sink, format).map_err(writing)?;
        Ok(frazil_status::FRAZIL_OK)
    })
}

/// As `frazil_signature_save`, to a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_signature_save_stream(
    signature: *const frazil_signature,
    format: c_int,
    write: frazil_write_fn,
    user_data: *mut c_void,
    error: *mut *mut frazil_error,
) -> frazil_status {
    // SAFETY: the arguments are the caller's, who keeps to the header.
    let call = unsafe { Call::new(error) };
    call.guard(|| {
        let signature = call.reference(signature, "signature")?;
        signature.0.write_to(call.writer(write, user_data)?, format_of(format)?)?;
        Ok(frazil_status::FRAZIL_OK)
    })
}

/// Frees a signature. Takes NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_signature_free(signature: *mut frazil_signature) {
    // SAFETY: it was given out by this library, and the caller frees it once.
    unsafe { free(signature) }
}
