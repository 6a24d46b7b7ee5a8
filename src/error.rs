//! Every failure, with what was being done, to what, where, what was expected and what was found.
//!
//! One opaque [`Error`] carries an [`ErrorKind`] that says what a caller can do about it, and context
//! for the person who reads it. `Display` prints this layer only; the cause is `source()`.

use std::borrow::Cow;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// A result whose error is frazil's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, as far as a caller can act on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// An argument or option is outside what the function takes.
    InvalidInput,
    /// The call is not allowed in the state the object is in.
    State,
    /// The operating system, or a reader or writer that the caller gave, failed.
    Io,
    /// A stream ended before it was complete.
    Truncated,
    /// A stream holds bytes that no writer of the format produces.
    Corrupt,
    /// A stream needs a newer version, or a feature this version does not have.
    Unsupported,
    /// The work would exceed a declared limit of memory or output.
    Limit,
    /// The basis is not the content that the delta was made against.
    WrongBasis,
    /// The result is not the content that the stream promised.
    Mismatch,
    /// Two signatures do not have the same parameters, so their sums say nothing of each other.
    Incomparable,
    /// The source changed while it was read; the work went on.
    SourceChanged,
    /// The output is there already and was not to be replaced.
    Exists,
    /// The observer asked to stop.
    Cancelled,
    /// Memory could not be had.
    OutOfMemory,
    /// A fault in frazil itself.
    Internal,
}

/// What went wrong in particular, where it can be helped and its [`ErrorKind`] alone does not say how.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorDetail {
    /// [`Limit`](ErrorKind::Limit): a file, or what a delta makes, is longer than
    /// [`PatchOptions::max_output`](crate::PatchOptions::max_output) or `RestoreOptions::max_file_len` allows.
    FileTooLong,
    /// [`Limit`](ErrorKind::Limit): the files of a level of a tree are together longer than
    /// `RestoreOptions::max_output` allows.
    LevelTooLong,
    /// [`Truncated`](ErrorKind::Truncated): the source ended before an archive had begun, so it may be no archive.
    NoArchive,
    /// [`Corrupt`](ErrorKind::Corrupt): something follows the end of an archive, maybe another one.
    BeyondArchive,
}

