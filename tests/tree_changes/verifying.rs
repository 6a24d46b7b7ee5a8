//! A tree that is held against its levels, of which not all can be read.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use frazil::{BackupOptions, Difference, DifferenceKind, ErrorKind, VerifyOptions, verify_tree};
use rustix::fs::FileType;

use crate::ground::{Ground, Log};
use crate::tree::{as_plain_user, make_node, paths};

/// Verifies the tree against all levels; `each` is told of every difference first.
fn verify(ground: &Ground, each: impl FnMut(&Difference)) -> (Vec<(PathBuf, DifferenceKind)>, Arc<Log>) {
    verify_with(ground, VerifyOptions::new(), each)
}

fn verify_with(
    ground: &Ground,
    options: VerifyOptions,
    mut each: impl FnMut(&Difference),
) -> (Vec<(PathBuf, DifferenceKind)>, Arc<Log>) {
    let log = Arc::<Log>::default();
    let mut found = Vec::new();
    let archives = ground.archives.iter().map(|archive| &archive[..]).collect();
    let summary = verify_tree(archives, ground.live(""), options.observer(log.clone()), |difference| {
        each(difference);
        found.push((difference.path.clone(), difference.what));
        Ok(())
    });
    assert_eq!(summary.unwrap().differences, found.len() as u64);
    (found, log)
}

fn at(path: &str, what: DifferenceKind) -> (PathBuf, DifferenceKind) {
    (path.into(), what)
}

#[test]
fn what_cannot_be_read_is_a_difference_and_stays_as_it_is() {
    as_plain_user("verifying::what_cannot_be_read_is_a_difference_and_stays_as_it_is", || {
        let mut ground = Ground::new();
        for path in ["a/f", "closed/d/f", "closed/f", "file", "listed only/f", "z"] {
            ground.write(path, path);
        }
        fs::create_dir(ground.live("closed/e")).unwrap();
        fs::hard_link(ground.live("closed/f"), ground.live("link")).unwrap();
        ground.level(BackupOptions::new());
        for (path, mode) in [("closed", 0o000), ("file", 0o000), ("listed only", 0o400)] {
            fs::set_permissions(ground.live(path), Permissions::from_mode(mode)).unwrap();
        }
        ground.write("z", "another");
        let look = |path: &str| {
            let stat = fs::symlink_metadata(ground.live(path)).unwrap();
            let times = (stat.ctime(), stat.ctime_nsec(), stat.mtime(), stat.mtime_nsec());
            (stat.mode(), times, (stat.atime(), stat.atime_nsec()))
        };
        let all = ["", "a", "a/f", "closed", "file", "link", "listed only", "z"];
        let before = all.map(look);
        let (found, log) = verify(&ground, |_| {});
        assert_eq!(all.map(look), before, "the tree was changed, or read with a trace");
        use DifferenceKind::*;
        for difference in [
            at("closed", Unreadable),
            at("closed", Mode),
            at("file", Unreadable),
            at("file", Mode),
            // Whether it is the same file can only be seen in there.
            at("link", Unreadable),
            at("listed only", Mode),
            at("listed only/f", Unreadable),
            at("z", Content),
        ] {
            assert!(found.contains(&difference), "{difference:?} in {found:?}");
        }
        // Of what is in there nothing is known, and each thing is said once.
        assert!(!found.iter().any(|(_, what)| *what == Missing), "{found:?}");
        assert!(!found.iter().any(|(path, _)| path.starts_with("closed") && path != Path::new("closed")), "{found:?}");
        assert_eq!(found.iter().filter(|(_, what)| *what == Unreadable).count(), 4, "{found:?}");
        let told: Vec<_> =
            ["closed", "closed/f", "file", "listed only/f"].map(|path| (ErrorKind::Io, ground.live(path))).into();
        let mut problems = log.problems();
        problems.sort_by(|(_, a), (_, b)| a.cmp(b));
        assert_eq!(problems, told);
    });
}

#[test]
fn what_goes_while_it_is_compared_is_missing_and_the_rest_is_compared() {
    let mut ground = Ground::new();
    for path in ["d/e/f", "d/x", "h", "z"] {
        ground.write(path, path);
    }
    fs::hard_link(ground.live("z"), ground.live("zz")).unwrap();
    ground.level(BackupOptions::new());
    ground.write("d/x", "another");
    ground.write("z", "another");
    // When the difference of `d/x` is told, the walk has met both that and `d`, which is compared after it.
    let (found, log) = verify(&ground, |difference| {
        if difference.path == Path::new("d/x") {
            let _ = fs::remove_dir_all(ground.live("d"));
        }
    });
    assert!(found.contains(&at("d", DifferenceKind::Missing)), "{found:?}");
    assert!(found.contains(&at("z", DifferenceKind::Content)), "{found:?}");
    assert_eq!(log.problems(), []);
    assert_eq!(paths(&ground.live("")), ["h", "z", "zz"].map(PathBuf::from));
}

#[test]
fn a_tree_whose_links_were_followed_is_held_against_what_they_lead_to() {
    use DifferenceKind::{Content, Extra, Kind, Missing};
    let mut ground = Ground::new();
    fs::create_dir_all(ground.at("elsewhere/sub")).unwrap();
    fs::write(ground.at("elsewhere/f"), "f").unwrap();
    fs::hard_link(ground.at("elsewhere/f"), ground.at("elsewhere/sub/same")).unwrap();
    for (to, link) in [("../elsewhere", "d"), ("../elsewhere/f", "f"), ("nowhere", "hanging"), (".", "round")] {
        symlink(to, ground.live(link)).unwrap();
    }
    make_node(&ground.at("elsewhere/pipe"), FileType::Fifo, (0, 0)).unwrap();
    ground.level(BackupOptions::new().dereference(true));
    let differences = |options: VerifyOptions| {
        let found = verify_with(&ground, options, |_| ()).0;
        found.into_iter().filter(|(_, what)| matches!(what, Content | Extra | Kind | Missing)).collect::<Vec<_>>()
    };
    let following = || VerifyOptions::new().dereference(true);
    assert_eq!(verify_with(&ground, following(), |_| ()).0, []);
    let below = ["d/f", "d/pipe", "d/sub/same", "d/sub"].map(|path| at(path, Missing));
    let unfollowed: Vec<_> = below.into_iter().chain([at("d", Kind), at("f", Kind)]).collect();
    assert_eq!(differences(VerifyOptions::new()), unfollowed);

    fs::write(ground.at("elsewhere/f"), "g").unwrap();
    fs::remove_file(ground.at("elsewhere/pipe")).unwrap();
    fs::write(ground.at("elsewhere/new"), "new").unwrap();
    fs::write(ground.live("nowhere"), "somewhere").unwrap();
    let expected = [
        at("d/f", Content),
        at("d/new", Extra),
        at("d/pipe", Missing),
        at("f", Content),
        at("hanging", Kind),
        at("nowhere", Extra),
    ];
    assert_eq!(differences(following()), expected);
}
