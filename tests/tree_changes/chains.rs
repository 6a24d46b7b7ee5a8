//! Which level goes where: chains, their order, what is refused, and how what is restored is chosen.

use std::fs;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;

use frazil::{
    Action, BackupOptions, BackupReader, ErrorKind, Filter, LevelId, Recovery, RestoreOptions, RestoreWriter, Since,
    backup_tree, conclude_restore, list_archive, recover_restore, restore_tree, verify_tree,
};

use crate::content::noise;
use crate::ground::{Ground, Log, privileged};
use crate::tree::{assert_same, image, is_root, paths};

/// Three levels of a small tree; each changes, makes and deletes something.
fn three_levels() -> Ground {
    let mut ground = Ground::new();
    ground.write("changes", noise(200_000, 1));
    ground.write("d/stays", "stays");
    ground.write("d/goes at 1", "x");
    ground.write("d/e/goes at 2", "x");
    ground.level(BackupOptions::new());
    ground.write("changes", noise(200_001, 1));
    fs::remove_file(ground.live("d/goes at 1")).unwrap();
    ground.write("d/new at 1", "x");
    ground.level(BackupOptions::new());
    ground.write("changes", noise(200_002, 1));
    fs::remove_dir_all(ground.live("d/e")).unwrap();
    ground.write("d/new at 2", "x");
    ground.level(BackupOptions::new());
    ground
}

fn id(ground: &Ground, level: usize) -> LevelId {
    list_archive(&ground.archives[level][..], |_| Ok(())).unwrap().header.id
}

fn stands_at(ground: &Ground, level: usize) -> Recovery {
    Recovery::StandsAt { level: id(ground, level), partial: false }
}

#[test]
fn what_does_not_belong_there_is_refused_before_anything_is_written() {
    let (ground, other) = (three_levels(), three_levels());
    type Case<'a> = (&'a str, &'a [usize], &'a Ground, usize, ErrorKind);
    let cases: [Case<'_>; 8] = [
        ("a level of another chain", &[0], &other, 1, ErrorKind::WrongBasis),
        ("a level is missing", &[0], &ground, 2, ErrorKind::WrongBasis),
        ("a level again that others stand on", &[0, 1, 2], &ground, 1, ErrorKind::WrongBasis),
        ("the first again", &[0, 1], &ground, 0, ErrorKind::Exists),
        ("level 0 of another chain", &[0], &other, 0, ErrorKind::Exists),
        ("no level 0", &[], &ground, 1, ErrorKind::WrongBasis),
        ("no level 0 or 1", &[], &ground, 2, ErrorKind::WrongBasis),
        ("into something else", &[], &ground, 0, ErrorKind::Exists),
    ];
    for (number, (name, before, from, level, kind)) in cases.into_iter().enumerate() {
        let destination = ground.at(&format!("destination {number}"));
        before.iter().for_each(|level| drop(restore_tree(&ground.archives[*level][..], &destination, privileged())));
        if before.is_empty() {
            fs::create_dir(&destination).unwrap();
            fs::write(destination.join("somebody's"), "own").unwrap();
        }
        let ctime = |path: &Path| fs::metadata(path).map(|stat| (stat.ctime(), stat.ctime_nsec())).unwrap();
        let (as_it_was, changed) = (image(&destination), ctime(&destination));
        let archive = &from.archives[level][..];
        let error = restore_tree(archive, &destination, privileged()).unwrap_err();
        assert_eq!(error.kind(), kind, "{name}: {error}");
        let mut writer = RestoreWriter::new(&destination, privileged()).unwrap();
        let pushed = std::io::Write::write_all(&mut writer, archive).map_err(frazil::Error::from);
        let error = pushed.and_then(|()| writer.finish()).unwrap_err();
        assert_eq!(error.kind(), kind, "{name}: {error}");
        assert_same(&as_it_was, &image(&destination), name);
        assert_eq!(changed, ctime(&destination), "{name}: the destination was written to");
        if before.is_empty() {
            assert!(!destination.join(".frazil-restore").exists(), "{name}");
        }
    }
    // What is refused to a restore is refused to a verification.
    for order in [&[0, 2][..], &[1, 2], &[0, 0], &[1, 0]] {
        let archives = order.iter().map(|level| &ground.archives[*level][..]).collect();
        let error = verify_tree(archives, ground.live(""), Default::default(), |_| Ok(())).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WrongBasis, "{order:?}: {error}");
    }
}

