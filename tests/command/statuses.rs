//! The exit status says how it ended.

use std::fs::File;
use std::io::{Read, Write};
use std::process::Stdio;

use crate::ground::{DONE, FAILED, Ground, PROBLEMS, Said, USAGE, parse, states};

#[test]
fn every_way_to_end_has_its_status() {
    let ground = Ground::with_levels();
    ground.run("signature -q --format rdiff --hash md4 source.0 md4.sig").expect(DONE);
    std::fs::create_dir(ground.path("tree")).unwrap();
    ground.run("backup -q --snapshot snap tree archive").expect(DONE);
    ground.write("text", b"neither signature nor delta");
    let table = [
        ("--help", DONE),
        ("level --help", DONE),
        ("--version", DONE),
        ("compare sig.0 sig.1", DONE),
        ("show level.1", DONE),
        ("", USAGE),
        ("nonsense", USAGE),
        ("level", USAGE),
        ("level source.0", USAGE),
        ("patch /dev/null level.0", USAGE),
        ("level --block-size 0 source.0 out", USAGE),
        ("level --block-size 2G source.0 out", USAGE),
        ("level --memory much source.0 out", USAGE),
        ("level --threads 0 source.0 out", USAGE),
        ("level --against - - out", USAGE),
        ("delta - - out", USAGE),
        ("patch - - out", USAGE),
        ("compare - -", USAGE),
        ("level --signature-out - source.0 -", USAGE),
        ("level --signature-out out source.0 out", USAGE),
        ("signature --hash md4 source.0 out", USAGE),
        ("signature --strong-len 8 source.0 out", USAGE),
        ("signature --format rdiff --strong-len 33 source.0 out", USAGE),
        ("level --against sig.0 --engine librsync --matching aligned source.1 out", USAGE),
        ("level --against sig.0 --block-size 8K --matching aligned source.1 out", USAGE),
        ("backup tree out", USAGE),
        ("backup --snapshot s tree", USAGE),
        ("backup --snapshot - tree -", USAGE),
        ("backup --snapshot out tree out", USAGE),
        ("backup --engine librsync --snapshot s tree out", USAGE),
        ("backup --filter rar --snapshot s tree out", USAGE),
        ("backup --block-size 512 --snapshot s tree out", USAGE),
        ("backup --since snap --block-size 4K --snapshot s tree out", USAGE),
        ("backup --exclude a{b --snapshot s tree out", USAGE),
        ("restore", USAGE),
        ("restore archive -", USAGE),
        ("restore - - out", USAGE),
        ("restore archive text", USAGE),
        ("restore --map-user 1 archive out", USAGE),
        ("restore --path .. archive out", USAGE),
        ("restore --assume-parent 12 archive out", USAGE),
        ("verify", USAGE),
        ("verify - -", USAGE),
        ("verify --nodump archive", USAGE),
        ("list", USAGE),
        ("backup --snapshot s nowhere out", FAILED),
        ("backup --since nowhere --snapshot s tree out", FAILED),
        ("restore nowhere out", FAILED),
        ("restore nowhere", FAILED),
        ("verify --tree nowhere archive", FAILED),
        ("list nowhere", FAILED),
        ("verify --tree tree archive", DONE),
        ("show archive", DONE),
        ("show snap", DONE),
        ("show text", FAILED),
        ("compare sig.0 text", FAILED),
        ("compare sig.0 level.0", FAILED),
        ("compare sig.0 md4.sig", FAILED),
        ("level --against text source.0 out", FAILED),
        ("level --against sig.0 --memory 1M source.0 out", FAILED),
        ("delta md4.sig source.1 out", FAILED),
        ("patch source.2 level.1 out", FAILED),
        ("patch /dev/null text out", FAILED),
        ("delta --allow-weak md4.sig source.1 weak", PROBLEMS),
        ("patch source.0 weak restored", PROBLEMS),
    ];
    for (arguments, status) in table {
        let said = ground.run(arguments);
        assert_eq!(said.status, Some(status), "frazil {arguments}: {}", said.stderr);
        assert!(!ground.path("out").exists(), "frazil {arguments}");
    }
}

#[test]
fn failures_take_one_line_with_advice() {
    let ground = Ground::with_levels();
    ground.run("signature -q --format rdiff --hash md4 source.0 md4.sig").expect(DONE);
    let table = [
        ("delta md4.sig source.1 out", "give --allow-weak"),
        ("level --against sig.0 --memory 1M source.0 out", "raise --memory"),
        ("signature --hash md4 source.0 out", "give --format rdiff"),
        ("patch source.2 level.1 out", "restore the levels in order"),
    ];
    for (arguments, advice) in table {
        let said = ground.run(arguments);
        assert!(said.stderr.starts_with("frazil: ") && said.stderr.contains(advice), "{arguments}: {}", said.stderr);
        assert_eq!(said.stderr.lines().count(), 1, "{arguments}: {}", said.stderr);
    }
}

#[test]
fn a_weak_stream_is_named_as_a_problem() {
    let ground = Ground::new();
    ground.run("signature -q --format rdiff --hash md4 source.0 md4.sig").expect(DONE);
    let said = ground.run("delta --json --allow-weak md4.sig source.1 weak").expect(PROBLEMS);
    assert!(said.json()["problems"][0].as_str().unwrap().contains("weak sums"));
    assert_eq!(said.json()["basis_verifiable"], false);
    let said = ground.run("patch -q source.0 weak restored").expect(PROBLEMS);
    assert_eq!(said.stderr, "frazil: blocks were matched on weak sums, on which a false match can be crafted\n");
    assert_eq!(ground.read("restored"), ground.read("source.1"));
}

#[test]
fn a_source_that_changes_while_it_is_read_is_a_problem() {
    let ground = Ground::new();
    // Much more than fits into the pipe, so that the end is not reached before it is read here.
    ground.write("growing", &states()[0].repeat(40));
    let mut command = ground.command("level --json --signature-out sig growing -");
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut level = vec![0; 1];
    let mut stdout = child.stdout.take().unwrap();
    stdout.read_exact(&mut level).unwrap();
    File::options().append(true).open(ground.path("growing")).unwrap().write_all(b"more").unwrap();
    stdout.read_to_end(&mut level).unwrap();
    let said = Said::from(child.wait_with_output().unwrap()).expect(PROBLEMS);
    let json = parse(&said.stderr);
    assert_eq!((&json["dirty"], &json["source_bytes"]), (&true.into(), &12_000_000.into()));
    assert!(json["problems"][0].as_str().unwrap().starts_with("growing: changed while it was read"), "{json}");

    let said = ground.feed("patch -q /dev/null - restored", &level).expect(PROBLEMS);
    assert!(said.stderr.contains("the source had changed while the level was made"), "{}", said.stderr);
    assert!(ground.read("restored") == states()[0].repeat(40));
    for (name, bytes) in [("level", &level[..]), ("signature", &ground.read("sig"))] {
        let shown = ground.feed("show --json -", bytes).expect(DONE).json();
        assert_eq!(shown["dirty"], true, "{name}");
    }
}
