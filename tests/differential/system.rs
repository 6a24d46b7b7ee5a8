//! The system's librsync, what Debian's `rdiff` is linked to, in this process beside the vendored one.
#![allow(unsafe_code)]

use std::ffi::{CStr, c_char, c_int, c_void};
use std::path::PathBuf;

use crate::librsync::Librsync;

/// librsync's name for messages that nobody can do without.
const LOG_EMERGENCY: c_int = 0;

/// The library, what it calls itself, and the file that it is in.
pub(crate) struct System {
    pub(crate) librsync: Librsync,
    pub(crate) version: String,
    pub(crate) file: PathBuf,
}

/// The functions of a library by their names.
macro_rules! functions {
    ($library:expr, { $($field:ident: $name:expr,)* }) => {
        Librsync {
            $($field: {
                // SAFETY: the `librsync.h` of every version 2 declares it so, but for how the types are spelt.
                unsafe { function($library, $name) }
            },)*
        }
    };
}

/// Loads the library of ABI version 2 and silences it.
pub(crate) fn load() -> System {
    // SAFETY: `RTLD_DEFAULT` is no handle of anybody's, and the name ends with a zero.
    let exported = unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"rs_job_iter".as_ptr()) };
    // Otherwise the system's library could call the vendored functions of these names.
    assert!(exported.is_null(), "this program shows the librsync that is linked into it");
    // SAFETY: the name ends with a zero, and the library's constructors are none.
    let library = unsafe { libc::dlopen(c"librsync.so.2".as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
    assert!(!library.is_null(), "librsync.so.2 is installed (Debian: apt-get install rdiff)");
    let version = symbol(library, c"rs_librsync_version").cast::<c_char>();
    // SAFETY: `rs_librsync_version` is an array of characters that ends with a zero, and stays as long as the library.
    let version = unsafe { CStr::from_ptr(version) };
    let librsync = functions!(library, {
        sig_begin: c"rs_sig_begin",
        loadsig_begin: c"rs_loadsig_begin",
        build_hash_table: c"rs_build_hash_table",
        free_sumset: c"rs_free_sumset",
        delta_begin: c"rs_delta_begin",
        patch_begin: c"rs_patch_begin",
        job_iter: c"rs_job_iter",
        job_free: c"rs_job_free",
    });
    // SAFETY: `librsync.h` declares it so.
    let set_level: unsafe extern "C" fn(c_int) = unsafe { function(library, c"rs_trace_set_level") };
    // SAFETY: sets an `int` that no job is reading yet.
    unsafe { set_level(LOG_EMERGENCY) };
    let file = file_of(librsync.job_iter as *const c_void);
    System { librsync, version: version.to_string_lossy().into_owned(), file }
}

fn symbol(library: *mut c_void, name: &CStr) -> *mut c_void {
    // SAFETY: the library is loaded, and the name ends with a zero.
    let symbol = unsafe { libc::dlsym(library, name.as_ptr()) };
    assert!(!symbol.is_null(), "librsync.so.2 has {name:?}");
    symbol
}

/// A function of the library.
///
/// # Safety
///
/// `F` is the type of the function of this name.
unsafe fn function<F: Copy>(library: *mut c_void, name: &CStr) -> F {
    let symbol = symbol(library, name);
    assert_eq!(size_of::<F>(), size_of_val(&symbol));
    // SAFETY: a pointer to the function as the caller knows it, of the same size.
    unsafe { std::mem::transmute_copy(&symbol) }
}

/// The program or library that an address is in.
pub(crate) fn file_of(address: *const c_void) -> PathBuf {
    // SAFETY: a structure of pointers, for which zeros are values.
    let mut found: libc::Dl_info = unsafe { std::mem::zeroed() };
    // SAFETY: the place to write to is a live local.
    let known = unsafe { libc::dladdr(address, &raw mut found) };
    assert!(known != 0 && !found.dli_fname.is_null(), "the address is in a program or a library");
    // SAFETY: the name ends with a zero and stays as long as what it names is loaded.
    let name = unsafe { CStr::from_ptr(found.dli_fname) };
    PathBuf::from(name.to_string_lossy().into_owned())
}
