//! What identifies content.

use super::arguments::Zero;
use crate::Identity;

/// Length, checksum and fingerprint of content.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct frazil_identity {
    /// Bytes of content.
    pub length: u64,
    /// The CRC32 (IEEE) of the content.
    pub crc32: u32,
    /// Bytes of content under each leaf of the fingerprint's tree; fingerprints over leaves of different
    /// lengths say nothing of each other, unless both are of no bytes.
    pub leaf_len: u32,
    /// The fingerprint: the root of a tree of BLAKE2b-256 digests.
    pub fingerprint: [u8; 32],
}

// SAFETY: numbers.
unsafe impl Zero for frazil_identity {}

impl From<&Identity> for frazil_identity {
    fn from(identity: &Identity) -> Self {
        let fingerprint = identity.fingerprint();
        Self {
            length: identity.length(),
            crc32: identity.crc32(),
            leaf_len: fingerprint.leaf_len(),
            fingerprint: *fingerprint.digest(),
        }
    }
}
