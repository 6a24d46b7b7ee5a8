//! What a level must find of its basis, whatever the size of the basis and wherever the content went.

use std::io::{self, Read};

use frazil::{
    BlockSum, Format, LevelOptions, LevelReader, LevelStats, Matching, PatchOptions, PatchReader, Signature,
    SignatureParams, SignatureWriter,
};

const BLOCK_LEN: usize = 4096;

fn random(len: usize, seed: u64) -> Vec<u8> {
    let mut state = seed;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    (0..len).map(|_| next()).collect()
}

fn params() -> SignatureParams {
    SignatureParams::with_block_len(BLOCK_LEN as u32).unwrap()
}

fn sign(content: &[u8]) -> Signature {
    LevelReader::new(content, None, LevelOptions::new().params(params())).and_then(LevelReader::finish).unwrap()
}

/// Makes the level, restores it, and says what it consists of.
fn restored(old: &[u8], new: &[u8], matching: Matching) -> LevelStats {
    let mut level = LevelReader::new(new, &sign(old), LevelOptions::new().matching(matching)).unwrap();
    let mut delta = Vec::new();
    level.read_to_end(&mut delta).unwrap();
    let stats = level.finish_summary().unwrap().stats;
    let mut target = Vec::new();
    PatchReader::new(&delta[..], old, PatchOptions::new()).unwrap().read_to_end(&mut target).unwrap();
    assert!(target == new);
    stats
}

/// The plain signature of the content, followed by as many blocks of random sums as make it seem `length` long.
fn padded(content: &[u8], length: u64) -> Signature {
    let signature = sign(content);
    let mut plain = signature.write_to(Vec::new(), Format::Rdiff).unwrap();
    let mut state = 5_u64;
    for _ in signature.block_count() as u64..length / BLOCK_LEN as u64 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        plain.extend(((state >> 32) as u32).to_be_bytes());
        plain.extend([state as u8; 32]);
    }
    Signature::read_from(&plain[..]).unwrap()
}

#[test]
fn edits_and_shifts_are_found_again_against_a_basis_of_256_gib() {
    // 2^22 blocks, as 256 GiB make in blocks of 64 KiB: chance meets one of their weak sums every thousand bytes.
    let old = random(4 << 20, 1);
    let signature = padded(&old, 16 << 30);
    let mut edited = old.clone();
    edited.chunks_mut(2 * BLOCK_LEN).step_by(16).for_each(|blocks| blocks[9] ^= 1);
    edited.chunks_mut(2 * BLOCK_LEN).step_by(16).for_each(|blocks| blocks[BLOCK_LEN + 9] ^= 1);
    let shifted = [&b"shift"[..], &old].concat();
    for (new, literal_max) in [(&edited, 64 * 2 * BLOCK_LEN), (&shifted, 2 * BLOCK_LEN)] {
        let options = LevelOptions::new().format(Format::Rdiff).memory_limit(4 << 30);
        let mut level = LevelReader::new(&new[..], &signature, options).unwrap();
        io::copy(&mut level, &mut io::sink()).unwrap();
        let literal = level.stats().literal_bytes;
        assert!(literal <= literal_max as u64, "{literal} bytes of literals, {literal_max} at most");
    }
}

#[test]
fn what_was_appended_to_a_file_is_all_that_a_level_sends() {
    let old = random(10 * BLOCK_LEN + 3000, 2);
    for appended in [1, 13, 3000, 100_000] {
        let new = [&old[..], &random(appended, 3)].concat();
        for matching in [Matching::Auto, Matching::Rolling] {
            let stats = restored(&old, &new, matching);
            assert_eq!(stats.literal_bytes, appended as u64, "{matching:?}");
        }
    }
}

#[test]
fn a_block_that_took_the_place_of_another_is_copied_not_sent() {
    let old = random(200 * BLOCK_LEN, 4);
    let mut new = old.clone();
    for block in (10..180).step_by(20) {
        new.copy_within(block * BLOCK_LEN..(block + 1) * BLOCK_LEN, (block + 10) * BLOCK_LEN);
    }
    assert_eq!(restored(&old, &new, Matching::Auto).literal_bytes, 0);
}

#[test]
fn zeros_that_were_added_are_one_run_even_where_the_basis_has_some() {
    let mut old = random(100 * BLOCK_LEN, 5);
    old[50 * BLOCK_LEN..51 * BLOCK_LEN].fill(0);
    let new = [&old[..], &vec![0; 1000 * BLOCK_LEN]].concat();
    let stats = restored(&old, &new, Matching::Auto);
    assert_eq!((stats.copy_commands, stats.zero_bytes, stats.literal_bytes), (1, 1000 * BLOCK_LEN as u64, 0));
    assert!(stats.stream_bytes < 500, "{} bytes", stats.stream_bytes);
}

#[test]
fn a_signature_that_answers_every_byte_does_not_make_a_level_slower_without_bound() {
    // Sums of windows of zeros, under strong sums that nothing has: each byte of zeros is a candidate.
    let zeros = vec![0; 16 << 20];
    let weak = sign(&zeros[..BLOCK_LEN]).block(0).unwrap().weak;
    let mut writer = SignatureWriter::new(Vec::new(), params(), Format::Rdiff).unwrap();
    for block in 0..20_000_u32 {
        let mut strong = [0; 32];
        strong[..4].copy_from_slice(&block.to_be_bytes());
        writer.push(&BlockSum { weak, strong }).unwrap();
    }
    let identity = *sign(&vec![0; 20_000 * BLOCK_LEN]).identity().unwrap();
    let hostile = Signature::read_from(&writer.finish(&identity).unwrap()[..]).unwrap();
    // A product of both lengths would be years of hashing; this ends, and sends the zeros as they are.
    let options = LevelOptions::new().format(Format::Rdiff);
    let mut level = LevelReader::new(&zeros[..], &hostile, options).unwrap();
    io::copy(&mut level, &mut io::sink()).unwrap();
    assert_eq!(level.stats().literal_bytes, zeros.len() as u64);
}
