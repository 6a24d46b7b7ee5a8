//! Files that vanish, grow, shrink, change or cannot be read while the tree is: each is reported and marked,
//! its neighbours are right, and the next level has it right again.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::Path;

use rustix::fs::{CWD, FileType, Mode, mknodat};

use frazil::{Action, BackupOptions, ErrorKind, Reason, list_archive};

use crate::content::noise;
use crate::ground::{Ground, Log, privileged};
use crate::tree::{as_plain_user, assert_same, break_descriptors, image, is_root, set_time, time_of};

const MIB: usize = 1 << 20;

/// A large file between two neighbours.
fn neighbours() -> Ground {
    let ground = Ground::new();
    ground.write("a", noise(3000, 1));
    ground.write("large", noise(6 * MIB, 2));
    ground.write("z", noise(200_000, 3));
    ground
}

/// Makes the last level that was made reach the tree as far as its neighbours go, and the next level all of it.
fn assert_survived(ground: &mut Ground, expected_large: Option<&[u8]>) {
    for (level, _) in ground.archives.iter().enumerate() {
        ground.restore(level, "meanwhile", privileged());
    }
    let restored = ground.at("meanwhile");
    for name in ["a", "z"] {
        assert!(fs::read(restored.join(name)).unwrap() == fs::read(ground.live(name)).unwrap(), "{name}");
    }
    if let Some(expected) = expected_large {
        assert!(fs::read(restored.join("large")).unwrap() == expected);
    }
    let (summary, log) = ground.level(BackupOptions::new());
    assert!(!summary.is_partial(), "{:?}", log.problems());
    ground.restore(ground.archives.len() - 1, "meanwhile", privileged());
    assert_same(&image(&ground.live("")), &image(&restored), "the level after");
    ground.assert_restores();
}

type Happens = fn(&Path);

fn grows(path: &Path) {
    OpenOptions::new().append(true).open(path).unwrap().write_all(&noise(3 * MIB, 4)).unwrap();
}

fn shrinks(path: &Path) {
    File::options().write(true).open(path).unwrap().set_len(100).unwrap();
}

fn changes_in_secret(path: &Path) {
    let time = time_of(path);
    File::options().write(true).open(path).unwrap().write_all_at(b"changed", 10).unwrap();
    set_time(path, time).unwrap();
}

fn is_replaced(path: &Path) {
    fs::remove_file(path).unwrap();
    fs::write(path, noise(70_000, 5)).unwrap();
}

#[test]
fn a_file_that_changes_while_it_is_read_is_dirty_and_right_at_the_next_level() {
    let content = noise(6 * MIB, 2);
    let mut edited = content.clone();
    edited.splice(3..3, *b"ins");
    for (name, happens) in [
        ("grows", grows as Happens),
        ("shrinks", shrinks),
        ("changes in secret", changes_in_secret),
        ("is replaced", is_replaced),
    ] {
        // At level 0, when it is sent whole.
        let mut ground = neighbours();
        let path = ground.live("large");
        let (summary, log) = ground.level_meanwhile(2 * MIB, BackupOptions::new(), || happens(&path));
        assert_eq!(log.problems(), [(ErrorKind::SourceChanged, path.clone())], "{name}");
        assert_eq!((summary.problems, summary.is_partial()), (1, true), "{name}");
        assert_eq!(log.of("large"), Some((Some(Action::Full), Reason::New, 6 * MIB as u64)), "{name}");
        assert!(ground.known(0, "large").unwrap().dirty, "{name}");
        let mut dirty = Vec::new();
        list_archive(&ground.archives[0][..], |entry| {
            dirty.extend(entry.dirty.then_some(entry.path));
            Ok(())
        })
        .unwrap();
        assert_eq!(dirty, [Path::new("large")], "{name}");
        // It has the length that it had, and what was read before is what it was.
        let restored = match name {
            "grows" | "is replaced" => Some(content.as_slice()),
            _ => None,
        };
        assert_survived(&mut ground, restored);
        assert!(!ground.known(1, "large").unwrap().dirty, "{name}");

        // At level 1, when it is sent as a delta: so much is new that some of it is out before the end.
        let mut ground = neighbours();
        ground.level(BackupOptions::new());
        let path = ground.write("large", [noise(4 * MIB, 8), edited.clone()].concat());
        let (summary, log) = ground.level_meanwhile(2 * MIB, BackupOptions::new(), || happens(&path));
        assert_eq!(log.problems(), [(ErrorKind::SourceChanged, path.clone())], "{name}");
        assert_eq!(summary.problems, 1, "{name}");
        assert_eq!(log.of("large").map(|said| said.0), Some(Some(Action::Delta)), "{name}");
        assert!(ground.known(1, "large").unwrap().dirty, "{name}");
        assert_survived(&mut ground, None);
    }
}

