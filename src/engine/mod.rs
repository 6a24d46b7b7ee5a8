//! Who computes sums and finds matches: bound librsync, or frazil itself.
//!
//! Both give the same signatures, byte for byte, and deltas that either side's patch accepts.
//! [`librsync`] drives the C library and is the reference; [`native`] computes the sums of several
//! blocks at once, tries the block expected next before it scans, and is bounded in time and memory
//! whatever the signature holds.

pub(crate) mod librsync;
pub(crate) mod native;
mod window;

pub use librsync::librsync_version;
pub(crate) use window::{CommandSink, Grid, Known, Window, ZERO_RUN_MIN, is_strong, is_zeros};

/// Who computes sums and finds matches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Engine {
    /// frazil's own.
    #[default]
    Native,
    /// The bound C library; it cannot match aligned blocks alone. Where it can have no memory it ends the process,
    /// and its memory grows with the basis and with the blocks.
    Librsync,
}

/// As many threads as the process may run at once.
pub(crate) fn default_threads() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}
