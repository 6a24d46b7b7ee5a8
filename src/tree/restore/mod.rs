//! The disk side of restoring a tree: nothing outside the destination, and all of a level or nothing.
//!
//! Everything that a restore does goes through a [`Confined`] destination: its entries are reached by
//! descriptors, name by name, and never through a symbolic link. What is made is made in the [`Stage`],
//! inside the destination but under a directory that belongs to frazil alone ([`Private`]), so that a
//! rename puts it in its place. The [`journal`] says which staged item goes where and what is deleted.
//!
//! 1. [`recover`] finishes or drops what a run before this one left behind.
//! 2. New content is staged and verified, and [`dress`]ed; the records go to the journal. Nothing outside
//!    [`Private`] has changed so far.
//! 3. [`begin`] makes all that durable and says in the [`State`] that the level is being published.
//! 4. [`publish`] carries out the journal. Killed at any point, [`recover`] carries it out again from its
//!    start, with the same result.
//! 5. [`conclude`] makes the result durable, says in the state that the level is complete, and drops
//!    stage and journal.
//!
//! `/proc` has to be mounted: it is how an entry that is held by a descriptor, unopened, is changed.

mod attributes;
mod confined;
mod content;
mod dress;
mod flags;
mod fresh;
mod incoming;
mod journal;
mod leaders;
mod leading;
mod mapping;
mod moving;
mod options;
mod pinned;
mod placing;
mod private;
mod publish;
mod sparse;
mod stack;
mod stage;
mod standing;
mod state;
mod summary;
#[cfg(test)]
mod tests;
mod transaction;
mod whole;
mod writer;

pub(crate) use confined::{Confined, leads_nowhere};
pub(crate) use dress::{Policy, inode_of};
pub(crate) use journal::{JournalHeader, JournalWriter};
pub(crate) use pinned::Pinned;
pub(crate) use private::Private;
pub(crate) use publish::{StagedBy, publish};
pub(crate) use sparse::SparseFile;
pub(crate) use stage::{Stage, StageId};
pub(crate) use state::{Applying, Phase, State};
pub use transaction::SyncMode;
pub(crate) use transaction::{Recovered, begin, conclude, recover};

pub use options::RestoreOptions;
pub use standing::{conclude_restore, recover_restore, restored_level};
pub use summary::{Recovery, RestoreSummary};
pub use whole::restore_tree;
pub use writer::RestoreWriter;
