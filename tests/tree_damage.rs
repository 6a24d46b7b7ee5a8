//! Archives of trees with a bit flipped, with an end missing, or with entries where they do not belong: never
//! wrong content under its final name, and as much as can be of the rest where that is asked for.
//!
//! `FRAZIL_THOROUGH=1` tries every byte of every archive, which takes minutes.

#[path = "support/archive.rs"]
mod archive;
#[path = "support/look.rs"]
mod look;
#[path = "support/random.rs"]
mod random;
#[path = "support/sealed.rs"]
#[allow(dead_code, reason = "of the sealed streams, some parts are needed here")]
mod sealed;
#[path = "tree_damage/telling.rs"]
mod telling;

use std::collections::BTreeSet;
use std::fs;
use std::io::Read;
use std::ops::Range;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use archive::{Header, Level, Metadata, Record, Tar, end};
use frazil::{
    BackupOptions, BackupReader, Error, ErrorKind, Filter, Observer, RestoreOptions, Since, conclude_restore,
    list_archive, list_snapshot, restore_tree, verify_archive,
};
use look::{Listing, differences, listing, scratch, tree};
use random::{Content, Random, seed};
use tempfile::TempDir;

use ErrorKind::{Corrupt, Limit, Mismatch, Truncated, Unsupported, WrongBasis};

const FILTERS: [Filter; 6] = [Filter::None, Filter::Gzip, Filter::Bzip2, Filter::Xz, Filter::Zstd, Filter::Lz4];

fn is_thorough() -> bool {
    std::env::var_os("FRAZIL_THOROUGH").is_some()
}

/// Two levels of a small tree, and what they are like.
struct Chain {
    archives: [Vec<u8>; 2],
    snapshots: [Vec<u8>; 2],
    trees: [Listing; 2],
}

/// A sink that somebody else looks into.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn back_up(root: &Path, since: Since, filter: Filter) -> frazil::Result<(Vec<u8>, Vec<u8>)> {
    let snapshot = Kept::default();
    let options = BackupOptions::new().block_len(1024).filter(filter).always_read(true).threads(1);
    let mut reader = BackupReader::new(root, since, snapshot.clone(), options)?;
    let mut archive = Vec::new();
    reader.read_to_end(&mut archive).map_err(Error::from)?;
    let summary = reader.finish()?;
    assert!(!summary.is_partial());
    let snapshot = std::mem::take(&mut *snapshot.0.lock().unwrap());
    Ok((archive, snapshot))
}

/// Makes a tree with all that a level can say, and changes it; `changed` bytes of a large file among it.
fn chain(filter: Filter, changed: usize) -> Chain {
    let mut random = Random::new(seed(7));
    let dir = scratch();
    let path = |name: &str| dir.path().join(name);
    fs::create_dir_all(path("d/sub")).unwrap();
    fs::create_dir(path("gone")).unwrap();
    fs::write(path("a"), random.content(Content::Random, 300)).unwrap();
    let big = random.content(Content::Random, 5000);
    fs::write(path("big"), &big).unwrap();
    fs::write(path("d/b"), random.content(Content::Text, 700)).unwrap();
    fs::write(path("d/old name"), random.content(Content::Random, 3000)).unwrap();
    fs::write(path("empty"), "").unwrap();
    fs::write(path("gone/f"), "to be deleted").unwrap();
    fs::hard_link(path("a"), path("h")).unwrap();
    symlink("../a", path("d/l")).unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, path("pipe"), rustix::fs::Mode::RUSR).unwrap();
    let trees_0 = tree(dir.path());
    let (archive_0, snapshot_0) = back_up(dir.path(), Since::Nothing, filter).unwrap();

    fs::write(path("a"), random.content(Content::Random, 310)).unwrap();
    let insert = random.content(Content::Random, changed);
    fs::write(path("big"), [&big[..2500], &insert, &big[2500..]].concat()).unwrap();
    fs::set_permissions(path("d/b"), fs::Permissions::from_mode(0o600)).unwrap();
    fs::rename(path("d/old name"), path("d/sub/new name")).unwrap();
    fs::remove_dir_all(path("gone")).unwrap();
    fs::remove_file(path("d/l")).unwrap();
    symlink("b", path("d/l")).unwrap();
    fs::remove_file(path("empty")).unwrap();
    fs::create_dir(path("empty")).unwrap();
    fs::write(path("empty/new"), "new").unwrap();
    fs::hard_link(path("a"), path("y")).unwrap();
    fs::hard_link(path("d/b"), path("z")).unwrap();
    let snapshot = dir.path().with_extension("snapshot");
    fs::write(&snapshot, &snapshot_0).unwrap();
    let (archive_1, snapshot_1) = back_up(dir.path(), Since::File(snapshot.clone()), filter).unwrap();
    fs::remove_file(snapshot).unwrap();
    Chain { archives: [archive_0, archive_1], snapshots: [snapshot_0, snapshot_1], trees: [trees_0, tree(dir.path())] }
}

