//! Which version is linked.

use std::ffi::{CStr, CString, c_char, c_int};
use std::sync::OnceLock;

const VERSION: &CStr = match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
    Ok(version) => version,
    Err(_) => unreachable!(),
};

/// The version of the library that is linked, as `MAJOR.MINOR.PATCH`.
///
/// Returns a string that lives as long as the process; do not free it. May be called from any thread.
/// A newer patch version does for any program; before 1.0, major and minor have to be those of the header.
#[unsafe(no_mangle)]
pub extern "C" fn frazil_version() -> *const c_char {
    VERSION.as_ptr()
}

/// The version of the library that is linked as one number, as `FRAZIL_VERSION_NUMBER` is that of the header.
#[unsafe(no_mangle)]
pub extern "C" fn frazil_version_number() -> c_int {
    let number = |text: &str| text.parse().unwrap_or(0);
    let minor = number(env!("CARGO_PKG_VERSION_MINOR"));
    1_000_000 * number(env!("CARGO_PKG_VERSION_MAJOR")) + 1_000 * minor + number(env!("CARGO_PKG_VERSION_PATCH"))
}

/// The version of the librsync that is in the library, as it names itself.
///
/// Returns a string that lives as long as the process.
#[unsafe(no_mangle)]
pub extern "C" fn frazil_librsync_version() -> *const c_char {
    static VERSION: OnceLock<CString> = OnceLock::new();
    VERSION.get_or_init(|| CString::new(crate::librsync_version()).unwrap_or_default()).as_ptr()
}

/// The version of the libarchive that is linked, as `MAJOR.MINOR.PATCH`, or the empty string where it is one
/// that cannot be used.
///
/// Returns a string that lives as long as the process.
#[cfg(feature = "tree")]
#[unsafe(no_mangle)]
pub extern "C" fn frazil_libarchive_version() -> *const c_char {
    static VERSION: OnceLock<CString> = OnceLock::new();
    let version = || match crate::libarchive_version() {
        Ok((major, minor, patch)) => CString::new(format!("{major}.{minor}.{patch}")).unwrap_or_default(),
        Err(_) => CString::default(),
    };
    VERSION.get_or_init(version).as_ptr()
}
