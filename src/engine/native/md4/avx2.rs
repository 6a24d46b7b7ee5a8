//! Eight lanes in a vector of AVX2.

use std::arch::x86_64::*;

use super::lanes::{Lanes, Pair};
use super::{BLOCKS_AT_ONCE, Batch, CHUNK_LEN, Digest, in_lanes};

/// The sums of a batch.
#[target_feature(enable = "avx2")]
pub(super) fn digests(batch: &Batch<'_>) -> [Digest; BLOCKS_AT_ONCE] {
    in_eights(batch)
}

/// The same code, compiled for processors with AVX-512: it has rotations, and functions of three operands, for what
/// AVX2 does in several steps.
#[target_feature(enable = "avx2,avx512f,avx512vl")]
pub(super) fn digests_avx512(batch: &Batch<'_>) -> [Digest; BLOCKS_AT_ONCE] {
    in_eights(batch)
}

#[inline(always)]
fn in_eights(batch: &Batch<'_>) -> [Digest; BLOCKS_AT_ONCE] {
    if batch.count <= Eight::COUNT { in_lanes::<Eight>(batch) } else { in_lanes::<Pair<Eight>>(batch) }
}

/// Is made by [`digests`] alone, so that there is AVX2 wherever there is one.
#[derive(Clone, Copy)]
struct Eight(__m256i);

impl Lanes for Eight {
    const COUNT: usize = 8;

    #[inline(always)]
    fn splat(word: u32) -> Self {
        // SAFETY: there is AVX2.
        Self(unsafe { _mm256_set1_epi32(word.cast_signed()) })
    }

    #[inline(always)]
    fn load(chunks: &[&[u8; CHUNK_LEN]]) -> [Self; 16] {
        let (low, high) = chunks.split_at(4);
        let mut words = [Self::splat(0); 16];
        for (quarter, words) in words.as_chunks_mut().0.iter_mut().enumerate() {
            // Lane n stands beside lane n + 4, so that no shuffle has to cross the vector's middle.
            let mut rows = [Self::splat(0).0; 4];
            for (row, (low, high)) in rows.iter_mut().zip(low.iter().zip(high)) {
                let [low, high] = [&low.as_chunks::<16>().0[quarter], &high.as_chunks::<16>().0[quarter]];
                // SAFETY: there is AVX2, and there are as many bytes as are loaded.
                *row = unsafe { _mm256_loadu2_m128i(high.as_ptr().cast(), low.as_ptr().cast()) };
            }
            // SAFETY: there is AVX2.
            let [a, b, c, d] = unsafe { transposed(rows) };
            *words = [Self(a), Self(b), Self(c), Self(d)];
        }
        words
    }

    #[inline(always)]
    fn store(self, words: &mut [u32]) {
        let words: &mut [u32; Self::COUNT] = words.first_chunk_mut().expect("room for them all");
        // SAFETY: there is AVX2, and there is room.
        unsafe { _mm256_storeu_si256(words.as_mut_ptr().cast(), self.0) };
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        // SAFETY: there is AVX2.
        Self(unsafe { _mm256_add_epi32(self.0, other.0) })
    }

    #[inline(always)]
    fn and(self, other: Self) -> Self {
        // SAFETY: there is AVX2.
        Self(unsafe { _mm256_and_si256(self.0, other.0) })
    }

    #[inline(always)]
    fn or(self, other: Self) -> Self {
        // SAFETY: there is AVX2.
        Self(unsafe { _mm256_or_si256(self.0, other.0) })
    }

    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        // SAFETY: there is AVX2.
        Self(unsafe { _mm256_xor_si256(self.0, other.0) })
    }

    #[inline(always)]
    fn rotate_left<const BITS: i32>(self) -> Self {
        // SAFETY: there is AVX2.
        Self(unsafe { rotated::<BITS>(self.0) })
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn rotated<const BITS: i32>(words: __m256i) -> __m256i {
    let come_round = _mm256_srl_epi32(words, _mm_cvtsi32_si128(32 - BITS));
    _mm256_or_si256(_mm256_slli_epi32::<BITS>(words), come_round)
}

/// The first words of all rows, the second, and so on, in each half of the vectors.
#[inline]
#[target_feature(enable = "avx2")]
fn transposed([a, b, c, d]: [__m256i; 4]) -> [__m256i; 4] {
    let [low_ab, high_ab] = [_mm256_unpacklo_epi32(a, b), _mm256_unpackhi_epi32(a, b)];
    let [low_cd, high_cd] = [_mm256_unpacklo_epi32(c, d), _mm256_unpackhi_epi32(c, d)];
    [
        _mm256_unpacklo_epi64(low_ab, low_cd),
        _mm256_unpackhi_epi64(low_ab, low_cd),
        _mm256_unpacklo_epi64(high_ab, high_cd),
        _mm256_unpackhi_epi64(high_ab, high_cd),
    ]
}
