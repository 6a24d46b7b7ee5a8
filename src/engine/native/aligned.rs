//! The aligned matcher: each block against the basis block of the same number, in constant memory.

use std::sync::Arc;

use super::reread::Reread;
use crate::Result;
use crate::engine::{CommandSink, Grid, Window, is_strong};
use crate::format::{BlockSum, SumTable};

/// Where the sums of the basis come from, in order.
pub(crate) enum BasisSums {
    Held { table: Arc<SumTable>, next: usize },
    File(Box<Reread>),
}

impl BasisSums {
    fn next(&mut self) -> Result<Option<BlockSum>> {
        match self {
            Self::Held { table, next } => {
                let sum = table.get(*next);
                *next += 1;
                Ok(sum)
            }
            Self::File(reader) => reader.next_block(),
        }
    }
}

/// Matches content whose changes leave everything else in its place: disk images, databases.
pub(crate) struct AlignedMatcher {
    basis: BasisSums,
    strong_len: usize,
    /// All before this is matched.
    position: u64,
}

impl AlignedMatcher {
    pub(crate) fn new(basis: BasisSums, strong_len: u32) -> Self {
        Self { basis, strong_len: strong_len as usize, position: 0 }
    }

    /// Matches every block of the window whose sums are in `grid`; at the end of the content these are all.
    pub(crate) fn advance(
        &mut self,
        window: &Window<'_>,
        grid: &Grid<'_>,
        eof: bool,
        sink: &mut impl CommandSink,
    ) -> Result<()> {
        while let Some(sum) = grid.sum_at(self.position) {
            let end = (self.position + grid.block_len).min(window.end());
            let basis = self.basis.next()?;
            let same = basis.is_some_and(|basis| {
                basis.weak == sum.weak && is_strong(&sum.strong, &basis.strong[..self.strong_len])
            });
            if same {
                sink.copy(self.position, end - self.position);
            } else {
                sink.literal(window.slice(self.position, end));
            }
            self.position = end;
        }
        match &mut self.basis {
            // All of them must be what they were, also those that the content did not need.
            BasisSums::File(sums) if eof => sums.finish(),
            _ => Ok(()),
        }
    }

    pub(crate) fn decided(&self) -> u64 {
        self.position
    }
}
