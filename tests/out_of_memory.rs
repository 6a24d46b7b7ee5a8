//! What cannot be had of memory is a status, not the end of the process, wherever it grows with the content.

#[path = "support/c.rs"]
mod c;
#[path = "support/sealed.rs"]
#[allow(dead_code, reason = "a snapshot is put together anew; nothing in it lies")]
mod sealed;

use std::path::Path;

use c::{Bench, C99, ROOT, output_of};
use sealed::{DATA, Says, Sealing, parts};

/// Bytes from which on every allocation may fail: what is shorter is a buffer of 64 KiB, or a part of the little that the
/// header speaks of.
const LEAST: &str = "65537";

/// The kind of a sealed stream that is a snapshot.
const SNAPSHOT: u8 = 3;

#[test]
fn an_allocation_that_fails_is_said_over_the_c_interface_and_the_process_lives() {
    let bench = Bench::new();
    let program = bench.compile("cc", &Path::new(ROOT).join("tests/c/shortage.c"), &C99, &[]);
    let (mut command, ground) = bench.command(&program);
    output_of(command.arg("ground"));
    let snapshot = std::fs::read(ground.path().join("snapshot.0")).unwrap();
    std::fs::write(ground.path().join("snapshot.frames"), in_frames_of_a_byte(&snapshot)).unwrap();

    let (mut command, _) = bench.command(&program);
    let is_thorough = std::env::var_os("FRAZIL_FAULTS").is_some();
    let said = output_of(command.current_dir(ground.path()).arg(LEAST).args(is_thorough.then_some("all")));
    let sum = |what| said.lines().map(|line| count(line, what)).sum::<u64>();
    let [failed, status, without, ended] = ["failed:", "said so,", "did without,", "ended by"].map(sum);
    println!("{said}{failed} allocations failed: {status} statuses, {without} did without, {ended} in librsync");
    assert!(said.lines().all(|line| count(line, "failed:") > 0), "{said}");
    assert!(status > 300 && status + without + ended == failed, "{said}");
}

/// The same payload, sealed anew in frames that are as short as they can be.
fn in_frames_of_a_byte(stream: &[u8]) -> Vec<u8> {
    let frames = parts(stream).into_iter().skip(1).map(|frame| &stream[frame]).filter(|frame| frame[0] == DATA);
    let payload = frames.map(|frame| &frame[22..frame.len() - 4]).collect::<Vec<_>>().concat();
    let sealing = Sealing::new(SNAPSHOT, &[]);
    let sealing = payload.iter().zip(1..).fold(sealing, |sealing, (&byte, end)| sealing.data(&[byte], end));
    sealing.end(&Says::truth(&payload))
}

/// The number in front of these words.
fn count(line: &str, what: &str) -> u64 {
    let (before, _) = line.split_once(&format!(" {what}")).expect("a count");
    before.rsplit(' ').next().and_then(|number| number.parse().ok()).expect("a number")
}
