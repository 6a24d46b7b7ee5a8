//! Levels, in their pull form.

use std::ffi::{c_char, c_int, c_void};
use std::io::Read;

use super::arguments::Out;
use super::call::Call;
use super::error::{Outcome, frazil_error};
use super::handle::{Handle, free_handle, give, handle_of};
use super::identity::frazil_identity;
use super::level_options::{frazil_level_options, frazil_matching};
use super::observer::Watching;
use super::signature::frazil_signature;
use super::sized::{Growing, Report, size_through};
use super::status::frazil_status;
use super::stream::frazil_read_fn;
use crate::{LevelReader, LevelSummary, Result};

/// What a finished level is.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct frazil_level_summary {
    /// The size of this struct, as `frazil_level_summary_init` sets it.
    pub size: usize,
    /// Bytes of content that were read.
    pub source_bytes: u64,
    /// Bytes of the level's stream; 0 where only the signature was made.
    pub stream_bytes: u64,
    /// Bytes of content that were found in the basis.
    pub copy_bytes: u64,
    /// Bytes of content that are in the stream.
    pub literal_bytes: u64,
    /// Bytes of content that are runs of zeros, which take no room in a sealed stream.
    pub zero_bytes: u64,
    /// How many ranges of the basis are copied.
    pub copy_commands: u64,
    /// The content that was read, which the level restores; zeros, of `leaf_len` too, where it was not to be identified.
    pub identity: frazil_identity,
    /// 1 if the content changed while it was read, else 0.
    pub dirty: c_int,
    /// Which matches were looked for in the end.
    pub matching: frazil_matching,
}

// SAFETY: numbers, and a kind of which 0 is one.
unsafe impl Growing for frazil_level_summary {
    const FIRST_SIZE: usize = size_through!(Self, matching);
}

/// Makes a summary that can be filled, of `size` bytes: `sizeof (frazil_level_summary)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_level_summary_init(summary: *mut frazil_level_summary, size: usize) {
    // SAFETY: the arguments are the caller's, who keeps to the header.
    let call = unsafe { Call::infallible() };
    call.init(summary, size);
}

/// Where the results of a level go.
pub(super) struct LevelOuts {
    signature: Out<*mut frazil_signature>,
    summary: Report<frazil_level_summary>,
}

impl LevelOuts {
    /// Gives out what a level has come to.
    pub(super) fn set(self, level: LevelSummary) -> frazil_status {
        let stats = level.stats;
        self.summary.set(&frazil_level_summary {
            size: 0,
            source_bytes: stats.source_bytes,
            stream_bytes: stats.stream_bytes,
            copy_bytes: stats.copy_bytes,
            literal_bytes: stats.literal_bytes,
            zero_bytes: stats.zero_bytes,
            copy_commands: stats.copy_commands,
            identity: level.identity.as_ref().map(Into::into).unwrap_or_default(),
            dirty: level.dirty.into(),
            matching: level.matching.into(),
        });
        if let Some(signature) = level.signature {
            self.signature.set_with(|| give(frazil_signature(signature)));
        }
        if level.dirty { frazil_status::FRAZIL_DIRTY } else { frazil_status::FRAZIL_OK }
    }
}

impl Call {
    pub(super) fn level_outs(
        &self,
        signature: *mut *mut frazil_signature,
        summary: *mut frazil_level_summary,
    ) -> Outcome<LevelOuts> {
        let signature = self.optional_out(signature);
        Ok(LevelOuts { signature, summary: self.report(summary, "summary")? })
    }
}

/// A level that is read, of whichever source.
trait Pull: Read + Send {
    fn finish(self: Box<Self>) -> Result<LevelSummary>;
}

impl<R: Read + Send> Pull for LevelReader<R> {
    fn finish(self: Box<Self>) -> Result<LevelSummary> {
        self.finish_summary()
    }
}

struct Level {
    reader: Box<dyn Pull>,
    watching: Watching,
}

/// A level that is made as it is read. One call at a time may use it, from any thread.
pub struct frazil_level(Handle<Level>);
handle_of!(frazil_level, Level);

fn begin<R: Read + Send + 'static>((reader, watching): (LevelReader<R>, Watching)) -> *mut frazil_level {
    give(frazil_level(Handle::new("level", Level { reader: Box::new(reader), watching })))
}

/// Opens the file or device at `path` to make a level of it against the signature `basis`; NULL makes a
/// level 0. `options` may be NULL.
///
/// Read the level's stream by `frazil_level_read`, then call `frazil_level_finish` for the new signature.
/// Should the file change while it is read, the level restores the bytes that were read, and finishing
/// it returns `FRAZIL_DIRTY`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_level_open(
    path: *const c_char,
    basis: *const frazil_signature,
    options: *const frazil_level_options,
    level: *mut *mut frazil_level,
    error: *mut *mut frazil_error,
) -> frazil_status {
    // SAFETY: the arguments are the caller's, who keeps to the header.
    let call = unsafe { Call::new(error) };
    call.guard(|| {
        let out = call.out(level, "level")?;
        let path = call.path(path, "path")?;
        out.set(begin(call.level_plan(basis, options)?.open(path)?));
        Ok(frazil_status::FRAZIL_OK)
    })
}

