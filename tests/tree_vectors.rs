//! Archives and snapshots of each released version of the format, kept for ever: they are restored, listed,
//! and gone on from.
//!
//! A file in `tests/vectors/v1/tree/` is never changed. `BLESS=1` writes those that are missing, and only
//! those.

#[path = "support/tree.rs"]
mod tree;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs::{self, File, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Once;

use frazil::Action::{self, Copy, Delete, Delta, Full, Link, Metadata};
use frazil::{
    BackupOptions, ErrorKind, Filter, LevelId, RestoreOptions, backup_tree, list_archive, list_snapshot, restore_tree,
    restored_level, verify_archive,
};
use rustix::fs::FileType;
use tree::{Entry, assert_same, image, make_node, set_attribute, set_time};

/// The ids of the two levels.
const LEVELS: [LevelId; 2] = [LevelId(*b"frazil's level 0"), LevelId(*b"frazil's level 1")];

/// 14 November 2023.
const CREATED: i64 = 1_700_000_000;

const BLOCK_LEN: u32 = 1024;

/// What a destination says of itself that stands at level 0.
const STATE: &str = "level0.state";

/// The filters, each with what ends the names of archives that went through it, and the program that undoes it.
const FILTERS: [(Filter, &str, &str); 5] = [
    (Filter::Gzip, "gz", "gzip"),
    (Filter::Bzip2, "bz2", "bzip2"),
    (Filter::Xz, "xz", "xz"),
    (Filter::Zstd, "zst", "zstd"),
    (Filter::Lz4, "lz4", "lz4"),
];

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/v1/tree").join(name)
}

fn archive(level: usize) -> File {
    File::open(path(&format!("level{level}.tar"))).unwrap()
}

fn snapshot(level: usize) -> PathBuf {
    path(&format!("level{level}.snapshot"))
}

/// What a file of `v1` holds, as the content of a file of the tree.
fn content(name: &str) -> Vec<u8> {
    fs::read(path("..").join(name)).unwrap()
}

fn strange_name() -> &'static OsStr {
    OsStr::from_bytes(b"strange \xff\n%name")
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// Gives every entry a time of its own, which is the same every time.
fn date(root: &Path) {
    for (number, path) in tree::paths(root).iter().enumerate() {
        set_time(&root.join(path), (CREATED + number as i64, 123_456_789)).unwrap();
    }
    set_time(root, (CREATED - 1, 0)).unwrap();
}

/// The tree at level 0.
fn grow(root: &Path) {
    fs::create_dir_all(root.join("directory/open to all")).unwrap();
    let file = |name: &str, content: &[u8], permissions| {
        fs::write(root.join(name), content).unwrap();
        mode(&root.join(name), permissions);
    };
    file("directory/file", &content("old"), 0o644);
    file("empty", b"", 0o600);
    file("small", b"ice\n", 0o640);
    file("program", b"#!/bin/sh\n", 0o4755);
    file("becomes a directory", b"not yet\n", 0o644);
    fs::write(root.join(strange_name()), content("old").split_off(4000)).unwrap();
    mode(&root.join(strange_name()), 0o444);
    fs::hard_link(root.join("small"), root.join("directory/small too")).unwrap();
    symlink("directory/file", root.join("link")).unwrap();
    make_node(&root.join("pipe"), FileType::Fifo, (0, 0)).unwrap();
    let sparse = File::create(root.join("sparse")).unwrap();
    sparse.write_all_at(b"behind a hole", 1 << 16).unwrap();
    mode(&root.join("sparse"), 0o644);
    mode(&root.join("pipe"), 0o640);
    set_attribute(&root.join("small"), b"user.of", b"water").unwrap();
    set_attribute(&root.join("directory"), b"system.posix_acl_default", &tree::acl(1000, 5)).unwrap();
    mode(&root.join("directory"), 0o755);
    mode(&root.join("directory/open to all"), 0o1777);
    mode(root, 0o755);
    date(root);
}

