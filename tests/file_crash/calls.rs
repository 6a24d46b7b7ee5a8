//! Killing a run as it enters a call of the system.

use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};

/// Whether there is an strace that may look into other processes.
pub(crate) fn can_kill_at_calls() -> bool {
    let can = Command::new("strace").args(["-o", "/dev/null", "true"]).output();
    let can = can.is_ok_and(|output| output.status.success());
    assert!(can || std::env::var_os("FRAZIL_REQUIRE_TOOLS").is_none(), "strace is not installed, or may do nothing");
    can
}

/// Runs this and kills it as one of its threads enters a call, as strace names it, for the `number`-th time; gives
/// whether one did.
pub(crate) fn killed_at(call: &str, number: usize, command: Command) -> bool {
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-o", "/dev/null", &format!("--trace={call}")]);
    strace.arg(format!("--inject={call}:signal=KILL:when={number}"));
    strace.arg(command.get_program()).args(command.get_args()).stdin(Stdio::null()).stdout(Stdio::null());
    strace.current_dir(command.get_current_dir().expect("it runs in a directory"));
    let status = strace.stderr(Stdio::null()).status().expect("run strace");
    let was_killed = status.signal() == Some(libc::SIGKILL);
    assert!(was_killed || status.success(), "{strace:?}: {status}");
    was_killed
}
