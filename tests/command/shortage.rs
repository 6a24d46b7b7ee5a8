//! Where few files may be open, as many are as there may be.

use std::fs;
use std::process::Command;

use crate::ground::{DONE, FAILED, Ground, Said};

/// A deep tree, and one with more directories side by side than may be open.
fn trees() -> Ground {
    let ground = Ground::new();
    let mut deep = ground.path("tree/deep");
    for _ in 0..300 {
        deep.push("d");
    }
    fs::create_dir_all(&deep).unwrap();
    fs::write(deep.join("file"), "at the bottom").unwrap();
    for number in 0..300 {
        let directory = ground.path(&format!("tree/wide/{number}/below"));
        fs::create_dir_all(&directory).unwrap();
        fs::write(directory.join("file"), number.to_string()).unwrap();
    }
    ground
}

/// Runs frazil with no more open files than this: `-n` is for both limits, `-Sn` for that which may be raised.
fn run_within(ground: &Ground, limit: &str, arguments: &str) -> Said {
    let frazil = env!("CARGO_BIN_EXE_frazil");
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(format!("ulimit {limit}; exec {frazil} {arguments}")).current_dir(ground.path(""));
    shell.output().unwrap().into()
}

#[test]
fn a_tree_goes_there_and_back_with_few_open_files() {
    for (number, limit) in ["-n 48", "-n 128", "-Sn 16"].into_iter().enumerate() {
        let ground = trees();
        let backup = format!("backup -q --threads 4 --snapshot s{number} tree a{number}");
        run_within(&ground, limit, &backup).expect(DONE);
        run_within(&ground, limit, &format!("restore -q a{number} restored")).expect(DONE);
        let file = format!("restored/deep/{}file", "d/".repeat(300));
        assert_eq!(ground.read(&file), b"at the bottom", "{limit}");
        ground.run(&format!("verify -q --tree restored a{number}")).expect(DONE);
    }
}

#[test]
fn a_shortage_of_open_files_is_a_failure_and_no_fault_of_the_tree() {
    let ground = trees();
    let said = run_within(&ground, "-n 10", "backup -q --snapshot s tree a").expect(FAILED);
    assert!(said.stderr.contains("Too many open files") && !said.stderr.contains("could not"), "{}", said.stderr);
    assert!(!ground.path("s").exists() && !ground.path("a").exists());
}

#[test]
fn what_cannot_be_written_is_told_of_whatever_the_number_of_threads() {
    let ground = Ground::new();
    ground.write("content", &vec![b'x'; 5 << 20]);
    ground.run("level -q --signature-out s content delta").expect(DONE);
    for threads in [1, 2, 8] {
        let arguments = format!("patch -q --threads {threads} /dev/null delta target");
        // Half of what is to be written may be, and what is behind fails as on a full device.
        let said = run_within(&ground, "-f 5120; trap '' XFSZ", &arguments).expect(FAILED);
        assert!(said.stderr.contains("File too large"), "{threads} threads: {}", said.stderr);
        assert!(ground.names().iter().all(|name| !name.contains("target")), "{threads} threads: {:?}", ground.names());
    }
}
