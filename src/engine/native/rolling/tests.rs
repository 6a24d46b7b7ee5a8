//! The matcher alone, where a level cannot show what it does.

use std::sync::Arc;

use super::*;
use crate::format::SumTable;

/// Bytes that look random and do not recur.
fn noise(len: usize, seed: u64) -> Vec<u8> {
    let mut state = seed;
    let mut word = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state ^ state >> 29).to_le_bytes()
    };
    std::iter::repeat_with(&mut word).flatten().take(len).collect()
}

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

#[test]
fn what_is_known_is_found_behind_much_that_is_new_and_followed_back_over_what_was_passed() {
    const BLOCK_LEN: usize = 4096;
    let params = SignatureParams::with_block_len(BLOCK_LEN as u32).unwrap();
    let basis = noise(40 * BLOCK_LEN, 1);
    let mut table = SumTable::new(params);
    let mut sums = Vec::new();
    block_sums(&params, &basis, 1, &mut sums);
    sums.iter().for_each(|sum| table.push(sum, u64::MAX).unwrap());
    let table = Arc::new(table);
    for (always_scan, known_blocks, new_len) in
        [(false, 40, 1000), (false, 40, 20 << 20), (false, 40, 70 << 20), (false, 9, 70 << 20), (true, 1, 20 << 20)]
    {
        // Wherever in a round the known content begins.
        for shift in [0, 1, 10_000, 17_001, 32_767] {
            let mut content = noise(new_len + shift, 2);
            content.extend_from_slice(&basis[..known_blocks * BLOCK_LEN]);
            // Behind another edit everything is looked at again: one block is enough.
            content.extend(noise(100, 3));
            content.extend_from_slice(&basis[..BLOCK_LEN]);
            content.extend(noise(12 * BLOCK_LEN, 4));
            let options = RollingOptions { always_scan, zeros_are_free: false, threads: 2 };
            let mut matcher =
                RollingMatcher::new(Basis::Held(table.clone()), Some(basis.len() as u64), options).unwrap();
            let mut copied = Copied::default();
            matcher.advance(&Window { data: &content, start: 0 }, &Known::default(), true, &mut copied).unwrap();
            let case = format!("{known_blocks} blocks behind {new_len} and {shift} bytes, always {always_scan}");
            assert_eq!(copied.0, ((known_blocks + 1) * BLOCK_LEN) as u64, "{case}");
        }
    }
}
