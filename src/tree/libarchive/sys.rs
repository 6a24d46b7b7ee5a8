//! libarchive3-sys, and what its version 0.1.2 lacks or declares with the wrong types.

use std::ffi::{c_int, c_void};

pub(super) use libarchive3_sys::ffi;
pub(super) use libarchive3_sys::ffi::{Struct_archive as Archive, Struct_archive_entry as ArchiveEntry};

/// `archive_filter_code` where no filter is in effect.
pub(super) const FILTER_NONE: c_int = 0;

pub(super) const ACL_TYPE_ACCESS: c_int = 0x100;
pub(super) const ACL_TYPE_DEFAULT: c_int = 0x200;
pub(super) const ACL_USER: c_int = 10_001;
pub(super) const ACL_USER_OBJ: c_int = 10_002;
pub(super) const ACL_GROUP: c_int = 10_003;
pub(super) const ACL_GROUP_OBJ: c_int = 10_004;
pub(super) const ACL_MASK: c_int = 10_005;
pub(super) const ACL_OTHER: c_int = 10_006;

pub(super) type OpenCallback = unsafe extern "C" fn(*mut Archive, *mut c_void) -> c_int;
pub(super) type WriteCallback = unsafe extern "C" fn(*mut Archive, *mut c_void, *const c_void, usize) -> isize;

unsafe extern "C" {
    /// The bound `archive_write_open` takes callbacks without arguments.
    pub(super) fn archive_write_open2(
        archive: *mut Archive,
        client_data: *mut c_void,
        open: Option<OpenCallback>,
        write: Option<WriteCallback>,
        close: Option<OpenCallback>,
        free: Option<OpenCallback>,
    ) -> c_int;
    pub(super) fn archive_write_add_filter_lz4(archive: *mut Archive) -> c_int;
    pub(super) fn archive_write_add_filter_zstd(archive: *mut Archive) -> c_int;
    pub(super) fn archive_read_support_filter_lz4(archive: *mut Archive) -> c_int;
    pub(super) fn archive_read_support_filter_zstd(archive: *mut Archive) -> c_int;
}
