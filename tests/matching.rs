//! What a level finds of its basis, counted in bytes and commands.

#[path = "support/made.rs"]
mod made;
#[path = "support/random.rs"]
mod random;

use std::io::{self, Read, Write};

use frazil::{
    Engine, ErrorKind, Format, LevelOptions, LevelReader, LevelWriter, Matching, Signature, SignatureParams, StreamId,
    StrongKind, WeakKind,
};
use made::{blocks_of, level, patched, sign, signature_of};
use random::{Content, Random, seed};

/// The sums of the basis, not those of the new signature, are what is matched.
#[test]
fn unchanged_content_is_all_copied_whatever_the_sums_of_the_new_signature() {
    let content = Random::new(seed(450)).content(Content::Random, 1_000_001);
    let all = [
        (WeakKind::RabinKarp, StrongKind::Blake2, 4096, 32),
        (WeakKind::RabinKarp, StrongKind::Blake2, 4096, 8),
        (WeakKind::Rollsum, StrongKind::Blake2, 4096, 32),
        (WeakKind::RabinKarp, StrongKind::Md4, 4096, 16),
        (WeakKind::RabinKarp, StrongKind::Blake2, 777, 32),
        (WeakKind::Rollsum, StrongKind::Md4, 65_536, 12),
    ];
    let params = all.map(|(weak, strong, block_len, len)| SignatureParams::new(weak, strong, block_len, len).unwrap());
    for old in params {
        let basis = sign(&content, old);
        for new in params {
            for matching in [Matching::Auto, Matching::Aligned, Matching::Rolling] {
                if matching == Matching::Aligned && old.block_len() != new.block_len() {
                    continue;
                }
                let options = LevelOptions::new().params(new).format(Format::Rdiff).matching(matching);
                let (_, summary) = level(&basis, &content, options);
                let found = (summary.stats.copy_bytes, summary.stats.copy_commands);
                assert_eq!(found, (1_000_001, 1), "{old:?} to {new:?}, {matching:?}");
                assert!(*signature_of(&summary) == sign(&content, new), "{old:?} to {new:?}, {matching:?}");
            }
        }
    }
}

#[test]
fn the_new_signature_has_the_sums_of_the_basis_unless_those_are_too_weak_for_a_sealed_level() {
    let full = |weak| SignatureParams::new(weak, StrongKind::Blake2, 1000, 32).unwrap();
    let cut = SignatureParams::new(WeakKind::Rollsum, StrongKind::Blake2, 1000, 8).unwrap();
    let forgeable = SignatureParams::new(WeakKind::Rollsum, StrongKind::Md4, 1000, 16).unwrap();
    for (basis, format, expected) in [
        (full(WeakKind::Rollsum), Format::Sealed, full(WeakKind::Rollsum)),
        (full(WeakKind::RabinKarp), Format::Sealed, full(WeakKind::RabinKarp)),
        (cut, Format::Sealed, full(WeakKind::RabinKarp)),
        (forgeable, Format::Sealed, full(WeakKind::RabinKarp)),
        (cut, Format::Rdiff, cut),
        (forgeable, Format::Rdiff, forgeable),
    ] {
        let options = LevelOptions::new().format(format).allow_weak(true);
        let (_, summary) = level(&sign(b"old", basis), b"new", options);
        assert_eq!(*signature_of(&summary).params(), expected, "{basis:?}, {format:?}");
    }
}

#[test]
fn librsync_matches_nothing_without_memory_for_its_index() {
    let basis = sign(&Random::new(seed(451)).content(Content::Random, 1 << 20), blocks_of(64));
    let options = LevelOptions::new().params(blocks_of(64)).memory_limit(7 << 20).threads(2);
    let Err(error) = LevelReader::new(io::empty(), &basis, options.clone().engine(Engine::Librsync)) else {
        panic!("7 MiB cannot do");
    };
    assert_eq!(error.kind(), ErrorKind::Limit, "{error}");
    // frazil's own is smaller.
    LevelReader::new(io::empty(), &basis, options).unwrap();
}

