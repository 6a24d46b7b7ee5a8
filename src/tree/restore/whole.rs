//! Restoring one level, from its archive to its destination.

use std::collections::BTreeSet;
use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;

use rustix::fs::{Dir, Mode, OFlags, openat};
use rustix::io::Errno;

use super::fresh::{flush_name, make_directory, open_to_others};
use super::incoming::{Ground, Incoming, Prepared, Staged, Unmet};
use super::mapping::Mapping;
use super::publish::Published;
use super::standing::{look, telling};
use super::{
    Applying, Confined, JournalHeader, JournalWriter, Phase, Policy, Private, Recovered, RestoreOptions,
    RestoreSummary, Stage, StagedBy, State, SyncMode, begin, conclude, leading, publish, recover,
};
use crate::observer::Progress;
use crate::tree::archive::{IntakeOptions, take_in};
use crate::tree::level_id::{LevelHeader, LevelId};
use crate::tree::path::{self, RESTORE_NAME};
use crate::{Error, ErrorKind, Result};

/// Restores the level in `archive` to the directory `destination`, which is made if need be.
///
/// Everything is staged inside the destination and verified to the archive's trailer; only then is it
/// published, so that the tree is at the level before or at this one. A run that is killed while it publishes is
/// finished by the next. Level 0 wants an empty destination, unless it may overwrite; level n wants one that
/// stands at its parent, which `DEST/.frazil-restore` keeps note of until
/// [`conclude_restore`](crate::conclude_restore).
///
/// A level that the destination stands at already is read and verified, and nothing else; but a level 0 that may
/// overwrite is restored anew.
///
/// A destination that is made here is open to its owner only until the level gives it the mode that its root has,
/// when all that is in it has its own; a level of a single file has no root, and it is open as the umask has it. What
/// is made is made in one file system, that of the destination: nothing is restored into another that is mounted in
/// it, which is reported, entry by entry.
///
/// # Errors
///
/// [`WrongBasis`](ErrorKind::WrongBasis) when the destination does not stand at the level's parent, or only in
/// part, or something in it is not what that level had; [`Exists`](ErrorKind::Exists) when something is in the way;
/// [`InvalidInput`](ErrorKind::InvalidInput) for another selection of paths than that of the levels before;
/// [`State`](ErrorKind::State) while another restore is at work there, and in a dry run while one that was killed
/// has to be finished first;
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
        let confined = Confined::open_if_there(destination)?;
        let is_missing = confined.is_missing();
        return restore_into(archive, confined, is_missing, destination, options);
    }
    // What the level gives its mode is closed until then.
    let has_mode = Mapping::new(&options).place(b"").is_some_and(|place| place.is_empty());
    let is_new = make_directory(destination, if has_mode { 0o700 } else { 0o777 })?;
    let mut made = Made(is_new.then_some(destination));
    if is_new && options.sync == SyncMode::File {
        flush_name(destination)?;
    }
    let summary = restore_into(archive, Confined::open(destination)?, is_new, destination, options)?;
    made.0 = None;
    Ok(summary)
}

/// A destination that was made for a restore, and goes with it when that fails or panics.
struct Made<'a>(Option<&'a Path>);

impl Drop for Made<'_> {
    fn drop(&mut self) {
        if let Some(path) = self.0 {
            // Only if nothing is in it, as when nothing was restored.
            let _ = std::fs::remove_dir(path);
        }
    }
}

