//! What happens to bytes that are kept somewhere, and where in them.

use std::fmt;

/// Bytes that are zeroed.
const ZEROED: usize = 16;

/// Bytes that are there twice: one block of a plain signature, so that those behind it are read as others.
const REPEATED: usize = 36;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Damage {
    /// All from the place on is missing.
    Truncate,
    /// What is before the place is there once more.
    Extend,
    /// The highest bit of a byte has flipped: the lowest may be one that fills a last byte up, and counts for nothing.
    Flip,
    /// A run of zeros is there instead.
    Zero,
    /// The file is gone.
    Delete,
}

impl Damage {
    pub(crate) const ALL: [Self; 5] = [Self::Truncate, Self::Extend, Self::Flip, Self::Zero, Self::Delete];

    /// What becomes of the bytes; `None` when they are gone.
    pub(crate) fn to(self, bytes: &[u8], place: Place) -> Option<Vec<u8>> {
        let at = place.at(bytes);
        let mut damaged = bytes.to_vec();
        match self {
            Self::Truncate => damaged.truncate(at),
            Self::Extend => {
                let at = if place == Place::End { bytes.len() } else { at };
                damaged.splice(at..at, bytes[at.saturating_sub(REPEATED)..at].to_vec()).for_each(drop);
            }
            Self::Flip => damaged[at] ^= 0x80,
            Self::Zero => {
                let at = if place == Place::End { bytes.len().saturating_sub(ZEROED) } else { at };
                let end = (at + ZEROED).min(bytes.len());
                damaged[at..end].fill(0);
            }
            Self::Delete => return None,
        }
        Some(damaged)
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Truncate => "truncate",
            Self::Extend => "extend",
            Self::Flip => "flip",
            Self::Zero => "zero",
            Self::Delete => "delete",
        })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Behind the magic of most.
    Head,
    Middle,
    /// In what a sealed stream ends with, and in the last command or sum of a plain one; of a tar in its trailer's
    /// body.
    Trailer,
    /// The last byte, or behind it.
    End,
}

impl Place {
    pub(crate) const ALL: [Self; 4] = [Self::Head, Self::Middle, Self::Trailer, Self::End];

    fn at(self, bytes: &[u8]) -> usize {
        let last = bytes.len() - 1;
        match self {
            Self::Head => last.min(4),
            Self::Middle => bytes.len() / 2,
            Self::Trailer => tar_trailer(bytes).unwrap_or(last.saturating_sub(20)),
            Self::End => last,
        }
    }
}

/// Where the trailer's body is, in what is a tar of frazil.
fn tar_trailer(bytes: &[u8]) -> Option<usize> {
    let is_trailer = |block: &&[u8]| block.starts_with(b".frazil/");
    let last = bytes.chunks(512).rposition(|block| is_trailer(&block))?;
    Some(last * 512 + 512 + 20)
}
