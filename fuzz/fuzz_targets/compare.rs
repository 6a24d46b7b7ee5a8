//! What signatures say of two contents, held against the contents themselves.
#![no_main]

use std::collections::HashSet;
use std::io::Read;

use frazil::{BlockRange, LevelOptions, RangeKind, RangeLevel, compare_data};
use frazil_fuzz::{Input, edited, level, params, patch};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut input = Input(data);
    let (choice, length) = (input.byte(), input.word());
    let old = input.bytes(length);
    let new = edited(old, &mut input);
    let options = || LevelOptions::new().params(params(choice)).threads(1);
    let (_, old_signature) = level(old, None, options());
    let (_, new_signature) = level(&new, None, options());

    let ranges: Vec<BlockRange> = old_signature.compare(&new_signature).expect("same parameters").collect();
    let block_len = params(choice).block_len() as usize;
    check(&ranges, old, &new, block_len);
    let streamed: frazil::Result<Vec<BlockRange>> = compare_data(&old_signature, &new[..]).expect("starts").collect();
    assert_eq!(streamed.expect("content in memory can be read"), ranges);

    let mut stream = Vec::new();
    let mut level = RangeLevel::new(&old_signature, &new_signature, &new[..], options()).expect("same parameters");
    level.read_to_end(&mut stream).expect("content in memory can be read");
    let (target, result) = patch(&stream, old);
    result.unwrap_or_else(|error| panic!("{error}"));
    assert!(target == new);
});

fn check(ranges: &[BlockRange], old: &[u8], new: &[u8], block_len: usize) {
    let known: HashSet<&[u8]> = old.chunks(block_len).collect();
    let mut offset = 0;
    for range in ranges {
        assert_eq!(range.offset as usize, offset, "ranges follow each other");
        let content = &new[offset..offset + range.len as usize];
        match range.kind {
            RangeKind::Same => assert!(old[offset..].starts_with(content)),
            RangeKind::Moved { from } => assert!(old[from as usize..].starts_with(content)),
            // No block of the old content is one of these.
            RangeKind::Changed => assert!(content.chunks(block_len).all(|block| !known.contains(block))),
            kind => panic!("unknown kind of range {kind:?}"),
        }
        offset += content.len();
    }
    assert_eq!(offset, new.len(), "ranges cover the content");
}
