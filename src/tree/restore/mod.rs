//! The disk side of restoring a tree: nothing outside the destination, and all of a level or nothing.

mod confined;
mod pinned;
mod stack;

pub(crate) use confined::Confined;
pub(crate) use stack::DirectoryStack;
