//! What a chain reads of its deltas, and what it verifies of its basis.

use std::io::{self, Read};
use std::sync::atomic::{AtomicU64, Ordering};

use frazil::{
    Chain, ErrorKind, Format, LevelOptions, LevelReader, NoBasis, PatchOptions, ReadAt, Signature, VerifyBasis,
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
