//! The power goes at any moment, and whatever was not flushed is lost, or kept in part and in any order: files and
//! trees are as they were or as they were to be, and what a command had said to be done is done.
//!
//! Each command runs once, recorded by strace. A model of a file system (`power_loss/disk.rs`) then says what may be
//! there had the power gone after any of its calls; that is made in a directory, looked at, and worked with by the
//! next run. `FRAZIL_POWER_LOSSES` says how often the power goes in all, and `FRAZIL_SEED` the seed; `make crash` lets
//! it go ten thousand times.
#![cfg(target_os = "linux")]

#[path = "power_loss/disk.rs"]
mod disk;
#[path = "power_loss/ground.rs"]
mod ground;
#[path = "power_loss/image.rs"]
mod image;
#[path = "support/look.rs"]
mod look;
#[path = "support/random.rs"]
mod random;
#[path = "power_loss/recording.rs"]
mod recording;

use std::fs;
use std::path::Path;
use std::process::Command;

use frazil::{
    ErrorKind, PatchOptions, Recovery, RestoreOptions, list_snapshot, patch_file, patch_in_place, recover_restore,
    restore_tree, verify_archive,
};
use ground::{Count, Flush, Ground, Left, Recorded};
use look::{Listing, differences, scratch, tree};
use random::Random;
use recording::can_record;

const PATCHES_IN_PLACE: &str = "FRAZIL_PATCHES_IN_PLACE";

/// A file that is published, and what was there before.
fn is_old_or_new(dir: &Path, name: &str, old: Option<&[u8]>, new: &[u8], is_over: bool) -> Left {
    let found = fs::read(dir.join(name)).ok();
    match found.as_deref() {
        Some(found) if found == new => Left::New,
        found => {
            assert!(!is_over, "{name}: it was said to be there");
            assert!(found == old, "{name}: is neither what it was nor what it was to be");
            Left::Old
        }
    }
}

/// A patch of `old` to `name`, where `before` was.
fn patches(seed: u64, command: &str, name: &str, before: Option<&str>) {
    patches_without(None, seed, command, name, before);
}

/// The same where one kind of flush does nothing; gives whether something is lost.
fn patches_without(flush: Option<Flush>, seed: u64, command: &str, name: &str, before: Option<&str>) -> bool {
    let ground = Ground::with_levels().without(flush);
    let [old, new, delta] = ["old", "new", "delta"].map(|name| ground.read(name));
    let before = before.map(|before| ground.read(before));
    ground.lose_power(seed, &ground.command(command), |dir, is_over| {
        let left = is_old_or_new(dir, name, before.as_deref(), &new, is_over);
        ground::remove_temporaries(dir, &["old", "new", "delta", "old.sig", "level.0", name]);
        // Whatever it left, the next run does.
        let basis = scratch();
        fs::write(basis.path().join("old"), &old).unwrap();
        let options = PatchOptions::new().replace(true);
        patch_file(Some(&basis.path().join("old")), &delta[..], dir.join(name), options).unwrap();
        assert!(fs::read(dir.join(name)).unwrap() == new);
        left
    });
    ground.is_lost()
}

#[test]
fn a_patch_to_a_new_file_is_there_whole_or_not_at_all() {
    patches(1, "patch -q old delta made", "made", None);
}

#[test]
fn a_patch_over_a_file_leaves_the_old_one_or_the_new_one() {
    patches(2, "patch -q --force old delta old", "old", Some("old"));
}

#[test]
fn a_chain_to_a_file_leaves_the_old_one_or_the_new_one() {
    patches(3, "patch -q --force /dev/null level.0 delta old", "old", Some("old"));
}

/// A file that is of no use without another, and what was there before: the one is new only with the other, and gone
/// when the other is new and it is not.
fn is_with(first: Left, dir: &Path, name: &str, old: Option<&[u8]>, new: &[u8], is_over: bool) -> Left {
    let left = match dir.join(name).exists() {
        true => is_old_or_new(dir, name, old, new, is_over),
        false if first == Left::New || old.is_some() => Left::Part,
        false => Left::Old,
    };
    assert!(left == Left::New || !is_over, "{name}: it was said to be there");
    assert!(left != Left::New || first == Left::New, "{name}: is there without what it belongs to");
    assert!(left != Left::Old || first == Left::Old, "{name}: belongs to what is gone");
    left
}

