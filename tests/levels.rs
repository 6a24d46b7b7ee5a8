//! Levels made one upon the other, and restored one by one or in one pass.

#[path = "support/made.rs"]
mod made;
#[path = "support/random.rs"]
mod random;

use std::io::Read;
use std::os::unix::fs::FileExt;

use frazil::{
    Chain, Engine, Error, ErrorKind, Format, LevelOptions, LevelReader, Matching, NoBasis, PatchOptions, PatchReader,
    Signature, SignatureFile, SignatureParams, StreamId, StrongKind, WeakKind,
};
use made::{blocks_of, level, patched, sign, signature_of};
use random::{Content, Edit, Random, seed};

const LEVELS: usize = 10;

fn chained(deltas: &[Vec<u8>], options: PatchOptions) -> Vec<u8> {
    let mut chain = Chain::new(NoBasis, deltas.iter().collect(), options).unwrap();
    let length = chain.length();
    let mut out = Vec::new();
    chain.read_to_end(&mut out).unwrap();
    assert_eq!(length, out.len() as u64);
    chain.finish().unwrap();
    out
}

/// One to three random edits.
fn edit(random: &mut Random, kind: Content, content: &mut Vec<u8>) {
    for _ in 0..1 + random.below(3) {
        random.pick(&Edit::ALL).apply(random, kind, content);
    }
    content.truncate(600_000);
}

/// Makes levels on levels; whichever of the formats `format` gives for each.
fn check_chain(engine: Engine, block_len: u32, kind: Content, random: &mut Random, format: impl Fn(usize) -> Format) {
    let len = random.below(40 * block_len as usize).min(400_000);
    let mut content = random.content(kind, len);
    let mut restored = Vec::new();
    let mut signature: Option<Signature> = None;
    let mut deltas = Vec::new();
    for number in 0..LEVELS {
        let name = format!("level {number}, {engine:?}, blocks of {block_len}, {kind:?}");
        let options = LevelOptions::new().engine(engine).params(blocks_of(block_len)).format(format(number));
        let (delta, summary) = level(signature.as_ref(), &content, options);
        assert!(*signature_of(&summary) == sign(&content, blocks_of(block_len)), "signature: {name}");
        assert_eq!(signature_of(&summary).identity(), summary.identity.as_ref(), "{name}");
        assert_eq!(summary.identity.unwrap().length(), content.len() as u64, "{name}");
        restored = patched(&restored, &delta);
        assert!(restored == content, "restored level by level: {name}");
        deltas.push(delta);
        assert!(chained(&deltas, PatchOptions::new()) == content, "restored in one pass: {name}");
        signature = summary.signature;
        edit(random, kind, &mut content);
    }
    // In this little memory hardly anything is indexed, and the deltas are parsed again and again.
    assert!(chained(&deltas, PatchOptions::new().index_memory(200)) == restored);
}

#[test]
fn ten_levels_of_random_edits_restore_one_by_one_and_in_one_pass() {
    let mut next_seed = seed(100);
    for engine in [Engine::Native, Engine::Librsync] {
        for block_len in [100, 1024, 4096, 65_536] {
            for kind in Content::ALL {
                let mut random = Random::new(next_seed);
                next_seed += 1;
                check_chain(engine, block_len, kind, &mut random, |_| Format::Sealed);
                check_chain(engine, block_len, kind, &mut random, |_| Format::Rdiff);
                let mixed = |number: usize| if number % 3 == 1 { Format::Rdiff } else { Format::Sealed };
                check_chain(engine, block_len, kind, &mut random, mixed);
            }
        }
    }
}

#[test]
fn the_stream_does_not_depend_on_the_number_of_threads() {
    let mut random = Random::new(seed(200));
    let old = random.content(Content::Random, 7_000_001);
    let mut new = old.clone();
    // Each kind of run: unchanged on the grid and off it, changed in place, and new.
    new.splice(3_000_000..3_000_000, *b"inserted");
    new[1_000_000] ^= 1;
    new.extend(random.content(Content::Text, 900_000));
    for block_len in [4096, 65_536, 500_000] {
        for matching in [Matching::Auto, Matching::Rolling, Matching::Aligned] {
            let options = |threads| {
                let id = StreamId([7; 16]);
                LevelOptions::new().params(blocks_of(block_len)).matching(matching).stream_id(id).threads(threads)
            };
            let signature = signature_of(&level(None, &old, options(1)).1).clone();
            let one = level(&signature, &new, options(1));
            for threads in [2, 5] {
                let more = level(&signature, &new, options(threads));
                assert!(more.0 == one.0, "{threads} threads, blocks of {block_len}, {matching:?}");
                assert!(more.1.signature == one.1.signature, "{threads} threads, blocks of {block_len}, {matching:?}");
            }
            assert!(patched(&old, &one.0) == new);
        }
    }
}

