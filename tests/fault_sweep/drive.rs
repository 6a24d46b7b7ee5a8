//! Drives a function to its end, past the call that goes wrong, and keeps what it came to.

use std::any::Any;
use std::error::Error as _;
use std::fmt::Debug;
use std::io::{self, Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};

use frazil::{Error, ErrorKind};

use crate::faults::{Fault, Raised};

/// Why a call did not do what it was asked for.
#[derive(Debug)]
pub(crate) enum Failure {
    /// An error that is not of frazil's making.
    Raised(io::Error),
    Ours(Error),
    Panicked(Box<dyn Any + Send>),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Ours(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.downcast::<Error>() {
            Ok(error) => Self::Ours(error),
            Err(error) => Self::Raised(error),
        }
    }
}

impl Failure {
    pub(crate) fn kind(&self) -> Option<ErrorKind> {
        match self {
            Self::Raised(_) => Some(ErrorKind::Io),
            Self::Ours(error) => Some(error.kind()),
            Self::Panicked(_) => None,
        }
    }

    /// The error of a writer that takes nothing.
    pub(crate) fn is_write_zero(&self) -> bool {
        let beneath = match self {
            Self::Raised(error) => Some(error),
            Self::Ours(error) => error.source().and_then(|source| source.downcast_ref()),
            Self::Panicked(_) => None,
        };
        beneath.is_some_and(|error| error.kind() == io::ErrorKind::WriteZero)
    }

    /// Whether it is the very error, or panic, of this fault at that call.
    pub(crate) fn is(&self, fault: Fault, at: u64) -> bool {
        let beneath = match self {
            Self::Raised(error) => Some(error),
            Self::Ours(error) if fault == Fault::Cancel => return error.kind() == ErrorKind::Cancelled,
            Self::Ours(error) if error.kind() != ErrorKind::Io => None,
            Self::Ours(error) => error.source().and_then(|source| source.downcast_ref()),
            Self::Panicked(panic) => return fault == Fault::Panic && panic.downcast_ref() == Some(&Raised(at)),
        };
        let Some(beneath) = beneath else { return false };
        match fault {
            Fault::Errno(number) => beneath.raw_os_error() == Some(number) && beneath.get_ref().is_none(),
            Fault::Raised => {
                let payload = beneath.get_ref().and_then(|payload| payload.downcast_ref());
                beneath.kind() == io::ErrorKind::TimedOut && payload == Some(&Raised(at))
            }
            _ => false,
        }
    }
}

/// What a function came to.
#[derive(Debug, Default)]
pub(crate) struct Run {
    /// What was made, once all of it was.
    pub(crate) output: Option<Vec<u8>>,
    /// What its calls failed with, in order; the work ends with the second.
    pub(crate) failures: Vec<Failure>,
}

/// What a call gives, whether it returns, fails or panics.
fn caught<T, E: Into<Failure>>(work: impl FnOnce() -> Result<T, E>) -> Result<T, Failure> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(result) => result.map_err(Into::into),
        Err(panic) => Err(Failure::Panicked(panic)),
    }
}

impl Run {
    /// A function that does all of it in one call.
    pub(crate) fn whole<E: Into<Failure>>(work: impl FnOnce() -> Result<Vec<u8>, E>) -> Self {
        let mut run = Self::default();
        run.finish(work);
        run
    }

    /// A function that makes nothing: what it tells is the output.
    pub(crate) fn told<T: Debug, E: Into<Failure>>(look: impl FnOnce() -> Result<T, E>) -> Self {
        Self::whole(|| look().map(|told| format!("{told:?}").into_bytes()))
    }

    /// The last call, which gives what was made.
    pub(crate) fn finish<E: Into<Failure>>(&mut self, work: impl FnOnce() -> Result<Vec<u8>, E>) {
        match caught(work) {
            Ok(output) => self.output = Some(output),
            Err(failure) => self.failures.push(failure),
        }
    }

    /// The first call, which gives what the others are made on.
    pub(crate) fn open<T, E: Into<Failure>>(&mut self, work: impl FnOnce() -> Result<T, E>) -> Option<T> {
        caught(work).map_err(|failure| self.failures.push(failure)).ok()
    }

    /// Makes the call again and again until it says that all is done, or has failed twice.
    fn again(&mut self, mut call: impl FnMut() -> io::Result<bool>) {
        while self.failures.len() < 2 {
            match caught(&mut call) {
                Ok(true) => return,
                Ok(false) => {}
                Err(failure) => self.failures.push(failure),
            }
        }
    }

    /// Reads to the end.
    pub(crate) fn read(&mut self, from: &mut impl Read) -> Vec<u8> {
        let mut all = Vec::new();
        let mut buffer = [0; 50_000];
        self.again(|| {
            let len = from.read(&mut buffer)?;
            all.extend_from_slice(&buffer[..len]);
            Ok(len == 0)
        });
        all
    }

    pub(crate) fn flush(&mut self, to: &mut impl Write) {
        self.again(|| to.flush().map(|()| true));
    }

    /// Feeds all of it.
    pub(crate) fn write(&mut self, to: &mut impl Write, mut content: &[u8]) {
        self.again(|| {
            let len = to.write(&content[..content.len().min(50_000)])?;
            content = &content[len..];
            Ok(content.is_empty())
        });
    }
}
