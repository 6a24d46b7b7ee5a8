//! A restore that is killed while it publishes is finished by the next, which says what it could not finish.

use std::fs;
use std::io::Write;
use std::process::Stdio;

use serde_json::json;

use crate::ground::{DONE, Ground, PROBLEMS};

/// Enough for the publishing to be met.
const FILES: usize = 3000;

/// Where the state in `.frazil-restore` has how far a restore is, and what is there while it publishes.
const PHASE_AT: usize = 43;
const PUBLISHING: u8 = 2;

fn name(number: usize) -> String {
    format!("f{number:04}")
}

/// Leaves `out` with a restore of `a` that was killed while it published, and the last file not in its place yet.
fn kill_while_publishing(ground: &Ground) {
    let state = || fs::read(ground.path("out/.frazil-restore/state")).unwrap_or_default();
    let is_publishing = || state().get(PHASE_AT) == Some(&PUBLISHING);
    loop {
        let _ = fs::remove_dir_all(ground.path("out"));
        let mut child = ground.command("restore -q --more a out").stderr(Stdio::null()).spawn().unwrap();
        while !is_publishing() && child.try_wait().unwrap().is_none() {
            std::hint::spin_loop();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        // If it was too late, another one is killed.
        if is_publishing() && !ground.path("out").join(name(FILES - 1)).exists() {
            return;
        }
    }
}

#[test]
fn what_was_killed_before_there_was_a_level_is_dropped_and_no_note_is_said_to_have_been_removed() {
    let ground = Ground::with_archives();
    let archive = ground.read("a.0");
    for conclude in ["", "--conclude"] {
        let mut child = ground.command("restore -q - out").stdin(Stdio::piped()).spawn().unwrap();
        // It waits for the rest.
        child.stdin.as_mut().unwrap().write_all(&archive[..archive.len() / 2]).unwrap();
        while !ground.path("out/.frazil-restore/stage").exists() {
            assert!(child.try_wait().unwrap().is_none(), "it waits for the rest");
            std::thread::yield_now();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let json = ground.run(&format!("restore --json {conclude} out")).expect(DONE).json();
        let expected = json!({
            "command": "restore",
            "recovered": "an incomplete restore was dropped",
            "concluded": false,
            "partial": false,
        });
        for (key, value) in expected.as_object().unwrap() {
            assert_eq!(&json[key], value, "{conclude}: {json}");
        }
        assert_eq!(fs::read_dir(ground.path("out")).unwrap().count(), 0, "{conclude}");
        // There is nothing left to end.
        let said = ground.run("restore --conclude out").expect(DONE);
        assert!(!said.stderr.contains("its note of that was removed"), "{}", said.stderr);
    }
}

#[test]
fn what_could_not_be_finished_is_named_then_and_told_of_later() {
    let ground = Ground::new();
    fs::create_dir(ground.path("tree")).unwrap();
    for number in 0..FILES {
        ground.write(&format!("tree/{}", name(number)), b"");
    }
    ground.run("backup -q --snapshot s tree a").expect(DONE);
    kill_while_publishing(&ground);
    let last = name(FILES - 1);
    fs::create_dir_all(ground.path("out").join(&last).join("foreign")).unwrap();

    let said = ground.run("restore out").expect(PROBLEMS);
    assert!(said.stderr.contains(&format!("out/{last}")), "{}", said.stderr);
    assert!(ground.path("out").join(name(FILES - 2)).is_file());
    let said = ground.run("restore out").expect(PROBLEMS);
    assert!(said.stderr.contains("in part"), "{}", said.stderr);
    let json = ground.run("restore --json out").expect(PROBLEMS).json();
    assert_eq!((&json["partial"], &json["concluded"]), (&json!(true), &json!(false)));
    ground.run("restore --conclude out").expect(DONE);
    assert!(!ground.path("out/.frazil-restore").exists());
}
