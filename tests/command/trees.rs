//! `frazil backup`, `restore`, `list` and `verify`.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, symlink};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::ground::{DONE, FAILED, Ground, PROBLEMS, Said, USAGE, parse, states};

/// The line that says something of a path.
#[track_caller]
fn of<'a>(lines: &'a [Value], path: &str) -> &'a Value {
    lines.iter().find(|line| line["path"] == path).unwrap_or_else(|| panic!("no line of {path} in {lines:?}"))
}

/// The words of a row of a summary, after its label.
#[track_caller]
fn row<'a>(text: &'a str, label: &str) -> &'a str {
    let found = text.lines().find_map(|line| line.trim_start().strip_prefix(label));
    found.unwrap_or_else(|| panic!("no {label} in {text}")).trim()
}

#[test]
fn the_levels_of_a_tree_are_restored_one_after_the_other() {
    let ground = Ground::with_archives();
    ground.run("restore a.0 a.1 a.2 whole").expect(DONE);
    assert_eq!(ground.look("whole"), ground.look("tree"));
    assert_eq!(fs::metadata(ground.path("whole/renamed")).unwrap().nlink(), 2);

    ground.run("restore --more a.0 stepwise").expect(DONE);
    assert!(ground.path("stepwise/.frazil-restore").is_dir());
    let said = ground.run("restore stepwise").expect(DONE);
    assert!(said.stderr.starts_with("stepwise: stands at level "), "{}", said.stderr);
    ground.run("restore --more a.1 stepwise").expect(DONE);
    ground.run("restore a.2 stepwise").expect(DONE);
    assert_eq!(ground.look("stepwise"), ground.look("tree"));
    assert!(ground.run("restore stepwise").expect(DONE).stderr.contains("no restore is under way"));
}

#[test]
fn every_filter_is_found_out_by_a_restore() {
    let ground = Ground::with_tree();
    for (filter, magic) in [
        ("none", &b".fra"[..]),
        ("gzip", b"\x1f\x8b"),
        ("bzip2", b"BZh"),
        ("xz", b"\xfd7zXZ"),
        ("zstd", b"\x28\xb5\x2f\xfd"),
        ("lz4", b"\x04\x22\x4d\x18"),
    ] {
        ground.run(&format!("backup -q --force --filter {filter} --snapshot s tree a")).expect(DONE);
        assert!(ground.read("a").starts_with(magic), "{filter}");
        ground.run(&format!("restore -q a {filter}")).expect(DONE);
        assert_eq!(ground.look(filter), ground.look("tree"), "{filter}");
        assert_eq!(ground.run("show --json a").expect(DONE).json()["filter"], filter);
    }
}

#[test]
fn archives_and_snapshots_go_through_pipes() {
    let ground = Ground::with_archives();
    let mut backup = ground.command("backup --json --since - --snapshot new tree -");
    let said = Said::from(backup.stdin(File::open(ground.path("s.0")).unwrap()).output().unwrap()).expect(DONE);
    // The entries and the summary are where the archive is not.
    let lines: Vec<Value> = said.stderr.lines().map(parse).collect();
    assert_eq!(of(&lines, "data")["action"], "delta");
    assert_eq!(lines.last().unwrap()["stream_bytes"], said.stdout.len());

    // Through real pipes too, which can be read but once.
    let piped = ground.feed("backup -q --since - --snapshot piped tree -", &ground.read("s.0")).expect(DONE);
    ground.feed("restore --more - restored", &ground.read("a.0")).expect(DONE);
    ground.feed("restore - restored", &piped.stdout).expect(DONE);
    assert_eq!(ground.look("restored"), ground.look("tree"));
    assert_eq!(ground.feed("list -", &piped.stdout).expect(DONE).text().lines().count(), 8);
    assert!(ground.feed("verify - a.1", &ground.read("a.0")).expect(DONE).stderr.starts_with("2 archives whole"));
    ground.feed("verify --tree tree - a.1", &ground.read("a.0")).expect(DONE);

    let snapshot = ground.run("backup --snapshot - tree archive").expect(DONE);
    ground.feed("show -", &snapshot.stdout).expect(DONE);
}

