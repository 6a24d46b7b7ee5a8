//! The matcher: tries the block expected next, and scans byte by byte only where that has failed.

use std::sync::Arc;

use super::index::BlockIndex;
use super::strong::strong_sum;
use super::sums::block_sums;
use super::weak::{RabinKarp, Rolling, Rollsum};
use crate::engine::{CommandSink, Grid, Window, is_strong};
use crate::format::{BlockSum, SignatureParams, SumTable, WeakKind};

/// Blocks off the grid that are hashed at once, at most, while a run of matches lasts.
const BATCH_MAX: usize = 16;

/// Failed strong sums that may be computed at once, in blocks; they are earned again by bytes scanned.
const BUDGET_BLOCKS: u64 = 64;

/// Matches content against a signature in memory.
///
/// Time is bounded whatever the signature holds: chains of equal weak sums are cut, and strong sums that
/// fail are paid for out of a budget of one byte for each byte scanned. Content crafted to fail at
/// every byte thus costs about two looks at each; the price is a match missed now and then.
pub(crate) struct RollingMatcher {
    basis: Arc<SumTable>,
    index: BlockIndex,
    params: SignatureParams,
    /// Blocks that are whole, or may be.
    whole_blocks: usize,
    /// The length of the short last block, 0 for none; `None` when the signature does not say.
    tail_len: Option<usize>,
    /// Scan every changed byte, even where the next block is in its place.
    always_scan: bool,
    threads: usize,
    expected: usize,
    /// Where in the content the next block to be matched begins.
    position: u64,
    /// Where what has not been given to the sink begins.
    literal_start: u64,
    scan: Option<Scan>,
    budget: u64,
    batch: usize,
    sums: Vec<BlockSum>,
}

/// The rolling sum of the window at `position`, while a scan lasts.
#[derive(Clone, Copy)]
enum Scan {
    RabinKarp(RabinKarp),
    Rollsum(Rollsum),
}

impl Scan {
    fn new(kind: WeakKind, window: &[u8]) -> Self {
        match kind {
            WeakKind::RabinKarp => Self::RabinKarp(RabinKarp::new(window)),
            WeakKind::Rollsum => Self::Rollsum(Rollsum::new(window)),
        }
    }

    fn digest(&self) -> u32 {
        match self {
            Self::RabinKarp(sum) => sum.digest(),
            Self::Rollsum(sum) => sum.digest(),
        }
    }

    fn push_front(&mut self, come: u8) {
        match self {
            Self::RabinKarp(sum) => sum.push_front(come),
            Self::Rollsum(sum) => sum.push_front(come),
        }
    }
}

impl RollingMatcher {
    /// A matcher on a basis of `length` bytes, where that is known.
    pub(crate) fn new(basis: Arc<SumTable>, length: Option<u64>, always_scan: bool, threads: usize) -> Self {
        let params = *basis.params();
        let block_len = params.block_len as usize;
        let (whole_blocks, tail_len) = match length {
            Some(length) => ((length / block_len as u64) as usize, Some((length % block_len as u64) as usize)),
            None => (basis.len(), None),
        };
        Self {
            index: BlockIndex::new(&basis, whole_blocks),
            basis,
            params,
            whole_blocks,
            tail_len,
            always_scan,
            threads,
            expected: 0,
            position: 0,
            literal_start: 0,
            scan: None,
            budget: BUDGET_BLOCKS * block_len as u64,
            batch: 1,
            sums: Vec::new(),
        }
    }

    /// Matches as much of the window as can be decided, and gives it to the sink.
    pub(crate) fn advance(
        &mut self,
        window: &Window<'_>,
        grid: Option<&Grid<'_>>,
        eof: bool,
        sink: &mut impl CommandSink,
    ) {
        let block_len = self.params.block_len as usize;
        loop {
            let at = (self.position - window.start) as usize;
            if window.data.len() - at < block_len {
                break;
            }
            if self.scan.is_none() && self.expected < self.whole_blocks {
                if self.matches(window, grid, at, self.expected) {
                    self.copy_run(window, grid, at, sink);
                    continue;
                }
                let next = self.expected + 1;
                if !self.always_scan && next < self.whole_blocks {
                    let decidable = window.data.len() - at >= 2 * block_len;
                    if !decidable && !eof {
                        break;
                    }
                    // An edit in place: a scan would find no other block between here and the next one that
                    // matches, but where content is like itself, as zeros are.
                    if decidable && self.matches(window, grid, at + block_len, next) {
                        self.position += block_len as u64;
                        self.expected = next;
                        continue;
                    }
                }
            }
            if !self.scan(window, at, sink) {
                break;
            }
        }
        if eof {
            self.match_tail(window, sink);
            self.position = window.end();
        }
        self.literal_until(window, self.position, sink);
    }

