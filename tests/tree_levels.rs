//! Restoring levels 0 to k of a random tree gives the tree as it was at level k, in every respect.

#[path = "support/changing.rs"]
mod changing;
#[path = "support/random.rs"]
mod random;
#[path = "support/tree.rs"]
mod tree;

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use changing::Changing;
use frazil::{
    BackupOptions, BackupReader, BackupSummary, Error, Filter, LevelId, Matching, Observer, RestoreOptions,
    RestoreSummary, RestoreWriter, Since, SyncMode, VerifyOptions, backup_tree, backup_tree_file, list_snapshot,
    restore_tree, verify_archive, verify_tree,
};
use random::{Content, Random};
use tree::{assert_rsync_finds_nothing, assert_same, image};

const LEVELS: usize = 10;

/// How many random trees: few by default, and as many as the environment says for a campaign.
fn seeds(default: u64) -> std::ops::Range<u64> {
    let first = random::seed(1);
    let count = std::env::var("FRAZIL_TREE_SEEDS").map(|count| count.parse().expect("FRAZIL_TREE_SEEDS is a number"));
    first..first + count.unwrap_or(default)
}

/// Whatever goes wrong in silence would be a problem that was survived.
#[derive(Default)]
struct Problems(Mutex<Vec<String>>);

impl Observer for Problems {
    fn problem(&self, problem: &Error) {
        self.0.lock().unwrap().push(problem.to_string());
    }
}

impl Problems {
    fn assert_none(&self, what: &str) {
        let problems = self.0.lock().unwrap();
        assert!(problems.is_empty(), "{what}: {problems:#?}");
    }
}

struct Chain {
    dir: PathBuf,
    live: PathBuf,
    archives: Vec<Vec<u8>>,
}

impl Chain {
    fn snapshot(&self, level: usize) -> PathBuf {
        self.dir.join(format!("snapshot.{level}"))
    }

    fn back_up(&mut self, random: &mut Random, block_len: u32) -> BackupSummary {
        let level = self.archives.len();
        let since = match level {
            0 => Since::Nothing,
            _ if random.below(3) == 0 => Since::Stream(Box::new(File::open(self.snapshot(level - 1)).unwrap())),
            _ => Since::File(self.snapshot(level - 1)),
        };
        let problems = Arc::new(Problems::default());
        let filters = [Filter::None, Filter::None, Filter::Gzip, Filter::Bzip2, Filter::Xz, Filter::Zstd, Filter::Lz4];
        let mut options = BackupOptions::new()
            .filter(random.pick(&filters))
            .matching(random.pick(&[Matching::Auto, Matching::Auto, Matching::Rolling, Matching::Aligned]))
            .trust_holes(random.below(4) == 0)
            .always_read(random.below(5) == 0)
            .ignore_inode(random.below(5) == 0)
            .threads(1 + random.below(2))
            .observer(problems.clone());
        if level == 0 {
            options = options.block_len(block_len);
        }
        if random.below(6) == 0 {
            // Too little for the sums of a large file to be held.
            options = options.memory_limit(1 << 12);
        }
        let mut archive = Vec::new();
        let summary = if random.below(2) == 0 {
            backup_tree(&self.live, since, self.snapshot(level), &mut archive, options).unwrap()
        } else {
            let snapshot = File::create(self.snapshot(level)).unwrap();
            let mut backup = BackupReader::new(&self.live, since, snapshot, options).unwrap();
            let mut piece = vec![0; 1 + random.below(100_000)];
            loop {
                match backup.read(&mut piece).unwrap() {
                    0 => break,
                    len => archive.extend_from_slice(&piece[..len]),
                }
            }
            backup.finish().unwrap()
        };
        problems.assert_none(&format!("backup of level {level}"));
        assert!(!summary.is_partial());
        assert_eq!(summary.stream_bytes, archive.len() as u64);
        assert_eq!(summary.header.number as usize, level);
        verify_archive(&archive[..], None).unwrap();
        self.archives.push(archive);
        summary
    }

