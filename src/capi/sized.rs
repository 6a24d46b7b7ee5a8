//! Structs that the caller allocates and that may grow at their end.
//!
//! Each begins with its size as the caller was compiled with it. What a struct of an older caller lacks
//! is zero, which means the default; what one of a newer caller has more must be zero.

use super::arguments::{Zero, invalid};
use super::call::Call;
use super::error::{Outcome, frazil_error};
use super::status::frazil_status;

/// A struct that may grow.
///
/// # Safety
///
/// It must be `repr(C)` with a `usize` first, and all bits zero must be valid.
pub(super) unsafe trait Growing: Copy {}

// SAFETY: that of `Growing`.
unsafe impl<T: Growing> Zero for T {}

/// More than any version will have: what is longer was not initialised.
const SIZE_MAX: usize = 4096;

/// Where what was done goes, as far as the caller's struct reaches.
pub(super) struct Report<T> {
    to: *mut T,
    size: usize,
}

impl<T: Growing> Report<T> {
    /// Writes everything but the size.
    pub(super) fn set(self, value: &T) {
        let known = self.size.min(size_of::<T>());
        let Some(len) = known.checked_sub(size_of::<usize>()) else { return };
        let from = (&raw const *value).cast::<usize>();
        // SAFETY: a `T` begins with a `usize`.
        let from = unsafe { from.add(1) };
        // SAFETY: there are `size` bytes by the caller's word, which begin with a `usize`.
        let to = unsafe { self.to.cast::<usize>().add(1) };
        // SAFETY: both have `len` bytes after the first field, and the caller's is no `T` of ours.
        unsafe { std::ptr::copy_nonoverlapping(from.cast::<u8>(), to.cast::<u8>(), len) };
    }
}

impl Call {
    /// Makes a struct of `size` bytes the default.
    pub(super) fn init<T: Growing>(&self, pointer: *mut T, size: usize) {
        if pointer.is_null() || !(size_of::<usize>()..=SIZE_MAX).contains(&size) {
            return;
        }
        // SAFETY: the caller says that there are so many bytes.
        unsafe { pointer.cast::<u8>().write_bytes(0, size) };
        // SAFETY: there is room for the first field.
        unsafe { pointer.cast::<usize>().write(size) };
    }

    /// The caller's options; NULL is the default.
    pub(super) fn options<T: Growing>(&self, pointer: *const T, name: &str) -> Outcome<T> {
        // SAFETY: zeros are valid.
        let mut options: T = unsafe { std::mem::zeroed() };
        if pointer.is_null() {
            return Ok(options);
        }
        let size = self.size_of(pointer, name)?;
        let bytes = self.bytes(pointer.cast(), size, name)?;
        if bytes.iter().skip(size_of::<T>()).any(|&byte| byte != 0) {
            let message = format!("`{name}` has a field that this version does not know");
            return Err(frazil_error::new(frazil_status::FRAZIL_ERR_UNSUPPORTED, message));
        }
        let len = size.min(size_of::<T>());
        let to = (&raw mut options).cast::<u8>();
        // SAFETY: both have `len` bytes, and what C may put there is a `T`.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), to, len) };
        Ok(options)
    }

    /// Where the caller wants to be told what was done; NULL is nowhere. Zero until it is set.
    pub(super) fn report<T: Growing>(&self, pointer: *mut T, name: &str) -> Outcome<Report<T>> {
        if pointer.is_null() {
            return Ok(Report { to: pointer, size: 0 });
        }
        let size = self.size_of(pointer, name)?;
        self.init(pointer, size);
        Ok(Report { to: pointer, size })
    }

    fn size_of<T: Growing>(&self, pointer: *const T, name: &str) -> Outcome<usize> {
        // SAFETY: not NULL, and it begins with its size.
        let size = unsafe { pointer.cast::<usize>().read() };
        if (size_of::<usize>()..=SIZE_MAX).contains(&size) {
            return Ok(size);
        }
        Err(invalid(format!("`{name}` cannot have the size {size}: initialise it by its `_init` function")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[repr(C)]
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    struct Old {
        size: usize,
        first: u64,
    }

    #[repr(C)]
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    struct New {
        size: usize,
        first: u64,
        second: u64,
    }

    // SAFETY: numbers.
    unsafe impl Growing for Old {}
    // SAFETY: numbers.
    unsafe impl Growing for New {}

    fn call() -> Call {
        // SAFETY: the tests give it good pointers.
        unsafe { Call::infallible() }
    }

    #[test]
    fn what_an_older_caller_lacks_is_the_default() {
        let old = Old { size: size_of::<Old>(), first: 7 };
        let options = call().options::<New>((&raw const old).cast(), "options").unwrap();
        assert_eq!((options.first, options.second), (7, 0));
    }

    #[test]
    fn what_a_newer_caller_has_more_must_be_zero() {
        let mut new = New { size: size_of::<New>(), first: 7, second: 0 };
        assert_eq!(call().options::<Old>((&raw const new).cast(), "options").unwrap().first, 7);
        new.second = 1;
        let refused = call().options::<Old>((&raw const new).cast(), "options").unwrap_err();
        assert_eq!(refused.status, frazil_status::FRAZIL_ERR_UNSUPPORTED);
    }

    #[test]
    fn a_size_that_was_never_set_is_refused() {
        for size in [0, size_of::<usize>() - 1, SIZE_MAX + 1, usize::MAX] {
            let old = Old { size, first: 7 };
            let refused = call().options(&raw const old, "options").unwrap_err();
            assert_eq!(refused.status, frazil_status::FRAZIL_ERR_INVALID_INPUT);
        }
    }

    #[test]
    fn a_report_stays_within_the_callers_struct() {
        let mut both = [Old { size: size_of::<Old>(), first: 1 }, Old { size: 2, first: 3 }];
        let report = call().report::<New>((&raw mut both[0]).cast(), "summary").unwrap();
        report.set(&New { size: 0, first: 7, second: 8 });
        assert_eq!(both, [Old { size: size_of::<Old>(), first: 7 }, Old { size: 2, first: 3 }]);
    }

    #[test]
    fn a_report_to_nowhere_is_dropped() {
        let report = call().report::<New>(std::ptr::null_mut(), "summary").unwrap();
        report.set(&New { size: 0, first: 7, second: 8 });
    }
}