/// A level and its signature, where the files `before` were.
fn levels(seed: u64, before: Option<[&str; 2]>) {
    let ground = Ground::with_levels();
    let names = ["level.1", "new.sig"];
    let old = before.map(|before| before.map(|name| ground.read(name)));
    for (name, old) in names.iter().zip(old.iter().flatten()) {
        fs::write(ground.path(name), old).unwrap();
    }
    let made = "level -q --against old.sig --signature-out new.sig new level.1";
    let forced = made.replace("level -q", "level -q --force");
    let command = ground.command(if old.is_some() { &forced } else { made });
    ground.lose_power(seed, &command, |dir, is_over| {
        let new = names.map(|name| ground.read(name));
        let [old_level, old_signature] = [0, 1].map(|at| old.as_ref().map(|old| &*old[at]));
        let level = is_old_or_new(dir, names[0], old_level, &new[0], is_over);
        let left = is_with(level, dir, names[1], old_signature, &new[1], is_over);
        ground::remove_temporaries(dir, &["old", "new", "delta", "old.sig", "level.0", "level.1", "new.sig"]);
        // It may be that one of the two is there.
        ground::run_in(dir, &forced);
        ground::run_in(dir, "patch -q old level.1 made");
        assert!(fs::read(dir.join("made")).unwrap() == ground.read("new"));
        left
    });
}

#[test]
fn a_level_and_its_signature_are_whole_or_not_there_and_no_signature_is_without_its_level() {
    levels(4, None);
}

#[test]
fn a_level_and_its_signature_over_others_leave_no_signature_of_a_level_that_is_gone() {
    levels(16, Some(["level.0", "old.sig"]));
}

/// A backup of the tree at level 1 to `a` and `s`, where the files `before` were.
fn backs_up(seed: u64, options: &str, before: Option<[&str; 2]>) {
    let ground = Ground::with_trees();
    let names = ["a", "s"];
    let old = before.map(|before| before.map(|name| ground.read(name)));
    for (name, old) in names.iter().zip(old.iter().flatten()) {
        fs::write(ground.path(name), old).unwrap();
    }
    let made = format!("backup -q {options} --snapshot s --block-size 4K tree a");
    let made = if options.is_empty() { made } else { made.replace(" --block-size 4K", "") };
    let forced = made.replace("backup -q", "backup -q --force");
    let command = ground.command(if old.is_some() { &forced } else { &made });
    ground.lose_power(seed, &command, |dir, is_over| {
        let new = names.map(|name| ground.read(name));
        let [old_archive, old_snapshot] = [0, 1].map(|at| old.as_ref().map(|old| &*old[at]));
        let archive = is_old_or_new(dir, "a", old_archive, &new[0], is_over);
        let left = is_with(archive, dir, "s", old_snapshot, &new[1], is_over);
        ground::remove_temporaries(dir, &["a", "s", "a0", "s0", "a1", "s1", "tree"]);
        if archive == Left::New {
            verify_archive(fs::File::open(dir.join("a")).unwrap(), None).unwrap();
        }
        if left == Left::New {
            list_snapshot(fs::File::open(dir.join("s")).unwrap(), |_| Ok(())).unwrap();
        }
        ground::run_in(dir, &forced);
        let below = if options.is_empty() { "" } else { "a0 " };
        ground::run_in(dir, &format!("restore -q {below}a restored"));
        assert_eq!(differences(&ground.trees[1], &tree(&dir.join("restored"))), [""; 0]);
        left
    });
}

#[test]
fn an_archive_of_level_0_and_its_snapshot_are_whole_or_not_there() {
    backs_up(5, "", None);
}

#[test]
fn an_archive_of_level_1_and_its_snapshot_are_whole_or_not_there() {
    backs_up(6, "--since s0", None);
}

#[test]
fn an_archive_and_its_snapshot_over_others_leave_no_snapshot_of_an_archive_that_is_gone() {
    backs_up(17, "--since s0", Some(["a1", "s1"]));
}

/// A restore of a level to `dest`, where another or nothing was before.
struct Restore {
    ground: Ground,
    level: usize,
    before: Option<Listing>,
}

impl Restore {
    fn new(flush: Option<Flush>, level: usize) -> Self {
        let ground = Ground::with_trees().without(flush);
        if level == 1 {
            ground.run("restore -q --more a0 dest");
        }
        let before = ground.path("dest").exists().then(|| tree(&ground.path("dest")));
        Self { ground, level, before }
    }

