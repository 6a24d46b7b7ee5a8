//! Writes what was made while the next is made: write-behind.

use std::io;
use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, Scope, ScopedJoinHandle};

use crate::threads::SignalsBlocked;

/// Does `write` to the pieces that `make` makes one after the other, until it says that no more is to come. What `make`
/// is given is a piece that was written, whose memory it may use again, or an empty one.
///
/// Where more than one thread is allowed, and the system gives another, that one writes, beginning with the second
/// piece. It lives as long as the call, and no piece waits beside the one that it writes and the one that is made.
///
/// What fails first in the order of the pieces is what is returned: what `make` has made when it fails is written before.
/// A panic of `write` goes on in this thread.
pub(crate) fn write_behind<P: Default + Send>(
    threads: usize,
    write: impl FnMut(&mut P) -> io::Result<()> + Send,
    mut make: impl FnMut(&mut P) -> io::Result<bool>,
) -> io::Result<()> {
    let write = Mutex::new(write);
    std::thread::scope(|scope| {
        let mut other = None;
        let mut is_first = true;
        let mut piece = P::default();
        let made = loop {
            let more = make(&mut piece);
            if threads > 1 && !std::mem::take(&mut is_first) && other.is_none() && matches!(more, Ok(true)) {
                other = Other::start(scope, &write);
            }
            match &other {
                Some(other) => match other.write(piece) {
                    Some(spare) => piece = spare,
                    // It ends early only where writing has failed, and says how.
                    None => break Ok(()),
                },
                None => locked(&write)(&mut piece)?,
            }
            match more {
                Ok(true) => {}
                Ok(false) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        other.map_or(Ok(()), Other::end)?;
        made
    })
}

fn locked<W>(write: &Mutex<W>) -> MutexGuard<'_, W> {
    write.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The thread that writes.
struct Other<'scope, P> {
    pieces: SyncSender<P>,
    written: Receiver<P>,
    thread: ScopedJoinHandle<'scope, io::Result<()>>,
}

impl<'scope, P: Default + Send> Other<'scope, P> {
    /// `None` where no thread is to be had.
    fn start<W>(scope: &'scope Scope<'scope, '_>, write: &'scope Mutex<W>) -> Option<Self>
    where
        P: 'scope,
        W: FnMut(&mut P) -> io::Result<()> + Send,
    {
        let (pieces, to_write) = sync_channel::<P>(0);
        let (give_back, written) = channel();
        let run = move || {
            let mut write = locked(write);
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

    /// Hands a piece over once the one before it was written, and gives one; `None` once writing has failed.
    fn write(&self, piece: P) -> Option<P> {
        self.pieces.send(piece).ok()?;
        Some(self.written.try_recv().unwrap_or_default())
    }

    /// Waits until all was written.
    fn end(self) -> io::Result<()> {
        drop(self.pieces);
        self.thread.join().unwrap_or_else(|panic| resume_unwind(panic))
    }
}

#[cfg(test)]
mod tests {
    use std::thread::ThreadId;

    use super::*;
    use crate::threads::blocks;

    /// Writes pieces of the numbers below `count` where `most` bytes find room; then `make` fails, if it is to. Gives
    /// what failed, and what was written.
    fn written(threads: usize, count: u8, fails: bool, most: usize) -> (Option<String>, Vec<u8>) {
        let (mut taken, mut next) = (Vec::new(), 0);
        let write = |piece: &mut Vec<u8>| {
            let len = piece.len().min(most - taken.len());
            taken.extend_from_slice(&piece[..len]);
            if len == piece.len() { Ok(()) } else { Err(io::Error::other("the sink is full")) }
        };
        let result = write_behind(threads, write, |piece| {
            piece.clear();
            if next == count {
                return if fails { Err(io::Error::other("nothing can be made")) } else { Ok(false) };
            }
            piece.resize(usize::from(next) + 1, next);
            next += 1;
            Ok(true)
        });
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
            let (mut writers, mut left): (Vec<(ThreadId, bool)>, _) = (Vec::new(), 4);
            let write = |(): &mut ()| {
                writers.push(who());
                Ok(())
            };
            write_behind(threads, write, |()| {
                left -= 1;
                Ok(left > 0)
            })
            .unwrap();
            assert_eq!((writers.len(), writers[0]), (4, here));
            let other = writers[1];
            assert_eq!((other.0 != here.0, other.1), (is_other, is_other || here.1));
            assert_eq!(writers[1..], [other; 3]);
        }
    }

    #[test]
    fn a_panic_of_the_writer_goes_on_here() {
        for threads in [1, 2] {
            let panic = std::panic::catch_unwind(|| {
                let mut number = 0;
                let write = move |(): &mut ()| {
                    number += 1;
                    assert!(number < 3, "the sink has panicked");
                    Ok(())
                };
                write_behind(threads, write, |()| Ok(true))
            });
            assert_eq!(*panic.unwrap_err().downcast::<&str>().unwrap(), "the sink has panicked");
        }
    }
}
