//! Why the command fails: one line, its exit status, and advice where there is an obvious one.

use std::error::Error as _;
use std::fmt;
use std::io;
use std::process::ExitCode;

use frazil::ErrorKind;

use crate::report::{plain, say};

const FAILED: u8 = 1;
const USAGE: u8 = 2;

/// What ends the command.
#[derive(Debug)]
pub(crate) struct Failure {
    status: u8,
    message: String,
    advice: Option<String>,
}

impl Failure {
    /// The work failed.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { status: FAILED, message: message.into(), advice: None }
    }

    /// The command was called in a way that cannot work.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { status: USAGE, message: message.into(), advice: None }
    }

    /// The library failed while working on `what`, which is named unless the error names a file.
    pub(crate) fn of(what: impl fmt::Display, error: impl Into<frazil::Error>) -> Self {
        let error = error.into();
        let mut message = if error.file().is_some() { error.to_string() } else { format!("{what}: {error}") };
        let mut cause = error.source();
        while let Some(error) = cause {
            // The library's message repeats what the operating system says.
            let text = error.to_string();
            if !message.contains(&text) {
                message = format!("{message}: {text}");
            }
            cause = error.source();
        }
        let failure = Self::new(message);
        match error.kind() {
            ErrorKind::Exists => failure.advise("give --force to replace it"),
            _ => failure,
        }
    }

    /// As [`Failure::of`], of an archive, which is always named: a file that the error names is an entry in it.
    pub(crate) fn inside(archive: impl fmt::Display, error: frazil::Error) -> Self {
        let names_entry = error.file().is_some();
        let failure = Self::of(&archive, error);
        if names_entry { failure.within(archive) } else { failure }
    }

    /// As [`Failure::of`], for errors of reading and writing.
    pub(crate) fn io(what: impl fmt::Display, error: io::Error) -> Self {
        Self::of(what, error)
    }

    /// Names what was worked on, in front.
    pub(crate) fn within(self, what: impl fmt::Display) -> Self {
        Self { message: format!("{what}: {}", self.message), ..self }
    }

    /// Adds what can be done about it.
    pub(crate) fn advise(self, advice: impl Into<String>) -> Self {
        Self { advice: Some(advice.into()), ..self }
    }

    /// Says so, and gives the exit status.
    pub(crate) fn exit(&self) -> ExitCode {
        say(format_args!("frazil: {}", plain(&self.to_string())));
        ExitCode::from(self.status)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        self.advice.iter().try_for_each(|advice| write!(f, " ({advice})"))
    }
}
