//! Four lanes in a vector of NEON, which every AArch64 processor has.

use std::arch::aarch64::*;

use super::CHUNK_LEN;
use super::lanes::Lanes;

#[derive(Clone, Copy)]
pub(super) struct Four(uint32x4_t);

impl Lanes for Four {
    const COUNT: usize = 4;

    #[inline(always)]
    fn splat(word: u32) -> Self {
        // SAFETY: there is NEON.
        Self(unsafe { vdupq_n_u32(word) })
    }

    #[inline(always)]
    fn load(chunks: &[&[u8; CHUNK_LEN]]) -> [Self; 16] {
        let mut words = [Self::splat(0); 16];
        for (quarter, words) in words.as_chunks_mut().0.iter_mut().enumerate() {
            let mut rows = [Self::splat(0).0; 4];
            for (row, chunk) in rows.iter_mut().zip(chunks) {
                let bytes: &[u8; 16] = &chunk.as_chunks().0[quarter];
                // SAFETY: there is NEON.
                *row = unsafe { loaded(bytes) };
            }
            // SAFETY: there is NEON.
            let [a, b, c, d] = unsafe { transposed(rows) };
            *words = [Self(a), Self(b), Self(c), Self(d)];
        }
        words
    }

    #[inline(always)]
    fn store(self, words: &mut [u32]) {
        let words: &mut [u32; Self::COUNT] = words.first_chunk_mut().expect("room for them all");
        // SAFETY: there is NEON, and there is room.
        unsafe { vst1q_u32(words.as_mut_ptr(), self.0) };
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        // SAFETY: there is NEON.
        Self(unsafe { vaddq_u32(self.0, other.0) })
    }

    #[inline(always)]
    fn and(self, other: Self) -> Self {
        // SAFETY: there is NEON.
        Self(unsafe { vandq_u32(self.0, other.0) })
    }

    #[inline(always)]
    fn or(self, other: Self) -> Self {
        // SAFETY: there is NEON.
        Self(unsafe { vorrq_u32(self.0, other.0) })
    }

    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        // SAFETY: there is NEON.
        Self(unsafe { veorq_u32(self.0, other.0) })
    }

    #[inline(always)]
    fn rotate_left<const BITS: i32>(self) -> Self {
        // SAFETY: there is NEON.
        Self(unsafe { rotated::<BITS>(self.0) })
    }
}

#[inline]
#[target_feature(enable = "neon")]
fn loaded(bytes: &[u8; 16]) -> uint32x4_t {
    // SAFETY: there are as many bytes as are loaded.
    vreinterpretq_u32_u8(unsafe { vld1q_u8(bytes.as_ptr()) })
}

#[inline]
#[target_feature(enable = "neon")]
fn rotated<const BITS: i32>(words: uint32x4_t) -> uint32x4_t {
    vorrq_u32(vshlq_n_u32::<BITS>(words), vshlq_u32(words, vdupq_n_s32(BITS - 32)))
}

/// The first words of all rows, the second, and so on.
#[inline]
#[target_feature(enable = "neon")]
fn transposed([a, b, c, d]: [uint32x4_t; 4]) -> [uint32x4_t; 4] {
    let (even, odd) = (vzipq_u32(a, c), vzipq_u32(b, d));
    let (low, high) = (vzipq_u32(even.0, odd.0), vzipq_u32(even.1, odd.1));
    [low.0, low.1, high.0, high.1]
}