#[test]
fn a_changed_destination_is_noticed_before_anything_is_written() {
    for (name, change) in [
        ("its size", (|path| fs::write(path, "other").unwrap()) as fn(&Path)),
        ("its content", |path| {
            let mut content = fs::read(path).unwrap();
            content[7] ^= 1;
            fs::write(path, content).unwrap();
        }),
        ("its kind", |path| {
            fs::remove_file(path).unwrap();
            fs::create_dir(path).unwrap();
        }),
        ("it is gone", |path| fs::remove_file(path).unwrap()),
    ] {
        let ground = three_levels();
        ground.restore(0, "destination", privileged());
        change(&ground.at("destination/changes"));
        let as_it_was = image(&ground.at("destination"));
        let error = restore_tree(&ground.archives[1][..], ground.at("destination"), privileged()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WrongBasis, "{name}: {error}");
        assert_same(&as_it_was, &image(&ground.at("destination")), name);
        assert_eq!(recover_restore(ground.at("destination"), None).unwrap(), stands_at(&ground, 0), "{name}");
    }
}

#[test]
fn a_level_given_twice_is_verified_and_changes_nothing() {
    let ground = three_levels();
    for level in 0..2 {
        assert!(!ground.restore(level, "destination", privileged()).already_there);
        let as_it_was = image(&ground.at("destination"));
        let summary = ground.restore(level, "destination", privileged());
        assert!(summary.already_there && summary.whole, "{summary:?}");
        assert_same(&as_it_was, &image(&ground.at("destination")), "given twice");
        let mut damaged = ground.archives[level].clone();
        let at = damaged.len() / 2;
        damaged[at] ^= 1;
        restore_tree(&damaged[..], ground.at("destination"), privileged()).unwrap_err();
        assert_same(&as_it_was, &image(&ground.at("destination")), "given twice, and damaged");
    }
    ground.restore(2, "destination", privileged());
    assert_same(&image(&ground.live("")), &image(&ground.at("destination")), "after the last level");
}

#[test]
fn two_levels_1_on_one_level_0_are_two_trees() {
    let mut ground = three_levels();
    let since = || Since::File(ground.snapshot(0));
    let mut differential = Vec::new();
    ground.write("d/new at 1", "of the differential");
    backup_tree(ground.live(""), since(), ground.at("d1"), &mut differential, BackupOptions::new()).unwrap();
    ground.restore(0, "a", privileged());
    restore_tree(&differential[..], ground.at("a"), privileged()).unwrap();
    assert_same(&image(&ground.live("")), &image(&ground.at("a")), "the differential");
    // The level 2 that stands on the other level 1 does not stand on this one.
    let error = restore_tree(&ground.archives[2][..], ground.at("a"), privileged()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WrongBasis, "{error}");
    for level in 0..3 {
        ground.restore(level, "b", privileged());
    }
    assert_eq!(fs::read(ground.at("b/d/new at 1")).unwrap(), b"x");
    ground.archives.clear();
}

#[test]
fn a_chain_that_was_concluded_goes_on_when_its_level_is_assumed() {
    let ground = three_levels();
    ground.restore(0, "destination", privileged());
    let destination = ground.at("destination");
    assert_eq!(recover_restore(&destination, None).unwrap(), stands_at(&ground, 0));
    conclude_restore(&destination).unwrap();
    assert!(!destination.join(".frazil-restore").exists());
    conclude_restore(&destination).unwrap();
    assert_eq!(recover_restore(&destination, None).unwrap(), Recovery::Nothing);

    let level_1 = &ground.archives[1][..];
    let as_it_was = image(&destination);
    for options in [privileged(), privileged().assume_parent(id(&ground, 1))] {
        let error = restore_tree(level_1, &destination, options).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WrongBasis, "{error}");
        assert_same(&as_it_was, &image(&destination), "refused");
    }
    restore_tree(level_1, &destination, privileged().assume_parent(id(&ground, 0))).unwrap();
    // What the destination says itself counts more than what is assumed.
    let error = restore_tree(&ground.archives[2][..], &destination, privileged().assume_parent(id(&ground, 0)));
    assert!(error.is_ok(), "the destination stands at level 1: {error:?}");
    assert_same(&image(&ground.live("")), &image(&destination), "after the last level");
    conclude_restore(&destination).unwrap();
    assert_same(&image(&ground.live("")), &image(&destination), "concluded");
}

