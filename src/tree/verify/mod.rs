//! Holding a tree against the archives of its levels.
//!
//! All archives are read side by side: their records come in one order, so the last word on every path is
//! known when its place in the order has passed, in memory that does not grow with the tree. The tree is
//! walked in the same order, so what no archive knows is found too.

mod compare;
mod merge;

use std::io::Read;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::Builder;

use self::compare::Comparing;
use self::merge::{Merge, Message};
use super::archive::{IntakeOptions, take_in};
use super::level_id::LevelHeader;
use super::list::{Listing, in_archive};
use super::select::Selection;
use crate::observer::{Observer, Watch};
use crate::threads::SignalsBlocked;
use crate::{Error, ErrorKind, Result};

/// Records that wait between an archive and the comparison.
const CHANNEL_LEN: usize = 256;

/// Where a tree differs from what its archives say.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Difference {
    /// Where in the tree; the root is `.`.
    pub path: PathBuf,
    /// What differs.
    pub what: DifferenceKind,
}

/// How an entry of a tree differs from what its archives say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DifferenceKind {
    /// The archives have it, the tree does not.
    Missing,
    /// The tree has it, the archives do not.
    Extra,
    /// It is another kind of entry.
    Kind,
    /// Its content is another.
    Content,
    /// Its mode is another.
    Mode,
    /// Its owner or group is another.
    Owner,
    /// Its modification time is another.
    Modified,
    /// Its extended attributes or ACLs are others.
    Attributes,
    /// Its flags are others.
    Flags,
    /// It leads elsewhere, or is another device.
    Target,
    /// It is not a further name of the file that it should be one of.
    Link,
    /// It cannot be read, all of it or what is in it, and could not be compared; the observer was told why.
    Unreadable,
}

impl std::fmt::Display for DifferenceKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Missing => "missing",
            Self::Extra => "not in the backup",
            Self::Kind => "another kind of entry",
            Self::Content => "other content",
            Self::Mode => "another mode",
            Self::Owner => "another owner",
            Self::Modified => "another modification time",
            Self::Attributes => "other extended attributes",
            Self::Flags => "other flags",
            Self::Target => "another target",
            Self::Link => "not the same file",
            Self::Unreadable => "cannot be read",
        })
    }
}

/// Options of [`verify_tree`].
#[derive(Clone, Debug, Default)]
pub struct VerifyOptions {
    pub(crate) selection: Selection,
    pub(crate) dereference: bool,
    pub(crate) watch: Watch,
}

impl VerifyOptions {
    /// The default options.
    pub fn new() -> Self {
        Self::default()
    }

    /// What was left out of the backup, and is no difference.
    pub fn selection(mut self, selection: Selection) -> Self {
        self.selection = selection;
        self
    }

    /// Whether what a symbolic link leads to was backed up in its place, as by
    /// [`BackupOptions::dereference`](crate::BackupOptions::dereference), and is compared so; off by default.
    pub fn dereference(mut self, dereference: bool) -> Self {
        self.dereference = dereference;
        self
    }

    /// Who follows the work and may stop it.
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.watch = Watch::new(observer);
        self
    }
}

/// What a verified tree is.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct VerifySummary {
    /// The last level.
    pub header: LevelHeader,
    /// Entries that were held against the tree.
    pub entries: u64,
    /// Bytes of content that were read in the tree.
    pub source_bytes: u64,
    /// How many differences were found.
    pub differences: u64,
}

/// Holds the tree at `root` against the archives of a chain, level 0 first, and gives every difference to
/// `each`; the archives are verified on the way, as [`list_archive`](crate::list_archive) does.
///
/// Content is compared by its identity and metadata in full. Names of owners are not compared, only
/// their numbers. Nothing in the tree is changed, permissions least of all: what cannot be read is a difference,
/// and the comparison goes on. It takes one thread for each archive, and memory for as many records as wait between
/// them.
///
/// # Errors
///
/// [`InvalidInput`](ErrorKind::InvalidInput) without archives, [`WrongBasis`](ErrorKind::WrongBasis) when
/// they are not one chain in order, what is wrong with an archive, and
/// [`Io`](ErrorKind::Io) when the root of the tree cannot be read or no thread can be had.
pub fn verify_tree<R: Read + Send>(
    archives: Vec<R>,
    root: impl AsRef<Path>,
    options: VerifyOptions,
    each: impl FnMut(&Difference) -> Result<()>,
) -> Result<VerifySummary> {
    if archives.is_empty() {
        return Err(Error::new(ErrorKind::InvalidInput, "no archives to verify a tree with"));
    }
    std::thread::scope(|scope| {
        let (mut receivers, mut readers) = (Vec::new(), Vec::new());
        for archive in archives {
            let (sender, receiver) = sync_channel(CHANNEL_LEN);
            receivers.push(receiver);
            let reading = move || {
                let headers = sender.clone();
                let records = sender.clone();
                // A receiver that is gone has failed, and says so itself.
                let gone = || Error::new(ErrorKind::Cancelled, "the comparison has ended");
                let each = |record| records.send(Message::Record(Box::new(record))).map_err(|_| gone());
                let begun = move |header| headers.send(Message::Header(header)).map_err(|_| gone());
                let result = Listing::new(each, Watch::default())
                    .and_then(|listing| take_in(archive, &mut listing.telling(begun), IntakeOptions::default()));
                let _ = sender.send(match result {
                    Ok(_) => Message::End,
                    Err(error) => Message::Failed(in_archive(error)),
                });
            };
            let _blocked = SignalsBlocked::new();
            let started = Builder::new().name("frazil-verify".to_owned()).spawn_scoped(scope, reading);
            readers.push(started.map_err(|error| Error::io("starting a thread", error))?);
        }
        let result = compare_merged(receivers, root.as_ref(), options, each);
        // They end by themselves, since nobody receives any more; what an archive's reader panicked with goes on here.
        for reader in readers {
            reader.join().unwrap_or_else(|panic| resume_unwind(panic));
        }
        result
    })
}

fn compare_merged(
    receivers: Vec<Receiver<Message>>,
    root: &Path,
    options: VerifyOptions,
    mut each: impl FnMut(&Difference) -> Result<()>,
) -> Result<VerifySummary> {
    let mut merge = Merge::new(receivers)?;
    let header = merge.check_chain()?;
    let mut comparing = Comparing::new(root, &header, options, &mut each)?;
    while let Some((position, level, record)) = merge.next()? {
        comparing.take(position, level, record)?;
    }
    let (entries, source_bytes, differences) = comparing.finish()?;
    Ok(VerifySummary { header, entries, source_bytes, differences })
}
