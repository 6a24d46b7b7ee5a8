//! The records of several archives in one order, the last level's word on each position.

use std::sync::mpsc::Receiver;

use crate::tree::level_id::LevelHeader;
use crate::tree::path::Position;
use crate::tree::record::{Action, Record};
use crate::{Error, ErrorKind, Result};

/// What the reader of an archive sends.
pub(super) enum Message {
    Header(LevelHeader),
    Record(Box<Record>),
    End,
    Failed(Error),
}

/// One archive, looked at one record ahead.
struct Level {
    receiver: Receiver<Message>,
    header: LevelHeader,
    next: Option<Box<Record>>,
}

impl Level {
    fn advance(&mut self) -> Result<()> {
        self.next = loop {
            match self.receiver.recv() {
                // What could not be read is as the levels before have it.
                Ok(Message::Record(record)) if record.action == Action::Void => {}
                Ok(Message::Record(record)) => break Some(record),
                Ok(Message::End) => break None,
                Ok(Message::Failed(error)) => return Err(error),
                Ok(Message::Header(_)) | Err(_) => return Err(lost()),
            }
        };
        Ok(())
    }
}

pub(super) struct Merge(Vec<Level>);

impl Merge {
    pub(super) fn new(receivers: Vec<Receiver<Message>>) -> Result<Self> {
        let mut levels = Vec::new();
        for receiver in receivers {
            let header = match receiver.recv() {
                Ok(Message::Header(header)) => header,
                Ok(Message::Failed(error)) => return Err(error),
                _ => return Err(lost()),
            };
            levels.push(Level { receiver, header, next: None });
        }
        Ok(Self(levels))
    }

    /// Fails unless the archives are a chain from its level 0 up; gives the header of the last.
    pub(super) fn check_chain(&mut self) -> Result<LevelHeader> {
        let mut before: Option<LevelHeader> = None;
        for level in &mut self.0 {
            let expected = before.map(|before| before.id);
            if level.header.parent != expected {
                let name = |id: Option<crate::LevelId>| id.map_or("none: a level 0".to_owned(), |id| id.to_string());
                return Err(Error::new(ErrorKind::WrongBasis, "archives are not a chain from its level 0 up")
                    .doing("verifying a tree")
                    .expected(format_args!("a level whose parent is {}", name(expected)), name(level.header.parent)));
            }
            before = Some(level.header);
            level.advance()?;
        }
        before.ok_or_else(lost)
    }

    /// The next position that any level has a word on, and the last level's word with its number.
    pub(super) fn next(&mut self) -> Result<Option<(Position, usize, Record)>> {
        let heads = self.0.iter().filter_map(|level| level.next.as_ref());
        let Some(position) = heads.map(|record| &record.position).min().cloned() else { return Ok(None) };
        let mut last = None;
        for (number, level) in self.0.iter_mut().enumerate() {
            if let Some(record) = level.next.take_if(|next| next.position == position) {
                last = Some((number, record));
                level.advance()?;
            }
        }
        Ok(last.map(|(number, record)| (position, number, *record)))
    }
}

fn lost() -> Error {
    Error::new(ErrorKind::Internal, "the reader of an archive has ended without a word")
}
