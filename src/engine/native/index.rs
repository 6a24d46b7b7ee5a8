//! Finds the blocks of a signature by their sums.

mod builder;
mod keys;
#[cfg(test)]
mod tests;

pub(super) use self::builder::IndexBuilder;
use self::keys::Keys;
use crate::Result;
use crate::format::SumTable;

/// Blocks of one weak sum that are kept: a signature made of them must not make every look-up slow
/// (CVE-2026-70453 in rsync is that fault). Honest signatures hold one or two.
const EQUAL_MAX: usize = 64;

/// The blocks in order of what their weak sums are spread to, with a directory of buckets, and a bit filter before
/// them that stays in the processor's cache.
///
/// Of blocks with equal sums only the first is in it, and of one weak sum the first 64. It takes at most 12 bytes
/// for each block, also while it is built; of fewer than 2^18 blocks up to 512 KiB more, for a wider filter.
pub(crate) struct BlockIndex {
    keys: Keys,
    filter: Vec<u32>,
    filter_bits: u32,
    /// Where the entries of each bucket begin, and where the last one's end. The bucket is what the first bits say
    /// of what a weak sum is spread to.
    buckets: Vec<u32>,
    bucket_bits: u32,
    /// From the top: the other bits of what the weak sum is spread to, in place of those that the bucket stands for
    /// as many of the strong sum's tag, and the block's number.
    entries: Vec<u64>,
}

/// The bits that the filter has, as a power of two.
fn filter_bits(blocks: usize) -> u32 {
    let bits = blocks.max(1).next_power_of_two().ilog2().clamp(4, 31);
    // Where it stays in a core's own cache the filter is wide: one bit in 256 set, against one in eight.
    (bits + 8).min(22).max((bits + 3).min(32))
}

/// The buckets, as a power of two: five to ten blocks are in each.
fn bucket_bits(blocks: usize) -> u32 {
    (blocks / 5).max(1).ilog2()
}

impl BlockIndex {
    /// Bytes of memory that the index of so many blocks takes; `u64::MAX` where blocks are too many to be numbered.
    pub(crate) fn memory_bytes(blocks: u64) -> u64 {
        let Some(count) = usize::try_from(blocks).ok().filter(|&count| count <= SumTable::BLOCKS_MAX) else {
            return u64::MAX;
        };
        // The tags are there until the filter is made.
        let later = (builder::TAG_LEN as u64 * blocks).max((1u64 << filter_bits(count)) / 8);
        (4u64 << bucket_bits(count)) + 4 + 8 * blocks + later
    }

    /// Indexes the first `blocks` blocks.
    ///
    /// # Errors
    ///
    /// [`OutOfMemory`](crate::ErrorKind::OutOfMemory).
    pub(crate) fn new(table: &SumTable, blocks: usize) -> Result<Self> {
        let mut builder = IndexBuilder::new(table.params().strong_len as usize);
        builder.reserve(blocks)?;
        for (block, &weak) in table.weak()[..blocks].iter().enumerate() {
            builder.push(weak, table.strong_of(block));
        }
        builder.finish(|a, b| table.strong_of(a as usize) == table.strong_of(b as usize))
    }

    /// Whether a block may have this weak sum: a quick look that is seldom wrong.
    #[inline(always)]
    fn may_hold(&self, weak: u32) -> bool {
        let bit = self.keys.spread(weak) >> (32 - self.filter_bits);
        self.filter[bit as usize / 32] >> (bit % 32) & 1 != 0
    }

    /// Whether a block has this weak sum.
    #[inline(always)]
    pub(super) fn holds(&self, weak: u32) -> bool {
        self.may_hold(weak) && self.has_candidates(weak)
    }

    /// Seldom called, and not to take registers from the loop that asks the filter.
    #[inline(never)]
    fn has_candidates(&self, weak: u32) -> bool {
        self.candidates(weak).next().is_some()
    }

    /// The bits of the filter, and what spreads a sum over so many bits: it is multiplied, and the high bits are
    /// taken.
    #[cfg(target_arch = "x86_64")]
    pub(super) fn filter(&self) -> (&[u32], u32, u32) {
        (&self.filter, self.keys.multiplier, self.filter_bits)
    }

    /// Whether a block may have one of these weak sums.
    #[inline(always)]
    pub(super) fn may_hold_any<const N: usize>(&self, weak: &[u32; N]) -> bool {
        let mut any = 0;
        for &weak in weak {
            let bit = self.keys.spread(weak) >> (32 - self.filter_bits);
            any |= self.filter[bit as usize / 32] >> (bit % 32);
        }
        any & 1 != 0
    }

    /// The blocks with this weak sum, at most 64, the last first.
    #[inline]
    pub(crate) fn candidates(&self, weak: u32) -> impl Iterator<Item = u32> + '_ {
        let (bucket, rest) = self.place(weak);
        let is_equal = move |entry: &&u64| (high(**entry) ^ rest) >> self.bucket_bits == 0;
        bucket.iter().rev().filter(is_equal).map(|&entry| entry as u32)
    }

    /// Those of them that may have this strong sum: hardly ever another than the one that has it.
    pub(super) fn likely(&self, weak: u32, strong: &[u8; 32]) -> impl Iterator<Item = u32> + '_ {
        let (bucket, rest) = self.place(weak);
        let wanted = rest | self.keys.tag(strong).high_bits(self.bucket_bits);
        bucket.iter().rev().filter(move |&&entry| high(entry) == wanted).map(|&entry| entry as u32)
    }

    /// The bucket of a weak sum, and the bits that tell it from others in there.
    #[inline(always)]
    fn place(&self, weak: u32) -> (&[u64], u32) {
        let (bucket, rest) = keys::split(self.keys.spread(weak), self.bucket_bits);
        (&self.entries[self.buckets[bucket] as usize..self.buckets[bucket + 1] as usize], rest)
    }
}

/// All of an entry but the number of the block.
#[inline(always)]
fn high(entry: u64) -> u32 {
    (entry >> 32) as u32
}