#[test]
fn a_backup_says_why_each_entry_was_looked_at() {
    let ground = Ground::with_tree();
    ground.run("backup -q --snapshot s.0 tree a.0").expect(DONE);
    ground.edit();
    let said = ground.run("backup --json --since s.0 --snapshot s.1 tree a.1").expect(DONE);
    assert_eq!(said.stderr, "");
    let lines = said.json_lines();
    let table = [
        ("data", "delta", "mtime"),
        ("renamed", "link", "link"),
        ("empty", "metadata", "owner"),
        ("docs/reply", "full", "new"),
        ("link", "delete", "gone"),
        ("same", "delete", "gone"),
    ];
    for (path, action, reason) in table {
        let line = of(&lines, path);
        assert_eq!((&line["action"], &line["reason"]), (&json!(action), &json!(reason)), "{path}: {line}");
    }
    let block = of(&lines, "data")["bytes"].as_u64().unwrap();
    assert!((65_536..70_000).contains(&block), "{block}");
    let summary = lines.last().unwrap();
    let level = ground.run("show --json a.0").expect(DONE).json();
    for (key, value) in [
        ("command", json!("backup")),
        ("level", json!(1)),
        ("parent_id", level["level_id"].clone()),
        ("root_id", level["level_id"].clone()),
        ("deltas", json!(1)),
        ("deleted", json!(2)),
        ("links", json!(1)),
        ("partial", json!(false)),
        ("problems", json!([])),
        ("stream_bytes", json!(ground.read("a.1").len())),
        ("snapshot_bytes", json!(ground.read("s.1").len())),
    ] {
        assert_eq!(summary[key], value, "{key} of {summary}");
    }
}

#[test]
fn a_rename_sends_nothing() {
    let ground = Ground::with_tree();
    ground.run("backup -q --snapshot s.0 tree a.0").expect(DONE);
    fs::rename(ground.path("tree/data"), ground.path("tree/elsewhere")).unwrap();
    let said = ground.run("backup --json --since s.0 --snapshot s.1 tree a.1").expect(DONE);
    let lines = said.json_lines();
    assert_eq!(of(&lines, "elsewhere")["action"], "copy");
    assert_eq!(lines.last().unwrap()["content_bytes"], 0);
    ground.run("restore -q a.0 a.1 restored").expect(DONE);
    assert_eq!(ground.look("restored"), ground.look("tree"));
}

#[test]
fn the_summaries_of_trees_are_tables() {
    let ground = Ground::with_archives();
    let said = ground.run("backup --since s.0 --snapshot s tree a").expect(DONE);
    assert!(said.stderr.starts_with("tree: level 1 (") && said.stderr.contains("), 9 entries in "), "{}", said.stderr);
    assert_eq!(row(&said.stderr, "as deltas"), "1");
    assert_eq!(row(&said.stderr, "deleted"), "2");
    assert!(row(&said.stderr, "archive").contains(" of what was read)"), "{}", said.stderr);

    let said = ground.run("restore a.0 a.1 out").expect(DONE);
    assert!(said.stderr.starts_with("out: 2 levels restored, "), "{}", said.stderr);
    assert_eq!(row(&said.stderr, "deleted"), "2");
    assert!(row(&said.stderr, "stands at").starts_with("level 1 ("), "{}", said.stderr);
    for arguments in ["backup -q --snapshot q tree b", "restore -q a.0 quiet", "verify -q a.0"] {
        let said = ground.run(arguments).expect(DONE);
        assert_eq!((said.text(), &*said.stderr), ("", ""), "{arguments}");
    }
}