    fn restore(&self, random: &mut Random, level: usize, destination: &Path) -> RestoreSummary {
        let problems = Arc::new(Problems::default());
        let options = RestoreOptions::new()
            .privileged(true)
            .numeric_owner(random.below(2) == 0)
            .sync(if random.below(8) == 0 { SyncMode::File } else { SyncMode::Level })
            .observer(problems.clone());
        let archive = &self.archives[level];
        let summary = if random.below(2) == 0 {
            restore_tree(&archive[..], destination, options).unwrap()
        } else {
            let mut restore = RestoreWriter::new(destination, options).unwrap();
            let mut rest = &archive[..];
            while !rest.is_empty() {
                let len = (1 + random.small(100_000)).min(rest.len());
                restore.write_all(&rest[..len]).unwrap();
                rest = &rest[len..];
            }
            restore.finish().unwrap()
        };
        problems.assert_none(&format!("restore of level {level}"));
        assert!(summary.whole && !summary.is_partial() && summary.problems == 0);
        summary
    }
}

/// The level before which the trees of every other seed rest, so that at the next one few files are read.
const RESTED: usize = 4;

/// Longer than a change may hide behind another.
const REST: Duration = Duration::from_millis(2100);

/// Makes ten levels of one tree, and restores each onto those before it. Gives how many files were not read at
/// a level, since nothing had happened to them.
fn ten_levels(seed: u64) -> usize {
    let mut random = Random::new(seed);
    let mut choices = Random::new(!seed);
    let dir = tempfile::tempdir().unwrap();
    let mut chain = Chain { dir: dir.path().to_owned(), live: dir.path().join("live"), archives: Vec::new() };
    let copy = dir.path().join("copy");
    let block_len = [1024, 1024, 4096, 65536][choices.below(4)];
    let entries = 10 + choices.below(50);
    let _unlocking = Unlocking([chain.live.clone(), copy.clone(), dir.path().join("again")]);
    let mut tree = Changing::grow(&chain.live.clone(), &mut random, block_len as usize, entries);
    let mut unread = 0;
    for level in 0..LEVELS {
        if level > 0 {
            let edits = choices.small(24);
            tree.edit(edits);
        }
        if level == RESTED && seed.is_multiple_of(2) {
            std::thread::sleep(REST);
        }
        let summary = chain.back_up(&mut choices, block_len);
        chain.restore(&mut choices, level, &copy);
        let what = format!("seed {seed}, level {level}");
        let live = image(&chain.live);
        let files = live.iter().filter(|(path, entry)| entry.content.is_some() && entry.first_name == **path).count();
        unread += files.saturating_sub(summary.files_read as usize);
        assert_same(&live, &image(&copy), &what);
        assert_rsync_finds_nothing(&chain.live, &copy, &what);
        let archives = chain.archives.iter().map(|archive| &archive[..]).collect();
        let summary = verify_tree(archives, &chain.live, VerifyOptions::new(), |difference| {
            panic!("{what}: {difference:?}");
        });
        assert_eq!(summary.unwrap().differences, 0);
    }
    // And all of them onto nothing, in other ways than before.
    let again = dir.path().join("again");
    for level in 0..LEVELS {
        chain.restore(&mut choices, level, &again);
    }
    assert_same(&image(&chain.live), &image(&again), &format!("seed {seed}, all levels again"));
    unread
}

/// Of many trees some have to rest, or most of what a level does would not be tried.
fn many_levels(seeds: std::ops::Range<u64>) {
    let rests = seeds.clone().any(|seed| seed.is_multiple_of(2));
    let unread: usize = seeds.map(ten_levels).sum();
    assert!(unread > 0 || !rests, "every file was read at every level");
}

/// Lets the directory be removed, however the test ends.
struct Unlocking([PathBuf; 3]);

