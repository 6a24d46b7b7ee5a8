//! The rolling sums, as librsync computes them: over a whole block, and one byte on.
#![allow(unsafe_code)]

use crate::format::WeakKind;

/// A sum that can roll along the data.
pub(super) trait Rolling: Copy {
    /// The sum of `window`.
    fn new(window: &[u8]) -> Self;
    /// Moves the window one byte on: `gone` leaves at its front, `come` enters at its end.
    fn roll(&mut self, gone: u8, come: u8);
    /// Puts one byte before the window.
    fn push_front(&mut self, come: u8);
    /// The sum as signatures hold it.
    fn digest(&self) -> u32;
}

/// The sum of a whole block.
pub(super) fn weak_sum(kind: WeakKind, block: &[u8]) -> u32 {
    Scan::new(kind, block).digest()
}

/// A sum that can roll, of the kind that a signature has.
#[derive(Clone, Copy)]
pub(super) enum Scan {
    RabinKarp(RabinKarp),
    Rollsum(Rollsum),
}

impl Scan {
    pub(super) fn new(kind: WeakKind, window: &[u8]) -> Self {
        match kind {
            WeakKind::RabinKarp => Self::RabinKarp(RabinKarp::new(window)),
            WeakKind::Rollsum => Self::Rollsum(Rollsum::new(window)),
        }
    }

    pub(super) fn digest(&self) -> u32 {
        match self {
            Self::RabinKarp(sum) => sum.digest(),
            Self::Rollsum(sum) => sum.digest(),
        }
    }

    pub(super) fn push_front(&mut self, come: u8) {
        match self {
            Self::RabinKarp(sum) => sum.push_front(come),
            Self::Rollsum(sum) => sum.push_front(come),
        }
    }
}

/// A polynomial in the multiplier over the bytes, modulo 2^32. The sum that librsync's `rabinkarp.h` defines.
#[derive(Clone, Copy, Debug)]
pub(super) struct RabinKarp {
    hash: u32,
    /// The multiplier to the power of the window's length.
    power: u32,
}

const MULTIPLIER: u32 = 0x0810_4225;
const SEED: u32 = 1;
/// Takes a byte's share of the seed out with the byte.
const ADJUST: u32 = MULTIPLIER - 1;

impl Rolling for RabinKarp {
    fn new(window: &[u8]) -> Self {
        // Lengths past 2^32 wrap as the powers do: the multiplier's order divides 2^32.
        let power = MULTIPLIER.wrapping_pow(window.len() as u32);
        Self { hash: polynomial(window).wrapping_add(SEED.wrapping_mul(power)), power }
    }

    #[inline(always)]
    fn roll(&mut self, gone: u8, come: u8) {
        let gone = self.power.wrapping_mul(u32::from(gone).wrapping_add(ADJUST));
        self.hash = self.hash.wrapping_mul(MULTIPLIER).wrapping_add(u32::from(come)).wrapping_sub(gone);
    }

    fn push_front(&mut self, come: u8) {
        // The seed moves up one power, and the byte takes its old place.
        let seed = self.power.wrapping_mul(ADJUST);
        self.hash = self.hash.wrapping_add(seed).wrapping_add(self.power.wrapping_mul(u32::from(come)));
        self.power = self.power.wrapping_mul(MULTIPLIER);
    }

    #[inline(always)]
    fn digest(&self) -> u32 {
        self.hash
    }
}

/// How many coefficients are worked on at once: four vectors of eight hide the multiplier's latency.
const LANES: usize = 32;

/// The polynomial without the seed.
fn polynomial(data: &[u8]) -> u32 {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the feature that the function is compiled for was found on this processor.
        return unsafe { polynomial_avx2(data) };
    }
    polynomial_lanes(data)
}

/// The same code, compiled for processors with AVX2: the baseline has no 32-bit vector product.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn polynomial_avx2(data: &[u8]) -> u32 {
    polynomial_lanes(data)
}