/// Restores into a directory that is there, by now or since before; a dry run also where none is.
fn restore_into(
    archive: impl Read,
    confined: Confined,
    is_new: bool,
    destination: &Path,
    options: RestoreOptions,
) -> Result<RestoreSummary> {
    let policy = Policy { privileged: options.privileged };
    let mut problems = 0;
    let mut problem = |error: Error| {
        problems += 1;
        options.watch.problem(&error);
    };
    // A dry run changes nothing, so what was left behind stays and is only looked at.
    let recovered = match options.dry_run {
        true => look_ahead(&confined)?,
        false => recover(&confined, &mut telling(&options.watch, Progress::default()), &mut problem)?,
    };
    let mut restore = Restore {
        destination: &confined,
        is_new,
        options: &options,
        policy,
        recovered,
        next: None,
        is_clean: true,
        has_written: false,
    };
    let staged = catch_unwind(AssertUnwindSafe(|| -> Result<_> {
        let mut prepare = |header: &LevelHeader| restore.prepare(header);
        let mut incoming = Incoming::new(&confined, &options, policy, &mut prepare)?;
        let taken = take_in(archive, &mut incoming, IntakeOptions { keep_going: options.keep_going })?;
        Ok((taken, incoming.into_staged()?))
    }));
    let staged = staged.unwrap_or_else(|panic| {
        // The archive's reader, or the observer, has panicked: what is left says more than what fails here.
        let _ = restore.drop_work();
        resume_unwind(panic)
    });
    let (taken, Staged { ground, mut summary, progress, unmet, has_root }) = match staged {
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
    summary.whole &= taken.whole && restore.is_clean;
    if let Some(ground) = ground {
        if is_new && !has_root && summary.whole {
            open_to_others(&confined)?;
        }
        let (is_whole, published) = restore.publish(ground, summary.whole, progress, &mut problem)?;
        summary.whole &= is_whole;
        summary.files = summary.files.saturating_sub(published.failed_files);
        summary.output_bytes = summary.output_bytes.saturating_sub(published.failed_bytes);
        summary.deleted = summary.deleted.saturating_sub(published.failed_deletions);
    }
    summary.problems += problems;
    let mapping = Mapping::new(&options);
    let is_new_tree = summary.header.parent.is_none() && !summary.already_there;
    for Unmet { path, is_deleted } in unmet {
        // A later level says nothing of what stays; what is stripped of its own name has no place.
        let is_there = !is_new_tree
            && !is_deleted
            && match mapping.place(&path) {
                Some(place) => confined.stat(&place)?.is_some(),
                None => true,
            };
        if !is_there {
            summary.missing.push(path::to_os(&path));
        }
    }
    Ok(summary)
}

/// What was left behind, for a dry run: one that would begin by finishing a restore cannot tell what comes after.
fn look_ahead(destination: &Confined) -> Result<Option<Recovered>> {
    let left = look(destination)?;
    let applying = left.as_ref().and_then(|left| left.state.as_ref()).and_then(|state| state.applying);
    if applying.is_none_or(|applying| applying.phase == Phase::Staging) {
        return Ok(left);
    }
    let what = "a restore was left half-way and has to be finished first; `frazil restore DEST` does that";
    Err(Error::new(ErrorKind::State, what).doing("restoring a tree, in a dry run, to").path(destination.display(b"")))
}

/// One restore, around the taking in of its archive.
struct Restore<'a> {
    destination: &'a Confined,
    /// Whether the destination was made for this.
    is_new: bool,
    options: &'a RestoreOptions,
    policy: Policy,
    recovered: Option<Recovered>,
    /// What the state will be while the level is published.
    next: Option<State>,
    /// Whether the tree is whole that the level goes onto.
    is_clean: bool,
    /// Whether anything was written that is to be taken back when the level fails.
    has_written: bool,
}

