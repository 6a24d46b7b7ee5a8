//! What is given to the wrong sub-command is named, and with it the right one.

use std::process::Command;

use crate::ground::{DONE, FAILED, Ground};

const TO_RESTORE: &str = "frazil restore, list and verify take archives";
const TO_SHOW: &str = "frazil show prints it";
const TO_PATCH: &str = "frazil patch applies deltas";
const TO_MATCH: &str = "frazil level --against takes a signature";

/// Every kind of stream, and a tree.
fn ground() -> Ground {
    let ground = Ground::with_archives();
    ground.run("level -q --signature-out sig source.0 level").expect(DONE);
    ground.run("delta -q --format rdiff sig source.1 plain.delta").expect(DONE);
    ground.run("signature -q --format rdiff source.0 plain.sig").expect(DONE);
    ground.run("backup -q --filter gzip --snapshot s.gz tree a.gz").expect(DONE);
    ground.write("text", &b"neither one nor the other\n".repeat(40));
    ground
}

#[test]
fn a_stream_of_another_kind_is_refused_by_name() {
    let ground = ground();
    let names = ground.names();
    let table = [
        ("restore s.0 out", "s.0: is a snapshot, and an archive is wanted", TO_SHOW),
        ("restore level out", "level: is a delta, and an archive is wanted", TO_PATCH),
        ("restore plain.delta out", "plain.delta: is a delta, and an archive is wanted", TO_PATCH),
        ("restore a.0 sig out", "sig: is a signature, and an archive is wanted", TO_MATCH),
        ("restore text out", "text: is nothing that frazil knows, and an archive is wanted", "frazil backup"),
        ("list s.0", "s.0: is a snapshot, and an archive is wanted", TO_SHOW),
        ("verify level", "level: is a delta, and an archive is wanted", TO_PATCH),
        ("verify --tree tree sig", "sig: is a signature, and an archive is wanted", TO_MATCH),
        ("backup --since a.0 --snapshot s tree a", "a.0: is an archive, and a snapshot is wanted", TO_RESTORE),
        ("backup --since sig --snapshot s tree a", "sig: is a signature, and a snapshot is wanted", TO_MATCH),
        ("backup --since level --snapshot s tree a", "level: is a delta, and a snapshot is wanted", TO_PATCH),
        ("patch /dev/null a.0 out", "a.0: is an archive, and a delta is wanted", TO_RESTORE),
        ("patch /dev/null a.gz out", "a.gz: is compressed by gzip, and a delta is wanted", TO_RESTORE),
        ("patch /dev/null level s.0 out", "s.0: is a snapshot, and a delta is wanted", TO_SHOW),
        ("level --against s.0 source.0 out", "s.0: is a snapshot, and a signature is wanted", TO_SHOW),
        ("level --against level source.0 out", "level: is a delta, and a signature is wanted", TO_PATCH),
        ("delta a.0 source.0 out", "a.0: is an archive, and a signature is wanted", TO_RESTORE),
        ("compare sig s.0", "s.0: is a snapshot, and a signature is wanted", TO_SHOW),
    ];
    for (arguments, message, advice) in table {
        let said = ground.run(arguments).expect(FAILED);
        assert!(said.stderr.starts_with(&format!("frazil: {message} (")), "{arguments}: {}", said.stderr);
        assert!(said.stderr.contains(advice), "{arguments}: {}", said.stderr);
        assert_eq!(said.stderr.lines().count(), 1, "{arguments}: {}", said.stderr);
        // Of the chain, what came before is there.
        if ground.path("out").is_dir() {
            std::fs::remove_dir_all(ground.path("out")).unwrap();
        }
        assert_eq!(ground.names(), names, "{arguments}");
    }
}

#[test]
fn a_pipe_is_looked_at_like_a_file() {
    let ground = ground();
    let said = ground.feed("restore - out", &ground.read("s.0")).expect(FAILED);
    assert!(said.stderr.contains("standard input: is a snapshot"), "{}", said.stderr);
    let said = ground.feed("patch /dev/null - out", &ground.read("a.0")).expect(FAILED);
    assert!(said.stderr.contains("standard input: is an archive"), "{}", said.stderr);
    let said = ground.feed("level --against - source.0 out", &ground.read("a.0")).expect(FAILED);
    assert!(said.stderr.contains("standard input: is an archive"), "{}", said.stderr);
}

#[test]
fn a_tar_of_someone_else_is_no_archive() {
    let ground = ground();
    for flags in ["-cf", "-czf"] {
        let mut tar = Command::new("tar");
        tar.arg(flags).arg(ground.path("t")).arg("-C").arg(ground.path("tree")).arg(".");
        assert!(tar.status().unwrap().success());
        for arguments in ["list t", "verify t", "restore t out"] {
            let said = ground.run(arguments).expect(FAILED);
            let message = if flags == "-cf" { "is a tar that frazil has not made" } else { "not an archive of frazil" };
            assert!(said.stderr.contains(message), "{arguments}: {}", said.stderr);
            assert!(!ground.path("out").exists());
        }
    }
}

#[test]
fn a_directory_is_backed_up_by_another_command() {
    let ground = ground();
    for arguments in ["level tree out", "signature tree out", "list tree", "restore tree out", "show tree"] {
        let said = ground.run(arguments).expect(FAILED);
        assert!(said.stderr.contains("tree: is a directory"), "{arguments}: {}", said.stderr);
        assert!(said.stderr.contains("frazil backup makes levels of directories"), "{arguments}: {}", said.stderr);
    }
}
