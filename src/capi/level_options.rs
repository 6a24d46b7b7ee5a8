//! Options of a level.

use std::ffi::{c_char, c_int, c_void};
use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

use super::arguments::invalid;
use super::call::Call;
use super::choice::choose;
use super::error::Outcome;
use super::format::format_of;
use super::observer::{Watching, frazil_observer};
use super::signature::frazil_signature;
use super::sized::{Growing, size_through, unused};
use super::stream::{CallbackWriter, frazil_write_fn};
use super::sums::{strong_of, weak_of};
use crate::level::level_file_with;
use crate::{
    DEFAULT_BLOCK_LEN, Engine, Format, LevelBasis, LevelOptions, LevelReader, LevelSummary, LevelWriter, Matching,
    Result, SignatureFile, SignatureParams,
};

/// Which matches are looked for.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum frazil_matching {
    /// Blocks in their place first, and a byte by byte scan of runs that changed; aligned alone when the
    /// index of the basis does not fit the memory limit, of which the observer is told.
    /// Where a scan has found nothing in 8 MiB, it looks at one stretch in four, in 64 MiB at one in eight, and
    /// follows what it finds back.
    FRAZIL_MATCHING_AUTO = 0,
    /// Blocks in their place alone, in constant memory: for disk images and databases.
    FRAZIL_MATCHING_ALIGNED = 1,
    /// A byte by byte scan of everything that does not match in its place, however long nothing is found.
    FRAZIL_MATCHING_ROLLING = 2,
}

pub(super) fn matching_of(number: c_int) -> Outcome<Matching> {
    use frazil_matching as named;
    choose(
        number,
        "matching",
        [
            (named::FRAZIL_MATCHING_AUTO as c_int, Matching::Auto),
            (named::FRAZIL_MATCHING_ALIGNED as c_int, Matching::Aligned),
            (named::FRAZIL_MATCHING_ROLLING as c_int, Matching::Rolling),
        ],
    )
}

impl From<Matching> for frazil_matching {
    fn from(matching: Matching) -> Self {
        match matching {
            Matching::Auto => Self::FRAZIL_MATCHING_AUTO,
            Matching::Aligned => Self::FRAZIL_MATCHING_ALIGNED,
            Matching::Rolling => Self::FRAZIL_MATCHING_ROLLING,
        }
    }
}

/// Who computes sums and finds matches.
#[repr(C)]
#[derive(Clone, Copy)]
pub enum frazil_engine {
    /// frazil's own.
    FRAZIL_ENGINE_NATIVE = 0,
    /// The bound librsync; it cannot match aligned blocks alone.
    FRAZIL_ENGINE_LIBRSYNC = 1,
}

/// Options of a level or a signature. Zero is the default of each, and the default suits a backup.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct frazil_level_options {
    /// The size of this struct, as `frazil_level_options_init` sets it.
    pub size: usize,
    /// Bytes in a block of the new signature, 1 to 2^30. Where `block_len`, `strong_len`, `weak_sum`
    /// and `strong_sum` are all 0 they are those of the basis's signature, if it has whole BLAKE2b sums; else a 0
    /// stands for 64 KiB, the whole sum, RabinKarp and BLAKE2b.
    pub block_len: u32,
    /// Bytes kept of each strong sum.
    pub strong_len: u32,
    /// A `frazil_weak_sum`: the rolling sum.
    pub weak_sum: c_int,
    /// A `frazil_strong_sum`: the strong sum.
    pub strong_sum: c_int,
    /// A `frazil_format`: the form of the level's stream.
    pub format: c_int,
    /// A `frazil_matching`: which matches are looked for.
    pub matching: c_int,
    /// A `frazil_engine`: who computes sums and finds matches.
    pub engine: c_int,
    /// How many threads compute sums; 0 for as many as there are processors. Unless it is 1, one more writes where the
    /// level goes to a path. The stream is the same whatever the number.
    pub threads: u32,
    /// Bytes of memory that buffers, index and new signature may take together, beside the basis's
    /// signature where that is held; 0 for 1 GiB. The index takes at most 12 bytes for each block of the basis, or of
    /// fewer than 2^18 up to 512 KiB more.
    pub memory_limit: u64,
    /// The length of the source in bytes, where it is known; no more than that is read. A file that is
    /// opened by its path is measured without being told.
    pub target_len: u64,
    /// Names the basis in the stream, where its path is another than the target's; or NULL.
    pub basis_path: *const c_char,
    /// Whether a sealed level may be made against a signature of MD4 or shortened sums, on which a false
    /// match can be crafted; the stream then says so.
    pub allow_weak: c_int,
    /// Whether the new signature is not held in memory. It then goes to `write_signature`, or nowhere,
    /// and finishing the level gives none.
    pub no_signature: c_int,
    /// Is given the new signature on the way, so that memory stays constant however long the content is;
    /// or NULL. Finishing the level then gives none.
    pub write_signature: frazil_write_fn,
    /// What `write_signature` is called with.
    pub signature_user_data: *mut c_void,
    /// A `frazil_format`: the form in which `write_signature` is given the signature.
    pub signature_format: c_int,
    /// Whether the holes that a file system tells of are taken for zeros without being read, in a file that is
    /// opened by its path. File systems have told of holes where data was.
    pub trust_holes: c_int,
    /// Who follows the work and may stop it, or NULL.
    pub observer: *const frazil_observer,
    /// The file that holds the basis's signature, whose sums are then read from there as they are wanted: no
    /// more than the index is in memory, and not that where aligned blocks alone are matched. It is to stay as it
    /// is meanwhile, and is refused when it does not. The argument that is the basis's signature is then NULL. Or
    /// NULL.
    pub basis_signature_path: *const c_char,
    /// Whether the content is not identified by its CRC32 and fingerprint, which spares that work; for plain streams
    /// alone. Neither the summary nor the new signature then says what content it is of, nor the signature how long
    /// that was.
    pub no_identity: c_int,
    /// Keep it 0.
    pub reserved: c_int,
}

