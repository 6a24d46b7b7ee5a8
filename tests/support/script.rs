//! Contents and edits of them as values, which can be printed and made smaller.
#![allow(dead_code, reason = "each suite takes what it needs")]

use crate::random::{Content, Edit, Random};

/// Some bytes; those of one kind and seed begin alike.
#[derive(Clone, Debug)]
pub(crate) struct Piece {
    pub(crate) kind: Content,
    pub(crate) seed: u64,
    pub(crate) len: usize,
}

/// One edit, and what it draws its place and its new bytes from.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) edit: Edit,
    pub(crate) kind: Content,
    pub(crate) seed: u64,
}

/// The pieces one after the other.
pub(crate) fn content(pieces: &[Piece]) -> Vec<u8> {
    pieces.iter().flat_map(|piece| Random::new(piece.seed).content(piece.kind, piece.len)).collect()
}

/// The content after the changes, or as much of it as `longest` bytes.
pub(crate) fn changed(content: &[u8], changes: &[Change], longest: usize) -> Vec<u8> {
    let mut content = content.to_vec();
    for change in changes {
        change.edit.apply(&mut Random::new(change.seed), change.kind, &mut content);
        content.truncate(longest);
    }
    content
}

impl Piece {
    /// Drawn from another generator.
    pub(crate) fn draw(random: &mut Random, len: usize) -> Self {
        Self { kind: random.pick(&Content::ALL), seed: random.next() % 1000, len }
    }
}

impl Change {
    /// Drawn from another generator.
    pub(crate) fn draw(random: &mut Random) -> Self {
        Self { edit: random.pick(&Edit::ALL), kind: random.pick(&Content::ALL), seed: random.next() % 1_000_000 }
    }
}
