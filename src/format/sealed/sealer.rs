//! Writes a sealed stream, frame by frame, into memory.

use bytes::BufMut;

use super::{CODEC_NONE, FrameKind, MAX_PAYLOAD, SealedHeader, StreamDigest, Trailer};

/// Seals payloads; each call appends whole frames to `out`.
#[derive(Clone)]
pub(crate) struct Sealer {
    /// Has taken in the stream id, so that a frame of another stream does not pass.
    crc: crc32fast::Hasher,
    digest: StreamDigest,
    sequence: u64,
    output: u64,
}

impl Sealer {
    /// Begins the stream.
    pub(crate) fn new(header: &SealedHeader, out: &mut Vec<u8>) -> Self {
        let mut crc = crc32fast::Hasher::new();
        crc.update(&header.stream_id.0);
        let encoded = header.encode();
        let digest = StreamDigest::new(&encoded);
        out.put_slice(&encoded);
        Self { crc, digest, sequence: 0, output: 0 }
    }

    /// Adds a frame that brings the output to the offset `output`.
    pub(crate) fn data(&mut self, payload: &[u8], output: u64, out: &mut Vec<u8>) {
        self.frame(FrameKind::Data, payload, output, out);
    }

    /// Adds a run of `len` zeros.
    pub(crate) fn zero_run(&mut self, len: u64, out: &mut Vec<u8>) {
        self.frame(FrameKind::ZeroRun, &len.to_be_bytes(), self.output + len, out);
    }

    /// Closes the stream.
    pub(crate) fn finish(mut self, trailer: &Trailer, out: &mut Vec<u8>) {
        let mut payload = Vec::with_capacity(super::trailer::FIELDS_LEN + super::trailer::DIGEST_LEN);
        trailer.encode_fields(&mut payload);
        let digest = self.digest.clone().finish(&payload);
        payload.put_slice(&digest);
        self.frame(FrameKind::Trailer, &payload, self.output, out);
    }

    fn frame(&mut self, kind: FrameKind, payload: &[u8], output: u64, out: &mut Vec<u8>) {
        debug_assert!(payload.len() <= MAX_PAYLOAD && output >= self.output);
        let start = out.len();
        out.put_u8(kind.code());
        out.put_u8(CODEC_NONE);
        out.put_u32(payload.len() as u32);
        out.put_u64(self.sequence);
        out.put_u64(output);
        out.put_slice(payload);
        let mut crc = self.crc.clone();
        crc.update(&out[start..]);
        out.put_u32(crc.finalize());
        if kind != FrameKind::Trailer {
            self.digest.frame(&out[start..]);
        }
        self.sequence += 1;
        self.output = output;
    }
}
