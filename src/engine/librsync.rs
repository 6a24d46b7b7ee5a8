//! librsync's jobs: the only module that calls into C for sums and deltas.
//!
//! One driver, [`Job`], feeds `rs_job_iter` for all of them: [`SignatureJob`] sums content,
//! [`SignatureLoader`] takes a signature in and indexes it, [`DeltaJob`] compares content with it.
//! The vendored library trusts its caller on lengths, counts and hostile sums, so everything is checked
//! here before it gets there. What cannot be checked is memory: a failed `malloc` in C aborts the
//! process, so callers hold the block length and the number of blocks against their limit first.

#![allow(unsafe_code)]

mod collisions;
mod job;
#[cfg(test)]
mod tests;

use std::ffi::{CStr, c_char};
use std::hash::RandomState;
use std::ptr::{self, NonNull};

use librsync_sys as sys;

use self::collisions::{Key, check_chains};
use self::job::{Job, OUTPUT_LEN, check, silence};
use crate::format::SignatureParams;
use crate::{Error, ErrorKind, Result};

/// The most blocks a signature may have: `_hashtable_new` computes ten times their number in an `int`,
/// and half of what that allows leaves room for every other product.
const MAX_BLOCKS: u64 = 214_748_364 / 2;

unsafe extern "C" {
    /// "librsync" and the version; librsync-sys links it but does not declare it.
    static rs_librsync_version: c_char;
}

/// The version of the librsync that is linked, as it names itself.
pub fn librsync_version() -> &'static str {
    let version = &raw const rs_librsync_version;
    // SAFETY: `librsync/src/version.c`, which librsync-sys compiles, makes it a string literal: ended by a
    // zero, constant, and there for ever.
    let version = unsafe { CStr::from_ptr(version) };
    version.to_str().map_or("unknown", |version| version.trim_start_matches("librsync "))
}

/// Computes the sums of content: content goes in, a raw signature with its head comes out.
///
/// May move between threads but not be shared. Allocates a buffer of a whole block, rounded up to a power of two,
/// as soon as it is fed less than one.
pub(crate) struct SignatureJob(Job);

impl SignatureJob {
    /// Begins a signature with these parameters.
    pub(crate) fn new(params: SignatureParams) -> Result<Self> {
        let params = revalidate(params)?;
        silence();
        let (block_len, strong_len) = (params.block_len as usize, params.strong_len as usize);
        // SAFETY: takes numbers only. They fit the `int` that each is narrowed to, and a block length of
        // 0, which would never end, has been refused.
        let raw = unsafe { sys::rs_sig_begin(block_len, strong_len, params.magic().cast_signed()) };
        Ok(Self(Job::new(raw, OUTPUT_LEN, "computing a signature")?))
    }

    /// Takes all of `input` and appends the sums of the blocks that it completes to `out`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::State`] after the end or an error.
    pub(crate) fn feed(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<()> {
        self.0.feed(input, out)
    }

    /// Says that the content is over, and appends what remains to `out`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::State`] after the end or an error.
    pub(crate) fn end(&mut self, out: &mut Vec<u8>) -> Result<()> {
        self.0.end(out)
    }
}

/// Parameters that have passed the checks of [`SignatureParams::new`], wherever they came from: librsync
/// narrows lengths silently and takes 0 for a default of its own.
fn revalidate(params: SignatureParams) -> Result<SignatureParams> {
    SignatureParams::new(params.weak, params.strong, params.block_len, params.strong_len)
}

/// A signature in C.
struct Sums(NonNull<sys::rs_signature_t>);

// SAFETY: as of `Job`. Lookups count in it without a lock, so it must have one owner, and the pointer
// keeps it from being `Sync`.
unsafe impl Send for Sums {}

impl Drop for Sums {
    fn drop(&mut self) {
        // SAFETY: the pointer came from `rs_loadsig_begin`, which leaves the signature to its caller, and
        // the job that used it is gone: each owner of both declares the job first.
        unsafe { sys::rs_free_sumset(self.0.as_ptr()) };
    }
}

/// Loads a signature into librsync and indexes it.
pub(crate) struct SignatureLoader {
    // Fields are dropped in this order, and the job borrows the sums.
    job: Job,
    sums: Sums,
    params: SignatureParams,
    /// Bytes fed, without the head.
    fed: u64,
    /// The start of a record whose rest is yet to come.
    partial: Vec<u8>,
    keys: Vec<Key>,
    hasher: RandomState,
}

impl SignatureLoader {
    /// Begins a signature whose head said `params`.
    pub(crate) fn new(params: SignatureParams) -> Result<Self> {
        let params = revalidate(params)?;
        silence();
        let mut sums = ptr::null_mut();
        // SAFETY: the place to write to is a live local, and is written before the call returns.
        let raw = unsafe { sys::rs_loadsig_begin(&raw mut sums) };
        let job = Job::new(raw, 0, "loading a signature");
        let sums = Sums(NonNull::new(sums).ok_or_else(|| Error::new(ErrorKind::OutOfMemory, "no librsync signature"))?);
        let (partial, keys, hasher) = (Vec::new(), Vec::new(), RandomState::new());
        let mut loader = Self { job: job?, sums, params, fed: 0, partial, keys, hasher };
        loader.job.feed(&params.encode(), &mut Vec::new())?;
        Ok(loader)
    }

