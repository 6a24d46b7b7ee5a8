//! librsync's jobs: the only module that calls into C for sums and deltas.
//!
//! One driver, [`Job`], feeds `rs_job_iter` for all of them: [`SignatureJob`] sums content,
//! [`SignatureLoader`] takes a signature in and indexes it, [`DeltaJob`] compares content with it.
//! The vendored library trusts its caller on lengths, counts and hostile sums, so everything is checked
//! here before it gets there. What cannot be checked is memory: a failed `malloc` in C aborts the
//! process, so callers hold the block length and the number of blocks against their limit first.

#![allow(unsafe_code)]

use std::ffi::{c_char, c_int};
use std::hash::{BuildHasher, RandomState};
use std::ptr::{self, NonNull};
use std::sync::Once;

use librsync_sys as sys;

use crate::format::{SignatureParams, WeakKind};
use crate::{Error, ErrorKind, Result};

/// Room for a job's output before it is handed on: twice the longest literal librsync writes at once.
const OUTPUT_LEN: usize = 64 << 10;

/// The most that one call feeds: lengths in C are `int`, and a delta copies all that it is given.
const SLICE_LEN: usize = 256 << 10;

/// The most blocks a signature may have: `_hashtable_new` computes ten times their number in an `int`,
/// and half of what that allows leaves room for every other product.
const MAX_BLOCKS: u64 = 214_748_364 / 2;

/// The most blocks that one lookup may pass, as rsync's `MAX_CHAIN_LEN`. Honest sums pass a few dozen.
const MAX_CHAIN: usize = 1024;

/// Stands in for librsync's writer to standard error, which a library must not use.
extern "C" fn silent(_level: sys::rs_loglevel, _message: *const c_char) {}

/// Silences librsync's trace, which is global to the process and so is set only once.
fn silence() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: `silent` lives for ever and takes any argument; every job of ours comes after.
        unsafe { sys::rs_trace_to(silent) };
        // SAFETY: sets an `int` that no job of ours is reading yet.
        unsafe { sys::rs_trace_set_level(sys::RS_LOG_EMERG) };
    });
}

/// Turns a result other than success into an error that names it.
fn check(code: sys::rs_result) -> Result<()> {
    let (kind, what) = match code {
        sys::RS_DONE | sys::RS_BLOCKED => return Ok(()),
        sys::RS_IO_ERROR => (ErrorKind::Io, "input or output failed"),
        sys::RS_MEM_ERROR => (ErrorKind::OutOfMemory, "out of memory"),
        sys::RS_INPUT_ENDED => (ErrorKind::Truncated, "unexpected end of input"),
        sys::RS_BAD_MAGIC => (ErrorKind::Corrupt, "bad magic number"),
        sys::RS_CORRUPT => (ErrorKind::Corrupt, "stream is corrupt"),
        sys::RS_PARAM_ERROR => (ErrorKind::InvalidInput, "bad parameter"),
        sys::RS_INTERNAL_ERROR => (ErrorKind::Internal, "internal error"),
        sys::RS_UNIMPLEMENTED => (ErrorKind::Internal, "not implemented"),
        _ => (ErrorKind::Internal, "unexpected result"),
    };
    Err(Error::new(kind, format!("librsync: {what} (code {code})")))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Running,
    Ended,
    Failed,
}

/// A job of librsync with its output buffer.
struct Job {
    raw: NonNull<sys::rs_job_t>,
    output: Box<[u8]>,
    state: State,
    /// Bytes of input that librsync has taken.
    consumed: u64,
    doing: &'static str,
}

// SAFETY: a job in C is plain heap memory that only this owner reaches; it keeps nothing of the thread
// that made it, and librsync's only globals, the trace's, are set before the first job. The pointer
// keeps `Job` from being `Sync`.
unsafe impl Send for Job {}

impl Job {
    /// Takes over a job that was begun just now; `output_len` is 0 for a job that writes nothing.
    fn new(raw: *mut sys::rs_job_t, output_len: usize, doing: &'static str) -> Result<Self> {
        let raw =
            NonNull::new(raw).ok_or_else(|| Error::new(ErrorKind::OutOfMemory, "no librsync job").doing(doing))?;
        Ok(Self { raw, output: vec![0; output_len].into(), state: State::Running, consumed: 0, doing })
    }

    /// Refuses the call unless the job can go on.
    fn ready(&self) -> Result<()> {
        let what = match self.state {
            State::Running => return Ok(()),
            State::Ended => "the job has ended already",
            State::Failed => "the job has failed already",
        };
        Err(Error::new(ErrorKind::State, what).doing(self.doing))
    }