    fn command(&self, options: &str) -> String {
        format!("restore -q --threads 1 {options} a{} dest", self.level)
    }

    /// What is at `dest` when nothing is under way any more: what was there before, or the level.
    fn found(&self, dest: &Path, context: &str) -> Left {
        let found = tree(dest);
        // Its own time is that of the last name that was made or removed in it.
        let differ = |from: &Listing| {
            let mut differ = differences(from, &found);
            differ.retain(|difference| !difference.starts_with(": d"));
            differ
        };
        let from_target = differ(&self.ground.trees[self.level]);
        if from_target.is_empty() {
            return Left::New;
        }
        let from_before = self.before.as_ref().map(differ);
        let is_before = from_before.as_ref().map_or(found.len() == 1, Vec::is_empty);
        assert!(is_before, "{context}: from what it was to be: {from_target:#?}\nand was: {from_before:#?}");
        Left::Old
    }

    /// Recovers what a loss of power left beneath `dir`, and restores the level again; says what was there between.
    fn left(&self, dir: &Path) -> Left {
        let dest = dir.join("dest");
        let (mut left, mut is_concluded) = (Left::Old, false);
        if dest.exists() {
            let recovered = recover_restore(&dest, None).unwrap();
            left = self.found(&dest, &format!("{recovered:?}"));
            is_concluded = left == Left::New && matches!(recovered, Recovery::Nothing);
        }
        let archive = fs::read(dir.join(format!("a{}", self.level))).unwrap();
        let restored = restore_tree(&archive[..], &dest, RestoreOptions::new());
        if is_concluded {
            // Nothing says any more where it stands.
            let kind = if self.level == 0 { ErrorKind::Exists } else { ErrorKind::WrongBasis };
            assert_eq!(restored.unwrap_err().kind(), kind);
        } else {
            let summary = restored.unwrap();
            assert!(summary.whole && summary.problems == 0, "{summary:?}");
            assert_eq!(differences(&self.ground.trees[self.level], &tree(&dest)), [""; 0]);
        }
        left
    }
}

/// A restore of the level `level` to `dest`, with the command's options.
fn restores(seed: u64, level: usize, options: &str) {
    restores_without(None, seed, level, options);
}

/// The same where one kind of flush does nothing; gives whether something is lost.
fn restores_without(flush: Option<Flush>, seed: u64, level: usize, options: &str) -> bool {
    let restore = Restore::new(flush, level);
    let command = restore.ground.command(&restore.command(options));
    restore.ground.lose_power(seed, &command, |dir, is_over| {
        let left = restore.left(dir);
        assert!(left == Left::New || !is_over, "it was said to be there");
        left
    });
    restore.ground.is_lost()
}

/// A restore that loses the power, and so does the run that recovers what that left: `restore DEST`, or the same
/// restore again.
fn recovers(seed: u64, level: usize, options: &str, is_again: bool) {
    let restore = Restore::new(None, level);
    let first = restore.command(options);
    let recovery = if is_again { &*first } else { "restore -q dest" };
    // As many of the first run as of each that recovers.
    let often = ground::losses().isqrt();
    let (mut random, mut count) = (Random::new(random::seed(seed)), Count::default());
    restore.ground.lose_power_often(often, seed, &restore.ground.command(&first), |dir, is_over| {
        if is_over || !dir.join("dest/.frazil-restore/state").exists() {
            return restore.left(dir);
        }
        let command = ground::command_in(dir, recovery);
        let recorded = Recorded::run(dir, &command, None);
        // At once: what is lost then takes files out of there.
        let came_to = restore.found(&dir.join("dest"), recovery);
        assert!(came_to == Left::New || !is_again, "{recovery}: it was said to be there");
        recorded.lose_power(often, &mut random, false, &mut count, |after, is_recovered| {
            let left = restore.left(after);
            assert!(left == came_to || !is_recovered, "{recovery}: it was said to be {came_to:?}");
            left
        });
        came_to
    });
    count.tell(&restore.ground.command(recovery), seed);
    assert!(count.losses() > often || !can_record(), "there was little to recover");
}

#[test]
fn a_restore_of_level_0_leaves_nothing_or_all_of_it() {
    restores(7, 0, "--more");
}

#[test]
fn a_restore_of_level_1_leaves_level_0_or_level_1() {
    restores(8, 1, "--more");
}

