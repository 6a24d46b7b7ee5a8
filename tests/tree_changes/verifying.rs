//! A tree that is held against its levels, of which not all can be read.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use frazil::{BackupOptions, Difference, DifferenceKind, ErrorKind, VerifyOptions, verify_tree};

use crate::ground::{Ground, Log};
use crate::tree::{as_plain_user, paths};

/// Verifies the tree against all levels; `each` is told of every difference first.
fn verify(ground: &Ground, mut each: impl FnMut(&Difference)) -> (Vec<(PathBuf, DifferenceKind)>, Arc<Log>) {
    let log = Arc::<Log>::default();
    let mut found = Vec::new();
    let archives = ground.archives.iter().map(|archive| &archive[..]).collect();
    let options = VerifyOptions::new().observer(log.clone());
    let summary = verify_tree(archives, ground.live(""), options, |difference| {
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
        let all = ["", "a", "a/f", "closed", "file", "listed only", "z"];
        let before = all.map(look);
        let (found, log) = verify(&ground, |_| {});
        assert_eq!(all.map(look), before, "the tree was changed, or read with a trace");
        use DifferenceKind::*;
        for difference in [
            at("closed", Unreadable),
            at("closed", Mode),
            at("file", Unreadable),
            at("file", Mode),
            at("listed only", Mode),
            at("listed only/f", Unreadable),
            at("z", Content),
        ] {
            assert!(found.contains(&difference), "{difference:?} in {found:?}");
        }
        // Of what is in there nothing is known, and each thing is said once.
        assert!(!found.iter().any(|(_, what)| *what == Missing), "{found:?}");
        assert!(!found.iter().any(|(path, _)| path.starts_with("closed") && path != Path::new("closed")), "{found:?}");
        assert_eq!(found.iter().filter(|(_, what)| *what == Unreadable).count(), 3, "{found:?}");
        let told: Vec<_> = ["closed", "file", "listed only/f"].map(|path| (ErrorKind::Io, ground.live(path))).into();
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