#[test]
fn blocks_of_two_lengths_cannot_be_aligned() {
    let basis = sign(b"content", blocks_of(4096));
    let options = LevelOptions::new().params(blocks_of(1000)).matching(Matching::Aligned);
    let error = LevelReader::new(&b"content"[..], &basis, options).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert_eq!(
        error.to_string(),
        "starting a level: an aligned match needs the new signature's blocks to be as long as the basis's"
    );
}

/// The delta is exactly as long as what changed, in blocks.
#[test]
fn one_percent_edited_in_place_is_one_percent_of_literals() {
    const BLOCK_LEN: usize = 4096;
    let mut random = Random::new(seed(800));
    let old = random.content(Content::Random, 2000 * BLOCK_LEN);
    let mut new = old.clone();
    for block in (50..2000).step_by(100) {
        new[block * BLOCK_LEN + random.below(BLOCK_LEN)] ^= 1;
    }
    let signature = sign(&old, blocks_of(BLOCK_LEN as u32));
    for matching in [Matching::Auto, Matching::Aligned, Matching::Rolling] {
        let (delta, summary) = level(&signature, &new, LevelOptions::new().matching(matching));
        let stats = summary.stats;
        assert_eq!(stats.literal_bytes, 20 * BLOCK_LEN as u64, "{matching:?}");
        assert_eq!(stats.copy_commands, 21, "{matching:?}");
        assert!((delta.len() as u64) < stats.literal_bytes + 1000, "{matching:?}: {} bytes", delta.len());
        assert!(patched(&old, &delta) == new);
    }
}

#[test]
fn a_byte_at_the_front_shifts_all_and_costs_a_byte() {
    let old = Random::new(seed(900)).content(Content::Random, 3_000_000);
    let signature = sign(&old, blocks_of(4096));
    let mut new = old.clone();
    new.insert(0, 77);
    for options in [
        LevelOptions::new(),
        LevelOptions::new().matching(Matching::Rolling),
        LevelOptions::new().engine(Engine::Librsync),
    ] {
        let (delta, summary) = level(&signature, &new, options);
        assert_eq!((summary.stats.literal_bytes, summary.stats.copy_commands), (1, 1));
        assert!(delta.len() < 400, "{} bytes", delta.len());
        assert!(patched(&old, &delta) == new);
    }
    let (_, aligned) = level(&signature, &new, LevelOptions::new().matching(Matching::Aligned));
    assert_eq!(aligned.stats.copy_bytes, 0);
}

#[test]
fn shifts_that_last_and_shifts_that_follow_each_other_are_found_in_long_content() {
    let old = Random::new(seed(905)).content(Content::Random, 23 << 20);
    let signature = sign(&old, SignatureParams::default());
    // Bytes put in at places of every sort: early, next to each other, across what is read at once, late.
    let places = [1, 300_000, 4 << 20, (4 << 20) + 65536, 9_000_001, 9_100_000, (21 << 20) - 1];
    let mut new = Vec::new();
    let mut from = 0;
    for (count, &place) in places.iter().enumerate() {
        new.extend_from_slice(&old[from..place]);
        new.extend_from_slice(&vec![count as u8; count % 3 + 1]);
        from = place;
    }
    new.extend_from_slice(&old[from..]);
    let mut streams = Vec::new();
    for threads in [1, 2, 5] {
        let options = || LevelOptions::new().threads(threads).format(Format::Rdiff);
        let mut pulled = Vec::new();
        LevelReader::new(Dribble(&new), &signature, options()).unwrap().read_to_end(&mut pulled).unwrap();
        let mut writer = LevelWriter::new(Vec::new(), &signature, options()).unwrap();
        writer.write_all(&new).unwrap();
        let (pushed, summary) = writer.finish().unwrap();
        assert!(pulled == pushed, "{threads} threads");
        // Of the block around each place, and of what is in front of the first.
        assert!(summary.stats.literal_bytes <= (places.len() as u64 + 1) * 65536, "{:?}", summary.stats);
        streams.push(pushed);
    }
    assert!(streams.windows(2).all(|pair| pair[0] == pair[1]));
    assert!(patched(&old, &streams[0]) == new);
}

