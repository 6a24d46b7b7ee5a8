//! Why an entry is looked at: what the file system says of it now, held against what it said then.

use std::fmt;

use super::options::BackupOptions;
use crate::tree::metadata::{EntryKind, Moment};
use crate::tree::snapshot::SnapshotRecord;
use crate::tree::stat::Stat;

/// Why an entry was read, or that it is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// The level before has nothing there.
    New,
    /// The level before has another kind of entry there.
    Kind,
    /// Its size is another.
    Size,
    /// Its modification time is another.
    Modified,
    /// Its change time is another: metadata, or content whose modification time was put back.
    Changed,
    /// Its owner or mode is another.
    Owner,
    /// It is another inode.
    Inode,
    /// It is on another device.
    Device,
    /// It changed so shortly before the last level was made that a later change may not show.
    Racy,
    /// It changed while the last level was made, or could not be read then.
    Dirty,
    /// It was one more name of another file, and is no longer.
    Unlinked,
    /// It is one more name of another file.
    Link,
    /// Every file was to be read.
    Always,
    /// The walk does not meet it any more.
    Gone,
    /// Something in the directory changed.
    Content,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::New => "new",
            Self::Kind => "kind",
            Self::Size => "size",
            Self::Modified => "mtime",
            Self::Changed => "ctime",
            Self::Owner => "owner",
            Self::Inode => "inode",
            Self::Device => "device",
            Self::Racy => "racy",
            Self::Dirty => "dirty",
            Self::Unlinked => "unlinked",
            Self::Link => "link",
            Self::Always => "always",
            Self::Gone => "gone",
            Self::Content => "content",
        })
    }
}

/// Times within so much of the moment of reading may stay the same after another change: the coarsest
/// clock of a file system that is in use has steps of two seconds.
const RACY_SECONDS: i64 = 2;

/// Why an entry has to be looked at, or `None` when everything says that it is what it was.
pub(super) fn reason(before: Option<&SnapshotRecord>, now: &Stat, options: &BackupOptions) -> Option<Reason> {
    let Some(before) = before else { return Some(Reason::New) };
    let (metadata, evidence) = (&before.metadata, &before.evidence);
    if Some(metadata.kind) != now.kind {
        return Some(Reason::Kind);
    }
    if before.link.is_some() {
        return Some(Reason::Unlinked);
    }
    if before.mark.dirty || before.mark.stale {
        return Some(Reason::Dirty);
    }
    if metadata.kind == EntryKind::File && metadata.size != now.size {
        return Some(Reason::Size);
    }
    if metadata.modified != now.modified {
        return Some(Reason::Modified);
    }
    if metadata.mode != now.mode || metadata.uid != now.uid || metadata.gid != now.gid {
        return Some(Reason::Owner);
    }
    if !options.ignore_ctime && evidence.changed != now.changed {
        return Some(Reason::Changed);
    }
    if !options.ignore_inode && evidence.inode != now.inode {
        return Some(Reason::Inode);
    }
    if options.compare_device && evidence.device != now.device {
        return Some(Reason::Device);
    }
    if before.mark.racy {
        return Some(Reason::Racy);
    }
    options.always_read.then_some(Reason::Always)
}

/// Whether a change after `read` may leave these times as they are.
pub(super) fn is_racy(now: &Stat, read: Moment) -> bool {
    let recent = Moment { seconds: read.seconds - RACY_SECONDS, ..read };
    now.modified >= recent || now.changed >= recent
}
