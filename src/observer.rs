//! What a caller can follow of long work: progress, problems that were survived, and a way to stop.

use std::fmt;
use std::sync::Arc;

use crate::{Error, ErrorKind, Result};

/// How far an operation has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Bytes of the source (a level, a comparison) or of the result (a patch) that are done.
    pub done_bytes: u64,
    /// What `done_bytes` will be at the end, where it is known.
    pub total_bytes: Option<u64>,
    /// Bytes of the stream written (a level) or read (a patch) so far.
    pub stream_bytes: u64,
    /// Entries of a tree that are done, and counted anew while a restored level is published; 0 where there is
    /// no tree.
    pub entries: u64,
}

/// Follows an operation; every method has a default that does nothing.
///
/// The methods are called from the thread that drives the operation, about once for each mebibyte of
/// work or some hundred published entries, and once more before it is complete; they should return soon.
pub trait Observer: Send + Sync {
    /// Some work was done.
    fn progress(&self, progress: &Progress) {
        let _ = progress;
    }

    /// Something went wrong that the operation survived; its result says *partial* or *dirty*.
    fn problem(&self, problem: &Error) {
        let _ = problem;
    }

    /// Something that is worth knowing and takes nothing from the result: the work went another way, or there was
    /// nothing to be kept, as of a socket.
    fn note(&self, note: &Error) {
        let _ = note;
    }

    /// The backup of a tree has looked at an entry, or found it gone.
    #[cfg(feature = "tree")]
    fn entry(&self, entry: &crate::EntryReport<'_>) {
        let _ = entry;
    }

    /// The restore of a tree has taken in what becomes of an entry, whose path is that in the destination; what is
    /// refused is a problem, and not told of here. Nothing of it is there before the archive has proved to be whole;
    /// in a dry run, nothing will be.
    #[cfg(feature = "tree")]
    fn restoring(&self, entry: &crate::ArchiveEntry) {
        let _ = entry;
    }

    /// Whether to stop: the operation then fails with [`ErrorKind::Cancelled`] and publishes nothing.
    fn cancelled(&self) -> bool {
        false
    }
}

/// The observer of one operation, or none.
#[derive(Clone, Default)]
pub(crate) struct Watch(Option<Arc<dyn Observer>>);

impl Watch {
    pub(crate) fn new(observer: Arc<dyn Observer>) -> Self {
        Self(Some(observer))
    }

    /// Reports progress, and fails if the observer wants to stop.
    pub(crate) fn step(&self, progress: Progress) -> Result<()> {
        self.report(progress);
        self.ask(progress.done_bytes)
    }

    /// Fails if the observer wants to stop, where so many bytes are done; tells it nothing.
    pub(crate) fn ask(&self, done_bytes: u64) -> Result<()> {
        match &self.0 {
            Some(observer) if observer.cancelled() => {
                Err(Error::new(ErrorKind::Cancelled, "stopped by the observer").at(done_bytes))
            }
            _ => Ok(()),
        }
    }

    /// Reports progress of work that is better finished than stopped.
    pub(crate) fn report(&self, progress: Progress) {
        if let Some(observer) = &self.0 {
            observer.progress(&progress);
        }
    }

    #[cfg(feature = "tree")]
    pub(crate) fn entry(&self, entry: &crate::EntryReport<'_>) {
        if let Some(observer) = &self.0 {
            observer.entry(entry);
        }
    }

    /// `entry` is made for an observer alone.
    #[cfg(feature = "tree")]
    pub(crate) fn restoring(&self, entry: impl FnOnce() -> crate::ArchiveEntry) {
        if let Some(observer) = &self.0 {
            observer.restoring(&entry());
        }
    }

    pub(crate) fn problem(&self, problem: &Error) {
        if let Some(observer) = &self.0 {
            observer.problem(problem);
        }
    }

    pub(crate) fn note(&self, note: &Error) {
        if let Some(observer) = &self.0 {
            observer.note(note);
        }
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Watch(observer)" } else { "Watch(none)" })
    }
}
