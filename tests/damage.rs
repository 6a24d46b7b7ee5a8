//! Damaged sealed streams: always an error that says what and where, never output that is taken for good.

#[path = "support/content.rs"]
mod content;
#[path = "support/sealed.rs"]
#[allow(dead_code, reason = "damage takes streams apart; it puts none together")]
mod sealed;

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use content::{level, noise, options};
use frazil::{
    Chain, Error, ErrorKind, Format, Matching, NoBasis, PatchOptions, PatchReader, PatchWriter, Signature,
    SignatureFile, StreamId, patch_file,
};
use sealed::parts;
use tempfile::TempDir;

use ErrorKind::{Corrupt, Truncated, Unsupported};

/// A delta with copies, literals and zero runs over several frames, and the basis of it.
fn delta() -> (Vec<u8>, Vec<u8>) {
    let basis = noise(5 * 4096, 1);
    let mut target = basis.clone();
    target[4096..8192].fill(0);
    target[3 * 4096..4 * 4096].fill(0);
    target.extend(noise(40, 2));
    let (_, signature) = level(&basis, None, options(4096));
    let (delta, _) = level(&target, Some(&signature), options(4096).matching(Matching::Aligned));
    assert!(parts(&delta).len() >= 6, "several frames and zero runs");
    (delta, basis)
}

/// A sealed signature of a few blocks.
fn signature() -> Vec<u8> {
    let (_, signature) = level(&noise(5000, 1), None, options(2048));
    signature.write_with_stream_id(Vec::new(), Format::Sealed, content::STREAM_ID).unwrap()
}

/// A directory with a basis and an old target that nothing may touch.
struct Ground {
    dir: TempDir,
    basis: Vec<u8>,
}

const OLD: &[u8] = b"what was there before";

impl Ground {
    fn new(basis: &[u8]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("basis"), basis).unwrap();
        fs::write(dir.path().join("target"), OLD).unwrap();
        Self { dir, basis: basis.to_vec() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn names(&self) -> Vec<PathBuf> {
        let mut names: Vec<_> = fs::read_dir(self.dir.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
        names.sort();
        names
    }

    /// Applies a damaged delta in every way; gives what each says of it.
    fn refusals(&self, damaged: &[u8]) -> [Error; 4] {
        let names = self.names();
        let basis = self.path("basis");
        let replace = PatchOptions::new().replace(true);
        let published = patch_file(Some(&basis), damaged, self.path("target"), replace).map(drop);
        assert_eq!(fs::read(self.path("target")).unwrap(), OLD);
        assert_eq!(self.names(), names, "nothing is published and nothing is left");
        let chained = Chain::new(&self.basis, vec![damaged], PatchOptions::new()).map(drop);
        [pull(damaged, &self.basis), push(damaged, &self.basis), published, chained].map(Result::unwrap_err)
    }
}

fn pull(delta: &[u8], basis: &[u8]) -> frazil::Result<()> {
    let mut reader = PatchReader::new(delta, basis, PatchOptions::new())?;
    let result = reader.read_to_end(&mut Vec::new());
    if result.is_err() {
        assert!(reader.read(&mut [0; 100]).is_err(), "an error does not heal");
        assert!(reader.finish().is_err(), "finish takes nothing broken for good");
    }
    Ok(result.map(drop)?)
}

fn push(delta: &[u8], basis: &[u8]) -> frazil::Result<()> {
    let mut writer = PatchWriter::new(Vec::new(), basis, PatchOptions::new())?;
    let result = writer.write_all(delta);
    if result.is_err() {
        assert!(writer.write(b"more").is_err(), "an error does not heal");
        assert!(writer.finish().is_err(), "finish takes nothing broken for good");
        return Ok(result?);
    }
    writer.finish().map(drop)
}

/// Reads a damaged signature in both ways.
fn signature_refusals(dir: &Path, damaged: &[u8]) -> [Error; 2] {
    let path = dir.join("damaged");
    fs::write(&path, damaged).unwrap();
    [Signature::read_from(damaged).map(drop), SignatureFile::open(path).map(drop)].map(Result::unwrap_err)
}

#[test]
fn a_stream_cut_anywhere_is_truncated_there() {
    let (delta, basis) = delta();
    let ground = Ground::new(&basis);
    for cut in 0..delta.len() {
        for error in ground.refusals(&delta[..cut]) {
            assert_eq!((error.kind(), error.offset()), (Truncated, Some(cut as u64)), "{error}");
        }
    }
    let signature = signature();
    for cut in 0..signature.len() {
        for error in signature_refusals(ground.dir.path(), &signature[..cut]) {
            assert_eq!((error.kind(), error.offset()), (Truncated, Some(cut as u64)), "{error}");
        }
    }
}

/// What a flip at this byte of a stream may be called: the kind, and a part of the message.
fn blame(stream: &[u8], at: usize) -> &'static [(ErrorKind, &'static str)] {
    let parts = parts(stream);
    let part = parts.iter().position(|part| part.contains(&at)).expect("a byte of the stream");
    match (part, at - parts[part].start) {
        (0, 0..4) => &[(Corrupt, "neither a sealed stream nor")],
        (0, 4..8) => &[(Corrupt, "wrong magic")],
        (0, 8..10) => &[(Unsupported, "format version")],
        (0, 28..32) => &[
            (Corrupt, "header is too long"),
            (Corrupt, "header checksum does not match"),
            (Truncated, "ends within its header"),
        ],
        (0, _) => &[(Corrupt, "header checksum does not match")],
        (_, 2..6) => &[
            (Corrupt, "frame is too long"),
            (Corrupt, "frame checksum does not match"),
            (Truncated, "ends within a frame"),
        ],
        _ => &[(Corrupt, "frame checksum does not match")],
    }
}

