//! Three contents: restored in one pass as one after the other, in any memory, read anywhere.
#![no_main]

use std::io::Read;

use frazil::{Chain, Format, LevelOptions, NoBasis};
use frazil_fuzz::{Input, edited, level, params, patch, patch_options};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut input = Input(data);
    let (choice, length) = (input.byte(), input.word());
    let first = input.bytes(length).to_vec();
    let second = edited(&first, &mut input);
    let third = edited(&second, &mut input);
    let format = if choice & 0x10 == 0 { Format::Sealed } else { Format::Rdiff };
    let options = || LevelOptions::new().format(format).threads(1);

    let (level0, signature) = level(&first, None, options().params(params(choice)));
    let (level1, signature) = level(&second, &signature, options());
    let (level2, _) = level(&third, &signature, options());
    let deltas = [&level0[..], &level1[..], &level2[..]];
    let mut state = Vec::new();
    for (number, (delta, content)) in deltas.iter().zip([&first, &second, &third]).enumerate() {
        let (target, result) = patch(delta, state);
        result.unwrap_or_else(|error| panic!("level {number}: {error}"));
        assert!(target == *content);

        let memory = if choice & 0x20 == 0 { 8 << 20 } else { 0 };
        let options = patch_options().index_memory(memory);
        let mut chain = Chain::new(NoBasis, deltas[..=number].to_vec(), options).expect("the levels fit");
        let mut chained = Vec::new();
        chain.read_to_end(&mut chained).expect("a chain can be read");
        chain.finish().expect("a chain that was read ends");
        assert!(chained == *content, "level {number}");
        state = target;
    }
});
