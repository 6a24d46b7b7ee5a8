//! What a scan may spend on candidates that turn out not to match.

use std::ops::Range;

/// What is spent at most before it is earned again, in blocks.
const SAVED_BLOCKS: u64 = 64;

/// What a scan starts with, in blocks: little, since a tree starts one for every file.
const INITIAL_BLOCKS: u64 = 4;

/// Blocks after the expected one that count as near: by chance alone hardly any of so few has the weak sum
/// of a window, so that content which was shifted is found again however large the basis is.
const NEAR_BLOCKS: usize = 4096;

/// What a strong sum for near candidates costs, in those of far ones: few are needed, and content can be made to have
/// one at every byte.
const NEAR_FACTOR: u64 = 2;

/// What is earned at most for far candidates by one byte scanned.
const FAR_RATE_MAX: u64 = 8;

/// A look at one candidate, in bytes hashed.
const LOOK_PRICE: u64 = 2;

/// Bytes that may be hashed in vain, earned by bytes scanned.
///
/// A weak sum of 32 bits meets by chance: against a basis of n bytes each byte scanned costs about n / 2^32
/// bytes of strong sums that fail. Far candidates earn for twice that, up to a bound that keeps content
/// crafted to fail at every byte within a constant factor of honest content; past some 16 GiB of basis
/// the price is that a far move is missed now and then. Near candidates have a purse of their own, and the other when
/// that is empty.
#[derive(Debug)]
pub(super) struct Budget {
    near: u64,
    far: u64,
    far_rate: u64,
    max: u64,
}

impl Budget {
    pub(super) fn new(block_len: u64, basis_len: u64) -> Self {
        let initial = INITIAL_BLOCKS * block_len;
        let far_rate = (1 + (basis_len >> 31)).min(FAR_RATE_MAX);
        Self { near: NEAR_FACTOR * initial, far: initial, far_rate, max: SAVED_BLOCKS * block_len }
    }

    /// So many bytes were scanned.
    pub(super) fn earn(&mut self, bytes: u64) {
        self.near = (self.near + bytes).min(NEAR_FACTOR * self.max);
        self.far = (self.far + bytes * self.far_rate).min(self.max);
    }

    /// So many bytes are to be scanned before any candidate may be held against a strong sum that costs `price`.
    pub(super) fn until_any(&self, price: u64) -> u64 {
        let near = (NEAR_FACTOR * price).saturating_sub(self.near);
        near.min(price.saturating_sub(self.far).div_ceil(self.far_rate))
    }

    /// Whether the candidates may be held against a strong sum that costs `price`; a refusal costs the looks
    /// at them.
    pub(super) fn allows(
        &mut self,
        candidates: impl Iterator<Item = usize>,
        expected: usize,
        price: u64,
    ) -> Option<Purse> {
        if self.until_any(price) > 0 {
            return None;
        }
        let near: Range<usize> = expected..expected.saturating_add(NEAR_BLOCKS);
        let mut looks = 0;
        let mut purse = None;
        for candidate in candidates {
            looks += 1;
            purse = Some(Purse::Far);
            if near.contains(&candidate) {
                purse = Some(Purse::Near);
                break;
            }
        }
        match purse? {
            Purse::Near if self.near >= NEAR_FACTOR * price => Some(Purse::Near),
            _ if self.far >= price => Some(Purse::Far),
            _ => {
                self.near = self.near.saturating_sub(looks * LOOK_PRICE);
                None
            }
        }
    }

    /// A strong sum was computed in vain.
    pub(super) fn pay(&mut self, purse: Purse, price: u64) {
        let (from, price) = match purse {
            Purse::Near => (&mut self.near, NEAR_FACTOR * price),
            Purse::Far => (&mut self.far, price),
        };
        *from = from.saturating_sub(price);
    }
}

/// Who pays for a candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purse {
    Near,
    Far,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_candidate_is_allowed_before_it_is_said_that_one_may_be() {
        let price = 1000;
        for (near, far, far_rate) in
            [(0, 0, 1), (0, 0, 8), (700, 0, 1), (0, 701, 3), (999, 993, 7), (1000, 0, 1), (0, 5000, 1)]
        {
            let purses = Budget { near, far, far_rate, max: 64 * price };
            let until = purses.until_any(price);
            // One candidate that is near, and one that is far.
            let allowed_after = |bytes| {
                [0, NEAR_BLOCKS].map(|block| {
                    let mut budget = Budget { ..purses };
                    budget.earn(bytes);
                    budget.allows(std::iter::once(block), 0, price).is_some()
                })
            };
            assert!((0..until).all(|bytes| allowed_after(bytes) == [false; 2]), "{purses:?}");
            assert!(allowed_after(until).contains(&true), "{purses:?}");
        }
    }
}
