//! The sums of many blocks in memory, compactly.

use crate::Result;
use crate::format::{BlockSum, SignatureParams};
use crate::{Error, ErrorKind};

/// Block sums one after the other: four bytes and the strong sum's length for each.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct SumTable {
    params: SignatureParams,
    weak: Vec<u32>,
    strong: Vec<u8>,
}

impl SumTable {
    /// Blocks are numbered by 32 bits, and the last number stands for none.
    pub(crate) const BLOCKS_MAX: usize = u32::MAX as usize - 1;

    pub(crate) fn new(params: SignatureParams) -> Self {
        Self { params, weak: Vec::new(), strong: Vec::new() }
    }

    /// Adds a block; grows by doubling like a vector does, but fails where a vector would abort.
    pub(crate) fn push(&mut self, sum: &BlockSum, memory_limit: u64) -> Result<()> {
        if self.weak.len() == self.weak.capacity() {
            self.grow(memory_limit)?;
        }
        self.weak.push(sum.weak);
        self.strong.extend_from_slice(&sum.strong[..self.params.strong_len as usize]);
        Ok(())
    }

    fn grow(&mut self, memory_limit: u64) -> Result<()> {
        let blocks = self.weak.len();
        if blocks >= Self::BLOCKS_MAX {
            return Err(Error::new(ErrorKind::Limit, "signature has too many blocks")
                .expected(format_args!("at most {}", Self::BLOCKS_MAX), "more"));
        }
        let allowed = memory_limit / self.params.record_len() as u64;
        let allowed = allowed.min(Self::BLOCKS_MAX as u64);
        let more = (blocks.clamp(64, 1 << 20) as u64).min(allowed.saturating_sub(blocks as u64)) as usize;
        if more == 0 {
            return Err(Error::new(ErrorKind::Limit, "signature does not fit in the memory allowed")
                .expected(format_args!("at most {memory_limit} bytes"), "more"));
        }
        let strong = more * self.params.strong_len as usize;
        if self.weak.try_reserve_exact(more).is_err() || self.strong.try_reserve_exact(strong).is_err() {
            return Err(Error::new(ErrorKind::OutOfMemory, "no memory for the sums of a signature"));
        }
        Ok(())
    }

    pub(crate) fn params(&self) -> &SignatureParams {
        &self.params
    }

    pub(crate) fn len(&self) -> usize {
        self.weak.len()
    }

    pub(crate) fn weak(&self) -> &[u32] {
        &self.weak
    }

    /// The strong sum of a block that is there.
    pub(crate) fn strong_of(&self, index: usize) -> &[u8] {
        let strong_len = self.params.strong_len as usize;
        &self.strong[index * strong_len..(index + 1) * strong_len]
    }

    pub(crate) fn get(&self, index: usize) -> Option<BlockSum> {
        let weak = *self.weak.get(index)?;
        Some(Self::block_sum(weak, self.strong_of(index)))
    }

    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = BlockSum> + '_ {
        let strong = self.strong.chunks_exact(self.params.strong_len as usize);
        self.weak.iter().zip(strong).map(|(&weak, strong)| Self::block_sum(weak, strong))
    }

    fn block_sum(weak: u32, strong: &[u8]) -> BlockSum {
        let mut sum = BlockSum { weak, ..BlockSum::default() };
        sum.strong[..strong.len()].copy_from_slice(strong);
        sum
    }

    /// Whether block `index` has this sum, as far as the strong sums are kept.
    #[inline]
    pub(crate) fn is_block(&self, index: usize, sum: &BlockSum) -> bool {
        let strong = self.strong_of(index);
        self.weak[index] == sum.weak && sum.strong[..strong.len()] == *strong
    }

    /// Bytes of memory that the sums take.
    pub(crate) fn memory_bytes(&self) -> u64 {
        self.weak.len() as u64 * self.params.record_len() as u64
    }
}
