//! The rolling sums, as librsync computes them: over a whole block, and one byte on.
#![cfg_attr(
    target_arch = "x86_64",
    expect(unsafe_code, reason = "what is compiled for AVX2 is called where there is AVX2")
)]

use crate::format::WeakKind;

/// How many windows that follow each other are summed at once.
pub(super) const WINDOWS: usize = 16;

/// A sum that can roll along the data.
pub(super) trait Rolling: Copy {
    /// The sum of `window`.
    fn new(window: &[u8]) -> Self;

    /// Gives the sums of this window and of those that begin 1, 2, … bytes on, as signatures hold them, and moves
    /// the window behind them: `gone` are the bytes that leave at its front, `come` those that enter at its end.
    fn roll(&mut self, gone: &[u8; WINDOWS], come: &[u8; WINDOWS]) -> [u32; WINDOWS];

    /// Puts one byte before the window.
    fn push_front(&mut self, come: u8);

    /// The sum as signatures hold it.
    fn digest(&self) -> u32;
}

/// The sum of a whole block.
pub(super) fn weak_sum(kind: WeakKind, block: &[u8]) -> u32 {
    WeakSum::new(kind, block).digest()
}

/// A sum that can roll, of the kind that a signature has.
#[derive(Clone, Copy)]
pub(super) enum WeakSum {
    RabinKarp(RabinKarp),
    Rollsum(Rollsum),
}

impl WeakSum {
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
    pub(super) hash: u32,
    /// The multiplier to the power of the window's length.
    pub(super) power: u32,
}

const MULTIPLIER: u32 = 0x0810_4225;
const SEED: u32 = 1;
/// Takes a byte's share of the seed out with the byte.
pub(super) const ADJUST: u32 = MULTIPLIER - 1;

/// The powers of the multiplier, and those of its inverse; it is odd, and its order divides 2^32.
pub(super) const POWERS: [u32; WINDOWS + 1] = powers(MULTIPLIER);
pub(super) const INVERSES: [u32; WINDOWS + 1] = powers(MULTIPLIER.wrapping_pow(u32::MAX));

const fn powers(base: u32) -> [u32; WINDOWS + 1] {
    let mut powers = [1_u32; WINDOWS + 1];
    let mut place = 1;
    while place <= WINDOWS {
        powers[place] = powers[place - 1].wrapping_mul(base);
        place += 1;
    }
    powers
}

/// At each place the sum of the terms up to it, in steps that a vector takes at once.
#[inline(always)]
fn running_totals(mut terms: [u32; WINDOWS]) -> [u32; WINDOWS] {
    let mut reach = 1;
    while reach < WINDOWS {
        let mut before = [0; WINDOWS];
        before[reach..].copy_from_slice(&terms[..WINDOWS - reach]);
        for (term, before) in terms.iter_mut().zip(before) {
            *term = term.wrapping_add(before);
        }
        reach *= 2;
    }
    terms
}

impl Rolling for RabinKarp {
    fn new(window: &[u8]) -> Self {
        // Lengths past 2^32 wrap as the powers do: the multiplier's order divides 2^32.
        let power = MULTIPLIER.wrapping_pow(window.len() as u32);
        Self { hash: polynomial(window).wrapping_add(SEED.wrapping_mul(power)), power }
    }

    /// With h for the sum, m for the multiplier and d for what a byte changes, the next sum is m h + d. Divided by
    /// the power of m that its place in the row has, each is the one before and a term of its own: a row of sums
    /// that only add up, without a product that waits for the one before.
    #[inline(always)]
    fn roll(&mut self, gone: &[u8; WINDOWS], come: &[u8; WINDOWS]) -> [u32; WINDOWS] {
        let mut term = [0; WINDOWS];
        for (place, term) in term.iter_mut().enumerate() {
            let gone = self.power.wrapping_mul(u32::from(gone[place]).wrapping_add(ADJUST));
            *term = u32::from(come[place]).wrapping_sub(gone).wrapping_mul(INVERSES[place + 1]);
        }
        let upto = running_totals(term);
        let mut sums = [self.hash; WINDOWS];
        for place in 1..WINDOWS {
            sums[place] = self.hash.wrapping_add(upto[place - 1]).wrapping_mul(POWERS[place]);
        }
        self.hash = self.hash.wrapping_add(upto[WINDOWS - 1]).wrapping_mul(POWERS[WINDOWS]);
        sums
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
    pub(super) sum: u32,
    pub(super) weighted: u32,
    /// The window's.
    pub(super) len: u32,
}

/// Added to every byte, so that zeros count.
pub(super) const CHAR_OFFSET: u32 = 31;

impl Rolling for Rollsum {
    fn new(window: &[u8]) -> Self {
        let (sum, weighted) = adler(window);
        Self { sum, weighted, len: window.len() as u32 }
    }

