//! Memory that does not grow with a tree: many files, and a large one that fails.
//!
//! One test, because resident memory is counted for the whole process.

#[path = "support/memory.rs"]
mod memory;
#[path = "support/random.rs"]
mod random;
#[path = "support/tree.rs"]
mod tree;

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use frazil::{
    BackupOptions, BackupReader, BackupSummary, RestoreOptions, Since, backup_tree, restore_tree, verify_tree,
};
use memory::peak_of;

const MIB: u64 = 1 << 20;

#[test]
fn memory_stays_flat_however_many_files_a_tree_has_and_whatever_fails() {
    let dir = tempfile::tempdir().unwrap();
    many_files_take_no_more_than_40_mib(&dir.path().join("many"), 50_000);
    a_large_file_that_fails_early_takes_no_memory_for_what_is_missing(dir.path());
}

fn many_files_take_no_more_than_40_mib(dir: &Path, files: usize) {
    let at = |name: &str| dir.join(name);
    fs::create_dir_all(at("live")).unwrap();
    for number in 0..files {
        let directory = at("live").join(format!("directory {}", number / 5_000));
        if number % 5_000 == 0 {
            fs::create_dir(&directory).unwrap();
        }
        fs::write(directory.join(format!("a file of some name {number}")), number.to_le_bytes()).unwrap();
    }
    let back_up = |level: u32, since: Since| -> BackupSummary {
        let archive = File::create(at(&format!("archive.{level}"))).unwrap();
        backup_tree(at("live"), since, at(&format!("snapshot.{level}")), archive, BackupOptions::new()).unwrap()
    };
    let restore = |level: u32| {
        let archive = File::open(at(&format!("archive.{level}"))).unwrap();
        restore_tree(archive, at("restored"), RestoreOptions::new()).unwrap()
    };
    let check = |what: &str, peak: u64| {
        println!("{what}: {} KiB", peak / 1024);
        assert!(peak <= 40 * MIB, "{what}: {peak} bytes for {files} files");
    };
    let (summary, peak) = peak_of(|| back_up(0, Since::Nothing));
    assert!(summary.full as usize > files);
    check("level 0", peak);
    let (summary, peak) = peak_of(|| back_up(1, Since::File(at("snapshot.0"))));
    assert_eq!((summary.full, summary.content_bytes), (0, 0));
    check("an unchanged level 1", peak);
    // Every name is gone, and another found in its place.
    fs::rename(at("live"), at("moved")).unwrap();
    fs::create_dir(at("live")).unwrap();
    fs::rename(at("moved"), at("live").join("moved")).unwrap();
    let (summary, peak) = peak_of(|| back_up(2, Since::File(at("snapshot.1"))));
    assert_eq!(summary.copies as usize, files);
    check("a level 2 of renames", peak);
    for (level, what) in [(0, "restore of level 0"), (1, "restore of level 1")] {
        let (summary, peak) = peak_of(|| restore(level));
        assert!(summary.whole);
        check(what, peak);
    }
    let (summary, peak) = peak_of(|| {
        let archives = (0..2).map(|level| File::open(at(&format!("archive.{level}"))).unwrap()).collect();
        verify_tree(archives, at("restored"), Default::default(), |difference| panic!("{difference:?}")).unwrap()
    });
    assert_eq!(summary.differences, 0);
    check("verification", peak);
}

fn a_large_file_that_fails_early_takes_no_memory_for_what_is_missing(dir: &Path) {
    // So long a name has no map of holes beside it, and every byte has to be in the archive.
    let path = dir.join("n".repeat(200));
    File::create(&path).unwrap().set_len(512 * MIB).unwrap();
    let path = path.canonicalize().unwrap();
    let (missing, peak) = peak_of(|| {
        let mut backup = BackupReader::new(&path, None, io::sink(), BackupOptions::new()).unwrap();
        backup.read_exact(&mut vec![0; MIB as usize]).unwrap();
        tree::break_descriptors(&path);
        let missing = io::copy(&mut backup, &mut io::sink()).unwrap();
        assert_eq!(backup.finish().unwrap().problems, 1);
        missing
    });
    println!("a file that fails: {} KiB", peak / 1024);
    assert!(missing >= 511 * MIB);
    assert!(peak <= 64 * MIB, "{peak} bytes");
}
