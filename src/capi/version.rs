//! Which version is linked.

use std::ffi::{CStr, c_char};

const VERSION: &CStr = match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
    Ok(version) => version,
    Err(_) => unreachable!(),
};

/// The version of the library that is linked, as `MAJOR.MINOR.PATCH`.
///
/// Returns a string that lives as long as the process; do not free it. May be called from any thread.
/// A cautious program compares it with `FRAZIL_VERSION`, the version of the header it was compiled
/// with.
#[unsafe(no_mangle)]
pub extern "C" fn frazil_version() -> *const c_char {
    VERSION.as_ptr()
}
