//! Observers in C: progress, problems that were survived, and a way to stop.

use std::ffi::{c_char, c_int, c_void};
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use super::call::Call;
use super::entry::frazil_entry;
use super::entry_report::frazil_entry_report;
use super::error::{FRAZIL_UNKNOWN, Outcome, frazil_error};
use super::sized::{Growing, size_through};
use super::stream::UserData;
use crate::{Error, ErrorKind, Observer, Progress};

/// How far an operation has come. Later versions may add fields at its end.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct frazil_progress {
    /// Bytes of the source (a level, a backup) or of the result (a patch) that are done.
    pub done_bytes: u64,
    /// What `done_bytes` will be at the end, or `FRAZIL_UNKNOWN`.
    pub total_bytes: u64,
    /// Bytes of the stream that were written (a level) or read (a patch) so far.
    pub stream_bytes: u64,
    /// Entries of a tree that are done, and counted anew while a restored level is published; 0 where there
    /// is no tree.
    pub entries: u64,
}

/// Who follows an operation. Make it with `frazil_observer_init` and set what you want.
///
/// The options that name it are copied with all that is in it; what `user_data` leads to must be there
/// until the handle is freed, or the function without a handle has returned. `progress` and `cancelled` are
/// called about once for each mebibyte of work and once more before it is complete; while a restored level
/// is published, which is not stopped any more, `progress` is for some hundred entries. All are called by
/// the thread that made the call, except those of a `frazil_restore`: they are called by the thread that it
/// has of its own, one at a time, from `frazil_restore_open` on until it is finished or freed, also while
/// the program is in no call at all. What they share with the program needs a lock.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct frazil_observer {
    /// The size of this struct, as `frazil_observer_init` sets it.
    pub size: usize,
    /// What every callback is given.
    pub user_data: *mut c_void,
    /// Some work was done. Any value but 0 stops the operation with `FRAZIL_ERR_CALLBACK`.
    pub progress: Option<unsafe extern "C" fn(user_data: *mut c_void, progress: *const frazil_progress) -> c_int>,
    /// Something went wrong that the operation survived: its result says *partial* or *dirty*. `problem` is
    /// not to be kept or freed. Any value but 0 stops the operation with `FRAZIL_ERR_CALLBACK`, soon after.
    pub problem: Option<unsafe extern "C" fn(user_data: *mut c_void, problem: *const frazil_error) -> c_int>,
    /// Whether to stop: any value but 0 does, with `FRAZIL_ERR_CANCELLED`.
    pub cancelled: Option<unsafe extern "C" fn(user_data: *mut c_void) -> c_int>,
    /// The backup of a tree has looked at an entry, or found it gone; what was passed over as unchanged is
    /// not told. `report` is not to be kept. Any value but 0 stops the operation with
    /// `FRAZIL_ERR_CALLBACK`, soon after.
    pub entry: Option<unsafe extern "C" fn(user_data: *mut c_void, report: *const frazil_entry_report) -> c_int>,
    /// Something is worth knowing and takes nothing from the result, as that a socket is not backed up; no
    /// summary counts it. `note` is not to be kept or freed. Any value but 0 stops the operation with
    /// `FRAZIL_ERR_CALLBACK`, soon after.
    pub note: Option<unsafe extern "C" fn(user_data: *mut c_void, note: *const frazil_error) -> c_int>,
    /// The restore of a tree has taken in what becomes of an entry, whose path is that in the destination.
    /// Nothing of it is there before the archive has proved to be whole; in a dry run, nothing will be.
    /// `entry` is not to be kept. Any value but 0 stops the operation with `FRAZIL_ERR_CALLBACK`, soon after.
    pub restoring: Option<unsafe extern "C" fn(user_data: *mut c_void, entry: *const frazil_entry) -> c_int>,
    /// The restore of a tree has found nothing at one of the `paths` of its options, and has published the
    /// rest; nothing stops it any more. Called by the thread that made the call, before that returns. `path`
    /// is not to be kept.
    pub missing: Option<unsafe extern "C" fn(user_data: *mut c_void, path: *const c_char)>,
}

// SAFETY: pointers and callbacks, which may be NULL.
unsafe impl Growing for frazil_observer {
    const FIRST_SIZE: usize = size_through!(Self, missing);
}

/// Makes an observer that does nothing, of `size` bytes: `sizeof (frazil_observer)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_observer_init(observer: *mut frazil_observer, size: usize) {
    // SAFETY: the arguments are the caller's, who keeps to the header.
    let call = unsafe { Call::infallible() };
    call.init(observer, size);
}

/// The observer of one operation.
struct Following {
    observer: frazil_observer,
    user_data: UserData,
    /// What a callback returned that wants to stop; 0 while none does.
    stopped: AtomicI32,
}

// SAFETY: of the observer only the functions are used, and its user data as `UserData` is.
unsafe impl Send for Following {}
// SAFETY: as above.
unsafe impl Sync for Following {}

impl Following {
    fn heed(&self, code: c_int) {
        if code != 0 {
            // The first one counts.
            let _ = self.stopped.compare_exchange(0, code, Ordering::Relaxed, Ordering::Relaxed);
        }
    }
}

impl Observer for Following {
    fn progress(&self, progress: &Progress) {
        let Some(callback) = self.observer.progress else { return };
        let progress = frazil_progress {
            done_bytes: progress.done_bytes,
            total_bytes: progress.total_bytes.unwrap_or(FRAZIL_UNKNOWN),
            stream_bytes: progress.stream_bytes,
            entries: progress.entries,
        };
        // SAFETY: the header asks for a callback that may be called so until the handle is freed.
        self.heed(unsafe { callback(self.user_data.0, &raw const progress) });
    }