#[test]
fn a_list_has_a_line_for_each_record() {
    let ground = Ground::with_archives();
    let said = ground.run("list a.1").expect(DONE);
    let lines: Vec<&str> = said.text().lines().collect();
    let line = |end: &str| *lines.iter().find(|line| line.ends_with(end)).unwrap_or_else(|| panic!("{end}: {lines:?}"));
    assert!(line(" data").starts_with("D -rw"), "{lines:?}");
    assert!(line(" docs/reply").starts_with("F -rw"), "{lines:?}");
    assert!(line(" empty").starts_with("M drwx------ "), "{lines:?}");
    assert!(line(" link").starts_with("X  "), "{lines:?}");
    assert!(line(" renamed (of docs/letter)").starts_with("L  "), "{lines:?}");
    // Whatever is known of them, their paths begin in one column.
    assert_eq!(line(" data").find(" data"), line(" link").find(" link"));
    assert!(said.stderr.starts_with("a.1: level 1 ("), "{}", said.stderr);

    let lines = ground.run("list --json a.1").expect(DONE).json_lines();
    assert_eq!(of(&lines, "data")["metadata"]["size"], 300_000);
    assert_eq!(of(&lines, "renamed")["from"], "docs/letter");
    let summary = lines.last().unwrap();
    assert_eq!((&summary["command"], &summary["level"]), (&json!("list"), &json!(1)));
    assert_eq!(summary["records"], lines.len() - 1);
}

#[test]
fn paths_that_are_not_utf8_have_their_bytes_in_json() {
    let ground = Ground::with_tree();
    let backup = ground.run("backup --json --snapshot s.0 tree a.0").expect(DONE).json_lines();
    let listed = ground.run("list --json a.0").expect(DONE).json_lines();
    let shown = ground.run("show --json s.0").expect(DONE).json_lines();
    fs::create_dir(ground.path("nothing")).unwrap();
    let verified = ground.run("verify --json --tree nothing a.0").expect(PROBLEMS).json_lines();
    for lines in [backup, listed, shown, verified] {
        assert_eq!(of(&lines, "na\u{fffd}ve")["path_bytes"], "6e61ef7665");
        assert_eq!(of(&lines, "new\nline")["path_bytes"], Value::Null);
    }
    // For a person, escaped, so that each takes one line.
    for arguments in ["list a.0", "show s.0"] {
        let said = ground.run(arguments).expect(DONE);
        assert!(said.text().contains(" na\\xefve") && said.text().contains(" new\\nline"), "{}", said.text());
    }
}

#[test]
fn a_snapshot_shows_its_level_and_its_entries() {
    let ground = Ground::with_archives();
    let archive = ground.run("show --json a.1").expect(DONE).json();
    let said = ground.run("show s.1").expect(DONE);
    assert_eq!(said.stderr, "");
    let text = said.text();
    assert!(text.starts_with("s.1: the snapshot of a level 1\n"), "{text}");
    assert_eq!(row(text, "level id"), archive["level_id"]);
    assert_eq!(row(text, "made against"), archive["parent_id"]);
    assert_eq!(row(text, "blocks"), "of 65536 bytes");
    assert_eq!(row(text, "entries"), "9");
    assert!(row(text, "begun").ends_with(" UTC"), "{text}");
    let entries: Vec<&str> = text.lines().filter(|line| !line.starts_with("  ")).skip(1).collect();
    assert_eq!(entries.len(), 9, "{text}");
    assert!(entries[0].starts_with('d') && entries[1].contains(" data"), "{text}");
    assert!(text.contains(" renamed (of docs/letter)"), "{text}");
    assert!(row(ground.run("show s.0").expect(DONE).text(), "made against").starts_with("nothing"));

    let lines = ground.run("show --json s.1").expect(DONE).json_lines();
    let (summary, entries) = lines.split_last().unwrap();
    assert_eq!((&summary["kind"], &summary["entries"]), (&json!("snapshot"), &json!(entries.len())));
    assert_eq!(summary["level_id"], archive["level_id"]);
    assert_eq!(of(entries, "renamed")["link"], "docs/letter");
    // Content of more than a block has sums.
    assert_eq!(of(entries, "data")["blocks"], 5);

    let piped = ground.feed("show -", &ground.read("s.1")).expect(DONE);
    assert_eq!(piped.text().replace("standard input: ", "s.1: "), text);
}

