//! What is less than was asked for has the exit status 3, whatever it comes of, and there is a way on from it.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;

use serde_json::json;

use crate::ground::{DONE, FAILED, Ground, PROBLEMS, USAGE};
use crate::privileges::is_root;

/// With one bit wrong in the content of `data`, the first file of level 0.
fn with_damage() -> Ground {
    let ground = Ground::with_archives();
    let mut damaged = ground.read("a.0");
    damaged[100_000] ^= 1;
    ground.write("damaged", &damaged);
    ground
}

#[test]
fn a_backup_that_reaches_a_limit_is_partial() {
    let ground = Ground::with_tree();
    let said = ground.run("backup --link-memory 0 --snapshot s tree a").expect(PROBLEMS);
    assert!(said.stderr.starts_with("frazil: backing up tree/docs/letter: too many files"), "{}", said.stderr);
    assert!(said.stderr.contains("  2: this backup is partial\n"), "{}", said.stderr);
    ground.run("list a").expect(PROBLEMS);
    let lines = ground.run("backup --json --force --link-memory 0 --snapshot s tree a").expect(PROBLEMS).json_lines();
    let summary = lines.last().unwrap();
    assert_eq!((&summary["partial"], &summary["problem_count"]), (&json!(true), &json!(2)));
    assert!(summary["problems"][0].as_str().unwrap().contains("too many files"), "{summary}");
    ground.run("backup --force --link-memory 1K --snapshot s tree a").expect(DONE);
}

#[test]
fn a_restore_that_reaches_a_limit_is_partial() {
    let ground = Ground::with_archives();
    let said = ground.run("restore --keep-going --max-file 100K a.0 out").expect(PROBLEMS);
    assert!(said.stderr.contains("longer than is allowed") && !said.stderr.contains("note: "), "{}", said.stderr);
    assert!(!ground.path("out/data").exists() && ground.path("out/docs/letter").exists());
}

#[test]
fn rights_that_are_left_out_are_a_problem() {
    if !is_root() {
        // Anybody else gets set-id bits on files of their own.
        return;
    }
    let ground = Ground::with_tree();
    fs::set_permissions(ground.path("tree/data"), Permissions::from_mode(0o4755)).unwrap();
    ground.run("backup -q --snapshot s tree a").expect(DONE);
    let said = ground.run("restore a out").expect(PROBLEMS);
    assert!(
        said.stderr.contains("setting the metadata of out/data: ") && !said.stderr.contains("note: "),
        "{}",
        said.stderr
    );
    assert!(said.stderr.ends_with("  problems   1\n"), "{}", said.stderr);
    ground.run("restore --privileged a whole").expect(DONE);
    assert_eq!(ground.look("whole"), ground.look("tree"));
}

#[test]
fn a_socket_is_noted_and_no_problem() {
    let ground = Ground::with_tree();
    let _socket = UnixListener::bind(ground.path("tree/socket")).unwrap();
    let said = ground.run("backup --snapshot s tree a").expect(DONE);
    assert!(said.stderr.starts_with("frazil: note: backing up tree/socket: "), "{}", said.stderr);
    let lines = ground.run("backup --json --force --snapshot s tree a").expect(DONE).json_lines();
    let summary = lines.last().unwrap();
    assert_eq!((&summary["problems"], &summary["problem_count"]), (&json!([]), &json!(0)));
    assert!(summary["notes"][0].as_str().unwrap().contains("tree/socket"), "{summary}");
}

#[test]
fn of_many_problems_of_a_sort_the_first_are_named_and_the_others_counted() {
    let ground = Ground::new();
    fs::create_dir(ground.path("tree")).unwrap();
    for number in 0..150 {
        ground.write(&format!("tree/{number:03}"), b"");
        fs::hard_link(ground.path(&format!("tree/{number:03}")), ground.path(&format!("tree/{number:03}.too")))
            .unwrap();
    }
    // Each of the 300 names is met as that of a file of its own.
    let said = ground.run("backup --link-memory 0 --snapshot s tree a").expect(PROBLEMS);
    assert_eq!(said.stderr.matches("frazil: backing up tree/").count(), 100, "{}", said.stderr);
    let rest = "frazil: and 200 more: backing up: too many files with several names";
    assert_eq!(said.stderr.matches(rest).count(), 1, "{}", said.stderr);
    let lines = ground.run("backup --json --force --link-memory 0 --snapshot s tree a").expect(PROBLEMS).json_lines();
    let summary = lines.last().unwrap();
    assert_eq!(summary["problem_count"], 300);
    let problems = summary["problems"].as_array().unwrap();
    assert_eq!(problems.len(), 101);
    assert!(problems[100].as_str().unwrap().starts_with("and 200 more: "), "{summary}");
}