    fn problem(&self, problem: &Error) {
        let Some(callback) = self.observer.problem else { return };
        let problem = Box::<frazil_error>::from(problem);
        // SAFETY: the header asks for a callback that may be called so until the handle is freed.
        self.heed(unsafe { callback(self.user_data.0, &raw const *problem) });
    }

    fn note(&self, note: &Error) {
        let Some(callback) = self.observer.note else { return };
        let note = Box::<frazil_error>::from(note);
        // SAFETY: the header asks for a callback that may be called so until the handle is freed.
        self.heed(unsafe { callback(self.user_data.0, &raw const *note) });
    }

    #[cfg(feature = "tree")]
    fn entry(&self, entry: &crate::EntryReport<'_>) {
        let Some(callback) = self.observer.entry else { return };
        let path = super::error::terminated(entry.path.as_os_str().as_encoded_bytes().to_vec());
        let report = frazil_entry_report::of(entry, &path);
        // SAFETY: the header asks for a callback that may be called so until the handle is freed.
        self.heed(unsafe { callback(self.user_data.0, &raw const report) });
    }

    /// What C cannot be told of, a name with a zero byte in it, the restore itself refuses.
    #[cfg(feature = "tree")]
    fn restoring(&self, entry: &crate::ArchiveEntry) {
        let Some(callback) = self.observer.restoring else { return };
        // SAFETY: the header asks for a callback that may be called so until the handle is freed.
        let told = super::told_entry::with_entry(entry, |entry| unsafe { callback(self.user_data.0, entry) });
        self.heed(told.unwrap_or(0));
    }

    fn cancelled(&self) -> bool {
        if self.stopped.load(Ordering::Relaxed) != 0 {
            return true;
        }
        let Some(callback) = self.observer.cancelled else { return false };
        // SAFETY: the header asks for a callback that may be called so until the handle is freed.
        unsafe { callback(self.user_data.0) != 0 }
    }
}

/// The observer of an operation, or none; kept to tell why it was stopped.
#[derive(Clone, Default)]
pub(super) struct Watching(Option<Arc<Following>>);

impl Watching {
    pub(super) fn observer(&self) -> Option<Arc<dyn Observer>> {
        self.0.clone().map(|following| following as Arc<dyn Observer>)
    }

    /// Tells of a path at which a restore has found nothing.
    #[cfg(feature = "tree")]
    pub(super) fn missing(&self, path: &std::path::Path) {
        let Some(following) = &self.0 else { return };
        let Some(callback) = following.observer.missing else { return };
        let path = super::error::terminated(path.as_os_str().as_encoded_bytes().to_vec());
        // SAFETY: the header asks for a callback that may be called so until the handle is freed.
        unsafe { callback(following.user_data.0, path.as_ptr()) }
    }

    /// Whether there is anybody who could want to stop.
    pub(super) fn can_stop(&self) -> bool {
        self.0.as_ref().is_some_and(|following| following.observer.cancelled.is_some())
    }

    /// Fails if the observer wants to stop.
    pub(super) fn check(&self) -> crate::Result<()> {
        match &self.0 {
            Some(following) if following.cancelled() => {
                Err(Error::new(ErrorKind::Cancelled, "stopped by the observer"))
            }
            _ => Ok(()),
        }
    }

    /// The failure as the caller knows it: by what a callback returned if that is what it comes of.
    /// Says that it was met while `doing` something, unless it says so itself.
    pub(super) fn explain(&self, doing: &'static str, error: impl Into<Error>) -> Box<frazil_error> {
        let error = error.into().while_doing(doing);
        let made = Box::<frazil_error>::from(&error);
        let code = self.0.as_ref().map_or(0, |following| following.stopped.load(Ordering::Relaxed));
        if error.kind() == ErrorKind::Cancelled && code != 0 { made.of_callback(code) } else { made }
    }
}

impl Call {
    pub(super) fn watching(&self, observer: *const frazil_observer) -> Outcome<Watching> {
        if observer.is_null() {
            return Ok(Watching::default());
        }
        let observer = self.options(observer, "observer")?;
        let user_data = UserData(observer.user_data);
        Ok(Watching(Some(Arc::new(Following { observer, user_data, stopped: AtomicI32::new(0) }))))
    }
}

#[cfg(test)]
mod tests {
    use super::super::status::frazil_status;
    use super::*;

    unsafe extern "C" fn stop(_: *mut c_void, _: *const frazil_progress) -> c_int {
        -3
    }

    #[test]
    fn an_observer_that_stops_is_told_by_what_it_returned() {
        // SAFETY: the observer is good.
        let call = unsafe { Call::infallible() };
        let size = size_of::<frazil_observer>();
        let user_data = std::ptr::null_mut();
        // SAFETY: zeros are valid.
        let nobody: frazil_observer = unsafe { std::mem::zeroed() };
        let observer = frazil_observer { size, user_data, progress: Some(stop), ..nobody };
        let watching = call.watching(&raw const observer).unwrap();
        let following = watching.observer().unwrap();
        assert!(!following.cancelled());
        following.progress(&Progress::default());
        assert!(following.cancelled());
        let failed = watching.explain("testing", Error::new(ErrorKind::Cancelled, "stopped by the observer"));
        assert_eq!(failed.status, frazil_status::FRAZIL_ERR_CALLBACK);
        let failed = watching.explain("testing", Error::new(ErrorKind::Corrupt, "another reason"));
        assert_eq!(failed.status, frazil_status::FRAZIL_ERR_CORRUPT);
    }
}
