//! A tree that changes, the levels that were made of it, and what was said on the way.
#![allow(dead_code, reason = "each suite takes what it needs")]

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use frazil::{
    Action, ArchiveEntry, BackupOptions, BackupReader, BackupSummary, EntryReport, Error, ErrorKind, Observer, Reason,
    RestoreOptions, RestoreSummary, Since, SnapshotEntry, VerifyOptions, backup_tree, list_snapshot, restore_tree,
    verify_tree,
};
use tempfile::TempDir;

use crate::tree::{assert_same, image};

/// What was said of one entry: how it is in the archive, why it was looked at, and bytes.
pub(crate) type Said = (Option<Action>, Reason, u64);

/// Keeps what was said, and does something at each entry.
#[derive(Default)]
pub(crate) struct Log {
    entries: Mutex<Vec<(PathBuf, Said)>>,
    problems: Mutex<Vec<(ErrorKind, Option<PathBuf>, String)>>,
    notes: Mutex<Vec<(ErrorKind, PathBuf)>>,
    restored: Mutex<Vec<(PathBuf, Action, Option<PathBuf>)>>,
    at_entry: Mutex<Option<AtEntry>>,
}

type AtEntry = Box<dyn FnMut(&Path) + Send>;

impl Log {
    pub(crate) fn doing(at_entry: impl FnMut(&Path) + Send + 'static) -> Arc<Self> {
        Arc::new(Self { at_entry: Mutex::new(Some(Box::new(at_entry))), ..Self::default() })
    }

    /// All that was said of entries, by path; of a directory what was said last.
    pub(crate) fn entries(&self) -> BTreeMap<PathBuf, Said> {
        self.entries.lock().unwrap().iter().cloned().collect()
    }

    pub(crate) fn of(&self, path: &str) -> Option<Said> {
        self.entries().get(Path::new(path)).copied()
    }

    /// What was restored, or would be: where, how, and from what.
    pub(crate) fn restored(&self) -> Vec<(PathBuf, Action, Option<PathBuf>)> {
        self.restored.lock().unwrap().clone()
    }

    /// What kinds of problems there were, and with what.
    pub(crate) fn problems(&self) -> Vec<(ErrorKind, PathBuf)> {
        let problems = self.problems.lock().unwrap();
        problems.iter().map(|(kind, path, _)| (*kind, path.clone().unwrap_or_default())).collect()
    }

    /// What was worth knowing, and with what.
    pub(crate) fn notes(&self) -> Vec<(ErrorKind, PathBuf)> {
        self.notes.lock().unwrap().clone()
    }
}

impl Observer for Log {
    fn entry(&self, entry: &EntryReport<'_>) {
        let said = (entry.action, entry.reason, entry.bytes);
        self.entries.lock().unwrap().push((entry.path.to_owned(), said));
        if let Some(at_entry) = &mut *self.at_entry.lock().unwrap() {
            at_entry(entry.path);
        }
    }

    fn restoring(&self, entry: &ArchiveEntry) {
        self.restored.lock().unwrap().push((entry.path.clone(), entry.action, entry.from.clone()));
    }

    fn problem(&self, problem: &Error) {
        let problem = (problem.kind(), problem.file().map(Path::to_owned), problem.to_string());
        self.problems.lock().unwrap().push(problem);
    }

    fn note(&self, note: &Error) {
        self.notes.lock().unwrap().push((note.kind(), note.file().map(Path::to_owned).unwrap_or_default()));
    }
}

/// The levels of a tree, in a directory of their own.
pub(crate) struct Ground {
    dir: TempDir,
    pub(crate) archives: Vec<Vec<u8>>,
}

impl Ground {
    pub(crate) fn new() -> Self {
        Self::within(tempfile::tempdir().unwrap())
    }

    pub(crate) fn within(dir: TempDir) -> Self {
        fs::create_dir(dir.path().join("live")).unwrap();
        Self { dir, archives: Vec::new() }
    }

