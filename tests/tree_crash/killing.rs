//! Killing a run at a random time, and keeping count.

use std::collections::BTreeMap;
use std::fmt;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::random::Random;

/// How often is looked whether a run has come to where its killing begins.
const LOOK: Duration = Duration::from_micros(50);

/// A directory to kill runs in. Memory is as good as a disk for that, since what was written stays, flushed or not, and
/// far faster; `TMPDIR` says where else it may be.
pub(crate) fn scratch() -> TempDir {
    let here =
        if std::env::var_os("TMPDIR").is_some() { tempfile::tempdir() } else { tempfile::tempdir_in("/dev/shm") };
    here.or_else(|_| tempfile::tempdir()).expect("a directory")
}

/// Runs this and kills it `delay` after `begun` first holds; gives whether it was still running.
pub(crate) fn killed_after(delay: Duration, mut command: Command, begun: impl FnMut() -> bool) -> bool {
    let mut child = command.stderr(Stdio::null()).spawn().expect("run frazil");
    if wait_until(&mut child, begun) {
        std::thread::sleep(delay);
    }
    child.kill().expect("kill frazil");
    let status = child.wait().expect("frazil's end");
    let was_killed = status.signal() == Some(libc::SIGKILL);
    assert!(was_killed || status.success(), "{command:?}: {status}");
    was_killed
}

/// Waits until `begun` holds or the run has ended; gives whether it is still running.
fn wait_until(child: &mut Child, mut begun: impl FnMut() -> bool) -> bool {
    while child.try_wait().expect("frazil's state").is_none() {
        if begun() {
            return true;
        }
        std::thread::sleep(LOOK);
    }
    false
}

/// How long an undisturbed run takes from when `begun` first holds.
pub(crate) fn duration_of(mut command: Command, begun: impl FnMut() -> bool) -> Duration {
    let mut start = Instant::now();
    let mut child = command.stderr(Stdio::null()).spawn().expect("run frazil");
    if wait_until(&mut child, begun) {
        start = Instant::now();
    }
    assert!(child.wait().expect("frazil's end").success(), "{command:?}");
    start.elapsed()
}

/// Some time of a duration.
pub(crate) fn within(duration: Duration, random: &mut Random) -> Duration {
    Duration::from_nanos(random.next() % (duration.as_nanos() as u64 + 1))
}

/// How many runs were killed, and what they left.
pub(crate) struct Kills {
    wanted: usize,
    killed: usize,
    runs: usize,
    /// Runs after one that was killed that were killed too.
    next: usize,
    left: BTreeMap<&'static str, usize>,
}

impl Kills {
    pub(crate) fn new(wanted: usize) -> Self {
        Self { wanted, killed: 0, runs: 0, next: 0, left: BTreeMap::new() }
    }

    /// Whether more are to be killed. How fast this machine is decides how many are, and nothing else.
    pub(crate) fn go_on(&self) -> bool {
        self.killed < self.wanted && self.runs < 10 * self.wanted
    }

    /// Prints what came of `what`. Who asked for a number of kills gets it, or is told.
    pub(crate) fn tell(&self, what: impl fmt::Display) {
        println!("{what}: {self}");
        let asked = std::env::var_os("FRAZIL_CRASHES").is_some();
        let least = if asked { self.wanted } else { 1 };
        assert!(self.killed >= least, "{what}: no more than {self}");
    }

    #[allow(dead_code, reason = "files need no run that goes on from what was left")]
    pub(crate) fn count_next(&mut self) {
        self.next += 1;
    }

    pub(crate) fn count(&mut self, was_killed: bool, left: &'static str) {
        self.runs += 1;
        if was_killed {
            self.killed += 1;
            *self.left.entry(left).or_default() += 1;
        }
    }
}

impl fmt::Display for Kills {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} runs killed", self.killed, self.runs)?;
        self.left.iter().try_for_each(|(left, count)| write!(f, ", {count} {left}"))?;
        if self.next > 0 { write!(f, "; and {} that went on from there", self.next) } else { Ok(()) }
    }
}
