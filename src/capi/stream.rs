//! Callbacks of C as readers and writers of Rust.

use std::ffi::{c_int, c_void};
use std::fmt;
use std::io::{self, Read, Write};

use super::arguments::null;
use super::call::Call;
use super::error::Outcome;

/// Reads the next bytes of a stream.
///
/// It puts at most `len` bytes, which is never 0, into `buffer`, which is not to be kept, and how many into
/// `*read`, which is 0 when it is called; 0 bytes are the end of the stream. It may put fewer than it could, and is
/// called again. It returns 0; any other value is a failure, which stops the operation. A count above
/// `len` stops it with `FRAZIL_ERR_INVALID_INPUT`.
pub type frazil_read_fn =
    Option<unsafe extern "C" fn(user_data: *mut c_void, buffer: *mut c_void, len: usize, read: *mut usize) -> c_int>;

/// Writes the next bytes of a stream.
///
/// It takes all of the `len` bytes at `data`, which are not to be kept, and returns 0; any other value is
/// a failure, which stops the operation.
pub type frazil_write_fn =
    Option<unsafe extern "C" fn(user_data: *mut c_void, data: *const c_void, len: usize) -> c_int>;

/// What C wants its callbacks to be called with; never looked at here.
#[derive(Clone, Copy)]
pub(super) struct UserData(pub(super) *mut c_void);

// SAFETY: the header asks for callbacks that may be called from whichever thread uses the handle.
unsafe impl Send for UserData {}
// SAFETY: as above; calls come one at a time.
unsafe impl Sync for UserData {}

/// A callback failed, or did what it may not.
#[derive(Debug)]
pub(super) struct CallbackFailed {
    pub(super) what: &'static str,
    pub(super) code: c_int,
}

impl fmt::Display for CallbackFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.what)?;
        if self.code != 0 { write!(f, " with {}", self.code) } else { Ok(()) }
    }
}

impl std::error::Error for CallbackFailed {}

/// A read callback and its user data.
pub(super) struct CallbackReader {
    read: unsafe extern "C" fn(*mut c_void, *mut c_void, usize, *mut usize) -> c_int,
    user_data: UserData,
}

impl Read for CallbackReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let mut read = 0;
        // SAFETY: the header asks for a callback that may be called so until the handle is freed.
        let code = unsafe { (self.read)(self.user_data.0, buffer.as_mut_ptr().cast(), buffer.len(), &raw mut read) };
        bytes_read(code, read, buffer.len())
    }
}

/// What a callback has read that was asked for at most `len` bytes.
pub(super) fn bytes_read(code: c_int, read: usize, len: usize) -> io::Result<usize> {
    let what = match (code, read) {
        (0, read) if read <= len => return Ok(read),
        (0, _) => "the read callback claims more bytes than it was asked for",
        _ => "the read callback failed",
    };
    Err(io::Error::other(CallbackFailed { what, code }))
}

/// Whether a callback has taken what it was told.
#[cfg(feature = "tree")]
pub(super) fn taken(code: c_int, what: &'static str) -> crate::Result<()> {
    if code == 0 { Ok(()) } else { Err(io::Error::other(CallbackFailed { what, code }).into()) }
}

/// A write callback and its user data.
pub(super) struct CallbackWriter {
    write: unsafe extern "C" fn(*mut c_void, *const c_void, usize) -> c_int,
    user_data: UserData,
}

impl Write for CallbackWriter {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        if data.is_empty() {
            return Ok(0);
        }
        // SAFETY: the header asks for a callback that may be called so until the handle is freed.
        let code = unsafe { (self.write)(self.user_data.0, data.as_ptr().cast(), data.len()) };
        match code {
            0 => Ok(data.len()),
            code => Err(io::Error::other(CallbackFailed { what: "the write callback failed", code })),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Call {
    pub(super) fn reader(&self, read: frazil_read_fn, user_data: *mut c_void) -> Outcome<CallbackReader> {
        let read = read.ok_or_else(|| null("read"))?;
        Ok(CallbackReader { read, user_data: UserData(user_data) })
    }

    pub(super) fn writer(&self, write: frazil_write_fn, user_data: *mut c_void) -> Outcome<CallbackWriter> {
        self.optional_writer(write, user_data).ok_or_else(|| null("write"))
    }

    pub(super) fn optional_writer(&self, write: frazil_write_fn, user_data: *mut c_void) -> Option<CallbackWriter> {
        Some(CallbackWriter { write: write?, user_data: UserData(user_data) })
    }
}
