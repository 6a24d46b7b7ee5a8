//! Streams of each released version of the format, kept for ever: they are read, and made again.
//!
//! A file in `tests/vectors/` is never changed. `BLESS=1` writes those that are missing, and only those:
//! when a better matcher makes another level of the same contents, the old file stays to be read, and
//! the new stream gets a file of its own.

#[path = "support/vector.rs"]
mod vector;

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::process::Command;

use frazil::{
    Chain, ErrorKind, Format, LevelOptions, PatchOptions, PatchReader, PatchWriter, Result, SealedHeader, SealedKind,
    Signature, SignatureFile, SignatureParams, SignatureReader, inspect, patch_file, patch_from_stream, patch_in_place,
};
use vector::{
    STREAM_ID, SignatureVector, contents, deltas, dirtied, frozen, frozen_or_blessed, level, new, old, path,
    signature_of, signatures,
};

fn restored(delta: &[u8], basis: &[u8]) -> Result<Vec<u8>> {
    let mut target = Vec::new();
    let mut patch = PatchReader::new(delta, basis, PatchOptions::new())?;
    patch.read_to_end(&mut target)?;
    patch.finish()?;
    Ok(target)
}

fn chained(delta: &[u8], basis: &[u8]) -> Result<Vec<u8>> {
    let mut target = Vec::new();
    let mut chain = Chain::new(basis, vec![delta], PatchOptions::new())?;
    chain.read_to_end(&mut target)?;
    chain.finish()?;
    Ok(target)
}

/// The header of a sealed signature.
fn header_of(signature: &[u8]) -> SealedHeader {
    SignatureReader::new(signature).unwrap().header().expect("it is sealed").clone()
}

#[test]
fn the_contents_are_those_of_the_files() {
    for (name, content) in contents() {
        assert!(frozen_or_blessed(name, &content) == content, "{name}");
    }
}

#[test]
fn every_signature_is_read_and_made_again() {
    for SignatureVector { name, params, format } in signatures() {
        let signature = signature_of(&old(), params);
        let made = signature.write_with_stream_id(Vec::new(), format, STREAM_ID).unwrap();
        let frozen = frozen_or_blessed(name, &made);
        assert!(made == frozen, "{name} is made otherwise than it was");

        let read = Signature::read_from(&frozen[..]).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(read.params(), &params, "{name}");
        assert!(read.blocks().eq(signature.blocks()), "{name}");
        match format {
            Format::Sealed => {
                assert_eq!(read.identity(), signature.identity(), "{name}");
                let header = header_of(&frozen);
                assert_eq!((header.kind, header.stream_id), (SealedKind::Signature, STREAM_ID), "{name}");
                assert_eq!(header.target_block_len, Some(params.block_len()), "{name}");
            }
            Format::Rdiff => assert_eq!(frozen[..4], params.magic().to_be_bytes(), "{name}"),
        }
    }
}

/// What a level finds may get better from version to version; what a stream means may not. So a delta is
/// not made again byte for byte, but must not be longer than it was.
#[test]
fn every_delta_is_read_and_made_no_longer() {
    for vector in deltas() {
        let name = vector.name;
        let made = (vector.make)(&vector);
        let frozen = frozen_or_blessed(name, &made);
        assert!(made.len() <= frozen.len(), "{name} has {} bytes, and had {}", made.len(), frozen.len());
        for (way, result) in [
            ("patch", restored(&frozen, &vector.basis)),
            ("chain", chained(&frozen, &vector.basis)),
            ("patch of what is made now", restored(&made, &vector.basis)),
        ] {
            let target = result.unwrap_or_else(|error| panic!("{name}, {way}: {error}"));
            assert!(target == vector.target, "{name}, {way}: another target");
        }
    }
}

#[test]
fn what_is_dirty_says_so_and_is_gone_on_from() {
    let (_, signature) = dirtied(&old(), None);
    let made = signature.write_with_stream_id(Vec::new(), Format::Sealed, STREAM_ID).unwrap();
    let frozen_signature = frozen_or_blessed("signature-dirty.sealed", &made);
    assert!(made == frozen_signature);
    let signature = Signature::read_from(&frozen_signature[..]).unwrap();
    assert!(signature.is_dirty() && signature.identity() == signature_of(&old(), *signature.params()).identity());
    let next = level(&new(), &signature, LevelOptions::new());
    assert!(restored(&next, &old()).unwrap() == new());

    let dirty: BTreeSet<_> = deltas().into_iter().map(|vector| vector.name).filter(|name| is_dirty(name)).collect();
    assert_eq!(dirty, ["level1-dirty.sealed"].into());
}

fn is_dirty(name: &str) -> bool {
    let inspection = inspect(&frozen(name)[..]).unwrap();
    assert!(inspection.damage.is_none(), "{name}");
    inspection.dirty
}

