//! Two contents, a level from the one to the other, and the other restored: every format, matching and
//! engine.
#![no_main]

use frazil::{Engine, Format, LevelOptions, Matching};
use frazil_fuzz::{Input, edited, level, params, patch};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut input = Input(data);
    let (choice, length) = (input.byte(), input.word());
    let old = input.bytes(length);
    let new = edited(old, &mut input);
    let params = params(choice);
    let (_, signature) = level(old, None, LevelOptions::new().params(params).threads(1));
    let (_, expected) = level(&new, None, LevelOptions::new().params(params).threads(1));

    for format in [Format::Sealed, Format::Rdiff] {
        let options = LevelOptions::new().format(format).threads(1);
        let ways = [
            options.clone(),
            options.clone().matching(Matching::Aligned),
            options.clone().matching(Matching::Rolling),
            options.engine(Engine::Librsync),
        ];
        for options in ways {
            let (stream, made) = level(&new, &signature, options.clone());
            let (target, result) = patch(&stream, old);
            result.unwrap_or_else(|error| panic!("{options:?}: {error}"));
            assert!(target == new, "{options:?}");
            assert!(made == expected, "{options:?}");
        }
    }
});
