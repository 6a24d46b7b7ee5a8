//! A tree that is on another device than at the level before.

use std::fs;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;

use frazil::{BackupOptions, Reason, Since, backup_tree};

use crate::ground::{Ground, Log};
use crate::tree::{set_time, time_of};

#[test]
fn a_file_on_another_device_is_read_again_where_devices_are_compared() {
    // In memory, beside what is on a disk; or the other way round.
    let there = ["/dev/shm", "/var/tmp", env!("CARGO_TARGET_TMPDIR")].map(Path::new);
    let mut ground = Ground::new();
    let device = |path: &Path| fs::metadata(path).unwrap().dev();
    let is_other = |path: &&Path| path.is_dir() && device(path) != device(&ground.live(""));
    let Some(other) = there.iter().copied().find(is_other) else {
        writeln!(std::io::stderr(), "not run: there is one file system alone").unwrap();
        return;
    };
    let other = tempfile::tempdir_in(other).unwrap();
    ground.write("f", "the same");
    set_time(&ground.live("f"), (1_000_000_000, 7)).unwrap();
    ground.rest();
    ground.level(BackupOptions::new());

    fs::copy(ground.live("f"), other.path().join("f")).unwrap();
    set_time(&other.path().join("f"), time_of(&ground.live("f"))).unwrap();
    for (compare, expected) in [(false, None), (true, Some((None, Reason::Device, 0)))] {
        let log = Arc::<Log>::default();
        // What else tells a copy is not looked at.
        let options = BackupOptions::new().ignore_ctime(true).ignore_inode(true).compare_device(compare);
        let (since, snapshot) = (Since::File(ground.snapshot(0)), ground.at("snapshot"));
        let options = options.observer(log.clone());
        let summary = backup_tree(other.path(), since, &snapshot, &mut Vec::new(), options).unwrap();
        assert_eq!(log.of("f"), expected, "compared: {compare}");
        assert_eq!((summary.full, summary.deltas), (0, 0), "its content is the same, compared: {compare}");
        fs::remove_file(snapshot).unwrap();
    }
}
