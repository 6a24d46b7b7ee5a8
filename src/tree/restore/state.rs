//! Which level a destination stands at.

use std::collections::BTreeSet;
use std::io::{Read, Write};

use bytes::{Buf, BufMut};

use super::private::{NEW_STATE, Private, STATE};
use crate::tree::codec::{Fields, PutFields};
use crate::tree::level_id::LevelId;
use crate::{Error, ErrorKind, Result};

const MAGIC: [u8; 8] = *b"\x89frazst\n";
const VERSION: u8 = 1;

/// More than it takes: some hundred bytes, and the directories that lead to what was selected.
const LEN_MAX: u64 = 64 << 20;

/// What a destination holds, and what was being done to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct State {
    /// The level that was published last, to its end.
    pub(crate) complete: Option<LevelId>,
    /// The level 0 of its chain.
    pub(crate) root: Option<LevelId>,
    /// The level that was being restored.
    pub(crate) applying: Option<Applying>,
    /// Whether something of the tree is not as its level has it.
    pub(crate) partial: bool,
    /// A digest of the options that select or map paths; zeros when there are none. Levels that were
    /// restored with other options than the next are another tree.
    pub(crate) selection: [u8; 32],
    /// Directories of the destination that lead to what is selected and were there before it was restored, in
    /// their order: they stay as they are.
    pub(crate) left: BTreeSet<Vec<u8>>,
}

/// A level on its way, and how far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Applying {
    pub(crate) level: LevelId,
    pub(crate) phase: Phase,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Nothing of the tree has been changed.
    Staging,
    /// The journal is complete and being carried out; there is no way back.
    Publishing,
}

impl State {
    /// `None` when nothing is recorded.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Corrupt`] when it is not what [`State::write`] wrote.
    pub(crate) fn read(private: &Private) -> Result<Option<Self>> {
        let Some(file) = private.read(STATE)? else { return Ok(None) };
        let path = private.display(STATE);
        let mut bytes = Vec::new();
        file.take(LEN_MAX).read_to_end(&mut bytes).map_err(|error| Error::io("reading", error).path(&path))?;
        let state = Self::decode(&bytes).map_err(|error| error.doing("reading").path(&path))?;
        Ok(Some(state))
    }

    /// Replaces what is recorded, durably.
    pub(crate) fn write(&self, private: &Private) -> Result<()> {
        let failed = |error: std::io::Error| Error::io("writing", error).path(private.display(STATE));
        let mut file = private.write(NEW_STATE)?;
        file.write_all(&self.encode()).and_then(|()| file.sync_all()).map_err(failed)?;
        rustix::fs::renameat(private.fd(), NEW_STATE, private.fd(), STATE).map_err(|error| failed(error.into()))?;
        private.flush()
    }

    fn encode(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.put_u8(VERSION);
        for level in [self.complete, self.root] {
            bytes.put_u8(level.is_some().into());
            bytes.put_slice(&level.map_or([0; 16], |level| level.0));
        }
        bytes.put_u8(match self.applying.map(|applying| applying.phase) {
            None => 0,
            Some(Phase::Staging) => 1,
            Some(Phase::Publishing) => 2,
        });
        bytes.put_slice(&self.applying.map_or([0; 16], |applying| applying.level.0));
        bytes.put_u8(self.partial.into());
        bytes.put_slice(&self.selection);
        bytes.put_number(self.left.len() as u64);
        self.left.iter().for_each(|path| bytes.put_field(path));
        let crc = crc32fast::hash(&bytes);
        bytes.put_u32(crc);
        bytes
    }

    fn decode(bytes: &[u8]) -> Result<Self> {
        if bytes.get(..MAGIC.len()) == Some(&MAGIC) && bytes.get(MAGIC.len()).is_some_and(|&version| version > VERSION)
        {
            return Err(Error::new(ErrorKind::Unsupported, "the state of this destination is of a newer frazil")
                .expected(format_args!("version {VERSION}"), bytes[MAGIC.len()]));
        }
        let damaged = || {
            Error::new(
                ErrorKind::Corrupt,
                "the record of which level this destination stands at is damaged: remove the directory that it is \
                 in, and restore the chain again from its level 0",
            )
        };
        let (body, mut crc) = bytes.split_at_checked(bytes.len().wrapping_sub(4)).ok_or_else(damaged)?;
        if crc.get_u32() != crc32fast::hash(body) {
            return Err(damaged());
        }
        let fields = &mut Fields(body);
        let state = (|| {
            fields.array::<{ MAGIC.len() + 1 }>()?;
            let complete = level(fields)?;
            let root = level(fields)?;
            let phase = fields.byte()?;
            let level = LevelId(fields.array()?);
            let phase = match phase {
                0 => None,
                1 => Some(Phase::Staging),
                _ => Some(Phase::Publishing),
            };
            let applying = phase.map(|phase| Applying { level, phase });
            let (partial, selection) = (fields.byte()? != 0, fields.array()?);
            let left = (0..fields.number()?).map(|_| fields.path().map(<[u8]>::to_vec)).collect::<Result<_>>()?;
            Ok(Self { complete, root, applying, partial, selection, left })
        })()
        .map_err(|_: Error| damaged())?;
        // Anything else than what is written for it, the magic included, was not written by us.
        if state.encode() == bytes { Ok(state) } else { Err(damaged()) }
    }
}

fn level(fields: &mut Fields<'_>) -> Result<Option<LevelId>> {
    let is_there = fields.byte()? != 0;
    let id = LevelId(fields.array()?);
    Ok(is_there.then_some(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_comes_back_and_none_cut_or_flipped_anywhere_does() {
        let applying = Some(Applying { level: LevelId([3; 16]), phase: Phase::Publishing });
        let left = BTreeSet::from([b"".to_vec(), b"a/b".to_vec()]);
        let complete = Some(LevelId([1; 16]));
        let full = State { complete, root: None, applying, partial: true, selection: [5; 32], left };
        for state in [State::default(), full] {
            let bytes = state.encode();
            assert_eq!(State::decode(&bytes).unwrap(), state);
            for at in 0..bytes.len() {
                assert_eq!(State::decode(&bytes[..at]).unwrap_err().kind(), ErrorKind::Corrupt, "cut at {at}");
                for bit in 0..8 {
                    let mut flipped = bytes.clone();
                    flipped[at] ^= 1 << bit;
                    assert!(State::decode(&flipped).is_err(), "bit {bit} flipped at {at}");
                }
            }
            assert!(State::decode(&[&bytes[..], b"\0"].concat()).is_err());
        }
    }
}