/// Holds an error against what may be said of damage at the byte `at`.
fn check_blame(stream: &[u8], at: usize, error: &Error) {
    let (message, blame) = (error.to_string(), blame(stream, at));
    let fits = blame.iter().any(|&(kind, part)| error.kind() == kind && message.contains(part));
    assert!(fits, "byte {at}: {message} is none of {blame:?}");
    let parts = parts(stream);
    let part = parts.iter().find(|part| part.contains(&at)).expect("a byte of the stream");
    // A header's error names the field, a frame's the frame; only a length that lies leads further.
    let offset = error.offset().expect("an offset") as usize;
    assert!(part.contains(&offset) || error.kind() == Truncated && offset == stream.len(), "byte {at}: {message}");
    assert!(message.contains(&format!("at offset {offset}")), "{message}");
}

#[test]
fn a_flip_of_any_bit_is_named_with_its_place() {
    let (delta, basis) = delta();
    let ground = Ground::new(&basis);
    let signature = signature();
    for bit in 0..8 {
        for at in 0..delta.len() {
            let mut damaged = delta.clone();
            damaged[at] ^= 1 << bit;
            ground.refusals(&damaged).iter().for_each(|error| check_blame(&delta, at, error));
        }
        for at in 0..signature.len() {
            let mut damaged = signature.clone();
            damaged[at] ^= 1 << bit;
            let refusals = signature_refusals(ground.dir.path(), &damaged);
            refusals.iter().for_each(|error| check_blame(&signature, at, error));
        }
    }
    let bits = [8 * delta.len(), 8 * signature.len()];
    println!(
        "{} bits of a sealed delta and {} of a sealed signature flipped: all named with their place",
        bits[0], bits[1]
    );
}

#[test]
fn frames_that_are_dropped_repeated_swapped_or_strange_are_refused() {
    let (ours, basis) = delta();
    let (_, signature) = level(&basis, None, options(4096));
    let other_id = options(4096).matching(Matching::Aligned).stream_id(StreamId([7; 16]));
    let mut target = Vec::new();
    PatchReader::new(&ours[..], &basis, PatchOptions::new()).unwrap().read_to_end(&mut target).unwrap();
    let (other, _) = level(&target, Some(&signature), other_id);
    let parts = parts(&ours);
    assert_eq!(parts, sealed::parts(&other), "the other stream differs in nothing but its id");
    let ground = Ground::new(&basis);
    let check = |what: &str, stream: &[&[u8]], at: usize, part_of_message: &str| {
        for error in ground.refusals(&stream.concat()) {
            assert_eq!((error.kind(), error.offset()), (Corrupt, Some(at as u64)), "{what}: {error}");
            assert!(error.to_string().contains(part_of_message), "{what}: {error}");
        }
    };
    let last = parts.last().unwrap().clone();
    for (number, part) in parts.iter().enumerate().skip(1) {
        let (before, this, after) = (&ours[..part.start], &ours[part.clone()], &ours[part.end..]);
        if part != &last {
            check("dropped", &[before, after], part.start, "out of order");
            check("repeated", &[before, this, this, after], part.end, "out of order");
            let next = parts[number + 1].clone();
            let swapped = [before, &ours[next.clone()], this, &ours[next.end..]];
            check("swapped", &swapped, part.start, "out of order");
        }
        check("spliced", &[before, &other[part.clone()], after], part.start, "frame checksum does not match");
    }
    check("header of another", &[&other[parts[0].clone()], &ours[parts[0].end..]], parts[0].end, "frame checksum");
    check("two streams", &[&ours, &ours], ours.len(), "bytes after the trailer");
    check("a byte more", &[&ours, &[0]], ours.len(), "bytes after the trailer");
    check("trailer twice", &[&ours, &ours[last]], ours.len(), "bytes after the trailer");
}

#[test]
fn a_trailer_of_another_stream_with_the_same_id_does_not_fit() {
    let basis = noise(3000, 1);
    let make = |target: &[u8]| level(target, None, options(1024)).0;
    // Both have the same id, number of frames and length: only the digest of all that went before differs.
    let (ours, other) = (make(&basis), make(&noise(3000, 2)));
    let last = parts(&ours).pop().unwrap();
    let spliced = [&ours[..last.start], &other[last.clone()]].concat();
    let error = Chain::new(NoBasis, vec![&spliced[..]], PatchOptions::new()).err().unwrap();
    for error in [pull(&spliced, &[]).unwrap_err(), push(&spliced, &[]).unwrap_err(), error] {
        assert_eq!((error.kind(), error.offset()), (Corrupt, Some(last.start as u64)));
        assert!(error.to_string().contains("stream digest does not match its trailer"), "{error}");
    }
}

#[test]
fn a_signature_with_anything_after_its_trailer_is_refused() {
    let signature = signature();
    let dir = tempfile::tempdir().unwrap();
    for more in [&[0][..], &signature] {
        for error in signature_refusals(dir.path(), &[&signature, more].concat()) {
            assert_eq!((error.kind(), error.offset()), (Corrupt, Some(signature.len() as u64)), "{error}");
            assert!(error.to_string().contains("bytes after the trailer"), "{error}");
        }
    }
}

#[test]
fn each_kind_of_stream_is_refused_in_the_place_of_the_other() {
    let (delta, basis) = delta();
    let ground = Ground::new(&basis);
    for error in ground.refusals(&signature()) {
        assert_eq!(error.kind(), Corrupt);
        assert!(error.to_string().contains("sealed stream is not a delta: expected delta, found signature"), "{error}");
    }
    for error in signature_refusals(ground.dir.path(), &delta) {
        assert_eq!(error.kind(), Corrupt);
        assert!(error.to_string().contains("not a signature: expected signature, found delta"), "{error}");
    }
}