#[test]
fn a_dirty_file_is_read_again_whatever_its_times_say() {
    let mut ground = neighbours();
    let path = ground.live("large");
    ground.level_meanwhile(2 * MIB, BackupOptions::new(), || grows(&path));
    ground.rest();
    let (_, log) = ground.level(BackupOptions::new().ignore_ctime(true).ignore_inode(true));
    assert_eq!(log.of("large").map(|said| (said.0, said.1)), Some((Some(Action::Delta), Reason::Dirty)));
}

#[test]
fn a_file_that_vanishes_between_its_name_and_its_entry_is_reported_and_gone() {
    for level in [0, 1] {
        let mut ground = neighbours();
        if level == 1 {
            ground.level(BackupOptions::new());
            ground.write("a", "changed, so that it is told of");
        }
        let vanishing = [ground.live("large"), ground.live("z")];
        let gone = vanishing.clone();
        let log = Log::doing(move |path| {
            if path == Path::new("a") {
                gone.iter().for_each(|path| fs::remove_file(path).unwrap());
            }
        });
        let (summary, log) = ground.level_watched(BackupOptions::new().threads(1), log);
        let expected: Vec<_> = vanishing.iter().map(|path| (ErrorKind::SourceChanged, path.clone())).collect();
        assert_eq!(log.problems(), expected);
        assert_eq!(summary.problems, 2);
        assert_eq!(summary.deleted, if level == 1 { 2 } else { 0 });
        // The root was looked at before it changed.
        ground.level(BackupOptions::new());
        ground.assert_restores();
    }
}

#[test]
fn a_directory_that_vanishes_is_reported_and_gone_at_the_next_level() {
    let mut ground = Ground::new();
    ground.write("a", "first");
    ground.write("d/e/f", "deep");
    ground.write("z", "last");
    ground.level(BackupOptions::new());
    ground.write("a", "changed");
    let directory = ground.live("d");
    let log = Log::doing(move |path| {
        if path == Path::new("a") {
            fs::remove_dir_all(&directory).unwrap();
        }
    });
    let (summary, log) = ground.level_watched(BackupOptions::new().threads(1), log);
    assert_eq!(log.problems(), [(ErrorKind::SourceChanged, ground.live("d"))]);
    assert!(summary.is_partial());
    let (summary, _) = ground.level(BackupOptions::new());
    assert!(!summary.is_partial());
    ground.assert_restores();
}

#[test]
fn what_vanishes_when_the_walk_is_ahead_of_it_is_in_the_level_or_reported_and_gone_at_the_next() {
    for name in ["z", "d"] {
        let mut ground = neighbours();
        ground.write("d/e/f", "deep");
        ground.level(BackupOptions::new());
        ground.write("a", "changed, so that it is told of");
        let (gone, away) = (ground.live(name), ground.at("away"));
        let log = Log::doing(move |path| {
            if path == Path::new("a") {
                fs::rename(&gone, &away).unwrap();
            }
        });
        let (summary, log) = ground.level_watched(BackupOptions::new().threads(2), log);
        let expected = [(ErrorKind::SourceChanged, ground.live(name))];
        assert!(expected[..summary.problems as usize] == log.problems(), "{name}: {:?}", log.problems());
        let is_kept = ground.known(1, name).is_some();
        assert_eq!(is_kept, summary.problems == 0, "{name}");
        let (summary, _) = ground.level(BackupOptions::new());
        assert!(!summary.is_partial(), "{name}");
        ground.assert_restores();
    }
}

