//! Files appear whole or not at all, sparse where they can be, at any size.

#[path = "support/content.rs"]
mod content;
#[path = "support/pieces.rs"]
#[allow(dead_code, reason = "of the readers that fail, one is needed here")]
mod pieces;

use std::fs::{self, File, Permissions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use content::{level, noise, options};
use frazil::{
    Chain, Error, ErrorKind, Format, LevelOptions, LevelReader, Matching, NoBasis, PatchOptions, PatchReader, Publish,
    ReadAt, Signature, chain_file, patch_file, patch_from_stream,
};
use pieces::{Manner, Pieces};
use tempfile::TempDir;

use ErrorKind::{Exists, InvalidInput, Io};

/// A directory with a basis, and the level that makes the target of it.
struct Ground {
    dir: TempDir,
    target: Vec<u8>,
    signature: Signature,
    delta: Vec<u8>,
}

impl Ground {
    fn new() -> Self {
        let basis = noise(50_000, 1);
        let target = [&basis[..30_000], &noise(5000, 2), &basis[20_000..]].concat();
        let (_, old) = level(&basis, None, options(1024));
        let (delta, signature) = level(&target, Some(&old), options(1024));
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("basis"), basis).unwrap();
        Self { dir, target, signature, delta }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Each way of publishing something at `target`.
    fn publish(&self, target: &Path, replace: bool) -> Vec<frazil::Result<()>> {
        let basis = self.path("basis");
        let options = || PatchOptions::new().replace(replace);
        let patched = patch_file(Some(&basis), &self.delta[..], target, options()).map(drop);
        let chained = chain_file(Some(&basis), vec![&self.delta], target, options()).map(drop);
        let mut results = vec![patched, chained];
        if !replace {
            results.push(self.signature.save(target, Format::Sealed));
        }
        results
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.dir.path()).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

#[test]
fn a_file_that_is_there_is_replaced_only_on_request_and_keeps_its_permissions() {
    let ground = Ground::new();
    let target = ground.path("target");
    fs::write(&target, "old").unwrap();
    fs::set_permissions(&target, Permissions::from_mode(0o640)).unwrap();
    for result in ground.publish(&target, false) {
        let error = result.unwrap_err();
        assert_eq!((error.kind(), error.file()), (Exists, Some(&*target)), "{error}");
        assert!(error.to_string().ends_with("is there already, and was not to be replaced"), "{error}");
    }
    assert_eq!(fs::read(&target).unwrap(), b"old");
    ground.publish(&target, true).into_iter().for_each(|result| result.unwrap());
    assert!(fs::read(&target).unwrap() == ground.target);
    assert_eq!(fs::metadata(&target).unwrap().permissions().mode() & 0o7777, 0o640);
    assert_eq!(ground.names(), ["basis", "target"]);
}

#[test]
fn a_new_file_has_the_permissions_of_any_new_file() {
    let ground = Ground::new();
    File::create(ground.path("any")).unwrap();
    let mode = |name: &str| fs::metadata(ground.path(name)).unwrap().permissions().mode();
    let (patched, saved) = (ground.path("patched"), ground.path("saved"));
    patch_file(Some(&ground.path("basis")), &ground.delta[..], patched, PatchOptions::new()).unwrap();
    ground.signature.save(saved, Format::Sealed).unwrap();
    assert_eq!((mode("patched"), mode("saved")), (mode("any"), mode("any")));
}

#[test]
fn what_belongs_to_a_file_is_replaced_with_it_and_stays_if_that_cannot_be_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let [first, second] = ["first", "second"].map(|name| dir.path().join(name));
    let begin = || {
        [&first, &second].map(|path| {
            let mut publish = Publish::new(path, true).unwrap();
            publish.file().write_all(b"new").unwrap();
            publish
        })
    };
    let found = || [&first, &second].map(|path| fs::read(path).ok());
    let count = || fs::read_dir(dir.path()).unwrap().count();
    for old in [[false, false], [true, false], [false, true], [true, true]] {
        for (path, is_there) in [&first, &second].into_iter().zip(old) {
            let _ = fs::remove_file(path);
            if is_there {
                fs::write(path, "old").unwrap();
            }
        }
        let [one, other] = begin();
        one.commit_before(other).unwrap();
        assert_eq!(found(), [Some(b"new".to_vec()), Some(b"new".to_vec())], "{old:?}");
        assert_eq!(count(), 2, "{old:?}");
    }

    fs::write(&second, "old").unwrap();
    let [one, other] = begin();
    fs::remove_file(&first).unwrap();
    fs::create_dir(&first).unwrap();
    let error = one.commit_before(other).unwrap_err();
    assert_eq!((error.kind(), error.file()), (Io, Some(&*first)), "{error}");
    assert_eq!(fs::read(&second).unwrap(), b"old");
    assert_eq!(count(), 2);
}

#[test]
fn only_a_regular_file_is_replaced() {
    let ground = Ground::new();
    fs::create_dir(ground.path("directory")).unwrap();
    symlink("basis", ground.path("link")).unwrap();
    symlink("nowhere", ground.path("dangling")).unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, ground.path("fifo"), rustix::fs::Mode::RUSR).unwrap();
    let names = ground.names();
    for name in ["directory", "link", "dangling", "fifo"] {
        for (replace, kind) in [(true, InvalidInput), (false, Exists)] {
            for result in ground.publish(&ground.path(name), replace) {
                let error = result.unwrap_err();
                assert_eq!((error.kind(), error.file()), (kind, Some(&*ground.path(name))), "{name}: {error}");
            }
        }
    }
    assert_eq!(ground.names(), names);
}

