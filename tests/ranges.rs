//! A level from two signatures, which fetches the changed ranges alone.

#[path = "support/allocation.rs"]
mod allocation;

use std::io::{self, Read};
use std::sync::Mutex;

use allocation::{Counting, peak_of};

use frazil::{
    ErrorKind, Format, LevelOptions, LevelReader, PatchOptions, PatchReader, RangeLevel, ReadAt, Signature,
    SignatureParams,
};

#[global_allocator]
static COUNTING: Counting = Counting;

const BLOCK: usize = 4096;

fn sign(content: &[u8]) -> Signature {
    let options = LevelOptions::new().params(SignatureParams::with_block_len(BLOCK as u32).unwrap());
    LevelReader::new(content, None, options).and_then(LevelReader::finish).unwrap()
}

fn random(blocks: usize) -> Vec<u8> {
    let mut state = 77_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    (0..blocks * BLOCK).map(|_| next()).collect()
}

/// Two contents: blocks 3 and 40 to 42 changed, 10 and 11 swapped with 20 and 21, and a longer end.
fn old_and_new() -> (Vec<u8>, Vec<u8>) {
    let old = random(64);
    let mut new = old.clone();
    for block in [3, 40, 41, 42] {
        new[block * BLOCK + 7] ^= 1;
    }
    let (left, right) = new.split_at_mut(20 * BLOCK);
    left[10 * BLOCK..12 * BLOCK].swap_with_slice(&mut right[..2 * BLOCK]);
    new.extend(b"and a little more");
    (old, new)
}

/// Content that remembers what was read of it.
struct Recorded<'a>(&'a [u8], Mutex<Vec<(u64, usize)>>);

impl ReadAt for Recorded<'_> {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let read = self.0.read_at(buffer, offset)?;
        self.1.lock().unwrap().push((offset, read));
        Ok(read)
    }

    fn size(&self) -> io::Result<u64> {
        self.0.size()
    }
}

#[test]
fn a_level_from_ranges_restores_the_new_content_and_reads_only_what_changed() {
    let (old, new) = old_and_new();
    for format in [Format::Sealed, Format::Rdiff] {
        let content = Recorded(&new, Mutex::default());
        let (old_signature, new_signature) = (sign(&old), sign(&new));
        let mut level =
            RangeLevel::new(&old_signature, &new_signature, &content, LevelOptions::new().format(format)).unwrap();
        let mut delta = Vec::new();
        level.read_to_end(&mut delta).unwrap();
        let stats = level.finish().unwrap();
        assert_eq!(stats.literal_bytes, (4 * BLOCK + 17) as u64);
        assert_eq!(stats.stream_bytes, delta.len() as u64);

        let read = content.1.into_inner().unwrap();
        assert_eq!(read, [(3, BLOCK), (40, 3 * BLOCK), (64, 17)].map(|(block, len)| ((block * BLOCK) as u64, len)));

        let mut restored = Vec::new();
        let mut patch = PatchReader::new(&delta[..], &old[..], PatchOptions::new()).unwrap();
        patch.read_to_end(&mut restored).unwrap();
        assert!(restored == new, "{format:?}");
    }
}

#[test]
fn a_range_that_is_too_long_for_one_fetch_is_fetched_in_pieces() {
    let old = random(1500);
    let mut new = old.clone();
    new[5 * BLOCK..1400 * BLOCK].iter_mut().for_each(|byte| *byte ^= 1);
    let content = Recorded(&new, Mutex::default());
    let (old_signature, new_signature) = (sign(&old), sign(&new));
    let mut level = RangeLevel::new(&old_signature, &new_signature, &content, LevelOptions::new()).unwrap();
    let mut delta = Vec::new();
    level.read_to_end(&mut delta).unwrap();
    assert_eq!(level.finish().unwrap().literal_bytes, (1395 * BLOCK) as u64);
    let read = content.1.into_inner().unwrap();
    assert!(read.len() > 3 && read.iter().all(|&(_, len)| len <= 1 << 20), "{read:?}");
    let mut restored = Vec::new();
    PatchReader::new(&delta[..], &old[..], PatchOptions::new()).unwrap().read_to_end(&mut restored).unwrap();
    assert!(restored == new);
}

