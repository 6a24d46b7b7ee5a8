//! The only module that calls libarchive: pax tars written and read, users and groups by name.
//!
//! libarchive is trusted with the container alone. It reports a short body, a long one and a failure
//! after a failure as success, so bytes are counted and failures remembered here; it would start programs
//! for filters that it lacks, so only those inside it are enabled; it knows no sum of a body, and an
//! archive cut between two entries is whole to it, so the records inside decide what is restored.

#![allow(unsafe_code)]

mod acl;
mod entry;
mod filter;
mod handle;
mod owners;
mod read_entry;
mod reader;
mod source;
mod sys;
#[cfg(test)]
mod tests;
mod writer;

pub use filter::Filter;

pub(crate) use entry::TarEntry;
pub(crate) use owners::Owners;
pub(crate) use read_entry::ReadEntry;
pub(crate) use reader::{ArchiveReader, Next};
pub(crate) use writer::ArchiveWriter;

use self::sys::ffi;
use crate::{Error, ErrorKind, Result};

/// The first version with every option that is set.
const VERSION_MIN: i32 = 3_006_000;

/// This one makes a link of every entry after the first link (libarchive's issue 2331).
const VERSION_BROKEN: i32 = 3_007_005;

/// The version of the libarchive that is linked, as `(major, minor, patch)`.
///
/// # Errors
///
/// [`ErrorKind::Unsupported`] when it is older than 3.6.0, or 3.7.5, which corrupts what it reads.
pub fn libarchive_version() -> Result<(u32, u32, u32)> {
    // SAFETY: takes nothing and returns a constant of the library.
    let version = unsafe { ffi::archive_version_number() };
    if version < VERSION_MIN || version == VERSION_BROKEN {
        return Err(Error::new(ErrorKind::Unsupported, "this libarchive cannot be used")
            .expected("3.6.0 or newer, but not 3.7.5", version));
    }
    let version = version.unsigned_abs();
    Ok((version / 1_000_000, version / 1000 % 1000, version % 1000))
}
