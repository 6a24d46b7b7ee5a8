//! What an observer is told: how far the work has come, of how much, often enough to be drawn, and all of it at the end.

#[path = "support/made.rs"]
mod made;
#[path = "support/random.rs"]
mod random;

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};

use frazil::{
    Chain, Engine, LevelOptions, LevelReader, LevelWriter, PatchOptions, PatchReader, PatchWriter, Progress,
    RangeLevel, Signature, chain_file, level_file, patch_file,
};
use made::{blocks_of, level, sign};
use random::{Content, Random, seed};

const MIB: u64 = 1 << 20;

const LENGTH: usize = 6 << 20;

const BLOCK_LEN: u32 = 4096;

#[derive(Default)]
struct Told(Mutex<Vec<Progress>>);

impl frazil::Observer for Told {
    fn progress(&self, progress: &Progress) {
        self.0.lock().unwrap().push(*progress);
    }
}

/// Two states of a content in files, and the levels of both.
struct Ground {
    dir: tempfile::TempDir,
    old: Vec<u8>,
    new: Vec<u8>,
    signature: Signature,
    deltas: [Vec<u8>; 2],
}

impl Ground {
    fn new() -> Self {
        let mut random = Random::new(seed(77));
        let old = random.content(Content::Random, LENGTH);
        let mut new = old.clone();
        new[LENGTH / 4..LENGTH / 2].iter_mut().for_each(|byte| *byte ^= 1);
        let options = || LevelOptions::new().params(blocks_of(BLOCK_LEN)).target_len(LENGTH as u64);
        let (level_0, summary) = level(None, &old, options());
        let signature = summary.signature.unwrap();
        let (level_1, _) = level(&signature, &new, options());
        let ground = Self { dir: tempfile::tempdir().unwrap(), old, new, signature, deltas: [level_0, level_1] };
        for (name, content) in [("old", &ground.old), ("new", &ground.new)] {
            fs::write(ground.dir.path().join(name), content).unwrap();
        }
        ground
    }

    fn at(&self, name: &str) -> std::path::PathBuf {
        self.dir.path().join(name)
    }

    /// The target, which is not there yet.
    fn target(&self) -> std::path::PathBuf {
        let target = self.at("target");
        let _ = fs::remove_file(&target);
        target
    }

    fn levels(&self, told: &Arc<Told>) -> LevelOptions {
        LevelOptions::new().params(blocks_of(BLOCK_LEN)).target_len(LENGTH as u64).observer(told.clone())
    }
}

/// Does all of some work, and gives the bytes of its streams.
type Work = fn(&Ground, Arc<Told>) -> u64;

fn read_level(ground: &Ground, options: LevelOptions) -> u64 {
    let mut level = LevelReader::new(&ground.new[..], &ground.signature, options).unwrap();
    io::copy(&mut level, &mut io::sink()).unwrap();
    level.finish_summary().unwrap().stats.stream_bytes
}

fn level_read(ground: &Ground, told: Arc<Told>) -> u64 {
    read_level(ground, ground.levels(&told))
}

fn level_by_librsync(ground: &Ground, told: Arc<Told>) -> u64 {
    read_level(ground, ground.levels(&told).engine(Engine::Librsync))
}

fn level_written(ground: &Ground, told: Arc<Told>) -> u64 {
    let mut level = LevelWriter::new(io::sink(), &ground.signature, ground.levels(&told)).unwrap();
    level.write_all(&ground.new).unwrap();
    level.finish().unwrap().1.stats.stream_bytes
}

fn level_of_a_file(ground: &Ground, told: Arc<Told>) -> u64 {
    let options = ground.levels(&told).threads(2);
    level_file(ground.at("new"), &ground.signature, ground.target(), options).unwrap().stats.stream_bytes
}

/// All but the last block has changed.
fn level_of_ranges(ground: &Ground, told: Arc<Told>) -> u64 {
    let mut other: Vec<u8> = ground.new.iter().map(|byte| !byte).collect();
    let last = LENGTH - BLOCK_LEN as usize..;
    other[last.clone()].copy_from_slice(&ground.new[last]);
    let signature = sign(&other, blocks_of(BLOCK_LEN));
    let mut level = RangeLevel::new(&ground.signature, &signature, &other, ground.levels(&told)).unwrap();
    io::copy(&mut level, &mut io::sink()).unwrap();
    level.finish().unwrap().stream_bytes
}

fn patches(told: Arc<Told>) -> PatchOptions {
    PatchOptions::new().observer(told)
}

