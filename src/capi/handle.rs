//! What stands behind an opaque pointer.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, MutexGuard, TryLockError};
use std::thread::ThreadId;

use super::error::{Outcome, frazil_error};
use super::status::frazil_status;

/// Work that goes on from call to call, until it is finished or freed.
///
/// One call at a time may use it. Another, from a second thread or from a callback of the first, is
/// refused rather than kept waiting: it would wait for ever in a callback. Work that has a thread of its
/// own calls back from there, whether a call is under way or not, so that thread is always refused.
pub(super) struct Handle<T> {
    /// What it is, in messages.
    name: &'static str,
    work: Mutex<Option<T>>,
    /// The thread that the work has of its own.
    worker: Option<ThreadId>,
}

impl<T> Handle<T> {
    pub(super) fn new(name: &'static str, work: T) -> Self {
        Self { name, work: Mutex::new(Some(work)), worker: None }
    }

    /// Work that has a thread of its own.
    #[cfg(feature = "tree")]
    pub(super) fn with_worker(name: &'static str, worker: Option<ThreadId>, work: T) -> Self {
        Self { worker, ..Self::new(name, work) }
    }

    /// Does some of the work.
    pub(super) fn work<R>(&self, some: impl FnOnce(&mut T) -> Outcome<R>) -> Outcome<R> {
        let mut work = self.lock()?;
        some(work.as_mut().ok_or_else(|| self.state("is finished"))?)
    }

    /// Does some of the work, of which nothing more can be done if it fails.
    pub(super) fn work_or_end<R>(&self, some: impl FnOnce(&mut T) -> Outcome<R>) -> Outcome<R> {
        let mut work = self.lock()?;
        let result = some(work.as_mut().ok_or_else(|| self.state("is finished"))?);
        if result.is_err() {
            *work = None;
        }
        result
    }

    /// Does the last of the work, whatever comes of it.
    pub(super) fn finish<R>(&self, last: impl FnOnce(T) -> Outcome<R>) -> Outcome<R> {
        let mut work = self.lock()?;
        last(work.take().ok_or_else(|| self.state("is finished"))?)
    }

    fn lock(&self) -> Outcome<MutexGuard<'_, Option<T>>> {
        if self.is_called_back() {
            return Err(self.state("cannot be used by its own callback"));
        }
        self.work.try_lock().map_err(|error| self.refuse(&error))
    }

    fn is_called_back(&self) -> bool {
        self.worker.is_some_and(|worker| worker == std::thread::current().id())
    }

    /// Whether a call is using it, or one of its own callbacks asks.
    fn is_in_use(&self) -> bool {
        self.is_called_back() || matches!(self.work.try_lock(), Err(TryLockError::WouldBlock))
    }

    fn refuse<G>(&self, error: &TryLockError<G>) -> Box<frazil_error> {
        self.state(match error {
            TryLockError::WouldBlock => "is in use by another call",
            TryLockError::Poisoned(_) => "was left by a fault",
        })
    }

    fn state(&self, what: &str) -> Box<frazil_error> {
        frazil_error::new(frazil_status::FRAZIL_ERR_STATE, format!("the {} {what}", self.name))
    }
}

/// Gives an object out to C.
pub(super) fn give<T>(object: T) -> *mut T {
    Box::into_raw(Box::new(object))
}

/// Frees what [`give`] gave out; NULL is nothing.
///
/// # Safety
///
/// `object` is NULL or came from [`give`], or from a box, and is not used after.
pub(super) unsafe fn free<T>(object: *mut T) {
    if object.is_null() {
        return;
    }
    // SAFETY: it came from a box and nobody else has it.
    let object = unsafe { Box::from_raw(object) };
    // There is nobody to tell of a fault.
    let _ = catch_unwind(AssertUnwindSafe(|| drop(object)));
}

/// Frees an object around a handle, unless a call is using it: one that is freed by its own callback
/// stays, which loses its memory and nothing else.
///
/// # Safety
///
/// As [`free`].
pub(super) unsafe fn free_handle<H: AsRef<Handle<T>>, T>(object: *mut H) {
    // SAFETY: NULL, or it came from a box and is there still.
    let in_use = unsafe { object.as_ref() }.is_some_and(|object| object.as_ref().is_in_use());
    if !in_use {
        // SAFETY: as the caller promises.
        unsafe { free(object) };
    }
}

/// Declares the object around a handle, which is opaque in C.
macro_rules! handle_of {
    ($object:ty, $work:ty) => {
        impl AsRef<Handle<$work>> for $object {
            fn as_ref(&self) -> &Handle<$work> {
                &self.0
            }
        }

        const _: () = {
            const fn is_send<T: Send + Sync>() {}
            is_send::<$object>()
        };
    };
}
pub(super) use handle_of;

#[cfg(test)]
mod tests {
    use super::*;

    fn status<T>(outcome: Outcome<T>) -> frazil_status {
        outcome.err().map_or(frazil_status::FRAZIL_OK, |error| error.status)
    }

    #[test]
    fn a_finished_handle_refuses_work_and_another_finish() {
        let handle = Handle::new("thing", 7);
        let counted = handle.work(|work| {
            *work += 1;
            Ok(())
        });
        assert_eq!(status(counted), frazil_status::FRAZIL_OK);
        assert_eq!(handle.finish(Ok).unwrap(), 8);
        assert_eq!(status(handle.work(|_| Ok(()))), frazil_status::FRAZIL_ERR_STATE);
        assert_eq!(status(handle.finish(Ok)), frazil_status::FRAZIL_ERR_STATE);
    }

    #[test]
    fn a_handle_in_use_refuses_a_call_from_within() {
        let handle = Handle::new("thing", ());
        for inner in
            [handle.work(|()| Ok(status(handle.work(|()| Ok(()))))), handle.finish(|()| Ok(status(handle.finish(Ok))))]
        {
            assert_eq!(inner.unwrap(), frazil_status::FRAZIL_ERR_STATE);
        }
    }

    #[test]
    #[cfg(feature = "tree")]
    fn a_thread_of_the_work_itself_is_refused_while_no_call_is_under_way() {
        let handle = Handle::with_worker("thing", Some(std::thread::current().id()), ());
        assert!(handle.is_in_use());
        assert_eq!(status(handle.work(|()| Ok(()))), frazil_status::FRAZIL_ERR_STATE);
        assert_eq!(status(handle.finish(Ok)), frazil_status::FRAZIL_ERR_STATE);
        std::thread::scope(|scope| {
            scope.spawn(|| assert_eq!(status(handle.finish(Ok)), frazil_status::FRAZIL_OK));
        });
    }

    #[test]
    fn what_a_fault_left_is_not_worked_on() {
        let handle = Handle::new("thing", ());
        let fault = catch_unwind(AssertUnwindSafe(|| status(handle.work::<()>(|()| panic!("on purpose")))));
        assert!(fault.is_err());
        assert_eq!(status(handle.work(|()| Ok(()))), frazil_status::FRAZIL_ERR_STATE);
    }

    #[test]
    fn work_that_ends_with_its_failure_is_finished() {
        let handle = Handle::new("thing", ());
        let failed = handle.work_or_end::<()>(|()| Err(frazil_error::new(frazil_status::FRAZIL_ERR_IO, "no")));
        assert_eq!(status(failed), frazil_status::FRAZIL_ERR_IO);
        assert_eq!(status(handle.finish(Ok)), frazil_status::FRAZIL_ERR_STATE);
    }
}
