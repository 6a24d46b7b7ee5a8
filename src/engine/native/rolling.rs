//! The matcher: tries the block expected next, and scans byte by byte only where that has failed.

mod tail;
#[cfg(test)]
mod tests;

use super::basis::Basis;
use super::budget::Budget;
use super::index::BlockIndex;
use super::scan::{Scan, Windows};
use super::strong::strong_sum;
use super::sums::block_sums;
use super::weak::weak_sum;
use crate::Result;
use crate::engine::{CommandSink, Known, Window, ZERO_RUN_MIN, is_zeros};
use crate::format::{BlockSum, SignatureParams};

/// Blocks off the grid that are hashed at once while a run of matches lasts: at first as many as a vector
/// holds, since fewer take as long, then more.
const BATCH_MIN: usize = 4;
const BATCH_MAX: usize = 64;

/// A short last block is looked for before the end of the content only if it is longer than this: a copy
/// and another literal command cost as much.
const TAIL_MIN: usize = 16;

/// How a [`RollingMatcher`] works.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RollingOptions {
    /// Scan every changed byte, even where the next block is in its place, and however long nothing is found.
    pub(crate) always_scan: bool,
    /// Runs of zeros take no room in the stream: better than to copy them from wherever the basis has some.
    pub(crate) zeros_are_free: bool,
    pub(crate) threads: usize,
}

/// Matches content against a signature.
///
/// Time is bounded whatever the signature holds: of one weak sum only so many blocks are kept, and
/// strong sums that fail are paid for out of a [`Budget`]. The price is a match missed now and then.
pub(crate) struct RollingMatcher {
    basis: Basis,
    index: BlockIndex,
    params: SignatureParams,
    /// Blocks that are whole, or may be.
    whole_blocks: usize,
    /// The length of the short last block, 0 for none; `None` when the signature does not say.
    tail_len: Option<usize>,
    options: RollingOptions,
    /// The block that should come next; past the last when none should.
    expected: usize,
    /// Where in the content the next block to be matched begins.
    position: u64,
    /// Where what has not been given to the sink begins.
    literal_start: u64,
    scan: Scan,
    /// Whether nothing was found at `position` but by looking at the bytes behind it.
    scanning: bool,
    /// Whether the scan that ended here had passed over content.
    passed: bool,
    budget: Budget,
    batch: usize,
    sums: Vec<BlockSum>,
}

/// What a look at the content has shown.
enum Found {
    /// This block of the basis.
    Block(usize),
    /// A run of zeros that is long enough to take no room.
    Zeros,
    /// Nothing that is known.
    Nothing,
    /// More content is needed to tell.
    Undecided,
}

impl RollingMatcher {
    /// A matcher on a basis of `length` bytes, where that is known.
    ///
    /// # Errors
    ///
    /// As reading the signature, where it is in a file.
    pub(crate) fn new(mut basis: Basis, length: Option<u64>, options: RollingOptions) -> Result<Self> {
        let params = *basis.params();
        let block_len = params.block_len as usize;
        let (whole_blocks, tail_len) = match length {
            Some(length) => ((length / block_len as u64) as usize, Some((length % block_len as u64) as usize)),
            None => (basis.len(), None),
        };
        Ok(Self {
            index: basis.index(whole_blocks)?,
            budget: Budget::new(block_len as u64, basis.len() as u64 * block_len as u64),
            basis,
            params,
            whole_blocks,
            tail_len,
            options,
            expected: 0,
            position: 0,
            literal_start: 0,
            scan: Scan::new(!options.always_scan, options.threads),
            scanning: false,
            passed: false,
            batch: BATCH_MIN,
            sums: Vec::new(),
        })
    }

