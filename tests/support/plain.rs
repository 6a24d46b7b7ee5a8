//! Levels and patches in librsync's plain formats, in each form.

use std::io::{Read, Write};

use frazil::{Format, LevelBasis, LevelOptions, LevelReader, PatchOptions, PatchReader, PatchWriter, Signature};

/// The level's stream and its new signature.
pub(crate) fn level(basis: impl Into<LevelBasis>, new: &[u8], options: LevelOptions) -> (Vec<u8>, Signature) {
    let mut level = LevelReader::new(new, basis, options).unwrap();
    let mut stream = Vec::new();
    level.read_to_end(&mut stream).unwrap();
    (stream, level.finish().unwrap())
}

pub(crate) fn plain(signature: &Signature) -> Vec<u8> {
    signature.write_to(Vec::new(), Format::Rdiff).unwrap()
}

pub(crate) fn pulled(basis: &[u8], delta: &[u8]) -> Vec<u8> {
    let mut patch = PatchReader::new(delta, basis, PatchOptions::new().threads(1)).unwrap();
    let mut out = Vec::new();
    patch.read_to_end(&mut out).unwrap();
    patch.finish().unwrap();
    out
}

pub(crate) fn pushed(basis: &[u8], delta: &[u8]) -> Vec<u8> {
    let mut patch = PatchWriter::new(Vec::new(), basis, PatchOptions::new().threads(1)).unwrap();
    patch.write_all(delta).unwrap();
    patch.finish().unwrap().0
}
