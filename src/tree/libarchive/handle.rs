//! What libarchive allocates, owned; and what its callbacks share with the owner of a handle.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr::NonNull;

use super::sys::{Archive, ffi};
use crate::{Error, ErrorKind, Result};

/// A `struct archive` of any sort, freed when dropped.
pub(super) struct Handle {
    archive: NonNull<Archive>,
    free: unsafe extern "C" fn(*mut Archive) -> c_int,
}

// SAFETY: libarchive keeps no state by thread; a handle may be used by any, if by one at a time.
unsafe impl Send for Handle {}

impl Handle {
    pub(super) fn reader() -> Result<Self> {
        // SAFETY: takes nothing; null is looked for.
        Self::own(unsafe { ffi::archive_read_new() }, ffi::archive_read_free)
    }

    pub(super) fn writer() -> Result<Self> {
        // SAFETY: takes nothing; null is looked for.
        Self::own(unsafe { ffi::archive_write_new() }, ffi::archive_write_free)
    }

    pub(super) fn disk_reader() -> Result<Self> {
        // SAFETY: takes nothing; null is looked for.
        Self::own(unsafe { ffi::archive_read_disk_new() }, ffi::archive_read_free)
    }

    pub(super) fn disk_writer() -> Result<Self> {
        // SAFETY: takes nothing; null is looked for.
        Self::own(unsafe { ffi::archive_write_disk_new() }, ffi::archive_write_free)
    }

    fn own(archive: *mut Archive, free: unsafe extern "C" fn(*mut Archive) -> c_int) -> Result<Self> {
        let archive = NonNull::new(archive).ok_or_else(out_of_memory)?;
        Ok(Self { archive, free })
    }

    pub(super) fn as_ptr(&self) -> *mut Archive {
        self.archive.as_ptr()
    }

    /// Calls one of the functions that take a handle and nothing else, and give a status.
    pub(super) fn configure(&mut self, function: unsafe extern "C" fn(*mut Archive) -> c_int) -> c_int {
        // SAFETY: the handle is live and ours alone; libarchive itself refuses one of the wrong sort or state.
        unsafe { function(self.as_ptr()) }
    }

    /// Calls one of the functions that set an option of a module; no value means that it is off.
    pub(super) fn set_option(
        &mut self,
        function: unsafe extern "C" fn(*mut Archive, *const c_char, *const c_char, *const c_char) -> c_int,
        module: &CStr,
        option: &CStr,
        value: Option<&CStr>,
    ) -> c_int {
        let value = value.map_or(std::ptr::null(), CStr::as_ptr);
        // SAFETY: the handle is live and ours alone; the strings live through the call and are copied.
        unsafe { function(self.as_ptr(), module.as_ptr(), option.as_ptr(), value) }
    }

    /// What libarchive says of its last failure; it may say nothing.
    pub(super) fn message(&self) -> Option<String> {
        // SAFETY: the handle is live; gives null or a string that lasts until the next call.
        let message = unsafe { ffi::archive_error_string(self.as_ptr()) };
        // SAFETY: as libarchive gave it, and copied before anything else is called.
        unsafe { bytes_of(message) }.map(|message| String::from_utf8_lossy(&message).into_owned())
    }

    /// The failure of the last call, of the `kind` unless it was for want of memory.
    pub(super) fn error(&self, kind: ErrorKind) -> Error {
        // SAFETY: the handle is live; reads a number.
        let number = unsafe { ffi::archive_errno(self.as_ptr()) };
        let kind = if number == ffi::ENOMEM { ErrorKind::OutOfMemory } else { kind };
        let message = self.message().unwrap_or_else(|| "failed without a message".into());
        Error::new(kind, format!("libarchive: {message}"))
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: the handle is live, ours alone, and not used again. What this returns, nobody can act on.
        unsafe { (self.free)(self.as_ptr()) };
    }
}

/// A value that callbacks reach through a raw pointer while its owner may move.
///
/// A `Box` will not do: moving one asserts that no other pointer to its content is in use.
pub(super) struct Shared<T>(NonNull<T>);

// SAFETY: owns the value as a box does; callbacks run only inside calls that the owner makes.
unsafe impl<T: Send> Send for Shared<T> {}

impl<T> Shared<T> {
    pub(super) fn new(value: T) -> Self {
        Self(NonNull::from(Box::leak(Box::new(value))))
    }

    /// What callbacks are given; good for as long as `self` lives, wherever it is moved.
    pub(super) fn as_client_data(&self) -> *mut c_void {
        self.0.as_ptr().cast()
    }

    pub(super) fn get(&self) -> &T {
        // SAFETY: live until `self` is dropped; a callback changes it only inside a call that takes the owner
        // by `&mut`, so never while this borrow lasts.
        unsafe { self.0.as_ref() }
    }

    pub(super) fn get_mut(&mut self) -> &mut T {
        // SAFETY: as above, and `self` is borrowed alone.
        unsafe { self.0.as_mut() }
    }
}

impl<T> Drop for Shared<T> {
    fn drop(&mut self) {
        // SAFETY: comes from a box and is given back once. The handle whose callbacks know it is freed before:
        // owners declare it first.
        drop(unsafe { Box::from_raw(self.0.as_ptr()) });
    }
}

/// The bytes of a C string; `None` for null, which libarchive gives for what it does not know.
///
/// # Safety
///
/// `string` is null or points to bytes that end with a zero and stay as they are during the call.
pub(super) unsafe fn bytes_of(string: *const c_char) -> Option<Vec<u8>> {
    if string.is_null() {
        return None;
    }
    // SAFETY: the caller's promise.
    Some(unsafe { CStr::from_ptr(string) }.to_bytes().to_vec())
}

pub(super) fn out_of_memory() -> Error {
    Error::new(ErrorKind::OutOfMemory, "libarchive: out of memory")
}
