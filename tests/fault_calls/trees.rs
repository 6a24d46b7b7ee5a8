//! Backups, restores and verifications of trees.

use std::fs::{self, File};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use frazil::{BackupOptions, RestoreOptions, backup_tree_file, list_snapshot, restore_tree};
use rustix::fs::{XattrFlags, setxattr};

use crate::files::remove_temporaries;
use crate::look::{self, Listing};
use crate::noise;
use crate::strace::{self, Case, Invocation, Said};
use crate::sweep::{Operation, Outcome};

/// A tree at level 1 in `tree`, its levels, and directories that were at level 0 and 1.
pub(crate) struct Trees {
    dir: tempfile::TempDir,
    levels: [Listing; 2],
}

impl Trees {
    pub(crate) fn new() -> Self {
        let mut trees = Self { dir: look::scratch(), levels: Default::default() };
        let tree = trees.at("tree");
        fs::create_dir_all(tree.join("directory/below")).expect("directories");
        for (number, name) in ["a", "b", "directory/c", "directory/below/d", "directory/e"].into_iter().enumerate() {
            fs::write(tree.join(name), noise(9_000 * number, number as u64)).expect("a file");
        }
        symlink("a", tree.join("symlink")).expect("a symbolic link");
        fs::hard_link(tree.join("b"), tree.join("directory/link")).expect("a hard link");
        // Not every file system has them.
        let _ = setxattr(tree.join("b"), "user.of", b"b", XattrFlags::empty());
        fs::set_permissions(tree.join("directory/below"), fs::Permissions::from_mode(0o700)).expect("a mode");
        trees.back_up(0);
        let mut changed = noise(27_000, 3);
        changed.splice(5_000..5_000, *b"and more");
        fs::write(tree.join("directory/below/d"), changed).expect("a change");
        fs::write(tree.join("directory/new"), noise(2_000, 9)).expect("a new file");
        fs::rename(tree.join("directory/c"), tree.join("moved")).expect("a rename");
        fs::set_permissions(tree.join("a"), fs::Permissions::from_mode(0o600)).expect("a mode");
        fs::remove_file(tree.join("symlink")).expect("a deletion");
        trees.back_up(1);
        restore_tree(trees.archive(0), trees.at("at.0"), RestoreOptions::new()).expect("level 0");
        trees
    }

    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    fn at(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn archive(&self, level: usize) -> File {
        File::open(self.at(&format!("a{level}"))).expect("an archive")
    }

    fn back_up(&mut self, level: usize) {
        let (snapshot, archive) = (self.at(&format!("s{level}")), self.at(&format!("a{level}")));
        let since = (level > 0).then(|| self.at("s0"));
        let options = BackupOptions::new().block_len(1024);
        backup_tree_file(self.at("tree"), since.as_deref(), snapshot, archive, options).expect("a level");
        self.levels[level] = look::tree(&self.at("tree"));
    }

    fn run(&self, arguments: &str) -> Said {
        strace::run(&self.frazil(arguments))
    }

    fn frazil(&self, arguments: &str) -> Invocation {
        Invocation::of_frazil(arguments, self.dir())
    }
}

/// Whether what differs was named, or a directory above it that could not be listed.
fn all_are_named(expected: &Listing, found: &Listing, said: &Said, context: &str) {
    let differences = look::differences(expected, found);
    for difference in &differences {
        let (path, _) = difference.split_once(": ").expect("a path");
        // One name of a file stands for the other.
        let others = (path == "directory/link").then_some(Path::new("b"));
        let is_named = Path::new(path).ancestors().chain(others).any(|path| {
            let names = match path.to_str().expect("UTF-8") {
                "" => vec!["tree", "dest"],
                path => vec![path],
            };
            names.iter().any(|name| said.stderr.contains(&format!("/{name}:")))
        });
        assert!(is_named, "{context}: nothing is said of {difference}");
    }
}

/// A backup: what it makes is `s.new` and `a.new`, or standard output.
pub(crate) struct Backup<'a> {
    pub(crate) trees: &'a Trees,
    pub(crate) command: &'static str,
}

pub(crate) const BACKUPS: [&str; 4] = [
    "backup --threads 1 --block-size 1024 --snapshot @/s.new @/tree @/a.new",
    "backup --threads 1 --block-size 1024 --since @/s0 --snapshot @/s.new @/tree @/a.new",
    "backup --threads 2 --block-size 1024 --since @/s0 --filter zstd --snapshot @/s.new @/tree @/a.new",
    "backup --threads 1 --json --block-size 1024 --snapshot @/s.new @/tree -",
];

impl Backup<'_> {
    /// The tree as the archive has it, on top of the level below; nothing where it is not whole.
    fn restored(&self, archive: &[u8]) -> Option<Listing> {
        let scratch = look::scratch();
        if self.command.contains("--since") {
            restore_tree(self.trees.archive(0), scratch.path(), RestoreOptions::new()).expect("level 0");
        }
        restore_tree(archive, scratch.path(), RestoreOptions::new()).ok()?;
        Some(look::tree(scratch.path()))
    }
}

