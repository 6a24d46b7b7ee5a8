//! The strong sums of several blocks at once.

use md4::{Digest, Md4};

use crate::format::{LEAVES_AT_ONCE, Leaf, StrongKind, leaves_of};

/// The strong sum of each piece of `piece_len` bytes, in order; the last may be shorter.
///
/// The sums are whole; MD4's sixteen bytes are followed by zeros.
pub(super) fn strong_sums(kind: StrongKind, data: &[u8], piece_len: usize, mut each: impl FnMut(&Leaf)) {
    match kind {
        StrongKind::Blake2 => {
            for batch in data.chunks(piece_len.saturating_mul(LEAVES_AT_ONCE)) {
                leaves_of(batch.chunks(piece_len)).for_each(|leaf| each(&leaf));
            }
        }
        StrongKind::Md4 => {
            for piece in data.chunks(piece_len) {
                each(&strong_sum(kind, piece));
            }
        }
    }
}

/// The strong sum of one block.
pub(super) fn strong_sum(kind: StrongKind, block: &[u8]) -> Leaf {
    match kind {
        StrongKind::Blake2 => crate::format::leaf_of(block),
        StrongKind::Md4 => {
            let mut leaf = [0; 32];
            leaf[..16].copy_from_slice(&Md4::digest(block));
            leaf
        }
    }
}
