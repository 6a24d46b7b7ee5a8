//! What has failed stays failed: a second call must not pass over what the first has found.

use std::io::{self, Read, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use frazil::{
    Chain, Error, ErrorKind, Format, LevelOptions, LevelReader, PatchOptions, PatchReader, PatchWriter, ReadAt,
    Signature, SignatureParams, SignatureReader, VerifyBasis,
};

fn sign(content: &[u8]) -> Signature {
    LevelReader::new(content, None, LevelOptions::new()).and_then(LevelReader::finish).unwrap()
}

fn delta(old: &[u8], new: &[u8]) -> Vec<u8> {
    let mut delta = Vec::new();
    LevelReader::new(new, &sign(old), LevelOptions::new()).unwrap().read_to_end(&mut delta).unwrap();
    delta
}

/// A basis of the right length, another of that length, and the delta against the first.
fn contents() -> (Vec<u8>, Vec<u8>, Vec<u8>) {
    let old: Vec<u8> = (0..200_000_u32).map(|i| (i.wrapping_mul(i) >> 7) as u8).collect();
    let mut other = old.clone();
    other[100] ^= 1;
    let mut new = old.clone();
    new.extend(b"more");
    let delta = delta(&old, &new);
    (old, other, delta)
}

fn kinds_of_two_reads(mut from: impl Read) -> [ErrorKind; 2] {
    [(); 2].map(|()| Error::from(io::copy(&mut from, &mut io::sink()).unwrap_err()).kind())
}

#[test]
fn a_wrong_basis_is_not_forgotten_by_the_next_read() {
    let (_, other, delta) = contents();
    for when in [VerifyBasis::Before, VerifyBasis::After] {
        let options = || PatchOptions::new().verify_basis(when);
        let mut patch = PatchReader::new(&delta[..], &other[..], options()).unwrap();
        assert_eq!(kinds_of_two_reads(&mut patch), [ErrorKind::WrongBasis, ErrorKind::State], "{when:?}");
        assert_eq!(patch.finish().unwrap_err().kind(), ErrorKind::State);

        let mut writer = PatchWriter::new(io::sink(), &other[..], options()).unwrap();
        let written = writer.write_all(&delta);
        assert_eq!(written.is_err(), when == VerifyBasis::Before);
        let kind = if written.is_err() { ErrorKind::State } else { ErrorKind::WrongBasis };
        assert_eq!(writer.finish().err().map(|error| error.kind()), Some(kind));
    }
    let options = PatchOptions::new().verify_basis(VerifyBasis::After);
    let mut chain = Chain::new(&other[..], vec![&delta], options).unwrap();
    assert_eq!(kinds_of_two_reads(&mut chain), [ErrorKind::WrongBasis, ErrorKind::State]);
    assert_eq!(chain.finish().unwrap_err().kind(), ErrorKind::State);
}

/// Fails at the first read, and is another content than it should be.
struct FailsOnce<'a>(&'a [u8], AtomicBool);

impl ReadAt for FailsOnce<'_> {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        if self.1.swap(true, Ordering::Relaxed) {
            self.0.read_at(buffer, offset)
        } else {
            Err(io::Error::from_raw_os_error(5))
        }
    }

    fn size(&self) -> io::Result<u64> {
        self.0.size()
    }
}

#[test]
fn a_basis_that_could_not_be_read_is_verified_when_the_reader_tries_again() {
    let (old, other, delta) = contents();
    for (basis, fails) in [(&old, false), (&other, true)] {
        let basis = FailsOnce(basis, AtomicBool::new(false));
        let mut patch = PatchReader::new(&delta[..], basis, PatchOptions::new()).unwrap();
        let mut out = Vec::new();
        assert_eq!(patch.read_to_end(&mut out).unwrap_err().raw_os_error(), Some(5));
        assert!(out.is_empty());
        let again = patch.read_to_end(&mut out);
        assert_eq!(again.is_err(), fails);
        assert_eq!(out.is_empty(), fails, "nothing comes out of a wrong basis");
    }
}

#[test]
fn a_signature_that_lied_at_its_end_does_not_end_well_the_second_time() {
    let (old, _, _) = contents();
    let mut bytes = sign(&old).write_to(Vec::new(), Format::Sealed).unwrap();
    bytes.push(0);
    let mut reader = SignatureReader::new(&bytes[..]).unwrap();
    let error = loop {
        match reader.next_block() {
            Ok(Some(_)) => {}
            Ok(None) => panic!("bytes after the trailer were passed over"),
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert_eq!(reader.next_block().unwrap_err().kind(), ErrorKind::State);
}

#[test]
fn a_level_whose_signature_could_not_be_written_has_failed() {
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::Error::from_raw_os_error(28))
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let (old, _, _) = contents();
    let level = |block_len| {
        let options = LevelOptions::new().params(SignatureParams::with_block_len(block_len).unwrap());
        LevelReader::new(&old[..], None, options).and_then(|level| level.signature_to(Full, Format::Sealed)).unwrap()
    };
    // A signature so long that some of it is written on the way.
    let mut long = level(16);
    assert_eq!(long.read_to_end(&mut Vec::new()).unwrap_err().raw_os_error(), Some(28));
    assert_eq!(Error::from(long.read_to_end(&mut Vec::new()).unwrap_err()).kind(), ErrorKind::State);
    assert_eq!(long.finish().unwrap_err().kind(), ErrorKind::State);
    // And one that is written when the level is finished.
    let mut short = level(65536);
    short.read_to_end(&mut Vec::new()).unwrap();
    assert_eq!(short.finish_summary().unwrap_err().os_code(), Some(28));
}

#[test]
fn a_signature_is_not_whole_before_its_level_was_taken() {
    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);
    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let (old, _, _) = contents();
    let signature = Shared::default();
    let mut level = LevelReader::new(&old[..], None, LevelOptions::new())
        .and_then(|level| level.signature_to(signature.clone(), Format::Sealed))
        .unwrap();
    level.read_to_end(&mut Vec::new()).unwrap();
    let written = signature.0.lock().unwrap().clone();
    assert_eq!(Signature::read_from(&written[..]).unwrap_err().kind(), ErrorKind::Truncated);
    level.finish_summary().unwrap();
    let written = signature.0.lock().unwrap().clone();
    assert_eq!(Signature::read_from(&written[..]).unwrap().length(), Some(200_000));
}
