//! Signatures: computed, loaded, saved, looked into.

use std::ffi::{c_char, c_int, c_void};
use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::arguments::{Zero, invalid};
use super::call::Call;
use super::choice::choose;
use super::error::{FRAZIL_UNKNOWN, Outcome, frazil_error};
use super::handle::{free, give};
use super::identity::frazil_identity;
use super::level_options::frazil_level_options;
use super::observer::Watching;
use super::status::frazil_status;
use super::stream::{frazil_read_fn, frazil_write_fn};
use crate::{Error, Format, LevelReader, Result, Signature, StrongKind, WeakKind};

/// The sums of every block of some content: what a level is made against. It is immutable, and may be
/// used by several threads at once; levels that are made against it share its memory, and it may be
/// freed before they are.
pub struct frazil_signature(pub(super) Signature);

const _: () = {
    const fn is_shared<T: Send + Sync>() {}
    is_shared::<frazil_signature>()
};

/// Which form a stream takes.
#[repr(C)]
#[derive(Clone, Copy)]
pub enum frazil_format {
    /// frazil's integrity frame: every byte checked, the basis and the result identified.
    FRAZIL_FORMAT_SEALED = 0,
    /// librsync's plain format, as `rdiff` reads and writes it: no check of anything.
    FRAZIL_FORMAT_RDIFF = 1,
}

pub(super) fn format_of(number: c_int) -> Outcome<Format> {
    use frazil_format::{FRAZIL_FORMAT_RDIFF as RDIFF, FRAZIL_FORMAT_SEALED as SEALED};
    choose(number, "format", [(SEALED as c_int, Format::Sealed), (RDIFF as c_int, Format::Rdiff)])
}

/// The sum that rolls along the data and finds candidates.
#[repr(C)]
#[derive(Clone, Copy)]
pub enum frazil_weak {
    /// That of the basis's signature, or the RabinKarp one.
    FRAZIL_WEAK_DEFAULT = 0,
    /// librsync's first sum, after rsync's; collides often on long runs of equal bytes.
    FRAZIL_WEAK_ROLLSUM = 1,
    /// The polynomial sum of librsync 2.2 and later.
    FRAZIL_WEAK_RABIN_KARP = 2,
}

/// The sum that decides whether two blocks are equal.
#[repr(C)]
#[derive(Clone, Copy)]
pub enum frazil_strong {
    /// That of the basis's signature, or BLAKE2b.
    FRAZIL_STRONG_DEFAULT = 0,
    /// MD4, 16 bytes: broken, for exchange with old peers only.
    FRAZIL_STRONG_MD4 = 1,
    /// BLAKE2b with a 32-byte digest.
    FRAZIL_STRONG_BLAKE2 = 2,
}

/// The sums of one block.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct frazil_block_sum {
    /// The rolling sum.
    pub weak: u32,
    /// The strong sum; zeros past its length.
    pub strong: [u8; 32],
}

// SAFETY: numbers.
unsafe impl Zero for frazil_block_sum {}

/// Reads a source to its end for its signature alone.
fn signature_of<R: Read>((level, watching): (LevelReader<R>, Watching)) -> Outcome<frazil_signature> {
    let summary = level.finish_summary().map_err(|error| watching.explain(error))?;
    let signature = summary.signature.ok_or_else(|| invalid("a signature that is not to be held cannot be given"))?;
    Ok(frazil_signature(signature))
}

/// Computes the signature of a file, a device or anything that has a path. `options` may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_signature_of_file(
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
        let level = call.level_plan(options)?.start(|options| LevelReader::open(path, None, options))?;
        out.set(give(signature_of(level)?));
        Ok(frazil_status::FRAZIL_OK)
    })
}

/// As `frazil_signature_of_file`, of what the file descriptor `fd` gives from where it stands.
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
        let source = call.descriptor(fd)?;
        let level = call.level_plan(options)?.start(|options| LevelReader::new(source, None, options))?;
        out.set(give(signature_of(level)?));
        Ok(frazil_status::FRAZIL_OK)
    })
}

/// As `frazil_signature_of_file`, of what a callback reads.
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
        let level = call.level_plan(options)?.start(|options| LevelReader::new(source, None, options))?;
        out.set(give(signature_of(level)?));
        Ok(frazil_status::FRAZIL_OK)
    })
}

/// As `frazil_signature_of_file`, of bytes in memory.
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
        let level = call.level_plan(options)?.start(|options| LevelReader::new(source, None, options))?;
        out.set(give(signature_of(level)?));
        Ok(frazil_status::FRAZIL_OK)
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
        out.set(give(load(call.descriptor(fd)?, memory_limit)?));
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

/// As `frazil_signature_save`, to a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_signature_write(
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

/// As `frazil_signature_save`, to the file descriptor `fd`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_signature_write_fd(
    signature: *const frazil_signature,
    format: c_int,
    fd: c_int,
    error: *mut *mut frazil_error,
) -> frazil_status {
    // SAFETY: the arguments are the caller's, who keeps to the header.
    let call = unsafe { Call::new(error) };
    call.guard(|| {
        let signature = call.reference(signature, "signature")?;
        signature.0.write_to(call.descriptor(fd)?, format_of(format)?)?;
        Ok(frazil_status::FRAZIL_OK)
    })
}

