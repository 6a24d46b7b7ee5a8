//! Sealed streams taken apart and put together, with right checksums around whatever they say.

use std::ops::Range;

/// The fixed part of a header, the head of a frame, and a checksum.
const FIXED_LEN: usize = 32;
const HEAD_LEN: usize = 22;
const CRC_LEN: usize = 4;

pub(crate) const SIGNATURE: u8 = 1;
pub(crate) const DELTA: u8 = 2;

pub(crate) const TAG_BASIS: u16 = 1;
pub(crate) const TAG_TARGET_BLOCK_LEN: u16 = 3;
pub(crate) const TAG_TARGET_LEN: u16 = 4;

pub(crate) const DATA: u8 = 1;
pub(crate) const ZERO_RUN: u8 = 2;
pub(crate) const TRAILER: u8 = 0xff;

fn number(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |value, &byte| value << 8 | u64::from(byte))
}

fn blake2b(personal: &[u8]) -> blake2b_simd::State {
    blake2b_simd::Params::new().hash_length(32).personal(personal).to_state()
}

fn digest_of(state: &blake2b_simd::State) -> [u8; 32] {
    state.finalize().as_bytes().try_into().expect("32 bytes")
}

/// Where the header and each frame of a stream lie.
pub(crate) fn parts(stream: &[u8]) -> Vec<Range<usize>> {
    let header_len = FIXED_LEN + number(&stream[28..32]) as usize + CRC_LEN;
    let mut parts = vec![Range { start: 0, end: header_len }];
    let mut at = header_len;
    while at < stream.len() {
        let end = at + HEAD_LEN + number(&stream[at + 2..at + 6]) as usize + CRC_LEN;
        parts.push(at..end);
        at = end;
    }
    parts
}

/// What a trailer says.
#[derive(Clone, Copy)]
pub(crate) struct Says {
    pub(crate) flags: u32,
    pub(crate) length: u64,
    pub(crate) crc32: u32,
    pub(crate) leaf_len: u32,
    pub(crate) fingerprint: [u8; 32],
}

impl Says {
    /// The truth of this content, over leaves of 64 KiB.
    pub(crate) fn truth(content: &[u8]) -> Self {
        let leaf_len = 65536;
        let mut state = blake2b(b"frazil-fp-v1");
        state.update(&u32::to_be_bytes(leaf_len));
        for leaf in content.chunks(leaf_len as usize) {
            state.update(blake2b_simd::Params::new().hash_length(32).hash(leaf).as_bytes());
        }
        state.update(&(content.len() as u64).to_be_bytes());
        let fingerprint = digest_of(&state);
        Self { flags: 0, length: content.len() as u64, crc32: crc32fast::hash(content), leaf_len, fingerprint }
    }

    fn encode(&self) -> Vec<u8> {
        let head = [&self.flags.to_be_bytes()[..], &self.length.to_be_bytes(), &self.crc32.to_be_bytes()].concat();
        [&head[..], &self.leaf_len.to_be_bytes(), &self.fingerprint].concat()
    }

    /// The value of the header field that names a basis.
    pub(crate) fn as_basis(&self) -> Vec<u8> {
        [&self.leaf_len.to_be_bytes()[..], &self.length.to_be_bytes(), &self.fingerprint].concat()
    }
}

/// A stream being sealed.
pub(crate) struct Sealing {
    stream: Vec<u8>,
    id: [u8; 16],
    digest: blake2b_simd::State,
    sequence: u64,
    output: u64,
}

impl Sealing {
    /// A header of version 1 with these fields.
    pub(crate) fn new(kind: u8, fields: &[(u16, &[u8])]) -> Self {
        Self::versioned(1, kind, fields)
    }

    pub(crate) fn versioned(version: u16, kind: u8, fields: &[(u16, &[u8])]) -> Self {
        let id = *b"sealed by a test";
        let encoded = fields
            .iter()
            .flat_map(|(tag, value)| [&tag.to_be_bytes()[..], &(value.len() as u32).to_be_bytes(), value].concat());
        let encoded: Vec<u8> = encoded.collect();
        let fixed = [&b"\x89frazil\n"[..], &version.to_be_bytes(), &[kind, 0], &id].concat();
        let mut stream = [&fixed[..], &(encoded.len() as u32).to_be_bytes(), &encoded].concat();
        let crc = crc32fast::hash(&stream);
        stream.extend(crc.to_be_bytes());
        let mut digest = blake2b(b"frazil-stream-v1");
        digest.update(&stream);
        Self { stream, id, digest, sequence: 0, output: 0 }
    }

    /// A frame of any type and codec that announces any output and length.
    pub(crate) fn frame(mut self, kind: u8, codec: u8, announced_len: u32, payload: &[u8], output: u64) -> Self {
        let head = [&[kind, codec][..], &announced_len.to_be_bytes(), &self.sequence.to_be_bytes()].concat();
        let mut frame = [&head[..], &output.to_be_bytes(), payload].concat();
        let crc = crc32fast::hash(&[&self.id[..], &frame].concat());
        frame.extend(crc.to_be_bytes());
        if kind != TRAILER {
            self.digest.update(blake2b_simd::Params::new().hash_length(32).hash(&frame).as_bytes());
        }
        self.stream.extend(frame);
        self.sequence += 1;
        self.output = output;
        self
    }

    /// A data frame that brings the output to `output`.
    pub(crate) fn data(self, payload: &[u8], output: u64) -> Self {
        self.frame(DATA, 0, payload.len() as u32, payload, output)
    }

    pub(crate) fn zeros(self, len: u64) -> Self {
        let output = self.output.wrapping_add(len);
        self.frame(ZERO_RUN, 0, 8, &len.to_be_bytes(), output)
    }

    /// Ends the stream with a trailer that says anything.
    pub(crate) fn end(self, says: &Says) -> Vec<u8> {
        let fields = says.encode();
        let mut digest = self.digest.clone();
        digest.update(&fields);
        let payload = [&fields[..], &digest_of(&digest)].concat();
        let output = self.output;
        self.frame(TRAILER, 0, payload.len() as u32, &payload, output).stream
    }

    /// The stream as it is, without a trailer.
    pub(crate) fn cut(self) -> Vec<u8> {
        self.stream
    }
}