// SAFETY: numbers, pointers and a callback, which may be NULL.
unsafe impl Growing for frazil_level_options {
    const FIRST_SIZE: usize = size_through!(Self, reserved);
}

/// Makes the default options, of `size` bytes: `sizeof (frazil_level_options)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_level_options_init(options: *mut frazil_level_options, size: usize) {
    // SAFETY: the arguments are the caller's, who keeps to the header.
    let call = unsafe { Call::infallible() };
    call.init(options, size);
}

/// What a level is to be, by its arguments and options.
pub(super) struct LevelPlan {
    basis: LevelBasis,
    options: LevelOptions,
    signature_to: Option<(CallbackWriter, Format)>,
    pub(super) watching: Watching,
}

impl LevelPlan {
    /// Starts a level of the file at `path`.
    pub(super) fn open(self, path: &Path) -> Outcome<(LevelReader<File>, Watching)> {
        self.start(|basis, options| LevelReader::open(path, basis, options))
    }

    /// Starts a level of what `source` gives.
    pub(super) fn read<R: Read>(self, source: R) -> Outcome<(LevelReader<R>, Watching)> {
        self.start(|basis, options| LevelReader::new(source, basis, options))
    }

    fn start<R: Read>(
        self,
        open: impl FnOnce(LevelBasis, LevelOptions) -> Result<LevelReader<R>>,
    ) -> Outcome<(LevelReader<R>, Watching)> {
        let mut level = open(self.basis, self.options)?;
        if let Some((sink, format)) = self.signature_to {
            level = level.signature_to(sink, format)?;
        }
        Ok((level, self.watching))
    }

    /// Makes the level of the file at `path` as the new file at `level`.
    pub(super) fn publish(self, path: &Path, level: &Path) -> Outcome<LevelSummary> {
        let Self { basis, options, signature_to, watching } = self;
        level_file_with(path, basis, level, options, signature_to)
            .map_err(|error| watching.explain("making a level", error))
    }

    /// Starts a level that is fed, whose stream goes to `sink`.
    pub(super) fn write<W: Write>(self, sink: W) -> Outcome<(LevelWriter<W>, Watching)> {
        let mut level = LevelWriter::new(sink, self.basis, self.options)?;
        if let Some((sink, format)) = self.signature_to {
            level = level.signature_to(sink, format)?;
        }
        Ok((level, self.watching))
    }
}

impl frazil_level_options {
    fn params(&self) -> Outcome<Option<SignatureParams>> {
        let (weak, strong) = (weak_of(self.weak_sum)?, strong_of(self.strong_sum)?);
        if (self.block_len, self.strong_len, self.weak_sum, self.strong_sum) == (0, 0, 0, 0) {
            return Ok(None);
        }
        let or = |given: u32, default: u32| if given == 0 { default } else { given };
        let (block_len, strong_len) = (or(self.block_len, DEFAULT_BLOCK_LEN), or(self.strong_len, strong.max_len()));
        Ok(Some(SignatureParams::new(weak, strong, block_len, strong_len)?))
    }
}

impl Call {
    fn level_basis(&self, signature: *const frazil_signature, path: *const c_char) -> Outcome<LevelBasis> {
        let signature = self.optional(signature).map(|signature| &signature.0);
        match (signature, self.optional_path(path)) {
            (signature, None) => Ok(signature.into()),
            (None, Some(path)) => Ok((&SignatureFile::open(path)?).into()),
            (Some(_), Some(_)) => Err(invalid("the basis's signature and its `basis_signature_path` are both given")),
        }
    }

    pub(super) fn level_plan(
        &self,
        basis: *const frazil_signature,
        options: *const frazil_level_options,
    ) -> Outcome<LevelPlan> {
        use frazil_engine::{FRAZIL_ENGINE_LIBRSYNC as LIBRSYNC, FRAZIL_ENGINE_NATIVE as NATIVE};
        let given = self.options(options, "options")?;
        unused(given.reserved)?;
        let watching = self.watching(given.observer)?;
        let engines = [(NATIVE as c_int, Engine::Native), (LIBRSYNC as c_int, Engine::Librsync)];
        let mut options = LevelOptions::new()
            .format(format_of(given.format)?)
            .matching(matching_of(given.matching)?)
            .engine(choose(given.engine, "engine", engines)?)
            .threads(given.threads as usize)
            .allow_weak(given.allow_weak != 0)
            .trust_holes(given.trust_holes != 0)
            .hold_signature(given.no_signature == 0)
            .identify(given.no_identity == 0);
        if let Some(params) = given.params()? {
            options = options.params(params);
        }
        if given.memory_limit > 0 {
            options = options.memory_limit(given.memory_limit);
        }
        if given.target_len > 0 {
            options = options.target_len(given.target_len);
        }
        if let Some(path) = self.optional_text(given.basis_path) {
            options = options.basis_path(path);
        }
        if let Some(observer) = watching.observer() {
            options = options.observer(observer);
        }
        let sink = self.optional_writer(given.write_signature, given.signature_user_data);
        let signature_to = match sink {
            Some(sink) => Some((sink, format_of(given.signature_format)?)),
            None => None,
        };
        let basis = self.level_basis(basis, given.basis_signature_path)?;
        Ok(LevelPlan { basis, options, signature_to, watching })
    }
}