    /// Lets the job take no more calls, for `error`.
    fn fail(&mut self, error: Error) -> Error {
        self.state = State::Failed;
        error.doing(self.doing)
    }

    /// Feeds all of `input` and appends what comes of it to `out`.
    fn feed(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<()> {
        self.ready()?;
        for slice in input.chunks(SLICE_LEN) {
            self.drive(slice, false, out).map_err(|error| self.fail(error))?;
        }
        Ok(())
    }

    /// Says that the input is over, and appends the rest of the output to `out`.
    fn end(&mut self, out: &mut Vec<u8>) -> Result<()> {
        self.ready()?;
        self.drive(&[], true, out).map_err(|error| self.fail(error))?;
        self.state = State::Ended;
        Ok(())
    }

    /// Calls `rs_job_iter` until it has taken all input and, at the end, is done.
    fn drive(&mut self, mut input: &[u8], eof: bool, out: &mut Vec<u8>) -> Result<()> {
        loop {
            let mut buffers = sys::rs_buffers_t {
                next_in: input.as_ptr().cast(),
                avail_in: input.len(),
                eof_in: c_int::from(eof),
                next_out: self.output.as_mut_ptr().cast(),
                avail_out: self.output.len(),
            };
            // SAFETY: the job is alive and is ours alone, and the buffers are two live slices with their
            // true lengths. C reads the first and writes the second within them; it keeps the pointer to
            // `buffers` but reads it only in the next call, which sets it anew.
            let code = unsafe { sys::rs_job_iter(self.raw.as_ptr(), &raw mut buffers) };
            let consumed = input.len() - buffers.avail_in;
            let produced = self.output.len() - buffers.avail_out;
            self.consumed += consumed as u64;
            input = &input[consumed..];
            out.extend_from_slice(&self.output[..produced]);

            check(code).map_err(|error| error.at(self.consumed))?;
            match (code == sys::RS_DONE, eof) {
                (true, true) => return Ok(()),
                (true, false) => {
                    return Err(Error::new(ErrorKind::Internal, "librsync ended before its input").at(self.consumed));
                }
                (false, _) if consumed > 0 || produced > 0 => {}
                (false, false) if input.is_empty() => return Ok(()),
                // Some malformed input makes librsync wait for ever rather than fail.
                (false, _) => {
                    return Err(Error::new(ErrorKind::Corrupt, "librsync makes no progress").at(self.consumed));
                }
            }
        }
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        // SAFETY: the pointer came from a `begin` function and is freed here only. What the job borrows,
        // a loaded signature, is not touched by this.
        unsafe { sys::rs_job_free(self.raw.as_ptr()) };
    }
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
/// May move between threads but not be shared. Holds a block and [`SLICE_LEN`] bytes, in a buffer rounded up to
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

/// What decides where librsync's hash table puts a block.
#[derive(Clone, Copy)]
struct Key {
    /// The hash; its low bits are the slot where a lookup starts.
    hash: u32,
    /// Stands for hash and strong sum, never 0. Keyed by chance, lest somebody choose sums that it takes for
    /// equal; an honest collision makes the count wrong by one.
    tag: u32,
}

impl Key {
    fn new(weak: WeakKind, record: &[u8], hasher: &RandomState) -> Self {
        let sum = u32::from_be_bytes([record[0], record[1], record[2], record[3]]);
        let hash = match weak {
            WeakKind::Rollsum => mix32(sum),
            WeakKind::RabinKarp => sum,
        };
        // 0 marks an empty slot, so librsync moves that hash.
        let hash = if hash == 0 { u32::MAX } else { hash };
        let tag = hasher.hash_one((hash, &record[4..])) as u32;
        Self { hash, tag: tag.max(1) }
    }
}

/// MurmurHash3's last step, which librsync applies to a rollsum before it looks it up.
fn mix32(mut hash: u32) -> u32 {
    hash = (hash ^ (hash >> 16)).wrapping_mul(0x85eb_ca6b);
    hash = (hash ^ (hash >> 13)).wrapping_mul(0xc2b2_ae35);
    hash ^ (hash >> 16)
}

/// Refuses more blocks than librsync's index can count.
fn check_blocks(blocks: u64) -> Result<()> {
    if blocks > MAX_BLOCKS {
        return Err(Error::new(ErrorKind::Limit, "signature has too many blocks; take longer ones")
            .expected(format_args!("at most {MAX_BLOCKS}"), blocks));
    }
    Ok(())
}

/// Refuses a signature whose lookups would take too long.
///
/// librsync's index is an open table without a bound on a lookup: blocks of one weak sum and different
/// strong ones make the work for a delta the product of both lengths, and so do sums that share their low
/// bits or that fill each other's way. This fills a table just as librsync will (`hashtable.h`), then
/// walks from every slot to the next empty one: the longest lookup there can be. Equal blocks take one
/// slot and cost nothing. Time and memory grow with the number of blocks.
fn check_chains(keys: &[Key]) -> Result<()> {
    let slots = (1 + keys.len() * 10 / 8).next_power_of_two();
    let mut table: Vec<u32> = Vec::new();
    table
        .try_reserve_exact(slots)
        .map_err(|error| Error::new(ErrorKind::OutOfMemory, format!("no memory for the index: {error}")))?;
    table.resize(slots, 0);
    let too_long = || {
        Error::new(ErrorKind::Limit, "too many different blocks with colliding weak sums")
            .expected(format_args!("at most {MAX_CHAIN}"), "more")
    };
    for key in keys {
        let at = walk(&table, key.hash as usize, key.tag).ok_or_else(too_long)?;
        table[at] = key.tag;
    }
    (0..slots).try_for_each(|slot| walk(&table, slot, 0).map(drop)).ok_or_else(too_long)
}

/// The slot where a lookup from `hash` on ends, at `tag` or at an empty slot.
fn walk(table: &[u32], hash: usize, tag: u32) -> Option<usize> {
    let mask = table.len() - 1;
    let mut at = hash & mask;
    for step in 1..=MAX_CHAIN + 1 {
        if table[at] == 0 || table[at] == tag {
            return Some(at);
        }
        at = (at + step) & mask;
    }
    None
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;
    use std::process::Command;

    use super::*;
    use crate::format::StrongKind;

    const ALL: [(WeakKind, StrongKind); 4] = [
        (WeakKind::Rollsum, StrongKind::Md4),
        (WeakKind::Rollsum, StrongKind::Blake2),
        (WeakKind::RabinKarp, StrongKind::Md4),
        (WeakKind::RabinKarp, StrongKind::Blake2),
    ];

    /// A job of either kind, for the loops over pieces.
    trait Feed {
        fn job(&mut self) -> &mut Job;
    }

    impl Feed for SignatureJob {
        fn job(&mut self) -> &mut Job {
            &mut self.0
        }
    }

    impl Feed for DeltaJob {
        fn job(&mut self) -> &mut Job {
            &mut self.job
        }
    }

    fn run(mut feed: impl Feed, content: &[u8], piece: usize) -> Vec<u8> {
        let mut out = Vec::new();
        for bytes in content.chunks(piece) {
            feed.job().feed(bytes, &mut out).unwrap();
        }
        feed.job().end(&mut out).unwrap();
        out
    }

    fn load(params: SignatureParams, records: &[u8], piece: usize) -> Result<LoadedSignature> {
        let mut loader = SignatureLoader::new(params)?;
        for bytes in records.chunks(piece) {
            loader.feed(bytes)?;
        }
        loader.finish()
    }

    fn signature(params: SignatureParams, content: &[u8]) -> Vec<u8> {
        run(SignatureJob::new(params).unwrap(), content, usize::MAX)
    }

    fn delta(params: SignatureParams, basis: &[u8], new: &[u8]) -> Vec<u8> {
        let loaded = load(params, &signature(params, basis)[SignatureParams::HEAD_LEN..], usize::MAX).unwrap();
        run(DeltaJob::new(loaded).unwrap(), new, usize::MAX)
    }

    fn random(len: usize, mut seed: u64) -> Vec<u8> {
        let mut next = || {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            (seed >> 32) as u8
        };
        (0..len).map(|_| next()).collect()
    }

    /// New content with moved, changed, lost and added bytes.
    fn changed(basis: &[u8]) -> Vec<u8> {
        let quarter = basis.len() / 4;
        let mut new = basis[2 * quarter..].to_vec();
        new.extend(random(50_000, 99));
        new.extend(&basis[..quarter + 13]);
        new[quarter] ^= 1;
        new
    }

    /// Records of `count` blocks with a weak sum each and strong sums that all differ.
    fn records(params: SignatureParams, count: u32, weak: impl Fn(u32) -> u32) -> Vec<u8> {
        let mut records = Vec::new();
        for index in 0..count {
            records.extend(weak(index).to_be_bytes());
            let mut strong = vec![0; params.strong_len as usize];
            strong[params.strong_len as usize - 4..].copy_from_slice(&index.to_be_bytes());
            records.extend(strong);
        }
        records
    }

    fn kind<T>(result: Result<T>) -> Option<ErrorKind> {
        result.err().map(|error| error.kind())
    }

    /// librsync's own test data, which its crate carries.
    fn shipped(file: &str) -> Vec<u8> {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["metadata", "--format-version", "1"]).current_dir(env!("CARGO_MANIFEST_DIR"));
        let metadata: serde_json::Value = serde_json::from_slice(&cargo.output().unwrap().stdout).unwrap();
        let packages = metadata["packages"].as_array().unwrap();
        let package = packages.iter().find(|package| package["name"] == "librsync-sys").unwrap();
        let manifest = PathBuf::from(package["manifest_path"].as_str().unwrap());
        fs::read(manifest.with_file_name("librsync/tests").join(file)).unwrap()
    }

    #[test]
    fn signatures_are_those_that_librsync_ships() {
        let content = shipped("signature.input/01.in");
        for ((weak, strong), name) in
            ALL.into_iter().zip(["rollsum-md4", "rollsum-blake2", "rabinkarp-md4", "rabinkarp-blake2"])
        {
            let known = shipped(&format!("signature.input/{name}/01.sig"));
            let params = SignatureParams::decode(known[..12].try_into().unwrap()).unwrap();
            assert_eq!((params.weak, params.strong), (weak, strong));
            assert_eq!(signature(params, &content), known, "{name}");
        }
    }

    #[test]
    fn pieces_of_any_length_give_the_same_bytes() {
        let basis = random(100_001, 1);
        let new = changed(&basis);
        for (weak, strong) in ALL {
            let params = SignatureParams::new(weak, strong, 700, 16).unwrap();
            let (sums, whole) = (signature(params, &basis), delta(params, &basis, &new));
            for piece in [1, 2, 3, 7, 15, 100, 10_000] {
                assert_eq!(run(SignatureJob::new(params).unwrap(), &basis, piece), sums, "{params:?} {piece}");
                let loaded = load(params, &sums[SignatureParams::HEAD_LEN..], piece).unwrap();
                let mut job = DeltaJob::new(loaded).unwrap();
                // Nor does the room for output matter.
                job.job.output = vec![0; piece].into();
                assert_eq!(run(job, &new, piece), whole, "{params:?} {piece}");
            }
        }
    }

    #[test]
    fn rdiff_makes_the_new_content_of_a_delta() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        for (weak, strong) in ALL {
            for (basis_len, block_len) in [(17, 1), (2048, 2048), (300_000, 1000), (400_003, 65536)] {
                let params = SignatureParams::new(weak, strong, block_len, strong.max_len()).unwrap();
                let basis = random(basis_len, 5);
                for new in [changed(&basis), basis.clone(), basis[..basis_len / 3].to_vec(), vec![0; 200_000], vec![]] {
                    fs::write(path("basis"), &basis).unwrap();
                    fs::write(path("delta"), delta(params, &basis, &new)).unwrap();
                    let mut rdiff = Command::new("rdiff");
                    rdiff.args(["-f", "patch"]).args([path("basis"), path("delta"), path("new")]);
                    assert!(rdiff.status().expect("rdiff is installed").success());
                    assert!(fs::read(path("new")).unwrap() == new, "{params:?} {} bytes", new.len());
                }
            }
        }
    }

