//! The sums of a basis, in memory or in the signature's file, looked at one by one.

use std::sync::Arc;

use super::filed::FiledSums;
use super::index::BlockIndex;
use crate::Result;
use crate::engine::is_strong;
use crate::format::{BlockSum, Leaf, SignatureParams, SumTable};

/// What blocks of content are held against.
pub(crate) enum Basis {
    Held(Arc<SumTable>),
    /// They are read as they are wanted. What cannot be read, or is not what it was, is equal to nothing.
    Filed(Box<FiledSums>),
}

impl Basis {
    pub(crate) fn params(&self) -> &SignatureParams {
        match self {
            Self::Held(table) => table.params(),
            Self::Filed(sums) => sums.params(),
        }
    }

    /// How many blocks there are.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Held(table) => table.len(),
            Self::Filed(sums) => sums.len(),
        }
    }

    /// Indexes the first `blocks` blocks.
    pub(super) fn index(&mut self, blocks: usize) -> Result<BlockIndex> {
        match self {
            Self::Held(table) => BlockIndex::new(table, blocks),
            Self::Filed(sums) => sums.index(blocks),
        }
    }

    /// Whether block `index` has this sum, as far as the strong sums are kept.
    #[inline]
    pub(super) fn is_block(&self, index: usize, sum: &BlockSum) -> bool {
        match self {
            Self::Held(table) => table.is_block(index, sum),
            Self::Filed(sums) => {
                sums.with(index, |found| found.weak == sum.weak && is_strong(&sum.strong, sums.kept(found)))
            }
        }
    }

    /// The weak sum of a block, unless it cannot be read.
    pub(super) fn weak_of(&self, index: usize) -> Option<u32> {
        match self {
            Self::Held(table) => Some(table.weak()[index]),
            Self::Filed(sums) => {
                let mut weak = None;
                sums.with(index, |found| {
                    weak = Some(found.weak);
                    true
                });
                weak
            }
        }
    }

    #[inline]
    pub(super) fn has_weak(&self, index: usize, weak: u32) -> bool {
        match self {
            Self::Held(table) => table.weak()[index] == weak,
            Self::Filed(sums) => sums.with(index, |found| found.weak == weak),
        }
    }

    pub(super) fn has_strong(&self, index: usize, strong: &Leaf) -> bool {
        match self {
            Self::Held(table) => is_strong(strong, table.strong_of(index)),
            Self::Filed(sums) => sums.with(index, |found| is_strong(strong, sums.kept(found))),
        }
    }

    /// Fails if sums could not be read since it was asked last.
    pub(super) fn check(&self) -> Result<()> {
        match self {
            Self::Held(_) => Ok(()),
            Self::Filed(sums) => sums.check(),
        }
    }
}
