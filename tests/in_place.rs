//! Patching a file in its place.

use std::fs;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use frazil::{ErrorKind, Format, LevelOptions, LevelReader, PatchOptions, Signature, SignatureParams, patch_in_place};

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: usize) -> usize {
        self.next() as usize % limit.max(1)
    }

    fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.next() as u8).collect()
    }
}

fn delta(old: &[u8], new: &[u8], block_len: u32, format: Format) -> Vec<u8> {
    let options = || LevelOptions::new().params(SignatureParams::with_block_len(block_len).unwrap());
    let signature = LevelReader::new(old, None, options()).and_then(LevelReader::finish).unwrap();
    let mut delta = Vec::new();
    LevelReader::new(new, &signature, options().format(format)).unwrap().read_to_end(&mut delta).unwrap();
    delta
}

/// Ranges taken from anywhere and put anywhere, so that content moves both ways and crosses.
fn shuffled(random: &mut Random, old: &[u8]) -> Vec<u8> {
    let mut new = old.to_vec();
    for _ in 0..random.below(6) {
        let (from, to) = (random.below(new.len() + 1), random.below(new.len() + 1));
        let len = random.below(new.len() / 3 + 1);
        match random.below(5) {
            0 => drop(new.drain(from..(from + len).min(new.len()))),
            1 => {
                let insert = random.bytes(len / 4);
                new.splice(to..to, insert);
            }
            2 => {
                let copy = new[from..(from + len).min(new.len())].to_vec();
                new.splice(to..to, copy);
            }
            3 => {
                let taken: Vec<u8> = new.drain(from..(from + len).min(new.len())).collect();
                let to = to.min(new.len());
                new.splice(to..to, taken);
            }
            _ => new.extend(vec![0; len]),
        }
    }
    new
}

