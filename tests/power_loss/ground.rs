//! A directory with a file and a tree, each at two levels, in which commands run whose power is then lost.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::disk::Disk;
use crate::image::put_back;
use crate::look::{Listing, scratch, tree};
use crate::random::{self, Content, Random};
use crate::recording::{Op, can_record, record};

/// How often the power is lost in all unless the environment says otherwise.
const LOSSES: usize = 680;

/// What shares them: the tests of frazil.
const SHARES: usize = 17;

/// What a loss of power left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Left {
    Old,
    /// The first of two outputs, whole, without the second.
    Part,
    New,
    /// Neither, where that is allowed.
    Mixed,
}

/// What is flushed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flush {
    File,
    Directory,
    FileSystem,
}

impl Flush {
    fn of(op: &Op, is_directory: impl Fn(&Path) -> bool) -> Option<Self> {
        match op {
            Op::Sync { path } => Some(if is_directory(path) { Self::Directory } else { Self::File }),
            Op::SyncAll => Some(Self::FileSystem),
            _ => None,
        }
    }
}

pub(crate) struct Ground {
    dir: TempDir,
    /// What does not flush here, and whether a check has found something wrong since.
    without: Option<Flush>,
    is_lost: Cell<bool>,
    /// The tree at each level.
    pub(crate) trees: Vec<Listing>,
}

impl Ground {
    fn new() -> Self {
        Self { dir: scratch(), without: None, is_lost: Cell::new(false), trees: Vec::new() }
    }

    /// With a kind of flush that does nothing.
    pub(crate) fn without(self, flush: Option<Flush>) -> Self {
        Self { without: flush, ..self }
    }

    /// Whether without that something was lost: what a check finds wrong is no failure then.
    pub(crate) fn is_lost(&self) -> bool {
        self.is_lost.get()
    }

    /// With `old` and `new`, the signature `old.sig`, and the levels `level.0` and `delta`.
    pub(crate) fn with_levels() -> Self {
        let ground = Self::new();
        let mut random = Random::new(random::seed(1));
        let old = random.content(Content::Random, 60_000);
        let insert = random.content(Content::Random, 9000);
        let new = [&old[..10_000], &insert, &old[10_000..25_000], &[0; 8192], &old[30_000..]].concat();
        fs::write(ground.path("old"), old).unwrap();
        fs::write(ground.path("new"), new).unwrap();
        ground.run("level -q --block-size 2K --signature-out old.sig old level.0");
        ground.run("level -q --against old.sig new delta");
        ground
    }

    /// With the archives `a0` and `a1` of a tree, and the snapshots `s0` and `s1`; `tree` is at level 1.
    pub(crate) fn with_trees() -> Self {
        let mut ground = Self::new();
        let mut random = Random::new(random::seed(2));
        let root = ground.path("tree");
        let at = |name: &str| root.join(name);
        fs::create_dir_all(at("d/sub")).unwrap();
        fs::create_dir_all(at("gone/with it")).unwrap();
        let big = random.content(Content::Random, 20_000);
        fs::write(at("big"), &big).unwrap();
        for name in ["a", "b", "d/c", "d/sub/e", "becomes a directory", "gone/with it/f"] {
            fs::write(at(name), random.content(Content::Text, 900)).unwrap();
        }
        fs::hard_link(at("a"), at("another")).unwrap();
        symlink("b", at("d/link")).unwrap();
        ground.trees.push(tree(&root));
        ground.run("backup -q --snapshot s0 --block-size 4K tree a0");

        fs::write(at("big"), [&big[..9000], b"inserted", &big[9000..]].concat()).unwrap();
        fs::rename(at("a"), at("swap")).unwrap();
        fs::rename(at("b"), at("a")).unwrap();
        fs::rename(at("swap"), at("b")).unwrap();
        fs::set_permissions(at("d/c"), fs::Permissions::from_mode(0o600)).unwrap();
        fs::remove_dir_all(at("gone")).unwrap();
        fs::remove_file(at("becomes a directory")).unwrap();
        fs::create_dir_all(at("becomes a directory/deep")).unwrap();
        fs::write(at("becomes a directory/deep/now"), random.content(Content::Text, 700)).unwrap();
        fs::rename(at("d/sub/e"), at("becomes a directory/e")).unwrap();
        fs::remove_file(at("d/link")).unwrap();
        symlink("c", at("d/link")).unwrap();
        ground.trees.push(tree(&root));
        ground.run("backup -q --since s0 --snapshot s1 tree a1");
        ground
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// The command with these arguments, which have no spaces within them, in the directory.
    pub(crate) fn command(&self, arguments: &str) -> Command {
        command_in(self.dir.path(), arguments)
    }

    /// Runs the command, which must end well.
    pub(crate) fn run(&self, arguments: &str) {
        run_in(self.dir.path(), arguments);
    }

    /// Runs the command, and loses the power after some of its calls, as often as the environment says; `check` is
    /// given what is then there, and whether the command had come to its end.
    pub(crate) fn lose_power(&self, seed: u64, command: &Command, check: impl FnMut(&Path, bool) -> Left) {
        self.lose_power_often(losses(), seed, command, check);
    }

    /// The same, `losses` times; gives whether it could be done.
    pub(crate) fn lose_power_often(
        &self,
        losses: usize,
        seed: u64,
        command: &Command,
        check: impl FnMut(&Path, bool) -> Left,
    ) -> bool {
        if !can_record() {
            eprintln!("skipped: strace is not installed, or may do nothing");
            return false;
        }
        let mut random = Random::new(random::seed(seed));
        let mut count = Count::default();
        let recorded = Recorded::run(self.dir.path(), command, self.without);
        if recorded.lose_power(losses, &mut random, self.without.is_some(), &mut count, check) {
            count.tell(command, seed);
        } else {
            self.is_lost.set(true);
        }
        true
    }
}

/// How often the power was lost, and what that left.
#[derive(Debug, Default)]
pub(crate) struct Count {
    calls: usize,
    left: BTreeMap<Left, usize>,
}

impl Count {
    pub(crate) fn losses(&self) -> usize {
        self.left.values().sum()
    }

