//! What is said of a failure, and what can be done about it.

use std::fs;

use crate::ground::{DONE, FAILED, Ground, PROBLEMS, Said, USAGE};

#[test]
fn who_reaches_a_limit_is_told_of_the_option_that_raises_it_and_of_no_other() {
    let ground = Ground::with_archives();
    ground.run("restore --more a.0 out").expect(DONE);
    let options = ["--max-file", "--max-output"];
    for (arguments, advised) in [
        ("restore --max-file 100K a.0 new", "--max-file"),
        ("restore --max-output 100K a.0 new", "--max-output"),
        ("restore --max-file 1G --max-output 100K a.0 new", "--max-output"),
        // Of a file that a delta makes.
        ("restore --more --max-file 100K a.1 out", "--max-file"),
        ("restore --more --max-output 100K a.1 out", "--max-output"),
    ] {
        let said = ground.run(arguments).expect(FAILED);
        for option in options {
            let is_advised = said.stderr.contains(&format!("(raise {option})"));
            assert_eq!(is_advised, option == advised, "{arguments}: {}", said.stderr);
        }
    }
}

#[test]
fn an_entry_of_an_archive_is_said_to_be_in_it() {
    let ground = Ground::with_archives();
    for (level, offset, what) in
        [(0, 100_000, ": content is not what its record says: "), (1, 4_000, ": frame checksum")]
    {
        let mut damaged = ground.read(&format!("a.{level}"));
        damaged[offset] ^= 1;
        ground.write("damaged", &damaged);
        for command in ["list damaged", "verify damaged"] {
            let said = ground.run(command).expect(FAILED);
            let text = said.stderr.split_once("reading in an archive the entry data").map_or("", |(_, text)| text);
            assert!(text.contains(what), "{command}: {}", said.stderr);
        }
    }
}

#[test]
fn who_has_left_a_file_out_that_another_needs_is_told_to_select_it() {
    let ground = Ground::new();
    fs::create_dir(ground.path("tree")).unwrap();
    ground.write("tree/a", b"one file");
    fs::hard_link(ground.path("tree/a"), ground.path("tree/b")).unwrap();
    ground.run("backup -q --snapshot s.0 tree a.0").expect(DONE);
    ground.run("backup -q --since s.0 --snapshot s.1 tree a.1").expect(DONE);
    let said = ground.run("restore --more --path b a.0 out").expect(PROBLEMS);
    assert!(said.stderr.contains("expected a to be selected too"), "{}", said.stderr);
    let said = ground.run("restore --path b a.1 out").expect(FAILED);
    assert!(said.stderr.contains("select by --path too what was named as not selected)"), "{}", said.stderr);
    ground.run("restore --overwrite --path b --path a a.0 a.1 out").expect(DONE);
    assert_eq!(ground.look("out"), ground.look("tree"));
}

#[test]
fn who_gives_no_archive_or_two_in_one_is_not_told_to_keep_going() {
    let ground = Ground::with_archives();
    let no_archive = "source ends before a tar begins";
    for said in [ground.run("restore /dev/null out"), ground.feed("restore - out", b"hello\n")] {
        let said = said.expect(FAILED);
        let expected = format!("{no_archive} (this is no archive; frazil backup makes archives)\n");
        assert!(said.stderr.ends_with(&expected), "{}", said.stderr);
    }
    let two = [ground.read("a.0"), ground.read("a.1")].concat();
    let said = ground.feed("restore - out", &two).expect(FAILED);
    let advice = " (give one archive at a time: restore it with --more, and then the next)\n";
    assert!(said.stderr.contains("something follows the trailer"), "{}", said.stderr);
    assert!(said.stderr.ends_with(advice), "{}", said.stderr);
}

#[test]
fn archives_that_do_not_follow_each_other_are_refused_before_the_first_is_restored() {
    let ground = Ground::with_archives();
    ground.run("backup -q --snapshot other tree other.0").expect(DONE);
    for (archives, wrong) in [("a.0 a.2", "a.2"), ("a.0 a.1 a.1 other.0", "other.0"), ("a.0 a.2 a.1", "a.2")] {
        let said = ground.run(&format!("restore {archives} out")).expect(FAILED);
        assert!(said.stderr.contains(&format!("{wrong}: was not made against a.")), "{}", said.stderr);
        assert!(!ground.path("out").exists(), "{archives}");
    }
    ground.run("restore a.0 a.1 a.1 a.2 out").expect(DONE);
    ground.run("restore --overwrite a.0 a.1 other.0 out").expect(DONE);
}

#[test]
fn what_has_no_name_and_what_is_missing_is_said_to_be() {
    let ground = Ground::with_archives();
    let said = Said::from(ground.command("restore a.0").arg("").output().unwrap()).expect(USAGE);
    assert!(said.stderr.contains("the directory to restore to has no name"), "{}", said.stderr);
    for arguments in ["restore nowhere", "restore --conclude nowhere"] {
        let said = ground.run(arguments).expect(FAILED);
        assert_eq!(
            said.stderr, "frazil: restoring to nowhere: No such file or directory (os error 2)\n",
            "{arguments}"
        );
    }
    let said = ground.run("restore --dry-run out").expect(USAGE);
    assert!(said.stderr.contains("a dry run needs an archive"), "{}", said.stderr);
    let said = ground.run("restore --dry-run a.0 a.1 out").expect(USAGE);
    assert!(said.stderr.contains("a dry run is of one archive"), "{}", said.stderr);
}
