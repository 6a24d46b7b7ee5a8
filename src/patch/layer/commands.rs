//! Commands found again: in the payload of a frame, and in a plain delta without its literals.

use std::ops::Range;

use super::{Piece, changed, skip};
use crate::Result;
use crate::format::{Command, CommandParser, DETECT_LEN};
use crate::read_at::{ReadAt, read_some};

/// How much of a plain delta is read at once for its commands, between which lie literals to be passed over.
const COMMANDS_LEN: usize = 4 * 1024;

/// A command in the payload of a sealed frame is found by going on from the nearest of every so many.
const MARK_COMMANDS: usize = 32;

/// The commands of a payload from `from` on, each with where its literal would begin.
fn commands_of(payload: &[u8], mut from: usize) -> impl Iterator<Item = Result<(usize, Piece)>> + '_ {
    let mut parser = CommandParser::default();
    std::iter::from_fn(move || {
        let at = from;
        let mut rest = payload.get(from..)?;
        let command = match parser.next(&mut rest) {
            Ok(command) => command?,
            Err(error) => return Some(Err(error)),
        };
        from = payload.len() - rest.len();
        let piece = match command {
            Command::End => return None,
            Command::Copy { offset, len } => Piece::Below { offset, len },
            Command::Literal { len } => {
                let literal = from as u64;
                from = from.checked_add(usize::try_from(len).ok()?)?;
                Piece::Literal { at: literal, len }
            }
        };
        Some(Ok((at, piece)))
    })
}

/// Where some of the commands begin, in the target and in the payload.
pub(super) fn marks_of(payload: &[u8], mut output: u64) -> Result<Vec<(u64, u32)>> {
    let magic = if payload.starts_with(&crate::format::DELTA_MAGIC.to_be_bytes()) { DETECT_LEN } else { 0 };
    let mut marks = Vec::new();
    for (number, command) in commands_of(payload, magic).enumerate() {
        let (at, piece) = command?;
        if number % MARK_COMMANDS == 0 {
            marks.push((output, at as u32));
        }
        output = output.checked_add(piece.len()).ok_or_else(changed)?;
    }
    Ok(marks)
}

pub(super) fn find_in_payload(payload: &[u8], marks: &[(u64, u32)], output: u64) -> Option<Piece> {
    let at = marks.partition_point(|&(start, _)| start <= output);
    let &(mut start, from) = marks.get(at.checked_sub(1)?)?;
    for command in commands_of(payload, from as usize) {
        let (_, piece) = command.ok()?;
        let end = start.checked_add(piece.len())?;
        if output < end {
            return Some(skip(piece, output - start));
        }
        start = end;
    }
    None
}

/// Parses the commands of a plain delta out of a [`ReadAt`], without reading its literals.
pub(super) struct PlainCommands<'a, D> {
    delta: &'a D,
    /// Where in the delta the next command begins.
    pub(super) offset: u64,
    buffer: Vec<u8>,
    held: Range<usize>,
}

impl<'a, D: ReadAt> PlainCommands<'a, D> {
    pub(super) fn new(delta: &'a D, offset: u64) -> Self {
        Self { delta, offset, buffer: vec![0; COMMANDS_LEN], held: 0..0 }
    }

    pub(super) fn next(&mut self) -> Result<Command> {
        let mut parser = CommandParser::default();
        loop {
            let mut input = &self.buffer[self.held.clone()];
            let before = input.len();
            let command = parser.next(&mut input)?;
            let used = before - input.len();
            self.held.start += used;
            self.offset += used as u64;
            if let Some(command) = command {
                return Ok(command);
            }
            match read_some(self.delta, &mut self.buffer, self.offset)? {
                0 => return Err(changed()),
                len => self.held = 0..len,
            }
        }
    }

    pub(super) fn skip(&mut self, len: u64) {
        self.offset = self.offset.saturating_add(len);
        let within = usize::try_from(len).unwrap_or(usize::MAX).min(self.held.len());
        self.held.start += within;
        if (within as u64) < len {
            self.held = 0..0;
        }
    }
}
