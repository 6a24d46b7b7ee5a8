//! The sums of many blocks, over several threads.

use super::strong::strong_sums;
use super::weak::weak_sum;
use super::{share_out, threads_for};
use crate::format::{BlockSum, SignatureParams};

/// Appends the sums of each block of `data`, in order; the last block may be short.
///
/// The strong sums are whole, whatever length the parameters keep.
pub(crate) fn block_sums(params: &SignatureParams, data: &[u8], threads: usize, sums: &mut Vec<BlockSum>) {
    if data.is_empty() {
        return;
    }
    let block_len = params.block_len as usize;
    let first = sums.len();
    sums.resize(first + data.len().div_ceil(block_len), BlockSum::default());
    let sums = &mut sums[first..];
    let threads = threads_for(data.len(), threads).min(sums.len());
    let share = sums.len().div_ceil(threads);
    let shares = data.chunks(share * block_len).zip(sums.chunks_mut(share));
    share_out(shares, threads, |(data, sums)| serial(params, data, sums));
}

fn serial(params: &SignatureParams, data: &[u8], sums: &mut [BlockSum]) {
    let block_len = params.block_len as usize;
    let mut place = sums.iter_mut();
    strong_sums(params.strong, data, block_len, |strong| {
        if let Some(sum) = place.next() {
            sum.strong = *strong;
        }
    });
    for (sum, block) in sums.iter_mut().zip(data.chunks(block_len)) {
        sum.weak = weak_sum(params.weak, block);
    }
}
