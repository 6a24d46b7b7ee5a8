//! Outputs appear whole or not at all, and replace nothing unasked.

use std::fs;
use std::os::unix::fs::{FileTypeExt, symlink};
use std::process::Command;

use crate::ground::{DONE, FAILED, Ground, USAGE, states};

#[test]
fn an_output_that_is_there_is_replaced_only_with_force() {
    let ground = Ground::with_levels();
    let table = [
        "signature source.0 there",
        "delta sig.0 source.1 there",
        "delta --signature-out there sig.0 source.1 new",
        "level source.0 there",
        "patch /dev/null level.0 there",
        "patch /dev/null level.0 level.1 there",
    ];
    for arguments in table {
        ground.write("there", b"old");
        let names = ground.names();
        let said = ground.run(arguments).expect(FAILED);
        let message =
            "frazil: writing there: is there already, and was not to be replaced (give --force to replace it)\n";
        assert_eq!(said.stderr, message, "{arguments}");
        assert_eq!(ground.read("there"), b"old", "{arguments}");
        assert_eq!(ground.names(), names, "{arguments}");

        ground.run(&format!("{arguments} --force")).expect(DONE);
        assert_ne!(ground.read("there"), b"old", "{arguments}");
    }
}

#[test]
fn a_failure_leaves_the_old_output_and_no_other_file() {
    let ground = Ground::with_levels();
    let mut torn = ground.read("level.1");
    torn.truncate(torn.len() / 2);
    ground.write("torn", &torn);
    ground.write("there", b"old");
    let names = ground.names();
    let table = [
        ("patch --force source.0 torn there", "restoring there: reading a delta at offset"),
        ("patch --force source.0 level.1 torn there", "restoring there: "),
        ("patch --force source.2 level.1 there", "restore the levels in order"),
        ("patch --force /dev/null level.0 level.2 there", "restore the levels in order"),
        ("delta --force --signature-out there torn source.1 delta", "torn: is a delta, and a signature is wanted"),
        ("level --force nowhere there", "opening nowhere: No such file or directory"),
    ];
    for (arguments, message) in table {
        let said = ground.run(arguments).expect(FAILED);
        assert!(said.stderr.starts_with("frazil: ") && said.stderr.contains(message), "{arguments}: {}", said.stderr);
        assert_eq!(said.stderr.lines().count(), 1, "{arguments}: {}", said.stderr);
        assert_eq!(ground.read("there"), b"old", "{arguments}");
        assert_eq!(ground.names(), names, "{arguments}");
    }
}

#[test]
fn the_source_is_never_an_output() {
    let ground = Ground::with_levels();
    symlink("source.0", ground.path("link")).unwrap();
    fs::hard_link(ground.path("source.0"), ground.path("same")).unwrap();
    for arguments in [
        "signature source.0 source.0",
        "delta sig.0 source.0 link",
        "level source.0 same",
        "level --signature-out source.0 link out",
    ] {
        let said = ground.run(&format!("{arguments} --force")).expect(USAGE);
        assert!(said.stderr.contains("the output would replace the source"), "{arguments}: {}", said.stderr);
        assert!(ground.read("source.0") == states()[0], "{arguments}");
    }
}

#[test]
fn two_outputs_never_go_to_one_place_however_it_is_spelt() {
    let ground = Ground::with_tree();
    ground.write("there", b"old");
    symlink(".", ground.path("here")).unwrap();
    let names = ground.names();
    for spelt in ["there", "./there", "tree/../there", "here/there"] {
        for arguments in [
            format!("backup --force --snapshot there tree {spelt}"),
            format!("level --force --signature-out there tree/data {spelt}"),
        ] {
            let said = ground.run(&arguments).expect(USAGE);
            assert_eq!(said.stderr, format!("frazil: two outputs cannot both go to {spelt}\n"), "{arguments}");
            assert_eq!((ground.read("there"), ground.names()), (b"old".to_vec(), names.clone()), "{arguments}");
        }
    }
}