#[test]
fn a_writer_that_is_dropped_or_finished_early_leaves_the_destination_as_it_was() {
    let ground = three_levels();
    ground.restore(0, "destination", privileged());
    let destination = ground.at("destination");
    let as_it_was = image(&destination);
    let level_1 = &ground.archives[1];
    for len in [0, 1, 512, level_1.len() / 2, level_1.len() - 1] {
        let start = || {
            let mut writer = RestoreWriter::new(&destination, privileged()).unwrap();
            std::io::Write::write_all(&mut writer, &level_1[..len]).unwrap();
            writer
        };
        drop(start());
        assert_same(&as_it_was, &image(&destination), "dropped");
        let error = start().finish().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Truncated, "{len}: {error}");
        assert_same(&as_it_was, &image(&destination), "finished early");
        assert_eq!(recover_restore(&destination, None).unwrap(), stands_at(&ground, 0));
    }
    ground.restore(1, "destination", privileged());
}

#[test]
fn a_restore_and_its_dry_run_tell_the_same_of_each_entry() {
    let mut ground = Ground::new();
    for path in ["a/f", "a/g", "b/f"] {
        ground.write(path, noise(200_000, 7));
    }
    fs::hard_link(ground.live("a/f"), ground.live("a/link")).unwrap();
    ground.level(BackupOptions::new());
    fs::rename(ground.live("a/g"), ground.live("a/moved")).unwrap();
    fs::remove_file(ground.live("b/f")).unwrap();
    ground.level(BackupOptions::new());

    let out = ground.at("out");
    let restore = |level: usize, dry: bool| {
        let log = Arc::new(Log::default());
        let options = privileged().path("a").unwrap().prefix("into").unwrap().dry_run(dry).observer(log.clone());
        let summary = restore_tree(&ground.archives[level][..], &out, options).unwrap();
        (log.restored(), summary.files, summary.output_bytes, summary.entries, summary.deleted)
    };
    let entry = |path: &str, action, from: Option<&str>| (path.into(), action, from.map(Into::into));
    let expected: [&[_]; 2] = [
        &[
            entry("into", Action::Full, None),
            entry("into/a", Action::Full, None),
            entry("into/a/f", Action::Full, None),
            entry("into/a/g", Action::Full, None),
            entry("into/a/link", Action::Link, Some("into/a/f")),
            entry("into/a", Action::Metadata, None),
            entry("into", Action::Metadata, None),
        ],
        &[
            entry("into/a/g", Action::Delete, None),
            entry("into/a/moved", Action::Copy, Some("into/a/g")),
            entry("into/a", Action::Metadata, None),
        ],
    ];
    for (level, expected) in expected.into_iter().enumerate() {
        let dry = restore(level, true);
        assert_eq!(dry.0, expected, "level {level}");
        assert_eq!(dry, restore(level, false), "level {level}");
    }
}

#[test]
fn a_dry_run_verifies_and_changes_nothing() {
    let ground = three_levels();
    let dry = || privileged().dry_run(true);
    fs::create_dir(ground.at("empty")).unwrap();
    let summary = restore_tree(&ground.archives[0][..], ground.at("empty"), dry()).unwrap();
    assert_eq!(summary.output_bytes, ground.restore(0, "probe", privileged()).output_bytes);
    assert_eq!(fs::read_dir(ground.at("empty")).unwrap().count(), 0);

    ground.restore(0, "destination", privileged());
    let as_it_was = image(&ground.at("destination"));
    let summary = restore_tree(&ground.archives[1][..], ground.at("destination"), dry()).unwrap();
    assert!(summary.whole && summary.deleted == 1, "{summary:?}");
    let error = restore_tree(&ground.archives[2][..], ground.at("destination"), dry()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WrongBasis, "{error}");
    fs::write(ground.at("destination/changes"), noise(200_000, 2)).unwrap();
    let error = restore_tree(&ground.archives[1][..], ground.at("destination"), dry()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WrongBasis, "{error}");
    fs::write(ground.at("destination/changes"), noise(200_000, 1)).unwrap();
    let (changed, time) = (ground.at("destination/changes"), as_it_was[Path::new("changes")].modified);
    crate::tree::set_time(&changed, time).unwrap();
    assert_same(&as_it_was, &image(&ground.at("destination")), "after dry runs");
}

