//! Rolling levels against a signature whose sums stay in its file.

#[path = "support/made.rs"]
mod made;
#[path = "support/random.rs"]
mod random;
#[path = "support/sealed.rs"]
#[allow(dead_code, reason = "signatures alone are taken apart and put together")]
mod sealed;

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use frazil::{
    Error, ErrorKind, Format, LevelOptions, LevelReader, Matching, Signature, SignatureFile, SignatureParams, StreamId,
    StrongKind, WeakKind,
};
use made::{blocks_of, level, patched, sign};
use random::{Content, Edit, Random, seed};
use sealed::{SIGNATURE, Says, Sealing, TAG_TARGET_BLOCK_LEN};
use tempfile::TempDir;

/// Bytes of a block, of which a signature has many.
const BLOCK_LEN: usize = 100;

/// Sums of 256 blocks have one checksum.
const CHUNK_LEN: usize = 256 * 36;

/// The level against the signature in memory, which that against the one in its file must be.
#[track_caller]
fn same_from_both(path: &Path, new: &[u8], options: impl Fn() -> LevelOptions, what: &str) -> Vec<u8> {
    let held = Signature::load(path).unwrap();
    let file = SignatureFile::open(path).unwrap();
    let mut made = Vec::new();
    for matching in [Matching::Auto, Matching::Rolling] {
        for threads in [1, 3] {
            let options = || options().matching(matching).threads(threads).stream_id(StreamId([3; 16]));
            let (from_held, from_file) = (level(&held, new, options()), level(&file, new, options()));
            assert!(from_file.0 == from_held.0, "{what}, {matching:?}, {threads} threads");
            assert_eq!((from_file.1.stats, from_file.1.matching), (from_held.1.stats, matching), "{what}");
            made = from_file.0;
        }
    }
    made
}

/// Blocks in another order, by runs of some and one by one.
fn shuffled(random: &mut Random, old: &[u8]) -> Vec<u8> {
    let mut new = Vec::new();
    while new.len() < old.len() / 2 {
        let start = random.below(old.len() + 1);
        let len = random.pick(&[BLOCK_LEN, 3 * BLOCK_LEN, 700 * BLOCK_LEN, 77]);
        new.extend_from_slice(&old[start..old.len().min(start + len)]);
    }
    new
}

#[test]
fn content_that_was_edited_and_moved_about_is_found_as_from_memory() {
    let dir = tempfile::tempdir().unwrap();
    let mut random = Random::new(seed(3100));
    for kind in Content::ALL {
        let old = random.content(kind, 400_000);
        let mut edited = old.clone();
        for _ in 0..3 {
            random.pick(&Edit::ALL).apply(&mut random, kind, &mut edited);
        }
        edited.truncate(800_000);
        for new in [edited, shuffled(&mut random, &old)] {
            for format in [Format::Sealed, Format::Rdiff] {
                let path = dir.path().join("signature");
                sign(&old, blocks_of(BLOCK_LEN as u32)).save(&path, format).unwrap();
                let delta = same_from_both(&path, &new, LevelOptions::new, &format!("{kind:?}, {format:?}"));
                assert!(patched(&old, &delta) == new, "{kind:?}, {format:?}");
                fs::remove_file(&path).unwrap();
            }
        }
    }
}

#[test]
fn sums_of_every_kind_and_length_are_read_back() {
    let dir = tempfile::tempdir().unwrap();
    let mut random = Random::new(seed(3200));
    let old = random.content(Content::Random, 300_001);
    let new = shuffled(&mut random, &old);
    for (weak, strong, block_len, strong_len) in [
        (WeakKind::RabinKarp, StrongKind::Blake2, 16, 32),
        (WeakKind::RabinKarp, StrongKind::Blake2, 100, 7),
        (WeakKind::Rollsum, StrongKind::Blake2, 1000, 32),
        (WeakKind::Rollsum, StrongKind::Md4, 777, 16),
        (WeakKind::RabinKarp, StrongKind::Md4, 40, 5),
    ] {
        let params = SignatureParams::new(weak, strong, block_len, strong_len).unwrap();
        let path = dir.path().join(format!("{block_len}"));
        sign(&old, params).save(&path, Format::Rdiff).unwrap();
        let delta = same_from_both(&path, &new, || LevelOptions::new().format(Format::Rdiff), &format!("{params:?}"));
        assert!(patched(&old, &delta) == new, "{params:?}");
    }
}

