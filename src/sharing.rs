//! Work that is shared out over threads.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, Scope};

use crate::threads::SignalsBlocked;

/// Fewer bytes than this are not worth a second thread: starting one costs some 20 microseconds.
const THREAD_BYTES_MIN: usize = 256 * 1024;

/// How many threads to use for `bytes` of work when the caller allows `threads`.
pub(crate) fn threads_for(bytes: usize, threads: usize) -> usize {
    threads.min(bytes / THREAD_BYTES_MIN).max(1)
}

/// Threads that are started beside this one, one by one as there is work for them; fewer where the system gives no
/// more. Only this one takes signals.
pub(crate) struct Helpers {
    wanted: usize,
    started: usize,
}

impl Helpers {
    /// None yet, of up to `threads` threads with this one.
    pub(crate) fn new(threads: usize) -> Self {
        Self { wanted: threads.saturating_sub(1), started: 0 }
    }

    /// Starts one more, if more are wanted; gives whether it did.
    pub(crate) fn start<'scope>(
        &mut self,
        scope: &'scope Scope<'scope, '_>,
        run: impl FnOnce() + Send + 'scope,
    ) -> bool {
        if self.started >= self.wanted {
            return false;
        }
        let _blocked = SignalsBlocked::new();
        let is_started = Builder::new().spawn_scoped(scope, run).is_ok();
        match is_started {
            true => self.started += 1,
            false => self.wanted = self.started,
        }
        is_started
    }
}

/// Does `work` to every share, on up to `threads` threads of which this is one. Where the system gives no
/// more threads, those that are there do all of it.
///
/// The threads live as long as the call: a process that forks between two calls finds nothing missing.
pub(crate) fn share_out<S>(shares: impl Iterator<Item = S> + Send, threads: usize, work: impl Fn(S) + Sync) {
    let shares = Mutex::new(shares);
    let next = || shares.lock().unwrap_or_else(PoisonError::into_inner).next();
    let run = || {
        while let Some(share) = next() {
            work(share);
        }
    };
    std::thread::scope(|scope| {
        let mut helpers = Helpers::new(threads);
        while helpers.start(scope, run) {}
        run();
    });
}

/// Does `work` to every job that `feed` gives, on up to `threads` threads of which this is one: it feeds, and works
/// where more waits than the others will soon take. The others are started once there is work for them.
///
/// The threads live as long as the call, as those of [`share_out`] do.
pub(crate) fn work_while_fed<J: Send, R>(
    threads: usize,
    work: impl Fn(J) + Sync,
    feed: impl FnOnce(&mut dyn FnMut(J)) -> R,
) -> R {
    let queue = Queue::default();
    let run = || {
        while let Some(job) = queue.take() {
            work(job);
        }
    };
    std::thread::scope(|scope| {
        // The others end even where `feed` panics.
        let open = Open(&queue);
        let mut helpers = Helpers::new(threads);
        let fed = feed(&mut |job| {
            let waiting = queue.put(job);
            if waiting > 1 {
                helpers.start(scope, run);
            }
            if waiting > helpers.started + 1
                && let Some(job) = queue.take_if_any()
            {
                work(job);
            }
        });
        drop(open);
        run();
        fed
    })
}

/// Jobs that wait for a thread.
struct Queue<J> {
    waiting: Mutex<Waiting<J>>,
    changed: Condvar,
}

struct Waiting<J> {
    jobs: VecDeque<J>,
    is_closed: bool,
}

impl<J> Default for Queue<J> {
    fn default() -> Self {
        Self { waiting: Mutex::new(Waiting { jobs: VecDeque::new(), is_closed: false }), changed: Condvar::new() }
    }
}

impl<J> Queue<J> {
    fn waiting(&self) -> MutexGuard<'_, Waiting<J>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a job behind the others; gives how many wait.
    fn put(&self, job: J) -> usize {
        let mut waiting = self.waiting();
        waiting.jobs.push_back(job);
        self.changed.notify_one();
        waiting.jobs.len()
    }

    /// The next job if one waits: who feeds must not wait for the next, which nobody else brings.
    fn take_if_any(&self) -> Option<J> {
        self.waiting().jobs.pop_front()
    }

    /// The next job; `None` when there will be none.
    fn take(&self) -> Option<J> {
        let open = |waiting: &mut Waiting<J>| waiting.jobs.is_empty() && !waiting.is_closed;
        let waiting = self.changed.wait_while(self.waiting(), open);
        waiting.unwrap_or_else(PoisonError::into_inner).jobs.pop_front()
    }
}

/// Closes the queue when it goes.
struct Open<'a, J>(&'a Queue<J>);

impl<J> Drop for Open<'_, J> {
    fn drop(&mut self) {
        self.0.waiting().is_closed = true;
        self.0.changed.notify_all();
    }
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

    #[test]
    fn every_job_that_is_fed_is_done_once_whatever_the_number_of_threads() {
        for threads in [1, 2, 7] {
            for jobs in [0, 1, 2, 100, 20_000] {
                let done: Vec<_> = (0..jobs).map(|_| AtomicUsize::new(0)).collect();
                let fed = work_while_fed(
                    threads,
                    |job: usize| {
                        done[job].fetch_add(1, Ordering::Relaxed);
                    },
                    |give| {
                        (0..jobs).for_each(give);
                        jobs
                    },
                );
                assert_eq!(fed, jobs);
                assert!(done.iter().all(|done| done.load(Ordering::Relaxed) == 1), "{jobs} jobs, {threads} threads");
            }
        }
    }

    #[test]
    fn who_feeds_works_where_there_are_no_other_threads_and_little_waits() {
        let (given, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
        work_while_fed(
            1,
            |()| {
                done.fetch_add(1, Ordering::Relaxed);
            },
            |give| {
                for _ in 0..50 {
                    give(());
                    let given = given.fetch_add(1, Ordering::Relaxed) + 1;
                    assert!(given - done.load(Ordering::Relaxed) <= 1);
                }
            },
        );
    }

    #[test]
    fn a_panic_of_who_feeds_ends_the_others() {
        let panicked = std::panic::catch_unwind(|| {
            work_while_fed(
                3,
                |()| (),
                |give| {
                    (0..10).for_each(|_| give(()));
                    panic!("fed up");
                },
            )
        });
        assert_eq!(panicked.unwrap_err().downcast_ref(), Some(&"fed up"));
    }
}
