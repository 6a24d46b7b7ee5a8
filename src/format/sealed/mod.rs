//! The sealed stream: frazil's integrity frame around a signature, a delta, a snapshot or an archive's records.
//!
//! A header says what the stream is and what it was made against; frames carry the payload, each with a
//! length, a number, the output offset it reaches and a CRC32 bound to the stream; a trailer closes it
//! with the identity of the content and a digest of all that came before. [`Sealer`] writes and
//! [`Unsealer`] checks, both from and to memory; [`Unsealed`] reads the payload out of a `Read`.

mod header;
mod sealer;
mod trailer;
mod unsealed;
mod unsealer;

pub(crate) use header::BASIS_PATH_MAX;
pub use header::{SealedHeader, SealedKind, StreamId};
pub(crate) use sealer::{Sealer, Seals};
pub(crate) use trailer::{Flags, Trailer};
pub(crate) use unsealed::Unsealed;
pub(crate) use unsealer::{Event, Unsealer};

use crate::format::Leaf;
use crate::{Error, ErrorKind, Result};

/// The first bytes: one that is no text, the name, and a line feed that a text-mode transfer would spoil.
pub(crate) const SEALED_MAGIC: [u8; 8] = *b"\x89frazil\n";

/// The version this crate writes, and the newest it reads.
pub(crate) const VERSION: u16 = 1;

/// The longest payload of a frame: what a reader must be ready to hold before it can check the CRC.
pub(crate) const MAX_PAYLOAD: usize = 1 << 20;

/// A frame's head: type, codec, payload length, number, output offset reached.
pub(crate) const FRAME_HEAD_LEN: usize = 1 + 1 + 4 + 8 + 8;
pub(crate) const CRC_LEN: usize = 4;
/// Bytes of a frame beside its payload.
pub(crate) const FRAME_MORE_LEN: usize = FRAME_HEAD_LEN + CRC_LEN;

/// The only codec of version 1: payloads as they are. The other numbers are reserved.
const CODEC_NONE: u8 = 0;

/// What a frame carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FrameKind {
    /// The next bytes of the signature, or whole commands of the delta.
    Data,
    /// A run of zeros in the target; the payload is its length.
    ZeroRun,
    /// The end.
    Trailer,
}

impl FrameKind {
    fn code(self) -> u8 {
        match self {
            Self::Data => 1,
            Self::ZeroRun => 2,
            Self::Trailer => 0xff,
        }
    }

    fn from_code(code: u8) -> Result<Self> {
        match code {
            1 => Ok(Self::Data),
            2 => Ok(Self::ZeroRun),
            0xff => Ok(Self::Trailer),
            _ => {
                let what = format!("frame of type {code:02x}, which this frazil does not know");
                Err(Error::new(ErrorKind::Unsupported, what))
            }
        }
    }
}

/// Digests the header and every frame.
///
/// Each frame is digested by itself and the digests are digested again, so that several frames can be
/// worked on at once: one running digest of all bytes would hold a level to the speed of one core.
#[derive(Clone)]
struct StreamDigest(blake2b_simd::State);

impl StreamDigest {
    fn new(header: &[u8]) -> Self {
        let mut state = blake2b_simd::Params::new().hash_length(32).personal(b"frazil-stream-v1").to_state();
        state.update(header);
        Self(state)
    }

    /// Takes in the digest of the next frame.
    fn frame(&mut self, digest: &Leaf) {
        self.0.update(digest);
    }

    fn finish(mut self, trailer_fields: &[u8]) -> [u8; 32] {
        self.0.update(trailer_fields);
        let mut digest = [0; 32];
        digest.copy_from_slice(self.0.finalize().as_bytes());
        digest
    }
}
