//! What is drawn by lot for each index, so that nobody can choose sums that meet in one place.

use std::hash::{BuildHasher, RandomState};

/// Spreads weak sums, and makes tags of strong ones. What is found depends on it only where equal tags stand for equal
/// sums.
pub(super) struct Keys {
    /// It is odd, so that no two sums are spread to the same.
    pub(super) multiplier: u32,
    /// Of each word of a strong sum, and what is added to all of them.
    words: [u64; 8],
    shift: u64,
    /// Bytes of a strong sum that count.
    strong_len: usize,
}

/// 24 bits that tell strong sums apart.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Tag(pub(super) [u8; 3]);

impl Tag {
    /// The first bits of it: as many as are asked for, of which those behind the last are zero.
    pub(super) fn high_bits(self, bits: u32) -> u32 {
        let [a, b, c] = self.0;
        (u64::from(u32::from_be_bytes([0, a, b, c])) << bits >> 24) as u32
    }
}

impl Keys {
    pub(super) fn random(strong_len: usize) -> Self {
        let lot = RandomState::new();
        Self {
            multiplier: lot.hash_one("weak") as u32 | 1,
            words: std::array::from_fn(|word| lot.hash_one(word)),
            shift: lot.hash_one("shift"),
            strong_len,
        }
    }

    /// The high bits of it say where a weak sum stands.
    #[inline(always)]
    pub(super) fn spread(&self, weak: u32) -> u32 {
        weak.wrapping_mul(self.multiplier)
    }

    /// The high bits of a sum of products: two strong sums, however they were chosen, meet as seldom as by chance.
    pub(super) fn tag(&self, strong: &[u8]) -> Tag {
        let mut padded = [0; 32];
        let strong = &strong[..self.strong_len.min(strong.len())];
        padded[..strong.len()].copy_from_slice(strong);
        let (words, _) = padded.as_chunks();
        let products =
            words.iter().zip(self.words).map(|(&word, key)| key.wrapping_mul(u32::from_le_bytes(word).into()));
        let [a, b, c, ..] = products.fold(self.shift, u64::wrapping_add).to_be_bytes();
        Tag([a, b, c])
    }
}

/// The bucket that the first bits say, and the other bits, moved to the top.
#[inline(always)]
pub(super) fn split(spread: u32, bucket_bits: u32) -> (usize, u32) {
    let moved = u64::from(spread) << bucket_bits;
    ((moved >> 32) as usize, moved as u32)
}
