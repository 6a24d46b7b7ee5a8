//! What an archive says of its level, entry by entry, without the level before it.

use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;

use super::archive::{ArchiveTotals, Intake, IntakeOptions, take_in};
use super::identify::identify;
use super::level_id::LevelHeader;
use super::metadata::Metadata;
use super::path;
use super::record::{Action, Record};
use crate::memory::zeroed;
use crate::observer::{Observer, Progress, Watch};
use crate::{Error, ErrorKind, Fingerprint, Identity, Result};

/// What an archive says of one entry.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ArchiveEntry {
    /// Where in the tree it is; the root is `.`.
    pub path: PathBuf,
    /// How it comes to be what it is.
    pub action: Action,
    /// Whether a directory closes here: its metadata is that of the directory with all that is in it.
    pub closes: bool,
    /// What it is now; `None` for what is gone and for further names.
    pub metadata: Option<Metadata>,
    /// The content of a regular file. A delta's is claimed, not proven: only a restore shows.
    pub fingerprint: Option<Fingerprint>,
    /// Whether it changed while it was read.
    pub dirty: bool,
    /// Where in the level before its content is from, or which entry of this level it is a further name of.
    pub from: Option<PathBuf>,
}

impl ArchiveEntry {
    pub(in crate::tree) fn of(record: Record) -> Self {
        let from = match record.action {
            Action::Delta | Action::Copy => Some(path::to_os(record.basis_path())),
            _ => record.basis.as_deref().map(path::to_os),
        };
        Self {
            path: path::to_os(&record.position.path),
            action: record.action,
            closes: record.position.closes,
            metadata: record.metadata,
            fingerprint: record.identity.map(|identity| *identity.fingerprint()),
            dirty: record.dirty,
            from,
        }
    }
}

/// What an archive is as a whole.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ArchiveSummary {
    /// Which level of which chain it is.
    pub header: LevelHeader,
    /// What its trailer says of it.
    pub totals: ArchiveTotals,
}

/// Reads an archive to its end, verifies all that can be without the level before, and gives every entry
/// to `each`.
///
/// Verified are the framing, every digest and the order, the content of what is there whole against its
/// identity, and the commands of deltas against the bounds of their basis. What a delta makes is claimed,
/// not proven.
///
/// # Errors
///
/// What is wrong with the archive ([`Corrupt`](ErrorKind::Corrupt), [`Truncated`](ErrorKind::Truncated),
/// [`Mismatch`](ErrorKind::Mismatch), [`Unsupported`](ErrorKind::Unsupported)), and whatever the source or
/// `each` raises. What was given to `each` before is provisional until the end.
///
/// # Examples
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let dir = tempfile::tempdir()?; let at = |name: &str| dir.path().join(name);
/// # std::fs::create_dir(at("home"))?; std::fs::write(at("home/letter"), "Dear reader")?;
/// let mut archive = Vec::new();
/// frazil::backup_tree(at("home"), None, at("snapshot"), &mut archive, frazil::BackupOptions::new())?;
///
/// let mut paths = Vec::new();
/// let summary = frazil::list_archive(&archive[..], |entry| Ok(paths.push(entry.path)))?;
/// assert_eq!(summary.header.number, 0);
/// assert!(paths.contains(&"letter".into()));
/// # Ok(()) }
/// ```
pub fn list_archive(archive: impl Read, each: impl FnMut(ArchiveEntry) -> Result<()>) -> Result<ArchiveSummary> {
    list(archive, each, Watch::default())
}

/// As [`list_archive`], followed by an observer.
///
/// # Errors
///
/// As [`list_archive`], and [`Cancelled`](ErrorKind::Cancelled).
pub fn verify_archive(archive: impl Read, observer: Option<Arc<dyn Observer>>) -> Result<ArchiveSummary> {
    list(archive, |_| Ok(()), observer.map_or_else(Watch::default, Watch::new))
}

/// Reads which level of which chain an archive is, and nothing more of it.
///
/// # Errors
///
/// As [`list_archive`], for as far as it is read.
pub fn archive_header(archive: impl Read) -> Result<LevelHeader> {
    let mut found = None;
    let begun = |header| {
        found = Some(header);
        Err(Error::new(ErrorKind::Cancelled, "the header is enough"))
    };
    let mut listing = Listing::new(|_| Ok(()), Watch::default())?.telling(begun);
    let taken = take_in(archive, &mut listing, IntakeOptions::default());
    drop(listing);
    match (found, taken) {
        (Some(header), _) => Ok(header),
        (None, taken) => taken.map(|taken| taken.header).map_err(in_archive),
    }
}

