//! How many files the process may have open, and what of that the directories of a tree take.

use rustix::process::{Resource, getrlimit};

use crate::Error;

/// More are of no use: only a tree that is deeper has to open a directory again.
const DIRECTORIES_MAX: u64 = 128;

/// With fewer, a walk does not go ahead: the directories of its batches would be missing elsewhere.
const AHEAD_MIN: u64 = 512;

fn limit() -> u64 {
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

/// How many directories a walk, or a restore, may hold open.
pub(crate) fn for_directories() -> usize {
    // A restore has two such stacks at a time, and the host has files of its own.
    (limit() / 8).clamp(2, DIRECTORIES_MAX) as usize
}

/// Whether a walk may go ahead of those who open what it has met.
pub(crate) fn suffice_to_go_ahead() -> bool {
    limit() >= AHEAD_MIN
}

/// Whether something failed because too many files are open, which is no fault of what was to be opened.
pub(crate) fn is_shortage(error: &Error) -> bool {
    let is = |errno: rustix::io::Errno| error.os_code() == Some(errno.raw_os_error());
    is(rustix::io::Errno::MFILE) || is(rustix::io::Errno::NFILE)
}
