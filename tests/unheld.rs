//! A new signature that is not held in memory takes none of the memory limit.

use std::io::Read;

use frazil::{ErrorKind, LevelOptions, LevelReader};

#[test]
fn a_signature_that_goes_nowhere_takes_no_memory() {
    let length = 1 << 40;
    let options = || LevelOptions::new().target_len(length).memory_limit(16 << 20);
    let error = LevelReader::new(&b""[..], None, options()).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Limit);

    let mut level = LevelReader::new(&b"short after all"[..], None, options().hold_signature(false)).unwrap();
    level.read_to_end(&mut Vec::new()).unwrap();
    let summary = level.finish_summary().unwrap();
    assert!(summary.signature.is_none());
    assert_eq!(summary.identity.unwrap().length(), 15);
}
