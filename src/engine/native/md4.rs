//! MD4 of several blocks at once, after RFC 1320: each lane of a vector holds the state of one block.
#![cfg_attr(
    any(target_arch = "x86_64", target_arch = "aarch64"),
    expect(unsafe_code, reason = "vectors are loaded and stored, and AVX2 is called where it was found")
)]

#[cfg(target_arch = "x86_64")]
mod avx2;
mod lanes;
#[cfg(target_arch = "aarch64")]
mod neon;

use lanes::Lanes;
use md4::{Digest as _, Md4};

/// The sixteen bytes of a sum.
pub(super) type Digest = [u8; 16];

/// How many blocks are summed at once where there are lanes for them, and a whole number of times the lanes of each
/// processor.
pub(super) const BLOCKS_AT_ONCE: usize = 16;

/// What a sum takes in at a time.
const CHUNK_LEN: usize = 64;

/// Blocks of one length, to be summed at once.
struct Batch<'a> {
    /// As many as this at the front are wanted; those behind repeat the first.
    count: usize,
    blocks: [&'a [u8]; BLOCKS_AT_ONCE],
}

/// The sum of each piece of `piece_len` bytes, in order; the last may be shorter.
pub(super) fn digests(data: &[u8], piece_len: usize, mut each: impl FnMut(&Digest)) {
    let mut pieces = data.chunks_exact(piece_len);
    while let Some(first) = pieces.next() {
        let mut batch = Batch { count: 1, blocks: [first; BLOCKS_AT_ONCE] };
        for (block, piece) in batch.blocks[1..].iter_mut().zip(&mut pieces) {
            *block = piece;
            batch.count += 1;
        }
        batch.digests()[..batch.count].iter().for_each(&mut each);
    }
    if !pieces.remainder().is_empty() {
        each(&digest(pieces.remainder()));
    }
}

/// The sum of one block.
pub(super) fn digest(block: &[u8]) -> Digest {
    Md4::digest(block).into()
}

impl Batch<'_> {
    /// The sums of its blocks, in order; behind those wanted stands anything.
    fn digests(&self) -> [Digest; BLOCKS_AT_ONCE] {
        if self.count == 1 {
            return [digest(self.blocks[0]); BLOCKS_AT_ONCE];
        }
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx512f") && std::arch::is_x86_feature_detected!("avx512vl") {
            // SAFETY: the features that the function is compiled for were found on this processor.
            return unsafe { avx2::digests_avx512(self) };
        } else if std::arch::is_x86_feature_detected!("avx2") {
            // SAFETY: as above.
            return unsafe { avx2::digests(self) };
        }
        #[cfg(target_arch = "aarch64")]
        return in_lanes::<lanes::Pair<neon::Four>>(self);
        #[cfg(not(target_arch = "aarch64"))]
        in_lanes::<lanes::Portable>(self)
    }
}

/// The sums of a batch, as many blocks at once as there are lanes.
#[inline(always)]
fn in_lanes<L: Lanes>(batch: &Batch<'_>) -> [Digest; BLOCKS_AT_ONCE] {
    let mut digests = [Digest::default(); BLOCKS_AT_ONCE];
    let groups = batch.blocks.chunks_exact(L::COUNT).zip(digests.chunks_exact_mut(L::COUNT));
    for (blocks, digests) in groups.take(batch.count.div_ceil(L::COUNT)) {
        sum_side_by_side::<L>(blocks, digests);
    }
    digests
}

/// Sums as many blocks of one length as there are lanes.
#[inline(always)]
fn sum_side_by_side<L: Lanes>(blocks: &[&[u8]], digests: &mut [Digest]) {
    let [a, b, c, d] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];
    let mut state = [L::splat(a), L::splat(b), L::splat(c), L::splat(d)];
    let len = blocks[0].len();
    let mut chunks = [&[0; CHUNK_LEN]; BLOCKS_AT_ONCE];
    for place in 0..len / CHUNK_LEN {
        for (chunk, block) in chunks.iter_mut().zip(blocks) {
            *chunk = &block.as_chunks().0[place];
        }
        compress(&mut state, L::load(&chunks[..L::COUNT]));
    }
    // Behind the last byte follow a bit, zeros, and how many bits there were.
    let rest = len % CHUNK_LEN;
    let end = if rest < CHUNK_LEN - 8 { CHUNK_LEN } else { 2 * CHUNK_LEN };
    let mut last = [[0; 2 * CHUNK_LEN]; BLOCKS_AT_ONCE];
    for (last, block) in last.iter_mut().zip(blocks) {
        last[..rest].copy_from_slice(&block[len - rest..]);
        last[rest] = 0x80;
        last[end - 8..end].copy_from_slice(&(len as u64).wrapping_mul(8).to_le_bytes());
    }
    for place in 0..end / CHUNK_LEN {
        for (chunk, last) in chunks.iter_mut().zip(&last) {
            *chunk = &last.as_chunks().0[place];
        }
        compress(&mut state, L::load(&chunks[..L::COUNT]));
    }
    let mut words = [0; BLOCKS_AT_ONCE];
    for (place, lanes) in state.into_iter().enumerate() {
        lanes.store(&mut words[..L::COUNT]);
        for (digest, word) in digests.iter_mut().zip(words) {
            digest.as_chunks_mut().0[place] = word.to_le_bytes();
        }
    }
}

