//! Signatures: the sums of every block of a file, and what two of them say of each other.
//!
//! A [`Signature`] holds its sums in memory; a [`SignatureFile`] leaves them in its file, for aligned work in
//! constant memory and rolling levels with no more than an index. [`Signature::compare`] and [`compare_files`] give the
//! ranges that are the same, moved or changed; [`compare_data`] does so for content that streams by.

mod compare;
mod file;
mod held;

pub(crate) use compare::BlockRanges;
pub use compare::{BlockRange, Comparer, RangeKind, compare_data, compare_files, compare_streams};
pub use file::SignatureFile;
pub use held::Signature;