#[test]
fn places_where_no_file_can_be_are_refused_by_name() {
    let ground = Ground::new();
    let (no_entry, no_directory, too_long) = (2, 20, 36);
    let long = "x".repeat(256);
    for (name, named, os_code) in [
        ("missing/target", "missing", no_entry),
        ("basis/target", "basis/target", no_directory),
        (&long, &long, too_long),
        // Nobody makes a file there, not even root.
        ("/proc/target", "/proc/target", no_entry),
    ] {
        for result in ground.publish(&ground.path(name), false) {
            let error = result.unwrap_err();
            assert_eq!((error.kind(), error.file()), (Io, Some(&*ground.path(named))), "{error}");
            assert_eq!(error.os_code(), Some(os_code), "{error}");
        }
    }
    for result in ground.publish(&ground.path(".."), true) {
        assert_eq!(result.unwrap_err().kind(), InvalidInput);
    }
    assert_eq!(ground.names(), ["basis"]);
}

#[test]
fn a_name_of_255_bytes_leaves_room_for_the_temporary_one() {
    let ground = Ground::new();
    let target = ground.path(&"x".repeat(255));
    for replace in [false, true] {
        patch_file(Some(&ground.path("basis")), &ground.delta[..], &target, PatchOptions::new().replace(replace))
            .unwrap();
        assert!(fs::read(&target).unwrap() == ground.target);
    }
    assert_eq!(ground.names().len(), 2);
}

#[test]
fn a_directory_that_cannot_be_written_is_named() {
    let ground = Ground::new();
    let locked = ground.path("locked");
    fs::create_dir(&locked).unwrap();
    fs::set_permissions(&locked, Permissions::from_mode(0o555)).unwrap();
    // Who may write everywhere, as root may, cannot see this.
    if File::create(locked.join("probe")).is_ok() {
        eprintln!("skipped: this user writes to read-only directories");
        return;
    }
    for result in ground.publish(&locked.join("target"), false) {
        let error = result.unwrap_err();
        assert_eq!((error.kind(), error.file()), (Io, Some(&*locked.join("target"))), "{error}");
    }
}

#[test]
fn a_basis_can_be_its_own_target() {
    let ground = Ground::new();
    let path = ground.path("basis");
    let error = patch_file(Some(&path), &ground.delta[..], &path, PatchOptions::new()).unwrap_err();
    assert_eq!(error.kind(), Exists);
    patch_file(Some(&path), &ground.delta[..], &path, PatchOptions::new().replace(true)).unwrap();
    assert!(fs::read(&path).unwrap() == ground.target);
    // Once more the basis is another, and stays what it is.
    let error = patch_from_stream(&ground.delta[..], &path).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WrongBasis);
    assert!(fs::read(&path).unwrap() == ground.target);
    assert_eq!(ground.names(), ["basis"]);
}

#[test]
fn a_delta_or_basis_that_fails_leaves_nothing_and_its_error_is_kept() {
    let ground = Ground::new();
    let target = ground.path("target");
    fs::write(&target, "old").unwrap();
    for number in 1..=5 {
        let manner = Manner { piece: 1000, interrupted: false, fails_at: Some(number) };
        let delta = Pieces::new(&ground.delta[..], manner);
        let options = PatchOptions::new().replace(true);
        let error = patch_file(Some(&ground.path("basis")), delta, &target, options.clone()).unwrap_err();
        assert_eq!((error.kind(), error.file()), (Io, Some(&*target)), "{error}");
        let source = std::error::Error::source(&error).and_then(|source| source.downcast_ref::<io::Error>());
        assert!(source.is_some_and(|source| pieces::is_unchanged(source, number)), "{number}: {error:?}");

        let delta = Pieces::new(&ground.delta, manner);
        let error = chain_file(Some(&ground.path("basis")), vec![delta], &target, options).unwrap_err();
        let source = std::error::Error::source(&error).and_then(|source| source.downcast_ref::<io::Error>());
        assert!(source.is_some_and(|source| pieces::is_unchanged(source, number)), "{number}: {error:?}");
        assert_eq!(ground.names(), ["basis", "target"]);
        assert_eq!(fs::read(&target).unwrap(), b"old");
    }
    let error = patch_file(Some(&ground.path("gone")), &ground.delta[..], ground.path("new"), PatchOptions::new());
    let error = error.unwrap_err();
    assert_eq!((error.kind(), error.file()), (Io, Some(&*ground.path("gone"))), "{error}");
    assert_eq!(ground.names(), ["basis", "target"]);
}

