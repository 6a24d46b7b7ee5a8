//! Killed at any moment, what makes a file leaves what was there or what was to be there, whole, and nothing else
//! under its name; what patches a file in place leaves one that the next patch knows to be neither.
//!
//! The command is killed by SIGKILL at times spread over what an undisturbed run takes. `FRAZIL_CRASHES` says how
//! many runs of this and of `tree_crash` are killed in all, and `FRAZIL_SEED` the seed; `make crash` kills ten
//! thousand.

#[path = "file_crash/ground.rs"]
mod ground;
#[path = "tree_crash/killing.rs"]
mod killing;
#[path = "support/random.rs"]
mod random;

use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use frazil::{ErrorKind, PatchOptions, patch_file, patch_in_place};
use ground::Ground;
use killing::{Kills, duration_of, killed_after, within};
use random::Random;

/// Runs that are killed in all unless the environment says otherwise.
const CRASHES: usize = 200;

/// What shares them: the eight tests here, and of trees, which take longer, a fifth.
const SHARES: usize = 10;

const PATCHES_IN_PLACE: &str = "FRAZIL_PATCHES_IN_PLACE";

fn crashes() -> usize {
    let all = std::env::var("FRAZIL_CRASHES").map_or(CRASHES, |all| all.parse().expect("FRAZIL_CRASHES is a number"));
    all.div_ceil(SHARES)
}

/// Kills a run that makes the files `made`, in this order. What is there before, `before`, is copied there.
fn killed(seed: u64, arguments: &str, made: &[&str], before: Option<&str>) {
    let mut random = Random::new(random::seed(seed));
    let ground = Ground::new(&mut random);
    let old = before.map(|before| ground.read(before));
    let stand = || {
        for name in made {
            match &old {
                Some(old) => fs::write(ground.path(name), old).unwrap(),
                None => drop(fs::remove_file(ground.path(name))),
            }
        }
    };
    let (anywhere, writing) = (|| true, || ground.has_temporary());
    let publishing = || ground.path(made[0]).exists();
    let duration_from = |begun: &dyn Fn() -> bool| {
        stand();
        duration_of(ground.command(arguments), begun)
    };
    // The whole of it, from when the first byte may be written, and what is short and matters most.
    let mut spans: Vec<(&dyn Fn() -> bool, Duration)> =
        vec![(&anywhere, duration_from(&anywhere)), (&writing, duration_from(&writing))];
    if made.len() > 1 {
        spans.push((&publishing, duration_from(&publishing)));
    }
    let new: Vec<_> = made.iter().map(|name| ground.read(name)).collect();
    let mut kills = Kills::new(crashes());
    while kills.go_on() {
        stand();
        let (begun, duration) = random.pick(&spans);
        let was_killed = killed_after(within(duration, &mut random), ground.command(arguments), begun);
        let temporaries = ground.remove_temporaries(made);
        let mut are_new = Vec::new();
        for (name, new) in made.iter().zip(&new) {
            let found = fs::read(ground.path(name)).ok();
            let is_new = Ground::is_same(found.as_deref(), new);
            assert!(is_new || found == old, "{arguments}: {name} is neither what it was nor what it was to be");
            are_new.push(is_new);
        }
        assert!(are_new.is_sorted_by(|first, next| first >= next), "{arguments}: {are_new:?} of {made:?}");
        kills.count(
            was_killed,
            match (are_new[0], are_new[made.len() - 1], temporaries) {
                (true, true, _) => "left the new file",
                (true, false, _) => "left the first file without the second",
                (false, _, 0) => "left the old file",
                (false, ..) => "left the old file and a temporary",
            },
        );
        // Whatever it left, the next run does.
        ground.run(&Ground::forced(arguments));
        for (name, new) in made.iter().zip(&new) {
            assert!(Ground::is_same(Some(&ground.read(name)), new), "{arguments}: {name}, made again");
        }
        assert_eq!(ground.remove_temporaries(made), 0, "{arguments}");
    }
    kills.tell(arguments);
}

