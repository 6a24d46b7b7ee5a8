//! The same look with AVX2: two vectors of eight windows at once, and the filter asked for eight in one go.

use std::arch::x86_64::*;

use super::{HITS_MAX, Hit, Windows};
use crate::engine::native::index::BlockIndex;
use crate::engine::native::weak::{ADJUST, INVERSES, POWERS, RabinKarp, Rolling, WINDOWS};

/// Windows in a vector.
const LANES: usize = 8;

const _: () = assert!(WINDOWS == 2 * LANES);

/// Looks at windows from `from` on, as long as there are whole groups of them; gives where the next would begin. How
/// the sums of a group follow from the one before it, [`RabinKarp`] says.
#[target_feature(enable = "avx2")]
pub(super) fn roll(windows: &Windows<'_>, index: &BlockIndex, from: usize, to: usize, hits: &mut Vec<Hit>) -> usize {
    let Some(content) = windows.data.get(from..from + windows.len) else { return from };
    let first = RabinKarp::new(content);
    if from >= to {
        return from;
    }
    if index.holds(first.digest()) {
        hits.push(Hit { at: from, weak: first.digest() });
    }
    let power = _mm256_set1_epi32(first.power().cast_signed());
    let adjust = _mm256_set1_epi32(ADJUST.cast_signed());
    let [inverses, powers] = [&INVERSES, &POWERS].map(|table| [load(&table[1..]), load(&table[1 + LANES..])]);
    let last = _mm256_set1_epi32(LANES as i32 - 1);
    // The bytes that leave as the window moves, and those that enter.
    let ends = windows.data[from + windows.len..].chunks_exact(WINDOWS);
    let steps = windows.data[from..].chunks_exact(WINDOWS).zip(ends).take((to - from - 1) / WINDOWS);
    let mut sum = _mm256_set1_epi32(first.digest().cast_signed());
    let mut at = from + 1;
    for (gone, come) in steps {
        let [low, high] = std::array::from_fn(|half| {
            let [gone, come] = [gone, come].map(|bytes| load_bytes(&bytes[half * LANES..]));
            let gone = _mm256_mullo_epi32(power, _mm256_add_epi32(gone, adjust));
            running_totals(_mm256_mullo_epi32(_mm256_sub_epi32(come, gone), inverses[half]))
        });
        let high = _mm256_add_epi32(high, _mm256_permutevar8x32_epi32(low, last));
        let low = _mm256_mullo_epi32(_mm256_add_epi32(sum, low), powers[0]);
        let high = _mm256_mullo_epi32(_mm256_add_epi32(sum, high), powers[1]);
        sum = _mm256_permutevar8x32_epi32(high, last);
        let mut held = index.may_hold_mask(low) | index.may_hold_mask(high) << LANES;
        if held != 0 {
            let sums = [store(low), store(high)].concat();
            while held != 0 {
                let place = held.trailing_zeros() as usize;
                held &= held - 1;
                if index.holds(sums[place]) {
                    hits.push(Hit { at: at + place, weak: sums[place] });
                }
            }
            if hits.len() >= HITS_MAX {
                return at + WINDOWS;
            }
        }
        at += WINDOWS;
    }
    at
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
        let spread = _mm256_mullo_epi32(weak, _mm256_set1_epi32(multiplier.cast_signed()));
        let bit = _mm256_srl_epi32(spread, _mm_cvtsi32_si128(32 - bits.cast_signed()));
        let word = _mm256_srli_epi32::<5>(bit);
        // SAFETY: `bit` has as many bits as number those of the filter.
        let words = unsafe { _mm256_i32gather_epi32::<4>(filter.as_ptr().cast(), word) };
        let bit = _mm256_and_si256(bit, _mm256_set1_epi32(31));
        // The bit that was asked for, as the sign.
        let sign = _mm256_sllv_epi32(words, _mm256_sub_epi32(_mm256_set1_epi32(31), bit));
        _mm256_movemask_ps(_mm256_castsi256_ps(sign)).cast_unsigned()
    }
}
