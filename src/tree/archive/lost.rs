//! What is known to be lost of a damaged archive that is read on.

use crate::Result;
use crate::tree::path::Position;
use crate::tree::path_set::PathSet;

/// Bytes that gaps take.
const GAPS_LEN: usize = 4 << 20;

/// Entries of which this level says something that is not known or could not be done.
#[derive(Default)]
pub(super) struct Lost {
    paths: PathSet,
    /// Those whose records are lost: behind the one position and before the other. The gaps are in order.
    gaps: Vec<(Option<Position>, Position)>,
    gaps_len: usize,
}

impl Lost {
    /// Adds an entry.
    ///
    /// # Errors
    ///
    /// As those of [`PathSet::insert`].
    pub(super) fn insert(&mut self, path: &[u8]) -> Result<()> {
        self.paths.insert(path)
    }

    /// Adds all entries between two positions, which are behind all gaps so far.
    pub(super) fn between(&mut self, last: Option<Position>, next: Position) {
        if last.as_ref().is_some_and(|last| *last >= next) {
            return;
        }
        let paths = last.as_ref().map_or(0, |last| last.path.len()) + next.path.len();
        let len = paths + size_of::<(Option<Position>, Position)>();
        match self.gaps.last_mut() {
            // Better that too much is taken for lost than too little.
            Some((_, end)) if self.gaps_len + len > GAPS_LEN => *end = next,
            _ => {
                self.gaps_len += len;
                self.gaps.push((last, next));
            }
        }
    }

    pub(super) fn contains(&self, path: &[u8]) -> bool {
        let is_in_gap = |position: Position| {
            let behind = self.gaps.partition_point(|(_, next)| *next <= position);
            self.gaps.get(behind).is_some_and(|(last, _)| last.as_ref().is_none_or(|last| *last < position))
        };
        self.paths.contains(path) || is_in_gap(Position::opening(path)) || is_in_gap(Position::closing(path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opening(path: &str) -> Position {
        Position::opening(path)
    }

    #[test]
    fn what_is_in_a_gap_is_lost_and_its_ends_are_not() {
        let mut lost = Lost::default();
        lost.between(None, opening("b"));
        lost.between(Some(opening("d")), Position::closing("f"));
        // Out of order, as no writer has it.
        lost.between(Some(opening("x")), opening("h"));
        for (path, expected) in [
            ("a", true),
            ("b", false),
            ("c", false),
            ("d", true), // Where it closes.
            ("d/x", true),
            ("e", true),
            ("f", true), // Where it opens.
            ("f/x", true),
            ("g", false),
            ("w", false),
        ] {
            assert_eq!(lost.contains(path.as_bytes()), expected, "{path}");
        }
    }

    #[test]
    fn very_many_gaps_are_looked_through_in_no_time_and_take_bounded_memory() {
        let mut lost = Lost::default();
        let at = |number: u32| opening(&format!("{number:0100}"));
        for number in 0..300_000 {
            lost.between(Some(at(10 * number)), at(10 * number + 2));
        }
        assert!(lost.gaps_len <= GAPS_LEN && lost.gaps.len() < 50_000, "{}", lost.gaps.len());
        let kept = lost.gaps.len() as u32;
        for number in 0..300_000 {
            assert!(lost.contains(&at(10 * number + 1).path), "{number}");
            // The last gap has taken in all behind it.
            assert_eq!(lost.contains(&at(10 * number + 3).path), number + 1 >= kept && number < 299_999, "{number}");
        }
    }
}