/// What an operation survived.
#[derive(Default)]
struct Heard(Mutex<Vec<String>>);

impl Observer for Heard {
    fn problem(&self, problem: &Error) {
        self.0.lock().unwrap().push(format!("{:?}: {problem}", problem.kind()));
    }
}

/// A destination that stands at the level before.
struct Ground<'a> {
    chain: &'a Chain,
    level: usize,
    dir: TempDir,
    before: Listing,
    listed: String,
}

impl<'a> Ground<'a> {
    fn new(chain: &'a Chain, level: usize) -> Self {
        let dir = scratch();
        let listed = listed(&chain.archives[level]).unwrap();
        let mut ground = Self { chain, level, dir, before: Listing::new(), listed };
        ground.stand();
        ground
    }

    /// Makes it stand there (again).
    fn stand(&mut self) {
        self.dir = scratch();
        if self.level == 1 {
            restore_tree(&self.chain.archives[0][..], self.dir.path(), RestoreOptions::new()).unwrap();
            assert_eq!(differences(&self.chain.trees[0], &tree(self.dir.path())), [""; 0]);
        }
        self.before = listing(self.dir.path());
    }

    /// Restores what is damaged all or nothing.
    fn strict(&mut self, damaged: &[u8], what: &str) -> Option<Error> {
        match restore_tree(damaged, self.dir.path(), RestoreOptions::new()) {
            Err(error) => {
                assert!(is_damage(&error), "{what}: {error}");
                assert_eq!(differences(&self.before, &listing(self.dir.path())), [""; 0], "{what}: {error}");
                assert!(listed(damaged).map_or_else(|error| is_damage(&error), |found| found == self.listed), "{what}");
                Some(error)
            }
            Ok(summary) => {
                assert!(summary.whole && summary.problems == 0, "{what}");
                assert_eq!(differences(&self.chain.trees[self.level], &tree(self.dir.path())), [""; 0], "{what}");
                assert_eq!(listed(damaged).unwrap(), self.listed, "{what}");
                verify_archive(damaged, None).unwrap();
                self.stand();
                None
            }
        }
    }

    /// Restores as much as can be; gives what is not as the level has it.
    fn keep_going(&mut self, damaged: &[u8], what: &str) -> BTreeSet<PathBuf> {
        let heard = Arc::new(Heard::default());
        let options = RestoreOptions::new().keep_going(true).observer(heard.clone());
        let result = restore_tree(damaged, self.dir.path(), options);
        let heard = heard.0.lock().unwrap().join("\n");
        let (is, was, will) = (tree(self.dir.path()), &self.before, &self.chain.trees[self.level]);
        let lost = will.keys().chain(is.keys()).filter(|path| is.get(*path) != will.get(*path));
        let lost: BTreeSet<_> = lost.cloned().collect();
        for path in &lost {
            // A directory is made where its record is lost, or has what was put into it and another time.
            let is_directory = is.get(path).is_some_and(|look| look.kind == 'd')
                && [was.get(path), will.get(path)].iter().flatten().any(|look| look.kind == 'd');
            assert!(is.get(path) == was.get(path) || is_directory, "{what}: {} is neither\n{heard}", path.display());
        }
        match result {
            Err(error) => {
                assert!(is_damage(&error), "{what}: {error}");
                assert_eq!(differences(was, &listing(self.dir.path())), [""; 0], "{what}: {error}");
                return lost;
            }
            Ok(summary) if summary.is_partial() => assert!(summary.problems > 0, "{what}"),
            Ok(_) => assert!(lost.is_empty(), "{what}: lost {lost:?} and says nothing"),
        }
        self.stand();
        lost
    }
}

