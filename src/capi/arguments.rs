//! The arguments of a call, each looked at once: NULL is refused by name, and never dereferenced.

use std::collections::TryReserveError;
use std::ffi::{CStr, OsStr, c_char, c_int, c_void};
use std::fs::File;
use std::os::fd::BorrowedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::call::Call;
use super::error::{Outcome, frazil_error};
use super::status::frazil_status;
use crate::Error;

/// What all bits zero are a value of, and the one that an output has on failure.
///
/// # Safety
///
/// All bits zero must be valid.
pub(super) unsafe trait Zero: Copy {}

// SAFETY: NULL.
unsafe impl<T> Zero for *mut T {}
// SAFETY: a number.
unsafe impl Zero for usize {}

/// Where a result goes; zero until it is set.
pub(super) struct Out<T>(*mut T);

impl<T: Zero> Out<T> {
    pub(super) fn set(self, value: T) {
        if !self.0.is_null() {
            // SAFETY: not NULL, so there is room by the promise of the call that made it.
            unsafe { self.0.write(value) };
        }
    }

    /// Sets what is made only if somebody wants it.
    pub(super) fn set_with(self, make: impl FnOnce() -> T) {
        if !self.0.is_null() {
            self.set(make());
        }
    }
}

pub(super) fn invalid(message: impl Into<String>) -> Box<frazil_error> {
    frazil_error::new(frazil_status::FRAZIL_ERR_INVALID_INPUT, message)
}

pub(super) fn null(name: &str) -> Box<frazil_error> {
    frazil_error::new(frazil_status::FRAZIL_ERR_NULL, format!("`{name}` is NULL"))
}

/// Gathers as much as a caller or a stream has; memory that cannot be had is a failure like any other.
pub(super) fn gathered<T>(items: impl Iterator<Item = Outcome<T>>) -> Outcome<Vec<T>> {
    let out_of_memory = |_: TryReserveError| {
        frazil_error::new(frazil_status::FRAZIL_ERR_OUT_OF_MEMORY, "no memory for so many elements")
    };
    let mut gathered = Vec::new();
    gathered.try_reserve(items.size_hint().0).map_err(out_of_memory)?;
    for item in items {
        gathered.try_reserve(1).map_err(out_of_memory)?;
        gathered.push(item?);
    }
    Ok(gathered)
}

impl Call {
    /// An object that may be left out.
    pub(super) fn optional<T>(&self, pointer: *const T) -> Option<&T> {
        // SAFETY: NULL, or good for the call by the promise of `Call::new`.
        unsafe { pointer.as_ref() }
    }

    pub(super) fn reference<T>(&self, pointer: *const T, name: &str) -> Outcome<&T> {
        self.optional(pointer).ok_or_else(|| null(name))
    }

    /// An output that must be there.
    pub(super) fn out<T: Zero>(&self, pointer: *mut T, name: &str) -> Outcome<Out<T>> {
        if pointer.is_null() { Err(null(name)) } else { Ok(self.optional_out(pointer)) }
    }

    /// An output that may be NULL, when the result is dropped.
    pub(super) fn optional_out<T: Zero>(&self, pointer: *mut T) -> Out<T> {
        if !pointer.is_null() {
            // SAFETY: not NULL, so there is room by the promise of `Call::new`; zeros are a `T`.
            unsafe { pointer.write_bytes(0, 1) };
        }
        Out(pointer)
    }

    /// Bytes to read; of no bytes the pointer does not matter.
    pub(super) fn bytes(&self, data: *const c_void, len: usize, name: &str) -> Outcome<&[u8]> {
        if checked_len(data, len, name)? == 0 {
            return Ok(&[]);
        }
        // SAFETY: neither NULL nor longer than any object, and good for the call.
        Ok(unsafe { std::slice::from_raw_parts(data.cast(), len) })
    }

    /// Bytes to fill; of no bytes the pointer does not matter.
    #[expect(clippy::mut_from_ref, reason = "made from a pointer that nobody else looks at during the call")]
    pub(super) fn buffer(&self, data: *mut c_void, len: usize, name: &str) -> Outcome<&mut [u8]> {
        if checked_len(data, len, name)? == 0 {
            return Ok(&mut []);
        }
        // SAFETY: neither NULL nor longer than any object, and good for the call.
        Ok(unsafe { std::slice::from_raw_parts_mut(data.cast(), len) })
    }

    pub(super) fn optional_text(&self, text: *const c_char) -> Option<&[u8]> {
        if text.is_null() {
            return None;
        }
        // SAFETY: not NULL, so it ends with a zero byte and is good for the call.
        Some(unsafe { CStr::from_ptr(text) }.to_bytes())
    }

    pub(super) fn optional_path(&self, path: *const c_char) -> Option<&Path> {
        self.optional_text(path).map(|bytes| Path::new(OsStr::from_bytes(bytes)))
    }

    pub(super) fn path(&self, path: *const c_char, name: &str) -> Outcome<&Path> {
        self.optional_path(path).ok_or_else(|| null(name))
    }

    /// The elements of an array.
    pub(super) fn array<T>(&self, elements: *const T, count: usize, name: &str) -> Outcome<&[T]> {
        let bytes = count.checked_mul(size_of::<T>()).ok_or_else(|| too_long(name))?;
        if checked_len(elements.cast(), bytes, name)? == 0 {
            return Ok(&[]);
        }
        // SAFETY: neither NULL nor longer than any object, and good for the call.
        Ok(unsafe { std::slice::from_raw_parts(elements, count) })
    }