#[test]
fn a_damaged_snapshot_shows_nothing_and_is_no_basis() {
    let ground = Ground::with_archives();
    let mut snapshot = ground.read("s.1");
    let middle = snapshot.len() / 2;
    snapshot[middle] ^= 1;
    ground.write("damaged", &snapshot);
    ground.write("cut", &ground.read("s.1")[..middle]);
    for name in ["damaged", "cut"] {
        let said = ground.run(&format!("show {name}")).expect(FAILED);
        assert_eq!(said.text(), "");
        assert!(said.stderr.starts_with(&format!("frazil: {name}: reading a snapshot at offset ")), "{}", said.stderr);
        let names = ground.names();
        ground.run(&format!("backup --since {name} --snapshot s tree a")).expect(FAILED);
        assert_eq!(ground.names(), names);
    }
}

#[test]
fn an_archive_shows_its_level() {
    let ground = Ground::with_archives();
    let said = ground.run("show a.1").expect(DONE);
    assert!(said.text().starts_with("a.1: the archive of a level 1\n"), "{}", said.text());
    assert!(row(said.text(), "records").ends_with("frazil list lists them"), "{}", said.text());
    assert!(said.text().contains("every check holds"), "{}", said.text());
    let json = ground.run("show --json a.1").expect(DONE).json();
    assert_eq!((&json["kind"], &json["stream_bytes"]), (&json!("archive"), &json!(ground.read("a.1").len())));
    assert_eq!(row(said.text(), "level id"), json["level_id"]);
}

#[test]
fn any_tar_lists_an_archive() {
    let ground = Ground::with_archives();
    for program in ["tar", "bsdtar"] {
        let listed = Command::new(program).arg("-tf").arg(ground.path("a.1")).output().unwrap();
        let names = String::from_utf8(listed.stdout).unwrap();
        assert!(listed.status.success(), "{program}");
        for name in [".frazil/header\n", "delta/data/00000001\n", "full/docs/reply\n", ".frazil/trailer\n"] {
            assert!(names.contains(name), "{program}: {names}");
        }
    }
}

#[test]
fn an_output_in_the_tree_is_left_out_of_the_backup() {
    let ground = Ground::with_tree();
    let said = ground.run("backup --snapshot tree/s.0 tree tree/docs/a.0").expect(DONE);
    assert_eq!(said.stderr.matches("is written by this backup, so it is not part of it").count(), 2, "{}", said.stderr);
    let listed = ground.run("list tree/docs/a.0").expect(DONE);
    assert!(!listed.text().contains("a.0") && !listed.text().contains("s.0"), "{}", listed.text());

    // Also through standard output, and what patterns leave out is left out in silence.
    let out = File::create(ground.path("tree/a.1")).unwrap();
    let status = ground.command("backup -q --snapshot s tree -").stdout(out).status().unwrap();
    assert!(status.success());
    assert!(!ground.run("list tree/a.1").expect(DONE).text().contains("a.1"));
    let said = ground.run("backup --json --exclude /empty --snapshot tree/empty/s.2 tree tree/empty/a.2").expect(DONE);
    let summary = said.json_lines().pop().unwrap();
    assert_eq!((&summary["problems"], &summary["notes"]), (&json!([]), &json!([])));
}

#[test]
fn outputs_of_a_backup_are_replaced_only_with_force() {
    let ground = Ground::with_tree();
    ground.write("there", b"old");
    for arguments in ["backup --snapshot there tree a", "backup --snapshot s tree there"] {
        let names = ground.names();
        let said = ground.run(arguments).expect(FAILED);
        assert!(said.stderr.contains("give --force"), "{}", said.stderr);
        assert_eq!((ground.names(), ground.read("there")), (names, b"old".to_vec()), "{arguments}");
    }
    ground.run("backup --force --snapshot there tree a").expect(DONE);
    // A snapshot may replace the one that it follows.
    ground.run("backup --force --since there --snapshot there tree a").expect(DONE);
    assert_eq!(ground.run("show --json there").expect(DONE).json_lines().last().unwrap()["level"], 1);
    // It lets those who have it recognise content that they can guess.
    assert_eq!(fs::metadata(ground.path("there")).unwrap().mode() & 0o777, 0o600);

    ground.run("backup --force --snapshot s tree/data tree/data").expect(USAGE);
    assert!(ground.read("tree/data") == states()[0]);
}

