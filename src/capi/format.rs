//! Which form a stream takes.

use std::ffi::c_int;

use super::choice::choose;
use super::error::Outcome;
use crate::Format;

/// Which form a stream takes.
#[repr(C)]
#[derive(Clone, Copy)]
pub enum frazil_format {
    /// frazil's integrity frame: every byte checked, the basis and the result identified.
    FRAZIL_FORMAT_SEALED = 0,
    /// librsync's plain format, as `rdiff` reads and writes it: no check of anything.
    FRAZIL_FORMAT_RDIFF = 1,
}

pub(super) fn format_of(number: c_int) -> Outcome<Format> {
    use frazil_format::{FRAZIL_FORMAT_RDIFF as RDIFF, FRAZIL_FORMAT_SEALED as SEALED};
    choose(number, "format", [(SEALED as c_int, Format::Sealed), (RDIFF as c_int, Format::Rdiff)])
}
