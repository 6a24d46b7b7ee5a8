//! Content that was gathered, before anything is decided about it.

use super::encoder::no_memory;
use crate::Result;
use crate::engine::Window;

/// Content gathered before it is worked on: enough for several threads, small beside any limit.
pub(super) const GATHER_LEN: usize = 2 << 20;

/// Blocks gathered at most, unless they are fewer than [`LEN_MIN`] bytes.
pub(super) const GATHER_BLOCKS: usize = 16 * 1024;

/// The first size of the buffer; small files never make it grow.
const LEN_MIN: usize = 64 * 1024;

/// How much is gathered where the longest blocks have so many bytes: the same whatever the number of threads, and less
/// where the sums of short blocks would take more than the content.
pub(super) fn len_max(longest: usize) -> usize {
    let gather = GATHER_LEN.min(longest.saturating_mul(GATHER_BLOCKS)).max(LEN_MIN);
    gather.next_multiple_of(longest) + 2 * longest
}

/// The content from some place on, up to where it has come.
pub(super) struct Gathered {
    buffer: Vec<u8>,
    filled: usize,
    /// Where in the content it begins.
    start: u64,
    len_max: usize,
}

impl Gathered {
    pub(super) fn new(len_max: usize) -> Self {
        Self { buffer: Vec::new(), filled: 0, start: 0, len_max }
    }

    pub(super) fn start(&self) -> u64 {
        self.start
    }

    /// Where in the content it ends.
    pub(super) fn end(&self) -> u64 {
        self.start + self.filled as u64
    }

    pub(super) fn len_max(&self) -> usize {
        self.len_max
    }

    pub(super) fn is_empty(&self) -> bool {
        self.filled == 0
    }

    pub(super) fn is_full(&self) -> bool {
        self.filled == self.len_max
    }

    pub(super) fn window(&self) -> Window<'_> {
        Window { data: &self.buffer[..self.filled], start: self.start }
    }

    /// The buffer, with room behind what is filled of it unless that is full, and how much that is.
    pub(super) fn room(&mut self) -> Result<(&mut [u8], &mut usize)> {
        if self.filled == self.buffer.len() && self.filled < self.len_max {
            let len = (self.buffer.len() * 2).clamp(LEN_MIN.min(self.len_max), self.len_max);
            // Blocks may be long: a signature says how long.
            self.buffer.try_reserve_exact(len - self.filled).map_err(|_| no_memory("for the content of a level"))?;
            self.buffer.resize(len, 0);
        }
        Ok((&mut self.buffer, &mut self.filled))
    }

    /// Makes room for more content: what is before `offset` is decided.
    pub(super) fn drop_before(&mut self, offset: u64) {
        let gone = (offset - self.start) as usize;
        self.buffer.copy_within(gone..self.filled, 0);
        self.filled -= gone;
        self.start = offset;
    }

    /// Begins at `offset`, which was worked on elsewhere; it must be empty.
    pub(super) fn pass_to(&mut self, offset: u64) {
        debug_assert!(self.is_empty());
        self.start = offset;
    }
}
