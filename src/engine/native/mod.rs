//! frazil's own engine: sums of many blocks at once, and the matcher.

mod aligned;
mod budget;
mod identity;
mod index;
mod rolling;
mod strong;
mod sums;
mod weak;

pub(crate) use aligned::{AlignedMatcher, BasisSums};
pub(crate) use identity::IdentityBuilder;
pub(crate) use index::BlockIndex;
pub(crate) use rolling::{RollingMatcher, RollingOptions};
pub(crate) use sums::block_sums;

/// Fewer bytes than this are not worth a second thread: starting one costs some 20 microseconds.
const THREAD_BYTES_MIN: usize = 256 * 1024;

/// How many threads to use for `bytes` of work when the caller allows `threads`.
fn threads_for(bytes: usize, threads: usize) -> usize {
    threads.min(bytes / THREAD_BYTES_MIN).max(1)
}
