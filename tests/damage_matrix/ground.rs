//! One of each stream that frazil writes, and what is done with it next.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use frazil::{BackupOptions, Filter, Format, LevelId, Observer, Progress, RestoreOptions, backup_tree, restore_tree};
use tempfile::TempDir;

use crate::content::{level, noise, options};
use crate::look::{Listing, scratch, tree};

pub(crate) const FILTERS: [Filter; 6] =
    [Filter::None, Filter::Gzip, Filter::Bzip2, Filter::Xz, Filter::Zstd, Filter::Lz4];

/// What a file that is patched to is before.
pub(crate) const BEFORE: &[u8] = b"what was there before";

const BLOCK_LEN: u32 = 1024;

/// Where a restore notes how far it is: behind magic, version and two levels that may be missing.
const PHASE: usize = 8 + 1 + 17 + 17;

pub(crate) struct Ground {
    dir: TempDir,
    /// The tree at both levels.
    pub(crate) trees: [Listing; 2],
}

impl Ground {
    pub(crate) fn new() -> Self {
        let mut ground = Self { dir: scratch(), trees: Default::default() };
        ground.make_streams();
        ground.make_trees();
        ground
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Writes a file as it was found, or removes it.
    pub(crate) fn put(&self, name: &str, bytes: Option<&[u8]>) {
        match bytes {
            Some(bytes) => fs::write(self.path(name), bytes).unwrap(),
            None => fs::remove_file(self.path(name)).unwrap(),
        }
    }

    /// The names of all that is there, to see that nothing is left behind.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.dir.path()).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// Puts the target back, and removes what is not among these names.
    pub(crate) fn tidy(&self, names: &[String]) {
        self.put("target", Some(BEFORE));
        for name in self.names().iter().filter(|name| !names.contains(name)) {
            fs::remove_file(self.path(name)).unwrap();
        }
    }

    /// Runs the command with these arguments, which have no spaces within them.
    pub(crate) fn run(&self, arguments: &str) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_frazil"));
        command.args(arguments.split_whitespace()).current_dir(self.dir.path());
        command.output().expect("run frazil")
    }

    /// The exit status of such a run.
    pub(crate) fn status(&self, arguments: &str) -> Option<i32> {
        self.run(arguments).status.code()
    }

    /// `old` and `new`, with signatures and levels in both forms.
    fn make_streams(&self) {
        let old = noise(20_000, 1);
        let new = [&old[..7000], &noise(900, 2), &[0; 5000], &old[5000..]].concat();
        let (level_0, signature) = level(&old, None, options(BLOCK_LEN));
        let (sealed, _) = level(&new, Some(&signature), options(BLOCK_LEN));
        let (plain, _) = level(&new, Some(&signature), options(BLOCK_LEN).format(Format::Rdiff));
        let written = |format| signature.write_with_stream_id(Vec::new(), format, crate::content::STREAM_ID).unwrap();
        for (name, bytes) in [
            ("old", &old),
            ("new", &new),
            ("level.0", &level_0),
            ("sealed.delta", &sealed),
            ("plain.delta", &plain),
            ("sealed.sig", &written(Format::Sealed)),
            ("plain.sig", &written(Format::Rdiff)),
        ] {
            self.put(name, Some(bytes));
        }
        self.put("target", Some(BEFORE));
    }

    /// `tree` at level 1, its archives and snapshot, and destinations in several states.
    fn make_trees(&mut self) {
        let root = self.path("tree");
        let big = noise(9000, 3);
        fs::create_dir_all(root.join("d/sub")).unwrap();
        for (number, name) in ["a", "d/b", "d/sub/c"].iter().enumerate() {
            fs::write(root.join(name), noise(700 + number, 4 + number as u64)).unwrap();
        }
        fs::write(root.join("big"), &big).unwrap();
        date(&root);
        self.trees[0] = tree(&root);
        self.back_up(0, None, Filter::None, "a0", "s0");
        fs::write(root.join("big"), [&big[..4000], b"inserted", &big[4000..]].concat()).unwrap();
        fs::write(root.join("d/new"), noise(800, 9)).unwrap();
        fs::remove_file(root.join("d/b")).unwrap();
        date(&root);
        self.trees[1] = tree(&root);
        for filter in FILTERS {
            self.back_up(1, Some("s0"), filter, &format!("a1.{filter}"), "s1");
        }

        let restored = |destination: &str, options| {
            restore_tree(File::open(self.path("a0")).unwrap(), self.path(destination), options).unwrap();
        };
        restored("level.0.dest", RestoreOptions::new());
        let copy = Copy { from: self.path("dest"), to: self.path("publishing.dest"), is_made: AtomicBool::new(false) };
        restored("dest", RestoreOptions::new().observer(Arc::new(copy)));
        fs::remove_dir_all(self.path("dest")).unwrap();
        assert!(self.path("publishing.dest").exists(), "the restore was seen while it published");
    }

    fn back_up(&self, number: u8, since: Option<&str>, filter: Filter, archive: &str, snapshot: &str) {
        let options = backup_options().filter(filter).level_id(LevelId([number + 1; 16]));
        let since = since.map(|since| self.path(since));
        let archive = File::create(self.path(archive)).unwrap();
        let _ = fs::remove_file(self.path(snapshot));
        backup_tree(self.path("tree"), since.as_deref(), self.path(snapshot), archive, options).unwrap();
    }

    /// Makes `dest` a copy of a destination in some state.
    pub(crate) fn stand(&self, state: &str) -> PathBuf {
        let destination = self.path("dest");
        if destination.exists() {
            fs::remove_dir_all(&destination).unwrap();
        }
        copy(&self.path(state), &destination);
        destination
    }

    pub(crate) fn open(&self, name: &str) -> frazil::Result<File> {
        Ok(File::open(self.path(name))?)
    }
}

/// Options of levels that are the same each time.
pub(crate) fn backup_options() -> BackupOptions {
    BackupOptions::new().block_len(BLOCK_LEN).created(1_700_000_000).always_read(true).threads(1)
}

/// Reads to the end, and gives what was read.
pub(crate) fn all_of(mut reader: impl Read) -> frazil::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn copy(from: &Path, to: &Path) {
    assert!(Command::new("cp").arg("-a").arg(from).arg(to).status().expect("run cp").success());
}

/// Gives everything a time that is the same each time.
fn date(root: &Path) {
    let mut paths: Vec<_> = tree(root).into_keys().collect();
    paths.sort_by_key(|path| std::cmp::Reverse(path.components().count()));
    for (number, path) in paths.iter().enumerate() {
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_600_000_000 + number as u64);
        File::open(root.join(path)).unwrap().set_modified(time).unwrap();
    }
}

/// Copies a destination when its level is about to be published.
struct Copy {
    from: PathBuf,
    to: PathBuf,
    is_made: AtomicBool,
}

impl Observer for Copy {
    fn progress(&self, _: &Progress) {
        let state = fs::read(self.from.join(".frazil-restore/state")).unwrap_or_default();
        if state.get(PHASE) == Some(&2) && !self.is_made.swap(true, Ordering::Relaxed) {
            copy(&self.from, &self.to);
        }
    }
}
