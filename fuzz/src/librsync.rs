//! The C library as it is, driven straight through its own interface: what frazil is held against.

use std::ffi::{c_int, c_longlong, c_void};
use std::ptr::NonNull;

use librsync_sys as sys;

/// librsync's codes, as it gave them.
pub type Code = sys::rs_result;

/// Applies a plain delta to a basis by librsync alone; at most `max` bytes come out.
pub fn c_patch(basis: &[u8], delta: &[u8], max: usize) -> Result<Vec<u8>, Code> {
    let mut basis = basis;
    // SAFETY: the callback is given the pointer to `basis`, which outlives the job.
    let job = unsafe { sys::rs_patch_begin(copy, (&raw mut basis).cast()) };
    run(job, delta, max)
}

/// The plain signature of a content by librsync alone.
pub fn c_signature(content: &[u8], block_len: usize, strong_len: usize, magic: sys::rs_magic_number) -> Vec<u8> {
    // SAFETY: takes numbers alone.
    let job = unsafe { sys::rs_sig_begin(block_len, strong_len, magic) };
    run(job, content, usize::MAX).expect("content in memory has a signature")
}

/// The plain delta of a content against a plain signature by librsync alone.
pub fn c_delta(signature: &[u8], content: &[u8]) -> Result<Vec<u8>, Code> {
    let mut sums = std::ptr::null_mut();
    // SAFETY: the place for the signature outlives the job.
    let loading = unsafe { sys::rs_loadsig_begin(&raw mut sums) };
    let loaded = run(loading, signature, usize::MAX);
    let sums = Sums(NonNull::new(sums).ok_or(sys::RS_MEM_ERROR)?);
    loaded?;
    // SAFETY: the signature is loaded.
    let code = unsafe { sys::rs_build_hash_table(sums.0.as_ptr()) };
    if code != sys::RS_DONE {
        return Err(code);
    }
    // SAFETY: the signature outlives the job, which ends within `run`.
    let job = unsafe { sys::rs_delta_begin(sums.0.as_ptr()) };
    run(job, content, usize::MAX)
}

/// A loaded signature.
struct Sums(NonNull<sys::rs_signature_t>);

impl Drop for Sums {
    fn drop(&mut self) {
        // SAFETY: it was loaded, and no job is left that uses it.
        unsafe { sys::rs_free_sumset(self.0.as_ptr()) };
    }
}

/// Gives librsync a range of the basis.
extern "C" fn copy(basis: *mut c_void, offset: c_longlong, len: *mut usize, buffer: *mut *mut c_void) -> Code {
    // SAFETY: `c_patch` gave this pointer, and librsync those of its own.
    let (basis, len, buffer) = unsafe { (*basis.cast::<&[u8]>(), &mut *len, *buffer) };
    let Some(rest) = usize::try_from(offset).ok().and_then(|offset| basis.get(offset..)) else {
        return sys::RS_INPUT_ENDED;
    };
    let there = rest.len().min(*len);
    // SAFETY: librsync has room for as many bytes as it asks for.
    unsafe { std::ptr::copy_nonoverlapping(rest.as_ptr(), buffer.cast(), there) };
    *len = there;
    sys::RS_DONE
}

/// Runs a job to its end over one input and frees it.
fn run(job: *mut sys::rs_job_t, input: &[u8], max: usize) -> Result<Vec<u8>, Code> {
    let mut out = Vec::new();
    let mut piece = vec![0_u8; 64 << 10];
    let mut buffers = sys::rs_buffers_t {
        next_in: input.as_ptr().cast(),
        avail_in: input.len(),
        eof_in: 1 as c_int,
        next_out: std::ptr::null_mut(),
        avail_out: 0,
    };
    let result = loop {
        buffers.next_out = piece.as_mut_ptr().cast();
        buffers.avail_out = piece.len();
        let left = buffers.avail_in;
        // SAFETY: the job is alive, and both buffers have their true lengths.
        let code = unsafe { sys::rs_job_iter(job, &raw mut buffers) };
        let produced = piece.len() - buffers.avail_out;
        out.extend_from_slice(&piece[..produced]);
        match code {
            sys::RS_DONE => break Ok(out),
            sys::RS_BLOCKED if out.len() > max => break Err(sys::RS_MEM_ERROR),
            // It waits for ever.
            sys::RS_BLOCKED if produced == 0 && buffers.avail_in == left => break Err(sys::RS_CORRUPT),
            sys::RS_BLOCKED => {}
            code => break Err(code),
        }
    };
    // SAFETY: the job was begun by the caller, and is freed here only.
    unsafe { sys::rs_job_free(job) };
    result
}
