//! What a matcher sees of the content, and where it puts what it finds.

use crate::format::{BlockSum, Leaf};

/// The part of the content that is in memory.
pub(crate) struct Window<'a> {
    /// The content.
    pub(crate) data: &'a [u8],
    /// Where in the content it begins.
    pub(crate) start: u64,
}

impl<'a> Window<'a> {
    /// Where in the content it ends.
    pub(crate) fn end(&self) -> u64 {
        self.start + self.data.len() as u64
    }

    /// The content from `from` to `to`, which are both within the window.
    pub(crate) fn slice(&self, from: u64, to: u64) -> &'a [u8] {
        &self.data[(from - self.start) as usize..(to - self.start) as usize]
    }
}

/// Sums of the blocks that begin at multiples of the block length, computed beforehand.
pub(crate) struct Grid<'a> {
    /// Bytes in a block.
    pub(crate) block_len: u64,
    /// The number of the first block.
    pub(crate) first: u64,
    /// The sums of that block and those after it.
    pub(crate) sums: &'a [BlockSum],
}

impl Grid<'_> {
    /// The sum of the block that begins at `position`, if it is on the grid and was computed.
    pub(crate) fn sum_at(&self, position: u64) -> Option<&BlockSum> {
        if !position.is_multiple_of(self.block_len) {
            return None;
        }
        let index = (position / self.block_len).checked_sub(self.first)?;
        self.sums.get(usize::try_from(index).ok()?)
    }
}

/// Takes the commands of a delta, in order.
pub(crate) trait CommandSink {
    /// The next `len` bytes are those of the basis from `offset`.
    fn copy(&mut self, offset: u64, len: u64);
    /// The next bytes are these.
    fn literal(&mut self, content: &[u8]);
}

/// A strong sum cut to the length that the basis keeps.
pub(crate) fn is_strong(strong: &Leaf, kept: &[u8]) -> bool {
    strong[..kept.len()] == *kept
}

/// Shorter runs of zeros cost more as a frame of their own than they save.
pub(crate) const ZERO_RUN_MIN: usize = 4096;

/// Whether all bytes are zero; looked at in pieces that the processor takes at once.
pub(crate) fn is_zeros(content: &[u8]) -> bool {
    content.chunks(128).all(|piece| piece.iter().fold(0, |all, byte| all | byte) == 0)
}