#[test]
fn content_that_is_not_what_its_signature_says_is_refused() {
    let (old, new) = old_and_new();
    let (old_signature, new_signature) = (sign(&old), sign(&new));
    let mut other = new.clone();
    other[41 * BLOCK] ^= 1;
    let table: [(&[u8], &str, u64); 2] = [
        (&other, "content is not what its signature says", 41 * BLOCK as u64),
        (&new[..41 * BLOCK], "content ends before its signature does", 41 * BLOCK as u64),
    ];
    for (content, message, offset) in table {
        let mut level = RangeLevel::new(&old_signature, &new_signature, content, LevelOptions::new()).unwrap();
        let error = frazil::Error::from(level.read_to_end(&mut Vec::new()).unwrap_err());
        assert_eq!((error.kind(), error.offset()), (ErrorKind::Mismatch, Some(offset)));
        assert!(error.to_string().contains(message), "{error}");
        assert_eq!(level.finish().unwrap_err().kind(), ErrorKind::State);
    }
}

#[test]
fn a_fetch_that_failed_once_is_repeated_without_a_trace() {
    struct FailsOnce<'a>(&'a [u8], Mutex<bool>);
    impl ReadAt for FailsOnce<'_> {
        fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
            if std::mem::replace(&mut *self.1.lock().unwrap(), true) {
                self.0.read_at(buffer, offset)
            } else {
                Err(io::Error::from_raw_os_error(5))
            }
        }
        fn size(&self) -> io::Result<u64> {
            self.0.size()
        }
    }
    let (old, new) = old_and_new();
    let (old_signature, new_signature) = (sign(&old), sign(&new));
    let content = FailsOnce(&new, Mutex::new(false));
    let mut level = RangeLevel::new(&old_signature, &new_signature, content, LevelOptions::new()).unwrap();
    let mut delta = Vec::new();
    assert_eq!(level.read_to_end(&mut delta).unwrap_err().raw_os_error(), Some(5));
    level.read_to_end(&mut delta).unwrap();
    let mut restored = Vec::new();
    PatchReader::new(&delta[..], &old[..], PatchOptions::new()).unwrap().read_to_end(&mut restored).unwrap();
    assert!(restored == new);
}

/// Content of which the second reading panics.
struct PanicsOnce<'a>(Recorded<'a>);

impl ReadAt for PanicsOnce<'_> {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let read = self.0.read_at(buffer, offset)?;
        if self.0.1.lock().unwrap().len() == 2 {
            std::panic::resume_unwind(Box::new("read"));
        }
        Ok(read)
    }

    fn size(&self) -> io::Result<u64> {
        self.0.size()
    }
}

#[test]
fn a_level_whose_content_panicked_is_refused_and_not_a_range_shorter() {
    let (old, new) = old_and_new();
    for format in [Format::Sealed, Format::Rdiff] {
        let content = PanicsOnce(Recorded(&new, Mutex::default()));
        let options = LevelOptions::new().format(format);
        let mut level = RangeLevel::new(&sign(&old), &sign(&new), content, options).unwrap();
        let mut read = || level.read_to_end(&mut Vec::new());
        let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(&mut read));
        assert!(caught.is_err(), "{format:?}: {caught:?}");
        assert_eq!(frazil::Error::from(read().unwrap_err()).kind(), ErrorKind::State, "{format:?}");
        assert_eq!(level.finish().unwrap_err().kind(), ErrorKind::State, "{format:?}");
    }
}

#[test]
fn a_plain_new_signature_cannot_make_a_level() {
    let (old, new) = old_and_new();
    let plain = sign(&new).write_to(Vec::new(), Format::Rdiff).unwrap();
    let plain = Signature::read_from(&plain[..]).unwrap();
    let Err(error) = RangeLevel::new(&sign(&old), &plain, &new[..], LevelOptions::new()) else { panic!("it can") };
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

#[test]
fn a_level_of_very_many_ranges_holds_none_of_them() {
    // Every second block has changed: there are as many ranges as blocks.
    let params = LevelOptions::new().params(SignatureParams::with_block_len(16).unwrap());
    let sign = |content: &[u8]| LevelReader::new(content, None, params.clone()).and_then(LevelReader::finish).unwrap();
    let old = random(400);
    let mut new = old.clone();
    new.iter_mut().step_by(32).for_each(|byte| *byte ^= 1);
    let (old_signature, new_signature) = (sign(&old), sign(&new));
    let ((), peak) = peak_of(|| {
        let mut level = RangeLevel::new(&old_signature, &new_signature, &new, LevelOptions::new().threads(1)).unwrap();
        io::copy(&mut level, &mut io::sink()).unwrap();
        assert_eq!(level.finish().unwrap().literal_bytes, new.len() as u64 / 2);
    });
    let most = old_signature.index_bytes() as isize + (1 << 20);
    assert!(peak < most, "{peak} bytes held, of at most {most}");
}
