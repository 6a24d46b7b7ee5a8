//! What cannot be had of memory is a status, not the end of the process, wherever it grows with the content.

#[path = "support/c.rs"]
mod c;

use std::path::Path;

use c::{Bench, C99, ROOT, output_of};

/// Bytes from which on every allocation may fail: what is shorter is a part of the few mebibytes that the header
/// speaks of. What a level or a restore works in is at most 2 MiB each.
const LEAST: &str = "2097153";

#[test]
fn an_allocation_that_fails_is_said_over_the_c_interface_and_the_process_lives() {
    let bench = Bench::new();
    let program = bench.compile("cc", &Path::new(ROOT).join("tests/c/shortage.c"), &C99, &[]);
    let (mut command, _ground) = bench.command(&program);
    let is_thorough = std::env::var_os("FRAZIL_FAULTS").is_some();
    let said = output_of(command.arg(LEAST).args(is_thorough.then_some("all")));
    let sum = |what| said.lines().map(|line| count(line, what)).sum::<u64>();
    let [failed, status, without, ended] = ["failed:", "said so,", "did without,", "ended by"].map(sum);
    println!("{said}{failed} allocations failed: {status} statuses, {without} did without, {ended} in librsync");
    assert!(status > 70 && status + without + ended == failed, "{said}");
}

/// The number in front of these words.
fn count(line: &str, what: &str) -> u64 {
    let (before, _) = line.split_once(&format!(" {what}")).expect("a count");
    before.rsplit(' ').next().and_then(|number| number.parse().ok()).expect("a number")
}