#[test]
fn a_single_file_is_a_tree_too() {
    let ground = Ground::with_tree();
    ground.run("backup --snapshot s.0 tree/data a.0").expect(DONE);
    ground.run("restore a.0 out").expect(DONE);
    assert!(ground.read("out/data") == states()[0]);
}

#[test]
fn a_restore_replaces_nothing_unasked() {
    let ground = Ground::with_archives();
    fs::create_dir(ground.path("out")).unwrap();
    ground.write("out/data", b"old");
    let said = ground.run("restore a.0 out").expect(FAILED);
    assert!(said.stderr.contains("give --overwrite"), "{}", said.stderr);
    assert_eq!(ground.look("out").len(), 2);
    ground.run("restore --overwrite a.0 out").expect(DONE);
    assert_eq!(ground.look("out"), ground.look("kept.0"));
}

#[test]
fn what_cannot_be_restored_leaves_no_directory() {
    let ground = Ground::with_archives();
    let mut damaged = ground.read("a.0");
    let at = damaged.len() - 3000;
    damaged[at] ^= 1;
    ground.write("damaged", &damaged);
    ground.write("cut", &ground.read("a.0")[..200_000]);
    let names = ground.names();
    for (archive, message) in [
        ("damaged", "give --keep-going"),
        ("cut", "give --keep-going"),
        ("a.1", "restore the levels in order"),
        ("nowhere", "No such file"),
    ] {
        let said = ground.run(&format!("restore {archive} out")).expect(FAILED);
        assert!(said.stderr.contains(message) && said.stderr.contains(archive), "{}", said.stderr);
        assert_eq!(said.stderr.lines().count(), 1, "{}", said.stderr);
        assert_eq!(ground.names(), names, "{archive}");
    }
    // What stands at a level stays there.
    ground.run("restore --more a.0 out").expect(DONE);
    let said = ground.run("restore a.2 out").expect(FAILED);
    assert!(said.stderr.contains("restore the levels in order"), "{}", said.stderr);
    ground.run("restore a.1 a.2 out").expect(DONE);
    assert_eq!(ground.look("out"), ground.look("tree"));
}

#[test]
fn what_is_whole_of_a_damaged_archive_is_restored_when_asked() {
    let ground = Ground::with_archives();
    let mut damaged = ground.read("a.0");
    // In the content of `data`, the first file.
    damaged[100_000] ^= 1;
    ground.write("damaged", &damaged);
    let said = ground.run("restore --json --keep-going damaged out").expect(PROBLEMS);
    let json = said.json();
    assert_eq!(json["partial"], true);
    assert!(json["problems"].as_array().unwrap().iter().any(|text| text.as_str().unwrap().contains("data")), "{json}");
    assert_eq!(ground.read("out/docs/letter"), b"Dear reader\n");
    assert!(!ground.path("out/data").exists());
    ground.run("restore a.1 out").expect(FAILED);
}

#[test]
fn a_path_alone_is_restored() {
    let ground = Ground::with_archives();
    ground.run("restore --path docs --strip 1 --prefix found a.0 a.1 out").expect(DONE);
    assert_eq!(ground.read("out/found/reply"), b"Dear writer\n");
    assert!(!ground.path("out/data").exists() && !ground.path("out/found/data").exists());
}

