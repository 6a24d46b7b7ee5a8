//! Restoring one level, from its archive to its destination.

use std::io::Read;
use std::path::Path;

use rustix::fs::{Dir, Mode, OFlags, openat};
use rustix::io::Errno;

use super::incoming::{Ground, Incoming, Prepared};
use super::mapping::Mapping;
use super::{
    Applying, Confined, JournalHeader, JournalWriter, Phase, Policy, Private, Recovered, Recovery, RestoreOptions,
    RestoreSummary, Stage, State, begin, conclude, publish, recover,
};
use crate::tree::archive::{IntakeOptions, take_in};
use crate::tree::level_id::{LevelHeader, LevelId};
use crate::tree::path::RESTORE_NAME;
use crate::{Error, ErrorKind, Result};

/// Restores the level in `archive` to the directory `destination`, which is made if need be.
///
/// Everything is staged inside the destination and verified to the archive's trailer; only then is it
/// published, so that the tree is at the level before or at this one. A run that is killed while it publishes is
/// finished by the next. Level 0 wants an empty destination, unless it may overwrite; level n wants one that
/// stands at its parent, which `DEST/.frazil-restore` keeps note of until [`conclude_restore`].
///
/// A level that the destination stands at already is read and verified, and nothing else.
///
/// # Errors
///
/// [`WrongBasis`](ErrorKind::WrongBasis) when the destination does not stand at the level's parent, or
/// something in it is not what that level had; [`Exists`](ErrorKind::Exists) when something is in the way;
/// [`Corrupt`](ErrorKind::Corrupt), [`Truncated`](ErrorKind::Truncated), [`Mismatch`](ErrorKind::Mismatch) and
/// [`Unsupported`](ErrorKind::Unsupported) for what is wrong with the archive; [`Limit`](ErrorKind::Limit)
/// for a file that is too long. In all of these the level has changed nothing; what a run before had begun to
/// publish is published to its end all the same.
///
/// # Examples
///
/// See [`backup_tree`](crate::backup_tree).
pub fn restore_tree(
    archive: impl Read,
    destination: impl AsRef<Path>,
    options: RestoreOptions,
) -> Result<RestoreSummary> {
    let destination = destination.as_ref();
    if options.dry_run {
        return match destination.symlink_metadata() {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                // What is not there is as good as empty.
                let empty = tempfile::tempdir().map_err(|error| Error::io("making a directory", error))?;
                restore_into(archive, empty.path(), destination, options)
            }
            _ => restore_into(archive, destination, destination, options),
        };
    }
    let is_new = make_directory(destination)?;
    let result = restore_into(archive, destination, destination, options);
    if is_new && result.is_err() {
        // Only if nothing is in it, as when nothing was restored.
        let _ = std::fs::remove_dir(destination);
    }
    result
}

/// Restores into a directory that is there, and calls it `destination`.
fn restore_into(
    archive: impl Read,
    directory: &Path,
    destination: &Path,
    options: RestoreOptions,
) -> Result<RestoreSummary> {
    let confined = Confined::open(directory)?;
    let policy = Policy { privileged: options.privileged };
    let mut problems = 0;
    let mut problem = |error: Error| {
        problems += 1;
        options.watch.problem(&error);
    };
    // A dry run changes nothing, so what was left behind stays and is only looked at.
    let recovered = match options.dry_run {
        true => look(&confined)?,
        false => recover(&confined, &mut || Ok(()), &mut problem)?,
    };
    let mut restore =
        Restore { destination: &confined, options: &options, policy, recovered, next: None, has_written: false };
    let mut prepare = |header: &LevelHeader| restore.prepare(header);
    let mut incoming = Incoming::new(&confined, &options, policy, &mut prepare)?;
    let intake = IntakeOptions { keep_going: options.keep_going };
    let taken = take_in(archive, &mut incoming, intake);
    let staged = taken.and_then(|taken| Ok((taken, incoming.into_ground()?)));
    let (taken, (ground, mut summary)) = match staged {
        Ok(staged) => staged,
        Err(error) => {
            restore.drop_work()?;
            return Err(match error.kind() {
                ErrorKind::Io => error,
                _ => error.aiming("restoring a tree to", destination),
            });
        }
    };
    summary.backup_problems = taken.totals.problems;
    summary.whole = taken.whole;
    if let Some(ground) = ground {
        let is_whole = restore.publish(ground, taken.whole, &mut problem)?;
        summary.whole &= is_whole;
    }
    summary.problems += problems;
    Ok(summary)
}