/// A plain signature of these sums over blocks of `BLOCK_LEN`.
fn crafted(dir: &TempDir, sums: impl IntoIterator<Item = (u32, [u8; 32])>) -> PathBuf {
    let mut bytes = sign(&[], blocks_of(BLOCK_LEN as u32)).write_to(Vec::new(), Format::Rdiff).unwrap();
    for (weak, strong) in sums {
        bytes.extend(weak.to_be_bytes());
        bytes.extend(strong);
    }
    let path = dir.path().join("crafted");
    fs::write(&path, bytes).unwrap();
    path
}

#[test]
fn equal_sums_by_the_thousand_are_neither_slow_nor_in_the_way_of_others() {
    let dir = tempfile::tempdir().unwrap();
    let mut random = Random::new(seed(3300));
    let old = random.content(Content::Random, 400 * BLOCK_LEN);
    let truth: Vec<_> = sign(&old, blocks_of(BLOCK_LEN as u32)).blocks().map(|sum| (sum.weak, sum.strong)).collect();
    let mut forged = |weak: u32| {
        let mut strong = [0; 32];
        strong.iter_mut().for_each(|byte| *byte = random.next() as u8);
        (weak, strong)
    };
    // Of ten weak sums thousands of strong ones, with the true one early or too late to be kept; then all of one
    // block; then of each block the true one behind two others.
    let chains: Vec<_> = (0..10_usize)
        .flat_map(|block| {
            let mut chain: Vec<_> = (0..4000).map(|_| forged(truth[block].0)).collect();
            chain.insert(if block < 5 { 20 } else { 2000 }, truth[block]);
            chain
        })
        .collect();
    let equal = std::iter::repeat_n(truth[11], 100_000);
    let behind = truth[12..].iter().flat_map(|&sum| [forged(sum.0), forged(sum.0), sum]).collect::<Vec<_>>();
    let sums = chains.into_iter().chain(equal).chain(behind);
    let path = crafted(&dir, sums);
    let mut new = vec![1];
    for block in old.chunks(BLOCK_LEN).rev() {
        new.extend_from_slice(block);
        new.extend_from_slice(&[2; 3 * BLOCK_LEN]);
    }
    let options = || LevelOptions::new().format(Format::Rdiff);
    same_from_both(&path, &new, options, "crafted");
    let (_, summary) = level(&SignatureFile::open(&path).unwrap(), &new, options());
    let found = summary.stats.copy_bytes / BLOCK_LEN as u64;
    assert!((350..=394).contains(&found), "{found} blocks");
}

/// A sealed signature of some thousand blocks in a file, its content, and that content with its first half last.
fn example() -> (TempDir, PathBuf, Vec<u8>) {
    let dir = tempfile::tempdir().unwrap();
    let old = Random::new(seed(3400)).content(Content::Random, 5000 * BLOCK_LEN);
    let path = dir.path().join("signature");
    sign(&old, blocks_of(BLOCK_LEN as u32)).save(&path, Format::Sealed).unwrap();
    let new = [&old[old.len() / 2..], b"between", &old[..old.len() / 2]].concat();
    (dir, path, new)
}

/// What comes of a level that was begun before `change` was done to the signature.
fn after(path: &Path, new: &[u8], change: impl FnOnce(&File)) -> (ErrorKind, String) {
    let basis = SignatureFile::open(path).unwrap();
    let mut level = LevelReader::new(new, &basis, LevelOptions::new()).unwrap();
    change(&File::options().write(true).open(path).unwrap());
    let error = io::copy(&mut level, &mut io::sink()).unwrap_err();
    let error = frazil::Error::from(error);
    assert!(level.finish().is_err(), "no level comes of it");
    (error.kind(), error.to_string())
}

