//! What a level sends of each change, why, and what becomes of a tree that changes while it is read.

#[path = "support/content.rs"]
#[allow(dead_code)]
mod content;
#[path = "support/ground.rs"]
mod ground;
#[path = "support/tree.rs"]
mod tree;

#[path = "tree_changes/attributes.rs"]
mod attributes;
#[path = "tree_changes/chains.rs"]
mod chains;
#[path = "tree_changes/closed.rs"]
mod closed;
#[path = "tree_changes/device.rs"]
mod device;
#[path = "tree_changes/entries.rs"]
mod entries;
#[path = "tree_changes/selecting.rs"]
mod selecting;
#[path = "tree_changes/sending.rs"]
mod sending;
#[path = "tree_changes/standing.rs"]
mod standing;
#[path = "tree_changes/verifying.rs"]
mod verifying;
#[path = "tree_changes/while_read.rs"]
mod while_read;
