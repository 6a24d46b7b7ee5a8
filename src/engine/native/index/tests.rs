//! The index alone: what it keeps, in which order, and what it takes.

use std::collections::HashMap;

use super::*;
use crate::format::{BlockSum, SignatureParams};

/// Sums that are the same in each run, of which many are equal: weak alone, or strong too.
fn table(blocks: u32, weak_kinds: u32, strong_kinds: u32) -> SumTable {
    let mut table = SumTable::new(SignatureParams::with_block_len(16).unwrap());
    let mut state = 1_u32;
    let mut next = |kinds: u32| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) % kinds
    };
    for _ in 0..blocks {
        let mut sum = BlockSum { weak: next(weak_kinds).wrapping_mul(0x9e37_79b9), ..BlockSum::default() };
        sum.strong[31] = next(strong_kinds) as u8;
        table.push(&sum, u64::MAX).unwrap();
    }
    table
}

/// Of equal sums the first, of one weak sum the first 64, and the last of them first.
fn expected(table: &SumTable) -> HashMap<u32, Vec<u32>> {
    let mut kept: HashMap<u32, Vec<u32>> = HashMap::new();
    for (block, weak) in table.weak().iter().enumerate() {
        let blocks = kept.entry(*weak).or_default();
        let is_new = blocks.iter().all(|&other| table.strong_of(other as usize) != table.strong_of(block));
        if is_new && blocks.len() < 64 {
            blocks.push(block as u32);
        }
    }
    kept.values_mut().for_each(|blocks| blocks.reverse());
    kept
}

#[test]
fn of_equal_sums_the_first_is_kept_and_of_one_weak_sum_the_first_64_and_the_last_comes_first() {
    for (blocks, weak_kinds, strong_kinds) in [
        (0, 1, 1),
        (1, 1, 1),
        (4, 2, 2),
        (5, 1000, 2),
        (777, 1, 1),
        (2000, 7, 250),
        (5000, 4000, 3),
        (9999, 1 << 24, 1),
    ] {
        let table = table(blocks, weak_kinds, strong_kinds);
        let index = BlockIndex::new(&table, table.len()).unwrap();
        let expected = expected(&table);
        for (weak, blocks) in &expected {
            let found: Vec<u32> = index.candidates(*weak).collect();
            assert_eq!(found, *blocks, "{weak:08x} of {weak_kinds} among {}", table.len());
            assert!(index.holds(*weak));
            assert!(index.may_hold_any(&[*weak, 1, 2, 3]));
            for &block in blocks {
                let mut strong = [0; 32];
                strong.copy_from_slice(table.strong_of(block as usize));
                assert!(index.likely(*weak, &strong).any(|other| other == block), "block {block} of {weak:08x}");
            }
        }
        let absent = (0..10_000).map(|weak| weak * 12_345 + 1).filter(|weak| !expected.contains_key(weak));
        assert!(absent.into_iter().all(|weak| !index.holds(weak)));
    }
}

#[test]
fn blocks_that_are_not_to_be_found_are_left_out() {
    let table = table(100, 1 << 24, 200);
    let index = BlockIndex::new(&table, 60).unwrap();
    assert!((60..100).all(|block| index.candidates(table.weak()[block]).next().is_none()));
}

#[test]
fn another_strong_sum_is_hardly_ever_likely() {
    let table = table(100_000, 1 << 24, 1);
    let index = BlockIndex::new(&table, table.len()).unwrap();
    let other = [9; 32];
    let likely = table.weak().iter().filter(|&&weak| index.likely(weak, &other).next().is_some()).count();
    assert!(likely < 100, "{likely} of {} have the tag of another sum", table.len());
}

#[test]
fn strong_sums_are_told_apart_by_as_much_of_them_as_the_signature_keeps() {
    let mut builder = IndexBuilder::new(5);
    for number in 0..100 {
        builder.push(7, &[1, 2, 3, 4, number, 9, 9, 9]);
        builder.push(7, &[1, 2, 3, 4, number, 8, 8, 8]);
    }
    let index = builder.finish(|_, _| true).unwrap();
    assert_eq!(index.candidates(7).count(), 64);
    assert!(index.candidates(7).all(|block| block % 2 == 0));
}

#[test]
fn at_most_12_bytes_are_taken_for_each_of_more_than_2_to_the_18_blocks_and_512_kib_for_fewer() {
    for power in 0..32 {
        for blocks in
            [(1_u64 << power).saturating_sub(1), 1 << power, (1 << power) + 1, 3 << power >> 1, 7 << power >> 2]
        {
            let bytes = BlockIndex::memory_bytes(blocks.min(SumTable::BLOCKS_MAX as u64));
            let more = if blocks >= 1 << 18 { 0 } else { 512 * 1024 };
            assert!(bytes <= 12 * blocks + more + 8, "{bytes} bytes for {blocks} blocks");
        }
    }
    assert_eq!(BlockIndex::memory_bytes(1 << 32), u64::MAX);
}

#[test]
fn what_an_index_takes_is_what_it_says() {
    for blocks in [1, 1000, 70_000, 262_145, 524_289] {
        let table = table(blocks, 1 << 24, 200);
        let index = BlockIndex::new(&table, table.len()).unwrap();
        let taken = 8 * index.entries.capacity() + 4 * index.buckets.capacity() + 4 * index.filter.capacity();
        let said = BlockIndex::memory_bytes(u64::from(blocks));
        assert!(taken as u64 <= said, "{taken} bytes, not {said}, for {blocks} blocks");
    }
}
