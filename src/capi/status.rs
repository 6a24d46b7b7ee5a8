//! What a function returns, and how a kind of error becomes a number that never changes.

use std::ffi::{CStr, c_char, c_int};

use crate::ErrorKind;

/// What became of a call: 0 is success, a positive value an outcome that is not a failure, a negative
/// one a failure. The values are never renumbered; later versions may add some.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum frazil_status {
    /// It was done.
    FRAZIL_OK = 0,
    /// There is nothing more of what was asked for.
    FRAZIL_END = 1,
    /// It was done, but some entries of the tree could not be taken or put as they were, or differ: the
    /// observer, or another callback, was told of each.
    FRAZIL_PARTIAL = 2,
    /// It was done, but the source changed while it was read. The level restores the bytes that were
    /// read, which may be no state that the source was ever in.
    FRAZIL_DIRTY = 3,
    /// An argument or option is outside what the function takes.
    FRAZIL_ERR_INVALID_INPUT = -1,
    /// The call is not allowed in the state the handle is in: it is finished, has failed before, or is
    /// in use by another call.
    FRAZIL_ERR_STATE = -2,
    /// The operating system failed; `frazil_error_os_code` says how.
    FRAZIL_ERR_IO = -3,
    /// A stream ended before it was complete.
    FRAZIL_ERR_TRUNCATED = -4,
    /// A stream holds bytes that no writer of the format produces.
    FRAZIL_ERR_CORRUPT = -5,
    /// A stream or a struct needs a newer version, or a feature this version does not have.
    FRAZIL_ERR_UNSUPPORTED = -6,
    /// The work would exceed a declared limit of memory or output.
    FRAZIL_ERR_LIMIT = -7,
    /// The basis is not the content that the delta was made against.
    FRAZIL_ERR_WRONG_BASIS = -8,
    /// The result is not the content that the stream promised.
    FRAZIL_ERR_MISMATCH = -9,
    /// Two signatures do not have the same parameters, so their sums say nothing of each other.
    FRAZIL_ERR_INCOMPARABLE = -10,
    /// The source changed while it was read; an observer is told so.
    FRAZIL_ERR_SOURCE_CHANGED = -11,
    /// The output is there already and was not to be replaced.
    FRAZIL_ERR_EXISTS = -12,
    /// The observer asked to stop.
    FRAZIL_ERR_CANCELLED = -13,
    /// Memory could not be had.
    FRAZIL_ERR_OUT_OF_MEMORY = -14,
    /// A fault in frazil itself.
    FRAZIL_ERR_INTERNAL = -15,
    /// An argument is NULL that may not be.
    FRAZIL_ERR_NULL = -16,
    /// A callback failed; `frazil_error_callback_code` is what it returned.
    FRAZIL_ERR_CALLBACK = -17,
}

impl From<ErrorKind> for frazil_status {
    /// Without a last arm for all else, so that no new kind goes without a number.
    fn from(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::InvalidInput => Self::FRAZIL_ERR_INVALID_INPUT,
            ErrorKind::State => Self::FRAZIL_ERR_STATE,
            ErrorKind::Io => Self::FRAZIL_ERR_IO,
            ErrorKind::Truncated => Self::FRAZIL_ERR_TRUNCATED,
            ErrorKind::Corrupt => Self::FRAZIL_ERR_CORRUPT,
            ErrorKind::Unsupported => Self::FRAZIL_ERR_UNSUPPORTED,
            ErrorKind::Limit => Self::FRAZIL_ERR_LIMIT,
            ErrorKind::WrongBasis => Self::FRAZIL_ERR_WRONG_BASIS,
            ErrorKind::Mismatch => Self::FRAZIL_ERR_MISMATCH,
            ErrorKind::Incomparable => Self::FRAZIL_ERR_INCOMPARABLE,
            ErrorKind::SourceChanged => Self::FRAZIL_ERR_SOURCE_CHANGED,
            ErrorKind::Exists => Self::FRAZIL_ERR_EXISTS,
            ErrorKind::Cancelled => Self::FRAZIL_ERR_CANCELLED,
            ErrorKind::OutOfMemory => Self::FRAZIL_ERR_OUT_OF_MEMORY,
            ErrorKind::Internal => Self::FRAZIL_ERR_INTERNAL,
        }
    }
}

/// Every status, with its name in words.
const NAMES: [(frazil_status, &CStr); 21] = [
    (frazil_status::FRAZIL_OK, c"done"),
    (frazil_status::FRAZIL_END, c"nothing more"),
    (frazil_status::FRAZIL_PARTIAL, c"done in part"),
    (frazil_status::FRAZIL_DIRTY, c"done of a source that changed"),
    (frazil_status::FRAZIL_ERR_INVALID_INPUT, c"invalid input"),
    (frazil_status::FRAZIL_ERR_STATE, c"not allowed in this state"),
    (frazil_status::FRAZIL_ERR_IO, c"input or output failed"),
    (frazil_status::FRAZIL_ERR_TRUNCATED, c"truncated"),
    (frazil_status::FRAZIL_ERR_CORRUPT, c"corrupt"),
    (frazil_status::FRAZIL_ERR_UNSUPPORTED, c"unsupported"),
    (frazil_status::FRAZIL_ERR_LIMIT, c"limit exceeded"),
    (frazil_status::FRAZIL_ERR_WRONG_BASIS, c"wrong basis"),
    (frazil_status::FRAZIL_ERR_MISMATCH, c"result does not match"),
    (frazil_status::FRAZIL_ERR_INCOMPARABLE, c"incomparable signatures"),
    (frazil_status::FRAZIL_ERR_SOURCE_CHANGED, c"source changed"),
    (frazil_status::FRAZIL_ERR_EXISTS, c"exists already"),
    (frazil_status::FRAZIL_ERR_CANCELLED, c"cancelled"),
    (frazil_status::FRAZIL_ERR_OUT_OF_MEMORY, c"out of memory"),
    (frazil_status::FRAZIL_ERR_INTERNAL, c"internal fault"),
    (frazil_status::FRAZIL_ERR_NULL, c"argument is NULL"),
    (frazil_status::FRAZIL_ERR_CALLBACK, c"callback failed"),
];

/// A status in a few words of English, for one that comes without an error object.
///
/// Returns a string that lives as long as the process, "unknown status" for any other number.
#[unsafe(no_mangle)]
pub extern "C" fn frazil_status_name(status: c_int) -> *const c_char {
    let name = NAMES.iter().find(|(named, _)| *named as c_int == status).map_or(c"unknown status", |(_, name)| name);
    name.as_ptr()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_a_name_and_a_number_of_its_own() {
        let numbers: Vec<c_int> = NAMES.iter().map(|(status, _)| *status as c_int).collect();
        let expected: Vec<c_int> = (0..=3).chain((1..=17).map(|number| -number)).collect();
        assert_eq!(numbers, expected);
    }
}
