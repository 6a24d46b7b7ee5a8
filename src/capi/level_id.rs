//! Which level of which chain a tree's archive is.

use std::ffi::c_int;

use super::arguments::Zero;
use crate::{LevelHeader, LevelId};

/// Sixteen random bytes that name one level of a tree.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct frazil_level_id {
    /// The bytes; all zero where there is no such level.
    pub bytes: [u8; 16],
}

// SAFETY: numbers.
unsafe impl Zero for frazil_level_id {}

impl From<LevelId> for frazil_level_id {
    fn from(id: LevelId) -> Self {
        Self { bytes: id.0 }
    }
}

/// What an archive and its snapshot say of themselves, and of where they belong.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct frazil_level_header {
    /// This level.
    pub id: frazil_level_id,
    /// The level that it is made against; zeros for a level 0.
    pub parent: frazil_level_id,
    /// The level 0 of its chain: itself for a level 0.
    pub root: frazil_level_id,
    /// When the backup began, in seconds since 1970.
    pub created: i64,
    /// How many levels are before it in its chain. For information: the ids decide.
    pub number: u32,
    /// Bytes in a block; the same in a whole chain.
    pub block_len: u32,
    /// 1 if there is a parent, else 0.
    pub has_parent: c_int,
    /// 0.
    pub reserved: c_int,
}

// SAFETY: numbers.
unsafe impl Zero for frazil_level_header {}

impl From<&LevelHeader> for frazil_level_header {
    fn from(header: &LevelHeader) -> Self {
        Self {
            id: header.id.into(),
            parent: header.parent.map(Into::into).unwrap_or_default(),
            root: header.root.into(),
            created: header.created,
            number: header.number,
            block_len: header.block_len,
            has_parent: header.parent.is_some().into(),
            reserved: 0,
        }
    }
}
