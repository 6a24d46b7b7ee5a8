//! What `stat` says of an entry.

use std::fs::File;
use std::io;

use rustix::fs::{fstat, major, minor};

use super::metadata::{EntryKind, Evidence, Metadata, Moment};

/// What `stat` says of an entry, as far as a backup asks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stat {
    /// `None` for a socket, and for what no system has today.
    pub(crate) kind: Option<EntryKind>,
    /// Permissions with set-id and sticky bits.
    pub(crate) mode: u32,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) size: u64,
    pub(crate) modified: Moment,
    /// When it was last changed in any way.
    pub(crate) changed: Moment,
    /// Which file system it is on.
    pub(crate) device: u64,
    pub(crate) inode: u64,
    pub(crate) links: u64,
    /// Major and minor number of the device that it is.
    pub(crate) special: (u32, u32),
    /// Blocks of 512 bytes that it takes: fewer than its size needs where it has holes.
    pub(crate) blocks: u64,
}

impl Stat {
    /// Of an open file.
    pub(crate) fn of(file: &File) -> io::Result<Self> {
        Ok(fstat(file)?.into())
    }

    /// Which file it is, by whatever name.
    pub(crate) fn identity(&self) -> (u64, u64) {
        (self.device, self.inode)
    }

    pub(crate) fn is(&self, kind: EntryKind) -> bool {
        self.kind == Some(kind)
    }

    pub(crate) fn evidence(&self) -> Evidence {
        Evidence { changed: self.changed, device: self.device, inode: self.inode, links: self.links }
    }

    /// The metadata as far as `stat` says it: without the names of the owners, flags, and the target of a
    /// link. `None` for what has no kind.
    pub(crate) fn metadata(&self) -> Option<Metadata> {
        let kind = self.kind?;
        Some(Metadata {
            kind,
            mode: self.mode,
            uid: self.uid,
            gid: self.gid,
            user: Vec::new(),
            group: Vec::new(),
            size: if kind == EntryKind::File { self.size } else { 0 },
            modified: self.modified,
            flags: 0,
            device: if kind.is_device() { self.special } else { (0, 0) },
            target: Vec::new(),
        })
    }
}

// The types of the system's fields differ from one architecture to the next.
#[allow(clippy::unnecessary_cast)]
impl From<rustix::fs::Stat> for Stat {
    fn from(stat: rustix::fs::Stat) -> Self {
        let moment = |seconds, nanoseconds| Moment { seconds, nanoseconds };
        Self {
            kind: EntryKind::of_mode(stat.st_mode),
            mode: stat.st_mode & 0o7777,
            uid: stat.st_uid,
            gid: stat.st_gid,
            size: stat.st_size as u64,
            modified: moment(stat.st_mtime as i64, stat.st_mtime_nsec as u32),
            changed: moment(stat.st_ctime as i64, stat.st_ctime_nsec as u32),
            device: stat.st_dev as u64,
            inode: stat.st_ino as u64,
            links: stat.st_nlink as u64,
            special: (major(stat.st_rdev), minor(stat.st_rdev)),
            blocks: stat.st_blocks as u64,
        }
    }
}
