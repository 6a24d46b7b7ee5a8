//! The same look with AVX2: two vectors of eight windows at once, and the filter asked for eight in one go.

use std::arch::x86_64::*;

use super::{Hit, Hits, Windows};
use crate::engine::native::index::BlockIndex;
use crate::engine::native::weak::{ADJUST, CHAR_OFFSET, INVERSES, POWERS, RabinKarp, Rollsum, WINDOWS};

/// Windows in a vector.
const LANES: usize = 8;

const _: () = assert!(WINDOWS == 2 * LANES);

/// Looks at windows from `from` on, whose sum is `first`, as long as there are whole groups of them; gives where the
/// next begins, and its sum. How the sums of a group follow from the first of them, [`RabinKarp`] says.
#[target_feature(enable = "avx2")]
pub(super) fn roll(
    first: &mut RabinKarp,
    windows: &Windows<'_>,
    index: &BlockIndex,
    from: usize,
    to: usize,
    hits: &mut Hits,
) -> usize {
    let power = splat(first.power);
    let adjust = splat(ADJUST);
    let inverses = [load(&INVERSES[1..]), load(&INVERSES[1 + LANES..])];
    let powers = [load(&POWERS[..]), load(&POWERS[LANES..])];
    let group_power = splat(POWERS[WINDOWS]);
    let mut sum = splat(first.hash);
    let next = |gone: &Bytes, come: &Bytes| {
        // What the windows before add to each sum, and all of them to the next group's.
        let mut upto = _mm256_setzero_si256();
        let mut sums = [upto; 2];
        // A closure would be called where the compiler likes, with all vectors spilled around it.
        for half in 0..2 {
            let gone = load_bytes(&gone[half * LANES..]);
            let come = load_bytes(&come[half * LANES..]);
            let gone = _mm256_mullo_epi32(power, _mm256_add_epi32(gone, adjust));
            let term = _mm256_mullo_epi32(_mm256_sub_epi32(come, gone), inverses[half]);
            let totals = running_totals(term);
            let before = _mm256_add_epi32(upto, _mm256_sub_epi32(totals, term));
            upto = _mm256_add_epi32(upto, splat_last(totals));
            sums[half] = _mm256_mullo_epi32(_mm256_add_epi32(sum, before), powers[half]);
        }
        sum = _mm256_mullo_epi32(_mm256_add_epi32(sum, upto), group_power);
        sums
    };
    let at = look(next, windows, index, from, to, hits);
    [first.hash, ..] = store(sum);
    at
}

/// The same look by the other sum.
#[target_feature(enable = "avx2")]
pub(super) fn roll_rollsum(
    first: &mut Rollsum,
    windows: &Windows<'_>,
    index: &BlockIndex,
    from: usize,
    to: usize,
    hits: &mut Hits,
) -> usize {
    let len = splat(first.len);
    let offset = splat(CHAR_OFFSET);
    let low_half = splat(0xffff);
    let (mut sum, mut weighted) = (splat(first.sum), splat(first.weighted));
    let next = |gone: &Bytes, come: &Bytes| {
        let mut sums = [_mm256_setzero_si256(); 2];
        // No closure, as above.
        for half in 0..2 {
            let gone = load_bytes(&gone[half * LANES..]);
            let come = load_bytes(&come[half * LANES..]);
            let change = _mm256_sub_epi32(come, gone);
            let after = _mm256_add_epi32(sum, running_totals(change));
            let gone = _mm256_mullo_epi32(len, _mm256_add_epi32(gone, offset));
            let weighted_change = _mm256_sub_epi32(after, gone);
            let weighted_after = _mm256_add_epi32(weighted, running_totals(weighted_change));
            let here = _mm256_and_si256(_mm256_sub_epi32(after, change), low_half);
            let weighted_here = _mm256_sub_epi32(weighted_after, weighted_change);
            (sum, weighted) = (splat_last(after), splat_last(weighted_after));
            sums[half] = _mm256_or_si256(_mm256_slli_epi32::<16>(weighted_here), here);
        }
        sums
    };
    let at = look(next, windows, index, from, to, hits);
    [[first.sum, ..], [first.weighted, ..]] = [store(sum), store(weighted)];
    at
}