/// The tree at level 1, made out of that at level 0.
fn change(root: &Path) {
    fs::write(root.join("directory/file"), content("new")).unwrap();
    fs::remove_file(root.join("empty")).unwrap();
    fs::remove_file(root.join("becomes a directory")).unwrap();
    fs::create_dir(root.join("becomes a directory")).unwrap();
    mode(&root.join("becomes a directory"), 0o700);
    fs::write(root.join("becomes a directory/new"), "new\n").unwrap();
    mode(&root.join("becomes a directory/new"), 0o644);
    mode(&root.join("program"), 0o755);
    fs::rename(root.join(strange_name()), root.join("plain name")).unwrap();
    fs::hard_link(root.join("directory/file"), root.join("one more name")).unwrap();
    fs::remove_file(root.join("link")).unwrap();
    symlink("elsewhere", root.join("link")).unwrap();
    date(root);
}

/// What the tree is at each level.
fn images() -> [BTreeMap<PathBuf, Entry>; 2] {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("tree");
    fs::create_dir(&root).unwrap();
    [grow, change].map(|step| {
        step(&root);
        image(&root)
    })
}

/// Writes those that are missing.
fn bless() {
    fs::create_dir_all(path("")).unwrap();
    for (filter, ending) in [(Filter::None, String::new())]
        .into_iter()
        .chain(FILTERS.map(|(filter, ending, _)| (filter, format!(".{ending}"))))
    {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("tree");
        fs::create_dir(&root).unwrap();
        let snapshots = [0, 1].map(|level| dir.path().join(format!("level{level}.snapshot")));
        for (level, step) in [grow, change].into_iter().enumerate() {
            step(&root);
            let options = BackupOptions::new().block_len(BLOCK_LEN).level_id(LEVELS[level]).filter(filter);
            let options = options.created(CREATED + level as i64);
            let since = level.checked_sub(1).map(|parent| &*snapshots[parent]);
            let mut archive = Vec::new();
            backup_tree(&root, since, &snapshots[level], &mut archive, options).unwrap();
            let name = format!("level{level}.tar{ending}");
            if !path(&name).exists() {
                fs::write(path(&name), archive).unwrap();
            }
            if !snapshot(level).exists() {
                fs::copy(&snapshots[level], snapshot(level)).unwrap();
            }
        }
    }
}

/// The vectors are there; with `BLESS=1` those that are missing are written first.
fn levels() -> std::ops::Range<usize> {
    static BLESSED: Once = Once::new();
    if std::env::var_os("BLESS").is_some() {
        BLESSED.call_once(bless);
    }
    0..LEVELS.len()
}

#[test]
fn every_level_is_restored_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let restored = dir.path().join("restored");
    let images = images();
    for level in levels() {
        // Root alone has to ask for what lends rights.
        let options = RestoreOptions::new().privileged(tree::is_root());
        restore_tree(archive(level), &restored, options).unwrap();
        assert_same(&images[level], &image(&restored), &format!("level {level}"));
    }
}

/// A destination may be restored to by one version and gone on from by the next.
#[test]
fn what_a_restore_notes_of_its_destination_is_read_and_made_again() {
    let dir = tempfile::tempdir().unwrap();
    let restored = dir.path().join("restored");
    let noted = restored.join(".frazil-restore/state");
    let options = || RestoreOptions::new().privileged(tree::is_root());
    restore_tree(archive(levels().start), &restored, options()).unwrap();
    let made = fs::read(&noted).unwrap();
    if std::env::var_os("BLESS").is_some() && !path(STATE).exists() {
        fs::write(path(STATE), &made).unwrap();
    }
    let frozen = fs::read(path(STATE)).unwrap();
    assert!(made == frozen, "it is noted otherwise than it was");
    fs::write(&noted, &frozen).unwrap();
    assert_eq!(restored_level(&restored).unwrap(), Some(LEVELS[0]));
    restore_tree(archive(1), &restored, options()).unwrap();
    assert_same(&images()[1], &image(&restored), "level 1");

    let mut newer = frozen;
    newer[8] = 2;
    fs::write(&noted, newer).unwrap();
    let error = restored_level(&restored).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
    assert!(error.to_string().contains("of a newer frazil: expected version 1, found 2"), "{error}");
}

