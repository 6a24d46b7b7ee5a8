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
pub(super) unsafe trait Growing: Copy {
    /// The size that it had in the first release: no caller has a smaller one, and who says so has taken
    /// the size of something else.
    const FIRST_SIZE: usize;
}

/// The size of a struct up to this field, which was the last one in the first release.
macro_rules! size_through {
    ($object:ty, $last:ident) => {
        $crate::capi::sized::end_of(std::mem::offset_of!($object, $last), |object: &$object| &object.$last)
    };
}
pub(super) use size_through;

pub(super) const fn end_of<T, F>(offset: usize, _last: fn(&T) -> &F) -> usize {
    (offset + size_of::<F>()).next_multiple_of(align_of::<T>())
}

// SAFETY: that of `Growing`.
unsafe impl<T: Growing> Zero for T {}

/// More than any version will have: what is longer was not initialised.
const SIZE_MAX: usize = 4096;

fn is_size_of<T: Growing>(size: usize) -> bool {
    (T::FIRST_SIZE..=SIZE_MAX).contains(&size) && size.is_multiple_of(align_of::<T>())
}

/// Where what was done goes, as far as the caller's struct reaches.
pub(super) struct Report<T> {
    to: *mut T,
    size: usize,
}

impl<T: Growing> Report<T> {
    /// Writes everything but the size.
    pub(super) fn set(&self, value: &T) {
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

/// Refuses a value in a field that is kept for later, so that a later version may give it a meaning.
pub(super) fn unused(reserved: impl Into<i64>) -> Outcome<()> {
    match reserved.into() {
        0 => Ok(()),
        _ => Err(frazil_error::new(frazil_status::FRAZIL_ERR_UNSUPPORTED, "`reserved` is not 0")),
    }
}

impl Call {
    /// Makes a struct of `size` bytes the default. Of a size that it cannot have, only the first field is
    /// written, so that the call that the struct is given to refuses it.
    pub(super) fn init<T: Growing>(&self, pointer: *mut T, size: usize) {
        if pointer.is_null() {
            return;
        }
        let size = if is_size_of::<T>(size) { size } else { 0 };
        // SAFETY: the caller says that there are so many bytes.
        unsafe { pointer.cast::<u8>().write_bytes(0, size) };
        // SAFETY: there is room for the first field, whatever the size.
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
        let report = Report { to: pointer, size: self.size_of(pointer, name)? };
        // SAFETY: zeros are valid.
        let nothing: T = unsafe { std::mem::zeroed() };
        report.set(&nothing);
        Ok(report)
    }

    fn size_of<T: Growing>(&self, pointer: *const T, name: &str) -> Outcome<usize> {
        // SAFETY: not NULL, and it begins with its size.
        let size = unsafe { pointer.cast::<usize>().read() };
        if is_size_of::<T>(size) {
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
    unsafe impl Growing for Old {
        const FIRST_SIZE: usize = size_through!(Self, first);
    }
    // SAFETY: numbers.
    unsafe impl Growing for New {
        const FIRST_SIZE: usize = size_through!(Self, first);
    }

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
    fn a_size_that_was_never_set_or_is_of_something_else_is_refused() {
        let too_large = [size_of::<Old>() + 1, SIZE_MAX + size_of::<usize>(), usize::MAX];
        for size in [0, 1, size_of::<*const Old>(), size_of::<Old>() - 1].into_iter().chain(too_large) {
            let mut old = Old { size: 1, first: 7 };
            call().init(&raw mut old, size);
            assert_eq!(old, Old { size: 0, first: 7 });
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
    fn nothing_is_cleared_beyond_what_is_known_of_a_struct() {
        let mut both = [New { size: 2 * size_of::<New>(), first: 1, second: 2 }; 2];
        let after = both[1];
        call().report::<New>(&raw mut both[0], "summary").unwrap();
        assert_eq!(both, [New { first: 0, second: 0, ..after }, after]);
    }

    #[test]
    fn a_report_to_nowhere_is_dropped() {
        let report = call().report::<New>(std::ptr::null_mut(), "summary").unwrap();
        report.set(&New { size: 0, first: 7, second: 8 });
    }
}
