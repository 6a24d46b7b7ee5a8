//! Which sums a signature has.

use std::ffi::c_int;

use super::choice::choose;
use super::error::Outcome;
use crate::{StrongKind, WeakKind};

/// The sum that rolls along the data and finds candidates.
#[repr(C)]
#[derive(Clone, Copy)]
pub enum frazil_weak_sum {
    /// That of the basis's signature, or the RabinKarp one.
    FRAZIL_WEAK_SUM_DEFAULT = 0,
    /// librsync's first sum, after rsync's; collides often on long runs of equal bytes.
    FRAZIL_WEAK_SUM_ROLLSUM = 1,
    /// The polynomial sum of librsync 2.2 and later.
    FRAZIL_WEAK_SUM_RABIN_KARP = 2,
}

/// The sum that decides whether two blocks are equal.
#[repr(C)]
#[derive(Clone, Copy)]
pub enum frazil_strong_sum {
    /// That of the basis's signature, or BLAKE2b.
    FRAZIL_STRONG_SUM_DEFAULT = 0,
    /// MD4, 16 bytes: broken, for exchange with old peers only.
    FRAZIL_STRONG_SUM_MD4 = 1,
    /// BLAKE2b with a 32-byte digest.
    FRAZIL_STRONG_SUM_BLAKE2 = 2,
}

pub(super) fn weak_of(number: c_int) -> Outcome<WeakKind> {
    use frazil_weak_sum as named;
    choose(
        number,
        "weak_sum",
        [
            (named::FRAZIL_WEAK_SUM_DEFAULT as c_int, WeakKind::default()),
            (named::FRAZIL_WEAK_SUM_ROLLSUM as c_int, WeakKind::Rollsum),
            (named::FRAZIL_WEAK_SUM_RABIN_KARP as c_int, WeakKind::RabinKarp),
        ],
    )
}

pub(super) fn strong_of(number: c_int) -> Outcome<StrongKind> {
    use frazil_strong_sum as named;
    choose(
        number,
        "strong_sum",
        [
            (named::FRAZIL_STRONG_SUM_DEFAULT as c_int, StrongKind::default()),
            (named::FRAZIL_STRONG_SUM_MD4 as c_int, StrongKind::Md4),
            (named::FRAZIL_STRONG_SUM_BLAKE2 as c_int, StrongKind::Blake2),
        ],
    )
}

impl From<WeakKind> for frazil_weak_sum {
    fn from(kind: WeakKind) -> Self {
        match kind {
            WeakKind::Rollsum => Self::FRAZIL_WEAK_SUM_ROLLSUM,
            WeakKind::RabinKarp => Self::FRAZIL_WEAK_SUM_RABIN_KARP,
        }
    }
}

impl From<StrongKind> for frazil_strong_sum {
    fn from(kind: StrongKind) -> Self {
        match kind {
            StrongKind::Md4 => Self::FRAZIL_STRONG_SUM_MD4,
            StrongKind::Blake2 => Self::FRAZIL_STRONG_SUM_BLAKE2,
        }
    }
}
