//! How a level is made.

use std::sync::Arc;

use crate::engine::{Engine, default_threads};
use crate::format::{Format, SignatureParams, StreamId};
use crate::observer::{Observer, Watch};

/// Which matches are looked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Matching {
    /// Blocks in their place first, and a byte by byte scan of runs that changed; aligned alone when the
    /// index of the basis does not fit the memory limit, of which the observer is told.
    ///
    /// Where a scan has found nothing in 8 MiB, it looks at one stretch in four, in 64 MiB at one in eight, and
    /// follows what it finds back as far as it is in memory: content that is all new costs little, and known content
    /// is met if eight blocks of it lie one after the other. Of blocks of 1 MiB and more nothing is passed over.
    #[default]
    Auto,
    /// Blocks in their place alone, in constant memory: for disk images and databases.
    Aligned,
    /// A byte by byte scan of everything that does not match in its place, however long nothing is found.
    Rolling,
}

/// Options of a level; the default suits a backup.
///
/// ```
/// let options = frazil::LevelOptions::new().threads(1).memory_limit(64 << 20);
/// ```
#[derive(Clone, Debug)]
pub struct LevelOptions {
    pub(crate) params: Option<SignatureParams>,
    pub(crate) format: Format,
    pub(crate) matching: Matching,
    pub(crate) engine: Engine,
    pub(crate) memory_limit: u64,
    pub(crate) threads: usize,
    pub(crate) allow_weak: bool,
    pub(crate) trust_holes: bool,
    pub(crate) hold_signature: bool,
    pub(crate) identify: bool,
    pub(crate) target_len: Option<u64>,
    pub(crate) basis_path: Option<Vec<u8>>,
    pub(crate) stream_id: Option<StreamId>,
    pub(crate) watch: Watch,
}

impl Default for LevelOptions {
    fn default() -> Self {
        Self {
            params: None,
            format: Format::Sealed,
            matching: Matching::Auto,
            engine: Engine::default(),
            memory_limit: Self::DEFAULT_MEMORY_LIMIT,
            threads: 0,
            allow_weak: false,
            trust_holes: false,
            hold_signature: true,
            identify: true,
            target_len: None,
            basis_path: None,
            stream_id: None,
            watch: Watch::default(),
        }
    }
}

impl LevelOptions {
    /// 1 GiB: the new signature, and the index of the basis, of some 1.3 TiB of content in blocks of 64 KiB; or the
    /// index alone of 5 TiB, where signatures go to files.
    pub const DEFAULT_MEMORY_LIMIT: u64 = 1 << 30;

    /// The default options.
    pub fn new() -> Self {
        Self::default()
    }

    /// The sums and block length of the new signature; by default those of the basis's signature, or
    /// RabinKarp and BLAKE2b-256 over 64 KiB where there is none or it is not whole BLAKE2b-256.
    pub fn params(mut self, params: SignatureParams) -> Self {
        self.params = Some(params);
        self
    }

    /// Sealed, or librsync's plain format for `rdiff`; sealed by default.
    pub fn format(mut self, format: Format) -> Self {
        self.format = format;
        self
    }

    /// Which matches are looked for.
    pub fn matching(mut self, matching: Matching) -> Self {
        self.matching = matching;
        self
    }

    /// Who computes sums and finds matches.
    pub fn engine(mut self, engine: Engine) -> Self {
        self.engine = engine;
        self
    }

    /// Bytes of memory that buffers, index and new signature may take together, beside the basis's
    /// signature that the caller holds; 1 GiB by default. An index takes at most 12 bytes for each block of
    /// the basis, or of fewer than 2^18 up to 512 KiB more, also where the basis's signature is a
    /// [`SignatureFile`](crate::SignatureFile); the buffers take some 9 MiB with blocks of 64 KiB. What is needed is
    /// worked out before the work starts, but for the new signature of a source of unknown length.
    pub fn memory_limit(mut self, bytes: u64) -> Self {
        self.memory_limit = bytes;
        self
    }

    /// How many threads compute sums; 0, the default, for as many as there are processors. The stream
    /// is the same whatever the number. Where it goes to a file or by
    /// [`LevelReader::write_to`](crate::LevelReader::write_to), and with more than 1, one more seals and writes it.
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }

    /// Allows a sealed level against a signature of MD4 or shortened sums, on which a false match can be
    /// crafted; the stream then says so. Off by default.
    pub fn allow_weak(mut self, allow: bool) -> Self {
        self.allow_weak = allow;
        self
    }

    /// Whether the holes that a file system tells of are taken for zeros without being read, in a file that is opened
    /// by its path; off by default, since file systems have told of holes where data was.
    pub fn trust_holes(mut self, trust: bool) -> Self {
        self.trust_holes = trust;
        self
    }

    /// Whether the new signature is held in memory, as it is by default. Off, it takes none of the memory
    /// limit, and goes to where `signature_to` says, or nowhere.
    pub fn hold_signature(mut self, hold: bool) -> Self {
        self.hold_signature = hold;
        self
    }

    /// Whether the content is identified, by its CRC32 and fingerprint, as it is by default. Off, for plain streams
    /// alone, that work is spared: neither the summary nor the new signature then says what content it is of, nor the
    /// signature how long that was, as if it had been read from librsync's format. A
    /// [`RangeLevel`](crate::RangeLevel) takes no notice, since its signature has been made.
    pub fn identify(mut self, identify: bool) -> Self {
        self.identify = identify;
        self
    }

    /// The length of the source in bytes, where it is known; no more than that is read, and the stream
    /// promises to restore no more. A file's is found out without being told.
    pub fn target_len(mut self, bytes: u64) -> Self {
        self.target_len = Some(bytes);
        self
    }

    /// Names the basis in the stream, where its path is another than the target's.
    pub fn basis_path(mut self, path: impl Into<Vec<u8>>) -> Self {
        self.basis_path = Some(path.into());
        self
    }

    /// The id of the sealed stream, random by default: for bytes that can be repeated.
    pub fn stream_id(mut self, id: StreamId) -> Self {
        self.stream_id = Some(id);
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
