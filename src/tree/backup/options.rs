//! How a tree is backed up.

use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;

use crate::engine::default_threads;
use crate::observer::{Observer, Watch};
use crate::tree::level_id::LevelId;
use crate::tree::libarchive::Filter;
use crate::tree::select::Selection;
use crate::{Error, LevelOptions, Matching, Result};

/// Options of the backup of a tree.
///
/// ```
/// let options = frazil::BackupOptions::new().filter(frazil::Filter::Zstd).threads(2);
/// ```
#[derive(Clone, Debug)]
pub struct BackupOptions {
    pub(crate) filter: Filter,
    pub(crate) block_len: Option<u32>,
    pub(crate) matching: Matching,
    pub(crate) memory_limit: u64,
    pub(crate) threads: usize,
    pub(crate) selection: Selection,
    pub(crate) dereference: bool,
    pub(crate) always_read: bool,
    pub(crate) ignore_ctime: bool,
    pub(crate) ignore_inode: bool,
    pub(crate) compare_device: bool,
    pub(crate) trust_holes: bool,
    pub(crate) link_memory: u64,
    pub(crate) level_id: Option<LevelId>,
    pub(crate) created: Option<i64>,
    pub(crate) left_out: Vec<(u64, u64)>,
    pub(crate) watch: Watch,
}

impl Default for BackupOptions {
    fn default() -> Self {
        Self {
            filter: Filter::None,
            block_len: None,
            matching: Matching::Auto,
            memory_limit: LevelOptions::DEFAULT_MEMORY_LIMIT,
            threads: 0,
            selection: Selection::default(),
            dereference: false,
            always_read: false,
            ignore_ctime: false,
            ignore_inode: false,
            compare_device: false,
            trust_holes: false,
            link_memory: Self::DEFAULT_LINK_MEMORY,
            level_id: None,
            created: None,
            left_out: Vec::new(),
            watch: Watch::default(),
        }
    }
}

impl BackupOptions {
    /// 32 MiB: about 80,000 files at a time of which not all names were met.
    pub const DEFAULT_LINK_MEMORY: u64 = 32 << 20;

    /// The default options.
    pub fn new() -> Self {
        Self::default()
    }

    /// What the archive is compressed with; nothing by default. A restore finds out by itself.
    pub fn filter(mut self, filter: Filter) -> Self {
        self.filter = filter;
        self
    }

    /// Bytes in a block, 1,024 to 2^30; 64 KiB by default. A chain has one block length, so a level above 0
    /// takes that of its parent, and another is [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput).
    pub fn block_len(mut self, bytes: u32) -> Self {
        self.block_len = Some(bytes);
        self
    }

    /// Which matches are looked for in a file that changed.
    pub fn matching(mut self, matching: Matching) -> Self {
        self.matching = matching;
        self
    }

    /// Bytes of memory that the signature and the index of one changed file may take, beside 16 MiB that any level
    /// takes; 1 GiB by default. A signature of more than half of it is left in a temporary file, with an index of at
    /// most 12 bytes for each block; where that does not fit either, only aligned blocks are matched.
    pub fn memory_limit(mut self, bytes: u64) -> Self {
        self.memory_limit = bytes;
        self
    }

    /// How many threads compute, compress and read small files, and whether the walk may have one of its own that goes
    /// ahead, and the writing of the archive; 0, the default, for as many as there are processors. With 1 there is none.
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }

    /// What is left out; nothing by default.
    pub fn selection(mut self, selection: Selection) -> Self {
        self.selection = selection;
        self
    }

    /// Whether what a symbolic link leads to is backed up in its place; off by default.
    pub fn dereference(mut self, dereference: bool) -> Self {
        self.dereference = dereference;
        self
    }

    /// Whether every file is read, whatever its metadata says; off by default.
    pub fn always_read(mut self, always: bool) -> Self {
        self.always_read = always;
        self
    }

    /// Whether a file whose size, modification time, owner and mode are as before is taken for unchanged
    /// although its change time is another; off by default. A change of extended attributes alone is then
    /// not noticed, nor one of content whose modification time was put back.
    pub fn ignore_ctime(mut self, ignore: bool) -> Self {
        self.ignore_ctime = ignore;
        self
    }

    /// Whether a file may have another inode and be taken for unchanged; off by default. For file systems
    /// that give inodes anew at every mount.
    pub fn ignore_inode(mut self, ignore: bool) -> Self {
        self.ignore_inode = ignore;
        self
    }

    /// Whether a file on another device is read again; off by default, since the number of a device may be
    /// another after every start of the system.
    pub fn compare_device(mut self, compare: bool) -> Self {
        self.compare_device = compare;
        self
    }

    /// Whether the holes that a file system tells of are taken for zeros without being read; off by
    /// default, since file systems have told of holes where data was. Either way they stay holes.
    pub fn trust_holes(mut self, trust: bool) -> Self {
        self.trust_holes = trust;
        self
    }

    /// Bytes of memory for files of which not all names were met, 32 MiB by default. Beyond it, hard links
    /// become files of their own, and that is reported.
    pub fn link_memory(mut self, bytes: u64) -> Self {
        self.link_memory = bytes;
        self
    }

    /// The id of the level, random by default: with [`BackupOptions::created`], for bytes that can be
    /// repeated. No two levels may have the same.
    pub fn level_id(mut self, id: LevelId) -> Self {
        self.level_id = Some(id);
        self
    }

    /// When the backup is said to have begun, in seconds since 1970; now by default.
    pub fn created(mut self, seconds: i64) -> Self {
        self.created = Some(seconds);
        self
    }

    /// Leaves out this file, wherever in the tree and under whatever names it is met: the one that the archive or
    /// the snapshot is written to, which would else be backed up half-written. Files that the library itself
    /// opens for them are left out without it. What is no regular file is not.
    ///
    /// # Errors
    ///
    /// [`Io`](crate::ErrorKind::Io) when nothing can be known of it.
    pub fn leave_out(mut self, file: &File) -> Result<Self> {
        let data = file.metadata().map_err(|error| Error::io("examining an output", error))?;
        if data.is_file() {
            self.left_out.push((data.dev(), data.ino()));
        }
        Ok(self)
    }

    /// Who follows the work and may stop it.
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.watch = Watch::new(observer);
        self
    }

    pub(crate) fn thread_count(&self) -> usize {
        if self.threads == 0 { default_threads() } else { self.threads }
    }
}