    #[test]
    fn a_delta_of_unchanged_content_is_one_copy() {
        let basis = random(1 << 20, 3);
        let params = SignatureParams::default();
        assert_eq!(delta(params, &basis, &basis), b"rs\x02\x36\x47\x00\x00\x10\x00\x00\x00");
    }

    #[test]
    fn jobs_may_move_to_another_thread() {
        const fn is_send<T: Send>() {}
        const { is_send::<SignatureJob>() };
        const { is_send::<SignatureLoader>() };
        const { is_send::<LoadedSignature>() };
        const { is_send::<DeltaJob>() };

        let params = SignatureParams::with_block_len(1000).unwrap();
        let content = random(10_000, 4);
        let loaded = load(params, &signature(params, &content)[12..], 5).unwrap();
        let mut job = DeltaJob::new(loaded).unwrap();
        let mut out = Vec::new();
        job.feed(&content[..5000], &mut out).unwrap();
        let moved = std::thread::spawn(move || {
            job.feed(&content[5000..], &mut out).unwrap();
            job.end(&mut out).unwrap();
            (out, content)
        });
        let (out, content) = moved.join().unwrap();
        assert_eq!(out, delta(params, &content, &content));
    }

    #[test]
    fn lengths_out_of_range_never_reach_librsync() {
        for (block_len, strong_len) in [(0, 32), (1 << 31, 32), (u32::MAX, 32), (2048, 0), (2048, 33)] {
            let params = SignatureParams { block_len, strong_len, ..SignatureParams::default() };
            assert_eq!(kind(SignatureJob::new(params)), Some(ErrorKind::InvalidInput));
            assert_eq!(kind(SignatureLoader::new(params)), Some(ErrorKind::InvalidInput));
        }
    }

