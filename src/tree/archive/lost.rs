//! What is known to be lost of a damaged archive that is read on.

use std::collections::HashSet;

use crate::tree::path::Position;

/// Entries of which this level says something that is not known or could not be done.
#[derive(Default)]
pub(super) struct Lost {
    pub(super) paths: HashSet<Vec<u8>>,
    /// Those whose records are lost: behind the one position and before the other.
    gaps: Vec<(Option<Position>, Position)>,
}

impl Lost {
    pub(super) fn between(&mut self, last: Option<Position>, next: Position) {
        self.gaps.push((last, next));
    }

    pub(super) fn contains(&self, path: &[u8]) -> bool {
        let is_in = |position: &Position, (last, next): &(Option<Position>, Position)| {
            last.as_ref().is_none_or(|last| last < position) && position < next
        };
        let positions = [Position::opening(path), Position::closing(path)];
        self.paths.contains(path) || self.gaps.iter().any(|gap| positions.iter().any(|position| is_in(position, gap)))
    }
}