    #[inline(always)]
    fn roll(&mut self, gone: &[u8; WINDOWS], come: &[u8; WINDOWS]) -> [u32; WINDOWS] {
        let mut change = [0; WINDOWS];
        for (place, change) in change.iter_mut().enumerate() {
            *change = u32::from(come[place]).wrapping_sub(u32::from(gone[place]));
        }
        let change = running_totals(change);
        let mut weighted_change = [0; WINDOWS];
        for (place, weighted_change) in weighted_change.iter_mut().enumerate() {
            let gone = self.len.wrapping_mul(u32::from(gone[place]) + CHAR_OFFSET);
            *weighted_change = self.sum.wrapping_add(change[place]).wrapping_sub(gone);
        }
        let weighted_change = running_totals(weighted_change);
        let mut sums = [self.digest(); WINDOWS];
        for place in 1..WINDOWS {
            let sum = self.sum.wrapping_add(change[place - 1]);
            let weighted = self.weighted.wrapping_add(weighted_change[place - 1]);
            sums[place] = weighted << 16 | sum & 0xffff;
        }
        self.sum = self.sum.wrapping_add(change[WINDOWS - 1]);
        self.weighted = self.weighted.wrapping_add(weighted_change[WINDOWS - 1]);
        sums
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

/// The two sums.
fn adler(data: &[u8]) -> (u32, u32) {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the feature that the function is compiled for was found on this processor.
        return unsafe { adler_avx2(data) };
    }
    adler_lanes(data)
}

/// The same code, compiled for processors with AVX2.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn adler_avx2(data: &[u8]) -> (u32, u32) {
    adler_lanes(data)
}

/// In each lane the sum of its bytes, and the total of what that sum has been. A byte of a later lane counts as many
/// times less as it lies behind the first.
#[inline(always)]
fn adler_lanes(data: &[u8]) -> (u32, u32) {
    let (mut sums, mut totals) = ([0_u32; LANES], [0_u32; LANES]);
    let mut chunks = data.chunks_exact(LANES);
    for chunk in &mut chunks {
        for ((sum, total), &byte) in sums.iter_mut().zip(&mut totals).zip(chunk) {
            *sum = sum.wrapping_add(byte.into());
            *total = total.wrapping_add(*sum);
        }
    }
    let (mut sum, mut weighted) = (0_u32, 0_u32);
    for ((place, of_lane), total) in (0_u32..).zip(sums).zip(totals) {
        sum = sum.wrapping_add(of_lane);
        let total = total.wrapping_mul(LANES as u32);
        weighted = weighted.wrapping_add(total).wrapping_sub(of_lane.wrapping_mul(place));
    }
    for &byte in chunks.remainder() {
        sum = sum.wrapping_add(byte.into());
        weighted = weighted.wrapping_add(sum);
    }
    let len = data.len() as u128;
    let offsets = [len, len * (len + 1) / 2].map(|bytes| CHAR_OFFSET.wrapping_mul(bytes as u32));
    (sum.wrapping_add(offsets[0]), weighted.wrapping_add(offsets[1]))
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
            for start in (0..data.len() - len - WINDOWS).step_by(WINDOWS) {
                let [gone, come] = [start, start + len].map(|at| data[at..at + WINDOWS].try_into().unwrap());
                for (start, sum) in (start..).zip(rolling.roll(gone, come)) {
                    assert_eq!(sum, R::new(&data[start..start + len]).digest(), "{len} from {start}");
                }
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
            let (sum, weighted) = data[..len].iter().fold((0, 0), |(sum, weighted), &byte| {
                let sum = sum + u32::from(byte) + CHAR_OFFSET;
                (sum, weighted + sum)
            });
            assert_eq!(weak_sum(WeakKind::Rollsum, &data[..len]), weighted << 16 | sum & 0xffff, "{len} bytes");
            assert_eq!(polynomial(&data[..len]), polynomial_lanes(&data[..len]), "{len} bytes");
            assert_eq!(adler(&data[..len]), adler_lanes(&data[..len]), "{len} bytes");
        }
    }
}
