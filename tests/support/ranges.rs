//! Ranges of a comparison, held against a comparison of the contents byte by byte.

use frazil::{BlockRange, RangeKind};

/// Whether each block of the new content stands in the old at the same place, elsewhere on the grid, or
/// nowhere, by its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Truth {
    Same,
    Elsewhere,
    Nowhere,
}

fn truth(old: &[u8], new: &[u8], block_len: usize) -> Vec<Truth> {
    let old: Vec<&[u8]> = old.chunks(block_len).collect();
    let of_block = |(number, block): (usize, &[u8])| match old.get(number) {
        Some(same) if *same == block => Truth::Same,
        _ if old.contains(&block) => Truth::Elsewhere,
        _ => Truth::Nowhere,
    };
    new.chunks(block_len).enumerate().map(of_block).collect()
}

/// The ranges cover the new content, cannot be joined further, and say of each block what is true.
pub(crate) fn check_ranges(ranges: &[BlockRange], old: &[u8], new: &[u8], block_len: usize, moved: bool) {
    let truth = truth(old, new, block_len);
    let mut end = 0;
    for range in ranges {
        assert_eq!(range.offset, end, "{ranges:?}");
        assert!(range.len > 0, "{ranges:?}");
        end += range.len;
        let content = &new[range.offset as usize..end as usize];
        for (truth, at) in truth[range.offset as usize / block_len..].iter().zip((0..content.len()).step_by(block_len))
        {
            let expected = match range.kind {
                RangeKind::Same => &[Truth::Same][..],
                RangeKind::Moved { .. } => &[Truth::Elsewhere],
                _ if moved => &[Truth::Nowhere],
                _ => &[Truth::Nowhere, Truth::Elsewhere],
            };
            assert!(expected.contains(truth), "{range:?} at {at}: {truth:?}");
        }
        if let RangeKind::Moved { from } = range.kind {
            let from = from as usize;
            assert!(old[from..from + content.len()] == *content, "{range:?} is not what stands there");
        }
    }
    assert_eq!(end, new.len() as u64, "{ranges:?}");
    for pair in ranges.windows(2) {
        let joined = match (pair[0].kind, pair[1].kind) {
            (RangeKind::Moved { from }, RangeKind::Moved { from: next }) => from + pair[0].len == next,
            (kind, next) => kind == next,
        };
        assert!(!joined, "{pair:?} are one range");
    }
}

/// What is not in its place is changed.
pub(crate) fn without_moves(ranges: &[BlockRange]) -> Vec<BlockRange> {
    let mut plain: Vec<BlockRange> = Vec::new();
    for &range in ranges {
        let same = range.kind == RangeKind::Same;
        let range = BlockRange { kind: if same { RangeKind::Same } else { RangeKind::Changed }, ..range };
        match plain.last_mut() {
            Some(last) if last.kind == range.kind => last.len += range.len,
            _ => plain.push(range),
        }
    }
    plain
}