/// Bytes in a block, the last of which may be shorter; 0 of NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_signature_block_len(signature: *const frazil_signature) -> u32 {
    // SAFETY: the argument is the caller's, who keeps to the header.
    let call = unsafe { Call::infallible() };
    call.optional(signature).map_or(0, |signature| signature.0.params().block_len())
}

/// Bytes of each strong sum; 0 of NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_signature_strong_len(signature: *const frazil_signature) -> u32 {
    // SAFETY: the argument is the caller's, who keeps to the header.
    let call = unsafe { Call::infallible() };
    call.optional(signature).map_or(0, |signature| signature.0.params().strong_len())
}

/// Which rolling sum it has; `FRAZIL_WEAK_DEFAULT` of NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_signature_weak(signature: *const frazil_signature) -> frazil_weak {
    // SAFETY: the argument is the caller's, who keeps to the header.
    let call = unsafe { Call::infallible() };
    call.optional(signature).map_or(frazil_weak::FRAZIL_WEAK_DEFAULT, |signature| match signature.0.params().weak() {
        WeakKind::Rollsum => frazil_weak::FRAZIL_WEAK_ROLLSUM,
        WeakKind::RabinKarp => frazil_weak::FRAZIL_WEAK_RABIN_KARP,
    })
}

/// Which strong sum it has; `FRAZIL_STRONG_DEFAULT` of NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_signature_strong(signature: *const frazil_signature) -> frazil_strong {
    // SAFETY: the argument is the caller's, who keeps to the header.
    let call = unsafe { Call::infallible() };
    let signature = call.optional(signature);
    signature.map_or(frazil_strong::FRAZIL_STRONG_DEFAULT, |signature| match signature.0.params().strong() {
        StrongKind::Md4 => frazil_strong::FRAZIL_STRONG_MD4,
        StrongKind::Blake2 => frazil_strong::FRAZIL_STRONG_BLAKE2,
    })
}

/// How many blocks there are; 0 of NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_signature_block_count(signature: *const frazil_signature) -> u64 {
    // SAFETY: the argument is the caller's, who keeps to the header.
    let call = unsafe { Call::infallible() };
    call.optional(signature).map_or(0, |signature| signature.0.block_count() as u64)
}

/// Bytes of content, or `FRAZIL_UNKNOWN`: the plain format does not say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_signature_length(signature: *const frazil_signature) -> u64 {
    // SAFETY: the argument is the caller's, who keeps to the header.
    let call = unsafe { Call::infallible() };
    call.optional(signature).and_then(|signature| signature.0.length()).unwrap_or(FRAZIL_UNKNOWN)
}

/// 1 if the content changed while it was read, so that this is the signature of the bytes that were read
/// and perhaps of no state the source was ever in; else 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_signature_is_dirty(signature: *const frazil_signature) -> c_int {
    // SAFETY: the argument is the caller's, who keeps to the header.
    let call = unsafe { Call::infallible() };
    call.optional(signature).is_some_and(|signature| signature.0.is_dirty()).into()
}

/// Length, checksum and fingerprint of the content. `FRAZIL_END` when the signature does not have them:
/// the plain format does not.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_signature_identity(
    signature: *const frazil_signature,
    identity: *mut frazil_identity,
    error: *mut *mut frazil_error,
) -> frazil_status {
    // SAFETY: the arguments are the caller's, who keeps to the header.
    let call = unsafe { Call::new(error) };
    call.guard(|| {
        let out = call.out(identity, "identity")?;
        let Some(identity) = call.reference(signature, "signature")?.0.identity() else {
            return Ok(frazil_status::FRAZIL_END);
        };
        out.set(identity.into());
        Ok(frazil_status::FRAZIL_OK)
    })
}

/// The sums of block `index`, counted from 0. `FRAZIL_END` when there are no so many.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_signature_block(
    signature: *const frazil_signature,
    index: u64,
    sum: *mut frazil_block_sum,
    error: *mut *mut frazil_error,
) -> frazil_status {
    // SAFETY: the arguments are the caller's, who keeps to the header.
    let call = unsafe { Call::new(error) };
    call.guard(|| {
        let out = call.out(sum, "sum")?;
        let signature = call.reference(signature, "signature")?;
        let Some(sum) = usize::try_from(index).ok().and_then(|index| signature.0.block(index)) else {
            return Ok(frazil_status::FRAZIL_END);
        };
        out.set(frazil_block_sum { weak: sum.weak, strong: sum.strong });
        Ok(frazil_status::FRAZIL_OK)
    })
}

/// Frees a signature. Takes NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_signature_free(signature: *mut frazil_signature) {
    // SAFETY: it was given out by this library, and the caller frees it once.
    unsafe { free(signature) }
}