#[inline(always)]
fn polynomial_lanes(data: &[u8]) -> u32 {
    const STRIDE: u32 = MULTIPLIER.wrapping_pow(LANES as u32);
    let mut lanes = [0u32; LANES];
    let mut chunks = data.chunks_exact(LANES);
    for chunk in &mut chunks {
        for (lane, &byte) in lanes.iter_mut().zip(chunk) {
            *lane = lane.wrapping_mul(STRIDE).wrapping_add(u32::from(byte));
        }
    }
    let horner = |hash: u32, term: u32| hash.wrapping_mul(MULTIPLIER).wrapping_add(term);
    let whole = lanes.into_iter().fold(0, horner);
    chunks.remainder().iter().map(|&byte| u32::from(byte)).fold(whole, horner)
}

/// Two sums modulo 2^16, after Adler. The sum that librsync's `rollsum.h` defines.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rollsum {
    sum: u32,
    weighted: u32,
    len: u32,
}

/// Added to every byte, so that zeros count.
const CHAR_OFFSET: u32 = 31;

impl Rolling for Rollsum {
    fn new(window: &[u8]) -> Self {
        let (mut sum, mut weighted) = (0u32, 0u32);
        for &byte in window {
            sum = sum.wrapping_add(u32::from(byte) + CHAR_OFFSET);
            weighted = weighted.wrapping_add(sum);
        }
        Self { sum, weighted, len: window.len() as u32 }
    }

    #[inline(always)]
    fn roll(&mut self, gone: u8, come: u8) {
        let (gone, come) = (u32::from(gone), u32::from(come));
        self.sum = self.sum.wrapping_add(come).wrapping_sub(gone);
        self.weighted = self.weighted.wrapping_add(self.sum).wrapping_sub(self.len.wrapping_mul(gone + CHAR_OFFSET));
    }

    fn push_front(&mut self, come: u8) {
        let come = u32::from(come) + CHAR_OFFSET;
        self.sum = self.sum.wrapping_add(come);
        self.len = self.len.wrapping_add(1);
        self.weighted = self.weighted.wrapping_add(self.len.wrapping_mul(come));
    }

    #[inline(always)]
    fn digest(&self) -> u32 {
        self.weighted << 16 | self.sum & 0xffff
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes with no pattern, the same in every run.
    fn bytes(len: usize) -> Vec<u8> {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        (0..len)
            .map(|_| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                state as u8
            })
            .collect()
    }

    fn rolling_is_the_sum_of_each_window<R: Rolling>() {
        let data = bytes(3000);
        for len in [1, 2, 31, 32, 33, 700] {
            let mut rolling = R::new(&data[..len]);
            for start in 0..data.len() - len {
                assert_eq!(rolling.digest(), R::new(&data[start..start + len]).digest(), "{len} from {start}");
                rolling.roll(data[start], data[start + len]);
            }
        }
        let mut front = R::new(&[]);
        for start in (0..500).rev() {
            front.push_front(data[start]);
            assert_eq!(front.digest(), R::new(&data[start..500]).digest(), "from {start}");
        }
    }

    #[test]
    fn rabin_karp_rolls_both_ways() {
        rolling_is_the_sum_of_each_window::<RabinKarp>();
    }

    #[test]
    fn rollsum_rolls_both_ways() {
        rolling_is_the_sum_of_each_window::<Rollsum>();
    }

    #[test]
    fn the_lanes_give_what_one_byte_after_the_other_gives() {
        let data = bytes(1000);
        for len in [0, 1, 31, 32, 33, 63, 64, 999] {
            let serial = data[..len]
                .iter()
                .fold(SEED, |hash, &byte| hash.wrapping_mul(MULTIPLIER).wrapping_add(u32::from(byte)));
            assert_eq!(weak_sum(WeakKind::RabinKarp, &data[..len]), serial, "{len} bytes");
            assert_eq!(polynomial(&data[..len]), polynomial_lanes(&data[..len]));
        }
    }
}
