//! Levels are made and restored, through files and pipes, ours and rdiff's.

use crate::ground::{DONE, Ground, LEVELS, USAGE, states};

#[test]
fn every_level_is_restored_in_one_pass() {
    let ground = Ground::with_levels();
    let states = states();
    let mut deltas = String::new();
    for (level, state) in states.iter().enumerate() {
        deltas += &format!("level.{level} ");
        ground.run(&format!("patch /dev/null {deltas} restored.{level}")).expect(DONE);
        assert!(ground.read(&format!("restored.{level}")) == *state, "level {level}");
        let piped = ground.run(&format!("patch /dev/null {deltas} -")).expect(DONE);
        assert!(piped.stdout == *state, "level {level} to standard output");
    }
}

#[test]
fn levels_applied_one_after_the_other_give_the_same() {
    let ground = Ground::with_levels();
    ground.run("patch /dev/null level.0 file").expect(DONE);
    for (level, state) in states().iter().enumerate().skip(1) {
        ground.run(&format!("patch --force file level.{level} file")).expect(DONE);
        assert!(ground.read("file") == *state, "level {level}");
    }
}

#[test]
fn a_level_of_little_change_is_small() {
    let ground = Ground::with_levels();
    let sizes: Vec<_> = (0..LEVELS).map(|level| ground.read(&format!("level.{level}")).len()).collect();
    assert!(sizes[0] > 300_000, "{sizes:?}");
    // Zeros that begin within a piece of 64 KiB are written out up to its end.
    assert!(sizes[1] < 5_000 && sizes[2] < 70_000 && sizes[3] < 1_000, "{sizes:?}");
}

#[test]
fn every_input_and_output_can_be_a_pipe() {
    let ground = Ground::with_levels();
    let states = states();
    let sig = ground.feed("signature --block-size 4K - -", &states[0]).expect(DONE).stdout;
    let delta = ground.feed("delta - source.1 -", &sig).expect(DONE).stdout;
    let restored = ground.feed("patch source.0 - -", &delta).expect(DONE).stdout;
    assert!(restored == states[1]);

    let level = ground.feed("level --against sig.1 - -", &states[2]).expect(DONE).stdout;
    ground.feed("patch source.1 - restored", &level).expect(DONE);
    assert!(ground.read("restored") == states[2]);

    let sig = ground.feed("level --signature-out - - level", &states[0]).expect(DONE).stdout;
    let shown = ground.feed("show --json -", &sig).expect(DONE).json();
    assert_eq!(shown["kind"], "signature");
    let compared = ground.feed("compare --json --data sig.0 -", &states[0]).expect(DONE).json();
    assert_eq!(compared["totals"]["changed_bytes"], 0);
}

#[test]
fn a_file_on_standard_input_can_be_a_basis_and_one_of_several_deltas() {
    let ground = Ground::with_levels();
    let state = &states()[1];
    let open = |name: &str| std::fs::File::open(ground.path(name)).unwrap();
    for (arguments, stdin) in [
        ("patch - level.1 a", "source.0"),
        ("patch - level.1 -", "source.0"),
        ("patch /dev/null level.0 - b", "level.1"),
    ] {
        let output = ground.command(arguments).stdin(open(stdin)).output().unwrap();
        assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
        let restored = arguments.rsplit(' ').next().filter(|&out| out != "-").map(|out| ground.read(out));
        assert!(restored.unwrap_or(output.stdout) == *state, "{arguments}");
    }
}

#[test]
fn what_must_be_read_anywhere_cannot_be_a_pipe() {
    let ground = Ground::with_levels();
    for arguments in ["patch - level.1 out", "patch /dev/null level.0 - out"] {
        let said = ground.feed(arguments, &ground.read("source.0")).expect(USAGE);
        assert!(said.stderr.contains("pipe") && said.stderr.contains("save it to a file"), "{}", said.stderr);
    }
}

#[test]
fn every_matching_and_engine_makes_a_level_that_restores() {
    let ground = Ground::with_levels();
    let table = [
        "--matching auto",
        "--matching aligned",
        "--matching aligned --memory 10M",
        "--matching rolling",
        "--matching rolling --threads 1",
        "--engine librsync",
        "--engine librsync --format rdiff",
        "--format rdiff",
    ];
    for (number, options) in table.into_iter().enumerate() {
        let made =
            ground.run(&format!("level {options} --against sig.0 --signature-out s.{number} source.2 l.{number}"));
        made.expect(DONE);
        ground.run(&format!("patch source.0 l.{number} out.{number}")).expect(DONE);
        assert!(ground.read(&format!("out.{number}")) == states()[2], "{options}");
    }
}

#[test]
fn a_signature_that_does_not_fit_in_memory_is_read_from_its_file() {
    let ground = Ground::new();
    // 300,000 blocks take 10 MiB, and an index of them 4 MiB.
    ground.run("signature -q --block-size 1 source.0 sig").expect(DONE);
    let note = "starting a level: the index does not fit in the memory allowed: matching aligned blocks only";
    for (memory, matching, notes) in [("16M", "auto", 0), ("10M", "aligned", 1)] {
        let options = format!("--force --json --memory {memory} --signature-out new");
        let said = ground.run(&format!("delta {options} sig source.1 delta")).expect(DONE);
        let json = said.json();
        assert_eq!(json["matching"], matching, "{json}");
        assert!(json["copy_bytes"].as_u64().unwrap() >= 299_900, "{json}");
        let noted = json["notes"].as_array().unwrap();
        assert_eq!(noted.len(), notes, "{json}");
        assert!(noted.iter().all(|said| said.as_str().unwrap().starts_with(note)), "{json}");
        ground.run("patch --force source.0 delta out").expect(DONE);
        assert!(ground.read("out") == states()[1]);
    }
}

#[test]
fn rdiff_reads_what_we_write_and_we_what_it_writes() {
    let ground = Ground::new();
    let table = [
        ("--hash blake2 --weak rabinkarp", "-H blake2 -R rabinkarp"),
        ("--hash blake2 --weak rollsum --strong-len 16", "-H blake2 -R rollsum -S 16"),
        ("--hash md4 --weak rabinkarp", "-H md4 -R rabinkarp"),
        ("--hash md4 --weak rollsum --strong-len 8", "-H md4 -R rollsum -S 8"),
    ];
    for (ours, theirs) in table {
        ground.run(&format!("signature --force --format rdiff --block-size 1000 {ours} source.0 our.sig")).expect(DONE);
        // Written with its number only: a length that is the hash's own counts as none for rdiff.
        ground.rdiff(&format!("-f -b 1000 {theirs} signature source.0 their.sig"));
        assert!(ground.read("our.sig") == ground.read("their.sig"), "{ours}");

        ground.run("delta --force --format rdiff their.sig source.1 our.delta").expect(DONE);
        ground.rdiff("-f patch source.0 our.delta restored");
        assert!(ground.read("restored") == states()[1], "{ours}");

        ground.rdiff("-f delta our.sig source.1 their.delta");
        ground.run("patch --force source.0 their.delta restored").expect(DONE);
        assert!(ground.read("restored") == states()[1], "{ours}");
    }
}

#[test]
fn the_limit_of_the_output_holds() {
    let ground = Ground::with_levels();
    let said = ground.run("patch --max-output 299999 /dev/null level.0 out").expect(1);
    assert!(
        said.stderr.contains("at most 299999 bytes") && said.stderr.contains("raise --max-output"),
        "{}",
        said.stderr
    );
    ground.run("patch --max-output 300000 /dev/null level.0 out").expect(DONE);
}