fn is_damage(error: &Error) -> bool {
    matches!(error.kind(), Corrupt | Truncated | Mismatch | Unsupported | Limit | WrongBasis)
}

/// All that an archive says of its entries.
fn listed(archive: &[u8]) -> frazil::Result<String> {
    let mut listed = String::new();
    let summary = list_archive(archive, |entry| {
        listed += &format!("{entry:?}\n");
        Ok(())
    })?;
    Ok(format!("{listed}{summary:?}"))
}

fn flipped(bytes: &[u8], at: usize, bit: usize) -> Vec<u8> {
    let mut flipped = bytes.to_vec();
    flipped[at] ^= 1 << bit;
    flipped
}

/// Positions in an archive: every `stride`th, from a random one on, or all.
fn positions(random: &mut Random, len: usize, stride: usize) -> impl Iterator<Item = usize> + use<> {
    let stride = if is_thorough() { 1 } else { stride };
    (random.below(stride)..len).step_by(stride)
}

#[test]
fn an_archive_cut_anywhere_is_refused_and_changes_nothing() {
    let chain = chain(Filter::None, 10);
    let mut random = Random::new(seed(1));
    for level in 0..2 {
        let mut ground = Ground::new(&chain, level);
        let archive = &chain.archives[level];
        // The marks of the end are not needed: the trailer says that all was there.
        let end = archive.len() - 1024;
        let mut cuts = 0;
        for cut in positions(&mut random, archive.len(), 11) {
            cuts += 1;
            let error = ground.strict(&archive[..cut], &format!("level {level} cut at {cut}"));
            match error {
                Some(error) if cut < end => {
                    assert!(matches!(error.kind(), Truncated | Corrupt), "cut at {cut}: {error}")
                }
                Some(error) => assert_eq!(error.kind(), Truncated, "cut at {cut}: {error}"),
                None => assert!(cut >= end, "cut at {cut}"),
            }
        }
        println!("level {level}: cut at {cuts} places, 0 wrong");
    }
}

/// Where an archive has bytes that docs/format.md lets a reader pass over: about the checksums of headers, in extended
/// headers, in what fills them and bodies, and behind the trailer.
fn unused(archive: &[u8]) -> Vec<Range<usize>> {
    let mut unused = Vec::new();
    let mut at = 0;
    while archive[at] != 0 {
        let size = std::str::from_utf8(&archive[at + 124..at + 135]).unwrap();
        let (body, len) = (at + 512, usize::from_str_radix(size, 8).unwrap());
        let is_extended_header = archive[at + 156] == b'x';
        unused.push(at + 148..at + 156);
        at = body + len.next_multiple_of(512);
        unused.push(if is_extended_header { body } else { body + len }..at);
    }
    unused.push(at..archive.len());
    unused
}

#[test]
fn a_bit_flipped_anywhere_changes_nothing_or_nothing_that_counts() {
    let chain = chain(Filter::None, 10);
    let mut random = Random::new(seed(2));
    for level in 0..2 {
        let mut ground = Ground::new(&chain, level);
        let archive = &chain.archives[level];
        let unused = unused(archive);
        let (mut flipped_bits, mut harmless) = (0, 0);
        for at in positions(&mut random, archive.len(), 7) {
            let bit = random.below(8);
            let what = format!("bit {bit} of byte {at} of level {level} flipped");
            flipped_bits += 1;
            if ground.strict(&flipped(archive, at, bit), &what).is_none() {
                harmless += 1;
                assert!(unused.iter().any(|range| range.contains(&at)), "{what}, and nobody noticed");
            }
        }
        println!("level {level}: {flipped_bits} bits flipped, {harmless} of them in what does not count, 0 wrong");
    }
}

