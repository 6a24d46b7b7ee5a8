//! Writes what was made while the next is made: write-behind.

use std::io;
use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, Scope, ScopedJoinHandle};

use crate::threads::SignalsBlocked;

/// As much as is written at once, or more.
const PIECE_LEN: usize = 256 * 1024;

/// Makes what is to be written.
pub(crate) trait Making {
    /// What was made, and is or was written.
    type Piece: Default + Send;

    /// Does the next of the work.
    fn advance(&mut self) -> io::Result<()>;

    /// Whether all was made.
    fn is_ended(&self) -> bool;

    /// Bytes that were made and not taken.
    fn ready_len(&self) -> usize;

    /// Puts what is ready into a piece that was written before, or an empty one, and keeps its memory.
    fn take(&mut self, piece: &mut Self::Piece);
}

/// Makes everything, and writes each piece while the next is made. There are two in all: one is made, in memory of the
/// maker's own, and one is written.
///
/// Where more than one thread is allowed, and the system gives another, that one writes, beginning with the second
/// piece; it lives as long as the call.
///
/// What fails first in the order of the pieces is what is returned: what was made before a failure is written. That
/// writing has failed is found before more is made. A panic of `write` goes on in this thread.
pub(crate) fn write_behind<M: Making>(
    threads: usize,
    maker: &mut M,
    write: impl FnMut(&mut M::Piece) -> io::Result<()> + Send,
) -> io::Result<()> {
    // It is this thread's until there is another, and that one's from then on.
    let write = Mutex::new(write);
    std::thread::scope(|scope| {
        let mut other: Option<Other<'_, M::Piece>> = None;
        let mut is_first = true;
        let mut piece = M::Piece::default();
        let mut made = Ok(());
        loop {
            while made.is_ok() && !maker.is_ended() && maker.ready_len() < PIECE_LEN {
                if other.as_ref().is_some_and(Other::has_failed) {
                    break;
                }
                made = maker.advance();
            }
            let is_last = made.is_err() || maker.is_ended();
            if threads > 1 && !std::mem::take(&mut is_first) && !is_last && other.is_none() {
                other = Other::start(scope, &write, std::mem::take(&mut piece));
            }
            match &other {
                // It ends early only where writing has failed, and says how.
                Some(other) if !other.write(|piece| maker.take(piece)) => break,
                Some(_) => {}
                None => {
                    maker.take(&mut piece);
                    locked(&write)(&mut piece)?;
                }
            }
            if is_last {
                break;
            }
        }
        other.map_or(Ok(()), Other::end)?;
        made
    })
}

fn locked<W>(write: &Mutex<W>) -> MutexGuard<'_, W> {
    write.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The thread that writes.
struct Other<'scope, P> {
    pieces: Sender<P>,
    /// The piece that was written last, once it was.
    written: Receiver<P>,
    thread: ScopedJoinHandle<'scope, io::Result<()>>,
}

impl<'scope, P: Send> Other<'scope, P> {
    /// Starts it with a piece that was written before; `None` where no thread is to be had.
    fn start<W>(scope: &'scope Scope<'scope, '_>, write: &'scope Mutex<W>, first: P) -> Option<Self>
    where
        P: 'scope,
        W: FnMut(&mut P) -> io::Result<()> + Send,
    {
        let (pieces, to_write) = channel::<P>();
        let (give_back, written) = channel();
        let run = move || {
            let mut write = locked(write);
            let _ = give_back.send(first);
            while let Ok(mut piece) = to_write.recv() {
                write(&mut piece)?;
                // Who makes may have ended.
                let _ = give_back.send(piece);
            }
            Ok(())
        };
        let _blocked = SignalsBlocked::new();
        let thread = Builder::new().name("frazil-write".to_owned()).spawn_scoped(scope, run).ok()?;
        Some(Self { pieces, written, thread })
    }

    fn has_failed(&self) -> bool {
        self.thread.is_finished()
    }

    /// Hands over what `take` takes, once what came before was written; gives whether it was.
    fn write(&self, take: impl FnOnce(&mut P)) -> bool {
        let Ok(mut piece) = self.written.recv() else { return false };
        take(&mut piece);
        self.pieces.send(piece).is_ok()
    }

