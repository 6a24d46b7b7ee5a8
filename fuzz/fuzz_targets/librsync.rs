//! frazil beside the C library, both ways: signatures are equal, each patches with the other's delta, and what frazil
//! takes of bytes that nobody made librsync takes too, with the same outcome.
#![no_main]

use frazil::{Format, LevelOptions, SignatureParams, StrongKind, WeakKind};
use frazil_fuzz::{Input, Librsync, MAX_OUTPUT, edited, level, patch};
use libfuzzer_sys::fuzz_target;

const LIBRSYNC: Librsync = Librsync::VENDORED;

/// librsync's magic numbers.
const MAGICS: [(i32, WeakKind, StrongKind, u32); 4] = [
    (0x7273_0136, WeakKind::Rollsum, StrongKind::Md4, 16),
    (0x7273_0137, WeakKind::Rollsum, StrongKind::Blake2, 32),
    (0x7273_0146, WeakKind::RabinKarp, StrongKind::Md4, 16),
    (0x7273_0147, WeakKind::RabinKarp, StrongKind::Blake2, 32),
];

fuzz_target!(|data: &[u8]| {
    let mut input = Input(data);
    let choice = input.byte();
    let length = input.word();
    let old = input.bytes(length);
    if choice & 0x80 != 0 {
        check_foreign(old, input.0);
        return;
    }
    let (magic, weak, strong, longest) = MAGICS[usize::from(choice & 3)];
    let block_len = [1, 2, 7, 16, 64, 700, 2048, 4096][usize::from(choice >> 2 & 7)];
    let strong_len = longest - u32::from(input.byte()) % longest;
    let new = edited(old, &mut input);

    let params = SignatureParams::new(weak, strong, block_len, strong_len).expect("these parameters are in range");
    let options = || LevelOptions::new().params(params).format(Format::Rdiff).threads(1);
    let (_, signature) = level(old, None, options());
    let mut own = Vec::new();
    signature.write_to(&mut own, Format::Rdiff).expect("memory takes it");
    let theirs = LIBRSYNC.signature(old, block_len as usize, strong_len as usize, magic as _);
    assert!(own == theirs, "signatures differ");

    // A shortened strong sum may match what it is not the sum of, in either library.
    if strong_len >= 8 {
        let (delta, _) = level(&new, &signature, options());
        let made = LIBRSYNC.patch(old, &delta, usize::MAX).unwrap_or_else(|code| panic!("librsync refuses: {code}"));
        assert!(made == new, "librsync makes something else of frazil's delta");
        // It cannot load a signature of no blocks from no bytes of content, and frazil's need not be asked then.
        if let Ok(delta) = LIBRSYNC.delta(&own, &new) {
            let (target, result) = patch(&delta, old);
            result.unwrap_or_else(|error| panic!("{error}"));
            assert!(target == new, "frazil makes something else of librsync's delta");
        }
    }
});

/// Bytes that nobody made, behind the magic of a delta: librsync takes more than frazil, which is stricter, and hangs
/// on some of the rest; but what frazil takes is one thing to both.
fn check_foreign(basis: &[u8], commands: &[u8]) {
    let delta = [b"rs\x02\x36", commands].concat();
    let (target, result) = patch(&delta, basis);
    if result.is_ok() {
        let theirs = LIBRSYNC.patch(basis, &delta, MAX_OUTPUT as usize);
        assert_eq!(theirs.as_deref(), Ok(&target[..]), "one delta, two contents");
    }
}