#[test]
fn a_level_0_of_sparse_content_is_as_long_as_its_data() {
    let mut content = vec![0; 20_000_000];
    let data = Random::new(seed(300)).content(Content::Random, 50_000);
    content[9_000_000..9_050_000].copy_from_slice(&data);
    let (stream, summary) = level(None, &content, LevelOptions::new());
    assert!(stream.len() < 200_000, "{} bytes", stream.len());
    assert!(summary.stats.zero_bytes > 19_000_000);
    assert!(patched(&[], &stream) == content);
    assert!(chained(&[stream], PatchOptions::new()) == content);
}

#[test]
fn a_level_is_the_same_whether_the_holes_of_its_source_are_read_or_trusted() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("sparse");
    let mut random = Random::new(seed(301));
    let file = std::fs::File::create(&path).unwrap();
    file.set_len(20_000_001).unwrap();
    for at in [0, 3_000_000, 9_999_999, 15_000_000] {
        file.write_all_at(&random.content(Content::Random, 100_000), at).unwrap();
    }
    let made = |trust: bool, format: Format| {
        let options = LevelOptions::new().stream_id(StreamId([3; 16])).format(format).trust_holes(trust);
        let mut level = LevelReader::open(&path, None, options).unwrap();
        let mut stream = Vec::new();
        level.read_to_end(&mut stream).unwrap();
        (stream, level.finish_summary().unwrap().identity)
    };
    for format in [Format::Sealed, Format::Rdiff] {
        assert!(made(true, format) == made(false, format), "{format:?}");
    }
}

#[test]
fn a_plain_level_that_is_not_identified_is_the_same_and_says_nothing_of_its_content() {
    let mut random = Random::new(seed(302));
    let old = random.content(Content::Random, 3_000_000);
    let mut new = old.clone();
    for _ in 0..5 {
        random.pick(&Edit::ALL).apply(&mut random, Content::Random, &mut new);
    }
    let kinds = [StrongKind::Blake2, StrongKind::Md4]
        .map(|strong| SignatureParams::new(WeakKind::Rollsum, strong, 4096, strong.max_len()).unwrap());
    for (params, engine) in kinds.into_iter().flat_map(|params| [(params, Engine::Native), (params, Engine::Librsync)])
    {
        let made = |basis: Option<&Signature>, content: &[u8], identify: bool| {
            let options = LevelOptions::new().params(params).engine(engine).format(Format::Rdiff).identify(identify);
            level(basis, content, options)
        };
        let (first, of_first) = made(None, &old, false);
        assert_eq!((&first, of_first.identity), (&made(None, &old, true).0, None), "{params:?}, {engine:?}");
        let basis = signature_of(&of_first);
        assert_eq!(basis.identity(), None);
        let (stream, summary) = made(Some(basis), &new, false);
        let (expected, identified) = made(Some(basis), &new, true);
        assert!(stream == expected, "{params:?}, {engine:?}");
        let written = |summary| signature_of(summary).write_to(Vec::new(), Format::Rdiff).unwrap();
        assert!(written(&summary) == written(&identified), "{params:?}, {engine:?}");
        assert_eq!(identified.identity.unwrap().length(), new.len() as u64);
        assert!(patched(&old, &stream) == new);
    }
}

#[test]
fn what_is_sealed_is_identified() {
    let refused = |level: frazil::Result<LevelReader<&[u8]>>| {
        let error = level.err().expect("refused");
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.to_string().contains("a sealed stream identifies its content"), "{error}");
    };
    let options = LevelOptions::new().identify(false);
    refused(LevelReader::new(&b"content"[..], None, options.clone()));
    let plain = LevelReader::new(&b"content"[..], None, options.format(Format::Rdiff)).unwrap();
    refused(plain.signature_to(std::io::sink(), Format::Sealed));
}

#[test]
fn the_block_length_may_change_between_levels() {
    let mut random = Random::new(seed(400));
    for _ in 0..20 {
        let mut content = random.content(Content::Random, 300_000);
        let mut deltas = Vec::new();
        let mut signature: Option<Signature> = None;
        for block_len in [65_536, 1000, 4096, 1, 30_011, 1 << 20, 512] {
            content.truncate(if block_len == 1 { 5000 } else { 300_000 });
            let (delta, summary) =
                level(signature.as_ref(), &content, LevelOptions::new().params(blocks_of(block_len)));
            assert!(*signature_of(&summary) == sign(&content, blocks_of(block_len)), "blocks of {block_len}");
            deltas.push(delta);
            assert!(chained(&deltas, PatchOptions::new()) == content, "blocks of {block_len}");
            signature = summary.signature;
            edit(&mut random, Content::Random, &mut content);
        }
    }
}

