//! librsync's delta commands: a copy from the basis, a literal, the end.
//!
//! After the magic come commands of one byte and up to two big-endian numbers; a literal's bytes follow
//! its command. Source: librsync's `doc/formats.md`, `command.c` and `emit.c`.

use bytes::BufMut;

use crate::{Error, ErrorKind, Result};

/// The first four bytes of a raw delta.
pub(crate) const DELTA_MAGIC: u32 = 0x7273_0236;

/// The command that ends a delta.
pub(crate) const END: u8 = 0x00;
/// 0x01 to 0x40 are literals of that very length.
const LITERAL_SHORT_MAX: u8 = 0x40;
/// 0x41 to 0x44: a literal whose length follows in 1, 2, 4 or 8 bytes.
const LITERAL_N1: u8 = 0x41;
/// 0x45 to 0x54: a copy; the offset's width times four plus the length's width.
const COPY_N1_N1: u8 = 0x45;
const COPY_N8_N8: u8 = 0x54;

/// The longest command without its literal: one byte and two numbers of eight.
const COMMAND_MAX: usize = 17;

/// One command of a delta.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// `len` bytes of the basis from `offset`.
    Copy { offset: u64, len: u64 },
    /// `len` bytes that follow in the stream.
    Literal { len: u64 },
    /// Nothing comes after.
    End,
}

/// The narrowest of the four widths that holds `value`: 0 to 3 for 1, 2, 4 and 8 bytes.
fn width(value: u64) -> u8 {
    match value {
        0..=0xff => 0,
        0x100..=0xffff => 1,
        0x1_0000..=0xffff_ffff => 2,
        _ => 3,
    }
}

fn put_number(out: &mut Vec<u8>, value: u64, width: u8) {
    out.put_uint(value, 1 << width);
}

/// Writes a copy command in its shortest form, as librsync does.
pub(crate) fn encode_copy(offset: u64, len: u64, out: &mut Vec<u8>) {
    let (offset_width, len_width) = (width(offset), width(len));
    out.put_u8(COPY_N1_N1 + offset_width * 4 + len_width);
    put_number(out, offset, offset_width);
    put_number(out, len, len_width);
}

/// Writes the command of a literal in its shortest form; the caller writes its bytes.
pub(crate) fn encode_literal(len: u64, out: &mut Vec<u8>) {
    if len <= u64::from(LITERAL_SHORT_MAX) {
        out.put_u8(len as u8);
    } else {
        let width = width(len);
        out.put_u8(LITERAL_N1 + width);
        put_number(out, len, width);
    }
}

/// Parses commands from bytes that come in pieces.
///
/// It reads the commands alone: after a [`Command::Literal`] the caller takes the literal's bytes
/// from the input itself.
#[derive(Debug, Default)]
pub(crate) struct CommandParser {
    held: [u8; COMMAND_MAX],
    have: usize,
}

impl CommandParser {
    /// The next command, or `None` when `input` ended within one; what was read is kept.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Corrupt`] for an unknown command, a copy or literal of no bytes (librsync 2.2 hangs
    /// on the one and no writer makes the other), and a copy that overflows 2^63.
    pub(crate) fn next(&mut self, input: &mut &[u8]) -> Result<Option<Command>> {
        loop {
            let need = if self.have == 0 { 1 } else { 1 + numbers_len(self.held[0])? };
            if self.have >= need {
                let command = decode(&self.held[..need])?;
                self.have = 0;
                return Ok(Some(command));
            }
            let take = input.len().min(need - self.have);
            if take == 0 {
                return Ok(None);
            }
            self.held[self.have..self.have + take].copy_from_slice(&input[..take]);
            self.have += take;
            *input = &input[take..];
        }
    }

    /// Whether a command has begun but not ended.
    pub(crate) fn is_within(&self) -> bool {
        self.have > 0
    }
}

/// How many bytes of numbers follow this opcode.
fn numbers_len(opcode: u8) -> Result<usize> {
    match opcode {
        END..=LITERAL_SHORT_MAX => Ok(0),
        LITERAL_N1..COPY_N1_N1 => Ok(1 << (opcode - LITERAL_N1)),
        COPY_N1_N1..=COPY_N8_N8 => {
            let widths = opcode - COPY_N1_N1;
            Ok((1 << (widths / 4)) + (1 << (widths % 4)))
        }
        _ => {
            Err(Error::new(ErrorKind::Corrupt, "unknown delta command")
                .expected("00 to 54", format_args!("{opcode:02x}")))
        }
    }
}