    /// Matches as much of the window as can be decided, and gives it to the sink.
    ///
    /// # Errors
    ///
    /// Where sums are read from a file, and cannot be: what was given to the sink is then true all the same.
    pub(crate) fn advance(
        &mut self,
        window: &Window<'_>,
        known: &Known<'_>,
        eof: bool,
        sink: &mut impl CommandSink,
    ) -> Result<()> {
        let block_len = self.params.block_len as usize;
        loop {
            let at = (self.position - window.start) as usize;
            let mut found = Found::Nothing;
            if !self.scanning {
                found = self.look_in_place(window, known, at, eof, sink);
            }
            if matches!(found, Found::Nothing) {
                found = self.scan(window, known);
            }
            match found {
                Found::Block(block) => {
                    let block = self.go_back(window, known, block);
                    self.copy(window, block, block_len, sink);
                    self.expected = block + 1;
                    self.copy_run(window, known, sink);
                }
                Found::Zeros => {
                    self.passed = false;
                    // It stays with the literal around it, in which the sink finds the whole run.
                    let blocks = window.slice(self.position, window.end()).chunks_exact(block_len);
                    let zeros = blocks.take_while(|block| is_zeros(block)).count();
                    self.position += (zeros * block_len) as u64;
                    self.expected = (self.position / block_len as u64) as usize;
                }
                Found::Nothing => {}
                Found::Undecided => break,
            }
        }
        if eof {
            self.match_tail(window, sink);
            self.position = window.end();
        }
        self.literal_until(window, self.position, sink);
        self.basis.check()
    }

    /// What may leave the window: all before this is decided.
    pub(crate) fn decided(&self) -> u64 {
        self.position
    }

