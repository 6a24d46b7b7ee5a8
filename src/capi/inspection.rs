//! What a signature or a delta says of itself, and whether it is whole.

use std::ffi::{c_char, c_int, c_void};
use std::fs::File;
use std::io::Read;

use super::call::Call;
use super::error::frazil_error;
use super::format::frazil_format;
use super::identity::frazil_identity;
use super::observer::Watching;
use super::sized::{Growing, Report, size_through};
use super::status::frazil_status;
use super::stream::frazil_read_fn;
use super::sums::{frazil_strong_sum, frazil_weak_sum};
use crate::{Error, Inspection, Result, SealedKind, inspect};

/// What a stream carries.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum frazil_stream_kind {
    /// The sums of some content.
    FRAZIL_STREAM_SIGNATURE = 0,
    /// What turns one content into another: a level.
    FRAZIL_STREAM_DELTA = 1,
}

/// What a signature or a delta says of itself. What it does not say, or not of this kind, is 0.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct frazil_inspection {
    /// The size of this struct, as `frazil_inspection_init` sets it.
    pub size: usize,
    /// Bytes of the stream.
    pub stream_bytes: u64,
    /// What it carries.
    pub kind: frazil_stream_kind,
    /// The form that it has.
    pub format: frazil_format,
    /// Of a signature: bytes in a block.
    pub block_len: u32,
    /// Of a signature: bytes of each strong sum.
    pub strong_len: u32,
    /// Of a signature: the rolling sum.
    pub weak_sum: frazil_weak_sum,
    /// Of a signature: the strong sum.
    pub strong_sum: frazil_strong_sum,
    /// Of a signature: how many blocks there are.
    pub block_count: u64,
    /// Of a delta: how many ranges of the basis are copied.
    pub copy_commands: u64,
    /// Of a delta: bytes that it copies from the basis.
    pub copy_bytes: u64,
    /// Of a delta: bytes that are in the stream.
    pub literal_bytes: u64,
    /// Of a delta: bytes of runs of zeros, which take no room in a sealed stream.
    pub zero_bytes: u64,
    /// 1 if a delta says which basis it was made against, else 0.
    pub has_basis: c_int,
    /// Bytes of content under each leaf of the basis's fingerprint.
    pub basis_leaf_len: u32,
    /// Bytes of the basis; 0 for a level 0.
    pub basis_len: u64,
    /// The fingerprint of the basis.
    pub basis_fingerprint: [u8; 32],
    /// The content that it is the signature of, or that a delta makes. A delta's is claimed, not proven:
    /// only a patch shows.
    pub identity: frazil_identity,
    /// 1 if it says what the content is, as what is sealed does; else 0.
    pub has_identity: c_int,
    /// 1 if the source changed while it was made, else 0.
    pub dirty: c_int,
    /// 1 if blocks were matched on sums that cannot be trusted to tell contents apart, else 0.
    pub weak: c_int,
    /// 0.
    pub reserved: c_int,
}

// SAFETY: numbers, and kinds of which 0 is one.
unsafe impl Growing for frazil_inspection {
    const FIRST_SIZE: usize = size_through!(Self, reserved);
}

/// Makes an inspection that can be filled, of `size` bytes: `sizeof (frazil_inspection)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_inspection_init(inspection: *mut frazil_inspection, size: usize) {
    // SAFETY: the arguments are the caller's, who keeps to the header.
    let call = unsafe { Call::infallible() };
    call.init(inspection, size);
}

impl From<&Inspection> for frazil_inspection {
    fn from(inspection: &Inspection) -> Self {
        let (params, commands) = (inspection.params.as_ref(), &inspection.commands);
        let basis = inspection.header.as_ref().and_then(|header| header.basis);
        Self {
            size: 0,
            stream_bytes: inspection.stream_bytes,
            kind: match inspection.kind {
                SealedKind::Signature => frazil_stream_kind::FRAZIL_STREAM_SIGNATURE,
                _ => frazil_stream_kind::FRAZIL_STREAM_DELTA,
            },
            format: match inspection.header {
                Some(_) => frazil_format::FRAZIL_FORMAT_SEALED,
                None => frazil_format::FRAZIL_FORMAT_RDIFF,
            },
            block_len: params.map_or(0, |params| params.block_len()),
            strong_len: params.map_or(0, |params| params.strong_len()),
            weak_sum: params.map_or(frazil_weak_sum::FRAZIL_WEAK_SUM_DEFAULT, |params| params.weak().into()),
            strong_sum: params.map_or(frazil_strong_sum::FRAZIL_STRONG_SUM_DEFAULT, |params| params.strong().into()),
            block_count: inspection.blocks,
            copy_commands: commands.copy_commands,
            copy_bytes: commands.copy_bytes,
            literal_bytes: commands.literal_bytes,
            zero_bytes: commands.zero_bytes,
            has_basis: basis.is_some().into(),
            basis_leaf_len: basis.map_or(0, |basis| basis.leaf_len()),
            basis_len: basis.map_or(0, |basis| basis.length()),
            basis_fingerprint: basis.map_or([0; 32], |basis| *basis.digest()),
            identity: inspection.identity.as_ref().map(Into::into).unwrap_or_default(),
            has_identity: inspection.identity.is_some().into(),
            dirty: inspection.dirty.into(),
            weak: inspection.weak.into(),
            reserved: 0,
        }
    }
}

/// Tells what is said of a stream that is whole; one that is not is a failure.
fn run(stream: impl Read, report: Report<frazil_inspection>) -> Result<frazil_status> {
    let mut inspection = inspect(stream)?;
    if let Some(damage) = inspection.damage.take() {
        return Err(damage);
    }
    report.set(&(&inspection).into());
    Ok(frazil_status::FRAZIL_OK)
}

/// Reads the signature or delta in the file at `path` to its end, in constant memory, checks all that can
/// be checked without the content, and says what it is. So a level is verified without its basis.
/// `inspection` may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_inspection_of_path(
    path: *const c_char,
    inspection: *mut frazil_inspection,
    error: *mut *mut frazil_error,
) -> frazil_status {
    // SAFETY: the arguments are the caller's, who keeps to the header.
    let call = unsafe { Call::new(error) };
    call.guard(|| {
        let report = call.report(inspection, "inspection")?;
        let path = call.path(path, "path")?;
        let file = File::open(path).map_err(|error| Error::io("opening the stream", error).path(path))?;
        Ok(run(file, report).map_err(|error| error.path(path))?)
    })
}

/// As `frazil_inspection_of_path`, of what the file descriptor `fd` gives from where it stands.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_inspection_of_fd(
    fd: c_int,
    inspection: *mut frazil_inspection,
    error: *mut *mut frazil_error,
) -> frazil_status {
    // SAFETY: the arguments are the caller's, who keeps to the header.
    let call = unsafe { Call::new(error) };
    call.guard(|| {
        let report = call.report(inspection, "inspection")?;
        Ok(run(call.source(fd, &Watching::default())?, report)?)
    })
}

/// As `frazil_inspection_of_path`, of what a callback reads.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_inspection_of_stream(
    read: frazil_read_fn,
    user_data: *mut c_void,
    inspection: *mut frazil_inspection,
    error: *mut *mut frazil_error,
) -> frazil_status {
    // SAFETY: the arguments are the caller's, who keeps to the header.
    let call = unsafe { Call::new(error) };
    call.guard(|| {
        let report = call.report(inspection, "inspection")?;
        Ok(run(call.reader(read, user_data)?, report)?)
    })
}
