//! A destination to try things on, and records for it.

mod confinement;
mod dressing;
mod leftovers;
mod publishing;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rustix::fs::IFlags;

use super::dress::{dress, dress_new, is_locked, pin};
use super::*;
use crate::tree::identify::identify;
use crate::tree::level_id::LevelId;
use crate::tree::metadata::{EntryKind, Metadata, Moment};
use crate::tree::path::{self, Position};
use crate::tree::record::{Action, Parent, Record};
use crate::{Error, Identity, Result};

const LEAF: u32 = 65_536;
const NOW: i64 = 1_000_000_000;
const OLD: u64 = 900_000_000;
const LEVEL: LevelId = LevelId([7; 16]);

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// A directory with a destination in it, and things beside it that nobody may touch.
struct Place {
    dir: tempfile::TempDir,
    root: PathBuf,
}

impl Place {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("destination");
        fs::create_dir(&root).unwrap();
        Self { dir, root }
    }

    fn confined(&self) -> Confined {
        Confined::open(&self.root).unwrap()
    }

    fn file(&self, path: &str, content: &str) -> PathBuf {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    fn link(&self, path: &str, target: &str) {
        symlink(target, self.root.join(path)).unwrap();
    }

    fn mode(&self, path: &str, mode: u32) {
        fs::set_permissions(self.root.join(path), fs::Permissions::from_mode(mode)).unwrap();
    }

    /// Gives everything one time, so that what is not touched can be told.
    fn settle(&self) {
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(OLD);
        walk(&self.root, &mut |path| {
            if !path.is_symlink() {
                fs::File::open(path).unwrap().set_modified(time).unwrap();
            }
        });
    }

    /// All that can be seen of the tree, but for what is frazil's own.
    fn look(&self) -> BTreeMap<String, String> {
        let mut names_of = BTreeMap::new();
        let mut seen = BTreeMap::new();
        walk(&self.root, &mut |path| {
            let name = path.strip_prefix(&self.root).unwrap().display().to_string();
            if name.starts_with(".frazil-restore") {
                return;
            }
            let stat = fs::symlink_metadata(path).unwrap();
            let content = if stat.is_symlink() {
                fs::read_link(path).unwrap().display().to_string()
            } else if stat.is_file() {
                let same = names_of.entry(stat.ino()).or_insert_with(|| name.clone());
                format!("{same}: {}", read(path))
            } else {
                String::new()
            };
            let time = if stat.is_symlink() { 0 } else { stat.mtime() };
            seen.insert(name, format!("{:o} {time} {content}", stat.mode()));
        });
        seen
    }
}

impl Drop for Place {
    /// So that it can be removed.
    fn drop(&mut self) {
        walk(&self.root, &mut |path| {
            if path.is_symlink() {
                return;
            }
            let directory = fs::File::open(path.parent().unwrap()).unwrap();
            let pinned = pinned::Pinned::at(directory.as_fd(), path.file_name().unwrap().as_bytes()).unwrap();
            let _ = flags::unlock(&pinned);
            if path.is_dir() {
                fs::set_permissions(path, fs::Permissions::from_mode(0o700)).unwrap();
            }
        });
    }
}

/// Reads what its owner may not read, and leaves it so.
fn read(path: &Path) -> String {
    let mode = fs::metadata(path).unwrap().permissions();
    fs::set_permissions(path, fs::Permissions::from_mode(mode.mode() | 0o400)).unwrap();
    let content = fs::read_to_string(path).unwrap();
    fs::set_permissions(path, mode).unwrap();
    content
}

/// Visits a directory and everything below, whatever its modes are, and leaves it so.
fn walk(directory: &Path, visit: &mut dyn FnMut(&Path)) {
    visit(directory);
    let mode = fs::metadata(directory).unwrap().permissions();
    if mode.mode() & 0o700 != 0o700 {
        fs::set_permissions(directory, fs::Permissions::from_mode(mode.mode() | 0o700)).unwrap();
    }
    for entry in fs::read_dir(directory).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            walk(&entry.path(), visit);
        } else {
            visit(&entry.path());
        }
    }
    if mode.mode() & 0o700 != 0o700 {
        fs::set_permissions(directory, mode).unwrap();
    }
}

fn metadata(kind: EntryKind, mode: u32) -> Metadata {
    Metadata {
        kind,
        mode,
        uid: rustix::process::geteuid().as_raw(),
        gid: rustix::process::getegid().as_raw(),
        user: Vec::new(),
        group: Vec::new(),
        size: 0,
        modified: Moment { seconds: NOW, nanoseconds: 5 },
        flags: 0,
        device: (0, 0),
        target: Vec::new(),
    }
}

fn record(path: &str, closes: bool, action: Action) -> Record {
    Record::new(Position { path: path.into(), closes }, action)
}

fn identity(content: &str) -> Option<Identity> {
    identify(&mut content.as_bytes(), LEAF, 1, &mut [0; 100], |_| Ok(())).ok()
}

/// One level on its way: what is staged, and the records.
struct Level {
    confined: Confined,
    private: Private,
    stage: Stage,
    records: Vec<(Option<StageId>, Record)>,
    policy: Policy,
    make_parents: bool,
    overwrite: bool,
    sync: SyncMode,
}