    pub(crate) fn at(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// A path in the tree.
    pub(crate) fn live(&self, path: &str) -> PathBuf {
        if path.is_empty() { self.at("live") } else { self.at("live").join(path) }
    }

    pub(crate) fn write(&self, path: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.live(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    pub(crate) fn snapshot(&self, level: usize) -> PathBuf {
        self.at(&format!("snapshot.{level}"))
    }

    fn since(&self) -> Since {
        match self.archives.len() {
            0 => Since::Nothing,
            level => Since::File(self.snapshot(level - 1)),
        }
    }

    /// Makes the next level.
    pub(crate) fn level(&mut self, options: BackupOptions) -> (BackupSummary, Arc<Log>) {
        self.level_watched(options, Arc::default())
    }

    pub(crate) fn level_watched(&mut self, options: BackupOptions, log: Arc<Log>) -> (BackupSummary, Arc<Log>) {
        let mut archive = Vec::new();
        let snapshot = self.snapshot(self.archives.len());
        let options = options.observer(log.clone());
        let summary = backup_tree(self.live(""), self.since(), snapshot, &mut archive, options).unwrap();
        self.archives.push(archive);
        (summary, log)
    }

    /// Makes the next level in pieces; `meanwhile` is called once, when `after` bytes of the archive are there.
    pub(crate) fn level_meanwhile(
        &mut self,
        after: usize,
        options: BackupOptions,
        meanwhile: impl FnOnce(),
    ) -> (BackupSummary, Arc<Log>) {
        use std::io::Read;
        let log = Arc::<Log>::default();
        let snapshot = File::create(self.snapshot(self.archives.len())).unwrap();
        let options = options.observer(log.clone());
        let mut backup = BackupReader::new(self.live(""), self.since(), snapshot, options).unwrap();
        let mut archive = vec![0; after];
        backup.read_exact(&mut archive).unwrap();
        meanwhile();
        backup.read_to_end(&mut archive).unwrap();
        self.archives.push(archive);
        (backup.finish().unwrap(), log)
    }

    pub(crate) fn restore(&self, level: usize, destination: &str, options: RestoreOptions) -> RestoreSummary {
        restore_tree(&self.archives[level][..], self.at(destination), options).unwrap()
    }

    /// Restores all levels, fails unless the result is the tree, and gives where it is.
    pub(crate) fn assert_restores(&self) -> PathBuf {
        let dir = tempfile::tempdir_in(self.dir.path()).unwrap().keep();
        for archive in &self.archives {
            let summary = restore_tree(&archive[..], &dir, privileged()).unwrap();
            assert!(summary.whole && summary.problems == 0, "{summary:?}");
        }
        assert_same(&image(&self.live("")), &image(&dir), "restored");
        let archives = self.archives.iter().map(|archive| &archive[..]).collect();
        verify_tree(archives, self.live(""), VerifyOptions::new(), |difference| panic!("{difference:?}")).unwrap();
        dir
    }

    /// What the snapshot of a level says of one entry.
    pub(crate) fn known(&self, level: usize, path: &str) -> Option<SnapshotEntry> {
        let mut known = None;
        let snapshot = File::open(self.snapshot(level)).unwrap();
        list_snapshot(snapshot, |entry| {
            if entry.path == Path::new(path) {
                known = Some(entry);
            }
            Ok(())
        })
        .unwrap();
        known
    }

    /// Waits until no change of the tree is so recent that another could hide behind it.
    pub(crate) fn rest(&self) {
        let mut newest = SystemTime::UNIX_EPOCH;
        let all = crate::tree::paths(&self.live("")).into_iter().map(|path| self.live("").join(path));
        for path in all.chain([self.live("")]) {
            let stat = fs::symlink_metadata(path).unwrap();
            let changed = Duration::new(stat.ctime() as u64, stat.ctime_nsec() as u32);
            newest = newest.max(SystemTime::UNIX_EPOCH + changed);
        }
        let rested = newest + Duration::from_millis(2100);
        while let Ok(left) = rested.duration_since(SystemTime::now()) {
            std::thread::sleep(left + Duration::from_millis(1));
        }
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        // What a plain user has locked himself out of could not be removed.
        let _ = std::process::Command::new("chmod").arg("-R").arg("u+rwX").arg(self.dir.path()).status();
    }
}

pub(crate) fn privileged() -> RestoreOptions {
    RestoreOptions::new().privileged(true)
}
