//! What has been made and is not in its place yet.

use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, makedev};
use rustix::io::Errno;

use super::dress::inode_of;
use super::pinned::Pinned;
use super::private::{DIRECTORY, Private, STAGE};
use crate::tree::metadata::EntryKind;
use crate::{Error, ErrorKind, Result};

/// The name of a link on its way to its place.
pub(super) const LINK: &[u8] = b"link";

/// How many items share a directory, which keeps it small on every file system.
const SHARD: u64 = 4096;

/// The number of an item in the stage; numbers rise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct StageId(pub(crate) u64);

/// The items of one level, each a file, link, pipe or device, in `.frazil-restore/stage`.
#[derive(Debug)]
pub(crate) struct Stage {
    directory: OwnedFd,
    path: std::path::PathBuf,
    /// The directory of the items that were used last.
    shard: Option<(u64, OwnedFd)>,
    next: u64,
}

impl Stage {
    /// Makes an empty stage; there must be none ([`Private::drop_work`]).
    pub(crate) fn create(private: &Private) -> Result<Self> {
        rustix::fs::mkdirat(private.fd(), STAGE, Mode::RWXU)
            .map_err(|error| Error::io("making the stage", error.into()).path(private.display(STAGE)))?;
        Self::open_existing(private)
    }

    /// The stage that a journal speaks of.
    pub(crate) fn open_existing(private: &Private) -> Result<Self> {
        let path = private.display(STAGE);
        let directory = rustix::fs::openat(private.fd(), STAGE, DIRECTORY, Mode::empty())
            .map_err(|error| Error::io("opening the stage", error.into()).path(&path))?;
        Ok(Self { directory, path, shard: None, next: 0 })
    }

    /// Makes an empty file that only its owner may open, for reading and writing.
    pub(crate) fn create_file(&mut self) -> Result<(StageId, File)> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let (id, file) = self.make(|shard, name| rustix::fs::openat(shard, name, flags, Mode::RUSR | Mode::WUSR))?;
        Ok((id, file.into()))
    }

    pub(crate) fn make_symlink(&mut self, target: &[u8]) -> Result<StageId> {
        self.make(|shard, name| rustix::fs::symlinkat(target, shard, name)).map(|(id, ())| id)
    }

    pub(crate) fn make_fifo(&mut self) -> Result<StageId> {
        self.make_node(FileType::Fifo, (0, 0))
    }

    /// Makes a device, which takes root; whether it *should* be made, [`Policy::makes`] says.
    ///
    /// [`Policy::makes`]: super::Policy::makes
    pub(crate) fn make_device(&mut self, kind: EntryKind, device: (u32, u32)) -> Result<StageId> {
        match kind {
            EntryKind::CharDevice => self.make_node(FileType::CharacterDevice, device),
            EntryKind::BlockDevice => self.make_node(FileType::BlockDevice, device),
            _ => Err(Error::new(ErrorKind::Internal, "this is no kind of device").doing("staging")),
        }
    }

    fn make_node(&mut self, kind: FileType, (major, minor): (u32, u32)) -> Result<StageId> {
        let (mode, device) = (Mode::RUSR | Mode::WUSR, makedev(major, minor));
        self.make(|shard, name| rustix::fs::mknodat(shard, name, kind, mode, device)).map(|(id, ())| id)
    }

    fn make<T>(&mut self, make: impl FnOnce(BorrowedFd<'_>, &str) -> rustix::io::Result<T>) -> Result<(StageId, T)> {
        let id = StageId(self.next);
        if id.0.is_multiple_of(SHARD) {
            let made = rustix::fs::mkdirat(&self.directory, (id.0 / SHARD).to_string(), Mode::RWXU);
            made.map_err(|error| self.failed("staging", id, error))?;
        }
        let (shard, name) = self.place(id)?;
        let made = make(shard, &name).map_err(|error| self.failed("staging", id, error))?;
        self.next += 1;
        Ok((id, made))
    }

    /// Opens a staged file for reading, whatever permissions it has been given.
    pub(crate) fn open(&mut self, id: StageId) -> Result<File> {
        let (shard, name) = self.place(id)?;
        let opened = Pinned::at(shard, name.as_bytes()).and_then(|entry| match entry.kind() {
            Some(EntryKind::File) => entry.open(),
            _ => Err(Errno::INVAL),
        });
        opened.map_err(|error| self.failed("opening", id, error))
    }

    /// Where an item is: its directory, and its name there.
    pub(crate) fn place(&mut self, id: StageId) -> Result<(BorrowedFd<'_>, String)> {
        let number = id.0 / SHARD;
        if self.shard.as_ref().is_none_or(|(shard, _)| *shard != number) {
            let shard = rustix::fs::openat(&self.directory, number.to_string(), DIRECTORY, Mode::empty());
            self.shard = Some((number, shard.map_err(|error| self.failed("opening", id, error))?));
        }
        match &self.shard {
            Some((_, shard)) => Ok((shard.as_fd(), id.0.to_string())),
            None => Err(Error::new(ErrorKind::Internal, "stage lost a directory")),
        }
    }

    /// Whether an item is still here.
    pub(crate) fn holds(&mut self, id: StageId) -> Result<bool> {
        let (shard, name) = self.place(id)?;
        match rustix::fs::statat(shard, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(_) => Ok(true),
            Err(Errno::NOENT) => Ok(false),
            Err(error) => Err(self.failed("looking at", id, error)),
        }
    }

    /// Which entry an item is, by whatever name: its file system and inode.
    pub(crate) fn inode(&mut self, id: StageId) -> Result<(u64, u64)> {
        let (shard, name) = self.place(id)?;
        let found = rustix::fs::statat(shard, name, AtFlags::SYMLINK_NOFOLLOW);
        found.map(|found| inode_of(&found)).map_err(|error| self.failed("looking at", id, error))
    }

    pub(crate) fn discard(&mut self, id: StageId) -> Result<()> {
        let (shard, name) = self.place(id)?;
        match rustix::fs::unlinkat(shard, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(self.failed("removing", id, error)),
        }
    }

    /// Where links are made that then take a place by a rename.
    pub(super) fn link_directory(&self) -> BorrowedFd<'_> {
        self.directory.as_fd()
    }

    /// Makes the names of all items durable.
    pub(super) fn flush(&mut self) -> Result<()> {
        for number in 0..self.next.div_ceil(SHARD) {
            let id = StageId(number * SHARD);
            let (shard, _) = self.place(id)?;
            rustix::fs::fsync(shard).map_err(|error| self.failed("flushing", id, error))?;
        }
        rustix::fs::fsync(&self.directory).map_err(|error| Error::io("flushing", error.into()).path(&self.path))
    }

    fn failed(&self, doing: &'static str, id: StageId, error: Errno) -> Error {
        Error::io(doing, error.into()).path(self.path.join((id.0 / SHARD).to_string()).join(id.0.to_string()))
    }
}