/// Those that leave as the windows of a group move, or those that enter.
type Bytes = [u8; WINDOWS];

/// Asks for the sums of group after group, and looks for them in the index; gives where the next group begins.
#[inline]
#[target_feature(enable = "avx2")]
fn look(
    mut next: impl FnMut(&Bytes, &Bytes) -> [__m256i; 2],
    windows: &Windows<'_>,
    index: &BlockIndex,
    from: usize,
    to: usize,
    hits: &mut Hits,
) -> usize {
    let (leaving, _) = windows.data[from..].as_chunks();
    let (entering, _) = windows.data[from + windows.len..].as_chunks();
    let mut at = from;
    for (gone, come) in leaving.iter().zip(entering).take((to - from) / WINDOWS) {
        let [low, high] = next(gone, come);
        let mut held = index.may_hold_mask(low) | index.may_hold_mask(high) << LANES;
        if held != 0 {
            let sums = [store(low), store(high)];
            let sums = sums.as_flattened();
            while held != 0 {
                let place = held.trailing_zeros() as usize;
                held &= held - 1;
                if index.holds(sums[place]) {
                    hits.found.push(Hit { at: at + place, weak: sums[place] });
                }
            }
        }
        at += WINDOWS;
        if hits.are_enough() {
            break;
        }
    }
    at
}

#[target_feature(enable = "avx2")]
fn splat(number: u32) -> __m256i {
    _mm256_set1_epi32(number.cast_signed())
}

#[target_feature(enable = "avx2")]
fn load(numbers: &[u32]) -> __m256i {
    let numbers: &[u32; LANES] = numbers.first_chunk().expect("as many as lanes");
    // SAFETY: there are that many.
    unsafe { _mm256_loadu_si256(numbers.as_ptr().cast()) }
}

#[target_feature(enable = "avx2")]
fn load_bytes(bytes: &[u8]) -> __m256i {
    let bytes: &[u8; LANES] = bytes.first_chunk().expect("as many as lanes");
    // SAFETY: there are that many.
    _mm256_cvtepu8_epi32(unsafe { _mm_loadl_epi64(bytes.as_ptr().cast()) })
}

#[target_feature(enable = "avx2")]
fn store(numbers: __m256i) -> [u32; LANES] {
    let mut stored = [0; LANES];
    // SAFETY: there is room.
    unsafe { _mm256_storeu_si256(stored.as_mut_ptr().cast(), numbers) };
    stored
}

#[target_feature(enable = "avx2")]
fn splat_last(numbers: __m256i) -> __m256i {
    _mm256_permutevar8x32_epi32(numbers, splat(LANES as u32 - 1))
}

/// At each place the sum of the terms up to it.
#[target_feature(enable = "avx2")]
fn running_totals(terms: __m256i) -> __m256i {
    let terms = _mm256_add_epi32(terms, _mm256_slli_si256::<4>(terms));
    let terms = _mm256_add_epi32(terms, _mm256_slli_si256::<8>(terms));
    // Shifts stay within the halves; the total of the lower one is added to the upper.
    let lower = _mm256_permute2x128_si256::<0x08>(terms, terms);
    _mm256_add_epi32(terms, _mm256_shuffle_epi32::<0xff>(lower))
}

impl BlockIndex {
    /// For which of the weak sums there may be a block, as bits.
    #[target_feature(enable = "avx2")]
    fn may_hold_mask(&self, weak: __m256i) -> u32 {
        let (filter, multiplier, bits) = self.filter();
        let spread = _mm256_mullo_epi32(weak, splat(multiplier));
        let bit = _mm256_srl_epi32(spread, _mm_cvtsi32_si128(32 - bits.cast_signed()));
        let word = _mm256_srli_epi32::<5>(bit);
        // SAFETY: `bit` has as many bits as number those of the filter.
        let words = unsafe { _mm256_i32gather_epi32::<4>(filter.as_ptr().cast(), word) };
        let bit = _mm256_and_si256(bit, splat(31));
        // The bit that was asked for, as the sign.
        let sign = _mm256_sllv_epi32(words, _mm256_sub_epi32(splat(31), bit));
        _mm256_movemask_ps(_mm256_castsi256_ps(sign)).cast_unsigned()
    }
}