#[test]
fn a_run_of_zeros_takes_no_room_in_a_sealed_vector() {
    let zeros = 8192;
    let (sealed, plain) = (frozen("level1.sealed").len(), frozen("level1.rdiff").len());
    assert!(sealed < 500 && plain > zeros, "sealed {sealed} bytes, plain {plain}");
}

#[test]
fn a_run_of_zeros_takes_no_room_whatever_the_blocks() {
    let target = [&old()[..4096], &[0; 1 << 20], &old()[4096..]].concat();
    for block_len in [16, 500, 1024, 4096, 65536] {
        let basis = signature_of(&old(), SignatureParams::with_block_len(block_len).unwrap());
        let stream = level(&target, &basis, LevelOptions::new());
        assert!(stream.len() < 6500, "blocks of {block_len}: {} bytes", stream.len());
        assert!(restored(&stream, &old()).unwrap() == target, "blocks of {block_len}");
    }
}

#[test]
fn a_vector_on_another_basis_is_refused() {
    let mut other = old();
    other[4999] ^= 1;
    for name in ["level1.sealed", "level1-every-field.sealed", "level1-unchanged.sealed"] {
        let error = restored(&frozen(name), &other).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WrongBasis, "{name}");
        assert!(error.to_string().contains("the delta was made against another basis"), "{name}: {error}");
    }
}

#[test]
fn a_newer_version_is_refused_by_name_and_before_anything_else_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let [path, kept] = ["stream", "kept"].map(|name| dir.path().join(name));
    std::fs::write(&kept, old()).unwrap();
    for name in ["level0.sealed", "signature.sealed"] {
        for version in [0_u16, 2, 256, u16::MAX] {
            // Another version may have another header, so whatever follows its number is rubbish here.
            let mut newer = frozen(name);
            newer[8..10].copy_from_slice(&version.to_be_bytes());
            newer[10..].fill(0xee);
            std::fs::write(&path, &newer).unwrap();
            let options = PatchOptions::new;
            let mut pushed = PatchWriter::new(Vec::new(), &[][..], options()).unwrap();
            let fed = pushed.write_all(&newer).map_err(frazil::Error::from).and_then(|()| pushed.finish().map(drop));
            let errors = [
                ("patch", restored(&newer, &[]).map(drop)),
                ("patch, pushed", fed),
                ("patch of a file", patch_file(Some(&kept), &newer[..], dir.path().join("made"), options()).map(drop)),
                ("patch in place", patch_in_place(&kept, &newer[..], options()).map(drop)),
                ("patch from a stream", patch_from_stream(&newer[..], &kept).map(drop)),
                ("chain", chained(&newer, &[]).map(drop)),
                ("signature", Signature::read_from(&newer[..]).map(drop)),
                ("signature, one sum at a time", SignatureReader::new(&newer[..]).map(drop)),
                ("signature in its file", SignatureFile::open(&path).map(drop)),
                ("inspection", inspect(&newer[..]).map(drop)),
            ];
            for (way, result) in errors {
                let error = result.expect_err(way);
                assert_eq!((error.kind(), error.offset()), (ErrorKind::Unsupported, Some(8)), "{way}: {error}");
                let message = format!("sealed stream of format version {version}, and this frazil reads version 1");
                assert!(error.to_string().contains(&message), "{way}: {error}");
            }
            assert!(std::fs::read(&kept).unwrap() == old(), "{name}: nothing is touched");
        }
    }
}

/// A header with these fields, and its checksum.
fn header_with(kind: u8, fields: &[u8]) -> Vec<u8> {
    let mut header = b"\x89frazil\n\0\x01".to_vec();
    header.extend([kind, 0]);
    header.extend(STREAM_ID.0);
    header.extend((fields.len() as u32).to_be_bytes());
    header.extend(fields);
    header.extend(crc32(&header).to_be_bytes());
    header
}

/// CRC32 (IEEE), bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| (crc >> 1) ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 })
    })
}

#[test]
fn what_a_header_may_add_is_skipped_only_where_it_says_so() {
    let optional = header_with(2, &[0x80, 0x63, 0, 0, 0, 1, 7]);
    let error = restored(&optional, &[]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Truncated, "only the rest is missing: {error}");
    assert!(error.to_string().contains("stream ends before its trailer"), "{error}");

    let required = header_with(2, &[0x00, 0x63, 0, 0, 0, 1, 7]);
    let error = restored(&required, &[]).unwrap_err();
    assert_eq!((error.kind(), error.offset()), (ErrorKind::Unsupported, Some(32)), "{error}");
    assert!(error.to_string().contains("header field 99"), "{error}");

    let snapshot = header_with(3, &[]);
    let error = restored(&snapshot, &[]).unwrap_err();
    assert_eq!((error.kind(), error.offset()), (ErrorKind::Corrupt, Some(0)), "{error}");
    assert!(error.to_string().contains("expected delta, found snapshot"), "{error}");

    let unknown = header_with(5, &[]);
    let error = restored(&unknown, &[]).unwrap_err();
    assert_eq!((error.kind(), error.offset()), (ErrorKind::Unsupported, Some(10)), "{error}");
    assert!(error.to_string().contains("sealed stream of kind 5"), "{error}");

    let mut flagged = header_with(2, &[]);
    flagged.truncate(32);
    flagged[11] = 4;
    flagged.extend(crc32(&flagged).to_be_bytes());
    let error = restored(&flagged, &[]).unwrap_err();
    assert_eq!((error.kind(), error.offset()), (ErrorKind::Unsupported, Some(11)), "{error}");
    assert!(error.to_string().contains("header flags 04"), "{error}");
}