/// Through whatever filter they went, they are the same archives.
#[test]
fn what_went_through_a_filter_is_read_as_without_it() {
    let images = images();
    for (_, ending, program) in FILTERS {
        let dir = tempfile::tempdir().unwrap();
        let restored = dir.path().join("restored");
        for level in levels() {
            let name = format!("level{level}.tar.{ending}");
            let undone = Command::new(program).arg("-dc").arg(path(&name)).output().unwrap();
            assert!(undone.status.success(), "{name}: {}", String::from_utf8_lossy(&undone.stderr));
            assert!(undone.stdout == fs::read(path(&format!("level{level}.tar"))).unwrap(), "{name}");

            let filtered = || File::open(path(&name)).unwrap();
            verify_archive(filtered(), None).unwrap();
            let summary = list_archive(filtered(), |_| Ok(())).unwrap();
            assert_eq!(summary.header.id, LEVELS[level], "{name}");
            restore_tree(filtered(), &restored, RestoreOptions::new().privileged(tree::is_root())).unwrap();
            assert_same(&images[level], &image(&restored), &name);
        }
    }
}

#[test]
fn every_level_says_what_it_is_and_what_became_of_each_entry() {
    // The closing records of directories say the same once more.
    let expected: [&[(&str, Action)]; 2] = [
        &[
            (".", Full),
            ("becomes a directory", Full),
            ("directory", Full),
            ("directory/file", Full),
            ("directory/open to all", Full),
            ("directory/small too", Full),
            ("empty", Full),
            ("link", Full),
            ("pipe", Full),
            ("program", Full),
            ("small", Link),
            ("sparse", Full),
            ("strange \u{fffd}\n%name", Full),
        ],
        &[
            ("becomes a directory", Full),
            ("becomes a directory/new", Full),
            ("directory/file", Delta),
            ("directory/small too", Metadata),
            ("empty", Delete),
            ("link", Full),
            ("one more name", Link),
            ("pipe", Metadata),
            ("plain name", Copy),
            ("program", Metadata),
            ("small", Link),
            ("sparse", Metadata),
            ("strange \u{fffd}\n%name", Delete),
        ],
    ];
    for level in levels() {
        let mut said = Vec::new();
        let summary = list_archive(archive(level), |entry| {
            if !entry.closes {
                said.push((entry.path.to_string_lossy().into_owned(), entry.action));
            }
            Ok(())
        });
        let header = summary.unwrap().header;
        assert_eq!((header.id, header.root, header.number), (LEVELS[level], LEVELS[0], level as u32));
        assert_eq!(header.parent, level.checked_sub(1).map(|parent| LEVELS[parent]));
        assert_eq!(
            said,
            expected[level].iter().map(|(path, action)| ((*path).to_owned(), *action)).collect::<Vec<_>>()
        );
        verify_archive(archive(level), None).unwrap();
    }
}

#[test]
fn every_snapshot_has_the_entries_of_its_level_and_a_level_can_be_made_from_it() {
    let dir = tempfile::tempdir().unwrap();
    let restored = dir.path().join("restored");
    let images = images();
    for level in levels() {
        let mut paths = BTreeSet::new();
        let summary = list_snapshot(File::open(snapshot(level)).unwrap(), |entry| {
            paths.insert(if entry.path == Path::new(".") { PathBuf::new() } else { entry.path });
            Ok(())
        });
        assert_eq!(summary.unwrap().header.id, LEVELS[level]);
        assert_eq!(paths, images[level].keys().cloned().collect());

        // Every file is another one by now, with the same content.
        restore_tree(archive(level), &restored, RestoreOptions::new()).unwrap();
        let next = dir.path().join(format!("{level}.next"));
        let since = snapshot(level);
        let made = backup_tree(&restored, Some(&*since), next, std::io::sink(), BackupOptions::new()).unwrap();
        assert_eq!(made.header.parent, Some(LEVELS[level]));
        assert_eq!(made.content_bytes, 0, "level {level}");
    }
}

