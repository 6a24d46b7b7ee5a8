//! Entries of an archive that wait for their records, within bounds.

use std::collections::VecDeque;

use crate::memory::no_memory;
use crate::tree::libarchive::ReadEntry;
use crate::{Error, ErrorKind, Identity, Result};

/// More entries than this never wait for their records: a batch is closed before.
const WAITING_MAX: usize = 4096;

/// Nor do more bytes of what tar headers say: a batch is closed at a hundredth of this, but for one entry.
const WAITING_LEN: usize = 32 << 20;

/// An entry of the tree whose record has not come yet.
pub(super) struct Unclaimed<M> {
    pub(super) path: Vec<u8>,
    /// The tar entry of what is there whole; a delta's says nothing.
    pub(super) entry: Option<ReadEntry>,
    /// What was made of its content. That it could not be made is an error only when its record comes: a
    /// delta of a file that could not be read to its end breaks off, and its record says that it is void.
    pub(super) made: Option<Result<(M, Identity)>>,
}

impl<M> Unclaimed<M> {
    /// Bytes of what it holds that the archive chose.
    fn len(&self) -> usize {
        let of_entry = self.entry.as_ref().map_or(0, |entry| {
            let attributes: usize = entry.attributes.iter().map(|(name, value)| name.len() + value.len()).sum();
            let link = entry.hardlink.as_ref().map_or(0, Vec::len);
            entry.path.len() + entry.user.len() + entry.group.len() + entry.target.len() + link + attributes
        });
        self.path.len() + of_entry
    }
}

/// The entries in the order in which they came.
pub(super) struct Waiting<M> {
    entries: VecDeque<Unclaimed<M>>,
    /// Bytes of them.
    len: usize,
    /// How many came before the archive was last gone on with behind damage.
    sure: usize,
}

impl<M> Default for Waiting<M> {
    fn default() -> Self {
        Self { entries: VecDeque::new(), len: 0, sure: 0 }
    }
}

impl<M> Waiting<M> {
    /// Fails when there is no room for the entry.
    pub(super) fn check_room(&self, entry: &Unclaimed<M>) -> Result<()> {
        if self.entries.len() < WAITING_MAX && self.len + entry.len() <= WAITING_LEN {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Limit, "entries of an archive without their records")
            .expected(format_args!("at most {WAITING_MAX} with {WAITING_LEN} bytes of headers"), "more"))
    }

    pub(super) fn push(&mut self, entry: Unclaimed<M>) -> Result<()> {
        self.entries.try_reserve(1).map_err(no_memory)?;
        self.len += entry.len();
        self.entries.push_back(entry);
        Ok(())
    }

    /// Takes the first.
    pub(super) fn pop(&mut self) -> Option<Unclaimed<M>> {
        let entry = self.entries.pop_front()?;
        self.len -= entry.len();
        self.sure = self.sure.saturating_sub(1);
        Some(entry)
    }

    /// Damage was passed: what comes from now on may be of an archive that is a file of this one.
    pub(super) fn resume(&mut self) {
        self.sure = self.entries.len();
    }

    /// Takes the last of what has come since, which has proved to be of another archive.
    pub(super) fn pop_foreign(&mut self) -> Option<Unclaimed<M>> {
        if self.entries.len() <= self.sure {
            return None;
        }
        let entry = self.entries.pop_back()?;
        self.len -= entry.len();
        Some(entry)
    }

    /// Takes the last, if its content could not be read.
    pub(super) fn pop_failed(&mut self) -> Option<Unclaimed<M>> {
        let entry = self.entries.pop_back_if(|last| matches!(last.made, Some(Err(_))))?;
        self.len -= entry.len();
        Some(entry)
    }

    /// Whether the content of an entry of this path could not be read.
    pub(super) fn has_failed(&self, path: &[u8]) -> bool {
        self.entries.iter().any(|entry| entry.path == path && matches!(entry.made, Some(Err(_))))
    }

    /// How many come before that of `path`: before one with this identity if there is one, else before the last.
    pub(super) fn position(&self, path: &[u8], identity: Option<Identity>) -> Option<usize> {
        let found = |entry: &Unclaimed<M>| match &entry.made {
            Some(Ok((_, found))) => Some(*found),
            _ => None,
        };
        let of_path = |entry: &Unclaimed<M>| entry.path == path;
        let is_it = |entry: &Unclaimed<M>| of_path(entry) && found(entry) == identity;
        self.entries.iter().position(is_it).or_else(|| self.entries.iter().rposition(of_path))
    }
}
