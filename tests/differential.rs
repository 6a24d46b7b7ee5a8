//! Random edit scripts, each carried out by frazil and by two librsyncs, each of whom takes what the others make.
//!
//! One librsync is compiled from the crate librsync-sys; the other is the system's, to which its `rdiff` is linked.
//! `FRAZIL_SCRIPTS` says how many scripts there are, and `FRAZIL_SEED` the seed of the first, which is that of a
//! single one again with `FRAZIL_SCRIPTS=1`; `make differential` runs 100,000. What fails is made as small as it can
//! be and printed.

#[path = "support/librsync.rs"]
mod librsync;
#[path = "support/plain.rs"]
mod plain;
#[path = "support/random.rs"]
mod random;
#[path = "support/script.rs"]
mod script;
#[path = "differential/system.rs"]
mod system;
#[path = "differential/tally.rs"]
mod tally;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use frazil::{Engine, Format, LevelOptions, Matching, Signature, SignatureParams, StrongKind, WeakKind};
use librsync::Librsync;
use plain::{level, plain, pulled, pushed};
use random::{Random, seed};
use script::{Change, Piece, changed, content};
use tally::{Lengths, Tally};

/// Scripts unless the environment says otherwise.
const SCRIPTS: u64 = 1000;

/// No old content of most scripts is longer, and no new one longer than twice this.
const LEN_MAX: usize = 48 << 10;

/// The most blocks of such a content: with the shortest blocks everything takes longest.
const BLOCKS_MAX: usize = 8 << 10;

/// One script in so many is long: its contents do not fit into what frazil gathers before it decides.
const LONG_EVERY: u64 = 50;

/// On shorter strong sums blocks may match that are not equal, with librsync as with frazil.
const STRONG_LEN_TO_MATCH: u32 = 8;

const SUMS: [(WeakKind, StrongKind); 4] = [
    (WeakKind::Rollsum, StrongKind::Md4),
    (WeakKind::Rollsum, StrongKind::Blake2),
    (WeakKind::RabinKarp, StrongKind::Md4),
    (WeakKind::RabinKarp, StrongKind::Blake2),
];

/// An old content, what is done to it, and how it is signed.
#[derive(Clone, Debug)]
struct Script {
    params: SignatureParams,
    pieces: Vec<Piece>,
    changes: Vec<Change>,
    /// The new content is cut to twice this.
    len_max: usize,
    threads: usize,
}

/// What frazil gathers of a content before it decides, as `src/level/gathered.rs` has it, or a little less.
fn window(block_len: usize) -> usize {
    (2 << 20).min(block_len * (16 << 10)).max(64 << 10)
}

impl Script {
    /// The script of a seed.
    fn of(seed: u64) -> Self {
        let mut random = Random::new(seed);
        match seed.is_multiple_of(LONG_EVERY) {
            true => Self::long(&mut random, 1 + (seed / LONG_EVERY % 2) as usize),
            false => Self::short(&mut random),
        }
    }

    fn params(random: &mut Random) -> SignatureParams {
        let block_len = match random.below(4) {
            0 => 1 + random.small(64),
            1 => random.pick(&[16, 64, 100, 512, 1000, 1024, 2048, 4096]),
            2 => 1 + random.small(5000),
            _ => 1 + random.small(70_000),
        };
        let (weak, strong) = random.pick(&SUMS);
        let longest = strong.max_len();
        let strong_len = match random.below(3) {
            0 => longest,
            1 => STRONG_LEN_TO_MATCH + random.below((longest - STRONG_LEN_TO_MATCH) as usize + 1) as u32,
            _ => 1 + random.below(longest as usize) as u32,
        };
        SignatureParams::new(weak, strong, block_len as u32, strong_len).unwrap()
    }

    fn short(random: &mut Random) -> Self {
        let params = Self::params(random);
        let block_len = params.block_len() as usize;
        let len_max = LEN_MAX.min(block_len * BLOCKS_MAX);
        let count = random.below(4);
        let pieces = (0..count)
            .map(|_| {
                let len = match random.below(3) {
                    // Around the end of a block.
                    0 => (random.below(9) * block_len + random.below(3)).saturating_sub(1),
                    1 => random.small(len_max),
                    _ => random.below(9 * block_len),
                };
                Piece::draw(random, len.min(len_max / count))
            })
            .collect();
        let changes = (0..random.below(9)).map(|_| Change::draw(random)).collect();
        Self { params, pieces, changes, len_max, threads: 1 }
    }

    /// Of contents that are several times what is gathered of them, over one thread or two.
    fn long(random: &mut Random, threads: usize) -> Self {
        let params = Self::params(random);
        let len_max = window(params.block_len() as usize) * (2 + random.below(2)) + random.below(1000);
        let count = 1 + random.below(4);
        let pieces = (0..count)
            .map(|_| {
                let len = len_max / count;
                let len = len - random.below(len / 8);
                Piece::draw(random, len)
            })
            .collect();
        let changes = (0..random.below(17)).map(|_| Change::draw(random)).collect();
        Self { params, pieces, changes, len_max, threads }
    }

    /// Each a little less than this one.
    fn smaller(&self) -> Vec<Self> {
        let mut all = Vec::new();
        for at in 0..self.changes.len() {
            let mut less = self.clone();
            less.changes.remove(at);
            all.push(less);
        }
        for at in 0..self.pieces.len() {
            let mut less = self.clone();
            less.pieces.remove(at);
            all.push(less);
            for len in [self.pieces[at].len / 2, self.pieces[at].len.saturating_sub(1)] {
                let mut less = self.clone();
                less.pieces[at].len = len;
                all.extend((len < self.pieces[at].len).then_some(less));
            }
        }
        all
    }

