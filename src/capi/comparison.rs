//! What two signatures say of two contents, range by range.

use std::ffi::c_char;

use super::arguments::Zero;
use super::call::Call;
use super::error::frazil_error;
use super::handle::{Handle, free_handle, give, handle_of};
use super::signature::frazil_signature;
use super::status::frazil_status;
use crate::signature::BlockRanges;
use crate::{BlockRange, RangeKind, Result, SignatureFile, compare_streams};

/// What a range of the new content is to the old.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum frazil_range_kind {
    /// Equal to the old content at the same offset.
    FRAZIL_RANGE_SAME = 0,
    /// Equal to the old content at the offset `from`.
    FRAZIL_RANGE_MOVED = 1,
    /// Not found in the old content.
    FRAZIL_RANGE_CHANGED = 2,
}

/// A range of the new content, in bytes. Ranges come in order and without gaps.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct frazil_range {
    /// Where it begins.
    pub offset: u64,
    /// How long it is. Where a plain signature leaves the length of the last block unknown, it counts as
    /// whole.
    pub len: u64,
    /// Where it is in the old content, if it is the same or moved; else 0.
    pub from: u64,
    /// What it is to the old content.
    pub kind: frazil_range_kind,
}

// SAFETY: numbers, and a kind of which 0 is one.
unsafe impl Zero for frazil_range {}

impl From<BlockRange> for frazil_range {
    fn from(range: BlockRange) -> Self {
        let (kind, from) = match range.kind {
            RangeKind::Same => (frazil_range_kind::FRAZIL_RANGE_SAME, range.offset),
            RangeKind::Moved { from } => (frazil_range_kind::FRAZIL_RANGE_MOVED, from),
            RangeKind::Changed => (frazil_range_kind::FRAZIL_RANGE_CHANGED, 0),
        };
        Self { offset: range.offset, len: range.len, from, kind }
    }
}

type Ranges = Box<dyn Iterator<Item = Result<BlockRange>> + Send>;

/// The ranges of new content as an old signature knows them. One call at a time may use it.
pub struct frazil_comparison(Handle<Ranges>);
handle_of!(frazil_comparison, Ranges);

/// Compares two signatures in memory; both may be freed before the comparison is.
///
/// Only blocks that stand on the grid of both can be recognised: after an insertion in the middle of a
/// block, all that follows has changed. `FRAZIL_ERR_INCOMPARABLE` unless sums and block length agree.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_comparison_open(
    old_signature: *const frazil_signature,
    new_signature: *const frazil_signature,
    comparison: *mut *mut frazil_comparison,
    error: *mut *mut frazil_error,
) -> frazil_status {
    // SAFETY: the arguments are the caller's, who keeps to the header.
    let call = unsafe { Call::new(error) };
    call.guard(|| {
        let out = call.out(comparison, "comparison")?;
        let old = call.reference(old_signature, "old_signature")?;
        let new = call.reference(new_signature, "new_signature")?;
        // Of clones, since C may free what it gave; they share the sums.
        let ranges: Ranges = Box::new(BlockRanges::held(&old.0, &new.0)?.map(Ok));
        out.set(give(frazil_comparison(Handle::new("comparison", ranges))));
        Ok(frazil_status::FRAZIL_OK)
    })
}

/// Compares two signatures in files, in constant memory: blocks that moved count as changed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_comparison_open_paths(
    old_path: *const c_char,
    new_path: *const c_char,
    comparison: *mut *mut frazil_comparison,
    error: *mut *mut frazil_error,
) -> frazil_status {
    // SAFETY: the arguments are the caller's, who keeps to the header.
    let call = unsafe { Call::new(error) };
    call.guard(|| {
        let out = call.out(comparison, "comparison")?;
        let (old, new) = (call.path(old_path, "old_path")?, call.path(new_path, "new_path")?);
        let (old, new) = (SignatureFile::open(old)?, SignatureFile::open(new)?);
        let ranges: Ranges = owned(&old, &new)?;
        out.set(give(frazil_comparison(Handle::new("comparison", ranges))));
        Ok(frazil_status::FRAZIL_OK)
    })
}

fn owned(old: &SignatureFile, new: &SignatureFile) -> Result<Ranges> {
    Ok(Box::new(compare_streams(old.reader()?, new.reader()?)?))
}

/// Gives the next range, or `FRAZIL_END` after the last.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_comparison_next(
    comparison: *mut frazil_comparison,
    range: *mut frazil_range,
    error: *mut *mut frazil_error,
) -> frazil_status {
    // SAFETY: the arguments are the caller's, who keeps to the header.
    let call = unsafe { Call::new(error) };
    call.guard(|| {
        let out = call.out(range, "range")?;
        let next = call.reference(comparison, "comparison")?.0.work(|ranges| Ok(ranges.next().transpose()?))?;
        let Some(range) = next else { return Ok(frazil_status::FRAZIL_END) };
        out.set(range.into());
        Ok(frazil_status::FRAZIL_OK)
    })
}

/// Frees a comparison. Takes NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_comparison_free(comparison: *mut frazil_comparison) {
    // SAFETY: it was given out by this library, and the caller frees it once.
    unsafe { free_handle(comparison) }
}
