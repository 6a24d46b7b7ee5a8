//! Each hazard of the C library by name, and the bytes that it should make.

use std::ffi::c_int;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use super::collisions::mix32;
use super::*;
use crate::format::{StrongKind, WeakKind};

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
    assert_eq!(kind(load(params, &records(params, 5000, |index| index << 16 | 7), 1 << 20)), Some(ErrorKind::Limit));
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
    extern "C" fn no_basis(_: *mut std::ffi::c_void, _: i64, _: *mut usize, _: *mut *mut std::ffi::c_void) -> c_int {
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