    #[test]
    fn the_longest_block_takes_little_content() {
        let params = SignatureParams::with_block_len(1 << 30).unwrap();
        assert_eq!(delta(params, b"abc", b"abc"), b"rs\x02\x36\x45\x00\x03\x00");
    }

    #[test]
    fn a_signature_without_blocks_is_refused() {
        assert_eq!(kind(load(SignatureParams::default(), &[], 1)), Some(ErrorKind::InvalidInput));
    }

    #[test]
    fn a_signature_cut_anywhere_within_a_record_is_truncated() {
        let params = SignatureParams::with_block_len(100).unwrap();
        let sums = signature(params, &random(300, 6));
        for len in 1..3 * 36 {
            let error = load(params, &sums[12..12 + len], 10).err();
            if len % 36 == 0 {
                assert!(error.is_none());
            } else {
                let error = error.unwrap();
                assert_eq!((error.kind(), error.offset()), (ErrorKind::Truncated, Some(12 + len as u64)));
            }
        }
    }

    #[test]
    fn more_blocks_than_librsync_can_count_are_refused() {
        assert!(check_blocks(MAX_BLOCKS).is_ok());
        assert_eq!(kind(check_blocks(MAX_BLOCKS + 1)), Some(ErrorKind::Limit));
        let mut loader = SignatureLoader::new(SignatureParams::default()).unwrap();
        loader.fed = MAX_BLOCKS * 36;
        assert_eq!(kind(loader.feed(&[0; 36])), Some(ErrorKind::Limit));
        assert_eq!(kind(loader.feed(&[0; 36])), Some(ErrorKind::State));
        assert_eq!(kind(loader.finish()), Some(ErrorKind::State));
    }

