//! Which level of which chain an archive and its snapshot are.

use std::fmt;

use crate::format::leaf_of;
use crate::{Result, StreamId};

/// Sixteen random bytes that name one level of a tree.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct LevelId(pub [u8; 16]);

impl LevelId {
    pub(crate) fn random() -> Result<Self> {
        Ok(Self(StreamId::random()?.0))
    }

    /// The id of a sealed stream of this level: as good as random, since the level's own is, and the same
    /// when the level is made again with the same id.
    pub(crate) fn stream_id(self, name: &[u8]) -> StreamId {
        let digest = leaf_of(&[&self.0, name].concat());
        let mut id = [0; 16];
        id.copy_from_slice(&digest[..16]);
        StreamId(id)
    }
}

impl fmt::Display for LevelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for LevelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LevelId({self})")
    }
}

impl std::str::FromStr for LevelId {
    type Err = crate::Error;

    /// Reads what `Display` writes: 32 hexadecimal digits.
    fn from_str(text: &str) -> Result<Self> {
        let digit = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
        let mut id = [0; 16];
        let text = text.as_bytes();
        let read = text.len() == 32
            && id.iter_mut().zip(text.chunks_exact(2)).all(|(byte, pair)| match (digit(pair[0]), digit(pair[1])) {
                (Some(high), Some(low)) => {
                    *byte = high << 4 | low;
                    true
                }
                _ => false,
            });
        if read {
            return Ok(Self(id));
        }
        Err(crate::Error::new(crate::ErrorKind::InvalidInput, "not the id of a level")
            .expected("32 hexadecimal digits", format_args!("{:?}", String::from_utf8_lossy(text))))
    }
}

/// What an archive and the snapshot made with it say of themselves, and of where they belong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LevelHeader {
    /// This level.
    pub id: LevelId,
    /// The level that it is made against; `None` for level 0.
    pub parent: Option<LevelId>,
    /// The level 0 of its chain: itself for level 0.
    pub root: LevelId,
    /// How many levels are before it in its chain. For information: the ids decide.
    pub number: u32,
    /// Bytes in a block, and in the leaves of every fingerprint; the same in a whole chain.
    pub block_len: u32,
    /// When the backup began, in seconds since 1970.
    pub created: i64,
}
