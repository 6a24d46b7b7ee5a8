//! The matcher alone, where a level cannot show what it does.

use std::sync::Arc;

use super::*;
use crate::format::SumTable;

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
    let content: Vec<u8> = (0..8000_u32).map(|i| (i.wrapping_mul(i).wrapping_mul(2_654_435_761) >> 11) as u8).collect();
    // The weak sum of every window, under a strong sum that none has; then, long after they have used
    // the budget up, true blocks at distances that meet each remainder of what is earned again.
    let mut table = SumTable::new(params);
    for window in content.windows(BLOCK_LEN) {
        let weak = weak_sum(params.weak, window);
        table.push(&BlockSum { weak, ..BlockSum::default() }, u64::MAX).unwrap();
    }
    let mut truth = Vec::new();
    for at in (4000..7900).step_by(BLOCK_LEN + 1) {
        block_sums(&params, &content[at..at + BLOCK_LEN], 1, &mut truth);
    }
    truth.iter().for_each(|sum| table.push(sum, u64::MAX).unwrap());

    let options = RollingOptions { always_scan: true, zeros_are_free: false, threads: 1 };
    let length = (table.len() * BLOCK_LEN) as u64;
    let mut matcher = RollingMatcher::new(Basis::Held(Arc::new(table)), Some(length), options).unwrap();
    let mut copied = Copied::default();
    matcher.advance(&Window { data: &content, start: 0 }, &Known::default(), true, &mut copied).unwrap();
    assert!(copied.0 >= BLOCK_LEN as u64, "nothing was found");
}
