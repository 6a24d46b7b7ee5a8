//! Content that looks random, and the levels of it.

use std::io::Read;

use frazil::{LevelOptions, LevelReader, Signature, SignatureParams, StreamId};

/// The stream id of every level made here, so that bytes can be compared.
pub(crate) const STREAM_ID: StreamId = StreamId(*b"adversity-levels");

/// `len` bytes of xorshift noise.
pub(crate) fn noise(len: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    let mut content = Vec::with_capacity(len + 8);
    while content.len() < len {
        content.extend(next());
    }
    content.truncate(len);
    content
}

/// Options for levels over blocks of `block_len` bytes whose streams can be repeated.
pub(crate) fn options(block_len: u32) -> LevelOptions {
    let params = SignatureParams::with_block_len(block_len).expect("a block length");
    LevelOptions::new().params(params).stream_id(STREAM_ID)
}

/// The stream of a level and the signature that comes with it.
pub(crate) fn level(content: &[u8], basis: Option<&Signature>, options: LevelOptions) -> (Vec<u8>, Signature) {
    let mut reader = LevelReader::new(content, basis, options).expect("start a level");
    let mut stream = Vec::new();
    reader.read_to_end(&mut stream).expect("read a level");
    (stream, reader.finish().expect("finish a level"))
}