impl Level {
    fn new(place: &Place) -> Self {
        let confined = place.confined();
        let private = Private::create(&confined).unwrap();
        let stage = Stage::create(&private).unwrap();
        let policy = Policy::default();
        Self {
            confined,
            private,
            stage,
            records: Vec::new(),
            policy,
            make_parents: false,
            overwrite: false,
            sync: SyncMode::File,
        }
    }

    fn dressed(&mut self, id: StageId, record: Record) {
        let (shard, name) = self.stage.place(id).unwrap();
        let metadata = record.metadata.as_ref().unwrap();
        let problems = dress_new(shard, name.as_bytes(), metadata, &record.attributes, self.policy).unwrap();
        assert!(problems.is_empty(), "{problems:?}");
        self.records.push((Some(id), record));
    }

    fn file(&mut self, path: &str, mode: u32, content: &str) {
        self.file_at(path, false, metadata(EntryKind::File, mode), content);
    }

    fn file_at(&mut self, path: &str, closes: bool, metadata: Metadata, content: &str) {
        let (id, mut file) = self.stage.create_file().unwrap();
        file.write_all(content.as_bytes()).unwrap();
        let mut record = record(path, closes, Action::Full);
        record.metadata = Some(Metadata { size: content.len() as u64, ..metadata });
        record.identity = identity(content);
        record.parent = closes.then_some(Parent { kind: EntryKind::Directory, size: 0, digest: None });
        self.dressed(id, record);
    }

    fn symlink(&mut self, path: &str, target: &str) {
        let id = self.stage.make_symlink(target.as_bytes()).unwrap();
        let mut record = record(path, false, Action::Full);
        record.metadata = Some(Metadata { target: target.into(), ..metadata(EntryKind::Symlink, 0o777) });
        self.dressed(id, record);
    }

    fn fifo(&mut self, path: &str) {
        let id = self.stage.make_fifo().unwrap();
        let mut record = record(path, false, Action::Full);
        record.metadata = Some(metadata(EntryKind::Fifo, 0o640));
        self.dressed(id, record);
    }

    fn directory(&mut self, path: &str, mode: u32) {
        let mut record = record(path, false, Action::Full);
        record.metadata = Some(metadata(EntryKind::Directory, mode));
        self.records.push((None, record));
        self.close(path, mode);
    }

    fn close(&mut self, path: &str, mode: u32) {
        let mut record = record(path, true, Action::Metadata);
        record.metadata = Some(metadata(EntryKind::Directory, mode));
        self.records.push((None, record));
    }

    fn change(&mut self, path: &str, metadata: Metadata) {
        let mut record = record(path, false, Action::Metadata);
        record.identity = identity(&"x".repeat(metadata.size as usize));
        record.metadata = Some(metadata);
        self.records.push((None, record));
    }

    fn delete(&mut self, path: &str) {
        self.delete_at(path, false, EntryKind::File);
    }

    fn delete_directory(&mut self, path: &str) {
        self.delete_at(path, true, EntryKind::Directory);
    }

    fn delete_at(&mut self, path: &str, closes: bool, kind: EntryKind) {
        let digest = (kind == EntryKind::File).then_some([0; 32]);
        let parent = Some(Parent { kind, size: 0, digest });
        self.records.push((None, Record { parent, ..record(path, closes, Action::Delete) }));
    }

    fn hard_link(&mut self, path: &str, basis: &str) {
        self.records.push((None, Record { basis: Some(basis.into()), ..record(path, false, Action::Link) }));
    }

    /// Writes the journal and says that the level is being published.
    fn begin(mut self) -> (Confined, Private) {
        self.records.sort_by(|(_, a), (_, b)| a.position.cmp(&b.position));
        // What is there now is what the level was checked against.
        for (_, record) in self.records.iter_mut().filter(|(_, record)| record.parent.is_none()) {
            let found = self.confined.stat(&record.position.path).unwrap();
            let kind = found.and_then(|found| EntryKind::of_mode(found.st_mode));
            let digest = |kind| (kind == EntryKind::File).then_some([0; 32]);
            record.parent = kind.map(|kind| Parent { kind, size: 0, digest: digest(kind) });
        }
        let header = JournalHeader {
            level: LEVEL,
            leaf_len: LEAF,
            policy: self.policy,
            make_parents: self.make_parents,
            overwrite: self.overwrite,
            sync: self.sync,
        };
        let mut journal = JournalWriter::create(&self.private, &header).unwrap();
        for (item, record) in &self.records {
            let is_locked = item.filter(|_| record.metadata.as_ref().is_some_and(is_locked));
            let inode = is_locked.map(|item| self.stage.inode(item).unwrap());
            journal.append(*item, inode, record).unwrap();
        }
        journal.finish(&self.private).unwrap();
        let applying = Some(Applying { level: LEVEL, phase: Phase::Publishing });
        let next = State { applying, root: Some(LEVEL), ..State::default() };
        begin(&self.confined, &self.private, &mut self.stage, self.sync, &next).unwrap();
        (self.confined, self.private)
    }
}

fn unstopped() -> impl FnMut(u64) -> Result<()> {
    |_| Ok(())
}

/// Publishes what was begun, and gives what was reported.
fn finish(confined: &Confined, private: Private) -> (Recovered, Vec<Error>) {
    drop(private);
    let mut problems = Vec::new();
    let recovered = recover(confined, &mut unstopped(), &mut |problem| problems.push(problem)).unwrap().unwrap();
    (recovered, problems)
}
