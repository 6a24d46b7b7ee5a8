//! A thread that makes things ahead of who takes them.

use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::JoinHandle;

use crate::threads::SignalsBlocked;
use crate::{Error, ErrorKind, Result};

/// How many things wait to be taken.
const CHANNEL_LEN: usize = 1;

/// Gives what its thread makes, which lives until it has made the last or until this is dropped.
pub(super) struct Ahead<T> {
    /// `None` once the last was taken.
    made: Option<Receiver<Result<Option<T>>>>,
    thread: Option<JoinHandle<()>>,
    process: u32,
}

impl<T: Send + 'static> Ahead<T> {
    /// Calls `make` with `state` on a thread of this name until it gives none or fails. Where no thread is to be had,
    /// `state` comes back.
    pub(super) fn start<S: Send + 'static>(
        name: &str,
        state: S,
        mut make: impl FnMut(&mut S) -> Result<Option<T>> + Send + 'static,
    ) -> Result<Self, S> {
        let (sender, made) = sync_channel(CHANNEL_LEN);
        let (hand_over, taken) = sync_channel(1);
        let run = move || {
            let Ok(mut state) = taken.recv() else { return };
            loop {
                let next = make(&mut state);
                let is_last = !matches!(next, Ok(Some(_)));
                if sender.send(next).is_err() || is_last {
                    return;
                }
            }
        };
        let blocked = SignalsBlocked::new();
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(run);
        drop(blocked);
        let Ok(thread) = thread else { return Err(state) };
        // It waits for it.
        hand_over.send(state).map_err(|unsent| unsent.0)?;
        Ok(Self { made: Some(made), thread: Some(thread), process: std::process::id() })
    }

    /// The next, in the order in which they were made; none after the last, and after a failure.
    pub(super) fn next(&mut self) -> Result<Option<T>> {
        let Some(made) = &self.made else { return Ok(None) };
        if self.is_elsewhere() {
            // Nobody here would ever make the next.
            return Err(Error::new(ErrorKind::State, "began in the process that this one was forked from"));
        }
        let next = made.recv();
        if !matches!(next, Ok(Ok(Some(_)))) {
            self.made = None;
        }
        next.unwrap_or_else(|_| {
            // It ended before it said so: the end of the thread is not the end of what it makes.
            if let Some(Err(panic)) = self.thread.take().map(JoinHandle::join) {
                std::panic::resume_unwind(panic);
            }
            Err(Error::new(ErrorKind::Internal, "a thread ended before its work"))
        })
    }
}

impl<T> Ahead<T> {
    /// Whether the process was forked since: of the threads, the child has only the one that forked.
    fn is_elsewhere(&self) -> bool {
        self.process != std::process::id()
    }
}

impl<T> Drop for Ahead<T> {
    fn drop(&mut self) {
        self.made = None;
        if !self.is_elsewhere()
            && let Some(thread) = self.thread.take()
        {
            // A panic that nobody waited for has been told by its hook.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn everything_comes_in_order_and_then_nothing() {
        let mut ahead = Ahead::start("test", 0..1_000, |numbers| Ok(numbers.next())).unwrap();
        for number in 0..1_000 {
            assert_eq!(ahead.next().unwrap(), Some(number));
        }
        assert_eq!((ahead.next().unwrap(), ahead.next().unwrap()), (None, None));
    }

    #[test]
    fn a_failure_comes_in_its_place_and_is_the_end() {
        let results = vec![Err(Error::new(ErrorKind::Limit, "no more")), Ok(Some(2)), Ok(Some(1))];
        let mut ahead = Ahead::start("test", results, |results| results.pop().unwrap()).ok().unwrap();
        assert_eq!((ahead.next().unwrap(), ahead.next().unwrap()), (Some(1), Some(2)));
        assert_eq!(ahead.next().unwrap_err().kind(), ErrorKind::Limit);
        assert_eq!(ahead.next().unwrap(), None);
    }

    #[test]
    #[should_panic(expected = "made nothing")]
    fn a_panic_comes_out_and_is_not_taken_for_the_end() {
        let mut ahead = Ahead::<u32>::start("test", (), |()| panic!("made nothing")).unwrap();
        let _ = ahead.next();
    }

    #[test]
    fn no_more_is_made_than_waits_and_dropping_it_ends_the_thread() {
        let made = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&made);
        let mut ahead =
            Ahead::start("test", counter, |counter| Ok(Some(counter.fetch_add(1, Ordering::SeqCst)))).unwrap();
        for number in 0..100 {
            assert_eq!(ahead.next().unwrap(), Some(number));
            // One more is being handed over.
            assert!(made.load(Ordering::SeqCst) <= number + CHANNEL_LEN + 2);
        }
        drop(ahead);
        assert_eq!(Arc::strong_count(&made), 1, "what the thread held is gone");
    }
}
