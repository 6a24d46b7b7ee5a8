//! The identity of content as it goes by: length, CRC32 and fingerprint.

use super::strong::strong_sums;
use crate::format::{FingerprintBuilder, Identity, Leaf, StrongKind, leaf_of};
use crate::sharing::{share_out, threads_for};

/// Content held back until several leaves can be hashed at once.
const STAGE_LEN: usize = 1 << 20;

/// Leaves above this are hashed as they come, one after the other, and never held.
const STAGED_LEAF_MAX: usize = STAGE_LEN / 4;

/// Takes in content and gives its identity.
///
/// Where the leaves are computed elsewhere, as block sums of a signature, they are handed in by
/// [`IdentityBuilder::leaf`] and the content passes through [`IdentityBuilder::checksum`] alone.
pub(crate) struct IdentityBuilder {
    crc: crc32fast::Hasher,
    length: u64,
    leaf_len: usize,
    fingerprint: FingerprintBuilder,
    staged: Vec<u8>,
    /// The leaf being hashed, and how much of it, where leaves are too long to be staged.
    running: Option<(blake2b_simd::State, usize)>,
    zero_leaf: Option<Leaf>,
    threads: usize,
}

/// What a thread makes of a piece of content that begins with a leaf, for [`IdentityBuilder::summed`].
pub(crate) struct ContentSums {
    crc: crc32fast::Hasher,
    length: u64,
    leaves: Vec<Leaf>,
}

impl ContentSums {
    pub(crate) fn of(content: &[u8], leaf_len: u32) -> Self {
        let leaf_len = leaf_len as usize;
        let mut leaves = Vec::with_capacity(content.len().div_ceil(leaf_len));
        strong_sums(StrongKind::Blake2, content, leaf_len, |leaf| leaves.push(*leaf));
        let mut crc = crc32fast::Hasher::new();
        crc.update(content);
        Self { crc, length: content.len() as u64, leaves }
    }
}

impl IdentityBuilder {
    pub(crate) fn new(leaf_len: u32, threads: usize) -> Self {
        Self {
            crc: crc32fast::Hasher::new(),
            length: 0,
            leaf_len: leaf_len as usize,
            fingerprint: FingerprintBuilder::new(leaf_len),
            staged: Vec::new(),
            running: None,
            zero_leaf: None,
            threads,
        }
    }

    /// Bytes of content so far.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// Content whose leaves come by [`IdentityBuilder::leaf`].
    pub(crate) fn checksum(&mut self, content: &[u8]) {
        self.crc.update(content);
        self.length += content.len() as u64;
    }

    /// Content whose leaves come by [`IdentityBuilder::leaf`], and whose checksum was taken elsewhere.
    pub(crate) fn checksummed(&mut self, crc: &crc32fast::Hasher, len: usize) {
        self.crc.combine(crc);
        self.length += len as u64;
    }

    /// Bytes of content under each leaf.
    pub(crate) fn leaf_len(&self) -> u32 {
        self.leaf_len as u32
    }

    /// Content that was summed elsewhere; what came before must end with a leaf.
    pub(crate) fn summed(&mut self, sums: &ContentSums) {
        debug_assert!(self.length.is_multiple_of(self.leaf_len as u64) && self.running.is_none());
        self.flush_leaves();
        self.crc.combine(&sums.crc);
        self.length += sums.length;
        sums.leaves.iter().for_each(|leaf| self.fingerprint.leaf(leaf));
    }

    /// The next leaf of content that passes through [`IdentityBuilder::checksum`].
    pub(crate) fn leaf(&mut self, leaf: &Leaf) {
        self.fingerprint.leaf(leaf);
    }

    /// The next content.
    pub(crate) fn update(&mut self, content: &[u8]) {
        self.checksum(content);
        self.hash(content);
    }

    /// The next `len` bytes of content, all zero.
    pub(crate) fn zeros(&mut self, mut len: u64) {
        static ZEROS: [u8; 64 * 1024] = [0; 64 * 1024];
        while len > 0 {
            let on_leaf = self.length.is_multiple_of(self.leaf_len as u64);
            if on_leaf && self.leaf_len <= STAGED_LEAF_MAX && len >= self.leaf_len as u64 {
                self.flush_leaves();
                let leaf_len = self.leaf_len;
                let leaf = *self.zero_leaf.get_or_insert_with(|| leaf_of(&vec![0; leaf_len]));
                self.fingerprint.leaf(&leaf);
                let mut left = leaf_len;
                while left > 0 {
                    let take = left.min(ZEROS.len());
                    self.checksum(&ZEROS[..take]);
                    left -= take;
                }
                len -= leaf_len as u64;
            } else {
                let to_leaf = self.leaf_len as u64 - self.length % self.leaf_len as u64;
                let take = len.min(to_leaf).min(ZEROS.len() as u64);
                self.update(&ZEROS[..take as usize]);
                len -= take;
            }
        }
    }

