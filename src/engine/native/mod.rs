//! frazil's own engine: sums of many blocks at once, and the matcher.

mod aligned;
mod basis;
mod budget;
mod filed;
mod filling;
mod identity;
mod index;
mod md4;
mod reread;
mod rolling;
mod scan;
mod strong;
mod sums;
mod weak;

pub(crate) use aligned::{AlignedMatcher, BasisSums};
pub(crate) use basis::Basis;
pub(crate) use filed::FiledSums;
pub(crate) use identity::{ContentSums, IdentityBuilder};
pub(crate) use index::BlockIndex;
pub(crate) use reread::{Reread, SumsChecksum};
pub(crate) use rolling::{RollingMatcher, RollingOptions};
pub(crate) use sums::{BlockRun, ZeroSum, block_sums, sum_while_filling};
