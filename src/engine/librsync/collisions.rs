//! Signatures that would make librsync's look-ups slow, found before librsync sees them.

use std::hash::{BuildHasher, RandomState};

use crate::format::WeakKind;
use crate::{Error, ErrorKind, Result};

/// The most blocks that one lookup may pass, as rsync's `MAX_CHAIN_LEN`. Honest sums pass a few dozen.
const MAX_CHAIN: usize = 1024;

/// What decides where librsync's hash table puts a block.
#[derive(Clone, Copy)]
pub(super) struct Key {
    /// The hash; its low bits are the slot where a lookup starts.
    hash: u32,
    /// Stands for hash and strong sum, never 0. Keyed by chance, lest somebody choose sums that it takes for
    /// equal; an honest collision makes the count wrong by one.
    tag: u32,
}

impl Key {
    pub(super) fn new(weak: WeakKind, record: &[u8], hasher: &RandomState) -> Self {
        let sum = u32::from_be_bytes([record[0], record[1], record[2], record[3]]);
        let hash = match weak {
            WeakKind::Rollsum => mix32(sum),
            WeakKind::RabinKarp => sum,
        };
        // 0 marks an empty slot, so librsync moves that hash.
        let hash = if hash == 0 { u32::MAX } else { hash };
        let tag = hasher.hash_one((hash, &record[4..])) as u32;
        Self { hash, tag: tag.max(1) }
    }
}

/// MurmurHash3's last step, which librsync applies to a rollsum before it looks it up.
pub(super) fn mix32(mut hash: u32) -> u32 {
    hash = (hash ^ (hash >> 16)).wrapping_mul(0x85eb_ca6b);
    hash = (hash ^ (hash >> 13)).wrapping_mul(0xc2b2_ae35);
    hash ^ (hash >> 16)
}

/// Refuses a signature whose lookups would take too long.
///
/// librsync's index is an open table without a bound on a lookup: blocks of one weak sum and different
/// strong ones make the work for a delta the product of both lengths, and so do sums that share their low
/// bits or that fill each other's way. This fills a table just as librsync will (`hashtable.h`), then
/// walks from every slot to the next empty one: the longest lookup there can be. Equal blocks take one
/// slot and cost nothing. Time and memory grow with the number of blocks.
pub(super) fn check_chains(keys: &[Key]) -> Result<()> {
    let slots = (1 + keys.len() * 10 / 8).next_power_of_two();
    let mut table: Vec<u32> = Vec::new();
    table
        .try_reserve_exact(slots)
        .map_err(|error| Error::new(ErrorKind::OutOfMemory, format!("no memory for the index: {error}")))?;
    table.resize(slots, 0);
    let too_long = || {
        Error::new(ErrorKind::Limit, "too many different blocks with colliding weak sums")
            .expected(format_args!("at most {MAX_CHAIN}"), "more")
    };
    for key in keys {
        let at = walk(&table, key.hash as usize, key.tag).ok_or_else(too_long)?;
        table[at] = key.tag;
    }
    (0..slots).try_for_each(|slot| walk(&table, slot, 0).map(drop)).ok_or_else(too_long)
}

/// The slot where a lookup from `hash` on ends, at `tag` or at an empty slot.
fn walk(table: &[u32], hash: usize, tag: u32) -> Option<usize> {
    let mask = table.len() - 1;
    let mut at = hash & mask;
    for step in 1..=MAX_CHAIN + 1 {
        if table[at] == 0 || table[at] == tag {
            return Some(at);
        }
        at = (at + step) & mask;
    }
    None
}
