//! Killed at any moment, a restore leaves the level before or its own, and a backup nothing half-made under
//! its name.
//!
//! The command is killed by SIGKILL at times spread over what an undisturbed run takes; wherever that hits,
//! what must hold afterwards is the same. `FRAZIL_CRASHES` says how many runs of this and of `file_crash` are killed in
//! all, and `FRAZIL_SEED` the seed; `make crash` kills ten thousand.

#[path = "tree_crash/ground.rs"]
mod ground;
#[path = "tree_crash/killing.rs"]
mod killing;
#[path = "support/random.rs"]
mod random;
#[path = "tree_crash/trees.rs"]
mod trees;

use std::fs;
use std::os::unix::fs::MetadataExt;

use ground::{Ground, User};
use killing::{Kills, duration_of, killed_after, within};
use random::Random;

/// Runs that are killed in all unless the environment says otherwise.
const CRASHES: usize = 200;

/// What shares a fifth of them: six tests, each as root and as a plain user. The others are of files, which takes less
/// time.
const SHARES: usize = 12;

/// How many runs each test kills for each user.
fn crashes() -> usize {
    let all = std::env::var("FRAZIL_CRASHES").map_or(CRASHES, |all| all.parse().expect("FRAZIL_CRASHES is a number"));
    all.div_ceil(5 * SHARES)
}

/// What a killed restore is followed by.
#[derive(Clone, Copy, Debug)]
enum Next {
    /// `frazil restore DEST`, and then the same restore.
    Recover,
    /// The same restore at once.
    Again,
}

impl Next {
    fn command(self, restore: &str) -> &str {
        match self {
            Self::Recover => "restore -q dest",
            Self::Again => restore,
        }
    }
}

/// Kills a restore, and some of the runs that follow it, lets the last of them go to its end, and checks what is there
/// then and after the same restore.
///
/// `before` is the level that the destination stands at to begin with.
fn killed_restores(seed: u64, before: Option<usize>, levels: &[usize], more: bool) {
    for user in User::all() {
        let mut random = Random::new(random::seed(seed));
        let ground = Ground::new(*user, &mut random);
        let archives: Vec<_> = levels.iter().map(|level| format!("a{level}")).collect();
        let more = if more { "--more " } else { "" };
        let restore = format!("restore -q {}{more}{} dest", user.privileges(), archives.join(" "));
        let target = levels[levels.len() - 1];
        let mut allowed: Vec<_> = levels.iter().map(|&level| Some(level)).collect();
        allowed.push(before);

        let mut kills = Kills::new(crashes());
        let anywhere = || true;
        let publishing = || ground.phase() == "publishing";
        let duration_from = |begun: &dyn Fn() -> bool| {
            let durations = [(); 2].map(|()| {
                ground.stand_at(before);
                duration_of(ground.command(&restore), begun)
            });
            durations[0].max(durations[1])
        };
        // The whole of it, and what is short and matters most.
        let spans: [(&dyn Fn() -> bool, _); 2] =
            [(&anywhere, duration_from(&anywhere)), (&publishing, duration_from(&publishing))];
        while kills.go_on() {
            if ground.stands_at(&[before]).is_none() {
                ground.stand_at(before);
            }
            let root = fs::metadata(ground.path("dest")).unwrap();
            let (begun, duration) = random.pick(&spans);
            let was_killed = killed_after(within(duration, &mut random), ground.command(&restore), begun);
            kills.count(was_killed, ground.phase());
            // Whoever goes on from what that left is killed too, now and then.
            for _ in 0..random.below(4) {
                // Without a note it has ended, or not begun.
                if !ground.keeps_note_of_its_level() {
                    break;
                }
                let next = random.pick(&[Next::Recover, Next::Again]).command(&restore);
                let delay = within(spans[0].1 / (1 << random.below(5)), &mut random);
                if !killed_after(delay, ground.command(next), anywhere) {
                    break;
                }
                kills.count_next();
            }
            let ended = !ground.keeps_note_of_its_level();
            let next = random.pick(&[Next::Recover, Next::Again]);
            let context = format!("{restore}, as {user:?}, then {next:?}");
            if matches!(next, Next::Recover) {
                ground.run(next.command(&restore));
                ground.assert_no_work_is_left(&context);
                let level = match ended {
                    true => ground.stands_at_but_for_its_time(&allowed),
                    false => ground.stands_at(&allowed),
                };
                let level = level.unwrap_or_else(|| panic!("{context}: {}", ground.differences()));
                if level.is_none() {
                    let now = fs::metadata(ground.path("dest")).unwrap();
                    assert_eq!((now.mode(), now.uid(), now.gid()), (root.mode(), root.uid(), root.gid()), "{context}");
                }
            }
            // Nothing says any more where it stands, and nothing is left to do: a level 0 is then refused.
            let is_done =
                !ground.keeps_note_of_its_level() && ground.stands_at_but_for_its_time(&[Some(target)]).is_some();
            if is_done {
                assert!(more.is_empty() && !ground.try_run(&restore), "{context}");
                assert!(!ground.path("dest/.frazil-restore").exists(), "{context}");
                assert!(ground.stands_at_but_for_its_time(&[Some(target)]).is_some(), "{context}");
                continue;
            }
            ground.run(&restore);
            ground.assert_no_work_is_left(&context);
            assert!(ground.stands_at(&[Some(target)]).is_some(), "{context}: {}", ground.differences());
        }
        kills.tell(format_args!("{restore}, as {user:?}"));
    }
}

