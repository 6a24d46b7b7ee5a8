//! A file patched in its place becomes the new content, or is refused and left as it was.
#![no_main]

use std::fs;

use frazil::{ErrorKind, Format, LevelOptions, patch_in_place};
use frazil_fuzz::{Input, edited, level, params, patch_options};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut input = Input(data);
    let (choice, length) = (input.byte(), input.word());
    let old = edited(input.bytes(length), &mut Input(data));
    let new = edited(&old, &mut input);
    let format = if choice & 0x10 == 0 { Format::Sealed } else { Format::Rdiff };
    let options = || LevelOptions::new().format(format).threads(1);
    let (_, signature) = level(&old, None, options().params(params(choice)));
    let (delta, _) = level(&new, &signature, options());

    let path = std::env::temp_dir().join(format!("frazil-fuzz-in-place.{}", std::process::id()));
    fs::write(&path, &old).expect("a file can be written");
    let memory = if choice & 0x20 == 0 { 8 << 20 } else { 1000 };
    let result = patch_in_place(&path, &delta[..], patch_options().index_memory(memory));
    let found = fs::read(&path).expect("the file is there");
    match result {
        Ok(_) => assert!(found == new),
        Err(error) if error.kind() == ErrorKind::Limit => assert!(found == old, "{error}"),
        Err(error) => panic!("{error}"),
    }
    fs::remove_file(&path).expect("the file is there");
});