const GIB: u64 = 1 << 30;

/// What stands at which offsets of a sparse file of a little more than 4 GiB.
const ISLANDS: [(u64, u64); 4] = [(0, 1), (GIB - 3, 2), (4 * GIB - 100, 3), (4 * GIB + 77_777, 4)];

/// The last island is the one that changes.
fn island(seed: u64, change: u64) -> Vec<u8> {
    noise(5000, seed + change * (seed / 4))
}

fn write_islands(path: &Path, change: u64) -> u64 {
    let file = File::create(path).unwrap();
    for (offset, seed) in ISLANDS {
        file.write_all_at(&island(seed, change), offset).unwrap();
    }
    file.metadata().unwrap().len()
}

/// Whether the two are equal, without reading the holes of both.
fn same_sparse(one: &Path, other: &Path) -> bool {
    let (mut one, mut other) = (File::open(one).unwrap(), File::open(other).unwrap());
    let length = one.metadata().unwrap().len();
    if other.metadata().unwrap().len() != length {
        return false;
    }
    let ranges_of = |file: &File| {
        let mut at = 0;
        let mut ranges = Vec::new();
        while let Ok(data) = rustix::fs::seek(file, rustix::fs::SeekFrom::Data(at)) {
            at = rustix::fs::seek(file, rustix::fs::SeekFrom::Hole(data)).unwrap();
            ranges.push((data, at));
        }
        ranges
    };
    let ranges = [ranges_of(&one), ranges_of(&other)].concat();
    ranges.into_iter().all(|(start, end)| {
        let read = |file: &mut File| {
            let mut content = Vec::new();
            file.seek(SeekFrom::Start(start)).unwrap();
            file.take(end - start).read_to_end(&mut content).unwrap();
            content
        };
        read(&mut one) == read(&mut other)
    })
}

fn allocated(path: &Path) -> u64 {
    fs::metadata(path).unwrap().blocks() * 512
}

#[test]
fn sparse_files_past_4_gib_are_levelled_and_restored_sparse() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    let length = write_islands(&at("first"), 0);
    assert_eq!((length, write_islands(&at("second"), 1)), (4 * GIB + 82_777, length));
    let make = |reader: &mut dyn Read| {
        let mut stream = Vec::new();
        reader.read_to_end(&mut stream).unwrap();
        stream
    };
    let aligned = || LevelOptions::new().matching(Matching::Aligned);
    let mut reader = LevelReader::open(at("first"), None, aligned()).unwrap();
    let level0 = make(&mut reader);
    let signature = reader.finish().unwrap();
    let second = Onwards { basis: &Islands::new(1), position: 0 };
    let level1 = make(&mut LevelReader::new(second, &signature, aligned()).unwrap());
    assert!(level0.len() < 1 << 20, "{} bytes for four islands of 5000", level0.len());
    assert!(level1.len() < 1 << 18, "{} bytes for one changed island", level1.len());

    patch_file(None, &level0[..], at("restored"), PatchOptions::new()).unwrap();
    assert!(same_sparse(&at("first"), &at("restored")));
    assert!(allocated(&at("restored")) < 4 << 20, "{}", allocated(&at("restored")));
    chain_file(None, vec![&level0, &level1], at("chained"), PatchOptions::new()).unwrap();
    assert!(same_sparse(&at("second"), &at("chained")));
    assert!(!same_sparse(&at("first"), &at("chained")));
    assert!(allocated(&at("chained")) < 4 << 20, "{}", allocated(&at("chained")));
}

/// Takes in bytes; keeps how many, and their CRC32.
#[derive(Default)]
struct Summing(u64, crc32fast::Hasher);

