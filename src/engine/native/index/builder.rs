//! An index in the making: sums are taken in as they come by, and need not be held.

use super::keys::{Keys, Tag, split};
use super::{BlockIndex, EQUAL_MAX, bucket_bits, filter_bits, high};
use crate::{Error, ErrorKind, Result};

/// Bytes that a tag takes for as long as the index is built.
pub(super) const TAG_LEN: usize = size_of::<Tag>();

/// Takes the sums of blocks in their order.
pub(in super::super) struct IndexBuilder {
    keys: Keys,
    /// What the weak sum is spread to, and the block.
    entries: Vec<u64>,
    tags: Vec<Tag>,
}

impl IndexBuilder {
    /// Of a signature that keeps so many bytes of a strong sum.
    pub(in super::super) fn new(strong_len: usize) -> Self {
        Self { keys: Keys::random(strong_len), entries: Vec::new(), tags: Vec::new() }
    }

    /// Makes room for so many blocks.
    pub(in super::super) fn reserve(&mut self, blocks: usize) -> Result<()> {
        reserve(&mut self.entries, blocks)?;
        reserve(&mut self.tags, blocks)
    }

    /// Adds the next block.
    pub(in super::super) fn push(&mut self, weak: u32, strong: &[u8]) {
        self.entries.push(u64::from(self.keys.spread(weak)) << 32 | self.entries.len() as u64);
        self.tags.push(self.keys.tag(strong));
    }

    /// The index; `is_same` decides whether the strong sums of two blocks are equal, of which the tags are.
    pub(in super::super) fn finish(mut self, is_same: impl Fn(u32, u32) -> bool) -> Result<BlockIndex> {
        self.entries.sort_unstable();
        self.drop_equal(is_same);
        let Self { keys, mut entries, tags } = self;
        let bucket_bits = bucket_bits(entries.len());
        let mut buckets = Vec::new();
        reserve(&mut buckets, (1 << bucket_bits) + 1)?;
        for (at, entry) in entries.iter_mut().enumerate() {
            let (bucket, rest) = split(high(*entry), bucket_bits);
            buckets.resize(buckets.len().max(bucket + 1), at as u32);
            let block = *entry as u32;
            let tag = tags[block as usize].high_bits(bucket_bits);
            *entry = u64::from(rest | tag) << 32 | u64::from(block);
        }
        buckets.resize((1 << bucket_bits) + 1, entries.len() as u32);
        drop(tags);

        let filter_bits = filter_bits(entries.len());
        let mut filter = Vec::new();
        reserve(&mut filter, 1 << (filter_bits - 5))?;
        filter.resize(1 << (filter_bits - 5), 0);
        for (bucket, ends) in buckets.windows(2).enumerate() {
            for &entry in &entries[ends[0] as usize..ends[1] as usize] {
                let spread = (bucket as u64) << 32 | u64::from(high(entry) >> bucket_bits << bucket_bits);
                let bit = (spread >> bucket_bits) as u32 >> (32 - filter_bits);
                filter[bit as usize / 32] |= 1 << (bit % 32);
            }
        }
        Ok(BlockIndex { keys, filter, filter_bits, buckets, bucket_bits, entries })
    }

    /// Drops blocks whose sums an earlier one has, and those of a weak sum that enough have.
    fn drop_equal(&mut self, is_same: impl Fn(u32, u32) -> bool) {
        let Self { entries, tags, .. } = self;
        let is_equal = |a: u32, b: u32| tags[a as usize] == tags[b as usize] && is_same(a, b);
        // Where those of the present weak sum begin.
        let mut first = 0;
        let mut kept = 0;
        for at in 0..entries.len() {
            let entry = entries[at];
            if kept == 0 || high(entries[kept - 1]) != high(entry) {
                first = kept;
            }
            let others = &entries[first..kept];
            if others.len() < EQUAL_MAX && !others.iter().any(|&other| is_equal(other as u32, entry as u32)) {
                entries[kept] = entry;
                kept += 1;
            }
        }
        entries.truncate(kept);
    }
}

fn reserve<T>(vec: &mut Vec<T>, len: usize) -> Result<()> {
    let no_memory = |_| Error::new(ErrorKind::OutOfMemory, "no memory for the index of a signature");
    vec.try_reserve_exact(len).map_err(no_memory)
}
