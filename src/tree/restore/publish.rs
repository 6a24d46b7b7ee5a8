//! Carrying out a journal.
//!
//! Each operation is such that doing it again changes nothing: what has left the stage is in its place,
//! what is gone is gone. So a run that was killed is repeated from the start of its journal. What stands
//! in the way and is not of the tree, so that no record says to remove it, stays and is reported; nothing
//! is ever deleted with what is in it.

use std::cell::Cell;
use std::os::fd::BorrowedFd;

use rustix::fs::{AtFlags, FileType, IFlags, Mode, linkat, mkdirat, statat, unlinkat};
use rustix::io::Errno;

use super::confined::{Confined, leads_nowhere};
use super::dress::{dress, flush, is_locked, lock, pin, pin_same};
use super::flags::{LOCKS, set_flags, unlock, unlocking};
use super::journal::{Entry, JournalHeader, JournalReader};
use super::moving::{Way, in_the_way, is_same, move_to, remove};
use super::pinned::Pinned;
use super::private::Private;
use super::stack::DirectoryStack;
use super::stage::{LINK, Stage, StageId};
use super::transaction::SyncMode;
use crate::memory::zeroed;
use crate::tree::identify::identify;
use crate::tree::metadata::{EntryKind, Metadata};
use crate::tree::path;
use crate::tree::path_set::PathSet;
use crate::tree::record::{Action, Record};
use crate::{Error, ErrorKind, Result};

/// Bytes read at once.
const BUFFER_LEN: usize = 256 * 1024;

/// What carrying out a journal came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Published {
    /// Records that were carried out.
    pub(crate) done: u64,
    /// Records that could not be: the tree is not as the level has it.
    pub(crate) failed: u64,
    /// Files among those whose content was made, and the bytes that it has.
    pub(crate) failed_files: u64,
    pub(crate) failed_bytes: u64,
    /// Deletions among them.
    pub(crate) failed_deletions: u64,
    /// All that was reported, `failed` among it.
    pub(crate) problems: u64,
}

/// Who has staged what is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StagedBy {
    /// Which has verified it.
    ThisRun,
    /// Whatever was kept since is read, and is put into its place only if it still is what was verified then.
    EarlierRun,
}

/// Carries out the whole journal. `step` is called before each change, with the number of records that are
/// done, and stops the work when it fails; what can be survived goes to `problem`.
///
/// # Errors
///
/// What concerns more than one entry: no room, a failing disk, a damaged journal. The same call can be
/// made again.
pub(crate) fn publish(
    destination: &Confined,
    private: &Private,
    staged: StagedBy,
    step: &mut dyn FnMut(u64) -> Result<()>,
    problem: &mut dyn FnMut(Error),
) -> Result<Published> {
    let mut journal = JournalReader::open(private)?;
    let done = Cell::new(0);
    let mut step = || step(done.get());
    let directories = DirectoryStack::new(destination)
        .map_err(|error| Error::io("opening the destination", error.into()).path(destination.display(b"")))?;
    let mut publisher = Publisher {
        destination,
        stage: Stage::open_existing(private)?,
        directories,
        header: *journal.header(),
        reread: (staged == StagedBy::EarlierRun).then(|| zeroed(BUFFER_LEN)).transpose()?,
        step: &mut step,
        failed: PathSet::default(),
        reports: Reports { destination, problem, count: 0 },
    };
    let mut published = Published::default();
    while let Some(entry) = journal.next()? {
        match publisher.carry_out(&entry) {
            Ok(()) => published.done += 1,
            Err(error) if is_survivable(&error) => {
                published.failed += 1;
                published.failed_deletions += u64::from(entry.record.action == Action::Delete);
                if let (Some(_), Some(identity)) = (entry.item, entry.record.identity) {
                    published.failed_files += 1;
                    published.failed_bytes += identity.length();
                }
                let path = &entry.record.position.path;
                publisher.reports.report(path, error);
                if let Err(error) = publisher.failed.insert(path) {
                    publisher.reports.report(path, error);
                }
            }
            Err(error) => return Err(error.path(destination.display(&entry.record.position.path))),
        }
        done.set(published.done + published.failed);
    }
    published.problems = publisher.reports.count;
    Ok(published)
}

/// Whether an error concerns one entry only, mostly since something else than the tree is at work there.
fn is_survivable(error: &Error) -> bool {
    if matches!(error.kind(), ErrorKind::Exists | ErrorKind::Mismatch) {
        return true;
    }
    error.os_code().map(Errno::from_raw_os_error).is_some_and(|error| {
        leads_nowhere(error)
            || matches!(
                error,
                Errno::ACCESS
                    | Errno::BUSY
                    | Errno::EXIST
                    | Errno::ISDIR
                    | Errno::MLINK
                    | Errno::NAMETOOLONG
                    | Errno::NOTEMPTY
                    | Errno::OPNOTSUPP
                    | Errno::PERM
                    | Errno::TXTBSY
                    | Errno::XDEV
            )
    })
}

