//! Every command that takes `--memory` keeps to it, and to what a process takes besides.

use std::process::Command;

use crate::ground::{DONE, FAILED, Ground, Said};

const MIB: u64 = 1 << 20;

/// Address space that no option is for: 48 MiB of code, libraries and stacks, and the buffers of streams.
const PROCESS: u64 = 80 * MIB;

/// Runs frazil in the address space of a process and so many bytes, which it is told of by `--memory`.
fn run_within(ground: &Ground, memory: u64, arguments: &str) -> Said {
    let frazil = env!("CARGO_BIN_EXE_frazil");
    let limit = (memory + PROCESS) / 1024;
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(format!("ulimit -v {limit}; exec {frazil} {arguments} --memory {memory}"));
    shell.current_dir(ground.path("")).output().unwrap().into()
}

/// Random content of 32 MiB as `source`, and behind one more byte as `shifted`.
fn ground() -> Ground {
    let ground = Ground::new();
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let words = (0..32 * MIB / 8).flat_map(|_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    });
    let mut content = vec![1];
    content.extend(words);
    ground.write("shifted", &content);
    ground.write("source", &content[1..]);
    ground
}

#[test]
fn levels_against_millions_of_blocks_keep_to_the_memory_that_is_allowed() {
    let ground = ground();
    run_within(&ground, 8 * MIB, "signature -q --threads 2 --block-size 16 source sig").expect(DONE);
    // Sums of 72 MiB, and an index of at most 24 MiB.
    let blocks = 2 * MIB;
    assert!(ground.read("sig").len() as u64 > 36 * blocks);
    let level = |options: &str| format!("level --json --threads 2 --force {options} --against sig shifted level");
    for (matching, memory, copied) in
        [("rolling", 32 * MIB, 32 * MIB), ("auto", 32 * MIB, 32 * MIB), ("auto", 24 * MIB, 0), ("aligned", 8 * MIB, 0)]
    {
        let signed = format!("--matching {matching} --signature-out new");
        let said = run_within(&ground, memory, &level(&signed)).expect(DONE);
        let json = said.json();
        assert_eq!(json["copy_bytes"], copied, "{matching} in {memory} bytes: {json}");
        let expected = if copied == 0 { "aligned" } else { matching };
        assert_eq!(json["matching"], expected, "{matching} in {memory} bytes: {json}");
    }
    let said = run_within(&ground, 24 * MIB, &level("--matching rolling")).expect(FAILED);
    assert!(said.stderr.contains("the level needs more memory than is allowed"), "{}", said.stderr);
    assert!(said.stderr.contains("raise --memory"), "{}", said.stderr);
}

#[test]
fn patches_and_chains_keep_to_the_memory_that_is_allowed() {
    let ground = ground();
    ground.run("level -q --block-size 1K --signature-out sig source level.0").expect(DONE);
    ground.run("level -q --against sig shifted level.1").expect(DONE);
    for arguments in ["patch -q source level.1 out", "patch -q /dev/null level.0 level.1 out"] {
        run_within(&ground, MIB, &format!("{arguments} --threads 2 --force")).expect(DONE);
        assert!(ground.read("out") == ground.read("shifted"), "{arguments}");
    }
}

#[test]
fn a_large_file_of_a_tree_is_scanned_in_the_memory_that_is_allowed() {
    let ground = ground();
    std::fs::create_dir(ground.path("tree")).unwrap();
    std::fs::rename(ground.path("source"), ground.path("tree/disk")).unwrap();
    // Sums of 1,152 KiB, which are to be held in no more than half of it.
    let memory = 2 * MIB;
    let backup = "backup -q --threads 2 --block-size 1K --snapshot snapshot.0 tree archive.0";
    run_within(&ground, memory, backup).expect(DONE);
    std::fs::rename(ground.path("shifted"), ground.path("tree/disk")).unwrap();
    let backup = "backup -q --threads 2 --since snapshot.0 --snapshot snapshot.1 tree archive.1";
    run_within(&ground, memory, backup).expect(DONE);
    let len = ground.read("archive.1").len();
    assert!(len < 100_000, "{len} bytes for one that was put in");
    ground.run("restore -q archive.0 archive.1 restored").expect(DONE);
    assert!(ground.read("restored/disk") == ground.read("tree/disk"));
}
