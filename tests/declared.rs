//! What is declared beforehand is kept to: lengths, limits, and which file is which.

use std::fs;
use std::io::{self, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use frazil::{
    Error, ErrorKind, Format, LevelOptions, LevelReader, LevelWriter, Matching, NoBasis, Observer, PatchOptions,
    PatchReader, Progress, RangeKind, RangeLevel, Signature, SignatureFile, SignatureParams, SignatureReader,
    StrongKind, WeakKind, compare_streams, level_file,
};

fn sign(content: &[u8], params: SignatureParams) -> Signature {
    let options = LevelOptions::new().params(params).format(Format::Rdiff);
    LevelReader::new(content, None, options).and_then(LevelReader::finish).unwrap()
}

#[test]
fn content_longer_than_declared_is_refused_by_a_writer_and_left_by_a_reader() {
    let options = || LevelOptions::new().target_len(10);
    let mut writer = LevelWriter::new(Vec::new(), None, options()).unwrap();
    writer.write_all(b"0123456789").unwrap();
    let error = Error::from(writer.write_all(b"and more").unwrap_err());
    assert_eq!(error.kind(), ErrorKind::InvalidInput);

    let mut level = LevelReader::new(&b"0123456789 and more"[..], None, options()).unwrap();
    let mut delta = Vec::new();
    level.read_to_end(&mut delta).unwrap();
    let mut restored = Vec::new();
    PatchReader::new(&delta[..], NoBasis, PatchOptions::new()).unwrap().read_to_end(&mut restored).unwrap();
    assert_eq!(restored, b"0123456789");
}

#[test]
fn reader_and_writer_make_the_same_stream_of_whole_windows() {
    for block_len in [1000, 4096, 65536, 3_000_000] {
        let options = || {
            let params = SignatureParams::with_block_len(block_len).unwrap();
            LevelOptions::new().params(params).stream_id(frazil::StreamId([3; 16]))
        };
        for len in [2 << 20, (2 << 20) + 2 * block_len as usize, 8_000_000] {
            let content: Vec<u8> = (0..len).map(|at| ((at * at) >> 5) as u8).collect();
            let mut read = Vec::new();
            LevelReader::new(&content[..], None, options()).unwrap().read_to_end(&mut read).unwrap();
            let mut writer = LevelWriter::new(Vec::new(), None, options()).unwrap();
            writer.write_all(&content).unwrap();
            assert!(writer.finish().unwrap().0 == read, "{len} bytes in blocks of {block_len}");
        }
    }
}

#[test]
fn a_writer_without_its_stream_makes_the_signature_alone() {
    let mut writer = LevelWriter::new(Vec::new(), None, LevelOptions::new()).unwrap().without_stream();
    writer.write_all(&[5; 300_000]).unwrap();
    let (sink, summary) = writer.finish().unwrap();
    assert!(sink.is_empty());
    assert_eq!(summary.signature.unwrap(), sign(&[5; 300_000], SignatureParams::default()));
}

/// Counts how often it is told.
#[derive(Default)]
struct Steps(AtomicU64);

impl Observer for Steps {
    fn progress(&self, _: &Progress) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn small_pieces_are_gathered_before_they_are_signed() {
    let steps = Arc::new(Steps::default());
    let options = LevelOptions::new().observer(steps.clone());
    let mut writer = LevelWriter::new(io::sink(), None, options).unwrap().without_stream();
    for _ in 0..128 {
        writer.write_all(&[7; 65536]).unwrap();
    }
    writer.finish().unwrap();
    let steps = steps.0.load(Ordering::Relaxed);
    assert!(steps <= 8, "8 MiB in pieces of a block are signed in {steps} steps");
}

#[test]
fn a_writer_signs_pieces_of_any_length_like_a_reader() {
    let content: Vec<u8> = (0..20_000_000_u32).map(|at| (at.wrapping_mul(at) >> 9) as u8).collect();
    for block_len in [1, 1000, 65536, 3_000_000] {
        let len = if block_len == 1 { 100_000 } else { content.len() };
        let params = SignatureParams::with_block_len(block_len).unwrap();
        let expected = sign(&content[..len], params);
        for piece in [999, 65536, 1_000_000, 4_000_001, usize::MAX] {
            let mut writer =
                LevelWriter::new(io::sink(), None, LevelOptions::new().params(params).target_len(len as u64))
                    .unwrap()
                    .without_stream();
            for piece in content[..len].chunks(piece) {
                writer.write_all(piece).unwrap();
            }
            let error = Error::from(writer.write_all(b"more").unwrap_err());
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{block_len}, {piece}");
            let (_, summary) = writer.finish().unwrap();
            assert!(summary.signature.as_ref() == Some(&expected), "blocks of {block_len} out of pieces of {piece}");
        }
    }
}

#[test]
fn a_path_too_long_for_the_header_is_refused_before_anything_is_made() {
    let options = LevelOptions::new().basis_path(vec![b'a'; 40_000]);
    let Err(error) = LevelReader::new(io::empty(), None, options) else { panic!("taken") };
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

#[test]
fn another_file_at_the_path_of_a_signature_is_not_taken_for_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("sig");
    let (old, other) = (vec![1; 200_000], vec![2; 200_000]);
    sign(&old, SignatureParams::default()).save(&path, Format::Sealed).unwrap();
    let file = SignatureFile::open(&path).unwrap();
    fs::remove_file(&path).unwrap();
    sign(&other, SignatureParams::default()).save(&path, Format::Sealed).unwrap();

    let options = LevelOptions::new().matching(Matching::Aligned);
    let mut level = LevelReader::new(&old[..], &file, options).unwrap();
    io::copy(&mut level, &mut io::sink()).unwrap();
    assert_eq!(level.stats().copy_bytes, 200_000);
}

#[test]
fn a_level_of_ranges_on_weak_sums_says_so() {
    let weak = SignatureParams::new(WeakKind::RabinKarp, StrongKind::Blake2, 65536, 4).unwrap();
    let (old, new) = (vec![1; 100_000], vec![3; 100_000]);
    let options = LevelOptions::new().allow_weak(true);
    let (old_signature, new_signature) = (sign(&old, weak), sign(&new, SignatureParams::default()));
    let mut level = RangeLevel::new(&old_signature, &new_signature, &new[..], options).unwrap();
    let mut delta = Vec::new();
    level.read_to_end(&mut delta).unwrap();
    let mut patch = PatchReader::new(&delta[..], &old[..], PatchOptions::new()).unwrap();
    io::copy(&mut patch, &mut io::sink()).unwrap();
    assert!(patch.finish().unwrap().weak);
}

#[test]
fn signatures_that_stream_by_are_compared_to_the_last_byte() {
    let old = vec![7; 1_000_000];
    let mut new = old.clone();
    new[500_000] = 8;
    new.extend([9; 100]);
    let stream =
        |content: &[u8]| sign(content, SignatureParams::default()).write_to(Vec::new(), Format::Sealed).unwrap();
    let (old_stream, new_stream) = (stream(&old), stream(&new));
    let reader = |stream| SignatureReader::new(stream).unwrap();
    let ranges: Result<Vec<_>, _> =
        compare_streams(reader(&old_stream[..]), reader(&new_stream[..])).unwrap().collect();
    let ranges = ranges.unwrap();
    assert_eq!(ranges.iter().map(|range| range.len).sum::<u64>(), 1_000_100);
    let kinds: Vec<_> = ranges.iter().map(|range| (range.offset / 65536, range.kind)).collect();
    assert_eq!(kinds, [(0, RangeKind::Same), (7, RangeKind::Changed), (8, RangeKind::Same), (15, RangeKind::Changed)]);

    let cut = &new_stream[..new_stream.len() - 1];
    let last = compare_streams(reader(&old_stream[..]), reader(cut)).unwrap().last().unwrap();
    assert_eq!(last.unwrap_err().kind(), ErrorKind::Truncated);
}

#[test]
fn a_level_file_is_there_whole_or_not_at_all() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    fs::write(at("source"), vec![4; 100_000]).unwrap();
    let summary = level_file(at("source"), None, at("level"), LevelOptions::new()).unwrap();
    assert_eq!(fs::metadata(at("level")).unwrap().len(), summary.stats.stream_bytes);
    frazil::patch_from_file(at("level"), at("restored"), None).unwrap();
    assert_eq!(fs::read(at("restored")).unwrap(), vec![4; 100_000]);

    let error = level_file(at("source"), None, at("level"), LevelOptions::new()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Exists);
    assert!(level_file(at("missing"), None, at("other"), LevelOptions::new()).is_err());
    assert!(!at("other").exists());
}
