//! Where something is read from or written to: a path, or the standard streams.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

use frazil::Publish;

use crate::failure::Failure;
use crate::report::one_line;

/// A file, or a dash for standard input or output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Standard input or output, whichever way the bytes go.
    Standard,
    /// Anything with a name.
    Path(PathBuf),
}

impl From<OsString> for Place {
    /// The devices that stand for the standard streams are those streams: opened by their names they
    /// might be truncated or replaced.
    fn from(argument: OsString) -> Self {
        if argument == "-" || argument == "/dev/stdin" || argument == "/dev/stdout" {
            Self::Standard
        } else {
            Self::Path(argument.into())
        }
    }
}

impl Place {
    /// The path, unless it is a standard stream.
    pub(crate) fn path(&self) -> Option<&Path> {
        match self {
            Self::Standard => None,
            Self::Path(path) => Some(path),
        }
    }

    /// For messages about input.
    pub(crate) fn as_input(&self) -> String {
        self.name("standard input")
    }

    /// For messages about output.
    pub(crate) fn as_output(&self) -> String {
        self.name("standard output")
    }

    /// Whether what is written to the one is written to the other.
    pub(crate) fn is_same_output(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Path(one), Self::Path(other)) => Publish::is_same_place(one, other),
            (one, other) => one == other,
        }
    }

    fn name(&self, standard: &str) -> String {
        self.path().map_or_else(|| standard.to_owned(), one_line)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name("-"))
    }
}

/// One stream cannot be two inputs.
pub(crate) fn check_one_standard_input<'a>(places: impl IntoIterator<Item = &'a Place>) -> Result<(), Failure> {
    let standard = places.into_iter().filter(|place| **place == Place::Standard).count();
    match standard {
        0 | 1 => Ok(()),
        _ => Err(Failure::usage("standard input can stand for one file only")),
    }
}

/// One place cannot take two outputs.
pub(crate) fn check_different_outputs(a: &Place, b: Option<&Place>) -> Result<(), Failure> {
    match b {
        Some(b) if a.is_same_output(b) => {
            Err(Failure::usage(format!("two outputs cannot both go to {}", a.as_output())))
        }
        _ => Ok(()),
    }
}