#[test]
fn what_is_there_is_replaced_only_when_asked_and_what_is_not_named_never() {
    let ground = three_levels();
    let destination = ground.at("destination");
    fs::create_dir_all(destination.join("changes")).unwrap();
    fs::create_dir_all(destination.join("d")).unwrap();
    fs::write(destination.join("d/stays"), "another").unwrap();
    fs::write(destination.join("d/foreign"), "foreign").unwrap();
    let as_it_was = image(&destination);
    let error = restore_tree(&ground.archives[0][..], &destination, privileged()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Exists, "{error}");
    assert_same(&as_it_was, &image(&destination), "refused");

    for level in 0..3 {
        let summary = ground.restore(level, "destination", privileged().overwrite(true));
        assert!(summary.whole && summary.problems == 0, "{summary:?}");
    }
    let mut restored = image(&destination);
    assert!(restored.remove(Path::new("d/foreign")).is_some());
    assert_same(&image(&ground.live("")), &restored, "overwritten");
}

#[test]
fn a_foreign_file_in_a_directory_that_goes_stays_and_is_reported() {
    let ground = three_levels();
    ground.restore(0, "destination", privileged());
    ground.restore(1, "destination", privileged());
    fs::write(ground.at("destination/d/e/foreign"), "foreign").unwrap();
    let summary = ground.restore(2, "destination", privileged());
    assert!(summary.is_partial() && summary.problems == 1, "{summary:?}");
    let mut restored = image(&ground.at("destination"));
    assert_eq!(fs::read(ground.at("destination/d/e/foreign")).unwrap(), b"foreign");
    restored.retain(|path, _| !path.starts_with("d/e"));
    assert_same(&image(&ground.live("")), &restored, "but for what is foreign");
}

#[test]
fn selected_paths_are_restored_and_nothing_else_through_all_levels() {
    let mut ground = three_levels();
    ground.write("dd/not below d", "x");
    fs::write(ground.live("d/new at 2"), "changed").unwrap();
    ground.level(BackupOptions::new());
    let select = || privileged().path("d").unwrap();
    for level in 0..4 {
        ground.restore(level, "selected", select());
    }
    let mut expected = image(&ground.live(""));
    expected.retain(|path, _| path.as_os_str().is_empty() || path.starts_with("d"));
    assert_same(&expected, &image(&ground.at("selected")), "selected");

    // Another selection would be another tree.
    ground.restore(0, "mixed", select());
    let error = restore_tree(&ground.archives[1][..], ground.at("mixed"), privileged()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");

    for (name, options, expected) in [
        ("stripped", select().strip(1), vec!["new at 1", "new at 2", "stays"]),
        (
            "prefixed",
            select().prefix("p/q/").unwrap(),
            vec!["p", "p/q", "p/q/d", "p/q/d/new at 1", "p/q/d/new at 2", "p/q/d/stays"],
        ),
        ("both", select().strip(1).prefix("p").unwrap(), vec!["p", "p/new at 1", "p/new at 2", "p/stays"]),
        ("one file", privileged().path("d/stays").unwrap(), vec!["d", "d/stays"]),
        ("none", privileged().path("nowhere").unwrap(), vec![]),
    ] {
        for level in 0..4 {
            let summary = ground.restore(level, name, options.clone());
            assert_eq!(summary.missing.len(), usize::from(name == "none"), "{name}: {summary:?}");
        }
        let expected: Vec<_> = expected.into_iter().map(std::path::PathBuf::from).collect();
        assert_eq!(paths(&ground.at(name)), expected, "{name}");
    }
    assert_eq!(fs::read(ground.at("both/p/new at 2")).unwrap(), b"changed");
    for path in ["..", "/etc", "a/../b", "a//b", "a/./b"] {
        for (refused, doing) in [
            (RestoreOptions::new().path(path), "selecting the path"),
            (RestoreOptions::new().prefix(path), "putting everything below the path"),
        ] {
            let error = refused.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{path}");
            assert!(error.to_string().starts_with(doing) && error.to_string().contains(path), "{error}");
        }
    }
}

#[test]
fn owners_are_mapped_by_number() {
    if !is_root() {
        eprintln!("skipped: only root gives files away");
        return;
    }
    let mut ground = Ground::new();
    for (name, uid, gid) in [("a", 4001, 4001), ("b", 4002, 4002), ("c", 0, 0)] {
        std::os::unix::fs::chown(ground.write(name, "x"), Some(uid), Some(gid)).unwrap();
    }
    ground.level(BackupOptions::new());
    ground.restore(0, "mapped", privileged().map_user(4001, 5001).map_group(4002, 5002).map_user(0, 6000));
    let restored = image(&ground.at("mapped"));
    let owner = |name: &str| (restored[Path::new(name)].uid, restored[Path::new(name)].gid);
    assert_eq!(["a", "b", "c"].map(owner), [(5001, 4001), (4002, 5002), (6000, 0)]);
}

#[test]
fn a_chain_has_one_block_length() {
    let mut ground = Ground::new();
    ground.write("f", noise(10_000, 1));
    ground.level(BackupOptions::new().block_len(1024));
    let since = ground.snapshot(0);
    let refused = backup_tree(
        ground.live(""),
        Some(&*since),
        ground.at("refused"),
        std::io::sink(),
        BackupOptions::new().block_len(2048),
    );
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::InvalidInput);
    assert!(!ground.at("refused").exists());
    ground.write("f", noise(10_001, 1));
    let (summary, _) = ground.level(BackupOptions::new());
    assert_eq!((summary.header.block_len, summary.deltas), (1024, 1));
    ground.assert_restores();
}

