//! Interoperation with `rdiff`, both ways: the same signatures, and deltas that either side applies.

#[path = "support/plain.rs"]
mod plain;
#[path = "support/random.rs"]
mod random;
#[path = "support/rdiff.rs"]
mod rdiff;

use std::fs;
use std::io::{Read, Write};

use frazil::{
    Chain, Engine, ErrorKind, Format, LevelOptions, LevelReader, LevelWriter, Matching, NoBasis, PatchOptions,
    Signature, SignatureParams, StrongKind, WeakKind, patch_file,
};
use plain::{level, plain, pulled, pushed};
use random::{Content, Edit, Random, seed};
use rdiff::Rdiff;

const BLOCK_LENS: [u32; 14] = [1, 2, 3, 5, 7, 16, 100, 512, 777, 1023, 2048, 4096, 30_011, 65_536];

/// Matches on shorter sums may be false, in `rdiff` as here, so only the signatures are compared.
const STRONG_LEN_TO_MATCH: u32 = 8;

/// Contents in a row for each set of parameters; each pair of neighbours is a case.
const STEPS: usize = 10;

/// Everything that the signature holds, both ends of the delta included, in whole blocks and some bytes.
fn a_length(random: &mut Random, block_len: usize) -> usize {
    let edges = [0, 1, block_len - 1, block_len, block_len + 1, 2 * block_len - 1, 2 * block_len, 2 * block_len + 1];
    match random.below(3) {
        0 => random.pick(&edges),
        1 => random.below(9 * block_len),
        _ => random.below(9) * block_len + random.below(200),
    }
}

fn options(params: SignatureParams) -> LevelOptions {
    LevelOptions::new().params(params).threads(1).format(Format::Rdiff)
}

/// Applies the delta from path to path.
fn published(rdiff: &Rdiff, basis: &[u8], delta: &[u8]) -> Vec<u8> {
    let (old, new) = (rdiff.path("patch-old"), rdiff.path("patch-new"));
    fs::write(&old, basis).unwrap();
    patch_file(Some(&old), delta, &new, PatchOptions::new().threads(1).replace(true)).unwrap();
    fs::read(new).unwrap()
}

/// How many cases there were, and how long the deltas were altogether.
#[derive(Debug, Default)]
struct Tally {
    signatures: usize,
    pairs: usize,
    auto: usize,
    rolling: usize,
    theirs: usize,
    /// The most bytes by which one of our deltas was longer, and which.
    worst: (usize, String),
}

impl Tally {
    fn add(&mut self, auto: usize, rolling: usize, theirs: usize, name: impl FnOnce() -> String) {
        self.pairs += 1;
        self.auto += auto;
        self.rolling += rolling;
        self.theirs += theirs;
        let longer = auto.max(rolling).saturating_sub(theirs);
        if longer > self.worst.0 {
            self.worst = (longer, name());
        }
    }

    /// Prints the figures and fails when our deltas are longer than rdiff's by more than a little.
    fn settle(&self, what: &str) {
        let Self { signatures, pairs, auto, rolling, theirs, worst: (longer, worst) } = self;
        println!("{what}: {signatures} signatures twice, {pairs} pairs");
        println!("  deltas {auto} bytes, rolling {rolling}, rdiff's {theirs}; worst +{longer}: {worst}");
        assert!(auto * 50 <= theirs * 51, "{what}: deltas of {auto} bytes are over 2 % longer than rdiff's {theirs}");
        // Of equal blocks rdiff may take another, so that two neighbours are one copy more seldom.
        assert!(rolling * 500 <= theirs * 501, "{what}: rolling deltas of {rolling} bytes for rdiff's {theirs}");
    }
}

/// Both engines give rdiff's bytes; gives them.
fn check_signature(rdiff: &Rdiff, params: SignatureParams, content: &[u8], name: &str) -> Vec<u8> {
    let theirs = rdiff.signature(&params, content);
    for engine in [Engine::Native, Engine::Librsync] {
        let ours = LevelReader::new(content, None, options(params).engine(engine)).unwrap().finish().unwrap();
        assert!(plain(&ours) == theirs, "{engine:?} does not sign as rdiff: {name}");
    }
    theirs
}

