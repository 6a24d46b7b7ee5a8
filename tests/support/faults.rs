//! A source, a sink, a basis or an observer of which one call goes wrong, in a way that is chosen.

use std::fmt;
use std::io::{self, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use frazil::{Error, Observer, Progress, ReadAt};

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The system's error of this number.
    Errno(i32),
    /// An error of the caller's own, with a payload.
    Raised,
    /// The call was interrupted: it is to be made again.
    Interrupted,
    /// One byte is read or written.
    Short,
    /// No byte is: for what is read, its end.
    Zero,
    /// More bytes are said to have been read than there was room for.
    TooMany,
    /// The observer asks to stop.
    Cancel,
    Panic,
}

const EIO: Fault = Fault::Errno(5);
const EAGAIN: Fault = Fault::Errno(11);
const ENOSPC: Fault = Fault::Errno(28);

impl Fault {
    /// What can go wrong with what is read.
    pub(crate) const READING: [Self; 8] =
        [EIO, EAGAIN, Self::Raised, Self::Interrupted, Self::Short, Self::Zero, Self::TooMany, Self::Panic];

    /// What can go wrong with what is written.
    pub(crate) const WRITING: [Self; 8] =
        [EIO, ENOSPC, EAGAIN, Self::Raised, Self::Interrupted, Self::Short, Self::Zero, Self::Panic];

    /// What an observer can do.
    pub(crate) const OBSERVING: [Self; 2] = [Self::Cancel, Self::Panic];
}

/// What is raised, or panicked with, at the call of this number.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Raised(pub(crate) u64);

impl fmt::Display for Raised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "raised at call {}", self.0)
    }
}

impl std::error::Error for Raised {}

/// How one call goes, counted over all that share this.
#[derive(Debug)]
pub(crate) struct Faults {
    pub(crate) fault: Fault,
    /// The call that goes wrong, counted from one.
    pub(crate) at: u64,
    /// Most bytes that one call takes or gives, so that there are many calls.
    piece: usize,
    calls: AtomicU64,
}

/// How many bytes a call may move.
enum Moves {
    AtMost(usize),
    Claimed(usize),
}

impl Faults {
    pub(crate) fn new(fault: Fault, at: u64, piece: usize) -> Arc<Self> {
        Arc::new(Self { fault, at, piece, calls: AtomicU64::new(0) })
    }

    /// Nothing ever goes wrong.
    pub(crate) fn none(piece: usize) -> Arc<Self> {
        Self::new(Fault::Raised, u64::MAX, piece)
    }

    pub(crate) fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    /// Whether the call that goes wrong was made.
    pub(crate) fn struck(&self) -> bool {
        self.calls() >= self.at
    }

    fn strikes(&self) -> bool {
        self.calls.fetch_add(1, Ordering::Relaxed) + 1 == self.at
    }

    fn call(&self, len: usize) -> io::Result<Moves> {
        if !self.strikes() {
            return Ok(Moves::AtMost(len.min(self.piece)));
        }
        match self.fault {
            Fault::Errno(number) => Err(io::Error::from_raw_os_error(number)),
            Fault::Raised => Err(io::Error::new(io::ErrorKind::TimedOut, Raised(self.at))),
            Fault::Interrupted => Err(io::ErrorKind::Interrupted.into()),
            Fault::Short => Ok(Moves::AtMost(len.min(1))),
            Fault::Zero => Ok(Moves::Claimed(0)),
            Fault::TooMany => Ok(Moves::Claimed(len + 1)),
            Fault::Panic => self.panic(),
            Fault::Cancel => panic!("only an observer cancels"),
        }
    }

    /// Panics without a word on standard error.
    fn panic(&self) -> ! {
        std::panic::resume_unwind(Box::new(Raised(self.at)))
    }
}

/// Anything that is read or written, of which one call goes wrong.
#[derive(Debug)]
pub(crate) struct Faulty<T> {
    inner: T,
    faults: Arc<Faults>,
}

impl<T> Faulty<T> {
    pub(crate) fn new(inner: T, faults: &Arc<Faults>) -> Self {
        Self { inner, faults: faults.clone() }
    }
}

impl<R: Read> Read for Faulty<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.faults.call(buffer.len())? {
            Moves::AtMost(len) => self.inner.read(&mut buffer[..len]),
            Moves::Claimed(len) => Ok(len),
        }
    }
}

impl<W: Write> Write for Faulty<W> {
    fn write(&mut self, content: &[u8]) -> io::Result<usize> {
        match self.faults.call(content.len())? {
            Moves::AtMost(len) => self.inner.write(&content[..len]),
            Moves::Claimed(len) => Ok(len),
        }
    }

    /// Whoever flushes is not told to do it again, and moves no bytes.
    fn flush(&mut self) -> io::Result<()> {
        match self.faults.fault {
            Fault::Interrupted | Fault::Short | Fault::Zero => Ok(()),
            _ => self.faults.call(0).and_then(|_| self.inner.flush()),
        }
    }
}

impl<T: ReadAt> ReadAt for Faulty<T> {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        match self.faults.call(buffer.len())? {
            Moves::AtMost(len) => self.inner.read_at(&mut buffer[..len], offset),
            Moves::Claimed(len) => Ok(len),
        }
    }

    fn size(&self) -> io::Result<u64> {
        self.inner.size()
    }
}

impl Faults {
    /// What is told cannot be refused, but its hearer may panic.
    fn hear(&self) {
        if self.fault == Fault::Panic && self.strikes() {
            self.panic();
        }
    }
}

/// Stops the work when it is asked for the N-th time, or panics when it is asked or told anything.
impl Observer for Faults {
    fn progress(&self, _progress: &Progress) {
        self.hear();
    }

    fn problem(&self, _problem: &Error) {
        self.hear();
    }

    fn note(&self, _note: &Error) {
        self.hear();
    }

    #[cfg(feature = "tree")]
    fn entry(&self, _entry: &frazil::EntryReport<'_>) {
        self.hear();
    }

    #[cfg(feature = "tree")]
    fn restoring(&self, _entry: &frazil::ArchiveEntry) {
        self.hear();
    }

    fn cancelled(&self) -> bool {
        match self.strikes() {
            true if self.fault == Fault::Panic => self.panic(),
            strikes => strikes,
        }
    }
}
