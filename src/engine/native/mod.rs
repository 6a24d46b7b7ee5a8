//! frazil's own engine: sums of many blocks at once, and the matcher.

mod aligned;
mod budget;
mod identity;
mod index;
mod rolling;
mod strong;
mod sums;
mod threads;
mod weak;

pub(crate) use aligned::{AlignedMatcher, BasisSums};
pub(crate) use identity::IdentityBuilder;
pub(crate) use index::BlockIndex;
pub(crate) use rolling::{RollingMatcher, RollingOptions};
pub(crate) use sums::block_sums;
use threads::{share_out, threads_for};