#[test]
fn a_signature_may_replace_the_one_that_it_follows() {
    let ground = Ground::with_levels();
    ground.run("level --force --against sig.0 --signature-out sig.0 source.1 level").expect(DONE);
    let said = ground.run("compare --json --data sig.0 source.1").expect(DONE);
    assert_eq!(said.json()["totals"]["changed_bytes"], 0);
}

#[test]
fn special_files_are_written_as_they_are() {
    let ground = Ground::with_levels();
    ground.run("level source.0 /dev/null").expect(DONE);
    assert!(fs::metadata("/dev/null").unwrap().file_type().is_char_device());

    let said = ground.run("level -q --against sig.0 source.1 /dev/stdout").expect(DONE);
    assert!(ground.feed("patch source.0 - -", &said.stdout).expect(DONE).stdout == states()[1]);

    let said = ground.run("level source.0 /dev/full").expect(FAILED);
    assert!(said.stderr.contains("writing /dev/full: No space left on device"), "{}", said.stderr);

    let fifo = ground.path("fifo");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let mut reader = Command::new("cp").args([&fifo, &ground.path("copy")]).spawn().unwrap();
    ground.run("patch /dev/null level.0 fifo").expect(DONE);
    assert!(reader.wait().unwrap().success());
    assert!(ground.read("copy") == states()[0]);
}

#[test]
fn a_file_behind_standard_output_is_not_replaced() {
    let ground = Ground::with_levels();
    for place in ["-", "/dev/stdout"] {
        let file = fs::File::create(ground.path("out")).unwrap();
        let status = ground.command(&format!("patch -q /dev/null level.0 {place}")).stdout(file).status().unwrap();
        assert!(status.success(), "{place}");
        assert!(ground.read("out") == states()[0], "{place}");
    }
}

#[test]
fn a_directory_is_neither_input_nor_output() {
    let ground = Ground::with_levels();
    fs::create_dir(ground.path("dir")).unwrap();
    for (arguments, advice) in [
        ("level dir out", "frazil backup makes levels of directories"),
        ("signature dir out", "frazil backup makes levels of directories"),
        ("level --force source.0 dir", "dir: is a directory"),
        ("patch --force /dev/null level.0 dir", "dir: is a directory"),
    ] {
        let said = ground.run(arguments).expect(FAILED);
        assert!(said.stderr.contains(advice), "{arguments}: {}", said.stderr);
    }
}

#[test]
fn zeros_become_holes() {
    use std::os::unix::fs::MetadataExt;
    let ground = Ground::new();
    let file = fs::File::create(ground.path("sparse")).unwrap();
    file.set_len(64 << 20).unwrap();
    ground.run("level sparse level").expect(DONE);
    assert!(ground.read("level").len() < 100_000);
    ground.run("patch /dev/null level restored").expect(DONE);
    let data = fs::metadata(ground.path("restored")).unwrap();
    assert_eq!(data.len(), 64 << 20);
    assert!(data.blocks() * 512 < 1 << 20, "{} blocks", data.blocks());
}

#[test]
fn an_archive_and_a_snapshot_in_the_tree_are_no_part_of_it_nor_are_those_that_they_replace() {
    let ground = Ground::new();
    fs::create_dir(ground.path("tree")).unwrap();
    ground.write("tree/file", b"content");
    for round in 0..3 {
        ground.run("backup -q --force --snapshot tree/s tree tree/a").expect(DONE);
        let listed = ground.run("list -q --json tree/a").expect(DONE).stdout;
        let listed = String::from_utf8(listed).unwrap();
        assert!(listed.contains(r#""path":"file""#), "{listed}");
        for output in [r#""path":"a""#, r#""path":"s""#, "tmp"] {
            assert!(!listed.contains(output), "round {round}: {listed}");
        }
    }
}
