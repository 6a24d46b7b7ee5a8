//! How a level is restored.

use std::collections::HashMap;
use std::sync::Arc;

use super::SyncMode;
use crate::observer::{Observer, Watch};
use crate::tree::level_id::LevelId;
use crate::{Error, ErrorKind, PatchOptions, Result};

/// Options of the restoration of a level.
///
/// ```
/// let options = frazil::RestoreOptions::new().overwrite(true).numeric_owner(true);
/// ```
#[derive(Clone, Debug)]
pub struct RestoreOptions {
    pub(crate) overwrite: bool,
    pub(crate) assume_parent: Option<LevelId>,
    pub(crate) accept_partial: bool,
    pub(crate) keep_going: bool,
    pub(crate) privileged: bool,
    pub(crate) numeric_owner: bool,
    pub(crate) users: HashMap<u32, u32>,
    pub(crate) groups: HashMap<u32, u32>,
    pub(crate) paths: Vec<Vec<u8>>,
    pub(crate) strip: usize,
    pub(crate) prefix: Vec<u8>,
    pub(crate) dry_run: bool,
    pub(crate) sync: SyncMode,
    pub(crate) max_file_len: u64,
    pub(crate) max_output: u64,
    pub(crate) verify_parent: bool,
    pub(crate) threads: usize,
    pub(crate) watch: Watch,
}

impl Default for RestoreOptions {
    fn default() -> Self {
        Self {
            overwrite: false,
            assume_parent: None,
            accept_partial: false,
            keep_going: false,
            privileged: false,
            numeric_owner: false,
            users: HashMap::new(),
            groups: HashMap::new(),
            paths: Vec::new(),
            strip: 0,
            prefix: Vec::new(),
            dry_run: false,
            sync: SyncMode::default(),
            max_file_len: PatchOptions::DEFAULT_MAX_OUTPUT,
            max_output: u64::MAX,
            verify_parent: false,
            threads: 0,
            watch: Watch::default(),
        }
    }
}

impl RestoreOptions {
    /// The default options.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether what is in the way is replaced; off by default. A level 0 then also goes into a directory
    /// that is not empty, whatever level that stands at, this one too: what has become of its entries since is
    /// replaced. What the archive does not name is never touched. Without it, what comes into the way of
    /// a new entry while the level is staged stays and is reported, and the summary says *partial*.
    pub fn overwrite(mut self, overwrite: bool) -> Self {
        self.overwrite = overwrite;
        self
    }

    /// The level at which the destination stands, where it does not say so itself: for a tree that was
    /// restored as the end of a chain, or extracted by a tar.
    pub fn assume_parent(mut self, level: LevelId) -> Self {
        self.assume_parent = Some(level);
        self
    }

    /// Whether to go on from a level that was restored in part; off by default. An entry that lacks what it is
    /// made from, or in whose place is not what the level before had there, is then left as it is and reported,
    /// and the summary says *partial* again.
    pub fn accept_partial(mut self, accept: bool) -> Self {
        self.accept_partial = accept;
        self
    }

    /// Whether to restore what is whole of a damaged archive; off by default, when damage anywhere leaves
    /// the tree as it was. The summary then says *partial*.
    pub fn keep_going(mut self, keep_going: bool) -> Self {
        self.keep_going = keep_going;
        self
    }

    /// Whether root restores what gives power over the system: devices, set-id bits, and attributes named
    /// `trusted.*` and `security.*`. Off by default, when they are left out and reported. Anybody else can
    /// restore set-id bits on files of their own, and never the rest.
    pub fn privileged(mut self, privileged: bool) -> Self {
        self.privileged = privileged;
        self
    }

    /// Whether root restores owners by their numbers; by default by their names, and by number where this
    /// system has no such name. Anybody else's files are their own.
    pub fn numeric_owner(mut self, numeric: bool) -> Self {
        self.numeric_owner = numeric;
        self
    }

