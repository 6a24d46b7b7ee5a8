//! Whoever follows the work can stop it, however short it is: nothing is published then.

use std::fs::{File, create_dir, write};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use frazil::{
    BackupOptions, EntryReport, Error, ErrorKind, LevelOptions, LevelReader, NoBasis, Observer, PatchOptions,
    PatchReader, RestoreOptions, VerifyOptions, backup_tree_file, restore_tree, verify_archive, verify_tree,
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

#[test]
fn a_level_that_is_stopped_because_its_source_has_changed_has_no_trailer() {
    let ground = Ground::new();
    for threads in [1, 2] {
        write(ground.at("file"), "content").unwrap();
        let options = || LevelOptions::new().threads(threads);
        let stopping = options().observer(Arc::new(Stopper { at_problems: true, ..Stopper::default() }));
        let [stopped, told] = [stopping, options()].map(|options| {
            write(ground.at("file"), "content").unwrap();
            let level = LevelReader::open(ground.at("file"), None, options).unwrap();
            write(ground.at("file"), "changed content").unwrap();
            let mut stream = Vec::new();
            (level.write_to(&mut stream).map(|summary| summary.dirty), stream)
        });
        assert_eq!(stopped.0.unwrap_err().kind(), ErrorKind::Cancelled);
        assert!(told.0.unwrap());
        let target = |stream: &[u8]| {
            PatchReader::new(stream, NoBasis, PatchOptions::new()).and_then(|mut patch| {
                std::io::Read::read_to_end(&mut patch, &mut Vec::new())?;
                patch.finish()
            })
        };
        assert_eq!(target(&stopped.1).unwrap_err().kind(), ErrorKind::Truncated);
        assert!(target(&told.1).unwrap().dirty);
    }
}

/// Wants to stop when it is asked for the nth time, and is never asked once the target is there.
struct AtNth {
    nth: usize,
    asked: Arc<AtomicUsize>,
    target: PathBuf,
}

impl Observer for AtNth {
    fn cancelled(&self) -> bool {
        assert!(!self.target.exists(), "asked when it was too late");
        self.asked.fetch_add(1, Ordering::Relaxed) + 1 == self.nth
    }
}

/// Between the flush and the renaming, and behind it, nobody is asked: what was stopped has published nothing, and
/// what was published says so.
#[test]
fn what_is_stopped_at_any_asking_has_published_nothing() {
    let ground = Ground::new();
    let content: Vec<u8> =
        (0..6_000_000_u32).flat_map(|number| number.wrapping_mul(0x9e37_79b1).to_le_bytes()).collect();
    write(ground.at("file"), &content).unwrap();
    write(ground.at("tree/file"), &content).unwrap();
    frazil::level_file(ground.at("file"), None, ground.at("level.0"), frazil::LevelOptions::new()).unwrap();
    let level = || File::open(ground.at("level.0")).unwrap();
    let patching = |observer| frazil::PatchOptions::new().observer(observer);
    type Work<'a> = &'a dyn Fn(&Path, Arc<dyn Observer>) -> frazil::Result<()>;
    let works: [(&str, Work); 4] = [
        ("a level", &|target, observer| {
            let options = frazil::LevelOptions::new().observer(observer);
            frazil::level_file(ground.at("file"), None, target, options).map(drop)
        }),
        ("a patch", &|target, observer| frazil::patch_file(None, level(), target, patching(observer)).map(drop)),
        ("a chain", &|target, observer| frazil::chain_file(None, vec![level()], target, patching(observer)).map(drop)),
        ("a snapshot", &|target, observer| {
            let options = BackupOptions::new().observer(observer);
            frazil::backup_tree(ground.at("tree"), None, target, std::io::sink(), options).map(drop)
        }),
    ];
    for (name, work) in works {
        let target = ground.at("target");
        let stopped_at = |nth| {
            let asked = Arc::<AtomicUsize>::default();
            let result = work(&target, Arc::new(AtNth { nth, asked: asked.clone(), target: target.clone() }));
            (result.map_err(|error| error.kind()), asked.load(Ordering::Relaxed))
        };
        let (result, asked) = stopped_at(usize::MAX);
        assert!(result.is_ok() && asked > 3 && target.exists(), "{name}: {result:?} after {asked}");
        std::fs::remove_file(&target).unwrap();
        for nth in 1..=asked {
            assert_eq!(stopped_at(nth), (Err(ErrorKind::Cancelled), nth), "{name}");
            assert!(!target.exists(), "{name}, stopped at {nth} of {asked}");
        }
    }
}
