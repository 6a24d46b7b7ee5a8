//! What is said where: data, summaries and progress do not mix.

use crate::ground::{DONE, Ground, parse, states};

#[test]
fn the_summary_is_json_on_the_stream_that_carries_no_data() {
    let ground = Ground::with_levels();
    let table = [
        ("signature --json source.0 a.sig", "signature --json source.0 -"),
        ("delta --json sig.0 source.1 a.delta", "delta --json sig.0 source.1 -"),
        ("level --json source.0 a.level", "level --json source.0 -"),
        ("patch --json /dev/null level.0 a.out", "patch --json /dev/null level.0 -"),
    ];
    for (to_file, to_stdout) in table {
        let said = ground.run(to_file).expect(DONE);
        assert_eq!(said.stderr, "", "{to_file}");
        let json = said.json();
        assert_eq!(json["command"], to_file.split(' ').next().unwrap());
        assert_eq!(json["problems"], serde_json::json!([]), "{to_file}");
        assert_eq!(json["identity"]["fingerprint"].as_str().map(str::len), Some(64), "{to_file}");

        let said = ground.run(to_stdout).expect(DONE);
        let mut again = parse(&said.stderr);
        again["seconds"] = json["seconds"].clone();
        assert_eq!(again, json, "{to_stdout}");
    }
    let said = ground.run("level --json --signature-out - source.0 b.level").expect(DONE);
    assert_eq!(parse(&said.stderr)["signature_bytes"], said.stdout.len());
}

#[test]
fn json_has_exact_numbers() {
    let ground = Ground::with_levels();
    let json = ground.run("level --json --against sig.1 --signature-out new source.2 level").expect(DONE).json();
    assert_eq!(json["source_bytes"], 500_000);
    assert_eq!(json["identity"]["length"], 500_000);
    assert_eq!(json["stream_bytes"], ground.read("level").len());
    assert_eq!(json["signature_bytes"], ground.read("new").len());
    let parts = ["copy_bytes", "literal_bytes", "zero_bytes"].map(|part| json[part].as_u64().unwrap());
    assert!(parts.iter().sum::<u64>() == 500_000 && parts[0] >= 290_000, "{json}");

    let json = ground.run("patch --json source.1 level out").expect(DONE).json();
    assert_eq!((&json["output_bytes"], &json["verified"]), (&500_000.into(), &true.into()));
    assert_eq!(json["stream_bytes"], ground.read("level").len());
}

#[test]
fn standard_output_carries_data_alone() {
    let ground = Ground::with_levels();
    for options in ["", "-q", "--json"] {
        let said = ground.run(&format!("patch {options} /dev/null level.0 level.1 -")).expect(DONE);
        assert!(said.stdout == states()[1], "{options}");
    }
    for arguments in ["level source.0 a", "signature source.0 b", "patch /dev/null level.0 c"] {
        assert_eq!(ground.run(arguments).expect(DONE).stdout, b"", "{arguments}");
    }
}

#[test]
fn a_pipe_sees_one_line_and_no_progress() {
    let ground = Ground::with_levels();
    let table = ["level source.0 a", "signature source.0 b", "delta sig.0 source.1 c", "patch /dev/null level.0 d"];
    for arguments in table {
        let said = ground.run(arguments).expect(DONE);
        assert_eq!(said.stderr.lines().count(), 1, "{arguments}: {}", said.stderr);
        assert!(!said.stderr.contains(['\r', '\x1b']), "{arguments}: {:?}", said.stderr);
        assert_eq!(ground.run(&format!("-q {arguments} --force")).expect(DONE).stderr, "", "{arguments}");
    }
}

#[test]
fn the_summary_of_a_level_says_what_it_is_made_of() {
    let ground = Ground::with_levels();
    let said = ground.run("level --against sig.0 source.1 level").expect(DONE);
    assert!(said.stderr.starts_with("source.1: 292.97 KiB read, "), "{}", said.stderr);
    assert!(
        said.stderr.contains(" %): ") && said.stderr.contains(" copied, ") && said.stderr.contains(" literal, "),
        "{}",
        said.stderr
    );
}

#[test]
fn the_long_version_names_the_libraries() {
    let ground = Ground::new();
    let first = format!("frazil {}", frazil::VERSION);
    let said = ground.run("--version").expect(DONE);
    let lines: Vec<_> = said.text().lines().collect();
    assert_eq!((lines.len(), lines[0]), (3, &*first));
    let number =
        |line: &str, name: &str| line.strip_prefix(name).is_some_and(|version| version.split('.').count() == 3);
    assert!(number(lines[1], "librsync "), "{lines:?}");
    assert!(number(lines[2], "libarchive ") || cfg!(not(feature = "tree")), "{lines:?}");
    assert_eq!(ground.run("-V").expect(DONE).text(), format!("{first}\n"));
}

#[test]
fn every_sub_command_shows_examples() {
    let ground = Ground::new();
    for command in ["backup", "restore", "list", "verify", "signature", "delta", "level", "patch", "compare", "show"] {
        let said = ground.run(&format!("{command} --help")).expect(DONE);
        assert!(said.text().contains("Example") && said.text().contains(&format!("  frazil {command} ")));
    }
}
