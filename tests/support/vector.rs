//! The frozen streams of version 1, and how each was made.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use frazil::{
    Format, LevelBasis, LevelOptions, LevelReader, Signature, SignatureParams, StreamId, StrongKind, WeakKind,
};

pub(crate) const STREAM_ID: StreamId = StreamId(*b"frazil's vectors");

pub(crate) fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/v1").join(name)
}

/// The frozen bytes of a vector.
pub(crate) fn frozen(name: &str) -> Vec<u8> {
    std::fs::read(path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// 5,000 bytes without any pattern that a block could repeat.
pub(crate) fn old() -> Vec<u8> {
    let mut state = 1_u32;
    let step = |_| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as u8
    };
    (0..5000).map(step).collect()
}

/// The old content with a sentence put in, and a run of zeros.
pub(crate) fn new() -> Vec<u8> {
    let old = old();
    [&old[..2048], b"These words are new.", &old[2048..4096], &[0; 8192], &old[4096..]].concat()
}

pub(crate) fn params(weak: WeakKind, strong: StrongKind, block_len: u32, strong_len: u32) -> SignatureParams {
    SignatureParams::new(weak, strong, block_len, strong_len).unwrap()
}

pub(crate) fn signature_of(content: &[u8], params: SignatureParams) -> Signature {
    let options = LevelOptions::new().params(params).format(Format::Rdiff);
    LevelReader::new(content, None, options).and_then(LevelReader::finish).unwrap()
}

pub(crate) fn level(content: &[u8], basis: impl Into<LevelBasis>, options: LevelOptions) -> Vec<u8> {
    let mut stream = Vec::new();
    let mut level = LevelReader::new(content, basis, options.stream_id(STREAM_ID)).unwrap();
    level.read_to_end(&mut stream).unwrap();
    level.finish().unwrap();
    stream
}

/// A level of a file whose time changes while it is read, with the signature that comes with it.
pub(crate) fn dirtied(content: &[u8], basis: impl Into<LevelBasis>) -> (Vec<u8>, Signature) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("source");
    fs::write(&path, content).unwrap();
    let options = LevelOptions::new().params(signatures()[0].params).stream_id(STREAM_ID);
    let mut level = LevelReader::open(&path, basis, options).unwrap();
    fs::File::options().write(true).open(&path).unwrap().set_modified(std::time::UNIX_EPOCH).unwrap();
    let mut stream = Vec::new();
    level.read_to_end(&mut stream).unwrap();
    (stream, level.finish().unwrap())
}

pub(crate) struct SignatureVector {
    pub(crate) name: &'static str,
    pub(crate) params: SignatureParams,
    pub(crate) format: Format,
}

/// Signatures of the old content.
pub(crate) fn signatures() -> Vec<SignatureVector> {
    use StrongKind::{Blake2, Md4};
    use WeakKind::{RabinKarp, Rollsum};
    let vector = |name, params, format| SignatureVector { name, params, format };
    vec![
        vector("signature.sealed", params(RabinKarp, Blake2, 1024, 32), Format::Sealed),
        vector("signature-rollsum.sealed", params(Rollsum, Blake2, 2048, 32), Format::Sealed),
        // Blocks too short to be the leaves of the fingerprint.
        vector("signature-short-blocks.sealed", params(RabinKarp, Blake2, 500, 32), Format::Sealed),
        vector("signature-72730136.rdiff", params(Rollsum, Md4, 1024, 8), Format::Rdiff),
        vector("signature-72730137.rdiff", params(Rollsum, Blake2, 1024, 32), Format::Rdiff),
        vector("signature-72730146.rdiff", params(RabinKarp, Md4, 1000, 16), Format::Rdiff),
        vector("signature-72730147.rdiff", params(RabinKarp, Blake2, 1024, 16), Format::Rdiff),
    ]
}

pub(crate) struct DeltaVector {
    pub(crate) name: &'static str,
    pub(crate) basis: Vec<u8>,
    pub(crate) target: Vec<u8>,
    pub(crate) make: fn(&Self) -> Vec<u8>,
}

/// Deltas of every form: each header field, each frame type, each flag that can be asked for.
pub(crate) fn deltas() -> Vec<DeltaVector> {
    let vector = |name, basis, target, make| DeltaVector { name, basis, target, make };
    vec![
        vector("tiny-level0.sealed", vec![], b"ice".to_vec(), |this| {
            level(&this.target, None, LevelOptions::new().target_len(3))
        }),
        vector("nothing-level0.sealed", vec![], vec![], |this| level(&this.target, None, LevelOptions::new())),
        vector("level0.sealed", vec![], old(), |this| {
            level(&this.target, None, LevelOptions::new().params(signatures()[0].params))
        }),
        vector("level1.sealed", old(), new(), |this| {
            level(&this.target, &signature_of(&this.basis, signatures()[0].params), LevelOptions::new())
        }),
        vector("level1-every-field.sealed", old(), new(), |this| {
            let options = LevelOptions::new()
                .params(SignatureParams::with_block_len(2048).unwrap())
                .target_len(this.target.len() as u64)
                .basis_path("an/older/path");
            level(&this.target, &signature_of(&this.basis, signatures()[0].params), options)
        }),
        vector("level1-weak.sealed", old(), new(), |this| {
            let basis = Signature::read_from(&frozen("signature-72730136.rdiff")[..]).unwrap();
            level(&this.target, &basis, LevelOptions::new().allow_weak(true))
        }),
        vector("level1-dirty.sealed", old(), new(), |this| {
            dirtied(&this.target, &signature_of(&this.basis, signatures()[0].params)).0
        }),
        vector("level0.rdiff", vec![], old(), |this| {
            level(&this.target, None, LevelOptions::new().format(Format::Rdiff))
        }),
        vector("level1.rdiff", old(), new(), |this| {
            let signature = signature_of(&this.basis, signatures()[0].params);
            level(&this.target, &signature, LevelOptions::new().format(Format::Rdiff))
        }),
        vector("level1-unchanged.sealed", old(), old(), |this| {
            level(&this.target, &signature_of(&this.basis, signatures()[0].params), LevelOptions::new())
        }),
    ]
}

/// Gives the frozen bytes; with `BLESS=1` a vector that is missing is written first.
pub(crate) fn frozen_or_blessed(name: &str, made: &[u8]) -> Vec<u8> {
    if std::env::var_os("BLESS").is_some() && !path(name).exists() {
        std::fs::create_dir_all(path("")).unwrap();
        std::fs::write(path(name), made).unwrap();
    }
    frozen(name)
}

/// The contents, as files for whoever reads the vectors with another program.
pub(crate) fn contents() -> [(&'static str, Vec<u8>); 2] {
    [("old", old()), ("new", new())]
}