impl Write for Summing {
    fn write(&mut self, content: &[u8]) -> io::Result<usize> {
        self.0 += content.len() as u64;
        self.1.update(content);
        Ok(content.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Summing {
    fn of(mut content: impl Read) -> (u64, u32) {
        let mut sum = Self::default();
        let mut buffer = vec![0; 1 << 20];
        loop {
            match content.read(&mut buffer).unwrap() {
                0 => return (sum.0, sum.1.finalize()),
                len => sum.write_all(&buffer[..len]).unwrap(),
            }
        }
    }
}

/// The islands, with zeros between them that no file system has to make.
struct Islands(Vec<(u64, Vec<u8>)>);

impl Islands {
    fn new(change: u64) -> Self {
        Self(ISLANDS.iter().map(|&(offset, seed)| (offset, island(seed, change))).collect())
    }
}

impl ReadAt for Islands {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let left = usize::try_from(self.size()?.saturating_sub(offset)).unwrap_or(usize::MAX);
        let len = buffer.len().min(left);
        buffer[..len].fill(0);
        let end = offset + len as u64;
        for (island, content) in &self.0 {
            let (from, to) = (offset.max(*island), end.min(island + content.len() as u64));
            if from < to {
                let content = &content[(from - island) as usize..(to - island) as usize];
                buffer[(from - offset) as usize..(to - offset) as usize].copy_from_slice(content);
            }
        }
        Ok(len)
    }

    fn size(&self) -> io::Result<u64> {
        Ok(self.0.iter().map(|(offset, content)| offset + content.len() as u64).max().unwrap_or(0))
    }
}

/// The basis from a position on.
struct Onwards<'a> {
    basis: &'a Islands,
    position: u64,
}

impl Read for Onwards<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let len = self.basis.read_at(buffer, self.position)?;
        self.position += len as u64;
        Ok(len)
    }
}

/// A mebibyte, over and over.
struct Repeated(Vec<u8>, usize);

impl Read for Repeated {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let len = buffer.len().min(self.0.len() - self.1);
        buffer[..len].copy_from_slice(&self.0[self.1..self.1 + len]);
        self.1 = (self.1 + len) % self.0.len();
        Ok(len)
    }
}

fn repeated() -> Repeated {
    Repeated(noise(1 << 20, 9), 0)
}

#[test]
fn plain_copies_and_literals_around_2_to_the_31_and_32_are_carried_out_whole() {
    let magic = [0x72, 0x73, 0x02, 0x36];
    let basis = Islands::new(0);
    for (offset, len) in [(7, (1 << 31) - 1), (4 * GIB - 50, 82_000), (3, (1 << 32) + 5)] {
        let delta = [&magic[..], &[0x54], &u64::to_be_bytes(offset), &u64::to_be_bytes(len), &[0]].concat();
        let expected = Summing::of(Onwards { basis: &basis, position: offset }.take(len));
        assert_eq!(expected.0, len);
        assert_eq!(Summing::of(PatchReader::new(&delta[..], &basis, PatchOptions::new()).unwrap()), expected);
        if len < 1 << 30 {
            assert_eq!(Summing::of(Chain::new(&basis, vec![&delta], PatchOptions::new()).unwrap()), expected);
        }
    }
    for (command, len) in
        [(&[0x43, 0x80, 0, 0, 1][..], (1 << 31) + 1), (&[0x44, 0, 0, 0, 1, 0, 0, 0, 1], (1 << 32) + 1)]
    {
        let delta = (&magic[..]).chain(command).chain(repeated().take(len)).chain(&[0][..]);
        let patch = PatchReader::new(delta, NoBasis, PatchOptions::new()).unwrap();
        assert_eq!(Summing::of(patch), Summing::of(repeated().take(len)));
        let cut = (&magic[..]).chain(command).chain(repeated().take(len - 1));
        let mut patch = PatchReader::new(cut, NoBasis, PatchOptions::new().max_output(len - 1)).unwrap();
        let error = Error::from(patch.read(&mut [0]).unwrap_err());
        assert_eq!(error.kind(), ErrorKind::Limit, "{error}");
    }
}

#[test]
fn a_device_or_file_is_measured_in_64_bits() {
    let file = tempfile::tempfile().unwrap();
    file.set_len((1 << 32) + 1).unwrap();
    assert_eq!(ReadAt::size(&file).unwrap(), (1 << 32) + 1);
    let delta = [&[0x72, 0x73, 0x02, 0x36, 0x51][..], &(1_u64 << 32).to_be_bytes(), &[2, 0]].concat();
    let error = Chain::new(&file, vec![&delta], PatchOptions::new()).err().unwrap();
    assert_eq!((error.kind(), error.offset()), (ErrorKind::Corrupt, Some(4)));
    assert!(error.to_string().contains("expected an end of at most 4294967297, found 4294967296 + 2"), "{error}");
}
