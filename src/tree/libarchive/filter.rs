//! What a tar is compressed with.

use std::ffi::c_int;
use std::fmt;
use std::str::FromStr;

use super::handle::Handle;
use super::sys::{self, Archive, ffi};
use crate::{Error, ErrorKind, Result};

/// What the tar of a level is compressed with. A reader finds it out by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Filter {
    /// Nothing: the tar as it is.
    #[default]
    None,
    /// gzip, without the time at which it was made.
    Gzip,
    /// bzip2.
    Bzip2,
    /// xz, in several threads where libarchive can.
    Xz,
    /// Zstandard, in several threads where libarchive can.
    Zstd,
    /// LZ4.
    Lz4,
}

/// A function that enables one filter on a handle.
pub(super) type Enable = unsafe extern "C" fn(*mut Archive) -> c_int;

impl Filter {
    pub(super) const ALL: [Self; 6] = [Self::None, Self::Gzip, Self::Bzip2, Self::Xz, Self::Zstd, Self::Lz4];

    fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip => "gzip",
            Self::Bzip2 => "bzip2",
            Self::Xz => "xz",
            Self::Zstd => "zstd",
            Self::Lz4 => "lz4",
        }
    }

    pub(super) fn for_writing(self) -> Enable {
        match self {
            Self::None => ffi::archive_write_add_filter_none,
            Self::Gzip => ffi::archive_write_add_filter_gzip,
            Self::Bzip2 => ffi::archive_write_add_filter_bzip2,
            Self::Xz => ffi::archive_write_add_filter_xz,
            Self::Zstd => sys::archive_write_add_filter_zstd,
            Self::Lz4 => sys::archive_write_add_filter_lz4,
        }
    }

    fn for_reading(self) -> Enable {
        match self {
            Self::None => ffi::archive_read_support_filter_none,
            Self::Gzip => ffi::archive_read_support_filter_gzip,
            Self::Bzip2 => ffi::archive_read_support_filter_bzip2,
            Self::Xz => ffi::archive_read_support_filter_xz,
            Self::Zstd => sys::archive_read_support_filter_zstd,
            Self::Lz4 => sys::archive_read_support_filter_lz4,
        }
    }

    /// Enables every filter that is inside this libarchive.
    ///
    /// One that it was built without it would leave to a program, says so by a warning, and has enabled it
    /// by then: so each is tried on a handle of its own first.
    pub(super) fn enable_for_reading(handle: &mut Handle) -> Result<()> {
        for filter in Self::ALL {
            let enable = filter.for_reading();
            let mut trial = Handle::reader()?;
            if trial.configure(enable) == ffi::ARCHIVE_OK && handle.configure(enable) != ffi::ARCHIVE_OK {
                return Err(handle.error(ErrorKind::Internal).doing("enabling a filter"));
            }
        }
        Ok(())
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Filter {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|filter| filter.name() == name).ok_or_else(|| {
            Error::new(ErrorKind::InvalidInput, "no such filter")
                .expected("none, gzip, bzip2, xz, zstd or lz4", format_args!("{name:?}"))
        })
    }
}