struct Publisher<'a> {
    destination: &'a Confined,
    stage: Stage,
    directories: DirectoryStack<'a>,
    header: JournalHeader,
    /// By what that which a run before this one has staged is read.
    reread: Option<Vec<u8>>,
    step: &'a mut dyn FnMut() -> Result<()>,
    /// Where the tree is not as the level has it.
    failed: PathSet,
    reports: Reports<'a>,
}

struct Reports<'a> {
    destination: &'a Confined,
    problem: &'a mut dyn FnMut(Error),
    count: u64,
}

impl Reports<'_> {
    fn report(&mut self, path: &[u8], error: Error) {
        self.count += 1;
        (self.problem)(error.path(self.destination.display(path)));
    }
}

impl Publisher<'_> {
    fn carry_out(&mut self, entry: &Entry) -> Result<()> {
        let Entry { item, inode, record } = entry;
        let path = &record.position.path;
        let way = match record.parent {
            None if !self.header.overwrite => Way::Free,
            _ => Way::Replace,
        };
        match (record.action, *item, &record.metadata) {
            (Action::Void, None, _) => Ok(()),
            (Action::Delete, None, _) => self.delete(path, record.position.closes),
            (Action::Link, None, _) => self.link(path, record.basis_path(), way),
            (Action::Full, None, Some(metadata)) if metadata.kind == EntryKind::Directory => {
                self.make_directory(path, way)
            }
            (Action::Metadata, None, Some(metadata)) => self.dress(path, metadata, record, *inode),
            (_, Some(item), Some(metadata)) if metadata.kind != EntryKind::Directory => {
                self.check_staged(item, record)?;
                self.place(path, item, way, metadata, *inode)
            }
            _ => Err(Error::new(ErrorKind::Internal, "journal has a record that nothing is staged for")),
        }
    }

    /// What has been kept since it was verified is still that.
    fn check_staged(&mut self, item: StageId, record: &Record) -> Result<()> {
        let (Some(expected), Some(buffer)) = (record.identity, &mut self.reread) else { return Ok(()) };
        if !self.stage.holds(item)? {
            return Ok(());
        }
        let mut staged = self.stage.open(item)?;
        let mismatch = |what: String| Error::new(ErrorKind::Mismatch, what).doing("publishing");
        match identify(&mut staged, self.header.leaf_len, 1, buffer, |_| (self.step)()) {
            Ok(found) if found == expected => Ok(()),
            Ok(found) => Err(mismatch("what was staged is not what was verified then".to_owned())
                .expected(expected.fingerprint(), found.fingerprint())),
            // A bad sector must not keep all others from their places, whoever tries.
            Err(error) if error.kind() == ErrorKind::Io => {
                Err(mismatch(format!("what was staged cannot be read any more: {error}")))
            }
            Err(error) => Err(error),
        }
    }

    /// Moves an item of the stage to its place. One that is to be locked there is known by its inode: a run
    /// before this one may have moved it, and somebody has put something else into its place.
    fn place(
        &mut self,
        path: &[u8],
        item: StageId,
        way: Way,
        metadata: &Metadata,
        inode: Option<(u64, u64)>,
    ) -> Result<()> {
        let (parent, name) = path::split(path);
        let directory = enter(&mut self.directories, &self.header, &mut self.reports, parent)?;
        let (shard, staged) = self.stage.place(item)?;
        let moved = move_to(self.step, (shard, staged.as_bytes()), (directory, name), way);
        if let Err(error) = moved {
            // It is not in the stage: a run before this one moved it.
            let may_be_moved =
                error.os_code() == Some(Errno::NOENT.raw_os_error()) || error.kind() == ErrorKind::Exists;
            if !may_be_moved || self.stage.holds(item)? {
                return Err(error);
            }
            match statat(directory, name, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(_) => {}
                Err(Errno::NOENT) => {
                    let what = "is neither in its place nor in the stage, where it was";
                    return Err(Error::new(ErrorKind::Mismatch, what).doing("publishing"));
                }
                Err(errno) => return Err(Error::io("examining", errno.into())),
            }
        }
        if let (true, Some(inode)) = (is_locked(metadata), inode)
            && let Some(error) = lock(&pin_same((directory, name), inode, metadata)?, metadata)
        {
            self.reports.report(path, error);
        }
        Ok(())
    }

    /// Gives the entry at `basis` one more name, by way of the stage, so that it replaces what is there.
    fn link(&mut self, path: &[u8], basis: &[u8], way: Way) -> Result<()> {
        if self.failed.contains(basis) {
            let what = "is one more name of an entry that could not be put in its place";
            return Err(Error::new(ErrorKind::Mismatch, what).doing("publishing"));
        }
        let (parent, name) = path::split(path);
        let directory = enter(&mut self.directories, &self.header, &mut self.reports, parent)?;
        let stage = self.stage.link_directory();
        let failed = |error: Errno| Error::io("linking", error.into());
        let mut bases = DirectoryStack::new(self.destination).map_err(failed)?;
        let (basis_parent, basis_name) = path::split(basis);
        let basis_directory = bases.enter(basis_parent)?;
        let link = || match linkat(basis_directory, basis_name, stage, LINK, AtFlags::empty()) {
            Err(Errno::EXIST) => {
                unlinkat(stage, LINK, AtFlags::empty())?;
                linkat(basis_directory, basis_name, stage, LINK, AtFlags::empty())
            }
            linked => linked,
        };
        (self.step)()?;
        let mut locks = None;
        match link() {
            Err(Errno::PERM) => {
                let entry = Pinned::at(basis_directory, basis_name).map_err(failed)?;
                let flags = unlock(&entry).map_err(failed)?;
                let linked = link();
                locks = (!flags.is_empty()).then_some((entry, flags));
                linked.map_err(failed)
            }
            linked => linked.map_err(failed),
        }
        .and_then(|()| match move_to(self.step, (stage, LINK), (directory, name), way) {
            // A run before this one has put it there.
            Err(error) if error.kind() == ErrorKind::Exists && is_same((stage, LINK), (directory, name)) => Ok(()),
            moved => moved,
        })
        .and_then(|()| match unlinkat(stage, LINK, AtFlags::empty()) {
            // A rename between two names of one file does nothing, and leaves both.
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(failed(error)),
        })
        .and(locks.map_or(Ok(IFlags::empty()), |(entry, flags)| set_flags(&entry, flags, LOCKS)).map_err(failed))
        .map(drop)
    }

    /// Makes a directory that only its owner may open; the record that closes it gives it the rest.
    fn make_directory(&mut self, path: &[u8], way: Way) -> Result<()> {
        if path.is_empty() {
            return Ok(());
        }
        let (parent, name) = path::split(path);
        let directory = enter(&mut self.directories, &self.header, &mut self.reports, parent)?;
        let make = || unlocking(directory, &[b""], || mkdirat(directory, name, Mode::RWXU));
        let failed = |error: Errno| Error::io("making the directory", error.into());
        (self.step)()?;
        match make() {
            Err(Errno::EXIST) => {
                let there = statat(directory, name, AtFlags::SYMLINK_NOFOLLOW).map_err(failed)?;
                if FileType::from_raw_mode(there.st_mode) != FileType::Directory {
                    if way == Way::Free {
                        return Err(in_the_way());
                    }
                    (self.step)()?;
                    remove(directory, name, AtFlags::empty())?;
                    (self.step)()?;
                    make().map_err(failed)?;
                }
            }
            made => made.map_err(failed)?,
        }
        // Before anything goes into it: what is durable in a directory that is not has left the stage for nowhere.
        if self.header.sync == SyncMode::File { flush(&Pinned::at(directory, b"").map_err(failed)?) } else { Ok(()) }
    }

    /// Gives what is there its metadata, in place.
    fn dress(&mut self, path: &[u8], metadata: &Metadata, record: &Record, inode: Option<(u64, u64)>) -> Result<()> {
        let (parent, name) = path::split(path);
        if path.is_empty() {
            self.directories.settle();
        }
        let directory = self.directories.enter(parent)?;
        (self.step)()?;
        let policy = self.header.policy;
        let entry = match inode {
            Some(inode) => pin_same((directory, name), inode, metadata)?,
            None => pin(directory, name, metadata)?,
        };
        let problems = dress(&entry, metadata, &record.attributes, policy)?;
        (self.step)()?;
        let locked = lock(&entry, metadata);
        for problem in problems.into_iter().chain(locked) {
            self.reports.report(path, problem);
        }
        // Every directory whose names changed is closed by such a record, which makes them durable.
        if self.header.sync == SyncMode::File {
            flush(&entry)?;
        }
        if path.is_empty() {
            let renewed = self.directories.renew();
            renewed.map_err(|error| Error::io("looking at the destination", error.into()))?;
        }
        Ok(())
    }

    fn delete(&mut self, path: &[u8], is_directory: bool) -> Result<()> {
        let (parent, name) = path::split(path);
        let directory = match self.directories.enter_to_change(parent, None) {
            // A run before this one deleted the directory too, or put something else in its place.
            Err(error) if error.os_code().map(Errno::from_raw_os_error).is_some_and(leads_nowhere) => return Ok(()),
            directory => directory?,
        };
        (self.step)()?;
        remove(directory, name, if is_directory { AtFlags::REMOVEDIR } else { AtFlags::empty() })
    }
}

/// Goes to a directory in which a name will change, which is made if the journal allows that.
fn enter<'s>(
    directories: &'s mut DirectoryStack<'_>,
    header: &JournalHeader,
    reports: &mut Reports<'_>,
    directory: &[u8],
) -> Result<BorrowedFd<'s>> {
    let mut made = |path: &[u8]| {
        let what = "directory was missing and has been made, open to its owner only";
        reports.report(path, Error::new(ErrorKind::Mismatch, what).doing("publishing"));
    };
    directories.enter_to_change(directory, if header.make_parents { Some(&mut made) } else { None })
}