/// The deltas of one pair: ours by both engines and in each way of matching, sealed and plain, and rdiff's.
fn check_pair(rdiff: &Rdiff, params: SignatureParams, old: &Signed, new: &Signed, turn: usize, tally: &mut Tally) {
    let name = |what: &str| format!("{what}, {params:?}, {} -> {}", old.name, new.name);
    let raw = Signature::read_from(&old.theirs[..]).unwrap();
    let known = LevelReader::new(&old.content[..], None, options(params)).unwrap().finish().unwrap();
    let tried = [
        ("with the length known", &known, options(params)),
        ("with the length unknown", &raw, options(params)),
        ("rolling", &known, options(params).matching(Matching::Rolling)),
        ("aligned", &raw, options(params).matching(Matching::Aligned)),
        ("by librsync", &raw, options(params).engine(Engine::Librsync)),
    ];
    let mut lens = Vec::new();
    for (at, (what, basis, options)) in tried.into_iter().enumerate() {
        let (delta, signature) = level(basis, &new.content, options);
        assert!(plain(&signature) == new.theirs, "the new signature is not rdiff's: {}", name(what));
        assert!(pulled(&old.content, &delta) == new.content, "our patch: {}", name(what));
        // A process costs more than all else together, so the others take turns.
        if at == 0 || at == 1 + turn % 4 {
            assert!(rdiff.patch(&old.content, &delta) == new.content, "rdiff's patch: {}", name(what));
        }
        lens.push(delta.len());
    }

    let theirs = rdiff.delta(&old.theirs, &new.content);
    assert!(pulled(&old.content, &theirs) == new.content, "rdiff's delta pulled: {}", name(""));
    assert!(pushed(&old.content, &theirs) == new.content, "rdiff's delta pushed: {}", name(""));
    if turn.is_multiple_of(8) {
        assert!(published(rdiff, &old.content, &theirs) == new.content, "rdiff's delta published: {}", name(""));
    }
    tally.add(lens[0].max(lens[1]), lens[2], theirs.len(), || name(&format!("{lens:?} for {}", theirs.len())));
    check_sealed(rdiff, params, old, new, turn);
}

/// A sealed level against the plain signature, restored in every form.
fn check_sealed(rdiff: &Rdiff, params: SignatureParams, old: &Signed, new: &Signed, turn: usize) {
    let name = || format!("sealed, {params:?}, {} -> {}", old.name, new.name);
    let raw = Signature::read_from(&old.theirs[..]).unwrap();
    let engine = if turn.is_multiple_of(2) { Engine::Native } else { Engine::Librsync };
    let options = || LevelOptions::new().threads(1).engine(engine);
    let mut level1 = LevelWriter::new(Vec::new(), &raw, options().allow_weak(true)).unwrap();
    level1.write_all(&new.content).unwrap();
    let (level1, _) = level1.finish().unwrap();
    assert!(pulled(&old.content, &level1) == new.content, "pulled: {}", name());
    assert!(pushed(&old.content, &level1) == new.content, "pushed: {}", name());
    if turn.is_multiple_of(8) {
        assert!(published(rdiff, &old.content, &level1) == new.content, "published: {}", name());
    }
    let (level0, _) = level(None, &old.content, options());
    let mut chain = Chain::new(NoBasis, vec![&level0, &level1], PatchOptions::new().threads(1)).unwrap();
    let mut out = Vec::new();
    chain.read_to_end(&mut out).unwrap();
    assert!(out == new.content, "chain: {}", name());
    chain.finish().unwrap();
}

/// Content, rdiff's signature of it, and how it came to be.
struct Signed {
    content: Vec<u8>,
    theirs: Vec<u8>,
    name: String,
}

