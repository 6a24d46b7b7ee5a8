//! What a stream says of itself, whole and damaged.

use std::io::Read;

use frazil::{
    ErrorKind, Format, LevelOptions, LevelReader, SealedKind, Signature, SignatureParams, StrongKind, WeakKind, inspect,
};

const BLOCK_LEN: u32 = 1024;

/// Two blocks that are in the basis, 300,000 bytes that are not, and 256 KiB of zeros.
fn contents() -> (Vec<u8>, Vec<u8>) {
    let old: Vec<u8> = (0..8192_u32).map(|i| (i.wrapping_mul(i) >> 5) as u8).collect();
    let mut new = old[..2048].to_vec();
    new.extend((0..300_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 11) as u8 | 1));
    new.extend([0; 1 << 18]);
    (old, new)
}

fn options(format: Format) -> LevelOptions {
    LevelOptions::new().format(format).params(SignatureParams::with_block_len(BLOCK_LEN).unwrap())
}

fn sign(content: &[u8]) -> Signature {
    LevelReader::new(content, None, options(Format::Sealed)).and_then(LevelReader::finish).unwrap()
}

fn delta(format: Format) -> Vec<u8> {
    let (old, new) = contents();
    let mut delta = Vec::new();
    LevelReader::new(&new[..], &sign(&old), options(format)).unwrap().read_to_end(&mut delta).unwrap();
    delta
}

#[test]
fn a_sealed_delta_says_what_it_was_made_against_and_what_it_makes() {
    let (old, new) = contents();
    let delta = delta(Format::Sealed);
    let inspection = inspect(&delta[..]).unwrap();
    assert!(inspection.damage.is_none(), "{:?}", inspection.damage);
    assert_eq!((inspection.kind, inspection.version), (SealedKind::Delta, Some(1)));
    assert_eq!(inspection.stream_bytes, delta.len() as u64);
    assert_eq!(inspection.identity.as_ref(), sign(&new).identity());
    assert_eq!(inspection.header.unwrap().basis.as_ref(), sign(&old).fingerprint());
    let commands = inspection.commands;
    assert_eq!((commands.copy_commands, commands.copy_bytes), (1, 2048));
    assert!(commands.zero_runs == 1 && commands.zero_bytes >= 1 << 17, "{commands:?}");
    assert_eq!(commands.target_bytes(), new.len() as u64);
}

#[test]
fn a_plain_delta_says_what_it_makes_and_nothing_of_its_basis() {
    let delta = delta(Format::Rdiff);
    let inspection = inspect(&delta[..]).unwrap();
    assert!(inspection.damage.is_none() && inspection.header.is_none() && inspection.version.is_none());
    assert_eq!(inspection.commands.target_bytes(), contents().1.len() as u64);
    assert!(inspection.identity.is_none());
}

#[test]
fn a_long_plain_literal_is_one_command() {
    let mut delta = vec![0x72, 0x73, 0x02, 0x36, 0x43, 0, 4, 0, 0];
    delta.extend(vec![7; 4 << 16]);
    delta.extend([1, 9, 0]);
    let commands = inspect(&delta[..]).unwrap().commands;
    assert_eq!((commands.literal_commands, commands.literal_bytes), (2, (4 << 16) + 1));
}

#[test]
fn a_signature_says_its_sums_and_blocks() {
    let (old, _) = contents();
    let signature = sign(&old);
    for format in [Format::Sealed, Format::Rdiff] {
        let bytes = signature.write_to(Vec::new(), format).unwrap();
        let inspection = inspect(&bytes[..]).unwrap();
        assert!(inspection.damage.is_none());
        assert_eq!((inspection.kind, inspection.blocks), (SealedKind::Signature, 8));
        assert_eq!(inspection.params.as_ref(), Some(signature.params()));
        let identity = signature.identity().filter(|_| format == Format::Sealed);
        assert_eq!(inspection.identity.as_ref(), identity);
        assert_eq!(inspection.stream_bytes, bytes.len() as u64);
    }
}

#[test]
fn old_sums_are_named() {
    let params = SignatureParams::new(WeakKind::Rollsum, StrongKind::Md4, 100, 8).unwrap();
    let options = LevelOptions::new().format(Format::Rdiff).params(params);
    let signature = LevelReader::new(&contents().0[..], None, options).and_then(LevelReader::finish).unwrap();
    let bytes = signature.write_to(Vec::new(), Format::Rdiff).unwrap();
    assert_eq!(inspect(&bytes[..]).unwrap().params, Some(params));
}

#[test]
fn damage_is_named_and_does_not_hide_what_came_before_it() {
    let delta = delta(Format::Sealed);
    let middle = delta.len() / 2;
    let mut flipped = delta.clone();
    flipped[middle] ^= 1;
    let mut longer = delta.clone();
    longer.push(0);
    let table: [(&str, &[u8], ErrorKind, &str); 4] = [
        ("cut in the middle", &delta[..middle], ErrorKind::Truncated, "stream ends within a frame"),
        ("cut before the trailer", &delta[..delta.len() - 1], ErrorKind::Truncated, "stream ends within a frame"),
        ("a flipped bit", &flipped, ErrorKind::Corrupt, "frame checksum does not match"),
        ("a byte too many", &longer, ErrorKind::Corrupt, "bytes after the trailer"),
    ];
    for (name, bytes, kind, message) in table {
        let inspection = inspect(bytes).unwrap();
        let damage = inspection.damage.expect(name);
        assert_eq!(damage.kind(), kind, "{name}: {damage}");
        assert!(damage.to_string().contains(message), "{name}: {damage}");
        assert!(inspection.header.is_some(), "{name}");
    }
}

#[test]
fn what_has_no_head_is_an_error() {
    let delta = delta(Format::Sealed);
    let table: [(&[u8], ErrorKind, &str); 5] = [
        (b"", ErrorKind::Truncated, "too short to be a signature or a delta"),
        (b"rs", ErrorKind::Truncated, "too short to be a signature or a delta"),
        (b"plain text", ErrorKind::Corrupt, "neither a signature nor a delta"),
        (&delta[..20], ErrorKind::Truncated, "stream ends within its header"),
        (&[0x72, 0x73, 0x01, 0x47, 0, 0], ErrorKind::Truncated, "signature ends within its head"),
    ];
    for (bytes, kind, message) in table {
        let error = inspect(bytes).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(message), "{error}");
    }
}