#[test]
fn what_is_found_in_a_damaged_file_does_not_make_a_sort_of_its_own() {
    let ground = Ground::new();
    fs::create_dir(ground.path("tree")).unwrap();
    for number in 0..150 {
        ground.write(&format!("tree/{number:03}"), format!("content {number:03}").as_bytes());
    }
    // Of another sort, and the last; its path is in many a word.
    ground.write("tree/a", &[b'z'; 5_000]);
    ground.run("backup -q --snapshot s tree whole").expect(DONE);
    let mut damaged = ground.read("whole");
    for at in 0..damaged.len() {
        if damaged[at..].starts_with(b"content ") && damaged[at + 11] == 0 {
            damaged[at] ^= 1;
        }
    }
    ground.write("damaged", &damaged);
    let said = ground.run("restore --keep-going --max-file 1K damaged out").expect(PROBLEMS);
    let wrong = said.stderr.lines().filter(|line| line.contains("content is not what its record says: expected"));
    assert_eq!(wrong.count(), 100, "{}", said.stderr);
    assert_eq!(said.stderr.matches("frazil: and 50 more: ").count(), 1, "{}", said.stderr);
    assert!(said.stderr.contains("frazil: a: a file is longer than is allowed"), "{}", said.stderr);
    assert!(!said.stderr.contains("of other kinds"), "{}", said.stderr);
    let json = ground.run("restore --json --keep-going --max-file 1K damaged json").expect(PROBLEMS).json();
    assert_eq!((&json["problem_count"], json["problems"].as_array().unwrap().len()), (&json!(151), 102));
}

#[test]
fn what_is_cut_off_is_named_once() {
    let ground = Ground::with_archives();
    ground.write("cut", &ground.read("a.0")[..100_000]);
    let said = ground.run("restore --keep-going cut out").expect(PROBLEMS);
    assert!(said.stderr.contains("data") && !said.stderr.contains("after an earlier failure"), "{}", said.stderr);
    let lines: Vec<&str> = said.stderr.lines().collect();
    for (number, line) in lines.iter().enumerate() {
        assert!(!lines[..number].contains(line), "{}", said.stderr);
    }
}

#[test]
fn a_level_goes_onto_a_partial_one_when_asked() {
    let ground = with_damage();
    ground.run("restore --more --keep-going damaged out").expect(PROBLEMS);
    for advised in ["restore a.1 out", "restore --keep-going a.1 out"] {
        let said = ground.run(advised).expect(FAILED);
        assert!(said.stderr.ends_with("(give --accept-partial to go on from it)\n"), "{}", said.stderr);
    }
    let said = ground.run("restore damaged out").expect(FAILED);
    assert!(said.stderr.contains("(give --overwrite to replace what is there)"), "{}", said.stderr);
    // What changed in `data` has nothing to go onto.
    let said = ground.run("restore --accept-partial a.1 out").expect(PROBLEMS);
    assert!(said.stderr.contains("out/data"), "{}", said.stderr);
    assert_eq!(ground.read("out/docs/reply"), b"Dear writer\n");
    let said = ground.run("restore --accept-partial a.1 out").expect(FAILED);
    assert!(said.stderr.contains("go on with the level after it and --accept-partial"), "{}", said.stderr);
    ground.run("restore --accept-partial a.2 out").expect(PROBLEMS);
    assert!(!ground.path("out/data").exists());
}

/// With `out` at level 1 in part, which lacks what one bit is wrong in, and `damaged` the archive of that level.
fn at_1_in_part() -> Ground {
    let ground = Ground::with_archives();
    let mut damaged = ground.read("a.1");
    let reply = damaged.windows(12).position(|bytes| bytes == b"Dear writer\n").unwrap();
    damaged[reply] ^= 1;
    ground.write("damaged", &damaged);
    ground.run("restore --keep-going a.0 damaged out").expect(PROBLEMS);
    assert!(!ground.path("out/docs/reply").exists());
    ground
}

#[test]
fn a_chain_in_part_is_gone_on_from_with_the_same_archives() {
    let ground = at_1_in_part();
    let said = ground.run("restore --keep-going a.0 damaged a.2 out").expect(FAILED);
    assert!(said.stderr.contains("--accept-partial") && said.stderr.contains("--overwrite"), "{}", said.stderr);
    // Nothing comes behind it yet.
    let said = ground.run("restore --accept-partial a.0 damaged out").expect(FAILED);
    assert!(said.stderr.contains("go on with the level after it and --accept-partial"), "{}", said.stderr);
    let said = ground.run("restore --keep-going --accept-partial --json a.0 damaged a.2 out").expect(PROBLEMS);
    assert_eq!(said.json()["levels"].as_array().unwrap().len(), 1, "{}", said.text());
    assert_eq!(said.json()["level"], 2);
    assert_eq!(ground.read("out/data"), ground.read("tree/data"));
    assert!(!ground.path("out/docs/reply").exists());
}

