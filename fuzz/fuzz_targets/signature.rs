//! Any bytes as a signature: refused, or read and written back, and safe to make a level against.
#![no_main]

use frazil::{Engine, Format, LevelOptions, Matching, Signature};
use frazil_fuzz::level;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(signature) = Signature::read_limited(data, 16 << 20) else { return };
    let plain = signature.write_to(Vec::new(), Format::Rdiff).expect("any signature can be written plain");
    if signature.identity().is_none() {
        assert_eq!(plain, data, "a plain signature is written as it was read");
    } else {
        let sealed = signature.write_to(Vec::new(), Format::Sealed).expect("what came sealed can be sealed");
        assert_eq!(Signature::read_from(&sealed[..]).expect("what was written can be read"), signature);
    }
    if signature.params().block_len() > 4096 {
        return;
    }
    let options = || LevelOptions::new().format(Format::Rdiff).threads(1);
    level(data, &signature, options().matching(Matching::Rolling));
    level(data, &signature, options().matching(Matching::Aligned));
    level(data, &signature, options().engine(Engine::Librsync));
});
