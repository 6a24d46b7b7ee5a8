//! Work that is shared out over threads.

use std::sync::{Mutex, PoisonError};
use std::thread::Builder;

use crate::threads::SignalsBlocked;

/// Fewer bytes than this are not worth a second thread: starting one costs some 20 microseconds.
const THREAD_BYTES_MIN: usize = 256 * 1024;

/// How many threads to use for `bytes` of work when the caller allows `threads`.
pub(super) fn threads_for(bytes: usize, threads: usize) -> usize {
    threads.min(bytes / THREAD_BYTES_MIN).max(1)
}

/// Does `work` to every share, on up to `threads` threads of which this is one. Where the system gives no
/// more threads, those that are there do all of it.
///
/// The threads live as long as the call: a process that forks between two calls finds nothing missing.
pub(super) fn share_out<S>(shares: impl Iterator<Item = S> + Send, threads: usize, work: impl Fn(S) + Sync) {
    let shares = Mutex::new(shares);
    let next = || shares.lock().unwrap_or_else(PoisonError::into_inner).next();
    let run = || {
        while let Some(share) = next() {
            work(share);
        }
    };
    std::thread::scope(|scope| {
        let blocked = SignalsBlocked::new();
        for _ in 1..threads {
            if Builder::new().spawn_scoped(scope, run).is_err() {
                break;
            }
        }
        drop(blocked);
        run();
    });
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::threads::blocks;

    #[test]
    fn only_the_caller_takes_signals() {
        let caller = std::thread::current().id();
        let all_started = std::sync::Barrier::new(3);
        share_out(0..3, 3, |_| {
            all_started.wait();
            assert_eq!(blocks(libc::SIGTERM), std::thread::current().id() != caller);
        });
    }

    #[test]
    fn every_share_is_done_once_whatever_the_number_of_threads() {
        for threads in [1, 2, 7, 100] {
            let mut done = [0; 20];
            let count = AtomicUsize::new(0);
            share_out(done.iter_mut().enumerate(), threads, |(place, share)| {
                *share += place;
                count.fetch_add(1, Ordering::Relaxed);
            });
            assert_eq!(done, std::array::from_fn(|place| place));
            assert_eq!(count.into_inner(), 20);
        }
    }
}
