//! Any bytes as a snapshot: as they are, and inside of a sealed stream whose checksums hold.
#![no_main]

#[path = "../../tests/support/sealed.rs"]
#[allow(dead_code, reason = "only the making of a stream is needed here")]
mod sealed;

use frazil::list_snapshot;
use libfuzzer_sys::fuzz_target;
use sealed::{Says, Sealing};

/// The kind of a sealed stream that is a snapshot.
const SNAPSHOT: u8 = 3;

fuzz_target!(|data: &[u8]| {
    list(data);
    list(&Sealing::new(SNAPSHOT, &[]).data(data, data.len() as u64).end(&Says::truth(data)));
});

fn list(snapshot: &[u8]) {
    let mut last = None;
    let mut entries = 0;
    let listed = list_snapshot(snapshot, |entry| {
        assert!(last.as_ref() != Some(&entry.path), "an entry comes once");
        last = Some(entry.path);
        entries += 1;
        Ok(())
    });
    if let Ok(summary) = listed {
        assert_eq!(summary.entries, entries);
    }
}
