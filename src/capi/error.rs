//! The error object: what a caller in C is told of a failure.

use std::ffi::{CString, c_char, c_int};
use std::io;
use std::os::unix::ffi::OsStrExt;

use super::call::Call;
use super::handle::free;
use super::status::frazil_status;
use super::stream::CallbackFailed;
use crate::Error;

/// What went wrong: status, message, and where it is known path, offset and numbers.
///
/// It belongs to whoever was given it and is freed with `frazil_error_free`. It is immutable and may be
/// read by several threads at once.
#[derive(Debug)]
pub struct frazil_error {
    pub(super) status: frazil_status,
    message: CString,
    path: Option<CString>,
    offset: Option<u64>,
    os_code: c_int,
    callback_code: c_int,
}

/// What the body of an exported function ends with.
pub(super) type Outcome<T = frazil_status> = Result<T, Box<frazil_error>>;

impl frazil_error {
    pub(super) fn new(status: frazil_status, message: impl Into<String>) -> Box<Self> {
        let message = terminated(message.into().into_bytes());
        Box::new(Self { status, message, path: None, offset: None, os_code: 0, callback_code: 0 })
    }

    fn with_status(mut self: Box<Self>, status: frazil_status) -> Box<Self> {
        self.status = status;
        self
    }

    /// Says what of several it was.
    pub(super) fn of(mut self: Box<Self>, what: &str) -> Box<Self> {
        self.message = terminated([what.as_bytes(), b": ", self.message.as_bytes()].concat());
        self
    }

    /// What was said of a failure is that of a callback, which returned `code`.
    pub(super) fn of_callback(mut self: Box<Self>, code: c_int) -> Box<Self> {
        self.status = frazil_status::FRAZIL_ERR_CALLBACK;
        self.callback_code = code;
        self
    }
}

/// As a C string; a zero byte, which would end it, is escaped.
pub(super) fn terminated(text: Vec<u8>) -> CString {
    let escaped = |text: &[u8]| text.split(|&byte| byte == 0).collect::<Vec<_>>().join(&b"\\0"[..]);
    CString::new(text).or_else(|error| CString::new(escaped(&error.into_vec()))).unwrap_or_default()
}

impl From<&Error> for Box<frazil_error> {
    fn from(error: &Error) -> Self {
        let mut made = frazil_error::new(error.kind().into(), error.to_string());
        made.path = error.file().map(|path| terminated(path.as_os_str().as_bytes().to_vec()));
        made.offset = error.offset();
        made.os_code = error.os_code().unwrap_or(0);
        match raised(error) {
            Some(failed) if failed.code != 0 => made.of_callback(failed.code),
            Some(_) => made.with_status(frazil_status::FRAZIL_ERR_INVALID_INPUT),
            None => made,
        }
    }
}

impl From<Error> for Box<frazil_error> {
    fn from(error: Error) -> Self {
        Self::from(&error)
    }
}

impl From<io::Error> for Box<frazil_error> {
    fn from(error: io::Error) -> Self {
        Self::from(Error::from(error))
    }
}

/// The failure of a callback that lies beneath.
fn raised(error: &Error) -> Option<&CallbackFailed> {
    let source = std::error::Error::source(error)?.downcast_ref::<io::Error>()?;
    source.get_ref()?.downcast_ref::<CallbackFailed>()
}

/// The status that the function returned; `FRAZIL_OK` of NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_error_status(error: *const frazil_error) -> frazil_status {
    // SAFETY: the argument is the caller's, who keeps to the header.
    let call = unsafe { Call::infallible() };
    call.optional(error).map_or(frazil_status::FRAZIL_OK, |error| error.status)
}

/// What was being done, to what, where, what was expected and what was found: one line of UTF-8 in
/// English, without a full stop. Lives as long as the error; the empty string of NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_error_message(error: *const frazil_error) -> *const c_char {
    // SAFETY: the argument is the caller's, who keeps to the header.
    let call = unsafe { Call::infallible() };
    call.optional(error).map_or(c"".as_ptr(), |error| error.message.as_ptr())
}

/// The file that was being worked on, as bytes in the encoding of the file system, or NULL where it is
/// not known. Of a stream that has no path of its own, it is the file that the work was for; which delta of a
/// chain it was, the message says. Lives as long as the error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_error_path(error: *const frazil_error) -> *const c_char {
    // SAFETY: the argument is the caller's, who keeps to the header.
    let call = unsafe { Call::infallible() };
    let path = call.optional(error).and_then(|error| error.path.as_ref());
    path.map_or(std::ptr::null(), |path| path.as_ptr())
}

/// The offset in bytes at which it happened, in the stream or file that the message names, or
/// `FRAZIL_UNKNOWN`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_error_offset(error: *const frazil_error) -> u64 {
    // SAFETY: the argument is the caller's, who keeps to the header.
    let call = unsafe { Call::infallible() };
    call.optional(error).and_then(|error| error.offset).unwrap_or(FRAZIL_UNKNOWN)
}

/// The operating system's `errno`, or 0 where none lies beneath.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_error_os_code(error: *const frazil_error) -> c_int {
    // SAFETY: the argument is the caller's, who keeps to the header.
    let call = unsafe { Call::infallible() };
    call.optional(error).map_or(0, |error| error.os_code)
}

/// What the callback returned that failed, which is not 0, with `FRAZIL_ERR_CALLBACK`; 0 with every other
/// status.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_error_callback_code(error: *const frazil_error) -> c_int {
    // SAFETY: the argument is the caller's, who keeps to the header.
    let call = unsafe { Call::infallible() };
    call.optional(error).map_or(0, |error| error.callback_code)
}

/// Frees an error. Takes NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_error_free(error: *mut frazil_error) {
    // SAFETY: it was given out by this library, and the caller frees it once.
    unsafe { free(error) }
}

/// Stands for a number of bytes, or an offset, that is not known.
pub const FRAZIL_UNKNOWN: u64 = u64::MAX;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    #[test]
    fn an_error_keeps_all_that_is_known() {
        let error = Error::io("reading", io::Error::from_raw_os_error(5)).path("some/file").at(7);
        let made = Box::<frazil_error>::from(error);
        assert_eq!(made.status, frazil_status::FRAZIL_ERR_IO);
        assert_eq!((made.offset, made.os_code, made.callback_code), (Some(7), 5, 0));
        assert_eq!(made.path.as_deref(), Some(c"some/file"));
        assert!(made.message.to_str().unwrap().starts_with("reading some/file at offset 7: "));
    }

    #[test]
    fn what_a_callback_returned_is_found_under_the_layers_above_it() {
        let raised = io::Error::other(CallbackFailed { what: "the callback failed", code: -9 });
        let wrapped = Error::io("making a level of", io::Error::from(Error::io("reading", raised))).path("x");
        let made = Box::<frazil_error>::from(wrapped);
        assert_eq!((made.status, made.callback_code), (frazil_status::FRAZIL_ERR_CALLBACK, -9));
    }

    #[test]
    fn a_zero_byte_in_a_message_does_not_cut_it_short() {
        let made = Box::<frazil_error>::from(Error::new(ErrorKind::Corrupt, "before\0after"));
        assert_eq!(made.message.as_c_str(), c"before\\0after");
    }
}
