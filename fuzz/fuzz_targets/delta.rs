//! Any bytes as a delta on a fixed basis: all of the patchers refuse it, or all make the same of it.
#![no_main]

use std::io::{Read, Write};

use frazil::{Chain, PatchWriter};
use frazil_fuzz::{patch, patch_options};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let basis: Vec<u8> = (0..1000_u32).map(|i| ((i * i) >> 3) as u8).collect();
    let (target, result) = patch(data, &basis[..]);

    let mut chained = Vec::new();
    let chain = Chain::new(&basis[..], vec![data], patch_options())
        .and_then(|mut chain| Ok(chain.read_to_end(&mut chained).map(drop)?));
    assert_eq!(result.is_ok(), chain.is_ok(), "{result:?} {chain:?}");

    let mut writer = PatchWriter::new(Vec::new(), &basis[..], patch_options()).expect("a basis in memory has a length");
    let written = data.chunks(3).try_for_each(|piece| writer.write_all(piece));
    let written = written.map_err(frazil::Error::from).and_then(|()| writer.finish());
    assert_eq!(result.is_ok(), written.is_ok());
    if let Ok((written, _)) = written {
        assert_eq!(target, written);
        assert_eq!(target, chained);
    }
});
