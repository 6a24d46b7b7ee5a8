//! The strong sums of several blocks at once.

use super::md4;
use crate::format::{LEAVES_AT_ONCE, Leaf, StrongKind, leaves_of};

/// How many blocks it takes for every lane to have one.
pub(super) fn blocks_at_once(kind: StrongKind) -> usize {
    match kind {
        StrongKind::Blake2 => LEAVES_AT_ONCE,
        StrongKind::Md4 => md4::BLOCKS_AT_ONCE,
    }
}

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
        StrongKind::Md4 => md4::digests(data, piece_len, |digest| each(&padded(digest))),
    }
}

/// The strong sum of one block.
pub(super) fn strong_sum(kind: StrongKind, block: &[u8]) -> Leaf {
    match kind {
        StrongKind::Blake2 => crate::format::leaf_of(block),
        StrongKind::Md4 => padded(&md4::digest(block)),
    }
}

fn padded(digest: &md4::Digest) -> Leaf {
    let mut leaf = [0; 32];
    leaf[..digest.len()].copy_from_slice(digest);
    leaf
}
