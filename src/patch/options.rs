//! How a patch is applied.

use std::sync::Arc;

use crate::engine::default_threads;
use crate::observer::{Observer, Watch};

/// When the basis is held against the fingerprint that a sealed delta carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum VerifyBasis {
    /// Before the first byte comes out, by one more reading of it.
    Before,
    /// By the result alone: a wrong basis makes a wrong result, which is noticed before it is published.
    /// What a reader or writer has given out till then is provisional.
    After,
}

/// Options of a patch or a chain.
#[derive(Clone, Debug, Default)]
pub struct PatchOptions {
    pub(crate) max_output: Option<u64>,
    pub(crate) verify_basis: Option<VerifyBasis>,
    pub(crate) index_memory: Option<u64>,
    pub(crate) replace: bool,
    /// A sealed level 0 may be applied where there is a basis, of which it needs nothing.
    pub(crate) level_0_replaces: bool,
    pub(crate) threads: usize,
    pub(crate) watch: Watch,
}

impl PatchOptions {
    /// The default limit of the output: 1 TiB.
    pub const DEFAULT_MAX_OUTPUT: u64 = 1 << 40;

    /// The default budget of a chain's index: 8 MiB.
    pub const DEFAULT_INDEX_MEMORY: u64 = 8 << 20;

    /// The default options.
    pub fn new() -> Self {
        Self::default()
    }

    /// The most bytes that may come out, by default 1 TiB; a sealed delta that declares more is refused before
    /// anything is made.
    pub fn max_output(mut self, bytes: u64) -> Self {
        self.max_output = Some(bytes);
        self
    }

    /// When the basis is verified; by default before, and for [`patch_file`](crate::patch_file) and
    /// [`chain_file`](crate::chain_file), which publish nothing wrong either way, after.
    pub fn verify_basis(mut self, when: VerifyBasis) -> Self {
        self.verify_basis = Some(when);
        self
    }

    /// Bytes that the index of all levels of a chain may take together, 8 MiB by default; in less, more
    /// of the deltas is parsed again.
    pub fn index_memory(mut self, bytes: u64) -> Self {
        self.index_memory = Some(bytes);
        self
    }

    /// Whether a file that is there already may be replaced; off by default.
    pub fn replace(mut self, replace: bool) -> Self {
        self.replace = replace;
        self
    }

    /// How many threads verify, and read and write where a file is made, of which more than eight are of no use; 0,
    /// the default, for as many as there are processors.
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
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
