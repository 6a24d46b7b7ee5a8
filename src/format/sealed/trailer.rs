//! The trailer of a sealed stream: what the content is, and what was noticed while it was read.

use bytes::{Buf, BufMut};

use super::header::check_leaf_len;
use crate::format::{Fingerprint, Identity};
use crate::{Error, ErrorKind, Result};

const DIRTY: u32 = 1;
const WEAK: u32 = 2;

/// The fields before the digest: flags, length, CRC32, leaf length, fingerprint.
pub(super) const FIELDS_LEN: usize = 4 + 8 + 4 + 4 + 32;
pub(super) const DIGEST_LEN: usize = 32;

/// What a reader should know of how the stream was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Flags {
    /// The source changed while it was read.
    pub(crate) dirty: bool,
    /// Blocks were matched on sums that cannot be trusted to tell contents apart.
    pub(crate) weak: bool,
}

/// The trailer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Trailer {
    pub(crate) flags: Flags,
    pub(crate) identity: Identity,
}

impl Trailer {
    pub(super) fn encode_fields(&self, out: &mut Vec<u8>) {
        out.put_u32((u32::from(self.flags.dirty) * DIRTY) | (u32::from(self.flags.weak) * WEAK));
        out.put_u64(self.identity.fingerprint.length);
        out.put_u32(self.identity.crc32);
        out.put_u32(self.identity.fingerprint.leaf_len);
        out.put_slice(&self.identity.fingerprint.digest);
    }

    pub(super) fn decode_fields(mut fields: &[u8]) -> Result<Self> {
        let flags = fields.get_u32();
        if flags & !(DIRTY | WEAK) != 0 {
            let what = format!("trailer flags {flags:08x}, of which this frazil does not know all");
            return Err(Error::new(ErrorKind::Unsupported, what));
        }
        let (length, crc32, leaf_len) = (fields.get_u64(), fields.get_u32(), fields.get_u32());
        check_leaf_len(leaf_len)?;
        let mut digest = [0; 32];
        digest.copy_from_slice(&fields[..32]);
        Ok(Self {
            flags: Flags { dirty: flags & DIRTY != 0, weak: flags & WEAK != 0 },
            identity: Identity { crc32, fingerprint: Fingerprint { leaf_len, length, digest } },
        })
    }
}