/// Finishes, or undoes, what a restore that was killed has left in the directory `destination`.
///
/// # Errors
///
/// [`Io`](ErrorKind::Io) when there is no such directory or the work cannot be done now, and
/// [`Corrupt`](ErrorKind::Corrupt) when what was left is damaged.
pub fn recover_restore(destination: impl AsRef<Path>) -> Result<Recovery> {
    let confined = Confined::open(destination.as_ref())?;
    let before = look(&confined)?.and_then(|left| left.state);
    let recovered = recover(&confined, &mut || Ok(()), &mut |_| {})?;
    let failed = recovered.as_ref().and_then(|left| left.published).map_or(0, |published| published.failed);
    let complete = recovered.as_ref().and_then(|left| left.state).and_then(|state| state.complete);
    let applying = before.and_then(|state| state.applying);
    if let Some(left) = recovered.filter(|_| complete.is_none()) {
        left.private.remove(&confined)?;
    }
    Ok(match (applying.map(|applying| applying.phase), complete) {
        (Some(Phase::Publishing), Some(level)) if failed > 0 => Recovery::FinishedInPart(level),
        (Some(Phase::Publishing), Some(level)) => Recovery::Finished(level),
        (Some(_), complete) => Recovery::Dropped(complete),
        (None, Some(level)) => Recovery::StandsAt(level),
        (None, None) => Recovery::Nothing,
    })
}

/// Which level the directory `destination` stands at, or will once a restore that was killed is finished;
/// nothing is changed. `None` where no chain of restores is under way.
///
/// # Errors
///
/// [`Io`](ErrorKind::Io) when there is no such directory, [`State`](ErrorKind::State) while a restore is at
/// work in it, and [`Corrupt`](ErrorKind::Corrupt) when its note of the level is damaged.
pub fn restored_level(destination: impl AsRef<Path>) -> Result<Option<LevelId>> {
    let left = look(&Confined::open(destination.as_ref())?)?;
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

/// Makes the directory, and says whether it was not there.
fn make_directory(destination: &Path) -> Result<bool> {
    match std::fs::create_dir(destination) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(false),
        result => result.map(|()| true).map_err(|error| Error::io("making", error).path(destination)),
    }
}

/// What was left behind, untouched.
fn look(destination: &Confined) -> Result<Option<Recovered>> {
    let Some(private) = Private::open(destination)? else { return Ok(None) };
    let state = State::read(&private)?;
    Ok(Some(Recovered { private, state, published: None }))
}

/// One restore, around the taking in of its archive.
struct Restore<'a> {
    destination: &'a Confined,
    options: &'a RestoreOptions,
    policy: Policy,
    recovered: Option<Recovered>,
    /// What the state will be while the level is published.
    next: Option<State>,
    /// Whether anything was written that is to be taken back when the level fails.
    has_written: bool,
}

