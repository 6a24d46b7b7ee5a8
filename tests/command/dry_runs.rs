//! A dry run says what would be done, and does none of it.

use std::fs::File;

use serde_json::json;

use crate::ground::{DONE, FAILED, Ground, Said, USAGE};

#[test]
fn a_dry_run_changes_nothing() {
    let ground = Ground::with_archives();
    let names = ground.names();
    let said = ground.run("restore --dry-run a.0 out").expect(DONE);
    assert!(said.stderr.contains("verified, nothing changed"), "{}", said.stderr);
    assert_eq!(ground.names(), names);
    ground.run("restore --more a.0 out").expect(DONE);
    let before = ground.look("out");
    ground.run("restore --dry-run a.1 out").expect(DONE);
    ground.run("restore --dry-run a.2 out").expect(FAILED);
    assert_eq!(ground.look("out"), before);
    ground.run("restore --dry-run a.1 a.2 out").expect(USAGE);
    ground.run("restore --dry-run out").expect(USAGE);
}

#[test]
fn a_dry_run_onto_a_missing_destination_needs_no_room_for_anything() {
    let ground = Ground::with_archives();
    let dry = "restore --dry-run a.0 out";
    let expected = ground.run(dry).expect(DONE);
    let said = Said::from(ground.command(dry).env("TMPDIR", ground.path("nowhere")).output().unwrap()).expect(DONE);
    assert_eq!(said.text(), expected.text());
    // Of a later level, it is known what it lacks.
    for level in [1, 2] {
        let said = ground.run(&format!("restore --dry-run a.{level} out")).expect(FAILED);
        assert!(said.stderr.contains("the level was made against another than is there"), "{}", said.stderr);
    }
}

#[test]
fn a_dry_run_lists_what_would_be_restored() {
    let ground = Ground::with_archives();
    let said = ground.run("restore --dry-run a.0 out").expect(DONE);
    assert_eq!(said.text(), ground.run("list a.0").expect(DONE).text());
    // `data`, `docs/letter`, `naïve` in another encoding, and the empty one; `same` is a name of another.
    let bytes = 300_000 + b"Dear reader\n".len() + b"i\n".len();
    assert!(said.stderr.contains("would write   4 files, 292.98 KiB"), "{}", said.stderr);
    let piped = ground.feed("restore --dry-run - out", &ground.read("a.0")).expect(DONE);
    assert_eq!(piped.text(), said.text());

    let lines = ground.run("restore --json --dry-run a.0 out").expect(DONE).json_lines();
    let (summary, entries) = lines.split_last().unwrap();
    assert_eq!(entries.len(), said.text().lines().count());
    let level = &summary["levels"][0];
    assert_eq!((&level["files"], &level["output_bytes"]), (&json!(4), &json!(bytes)));

    let done = ground.run("restore --json --more a.0 out").expect(DONE).json_lines();
    assert_eq!(&done[0]["levels"][0], level, "a dry run counts what a restore does");
    let said = ground.run("restore --dry-run a.1 out").expect(DONE);
    assert!(said.stderr.contains("would delete  2\n"), "{}", said.stderr);
    assert!(said.stderr.contains("would write   2 files, 292.98 KiB"), "{}", said.stderr);
    // What is there already would not be restored again.
    let said = ground.run("restore --dry-run a.0 out").expect(DONE);
    assert_eq!(said.text(), "");
    assert!(said.stderr.contains("stood there already  1 level\n"), "{}", said.stderr);
}

#[test]
fn a_dry_run_that_cannot_list_fails() {
    let ground = Ground::with_archives();
    let full = File::options().write(true).open("/dev/full").unwrap();
    let said = ground.command("restore --dry-run a.0 out").stdout(full).output().unwrap();
    assert_eq!(said.status.code(), Some(FAILED));
    let said = String::from_utf8(said.stderr).unwrap();
    assert!(said.contains("No space left on device"), "{said}");
}

#[test]
fn a_dry_run_lists_paths_where_they_would_go() {
    let ground = Ground::with_archives();
    let paths = |options: &str| {
        let said = ground.run(&format!("restore --json --dry-run {options} a.0 out")).expect(DONE);
        let mut paths: Vec<_> =
            said.json_lines().iter().filter_map(|line| line["path"].as_str()).map(str::to_owned).collect();
        paths.sort();
        paths.dedup();
        paths
    };
    assert_eq!(paths("--path docs"), [".", "docs", "docs/letter"]);
    assert_eq!(paths("--path docs/letter --prefix a/b"), ["a/b", "a/b/docs", "a/b/docs/letter"]);
    assert_eq!(paths("--path docs --strip 1"), ["letter"]);
    assert_eq!(paths("--path docs --strip 1 --prefix found"), ["found/letter"]);
    assert_eq!(paths("--path link"), [".", "link"]);
}