fn patch_read(ground: &Ground, told: Arc<Told>) -> u64 {
    let mut patch = PatchReader::new(&ground.deltas[1][..], &ground.old[..], patches(told)).unwrap();
    io::copy(&mut patch, &mut io::sink()).unwrap();
    patch.finish().unwrap().stream_bytes
}

fn patch_written(ground: &Ground, told: Arc<Told>) -> u64 {
    let mut patch = PatchWriter::new(io::sink(), &ground.old[..], patches(told)).unwrap();
    patch.write_all(&ground.deltas[1]).unwrap();
    patch.finish().unwrap().1.stream_bytes
}

fn patch_to_a_file(ground: &Ground, told: Arc<Told>) -> u64 {
    let (old, options) = (ground.at("old"), patches(told).threads(2));
    patch_file(Some(Path::new(&old)), &ground.deltas[1][..], ground.target(), options).unwrap().stream_bytes
}

fn chain_read(ground: &Ground, told: Arc<Told>) -> u64 {
    let mut chain = Chain::new(frazil::NoBasis, ground.deltas.iter().collect(), patches(told)).unwrap();
    io::copy(&mut chain, &mut io::sink()).unwrap();
    chain.finish().unwrap().stream_bytes
}

fn chain_to_a_file(ground: &Ground, told: Arc<Told>) -> u64 {
    let deltas = ground.deltas.iter().enumerate().map(|(number, delta)| {
        let path = ground.at(&number.to_string());
        fs::write(&path, delta).unwrap();
        File::open(path).unwrap()
    });
    chain_file(None, deltas.collect(), ground.target(), patches(told).threads(2)).unwrap().stream_bytes
}

#[test]
fn an_observer_is_told_on_the_way_of_how_much_there_is_and_of_the_end() {
    let table: [(&str, Work); 10] = [
        ("level, read", level_read),
        ("level, by librsync", level_by_librsync),
        ("level, written", level_written),
        ("level of a file", level_of_a_file),
        ("level of ranges", level_of_ranges),
        ("patch, read", patch_read),
        ("patch, written", patch_written),
        ("patch to a file", patch_to_a_file),
        ("chain, read", chain_read),
        ("chain to a file", chain_to_a_file),
    ];
    let ground = Ground::new();
    for (name, work) in table {
        let told = Arc::new(Told::default());
        let stream_bytes = work(&ground, told.clone());
        let told = told.0.lock().unwrap();
        let done: Vec<u64> = told.iter().map(|progress| progress.done_bytes).collect();
        assert!(done.is_sorted(), "{name}: {done:?}");
        let end = LENGTH as u64;
        let (last, before) = told.split_last().unwrap();
        assert_eq!((last.done_bytes, last.total_bytes), (end, Some(end)), "{name}");
        assert!(last.stream_bytes > stream_bytes * 2 / 3, "{name}: {last:?}, of {stream_bytes}");
        for progress in told.iter() {
            assert!(progress.total_bytes.is_none_or(|total| total == end), "{name}: {progress:?}");
            assert!(progress.stream_bytes <= stream_bytes, "{name}: {progress:?}, of {stream_bytes}");
        }
        let beginning = before.iter().position(|progress| progress.done_bytes > 0).expect("it is told of on the way");
        for pair in told[beginning..].windows(2) {
            let [from, to] = [&pair[0], &pair[1]];
            assert!(to.done_bytes - from.done_bytes <= 3 * MIB, "{name}: {pair:?}");
            assert!(from.stream_bytes <= to.stream_bytes, "{name}: {pair:?}");
        }
    }
}

/// What is done of an indexing or of a verification is nothing yet, but the work can be stopped.
#[test]
fn an_observer_is_told_while_a_basis_is_verified_and_deltas_are_indexed() {
    let ground = Ground::new();
    let told = Arc::new(Told::default());
    let options = patches(told.clone());
    let _opened = Chain::new(&ground.old[..], vec![&ground.deltas[1]], options).unwrap();
    let told = told.0.lock().unwrap();
    assert!(told.iter().all(|progress| progress.done_bytes == 0), "{told:?}");
    let indexing = told.iter().filter(|progress| progress.stream_bytes > 0).count() as u64;
    assert!(indexing >= ground.deltas[1].len() as u64 / MIB, "{told:?}");
    let verifying = told.iter().filter(|progress| progress.stream_bytes == 0).count() as u64;
    assert!(verifying >= LENGTH as u64 / MIB, "{told:?}");
}
