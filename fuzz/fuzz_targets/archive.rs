//! Any bytes as an archive: refused, or listed and verified alike.
#![no_main]

use frazil::{list_archive, verify_archive};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut entries = 0_u64;
    let listed = list_archive(data, |entry| {
        assert!(!entry.path.as_os_str().is_empty(), "every entry has a path");
        entries += 1;
        Ok(())
    });
    let verified = verify_archive(data, None);
    match (&listed, &verified) {
        (Ok(listed), Ok(verified)) => {
            assert_eq!(listed.header, verified.header);
            assert_eq!(listed.totals.records, entries);
        }
        (Err(listed), Err(verified)) => assert_eq!(listed.to_string(), verified.to_string()),
        _ => panic!("{listed:?} {verified:?}"),
    }
});
