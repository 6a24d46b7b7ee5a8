//! Files that are not restored, of which something selected may be a further name.

use std::collections::HashMap;
use std::mem::size_of;

use super::incoming::Incoming;
use crate::Identity;
use crate::tree::metadata::{Attributes, Metadata};
use crate::tree::record::{Action, Parent, Record};

/// What may be kept of them: their number grows with the level, and which of them has a further name is only known
/// when that comes. A further name of one that was not kept is left out like that of any other.
const BYTES_MAX: usize = 16 << 20;

struct Leader {
    metadata: Metadata,
    attributes: Attributes,
    identity: Identity,
    /// Its first further name that is restored: the others are names of that.
    stand_in: Option<Vec<u8>>,
}

/// Such files of a level, by their paths in it.
#[derive(Default)]
pub(super) struct Leaders {
    files: HashMap<Vec<u8>, Leader>,
    bytes: usize,
}

impl Leaders {
    fn insert(&mut self, record: &Record) {
        let (Some(metadata), Some(identity)) = (&record.metadata, record.identity) else { return };
        let attributes = record.attributes.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>();
        let names = metadata.user.len() + metadata.group.len();
        let path = record.position.path.clone();
        self.bytes += path.len() + attributes + names + size_of::<(Vec<u8>, Leader)>();
        if self.bytes <= BYTES_MAX {
            let (metadata, attributes) = (metadata.clone(), record.attributes.clone());
            self.files.insert(path, Leader { metadata, attributes, identity, stand_in: None });
        }
    }
}

impl Incoming<'_> {
    /// Keeps what is said of a file that is not restored. At level 0 there is nothing that could have its content.
    pub(super) fn lead_with(&mut self, record: &Record) {
        let has_parent = self.summary.as_ref().is_some_and(|summary| summary.header.parent.is_some());
        if has_parent && !self.mapping.paths().is_empty() {
            self.leaders.insert(record);
        }
    }

    /// What there is to be done for a further name: where it is one of a file that is not restored, but has the
    /// content of that since the parent level, it takes the metadata; and those after it are names of it.
    pub(super) fn stand_in(&mut self, record: Record) -> Record {
        if record.action != Action::Link || !self.lacks_leader(record.basis_path()) {
            return record;
        }
        let Some(leader) = self.leaders.files.get_mut(record.basis_path()) else { return record };
        if let Some(stand_in) = &leader.stand_in {
            return Record { basis: Some(stand_in.clone()), ..record };
        }
        let (length, digest) = (leader.identity.length(), leader.identity.fingerprint().digest());
        let has_it = |parent: Parent| parent.size == length && parent.digest.as_ref() == Some(digest);
        if record.position.closes || !record.parent.is_some_and(has_it) {
            return record;
        }
        leader.stand_in = Some(record.position.path.clone());
        Record {
            action: Action::Metadata,
            metadata: Some(leader.metadata.clone()),
            attributes: leader.attributes.clone(),
            identity: Some(leader.identity),
            basis: None,
            ..record
        }
    }

    /// Whether the file at a path of this level is not restored, so that nothing is made a further name of it.
    pub(super) fn lacks_leader(&self, path: &[u8]) -> bool {
        self.mapping.place_selected(path).is_none() || self.left_out.contains(path)
    }
}
