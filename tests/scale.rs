//! Memory that does not grow with the content: 64 GiB streams, rolling within its limit, long chains.
//!
//! One test, because resident memory is counted for the whole process.

#[path = "support/generated.rs"]
mod generated;
#[path = "support/memory.rs"]
mod memory;

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use frazil::{
    Chain, ErrorKind, Format, LevelOptions, LevelReader, Matching, NoBasis, PatchOptions, PatchReader, ReadAt,
    Signature, SignatureFile, SignatureParams,
};
use generated::Generated;
use memory::peak_of;

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

fn unchanged(_: u64) -> bool {
    false
}

fn one_in_a_hundred(block: u64) -> bool {
    block % 100 == 50
}

/// The signature of a stream, written on the way.
fn sign(length: u64, path: &Path) {
    let sink = File::create(path).unwrap();
    let level = LevelReader::new(Generated::new(length, unchanged), None, LevelOptions::new())
        .unwrap()
        .signature_to(sink, Format::Sealed)
        .unwrap();
    let summary = level.finish_summary().unwrap();
    assert_eq!(summary.identity.unwrap().length(), length);
    assert!(summary.signature.is_none());
}

#[test]
fn memory_stays_flat_however_long_the_content_is() {
    let dir = tempfile::tempdir().unwrap();
    a_64_gib_stream_is_signed_and_aligned_within_32_mib(dir.path());
    a_rolling_level_keeps_to_its_limit(dir.path());
    a_level_that_is_written_while_it_is_made_keeps_to_its_limit();
    ten_levels_are_patched_and_chained_within_32_mib(dir.path());
    // Last, because the allocator keeps what a table of tens of MiB took, and the others count all that is resident.
    the_index_of_a_signature_in_its_file_takes_at_most_12_bytes_a_block(dir.path(), 1 << 21);
}

fn a_64_gib_stream_is_signed_and_aligned_within_32_mib(dir: &Path) {
    let length = 64 * GIB;
    let (old, new) = (dir.join("old.sig"), dir.join("new.sig"));

    let ((), peak) = peak_of(|| sign(length, &old));
    println!("signature of 64 GiB: {} KiB", peak / 1024);
    assert!(peak <= 32 * MIB, "{peak} bytes for the signature");

    let (summary, peak) = peak_of(|| {
        let basis = SignatureFile::open(&old).unwrap();
        let options = LevelOptions::new().matching(Matching::Aligned);
        let mut level = LevelReader::new(Generated::new(length, one_in_a_hundred), &basis, options)
            .unwrap()
            .signature_to(File::create(&new).unwrap(), Format::Sealed)
            .unwrap();
        io::copy(&mut level, &mut io::sink()).unwrap();
        level.finish_summary().unwrap()
    });
    println!("aligned level of 64 GiB: {} KiB, {:?}", peak / 1024, summary.stats);
    assert!(peak <= 32 * MIB, "{peak} bytes for the aligned level");
    let changed = (0..length / 65536).filter(|&block| one_in_a_hundred(block)).count() as u64;
    assert_eq!(summary.stats.literal_bytes, changed * 65536);
    assert_eq!(summary.stats.copy_bytes, length - changed * 65536);

    let ((same, changed), peak) = peak_of(|| {
        let (old, new) = (SignatureFile::open(&old).unwrap(), SignatureFile::open(&new).unwrap());
        let (mut same, mut changed) = (0, 0);
        for range in frazil::compare_files(&old, &new).unwrap() {
            let range = range.unwrap();
            *(if range.kind == frazil::RangeKind::Same { &mut same } else { &mut changed }) += range.len;
        }
        (same, changed)
    });
    println!("comparison of two signatures of 64 GiB: {} KiB", peak / 1024);
    assert!(peak <= 32 * MIB, "{peak} bytes for the comparison");
    assert_eq!((same, changed), (summary.stats.copy_bytes, summary.stats.literal_bytes));
}

fn a_rolling_level_keeps_to_its_limit(dir: &Path) {
    let length = 4 * GIB;
    let path = dir.join("rolling.sig");
    sign(length, &path);
    let signature = Signature::load(&path).unwrap();
    let options = |limit| LevelOptions::new().matching(Matching::Rolling).memory_limit(limit).target_len(length);

    let Err(error) = LevelReader::new(io::empty(), &signature, options(8 * MIB)) else { panic!("8 MiB cannot do") };
    assert_eq!(error.kind(), ErrorKind::Limit);
    assert!(error.to_string().contains("needs more memory than is allowed"), "{error}");

    let limit = 16 * MIB;
    // The limit is for the level; the process has its code and the signature besides.
    let (_, process) = peak_of(|| ());
    let (summary, peak) = peak_of(|| {
        let content = Generated::new(length, one_in_a_hundred);
        let mut level = LevelReader::new(content, &signature, options(limit)).unwrap();
        io::copy(&mut level, &mut io::sink()).unwrap();
        level.finish_summary().unwrap()
    });
    println!("rolling level of 4 GiB: {} KiB, {} before, {} more allowed", peak / 1024, process / 1024, limit / 1024);
    assert!(peak <= process + limit, "{peak} bytes, {process} before, {limit} more allowed");
    assert!(summary.stats.literal_bytes * 99 < length, "{:?}", summary.stats);
}

