//! Sums, signature, level, seal, patch, chain and the C interface on generated data: `make bench-micro`, or
//! `cargo bench --bench core`.
//!
//! The content is seeded random bytes in memory, in blocks of 64 KiB: a quarter of `BENCH_MIB`, which is 1024 by
//! default. Figures are bytes of content a second. Ratios against peers, from paired runs of
//! whole processes, are in `docs/benchmarks.md`.

#[path = "core/abi.rs"]
mod abi;

use std::io::{self, Read, Write};
use std::sync::LazyLock;

use divan::Bencher;
use divan::counter::BytesCount;
use frazil::{
    Chain, Engine, Format, LevelOptions, LevelReader, LevelWriter, Matching, NoBasis, PatchOptions, PatchReader,
    Signature, SignatureParams, StrongKind, WeakKind,
};

fn main() {
    divan::main();
}

const SEED: u64 = 0x66_72_61_7a_69_6c;

fn random(len: usize, seed: u64) -> Vec<u8> {
    let mut state = seed | 1;
    let mut out = Vec::with_capacity(len);
    while out.len() < len {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        out.extend_from_slice(&state.to_le_bytes());
    }
    out.truncate(len);
    out
}

static OLD: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mib = std::env::var("BENCH_MIB").ok().and_then(|mib| mib.parse().ok()).unwrap_or(1024);
    random((mib / 4).max(1) << 20, SEED)
});

static SIGNATURE: LazyLock<Signature> = LazyLock::new(|| {
    LevelReader::new(&OLD[..], None, LevelOptions::new()).and_then(LevelReader::finish).expect("a signature")
});

/// What became of the old content.
#[derive(Clone, Copy, Debug)]
enum Change {
    Unchanged,
    OnePercentScattered,
    ShiftedByOneByte,
    AllNew,
}

const CHANGES: [Change; 4] = [Change::Unchanged, Change::OnePercentScattered, Change::ShiftedByOneByte, Change::AllNew];

/// One block in a hundred gets a changed byte in its middle.
fn changed(old: &[u8], change: Change) -> Vec<u8> {
    let mut new = old.to_vec();
    match change {
        Change::Unchanged => {}
        Change::OnePercentScattered => new.chunks_mut(65536).step_by(100).for_each(|block| block[block.len() / 2] ^= 1),
        Change::ShiftedByOneByte => new.insert(0, 1),
        Change::AllNew => new = random(old.len(), SEED ^ 0xffff_0000),
    }
    new
}

fn level(content: &[u8], options: LevelOptions, basis: Option<&Signature>) -> u64 {
    let mut level = LevelReader::new(content, basis, options).expect("a level");
    io::copy(&mut level, &mut io::sink()).expect("the level's stream")
}

#[divan::bench(args = [Engine::Native, Engine::Librsync], sample_count = 3)]
fn signature(bencher: Bencher, engine: Engine) {
    let old = &OLD[..];
    bencher.counter(BytesCount::new(old.len())).bench(|| {
        let options = LevelOptions::new().engine(engine);
        LevelReader::new(old, None, options).and_then(LevelReader::finish)
    });
}

#[divan::bench(args = [
    (WeakKind::RabinKarp, StrongKind::Blake2),
    (WeakKind::RabinKarp, StrongKind::Md4),
    (WeakKind::Rollsum, StrongKind::Blake2),
    (WeakKind::Rollsum, StrongKind::Md4),
], sample_count = 3)]
fn sums(bencher: Bencher, (weak, strong): (WeakKind, StrongKind)) {
    let params = SignatureParams::new(weak, strong, 65536, strong.max_len()).expect("parameters");
    bencher.counter(BytesCount::new(OLD.len())).bench(|| {
        // Nothing but the sums: what is pushed is summed where it lies.
        let options = LevelOptions::new().params(params).format(Format::Rdiff).identify(false);
        let mut writer = LevelWriter::new(io::sink(), None, options).expect("options").without_stream();
        writer.write_all(&OLD).expect("sums");
        writer.finish().expect("a signature").1
    });
}