impl Operation for Backup<'_> {
    fn name(&self) -> &str {
        self.command
    }

    fn command(&self) -> Invocation {
        self.trees.frazil(self.command)
    }

    fn reset(&self) {
        for name in ["a.new", "s.new"] {
            let _ = fs::remove_file(self.trees.at(name));
        }
    }

    fn remember(&self, _: &Said) {}

    fn outcome(&self, said: &Said, case: Option<&Case>, context: &str) -> Outcome {
        remove_temporaries(self.trees.dir(), case, context);
        let is_piped = self.command.ends_with('-');
        let archive = if is_piped { Some(said.stdout.clone()) } else { fs::read(self.trees.at("a.new")).ok() };
        let snapshot = File::open(self.trees.at("s.new")).ok();
        let is_there = snapshot.is_some();
        if let Some(snapshot) = snapshot {
            let listed = list_snapshot(snapshot, |_| Ok(()));
            assert!(listed.is_ok(), "{context}: the snapshot is not whole: {listed:?}");
            assert!(archive.is_some(), "{context}: a snapshot without its archive");
        }
        // What has gone to a pipe and was not finished is no archive.
        let restored = archive
            .filter(|_| !is_piped || is_there)
            .map(|archive| self.restored(&archive).unwrap_or_else(|| panic!("{context}: the archive is not whole")));
        match (said.status, restored) {
            (Some(0), Some(tree)) => {
                let differences = look::differences(&self.trees.levels[1], &tree);
                assert!(is_there && differences.is_empty(), "{context}: status 0, and {differences:#?}");
                Outcome::Done
            }
            (Some(3), Some(tree)) => {
                assert!(is_there, "{context}: no snapshot");
                all_are_named(&self.trees.levels[1], &tree, said, context);
                Outcome::Partial
            }
            (Some(1), None) => Outcome::AsBefore,
            (Some(1), Some(tree)) => {
                all_are_named(&self.trees.levels[1], &tree, said, context);
                Outcome::Whole
            }
            (status, restored) => panic!("{context}: {status:?}, and an archive: {}", restored.is_some()),
        }
    }

    fn again(&self, outcome: Outcome, context: &str) {
        if outcome != Outcome::AsBefore {
            self.reset();
        }
        let said = strace::run(&self.command());
        assert_eq!(self.outcome(&said, None, context), Outcome::Done, "{context}, then {}", said.stderr);
    }
}

/// A restore to `dest`.
pub(crate) struct Restore<'a> {
    pub(crate) trees: &'a Trees,
    pub(crate) command: &'static str,
    /// The level at which the destination stands before; without one it is not there.
    pub(crate) before: Option<usize>,
    pub(crate) after: usize,
}

pub(crate) const RESTORES: [(&str, Option<usize>, usize); 4] = [
    ("restore --threads 1 --more @/a0 @/dest", None, 0),
    ("restore --threads 1 --more @/a1 @/dest", Some(0), 1),
    ("restore --threads 2 --more @/a1 @/dest", Some(0), 1),
    ("restore --threads 1 @/a0 @/a1 @/dest", None, 1),
];

impl Restore<'_> {
    /// The destination without what frazil keeps there; nothing where it is not there, or empty.
    fn tree(&self) -> Option<Listing> {
        let dest = self.trees.at("dest");
        let tree = dest.exists().then(|| look::tree(&dest))?;
        (tree.len() > 1).then_some(tree)
    }

    /// Whether the destination is as a level has it. When frazil's own directory is gone, its going has given the
    /// destination a time that nobody can set right any more.
    fn stands_at(&self, level: Option<usize>) -> bool {
        let Some(level) = level else { return self.tree().is_none() };
        let keeps_note = self.trees.at("dest/.frazil-restore").exists();
        self.tree().is_some_and(|tree| {
            let differences = look::differences(&self.trees.levels[level], &tree);
            let is_root = |difference: &String| difference.starts_with(": ") && !keeps_note;
            differences.iter().all(is_root)
        })
    }

    fn differences(&self) -> Vec<String> {
        let tree = self.tree().unwrap_or_default();
        look::differences(&self.trees.levels[self.after], &tree)
    }

    fn no_work_is_left(&self, context: &str) {
        for name in ["stage", "journal", "state.new"] {
            let path = self.trees.at("dest/.frazil-restore").join(name);
            assert!(!path.exists(), "{context}: {name} is left");
        }
    }
}

