//! The identity of content: its length, its CRC32 and its fingerprint.
//!
//! The fingerprint is a BLAKE2b-256 tree of two layers. The leaves are the strong sums of a signature
//! wherever the signature has whole BLAKE2b sums over blocks of at least 1 KiB, so that computing a
//! signature gives the fingerprint for nothing; else they are BLAKE2b-256 over pieces of 64 KiB.

use std::fmt;

use super::leaves::Leaf;
use crate::format::{DEFAULT_BLOCK_LEN, SignatureParams};

/// Sets fingerprints apart from every other use of BLAKE2b; filled up to 16 bytes with zeros.
const PERSONAL: &[u8] = b"frazil-fp-v1";

/// Blocks shorter than this would make a tree of more hashes than content.
pub(crate) const LEAF_LEN_MIN: u32 = 1024;

/// The identity of content of a known length.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint {
    pub(crate) leaf_len: u32,
    pub(crate) length: u64,
    pub(crate) digest: [u8; 32],
}

/// What two fingerprints say of two contents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// The contents are equal.
    Equal,
    /// The contents differ.
    Different,
    /// The fingerprints were taken over leaves of different lengths and say nothing of each other.
    Incomparable,
}

impl Fingerprint {
    /// The fingerprint of no bytes.
    pub fn empty() -> Self {
        FingerprintBuilder::new(DEFAULT_BLOCK_LEN).finish(0)
    }

    /// Bytes of content under each leaf of the tree; the last leaf may be shorter.
    pub fn leaf_len(&self) -> u32 {
        self.leaf_len
    }

    /// Bytes of content.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// The digest at the root of the tree.
    pub fn digest(&self) -> &[u8; 32] {
        &self.digest
    }

    /// Whether the two stand for the same content.
    ///
    /// Lengths alone can tell two contents apart, and no bytes equal no bytes whatever the leaves.
    pub fn compare(&self, other: &Self) -> Comparison {
        if self.length != other.length {
            Comparison::Different
        } else if self.length == 0 {
            Comparison::Equal
        } else if self.leaf_len != other.leaf_len {
            Comparison::Incomparable
        } else if self.digest == other.digest {
            Comparison::Equal
        } else {
            Comparison::Different
        }
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.digest {
            write!(f, "{byte:02x}")?;
        }
        write!(f, " ({} bytes)", self.length)
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self}, leaves of {})", self.leaf_len)
    }
}

/// What a sealed stream promises of its content, and what a patch must reproduce.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Identity {
    pub(crate) crc32: u32,
    pub(crate) fingerprint: Fingerprint,
}

impl Identity {
    /// Bytes of content.
    pub fn length(&self) -> u64 {
        self.fingerprint.length
    }

    /// The CRC32 (IEEE) of the content.
    pub fn crc32(&self) -> u32 {
        self.crc32
    }

    /// The fingerprint of the content.
    pub fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }
}

/// The leaf length of content whose signature has these parameters.
pub(crate) fn leaf_len_for(params: &SignatureParams) -> u32 {
    if params.is_full() && params.block_len >= LEAF_LEN_MIN { params.block_len } else { DEFAULT_BLOCK_LEN }
}

/// Builds the root from the leaves, in order.
#[derive(Clone)]
pub(crate) struct FingerprintBuilder {
    leaf_len: u32,
    state: blake2b_simd::State,
}

impl FingerprintBuilder {
    pub(crate) fn new(leaf_len: u32) -> Self {
        let mut state = blake2b_simd::Params::new().hash_length(32).personal(PERSONAL).to_state();
        state.update(&leaf_len.to_be_bytes());
        Self { leaf_len, state }
    }

    pub(crate) fn leaf(&mut self, leaf: &Leaf) {
        self.state.update(leaf);
    }

    /// The length comes last: that of a pipe is known only at its end.
    pub(crate) fn finish(mut self, length: u64) -> Fingerprint {
        self.state.update(&length.to_be_bytes());
        let mut digest = [0; 32];
        digest.copy_from_slice(self.state.finalize().as_bytes());
        Fingerprint { leaf_len: self.leaf_len, length, digest }
    }
}

impl fmt::Debug for FingerprintBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FingerprintBuilder(leaves of {})", self.leaf_len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::leaf_of;

    fn of(content: &[u8], leaf_len: u32) -> Fingerprint {
        let mut builder = FingerprintBuilder::new(leaf_len);
        content.chunks(leaf_len as usize).for_each(|piece| builder.leaf(&leaf_of(piece)));
        builder.finish(content.len() as u64)
    }

    #[test]
    fn what_a_fingerprint_says_of_itself_is_what_it_was_made_of() {
        let fingerprint = of(b"same content", 1024);
        assert_eq!((fingerprint.length(), fingerprint.leaf_len()), (12, 1024));
        assert!(fingerprint.to_string().starts_with(&format!("{:02x}", fingerprint.digest()[0])));
        assert_ne!(fingerprint.digest(), of(b"SAME content", 1024).digest());
    }

    #[test]
    fn other_leaves_are_incomparable_never_different() {
        let (a, b) = (of(b"same content", 1024), of(b"same content", 2048));
        assert_eq!(a.compare(&b), Comparison::Incomparable);
        assert_eq!(a.compare(&of(b"same content", 1024)), Comparison::Equal);
        assert_eq!(a.compare(&of(b"SAME content", 1024)), Comparison::Different);
        assert_eq!(a.compare(&of(b"same", 2048)), Comparison::Different);
    }

    #[test]
    fn what_is_shown_is_the_digest_and_the_length() {
        let fingerprint = of(b"some content", 1024);
        let digest: String = fingerprint.digest().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(fingerprint.to_string(), format!("{digest} (12 bytes)"));
        assert_ne!(fingerprint.digest(), of(b"other content", 1024).digest());
        assert_eq!((fingerprint.leaf_len(), fingerprint.length()), (1024, 12));
    }

    #[test]
    fn no_bytes_equal_no_bytes_whatever_the_leaves() {
        assert_eq!(of(b"", 1024).compare(&of(b"", 4096)), Comparison::Equal);
    }
}