#[test]
fn sums_that_change_after_they_were_verified_are_found_out() {
    let (_dir, path, new) = example();
    let stream = fs::read(&path).unwrap();
    let frames = sealed::parts(&stream);
    // The content of the second half comes first: where the sums of block 2560 begin, in which frame, and the
    // checksum of the chunk.
    let payload: Vec<u8> =
        frames[1..frames.len() - 1].iter().flat_map(|part| &stream[part.start + 22..part.end - 4]).copied().collect();
    let chunk_of = |chunk: usize| &payload[12 + chunk * CHUNK_LEN..payload.len().min(12 + (chunk + 1) * CHUNK_LEN)];
    let offset_of = |chunk: usize| {
        let record = chunk_of(chunk)[..36].to_vec();
        stream.windows(36).position(|window| window == record).expect("a record that no frame cuts")
    };
    let chunk = 2500 / 256;
    let (expected, at) = (crc32fast::hash(chunk_of(chunk)), offset_of(chunk));
    let mut changed = chunk_of(chunk).to_vec();
    changed[200] ^= 4;
    let found = crc32fast::hash(&changed);
    assert_eq!(
        after(&path, &new, |file| file.write_all_at(&[changed[200]], at as u64 + 200).unwrap()),
        (
            ErrorKind::Corrupt,
            format!(
                "reading a signature {} at offset {at}: signature is not what it was when it was opened: \
                 expected {expected:08x}, found {found:08x}",
                path.display()
            )
        )
    );
}

#[test]
fn a_signature_that_is_cut_or_loses_its_frames_after_it_was_verified_is_found_out() {
    let (_dir, path, new) = example();
    let stream = fs::read(&path).unwrap();
    let frames = sealed::parts(&stream);
    let said = format!("reading a signature {} at offset ", path.display());
    type Change<'a> = &'a dyn Fn(&File);
    let table: [(&str, Change<'_>); 4] = [
        ("cut", &|file| file.set_len(stream.len() as u64 / 2).unwrap()),
        ("emptied", &|file| file.set_len(0).unwrap()),
        ("lengths of 0", &|file| {
            frames[1..].iter().for_each(|part| file.write_all_at(&[0; 4], part.start as u64 + 2).unwrap());
        }),
        ("lengths beyond all", &|file| {
            frames[1..].iter().for_each(|part| file.write_all_at(&[0xff; 4], part.start as u64 + 2).unwrap());
        }),
    ];
    for (what, change) in table {
        let (kind, message) = after(&path, &new, change);
        assert_eq!(kind, ErrorKind::Corrupt, "{what}: {message}");
        assert!(message.starts_with(&said), "{what}: {message}");
        assert!(message.contains(": signature is not what it was when it was opened"), "{what}: {message}");
        fs::write(&path, &stream).unwrap();
    }
}

#[test]
fn another_signature_written_over_one_that_was_opened_is_refused() {
    let (_dir, path, new) = example();
    let other = sign(&new[..5000 * BLOCK_LEN], blocks_of(BLOCK_LEN as u32));
    for matching in [Matching::Auto, Matching::Rolling, Matching::Aligned] {
        let basis = SignatureFile::open(&path).unwrap();
        File::create(&path).unwrap().write_all(&other.write_to(Vec::new(), Format::Sealed).unwrap()).unwrap();
        let error = LevelReader::new(&new[..], &basis, LevelOptions::new().matching(matching)).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Corrupt);
        assert_eq!(
            error.to_string(),
            format!("starting a level {}: signature is not what it was when it was opened", path.display())
        );
    }
}

