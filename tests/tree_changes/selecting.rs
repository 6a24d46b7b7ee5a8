//! Some paths of a tree alone: what is there of them, what leads to them, and what needs others.

use std::collections::BTreeSet;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use frazil::{BackupOptions, ErrorKind, RestoreOptions, RestoreSummary, restore_tree};
use rustix::fs::FileType;

use crate::content::noise;
use crate::ground::{Ground, Log, privileged};
use crate::tree::{image, is_root, make_node, paths, set_attribute, time_of};

fn selecting(selected: &[&str]) -> RestoreOptions {
    selected.iter().fold(privileged(), |options, path| options.path(*path).unwrap())
}

/// Restores a level, and gives what was reported beside the summary.
fn restore(
    ground: &Ground,
    level: usize,
    destination: &Path,
    options: RestoreOptions,
) -> (frazil::Result<RestoreSummary>, Vec<(ErrorKind, PathBuf)>) {
    let log = Arc::<Log>::default();
    let result = restore_tree(&ground.archives[level][..], destination, options.observer(log.clone()));
    (result, log.problems())
}

#[test]
fn a_selected_path_at_which_nothing_is_is_named() {
    let mut ground = Ground::new();
    ground.write("a/f", "f");
    ground.write("b/f", "f");
    ground.level(BackupOptions::new());
    fs::create_dir(ground.live("c")).unwrap();
    fs::remove_dir_all(ground.live("b")).unwrap();
    ground.level(BackupOptions::new());
    // What a level says nothing of is as the one before had it.
    ground.level(BackupOptions::new());
    let cases: [(&[&str], [&[&str]; 3]); 6] = [
        (&["a"], [&[], &[], &[]]),
        (&["a/f"], [&[], &[], &[]]),
        (&["nowhere"], [&["nowhere"], &["nowhere"], &["nowhere"]]),
        (&["a", "a/g", "nowhere"], [&["a/g", "nowhere"], &["a/g", "nowhere"], &["a/g", "nowhere"]]),
        (&["c"], [&["c"], &[], &[]]),
        (&["b"], [&[], &["b"], &["b"]]),
    ];
    for (number, (selected, missing)) in cases.into_iter().enumerate() {
        for (level, missing) in missing.into_iter().enumerate() {
            let missing: Vec<_> = missing.iter().map(PathBuf::from).collect();
            let destination = ground.at(&format!("destination {number}"));
            let dry = restore(&ground, level, &destination, selecting(selected).dry_run(true)).0.unwrap();
            assert_eq!(dry.missing, missing, "{selected:?} at level {level}, dry");
            for _ in ["restored", "there already"] {
                let summary = restore(&ground, level, &destination, selecting(selected)).0.unwrap();
                assert_eq!(summary.missing, missing, "{selected:?} at level {level}");
                assert!(summary.whole && summary.problems == 0, "{summary:?}");
            }
        }
    }
    // The same where everything goes elsewhere.
    let options = selecting(&["a", "nowhere"]).prefix("p").unwrap();
    let summary = restore(&ground, 0, &ground.at("prefixed"), options).0.unwrap();
    assert_eq!(summary.missing, [PathBuf::from("nowhere")]);
    let summary = restore(&ground, 0, &ground.at("stripped"), selecting(&["a"]).strip(1)).0.unwrap();
    assert!(summary.missing.is_empty(), "{summary:?}");
}

#[test]
fn another_selection_of_the_level_that_is_there_is_refused() {
    let mut ground = Ground::new();
    ground.write("a/f", "f");
    ground.write("c/f", "f");
    ground.level(BackupOptions::new());
    ground.write("c/g", "g");
    ground.level(BackupOptions::new());
    let destination = ground.at("destination");
    for level in [0, 1] {
        assert!(restore(&ground, level, &destination, selecting(&["a"])).0.unwrap().whole);
        let as_it_was = image(&destination);
        for other in [selecting(&["c"]), selecting(&["a", "c"]), privileged()] {
            let error = restore(&ground, level, &destination, other).0.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
            assert!(error.to_string().contains("another selection of paths"), "{error}");
        }
        crate::tree::assert_same(&as_it_was, &image(&destination), "refused");
        assert!(restore(&ground, level, &destination, selecting(&["a"])).0.unwrap().already_there);
    }
    // Asked to begin anew, it does.
    let summary = restore(&ground, 0, &destination, selecting(&["c"]).overwrite(true)).0.unwrap();
    assert!(!summary.already_there);
    assert_eq!(fs::read(destination.join("c/f")).unwrap(), b"f");
}

