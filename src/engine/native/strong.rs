//! The strong sums of several blocks at once.

use blake2b_simd::many::{HashManyJob, hash_many};
use md4::{Digest, Md4};

use crate::format::{Leaf, StrongKind};

/// Hashed in one call: twice the widest vector, so that the last jobs of a round find a neighbour.
const BATCH: usize = 8;

/// The strong sum of each piece of `piece_len` bytes, in order; the last may be shorter.
///
/// The sums are whole; MD4's sixteen bytes are followed by zeros.
pub(super) fn strong_sums(kind: StrongKind, data: &[u8], piece_len: usize, mut each: impl FnMut(&Leaf)) {
    match kind {
        StrongKind::Blake2 => {
            let params = blake2b_simd::Params::new().hash_length(32).to_owned();
            for batch in data.chunks(piece_len.saturating_mul(BATCH)) {
                let mut jobs: [HashManyJob; BATCH] = std::array::from_fn(|_| HashManyJob::new(&params, &[]));
                let mut count = 0;
                for (job, piece) in jobs.iter_mut().zip(batch.chunks(piece_len)) {
                    *job = HashManyJob::new(&params, piece);
                    count += 1;
                }
                hash_many(jobs[..count].iter_mut());
                for job in &jobs[..count] {
                    let mut leaf = [0; 32];
                    leaf.copy_from_slice(job.to_hash().as_bytes());
                    each(&leaf);
                }
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
