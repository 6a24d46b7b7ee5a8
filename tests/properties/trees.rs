//! Restoring the levels up to k gives the tree that a model of it says was there at k.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use frazil::{
    BackupOptions, BackupReader, Filter, Matching, RestoreOptions, RestoreWriter, Since, backup_tree, restore_tree,
    verify_archive,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::cases::manner;
use crate::law::holds;
use crate::model::{Model, Op, Seen, look, op};
use crate::pieces::{Manner, Pieces};
use crate::tree::{Entry, assert_same, image};

/// Longer than a change may hide behind another.
const REST: Duration = Duration::from_millis(2100);

/// How a level is made and restored.
#[derive(Clone, Debug)]
struct Way {
    /// Which of the levels before it is made against, counted back from the last.
    parent: usize,
    /// Whether nothing has changed for some time before it.
    rested: bool,
    snapshot_streamed: bool,
    pulled: bool,
    pushed: bool,
    manner: Manner,
    filter: Filter,
    matching: Matching,
    threads: usize,
    /// Too little memory for the sums of a large file.
    little_memory: bool,
    always_read: bool,
}

fn way() -> impl Strategy<Value = Way> {
    // Most are made against the last.
    let parent = prop_oneof![3 => Just(0), 1 => 0..4_usize];
    let flags = (prop::bool::weighted(0.05), any::<bool>(), any::<bool>(), any::<bool>());
    let filter = select(vec![Filter::None, Filter::None, Filter::Gzip, Filter::Zstd]);
    let matching = select(vec![Matching::Auto, Matching::Rolling, Matching::Aligned]);
    let rare = (prop::bool::weighted(0.2), prop::bool::weighted(0.2));
    (parent, flags, manner(100), filter, matching, 1..=3_usize, rare).prop_map(
        |(parent, (rested, snapshot_streamed, pulled, pushed), manner, filter, matching, threads, rare)| Way {
            parent,
            rested,
            snapshot_streamed,
            pulled,
            pushed,
            manner,
            filter,
            matching,
            threads,
            little_memory: rare.0,
            always_read: rare.1,
        },
    )
}

/// One level: its archive, what it is made against, and what was there.
struct Level {
    parent: Option<usize>,
    archive: Vec<u8>,
    model: Seen,
    image: BTreeMap<PathBuf, Entry>,
}

fn snapshot(dir: &Path, level: usize) -> PathBuf {
    dir.join(format!("snapshot.{level}"))
}

fn back_up(dir: &Path, level: usize, parent: Option<usize>, way: &Way) -> Vec<u8> {
    let since = match parent {
        None => Since::Nothing,
        Some(parent) if way.snapshot_streamed => Since::Stream(Box::new(File::open(snapshot(dir, parent)).unwrap())),
        Some(parent) => Since::File(snapshot(dir, parent)),
    };
    let mut options = BackupOptions::new()
        .filter(way.filter)
        .matching(way.matching)
        .threads(way.threads)
        .always_read(way.always_read);
    if parent.is_none() {
        options = options.block_len(1024);
    }
    if way.little_memory {
        options = options.memory_limit(1 << 12);
    }
    let (live, snapshot) = (dir.join("live"), snapshot(dir, level));
    let mut archive = Vec::new();
    let summary = if way.pulled {
        let mut backup = BackupReader::new(&live, since, File::create(snapshot).unwrap(), options).unwrap();
        Pieces::new(&mut backup, way.manner).read_to_end(&mut archive).unwrap();
        backup.finish().unwrap()
    } else {
        backup_tree(&live, since, snapshot, &mut archive, options).unwrap()
    };
    assert!(!summary.is_partial(), "the backup of level {level} is partial");
    assert_eq!(summary.stream_bytes, archive.len() as u64);
    verify_archive(&archive[..], None).unwrap();
    archive
}

fn restore(archive: &[u8], destination: &Path, way: &Way) {
    let options = RestoreOptions::new().privileged(true).threads(way.threads);
    let summary = if way.pushed {
        let mut restore = RestoreWriter::new(destination, options).unwrap();
        archive.chunks(way.manner.piece).for_each(|piece| restore.write_all(piece).unwrap());
        restore.finish().unwrap()
    } else {
        restore_tree(Pieces::new(archive, way.manner), destination, options).unwrap()
    };
    assert!(summary.whole && !summary.is_partial() && summary.problems == 0, "the restore is not whole");
}

fn assert_is(destination: &Path, level: &Level, what: &str) {
    let found = look(destination);
    let differences: Vec<_> = level
        .model
        .keys()
        .chain(found.keys())
        .filter(|path| level.model.get(*path) != found.get(*path))
        .map(|path| format!("{path:?}: expected {:?}, found {:?}", level.model.get(path), found.get(path)))
        .collect();
    assert!(differences.is_empty(), "{what}:\n{}", differences.join("\n"));
    assert_same(&level.image, &image(destination), what);
}

/// Makes the levels, restores each onto the one before where it was made against that, and at last each by all that
/// it stands on.
fn check(script: &[(Vec<Op>, Way)]) {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let mut model = Model::new(&dir.join("live"));
    let copy = dir.join("copy");
    let mut levels: Vec<Level> = Vec::new();
    for (number, (ops, way)) in script.iter().enumerate() {
        ops.iter().for_each(|op| model.apply(op));
        assert_eq!(look(&dir.join("live")), model.seen(), "the model is not the tree");
        if way.rested && number > 0 {
            std::thread::sleep(REST);
        }
        let parent = number.checked_sub(1).map(|last| last - way.parent % number);
        let archive = back_up(dir, number, parent, way);
        let level = Level { parent, archive, model: model.seen(), image: image(&dir.join("live")) };
        let follows = levels.iter().enumerate().all(|(at, level)| level.parent == at.checked_sub(1));
        if follows && parent == number.checked_sub(1) {
            restore(&level.archive, &copy, way);
            assert_is(&copy, &level, &format!("level {number} upon the last"));
        }
        levels.push(level);
    }
    let again = dir.join("again");
    for (number, (level, (_, way))) in levels.iter().zip(script).enumerate() {
        let mut chain = vec![level];
        while let Some(parent) = chain[chain.len() - 1].parent {
            chain.push(&levels[parent]);
        }
        for level in chain.iter().rev() {
            restore(&level.archive, &again, way);
        }
        assert_is(&again, level, &format!("level {number} upon nothing"));
        fs::remove_dir_all(&again).unwrap();
    }
}

#[test]
fn restoring_the_levels_up_to_k_gives_the_tree_of_the_model_at_k() {
    let levels = vec((vec(op(), 0..=12), way()), 1..=4);
    holds(16, levels, |script| check(&script));
}