#[test]
fn what_needs_a_file_that_is_not_selected_is_left_out_and_named() {
    let mut ground = Ground::new();
    ground.write("a/f", "linked");
    ground.write("out/renamed", noise(200_000, 1));
    ground.write("out/renamed and changed", noise(200_000, 2));
    ground.write("c/g", "g");
    fs::hard_link(ground.live("a/f"), ground.live("c/h")).unwrap();
    ground.level(BackupOptions::new());
    fs::rename(ground.live("out/renamed"), ground.live("c/r")).unwrap();
    let mut content = noise(200_000, 2);
    content[100_000] ^= 1;
    fs::rename(ground.live("out/renamed and changed"), ground.live("c/s")).unwrap();
    fs::write(ground.live("c/s"), content).unwrap();
    fs::hard_link(ground.live("c/r"), ground.live("c/t")).unwrap();
    ground.write("c/g", "changed");
    let (summary, _) = ground.level(BackupOptions::new());
    assert_eq!((summary.copies, summary.deltas), (1, 1), "the test is of both");

    for dry in [true, false] {
        let destination = ground.at("destination");
        let problem = |name: &str| (ErrorKind::WrongBasis, destination.join(name));
        let (result, problems) = restore(&ground, 0, &destination, selecting(&["c"]).dry_run(dry));
        assert!(result.unwrap().is_partial());
        if dry {
            assert_eq!(problems.len(), 1, "{problems:?}");
            continue;
        }
        assert_eq!(problems, [problem("c/h")]);
        assert_eq!(paths(&destination), [PathBuf::from("c"), "c/g".into()]);
        // That is a level in part, and the next goes onto it when that is accepted.
        let (result, _) = restore(&ground, 1, &destination, selecting(&["c"]));
        assert!(result.unwrap_err().to_string().contains("restored in part"));
        let (result, problems) = restore(&ground, 1, &destination, selecting(&["c"]).accept_partial(true));
        assert!(result.unwrap().is_partial());
        assert_eq!(problems, ["c/r", "c/s", "c/t"].map(problem));
        assert_eq!(paths(&destination), [PathBuf::from("c"), "c/g".into()]);
        assert_eq!(fs::read(destination.join("c/g")).unwrap(), b"changed");
    }
    // With all that they need, there is nothing to report.
    for level in [0, 1] {
        let (result, problems) = restore(&ground, level, &ground.at("all"), selecting(&["a", "c", "out"]));
        assert!(result.unwrap().whole && problems.is_empty(), "{problems:?}");
    }
    assert_eq!(fs::metadata(ground.at("all/c/h")).unwrap().nlink(), 2);
}

#[test]
fn a_file_that_only_gets_further_names_elsewhere_is_restored_as_the_level_has_it() {
    let mut ground = Ground::new();
    ground.write("big", noise(200_000, 1));
    ground.write("z", "z");
    ground.level(BackupOptions::new());
    fs::hard_link(ground.live("big"), ground.live("a")).unwrap();
    fs::hard_link(ground.live("z"), ground.live("p")).unwrap();
    fs::hard_link(ground.live("z"), ground.live("zz")).unwrap();
    ground.level(BackupOptions::new());
    fs::set_permissions(ground.live("p"), Permissions::from_mode(0o600)).unwrap();
    set_attribute(&ground.live("a"), b"user.a", b"a").unwrap();
    ground.level(BackupOptions::new());
    ground.level(BackupOptions::new());
    ground.write("p", "another");
    ground.level(BackupOptions::new());

    let destination = ground.at("destination");
    let selected = || selecting(&["big", "z", "zz"]);
    for level in 0..4 {
        let as_live = [vec!["big", "z"], vec!["big", "z", "zz"]][usize::from(level > 0)].clone();
        for dry in [true, false] {
            let (result, problems) = restore(&ground, level, &destination, selected().dry_run(dry));
            let is_whole = result.unwrap().whole;
            assert!(is_whole && problems.is_empty(), "level {level}, dry: {dry}: {problems:?}");
        }
        assert_eq!(paths(&destination), as_live.iter().map(PathBuf::from).collect::<Vec<_>>(), "level {level}");
        assert_eq!(fs::read(destination.join("z")).unwrap(), b"z");
        assert!(fs::read(destination.join("big")).unwrap() == noise(200_000, 1));
        let names = if level > 0 { 2 } else { 1 };
        assert_eq!(fs::metadata(destination.join("z")).unwrap().nlink(), names, "level {level}");
        let mode = if level > 1 { 0o600 } else { 0o644 };
        assert_eq!(fs::metadata(destination.join("z")).unwrap().mode() & 0o777, mode, "level {level}");
        let attributes = crate::tree::attributes_of(&destination.join("big"));
        assert_eq!(attributes.is_empty(), level < 2, "level {level}");
    }
    // What has other content by now is the content of a file that is not selected.
    let (result, problems) = restore(&ground, 4, &destination, selected());
    assert!(result.unwrap().is_partial());
    assert_eq!(problems, ["z", "zz"].map(|name| (ErrorKind::WrongBasis, destination.join(name))));
    assert_eq!(fs::read(destination.join("z")).unwrap(), b"z");
}