#[test]
fn a_block_that_is_copied_elsewhere_behind_a_shift_is_found_in_both_forms() {
    const BLOCK: usize = 65536;
    let old = Random::new(seed(1200)).content(Content::Random, 130 * BLOCK);
    let new = [&[1; 100], &old[..60 * BLOCK], &old[5 * BLOCK..6 * BLOCK], &old[61 * BLOCK..]].concat();
    let signature = sign(&old, SignatureParams::default());
    let mut pulled = Vec::new();
    LevelReader::new(&new[..], &signature, LevelOptions::new().format(Format::Rdiff))
        .unwrap()
        .read_to_end(&mut pulled)
        .unwrap();
    let mut writer = LevelWriter::new(Vec::new(), &signature, LevelOptions::new().format(Format::Rdiff)).unwrap();
    writer.write_all(&new).unwrap();
    let (pushed, summary) = writer.finish().unwrap();
    assert!(pulled == pushed);
    assert_eq!(summary.stats.literal_bytes, 100);
    assert!(patched(&old, &pulled) == new);
}

/// Reads in pieces that fit nothing.
struct Dribble<'a>(&'a [u8]);

impl Read for Dribble<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let len = self.0.len().min(buffer.len()).min(77_777);
        buffer[..len].copy_from_slice(&self.0[..len]);
        self.0 = &self.0[len..];
        Ok(len)
    }
}

/// The content that does not make a whole window must be matched like the rest.
#[test]
fn matches_are_found_wherever_the_content_ends() {
    const BLOCK_LEN: usize = 1000;
    let mut random = Random::new(seed(1000));
    // Around the 2 MiB that are gathered at once, and around whole blocks there.
    let gathered = (2_usize << 20).next_multiple_of(BLOCK_LEN);
    for base in [gathered, gathered + BLOCK_LEN, gathered + 2 * BLOCK_LEN, 2 * gathered + 2 * BLOCK_LEN] {
        let long = random.content(Content::Random, base + 3 * BLOCK_LEN);
        for len in [base - 1, base, base + 1, base + BLOCK_LEN - 1, base + BLOCK_LEN, base + BLOCK_LEN + 1] {
            let old = &long[..len];
            let signature = sign(old, blocks_of(BLOCK_LEN as u32));
            let raw = signature.write_to(Vec::new(), Format::Rdiff).unwrap();
            let raw = Signature::read_from(&raw[..]).unwrap();
            let mut changed = old.to_vec();
            changed[len - 2 * BLOCK_LEN] ^= 1;
            for shift in [0, 1, 7, BLOCK_LEN - 1] {
                let new = [&long[long.len() - shift..], old].concat();
                for basis in [&signature, &raw] {
                    for matching in [Matching::Auto, Matching::Rolling] {
                        let options = || LevelOptions::new().matching(matching).threads(1);
                        let (delta, summary) = level(basis, &new, options());
                        let name = format!("{len} bytes, shifted by {shift}, {matching:?}");
                        assert_eq!(summary.stats.literal_bytes, shift as u64, "{name}");
                        assert!(patched(old, &delta) == new, "{name}");
                    }
                }
            }
            let stats = level(&signature, &changed, LevelOptions::new().threads(1)).1.stats;
            assert!(stats.literal_bytes <= 2 * BLOCK_LEN as u64, "{len} bytes: {stats:?}");
        }
    }
}

#[test]
fn less_than_two_blocks_at_the_end_are_scanned_too() {
    const BLOCK_LEN: usize = 1000;
    let old = Random::new(seed(1100)).content(Content::Random, 3 * BLOCK_LEN);
    let signature = sign(&old, blocks_of(BLOCK_LEN as u32));
    for inserted in [1, 10, BLOCK_LEN - 1] {
        // The third block is gone: what is expected fails, and nothing more can be tried in its place.
        let new = [&old[..BLOCK_LEN], &vec![7; inserted], &old[BLOCK_LEN..2 * BLOCK_LEN]].concat();
        for matching in [Matching::Auto, Matching::Rolling] {
            let (delta, summary) = level(&signature, &new, LevelOptions::new().matching(matching));
            assert_eq!(summary.stats.literal_bytes, inserted as u64, "{matching:?}");
            assert!(patched(&old, &delta) == new, "{matching:?}");
        }
    }
}