    #[test]
    fn many_different_blocks_of_one_weak_sum_are_refused() {
        for (weak, strong) in ALL {
            let params = SignatureParams::new(weak, strong, 2048, 16).unwrap();
            assert!(load(params, &records(params, 1024, |_| 7), 1 << 20).is_ok());
            assert_eq!(kind(load(params, &records(params, 1025, |_| 7), 1 << 20)), Some(ErrorKind::Limit));
            // librsync takes a hash of 0 for that of all ones.
            let ends = records(params, 1025, |index| if index % 2 == 0 { 0 } else { u32::MAX });
            let limit = (weak == WeakKind::RabinKarp).then_some(ErrorKind::Limit);
            assert_eq!(kind(load(params, &ends, 1 << 20)), limit);
        }
    }

    #[test]
    fn weak_sums_that_get_in_each_others_way_are_refused() {
        let params = SignatureParams::default();
        assert_eq!(
            kind(load(params, &records(params, 5000, |index| index << 16 | 7), 1 << 20)),
            Some(ErrorKind::Limit)
        );
        // One block on each slot that a lookup of 0x1000 visits: none of them collides with another.
        let steps = records(params, 5000, |step| 0x1000 + step * (step + 1) / 2);
        assert_eq!(kind(load(params, &steps, 1 << 20)), Some(ErrorKind::Limit));
    }

    #[test]
    fn equal_blocks_and_honest_sums_are_accepted() {
        let params = SignatureParams::default();
        let one = records(params, 1, |_| 7);
        let many = load(params, &one.repeat(200_000), 1 << 20).unwrap();
        drop(many);
        // As full as librsync's table gets before it doubles, and sums of content with little in it.
        let scattered = |index: u32| mix32(index.wrapping_mul(0x9e37_79b9));
        assert!(load(params, &records(params, (1 << 18) * 4 / 5 - 1, scattered), 1 << 20).is_ok());
        for (weak, strong) in ALL {
            for block_len in [1, 2, 3, 4, 16] {
                let params = SignatureParams::new(weak, strong, block_len, 8).unwrap();
                let text: Vec<u8> = random(400_000, 8).iter().map(|byte| b'a' + byte % 4).collect();
                for content in [random(400_000, 7), text, (0..100_000_u32).flat_map(u32::to_be_bytes).collect()] {
                    load(params, &signature(params, &content)[12..], 1 << 20).map(drop).unwrap();
                }
            }
        }
    }

