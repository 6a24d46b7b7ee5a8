//! Hard links: which names are names of one file.

use std::collections::HashMap;
use std::mem::size_of;

use crate::tree::snapshot::SnapshotRecord;

/// What is kept of a file with several names until all of them were met.
#[derive(Clone, Debug)]
pub(super) struct Leader {
    /// The record of the name that was met first; the others are links to it.
    pub(super) record: SnapshotRecord,
    /// Whether this level says anything of it, so that its other names have to be linked anew.
    pub(super) sent: bool,
    /// Whether it is in this archive whole, so that a tar's hard link can lead to it.
    pub(super) full: bool,
    /// Names that were not met yet.
    left: u64,
}

/// The groups of names that are not complete: the one thing whose memory grows with a tree, so it has a
/// limit.
pub(super) struct Links {
    groups: HashMap<(u64, u64), Leader>,
    bytes: u64,
    limit: u64,
}

/// What became of a file that has other names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kept {
    Yes,
    /// The limit is reached: its other names will be files of their own.
    No,
}

impl Links {
    pub(super) fn new(limit: u64) -> Self {
        Self { groups: HashMap::new(), bytes: 0, limit }
    }

    /// The file that this inode was met as; after its last name it is forgotten.
    pub(super) fn meet(&mut self, device: u64, inode: u64) -> Option<Leader> {
        let leader = self.groups.get_mut(&(device, inode))?;
        leader.left = leader.left.saturating_sub(1);
        let met = leader.clone();
        if met.left == 0 {
            self.groups.remove(&(device, inode));
            self.bytes -= cost(&met.record);
        }
        Some(met)
    }

    /// Remembers a file of which `names` exist, one of which is this.
    pub(super) fn lead(&mut self, names: u64, record: &SnapshotRecord, sent: bool, full: bool) -> Kept {
        let cost = cost(record);
        if self.bytes + cost > self.limit {
            return Kept::No;
        }
        self.bytes += cost;
        let leader = Leader { record: record.clone(), sent, full, left: names - 1 };
        self.groups.insert((record.evidence.device, record.evidence.inode), leader);
        Kept::Yes
    }
}

fn cost(record: &SnapshotRecord) -> u64 {
    let metadata = &record.metadata;
    let texts = record.path.len() + metadata.user.len() + metadata.group.len() + metadata.target.len();
    (texts + size_of::<Leader>() + 3 * size_of::<u64>()) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::metadata::{EntryKind, Evidence, Metadata, Moment};
    use crate::tree::snapshot::Mark;

    fn record(inode: u64) -> SnapshotRecord {
        SnapshotRecord {
            path: b"first".to_vec(),
            metadata: Metadata {
                kind: EntryKind::Fifo,
                mode: 0,
                uid: 0,
                gid: 0,
                user: Vec::new(),
                group: Vec::new(),
                size: 0,
                modified: Moment::default(),
                flags: 0,
                device: (0, 0),
                target: Vec::new(),
            },
            evidence: Evidence { inode, ..Evidence::default() },
            attributes: None,
            identity: None,
            link: None,
            mark: Mark::default(),
        }
    }

    #[test]
    fn a_group_is_forgotten_after_its_last_name() {
        let mut links = Links::new(1 << 20);
        assert!(links.meet(0, 5).is_none());
        assert_eq!(links.lead(3, &record(5), true, false), Kept::Yes);
        assert!(links.meet(0, 5).is_some_and(|leader| leader.sent));
        assert!(links.meet(0, 5).is_some());
        assert!(links.meet(0, 5).is_none());
        assert_eq!(links.bytes, 0);
    }

    #[test]
    fn the_limit_is_kept() {
        let mut links = Links::new(2 * cost(&record(0)));
        let kept: Vec<_> = (0..3).map(|inode| links.lead(2, &record(inode), true, false)).collect();
        assert_eq!(kept, [Kept::Yes, Kept::Yes, Kept::No]);
    }
}