    /// Waits until all was written.
    fn end(self) -> io::Result<()> {
        drop(self.pieces);
        self.thread.join().unwrap_or_else(|panic| resume_unwind(panic))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::threads::blocks;

    /// Makes pieces of the numbers below `count`, and fails then, if it is to.
    struct Numbers {
        count: u8,
        fails: bool,
        next: u8,
        ready: Vec<u8>,
        /// How many pieces it was given that were new.
        new: usize,
    }

    impl Numbers {
        fn new(count: u8, fails: bool) -> Self {
            Self { count, fails, next: 0, ready: Vec::new(), new: 0 }
        }
    }

    impl Making for Numbers {
        type Piece = (bool, Vec<u8>);

        fn advance(&mut self) -> io::Result<()> {
            if self.next == self.count {
                return Err(io::Error::other("nothing can be made"));
            }
            self.ready = vec![self.next; usize::from(self.next) + 1];
            self.next += 1;
            Ok(())
        }

        fn is_ended(&self) -> bool {
            self.next == self.count && !self.fails
        }

        fn ready_len(&self) -> usize {
            if self.ready.is_empty() { 0 } else { PIECE_LEN }
        }

        fn take(&mut self, (is_known, piece): &mut (bool, Vec<u8>)) {
            self.new += usize::from(!std::mem::replace(is_known, true));
            *piece = std::mem::take(&mut self.ready);
        }
    }

    /// Writes `count` pieces where `most` bytes find room; then nothing can be made, if it is to fail. Gives what
    /// failed, and what was written.
    fn written(threads: usize, count: u8, fails: bool, most: usize) -> (Option<String>, Vec<u8>) {
        let mut taken = Vec::new();
        let write = |(_, piece): &mut (bool, Vec<u8>)| {
            let len = piece.len().min(most - taken.len());
            taken.extend_from_slice(&piece[..len]);
            if len == piece.len() { Ok(()) } else { Err(io::Error::other("the sink is full")) }
        };
        let result = write_behind(threads, &mut Numbers::new(count, fails), write);
        (result.err().map(|error| error.to_string()), taken)
    }

    fn pieces(count: u8) -> Vec<u8> {
        (0..count).flat_map(|number| vec![number; usize::from(number) + 1]).collect()
    }

    #[test]
    fn everything_is_written_in_order_whatever_the_number_of_threads() {
        for threads in [1, 2, 3] {
            for count in [0, 1, 2, 3, 200] {
                assert_eq!(written(threads, count, false, usize::MAX), (None, pieces(count)), "{count} pieces");
            }
        }
    }

    #[test]
    fn what_was_made_before_a_failure_is_written_and_what_fails_first_is_told() {
        let told = |what: &str| Some(what.to_owned());
        for threads in [1, 2] {
            for count in [0, 1, 2, 3, 200] {
                let all = pieces(count);
                let expected = (told("nothing can be made"), all.clone());
                assert_eq!(written(threads, count, true, usize::MAX), expected, "{count} pieces");
                for most in (0..all.len()).step_by(all.len() / 7 + 1) {
                    for fails in [false, true] {
                        let expected = (told("the sink is full"), all[..most].to_vec());
                        assert_eq!(written(threads, count, fails, most), expected, "{most} bytes of {count} pieces");
                    }
                }
            }
        }
    }

    #[test]
    fn the_first_piece_is_written_here_and_the_others_by_one_thread_that_takes_no_signals() {
        let who = || (std::thread::current().id(), blocks(libc::SIGTERM));
        let here = who();
        for (threads, is_other) in [(1, false), (2, true), (9, true)] {
            let mut writers = Vec::new();
            let mut numbers = Numbers::new(4, false);
            let write = |_: &mut _| {
                writers.push(who());
                Ok(())
            };
            write_behind(threads, &mut numbers, write).unwrap();
            assert_eq!((writers.len(), writers[0]), (4, here));
            let other = writers[1];
            assert_eq!((other.0 != here.0, other.1), (is_other, is_other || here.1));
            assert_eq!(writers[1..], [other; 3]);
            // Beside the maker's own.
            assert_eq!(numbers.new, 1);
        }
    }

    #[test]
    fn a_panic_of_the_writer_goes_on_here() {
        for threads in [1, 2] {
            let panic = std::panic::catch_unwind(|| {
                let mut number = 0;
                let write = move |_: &mut _| {
                    number += 1;
                    assert!(number < 3, "the sink has panicked");
                    Ok(())
                };
                write_behind(threads, &mut Numbers::new(200, false), write)
            });
            assert_eq!(*panic.unwrap_err().downcast::<&str>().unwrap(), "the sink has panicked");
        }
    }
}