#[test]
fn what_is_damaged_loses_no_more_than_itself_and_nothing_becomes_what_it_never_was() {
    let chain = chain(Filter::None, 10);
    let mut random = Random::new(seed(3));
    for level in 0..2 {
        let mut ground = Ground::new(&chain, level);
        let archive = &chain.archives[level];
        for at in positions(&mut random, archive.len(), 41) {
            let bit = random.below(8);
            ground.keep_going(&flipped(archive, at, bit), &format!("bit {bit} of byte {at} of level {level} flipped"));
            ground.keep_going(&archive[..at], &format!("level {level} cut at {at}"));
        }
    }
}

#[test]
fn no_filter_lets_damage_through() {
    let mut random = Random::new(seed(4));
    for filter in FILTERS {
        let chain = chain(filter, 10);
        for level in 0..2 {
            let mut ground = Ground::new(&chain, level);
            let archive = &chain.archives[level];
            for at in positions(&mut random, archive.len(), archive.len() / 25) {
                let bit = random.below(8);
                let what = format!("{filter}: bit {bit} of byte {at} of level {level} flipped");
                ground.strict(&flipped(archive, at, bit), &what);
                ground.keep_going(&flipped(archive, at, bit), &what);
                let what = format!("{filter}: level {level} cut at {at}");
                ground.strict(&archive[..at], &what);
                ground.keep_going(&archive[..at], &what);
            }
        }
    }
}

#[test]
fn a_delta_of_several_parts_is_lost_as_a_whole_and_alone() {
    let chain = chain(Filter::None, (5 << 20) / 2);
    let archive = &chain.archives[1];
    let find = |part: &str| {
        let name = format!("delta/big/{part}\0");
        archive.windows(name.len()).position(|window| window == name.as_bytes()).unwrap()
    };
    let parts = ["00000001", "00000002", "00000003"].map(find);
    let mut ground = Ground::new(&chain, 1);
    let mut random = Random::new(seed(5));
    for part in parts {
        for _ in 0..4 {
            let at = part + 512 + random.below(1 << 18);
            let damaged = flipped(archive, at, random.below(8));
            assert!(ground.strict(&damaged, "a part").is_some());
            assert_eq!(ground.keep_going(&damaged, "a part"), [PathBuf::from("big")].into());
        }
        let cut = part + random.below(1 << 18);
        assert!(ground.strict(&archive[..cut], "within a part").is_some());
        ground.keep_going(&archive[..cut], "within a part");
    }
    // A part that is not there, and two that changed places.
    let (second, third) = (parts[1] - 1024, parts[2] - 1024);
    let without = [&archive[..second], &archive[third..]].concat();
    assert!(ground.strict(&without, "without a part").is_some());
    assert_eq!(ground.keep_going(&without, "without a part"), [PathBuf::from("big")].into());
}