fn a_level_that_is_written_while_it_is_made_keeps_to_its_limit() {
    for (block_len, limit) in [(64 << 10, 9 * MIB), (16 << 20, 147 * MIB)] {
        let (_, process) = peak_of(|| ());
        let params = SignatureParams::with_block_len(block_len).unwrap();
        let options = LevelOptions::new().params(params).memory_limit(limit).hold_signature(false).threads(2);
        let length = GIB;
        let (summary, peak) = peak_of(|| {
            let level = LevelReader::new(Generated::new(length, |_| true), None, options).unwrap();
            level.write_to(io::sink()).unwrap()
        });
        println!("level 0 in blocks of {block_len}: {} KiB, {} before", peak / 1024, process / 1024);
        assert!(peak <= process + limit, "{peak} bytes, {process} before, {limit} more allowed");
        assert_eq!(summary.stats.literal_bytes, length);
    }
}

/// The signature of 1 TiB in blocks of 64 KiB.
#[test]
#[ignore = "takes a file of 600 MB and half a minute, and no other test beside it"]
fn the_index_of_1_tib_takes_at_most_192_mib() {
    let dir = tempfile::tempdir().unwrap();
    the_index_of_a_signature_in_its_file_takes_at_most_12_bytes_a_block(dir.path(), 1 << 24);
}

fn the_index_of_a_signature_in_its_file_takes_at_most_12_bytes_a_block(dir: &Path, blocks: u64) {
    // Just above a power of two is where tables that double take most. A small one shows what is not of the index.
    let peak_with = |blocks: u64| {
        let path = dir.join("many.sig");
        write_plain(&path, blocks);
        let basis = SignatureFile::open(&path).unwrap();
        let options = || LevelOptions::new().matching(Matching::Rolling).format(Format::Rdiff).threads(1);
        let ((), peak) = peak_of(|| {
            let mut level = LevelReader::new(Generated::new(32 * MIB, unchanged), &basis, options()).unwrap();
            io::copy(&mut level, &mut io::sink()).unwrap();
        });
        peak
    };
    let few = peak_with(1000);
    for blocks in [blocks, blocks + 1, blocks * 5 / 4] {
        let many = peak_with(blocks);
        let each = many.saturating_sub(few) as f64 / blocks as f64;
        println!("rolling level against {blocks} blocks in a file: {} KiB, {each:.2} bytes a block", many / 1024);
        assert!(each <= 12.0, "{each} bytes for each of {blocks} blocks");
        assert!(each > 8.0, "{each} bytes a block are too few to be all");
    }
}

/// A plain signature of so many blocks of 64 KiB, whose sums are those of no content.
fn write_plain(path: &Path, blocks: u64) {
    let head = frazil::gen_sig_from_stream(io::empty(), None).unwrap().finish().unwrap();
    let head = head.write_to(Vec::new(), Format::Rdiff).unwrap();
    let mut file = BufWriter::new(File::create(path).unwrap());
    file.write_all(&head).unwrap();
    for block in 1..=blocks {
        let words: [u64; 5] = std::array::from_fn(|word| {
            let mixed = (block * 5 + word as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            (mixed ^ mixed >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9)
        });
        let record: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).take(36).collect();
        file.write_all(&record).unwrap();
    }
    file.flush().unwrap();
}

fn ten_levels_are_patched_and_chained_within_32_mib(dir: &Path) {
    // Which blocks each level changes; a plain function, so that no state needs to be carried.
    const CHANGES: [fn(u64) -> bool; 10] = [
        unchanged,
        |block| block % 100 == 1,
        |block| block % 90 == 2,
        |block| block % 80 == 3,
        |block| block % 70 == 4,
        |block| block % 60 == 5,
        |block| block % 50 == 6,
        |block| block % 40 == 7,
        |block| block % 30 == 8,
        |block| block % 20 == 9,
    ];
    let length = 512 * MIB;
    let mut basis: Option<Signature> = None;
    let paths: Vec<_> = (0..CHANGES.len()).map(|level| dir.join(format!("{level}.level"))).collect();
    for (path, change) in paths.iter().zip(CHANGES) {
        let content = Generated::new(length, change);
        let mut level = LevelReader::new(content, basis.as_ref(), LevelOptions::new()).unwrap();
        io::copy(&mut level, &mut File::create(path).unwrap()).unwrap();
        basis = Some(level.finish().unwrap());
    }

    let (restored, peak) = peak_of(|| {
        let deltas = paths.iter().map(|path| File::open(path).unwrap()).collect();
        let mut chain = Chain::new(NoBasis, deltas, PatchOptions::new()).unwrap();
        let restored = io::copy(&mut chain, &mut io::sink()).unwrap();
        chain.finish().unwrap();
        restored
    });
    println!("chain of ten levels of 512 MiB: {} KiB", peak / 1024);
    assert_eq!(restored, length);
    assert!(peak <= 32 * MIB, "{peak} bytes for the chain");

    let ((), peak) = peak_of(|| {
        let target = dir.join("restored");
        for (level, path) in paths.iter().enumerate() {
            frazil::patch_from_stream(File::open(path).unwrap(), &target).unwrap();
            assert_eq!(ReadAt::size(&File::open(&target).unwrap()).unwrap(), length, "level {level}");
        }
    });
    println!("ten patches one after the other: {} KiB", peak / 1024);
    assert!(peak <= 32 * MIB, "{peak} bytes for the patches");

    let (_, peak) = peak_of(|| {
        let (basis, delta) = (File::open(dir.join("restored")).unwrap(), File::open(&paths[9]).unwrap());
        let error = io::copy(&mut PatchReader::new(delta, basis, PatchOptions::new()).unwrap(), &mut io::sink());
        assert!(error.is_err(), "level 9 does not stand on itself");
    });
    assert!(peak <= 32 * MIB, "{peak} bytes to refuse a wrong basis");
}
