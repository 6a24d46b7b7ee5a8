//! Resident memory of this process, as the kernel counts it.

use std::fs;

fn status_kib(field: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("/proc/self/status");
    let line = status.lines().find(|line| line.starts_with(field)).expect("the field");
    line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).expect("a number")
}

/// Runs `work` and gives the most memory, in bytes, that the whole process had resident at any time of it.
pub(crate) fn peak_of<T>(work: impl FnOnce() -> T) -> (T, u64) {
    // Writing 5 sets the peak back to the present (proc(5), clear_refs).
    fs::write("/proc/self/clear_refs", "5").expect("set the peak back");
    let result = work();
    (result, status_kib("VmHWM:") * 1024)
}