#[test]
fn sums_of_other_content_written_over_a_plain_signature_are_found_out() {
    let (_dir, path, new) = example();
    let opened = SignatureFile::open(&path).unwrap();
    let len = opened.identity().unwrap().length() as usize;
    let plain =
        |content: &[u8]| sign(content, blocks_of(BLOCK_LEN as u32)).write_to(Vec::new(), Format::Rdiff).unwrap();
    let (own, other) = (plain(&new[..len]), plain(&new[new.len() - len..]));
    assert!(own.len() == other.len() && own != other);
    for matching in [Matching::Auto, Matching::Rolling, Matching::Aligned] {
        fs::write(&path, &own).unwrap();
        let basis = SignatureFile::open(&path).unwrap();
        File::options().write(true).open(&path).unwrap().write_all(&other).unwrap();
        // However much of the content there is, and however many of the sums it needs.
        for content in [&new[..], &new[..BLOCK_LEN]] {
            let options = LevelOptions::new().format(Format::Rdiff).matching(matching);
            let error = LevelReader::new(content, &basis, options)
                .and_then(|mut level| level.read_to_end(&mut Vec::new()).map_err(Error::from))
                .unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corrupt, "{matching:?}: {error}");
            let what = "signature is not what it was when it was opened: expected ";
            assert!(error.to_string().contains(what), "{matching:?}: {error}");
        }
    }
}

#[test]
fn frames_of_any_length_are_read_back() {
    let dir = tempfile::tempdir().unwrap();
    let mut random = Random::new(seed(3500));
    // The sums of blocks of 64 KiB alone are what the fingerprint is made of: there the content can be long.
    let old = random.content(Content::Random, 20 * 65536);
    let held = sign(&old, SignatureParams::default());
    let plain = held.write_to(Vec::new(), Format::Rdiff).unwrap();
    let new = [&old[10 * 65536..], b"between", &old[..10 * 65536]].concat();
    for frame_len in [1, 7, 36, 100, 5000] {
        let block_len = 65536_u32.to_be_bytes();
        let mut stream = Sealing::new(SIGNATURE, &[(TAG_TARGET_BLOCK_LEN, &block_len)]);
        let mut output = 0;
        for payload in plain.chunks(frame_len) {
            output += payload.len() as u64;
            stream = stream.data(payload, output);
        }
        let path = dir.path().join(format!("{frame_len}"));
        fs::write(&path, stream.end(&Says::truth(&old))).unwrap();
        let delta = same_from_both(&path, &new, LevelOptions::new, &format!("frames of {frame_len}"));
        assert!(patched(&old, &delta) == new, "frames of {frame_len}");
        assert!(delta.len() < 1000, "frames of {frame_len}: {} bytes", delta.len());
    }
}

#[test]
fn an_index_that_does_not_fit_leaves_aligned_blocks_and_a_rolling_level_is_refused() {
    let (_dir, path, new) = example();
    let basis = SignatureFile::open(&path).unwrap();
    let options = |matching, limit| LevelOptions::new().matching(matching).memory_limit(limit).hold_signature(false);
    let rolls = |limit| LevelReader::new(&new[..], &basis, options(Matching::Rolling, limit));
    let (mut needed, mut refused) = (64 << 20, 1 << 20);
    while needed - refused > 1 {
        let limit = refused + (needed - refused) / 2;
        *(if rolls(limit).is_ok() { &mut needed } else { &mut refused }) = limit;
    }
    let Err(error) = rolls(refused) else { panic!("{refused} bytes do") };
    assert_eq!(error.kind(), ErrorKind::Limit);
    let said = "starting a level: the level needs more memory than is allowed";
    assert_eq!(error.to_string(), format!("{said}: expected at most {refused} bytes, found {needed}"));
    for (limit, expected) in [(needed, Matching::Auto), (needed - 1, Matching::Aligned)] {
        let (_, summary) = level(&basis, &new, options(Matching::Auto, limit));
        assert_eq!(summary.matching, expected);
    }
}
