//! Looks at every window of content: of which may some block have the weak sum?
#![cfg_attr(
    target_arch = "x86_64",
    expect(unsafe_code, reason = "what is compiled for AVX2 is called where there is AVX2")
)]

#[cfg(target_arch = "x86_64")]
mod avx2;
mod passing;

use std::collections::VecDeque;
use std::ops::Range;

use self::passing::Passing;
use super::index::BlockIndex;
use super::weak::{RabinKarp, Rolling, Rollsum, WINDOWS};
use crate::format::WeakKind;
use crate::sharing::{share_out, threads_for};

/// Windows that one thread looks at.
const PIECE_LEN: usize = 256 * 1024;

/// Hits of one piece at most, and of all that are looked at at once: content can be made to hit at every byte.
const HITS_MAX: usize = 16 * 1024;
const ALL_HITS_MAX: usize = 8 * HITS_MAX;

/// A window whose weak sum is that of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Hit {
    /// Where the window begins.
    at: usize,
    weak: u32,
}

/// What was found in a piece.
#[derive(Clone, Debug)]
struct Hits {
    found: Vec<Hit>,
    most: usize,
}

impl Hits {
    /// Whether no more are looked for.
    fn are_enough(&self) -> bool {
        self.found.len() >= self.most
    }
}

/// Windows of content, of which each begins one byte behind the one before.
#[derive(Clone, Copy)]
pub(super) struct Windows<'a> {
    pub(super) kind: WeakKind,
    /// Bytes in a window.
    pub(super) len: usize,
    pub(super) data: &'a [u8],
}

/// What was looked at, which is ahead of where the matcher stands.
pub(super) struct Scan {
    /// Up to where in the content windows were looked at, from the last place on that was asked for.
    looked_to: u64,
    /// Those of them that hit, in order, by where in the content they begin.
    hits: VecDeque<(u64, u32)>,
    /// How many windows are looked at next.
    stretch: usize,
    passing: Passing,
    threads: usize,
    /// Memory for the next hits.
    spare: Vec<Hit>,
}

/// One hit in so many windows is more than chance gives.
const MANY: usize = 64;

/// Hits that are held even where there is hardly any memory.
const HITS_LEAST: usize = 64;

/// Windows looked at first: mostly a block is found within few bytes of an edit, or not for long.
const STRETCH_MIN: usize = 4096;

impl Scan {
    /// A scan that passes over some of the content where it fails for long, or of which every window is looked at.
    pub(super) fn new(may_pass: bool, threads: usize) -> Self {
        let passing = Passing::new(may_pass);
        Self { looked_to: 0, hits: VecDeque::new(), stretch: STRETCH_MIN, passing, threads, spare: Vec::new() }
    }

    /// What was looked for was found: the next edit is another one.
    pub(super) fn restart(&mut self) {
        self.stretch = STRETCH_MIN;
        if self.passing.has_passed(self.looked_to) {
            // From here on everything is looked at again.
            self.hits.clear();
            self.looked_to = 0;
        }
        self.passing.restart();
    }

    /// Whether windows before `position` were passed over since the scan began.
    pub(super) fn has_passed(&self, position: u64) -> bool {
        self.passing.has_passed(position)
    }

    /// How many of the windows that begin in `range`, of `len` bytes each, are looked at.
    pub(super) fn looked_at(&self, range: Range<u64>, len: u64) -> u64 {
        self.passing.looked_at(range, len).iter().map(|range| range.end - range.start).sum()
    }

    /// The first window that hits and begins from `from` to before `to`, of those in `windows`, whose content begins
    /// at `start`. Positions are those in the content, and those asked for never fall.
    pub(super) fn next(
        &mut self,
        windows: &Windows<'_>,
        start: u64,
        index: &BlockIndex,
        from: u64,
        to: u64,
    ) -> Option<(u64, u32)> {
        let end = start + (windows.data.len() + 1).saturating_sub(windows.len) as u64;
        self.looked_to = self.looked_to.max(from);
        self.passing.begin(from);
        loop {
            while self.hits.front().is_some_and(|&(at, _)| at < from) {
                self.hits.pop_front();
            }
            match self.hits.front() {
                Some(&hit) => return Some(hit).filter(|&(at, _)| at < to),
                None if self.looked_to >= to.min(end) => return None,
                None => {}
            }
            let stop = self.looked_to.saturating_add(self.stretch as u64).min(end);
            let ranges = self.passing.looked_at(self.looked_to..stop, windows.len as u64);
            let pieces =
                ranges.iter().flat_map(|range| pieces((range.start - start) as usize..(range.end - start) as usize));
            let spare = std::mem::take(&mut self.spare);
            let (mut hits, mut cut) = hits(windows, index, pieces.collect(), self.threads, spare);
            if self.hits.try_reserve(hits.len()).is_err() {
                // As many as find room; what lies behind is looked at again.
                let room = self.hits.capacity().max(HITS_LEAST).min(hits.len());
                cut = hits.get(room).map(|hit| hit.at).or(cut);
                hits.truncate(room);
            }
            self.hits.extend(hits.iter().map(|hit| (start + hit.at as u64, hit.weak)));
            self.looked_to = cut.map_or(stop, |at| start + at as u64);
            // Where hits are many, hardly any of them will be asked for.
            let are_many = cut.is_some() || hits.len() >= self.stretch / MANY;
            self.stretch = if are_many { STRETCH_MIN } else { self.stretch.saturating_mul(4) };
            self.spare = hits;
        }
    }
}