/// A failure of any operation.
///
/// Reads and writes through the standard traits wrap it in an [`io::Error`]; `Error::from` takes it
/// out again. An `io::Error` that a caller's own reader or writer raised is passed on as it is.
#[derive(Debug, thiserror::Error)]
#[error("{context}")]
pub struct Error {
    context: Box<Context>,
    #[source]
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

#[derive(Debug)]
struct Context {
    kind: ErrorKind,
    detail: Option<ErrorDetail>,
    what: Cow<'static, str>,
    doing: Option<Cow<'static, str>>,
    path: Option<PathBuf>,
    /// What all the work is to do to the file, where the rest of the message is not about the file itself.
    aim: Option<&'static str>,
    offset: Option<u64>,
    expected_found: Option<(String, String)>,
}

impl fmt::Display for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut path = self.path.as_ref();
        if let (Some(aim), Some(path)) = (self.aim, path.take_if(|_| self.aim.is_some())) {
            write!(f, "{aim} {}: ", path.display())?;
        }
        if let Some(doing) = &self.doing {
            f.write_str(doing)?;
        }
        if let Some(path) = path {
            write!(f, "{}{}", if self.doing.is_some() { " " } else { "" }, path.display())?;
        }
        if let Some(offset) = self.offset {
            let space = if self.doing.is_some() || path.is_some() { " " } else { "" };
            write!(f, "{space}at offset {offset}")?;
        }
        if self.doing.is_some() || path.is_some() || self.offset.is_some() {
            f.write_str(": ")?;
        }
        f.write_str(&self.what)?;
        if let Some((expected, found)) = &self.expected_found {
            write!(f, ": expected {expected}, found {found}")?;
        }
        Ok(())
    }
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, what: impl Into<Cow<'static, str>>) -> Self {
        let context = Context {
            kind,
            detail: None,
            what: what.into(),
            doing: None,
            path: None,
            aim: None,
            offset: None,
            expected_found: None,
        };
        Self { context: Box::new(context), source: None }
    }

    pub(crate) fn detailed(mut self, detail: ErrorDetail) -> Self {
        self.context.detail = Some(detail);
        self
    }

    /// An operating system's error, or a caller's, met while `doing` something.
    pub(crate) fn io(doing: impl Into<Cow<'static, str>>, error: io::Error) -> Self {
        let error = Self::from(error);
        if error.context.doing.is_some() { error } else { error.doing(doing) }
    }

    pub(crate) fn doing(mut self, doing: impl Into<Cow<'static, str>>) -> Self {
        self.context.doing = Some(doing.into());
        self
    }

    /// Says what was being done, unless a deeper layer has.
    pub(crate) fn while_doing(self, doing: &'static str) -> Self {
        if self.context.doing.is_some() || self.context.aim.is_some() { self } else { self.doing(doing) }
    }

    /// Names the file of a stream, if what is wrong is wrong in there.
    pub(crate) fn in_stream(self, path: Option<&Path>) -> Self {
        match (self.kind(), path) {
            (ErrorKind::Truncated | ErrorKind::Corrupt | ErrorKind::Unsupported, Some(path)) => self.path(path),
            _ => self,
        }
    }

    pub(crate) fn at(mut self, offset: u64) -> Self {
        self.context.offset = Some(offset);
        self
    }

    /// Names the file, unless a deeper layer has named one already.
    pub(crate) fn path(mut self, path: impl AsRef<Path>) -> Self {
        self.context.path.get_or_insert_with(|| path.as_ref().to_owned());
        self
    }

    /// Names the entry that a stream within another is of, unless a deeper layer has named a file.
    #[cfg(feature = "tree")]
    pub(crate) fn of_entry(mut self, path: impl AsRef<Path>) -> Self {
        let doing = self.context.doing.as_mut().filter(|_| self.context.path.is_none());
        // A verb alone is followed by the path as it is.
        if let Some(doing) = doing.filter(|doing| doing.contains(' ')) {
            doing.to_mut().push_str(" of");
        }
        self.path(path)
    }

    /// Names the file that the work was for, unless a deeper layer has named one: what failed may be
    /// another, and an offset is not one in this file.
    pub(crate) fn aiming(mut self, aim: &'static str, path: impl AsRef<Path>) -> Self {
        if self.context.path.is_none() {
            self.context.aim = Some(aim);
        }
        self.path(path)
    }

    pub(crate) fn expected(mut self, expected: impl fmt::Display, found: impl fmt::Display) -> Self {
        self.context.expected_found = Some((expected.to_string(), found.to_string()));
        self
    }

    /// Whether the operating system or a caller's reader or writer raised it: the same call may succeed
    /// when it is made again.
    pub(crate) fn is_raised(&self) -> bool {
        self.source.as_deref().is_some_and(|source| source.is::<io::Error>())
    }

    /// What the caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        self.context.kind
    }

    /// What it is in particular, where that can be helped.
    pub fn detail(&self) -> Option<ErrorDetail> {
        self.context.detail
    }

    /// The file that was being worked on, where it is known.
    pub fn file(&self) -> Option<&Path> {
        self.context.path.as_deref()
    }

    /// What was being done and what is wrong, without what is of one file alone: its path, the offset, and what was
    /// expected and found there. Failures of many files that have one cause have this in common.
    pub fn summary(&self) -> String {
        let Context { what, doing, aim, .. } = &*self.context;
        let parts = [*aim, doing.as_deref(), Some(&**what)];
        parts.into_iter().flatten().collect::<Vec<_>>().join(": ")
    }

    /// The offset in bytes at which it happened, in the stream or file that the message names.
    pub fn offset(&self) -> Option<u64> {
        self.context.offset
    }

    /// The operating system's error number, where one lies beneath.
    pub fn os_code(&self) -> Option<i32> {
        let source = self.source.as_deref()?;
        source.downcast_ref::<io::Error>().and_then(io::Error::raw_os_error)
    }
}