    /// The least script that fails as this one does, made smaller step by step.
    fn least(self, fails: impl Fn(&Self) -> bool) -> Self {
        let mut least = self;
        while let Some(less) = least.smaller().into_iter().find(|less| fails(less)) {
            least = less;
        }
        least
    }
}

/// One script and who carries it out.
struct Trial<'a> {
    peers: &'a [(&'a str, Librsync)],
    params: SignatureParams,
    threads: usize,
    old: Vec<u8>,
    new: Vec<u8>,
}

impl Trial<'_> {
    fn options(&self) -> LevelOptions {
        LevelOptions::new().params(self.params).threads(self.threads).format(Format::Rdiff)
    }

    /// The signature that everyone makes of a content.
    fn sign(&self, content: &[u8]) -> Vec<u8> {
        let (block_len, strong_len) = (self.params.block_len() as usize, self.params.strong_len() as usize);
        let (_, ours) = level(None, content, self.options());
        let ours = plain(&ours);
        for (peer, librsync) in self.peers {
            let theirs = librsync.signature(content, block_len, strong_len, self.params.magic().cast_signed());
            assert!(ours == theirs, "frazil does not sign as {peer}");
        }
        let (_, bound) = level(None, content, self.options().engine(Engine::Librsync));
        assert!(ours == plain(&bound), "frazil's engines do not sign alike");
        ours
    }

    /// All that can patch make the same of a delta, and it is the new content where the sums can be trusted.
    fn check_delta(&self, delta: &[u8], of: &str) {
        let ours = pulled(&self.old, delta);
        let trusted = self.params.strong_len() >= STRONG_LEN_TO_MATCH;
        assert!(!trusted || ours == self.new, "frazil makes something else of {of}, pulled");
        assert!(ours == pushed(&self.old, delta), "frazil makes something else of {of}, pushed");
        for (peer, librsync) in self.peers {
            let theirs = librsync.patch(&self.old, delta, usize::MAX);
            let theirs = theirs.unwrap_or_else(|code| panic!("{peer} refuses {of}: {code}"));
            assert!(ours == theirs, "{peer} makes something else of {of}");
        }
    }

    fn run(&self) -> Lengths {
        let (old, new) = (self.sign(&self.old), self.sign(&self.new));
        let raw = Signature::read_from(&old[..]).unwrap();
        let (_, known) = level(None, &self.old, self.options());
        let ways = [
            ("frazil's delta", &known, self.options()),
            ("frazil's delta, the length unknown", &raw, self.options()),
            ("frazil's rolling delta", &known, self.options().matching(Matching::Rolling)),
            ("frazil's aligned delta", &raw, self.options().matching(Matching::Aligned)),
            ("frazil's delta by librsync", &raw, self.options().engine(Engine::Librsync)),
        ];
        let ours = ways.map(|(way, basis, options)| {
            let (delta, signature) = level(Some(basis), &self.new, options);
            assert!(plain(&signature) == new, "the new signature is another with {way}");
            self.check_delta(&delta, way);
            delta.len()
        });
        let theirs = self.peers.iter().map(|(peer, librsync)| {
            let delta = librsync.delta(&old, &self.new).unwrap_or_else(|code| panic!("{peer} makes no delta: {code}"));
            self.check_delta(&delta, &format!("the delta of {peer}"));
            delta.len()
        });
        let theirs: Vec<usize> = theirs.collect();
        Lengths { ours, theirs: [theirs[0], theirs[1]], new: self.new.len() }
    }
}

fn carry_out(peers: &[(&str, Librsync)], script: &Script) -> Lengths {
    let old = content(&script.pieces);
    let new = changed(&old, &script.changes, 2 * script.len_max);
    Trial { peers, params: script.params, threads: script.threads, old, new }.run()
}

#[test]
fn frazil_and_two_librsyncs_take_what_the_others_make_of_each_script() {
    let system = system::load();
    let vendored = system::file_of(Librsync::VENDORED.job_iter as *const _);
    println!("librsync {} of {}", frazil::librsync_version(), vendored.display());
    println!("{} of {}", system.version, system.file.display());
    assert_ne!(vendored, system.file, "one librsync answers for two");
    let peers = [("the vendored librsync", Librsync::VENDORED), ("the system's librsync", system.librsync)];

    let first = seed(1);
    let count = std::env::var("FRAZIL_SCRIPTS").map_or(SCRIPTS, |all| all.parse().expect("FRAZIL_SCRIPTS is a number"));
    let (next, failed) = (AtomicU64::new(first), AtomicBool::new(false));
    let work = || {
        let mut tally = Tally::default();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= first + count || failed.load(Ordering::Relaxed) {
                return tally;
            }
            let script = Script::of(seed);
            if count == 1 {
                println!("{script:?}");
            }
            match catch_unwind(AssertUnwindSafe(|| carry_out(&peers, &script))) {
                Ok(lengths) => tally.add(seed, lengths),
                Err(panic) if failed.swap(true, Ordering::Relaxed) => resume_unwind(panic),
                Err(panic) => {
                    eprintln!("script {seed} fails, which FRAZIL_SEED={seed} FRAZIL_SCRIPTS=1 repeats: {script:?}");
                    let fails = |less: &Script| catch_unwind(AssertUnwindSafe(|| carry_out(&peers, less))).is_err();
                    eprintln!("the least that fails: {:?}", script.least(fails));
                    resume_unwind(panic);
                }
            }
        }
    };
    let started = Instant::now();
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let tally = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let mut tally = Tally::default();
        for worker in workers {
            tally.merge(worker.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
        tally
    });
    println!("{count} scripts from seed {first} on {threads} threads in {:.0} s", started.elapsed().as_secs_f64());
    tally.settle();
}
