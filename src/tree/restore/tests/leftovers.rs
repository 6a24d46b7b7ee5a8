use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use super::*;
use crate::{BackupOptions, ErrorKind, Observer, Progress, backup_tree};

#[test]
fn a_journal_cut_or_flipped_anywhere_is_refused_before_anything_is_done() {
    let place = Place::new();
    place.file("gone", "gone");
    let mut level = Level::new(&place);
    level.delete("gone");
    level.file("new", 0o644, "new");
    let (_, private) = level.begin();
    let path = place.root.join(".frazil-restore/journal");
    let journal = fs::read(&path).unwrap();
    let refused = |bytes: &[u8], what: &str| {
        fs::write(&path, bytes).unwrap();
        let kind = journal::JournalReader::open(&private).expect_err(what).kind();
        assert!(matches!(kind, ErrorKind::Corrupt | ErrorKind::Unsupported), "{what}");
    };
    for at in 0..journal.len() {
        refused(&journal[..at], &format!("cut at {at}"));
        for bit in [0, 3, 7] {
            let mut flipped = journal.clone();
            flipped[at] ^= 1 << bit;
            refused(&flipped, &format!("bit {bit} flipped at {at}"));
        }
    }
    refused(&[&journal[..], b"\0"].concat(), "more after the end");
    drop(private);
    let failed = recover(&place.confined(), &mut unstopped(), &mut |problem| panic!("{problem}"));
    assert_eq!(failed.unwrap_err().kind(), ErrorKind::Corrupt);
    assert!(place.root.join("gone").exists());
    fs::write(&path, &journal).unwrap();
    recover(&place.confined(), &mut unstopped(), &mut |problem| panic!("{problem}")).unwrap();
    assert!(!place.root.join("gone").exists() && place.root.join("new").exists());
}

#[test]
fn a_journal_takes_no_record_out_of_order_and_none_of_what_is_frazils_own() {
    let place = Place::new();
    let level = Level::new(&place);
    let header = JournalHeader {
        level: LEVEL,
        leaf_len: LEAF,
        policy: Policy::default(),
        make_parents: false,
        overwrite: false,
        sync: SyncMode::Level,
    };
    let mut journal = JournalWriter::create(&level.private, &header).unwrap();
    for path in [".frazil-restore", ".frazil-restore/state"] {
        assert_eq!(
            journal.append(None, None, &record(path, false, Action::Void)).unwrap_err().kind(),
            ErrorKind::Corrupt
        );
    }
    journal.append(None, None, &record(".frazil-restored", false, Action::Void)).unwrap();
    journal.append(None, None, &record("b", false, Action::Void)).unwrap();
    for path in ["a", "b"] {
        assert_eq!(
            journal.append(None, None, &record(path, false, Action::Void)).unwrap_err().kind(),
            ErrorKind::Corrupt
        );
    }
    let basis = Some(b".frazil-restore/stage/0/0".to_vec());
    let link = Record { basis, ..record("c", false, Action::Link) };
    assert_eq!(journal.append(None, None, &link).unwrap_err().kind(), ErrorKind::Corrupt);
    journal.append(None, None, &record("c", false, Action::Void)).unwrap();
}

#[test]
fn what_was_only_staged_is_dropped() {
    let place = Place::new();
    let mut level = Level::new(&place);
    level.file("f", 0o644, "f");
    let state = State { complete: Some(LEVEL), ..State::default() };
    let applying = Some(Applying { level: LevelId([8; 16]), phase: Phase::Staging });
    State { applying, ..state.clone() }.write(&level.private).unwrap();
    drop(level);
    let confined = place.confined();
    let recovered = recover(&confined, &mut unstopped(), &mut |problem| panic!("{problem}")).unwrap().unwrap();
    assert_eq!((recovered.state, recovered.published), (Some(state), None));
    let left: Vec<_> = fs::read_dir(place.root.join(".frazil-restore")).unwrap().map(|e| e.unwrap().path()).collect();
    assert_eq!(left, [place.root.join(".frazil-restore/state")]);
    assert!(place.look().keys().eq([""]));
}

#[test]
fn a_state_that_was_not_recorded_is_dropped() {
    let place = Place::new();
    let level = Level::new(&place);
    let state = State { complete: Some(LEVEL), ..State::default() };
    state.write(&level.private).unwrap();
    level.private.drop_work().unwrap();
    drop(level);
    let (kept, lost) = (place.root.join(".frazil-restore/state"), place.root.join(".frazil-restore/state.new"));
    fs::write(&lost, b"").unwrap();
    let recovered = recover(&place.confined(), &mut unstopped(), &mut |problem| panic!("{problem}")).unwrap().unwrap();
    assert_eq!(recovered.state, Some(state));
    assert!(kept.exists() && !lost.exists());
}