impl Drop for Unlocking {
    fn drop(&mut self) {
        use std::os::unix::fs::PermissionsExt;
        for root in self.0.iter().filter(|root| root.exists()) {
            tree::unlock(root);
            let directories = tree::paths(root).into_iter().map(|path| root.join(path));
            for path in directories.filter(|path| std::fs::symlink_metadata(path).is_ok_and(|found| found.is_dir())) {
                let _ = std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700));
            }
        }
    }
}

#[test]
fn restoring_levels_0_to_k_of_a_random_tree_gives_the_tree_at_k() {
    many_levels(seeds(4));
}

#[test]
fn restoring_levels_0_to_k_as_a_plain_user_gives_the_tree_at_k() {
    tree::as_plain_user("restoring_levels_0_to_k_as_a_plain_user_gives_the_tree_at_k", || {
        many_levels(seeds(3));
    });
}

#[test]
fn what_was_not_read_of_an_archive_is_written_whatever_the_number_of_threads() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    fs::create_dir(at("tree")).unwrap();
    for (name, len) in [("large", 3 << 20), ("small", 100), ("empty", 0)] {
        fs::write(at("tree").join(name), vec![7; len]).unwrap();
    }
    for filter in [Filter::None, Filter::Gzip, Filter::Zstd] {
        for threads in [1, 2, 5] {
            for read in [0, 1, 600, 1 << 20, usize::MAX] {
                let options = BackupOptions::new().threads(threads).filter(filter);
                let mut level =
                    BackupReader::new(at("tree"), None, File::create(at("snapshot")).unwrap(), options).unwrap();
                let mut archive = Vec::new();
                level.by_ref().take(read as u64).read_to_end(&mut archive).unwrap();
                let summary = level.write_to(&mut archive).unwrap();
                assert_eq!(summary.stream_bytes, archive.len() as u64);
                verify_archive(&archive[..], None).unwrap();
                let snapshot = list_snapshot(File::open(at("snapshot")).unwrap(), |_| Ok(())).unwrap();
                assert_eq!(snapshot.entries, 4, "{filter:?}, {threads} threads, {read} bytes read");
            }
        }
    }
}

#[test]
fn an_archive_is_the_same_whatever_the_number_of_threads() {
    let seed = random::seed(1);
    let mut random = Random::new(seed);
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    let noise = |random: &mut Random, len| random.content(Content::Random, len);
    // More small files than a batch has, and more content; some files have several names, and some are large.
    let mut files = Vec::new();
    for number in 0..900 {
        let directory = at("tree").join(random.below(30).to_string());
        fs::create_dir_all(&directory).unwrap();
        let len = [random.small(4_000), random.below(100), 65_536, 65_537, random.below(300_000)][random.below(5)];
        files.push(directory.join(number.to_string()));
        fs::write(&files[number], noise(&mut random, len)).unwrap();
        if number % 50 == 0 {
            fs::hard_link(&files[number], at("tree").join(format!("{number}.link"))).unwrap();
        }
    }
    let back_up = |level: u8, threads: usize| {
        let name = |what: &str, level: u8| at(&format!("{what}.{level}.{threads}"));
        let options = BackupOptions::new().threads(threads).level_id(LevelId([level; 16])).created(0);
        let since = (level > 0).then(|| name("snapshot", level - 1));
        let archive = name("archive", level);
        backup_tree_file(at("tree"), since.as_deref(), name("snapshot", level), &archive, options).unwrap();
        fs::read(archive).unwrap()
    };
    for level in [0, 1] {
        let archive = back_up(level, 1);
        for threads in [2, 5] {
            assert!(archive == back_up(level, threads), "level {level}, {threads} threads, seed {seed}");
        }
        for file in files.iter().step_by(7) {
            fs::write(file, noise(&mut random, 1_000)).unwrap();
            fs::write(file.with_extension("new"), noise(&mut random, 2_000)).unwrap();
        }
    }
}