    /// What may leave the window: all before this is decided.
    pub(crate) fn decided(&self) -> u64 {
        self.position
    }

    fn literal_until(&mut self, window: &Window<'_>, end: u64, sink: &mut impl CommandSink) {
        if end > self.literal_start {
            sink.literal(window.slice(self.literal_start, end));
            self.literal_start = end;
        }
    }

    /// Gives `len` bytes of the basis from block `block` on.
    fn copy(&mut self, window: &Window<'_>, block: usize, len: usize, sink: &mut impl CommandSink) {
        self.literal_until(window, self.position, sink);
        sink.copy(block as u64 * u64::from(self.params.block_len), len as u64);
        self.position += len as u64;
        self.literal_start = self.position;
    }

    /// Whether the content at `at` is block `block` of the basis.
    fn matches(&self, window: &Window<'_>, grid: Option<&Grid<'_>>, at: usize, block: usize) -> bool {
        if let Some(sum) = grid.and_then(|grid| grid.sum_at(window.start + at as u64)) {
            return self.basis.is_block(block, sum);
        }
        let content = &window.data[at..at + self.params.block_len as usize];
        Scan::new(self.params.weak, content).digest() == self.basis.weak()[block]
            && is_strong(&strong_sum(self.params.strong, content), self.basis.strong_of(block))
    }

    /// Copies the expected block, which was found to match, and off the grid the run that follows it.
    fn copy_run(&mut self, window: &Window<'_>, grid: Option<&Grid<'_>>, at: usize, sink: &mut impl CommandSink) {
        let block_len = self.params.block_len as usize;
        self.copy(window, self.expected, block_len, sink);
        self.expected += 1;
        let at = at + block_len;
        if grid.is_some_and(|grid| grid.sum_at(window.start + at as u64).is_some()) {
            return;
        }
        let count = self.batch.min((window.data.len() - at) / block_len).min(self.whole_blocks - self.expected);
        let mut sums = std::mem::take(&mut self.sums);
        sums.clear();
        block_sums(&self.params, &window.data[at..at + count * block_len], self.threads, &mut sums);
        let run = sums
            .iter()
            .take_while(|sum| {
                let equal = self.basis.is_block(self.expected, sum);
                if equal {
                    self.copy(window, self.expected, block_len, sink);
                    self.expected += 1;
                }
                equal
            })
            .count();
        self.batch = if run == sums.len() { (self.batch * 2).min(BATCH_MAX) } else { 1 };
        self.sums = sums;
    }

    /// Moves byte by byte until a block matches; `false` when the window has run out first.
    fn scan(&mut self, window: &Window<'_>, at: usize, sink: &mut impl CommandSink) -> bool {
        let block_len = self.params.block_len as usize;
        let scan = self.scan.take().unwrap_or_else(|| Scan::new(self.params.weak, &window.data[at..at + block_len]));
        let (found, scan) = match scan {
            Scan::RabinKarp(mut sum) => (self.roll(window, at, &mut sum), Scan::RabinKarp(sum)),
            Scan::Rollsum(mut sum) => (self.roll(window, at, &mut sum), Scan::Rollsum(sum)),
        };
        match found {
            Some(block) => {
                self.copy(window, block, block_len, sink);
                self.expected = block + 1;
                self.batch = 1;
                true
            }
            None => {
                self.scan = Some(scan);
                false
            }
        }
    }

    /// Rolls `sum` from `at` on; leaves `position` at the match, or at the last window there is.
    fn roll<R: Rolling>(&mut self, window: &Window<'_>, mut at: usize, sum: &mut R) -> Option<usize> {
        let block_len = self.params.block_len as usize;
        let budget_max = BUDGET_BLOCKS * block_len as u64;
        loop {
            let start = at;
            let mut bytes = window.data[at..].iter().zip(&window.data[at + block_len..]);
            let weak = loop {
                let weak = sum.digest();
                if self.index.may_hold(weak) {
                    break Some(weak);
                }
                let Some((&gone, &come)) = bytes.next() else { break None };
                sum.roll(gone, come);
                at += 1;
            };
            self.budget = (self.budget + (at - start) as u64).min(budget_max);
            self.position = window.start + at as u64;
            let found = self.find(weak?, &window.data[at..at + block_len]);
            if found.is_some() {
                return found;
            }
            let come = *window.data.get(at + block_len)?;
            sum.roll(window.data[at], come);
            at += 1;
            self.budget += 1;
        }
    }

