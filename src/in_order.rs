//! Work that one thread gives out and takes back in order, and several do.

use std::any::Any;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::Result;
use crate::sharing::Helpers;

/// Gives out jobs, and takes them back done, in the order in which they were given.
pub(crate) trait InOrder {
    type Job: Send;
    type Done: Send;

    /// The next job; `None` when there will be none.
    fn give(&mut self) -> Result<Option<Self::Job>>;

    /// The next job that was done.
    fn take(&mut self, done: Self::Done) -> Result<()>;
}

/// How many jobs there are at once that were given and not taken back.
pub(crate) fn jobs_at_once(threads: usize) -> usize {
    // One for each thread and one that waits for it; alone, each job is taken back before the next is given.
    if threads > 1 { 2 * threads } else { 1 }
}

/// Does `work` to all jobs of `line`, on up to `threads` threads of which this is one: it gives, takes and, while
/// what it would take is not done, works. The others are started once there is work for them.
///
/// What fails first in the order of the jobs is what is returned: a failure of [`InOrder::give`] comes after all that
/// was given before has been taken. A panic of `work` goes on in this thread when its job would be taken.
///
/// The threads live as long as the call, as those of [`share_out`](crate::sharing::share_out) do.
pub(crate) fn work_in_order<L: InOrder>(
    threads: usize,
    line: &mut L,
    work: impl Fn(L::Job) -> L::Done + Sync,
) -> Result<()> {
    let belt = Belt::default();
    let work = |(number, job)| belt.put_done(number, catch_unwind(AssertUnwindSafe(|| work(job))));
    let run = || {
        while let Some(job) = belt.wait_for_job() {
            work(job);
        }
    };
    std::thread::scope(|scope| {
        // The others end however this does.
        let _open = Open(&belt);
        let mut helpers = Helpers::new(threads);
        let mut ended = None;
        loop {
            while ended.is_none() && belt.on_it() < jobs_at_once(threads) {
                // Giving may wait for whoever brings the work, who may wait for what was done.
                if let Some(done) = belt.next_if_done() {
                    line.take(done.unwrap_or_else(|panic| resume_unwind(panic)))?;
                    continue;
                }
                match line.give() {
                    Ok(Some(job)) => {
                        if belt.put(job) > 1 {
                            helpers.start(scope, run);
                        }
                    }
                    Ok(None) => ended = Some(Ok(())),
                    Err(error) => ended = Some(Err(error)),
                }
            }
            match belt.next() {
                Next::Done(Ok(done)) => line.take(done)?,
                Next::Done(Err(panic)) => resume_unwind(panic),
                Next::Job(number, job) => work((number, job)),
                Next::Nothing => return ended.unwrap_or(Ok(())),
            }
        }
    })
}

/// What the thread that takes can do next.
enum Next<J, D> {
    Done(Result<D, Box<dyn Any + Send>>),
    Job(u64, J),
    Nothing,
}

/// Jobs that wait for a thread, are with one, or are done and wait to be taken.
struct Belt<J, D> {
    state: Mutex<State<J, D>>,
    changed: Condvar,
}

struct State<J, D> {
    waiting: VecDeque<(u64, J)>,
    /// A place for each job that was given and not taken, in order.
    places: VecDeque<Option<Result<D, Box<dyn Any + Send>>>>,
    /// The number of the job at the first place.
    first: u64,
    is_closed: bool,
}

impl<J, D> State<J, D> {
    fn take_first(&mut self) -> Option<Result<D, Box<dyn Any + Send>>> {
        let done = self.places.front_mut()?.take()?;
        self.places.pop_front();
        self.first += 1;
        Some(done)
    }
}

impl<J, D> Default for Belt<J, D> {
    fn default() -> Self {
        let state = State { waiting: VecDeque::new(), places: VecDeque::new(), first: 0, is_closed: false };
        Self { state: Mutex::new(state), changed: Condvar::new() }
    }
}

impl<J, D> Belt<J, D> {
    fn state(&self) -> MutexGuard<'_, State<J, D>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many jobs were given and not taken.
    fn on_it(&self) -> usize {
        self.state().places.len()
    }

    /// Puts a job behind the others; gives how many wait for a thread.
    fn put(&self, job: J) -> usize {
        let mut state = self.state();
        let number = state.first + state.places.len() as u64;
        state.waiting.push_back((number, job));
        state.places.push_back(None);
        self.changed.notify_all();
        state.waiting.len()
    }

    fn put_done(&self, number: u64, done: Result<D, Box<dyn Any + Send>>) {
        let mut state = self.state();
        let place = usize::try_from(number - state.first).ok();
        if let Some(place) = place.and_then(|place| state.places.get_mut(place)) {
            *place = Some(done);
        }
        self.changed.notify_all();
    }