    #[test]
    fn a_job_takes_nothing_after_its_end_or_an_error() {
        let mut job = SignatureJob::new(SignatureParams::default()).unwrap();
        let mut out = Vec::new();
        job.end(&mut out).unwrap();
        assert_eq!(out, SignatureParams::default().encode());
        assert_eq!(kind(job.feed(b"x", &mut out)), Some(ErrorKind::State));
        assert_eq!(kind(job.end(&mut out)), Some(ErrorKind::State));

        let mut job = patch_job();
        assert_eq!(kind(job.feed(b"no delta", &mut out)), Some(ErrorKind::Corrupt));
        assert_eq!(kind(job.feed(b"x", &mut out)), Some(ErrorKind::State));
        assert_eq!(kind(job.end(&mut out)), Some(ErrorKind::State));
    }

    /// A job that can fail and hang, which those of this module no longer can.
    fn patch_job() -> Job {
        extern "C" fn no_basis(
            _: *mut std::ffi::c_void,
            _: i64,
            _: *mut usize,
            _: *mut *mut std::ffi::c_void,
        ) -> c_int {
            sys::RS_IO_ERROR
        }
        silence();
        // SAFETY: the callback ignores its arguments, so none is needed.
        let raw = unsafe { sys::rs_patch_begin(no_basis, ptr::null_mut()) };
        Job::new(raw, 100, "patching").unwrap()
    }

    #[test]
    fn a_job_that_makes_no_progress_is_stopped() {
        let mut job = patch_job();
        let mut out = Vec::new();
        job.feed(b"rs\x02\x36\x45\x00\x00", &mut out).unwrap();
        let error = job.end(&mut out).unwrap_err();
        assert_eq!(error.to_string(), "patching at offset 7: librsync makes no progress");
        assert_eq!(error.kind(), ErrorKind::Corrupt);
    }

    #[test]
    fn results_of_librsync_become_errors_with_their_code() {
        let mut job = patch_job();
        let error = job.feed(b"rs\x02\x36\x45\x00\x01", &mut Vec::new()).unwrap_err();
        assert_eq!(error.to_string(), "patching at offset 7: librsync: input or output failed (code 100)");
        let mut job = patch_job();
        job.feed(b"rs\x02\x36", &mut Vec::new()).unwrap();
        assert_eq!(kind(job.end(&mut Vec::new())), Some(ErrorKind::Truncated));
        let kinds = [
            (sys::RS_MEM_ERROR, ErrorKind::OutOfMemory),
            (sys::RS_BAD_MAGIC, ErrorKind::Corrupt),
            (sys::RS_CORRUPT, ErrorKind::Corrupt),
            (sys::RS_PARAM_ERROR, ErrorKind::InvalidInput),
            (sys::RS_INTERNAL_ERROR, ErrorKind::Internal),
            (sys::RS_UNIMPLEMENTED, ErrorKind::Internal),
            (-1, ErrorKind::Internal),
        ];
        for (code, expected) in kinds {
            let error = check(code).unwrap_err();
            assert!(error.kind() == expected && error.to_string().ends_with(&format!("(code {code})")), "{error}");
        }
    }

    #[test]
    #[ignore = "takes 2 GiB of address space and some seconds"]
    fn a_buffer_longer_than_an_int_is_fed_in_slices() {
        let params = SignatureParams::default();
        let content = vec![0; (1 << 31) + 5];
        let sums = signature(params, &content);
        assert_eq!(sums.len(), 12 + 36 * (1 << 15) + 36);
        let loaded = load(params, &sums[12..], usize::MAX).unwrap();
        let out = run(DeltaJob::new(loaded).unwrap(), &content, usize::MAX);
        // Of equal blocks librsync keeps the first, so each becomes a copy of its own; the short one is last.
        assert!(
            out.len() < 8 * (1 << 15) + 20 && out.ends_with(b"\x4d\x80\x00\x00\x00\x05\x00"),
            "{:x?}",
            &out[out.len() - 20..]
        );
    }
}
