//! Sealed streams: raw bytes, and fuzzed fields and frames under checksums that hold.
#![no_main]

use std::io::Read;

use frazil::{Chain, ErrorKind, Signature, SignatureParams};
use frazil_fuzz::{Frame, Input, Promise, Sealed, patch, patch_options};
use libfuzzer_sys::fuzz_target;

const BASIS: &[u8] = b"The ice crystals form in a stream that moves too fast to freeze over.";

fuzz_target!(|data: &[u8]| {
    let mut input = Input(data);
    if input.byte() & 1 == 0 {
        let _ = patch(input.0, BASIS);
        let _ = Signature::read_limited(input.0, 1 << 20);
        return;
    }
    let sealed = assembled(&mut input);
    let claimed = Promise { leaf_len: 65536, ..Promise::default() };
    let stream = sealed.assemble(&claimed);
    let _ = Signature::read_limited(&stream[..], 1 << 20);
    let (target, _) = patch(&stream, BASIS);

    // The same stream with a trailer that tells the truth: no patcher may call the result wrong.
    let params = SignatureParams::default();
    let options = frazil::LevelOptions::new().params(params).threads(1);
    let (_, signature) = frazil_fuzz::level(&target, None, options);
    let identity = signature.identity().expect("a level knows its content");
    let stream = sealed.assemble(&Promise::from(identity));
    let (again, result) = patch(&stream, BASIS);
    assert_eq!(again, target);
    let mut chained = Vec::new();
    let chain = Chain::new(BASIS, vec![&stream[..]], patch_options())
        .and_then(|mut chain| Ok(chain.read_to_end(&mut chained).map(drop)?));
    match (result, chain) {
        (Ok(()), Ok(())) => assert_eq!(chained, target),
        (Err(one), Err(other)) => {
            assert!(one.kind() != ErrorKind::Internal && other.kind() != ErrorKind::Internal, "{one} {other}");
        }
        (one, other) => panic!("{one:?} {other:?}"),
    }
});

/// Header fields and frames as the input says; the offsets that frames announce are right unless the
/// input will have them wrong.
fn assembled(input: &mut Input<'_>) -> Sealed {
    let kind = input.byte();
    let fields_len = usize::from(input.byte());
    let fields = input.bytes(fields_len).to_vec();
    let mut frames = Vec::new();
    let mut output = 0_u64;
    while !input.is_over() && frames.len() < 16 {
        let kind = input.byte();
        let codec = input.byte();
        output = output.wrapping_add(if codec & 0x80 == 0 { input.word() as u64 } else { input.number() });
        let len = usize::from(input.byte());
        let payload = input.bytes(len).to_vec();
        frames.push(Frame { kind, codec: codec & 0x7f, payload, output });
    }
    Sealed { kind, fields, frames }
}