    /// The next job; `None` when there will be none.
    fn wait_for_job(&self) -> Option<(u64, J)> {
        let nothing = |state: &mut State<J, D>| state.waiting.is_empty() && !state.is_closed;
        let state = self.changed.wait_while(self.state(), nothing);
        state.unwrap_or_else(PoisonError::into_inner).waiting.pop_front()
    }

    /// The first job if it is done.
    fn next_if_done(&self) -> Option<Result<D, Box<dyn Any + Send>>> {
        self.state().take_first()
    }

    /// The first job if it is done, else one that waits, else the first when it is done.
    fn next(&self) -> Next<J, D> {
        let mut state = self.state();
        loop {
            if state.places.is_empty() {
                return Next::Nothing;
            }
            if let Some(done) = state.take_first() {
                return Next::Done(done);
            }
            if let Some((number, job)) = state.waiting.pop_front() {
                return Next::Job(number, job);
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// Closes the belt when it goes; what waits is left undone.
struct Open<'a, J, D>(&'a Belt<J, D>);

impl<J, D> Drop for Open<'_, J, D> {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.is_closed = true;
        state.waiting.clear();
        self.0.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::threads::blocks;
    use crate::{Error, ErrorKind};

    /// Numbers up to one, of which each must come back in its turn.
    struct Numbers {
        given: usize,
        taken: usize,
        /// Where giving, and taking, fails.
        give_until: (usize, bool),
        take_until: usize,
        most: usize,
    }

    impl Numbers {
        fn new(count: usize) -> Self {
            Self { given: 0, taken: 0, give_until: (count, false), take_until: usize::MAX, most: 0 }
        }
    }

    fn failed(what: &'static str) -> Error {
        Error::new(ErrorKind::Corrupt, what)
    }

    impl InOrder for Numbers {
        type Job = usize;
        type Done = usize;

        fn give(&mut self) -> Result<Option<usize>> {
            let (count, fails) = self.give_until;
            if self.given == count {
                return if fails { Err(failed("given")) } else { Ok(None) };
            }
            self.given += 1;
            self.most = self.most.max(self.given - self.taken);
            Ok(Some(self.given - 1))
        }

        fn take(&mut self, done: usize) -> Result<()> {
            assert_eq!(done, self.taken);
            if self.taken == self.take_until {
                return Err(failed("taken"));
            }
            self.taken += 1;
            Ok(())
        }
    }

    #[test]
    fn every_job_is_done_once_and_taken_in_order_and_few_are_on_their_way() {
        for threads in [1, 2, 7] {
            for jobs in [0, 1, 2, 100, 20_000] {
                let mut numbers = Numbers::new(jobs);
                let done = AtomicUsize::new(0);
                let work = |job| {
                    done.fetch_add(1, Ordering::Relaxed);
                    job
                };
                work_in_order(threads, &mut numbers, work).unwrap();
                assert_eq!((numbers.taken, done.into_inner()), (jobs, jobs), "{threads} threads");
                assert!(numbers.most <= jobs_at_once(threads), "{threads} threads, {} jobs", numbers.most);
            }
        }
    }

    #[test]
    fn the_first_failure_in_order_is_the_one_whatever_the_number_of_threads() {
        for threads in [1, 2, 7] {
            for (give_until, take_until, expected, taken) in [
                ((50, true), usize::MAX, "given", 50),
                ((50, true), 50, "given", 50),
                ((50, true), 49, "taken", 49),
                ((0, true), 0, "given", 0),
                ((50, false), 0, "taken", 0),
            ] {
                let mut numbers = Numbers { give_until, take_until, ..Numbers::new(0) };
                let error = work_in_order(threads, &mut numbers, |job| job).unwrap_err();
                assert_eq!(error.to_string(), failed(expected).to_string(), "{threads} threads");
                assert_eq!(numbers.taken, taken, "{threads} threads");
            }
        }
    }

    #[test]
    fn a_panic_of_the_work_goes_on_in_the_caller_in_its_turn() {
        for threads in [1, 3] {
            let mut numbers = Numbers::new(20);
            let panicked = catch_unwind(AssertUnwindSafe(|| {
                work_in_order(threads, &mut numbers, |job| if job == 7 { panic!("job {job}") } else { job })
            }));
            assert_eq!(panicked.unwrap_err().downcast_ref::<String>().unwrap(), "job 7");
            assert_eq!(numbers.taken, 7);
        }
    }

    #[test]
    fn only_the_caller_takes_signals() {
        let caller = std::thread::current().id();
        let all_started = Barrier::new(3);
        let work = |job| {
            if job < 3 {
                all_started.wait();
            }
            assert_eq!(blocks(libc::SIGTERM), std::thread::current().id() != caller);
            job
        };
        work_in_order(3, &mut Numbers::new(6), work).unwrap();
    }
}