#[test]
fn a_tree_that_differs_from_its_levels_is_named() {
    let ground = Ground::with_archives();
    let said = ground.run("verify --tree tree a.0 a.1 a.2").expect(DONE);
    assert_eq!(said.text(), "");
    assert!(said.stderr.starts_with("tree: 9 entries held against level 2, "), "{}", said.stderr);
    ground.write("tree/docs/reply", b"Dear friend\n");
    fs::remove_file(ground.path("tree/renamed")).unwrap();
    ground.write("tree/stray", b"");
    let said = ground.run("verify --tree tree a.0 a.1 a.2").expect(PROBLEMS);
    for line in ["docs/reply: other content\n", "renamed: missing\n", "stray: not in the backup\n"] {
        assert!(said.text().contains(line), "{}", said.text());
    }
    let lines = ground.run("verify --json --tree tree a.0 a.1 a.2").expect(PROBLEMS).json_lines();
    assert_eq!(of(&lines, "stray")["what"], "not in the backup");
    assert_eq!(lines.last().unwrap()["differences"], lines.len() - 1);
    let said = ground.run("verify --tree tree --exclude stray a.0 a.1 a.2").expect(PROBLEMS);
    assert!(!said.text().contains("stray"), "{}", said.text());
    let said = ground.run("verify --tree tree a.0 a.2").expect(FAILED);
    assert!(said.stderr.contains("in order, from level 0 up"), "{}", said.stderr);
}

#[test]
fn archives_that_do_not_follow_each_other_are_a_problem() {
    let ground = Ground::with_archives();
    let json = ground.run("verify --json a.0 a.1 a.2").expect(DONE).json();
    assert_eq!((json["levels"].as_array().unwrap().len(), &json["problems"]), (3, &json!([])));
    for archives in ["a.0 a.2", "a.1 a.1", "a.1 a.0 a.2"] {
        let said = ground.run(&format!("verify {archives}")).expect(PROBLEMS);
        assert!(said.stderr.contains("was not made against a."), "{archives}: {}", said.stderr);
    }
    // A level 0 begins another chain, and a level alone may be any.
    ground.run("backup -q --snapshot other tree b.0").expect(DONE);
    ground.run("verify a.0 a.1 b.0").expect(DONE);
    ground.run("verify a.2").expect(DONE);
}

#[test]
fn what_changed_while_it_was_read_makes_the_level_partial() {
    let ground = Ground::new();
    fs::create_dir(ground.path("tree")).unwrap();
    // Much more than fits into the pipe, so that the end is not reached before it is read here.
    ground.write("tree/growing", &states()[0].repeat(40));
    let mut command = ground.command("backup --json --snapshot s tree -");
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut archive = vec![0; 1];
    let mut stdout = child.stdout.take().unwrap();
    stdout.read_exact(&mut archive).unwrap();
    File::options().append(true).open(ground.path("tree/growing")).unwrap().write_all(b"more").unwrap();
    stdout.read_to_end(&mut archive).unwrap();
    let said = Said::from(child.wait_with_output().unwrap()).expect(PROBLEMS);
    let summary = parse(said.stderr.lines().last().unwrap());
    assert_eq!(summary["partial"], true);
    assert!(summary["problems"][0].as_str().unwrap().contains("tree/growing"), "{summary}");

    ground.write("a", &archive);
    for arguments in ["list a", "verify a", "show a", "restore a out"] {
        let said = ground.run(arguments).expect(PROBLEMS);
        assert!(said.stderr.contains("a: the backup had 1 problem, so this level is partial"), "{}", said.stderr);
    }
    assert!(ground.read("out/growing") == states()[0].repeat(40));
    assert!(ground.run("show s").expect(DONE).text().contains("growing [dirty"));
}

#[test]
fn a_tree_whose_links_were_followed_is_verified_so() {
    let ground = Ground::with_tree();
    fs::create_dir(ground.path("links")).unwrap();
    symlink("../tree", ground.path("links/tree")).unwrap();
    ground.run("backup -q --dereference --snapshot s links a").expect(DONE);
    ground.run("verify --dereference --tree links a").expect(DONE);
    let said = ground.run("verify --tree links a").expect(PROBLEMS);
    assert!(said.text().contains("tree: another kind of entry\n"), "{}", said.text());
    ground.run("verify --dereference a").expect(USAGE);
}
