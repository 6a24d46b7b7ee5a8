//! Finds the blocks of a signature by their weak sum.

use std::hash::{BuildHasher, RandomState};

use crate::format::SumTable;

/// No block.
const NONE: u32 = u32::MAX;

/// Blocks of one weak sum that are kept: a signature made of them must not make every look-up slow
/// (CVE-2026-70453 in rsync is that fault). Honest signatures hold one or two.
const EQUAL_MAX: usize = 64;

/// A hash table over the weak sums, with a bit filter before it that stays in the processor's cache.
///
/// Of blocks with equal sums only the first is in it, and of one weak sum the first 64. It takes 13 to 18
/// bytes for each block of a large signature, and up to 80 of a small one.
pub(crate) struct BlockIndex {
    /// Spreads the sums over the table. It is odd and drawn by lot, so that nobody can choose sums that
    /// meet in one place; what is found does not depend on it.
    multiplier: u32,
    filter: Vec<u32>,
    filter_bits: u32,
    heads: Vec<u32>,
    head_bits: u32,
    /// The next block in the same chain.
    next: Vec<u32>,
    weak: Vec<u32>,
}

/// The bits that the filter has and the heads that the table has, as powers of two.
fn sizes(blocks: usize) -> (u32, u32) {
    let blocks = blocks.max(1);
    let head_bits = blocks.next_power_of_two().ilog2().clamp(4, 31);
    // Where it stays in a core's own cache the filter is wide: one bit in 256 set, against one in eight.
    let filter_bits = (head_bits + 8).min(22).max((head_bits + 3).min(32));
    (filter_bits, head_bits)
}

impl BlockIndex {
    /// Bytes of memory that the index of so many blocks takes.
    pub(crate) fn memory_bytes(blocks: usize) -> u64 {
        let (filter_bits, head_bits) = sizes(blocks);
        (1u64 << filter_bits) / 8 + (4u64 << head_bits) + 8 * blocks as u64
    }

    /// Indexes the first `blocks` blocks.
    pub(crate) fn new(table: &SumTable, blocks: usize) -> Self {
        let (filter_bits, head_bits) = sizes(blocks);
        let mut index = Self {
            multiplier: RandomState::new().hash_one(blocks) as u32 | 1,
            filter: vec![0; 1 << (filter_bits - 5)],
            filter_bits,
            heads: vec![NONE; 1 << head_bits],
            head_bits,
            next: vec![NONE; blocks],
            weak: table.weak()[..blocks].to_vec(),
        };
        for block in 0..blocks {
            index.insert(table, block);
        }
        index
    }

    fn insert(&mut self, table: &SumTable, block: usize) {
        let weak = self.weak[block];
        let head = self.spread(weak, self.head_bits);
        let mut equal_weak = 0;
        let mut other = self.heads[head];
        while other != NONE {
            let at = other as usize;
            if self.weak[at] == weak {
                equal_weak += 1;
                if equal_weak == EQUAL_MAX || table.strong_of(at) == table.strong_of(block) {
                    return;
                }
            }
            other = self.next[at];
        }
        self.next[block] = self.heads[head];
        self.heads[head] = block as u32;
        let bit = self.spread(weak, self.filter_bits);
        self.filter[bit / 32] |= 1 << (bit % 32);
    }

    #[inline(always)]
    fn spread(&self, weak: u32, bits: u32) -> usize {
        (weak.wrapping_mul(self.multiplier) >> (32 - bits)) as usize
    }

    /// Whether a block may have this weak sum: a quick look that is seldom wrong.
    #[inline(always)]
    fn may_hold(&self, weak: u32) -> bool {
        let bit = self.spread(weak, self.filter_bits);
        self.filter[bit / 32] >> (bit % 32) & 1 != 0
    }

    /// Whether a block has this weak sum.
    #[inline(always)]
    pub(super) fn holds(&self, weak: u32) -> bool {
        self.may_hold(weak) && self.candidates(weak).next().is_some()
    }

    /// The bits of the filter, and what spreads a sum over so many bits: it is multiplied, and the high bits are
    /// taken.
    #[cfg(target_arch = "x86_64")]
    pub(super) fn filter(&self) -> (&[u32], u32, u32) {
        (&self.filter, self.multiplier, self.filter_bits)
    }

    /// Whether a block may have one of these weak sums.
    #[inline(always)]
    pub(super) fn may_hold_any<const N: usize>(&self, weak: &[u32; N]) -> bool {
        let mut any = 0;
        for &weak in weak {
            let bit = self.spread(weak, self.filter_bits);
            any |= self.filter[bit / 32] >> (bit % 32);
        }
        any & 1 != 0
    }

    /// The blocks with this weak sum, at most 64.
    pub(crate) fn candidates(&self, weak: u32) -> impl Iterator<Item = u32> + '_ {
        let mut block = self.heads[self.spread(weak, self.head_bits)];
        std::iter::from_fn(move || {
            while block != NONE {
                let at = block as usize;
                block = self.next[at];
                if self.weak[at] == weak {
                    return Some(at as u32);
                }
            }
            None
        })
    }
}