impl Restore<'_> {
    /// Decides whether the level may be restored here; then, and not before, something is written.
    fn prepare(&mut self, header: &LevelHeader) -> Result<Prepared> {
        let state = self.recovered.as_ref().and_then(|left| left.state.clone()).unwrap_or_default();
        let mapping = Mapping::new(self.options);
        let selection = mapping.digest();
        // A level 0 that may overwrite puts back what has become of it since.
        let begins_anew = self.options.overwrite && header.parent.is_none();
        if state.complete == Some(header.id) && !state.partial && state.selection == selection && !begins_anew {
            return Ok(Prepared::AlreadyThere);
        }
        self.is_clean = self.may_begin(header, &state, &selection)?;
        let stay = self.what_stays(header, &state, &mapping)?;
        if self.options.dry_run {
            return Ok(Prepared::DryRun(stay));
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
        let applying = |phase| Some(Applying { level: header.id, phase });
        self.next = Some(State {
            complete: state.complete,
            root: Some(header.root),
            applying: applying(Phase::Publishing),
            partial: false,
            selection,
            left: stay.clone(),
        });
        let staging = match state.complete {
            Some(_) => State { applying: applying(Phase::Staging), ..state },
            // Until there is a level, only what was there before it is of use to a later run.
            None => State { applying: applying(Phase::Staging), selection, left: stay.clone(), ..State::default() },
        };
        staging.write(private)?;
        left.state = Some(staging);
        let stage = Stage::create(private)?;
        let journal_header = JournalHeader {
            level: header.id,
            leaf_len: header.block_len,
            policy: self.policy,
            make_parents: self.options.keep_going,
            overwrite: self.options.overwrite,
            sync: self.options.sync,
        };
        let journal = JournalWriter::create(private, &journal_header)?;
        Ok(Prepared::Ground(Box::new(Ground { stage, journal, left: stay })))
    }

    /// The directories that lead to what is selected and were there before the chain was restored.
    fn what_stays(&self, header: &LevelHeader, state: &State, mapping: &Mapping) -> Result<BTreeSet<Vec<u8>>> {
        if header.parent.is_some() && state.complete.is_some() {
            return Ok(state.left.clone());
        }
        let mut stay = leading::there(self.destination, mapping)?;
        // Made for this, or for a run before that was killed.
        let was_begun = self.recovered.as_ref().is_some_and(|left| left.state.is_some()) && state.complete.is_none();
        if self.is_new || was_begun && !state.left.contains(&b""[..]) {
            stay.remove(&b""[..]);
        } else {
            stay.insert(Vec::new());
        }
        Ok(stay)
    }

    /// Whether the tree is whole that the level goes onto; fails when it may not go there.
    fn may_begin(&self, header: &LevelHeader, state: &State, selection: &[u8; 32]) -> Result<bool> {
        let name =
            |level: Option<LevelId>| level.map_or("no level that is known".to_owned(), |level| level.to_string());
        let stands_at = state.complete;
        if header.parent.is_none()
            && (self.options.overwrite || stands_at.is_none() && (self.is_new || self.is_empty()?))
        {
            return Ok(true);
        }
        let is_selected_so = stands_at.is_none() || state.selection == *selection;
        let other_selection = || {
            let what = "the levels before were restored with another selection of paths";
            Error::new(ErrorKind::InvalidInput, what)
        };
        if stands_at == Some(header.id) && !is_selected_so {
            return Err(other_selection());
        }
        let Some(parent) = header.parent else {
            return Err(Error::new(ErrorKind::Exists, "a level 0 goes into an empty directory")
                .expected("nothing", if stands_at.is_some() { name(stands_at) } else { "something".to_owned() }));
        };
        if stands_at == Some(header.id) {
            let what = "the level is there, restored in part, and cannot be restored onto itself";
            return Err(Error::new(ErrorKind::WrongBasis, what).expected(parent, name(stands_at)));
        }
        let assumed = self.options.assume_parent.filter(|_| stands_at.is_none());
        if stands_at.is_some() && state.root.is_some_and(|root| root != header.root) {
            return Err(Error::new(ErrorKind::WrongBasis, "the level is of another chain than is there")
                .expected(header.root, name(state.root)));
        }
        if stands_at.or(assumed) != Some(parent) {
            return Err(Error::new(ErrorKind::WrongBasis, "the level was made against another than is there")
                .expected(parent, name(stands_at.or(assumed))));
        }
        if state.partial && !self.options.accept_partial {
            let what = "the level that is there was restored in part, which has to be accepted to go on from it";
            return Err(Error::new(ErrorKind::WrongBasis, what));
        }
        if !is_selected_so {
            return Err(other_selection());
        }
        Ok(!state.partial)
    }

    fn is_empty(&self) -> Result<bool> {
        let failed = |error: Errno| Error::io("looking into", error.into()).path(self.destination.display(b""));
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory = openat(self.destination.root().map_err(failed)?, ".", flags, Mode::empty()).map_err(failed)?;
        for entry in Dir::read_from(directory).map_err(failed)? {
            if !matches!(entry.map_err(failed)?.file_name().to_bytes(), b"." | b".." | RESTORE_NAME) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Puts the level in its place; whether the tree is then whole, and what it came to.
    fn publish(
        &mut self,
        ground: Ground,
        whole: bool,
        progress: Progress,
        problem: &mut dyn FnMut(Error),
    ) -> Result<(bool, Published)> {
        let (Some(left), Some(mut next)) = (&self.recovered, self.next.take()) else {
            return Err(Error::new(ErrorKind::Internal, "a level without its ground"));
        };
        let Ground { mut stage, journal, .. } = ground;
        next.partial = !whole;
        let (destination, sync) = (self.destination, self.options.sync);
        let begun =
            journal.finish(&left.private).and_then(|()| begin(destination, &left.private, &mut stage, sync, &next));
        if let Err(error) = begun {
            // Unless it was recorded all the same that it is being published: then it is, by the next run.
            let recorded = State::read(&left.private)?.and_then(|state| state.applying);
            if recorded.is_none_or(|applying| applying.phase == Phase::Staging) {
                self.drop_work()?;
            }
            return Err(error);
        }
        // From here on it is better finished than stopped.
        self.options.watch.report(Progress { entries: 0, ..progress });
        let mut step = telling(&self.options.watch, progress);
        let published = publish(self.destination, &left.private, StagedBy::ThisRun, &mut step, problem)?;
        self.options.watch.report(Progress { entries: published.done + published.failed, ..progress });
        let state = conclude(&left.private, self.options.sync, &published)?;
        Ok((!state.partial, published))
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
