//! The pull form of a backup, and the whole form.

use std::fs::Permissions;
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::machine::Machine;
use super::previous::Previous;
use super::start::{level_header, read_ahead};
use super::{BackupOptions, BackupSummary};
use crate::publish::Publish;
use crate::tree::level_id::LevelHeader;
use crate::tree::snapshot::SnapshotFile;
use crate::tree::walk::{Visits, WalkOptions};
use crate::write_behind::{Making, write_behind};
use crate::{Error, ErrorKind, Result};

/// The level before, by its snapshot.
#[derive(Default)]
#[non_exhaustive]
pub enum Since {
    /// There is none: this is level 0.
    #[default]
    Nothing,
    /// A snapshot in a file, which is read once to check it and once for the level; what was renamed is
    /// recognised in it.
    File(PathBuf),
    /// A snapshot as it comes. It is read in order, so that what was renamed is sent again.
    Stream(Box<dyn Read + Send>),
}

impl Since {
    pub(super) fn open(self, threads: usize) -> Result<Option<Previous>> {
        match self {
            Self::Nothing => Ok(None),
            Self::File(path) => {
                let file = SnapshotFile::open(&path, threads)?;
                Previous::of_file(file, threads).map(Some)
            }
            Self::Stream(source) => {
                Previous::of_stream(source, threads).map(Some).map_err(|error| error.doing("reading the snapshot"))
            }
        }
    }
}

impl From<Option<&Path>> for Since {
    fn from(path: Option<&Path>) -> Self {
        path.map_or(Self::Nothing, |path| Self::File(path.to_owned()))
    }
}

/// Walks a tree once and is the archive of its level; writes the new snapshot on the way.
///
/// Reading gives the archive; when it has ended, [`BackupReader::finish`] closes the snapshot. Dropped
/// before that, the snapshot has no trailer, and no level can be made against it by mistake.
///
/// What cannot be read, or changes while it is read, is told to the observer and counted, and the backup
/// goes on. What an error ends stays ended. It can be sent between threads; each read works on it alone.
///
/// With more than one [thread](BackupOptions::threads), where the process may have them and files enough open, one
/// walks ahead, by some thousand entries at most, and one more reads small files, by a few megabytes of content at most:
/// those that changed after all that the level before has seen, where that is a file and change times are not ignored.
/// They live until the tree is walked or this is dropped. A process that is forked in between cannot go on with it.
pub struct BackupReader {
    machine: Machine,
    output_read: usize,
}

impl BackupReader {
    /// Prepares to back up what is at `root`, a directory or a single file, against the level before;
    /// `snapshot` is given the new one.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](ErrorKind::InvalidInput) when the options do not go together,
    /// [`Io`](ErrorKind::Io) when the root cannot be read, and what is wrong with the snapshot of the
    /// level before.
    pub fn new(
        root: impl AsRef<Path>,
        since: impl Into<Since>,
        snapshot: impl Write + Send + 'static,
        options: BackupOptions,
    ) -> Result<Self> {
        let previous = since.into().open(options.thread_count())?;
        let header = level_header(previous.as_ref().map(Previous::header), &options)?;
        let read_ahead = read_ahead(&header, previous.as_ref(), &options);
        let walk_options = WalkOptions { selection: options.selection.clone(), dereference: options.dereference };
        let walk = Visits::new(root.as_ref(), walk_options, options.thread_count(), read_ahead)?;
        let machine = Machine::new(root.as_ref().to_owned(), walk, header, previous, Box::new(snapshot), options)?;
        Ok(Self { machine, output_read: 0 })
    }

    /// Which level this is.
    pub fn header(&self) -> &LevelHeader {
        &self.machine.header
    }

    /// Writes the whole archive to `archive`, flushes it, closes the snapshot and says what was done.
    ///
    /// It does what [`io::copy`] and [`BackupReader::finish`] do, and faster: where more than one
    /// [thread](BackupOptions::threads) is allowed, one more writes to `archive` while the tree is read on. All but the
    /// last of its pieces are at least 256 KiB long. What was read before is not written.
    ///
    /// # Errors
    ///
    /// Whatever ends the backup and `archive` raises, the first in the order of the archive; what comes before the end
    /// of the backup is written.
    pub fn write_to(mut self, mut archive: impl Write + Send) -> Result<BackupSummary> {
        self.write_archive(&mut archive)?;
        self.finish()
    }

    fn write_archive(&mut self, archive: &mut (impl Write + Send)) -> io::Result<()> {
        let mut read = std::mem::take(&mut self.output_read);
        let write = |piece: &mut Vec<u8>| archive.write_all(&piece[std::mem::take(&mut read)..]);
        write_behind(self.machine.options.thread_count(), &mut self.machine, write)?;
        archive.flush()
    }

    /// Closes the snapshot and says what was done, after the archive was read to its end.
    ///
    /// # Errors
    ///
    /// [`State`](ErrorKind::State) when it was not, and whatever the snapshot's sink raises.
    pub fn finish(mut self) -> Result<BackupSummary> {
        if self.output_read == self.machine.outlet.output().len() {
            self.machine.outlet.clear_output();
        }
        self.machine.finish()
    }
}