/// Contents of any length and kind and edits of them, signed with every set of these sums.
fn check_sums(weak: WeakKind, strong: StrongKind, strong_lens: &[u32], first_seed: u64) {
    let rdiff = Rdiff::new();
    let mut tally = Tally::default();
    let mut next_seed = seed(first_seed);
    for block_len in BLOCK_LENS {
        for &strong_len in strong_lens {
            let params = SignatureParams::new(weak, strong, block_len, strong_len).unwrap();
            let mut random = Random::new(next_seed);
            let kind = Content::ALL[next_seed as usize % Content::ALL.len()];
            next_seed += 1;
            let mut old: Option<Signed> = None;
            for step in 0..STEPS {
                let (content, made) = step_content(&mut random, kind, block_len as usize, old.as_ref());
                let name = format!("{made} ({} bytes)", content.len());
                let theirs = check_signature(&rdiff, params, &content, &name);
                tally.signatures += 1;
                let new = Signed { content, theirs, name };
                if let Some(old) = old.filter(|_| strong_len >= STRONG_LEN_TO_MATCH) {
                    check_pair(&rdiff, params, &old, &new, step, &mut tally);
                }
                old = Some(new);
            }
        }
    }
    tally.settle(&format!("{weak:?} and {strong:?}"));
}

/// One to three edits of the content before, or something new.
fn step_content(random: &mut Random, kind: Content, block_len: usize, old: Option<&Signed>) -> (Vec<u8>, String) {
    let longest = 20 * block_len + 400;
    match old {
        Some(old) if random.below(8) > 0 && old.content.len() <= longest => {
            let mut content = old.content.clone();
            let edits: Vec<Edit> = (0..1 + random.below(3)).map(|_| random.pick(&Edit::ALL)).collect();
            edits.iter().for_each(|edit| edit.apply(random, kind, &mut content));
            (content, format!("{edits:?}"))
        }
        _ => {
            let len = a_length(random, block_len);
            (random.content(kind, len), format!("{kind:?}"))
        }
    }
}

#[test]
fn rabin_karp_and_blake2_go_both_ways() {
    check_sums(WeakKind::RabinKarp, StrongKind::Blake2, &[1, 4, 8, 12, 16, 20, 32], 1000);
}

#[test]
fn rollsum_and_blake2_go_both_ways() {
    check_sums(WeakKind::Rollsum, StrongKind::Blake2, &[1, 4, 8, 12, 16, 20, 32], 2000);
}

#[test]
fn rabin_karp_and_md4_go_both_ways() {
    check_sums(WeakKind::RabinKarp, StrongKind::Md4, &[1, 4, 8, 12, 16], 3000);
}

#[test]
fn rollsum_and_md4_go_both_ways() {
    check_sums(WeakKind::Rollsum, StrongKind::Md4, &[1, 4, 8, 12, 16], 4000);
}

#[test]
fn several_mebibytes_go_both_ways() {
    let rdiff = Rdiff::new();
    let mut tally = Tally::default();
    let cases = [
        (WeakKind::RabinKarp, StrongKind::Blake2, 512, 32, Content::Random),
        (WeakKind::RabinKarp, StrongKind::Blake2, 65_536, 32, Content::Random),
        (WeakKind::RabinKarp, StrongKind::Md4, 2048, 8, Content::Text),
        (WeakKind::Rollsum, StrongKind::Blake2, 4096, 16, Content::Text),
        (WeakKind::Rollsum, StrongKind::Md4, 30_011, 16, Content::Random),
        (WeakKind::RabinKarp, StrongKind::Blake2, 777, 20, Content::Repetitive),
    ];
    for (turn, (weak, strong, block_len, strong_len, kind)) in cases.into_iter().enumerate() {
        let params = SignatureParams::new(weak, strong, block_len, strong_len).unwrap();
        let mut random = Random::new(seed(5000) + turn as u64);
        let sign = |content: Vec<u8>, name: String| {
            let theirs = check_signature(&rdiff, params, &content, &name);
            Signed { content, theirs, name }
        };
        let len = (3 << 20) + random.below(3 << 20);
        let mut old = sign(random.content(kind, len), format!("{kind:?}"));
        for edits in [&[Edit::Insert, Edit::ChangeByte][..], &[Edit::Move, Edit::Delete], &[Edit::Swap, Edit::ZeroRun]]
        {
            let mut content = old.content.clone();
            edits.iter().for_each(|edit| edit.apply(&mut random, kind, &mut content));
            content.truncate(8 << 20);
            let new = sign(content, format!("{edits:?}"));
            check_pair(&rdiff, params, &old, &new, turn, &mut tally);
            old = new;
        }
    }
    tally.settle("several MiB");
}