    fn hash(&mut self, mut content: &[u8]) {
        if self.leaf_len > STAGED_LEAF_MAX || self.running.is_some() {
            return self.hash_running(content);
        }
        let stage_len = STAGE_LEN - STAGE_LEN % self.leaf_len;
        while !content.is_empty() {
            if self.staged.is_empty() && content.len() >= stage_len {
                let (whole, rest) = content.split_at(stage_len);
                self.hash_leaves(whole);
                content = rest;
                continue;
            }
            let take = content.len().min(stage_len - self.staged.len());
            if self.staged.try_reserve(take).is_err() {
                // One leaf after the other, it does without.
                let staged = std::mem::take(&mut self.staged);
                self.hash_running(&staged);
                return self.hash_running(content);
            }
            self.staged.extend_from_slice(&content[..take]);
            content = &content[take..];
            if self.staged.len() == stage_len {
                self.flush_leaves();
            }
        }
    }

    fn hash_running(&mut self, mut content: &[u8]) {
        while !content.is_empty() {
            let (state, have) =
                self.running.get_or_insert_with(|| (blake2b_simd::Params::new().hash_length(32).to_state(), 0));
            let take = content.len().min(self.leaf_len - *have);
            state.update(&content[..take]);
            *have += take;
            content = &content[take..];
            if *have == self.leaf_len {
                self.finish_running();
            }
        }
    }

    fn finish_running(&mut self) {
        if let Some((state, _)) = self.running.take() {
            let mut leaf = [0; 32];
            leaf.copy_from_slice(state.finalize().as_bytes());
            self.fingerprint.leaf(&leaf);
        }
    }

    fn flush_leaves(&mut self) {
        if self.staged.is_empty() {
            return;
        }
        let staged = std::mem::take(&mut self.staged);
        self.hash_leaves(&staged);
        self.staged = staged;
        self.staged.clear();
    }

    fn hash_leaves(&mut self, content: &[u8]) {
        let leaf_len = self.leaf_len;
        let leaves = content.len().div_ceil(leaf_len);
        let threads = threads_for(content.len(), self.threads).min(leaves.max(1));
        let share = leaves.div_ceil(threads) * leaf_len;
        let mut sums = vec![Vec::new(); content.len().div_ceil(share.max(1))];
        share_out(content.chunks(share.max(1)).zip(&mut sums), threads, |(content, sums)| {
            sums.reserve(content.len().div_ceil(leaf_len));
            strong_sums(StrongKind::Blake2, content, leaf_len, |leaf| sums.push(*leaf));
        });
        sums.iter().flatten().for_each(|leaf| self.fingerprint.leaf(leaf));
    }

    /// The identity of all content taken in.
    pub(crate) fn finish(mut self) -> Identity {
        self.flush_leaves();
        self.finish_running();
        Identity { crc32: self.crc.finalize(), fingerprint: self.fingerprint.finish(self.length) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reference(content: &[u8], leaf_len: u32) -> Identity {
        let mut fingerprint = FingerprintBuilder::new(leaf_len);
        content.chunks(leaf_len as usize).for_each(|piece| fingerprint.leaf(&leaf_of(piece)));
        Identity { crc32: crc32fast::hash(content), fingerprint: fingerprint.finish(content.len() as u64) }
    }

    #[test]
    fn content_in_any_pieces_and_zeros_have_one_identity() {
        let content: Vec<u8> = (0..3_000_000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        let mut with_zeros = content.clone();
        with_zeros[700_001..2_900_000].fill(0);
        for leaf_len in [1, 1024, 4097, 65536, 1 << 20] {
            let content = if leaf_len == 1 { &with_zeros[690_000..720_000] } else { &with_zeros[..] };
            let zeros = content.iter().position(|&b| b == 0).map(|_| ()).and_then(|()| {
                let start = content.windows(64).position(|window| window.iter().all(|&b| b == 0))?;
                let len = content[start..].iter().take_while(|&&b| b == 0).count();
                Some(start..start + len)
            });
            let zeros = zeros.unwrap();
            for piece in [1000, 65536, 1 << 21] {
                let mut builder = IdentityBuilder::new(leaf_len, 2);
                content[..zeros.start].chunks(piece).for_each(|piece| builder.update(piece));
                builder.zeros(zeros.len() as u64);
                content[zeros.end..].chunks(piece).for_each(|piece| builder.update(piece));
                assert_eq!(builder.finish(), reference(content, leaf_len), "leaves of {leaf_len}, pieces of {piece}");

                let mut builder = IdentityBuilder::new(leaf_len, 2);
                let piece = piece.next_multiple_of(leaf_len as usize);
                content.chunks(piece).for_each(|piece| builder.summed(&ContentSums::of(piece, leaf_len)));
                assert_eq!(builder.finish(), reference(content, leaf_len), "leaves of {leaf_len}, sums of {piece}");
            }
        }
    }
}
