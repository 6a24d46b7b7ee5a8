//! What a chain reads of its deltas, and what it verifies of its basis.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use frazil::{
    Chain, Error, ErrorKind, Format, LevelOptions, LevelReader, NoBasis, Observer, PatchOptions, ReadAt, Signature,
    SignatureParams, VerifyBasis,
};

fn random(len: usize) -> Vec<u8> {
    let mut state = 99_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    (0..len).map(|_| next()).collect()
}

fn sign(content: &[u8]) -> Signature {
    LevelReader::new(content, None, LevelOptions::new()).and_then(LevelReader::finish).unwrap()
}

fn level(basis: Option<&Signature>, content: &[u8], format: Format) -> Vec<u8> {
    let mut delta = Vec::new();
    let options = LevelOptions::new().format(format);
    LevelReader::new(content, basis, options).unwrap().read_to_end(&mut delta).unwrap();
    delta
}

/// A delta that counts the bytes read of it.
struct Counted(Vec<u8>, AtomicU64);

impl ReadAt for Counted {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let read = self.0.read_at(buffer, offset)?;
        self.1.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }

    fn size(&self) -> io::Result<u64> {
        self.0.size()
    }
}

#[test]
fn reading_on_parses_nothing_twice_however_small_the_index_is() {
    let content = random(48 << 20);
    for format in [Format::Sealed, Format::Rdiff] {
        let delta = Counted(level(None, &content, format), AtomicU64::new(0));
        let length = delta.0.len() as u64;
        // Room for the least number of places, of which the frames are many times more.
        let mut chain = Chain::new(NoBasis, vec![&delta], PatchOptions::new().index_memory(1)).unwrap();
        let mut restored = Vec::new();
        chain.read_to_end(&mut restored).unwrap();
        assert!(restored == content, "{format:?}");
        let read = delta.1.load(Ordering::Relaxed);
        // Once to check and index it, once to restore, and the ends of reads that reached into a next frame.
        assert!(read <= length * 5 / 2, "{format:?}: {read} bytes read of {length}");
    }
}

#[test]
fn a_basis_under_a_plain_last_delta_is_verified_before() {
    let old = random(300_000);
    let mut other = old.clone();
    other[7] ^= 1;
    let middle = [&old[..], b"more"].concat();
    let last = [&middle[..], b"and more"].concat();
    let sealed = level(Some(&sign(&old)), &middle, Format::Sealed);
    let plain = level(Some(&sign(&middle)), &last, Format::Rdiff);
    for when in [VerifyBasis::Before, VerifyBasis::After] {
        let options = || PatchOptions::new().verify_basis(when);
        let Err(error) = Chain::new(&other[..], vec![&sealed, &plain], options()) else { panic!("opened, {when:?}") };
        assert_eq!(error.kind(), ErrorKind::WrongBasis);
        let mut restored = Vec::new();
        Chain::new(&old[..], vec![&sealed, &plain], options()).unwrap().read_to_end(&mut restored).unwrap();
        assert!(restored == last);
    }
}

/// A plain delta that takes single bytes from all over content of `length`, and what it makes of `content`.
fn permuted(content: &[u8], copies: usize) -> (Vec<u8>, Vec<u8>) {
    let mut delta = b"rs\x026".to_vec();
    let mut target = Vec::new();
    for number in 0..copies {
        // From both halves in turn, each time from another place.
        let at = (number % 2 * content.len() + number * 7_919) / 2 % content.len();
        delta.extend([&[0x4d], &(at as u32).to_be_bytes()[..], &[1]].concat());
        target.push(content[at]);
    }
    delta.push(0);
    (delta, target)
}

#[test]
fn a_level_that_jumps_about_in_the_one_below_costs_little_for_each_jump() {
    const COPIES: usize = 20_000;
    let content = random(8 << 20);
    // The literals of what was made by frazil are long; of one-byte literals there are as many as there can be.
    let tiny = content.iter().flat_map(|&byte| [1, byte]);
    let tiny: Vec<u8> = b"rs\x026".iter().copied().chain(tiny).chain([0]).collect();
    let lower = [
        ("sealed", level(None, &content, Format::Sealed)),
        ("plain", level(None, &content, Format::Rdiff)),
        ("plain, of single bytes", tiny),
    ];
    let (upper, expected) = permuted(&content, COPIES);
    for (name, lower) in lower {
        for index_memory in [1 << 20, PatchOptions::DEFAULT_INDEX_MEMORY] {
            let length = lower.len() as u64;
            let deltas = [Counted(lower.clone(), AtomicU64::new(0)), Counted(upper.clone(), AtomicU64::new(0))];
            let options = PatchOptions::new().index_memory(index_memory);
            let mut chain = Chain::new(NoBasis, deltas.iter().collect(), options).unwrap();
            let mut restored = Vec::new();
            chain.read_to_end(&mut restored).unwrap();
            assert!(restored == expected, "{name}");
            let read = deltas[0].1.load(Ordering::Relaxed);
            // Once to index it, a few times by whole frames, and then some KiB for each byte.
            let most = length * 6 + (16 << 20) + COPIES as u64 * (16 << 10);
            assert!(read <= most, "{name}, {index_memory} for the index: {read} bytes read of {length}");
        }
    }
}

/// Frames that are shorter than the places of a small index are from each other: some are found from the one before.
#[test]
fn a_level_that_jumps_about_in_short_frames_takes_what_is_there_however_small_the_index_is() {
    let literal = random(4 << 20);
    let content: Vec<u8> = literal.chunks(1024).flat_map(|chunk| [chunk, &[0; 1024]].concat()).collect();
    let mut lower = Vec::new();
    let options = LevelOptions::new().params(SignatureParams::with_block_len(1024).unwrap());
    LevelReader::new(&content[..], None, options).unwrap().read_to_end(&mut lower).unwrap();
    let (upper, expected) = permuted(&content, 5_000);
    for index_memory in [1, 32 << 10, PatchOptions::DEFAULT_INDEX_MEMORY] {
        let options = PatchOptions::new().index_memory(index_memory);
        let mut restored = Vec::new();
        Chain::new(NoBasis, vec![&lower[..], &upper], options).unwrap().read_to_end(&mut restored).unwrap();
        assert!(restored == expected, "{index_memory} for the index");
    }
}

/// Stops when it was asked so often.
#[derive(Debug)]
struct Patience(AtomicU64);

impl Observer for Patience {
    fn cancelled(&self) -> bool {
        self.0.fetch_sub(1, Ordering::Relaxed) == 0
    }
}

#[test]
fn what_makes_little_of_much_work_can_be_stopped() {
    let content = random(1 << 20);
    let lower = level(None, &content, Format::Sealed);
    let (upper, expected) = permuted(&content, 20_000);
    // Reading both deltas it is asked but for each MiB of them, and of the 20 KB that come out more often.
    let options = PatchOptions::new().observer(Arc::new(Patience(AtomicU64::new(10))));
    let mut chain = Chain::new(NoBasis, vec![&lower[..], &upper[..]], options).unwrap();
    let mut restored = Vec::new();
    let error = Error::from(chain.read_to_end(&mut restored).unwrap_err());
    assert_eq!(error.kind(), ErrorKind::Cancelled, "{error}");
    assert!(restored.len() < expected.len() && expected.starts_with(&restored), "{}", restored.len());
}
