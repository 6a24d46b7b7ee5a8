//! What a restore keeps beside the tree while it works, and between two levels.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use frazil::{ArchiveEntry, BackupOptions, Observer, restore_tree};

use crate::content::noise;
use crate::ground::{Ground, privileged};

/// Looks at what a restore works in, at each entry.
struct Looking(PathBuf, Mutex<Vec<u32>>);

impl Observer for Looking {
    fn restoring(&self, _: &ArchiveEntry) {
        let there = [".frazil-restore", ".frazil-restore/stage"].map(|name| fs::symlink_metadata(self.0.join(name)));
        self.1.lock().unwrap().extend(there.into_iter().flatten().map(|metadata| metadata.mode() & 0o7777));
    }
}

/// What it holds is nobody's to see before it has its own rights.
#[test]
fn what_a_restore_works_in_is_closed_to_others() {
    let mut ground = Ground::new();
    for level in 0..3_u8 {
        ground.write("changes", noise(200_000, level.into()));
        ground.write(&format!("d/new at {level}"), "x");
        ground.level(BackupOptions::new());
    }
    let destination = ground.at("destination");
    for level in 0..3 {
        let looking = Arc::new(Looking(destination.clone(), Mutex::default()));
        restore_tree(&ground.archives[level][..], &destination, privileged().observer(looking.clone())).unwrap();
        let looked = looking.1.lock().unwrap();
        assert!(looked.len() > 2 && looked.iter().all(|&mode| mode == 0o700), "level {level}: {looked:?}");
        for entry in fs::read_dir(destination.join(".frazil-restore")).unwrap() {
            assert_eq!(entry.unwrap().metadata().unwrap().mode() & 0o077, 0, "level {level}");
        }
    }
}