/// As `frazil_level_open`, of what the file descriptor `fd` gives from where it stands: a pipe, a socket,
/// a file. Whether it changes while it is read is not noticed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_level_open_fd(
    fd: c_int,
    basis: *const frazil_signature,
    options: *const frazil_level_options,
    level: *mut *mut frazil_level,
    error: *mut *mut frazil_error,
) -> frazil_status {
    // SAFETY: the arguments are the caller's, who keeps to the header.
    let call = unsafe { Call::new(error) };
    call.guard(|| {
        let out = call.out(level, "level")?;
        let plan = call.level_plan(basis, options)?;
        let source = call.source(fd, &plan.watching)?;
        out.set(begin(plan.read(source)?));
        Ok(frazil_status::FRAZIL_OK)
    })
}

/// As `frazil_level_open`, of what a callback reads.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_level_open_stream(
    read: frazil_read_fn,
    user_data: *mut c_void,
    basis: *const frazil_signature,
    options: *const frazil_level_options,
    level: *mut *mut frazil_level,
    error: *mut *mut frazil_error,
) -> frazil_status {
    // SAFETY: the arguments are the caller's, who keeps to the header.
    let call = unsafe { Call::new(error) };
    call.guard(|| {
        let out = call.out(level, "level")?;
        let source = call.reader(read, user_data)?;
        out.set(begin(call.level_plan(basis, options)?.read(source)?));
        Ok(frazil_status::FRAZIL_OK)
    })
}

/// Reads the next bytes of the level's stream into `buffer` and puts how many into `*read`, at most
/// `len`; 0, unless `len` is 0, is the end of the stream.
///
/// It reads from the source as it needs to. A failure of the source comes after all output that came
/// before it; reading again asks the source again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_level_read(
    level: *mut frazil_level,
    buffer: *mut c_void,
    len: usize,
    read: *mut usize,
    error: *mut *mut frazil_error,
) -> frazil_status {
    // SAFETY: the arguments are the caller's, who keeps to the header.
    let call = unsafe { Call::new(error) };
    call.guard(|| {
        let out = call.out(read, "read")?;
        let level = call.reference(level, "level")?;
        let buffer = call.buffer(buffer, len, "buffer")?;
        let read = level
            .0
            .work(|level| level.reader.read(buffer).map_err(|error| level.watching.explain("making a level", error)))?;
        out.set(read);
        Ok(frazil_status::FRAZIL_OK)
    })
}

/// Ends a level whose stream was read to its end and gives the new signature, which the next level needs;
/// `signature` and `summary` may be NULL.
///
/// Before anything was read it computes the signature alone, faster; after a part it fails, since the
/// rest of the stream would be lost. Returns `FRAZIL_DIRTY` when the source changed while it was read.
/// Whatever it returns, the level can then only be freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_level_finish(
    level: *mut frazil_level,
    signature: *mut *mut frazil_signature,
    summary: *mut frazil_level_summary,
    error: *mut *mut frazil_error,
) -> frazil_status {
    // SAFETY: the arguments are the caller's, who keeps to the header.
    let call = unsafe { Call::new(error) };
    call.guard(|| {
        let outs = call.level_outs(signature, summary)?;
        let level = call.reference(level, "level")?;
        let finish =
            |level: Level| level.reader.finish().map_err(|error| level.watching.explain("making a level", error));
        Ok(outs.set(level.0.finish(finish)?))
    })
}

/// Frees a level, finished or not. Takes NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_level_free(level: *mut frazil_level) {
    // SAFETY: it was given out by this library, and the caller frees it once.
    unsafe { free_handle(level) }
}

/// Makes the level of the file at `path` and publishes its stream as the new file at `level_path`, which
/// appears whole or not at all: `FRAZIL_ERR_EXISTS` when something is there, which is never replaced. Else as
/// `frazil_level_open` and `frazil_level_finish`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_level_file(
    path: *const c_char,
    basis: *const frazil_signature,
    level_path: *const c_char,
    options: *const frazil_level_options,
    signature: *mut *mut frazil_signature,
    summary: *mut frazil_level_summary,
    error: *mut *mut frazil_error,
) -> frazil_status {
    // SAFETY: the arguments are the caller's, who keeps to the header.
    let call = unsafe { Call::new(error) };
    call.guard(|| {
        let outs = call.level_outs(signature, summary)?;
        let (path, level_path) = (call.path(path, "path")?, call.path(level_path, "level_path")?);
        Ok(outs.set(call.level_plan(basis, options)?.publish(path, level_path)?))
    })
}
