//! What is wrong is named: the archive, the option, the directory; and no name is obeyed by a terminal.

use std::fs;
use std::os::unix::net::UnixListener;

use crate::ground::{DONE, FAILED, Ground, Said, USAGE};

#[test]
fn a_damaged_archive_is_named() {
    let ground = Ground::with_archives();
    let mut damaged = ground.read("a.0");
    // In the content of `data`, the first file.
    damaged[100_000] ^= 1;
    ground.write("damaged", &damaged);
    let table = ["verify damaged", "list damaged", "show damaged", "verify --tree tree damaged", "restore damaged out"];
    for arguments in table {
        let said = ground.run(arguments).expect(FAILED);
        assert!(said.stderr.starts_with("frazil: damaged: "), "{arguments}: {}", said.stderr);
        assert_eq!(said.stderr.lines().count(), 1, "{arguments}: {}", said.stderr);
    }
    // Of several that are read side by side too.
    let mut damaged = ground.read("a.1");
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    ground.write("damaged", &damaged);
    let said = ground.run("verify --tree tree a.0 damaged").expect(FAILED);
    assert!(said.stderr.starts_with("frazil: damaged: "), "{}", said.stderr);
    assert_eq!(said.stderr.lines().count(), 1, "{}", said.stderr);
}

#[test]
fn an_archive_under_a_name_that_is_not_text_has_its_bytes_in_json() {
    let ground = Ground::with_archives();
    fs::rename(ground.path("a.0"), ground.path("a\n0")).unwrap();
    for arguments in ["list --json", "show --json", "verify --json"] {
        let said = Said::from(ground.command(arguments).arg("a\n0").output().unwrap()).expect(DONE);
        let json = said.json_lines().pop().unwrap();
        let archive = if json["command"] == "verify" { &json["levels"][0] } else { &json };
        assert_eq!(archive["archive"], "a\n0", "{json}");
    }
}

#[test]
fn no_name_moves_the_cursor_or_colours_a_terminal() {
    let ground = Ground::with_archives();
    let name = "t\x1b[31m\rree\u{9b}2J\n";
    fs::create_dir(ground.path(name)).unwrap();
    fs::create_dir(ground.path(name).join("d\x1b]0;title\x07")).unwrap();
    let _socket = UnixListener::bind(ground.path(name).join("s\x1b[2J")).unwrap();
    let archive = format!("{name}.a");
    let run = |arguments: &str, more: &[&str]| Said::from(ground.command(arguments).args(more).output().unwrap());
    let said = [
        run("backup --snapshot s", &[name, &archive]).expect(DONE),
        run("backup --snapshot s", &[name, &archive]).expect(FAILED),
        run("list", &[&archive]).expect(DONE),
        run("show", &[&archive]).expect(DONE),
        run("verify", &[&archive]).expect(DONE),
        run("verify --tree", &[name, &archive]),
        run("verify", &[name]).expect(FAILED),
        run("restore", &[&archive, &format!("{name}.out")]).expect(DONE),
        run("restore a.1", &[&format!("{name}.out")]).expect(FAILED),
        run("restore --conclude", &[&format!("{name}.out")]).expect(DONE),
        run("restore", &["\x1b[2J", "out"]).expect(FAILED),
        run("level", &[name, "out"]).expect(FAILED),
        run("level source.0", &[&format!("{name}.level")]).expect(DONE),
        run("signature", &["\x1b[2J", "out"]).expect(FAILED),
        run("compare", &["\x1b[2J", "out"]).expect(FAILED),
    ];
    for said in said {
        for text in [&*said.stderr, said.text()] {
            let obeyed = |letter: char| letter.is_control() && letter != '\n';
            assert!(!text.contains(obeyed), "{text:?}");
        }
    }
    let said = run("list", &["\x1b[2J"]).expect(FAILED);
    assert!(said.stderr.contains(r"\x1b[2J"), "{}", said.stderr);
}

#[test]
fn an_option_that_is_refused_is_named() {
    let ground = Ground::with_archives();
    for (arguments, named) in [
        ("restore --path docs/./letter a.0 out", "frazil: --path docs/./letter: "),
        ("restore --path docs --path /a a.0 out", "frazil: --path /a: "),
        ("restore --prefix a/../b a.0 out", "frazil: --prefix a/../b: "),
    ] {
        let said = ground.run(arguments).expect(USAGE);
        assert!(said.stderr.starts_with(named), "{arguments}: {}", said.stderr);
        assert!(!ground.path("out").exists(), "{arguments}");
    }
}

#[test]
fn a_directory_that_is_missing_is_named_and_no_file_that_nobody_gave() {
    let ground = Ground::with_tree();
    for arguments in ["backup --snapshot s tree nowhere/at/all", "level source.0 nowhere/at/all"] {
        let said = ground.run(arguments).expect(FAILED);
        assert_eq!(said.stderr, "frazil: opening nowhere/at: No such file or directory (os error 2)\n", "{arguments}");
    }
}

#[test]
fn options_that_do_nothing_are_not_taken() {
    let ground = Ground::with_archives();
    let table = [
        "restore --engine librsync a.0 out",
        "restore --memory 1M a.0 out",
        "list --force a.0",
        "verify --memory 1M a.0",
        "show --threads 2 a.0",
        "compare --force s.0 s.1",
        "patch --engine librsync /dev/null a.0 out",
    ];
    for arguments in table {
        ground.run(arguments).expect(USAGE);
        assert!(!ground.path("out").exists(), "{arguments}");
    }
    let help = ground.run("restore --help").expect(DONE);
    assert!(help.text().contains("Common options:") && !help.text().contains("--engine"), "{}", help.text());
}

#[test]
fn no_share_is_said_of_next_to_nothing() {
    let ground = Ground::new();
    fs::create_dir(ground.path("tree")).unwrap();
    ground.write("tree/tiny", b"x");
    for arguments in ["backup --snapshot s tree a", "level tree/tiny level"] {
        let said = ground.run(arguments).expect(DONE);
        assert!(said.stderr.contains("1 B") && !said.stderr.contains('%'), "{}", said.stderr);
    }
}