/// The range in pieces for one thread each.
fn pieces(range: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let end = range.end;
    range.step_by(PIECE_LEN).map(move |from| from..end.min(from + PIECE_LEN))
}

/// The windows that begin in the pieces and hit, in order; and up to where was looked where there were too many. Those of
/// a single piece are put into `spare`.
fn hits(
    windows: &Windows<'_>,
    index: &BlockIndex,
    pieces: Vec<Range<usize>>,
    threads: usize,
    mut spare: Vec<Hit>,
) -> (Vec<Hit>, Option<usize>) {
    spare.clear();
    if let [piece] = &pieces[..] {
        let mut hits = Hits { found: spare, most: HITS_MAX };
        let reached = serial(windows, index, piece.start, piece.end, &mut hits);
        return (hits.found, Some(reached).filter(|&reached| reached < piece.end));
    }
    // Of many short pieces each has less.
    let most = (ALL_HITS_MAX / pieces.len().max(1)).clamp(WINDOWS, HITS_MAX);
    let mut found = vec![(Hits { found: Vec::new(), most }, 0); pieces.len()];
    let threads = threads_for(pieces.iter().map(Range::len).sum(), threads);
    share_out(pieces.iter().zip(&mut found), threads, |(piece, found)| {
        found.1 = serial(windows, index, piece.start, piece.end, &mut found.0);
    });
    let mut all = spare;
    for (piece, (hits, reached)) in pieces.iter().zip(found) {
        if all.try_reserve(hits.found.len()).is_err() {
            if !all.is_empty() {
                // There is no memory for more at once.
                return (all, Some(piece.start));
            }
            all = hits.found;
        } else {
            all.extend(hits.found);
        }
        if reached < piece.end {
            return (all, Some(reached));
        }
    }
    (all, None)
}

fn serial(windows: &Windows<'_>, index: &BlockIndex, from: usize, to: usize, hits: &mut Hits) -> usize {
    let first = &windows.data[from..from + windows.len];
    match windows.kind {
        WeakKind::RabinKarp => {
            let sum = RabinKarp::new(first);
            #[cfg(target_arch = "x86_64")]
            if std::arch::is_x86_feature_detected!("avx2") {
                let mut sum = sum;
                // SAFETY: the feature that the function is compiled for was found on this processor.
                let at = unsafe { avx2::roll(&mut sum, windows, index, from, to, hits) };
                return roll(sum, windows, index, at, to, hits);
            }
            roll(sum, windows, index, from, to, hits)
        }
        WeakKind::Rollsum => {
            let sum = Rollsum::new(first);
            #[cfg(target_arch = "x86_64")]
            if std::arch::is_x86_feature_detected!("avx2") {
                let mut sum = sum;
                // SAFETY: as above.
                let at = unsafe { avx2::roll_rollsum(&mut sum, windows, index, from, to, hits) };
                return roll(sum, windows, index, at, to, hits);
            }
            roll(sum, windows, index, from, to, hits)
        }
    }
}