/// An archive of a level 0 in several batches, and where in it everything is.
struct Mapped {
    archive: Vec<u8>,
    /// What is there, and the entries that are to be found by it.
    parts: Vec<(Range<usize>, Part, Vec<&'static str>)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Frame,
    Header,
    Body,
    Batch,
}

/// Batches of a few entries each; a hard link in the last one leads to the first.
fn mapped() -> Mapped {
    let mut random = Random::new(seed(6));
    let mut level = Level::new(Header::level_0(*b"a mapped level 0"));
    let mut parts = vec![(0..level.tar.len(), Part::Frame, vec![])];
    let mut since = Vec::new();
    let mut add = |level: &mut Level, path: &'static str, add: &mut dyn FnMut(&mut Level), body: usize| {
        let start = level.tar.len();
        add(level);
        let header = level.tar.len() - body.next_multiple_of(512);
        parts.push((start..header, Part::Header, vec![path]));
        if body > 0 {
            parts.push((header..header + body, Part::Body, vec![path]));
        }
        since.push(path);
        if since.len() == 3 {
            let start = level.tar.len();
            level.batch();
            parts.push((start..level.tar.len(), Part::Batch, std::mem::take(&mut since)));
        }
    };
    let contents: Vec<_> = (0..4).map(|number| random.content(Content::Random, 300 * number + 100)).collect();
    add(
        &mut level,
        "",
        &mut |level| {
            level.open("");
        },
        0,
    );
    for (path, content) in ["a", "b"].into_iter().zip(&contents) {
        add(
            &mut level,
            path,
            &mut |level| {
                level.file(path, content);
            },
            content.len(),
        );
    }
    add(
        &mut level,
        "d",
        &mut |level| {
            level.open("d");
        },
        0,
    );
    for (path, content) in ["d/c", "d/e"].into_iter().zip(&contents[2..]) {
        add(
            &mut level,
            path,
            &mut |level| {
                level.file(path, content);
            },
            content.len(),
        );
    }
    add(
        &mut level,
        "d",
        &mut |level| {
            level.close("d");
        },
        0,
    );
    add(
        &mut level,
        "l",
        &mut |level| {
            level.make("l", Metadata::symlink("nowhere"));
        },
        0,
    );
    add(
        &mut level,
        "z",
        &mut |level| {
            level.record(&Record::new(b'L', "z").from("a"));
        },
        0,
    );
    add(
        &mut level,
        "",
        &mut |level| {
            level.close("");
        },
        0,
    );
    let end = level.tar.len();
    let archive = level.finish();
    parts.push((end..archive.len(), Part::Frame, vec![""]));
    Mapped { archive, parts }
}

#[test]
fn damage_loses_the_entry_that_it_is_in_and_a_damaged_batch_those_that_it_answers_for() {
    let mapped = mapped();
    let whole = scratch();
    let summary = restore_tree(&mapped.archive[..], whole.path(), RestoreOptions::new()).unwrap();
    assert!(summary.whole && summary.problems == 0);
    let chain = Chain {
        archives: [mapped.archive.clone(), Vec::new()],
        snapshots: Default::default(),
        trees: [tree(whole.path()), Listing::new()],
    };
    let mut ground = Ground::new(&chain, 0);
    let mut random = Random::new(seed(7));
    let mut tally = std::collections::BTreeMap::new();
    for (range, part, paths) in &mapped.parts {
        for at in positions(&mut random, range.len(), 7) {
            let (at, bit) = (range.start + at, random.below(8));
            let damaged = flipped(&mapped.archive, at, bit);
            let what = format!("bit {bit} of byte {at}, {part:?} of {paths:?}");
            let lost = ground.keep_going(&damaged, &what);
            let mut may: BTreeSet<PathBuf> = paths.iter().map(PathBuf::from).collect();
            if may.contains(Path::new("a")) {
                may.insert("z".into());
            }
            // What a directory is like is lost with the record that closes it.
            let files = |paths: &BTreeSet<PathBuf>| -> BTreeSet<PathBuf> {
                paths.iter().filter(|path| !["", "d"].contains(&path.to_str().unwrap())).cloned().collect()
            };
            match part {
                Part::Frame if range.start == 0 => {}
                Part::Body => assert_eq!(lost, may, "{what}"),
                _ => assert!(
                    lost.is_subset(&may) || files(&lost).is_subset(&may) && *part == Part::Batch,
                    "{what}: {lost:?}"
                ),
            }
            *tally.entry((format!("{part:?}"), lost.len())).or_insert(0) += 1;
        }
    }
    println!("how often how many were lost: {tally:?}");
}

