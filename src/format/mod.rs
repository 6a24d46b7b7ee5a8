//! The bytes: librsync's signature and delta formats, and the sealed stream around them.
//!
//! Everything here parses, validates and writes; nothing opens a file. Parsers take bytes as they come
//! and allocate only what they have seen. `docs/format.md` specifies every byte.

mod delta;
mod fingerprint;
mod leaves;
mod params;
mod sealed;
mod signature;
mod source;
mod table;

pub use fingerprint::{Comparison, Fingerprint, Identity};
pub use params::{DEFAULT_BLOCK_LEN, MAX_BLOCK_LEN, SignatureParams, StrongKind, WeakKind};
pub use sealed::{SealedHeader, SealedKind, StreamId};
pub use signature::{BlockSum, SignatureReader, SignatureWriter};

pub(crate) use delta::{Command, CommandParser, DELTA_MAGIC, END, encode_copy, encode_literal};
pub(crate) use fingerprint::{FingerprintBuilder, LEAF_LEN_MIN, leaf_len_for};
pub(crate) use leaves::{LEAVES_AT_ONCE, Leaf, leaf_of, leaves_of};
pub(crate) use sealed::{
    BASIS_PATH_MAX, Event, Flags, MAX_PAYLOAD, SEALED_MAGIC, Sealer, Seals, Trailer, Unsealer,
    VERSION as SEALED_VERSION,
};
#[cfg(feature = "tree")]
pub(crate) use sealed::{FRAME_MORE_LEN, Unsealed};
pub(crate) use signature::{RecordPlace, check_sealable, named, read_records};
pub(crate) use source::Source;
pub(crate) use table::SumTable;

/// Which form a stream takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// frazil's integrity frame: every byte checked, the basis and the result identified.
    #[default]
    Sealed,
    /// librsync's plain format, as `rdiff` reads and writes it: no check of anything.
    Rdiff,
}

/// What the first bytes of a stream say that it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Detected {
    RawSignature,
    RawDelta,
    Sealed,
    Unknown,
}

/// How many bytes [`detect`] wants to see.
pub(crate) const DETECT_LEN: usize = 4;

/// Tells the formats apart by their magic.
pub(crate) fn detect(first: [u8; DETECT_LEN]) -> Detected {
    let magic = u32::from_be_bytes(first);
    if magic == DELTA_MAGIC {
        Detected::RawDelta
    } else if SignatureParams::kinds_of_magic(magic).is_some() {
        Detected::RawSignature
    } else if first == SEALED_MAGIC[..DETECT_LEN] {
        Detected::Sealed
    } else {
        Detected::Unknown
    }
}