/// Takes sixteen words of each block into its state.
#[inline(always)]
fn compress<L: Lanes>(state: &mut [L; 4], words: [L; 16]) {
    let [mut a, mut b, mut c, mut d] = *state;
    // What the function of the newest word waits for comes last.
    macro_rules! step {
        ($function:ident, $a:ident $b:ident $c:ident $d:ident, $word:expr, $constant:expr, $bits:literal) => {
            let early = $a.add(words[$word]).add(L::splat($constant));
            $a = early.add($function($b, $c, $d)).rotate_left::<$bits>();
        };
    }
    macro_rules! round {
        ($function:ident, $constant:expr, [$($word:literal)*], [$w1:literal $w2:literal $w3:literal],
         [$s0:literal $s1:literal $s2:literal $s3:literal]) => {$(
            step!($function, a b c d, $word, $constant, $s0);
            step!($function, d a b c, $word + $w1, $constant, $s1);
            step!($function, c d a b, $word + $w2, $constant, $s2);
            step!($function, b c d a, $word + $w3, $constant, $s3);
        )*};
    }
    round!(choice, 0, [0 4 8 12], [1 2 3], [3 7 11 19]);
    round!(majority, 0x5a82_7999, [0 1 2 3], [4 8 12], [3 5 9 13]);
    round!(parity, 0x6ed9_eba1, [0 2 1 3], [8 4 12], [3 9 11 15]);
    for (state, word) in state.iter_mut().zip([a, b, c, d]) {
        *state = state.add(word);
    }
}

/// Each bit of `y` where `x` has one, and of `z` where it has none.
#[inline(always)]
fn choice<L: Lanes>(x: L, y: L, z: L) -> L {
    y.xor(z).and(x).xor(z)
}

/// What two of three have.
#[inline(always)]
fn majority<L: Lanes>(x: L, y: L, z: L) -> L {
    y.or(z).and(x).or(y.and(z))
}

/// What one or three have.
#[inline(always)]
fn parity<L: Lanes>(x: L, y: L, z: L) -> L {
    y.xor(z).xor(x)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(len: usize) -> Vec<u8> {
        (0..len as u32).map(|i| (i.wrapping_mul(i).wrapping_mul(2_654_435_761) >> 19) as u8).collect()
    }

    type Way = fn(&Batch<'_>) -> [Digest; BLOCKS_AT_ONCE];

    /// All ways to sum a batch that this processor has.
    fn ways() -> Vec<(&'static str, Way)> {
        let mut ways: Vec<(_, fn(&Batch<'_>) -> _)> =
            vec![("as detected", |batch| batch.digests()), ("portable", in_lanes::<lanes::Portable>)];
        #[cfg(target_arch = "x86_64")]
        {
            if std::arch::is_x86_feature_detected!("avx2") {
                // SAFETY: the feature was found.
                ways.push(("AVX2", |batch| unsafe { avx2::digests(batch) }));
            }
            if std::arch::is_x86_feature_detected!("avx512vl") {
                // SAFETY: the features were found.
                ways.push(("AVX-512", |batch| unsafe { avx2::digests_avx512(batch) }));
            }
        }
        #[cfg(target_arch = "aarch64")]
        ways.push(("NEON", in_lanes::<lanes::Pair<neon::Four>>));
        ways
    }

    #[test]
    fn each_lane_gives_what_the_crate_gives_whatever_the_length_and_count() {
        let content = content(16 * 200);
        for (name, way) in ways() {
            for len in [0, 1, 55, 56, 57, 63, 64, 65, 119, 120, 128, 200] {
                for count in 1..=BLOCKS_AT_ONCE {
                    let mut blocks = [&content[..len]; BLOCKS_AT_ONCE];
                    for (place, block) in blocks.iter_mut().enumerate().take(count) {
                        *block = &content[place * len..][..len];
                    }
                    let expected = blocks.map(digest);
                    let found = way(&Batch { count, blocks });
                    assert_eq!(found[..count], expected[..count], "{name}, {count} blocks of {len}");
                }
            }
        }
    }

    #[test]
    fn every_piece_has_its_sum_and_the_last_may_be_short() {
        for (len, piece_len) in [(0, 10), (5, 10), (10, 10), (170, 10), (171, 10), (3999, 64), (3000, 1000)] {
            let content = content(len);
            let mut found = Vec::new();
            digests(&content, piece_len, |digest| found.push(*digest));
            let expected: Vec<_> = content.chunks(piece_len).map(digest).collect();
            assert_eq!(found, expected, "{len} bytes in pieces of {piece_len}");
        }
    }
}
