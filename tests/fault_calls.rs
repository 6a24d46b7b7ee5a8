//! Every system call that the command makes for its work fails once, in every way that it can: the status and the
//! message say so, what was there is there or what was to be, whole, and the next run does its work.
//!
//! `strace` makes the calls fail, behind the back of the process and of every library in it. A sample is tried;
//! `FRAZIL_FAULTS` is how many of each operation, or `all`, as `make faults` has it, and `FRAZIL_SEED` which.

#[path = "support/c.rs"]
mod c;
#[path = "fault_calls/files.rs"]
mod files;
#[path = "fault_calls/in_place.rs"]
mod in_place;
#[path = "support/look.rs"]
mod look;
#[path = "fault_calls/peer.rs"]
mod peer;
#[path = "support/random.rs"]
mod random;
#[path = "fault_calls/strace.rs"]
mod strace;
#[path = "fault_calls/sweep.rs"]
mod sweep;
#[path = "fault_calls/trees.rs"]
mod trees;

use files::{COMMANDS, FileOperation, Files};
use in_place::InPlace;
use random::{Content, Random};
use sweep::{Tally, assert_enough, sweep};
use trees::{BACKUPS, Backup, Differing, RESTORES, Restore, Trees, VERIFICATIONS, Verification};

/// Content that looks random.
fn noise(len: usize, seed: u64) -> Vec<u8> {
    Random::new(seed).content(Content::Random, len)
}

#[test]
fn whatever_call_of_a_level_or_a_patch_fails_nothing_half_made_is_published() {
    if !c::is_there("strace") {
        return;
    }
    let files = Files::new();
    let mut tally = Tally::default();
    for (command, outputs) in COMMANDS {
        sweep(&FileOperation { files: &files, command, outputs }, files.dir(), &mut tally);
    }
    println!("files: {tally}");
    assert_enough(tally.injected(), 176, 731);
}

#[test]
fn the_calls_of_rdiff_fail_too_and_what_comes_of_that_is_counted() {
    if !c::is_there("strace") || !c::is_there("rdiff") {
        return;
    }
    let tally = peer::sweep(&Files::new());
    println!("rdiff: {tally:?}");
    assert_enough(tally.values().sum(), 131, 429);
}

#[test]
fn whatever_call_of_a_backup_fails_it_is_whole_or_names_what_it_lacks() {
    if !c::is_there("strace") {
        return;
    }
    let trees = Trees::new();
    let mut tally = Tally::default();
    for command in BACKUPS {
        sweep(&Backup { trees: &trees, command }, trees.dir(), &mut tally);
    }
    println!("backups: {tally}");
    assert_enough(tally.injected(), 105, 1054);
}

#[test]
fn whatever_call_of_a_restore_fails_it_leaves_a_level_or_the_next_run_does() {
    if !c::is_there("strace") {
        return;
    }
    let trees = Trees::new();
    let mut tally = Tally::default();
    for (command, before, after) in RESTORES {
        sweep(&Restore { trees: &trees, command, before, after }, trees.dir(), &mut tally);
    }
    println!("restores: {tally}");
    assert_enough(tally.injected(), 146, 2372);
}

#[test]
fn a_standard_error_that_is_full_takes_nothing_from_the_work() {
    let files = Files::new();
    for (arguments, status) in [("level @/new @/made", 0), ("show --json @/level.1", 0), ("show @/none", 1)] {
        let frazil = strace::Invocation::of_frazil(arguments, files.dir());
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        let mut command = std::process::Command::new(frazil.program);
        let output = command.args(frazil.arguments).stderr(full).output().unwrap();
        assert_eq!(output.status.code(), Some(status), "{arguments}");
    }
    assert!(files.dir().join("made").exists());
}

#[test]
fn whatever_call_of_a_verification_fails_it_never_finds_the_same_what_is_not() {
    if !c::is_there("strace") {
        return;
    }
    let trees = Trees::new();
    let mut tally = Tally::default();
    for command in VERIFICATIONS {
        sweep(&Verification { trees: &trees, command }, trees.dir(), &mut tally);
    }
    sweep(&Differing { trees: &trees }, trees.dir(), &mut tally);
    println!("verifications: {tally}");
    assert_enough(tally.injected(), 170, 908);
}

#[test]
fn whatever_call_of_a_patch_in_place_fails_it_says_so() {
    if in_place::patch_if_told() || !c::is_there("strace") {
        return;
    }
    let in_place = InPlace::new();
    let mut tally = Tally::default();
    sweep(&in_place, in_place.dir(), &mut tally);
    println!("in place: {tally}");
    assert_enough(tally.injected(), 18, 56);
}