/// Nothing, a byte, and each length around a block, against each of them.
#[test]
fn every_pair_of_lengths_around_a_block_goes_both_ways() {
    let rdiff = Rdiff::new();
    let mut tally = Tally::default();
    let mut random = Random::new(seed(6000));
    for block_len in [1, 16, 2048] {
        let params = SignatureParams::with_block_len(block_len).unwrap();
        let block_len = block_len as usize;
        let mut lens = vec![0, 1, block_len - 1, block_len, block_len + 1, 2 * block_len, 3 * block_len + 1];
        lens.dedup();
        let content = random.content(Content::Random, 4 * block_len);
        let signed = |content: &[u8]| {
            let name = format!("{} bytes", content.len());
            Signed { theirs: check_signature(&rdiff, params, content, &name), content: content.to_vec(), name }
        };
        // The end of one content is the end of the other, or its beginning is, so that the last short
        // block is found, or not.
        let heads: Vec<Signed> = lens.iter().map(|&len| signed(&content[..len])).collect();
        let tails: Vec<Signed> = lens.iter().map(|&len| signed(&content[content.len() - len..])).collect();
        for old in &heads {
            for (turn, new) in heads.iter().chain(&tails).enumerate() {
                check_pair(&rdiff, params, old, new, turn, &mut tally);
            }
        }
    }
    tally.settle("lengths around a block");
    // To copy a short last block that something was appended to takes a command, however short it is.
    assert!(tally.worst.0 <= 3, "{}", tally.worst.1);
}

/// Without `-b` and `-S`, and with `-S -1`, rdiff takes what it thinks best for the length of the file.
#[test]
fn parameters_that_rdiff_chooses_are_taken_over() {
    let rdiff = Rdiff::new();
    let mut random = Random::new(seed(7000));
    for len in [0, 1, 100_000, 3_000_000] {
        let old = random.content(Content::Random, len);
        let mut new = old.clone();
        Edit::Insert.apply(&mut random, Content::Random, &mut new);
        for chosen in [&[][..], &["-S", "-1"], &["-b", "0", "-S", "0"], &["-H", "md4"], &["-b", "4000", "-S", "-1"]] {
            let theirs = rdiff.signature_with(chosen, &old).unwrap();
            let signature = Signature::read_from(&theirs[..]).unwrap();
            check_signature(&rdiff, *signature.params(), &old, &format!("{chosen:?}, {len} bytes"));
            assert!(plain(&signature) == theirs, "{chosen:?}, {len} bytes");
            let (delta, next) = level(&signature, &new, LevelOptions::new().format(Format::Rdiff));
            assert!(rdiff.patch(&old, &delta) == new, "{chosen:?}, {len} bytes");
            assert_eq!(next.params(), signature.params());
        }
    }
}

/// rdiff knows no length that frazil does not, and refuses those that frazil refuses.
#[test]
fn sums_that_are_too_long_are_refused_on_both_sides() {
    let rdiff = Rdiff::new();
    for (strong, name, max) in [(StrongKind::Md4, "md4", 16), (StrongKind::Blake2, "blake2", 32)] {
        for (strong_len, accepted) in [(1, true), (max, true), (max + 1, false)] {
            let options = ["-b", "100", "-H", name, "-S", &strong_len.to_string()];
            let theirs = rdiff.signature_with(&options, b"content");
            let ours = SignatureParams::new(WeakKind::RabinKarp, strong, 100, strong_len);
            if accepted {
                assert_eq!(theirs.unwrap()[8..12], ours.unwrap().strong_len().to_be_bytes());
            } else {
                // librsync's RS_PARAM_ERROR.
                assert_eq!(theirs.unwrap_err().0, Some(108), "{name} {strong_len}");
                let error = ours.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::InvalidInput);
                let expected = format!("strong sum length is out of range: expected 1 to {max}, found {strong_len}");
                assert_eq!(error.to_string(), expected);
            }
        }
    }
}
