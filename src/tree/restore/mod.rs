//! The disk side of restoring a tree: nothing outside the destination, and all of a level or nothing.

mod attributes;
mod confined;
mod dress;
mod flags;
mod pinned;
mod sparse;
mod stack;

pub(crate) use confined::Confined;
pub(crate) use dress::{Policy, dress};
pub(crate) use sparse::SparseFile;
pub(crate) use stack::DirectoryStack;
