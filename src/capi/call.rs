//! The boundary: what every exported function does around its work.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::error::{Outcome, frazil_error};
use super::status::frazil_status;

/// One call of an exported function.
///
/// Its methods are how the arguments are looked at, so that the promise that makes them safe is given
/// once for each call. No reference they give outlives it.
pub(super) struct Call {
    error: *mut *mut frazil_error,
}

impl Call {
    /// Begins a call that tells of its failure through `error`, which may be NULL and points to NULL
    /// from now on.
    ///
    /// # Safety
    ///
    /// `error`, and every pointer that the methods are given, must be an argument of the exported
    /// function, or be found in one, and as the header says it has to be for as long as it says.
    pub(super) unsafe fn new(error: *mut *mut frazil_error) -> Self {
        let call = Self { error };
        call.give(std::ptr::null_mut());
        call
    }

    /// Begins a call that cannot fail.
    ///
    /// # Safety
    ///
    /// As [`Call::new`].
    pub(super) unsafe fn infallible() -> Self {
        Self { error: std::ptr::null_mut() }
    }

    /// Does the work; what it fails with, a panic too, becomes the caller's error and the status.
    pub(super) fn guard(&self, body: impl FnOnce() -> Outcome) -> frazil_status {
        // What a panic leaves half done is behind the lock of a handle, which it has poisoned.
        let outcome = catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|panic| Err(panicked(&*panic)));
        match outcome {
            Ok(status) => status,
            Err(error) => {
                let status = error.status;
                if !self.error.is_null() {
                    self.give(Box::into_raw(error));
                }
                status
            }
        }
    }

    fn give(&self, error: *mut frazil_error) {
        if !self.error.is_null() {
            // SAFETY: not NULL, so by the promise of `new` there is room for a pointer.
            unsafe { self.error.write(error) };
        }
    }
}

fn panicked(panic: &(dyn Any + Send)) -> Box<frazil_error> {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    let message = format!("a fault in frazil: {}", text.unwrap_or("panic without a text"));
    frazil_error::new(frazil_status::FRAZIL_ERR_INTERNAL, message)
}

/// Panics, so that a C program can see what becomes of it; no part of the interface.
///
/// cbindgen:ignore
#[cfg(debug_assertions)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_test_panic(error: *mut *mut frazil_error) -> frazil_status {
    // SAFETY: the argument is the caller's.
    let call = unsafe { Call::new(error) };
    call.guard(|| panic!("on purpose"))
}

#[cfg(test)]
mod tests {
    use super::super::error::frazil_error_free;
    use super::*;

    /// What a call of this body returns and says.
    fn outcome(body: impl FnOnce() -> Outcome) -> (frazil_status, Option<String>) {
        // What was there before is not an error of ours, and not freed.
        let mut error = std::ptr::dangling_mut();
        // SAFETY: there is room for an error.
        let call = unsafe { Call::new(&raw mut error) };
        let status = call.guard(body);
        // SAFETY: NULL or an error.
        let said = unsafe { error.as_ref() }.map(|error| format!("{error:?}"));
        // SAFETY: as above, and freed once.
        unsafe { frazil_error_free(error) };
        (status, said)
    }

    #[test]
    fn success_leaves_no_error() {
        assert_eq!(outcome(|| Ok(frazil_status::FRAZIL_END)), (frazil_status::FRAZIL_END, None));
    }

    #[test]
    fn a_panic_of_any_kind_becomes_a_status_with_its_text() {
        type Body = fn() -> Outcome;
        let panics: [(Body, &str); 3] = [
            (|| panic!("as a literal"), "as a literal"),
            (|| panic!("as a {}", "string"), "as a string"),
            (|| std::panic::panic_any(7), "panic without a text"),
        ];
        for (body, text) in panics {
            let (status, said) = outcome(body);
            assert_eq!(status, frazil_status::FRAZIL_ERR_INTERNAL);
            assert!(said.is_some_and(|said| said.contains(text)), "{text}");
        }
    }

    #[test]
    fn a_failure_that_nobody_wants_to_hear_of_is_dropped() {
        // SAFETY: there is no place for an error.
        let call = unsafe { Call::new(std::ptr::null_mut()) };
        let status = call.guard(|| Err(frazil_error::new(frazil_status::FRAZIL_ERR_IO, "no")));
        assert_eq!(status, frazil_status::FRAZIL_ERR_IO);
    }
}
