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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::metadata::{Evidence, Metadata};
    use crate::tree::snapshot::Mark;

    const LONG_AGO: Moment = Moment { seconds: 1_000_000_000, nanoseconds: 1 };
    const LATER: Moment = Moment { seconds: 1_000_000_000, nanoseconds: 2 };
    /// As when the clock was put back.
    const EARLIER: Moment = Moment { seconds: 999_999_999, nanoseconds: 0 };

    fn before() -> SnapshotRecord {
        SnapshotRecord {
            path: b"f".to_vec(),
            metadata: Metadata {
                kind: EntryKind::File,
                mode: 0o644,
                uid: 1,
                gid: 2,
                user: Vec::new(),
                group: Vec::new(),
                size: 3,
                modified: LONG_AGO,
                flags: 0,
                device: (0, 0),
                target: Vec::new(),
            },
            evidence: Evidence { changed: LONG_AGO, device: 4, inode: 5, links: 1 },
            attributes: None,
            identity: None,
            link: None,
            mark: Mark::default(),
        }
    }

    fn now() -> Stat {
        Stat {
            kind: Some(EntryKind::File),
            mode: 0o644,
            uid: 1,
            gid: 2,
            size: 3,
            modified: LONG_AGO,
            changed: LONG_AGO,
            device: 4,
            inode: 5,
            links: 1,
            special: (0, 0),
            blocks: 8,
        }
    }

    #[test]
    fn each_piece_of_evidence_counts_unless_it_is_not_to() {
        let plain = BackupOptions::new;
        let marked = |mark| SnapshotRecord { mark, ..before() };
        let racy = marked(Mark { racy: true, ..Mark::default() });
        let dirty = marked(Mark { dirty: true, ..Mark::default() });
        let stale = marked(Mark { stale: true, ..Mark::default() });
        let link = SnapshotRecord { link: Some(b"e".to_vec()), ..before() };
        let changed = Stat { changed: LATER, ..now() };
        let moved = Stat { inode: 6, ..now() };
        let elsewhere = Stat { device: 6, ..now() };
        let table = [
            (before(), now(), plain(), None),
            (before(), Stat { kind: Some(EntryKind::Fifo), ..now() }, plain(), Some(Reason::Kind)),
            (before(), Stat { size: 4, ..now() }, plain(), Some(Reason::Size)),
            (before(), Stat { modified: LATER, ..now() }, plain(), Some(Reason::Modified)),
            (before(), Stat { modified: EARLIER, ..now() }, plain(), Some(Reason::Modified)),
            (before(), Stat { changed: EARLIER, ..now() }, plain(), Some(Reason::Changed)),
            (before(), Stat { mode: 0o600, ..now() }, plain(), Some(Reason::Owner)),
            (before(), Stat { uid: 9, ..now() }, plain(), Some(Reason::Owner)),
            (before(), Stat { gid: 9, ..now() }, plain(), Some(Reason::Owner)),
            (before(), changed, plain(), Some(Reason::Changed)),
            (before(), changed, plain().ignore_ctime(true), None),
            (before(), moved, plain(), Some(Reason::Inode)),
            (before(), moved, plain().ignore_inode(true), None),
            (before(), elsewhere, plain(), None),
            (before(), elsewhere, plain().compare_device(true), Some(Reason::Device)),
            (before(), now(), plain().always_read(true), Some(Reason::Always)),
            (racy, now(), plain(), Some(Reason::Racy)),
            (dirty, now(), plain(), Some(Reason::Dirty)),
            (stale, now(), plain(), Some(Reason::Dirty)),
            (link, now(), plain(), Some(Reason::Unlinked)),
        ];
        for (number, (before, now, options, expected)) in table.iter().enumerate() {
            assert_eq!(reason(Some(before), now, options), *expected, "line {number}");
        }
        assert_eq!(reason(None, &now(), &plain()), Some(Reason::New));
    }

    #[test]
    fn what_changed_less_than_two_seconds_before_it_was_read_is_racy() {
        let read = |seconds, nanoseconds| Moment { seconds: LONG_AGO.seconds + seconds, nanoseconds };
        for (at, racy) in [(read(0, 1), true), (read(2, 1), true), (read(2, 2), false), (read(-5, 0), true)] {
            assert_eq!(is_racy(&now(), at), racy, "{at:?}");
        }
    }
}
