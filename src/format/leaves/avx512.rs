//! BLAKE2b-256 in eight lanes of AVX-512: a lane hashes a piece of its own. The algorithm is that of RFC 7693; that
//! its working vectors hold a word of several messages each is the way of `blake2b_simd` and of the reference's
//! `blake2bp`.

use std::arch::x86_64::*;

use super::Leaf;

/// Messages in a vector.
pub(super) const LANES: usize = 8;

/// Bytes that are compressed at once.
const BLOCK_LEN: usize = 128;

const IV: [u64; 8] = [
    0x6a09_e667_f3bc_c908,
    0xbb67_ae85_84ca_a73b,
    0x3c6e_f372_fe94_f82b,
    0xa54f_f53a_5f1d_36f1,
    0x510e_527f_ade6_82d1,
    0x9b05_688c_2b3e_6c1f,
    0x1f83_d9ab_fb41_bd6b,
    0x5be0_cd19_137e_2179,
];

/// The parameters of a digest of 32 bytes without a key, in a tree of one node.
const PARAMS: u64 = 0x0101_0020;

/// In which order a round takes the words of the message.
const SIGMA: [[usize; 16]; 12] = [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
    [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
    [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
    [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
    [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
    [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
    [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
    [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
    [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
    [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
    [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
];

/// The digest of each piece.
#[target_feature(enable = "avx512f")]
pub(super) fn leaves(pieces: &[&[u8]; LANES]) -> [Leaf; LANES] {
    let mut state = IV.map(|word| splat(word));
    state[0] = splat(IV[0] ^ PARAMS);
    // Up to the first last block no lane differs from another.
    let common = pieces.iter().map(|piece| piece.len().saturating_sub(1) / BLOCK_LEN).min().unwrap_or(0);
    for block in 0..common {
        let blocks = pieces.map(|piece| block_at(piece, block * BLOCK_LEN));
        let count = splat(((block + 1) * BLOCK_LEN) as u64);
        state = compress(&state, &blocks, count, splat(0));
    }
    let longest = pieces.iter().map(|piece| piece.len()).max().unwrap_or(0);
    let mut at = common * BLOCK_LEN;
    loop {
        state = compress_last(&state, pieces, at);
        at += BLOCK_LEN;
        if at >= longest {
            return digests(&state);
        }
    }
}

/// The block of the piece at `at`, all of which must be there.
fn block_at(piece: &[u8], at: usize) -> &[u8; BLOCK_LEN] {
    piece[at..].first_chunk().expect("the block is whole")
}

/// Compresses the blocks at `at` where some of the pieces may end, or have ended.
#[target_feature(enable = "avx512f")]
fn compress_last(state: &[__m512i; 8], pieces: &[&[u8]; LANES], at: usize) -> [__m512i; 8] {
    let mut blocks = [[0; BLOCK_LEN]; LANES];
    let (mut counts, mut lasts, mut goes_on) = ([0; LANES], [0; LANES], 0);
    for (lane, piece) in pieces.iter().enumerate() {
        let rest = piece.get(at..).unwrap_or_default();
        let len = rest.len().min(BLOCK_LEN);
        blocks[lane][..len].copy_from_slice(&rest[..len]);
        counts[lane] = (at + len) as u64;
        lasts[lane] = if rest.len() > BLOCK_LEN { 0 } else { u64::MAX };
        // An empty piece has one block.
        goes_on |= u8::from(len > 0 || at == 0) << lane;
    }
    let compressed = compress(state, &blocks.each_ref(), load(&counts), load(&lasts));
    std::array::from_fn(|word| _mm512_mask_mov_epi64(state[word], goes_on, compressed[word]))
}

/// The working vectors as the algorithm's square of four by four.
type Square = [[__m512i; 4]; 4];

/// Takes a block into each lane's state. `count` is the bytes of the message up to its end, `last` all ones for the
/// last block.
#[target_feature(enable = "avx512f")]
#[inline]
fn compress(state: &[__m512i; 8], blocks: &[&[u8; BLOCK_LEN]; LANES], count: __m512i, last: __m512i) -> [__m512i; 8] {
    let message = words(blocks);
    let [s0, s1, s2, s3, s4, s5, s6, s7] = *state;
    let iv = IV.map(|word| splat(word));
    let below = [_mm512_xor_si512(iv[4], count), iv[5], _mm512_xor_si512(iv[6], last), iv[7]];
    let mut square = [[s0, s1, s2, s3], [s4, s5, s6, s7], [iv[0], iv[1], iv[2], iv[3]], below];
    round::<0>(&mut square, &message);
    round::<1>(&mut square, &message);
    round::<2>(&mut square, &message);
    round::<3>(&mut square, &message);
    round::<4>(&mut square, &message);
    round::<5>(&mut square, &message);
    round::<6>(&mut square, &message);
    round::<7>(&mut square, &message);
    round::<8>(&mut square, &message);
    round::<9>(&mut square, &message);
    round::<10>(&mut square, &message);
    round::<11>(&mut square, &message);
    // 0x96 is the exclusive or of three.
    std::array::from_fn(|word| {
        let (row, column) = (word / 4, word % 4);
        _mm512_ternarylogic_epi64::<0x96>(state[word], square[row][column], square[row + 2][column])
    })
}

/// Mixes the columns of the square, then its diagonals.
#[target_feature(enable = "avx512f")]
#[inline]
fn round<const NUMBER: usize>(square: &mut Square, message: &[__m512i; 16]) {
    let order = const { SIGMA[NUMBER] };
    let take = |first: usize| std::array::from_fn(|column| message[order[first + 2 * column]]);
    mix(square, take(0), take(1));
    // Each row is turned by its number, so that the diagonals are columns, and back.
    let [a, b, c, d] = *square;
    *square = [a, turned::<1>(b), turned::<2>(c), turned::<3>(d)];
    mix(square, take(8), take(9));
    let [a, b, c, d] = *square;
    *square = [a, turned::<3>(b), turned::<2>(c), turned::<1>(d)];
}

fn turned<const BY: usize>(row: [__m512i; 4]) -> [__m512i; 4] {
    std::array::from_fn(|column| row[(column + BY) % 4])
}

/// Mixes the columns with two words of the message each; every step is taken for all four, which do not touch each
/// other.
#[target_feature(enable = "avx512f")]
#[inline]
fn mix(square: &mut Square, first: [__m512i; 4], second: [__m512i; 4]) {
    half_mix::<32, 24>(square, first);
    half_mix::<16, 63>(square, second);
}

#[target_feature(enable = "avx512f")]
#[inline]
fn half_mix<const D: i32, const B: i32>([a, b, c, d]: &mut Square, words: [__m512i; 4]) {
    for column in 0..4 {
        a[column] = _mm512_add_epi64(_mm512_add_epi64(a[column], words[column]), b[column]);
    }
    for column in 0..4 {
        d[column] = _mm512_ror_epi64::<D>(_mm512_xor_si512(d[column], a[column]));
    }
    for column in 0..4 {
        c[column] = _mm512_add_epi64(c[column], d[column]);
    }
    for column in 0..4 {
        b[column] = _mm512_ror_epi64::<B>(_mm512_xor_si512(b[column], c[column]));
    }
}

/// The words of the blocks: in each vector the same word of every lane. A block is two vectors long.
#[target_feature(enable = "avx512f")]
#[inline]
fn words(blocks: &[&[u8; BLOCK_LEN]; LANES]) -> [__m512i; 16] {
    let mut words = [splat(0); 16];
    for (half, words) in words.chunks_exact_mut(8).enumerate() {
        let rows = blocks.map(|block| load_bytes(&block.as_chunks().0[half]));
        words.copy_from_slice(&transpose(&rows));
    }
    words
}

/// Columns of the rows.
#[target_feature(enable = "avx512f")]
#[inline]
fn transpose(rows: &[__m512i; 8]) -> [__m512i; 8] {
    // Pairs of rows: in each part of 128 bits the even column of both, or the odd one.
    let pairs: [[__m512i; 2]; 4] = std::array::from_fn(|pair| {
        let (a, b) = (rows[2 * pair], rows[2 * pair + 1]);
        [_mm512_unpacklo_epi64(a, b), _mm512_unpackhi_epi64(a, b)]
    });
    let mut columns = [splat(0); 8];
    for odd in 0..2 {
        let [a, b, c, d] = pairs.map(|pair| pair[odd]);
        // Parts 0 and 2, or 1 and 3, of two pairs.
        let (ab_even, ab_odd) = (_mm512_shuffle_i64x2::<0x88>(a, b), _mm512_shuffle_i64x2::<0xdd>(a, b));
        let (cd_even, cd_odd) = (_mm512_shuffle_i64x2::<0x88>(c, d), _mm512_shuffle_i64x2::<0xdd>(c, d));
        columns[odd] = _mm512_shuffle_i64x2::<0x88>(ab_even, cd_even);
        columns[odd + 4] = _mm512_shuffle_i64x2::<0xdd>(ab_even, cd_even);
        columns[odd + 2] = _mm512_shuffle_i64x2::<0x88>(ab_odd, cd_odd);
        columns[odd + 6] = _mm512_shuffle_i64x2::<0xdd>(ab_odd, cd_odd);
    }
    columns
}

#[target_feature(enable = "avx512f")]
fn digests(state: &[__m512i; 8]) -> [Leaf; LANES] {
    let rows = transpose(state);
    rows.map(|row| {
        let mut words = [0_u64; LANES];
        // SAFETY: there is room.
        unsafe { _mm512_storeu_si512(words.as_mut_ptr().cast(), row) };
        let mut leaf = Leaf::default();
        leaf.chunks_exact_mut(8).zip(words).for_each(|(place, word)| place.copy_from_slice(&word.to_le_bytes()));
        leaf
    })
}

#[target_feature(enable = "avx512f")]
#[inline]
fn splat(word: u64) -> __m512i {
    _mm512_set1_epi64(word.cast_signed())
}

#[target_feature(enable = "avx512f")]
#[inline]
fn load_bytes(bytes: &[u8; BLOCK_LEN / 2]) -> __m512i {
    // SAFETY: there are as many as a vector holds.
    unsafe { _mm512_loadu_si512(bytes.as_ptr().cast()) }
}

#[target_feature(enable = "avx512f")]
fn load(words: &[u64; LANES]) -> __m512i {
    // SAFETY: there are as many as a vector holds.
    unsafe { _mm512_loadu_si512(words.as_ptr().cast()) }
}