#[test]
fn a_small_file_that_changes_once_it_was_read_ahead_is_as_it_was_read_and_right_at_the_next_level() {
    let changes: [(&str, Happens); 6] = [
        ("gone", |path| fs::remove_file(path).unwrap()),
        ("grown", grows),
        ("piped", |path| {
            fs::remove_file(path).unwrap();
            mknodat(CWD, path, FileType::Fifo, Mode::RUSR, 0).unwrap();
        }),
        ("replaced", is_replaced),
        ("secret", changes_in_secret),
        ("shrunk", shrinks),
    ];
    let mut ground = Ground::new();
    for level in 0..3_u8 {
        ground.rest();
        // They come before all others and are told of.
        ground.write("a", [level; 10]);
        for (name, _) in changes {
            let _ = fs::remove_file(ground.live(name));
            ground.write(name, [level; 1_000]);
        }
        let before = image(&ground.live(""));
        let live = ground.live("");
        let log = Log::doing(move |path| {
            if path == Path::new("a") {
                changes.iter().for_each(|(name, happens)| happens(&live.join(name)));
            }
        });
        let (summary, log) = ground.level_watched(BackupOptions::new().threads(2), log);
        assert_eq!(log.problems(), [], "level {level}");
        assert!(!summary.is_partial(), "level {level}");
        ground.restore(ground.archives.len() - 1, "meanwhile", privileged());
        assert_same(&before, &image(&ground.at("meanwhile")), "as it was read");
        ground.level(BackupOptions::new().threads(2));
        ground.restore(ground.archives.len() - 1, "meanwhile", privileged());
        ground.assert_restores();
    }
}

#[test]
fn a_directory_that_fills_up_while_it_is_walked_harms_nothing() {
    let mut ground = neighbours();
    let new = ground.live("large.new/deep");
    let log = Log::doing(move |path| {
        if path == Path::new("a") {
            fs::create_dir_all(&new).unwrap();
        }
    });
    ground.level_watched(BackupOptions::new(), log);
    let (summary, log) = ground.level(BackupOptions::new());
    assert!(!summary.is_partial(), "{:?}", log.problems());
    assert_eq!(log.of("large.new/deep").map(|said| said.1), Some(Reason::New));
    ground.assert_restores();
}

#[test]
fn a_file_that_cannot_be_read_to_its_end_is_void_and_stays_what_it_was() {
    // Sent whole, and new: there is nothing to keep.
    let mut ground = neighbours();
    let path = ground.live("large").canonicalize().unwrap();
    let (summary, log) = ground.level_meanwhile(2 * MIB, BackupOptions::new(), || break_descriptors(&path));
    assert_eq!(log.problems(), [(ErrorKind::Io, ground.live("large"))]);
    assert!(summary.is_partial());
    assert_eq!(log.of("large"), Some((Some(Action::Void), Reason::New, 0)));
    assert!(ground.known(0, "large").is_none());
    ground.restore(0, "void", privileged());
    assert!(!ground.at("void").join("large").exists());
    assert_survived(&mut ground, None);

    // A delta, some of which is out: what the level before has stays, and its sums are good for the next.
    let mut ground = neighbours();
    ground.level(BackupOptions::new());
    let old = fs::read(ground.live("large")).unwrap();
    ground.write("large", [noise(4 * MIB, 8), old.clone()].concat());
    let path = ground.live("large").canonicalize().unwrap();
    let (summary, log) = ground.level_meanwhile(2 * MIB, BackupOptions::new(), || break_descriptors(&path));
    assert_eq!(log.problems(), [(ErrorKind::Io, ground.live("large"))]);
    assert_eq!(summary.problems, 1);
    assert_eq!(log.of("large"), Some((Some(Action::Void), Reason::Size, 0)));
    let known = ground.known(1, "large").unwrap();
    assert!(known.stale && known.metadata.size == old.len() as u64 && known.blocks == 96, "{known:?}");
    assert_survived(&mut ground, Some(&old));
    let (_, log) = ground.level(BackupOptions::new());
    assert_eq!(log.of("large").map(|said| said.0), Some(None));
}