    pub(crate) fn tell(&self, command: &Command, seed: u64) {
        let arguments: Vec<_> = command.get_args().map(|argument| argument.to_string_lossy()).collect();
        let (arguments, losses, seed) = (arguments.join(" "), self.losses(), random::seed(seed));
        let Self { calls, left } = self;
        println!("{arguments}: {calls} calls, power lost {losses} times, FRAZIL_SEED={seed}: {left:?}");
    }
}

/// A command that has run in a directory, and all that it did there.
pub(crate) struct Recorded<'a> {
    directory: &'a Path,
    command: &'a Command,
    disk: Disk,
}

impl<'a> Recorded<'a> {
    /// Runs the command; a kind of flush may do nothing.
    pub(crate) fn run(directory: &'a Path, command: &'a Command, without: Option<Flush>) -> Self {
        let mut disk = Disk::of(directory);
        let ops = record(command, directory);
        // Those that are there now, and those that were made and may be gone.
        let made = ops.iter().filter_map(|op| if let Op::MakeDirectory { path, .. } = op { Some(path) } else { None });
        let made: BTreeSet<_> = made.map(PathBuf::as_path).collect();
        let is_directory = |path: &Path| made.contains(path) || directory.join(path).is_dir();
        let is_ignored = |op: &Op| without.is_some() && Flush::of(op, is_directory) == without;
        assert!(without.is_none() || ops.iter().any(is_ignored), "{command:?}: there is no such flush");
        ops.iter().filter(|op| !is_ignored(op)).for_each(|op| disk.apply(op));
        disk.now().assert_is(directory);
        Self { directory, command, disk }
    }

    /// Loses the power after some of its calls. If `check` finds something wrong that ends it, and where that may be
    /// gives `false`.
    pub(crate) fn lose_power(
        &self,
        losses: usize,
        random: &mut Random,
        may_be_wrong: bool,
        count: &mut Count,
        mut check: impl FnMut(&Path, bool) -> Left,
    ) -> bool {
        let Self { directory, command, disk } = self;
        count.calls += disk.len();
        for loss in 0..=losses {
            // Spread over all calls; at last, all that may be lost is lost behind the end.
            let is_random = loss < losses;
            let point = if is_random { (loss + 1) * (disk.len() + 1) / (losses + 1) } else { disk.len() };
            let dir = scratch();
            let after = dir.path().join("after");
            let taken = disk.after_loss(point, random, is_random).build(&after, &directory.join("dest"));
            let left = catch_unwind(AssertUnwindSafe(|| check(&after, point == disk.len())));
            put_back(&after, &taken);
            match left {
                Ok(left) => *count.left.entry(left).or_insert(0) += 1,
                Err(_) if may_be_wrong => return false,
                Err(panic) => {
                    let (calls, last) = (disk.len(), disk.describe(point));
                    eprintln!("{command:?}: loss {loss}, {point} of {calls} calls after {last}");
                    resume_unwind(panic)
                }
            }
        }
        true
    }
}

pub(crate) fn losses() -> usize {
    let all = std::env::var("FRAZIL_POWER_LOSSES");
    let all = all.map_or(LOSSES, |all| all.parse().expect("FRAZIL_POWER_LOSSES is a number"));
    all.div_ceil(SHARES)
}

pub(crate) fn command_in(directory: &Path, arguments: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_frazil"));
    command.args(arguments.split_whitespace()).current_dir(directory).stdin(Stdio::null());
    command
}

/// Runs the command in a directory; it must end well.
#[track_caller]
pub(crate) fn run_in(directory: &Path, arguments: &str) {
    let output = command_in(directory, arguments).output().expect("run frazil");
    assert!(output.status.success(), "frazil {arguments}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Removes what a run could not, which has to be recognised by its name.
#[track_caller]
pub(crate) fn remove_temporaries(directory: &Path, ours: &[&str]) {
    for entry in fs::read_dir(directory).expect("the directory") {
        let name = entry.expect("an entry").file_name().into_string().expect("UTF-8");
        if !ours.contains(&name.as_str()) {
            assert!(name.starts_with('.') && name.contains(".frazil-") && name.ends_with(".tmp"), "{name}");
            fs::remove_file(directory.join(name)).expect("remove a temporary");
        }
    }
}
