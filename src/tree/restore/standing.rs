//! Which level a destination stands at: asked for, made good after a restore that was killed, and forgotten.

use std::path::Path;
use std::sync::Arc;

use super::{Applying, Confined, Phase, Private, Recovered, Recovery, State, recover};
use crate::observer::{Observer, Progress, Watch};
use crate::tree::level_id::LevelId;
use crate::{Error, ErrorKind, Result};

/// Entries that are published between two reports of progress.
const TOLD_AT_ONCE: u64 = 256;

/// Finishes, or undoes, what a restore that was killed has left in the directory `destination`, which need not be
/// there. The observer is told of each entry that could not be put in its place; it cannot stop the work.
///
/// # Errors
///
/// [`Io`](ErrorKind::Io) when the work cannot be done now,
/// [`State`](ErrorKind::State) while a restore is at work in it, and [`Corrupt`](ErrorKind::Corrupt) when what was
/// left is damaged.
pub fn recover_restore(destination: impl AsRef<Path>, observer: Option<Arc<dyn Observer>>) -> Result<Recovery> {
    let watch = observer.map_or_else(Watch::default, Watch::new);
    let confined = Confined::open_if_there(destination.as_ref())?;
    let applying = look(&confined)?.and_then(|left| left.state).and_then(|state| state.applying);
    let mut problem = |error: Error| watch.problem(&error);
    let Some(left) = recover(&confined, &mut telling(&watch, Progress::default()), &mut problem)? else {
        return Ok(match applying {
            Some(_) => Recovery::Dropped { level: None, partial: false },
            None => Recovery::Nothing,
        });
    };
    let state = left.state.unwrap_or_default();
    if state.complete.is_none() {
        left.private.remove(&confined)?;
    }
    let partial = state.partial;
    Ok(match (left.published.is_some(), state.complete) {
        (true, Some(level)) if partial => Recovery::FinishedInPart(level),
        (true, Some(level)) => Recovery::Finished(level),
        (_, level) if applying.is_some() => Recovery::Dropped { level, partial },
        (_, Some(level)) => Recovery::StandsAt { level, partial },
        (_, None) => Recovery::Nothing,
    })
}

/// Tells of every so many entries that are published, which is better finished than stopped.
pub(super) fn telling(watch: &Watch, progress: Progress) -> impl FnMut(u64) -> Result<()> {
    let mut next = TOLD_AT_ONCE;
    move |done| {
        if done >= next {
            watch.report(Progress { entries: done, ..progress });
            next = done + TOLD_AT_ONCE;
        }
        Ok(())
    }
}

/// Which level the directory `destination` stands at, or will once a restore that was killed is finished;
/// nothing is changed. `None` where no chain of restores is under way, as where there is no such directory.
///
/// # Errors
///
/// [`Io`](ErrorKind::Io) when it cannot be opened, [`State`](ErrorKind::State) while a restore is at work in it, and
/// [`Corrupt`](ErrorKind::Corrupt) when its note of the level is damaged.
pub fn restored_level(destination: impl AsRef<Path>) -> Result<Option<LevelId>> {
    let left = look(&Confined::open_if_there(destination.as_ref())?)?;
    Ok(left.and_then(|left| left.state).and_then(|state| match state.applying {
        Some(Applying { level, phase: Phase::Publishing }) => Some(level),
        _ => state.complete,
    }))
}

/// Ends a chain: removes the note of the level that the directory `destination` stands at.
///
/// That gives `destination` a new time, and its own is given back to it at once. Killed in between, it stays with
/// the time of the removal, since nothing says any more what it was: all else is as the level has it.
///
/// # Errors
///
/// [`State`](ErrorKind::State) while a restore is under way, or was left half-way.
pub fn conclude_restore(destination: impl AsRef<Path>) -> Result<()> {
    let confined = Confined::open(destination.as_ref())?;
    if look(&confined)?.and_then(|left| left.state).is_some_and(|state| state.applying.is_some()) {
        return Err(Error::new(ErrorKind::State, "a restore was left half-way")
            .doing("ending a chain of restores")
            .path(destination));
    }
    match Private::open(&confined)? {
        Some(private) => private.remove(&confined),
        None => Ok(()),
    }
}

/// What was left behind, untouched.
pub(super) fn look(destination: &Confined) -> Result<Option<Recovered>> {
    let Some(private) = Private::open(destination)? else { return Ok(None) };
    let state = State::read(&private)?;
    Ok(Some(Recovered { private, state, published: None }))
}