    /// Takes the records that follow the head, weak and strong sums, in pieces of any length.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Limit`] for more blocks than librsync can count, [`ErrorKind::OutOfMemory`], and
    /// [`ErrorKind::State`] after an error.
    pub(crate) fn feed(&mut self, records: &[u8]) -> Result<()> {
        self.job.ready()?;
        self.note(records).map_err(|error| self.job.fail(error))?;
        self.job.feed(records, &mut Vec::new())
    }

    /// Counts the records, and keeps of each what [`check_chains`] will want.
    fn note(&mut self, mut records: &[u8]) -> Result<()> {
        let record_len = self.params.record_len();
        self.fed += records.len() as u64;
        check_blocks(self.fed / record_len as u64)?;
        self.keys
            .try_reserve((self.partial.len() + records.len()) / record_len)
            .map_err(|error| Error::new(ErrorKind::OutOfMemory, format!("no memory for the index: {error}")))?;
        if !self.partial.is_empty() {
            let (head, rest) = records.split_at(records.len().min(record_len - self.partial.len()));
            self.partial.extend_from_slice(head);
            records = rest;
            if self.partial.len() < record_len {
                return Ok(());
            }
            self.keys.push(Key::new(self.params.weak, &self.partial, &self.hasher));
            self.partial.clear();
        }
        let whole = records.chunks_exact(record_len);
        self.partial.extend_from_slice(whole.remainder());
        self.keys.extend(whole.map(|record| Key::new(self.params.weak, record, &self.hasher)));
        Ok(())
    }

    /// Says that the signature is over, and indexes it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Truncated`] within a record, which librsync would overlook; [`ErrorKind::InvalidInput`]
    /// without any block; [`ErrorKind::Limit`] where lookups would take too long; [`ErrorKind::State`]
    /// after an error.
    pub(crate) fn finish(mut self) -> Result<LoadedSignature> {
        let doing = self.job.doing;
        self.job.ready()?;
        if !self.partial.is_empty() {
            return Err(Error::new(ErrorKind::Truncated, "signature ends within a block's sums")
                .doing(doing)
                .at(SignatureParams::HEAD_LEN as u64 + self.fed)
                .expected(format_args!("{} bytes", self.params.record_len()), self.partial.len()));
        }
        if self.keys.is_empty() {
            // librsync would write the input as one literal per buffer, and corrupt one beyond `INT_MAX`.
            return Err(
                Error::new(ErrorKind::InvalidInput, "signature of nothing: level 0 is frazil's own").doing(doing)
            );
        }
        self.job.end(&mut Vec::new())?;
        check_chains(&self.keys).map_err(|error| error.doing(doing))?;
        // The index that librsync builds is larger than these; they need not be there together.
        self.keys = Vec::new();
        // SAFETY: the signature is loaded to its end, is alive and is ours alone; this happens once.
        let code = unsafe { sys::rs_build_hash_table(self.sums.0.as_ptr()) };
        check(code).map_err(|error| error.doing(doing))?;
        Ok(LoadedSignature(self.sums))
    }
}

/// A signature that librsync has loaded and indexed, of one block at least.
///
/// Lookups write to it, so it must have one owner: it goes into one [`DeltaJob`]. It takes about 60 bytes for
/// each block of whole BLAKE2b sums.
pub(crate) struct LoadedSignature(Sums);

/// Computes a delta: the new content goes in, a raw delta comes out.
///
/// May move between threads but not be shared. Holds a block and 256 KiB, in a buffer rounded up to
/// a power of two, and the old buffer too while it moves to a larger one. Each piece fed moves a block in
/// memory, so with blocks beyond 16 MiB it is slow, and the slower the smaller the pieces.
///
/// An offset in the content whose weak sum is that of a block costs a strong sum over a whole block. A
/// signature made to have the right weak sum with wrong strong ones makes every offset cost that, which no
/// check of the signature can tell; callers that fear it feed small pieces and watch the clock.
pub(crate) struct DeltaJob {
    // Fields are dropped in this order, and the job borrows the signature.
    job: Job,
    _signature: LoadedSignature,
}

impl DeltaJob {
    /// Begins a delta against the content that `signature` is of.
    pub(crate) fn new(signature: LoadedSignature) -> Result<Self> {
        // SAFETY: the signature is indexed and not empty, and stays with the job until the job is freed.
        let raw = unsafe { sys::rs_delta_begin(signature.0.0.as_ptr()) };
        Ok(Self { job: Job::new(raw, OUTPUT_LEN, "computing a delta")?, _signature: signature })
    }

    /// Takes all of `input` and appends the commands that are settled by it to `out`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::State`] after the end or an error.
    pub(crate) fn feed(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<()> {
        self.job.feed(input, out)
    }

    /// Says that the content is over, and appends what remains to `out`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::State`] after the end or an error.
    pub(crate) fn end(&mut self, out: &mut Vec<u8>) -> Result<()> {
        self.job.end(out)
    }
}

/// Refuses more blocks than librsync's index can count.
fn check_blocks(blocks: u64) -> Result<()> {
    if blocks > MAX_BLOCKS {
        return Err(Error::new(ErrorKind::Limit, "signature has too many blocks; take longer ones")
            .expected(format_args!("at most {MAX_BLOCKS}"), blocks));
    }
    Ok(())
}
