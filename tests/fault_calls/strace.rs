//! Which system calls a command makes, and runs of it in which one of them fails.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// Seconds after which a run hangs.
const HANGS: &str = "60";

/// What the system does not fail in the ways that are tried here: the memory, the threads, the signals, the clock and
/// the limits of a process, its end, its random bytes, and seeking in what can be sought.
const SPARED: [&str; 35] = [
    "brk",
    "clock_gettime",
    "clock_nanosleep",
    "clone",
    "clone3",
    "execve",
    "exit",
    "exit_group",
    "futex",
    "getegid",
    "geteuid",
    "getgid",
    "getpid",
    "getrandom",
    "gettid",
    "getuid",
    "lseek",
    "madvise",
    "mmap",
    "mprotect",
    "mremap",
    "munmap",
    "prlimit64",
    "restart_syscall",
    "rseq",
    "rt_sigaction",
    "rt_sigprocmask",
    "rt_sigreturn",
    "sched_getaffinity",
    "sched_yield",
    "set_robust_list",
    "sigaltstack",
    "sysinfo",
    "umask",
    "uname",
];

/// What can find the disk full.
const FILLING: [&str; 14] = [
    "copy_file_range",
    "fallocate",
    "fdatasync",
    "fsetxattr",
    "fsync",
    "ftruncate",
    "linkat",
    "lsetxattr",
    "mkdirat",
    "mknodat",
    "pwrite64",
    "renameat2",
    "symlinkat",
    "write",
];

/// What can be interrupted.
const INTERRUPTIBLE: [&str; 13] = [
    "copy_file_range",
    "fallocate",
    "fdatasync",
    "flock",
    "fsync",
    "ftruncate",
    "openat",
    "openat2",
    "poll",
    "pread64",
    "pwrite64",
    "read",
    "write",
];

/// What moves bytes, and may move none.
const MOVING: [&str; 5] = ["copy_file_range", "pread64", "pwrite64", "read", "write"];

/// How one call fails.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) call: String,
    /// Which of the calls of one thread it is, counted from one.
    number: usize,
    /// As strace has it.
    fault: &'static str,
}

impl Case {
    /// Whether it is one after which what was to be removed may be left.
    pub(crate) fn is_of_removal(&self) -> bool {
        matches!(self.call.as_str(), "unlink" | "unlinkat" | "rmdir")
    }

    /// Whether a read is made to look like the end.
    pub(crate) fn ends_a_file(&self) -> bool {
        self.fault == "retval=0" && matches!(self.call.as_str(), "read" | "pread64")
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "--inject={}:{}:when={}", self.call, self.fault, self.number)
    }
}

/// What a command did.
#[derive(Debug)]
pub(crate) struct Said {
    /// None where a signal ended it.
    pub(crate) status: Option<i32>,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
    /// The calls that were made to fail, as strace shows them.
    pub(crate) injected: Vec<String>,
}

/// Runs a command, undisturbed.
pub(crate) fn run(command: &Invocation) -> Said {
    said(Command::new(&command.program).args(&command.arguments), &command.environment)
}

/// A program, its arguments, and what it has in its environment.
pub(crate) struct Invocation {
    pub(crate) program: OsString,
    pub(crate) arguments: Vec<OsString>,
    pub(crate) environment: Option<(&'static str, OsString)>,
}

impl Invocation {
    /// Of the command, with `@` in its arguments for a directory.
    pub(crate) fn of_frazil(arguments: &str, dir: &Path) -> Self {
        let dir = dir.to_str().expect("UTF-8");
        let arguments = arguments.split(' ').map(|argument| argument.replace('@', dir).into()).collect();
        Self { program: env!("CARGO_BIN_EXE_frazil").into(), arguments, environment: None }
    }
}

fn said(command: &mut Command, environment: &Option<(&'static str, OsString)>) -> Said {
    command.envs(environment.iter().map(|(name, value)| (name, value))).stdin(Stdio::null());
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    Said { status: output.status.code(), stdout: output.stdout, stderr, injected: Vec::new() }
}

fn traced(log: &Path, options: &[String], command: &Invocation) -> Said {
    let mut strace = Command::new("timeout");
    strace.args(["--kill-after=1", HANGS, "strace", "-f", "-qq", "-o"]).arg(log).args(options);
    let mut said = said(strace.arg(&command.program).args(&command.arguments), &command.environment);
    let log = fs::read_to_string(log).unwrap_or_else(|error| panic!("{strace:?}: {error}: {}", said.stderr));
    said.injected = log.lines().filter(|line| line.ends_with("(INJECTED)")).map(str::to_owned).collect();
    said
}

/// Every way in which the calls of a command can fail, from the first that names something in `dir` on; and what the
/// command did when none did.
pub(crate) fn cases(command: &Invocation, dir: &Path, log: &Path) -> (Vec<Case>, Said) {
    let said = traced(log, &[], command);
    let log = fs::read_to_string(log).expect("what strace has seen");
    let mut made: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    // How often the first thread made each before its work began.
    let mut before: Option<BTreeMap<&str, usize>> = None;
    // How often each is made for the work by the thread that makes it most often.
    let mut last: BTreeMap<&str, usize> = BTreeMap::new();
    for line in log.lines() {
        let Some((thread, rest)) = line.split_once(' ') else { continue };
        let Some((call, _)) = rest.trim_start().split_once('(') else { continue };
        if !call.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') || SPARED.contains(&call) {
            continue;
        }
        if before.is_none() && rest.contains(dir.to_str().expect("UTF-8")) {
            before = Some(made.iter().map(|(&(_, call), &count)| (call, count)).collect());
        }
        let number = made.entry((thread, call)).or_default();
        *number += 1;
        if before.is_some() {
            let last = last.entry(call).or_default();
            *last = (*last).max(*number);
        }
    }
    let before = before.expect("the command names what it works on");
    let mut cases = Vec::new();
    for (call, last) in last {
        let first = before.get(call).map_or(1, |count| count + 1);
        let mut faults = vec!["error=EIO"];
        for (calls, fault) in [
            (&FILLING[..], "error=ENOSPC"),
            (&INTERRUPTIBLE[..], "error=EINTR"),
            (&MOVING[..], "error=EAGAIN"),
            (&MOVING[..], "retval=0"),
        ] {
            if calls.contains(&call) {
                faults.push(fault);
            }
        }
        for number in first..=last {
            cases.extend(faults.iter().map(|&fault| Case { call: call.to_owned(), number, fault }));
        }
    }
    (cases, said)
}

/// Runs a command in which one call fails.
pub(crate) fn disturbed(command: &Invocation, case: &Case, log: &Path) -> Said {
    traced(log, &[format!("--trace={}", case.call), case.to_string()], command)
}