    /// The strings of an array, none of which may be NULL.
    pub(super) fn texts(&self, texts: *const *const c_char, count: usize, name: &str) -> Outcome<Vec<&[u8]>> {
        let texts = self.array(texts, count, name)?;
        gathered(texts.iter().map(|&text| self.optional_text(text).ok_or_else(|| null(name))))
    }

    pub(super) fn paths(&self, paths: *const *const c_char, count: usize, name: &str) -> Outcome<Vec<&Path>> {
        let texts = self.texts(paths, count, name)?;
        gathered(texts.into_iter().map(|path| Ok(Path::new(OsStr::from_bytes(path)))))
    }

    /// A duplicate of the caller's descriptor, which stays the caller's.
    pub(super) fn descriptor(&self, fd: c_int) -> Outcome<File> {
        if fd < 0 {
            return Err(invalid(format!("{fd} is no file descriptor")));
        }
        // SAFETY: not -1, and it is the caller's for the call; one that is not open cannot be duplicated.
        let borrowed = unsafe { BorrowedFd::borrow_raw(fd) };
        let owned = borrowed.try_clone_to_owned();
        Ok(File::from(owned.map_err(|error| Error::io(format!("duplicating file descriptor {fd}"), error))?))
    }
}

fn checked_len(data: *const c_void, len: usize, name: &str) -> Outcome<usize> {
    match (data.is_null(), len) {
        (_, 0) => Ok(0),
        (true, _) => Err(null(name)),
        (false, _) if isize::try_from(len).is_err() => Err(too_long(name)),
        (false, _) => Ok(len),
    }
}

fn too_long(name: &str) -> Box<frazil_error> {
    invalid(format!("`{name}` is longer than memory can be"))
}

#[cfg(test)]
mod tests {
    use std::ptr::{dangling, null, null_mut};

    use super::*;

    fn call() -> Call {
        // SAFETY: the tests give it good pointers.
        unsafe { Call::infallible() }
    }

    fn status<T>(outcome: Outcome<T>) -> frazil_status {
        outcome.err().map_or(frazil_status::FRAZIL_OK, |error| error.status)
    }

    #[test]
    fn no_bytes_are_an_empty_slice_whatever_the_pointer() {
        for pointer in [null(), dangling::<u8>().cast()] {
            assert_eq!(call().bytes(pointer, 0, "data").unwrap(), b"");
            assert_eq!(call().buffer(pointer.cast_mut(), 0, "data").unwrap(), b"");
            assert!(call().texts(pointer.cast(), 0, "texts").unwrap().is_empty());
        }
    }

    #[test]
    fn bytes_at_null_are_refused_and_so_are_more_than_memory_holds() {
        assert_eq!(status(call().bytes(null(), 1, "data")), frazil_status::FRAZIL_ERR_NULL);
        assert_eq!(status(call().buffer(null_mut(), 1, "data")), frazil_status::FRAZIL_ERR_NULL);
        let somewhere = dangling::<u64>();
        let refused = status(call().bytes(somewhere.cast(), usize::MAX, "data"));
        assert_eq!(refused, frazil_status::FRAZIL_ERR_INVALID_INPUT);
        for count in [usize::MAX, usize::MAX / 8, isize::MAX as usize] {
            let refused = status(call().array(somewhere, count, "array"));
            assert_eq!(refused, frazil_status::FRAZIL_ERR_INVALID_INPUT);
        }
    }

    #[test]
    fn an_array_with_a_null_in_it_is_refused() {
        let texts = [c"a".as_ptr(), null()];
        assert_eq!(call().texts(texts.as_ptr(), 1, "texts").unwrap(), [b"a"]);
        assert_eq!(status(call().texts(texts.as_ptr(), 2, "texts")), frazil_status::FRAZIL_ERR_NULL);
    }

    #[test]
    fn more_elements_than_there_is_memory_for_are_a_failure() {
        let none = (0..isize::MAX as usize).map(|_| -> Outcome<u64> { panic!("there is no room for it") });
        assert_eq!(status(gathered(none)), frazil_status::FRAZIL_ERR_OUT_OF_MEMORY);
        assert_eq!(gathered((0..3).map(Ok)).unwrap(), [0, 1, 2]);
    }

    #[test]
    fn an_output_is_zero_until_it_is_set() {
        let mut value = 7_usize;
        let out = call().out(&raw mut value, "value").unwrap();
        assert_eq!(value, 0);
        out.set(9);
        assert_eq!(value, 9);
        call().optional_out::<usize>(null_mut()).set(1);
    }

    #[test]
    fn a_descriptor_is_duplicated_and_the_callers_stays_open() {
        use std::io::Read;
        use std::os::fd::AsRawFd;

        let (mut reader, writer) = std::io::pipe().unwrap();
        let duplicate = call().descriptor(writer.as_raw_fd()).unwrap();
        drop(writer);
        std::io::Write::write_all(&mut &duplicate, b"x").unwrap();
        drop(duplicate);
        let mut read = String::new();
        reader.read_to_string(&mut read).unwrap();
        assert_eq!(read, "x");
        assert_eq!(status(call().descriptor(-1)), frazil_status::FRAZIL_ERR_INVALID_INPUT);
    }
}
