//! Blocks of the content that are summed for the matcher alone, beside those of the new signature.

use crate::Result;
use crate::engine::native::{BlockRun, ZeroSum, block_sums};
use crate::engine::{Grid, Window};
use crate::format::{BlockSum, SignatureParams};
use crate::memory::reserve;

/// Blocks that lie one after the other, and their sums as far as there are any.
pub(super) struct Run {
    params: SignatureParams,
    start: u64,
    sums: Vec<BlockSum>,
    of_zeros: ZeroSum,
}

impl Run {
    pub(super) fn new(params: SignatureParams, start: u64) -> Self {
        Self { params, start, sums: Vec::new(), of_zeros: ZeroSum::default() }
    }

    /// Where the first block without a sum begins.
    fn next(&self) -> u64 {
        self.start + self.sums.len() as u64 * u64::from(self.params.block_len)
    }

    /// The blocks without a sum, in a window that begins at `window_start`.
    pub(super) fn blocks(&mut self, window_start: u64) -> BlockRun<'_> {
        let from = (self.next() - window_start) as usize;
        BlockRun { params: self.params, from, sums: &mut self.sums, crc: None, of_zeros: &self.of_zeros }
    }

    /// Sums the blocks up to `end` that have no sum yet; the last of them may be short.
    pub(super) fn sum_until(&mut self, end: u64, window: &Window<'_>, threads: usize) -> Result<()> {
        let content = window.slice(self.next().min(end), end);
        reserve(&mut self.sums, content.len().div_ceil(self.params.block_len as usize))?;
        block_sums(&self.params, content, threads, &mut self.sums);
        Ok(())
    }

    /// Sums the whole blocks of the window that have no sum yet.
    pub(super) fn sum_whole(&mut self, window: &Window<'_>, threads: usize) -> Result<()> {
        let block_len = u64::from(self.params.block_len);
        let left = window.end().saturating_sub(self.next());
        self.sum_until(self.next() + left / block_len * block_len, window, threads)
    }

    pub(super) fn grid(&self) -> Grid<'_> {
        Grid { block_len: u64::from(self.params.block_len), start: self.start, sums: &self.sums }
    }
}