impl Restore<'_> {
    /// Decides whether the level may be restored here; then, and not before, something is written.
    fn prepare(&mut self, header: &LevelHeader) -> Result<Prepared> {
        let state = self.recovered.as_ref().and_then(|left| left.state);
        let stands_at = state.and_then(|state| state.complete);
        let is_partial = state.is_some_and(|state| state.partial);
        if stands_at == Some(header.id) && !is_partial {
            return Ok(Prepared::AlreadyThere);
        }
        let selection = Mapping::new(self.options).digest();
        let is_clean = self.may_begin(header, state, stands_at, &selection)?;
        if self.options.dry_run {
            return Ok(Prepared::DryRun);
        }
        self.has_written = true;
        if self.recovered.is_none() {
            let private = Private::create(self.destination)?;
            self.recovered = Some(Recovered { private, state: None, published: None });
        }
        let Some(left) = &mut self.recovered else {
            return Err(Error::new(ErrorKind::Internal, "a destination without its private directory"));
        };
        let private = &left.private;
        let staging = State {
            complete: stands_at,
            root: state.and_then(|state| state.root),
            applying: Some(Applying { level: header.id, phase: Phase::Staging }),
            partial: state.is_some_and(|state| state.partial),
            selection: state.map_or(selection, |state| state.selection),
        };
        staging.write(private)?;
        left.state = Some(staging);
        self.next = Some(State {
            root: Some(header.root),
            applying: Some(Applying { level: header.id, phase: Phase::Publishing }),
            partial: !is_clean,
            selection,
            ..staging
        });
        let stage = Stage::create(private)?;
        let journal_header = JournalHeader {
            level: header.id,
            leaf_len: header.block_len,
            policy: self.policy,
            make_parents: self.options.keep_going,
            sync: self.options.sync,
        };
        let journal = JournalWriter::create(private, &journal_header)?;
        Ok(Prepared::Ground(Box::new(Ground { stage, journal })))
    }

    /// Whether the tree is whole that the level goes onto; fails when it may not go there.
    fn may_begin(
        &self,
        header: &LevelHeader,
        state: Option<State>,
        stands_at: Option<LevelId>,
        selection: &[u8; 32],
    ) -> Result<bool> {
        let name =
            |level: Option<LevelId>| level.map_or("no level that is known".to_owned(), |level| level.to_string());
        let Some(parent) = header.parent else {
            if self.options.overwrite || (stands_at.is_none() && self.is_empty()?) {
                return Ok(true);
            }
            return Err(Error::new(ErrorKind::Exists, "a level 0 goes into an empty directory")
                .expected("nothing", if stands_at.is_some() { name(stands_at) } else { "something".to_owned() }));
        };
        let assumed = self.options.assume_parent.filter(|_| stands_at.is_none());
        if state.and_then(|state| state.root).is_some_and(|root| stands_at.is_some() && root != header.root) {
            return Err(Error::new(ErrorKind::WrongBasis, "the level is of another chain than is there")
                .expected(header.root, name(state.and_then(|state| state.root))));
        }
        if stands_at.or(assumed) != Some(parent) {
            return Err(Error::new(ErrorKind::WrongBasis, "the level was made against another than is there")
                .expected(parent, name(stands_at.or(assumed))));
        }
        let partial = state.is_some_and(|state| state.partial);
        if partial && !self.options.accept_partial {
            return Err(Error::new(ErrorKind::WrongBasis, "the level that is there was restored in part"));
        }
        if state.is_some_and(|state| state.selection != *selection) {
            let what = "the levels before were restored with another selection of paths";
            return Err(Error::new(ErrorKind::InvalidInput, what));
        }
        Ok(!partial)
    }

    fn is_empty(&self) -> Result<bool> {
        let failed = |error: Errno| Error::io("looking into", error.into()).path(self.destination.display(b""));
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory = openat(self.destination.root(), ".", flags, Mode::empty()).map_err(failed)?;
        for entry in Dir::read_from(directory).map_err(failed)? {
            if !matches!(entry.map_err(failed)?.file_name().to_bytes(), b"." | b".." | RESTORE_NAME) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Puts the level in its place; whether the tree is then whole.
    fn publish(&mut self, ground: Ground, whole: bool, problem: &mut dyn FnMut(Error)) -> Result<bool> {
        let (Some(left), Some(mut next)) = (&self.recovered, self.next) else {
            return Err(Error::new(ErrorKind::Internal, "a level without its ground"));
        };
        let Ground { mut stage, journal } = ground;
        next.partial |= !whole;
        let begun =
            journal.finish(&left.private).and_then(|()| begin(&left.private, &mut stage, self.options.sync, &next));
        if let Err(error) = begun {
            // Unless it was recorded all the same that it is being published: then it is, by the next run.
            let recorded = State::read(&left.private)?.and_then(|state| state.applying);
            if recorded.is_none_or(|applying| applying.phase == Phase::Staging) {
                self.drop_work()?;
            }
            return Err(error);
        }
        // From here on it is better finished than stopped.
        let published = publish(self.destination, &left.private, &mut || Ok(()), problem)?;
        let state = conclude(&left.private, self.options.sync, &published)?;
        Ok(!state.partial)
    }

    /// Leaves the destination as it was.
    fn drop_work(&mut self) -> Result<()> {
        let Some(left) = self.recovered.take() else { return Ok(()) };
        if !self.has_written {
            return Ok(());
        }
        left.private.drop_work()?;
        match left.state {
            Some(State { complete: None, .. }) | None => left.private.remove(self.destination),
            Some(state) => State { applying: None, ..state }.write(&left.private),
        }
    }
}
