//! BLAKE2b-256 digests of pieces of content, of several at once.
#![cfg_attr(
    target_arch = "x86_64",
    expect(unsafe_code, reason = "what is compiled for AVX-512 is called where there is AVX-512")
)]

#[cfg(target_arch = "x86_64")]
mod avx512;

use blake2b_simd::many::{HashManyJob, hash_many};

/// A piece's digest.
pub(crate) type Leaf = [u8; 32];

/// How many pieces [`leaves_of`] takes at most: as many as the widest vector holds.
pub(crate) const LEAVES_AT_ONCE: usize = 8;

/// The BLAKE2b-256 digest of one piece of content.
pub(crate) fn leaf_of(content: &[u8]) -> Leaf {
    let mut leaf = [0; 32];
    leaf.copy_from_slice(blake2b_simd::Params::new().hash_length(32).hash(content).as_bytes());
    leaf
}

/// The BLAKE2b-256 digests of several pieces of content at once, in order; of those beyond
/// [`LEAVES_AT_ONCE`] there are none.
pub(crate) fn leaves_of<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> impl Iterator<Item = Leaf> {
    let mut taken = [&[][..]; LEAVES_AT_ONCE];
    let mut count = 0;
    for (place, piece) in taken.iter_mut().zip(pieces) {
        *place = piece;
        count += 1;
    }
    leaves(&mut taken, count).into_iter().take(count)
}

/// The digests of the first `count` pieces, and whatever behind them.
fn leaves(pieces: &mut [&[u8]; LEAVES_AT_ONCE], count: usize) -> [Leaf; LEAVES_AT_ONCE] {
    #[cfg(target_arch = "x86_64")]
    if count > AVX2_LANES && std::arch::is_x86_feature_detected!("avx512f") {
        // Lanes without a piece of their own do what another does, and keep none of them waiting.
        let (own, others) = pieces.split_at_mut(count);
        others.fill(own[0]);
        // SAFETY: the feature that the function is compiled for was found on this processor.
        return unsafe { avx512::leaves(pieces) };
    }
    portable(&pieces[..count])
}

/// Up to so many pieces the lanes of AVX2 take no longer than those of AVX-512.
#[cfg(target_arch = "x86_64")]
const AVX2_LANES: usize = 4;

/// By the widest vectors that `blake2b_simd` has for this processor.
fn portable(pieces: &[&[u8]]) -> [Leaf; LEAVES_AT_ONCE] {
    let params = blake2b_simd::Params::new().hash_length(32).to_owned();
    let mut jobs: [HashManyJob<'_>; LEAVES_AT_ONCE] =
        std::array::from_fn(|at| HashManyJob::new(&params, pieces.get(at).unwrap_or(&&[][..])));
    let jobs = &mut jobs[..pieces.len()];
    hash_many(jobs.iter_mut());
    let mut leaves = [Leaf::default(); LEAVES_AT_ONCE];
    leaves.iter_mut().zip(jobs).for_each(|(leaf, job)| leaf.copy_from_slice(job.to_hash().as_bytes()));
    leaves
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_pieces_have_the_digests_that_each_has_alone_whatever_their_lengths() {
        let content: Vec<u8> = (0..70_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        let lengths = [0, 1, 63, 64, 127, 128, 129, 255, 256, 257, 1000, 4096, 65_535, 65_536];
        for count in 0..=LEAVES_AT_ONCE {
            for first in 0..lengths.len() {
                // Of one length, and of different ones.
                for step in [0, 1, 3] {
                    let pieces: Vec<&[u8]> = (0..count)
                        .map(|place| &content[place * 7..][..lengths[(first + place * step) % lengths.len()]])
                        .collect();
                    let found: Vec<Leaf> = leaves_of(pieces.iter().copied()).collect();
                    let expected: Vec<Leaf> = pieces.iter().map(|piece| leaf_of(piece)).collect();
                    assert!(found == expected, "{count} pieces from length {}, step {step}", lengths[first]);
                    assert!(portable(&pieces)[..count] == expected, "portable: {count} pieces");
                }
            }
        }
    }
}