impl Operation for Restore<'_> {
    fn name(&self) -> &str {
        self.command
    }

    fn command(&self) -> Invocation {
        self.trees.frazil(self.command)
    }

    fn reset(&self) {
        let _ = fs::remove_dir_all(self.trees.at("dest"));
        if let Some(level) = self.before {
            let from = self.trees.at(&format!("at.{level}"));
            let copied = Command::new("cp").arg("-a").arg(from).arg(self.trees.at("dest")).status().expect("run cp");
            assert!(copied.success());
        }
    }

    fn remember(&self, _: &Said) {}

    fn outcome(&self, said: &Said, case: Option<&Case>, context: &str) -> Outcome {
        match said.status {
            Some(0) => {
                let differences = self.differences();
                assert!(differences.is_empty(), "{context}: status 0, and {differences:#?}");
                if !case.is_some_and(Case::is_of_removal) {
                    self.no_work_is_left(context);
                }
                Outcome::Done
            }
            Some(3) => {
                let tree = self.tree().unwrap_or_default();
                all_are_named(&self.trees.levels[self.after], &tree, said, context);
                Outcome::Partial
            }
            _ if self.stands_at(self.before) => Outcome::AsBefore,
            _ => {
                let recovered = self.trees.run("restore -q @/dest");
                let stands = (0..=self.after).map(Some).chain([self.before]).find(|&level| self.stands_at(level));
                assert!(stands.is_some(), "{context}: {recovered:?}: {:#?}", self.differences());
                self.no_work_is_left(context);
                Outcome::Recovered
            }
        }
    }

    fn again(&self, outcome: Outcome, context: &str) {
        // A chain that was concluded says no more of what it is, so its levels are refused.
        let is_over = outcome == Outcome::Recovered && !self.trees.at("dest/.frazil-restore").exists();
        if is_over && self.stands_at(Some(self.after)) {
            return;
        }
        // What was restored in part is known to be, and stays so.
        if outcome == Outcome::Partial {
            self.reset();
        }
        let said = strace::run(&self.command());
        let is_refused = outcome == Outcome::Done && said.status == Some(1);
        if !is_refused {
            assert_eq!(self.outcome(&said, None, context), Outcome::Done, "{context}, then {}", said.stderr);
        }
    }
}

/// What only looks: it prints the same, or fails.
pub(crate) struct Verification<'a> {
    pub(crate) trees: &'a Trees,
    pub(crate) command: &'static str,
}

pub(crate) const VERIFICATIONS: [&str; 3] = ["verify --tree @/tree @/a0 @/a1", "verify @/a1", "list --json @/a1"];

impl Operation for Verification<'_> {
    fn name(&self) -> &str {
        self.command
    }

    fn command(&self) -> Invocation {
        self.trees.frazil(self.command)
    }

    fn reset(&self) {}

    fn remember(&self, said: &Said) {
        fs::write(self.trees.at("printed"), &said.stdout).expect("a file");
    }

    fn outcome(&self, said: &Said, _: Option<&Case>, context: &str) -> Outcome {
        match said.status {
            Some(0) => {
                let printed = fs::read(self.trees.at("printed")).expect("what was printed");
                assert!(said.stdout == printed, "{context}: status 0, and another output");
                Outcome::Done
            }
            Some(3) => Outcome::Partial,
            _ => Outcome::AsBefore,
        }
    }

    fn again(&self, _: Outcome, context: &str) {
        let said = strace::run(&self.command());
        assert_eq!(self.outcome(&said, None, context), Outcome::Done, "{context}, then {}", said.stderr);
    }
}

/// A verification of a tree that differs: it never says that it does not.
pub(crate) struct Differing<'a> {
    pub(crate) trees: &'a Trees,
}

impl Operation for Differing<'_> {
    fn name(&self) -> &str {
        "verify --tree @/other @/a0 @/a1"
    }

    fn command(&self) -> Invocation {
        self.trees.frazil(self.name())
    }

    /// One byte of one file is another, of the same time.
    fn reset(&self) {
        let (other, changed) = (self.trees.at("other"), self.trees.at("other/directory/below/d"));
        if !other.exists() {
            let copied = Command::new("cp").arg("-a").arg(self.trees.at("tree")).arg(&other).status().expect("run cp");
            assert!(copied.success());
            let time = fs::metadata(&changed).and_then(|data| data.modified()).expect("a time");
            let mut content = fs::read(&changed).expect("a file");
            content[6_000] ^= 1;
            fs::write(&changed, content).expect("a change");
            File::options().write(true).open(&changed).and_then(|file| file.set_modified(time)).expect("a time");
        }
    }

    fn remember(&self, _: &Said) {}

    fn outcome(&self, said: &Said, _: Option<&Case>, context: &str) -> Outcome {
        match said.status {
            Some(3) => Outcome::Done,
            Some(1) => Outcome::AsBefore,
            status => panic!("{context}: {status:?}, and the tree differs"),
        }
    }

    fn again(&self, _: Outcome, _: &str) {}
}