impl Making for Machine {
    type Piece = Vec<u8>;

    fn advance(&mut self) -> io::Result<()> {
        Ok(self.step()?)
    }

    fn is_ended(&self) -> bool {
        Self::is_ended(self)
    }

    fn ready_len(&self) -> usize {
        self.outlet.output().len()
    }

    fn take(&mut self, piece: &mut Vec<u8>) {
        self.outlet.take_output(piece);
    }
}

impl Read for BackupReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            let ready = &self.machine.outlet.output()[self.output_read..];
            if !ready.is_empty() {
                let len = ready.len().min(buffer.len());
                buffer[..len].copy_from_slice(&ready[..len]);
                self.output_read += len;
                return Ok(len);
            }
            self.machine.outlet.clear_output();
            self.output_read = 0;
            if self.machine.is_ended() {
                return Ok(0);
            }
            self.machine.step()?;
        }
    }
}

/// Backs up the tree at `root` against the snapshot `since`, writes the archive to `archive` and
/// publishes the new snapshot, which appears whole or not at all and after the archive was taken.
///
/// # Errors
///
/// As [`BackupReader::new`], and whatever the archive's sink raises;
/// [`Exists`](ErrorKind::Exists) when there is something at `snapshot` already.
///
/// # Examples
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let dir = tempfile::tempdir()?; let at = |name: &str| dir.path().join(name);
/// use std::fs::{File, create_dir, write};
///
/// use frazil::{BackupOptions, RestoreOptions, backup_tree, restore_tree};
///
/// create_dir(at("home"))?;
/// write(at("home/letter"), "Dear reader")?;
/// backup_tree(at("home"), None, at("snapshot.0"), File::create(at("archive.0"))?, BackupOptions::new())?;
/// write(at("home/letter"), "Dear readers")?;
/// let since = at("snapshot.0");
/// backup_tree(at("home"), Some(&*since), at("snapshot.1"), File::create(at("archive.1"))?, BackupOptions::new())?;
///
/// restore_tree(File::open(at("archive.0"))?, at("restored"), RestoreOptions::new())?; // level 0, then 1
/// restore_tree(File::open(at("archive.1"))?, at("restored"), RestoreOptions::new())?;
/// assert_eq!(std::fs::read(at("restored/letter"))?, b"Dear readers");
/// # Ok(()) }
/// ```
pub fn backup_tree(
    root: impl AsRef<Path>,
    since: impl Into<Since>,
    snapshot: impl AsRef<Path>,
    mut archive: impl Write,
    options: BackupOptions,
) -> Result<BackupSummary> {
    let root = root.as_ref();
    let (mut backup, snapshot) = open_backup(root, since.into(), snapshot.as_ref(), options)?;
    io::copy(&mut backup, &mut archive).map_err(|error| Error::io("backing up", error).path(root))?;
    archive.flush().map_err(|error| Error::io("writing the archive", error))?;
    let summary = backup.finish()?;
    snapshot.commit()?;
    Ok(summary)
}

/// As [`backup_tree`], and publishes the archive as the new file `archive`: both it and the snapshot appear
/// whole or not at all, the archive first.
///
/// # Errors
///
/// As [`backup_tree`]; [`Exists`](ErrorKind::Exists) when there is something at `archive` already, and
/// [`InvalidInput`](ErrorKind::InvalidInput) when `snapshot` is the same place.
pub fn backup_tree_file(
    root: impl AsRef<Path>,
    since: impl Into<Since>,
    snapshot: impl AsRef<Path>,
    archive: impl AsRef<Path>,
    options: BackupOptions,
) -> Result<BackupSummary> {
    let (snapshot, archive) = (snapshot.as_ref(), archive.as_ref());
    if Publish::is_same_place(archive, snapshot) {
        let what = format!("the snapshot {} would be the same file", snapshot.display());
        return Err(Error::new(ErrorKind::InvalidInput, what).doing("writing the archive").path(archive));
    }
    let mut publish = Publish::new(archive, false)?;
    let mut sink = publish.file().try_clone().map_err(|error| Error::io("opening the archive", error))?;
    let options = options.leave_out(&sink)?;
    let root = root.as_ref();
    let (mut backup, snapshot) = open_backup(root, since.into(), snapshot, options)?;
    backup.write_archive(&mut sink).map_err(|error| Error::io("backing up", error).path(root))?;
    let summary = backup.finish()?;
    publish.commit_before(snapshot)?;
    Ok(summary)
}

/// Opens a backup with a snapshot that is to be published once the archive is where it is to stay.
pub(crate) fn open_backup(
    root: &Path,
    since: Since,
    snapshot: &Path,
    options: BackupOptions,
) -> Result<(BackupReader, Publish)> {
    let mut publish = Publish::new(snapshot, false)?;
    let opening = |error| Error::io("opening the snapshot", error).path(snapshot);
    // It lets those who have it recognise content that they can guess.
    publish.file().set_permissions(Permissions::from_mode(0o600)).map_err(opening)?;
    let sink = publish.file().try_clone().map_err(opening)?;
    let options = options.leave_out(&sink)?;
    Ok((BackupReader::new(root, since, sink, options)?, publish))
}