#[test]
fn an_archive_in_the_tree_does_not_stand_in_for_what_is_around_it() {
    let mut random = Random::new(seed(7));
    let dir = scratch();
    let path = |name: &str| dir.path().join(name);
    let mut fill = |len: usize| {
        for name in ["a", "d/f", "zz"] {
            fs::write(path(name), random.content(Content::Random, len)).unwrap();
        }
    };
    fs::create_dir(path("d")).unwrap();
    fill(3000);
    let inner = back_up(dir.path(), Since::Nothing, Filter::None).unwrap().0;
    fill(2000);
    fs::write(path("m"), &inner).unwrap();
    let (archive, _) = back_up(dir.path(), Since::Nothing, Filter::None).unwrap();
    let chain = Chain {
        archives: [archive.clone(), Vec::new()],
        snapshots: Default::default(),
        trees: [tree(dir.path()), Listing::new()],
    };
    let mut ground = Ground::new(&chain, 0);
    let name = b"full/m\0";
    let header = archive.windows(name.len()).step_by(512).position(|window| window == name).unwrap() * 512;
    for at in [header, header + 148, header + 257] {
        let lost = ground.keep_going(&flipped(&archive, at, 1), &format!("byte {at}"));
        assert_eq!(lost, BTreeSet::from(["m".into()]), "byte {at}");
    }
}

#[test]
fn entries_that_are_swapped_repeated_dropped_or_of_another_archive_are_refused() {
    let chain = chain(Filter::None, 10);
    let other = self::chain(Filter::None, 10);
    for level in 0..2 {
        let mut ground = Ground::new(&chain, level);
        let entries = entries(&chain.archives[level]);
        let others = self::entries(&other.archives[level]);
        let count = entries.len();
        let joined = |entries: &[Vec<u8>]| end(entries.concat());
        let same = ground.strict(&joined(&entries), "put together again");
        assert!(same.is_none(), "{same:?}");
        for at in 0..count {
            let mut dropped = entries.clone();
            let entry = dropped.remove(at);
            let mut repeated = entries.clone();
            repeated.insert(at, entry.clone());
            let mut swapped = entries.clone();
            swapped.swap(at, (at + 1) % count);
            let mut foreign = entries.clone();
            foreign.insert(at, Tar::file("etc/passwd", b"root::0:0::/:/bin/sh\n").encode());
            let mut exchanged = entries.clone();
            exchanged[at].clone_from(&others[at]);
            let all = [
                ("dropped", dropped),
                ("repeated", repeated),
                ("swapped", swapped),
                ("foreign", foreign),
                ("exchanged", exchanged),
            ];
            for (how, damaged) in all {
                let what = format!("level {level}: entry {at} of {count} {how}");
                let damaged = joined(&damaged);
                let error = ground.strict(&damaged, &what);
                // Two entries whose records are in the same batch may change places, what both archives have is
                // the same in both, and a hard link is there for other tars.
                let is_link = entry[156] == b'1' || entry[entry.len() - 512 + 156] == b'1';
                let is_harmless = matches!(how, "swapped" | "exchanged") || how == "dropped" && is_link;
                assert!(error.is_some() || is_harmless, "{what}");
                if let Some(error) = error {
                    let kinds = [Corrupt, Mismatch, Truncated, WrongBasis];
                    assert!(kinds.contains(&error.kind()), "{what}: {error}");
                }
                ground.keep_going(&damaged, &what);
            }
        }
        // Without its trailer, however cleanly the tar ends.
        let error = ground.strict(&joined(&entries[..count - 1]), "without a trailer").unwrap();
        assert_eq!(error.kind(), Truncated);
        assert!(error.to_string().contains("archive ends before its trailer"), "{error}");
        // With something behind it.
        for behind in [&chain.archives[level], &other.archives[level], &Tar::file("full/x", b"x").encode()] {
            for archive in [joined(&entries), entries.concat()] {
                let error = ground.strict(&[&archive[..], behind].concat(), "something behind").unwrap();
                assert_eq!(error.kind(), Corrupt, "{error}");
                assert!(error.to_string().contains("something follows the trailer"), "{error}");
            }
        }
        // Another archive's trailer, and another's header.
        let end_of_other = [&entries[..count - 1], &others[others.len() - 1..]].concat();
        let error = ground.strict(&joined(&end_of_other), "another trailer").unwrap();
        assert_eq!(error.kind(), Corrupt, "{error}");
        assert!(error.to_string().contains("trailer is of another level"), "{error}");
    }
}

