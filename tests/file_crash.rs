//! Killed at any moment, what makes a file leaves what was there or what was to be there, whole, and nothing else
//! under its name; what patches a file in place leaves one that the next patch knows to be neither.
//!
//! The command is killed by SIGKILL at times spread over what an undisturbed run takes. `FRAZIL_CRASHES` says how
//! many runs of this and of `tree_crash` are killed in all, and `FRAZIL_SEED` the seed; `make crash` kills ten
//! thousand.

#[path = "file_crash/calls.rs"]
mod calls;
#[path = "file_crash/ground.rs"]
mod ground;
#[path = "tree_crash/killing.rs"]
mod killing;
#[path = "file_crash/outputs.rs"]
mod outputs;
#[path = "support/random.rs"]
mod random;

use std::cell::Cell;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use calls::{can_kill_at_calls, killed_at};
use frazil::{ErrorKind, PatchOptions, patch_file, patch_in_place};
use ground::Ground;
use killing::{Kills, duration_of, killed_after, within};
use outputs::Outputs;
use random::Random;

/// Runs that are killed in all unless the environment says otherwise.
const CRASHES: usize = 200;

/// What shares them: the nine tests here, and of trees, which take longer, a fifth.
const SHARES: usize = 11;

const OVER_A_PAIR: &str = "level -q --force --against old.sig --signature-out out.sig new out";

const PATCHES_IN_PLACE: &str = "FRAZIL_PATCHES_IN_PLACE";

fn crashes() -> usize {
    let all = std::env::var("FRAZIL_CRASHES").map_or(CRASHES, |all| all.parse().expect("FRAZIL_CRASHES is a number"));
    all.div_ceil(SHARES)
}

/// Kills a run that makes the files `made`, in this order. What is there before, `before`, is copied there.
fn killed(seed: u64, arguments: &str, made: &[&str], before: &[&str]) {
    let mut random = Random::new(random::seed(seed));
    let ground = Ground::new(&mut random);
    let mut outputs = Outputs::new(&ground, made, before);
    let (anywhere, writing) = (|| true, || ground.has_temporary());
    let durations = [&anywhere as &dyn Fn() -> bool, &writing, &|| outputs.are_being_published()].map(|begun| {
        outputs.stand();
        duration_of(ground.command(arguments), begun)
    });
    outputs.remember();
    let publishing = || outputs.are_being_published();
    // The whole of it, from when the first byte may be written, and what is short and matters most.
    let spans: [(&dyn Fn() -> bool, Duration); 3] =
        [(&anywhere, durations[0]), (&writing, durations[1]), (&publishing, durations[2])];
    let spans = if made.len() > 1 { &spans[..] } else { &spans[..2] };
    let mut kills = Kills::new(crashes());
    while kills.go_on() {
        outputs.stand();
        let (begun, duration) = random.pick(spans);
        let was_killed = killed_after(within(duration, &mut random), ground.command(arguments), begun);
        kills.count(was_killed, outputs.left(arguments));
        // Whatever it left, the next run does.
        ground.run(&Ground::forced(arguments));
        outputs.assert_made(arguments);
    }
    kills.tell(arguments);
}

/// Kills a run as it enters each of the calls that publish, one after the other; gives what the kills left, in order.
fn killed_at_each_call(arguments: &str, made: &[&str], before: &[&str]) -> BTreeSet<&'static str> {
    let ground = Ground::new(&mut Random::new(random::seed(30)));
    let mut outputs = Outputs::new(&ground, made, before);
    outputs.stand();
    ground.run(arguments);
    outputs.remember();
    let mut left = BTreeSet::new();
    for call in ["fsync", "?rename", "?renameat", "?renameat2", "?unlink", "unlinkat"] {
        for number in 1.. {
            outputs.stand();
            let was_killed = killed_at(call, number, ground.command(arguments));
            left.insert(outputs.left(&format!("{arguments}, killed at {call} {number}")));
            if !was_killed {
                break;
            }
        }
    }
    left
}

#[test]
fn a_killed_patch_to_a_new_file_leaves_none_or_all_of_it() {
    killed(21, "patch -q old delta out", &["out"], &[]);
}

#[test]
fn a_killed_patch_over_a_file_leaves_that_or_the_new_one() {
    killed(22, "patch -q --force old delta out", &["out"], &["old"]);
}

#[test]
fn a_killed_patch_over_its_own_basis_leaves_that_or_the_new_one() {
    killed(23, "patch -q --force out delta out", &["out"], &["old"]);
}

#[test]
fn a_killed_chain_to_a_file_leaves_the_old_one_or_the_new_one() {
    killed(24, "patch -q --force /dev/null level.0 delta out", &["out"], &["old"]);
}

#[test]
fn a_killed_level_leaves_no_signature_without_its_level_and_neither_in_part() {
    killed(25, "level -q --against old.sig --signature-out out.sig new out", &["out", "out.sig"], &[]);
}

#[test]
fn a_killed_level_over_another_leaves_no_signature_of_one_that_is_gone() {
    killed(29, OVER_A_PAIR, &["out", "out.sig"], &["level.0", "old.sig"]);
}

#[test]
fn at_whichever_call_a_level_over_another_is_killed_no_signature_is_left_of_one_that_is_gone() {
    if !can_kill_at_calls() {
        return;
    }
    let left = killed_at_each_call(OVER_A_PAIR, &["out", "out.sig"], &["level.0", "old.sig"]);
    let all = [
        "left the first file without the second",
        "left the new file",
        "left the old file and a temporary",
        "left the old first file alone",
    ];
    assert_eq!(Vec::from_iter(left), all);
}

#[test]
fn a_killed_signature_leaves_the_old_one_or_the_new_one() {
    killed(26, "signature -q --force --block-size 1K new out.sig", &["out.sig"], &["old.sig"]);
}

#[test]
fn a_killed_delta_leaves_none_or_all_of_it() {
    killed(27, "delta -q old.sig new out", &["out"], &[]);
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
