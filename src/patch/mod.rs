//! Patches: applying one level, or levels 0..n in one pass.
//!
//! The commands of a delta are parsed, checked and carried out here, in Rust: the C library turns some
//! hostile deltas into wrong output without an error. [`PatchReader`] pulls a delta and is the target;
//! [`PatchWriter`] is fed a delta and writes the target; [`patch_file`] publishes a file whole or not
//! at all. [`Chain`] composes the deltas of several levels, so that every byte of the result is read
//! once, from where it stands, and written once.

mod apply;
mod chain;
mod check;
mod delta_stream;
mod file;
mod in_place;
mod layer;
mod machine;
mod options;
mod place;
mod reader;
mod writer;

pub(crate) use check::check_copy;
pub(crate) use delta_stream::{DeltaStream, Step};
pub(crate) use file::{chain_to_file, open_basis, patch_to_file};

pub use chain::Chain;
pub use check::PatchSummary;
pub use file::{chain_file, patch_file};
pub use in_place::patch_in_place;
pub use options::{PatchOptions, VerifyBasis};
pub use reader::PatchReader;
pub use writer::PatchWriter;