#[test]
fn a_plain_signature_is_a_basis_that_nobody_verifies() {
    let mut random = Random::new(seed(500));
    let old = random.content(Content::Random, 200_001);
    let mut new = old.clone();
    edit(&mut random, Content::Random, &mut new);
    let known = sign(&old, blocks_of(4096));
    let raw = Signature::read_from(&known.write_to(Vec::new(), Format::Rdiff).unwrap()[..]).unwrap();
    assert_eq!((raw.identity(), raw.length()), (None, None));

    // The last block is found although its length is not known.
    let (unchanged, summary) = level(&raw, &old, LevelOptions::new());
    assert_eq!((summary.stats.copy_bytes, summary.stats.copy_commands), (200_001, 1));
    assert!(patched(&old, &unchanged) == old);

    let (delta, _) = level(&raw, &new, LevelOptions::new());
    assert!(patched(&old, &delta) == new);
    let error = raw.write_to(Vec::new(), Format::Sealed).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert_eq!(error.to_string(), "writing a signature: a signature without length and fingerprint cannot be sealed");

    // With the known signature a wrong basis is refused; with the raw one only its result is wrong.
    let mut other = old.clone();
    other[5] ^= 1;
    let refused = |delta: &[u8]| {
        let mut patch = PatchReader::new(delta, &other[..], PatchOptions::new()).unwrap();
        Error::from(patch.read_to_end(&mut Vec::new()).unwrap_err()).kind()
    };
    assert_eq!(refused(&unchanged), ErrorKind::Mismatch);
    assert_eq!(refused(&level(&known, &old, LevelOptions::new()).0), ErrorKind::WrongBasis);
}

#[test]
fn sums_that_can_be_forged_must_be_allowed() {
    let content = Random::new(seed(600)).content(Content::Text, 50_000);
    let weak = [(StrongKind::Md4, 16, true), (StrongKind::Blake2, 15, true), (StrongKind::Blake2, 16, false)];
    for (strong, strong_len, forgeable) in weak {
        let basis = sign(&content, SignatureParams::new(WeakKind::RabinKarp, strong, 1024, strong_len).unwrap());
        let refused = LevelReader::new(&content[..], &basis, LevelOptions::new()).err();
        let expected = "starting a level: a sealed level against MD4 or shortened sums must be allowed: \
                        a false match can be crafted";
        assert_eq!(
            refused.map(|error| (error.kind(), error.to_string())),
            forgeable.then(|| (ErrorKind::InvalidInput, expected.to_owned()))
        );
        let (delta, summary) = level(&basis, &content, LevelOptions::new().allow_weak(true));
        assert_eq!(summary.stats.literal_bytes, 0);
        // The new signature is whole all the same, and the stream says what it stands on.
        assert_eq!(*signature_of(&summary).params(), blocks_of(1024));
        let mut patch = PatchReader::new(&delta[..], &content[..], PatchOptions::new()).unwrap();
        patch.read_to_end(&mut Vec::new()).unwrap();
        assert_eq!(patch.finish().unwrap().weak, forgeable);
    }
}

#[test]
fn a_signature_that_is_written_on_the_way_is_the_one_that_is_held_whatever_the_level_stands_on() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("signature");
    let content = Random::new(seed(650)).content(Content::Random, 50_000);
    for (strong, strong_len) in [(StrongKind::Blake2, 32), (StrongKind::Blake2, 8), (StrongKind::Md4, 16)] {
        let basis = sign(&content, SignatureParams::new(WeakKind::RabinKarp, strong, 1024, strong_len).unwrap());
        let id = StreamId([5; 16]);
        let options = || LevelOptions::new().allow_weak(true).stream_id(id);
        let sink = std::fs::File::create(&path).unwrap();
        let level = LevelReader::new(&content[..], &basis, options()).unwrap();
        let mut level = level.signature_to(sink, Format::Sealed).unwrap();
        level.read_to_end(&mut Vec::new()).unwrap();
        level.finish_summary().unwrap();
        let held = self::level(&basis, &content, options()).1.signature.unwrap();
        let expected = held.write_with_stream_id(Vec::new(), Format::Sealed, id).unwrap();
        assert!(std::fs::read(&path).unwrap() == expected, "against {strong:?} of {strong_len} bytes");
    }
}

#[test]
fn a_level_is_the_same_from_a_signature_in_its_file() {
    let dir = tempfile::tempdir().unwrap();
    let mut random = Random::new(seed(700));
    for (turn, len) in [0, 1, 4095, 4096, 4097, 3_000_000, 5_555_555].into_iter().enumerate() {
        let old = random.content(Content::Random, len);
        let mut new = old.clone();
        edit(&mut random, Content::Random, &mut new);
        let held = sign(&old, blocks_of(4096));
        for format in [Format::Sealed, Format::Rdiff] {
            let path = dir.path().join(format!("{turn}-{format:?}"));
            held.save(&path, format).unwrap();
            let held = Signature::load(&path).unwrap();
            let file = SignatureFile::open(&path).unwrap();
            let options = || LevelOptions::new().stream_id(StreamId([3; 16]));
            for matching in [Matching::Aligned, Matching::Auto, Matching::Rolling] {
                let from_held = level(&held, &new, options().matching(matching));
                let from_file = level(&file, &new, options().matching(matching));
                assert!(from_file.0 == from_held.0, "{len} bytes, {format:?}, {matching:?}");
                assert!(from_file.1.signature == from_held.1.signature, "{len} bytes, {format:?}, {matching:?}");
                assert_eq!(from_file.1.matching, matching);
                assert!(patched(&old, &from_file.0) == new, "{len} bytes, {format:?}, {matching:?}");
            }
        }
    }
}