/// The entries of a tar, each with its extended headers.
fn entries(tar: &[u8]) -> Vec<Vec<u8>> {
    let (mut entries, mut at, mut start) = (Vec::new(), 0, 0);
    while tar[at] != 0 {
        let size = std::str::from_utf8(&tar[at + 124..at + 135]).unwrap();
        let size = usize::from_str_radix(size.trim_end_matches('\0'), 8).unwrap();
        let extended = tar[at + 156] == b'x';
        at += 512 + size.next_multiple_of(512);
        if !extended {
            entries.push(tar[start..at].to_vec());
            start = at;
        }
    }
    entries
}

#[test]
fn a_partial_level_is_gone_on_from_only_on_request() {
    let chain = chain(Filter::None, 10);
    let ground = scratch();
    let archive = &chain.archives[0];
    let at = archive.windows(6).position(|window| window == b"full/a").unwrap() + 512;
    let damaged = flipped(archive, at, 0);
    let options = RestoreOptions::new().keep_going(true);
    assert!(restore_tree(&damaged[..], ground.path(), options).unwrap().is_partial());
    let error = restore_tree(&chain.archives[1][..], ground.path(), RestoreOptions::new()).unwrap_err();
    assert_eq!(error.kind(), WrongBasis);
    assert!(error.to_string().contains("the level that is there was restored in part"), "{error}");
    conclude_restore(ground.path()).unwrap();
}

#[test]
fn a_damaged_snapshot_is_never_taken_for_one() {
    let chain = chain(Filter::None, 10);
    let source = scratch();
    fs::write(source.path().join("f"), vec![7; 5000]).unwrap();
    let mut random = Random::new(seed(8));
    let kept = scratch();
    let file = kept.path().join("snapshot");
    for snapshot in &chain.snapshots {
        let check = |damaged: Vec<u8>, what: &str| {
            let error = list_snapshot(&damaged[..], |_| Ok(())).unwrap_err();
            assert!(is_damage(&error), "{what}: {error}");
            fs::write(&file, &damaged).unwrap();
            let error = back_up(source.path(), Since::File(file.clone()), Filter::None).unwrap_err();
            assert!(is_damage(&error), "{what}: {error}");
            let stream = Since::Stream(Box::new(std::io::Cursor::new(damaged)));
            unfinished(source.path(), stream, what);
        };
        for at in positions(&mut random, snapshot.len(), 7) {
            check(flipped(snapshot, at, random.below(8)), &format!("byte {at} flipped"));
            check(snapshot[..at].to_vec(), &format!("cut at {at}"));
        }
        check([&snapshot[..], b"x"].concat(), "something behind");
        check([&snapshot[..], snapshot].concat(), "twice");
    }
}

/// A backup fails, and what it wrote is neither a complete archive nor a snapshot.
fn unfinished(root: &Path, since: Since, what: &str) {
    let snapshot = Kept::default();
    let options = BackupOptions::new().threads(1);
    let mut archive = Vec::new();
    let result = BackupReader::new(root, since, snapshot.clone(), options).and_then(|mut reader| {
        let read = reader.read_to_end(&mut archive);
        let finished = reader.finish();
        read.map_err(Error::from)?;
        finished
    });
    let error = result.unwrap_err();
    assert!(is_damage(&error), "{what}: {error}");
    assert!(verify_archive(&archive[..], None).is_err(), "{what}: the archive is complete");
    assert!(list_snapshot(&snapshot.0.lock().unwrap()[..], |_| Ok(())).is_err(), "{what}: the snapshot is complete");
}
