//! What a level has come to.

use super::{LevelStats, Matching};
use crate::format::Identity;
use crate::signature::Signature;

/// What a finished level is.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LevelSummary {
    /// What the level consists of.
    pub stats: LevelStats,
    /// The identity of the content that was read, which the level restores, unless
    /// [`LevelOptions::identify`](crate::LevelOptions::identify) is off.
    pub identity: Option<Identity>,
    /// The new signature, unless it was written elsewhere on the way.
    pub signature: Option<Signature>,
    /// Whether the content changed while it was read.
    pub dirty: bool,
    /// Which matches were looked for in the end.
    pub matching: Matching,
}
