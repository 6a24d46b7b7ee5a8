//! What a restore has done.

use std::fmt;
use std::path::PathBuf;

use crate::tree::level_id::{LevelHeader, LevelId};

/// What the restoration of one level has done.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RestoreSummary {
    /// Which level it is.
    pub header: LevelHeader,
    /// Entries that were made, changed or deleted; a directory may count twice.
    pub entries: u64,
    /// Files whose content was put in its place; in a dry run, those whose content would be.
    pub files: u64,
    /// Bytes of content that were put in their place, or would be.
    pub output_bytes: u64,
    /// Entries that were deleted.
    pub deleted: u64,
    /// What could not be restored as it was; the observer was told of each.
    pub problems: u64,
    /// What the backup itself could not read as it was.
    pub backup_problems: u64,
    /// Whether the destination stood at this level before.
    pub already_there: bool,
    /// Whether the archive was whole, and all of it that is selected was put in its place.
    pub whole: bool,
    /// Those of the paths selected by [`RestoreOptions::path`] at which there is nothing at this level, as far
    /// as it can be told: what was stripped of its own name is only seen when the level changes it. A level
    /// to come may have something there.
    ///
    /// [`RestoreOptions::path`]: crate::RestoreOptions::path
    pub missing: Vec<PathBuf>,
}

impl RestoreSummary {
    pub(super) fn new(header: LevelHeader) -> Self {
        Self {
            header,
            entries: 0,
            files: 0,
            output_bytes: 0,
            deleted: 0,
            problems: 0,
            backup_problems: 0,
            already_there: false,
            whole: true,
            missing: Vec::new(),
        }
    }

    /// Whether something is not as the level has it.
    pub fn is_partial(&self) -> bool {
        !self.whole
    }
}

/// What a run of before had left behind in a destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Recovery {
    /// Nothing: there is no restore under way.
    Nothing,
    /// It stands at this level, and nothing was left of a restore to another.
    StandsAt {
        /// The level.
        level: LevelId,
        /// Whether something is not as the level has it.
        partial: bool,
    },
    /// A level that was being published has been published to its end.
    Finished(LevelId),
    /// The same, but something is not as the level has it.
    FinishedInPart(LevelId),
    /// A level that had not been verified was dropped.
    Dropped {
        /// The level that it stands at.
        level: Option<LevelId>,
        /// Whether something is not as that level has it.
        partial: bool,
    },
}

impl Recovery {
    /// The level that the destination stands at.
    pub fn level(&self) -> Option<LevelId> {
        match *self {
            Self::Nothing => None,
            Self::StandsAt { level, .. } | Self::Finished(level) | Self::FinishedInPart(level) => Some(level),
            Self::Dropped { level, .. } => level,
        }
    }

    /// Whether something in the destination is not as that level has it.
    pub fn is_partial(&self) -> bool {
        match *self {
            Self::Nothing | Self::Finished(_) => false,
            Self::FinishedInPart(_) => true,
            Self::StandsAt { partial, .. } | Self::Dropped { partial, .. } => partial,
        }
    }
}

impl fmt::Display for Recovery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("no restore is under way"),
            Self::StandsAt { level, .. } => write!(f, "stands at level {level}"),
            Self::Finished(level) => write!(f, "the restore of level {level} was finished"),
            Self::FinishedInPart(level) => return write!(f, "the restore of level {level} was finished in part"),
            Self::Dropped { level: Some(level), .. } => {
                write!(f, "an incomplete restore was dropped; stands at level {level}")
            }
            Self::Dropped { level: None, .. } => f.write_str("an incomplete restore was dropped"),
        }?;
        if self.is_partial() { f.write_str(", which was restored in part") } else { Ok(()) }
    }
}
