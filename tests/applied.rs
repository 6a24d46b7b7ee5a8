//! Files are patched by several threads: what they are, what goes wrong and what is told is the same for any number.

#[path = "support/content.rs"]
mod content;

use std::fs;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread::ThreadId;

use content::{level, noise, options};
use frazil::{
    ErrorKind, Format, Observer, PatchOptions, PatchReader, PatchSummary, Progress, Signature, VerifyBasis, chain_file,
    patch_file,
};
use tempfile::TempDir;

const MIB: usize = 1 << 20;

/// Three states of a content with what makes pieces ragged: changes of all lengths, an insertion that moves the rest
/// off the leaves, runs of zeros from a block to several pieces, within leaves and over them, and at the end.
fn states() -> [Vec<u8>; 3] {
    let first = noise(7 * MIB + 12_345, 1);
    let mut second = first.clone();
    for (number, at) in [10, 65_536, 777_777, 2 * MIB - 1, 5 * MIB + 3].into_iter().enumerate() {
        let len = 1 << (4 * number);
        second[at..at + len].copy_from_slice(&noise(len, 2));
    }
    second[3 * MIB + 5..4 * MIB + 700_001].fill(0);
    second[MIB..MIB + 70_000].fill(0);
    let mut third = second.clone();
    third.splice(400_001..400_001, noise(300_001, 3));
    third.truncate(6 * MIB);
    third.resize(9 * MIB + 77, 0);
    [first, second, third]
}

/// A directory with the first state, and the deltas of all of them.
struct Ground {
    dir: TempDir,
    states: [Vec<u8>; 3],
    deltas: Vec<Vec<u8>>,
}

/// What the threads have to agree upon.
type Outcome = (Result<(u64, u64, Option<frazil::Identity>), String>, Option<Vec<u8>>, Vec<Progress>);

/// Notes what it is told, and by which thread.
#[derive(Default)]
struct Log(Mutex<Vec<(ThreadId, Progress)>>);

impl Observer for Log {
    fn progress(&self, progress: &Progress) {
        self.0.lock().unwrap().push((std::thread::current().id(), *progress));
    }
}

impl Ground {
    fn new(block_len: u32, format: Format) -> Self {
        let states = states();
        let mut basis: Option<Signature> = None;
        let mut deltas = Vec::new();
        for state in &states {
            let (delta, signature) = level(state, basis.as_ref(), options(block_len).format(format));
            deltas.push(delta);
            basis = Some(signature);
        }
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("basis"), &states[0]).unwrap();
        Self { dir, states, deltas }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Does some work that makes `target`, which is left nothing of.
    fn outcome(&self, threads: usize, work: impl Fn(PatchOptions) -> frazil::Result<PatchSummary>) -> Outcome {
        let log = Arc::new(Log::default());
        let result = work(PatchOptions::new().threads(threads).observer(log.clone()));
        let result = result.map(|summary| (summary.output_bytes, summary.stream_bytes, summary.identity));
        let target = fs::read(self.path("target")).ok();
        if target.is_some() {
            fs::remove_file(self.path("target")).unwrap();
        }
        let names: Vec<_> = fs::read_dir(self.dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["basis"], "nothing else is left");
        let here = std::thread::current().id();
        let told = std::mem::take(&mut *log.0.lock().unwrap());
        assert!(told.iter().all(|(thread, _)| *thread == here), "the observer is called by the caller's thread");
        (result.map_err(|error| error.to_string()), target, told.into_iter().map(|(_, progress)| progress).collect())
    }

    /// Asserts that any number of threads has the outcome of one, and gives that.
    fn agreed(&self, what: &str, work: impl Fn(PatchOptions) -> frazil::Result<PatchSummary>) -> Outcome {
        let alone = self.outcome(1, &work);
        for threads in [2, 3, 20] {
            let (result, target, told) = self.outcome(threads, &work);
            assert_eq!(result, alone.0, "{what}, {threads} threads");
            assert!(target == alone.1, "{what}, {threads} threads: the same bytes");
            assert_eq!(told, alone.2, "{what}, {threads} threads");
        }
        alone
    }

    fn patch(&self, delta: &[u8], options: PatchOptions) -> frazil::Result<PatchSummary> {
        patch_file(Some(&self.path("basis")), delta, self.path("target"), options)
    }
}