impl From<io::Error> for Error {
    /// Takes out the [`Error`] that an adapter put in; anything else becomes [`ErrorKind::Io`].
    fn from(error: io::Error) -> Self {
        match error.downcast::<Error>() {
            Ok(error) => error,
            Err(error) => {
                let kind =
                    if error.kind() == io::ErrorKind::OutOfMemory { ErrorKind::OutOfMemory } else { ErrorKind::Io };
                let mut wrapped = Self::new(kind, error.to_string());
                wrapped.source = Some(Box::new(error));
                wrapped
            }
        }
    }
}

impl From<Error> for io::Error {
    /// Gives back an `io::Error` that was passed on as it is, and wraps anything else.
    fn from(mut error: Error) -> Self {
        if error.context.doing.is_none() && error.context.path.is_none() {
            match error.source.take().map(|source| source.downcast::<io::Error>()) {
                Some(Ok(raised)) => return *raised,
                Some(Err(source)) => error.source = Some(source),
                None => {}
            }
        }
        let kind = match error.kind() {
            ErrorKind::InvalidInput | ErrorKind::Incomparable => io::ErrorKind::InvalidInput,
            ErrorKind::Truncated => io::ErrorKind::UnexpectedEof,
            ErrorKind::Corrupt | ErrorKind::WrongBasis | ErrorKind::Mismatch => io::ErrorKind::InvalidData,
            ErrorKind::Unsupported => io::ErrorKind::Unsupported,
            ErrorKind::Exists => io::ErrorKind::AlreadyExists,
            ErrorKind::OutOfMemory => io::ErrorKind::OutOfMemory,
            ErrorKind::Io => {
                let source = error.source.as_deref().and_then(|source| source.downcast_ref::<io::Error>());
                source.map_or(io::ErrorKind::Other, io::Error::kind)
            }
            ErrorKind::SourceChanged
            | ErrorKind::State
            | ErrorKind::Limit
            | ErrorKind::Cancelled
            | ErrorKind::Internal => io::ErrorKind::Other,
        };
        io::Error::new(kind, error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_says_what_where_expected_and_found() {
        let error = Error::new(ErrorKind::Corrupt, "frame checksum does not match")
            .doing("reading a sealed delta")
            .path("a.frz")
            .at(40)
            .expected("00000001", "00000002");
        assert_eq!(
            error.to_string(),
            "reading a sealed delta a.frz at offset 40: frame checksum does not match: \
             expected 00000001, found 00000002"
        );
        assert_eq!(error.summary(), "reading a sealed delta: frame checksum does not match");
    }

    #[test]
    fn an_offset_is_not_taken_for_one_in_the_file_that_the_work_was_for() {
        let error = Error::new(ErrorKind::Truncated, "stream ends").doing("reading a delta").at(7);
        assert_eq!(error.aiming("writing", "x").to_string(), "writing x: reading a delta at offset 7: stream ends");
        let error = Error::new(ErrorKind::Truncated, "stream ends").doing("reading a delta").aiming("writing", "x");
        assert_eq!(error.summary(), "writing: reading a delta: stream ends");
        let error = Error::new(ErrorKind::Io, "no").doing("opening").path("basis").aiming("writing", "x");
        assert_eq!(error.to_string(), "opening basis: no");
    }

    #[cfg(feature = "tree")]
    #[test]
    fn what_is_of_an_entry_is_said_to_be() {
        let error = |doing| Error::new(ErrorKind::Limit, "no").doing(doing);
        for (error, expected) in [
            (error("reading a delta").at(7).of_entry("x"), "reading a delta of x at offset 7: no"),
            (error("reading").of_entry("x"), "reading x: no"),
            (error("reading a delta").path("y").of_entry("x"), "reading a delta y: no"),
            (Error::new(ErrorKind::Limit, "no").of_entry("x"), "x: no"),
        ] {
            assert_eq!(error.to_string(), expected);
        }
    }

    #[test]
    fn an_error_survives_the_way_through_io_error() {
        let error = Error::new(ErrorKind::WrongBasis, "no").at(7);
        let back = Error::from(io::Error::from(error));
        assert_eq!((back.kind(), back.offset()), (ErrorKind::WrongBasis, Some(7)));
    }

    #[test]
    fn an_operating_system_error_keeps_its_number() {
        let error = Error::io("reading", io::Error::from_raw_os_error(5)).path("x");
        assert_eq!(error.os_code(), Some(5));
        assert!(error.to_string().starts_with("reading x: "));
    }
}
