//! What a signature says: of its content, and of each block.

use std::ffi::c_int;

use super::arguments::Zero;
use super::call::Call;
use super::error::{FRAZIL_UNKNOWN, frazil_error};
use super::identity::frazil_identity;
use super::signature::frazil_signature;
use super::status::frazil_status;
use super::sums::{frazil_strong_sum, frazil_weak_sum};

/// The sums of one block.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct frazil_block_sum {
    /// The rolling sum.
    pub weak_sum: u32,
    /// The strong sum; zeros past its length.
    pub strong_sum: [u8; 32],
}

// SAFETY: numbers.
unsafe impl Zero for frazil_block_sum {}

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

/// Which rolling sum it has; `FRAZIL_WEAK_SUM_DEFAULT` of NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_signature_weak_sum(signature: *const frazil_signature) -> frazil_weak_sum {
    // SAFETY: the argument is the caller's, who keeps to the header.
    let call = unsafe { Call::infallible() };
    call.optional(signature)
        .map_or(frazil_weak_sum::FRAZIL_WEAK_SUM_DEFAULT, |signature| signature.0.params().weak().into())
}

/// Which strong sum it has; `FRAZIL_STRONG_SUM_DEFAULT` of NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_signature_strong_sum(signature: *const frazil_signature) -> frazil_strong_sum {
    // SAFETY: the argument is the caller's, who keeps to the header.
    let call = unsafe { Call::infallible() };
    call.optional(signature)
        .map_or(frazil_strong_sum::FRAZIL_STRONG_SUM_DEFAULT, |signature| signature.0.params().strong().into())
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
        out.set(frazil_block_sum { weak_sum: sum.weak, strong_sum: sum.strong });
        Ok(frazil_status::FRAZIL_OK)
    })
}
