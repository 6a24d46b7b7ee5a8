//! Sealed streams whose checksums hold whatever they carry, so that a fuzzer gets past them.
//!
//! This follows `docs/format.md` and none of the crate's own code.

use frazil::Identity;

const STREAM_ID: [u8; 16] = *b"a fuzzed stream.";

/// A frame: its type, its payload, and how far it says that the output has come.
pub struct Frame {
    pub kind: u8,
    pub codec: u8,
    pub payload: Vec<u8>,
    pub output: u64,
}

/// What the trailer says of the content.
#[derive(Default)]
pub struct Promise {
    pub flags: u32,
    pub length: u64,
    pub crc32: u32,
    pub leaf_len: u32,
    pub digest: [u8; 32],
}

impl From<&Identity> for Promise {
    fn from(identity: &Identity) -> Self {
        let fingerprint = identity.fingerprint();
        Self {
            flags: 0,
            length: identity.length(),
            crc32: identity.crc32(),
            leaf_len: fingerprint.leaf_len(),
            digest: *fingerprint.digest(),
        }
    }
}

/// A sealed stream before its checksums.
pub struct Sealed {
    pub kind: u8,
    pub fields: Vec<u8>,
    pub frames: Vec<Frame>,
}

impl Sealed {
    /// The stream, closed with this promise.
    pub fn assemble(&self, promise: &Promise) -> Vec<u8> {
        let mut stream = b"\x89frazil\n\0\x01".to_vec();
        stream.extend([self.kind, 0]);
        stream.extend(STREAM_ID);
        stream.extend((self.fields.len() as u32).to_be_bytes());
        stream.extend(&self.fields);
        let crc = crc32fast::hash(&stream);
        stream.extend(crc.to_be_bytes());

        let mut digest = blake2b_simd::Params::new().hash_length(32).personal(b"frazil-stream-v1").to_state();
        digest.update(&stream);
        for (number, frame) in self.frames.iter().enumerate() {
            let encoded = encode(frame, number as u64);
            digest.update(blake2b_simd::Params::new().hash_length(32).hash(&encoded).as_bytes());
            stream.extend(encoded);
        }
        let mut payload = promise.flags.to_be_bytes().to_vec();
        payload.extend(promise.length.to_be_bytes());
        payload.extend(promise.crc32.to_be_bytes());
        payload.extend(promise.leaf_len.to_be_bytes());
        payload.extend(promise.digest);
        digest.update(&payload);
        payload.extend(digest.finalize().as_bytes());
        let output = self.frames.last().map_or(0, |frame| frame.output);
        stream.extend(encode(&Frame { kind: 0xff, codec: 0, payload, output }, self.frames.len() as u64));
        stream
    }
}

fn encode(frame: &Frame, number: u64) -> Vec<u8> {
    let mut out = vec![frame.kind, frame.codec];
    out.extend((frame.payload.len() as u32).to_be_bytes());
    out.extend(number.to_be_bytes());
    out.extend(frame.output.to_be_bytes());
    out.extend(&frame.payload);
    let mut crc = crc32fast::Hasher::new();
    crc.update(&STREAM_ID);
    crc.update(&out);
    out.extend(crc.finalize().to_be_bytes());
    out
}