#[test]
fn a_restore_that_ends_a_chain_leaves_level_0_or_level_1() {
    restores(9, 1, "");
}

#[test]
fn a_restore_of_level_0_that_flushes_each_file_leaves_nothing_or_all_of_it() {
    restores(10, 0, "--more --sync file");
}

#[test]
fn a_restore_of_level_1_that_flushes_each_file_leaves_level_0_or_level_1() {
    restores(11, 1, "--more --sync file");
}

#[test]
fn a_recovery_of_level_0_that_is_cut_short_is_recovered_itself() {
    recovers(18, 0, "--more", false);
}

#[test]
fn a_recovery_of_level_1_that_is_cut_short_is_recovered_itself() {
    recovers(19, 1, "--more", false);
}

#[test]
fn a_restore_that_is_given_again_and_cut_short_again_leaves_level_0_or_level_1() {
    recovers(20, 1, "--more --sync file", true);
}

/// What the test of a patch in place records.
#[test]
#[ignore = "is run by another test"]
fn patches_in_place() {
    let dir = std::env::var_os(PATCHES_IN_PLACE).expect("a directory with a file and a delta");
    let dir = Path::new(&dir);
    let delta = fs::File::open(dir.join("delta")).unwrap();
    patch_in_place(dir.join("old"), delta, PatchOptions::new()).unwrap();
}

#[test]
fn a_patch_in_place_is_done_when_it_says_so_and_the_next_one_tells_a_file_that_is_neither_old_nor_new() {
    let ground = Ground::with_levels();
    let [old, new, delta, level_0] = ["old", "new", "delta", "level.0"].map(|name| ground.read(name));
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "patches_in_place", "--ignored"]).env(PATCHES_IN_PLACE, ground.path(""));
    ground.lose_power(12, &command, |dir, is_over| {
        let path = dir.join("old");
        let found = fs::read(&path).unwrap();
        assert!(found == new || !is_over, "it was said to be there");
        let again = patch_in_place(&path, &delta[..], PatchOptions::new());
        if found == old {
            again.unwrap();
            assert!(fs::read(&path).unwrap() == new);
            return Left::Old;
        }
        assert_eq!(again.unwrap_err().kind(), ErrorKind::WrongBasis);
        assert!(fs::read(&path).unwrap() == found, "what is refused is not written to");
        // The way back is that from level 0 on.
        let options = || PatchOptions::new().replace(true);
        patch_file(None, &level_0[..], &path, options()).unwrap();
        patch_file(Some(&path), &delta[..], &path, options()).unwrap();
        assert!(fs::read(&path).unwrap() == new);
        if found == new { Left::New } else { Left::Mixed }
    });
}

#[test]
fn without_any_one_kind_of_flush_something_is_lost() {
    let patch = |flush| patches_without(Some(flush), 14, "patch -q --force old delta old", "old", Some("old"));
    let restore = |flush, options: &str| restores_without(Some(flush), 15, 1, options);
    let works: [(Flush, &dyn Fn(Flush) -> bool); 5] = [
        (Flush::File, &patch),
        (Flush::Directory, &patch),
        (Flush::FileSystem, &|flush| restore(flush, "--more")),
        (Flush::File, &|flush| restore(flush, "--more --sync file")),
        (Flush::Directory, &|flush| restore(flush, "--more --sync file")),
    ];
    for (number, (flush, is_lost)) in works.into_iter().enumerate() {
        assert!(is_lost(flush) || !can_record(), "work {number}, {flush:?}: nothing is lost");
    }
}

#[test]
fn what_is_not_flushed_is_lost_in_part_now_and_then() {
    let ground = Ground::with_levels();
    let mut careless = Command::new("sh");
    careless.args(["-c", "printf %02000d 7 > tmp && mv tmp made"]).current_dir(ground.path(""));
    let mut left = std::collections::BTreeSet::new();
    let is_done = ground.lose_power_often(400, 13, &careless, |dir, _| {
        let found = fs::read(dir.join("made")).ok();
        let is = match found.as_deref() {
            None => Left::Old,
            Some(found) if found == ground.read("made") => Left::New,
            Some(_) => Left::Mixed,
        };
        left.insert(is);
        is
    });
    assert!(!is_done || Vec::from_iter(left) == [Left::Old, Left::New, Left::Mixed]);
}
