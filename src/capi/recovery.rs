//! What a restore that was killed has left, finished or undone.

use std::ffi::{c_char, c_int};

use super::call::Call;
use super::error::frazil_error;
use super::level_id::frazil_level_id;
use super::observer::frazil_observer;
use super::sized::{Growing, size_through};
use super::status::frazil_status;
use crate::{Recovery, recover_restore};

/// What a run of before had left behind in a destination.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum frazil_recovery_kind {
    /// Nothing: there is no restore under way.
    FRAZIL_RECOVERY_NOTHING = 0,
    /// It stands at a level, and nothing was left of a restore to another.
    FRAZIL_RECOVERY_STANDS = 1,
    /// A level that was being published has been published to its end.
    FRAZIL_RECOVERY_FINISHED = 2,
    /// The same, but something is not as the level has it.
    FRAZIL_RECOVERY_FINISHED_IN_PART = 3,
    /// A level that had not been verified was dropped.
    FRAZIL_RECOVERY_DROPPED = 4,
}

/// What was done with what a run of before had left behind.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct frazil_recovery {
    /// The size of this struct, as `frazil_recovery_init` sets it.
    pub size: usize,
    /// What it was.
    pub kind: frazil_recovery_kind,
    /// 1 if the destination now stands at a level that is known, else 0.
    pub has_level: c_int,
    /// The level that it stands at.
    pub level: frazil_level_id,
}

// SAFETY: numbers, and a kind of which 0 is one.
unsafe impl Growing for frazil_recovery {
    const FIRST_SIZE: usize = size_through!(Self, level);
}

/// Makes a recovery that can be filled, of `size` bytes: `sizeof (frazil_recovery)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_recovery_init(recovery: *mut frazil_recovery, size: usize) {
    // SAFETY: the arguments are the caller's, who keeps to the header.
    let call = unsafe { Call::infallible() };
    call.init(recovery, size);
}

impl From<Recovery> for frazil_recovery {
    fn from(recovery: Recovery) -> Self {
        use frazil_recovery_kind as kind;
        let kind = match recovery {
            Recovery::Nothing => kind::FRAZIL_RECOVERY_NOTHING,
            Recovery::StandsAt { .. } => kind::FRAZIL_RECOVERY_STANDS,
            Recovery::Finished(_) => kind::FRAZIL_RECOVERY_FINISHED,
            Recovery::FinishedInPart(_) => kind::FRAZIL_RECOVERY_FINISHED_IN_PART,
            Recovery::Dropped { .. } => kind::FRAZIL_RECOVERY_DROPPED,
        };
        let level = recovery.level();
        Self { size: 0, kind, has_level: level.is_some().into(), level: level.map(Into::into).unwrap_or_default() }
    }
}

/// Finishes, or undoes, what a restore that was killed has left in the directory `destination`, which need not
/// be there. `observer` is told of each entry that could not be put in its place, and cannot stop the work; it
/// and `recovery` may be NULL.
///
/// Returns `FRAZIL_PARTIAL` when something is not as the level has it that the destination stands at.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_restore_recover(
    destination: *const c_char,
    observer: *const frazil_observer,
    recovery: *mut frazil_recovery,
    error: *mut *mut frazil_error,
) -> frazil_status {
    // SAFETY: the arguments are the caller's, who keeps to the header.
    let call = unsafe { Call::new(error) };
    call.guard(|| {
        let report = call.report(recovery, "recovery")?;
        let watching = call.watching(observer)?;
        let found = recover_restore(call.path(destination, "destination")?, watching.observer())?;
        let is_partial = found.is_partial();
        report.set(&found.into());
        Ok(if is_partial { frazil_status::FRAZIL_PARTIAL } else { frazil_status::FRAZIL_OK })
    })
}