    /// The block with these sums.
    fn find(&mut self, weak: u32, content: &[u8]) -> Option<usize> {
        let mut candidates = self.index.candidates(weak).peekable();
        candidates.peek()?;
        let price = content.len() as u64;
        if self.budget < price {
            return None;
        }
        let strong = strong_sum(self.params.strong, content);
        let found =
            candidates.map(|block| block as usize).find(|&block| is_strong(&strong, self.basis.strong_of(block)));
        if found.is_none() {
            self.budget -= price;
        }
        found
    }

    /// At the end of the content: whether its last bytes are the short last block of the basis.
    fn match_tail(&mut self, window: &Window<'_>, sink: &mut impl CommandSink) {
        let at = (self.position - window.start) as usize;
        let rest = &window.data[at..];
        let Some(last) = self.basis.len().checked_sub(1) else { return };
        let len = match self.tail_len {
            Some(0) => return,
            Some(len) if len > rest.len() => return,
            Some(len) => {
                let content = &rest[rest.len() - len..];
                Some(len).filter(|_| self.is_tail(Scan::new(self.params.weak, content).digest(), content, last))
            }
            None => self.search_tail(rest, last),
        };
        if let Some(len) = len {
            self.position = window.end() - len as u64;
            self.copy(window, last, len, sink);
        }
    }

    /// Tries every length that the last block may have, since a plain signature does not say.
    fn search_tail(&mut self, rest: &[u8], last: usize) -> Option<usize> {
        let longest = rest.len().min(self.params.block_len as usize - 1);
        let mut sum = Scan::new(self.params.weak, &[]);
        for len in 1..=longest {
            let content = &rest[rest.len() - len..];
            sum.push_front(content[0]);
            self.budget += 1;
            if sum.digest() != self.basis.weak()[last] || self.budget < len as u64 {
                continue;
            }
            if self.is_tail(sum.digest(), content, last) {
                return Some(len);
            }
            self.budget -= len as u64;
        }
        None
    }

    fn is_tail(&self, weak: u32, content: &[u8], last: usize) -> bool {
        weak == self.basis.weak()[last]
            && is_strong(&strong_sum(self.params.strong, content), self.basis.strong_of(last))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts the bytes of the basis that are copied.
    #[derive(Default)]
    struct Copied(u64);

    impl CommandSink for Copied {
        fn copy(&mut self, _: u64, len: u64) {
            self.0 += len;
        }

        fn literal(&mut self, _: &[u8]) {}
    }

    #[test]
    fn content_that_fails_at_every_byte_still_finds_some_of_its_blocks() {
        const BLOCK_LEN: usize = 16;
        let params = SignatureParams::with_block_len(BLOCK_LEN as u32).unwrap();
        let content: Vec<u8> =
            (0..8000_u32).map(|i| (i.wrapping_mul(i).wrapping_mul(2_654_435_761) >> 11) as u8).collect();
        // The weak sum of every window, under a strong sum that none has; then, long after they have used
        // the budget up, true blocks at distances that meet each remainder of what is earned again.
        let mut table = SumTable::new(params);
        for window in content.windows(BLOCK_LEN) {
            let weak = Scan::new(params.weak, window).digest();
            table.push(&BlockSum { weak, ..BlockSum::default() }, u64::MAX).unwrap();
        }
        let mut truth = Vec::new();
        for at in (4000..7900).step_by(BLOCK_LEN + 1) {
            block_sums(&params, &content[at..at + BLOCK_LEN], 1, &mut truth);
        }
        truth.iter().for_each(|sum| table.push(sum, u64::MAX).unwrap());

        let length = (table.len() * BLOCK_LEN) as u64;
        let mut matcher = RollingMatcher::new(Arc::new(table), Some(length), true, 1);
        let mut copied = Copied::default();
        matcher.advance(&Window { data: &content, start: 0 }, None, true, &mut copied);
        assert!(copied.0 >= BLOCK_LEN as u64, "nothing was found");
    }
}