/// Says that it is an archive that was read.
pub(super) fn in_archive(error: Error) -> Error {
    let doing = if error.file().is_some() { "reading in an archive the entry" } else { "reading an archive" };
    error.doing(doing)
}

fn list(archive: impl Read, mut each: impl FnMut(ArchiveEntry) -> Result<()>, watch: Watch) -> Result<ArchiveSummary> {
    let mut listing = Listing::new(|record| each(ArchiveEntry::of(record)), watch)?;
    let taken = take_in(archive, &mut listing, IntakeOptions::default()).map_err(|error| match error.kind() {
        ErrorKind::Io => error,
        _ => in_archive(error),
    })?;
    listing.watch.step(listing.progress)?;
    Ok(ArchiveSummary { header: taken.header, totals: taken.totals })
}

/// Verifies content and hands on records.
pub(super) struct Listing<'a, F> {
    each: F,
    /// Told of the header.
    begun: Box<dyn FnMut(LevelHeader) -> Result<()> + 'a>,
    watch: Watch,
    leaf_len: u32,
    progress: Progress,
    buffer: Vec<u8>,
}

impl<'a, F: FnMut(Record) -> Result<()>> Listing<'a, F> {
    pub(super) fn new(each: F, watch: Watch) -> Result<Self> {
        Ok(Self {
            each,
            begun: Box::new(|_| Ok(())),
            watch,
            leaf_len: 0,
            progress: Progress::default(),
            buffer: zeroed(256 * 1024)?,
        })
    }

    /// Has `begun` told of the header before anything else.
    pub(super) fn telling(self, begun: impl FnMut(LevelHeader) -> Result<()> + 'a) -> Self {
        Self { begun: Box::new(begun), ..self }
    }

    fn moved(&mut self, bytes: usize) -> Result<()> {
        self.progress.done_bytes += bytes as u64;
        self.progress.stream_bytes += bytes as u64;
        self.watch.step(self.progress)
    }
}

impl<F: FnMut(Record) -> Result<()>> Intake for Listing<'_, F> {
    type Made = ();

    fn begin(&mut self, header: &LevelHeader) -> Result<()> {
        self.leaf_len = header.block_len;
        (self.begun)(*header)
    }

    fn file(&mut self, _: &[u8], _: u64, body: &mut dyn Read) -> Result<((), Identity)> {
        let mut buffer = std::mem::take(&mut self.buffer);
        let identity = identify(body, self.leaf_len, 1, &mut buffer, |len| self.moved(len));
        self.buffer = buffer;
        Ok(((), identity?))
    }

    fn delta(&mut self, path: &[u8], delta: &mut dyn Read) -> Result<((), Identity)> {
        let inspection = crate::inspect(delta)?;
        self.moved(usize::try_from(inspection.stream_bytes).unwrap_or(usize::MAX))?;
        match (inspection.damage, inspection.identity) {
            (Some(damage), _) => Err(damage.of_entry(path::to_os(path))),
            (None, Some(identity)) => Ok(((), identity)),
            (None, None) => {
                Err(Error::new(ErrorKind::Corrupt, "delta of an archive is not sealed").path(path::to_os(path)))
            }
        }
    }

    fn record(&mut self, record: Record, _: Option<()>) -> Result<()> {
        self.progress.entries += 1;
        (self.each)(record)
    }

    fn discard(&mut self, (): ()) -> Result<()> {
        Ok(())
    }

    fn problem(&mut self, problem: Error) {
        self.watch.problem(&problem);
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;
    use crate::{BackupOptions, backup_tree};

    #[test]
    fn a_failure_that_each_raises_comes_out_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        std::fs::create_dir(at("home")).unwrap();
        std::fs::write(at("home/letter"), "Dear reader").unwrap();
        let mut archive = Vec::new();
        backup_tree(at("home"), None, at("snapshot"), &mut archive, BackupOptions::new()).unwrap();

        // The content of the letter waits for its record when the record of the root is refused.
        let refused = list_archive(&archive[..], |_| Err(io::Error::other("no room for a list").into())).unwrap_err();
        assert_eq!((refused.kind(), refused.is_raised()), (ErrorKind::Io, true), "{refused}");
    }
}