#[test]
fn any_mix_of_moves_gives_the_new_content() {
    let seed = std::env::var("FRAZIL_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(20_261_124);
    println!("FRAZIL_SEED={seed}");
    let mut random = Random(seed);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("image");
    for round in 0..300 {
        let len = random.below(60_000);
        let old = random.bytes(len);
        let new = shuffled(&mut random, &old);
        let format = if round % 3 == 0 { Format::Rdiff } else { Format::Sealed };
        let delta = delta(&old, &new, 64 << random.below(5), format);
        fs::write(&path, &old).unwrap();
        let summary = patch_in_place(&path, &delta[..], PatchOptions::new()).unwrap();
        assert_eq!(summary.output_bytes, new.len() as u64);
        assert!(fs::read(&path).unwrap() == new, "round {round}");
    }
}

#[test]
fn an_insertion_at_the_front_needs_no_memory_for_crossings() {
    let mut random = Random(5);
    let old = random.bytes(3_000_000);
    let new = [&b"inserted"[..], &old].concat();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("image");
    fs::write(&path, &old).unwrap();
    let delta = delta(&old, &new, 4096, Format::Sealed);
    patch_in_place(&path, &delta[..], PatchOptions::new().index_memory(1024)).unwrap();
    assert!(fs::read(&path).unwrap() == new);
}

fn refused(path: &Path, old: &[u8], delta: &[u8], options: PatchOptions, kind: ErrorKind) {
    fs::write(path, old).unwrap();
    let error = patch_in_place(path, delta, options).unwrap_err();
    assert_eq!(error.kind(), kind, "{error}");
    assert_eq!(error.file(), Some(path));
    assert!(fs::read(path).unwrap() == old, "written to all the same: {error}");
}

#[test]
fn what_can_be_refused_is_refused_before_the_first_write() {
    let mut random = Random(9);
    let old = random.bytes(200_000);
    let swapped = [&old[100_000..], &old[..100_000]].concat();
    let delta = delta(&old, &swapped, 1024, Format::Sealed);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("image");

    let mut other = old.clone();
    other[5] ^= 1;
    refused(&path, &other, &delta, PatchOptions::new(), ErrorKind::WrongBasis);
    refused(&path, &old, &delta[..delta.len() - 1], PatchOptions::new(), ErrorKind::Truncated);
    let mut flipped = delta.clone();
    flipped[delta.len() / 2] ^= 1;
    refused(&path, &old, &flipped, PatchOptions::new(), ErrorKind::Corrupt);
    // The halves cross, and one of them must be held.
    refused(&path, &old, &delta, PatchOptions::new().index_memory(90_000), ErrorKind::Limit);
    refused(&path, &old, &delta, PatchOptions::new().max_output(199_999), ErrorKind::Limit);

    fs::write(&path, &old).unwrap();
    patch_in_place(&path, &delta[..], PatchOptions::new().index_memory(120_000)).unwrap();
    assert!(fs::read(&path).unwrap() == swapped);
}

/// A delta that was made against a plain signature cannot know its basis before it is too late.
#[test]
fn only_a_delta_against_a_sealed_signature_refuses_another_basis_before_it_writes() {
    let mut random = Random(10);
    let old = random.bytes(100_000);
    let new = [&random.bytes(10_000)[..], &old[..]].concat();
    let params = SignatureParams::with_block_len(1024).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("image");
    let mut other = old.clone();
    other[50_000] ^= 1;
    for (format, refused_first) in [(Format::Sealed, true), (Format::Rdiff, false)] {
        let signature = LevelReader::new(&old[..], None, LevelOptions::new().params(params));
        let signature = signature.and_then(LevelReader::finish).unwrap().write_to(Vec::new(), format).unwrap();
        let signature = Signature::read_from(&signature[..]).unwrap();
        let mut delta = Vec::new();
        LevelReader::new(&new[..], &signature, LevelOptions::new()).unwrap().read_to_end(&mut delta).unwrap();

        fs::write(&path, &other).unwrap();
        let error = patch_in_place(&path, &delta[..], PatchOptions::new()).unwrap_err();
        let expected = if refused_first { ErrorKind::WrongBasis } else { ErrorKind::Mismatch };
        assert_eq!(error.kind(), expected, "{format:?}: {error}");
        assert_eq!(fs::read(&path).unwrap() == other, refused_first, "{format:?}");

        fs::write(&path, &old).unwrap();
        patch_in_place(&path, &delta[..], PatchOptions::new()).unwrap();
        assert!(fs::read(&path).unwrap() == new, "{format:?}");
    }
}

#[test]
fn zeros_take_no_room() {
    let mut random = Random(11);
    let old = random.bytes(4 << 20);
    let mut new = old.clone();
    new[1 << 20..3 << 20].fill(0);
    new.extend(vec![0; 64 << 20]);
    let delta = delta(&old, &new, 65_536, Format::Sealed);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("image");

    fs::write(&path, &old).unwrap();
    patch_in_place(&path, &delta[..], PatchOptions::new()).unwrap();
    assert!(fs::read(&path).unwrap() == new);
    let room = fs::metadata(&path).unwrap().blocks() * 512;
    assert!(room <= 3 << 20, "{room} bytes for 2 MiB that are not zeros");
}

/// A plain delta of copies, as `(offset, length)`.
fn plain(copies: &[(u16, u16)]) -> Vec<u8> {
    let mut delta = vec![0x72, 0x73, 0x02, 0x36];
    for (offset, len) in copies {
        // COPY with an offset and a length of two bytes each.
        delta.push(0x4a);
        delta.extend(offset.to_be_bytes());
        delta.extend(len.to_be_bytes());
    }
    delta.push(0);
    delta
}

#[test]
fn moves_that_share_their_source_and_cross_are_carried_out_whole() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("image");
    let mut random = Random(31);
    let old = random.bytes(400);
    let copies = [(300, 100), (0, 100), (0, 100), (0, 100), (10, 5), (50, 10)];
    let new: Vec<u8> = copies.iter().flat_map(|&(at, len)| &old[at as usize..(at + len) as usize]).copied().collect();
    fs::write(&path, &old).unwrap();
    patch_in_place(&path, &plain(&copies)[..], PatchOptions::new()).unwrap();
    assert!(fs::read(&path).unwrap() == new);

    for round in 0..500 {
        let old = random.bytes(2000);
        let copies: Vec<(u16, u16)> = (0..random.below(40))
            .map(|_| {
                let len = 1 + random.below(300);
                (random.below(2000 - len) as u16, len as u16)
            })
            .collect();
        let new: Vec<u8> =
            copies.iter().flat_map(|&(at, len)| &old[at as usize..(at + len) as usize]).copied().collect();
        fs::write(&path, &old).unwrap();
        patch_in_place(&path, &plain(&copies)[..], PatchOptions::new()).unwrap();
        assert!(fs::read(&path).unwrap() == new, "round {round}: {copies:?}");
    }
}

#[test]
fn halves_of_megabytes_change_places() {
    let mut random = Random(8);
    // What is moved is no multiple of what is moved at once.
    let half = (4 << 20) + 65_536;
    let old = random.bytes(2 * half);
    let new = [&old[half..], &old[..half], &old[65536..131_072]].concat();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("image");
    for format in [Format::Sealed, Format::Rdiff] {
        fs::write(&path, &old).unwrap();
        let delta = delta(&old, &new, 65536, format);
        patch_in_place(&path, &delta[..], PatchOptions::new()).unwrap();
        assert!(fs::read(&path).unwrap() == new, "{format:?}");
    }
}
