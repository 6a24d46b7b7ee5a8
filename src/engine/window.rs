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

/// Sums of blocks that lie one after the other, computed beforehand.
#[derive(Clone, Copy)]
pub(crate) struct Grid<'a> {
    /// Bytes in a block.
    pub(crate) block_len: u64,
    /// Where in the content the first block begins.
    pub(crate) start: u64,
    /// The sums of that block and those after it.
    pub(crate) sums: &'a [BlockSum],
}

impl Grid<'_> {
    /// The sum of the block that begins at `position`, if it is on the grid and was computed.
    pub(crate) fn sum_at(&self, position: u64) -> Option<&BlockSum> {
        let offset = position.checked_sub(self.start)?;
        if !offset.is_multiple_of(self.block_len) {
            return None;
        }
        self.sums.get(usize::try_from(offset / self.block_len).ok()?)
    }

    /// The first place from `position` on where a block begins whose sum was computed.
    pub(crate) fn next_from(&self, position: u64) -> Option<u64> {
        let offset = position.saturating_sub(self.start).next_multiple_of(self.block_len);
        (offset / self.block_len < self.sums.len() as u64).then_some(self.start + offset)
    }
}

/// All sums of a window that were computed beforehand: those of the new signature, where they are of the kind that
/// the basis has, and those of blocks which follow a match that lies elsewhere.
#[derive(Clone, Copy, Default)]
pub(crate) struct Known<'a> {
    pub(crate) grids: [Option<Grid<'a>>; 2],
}

impl Known<'_> {
    pub(crate) fn sum_at(&self, position: u64) -> Option<&BlockSum> {
        self.grids.iter().flatten().find_map(|grid| grid.sum_at(position))
    }

    pub(crate) fn next_from(&self, position: u64) -> Option<u64> {
        self.grids.iter().flatten().filter_map(|grid| grid.next_from(position)).min()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_found_where_their_blocks_begin_and_nowhere_else() {
        let sums = [1, 2, 3].map(|weak| BlockSum { weak, ..BlockSum::default() });
        let shifted = [4].map(|weak| BlockSum { weak, ..BlockSum::default() });
        let grid = Grid { block_len: 10, start: 20, sums: &sums };
        let known = Known { grids: [Some(grid), Some(Grid { block_len: 10, start: 33, sums: &shifted })] };
        let weak = |at| known.sum_at(at).map(|sum| sum.weak);
        assert_eq!(
            [10, 20, 25, 30, 33, 40, 43, 50].map(weak),
            [None, Some(1), None, Some(2), Some(4), Some(3), None, None]
        );
        assert_eq!(
            [0, 20, 21, 31, 34, 41].map(|at| known.next_from(at)),
            [Some(20), Some(20), Some(30), Some(33), Some(40), None]
        );
    }
}