/// A level that is not sealed, and whose new signature nobody wants.
#[divan::bench(args = CHANGES, sample_count = 3)]
fn matcher(bencher: Bencher, change: Change) {
    let new = changed(&OLD, change);
    let options = || LevelOptions::new().format(Format::Rdiff).hold_signature(false);
    bencher.counter(BytesCount::new(new.len())).bench(|| level(&new, options(), Some(&SIGNATURE)));
}

#[divan::bench(args = CHANGES, sample_count = 3)]
fn level_n(bencher: Bencher, change: Change) {
    let new = changed(&OLD, change);
    bencher.counter(BytesCount::new(new.len())).bench(|| level(&new, LevelOptions::new(), Some(&SIGNATURE)));
}

#[divan::bench(args = CHANGES, sample_count = 1)]
fn level_n_by_librsync(bencher: Bencher, change: Change) {
    let new = changed(&OLD, change);
    let options = || LevelOptions::new().engine(Engine::Librsync).format(Format::Rdiff);
    bencher.counter(BytesCount::new(new.len())).bench(|| level(&new, options(), Some(&SIGNATURE)));
}

#[divan::bench(sample_count = 3)]
fn aligned_level_n_of_one_percent(bencher: Bencher) {
    let new = changed(&OLD, Change::OnePercentScattered);
    let options = || LevelOptions::new().matching(Matching::Aligned);
    bencher.counter(BytesCount::new(new.len())).bench(|| level(&new, options(), Some(&SIGNATURE)));
}

/// What the seal costs shows beside the same without it.
#[divan::bench(args = [Format::Sealed, Format::Rdiff], sample_count = 3)]
fn level_0(bencher: Bencher, format: Format) {
    bencher.counter(BytesCount::new(OLD.len())).bench(|| level(&OLD, LevelOptions::new().format(format), None));
}

#[divan::bench(sample_count = 3)]
fn patch_of_one_percent(bencher: Bencher) {
    let new = changed(&OLD, Change::OnePercentScattered);
    let mut delta = Vec::new();
    LevelReader::new(&new[..], &*SIGNATURE, LevelOptions::new())
        .expect("a level")
        .read_to_end(&mut delta)
        .expect("the level's stream");
    bencher.counter(BytesCount::new(new.len())).bench(|| {
        let mut patch = PatchReader::new(&delta[..], &OLD[..], PatchOptions::new()).expect("a patch");
        io::copy(&mut patch, &mut io::sink())
    });
}

#[divan::bench(sample_count = 3)]
fn chain_of_ten_levels(bencher: Bencher) {
    let mut content = OLD.clone();
    let (mut deltas, mut basis) = (Vec::new(), None);
    for number in 0..10 {
        let mut level = LevelReader::new(&content[..], basis.as_ref(), LevelOptions::new()).expect("a level");
        let mut delta = Vec::new();
        level.read_to_end(&mut delta).expect("the level's stream");
        basis = Some(level.finish().expect("a signature"));
        deltas.push(delta);
        content.chunks_mut(65536).skip(number * 7).step_by(100).for_each(|block| block[0] ^= 1);
    }
    bencher.counter(BytesCount::new(content.len())).bench(|| {
        let mut chain = Chain::new(NoBasis, deltas.iter().collect(), PatchOptions::new()).expect("a chain");
        io::copy(&mut chain, &mut io::sink())
    });
}

#[divan::bench(sample_count = 5)]
fn signature_against_signature(bencher: Bencher) {
    let new = changed(&OLD, Change::OnePercentScattered);
    let new = LevelReader::new(&new[..], None, LevelOptions::new()).and_then(LevelReader::finish).expect("a signature");
    bencher
        .counter(BytesCount::new(OLD.len()))
        .bench(|| SIGNATURE.compare(&new).map(|ranges| ranges.map(|range| range.len).sum::<u64>()));
}