#[test]
fn who_recovers_a_restore_is_told_what_it_could_not_do_and_what_it_came_to() {
    #[derive(Default)]
    struct Heard {
        problems: Mutex<Vec<PathBuf>>,
        entries: AtomicU64,
    }
    impl Observer for Heard {
        fn problem(&self, problem: &Error) {
            self.problems.lock().unwrap().push(problem.file().unwrap().to_owned());
        }
        fn progress(&self, progress: &Progress) {
            self.entries.fetch_max(progress.entries, Ordering::Relaxed);
        }
    }
    let place = Place::new();
    place.file("d/mine", "mine");
    let mut level = Level::new(&place);
    level.sync = SyncMode::Level;
    level.delete_directory("d");
    (0..600).for_each(|number| level.file(&format!("f{number}"), 0o644, ""));
    drop(level.begin());
    let heard = Arc::new(Heard::default());
    let recovery = recover_restore(&place.root, Some(heard.clone())).unwrap();
    assert_eq!((recovery, recovery.is_partial()), (Recovery::FinishedInPart(LEVEL), true));
    assert_eq!(*heard.problems.lock().unwrap(), [place.root.join("d")]);
    assert_eq!(heard.entries.load(Ordering::Relaxed), 512);
    let stands_at = recover_restore(&place.root, None).unwrap();
    assert_eq!(stands_at, Recovery::StandsAt { level: LEVEL, partial: true });
    // A level that is then dropped leaves it there.
    let private = Private::open(&place.confined()).unwrap().unwrap();
    let state = State::read(&private).unwrap().unwrap();
    let applying = Some(Applying { level: LevelId([8; 16]), phase: Phase::Staging });
    State { applying, ..state }.write(&private).unwrap();
    drop(private);
    let dropped = recover_restore(&place.root, None).unwrap();
    assert_eq!(dropped, Recovery::Dropped { level: Some(LEVEL), partial: true });
}

#[test]
fn a_destination_that_a_killed_run_made_is_as_good_as_one_that_is_made_now() {
    let live = tempfile::tempdir().unwrap();
    fs::write(live.path().join("a"), "a").unwrap();
    fs::set_permissions(live.path(), fs::Permissions::from_mode(0o751)).unwrap();
    let mut archive = Vec::new();
    let snapshot = live.path().with_extension("snapshot");
    let options = BackupOptions::new();
    backup_tree(live.path(), None, &snapshot, &mut archive, options).unwrap();
    fs::remove_file(snapshot).unwrap();
    for (was_there, mode) in [(false, 0o751), (true, 0o700)] {
        let place = Place::new();
        place.mode("", 0o700);
        let private = Private::create(&place.confined()).unwrap();
        let left = if was_there { [Vec::new()].into() } else { Default::default() };
        let applying = Some(Applying { level: LEVEL, phase: Phase::Staging });
        State { applying, left, ..State::default() }.write(&private).unwrap();
        drop(private);
        let options = RestoreOptions::new().path("a").unwrap();
        assert!(restore_tree(&archive[..], &place.root, options).unwrap().whole);
        assert_eq!(fs::metadata(&place.root).unwrap().mode() & 0o777, mode, "was there: {was_there}");
    }
}

#[test]
fn a_private_directory_that_says_nothing_is_removed_with_what_was_staged() {
    let place = Place::new();
    place.settle();
    let before = place.look();
    let mut level = Level::new(&place);
    level.file("f", 0o644, "f");
    drop(level);
    assert!(recover(&place.confined(), &mut unstopped(), &mut |problem| panic!("{problem}")).unwrap().is_none());
    assert!(!place.root.join(".frazil-restore").exists());
    assert_eq!(place.look(), before);
}

#[test]
fn a_private_directory_that_is_not_ours_alone_is_refused() {
    let place = Place::new();
    let own = place.root.join(".frazil-restore");
    let refused = |what: &str| {
        let failed = Private::create(&place.confined()).expect_err(what);
        assert_eq!(failed.kind(), ErrorKind::InvalidInput, "{what}: {failed}");
    };
    fs::create_dir(place.dir.path().join("elsewhere")).unwrap();
    symlink("../elsewhere", &own).unwrap();
    refused("a link");
    fs::remove_file(&own).unwrap();
    fs::write(&own, "").unwrap();
    refused("a file");
    fs::remove_file(&own).unwrap();
    fs::create_dir(&own).unwrap();
    place.mode(".frazil-restore", 0o750);
    refused("a directory that the group can read");
    place.mode(".frazil-restore", 0o700);
    if is_root() {
        std::os::unix::fs::chown(&own, Some(12345), None).unwrap();
        refused("a directory of somebody else");
        std::os::unix::fs::chown(&own, Some(0), None).unwrap();
    }
    let held = Private::create(&place.confined()).unwrap();
    assert_eq!(Private::open(&place.confined()).unwrap_err().kind(), ErrorKind::State);
    drop(held);
    Private::open(&place.confined()).unwrap().unwrap();
}

#[test]
fn the_private_directory_goes_without_a_trace_but_never_with_what_is_not_ours() {
    let place = Place::new();
    place.settle();
    place.mode("", 0o555);
    let before = place.look();
    let level = Level::new(&place);
    State::default().write(&level.private).unwrap();
    let foreign = place.root.join(".frazil-restore/stage/foreign");
    fs::write(&foreign, "").unwrap();
    let confined = place.confined();
    level.private.remove(&confined).unwrap_err();
    fs::remove_file(&foreign).unwrap();
    recover(&confined, &mut unstopped(), &mut |problem| panic!("{problem}"))
        .unwrap()
        .unwrap()
        .private
        .remove(&confined)
        .unwrap();
    assert!(!place.root.join(".frazil-restore").exists());
    assert_eq!(place.look(), before);
}