#[test]
fn a_killed_patch_to_a_new_file_leaves_none_or_all_of_it() {
    killed(21, "patch -q old delta out", &["out"], None);
}

#[test]
fn a_killed_patch_over_a_file_leaves_that_or_the_new_one() {
    killed(22, "patch -q --force old delta out", &["out"], Some("old"));
}

#[test]
fn a_killed_patch_over_its_own_basis_leaves_that_or_the_new_one() {
    killed(23, "patch -q --force out delta out", &["out"], Some("old"));
}

#[test]
fn a_killed_chain_to_a_file_leaves_the_old_one_or_the_new_one() {
    killed(24, "patch -q --force /dev/null level.0 delta out", &["out"], Some("old"));
}

#[test]
fn a_killed_level_leaves_no_signature_without_its_level_and_neither_in_part() {
    killed(25, "level -q --against old.sig --signature-out out.sig new out", &["out", "out.sig"], None);
}

#[test]
fn a_killed_signature_leaves_the_old_one_or_the_new_one() {
    killed(26, "signature -q --force --block-size 1K new out.sig", &["out.sig"], Some("old.sig"));
}

#[test]
fn a_killed_delta_leaves_none_or_all_of_it() {
    killed(27, "delta -q old.sig new out", &["out"], None);
}

/// What the test of a patch in place kills.
#[test]
#[ignore = "is run by another test"]
fn patches_in_place() {
    let dir = PathBuf::from(std::env::var_os(PATCHES_IN_PLACE).expect("a directory with a file and a delta"));
    let delta = fs::File::open(dir.join("delta")).unwrap();
    fs::write(dir.join("begun"), "").unwrap();
    patch_in_place(dir.join("out"), delta, PatchOptions::new()).unwrap();
}

fn patching_in_place(dir: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "patches_in_place", "--ignored"]).env(PATCHES_IN_PLACE, dir).stdout(Stdio::null());
    command
}

#[test]
fn a_killed_patch_in_place_is_told_by_the_next_one_and_made_good_from_level_0() {
    let mut random = Random::new(random::seed(28));
    let ground = Ground::new(&mut random);
    let [old, new, delta, level_0] = ["old", "new", "delta", "level.0"].map(|name| ground.read(name));
    let path = ground.path("out");
    let modified = || fs::metadata(&path).unwrap().modified().unwrap();
    let before = Cell::new(SystemTime::UNIX_EPOCH);
    let stand = || {
        let _ = fs::remove_file(ground.path("begun"));
        fs::write(&path, &old).unwrap();
        before.set(modified());
    };
    let (begun, written) = (|| ground.path("begun").exists(), || modified() != before.get());
    let duration_from = |begun: &dyn Fn() -> bool| {
        stand();
        duration_of(patching_in_place(&ground.path("")), begun)
    };
    // The whole of it, and from the first write on.
    let spans: [(&dyn Fn() -> bool, Duration); 2] =
        [(&begun, duration_from(&begun)), (&written, duration_from(&written))];
    let mut kills = Kills::new(crashes());
    while kills.go_on() {
        stand();
        let (begun, duration) = random.pick(&spans);
        let delay = within(duration, &mut random);
        let was_killed = killed_after(delay, patching_in_place(&ground.path("")), begun);
        let found = fs::read(&path).unwrap();
        kills.count(
            was_killed,
            match () {
                () if found == old => "left the old file",
                () if found == new => "left the new file",
                () => "left neither",
            },
        );
        let again = patch_in_place(&path, &delta[..], PatchOptions::new());
        if found == old {
            again.unwrap();
        } else {
            let error = again.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::WrongBasis, "{error}");
            assert!(error.to_string().contains("the delta was made against another basis"), "{error}");
            assert!(fs::read(&path).unwrap() == found, "what is refused is not written to");
            let options = || PatchOptions::new().replace(true);
            patch_file(None, &level_0[..], &path, options()).unwrap();
            patch_in_place(&path, &delta[..], PatchOptions::new()).unwrap();
        }
        assert!(fs::read(&path).unwrap() == new);
    }
    kills.tell("patch_in_place");
}