#[test]
fn what_leads_to_a_selected_path_and_is_there_stays_as_it_is() {
    let mut ground = Ground::new();
    ground.write("a/b/f", "f");
    ground.write("a/x", "x");
    fs::set_permissions(ground.live("a"), Permissions::from_mode(0o711)).unwrap();
    ground.level(BackupOptions::new());
    ground.write("a/b/g", "g");
    fs::remove_file(ground.live("a/x")).unwrap();
    for (path, mode) in [("", 0o751), ("a", 0o750), ("a/b", 0o700)] {
        fs::set_permissions(ground.live(path), Permissions::from_mode(mode)).unwrap();
    }
    ground.level(BackupOptions::new());
    fs::remove_dir_all(ground.live("a")).unwrap();
    ground.level(BackupOptions::new());
    let look = |path: &Path| {
        let stat = fs::metadata(path).unwrap();
        (stat.mode(), stat.uid(), stat.gid(), time_of(path), crate::tree::attributes_of(path))
    };
    let select = || selecting(&["a/b"]).overwrite(true);

    // Nothing there: all are made as the levels have them, the destination too.
    let fresh = ground.at("fresh");
    for level in 0..2 {
        assert!(restore(&ground, level, &fresh, select()).0.unwrap().whole);
    }
    assert_eq!(["", "a", "a/b"].map(|path| look(&fresh.join(path)).0 & 0o777), [0o751, 0o750, 0o700]);

    // All there, and open for all to write in but for their owner.
    let (used, owner) = (ground.at("used"), if is_root() { Some(1234) } else { None });
    fs::create_dir_all(used.join("a")).unwrap();
    for path in [used.clone(), used.join("a")] {
        // The file system may have no attributes.
        let _ = set_attribute(&path, b"user.own", b"mine");
        chown(&path, owner, owner).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o700)).unwrap();
        crate::tree::set_time(&path, (800_000_000, 7)).unwrap();
    }
    let before = [look(&used), look(&used.join("a"))];
    for level in 0..3 {
        let (result, problems) = restore(&ground, level, &used, select());
        assert!(result.unwrap().whole && problems.is_empty(), "{problems:?}");
        assert_eq!([look(&used), look(&used.join("a"))], before, "level {level}");
        let below: BTreeSet<_> = paths(&used.join("a")).into_iter().collect();
        let expected: &[&str] = [&["b", "b/f"][..], &["b", "b/f", "b/g"], &[]][level];
        assert_eq!(below, expected.iter().map(PathBuf::from).collect(), "level {level}");
    }

    // Only the destination was there.
    let empty = ground.at("empty");
    fs::create_dir(&empty).unwrap();
    crate::tree::set_time(&empty, (800_000_000, 7)).unwrap();
    let before = look(&empty);
    for (level, mode) in [(0, 0o711), (1, 0o750)] {
        assert!(restore(&ground, level, &empty, selecting(&["a/b"])).0.unwrap().whole);
        assert_eq!(look(&empty), before, "level {level}");
        assert_eq!(look(&empty.join("a")).0 & 0o777, mode, "level {level}");
    }
    assert!(restore(&ground, 2, &empty, selecting(&["a/b"])).0.unwrap().whole);
    assert!(!empty.join("a").exists());
}

