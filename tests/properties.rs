//! Laws of every adapter, of chains and of trees, on random cases of which one that fails shrinks to the least.
//!
//! `PROPTEST_CASES` says how many cases each law is tried on, a law of long content or of trees on a share of them, and
//! `FRAZIL_SEED` which; `make properties` tries many.

#[path = "properties/cases.rs"]
mod cases;
#[path = "properties/chains.rs"]
mod chains;
#[path = "properties/forms.rs"]
mod forms;
#[path = "properties/law.rs"]
mod law;
#[path = "properties/levels.rs"]
mod levels;
#[path = "properties/memory.rs"]
mod memory;
#[path = "properties/model.rs"]
mod model;
#[path = "support/pieces.rs"]
#[allow(dead_code, reason = "what fails is another suite's")]
mod pieces;
#[path = "support/random.rs"]
mod random;
#[path = "support/ranges.rs"]
mod ranges;
#[path = "support/script.rs"]
mod script;
#[path = "properties/signatures.rs"]
mod signatures;
#[path = "support/tree.rs"]
mod tree;
#[path = "properties/trees.rs"]
mod trees;
