//! Calls of the C interface, each of which gives a status and an error that agree.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr::null_mut;

/// `FRAZIL_ERR_STATE` and `FRAZIL_ERR_CALLBACK`.
pub const STATE: c_int = -2;
pub const CALLBACK: c_int = -17;

/// What a callback fails with.
pub const REFUSED: c_int = 4711;

/// Handles of each kind at once.
pub const SLOTS: usize = 3;

pub type Handle = *mut c_void;

// What the header declares. The functions are in the crate, whether it is linked as a C library or not.
unsafe extern "C" {
    fn frazil_error_message(error: *const c_void) -> *const c_char;
    fn frazil_error_status(error: *const c_void) -> c_int;
    fn frazil_error_callback_code(error: *const c_void) -> c_int;
    fn frazil_error_free(error: Handle);
}

/// Makes a call, and checks that its status and its error say the same.
pub fn call(work: impl FnOnce(*mut Handle) -> c_int) -> c_int {
    let mut error = null_mut();
    let status = work(&raw mut error);
    assert_eq!(status < 0, !error.is_null(), "status {status}");
    if !error.is_null() {
        // SAFETY: the error was just made, and is freed once.
        unsafe {
            assert_eq!(frazil_error_status(error), status);
            assert!(!CStr::from_ptr(frazil_error_message(error)).is_empty());
            assert_eq!(frazil_error_callback_code(error), if status == CALLBACK { REFUSED } else { 0 });
            frazil_error_free(error);
        }
    }
    status
}

/// Makes a call that makes a handle, which is there if and only if the call has not failed.
pub fn made(work: impl FnOnce(*mut Handle, *mut Handle) -> c_int) -> Option<Handle> {
    let mut handle = null_mut();
    let status = call(|error| work(&raw mut handle, error));
    assert_eq!(status < 0, handle.is_null(), "status {status}");
    Some(handle).filter(|handle| !handle.is_null())
}

/// A level 0 gives the content that it was made of.
pub fn restores(stream: &[u8], content: &[u8]) {
    let (target, result) = crate::patch(stream, frazil::NoBasis);
    result.unwrap_or_else(|error| panic!("{error}"));
    assert!(target == content);
}