#[test]
fn what_leads_to_a_selected_path_is_restored_only_while_it_is_a_directory() {
    type Make = fn(&Ground);
    // What `a` becomes, and what that becomes.
    let table: [(&str, Make, Make); 4] = [
        (
            "file",
            |ground| drop(ground.write("a", noise(200_000, 1))),
            |ground| drop(ground.write("a", noise(200_001, 1))),
        ),
        (
            "link",
            |ground| symlink("0", ground.live("a")).unwrap(),
            |ground| {
                fs::remove_file(ground.live("a")).unwrap();
                symlink("elsewhere", ground.live("a")).unwrap();
            },
        ),
        (
            "further name",
            |ground| fs::hard_link(ground.live("0"), ground.live("a")).unwrap(),
            |ground| fs::set_permissions(ground.live("a"), Permissions::from_mode(0o600)).unwrap(),
        ),
        (
            "pipe",
            |ground| make_node(&ground.live("a"), FileType::Fifo, (0, 0)).unwrap(),
            |ground| fs::set_permissions(ground.live("a"), Permissions::from_mode(0o600)).unwrap(),
        ),
    ];
    for (kind, make, change) in table {
        let mut ground = Ground::new();
        ground.write("0", "0");
        ground.write("a/b/f", "f");
        ground.write("a/x", "x");
        ground.level(BackupOptions::new());
        fs::remove_dir_all(ground.live("a")).unwrap();
        make(&ground);
        ground.level(BackupOptions::new());
        change(&ground);
        ground.level(BackupOptions::new());
        fs::remove_file(ground.live("a")).unwrap();
        ground.write("a/b/f", "f");
        ground.level(BackupOptions::new());

        let (fresh, used) = (ground.at("fresh"), ground.at("used"));
        fs::create_dir_all(used.join("a")).unwrap();
        fs::write(used.join("a/own"), "own").unwrap();
        for (level, there) in [true, false, false, true].into_iter().enumerate() {
            for destination in [&fresh, &used] {
                // What is not restored is within no limit.
                let options = selecting(&["0", "a/b"]).overwrite(level == 0).max_file_len(100);
                for dry in [true, false] {
                    let (result, problems) = restore(&ground, level, destination, options.clone().dry_run(dry));
                    let summary = result.unwrap();
                    assert!(summary.whole && problems.is_empty(), "{kind} at level {level}: {problems:?}");
                    let missing: &[PathBuf] = if there { &[] } else { &["a/b".into()] };
                    assert_eq!(summary.missing, missing, "{kind} at level {level}");
                }
                let of_chain = if there { &["0", "a", "a/b", "a/b/f"][..] } else { &["0"] };
                let own = if *destination == used { &["a", "a/own"][..] } else { &[] };
                let expected: BTreeSet<_> = of_chain.iter().chain(own).map(PathBuf::from).collect();
                let found: BTreeSet<_> = paths(destination).into_iter().collect();
                assert_eq!(found, expected, "{kind} at level {level}");
            }
        }
    }
}

#[test]
fn what_leads_to_a_selected_path_is_no_file_to_make_another_from() {
    let mut ground = Ground::new();
    ground.write("a", noise(200_000, 1));
    ground.level(BackupOptions::new());
    fs::hard_link(ground.live("a"), ground.live("linked")).unwrap();
    ground.level(BackupOptions::new());
    fs::remove_file(ground.live("linked")).unwrap();
    fs::rename(ground.live("a"), ground.live("moved")).unwrap();
    let (summary, _) = ground.level(BackupOptions::new());
    assert_eq!(summary.copies, 1, "the test is of a copy");
    let destination = ground.at("destination");
    for (level, left_out) in [(0, None), (1, Some("linked")), (2, Some("moved"))] {
        let options = selecting(&["a/b", "linked", "moved"]).accept_partial(true);
        let (result, problems) = restore(&ground, level, &destination, options);
        result.unwrap();
        let expected: Vec<_> =
            left_out.map(|name| (ErrorKind::WrongBasis, destination.join(name))).into_iter().collect();
        assert_eq!(problems, expected, "level {level}");
        assert!(paths(&destination).is_empty(), "level {level}");
    }
}
