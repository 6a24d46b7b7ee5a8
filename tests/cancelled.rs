//! Whoever follows the work can stop it, however short it is: nothing is published then.

use std::fs::{File, create_dir, write};
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use frazil::{
    BackupOptions, EntryReport, Error, ErrorKind, Observer, RestoreOptions, VerifyOptions, backup_tree_file,
    restore_tree, verify_archive, verify_tree,
};

/// Wants to stop from the start, or from when it is told of something.
#[derive(Default)]
struct Stopper {
    at_problems: bool,
    at_notes: bool,
    at_entries: bool,
    stop: AtomicBool,
}

impl Observer for Stopper {
    fn problem(&self, _: &Error) {
        self.stop.fetch_or(self.at_problems, Ordering::Relaxed);
    }

    fn note(&self, _: &Error) {
        self.stop.fetch_or(self.at_notes, Ordering::Relaxed);
    }

    fn entry(&self, _: &EntryReport<'_>) {
        self.stop.fetch_or(self.at_entries, Ordering::Relaxed);
    }

    fn cancelled(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

fn stopper() -> Arc<dyn Observer> {
    Arc::new(Stopper { stop: AtomicBool::new(true), ..Stopper::default() })
}

/// A tree without any content, and its level 0.
struct Ground {
    dir: tempfile::TempDir,
}

impl Ground {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let ground = Self { dir };
        create_dir(ground.at("tree")).unwrap();
        create_dir(ground.at("tree/directory")).unwrap();
        backup_tree_file(ground.at("tree"), None, ground.at("snapshot"), ground.at("archive"), BackupOptions::new())
            .unwrap();
        ground
    }

    fn at(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn back_up(&self, observer: Stopper) -> ErrorKind {
        let options = BackupOptions::new().observer(Arc::new(observer));
        let result = backup_tree_file(self.at("tree"), None, self.at("snapshot.2"), self.at("archive.2"), options);
        assert!(!self.at("snapshot.2").exists() && !self.at("archive.2").exists());
        result.unwrap_err().kind()
    }
}

#[test]
fn a_backup_stops_when_it_is_told_to() {
    let ground = Ground::new();
    assert_eq!(ground.back_up(Stopper { stop: AtomicBool::new(true), ..Stopper::default() }), ErrorKind::Cancelled);
    assert_eq!(ground.back_up(Stopper { at_entries: true, ..Stopper::default() }), ErrorKind::Cancelled);
    let _socket = UnixListener::bind(ground.at("tree/socket")).unwrap();
    assert_eq!(ground.back_up(Stopper { at_notes: true, ..Stopper::default() }), ErrorKind::Cancelled);
    write(ground.at("tree/.frazil-restore"), "has the name of a restore's own directory").unwrap();
    assert_eq!(ground.back_up(Stopper { at_problems: true, ..Stopper::default() }), ErrorKind::Cancelled);
}

#[test]
fn a_restore_stops_before_it_publishes_anything() {
    let ground = Ground::new();
    create_dir(ground.at("restored")).unwrap();
    let options = RestoreOptions::new().observer(stopper());
    let archive = File::open(ground.at("archive")).unwrap();
    assert_eq!(restore_tree(archive, ground.at("restored"), options).unwrap_err().kind(), ErrorKind::Cancelled);
    assert_eq!(ground.at("restored").read_dir().unwrap().count(), 0);
}

#[test]
fn verification_stops_when_it_is_told_to() {
    let ground = Ground::new();
    let archive = || File::open(ground.at("archive")).unwrap();
    assert_eq!(verify_archive(archive(), Some(stopper())).unwrap_err().kind(), ErrorKind::Cancelled);
    let options = VerifyOptions::new().observer(stopper());
    let stopped = verify_tree(vec![archive()], ground.at("tree"), options, |_| Ok(()));
    assert_eq!(stopped.unwrap_err().kind(), ErrorKind::Cancelled);
}

#[test]
fn a_chain_stops_when_it_is_told_to() {
    let ground = Ground::new();
    write(ground.at("file"), "content").unwrap();
    frazil::level_file(ground.at("file"), None, ground.at("level.0"), frazil::LevelOptions::new()).unwrap();
    let options = frazil::PatchOptions::new().observer(stopper());
    let deltas = vec![File::open(ground.at("level.0")).unwrap()];
    let stopped = frazil::chain_file(None, deltas, ground.at("target"), options);
    assert_eq!(stopped.unwrap_err().kind(), ErrorKind::Cancelled);
    assert!(!ground.at("target").exists());
}
