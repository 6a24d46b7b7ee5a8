//! What makes the publishing of a level all or nothing: durable steps, in this order.

use super::confined::Confined;
use super::dress::flush;
use super::journal::JournalReader;
use super::private::Private;
use super::publish::{Published, StagedBy, publish};
use super::stage::Stage;
use super::state::{Applying, Phase, State};
use crate::{Error, ErrorKind, Result};

/// How a restored level is made to outlast a loss of power.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum SyncMode {
    /// The whole file system is flushed twice: before the level is published, and before it is called
    /// complete. It is far faster than `File` for many small files.
    #[default]
    Level,
    /// Each file and directory is flushed on its own: for a file system on which much else is written.
    File,
}

/// Makes what is staged durable and says that it is being published: from now on there is no way back.
///
/// The journal is finished. With [`SyncMode::File`], the caller has flushed each staged file, dressed as
/// it is. `next` is what the state will be but for the level that is complete.
pub(crate) fn begin(
    destination: &Confined,
    private: &Private,
    stage: &mut Stage,
    sync: SyncMode,
    next: &State,
) -> Result<()> {
    if !next.applying.is_some_and(|applying| applying.phase == Phase::Publishing) {
        return Err(Error::new(ErrorKind::Internal, "state does not say that a level is being published"));
    }
    match sync {
        SyncMode::Level => flush_all(private)?,
        SyncMode::File => {
            stage.flush()?;
            // What is private may just have been made.
            let root = destination.pin(b"").map_err(|error| Error::io("opening", error.into()));
            root.and_then(|root| flush(&root)).map_err(|error| error.path(destination.display(b"")))?;
        }
    }
    private.flush()?;
    next.write(private)
}

/// Makes what was published durable, says that the level is complete, and drops stage and journal.
pub(crate) fn conclude(private: &Private, sync: SyncMode, published: &Published) -> Result<State> {
    if sync == SyncMode::Level {
        flush_all(private)?;
    }
    let mut state = State::read(private)?.unwrap_or_default();
    let Some(Applying { level, phase: Phase::Publishing }) = state.applying.take() else {
        return Err(Error::new(ErrorKind::Internal, "no level is being published"));
    };
    state.complete = Some(level);
    state.partial |= published.failed > 0;
    state.write(private)?;
    private.drop_work()?;
    Ok(state)
}

fn flush_all(private: &Private) -> Result<()> {
    rustix::fs::syncfs(private.fd())
        .map_err(|error| Error::io("flushing the file system of", error.into()).path(private.display(b"")))
}

/// What was left behind, with nothing in work any more.
#[derive(Debug)]
pub(crate) struct Recovered {
    pub(crate) private: Private,
    pub(crate) state: Option<State>,
    /// What publishing came to, where it had to be finished.
    pub(crate) published: Option<Published>,
}

/// What a run does first: it finishes the publishing of a level that was begun, and drops whatever else
/// was left. `None` when the destination is not, or no more, in a chain of restores.
///
/// # Errors
///
/// Those of [`publish`], and [`ErrorKind::Corrupt`] when what was left is damaged.
pub(crate) fn recover(
    destination: &Confined,
    step: &mut dyn FnMut(u64) -> Result<()>,
    problem: &mut dyn FnMut(Error),
) -> Result<Option<Recovered>> {
    let Some(private) = Private::open(destination)? else { return Ok(None) };
    let mut state = State::read(&private)?;
    let mut done = None;
    match &mut state {
        Some(State { applying: Some(Applying { level, phase: Phase::Publishing }), .. }) => {
            let header = *JournalReader::open(&private)?.header();
            if header.level != *level {
                return Err(Error::new(ErrorKind::Corrupt, "journal of a restore is that of another level")
                    .doing("recovering")
                    .path(destination.display(b""))
                    .expected(*level, header.level));
            }
            let published = publish(destination, &private, StagedBy::EarlierRun, step, problem)?;
            state = Some(conclude(&private, header.sync, &published)?);
            done = Some(published);
        }
        Some(staging) if staging.applying.is_some() => {
            private.drop_work()?;
            staging.applying = None;
            staging.write(&private)?;
        }
        Some(_) => private.drop_work()?,
        // It was killed while it began, or after its end.
        None => {
            private.remove(destination)?;
            return Ok(None);
        }
    }
    Ok(Some(Recovered { private, state, published: done }))
}
