//! Threads that the library starts: they take no signals, which are for the program's own.
#![expect(unsafe_code, reason = "the mask of a thread's signals is C's")]

use std::marker::PhantomData;
use std::mem::MaybeUninit;

/// What a thread does to itself; blocked, they would end the process without asking its handlers.
const FAULTS: [libc::c_int; 6] = [libc::SIGSEGV, libc::SIGBUS, libc::SIGFPE, libc::SIGILL, libc::SIGTRAP, libc::SIGSYS];

/// As long as it lives, this thread takes no signals, nor do those that it starts meanwhile, as long as they live.
///
/// A handler would else run on any thread that does not block its signal. Programs rely on its being one of
/// theirs: for what is kept by thread, and for the call that it is to interrupt.
pub(crate) struct SignalsBlocked {
    before: libc::sigset_t,
    /// It is this thread's.
    _here: PhantomData<*const ()>,
}

impl SignalsBlocked {
    pub(crate) fn new() -> Self {
        let mut blocked = MaybeUninit::uninit();
        // SAFETY: there is room for a set.
        unsafe { libc::sigfillset(blocked.as_mut_ptr()) };
        for fault in FAULTS {
            // SAFETY: it was filled.
            unsafe { libc::sigdelset(blocked.as_mut_ptr(), fault) };
        }
        let mut before = MaybeUninit::uninit();
        // It fails for another first argument alone.
        // SAFETY: the one is a set, and there is room for the other.
        unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, blocked.as_ptr(), before.as_mut_ptr()) };
        // SAFETY: it was filled by the call.
        Self { before: unsafe { before.assume_init() }, _here: PhantomData }
    }
}

impl Drop for SignalsBlocked {
    fn drop(&mut self) {
        // SAFETY: the mask that this thread had; nothing is asked for in return.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const self.before, std::ptr::null_mut()) };
    }
}

/// Whether this thread blocks a signal.
#[cfg(test)]
pub(crate) fn blocks(signal: libc::c_int) -> bool {
    let mut mask = MaybeUninit::uninit();
    // SAFETY: nothing is set, and there is room for the mask.
    unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, std::ptr::null(), mask.as_mut_ptr()) };
    // SAFETY: it was filled by the call.
    unsafe { libc::sigismember(mask.as_ptr(), signal) == 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_started_takes_no_signals_but_its_own_faults_and_the_starter_is_as_it_was() {
        let masked = SignalsBlocked::new();
        let started = std::thread::spawn(|| {
            [libc::SIGTERM, libc::SIGUSR1, libc::SIGPROF].iter().all(|&signal| blocks(signal))
                && !FAULTS.iter().any(|&fault| blocks(fault))
        });
        drop(masked);
        assert!(started.join().unwrap());
        assert!(!blocks(libc::SIGTERM) && !blocks(libc::SIGUSR1));
    }

    #[test]
    fn what_was_blocked_before_stays_so() {
        std::thread::spawn(|| {
            let _outer = SignalsBlocked::new();
            drop(SignalsBlocked::new());
            assert!(blocks(libc::SIGUSR1));
        })
        .join()
        .unwrap();
    }
}