#[test]
fn a_chain_in_part_is_restored_anew_when_it_may_overwrite() {
    for archives in ["a.0 a.1", "a.0 a.1 a.2"] {
        let ground = at_1_in_part();
        ground.run(&format!("restore --overwrite {archives} out")).expect(DONE);
        assert_eq!(ground.look("out"), ground.look("tree"), "{archives}");
    }
}

#[test]
fn a_chain_is_restored_anew_with_another_selection_when_it_may_overwrite() {
    let ground = at_1_in_part();
    ground.run("restore --path docs a.0 a.1 out").expect(USAGE);
    ground.run("restore --overwrite --path docs a.0 a.1 out").expect(DONE);
    assert_eq!(ground.read("out/docs/reply"), b"Dear writer\n");
}

#[test]
fn what_was_changed_in_a_chain_that_is_whole_is_replaced_when_it_may_be() {
    let ground = Ground::with_archives();
    ground.run("restore --more a.0 a.1 out").expect(DONE);
    ground.write("out/docs/letter", b"Dear me\n");
    ground.run("restore --more a.0 a.1 out").expect(DONE);
    assert_eq!(ground.read("out/docs/letter"), b"Dear me\n");
    // These begin above level 0, so they cannot begin anew.
    ground.run("restore --overwrite --more a.1 a.2 out").expect(DONE);
    assert_eq!(ground.read("out/docs/letter"), b"Dear me\n");
    ground.run("restore --overwrite --more a.1 a.2 out").expect(DONE);
    ground.run("restore --overwrite a.0 a.1 out").expect(DONE);
    assert_eq!(ground.look("out"), ground.look("tree"));
}

#[test]
fn a_chain_that_ended_in_part_is_concluded_when_asked() {
    let ground = with_damage();
    let said = ground.run("restore --keep-going damaged out").expect(PROBLEMS);
    assert!(said.stderr.contains("frazil restore --conclude"), "{}", said.stderr);
    assert!(ground.path("out/.frazil-restore").exists());
    let json = ground.run("restore --json --conclude out").expect(DONE).json();
    assert_eq!(json["concluded"], true);
    assert!(!ground.path("out/.frazil-restore").exists());
    let said = ground.run("restore --conclude out").expect(DONE);
    assert!(said.stderr.ends_with("out: no restore is under way\n"), "{}", said.stderr);
    assert_eq!(ground.run("restore --json --conclude out").expect(DONE).json()["concluded"], false);

    ground.run("restore --keep-going --conclude damaged at-once").expect(PROBLEMS);
    assert!(!ground.path("at-once/.frazil-restore").exists() && ground.path("at-once/docs/letter").exists());
    for arguments in ["restore --conclude --more a.0 new", "restore --conclude --dry-run a.0 new"] {
        ground.run(arguments).expect(USAGE);
    }
}

#[test]
fn a_level_that_does_not_fit_is_refused_with_advice_for_the_cause() {
    let ground = Ground::with_archives();
    ground.run("restore --more a.0 at-0").expect(DONE);
    ground.run("restore --more a.0 changed").expect(DONE);
    fs::remove_file(ground.path("changed/data")).unwrap();
    let table = [
        ("restore a.1 new", "from level 0 up, and with --more while others are to come; or give --assume-parent"),
        ("restore a.2 at-0", "(restore the levels in order, from level 0 up)\n"),
        ("restore a.1 changed", "(give --keep-going to restore the rest)\n"),
    ];
    for (arguments, advice) in table {
        let said = ground.run(arguments).expect(FAILED);
        assert!(said.stderr.contains(advice), "{arguments}: {}", said.stderr);
        assert_eq!(said.stderr.lines().count(), 1, "{arguments}: {}", said.stderr);
    }
    let said = ground.feed("restore - at-0", &ground.read("a.2")).expect(FAILED);
    assert!(said.stderr.contains("in order") && said.stderr.contains("--accept-partial"), "{}", said.stderr);
}

#[test]
fn a_level_goes_onto_a_tree_that_is_said_to_stand_at_its_parent() {
    let ground = Ground::with_archives();
    ground.run("restore a.0 out").expect(DONE);
    let level = |archive: &str| ground.run(&format!("show --json {archive}")).expect(DONE).json()["level_id"].clone();
    let (right, wrong) = (level("a.0"), level("a.1"));
    ground.run("restore a.1 out").expect(FAILED);
    ground.run(&format!("restore --assume-parent {} a.1 out", wrong.as_str().unwrap())).expect(FAILED);
    assert_eq!(ground.look("out"), ground.look("kept.0"));
    ground.run(&format!("restore --assume-parent {} a.1 out", right.as_str().unwrap())).expect(DONE);
    assert_eq!(ground.look("out"), ground.look("tree"));
}