#[test]
fn a_header_field_that_does_not_fit_is_refused_where_it_begins() {
    let table: [(&[u8], u64, &str); 3] = [
        (&[0x80, 0x63, 0, 0, 0], 32, "header field is cut off"),
        (&[0x80, 0x63, 0, 0, 0, 1, 7, 0x80], 39, "header field is cut off"),
        (&[0x80, 0x63, 0, 0, 0, 2, 7], 32, "header field is longer than the header"),
    ];
    for (fields, offset, message) in table {
        let error = restored(&header_with(2, fields), &[]).unwrap_err();
        assert_eq!((error.kind(), error.offset()), (ErrorKind::Corrupt, Some(offset)), "{fields:?}: {error}");
        assert!(error.to_string().contains(message), "{fields:?}: {error}");
    }
    let error = restored(&header_with(4, &[]), &[]).unwrap_err();
    assert!(error.to_string().contains("expected delta, found records of an archive"), "{error}");
}

/// A vector that is written anew is another one.
#[test]
fn no_vector_has_changed() {
    let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/v1");
    let said =
        Command::new("b2sum").args(["--check", "--strict", "--quiet", "B2SUMS"]).current_dir(dir).output().unwrap();
    assert!(
        said.status.success(),
        "{}{}",
        String::from_utf8_lossy(&said.stdout),
        String::from_utf8_lossy(&said.stderr)
    );

    let sums = fs::read_to_string(format!("{dir}/B2SUMS")).unwrap();
    let summed: BTreeSet<&str> = sums.lines().map(|line| line.split_once("  ").unwrap().1).collect();
    let found = ["", "tree/"].into_iter().flat_map(|under| {
        let entries = fs::read_dir(format!("{dir}/{under}")).unwrap().map(Result::unwrap);
        let files = entries.filter(|entry| entry.file_type().unwrap().is_file());
        files.map(move |entry| format!("{under}{}", entry.file_name().into_string().unwrap()))
    });
    let found: BTreeSet<String> = found.filter(|name| name != "B2SUMS").collect();
    assert_eq!(
        summed,
        found.iter().map(String::as_str).collect(),
        "what `b2sum --length=256` says of each new vector belongs into B2SUMS"
    );
}

#[test]
fn every_file_is_listed_and_they_are_small() {
    let listed: BTreeSet<String> = signatures()
        .iter()
        .map(|vector| vector.name)
        .chain(deltas().iter().map(|vector| vector.name))
        .chain(contents().iter().map(|(name, _)| *name))
        // Of `what_is_dirty_says_so_and_is_gone_on_from`, of the test `tree_vectors`, and of the one above.
        .chain(["signature-dirty.sealed", "tree", "B2SUMS"])
        .map(str::to_owned)
        .collect();
    let mut found = BTreeSet::new();
    let mut bytes = 0;
    for entry in std::fs::read_dir(path("")).unwrap() {
        let entry = entry.unwrap();
        found.insert(entry.file_name().into_string().unwrap());
        bytes += if entry.file_type().unwrap().is_dir() { 0 } else { entry.metadata().unwrap().len() };
    }
    assert_eq!(found, listed);
    assert!(bytes < 100 * 1024, "{bytes} bytes");
    let of = std::fs::read_dir(path("").parent().unwrap()).unwrap().map(|entry| entry.unwrap().file_name());
    let of: BTreeSet<_> = of.collect();
    // The others are of the test `c_abi` and of `make audit`.
    assert_eq!(of, ["abi", "api", "v1"].map(Into::into).into(), "a test for each version of the formats");
}

/// The worked example of the format's description is the tiny vector.
#[test]
fn the_dump_in_the_documentation_is_the_tiny_vector() {
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/format.md")).unwrap();
    let dump = page.split("```dump\n").nth(1).and_then(|rest| rest.split("```").next()).expect("there is a dump");
    let mut bytes = Vec::new();
    for line in dump.lines() {
        let (offset, rest) = line.split_once("  ").unwrap_or_else(|| panic!("{line}"));
        assert_eq!(usize::from_str_radix(offset, 16), Ok(bytes.len()), "{line}");
        let hex = rest.split("  ").next().unwrap_or(rest);
        bytes.extend(hex.split(' ').map(|byte| u8::from_str_radix(byte, 16).unwrap_or_else(|_| panic!("{line}"))));
    }
    assert!(bytes == frozen("tiny-level0.sealed"));
}
