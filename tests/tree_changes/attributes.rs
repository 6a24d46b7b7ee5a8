//! Attributes that are larger than most file systems have room for.

use std::fs;

use frazil::{Action, BackupOptions};

use crate::ground::Ground;
use crate::tree::{attributes_of, set_attribute};

/// As many and as long as take a few megabytes: far more than a page, a block or the headers of a tar.
const COUNT: usize = 40;
const LEN: usize = 64 << 10;

#[test]
fn attributes_of_megabytes_are_backed_up_compared_and_restored_whole() {
    let Ok(dir) = tempfile::tempdir_in("/dev/shm") else {
        eprintln!("skipped: there is no file system in memory, where attributes are as large as they like");
        return;
    };
    let mut ground = Ground::within(dir);
    let value =
        |number: usize, seed: usize| -> Vec<u8> { (0..LEN).map(|at| (at / 7 + number * 31 + seed) as u8).collect() };
    for path in ["d/f", "g"] {
        let file = ground.write(path, "content");
        for number in 0..COUNT {
            let set = set_attribute(&file, format!("user.number {number:02}").as_bytes(), &value(number, 0));
            if let Err(error) = set {
                eprintln!("skipped: {} takes {number} attributes of {LEN} bytes: {error}", file.display());
                return;
            }
        }
    }
    ground.level(BackupOptions::new());
    set_attribute(&ground.live("g"), b"user.number 17", &value(17, 1)).unwrap();
    set_attribute(&ground.live("g"), b"user.another", b"").unwrap();
    let (summary, log) = ground.level(BackupOptions::new());
    assert_eq!((summary.content_bytes, summary.problems), (0, 0), "{summary:?}");
    let action = |path: &str| log.of(path).and_then(|(action, ..)| action);
    assert_eq!((action("g"), action("d/f")), (Some(Action::Metadata), None), "{:?}", log.entries());
    let restored = ground.assert_restores();
    let found = attributes_of(&restored.join("g"));
    assert_eq!((found.len(), &found[&b"user.number 17"[..]]), (COUNT + 1, &value(17, 1)));
    assert_eq!(fs::read(restored.join("d/f")).unwrap(), b"content");
}