    /// Gives what belongs to the user of number `from` in the archive to the user `to`.
    pub fn map_user(mut self, from: u32, to: u32) -> Self {
        self.users.insert(from, to);
        self
    }

    /// Gives what belongs to the group of number `from` in the archive to the group `to`.
    pub fn map_group(mut self, from: u32, to: u32) -> Self {
        self.groups.insert(from, to);
        self
    }

    /// Restores this path, and what is below it, and nothing that was not selected so; `.` is the root, and a path
    /// may begin with `./` and end with a slash. All levels of a chain
    /// have to be restored with the same selection. The directories that lead to it are made as the level has
    /// them, and stay as they are where they are there, the destination among them. Where a level has something
    /// else than a directory in such a place, that is not restored, and the directory that was made goes.
    ///
    /// A path at which nothing is at the level that was restored is in [`RestoreSummary::missing`]. What is a
    /// further name, or was made from the content, of a file that is not selected is left out and reported, and
    /// the summary says *partial*: select that file too. A further name that had the same content at the level
    /// before keeps it, and is as the level has it; unless the level says much of files that are not selected: 16 MiB
    /// of that are remembered.
    ///
    /// [`RestoreSummary::missing`]: crate::RestoreSummary::missing
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] for what cannot be the path of an entry.
    pub fn path(mut self, path: impl Into<Vec<u8>>) -> Result<Self> {
        self.paths.push(checked(path.into(), "selecting the path")?);
        Ok(self)
    }

    /// Leaves out so many of the first names of each path; what has no more is not restored. All that is left
    /// has to come from one directory, so that its order stays: select that with [`RestoreOptions::path`].
    pub fn strip(mut self, names: usize) -> Self {
        self.strip = names;
        self
    }

    /// Puts everything below this path of the destination, which is made if need be.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] for what cannot be the path of an entry.
    pub fn prefix(mut self, path: impl Into<Vec<u8>>) -> Result<Self> {
        self.prefix = checked(path.into(), "putting everything below the path")?;
        Ok(self)
    }

    /// Reads and verifies everything, and changes nothing.
    pub fn dry_run(mut self, dry_run: bool) -> Self {
        self.dry_run = dry_run;
        self
    }

    /// When what was restored is flushed to the disk.
    pub fn sync(mut self, sync: SyncMode) -> Self {
        self.sync = sync;
        self
    }

    /// Bytes that one restored file may have; 1 TiB by default.
    pub fn max_file_len(mut self, bytes: u64) -> Self {
        self.max_file_len = bytes;
        self
    }

    /// Bytes that all restored files of a level may have together; no limit by default. A hole takes no room,
    /// but counts, and takes the time to be hashed.
    pub fn max_output(mut self, bytes: u64) -> Self {
        self.max_output = bytes;
        self
    }

    /// Whether the content of files that are replaced, deleted or only given other metadata is read and held
    /// against the parent level too; off by default, when their kind and size are. What content is made from
    /// is always verified.
    pub fn verify_parent(mut self, verify: bool) -> Self {
        self.verify_parent = verify;
        self
    }

    /// How many threads verify; 0, the default, for as many as there are processors.
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }

    /// Who follows the work and may stop it, until publishing begins.
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.watch = Watch::new(observer);
        self
    }
}

fn checked(path: Vec<u8>, doing: &'static str) -> Result<Vec<u8>> {
    let mut trimmed = path.strip_suffix(b"/").unwrap_or(&path);
    while let Some(rest) = trimmed.strip_prefix(b"./") {
        trimmed = rest;
    }
    let trimmed = if trimmed == b"." { Vec::new() } else { trimmed.to_vec() };
    match crate::tree::path::check(&trimmed) {
        Ok(()) => Ok(trimmed),
        Err(error) => Err(Error::new(ErrorKind::InvalidInput, error.to_string()).doing(doing)),
    }
}
