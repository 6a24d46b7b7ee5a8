//! Readers and writers that work in pieces, are interrupted, and fail at a chosen call.

use std::fmt;
use std::io::{self, Read, Write};
use std::sync::{Arc, Mutex, MutexGuard};

use frazil::ReadAt;

/// The payload of an error that a caller's own reader raises.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Raised(pub(crate) u64);

impl fmt::Display for Raised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "raised at call {}", self.0)
    }
}

impl std::error::Error for Raised {}

/// The error that call `number` raises: of each of the three shapes that an `io::Error` has.
fn failure(number: u64) -> io::Error {
    match number % 3 {
        0 => io::ErrorKind::WouldBlock.into(),
        1 => io::Error::new(io::ErrorKind::TimedOut, Raised(number)),
        _ => io::Error::from_raw_os_error(5),
    }
}

/// Whether `error` is the very one that [`failure`] made.
pub(crate) fn is_unchanged(error: &io::Error, number: u64) -> bool {
    let made = failure(number);
    let payload = error.get_ref().and_then(|payload| payload.downcast_ref::<Raised>());
    let same_payload = if number % 3 == 1 { payload == Some(&Raised(number)) } else { error.get_ref().is_none() };
    same_payload && error.kind() == made.kind() && error.raw_os_error() == made.raw_os_error()
}

/// How the calls go.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Manner {
    /// The most bytes that one call takes or gives.
    pub(crate) piece: usize,
    /// Whether each call is interrupted before it is carried out.
    pub(crate) interrupted: bool,
    /// The call that fails, once, counted from one.
    pub(crate) fails_at: Option<u64>,
}

impl Manner {
    pub(crate) fn whole() -> Self {
        Self { piece: usize::MAX, interrupted: false, fails_at: None }
    }
}

struct Script {
    manner: Manner,
    calls: u64,
    was_interrupted: bool,
}

/// Anything that is read or written, in the manner given.
pub(crate) struct Pieces<T> {
    inner: T,
    script: Mutex<Script>,
}

impl<T> Pieces<T> {
    pub(crate) fn new(inner: T, manner: Manner) -> Self {
        Self { inner, script: Mutex::new(Script { manner, calls: 0, was_interrupted: false }) }
    }

    pub(crate) fn into_inner(self) -> T {
        self.inner
    }

    /// The most bytes that this call may carry, unless it fails.
    fn call(&self) -> io::Result<usize> {
        let mut script = self.script.lock().expect("no call panics");
        if script.manner.interrupted && !script.was_interrupted {
            script.was_interrupted = true;
            return Err(io::ErrorKind::Interrupted.into());
        }
        script.was_interrupted = false;
        script.calls += 1;
        if script.manner.fails_at == Some(script.calls) {
            return Err(failure(script.calls));
        }
        Ok(script.manner.piece)
    }
}

impl<R: Read> Read for Pieces<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let len = self.call()?.min(buffer.len());
        self.inner.read(&mut buffer[..len])
    }
}

impl<W: Write> Write for Pieces<W> {
    fn write(&mut self, content: &[u8]) -> io::Result<usize> {
        let len = self.call()?.min(content.len());
        self.inner.write(&content[..len])
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl<T: ReadAt> ReadAt for Pieces<T> {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let len = self.call()?.min(buffer.len());
        self.inner.read_at(&mut buffer[..len], offset)
    }

    fn size(&self) -> io::Result<u64> {
        self.inner.size()
    }
}

/// A sink whose content can be looked at while someone else holds it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shared(Arc<Mutex<Vec<u8>>>);

impl Shared {
    pub(crate) fn content(&self) -> MutexGuard<'_, Vec<u8>> {
        self.0.lock().expect("no write panics")
    }
}

impl Write for Shared {
    fn write(&mut self, content: &[u8]) -> io::Result<usize> {
        self.content().write(content)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
