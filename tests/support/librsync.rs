//! librsync itself, driven straight through its own interface: what frazil is held against.
#![allow(unsafe_code)]
#![allow(unreachable_pub, reason = "the fuzz targets have it from their library")]

use std::ffi::{c_int, c_longlong, c_void};
use std::ptr::NonNull;

use librsync_sys as sys;

/// librsync's codes, as it gave them.
pub type Code = sys::rs_result;

/// What librsync calls itself.
pub type Magic = sys::rs_magic_number;

/// The functions of one librsync.
///
/// A job is driven by one thread; several threads may have jobs of their own.
#[derive(Clone, Copy)]
pub struct Librsync {
    pub sig_begin: unsafe extern "C" fn(usize, usize, Magic) -> *mut sys::rs_job_t,
    pub loadsig_begin: unsafe extern "C" fn(*mut *mut sys::rs_signature_t) -> *mut sys::rs_job_t,
    pub build_hash_table: unsafe extern "C" fn(*mut sys::rs_signature_t) -> Code,
    pub free_sumset: unsafe extern "C" fn(*mut sys::rs_signature_t),
    pub delta_begin: unsafe extern "C" fn(*mut sys::rs_signature_t) -> *mut sys::rs_job_t,
    pub patch_begin: unsafe extern "C" fn(sys::rs_copy_cb, *mut c_void) -> *mut sys::rs_job_t,
    pub job_iter: unsafe extern "C" fn(*mut sys::rs_job_t, *mut sys::rs_buffers_t) -> Code,
    pub job_free: unsafe extern "C" fn(*mut sys::rs_job_t) -> Code,
}

impl Librsync {
    /// The one that librsync-sys compiles and frazil links.
    pub const VENDORED: Self = Self {
        sig_begin: sys::rs_sig_begin,
        loadsig_begin: sys::rs_loadsig_begin,
        build_hash_table: sys::rs_build_hash_table,
        free_sumset: sys::rs_free_sumset,
        delta_begin: sys::rs_delta_begin,
        patch_begin: sys::rs_patch_begin,
        job_iter: sys::rs_job_iter,
        job_free: sys::rs_job_free,
    };

    /// The plain signature of a content.
    pub fn signature(&self, content: &[u8], block_len: usize, strong_len: usize, magic: Magic) -> Vec<u8> {
        // SAFETY: takes numbers alone.
        let job = unsafe { (self.sig_begin)(block_len, strong_len, magic) };
        self.run(job, content, usize::MAX).expect("content in memory has a signature")
    }

    /// The plain delta of a content against a plain signature.
    pub fn delta(&self, signature: &[u8], content: &[u8]) -> Result<Vec<u8>, Code> {
        let mut sums = std::ptr::null_mut();
        // SAFETY: the place for the signature outlives the job.
        let loading = unsafe { (self.loadsig_begin)(&raw mut sums) };
        let loaded = self.run(loading, signature, usize::MAX);
        let sums = Sums(NonNull::new(sums).ok_or(sys::RS_MEM_ERROR)?, self.free_sumset);
        loaded?;
        // SAFETY: the signature is loaded.
        let code = unsafe { (self.build_hash_table)(sums.0.as_ptr()) };
        if code != sys::RS_DONE {
            return Err(code);
        }
        // SAFETY: the signature outlives the job, which ends within `run`.
        let job = unsafe { (self.delta_begin)(sums.0.as_ptr()) };
        self.run(job, content, usize::MAX)
    }

    /// Applies a plain delta to a basis; at most `max` bytes come out.
    pub fn patch(&self, basis: &[u8], delta: &[u8], max: usize) -> Result<Vec<u8>, Code> {
        let mut basis = basis;
        // SAFETY: the callback is given the pointer to `basis`, which outlives the job.
        let job = unsafe { (self.patch_begin)(copy, (&raw mut basis).cast()) };
        self.run(job, delta, max)
    }

    /// Runs a job to its end over one input and frees it.
    fn run(&self, job: *mut sys::rs_job_t, input: &[u8], max: usize) -> Result<Vec<u8>, Code> {
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
            let code = unsafe { (self.job_iter)(job, &raw mut buffers) };
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
        unsafe { (self.job_free)(job) };
        result
    }
}

/// A loaded signature, and what frees it.
struct Sums(NonNull<sys::rs_signature_t>, unsafe extern "C" fn(*mut sys::rs_signature_t));

impl Drop for Sums {
    fn drop(&mut self) {
        // SAFETY: it was loaded by the library that this is of, and no job is left that uses it.
        unsafe { (self.1)(self.0.as_ptr()) };
    }
}

/// Gives librsync a range of the basis.
extern "C" fn copy(basis: *mut c_void, offset: c_longlong, len: *mut usize, buffer: *mut *mut c_void) -> Code {
    // SAFETY: `Librsync::patch` gave this pointer.
    let basis = unsafe { *basis.cast::<&[u8]>() };
    // SAFETY: a place of librsync's own, for this call.
    let len = unsafe { &mut *len };
    // SAFETY: another.
    let buffer = unsafe { *buffer };
    let Some(rest) = usize::try_from(offset).ok().and_then(|offset| basis.get(offset..)) else {
        return sys::RS_INPUT_ENDED;
    };
    let there = rest.len().min(*len);
    // SAFETY: librsync has room for as many bytes as it asks for.
    unsafe { std::ptr::copy_nonoverlapping(rest.as_ptr(), buffer.cast(), there) };
    *len = there;
    sys::RS_DONE
}