#[test]
fn an_archive_that_is_read_in_any_pieces_is_whole_through_every_filter() {
    let ground = Ground::new();
    // Nothing of it can be compressed, so that every buffer on the way is filled to its edge.
    ground.write("f", noise(3 << 16, 1));
    ground.write("g", noise(70_001, 2));
    let filters = [Filter::None, Filter::Gzip, Filter::Bzip2, Filter::Xz, Filter::Zstd, Filter::Lz4];
    for (number, filter) in filters.into_iter().enumerate() {
        for len in [1, 511, 10_240, 1 << 16, (1 << 16) + 1, 1 << 22] {
            let options = BackupOptions::new().filter(filter).threads(1);
            let snapshot = fs::File::create(ground.at("snapshot")).unwrap();
            let mut backup = BackupReader::new(ground.live(""), None, snapshot, options).unwrap();
            let (mut archive, mut piece) = (Vec::new(), vec![0; len]);
            loop {
                match backup.read(&mut piece).unwrap() {
                    0 => break,
                    read => archive.extend_from_slice(&piece[..read]),
                }
            }
            assert_eq!(backup.finish().unwrap().stream_bytes, archive.len() as u64);
            let copy = ground.at(&format!("copy.{number}.{len}"));
            restore_tree(&archive[..], &copy, privileged()).unwrap();
            assert_same(&image(&ground.live("")), &image(&copy), &format!("{filter:?} in pieces of {len}"));
        }
    }
}

#[test]
fn a_backup_that_is_dropped_or_fails_leaves_no_snapshot_to_go_on_from() {
    let mut ground = Ground::new();
    ground.write("f", noise(300_000, 1));
    let snapshot = fs::File::create(ground.at("dropped")).unwrap();
    let mut backup = BackupReader::new(ground.live(""), None, snapshot, BackupOptions::new()).unwrap();
    std::io::Read::read_exact(&mut backup, &mut [0; 1000]).unwrap();
    let error = backup.finish().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::State, "{error}");
    let dropped = ground.at("dropped");
    let refused = backup_tree(ground.live(""), Some(&*dropped), ground.at("x"), std::io::sink(), BackupOptions::new());
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::Truncated);

    struct Full;
    impl std::io::Write for Full {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let error = backup_tree(ground.live(""), None, ground.at("y"), Full, BackupOptions::new()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io, "{error}");
    assert!(!ground.at("x").exists() && !ground.at("y").exists());
    // One that is there is not replaced.
    ground.level(BackupOptions::new());
    let there = ground.snapshot(0);
    let error = backup_tree(ground.live(""), None, there, std::io::sink(), BackupOptions::new()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Exists, "{error}");
}
