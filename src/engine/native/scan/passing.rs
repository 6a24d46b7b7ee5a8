//! What a scan looks at where it fails for long: not every window, since content that is known would mostly show.

use std::ops::Range;

/// How far all is looked at; nearly all edits are shorter.
const ALL_LEN: u64 = 8 << 20;

/// How far, behind that, one window in four is looked at; further on it is one in eight.
const FOURTH_LEN: u64 = 56 << 20;

/// As far as the matcher can at least go back: of longer blocks less is passed over, so that a round stays in there.
const BACK_LEN: u64 = 1 << 20;

/// Shorter windows are looked at sooner than passed over.
const WINDOW_MIN: u64 = 1024;

/// Which windows of a scan are looked at.
///
/// As many that lie one after the other as a block is long, then none for some such lengths. Where the content is
/// that of the basis, elsewhere, every such run of windows holds one that begins with a block; so known content of as
/// many blocks as a round has is always met, and the blocks before are then found by going back.
pub(super) struct Passing {
    may_pass: bool,
    /// Where the scan began, if it did.
    began: Option<u64>,
}

impl Passing {
    pub(super) fn new(may_pass: bool) -> Self {
        Self { may_pass, began: None }
    }

    /// A scan begins, unless one has.
    pub(super) fn begin(&mut self, at: u64) {
        self.began.get_or_insert(at);
    }

    pub(super) fn restart(&mut self) {
        self.began = None;
    }

    pub(super) fn has_passed(&self, position: u64) -> bool {
        self.may_pass && self.began.is_some_and(|began| position - began > ALL_LEN)
    }

    /// Those of the windows in `range`, of `len` bytes each, that are looked at.
    pub(super) fn looked_at(&self, range: Range<u64>, len: u64) -> Vec<Range<u64>> {
        let Some(began) = self.began.filter(|_| self.may_pass) else { return vec![range] };
        let mut ranges = Vec::new();
        let mut at = range.start;
        while at < range.end {
            let (is_looked_at, left) = stretch(at - began, len);
            let end = at.saturating_add(left).min(range.end);
            if is_looked_at {
                ranges.push(at..end);
            }
            at = end;
        }
        ranges
    }
}

/// Whether windows of `len` bytes that far into the scan are looked at, and how many more.
fn stretch(distance: u64, len: u64) -> (bool, u64) {
    let share_max = if len < WINDOW_MIN { 1 } else { (BACK_LEN / len).max(1) };
    let (into, share, end) = match distance {
        0..ALL_LEN => return (true, ALL_LEN - distance),
        _ if share_max == 1 => return (true, u64::MAX),
        _ if distance < ALL_LEN + FOURTH_LEN => (distance - ALL_LEN, 4, FOURTH_LEN),
        _ => (distance - ALL_LEN - FOURTH_LEN, 8, u64::MAX),
    };
    let round = share.min(share_max) * len;
    let is_looked_at = into % round < len;
    let left = if is_looked_at { len - into % round } else { round - into % round };
    (is_looked_at, left.min(end - into))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    fn looked_at(passing: &Passing, range: Range<u64>, len: u64) -> u64 {
        passing.looked_at(range, len).iter().map(|range| range.end - range.start).sum()
    }

    #[test]
    fn the_further_a_scan_fails_the_less_of_the_content_is_looked_at() {
        let mut passing = Passing::new(true);
        passing.begin(1000);
        let from = |mib: u64| 1000 + mib * MIB;
        for (range, share) in [
            (from(0)..from(8), 1),
            (from(8)..from(64), 4),
            (from(64)..from(1000), 8),
            (from(1 << 40)..from((1 << 40) + 64), 8),
        ] {
            let len = range.end - range.start;
            assert_eq!(looked_at(&passing, range.clone(), 65536), len / share, "{range:?}");
        }
        assert!(!passing.has_passed(from(8)));
        assert!(passing.has_passed(from(8) + 1));
        passing.restart();
        assert!(!passing.has_passed(from(9)));
    }

    #[test]
    fn what_is_looked_at_is_the_same_however_it_is_asked_for() {
        let mut passing = Passing::new(true);
        passing.begin(7);
        let whole = passing.looked_at(7..80 * MIB, 5000);
        let mut joined: Vec<Range<u64>> = Vec::new();
        let mut at = 7;
        while at < 80 * MIB {
            let end = (at + 777_777).min(80 * MIB);
            for range in passing.looked_at(at..end, 5000) {
                match joined.last_mut().filter(|last| last.end == range.start) {
                    Some(last) => last.end = range.end,
                    None => joined.push(range),
                }
            }
            at = end;
        }
        let mut expected: Vec<Range<u64>> = Vec::new();
        for range in whole {
            match expected.last_mut().filter(|last| last.end == range.start) {
                Some(last) => last.end = range.end,
                None => expected.push(range),
            }
        }
        assert_eq!(joined, expected);
    }

    #[test]
    fn everything_is_looked_at_where_nothing_may_be_passed_over() {
        let mut passing = Passing::new(false);
        passing.begin(0);
        assert_eq!(looked_at(&passing, 0..1 << 40, 65536), 1 << 40);
        assert!(!passing.has_passed(1 << 40));
    }
}