fn number(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |value, &byte| value << 8 | u64::from(byte))
}

fn decode(bytes: &[u8]) -> Result<Command> {
    let (opcode, numbers) = (bytes[0], &bytes[1..]);
    match opcode {
        END => Ok(Command::End),
        1..=LITERAL_SHORT_MAX => Ok(Command::Literal { len: u64::from(opcode) }),
        LITERAL_N1..COPY_N1_N1 => match number(numbers) {
            0 => Err(Error::new(ErrorKind::Corrupt, "literal command of no bytes")),
            len => Ok(Command::Literal { len }),
        },
        _ => {
            let offset_len = 1 << ((opcode - COPY_N1_N1) / 4);
            let (offset, len) = (number(&numbers[..offset_len]), number(&numbers[offset_len..]));
            if len == 0 {
                return Err(Error::new(ErrorKind::Corrupt, "copy command of no bytes"));
            }
            if offset.checked_add(len).is_none_or(|end| end > i64::MAX as u64) {
                return Err(Error::new(ErrorKind::Corrupt, "copy command reaches past every file")
                    .expected(format_args!("an end of at most {}", i64::MAX), format_args!("{offset} + {len}")));
            }
            Ok(Command::Copy { offset, len })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_in_pieces(bytes: &[u8], piece: usize) -> Result<Vec<Command>> {
        let mut parser = CommandParser::default();
        let mut commands = Vec::new();
        for mut input in bytes.chunks(piece) {
            while let Some(command) = parser.next(&mut input)? {
                commands.push(command);
            }
        }
        assert!(!parser.is_within());
        Ok(commands)
    }

    #[test]
    fn every_width_of_every_command_reads_back_in_any_pieces() {
        let edges = [1, 64, 65, 0xff, 0x100, 0xffff, 0x1_0000, 0xffff_ffff, 0x1_0000_0000, 1 << 62];
        let (mut bytes, mut expected) = (Vec::new(), Vec::new());
        for len in edges {
            encode_literal(len, &mut bytes);
            expected.push(Command::Literal { len });
            for offset in edges.into_iter().chain([0]).filter(|offset| offset + len <= i64::MAX as u64) {
                encode_copy(offset, len, &mut bytes);
                expected.push(Command::Copy { offset, len });
            }
        }
        bytes.push(END);
        expected.push(Command::End);
        for piece in [1, 2, 3, 7, 15, 100, 10_000] {
            assert_eq!(parse_in_pieces(&bytes, piece).unwrap(), expected, "in pieces of {piece}");
        }
    }

    #[test]
    fn the_shortest_forms_are_librsyncs() {
        let mut bytes = Vec::new();
        encode_literal(64, &mut bytes);
        encode_literal(65, &mut bytes);
        encode_copy(0, 0x100, &mut bytes);
        encode_copy(0x1_0000, 5, &mut bytes);
        assert_eq!(bytes, [0x40, 0x41, 65, 0x46, 0, 1, 0, 0x4d, 0, 1, 0, 0, 5]);
    }

    #[test]
    fn a_copy_may_end_where_the_longest_file_does() {
        let (offset, len) = (i64::MAX as u64 - 5, 5);
        let mut bytes = Vec::new();
        encode_copy(offset, len, &mut bytes);
        assert_eq!(parse_in_pieces(&bytes, 1).unwrap(), [Command::Copy { offset, len }]);
    }

    #[test]
    fn hostile_commands_are_corrupt() {
        let table: [(&str, &[u8]); 6] = [
            ("unknown delta command", &[0x55]),
            ("unknown delta command", &[0xff]),
            ("literal command of no bytes", &[0x41, 0]),
            ("copy command of no bytes", &[0x45, 1, 0]),
            ("copy command reaches past every file", &[0x54; 17]),
            ("copy command reaches past every file", {
                &[0x54, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 1]
            }),
        ];
        for (message, bytes) in table {
            let error = CommandParser::default().next(&mut &bytes[..]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corrupt);
            assert!(error.to_string().contains(message), "{error}");
        }
    }
}