/// librsync knows only the first of several equal blocks, and breaks the copy off at each of the others.
#[test]
fn of_equal_blocks_the_one_that_carries_on_the_copy_is_taken() {
    const BLOCK_LEN: usize = 1000;
    let mut random = Random::new(seed(1200));
    let equal = random.content(Content::Random, BLOCK_LEN);
    let old: Vec<u8> = (0..60)
        .flat_map(|block| if block % 3 == 0 { random.content(Content::Random, BLOCK_LEN) } else { equal.clone() })
        .collect();
    let signature = sign(&old, blocks_of(BLOCK_LEN as u32));
    for inserted in [0, 1, 500] {
        let new = [&vec![7; inserted], &old[..]].concat();
        for matching in [Matching::Auto, Matching::Rolling] {
            let stats = level(&signature, &new, LevelOptions::new().matching(matching)).1.stats;
            let found = (stats.literal_bytes, stats.copy_commands);
            assert_eq!(found, (inserted as u64, 1), "{matching:?}, {inserted} bytes inserted");
        }
    }
}

/// The index is spread by lot; nobody may see that in the stream.
#[test]
fn two_runs_find_the_same() {
    const BLOCK_LEN: usize = 4096;
    let mut random = Random::new(seed(1300));
    let old = random.content(Content::Random, 600 * BLOCK_LEN);
    let signature = sign(&old, blocks_of(BLOCK_LEN as u32));
    // Content to scan, and every third block of zeros, of which the basis has none.
    let mut new = random.content(Content::Random, 1800 * BLOCK_LEN);
    new.chunks_mut(BLOCK_LEN).step_by(3).for_each(|block| block.fill(0));
    let options = || LevelOptions::new().stream_id(StreamId([1; 16])).threads(1);
    let (first, summary) = level(&signature, &new, options());
    // And a zero byte or two beside them, as chance will have it.
    assert!((600 * BLOCK_LEN as u64..601 * BLOCK_LEN as u64).contains(&summary.stats.zero_bytes));
    for _ in 0..10 {
        assert!(level(&signature, &new, options()).0 == first);
    }
}

#[test]
fn zeros_take_no_room_whatever_the_block_length() {
    let mut random = Random::new(seed(1400));
    let old = random.content(Content::Random, 300_000);
    for block_len in [100, 1024, 4095, 4096, 65_536] {
        let signature = sign(&old, blocks_of(block_len));
        let new = [&random.content(Content::Random, 10_001), &vec![0; 4_000_000], &old[..]].concat();
        for matching in [Matching::Auto, Matching::Rolling] {
            let (delta, summary) = level(&signature, &new, LevelOptions::new().matching(matching));
            // The ends of the run may stand in a piece with other content.
            let most = 10_001 + 2 * 65_536 + 2 * block_len as usize;
            assert!(delta.len() < most + 2000, "{} bytes, blocks of {block_len}: {:?}", delta.len(), summary.stats);
            assert!(patched(&old, &delta) == new, "blocks of {block_len}, {matching:?}");
        }
        // Where a block is too short for a run, it is copied like any other.
        let old = [&vec![0; block_len as usize], &old[..]].concat();
        let new = [&old[block_len as usize..], &vec![0; block_len as usize]].concat();
        let aligned_new = &new[..new.len() / block_len as usize * block_len as usize];
        let signature = sign(&old, blocks_of(block_len));
        let (delta, summary) = level(&signature, aligned_new, LevelOptions::new());
        assert!(summary.stats.literal_bytes < u64::from(block_len), "blocks of {block_len}: {:?}", summary.stats);
        assert!(patched(&old, &delta) == aligned_new, "blocks of {block_len}");
    }
}