#[test]
fn every_number_of_threads_makes_the_same_file_and_tells_the_same() {
    for format in [Format::Sealed, Format::Rdiff] {
        for block_len in [1024, 5000, 65_536, 300_000, MIB as u32] {
            let ground = Ground::new(block_len, format);
            let what = format!("{format:?}, blocks of {block_len}");
            let (result, target, told) = ground.agreed(&what, |options| ground.patch(&ground.deltas[1], options));
            assert_eq!(result.unwrap().0, ground.states[1].len() as u64, "{what}");
            assert!(target.unwrap() == ground.states[1], "{what}");
            assert!(told.windows(2).all(|two| two[0].done_bytes <= two[1].done_bytes), "{what}: {told:?}");
            // Once for each mebibyte, and for each long run of zeros, of which one is of 1.6 MiB.
            assert!(told.len() >= 6 && told.last().unwrap().done_bytes == ground.states[1].len() as u64, "{what}");

            let from_nothing = |options| patch_file(None, &ground.deltas[0][..], ground.path("target"), options);
            let (_, target, _) = ground.agreed(&what, from_nothing);
            assert!(target.unwrap() == ground.states[0], "{what}");

            let chained = |from: usize| {
                let basis = (from > 0).then(|| ground.path("basis"));
                let (_, target, told) = ground.agreed(&format!("{what}, a chain from {from}"), |options| {
                    chain_file(basis.as_deref(), ground.deltas[from..].iter().collect(), ground.path("target"), options)
                });
                assert!(target.unwrap() == ground.states[2], "{what}, a chain from {from}");
                // One run of zeros at the end is of more than 3 MiB.
                assert!(told.len() >= 6 && told.last().unwrap().done_bytes == ground.states[2].len() as u64, "{what}");
            };
            chained(0);
            chained(1);
        }
    }
}

#[test]
fn runs_of_zeros_are_holes_for_every_number_of_threads() {
    let ground = Ground::new(65_536, Format::Sealed);
    fs::write(ground.path("full"), &ground.states[2]).unwrap();
    let full = fs::metadata(ground.path("full")).unwrap().blocks();
    for threads in [1, 2, 8] {
        let options = PatchOptions::new().threads(threads).replace(true);
        let deltas = ground.deltas.iter().collect();
        chain_file(None, deltas, ground.path("target"), options).unwrap();
        let data = fs::metadata(ground.path("target")).unwrap();
        assert_eq!(data.len(), ground.states[2].len() as u64);
        // Of the zeros, 4 MiB are whole blocks.
        assert!(data.blocks() + 4 * 2048 <= full, "{threads} threads: {} of {full} blocks", data.blocks());
    }
}

#[test]
fn what_is_wrong_is_the_same_for_every_number_of_threads_and_as_when_it_is_pulled() {
    let ground = Ground::new(65_536, Format::Sealed);
    let delta = &ground.deltas[1];
    let broken = |at: usize| {
        let mut delta = delta.clone();
        delta[at] ^= 1;
        delta
    };
    let (half, end) = (delta.len() / 2, delta.len());
    let cases = [
        ("a frame is damaged", broken(half), ErrorKind::Corrupt),
        ("the trailer is damaged", broken(end - 40), ErrorKind::Corrupt),
        ("it ends early", delta[..half].to_vec(), ErrorKind::Truncated),
        ("it ends before its trailer", delta[..end - 1].to_vec(), ErrorKind::Truncated),
        ("it goes on", [&delta[..], b"x"].concat(), ErrorKind::Corrupt),
        ("it is empty", Vec::new(), ErrorKind::Truncated),
    ];
    for (what, delta, kind) in cases {
        let mut pulled = PatchReader::new(&delta[..], &ground.states[0], PatchOptions::new()).unwrap();
        let pulled = frazil::Error::from(pulled.read_to_end(&mut Vec::new()).unwrap_err());
        assert_eq!(pulled.kind(), kind, "{what}");
        let (result, target, _) = ground.agreed(what, |options| ground.patch(&delta, options));
        let message = result.unwrap_err();
        let reason = pulled.to_string();
        let reason = reason.strip_prefix("reading a delta: ").unwrap_or(&reason);
        assert!(message.contains(reason), "{what}: {message:?} has {reason:?}");
        assert!(target.is_none(), "{what}");
    }
}

#[test]
fn a_basis_that_is_another_or_too_short_is_named_by_every_number_of_threads() {
    let ground = Ground::new(65_536, Format::Sealed);
    let plain = Ground::new(65_536, Format::Rdiff);
    let content = &ground.states[0];
    let mut other = content.clone();
    other[6 * MIB] ^= 1;
    for (what, basis) in [("another", &other[..]), ("shorter", &content[..5 * MIB]), ("empty", &[])] {
        fs::write(ground.path("basis"), basis).unwrap();
        for when in [VerifyBasis::Before, VerifyBasis::After] {
            let patched = |options: PatchOptions| ground.patch(&ground.deltas[1], options.verify_basis(when));
            let (result, target, _) = ground.agreed(what, patched);
            let message = result.unwrap_err();
            assert!(message.contains("the delta was made against another basis"), "{what}: {message}");
            assert!(target.is_none(), "{what}");
        }
    }
    // A plain delta tells of no basis: its copies reach past the end.
    fs::write(plain.path("basis"), &content[..5 * MIB]).unwrap();
    let (result, target, _) = plain.agreed("plain", |options| plain.patch(&plain.deltas[1], options));
    assert!(result.unwrap_err().contains("copy reaches past the end of the basis"));
    assert!(target.is_none());
}
