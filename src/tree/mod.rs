//! Whole trees in a pax tar, over the system's libarchive.

mod libarchive;

pub use libarchive::libarchive_version;