    /// Where blocks are expected to follow each other from the last match on, if they are.
    pub(crate) fn run_from(&self) -> Option<u64> {
        let is_run = !self.scanning && self.position > 0 && self.expected < self.whole_blocks;
        is_run.then_some(self.position)
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
    fn matches(&self, window: &Window<'_>, known: &Known<'_>, at: usize, block: usize) -> bool {
        if let Some(sum) = known.sum_at(window.start + at as u64) {
            return self.basis.is_block(block, sum);
        }
        let content = &window.data[at..at + self.params.block_len as usize];
        self.basis.has_weak(block, weak_sum(self.params.weak, content))
            && self.basis.has_strong(block, &strong_sum(self.params.strong, content))
    }

    /// Looks at the content without scanning: for the expected block, for any block whose sums are those
    /// that were computed for the new signature, for zeros, and for an edit in place.
    ///
    /// What it passes over as edited is left before `position`, to become a literal.
    fn look_in_place(
        &mut self,
        window: &Window<'_>,
        known: &Known<'_>,
        at: usize,
        eof: bool,
        sink: &mut impl CommandSink,
    ) -> Found {
        let block_len = self.params.block_len as usize;
        let left = window.data.len() - at;
        if let Some(tail_len) = self.tail_len.filter(|&len| len > TAIL_MIN && self.expected == self.whole_blocks) {
            if left < tail_len {
                return Found::Undecided;
            }
            // What was appended to a file follows its short last block.
            self.expected += 1;
            let content = &window.data[at..at + tail_len];
            if self.is_tail(weak_sum(self.params.weak, content), content, self.whole_blocks) {
                self.copy(window, self.whole_blocks, tail_len, sink);
                return self.look_in_place(window, known, at + tail_len, eof, sink);
            }
        }
        if left < block_len {
            return Found::Undecided;
        }
        if self.expected < self.whole_blocks && self.matches(window, known, at, self.expected) {
            return Found::Block(self.expected);
        }
        let found = self.look_up_known(window, known, at);
        let next = self.expected + 1;
        if !matches!(found, Found::Nothing) || self.options.always_scan || next >= self.whole_blocks {
            return found;
        }
        if left < 2 * block_len {
            return if eof { Found::Nothing } else { Found::Undecided };
        }
        if self.matches(window, known, at + block_len, next) {
            // An edit in place: a scan would find no other block between here and the next one that
            // matches, but where content is like itself.
            self.position += block_len as u64;
            return Found::Block(next);
        }
        Found::Nothing
    }

    /// What stands at `at`, if its sums are known already: this costs nothing but the look.
    fn look_up_known(&self, window: &Window<'_>, known: &Known<'_>, at: usize) -> Found {
        let Some(sum) = known.sum_at(window.start + at as u64) else { return Found::Nothing };
        let block_len = self.params.block_len as usize;
        if window.data.len() < at + block_len {
            return Found::Nothing;
        }
        // Only as long a run as takes no room; the blocks of a shorter one may be in the basis.
        let run = window.data.get(at..at + block_len.max(ZERO_RUN_MIN)).filter(|_| self.options.zeros_are_free);
        if run.is_some_and(is_zeros) {
            return Found::Zeros;
        }
        let mut likely = self.index.likely(sum.weak, &sum.strong).map(|block| block as usize);
        likely.find(|&block| self.basis.is_block(block, sum)).map_or(Found::Nothing, Found::Block)
    }

    /// Where a scan has passed over content before it found the block at `position`: goes back as far as the blocks
    /// before are there too, and nothing was given out. Gives the first of them.
    fn go_back(&mut self, window: &Window<'_>, known: &Known<'_>, mut block: usize) -> usize {
        if !std::mem::take(&mut self.passed) {
            return block;
        }
        let block_len = self.params.block_len as usize;
        while block > 0 && self.position - self.literal_start >= block_len as u64 {
            let before = (self.position - window.start) as usize - block_len;
            if !self.matches(window, known, before, block - 1) {
                break;
            }
            block -= 1;
            self.position -= block_len as u64;
        }
        block
    }

    /// Where no sums are known: hashes blocks that follow a match, several at once, for as long as they match too.
    fn copy_run(&mut self, window: &Window<'_>, known: &Known<'_>, sink: &mut impl CommandSink) {
        let block_len = self.params.block_len as usize;
        loop {
            let at = (self.position - window.start) as usize;
            let is_known = known.sum_at(self.position).is_some();
            let expected = self.whole_blocks.saturating_sub(self.expected);
            let count = self.batch.min((window.data.len() - at) / block_len).min(expected);
            if is_known || count == 0 {
                return;
            }
            let mut sums = std::mem::take(&mut self.sums);
            sums.clear();
            block_sums(&self.params, &window.data[at..at + count * block_len], self.options.threads, &mut sums);
            let run =
                sums.iter().zip(self.expected..).take_while(|(sum, block)| self.basis.is_block(*block, sum)).count();
            self.sums = sums;
            for _ in 0..run {
                self.copy(window, self.expected, block_len, sink);
                self.expected += 1;
            }
            if run < count {
                self.batch = BATCH_MIN;
                return;
            }
            self.batch = (self.batch * 2).min(BATCH_MAX);
        }
    }

    /// Moves on until something is found; leaves `position` there, or behind the last window that is whole.
    fn scan(&mut self, window: &Window<'_>, known: &Known<'_>) -> Found {
        let block_len = self.params.block_len as usize;
        // The look in place came before the first step.
        let mut looked = !std::mem::replace(&mut self.scanning, true);
        loop {
            let at = (self.position - window.start) as usize;
            let Some(content) = window.data.get(at..at + block_len) else { return Found::Undecided };
            let found = if looked { Found::Nothing } else { self.look_up_known(window, known, at) };
            if !matches!(found, Found::Nothing) {
                self.end_scan();
                return found;
            }
            looked = false;
            let is_known = known.sum_at(self.position).is_some();
            let hit = self.next_hit(window, self.position, self.position + 1).filter(|_| !is_known);
            if let Some(block) = hit.and_then(|(_, weak)| self.find(weak, content)) {
                self.end_scan();
                return Found::Block(block);
            }
            // Up to the next block whose sums are known, where another look is free.
            let next = self.position + 1;
            let end = window.end() - block_len as u64 + 1;
            let next_known = known.next_from(next).map_or(end, |at| at.min(end));
            // What hits before could not be paid for: content can be made to hit at every byte.
            let payable = next.max(self.position + self.budget.until_any(block_len as u64)).min(next_known);
            let stop = self.next_hit(window, payable, next_known).map_or(next_known, |(at, _)| at);
            self.budget.earn(self.scan.looked_at(self.position..stop, block_len as u64));
            self.position = stop;
        }
    }

    fn end_scan(&mut self) {
        self.scanning = false;
        self.passed = self.scan.has_passed(self.position);
        self.scan.restart();
    }

    /// The first window from `from` to before `to` whose weak sum some block has.
    fn next_hit(&mut self, window: &Window<'_>, from: u64, to: u64) -> Option<(u64, u32)> {
        let windows = Windows { kind: self.params.weak, len: self.params.block_len as usize, data: window.data };
        self.scan.next(&windows, window.start, &self.index, from, to)
    }

    /// The block with these sums.
    fn find(&mut self, weak: u32, content: &[u8]) -> Option<usize> {
        let candidates = self.index.candidates(weak).map(|block| block as usize);
        let price = content.len() as u64;
        let purse = self.budget.allows(candidates, self.expected, price)?;
        let strong = strong_sum(self.params.strong, content);
        let mut likely = self.index.likely(weak, &strong).map(|block| block as usize);
        let found = likely.find(|&block| self.basis.has_strong(block, &strong));
        if found.is_none() {
            self.budget.pay(purse, price);
        }
        found
    }
}