#[test]
fn a_hole_that_turns_out_to_hold_data_is_dirty_and_filled_at_the_next_level() {
    let mut ground = Ground::new();
    let path = ground.write("sparse", noise(2 * MIB, 1));
    File::options().write(true).open(&path).unwrap().set_len(8 * MIB as u64).unwrap();
    if fs::metadata(&path).map(|stat| std::os::unix::fs::MetadataExt::blocks(&stat)).unwrap() * 512 > 3 * MIB as u64 {
        eprintln!("skipped: this file system has no holes");
        return;
    }
    ground.write("z", "after it");
    let write = || {
        let file = File::options().write(true).open(&path).unwrap();
        file.write_all_at(b"data", 5 * MIB as u64).unwrap();
    };
    let (_, log) = ground.level_meanwhile(MIB, BackupOptions::new(), write);
    assert_eq!(log.problems(), [(ErrorKind::SourceChanged, ground.live("sparse"))]);
    assert!(ground.known(0, "sparse").unwrap().dirty);
    ground.restore(0, "restored", privileged());
    let (restored, live) = (fs::read(ground.at("restored/sparse")).unwrap(), fs::read(&path).unwrap());
    assert!(restored[..2 * MIB] == live[..2 * MIB] && restored[2 * MIB..].iter().all(|&byte| byte == 0));
    assert_eq!(restored.len(), live.len());
    let (_, log) = ground.level(BackupOptions::new());
    assert_eq!(log.of("sparse").map(|said| said.0), Some(Some(Action::Delta)));
    ground.assert_restores();
}

#[test]
fn what_a_plain_user_cannot_read_stays_as_it_was_and_comes_back() {
    as_plain_user("while_read::what_a_plain_user_cannot_read_stays_as_it_was_and_comes_back", || {
        assert!(!is_root());
        let mut ground = Ground::new();
        for name in ["a", "d/e/deep", "d/small", "locked", "locked large", "z"] {
            ground.write(name, noise(if name.ends_with("large") { 300_000 } else { 3000 }, 1));
        }
        let before = image(&ground.live(""));
        ground.level(BackupOptions::new());
        for name in ["locked", "locked large"] {
            ground.write(name, noise(200_000, 2));
            fs::set_permissions(ground.live(name), Permissions::from_mode(0o000)).unwrap();
        }
        ground.write("d/e/deep", "changed where nobody can see it");
        ground.write("new and locked", "x");
        fs::set_permissions(ground.live("new and locked"), Permissions::from_mode(0o000)).unwrap();
        fs::set_permissions(ground.live("d"), Permissions::from_mode(0o000)).unwrap();
        ground.write("z", "changed");
        let (summary, log) = ground.level(BackupOptions::new());
        let expected = ["d", "locked", "locked large", "new and locked"].map(|name| (ErrorKind::Io, ground.live(name)));
        assert_eq!(log.problems(), expected);
        assert_eq!((summary.problems, summary.deleted), (4, 0));
        for stale in ["d", "d/e", "d/e/deep", "d/small", "locked", "locked large"] {
            assert!(ground.known(1, stale).unwrap().stale, "{stale}");
        }
        ground.restore(0, "restored", privileged());
        ground.restore(1, "restored", privileged());
        let restored = image(&ground.at("restored"));
        for kept in ["d", "d/e", "d/e/deep", "d/small", "locked", "locked large"] {
            assert_eq!(restored.get(Path::new(kept)), before.get(Path::new(kept)), "{kept}");
        }
        assert_eq!(fs::read(ground.at("restored/z")).unwrap(), b"changed");

        for name in ["d", "locked", "locked large", "new and locked"] {
            fs::set_permissions(ground.live(name), Permissions::from_mode(0o700)).unwrap();
        }
        let (summary, _) = ground.level(BackupOptions::new());
        assert!(!summary.is_partial());
        ground.assert_restores();
    });
}