/// Looks at windows from `at` on, whose sum is `sum`; gives where it ended.
fn roll(
    mut sum: impl Rolling,
    windows: &Windows<'_>,
    index: &BlockIndex,
    mut at: usize,
    to: usize,
    hits: &mut Hits,
) -> usize {
    while at < to && !hits.are_enough() {
        // Bytes behind the last window do not count, and may not be there.
        let padded = |start: usize| {
            let mut bytes = [0; WINDOWS];
            let there = &windows.data[start.min(windows.data.len())..];
            let len = there.len().min(WINDOWS);
            bytes[..len].copy_from_slice(&there[..len]);
            bytes
        };
        let sums = match (windows.data[at..].first_chunk(), windows.data[at + windows.len..].first_chunk()) {
            (Some(gone), Some(come)) => sum.roll(gone, come),
            _ => sum.roll(&padded(at), &padded(at + windows.len)),
        };
        if index.may_hold_any(&sums) {
            hits.found
                .extend((at..to).zip(sums).filter(|&(_, weak)| index.holds(weak)).map(|(at, weak)| Hit { at, weak }));
        }
        at += WINDOWS;
    }
    at.min(to)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::native::block_sums;
    use crate::engine::native::weak::weak_sum;
    use crate::format::{SignatureParams, SumTable};

    /// Content of few different bytes, so that windows recur, and an index of some of its windows.
    fn example(kind: WeakKind) -> (Vec<u8>, SumTable) {
        let content: Vec<u8> =
            (0..5000_u32).map(|i| (i.wrapping_mul(i).wrapping_mul(2_654_435_761) >> 30) as u8).collect();
        let mut params = SignatureParams::with_block_len(8).unwrap();
        params.weak = kind;
        let mut table = SumTable::new(params);
        let mut sums = Vec::new();
        block_sums(&params, &content[3..80], 1, &mut sums);
        sums.iter().for_each(|sum| table.push(sum, u64::MAX).unwrap());
        (content, table)
    }

    #[test]
    fn every_window_that_hits_is_found_wherever_the_look_begins_and_ends() {
        for kind in [WeakKind::RabinKarp, WeakKind::Rollsum] {
            let (content, table) = example(kind);
            let index = BlockIndex::new(&table, table.len()).unwrap();
            let windows = Windows { kind, len: 8, data: &content };
            let all: Vec<Hit> = (0..content.len() - 7)
                .map(|at| Hit { at, weak: weak_sum(kind, &content[at..at + 8]) })
                .filter(|hit| table.weak()[..table.len()].contains(&hit.weak))
                .collect();
            assert!(all.len() > 9 && all.len() < 2000, "{} hits", all.len());
            for (from, to) in
                [(0, content.len() - 7), (1, 2), (17, 34), (4000, content.len() - 7), (4980, 4993), (5, 5)]
            {
                let expected: Vec<Hit> = all.iter().copied().filter(|hit| (from..to).contains(&hit.at)).collect();
                assert_eq!(
                    hits(&windows, &index, pieces(from..to).collect(), 2, Vec::new()),
                    (expected, None),
                    "{from}..{to}"
                );
            }
        }
    }

    /// Content of one byte, and the index of a block of it, so that every window is a hit.
    fn equal_everywhere(content: &[u8]) -> (Windows<'_>, BlockIndex) {
        let params = SignatureParams::with_block_len(8).unwrap();
        let mut table = SumTable::new(params);
        let mut sums = Vec::new();
        block_sums(&params, &content[..8], 1, &mut sums);
        table.push(&sums[0], u64::MAX).unwrap();
        let windows = Windows { kind: params.weak, len: 8, data: content };
        (windows, BlockIndex::new(&table, 1).unwrap())
    }

    #[test]
    fn of_many_short_pieces_no_more_hits_are_held_than_of_few_long_ones() {
        let content = vec![7; 8 * PIECE_LEN];
        let (windows, index) = equal_everywhere(&content);
        let short = (0..1024).map(|piece| piece * 2000..piece * 2000 + 1000).collect();
        let (found, cut) = hits(&windows, &index, short, 2, Vec::new());
        // Each is cut at its share, so that all behind the first is looked at again.
        assert_eq!((found.len(), cut), (ALL_HITS_MAX / 1024, Some(ALL_HITS_MAX / 1024)));
        let long = pieces(0..7 * PIECE_LEN).collect();
        assert_eq!(hits(&windows, &index, long, 2, Vec::new()).1, Some(HITS_MAX));
    }

    #[test]
    fn where_hits_are_too_many_it_says_how_far_it_came() {
        let content = vec![7; 3 * PIECE_LEN];
        let (windows, index) = equal_everywhere(&content);
        let (hits, reached) = hits(&windows, &index, pieces(10..2 * PIECE_LEN).collect(), 2, Vec::new());
        assert_eq!(Some(hits.len()), reached.map(|at| at - 10));
        assert!(hits.iter().zip(10..).all(|(hit, at)| hit.at == at));
        assert!((HITS_MAX..HITS_MAX + WINDOWS).contains(&hits.len()));
    }
}