#[test]
fn a_killed_restore_of_level_0_leaves_an_empty_directory_or_all_of_it() {
    killed_restores(1, None, &[0], true);
}

#[test]
fn a_killed_restore_of_level_1_leaves_level_0_or_level_1() {
    killed_restores(2, Some(0), &[1], true);
}

#[test]
fn a_killed_restore_of_a_chain_leaves_a_level_of_it_and_goes_on_when_it_is_given_again() {
    killed_restores(3, None, &[0, 1], false);
}

/// Kills a backup; what it left must be whole, and the next one must do. To a file it may go over an archive and a
/// snapshot that are there.
fn killed_backups(seed: u64, archive: &str, is_over: bool) {
    for user in User::all() {
        let mut random = Random::new(random::seed(seed));
        let ground = Ground::new(*user, &mut random);
        let old_snapshot = fs::read(ground.path("s0")).unwrap();
        let backups = ["--snapshot s.new", "--since s0 --snapshot s.new"]
            .map(|levels| format!("backup -q --force {levels} source {archive}"));
        let mut kills = Kills::new(crashes());
        let anywhere = || true;
        let publishing = || ground.are_outputs_published(is_over);
        let duration_of = |backup: &str, begun: &dyn Fn() -> bool| {
            ground.stand_outputs(is_over);
            ground.receiving("received", backup, |command| duration_of(command, begun))
        };
        // The whole of it, and for a file what is between the first that is moved and the end.
        let spans = backups.each_ref().map(|backup| -> [(&dyn Fn() -> bool, _); 2] {
            let whole = duration_of(backup, &anywhere);
            match archive {
                "-" => [(&anywhere, whole), (&anywhere, whole)],
                _ => [(&anywhere, whole), (&publishing, duration_of(backup, &publishing))],
            }
        });
        while kills.go_on() {
            let level = random.below(2);
            let context = format!("{}, as {user:?}", backups[level]);
            ground.stand_outputs(is_over);
            let (begun, duration) = random.pick(&spans[level]);
            let delay = within(duration, &mut random);
            let was_killed =
                ground.receiving("received", &backups[level], |command| killed_after(delay, command, begun));
            assert!(fs::read(ground.path("s0")).unwrap() == old_snapshot, "{context}: the old snapshot has changed");
            ground.remove_temporaries(&context);
            kills.count(was_killed, ground.outputs());

            let made = if archive == "-" { "received" } else { archive };
            let has_snapshot = ground.path("s.new").exists();
            let has_archive = if archive == "-" { has_snapshot } else { ground.path(archive).exists() };
            assert!(has_archive || !has_snapshot, "{context}: a snapshot without its archive");
            assert!(has_archive || !is_over, "{context}: the old archive is gone, and there is no new one");
            if has_snapshot && archive != "-" {
                ground.assert_belong_together(&context);
            }
            if has_snapshot {
                ground.run("backup -q --force --since s.new --snapshot s.after source -");
            }
            if has_archive {
                ground.run(&format!("verify -q {made}"));
            }
            if !has_archive || ground.has_old_archive() {
                ground.run_receiving("received", &backups[level]);
            }
            ground.stand_at(None);
            let below = if level == 1 { "a0 " } else { "" };
            ground.run(&format!("restore -q --more {}{below}{made} dest", user.privileges()));
            assert!(ground.stands_at(&[Some(1)]).is_some(), "{context}: {}", ground.differences());
        }
        kills.tell(format_args!("{}, as {user:?}", backups[0]));
    }
}

#[test]
fn a_killed_backup_to_a_file_leaves_no_archive_and_no_snapshot_unless_they_are_whole() {
    killed_backups(4, "a.new", false);
}

#[test]
fn a_killed_backup_to_a_pipe_leaves_no_snapshot_unless_all_was_sent() {
    killed_backups(5, "-", false);
}

#[test]
fn a_killed_backup_over_another_leaves_no_snapshot_of_an_archive_that_is_gone() {
    killed_backups(6, "a.new", true);
}