#[test]
fn a_level_without_the_one_before_it_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let error = restore_tree(archive(1), dir.path().join("restored"), RestoreOptions::new()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WrongBasis, "{error}");
    let expected = format!("expected {}, found no level that is known", LEVELS[0]);
    assert!(error.to_string().contains(&expected), "{error}");
    assert!(!dir.path().join("restored").exists());
}

#[test]
fn what_a_newer_version_wrote_is_refused_by_name() {
    let newer = |name: &str| {
        let mut bytes = fs::read(path(name)).unwrap();
        let sealed = bytes.windows(8).position(|window| window == b"\x89frazil\n").expect("a sealed stream");
        // Whatever follows the number of a newer version is nothing that is known today.
        bytes[sealed + 9] = 2;
        bytes[sealed + 10..sealed + 20].fill(0xee);
        bytes
    };
    let dir = tempfile::tempdir().unwrap();
    let restored = dir.path().join("restored");
    let since = dir.path().join("since");
    fs::write(&since, newer("level0.snapshot")).unwrap();
    let next = |since: &Path| {
        backup_tree(dir.path(), Some(since), dir.path().join("next"), std::io::sink(), BackupOptions::new())
    };
    let errors = [
        restore_tree(&newer("level0.tar")[..], &restored, RestoreOptions::new()).unwrap_err(),
        verify_archive(&newer("level0.tar")[..], None).unwrap_err(),
        list_snapshot(&newer("level0.snapshot")[..], |_| Ok(())).unwrap_err(),
        next(&since).unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
        assert!(error.to_string().contains("of format version 2, and this frazil reads version 1"), "{error}");
    }
    assert!(!restored.exists());
}

/// Whichever sealed stream of an archive is newer: the header, a delta, a batch, the trailer.
#[test]
fn a_newer_stream_anywhere_in_an_archive_is_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let restored = dir.path().join("restored");
    restore_tree(archive(0), &restored, RestoreOptions::new()).unwrap();
    let before = image(&restored);
    let whole = fs::read(path("level1.tar")).unwrap();
    let magic = b"\x89frazil\n";
    let streams: Vec<usize> = (0..whole.len()).filter(|&at| whole[at..].starts_with(magic)).collect();
    assert_eq!(streams.len(), 4, "header, delta, batch and trailer");
    for at in streams {
        let mut newer = whole.clone();
        newer[at + 9] = 2;
        newer[at + 10..at + 20].fill(0xee);
        let errors = [
            ("restore", restore_tree(&newer[..], &restored, RestoreOptions::new()).map(drop)),
            ("verify", verify_archive(&newer[..], None).map(drop)),
            ("list", list_archive(&newer[..], |_| Ok(())).map(drop)),
        ];
        for (way, result) in errors {
            let error = result.expect_err(way);
            assert_eq!(error.kind(), ErrorKind::Unsupported, "{way}, at {at}: {error}");
            let message = "of format version 2, and this frazil reads version 1";
            assert!(error.to_string().contains(message), "{way}, at {at}: {error}");
        }
        assert_same(&before, &image(&restored), &format!("newer at {at}"));
    }
    restore_tree(archive(1), &restored, RestoreOptions::new()).unwrap();
}

#[test]
fn every_file_is_listed() {
    let endings: Vec<String> = FILTERS.iter().map(|(_, ending, _)| format!("tar.{ending}")).collect();
    let endings = || endings.iter().map(String::as_str).chain(["tar", "snapshot"]);
    let expected = levels().flat_map(|level| endings().map(move |ending| format!("level{level}.{ending}")));
    let expected = expected.chain([STATE.to_owned()]);
    let found = fs::read_dir(path("")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert_eq!(found.collect::<BTreeSet<_>>(), expected.collect());
}
