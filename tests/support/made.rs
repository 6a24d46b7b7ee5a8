//! Levels and signatures made and patches applied whole, in one call each.
#![allow(dead_code, reason = "each suite takes what it needs")]

use std::io::Read;

use frazil::{
    Format, LevelBasis, LevelOptions, LevelReader, LevelSummary, PatchOptions, PatchReader, Signature, SignatureParams,
};

pub(crate) fn blocks_of(block_len: u32) -> SignatureParams {
    SignatureParams::with_block_len(block_len).unwrap()
}

/// The stream and what was done.
pub(crate) fn level(basis: impl Into<LevelBasis>, content: &[u8], options: LevelOptions) -> (Vec<u8>, LevelSummary) {
    let mut level = LevelReader::new(content, basis, options).unwrap();
    let mut stream = Vec::new();
    level.read_to_end(&mut stream).unwrap();
    let summary = level.finish_summary().unwrap();
    assert_eq!(summary.stats.stream_bytes, stream.len() as u64);
    assert_eq!(summary.stats.source_bytes, content.len() as u64);
    let stats = summary.stats;
    assert_eq!(stats.copy_bytes + stats.literal_bytes + stats.zero_bytes, stats.source_bytes);
    (stream, summary)
}

/// The new signature of a level.
pub(crate) fn signature_of(summary: &LevelSummary) -> &Signature {
    summary.signature.as_ref().unwrap()
}

pub(crate) fn sign(content: &[u8], params: SignatureParams) -> Signature {
    let options = LevelOptions::new().params(params).format(Format::Rdiff);
    LevelReader::new(content, None, options).unwrap().finish().unwrap()
}

pub(crate) fn patched(basis: &[u8], delta: &[u8]) -> Vec<u8> {
    let mut patch = PatchReader::new(delta, basis, PatchOptions::new()).unwrap();
    let mut out = Vec::new();
    patch.read_to_end(&mut out).unwrap();
    patch.finish().unwrap();
    out
}
