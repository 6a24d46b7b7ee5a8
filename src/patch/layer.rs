//! One level of a chain: where in its delta the bytes of each range of its target come from.
//!
//! The index holds places in the delta, not what is there, which is parsed again when it is wanted. A sealed delta is
//! read again by whole frames, whose checksums are verified again. A level above that jumps about in its target would
//! have a whole frame read for each byte; of one that does, what is wanted is read command by command.

mod commands;
mod index;

use std::cmp::Ordering;
use std::ops::Range;
use std::path::Path;

use self::commands::{PlainCommands, find_in_payload, marks_of};
use self::index::{Frames, Marks};
use super::PatchOptions;
use super::check::check_copy;
use super::delta_stream::{DeltaStream, Step};
use super::machine::WATCH_BYTES;
use super::place::{Part, Place};
use crate::format::{Command, Event, SealedHeader, Trailer, Unsealer};
use crate::memory::zeroed;
use crate::read_at::{ReadAt, read_some};
use crate::{Error, ErrorKind, Result};

/// How much of a delta is read at once.
const READ_LEN: usize = 64 * 1024;

/// How many commands are held at once where they are read in order; after a jump, but the one that is wanted.
const SEGMENT_COMMANDS: usize = 1024;

/// How often a sealed delta is read again by whole frames, and bytes beyond that; in order, it is once.
const READ_BY_FRAMES: (u64, u64) = (4, 16 << 20);

/// Where bytes come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// From this offset of the level below.
    Below { offset: u64, len: u64 },
    /// From this place in what [`Layer::read_literal`] reads.
    Literal { at: u64, len: u64 },
    /// Nowhere: they are zeros.
    Zeros { len: u64 },
}

pub(super) struct Layer<D> {
    delta: D,
    frames: Frames,
    marks: Marks,
    header: Option<SealedHeader>,
    trailer: Option<Trailer>,
    length: u64,
    stream_bytes: u64,
    held: Held,
    /// Bytes of the delta that were read again by whole frames.
    reread: u64,
}

/// The part of the delta that is parsed at present.
enum Held {
    Nothing,
    /// A frame of a sealed delta, verified; and where in the target and the payload some commands begin.
    Frame {
        unsealer: Box<Unsealer>,
        output: Range<u64>,
        zeros: bool,
        marks: Vec<(u64, u32)>,
    },
    /// Some commands, where in the target each begins, and where the delta goes on.
    Segment {
        output: Range<u64>,
        pieces: Vec<(u64, Piece)>,
        next: Place,
    },
}

impl<D: ReadAt> Layer<D> {
    /// Reads a delta from end to end, checks all of it but what only the result can show, and indexes it.
    pub(super) fn open(delta: D, below_len: u64, budget: u64, options: &PatchOptions) -> Result<Self> {
        let mut stream = DeltaStream::new(options);
        let mut frames = Frames::new(budget / 2);
        let mut marks = Marks::new(budget / 2);
        let mut buffer = zeroed(READ_LEN)?;
        let mut read = 0;
        let mut watched = 0;
        let mut below_len = below_len;
        let mut last = None;
        loop {
            let len = read_some(&delta, &mut buffer, read)?;
            if len == 0 {
                break;
            }
            read += len as u64;
            let mut input = &buffer[..len];
            loop {
                match stream.next(&mut input)? {
                    None => break,
                    // A sealed delta says how long its basis is; whether that is what lies below is
                    // checked against the whole identity, and gives a better reason.
                    Some(Step::Begin) => {
                        let basis = stream.header().and_then(|header| header.basis);
                        below_len = basis.map_or(below_len, |basis| basis.length());
                        continue;
                    }
                    Some(Step::End) => continue,
                    Some(Step::Copy { offset, len }) => {
                        check_copy(offset, len, below_len).map_err(|error| error.at(stream.unit().offset))?;
                    }
                    Some(Step::Literal | Step::Zeros(_)) => {}
                }
                let unit = stream.unit();
                if stream.header().is_some() && last != Some(unit.number) {
                    frames.push(unit);
                    last = Some(unit.number);
                }
                marks.push(stream.place());
            }
            if read - watched >= WATCH_BYTES {
                watched = read;
                options.watch.step(crate::observer::Progress { stream_bytes: read, ..Default::default() })?;
            }
        }
        stream.finish()?;
        Ok(Self {
            header: stream.header().cloned(),
            trailer: stream.trailer().copied(),
            length: stream.reached(),
            stream_bytes: read,
            delta,
            frames,
            marks,
            held: Held::Nothing,
            reread: 0,
        })
    }

    pub(super) fn header(&self) -> Option<&SealedHeader> {
        self.header.as_ref()
    }

    pub(super) fn trailer(&self) -> Option<&Trailer> {
        self.trailer.as_ref()
    }

    /// The file that the delta is in, where it is known.
    pub(super) fn path(&self) -> Option<&Path> {
        self.delta.path()
    }

    /// Bytes of the level's target.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Bytes of the delta.
    pub(super) fn stream_bytes(&self) -> u64 {
        self.stream_bytes
    }

    /// Where the bytes from `output` on come from, which is within the target.
    pub(super) fn piece_at(&mut self, output: u64) -> Result<Piece> {
        let held = match &self.held {
            Held::Nothing => false,
            Held::Frame { output: range, .. } | Held::Segment { output: range, .. } => range.contains(&output),
        };
        if !held {
            let by_frames = self.reads_by_frames();
            let after = self.after_held().filter(|after| after.output <= output);
            let indexed = if by_frames { self.frames.before(output) } else { self.marks.before(output) };
            // Reading on in order parses nothing twice.
            let place = [after, indexed].into_iter().flatten().max_by_key(|place| (place.output, place.offset));
            let place = place.ok_or_else(changed)?;
            let in_order = after.is_some_and(|after| after.offset == place.offset);
            self.held = Held::Nothing;
            self.held = self.load(place, output, if in_order { SEGMENT_COMMANDS } else { 0 })?;
            if let (true, Held::Frame { unsealer, .. }) = (by_frames, &self.held) {
                self.reread = self.reread.saturating_add(unsealer.end() - place.offset);
            }
        }
        match &self.held {
            Held::Frame { output: range, zeros: true, .. } => Ok(Piece::Zeros { len: range.end - output }),
            Held::Frame { unsealer, marks, .. } => {
                find_in_payload(unsealer.payload(), marks, output).ok_or_else(changed)
            }
            Held::Segment { pieces, .. } => {
                let at = pieces.partition_point(|&(start, _)| start <= output);
                let &(start, piece) = at.checked_sub(1).and_then(|at| pieces.get(at)).ok_or_else(changed)?;
                Ok(skip(piece, output - start))
            }
            Held::Nothing => Err(changed()),
        }
    }

    /// Reads literal bytes from the place that [`Layer::piece_at`] gave last.
    pub(super) fn read_literal(&self, at: u64, buffer: &mut [u8]) -> Result<usize> {
        match &self.held {
            Held::Frame { unsealer, .. } => {
                let content = &unsealer.payload()[at as usize..];
                let len = content.len().min(buffer.len());
                buffer[..len].copy_from_slice(&content[..len]);
                Ok(len)
            }
            _ => match read_some(&self.delta, buffer, at)? {
                0 => Err(changed()),
                len => Ok(len),
            },
        }
    }

    fn reads_by_frames(&self) -> bool {
        let (times, more) = READ_BY_FRAMES;
        self.header.is_some() && self.reread <= self.stream_bytes.saturating_mul(times).saturating_add(more)
    }

    /// The place after what is held.
    fn after_held(&self) -> Option<Place> {
        match &self.held {
            Held::Nothing => None,
            Held::Frame { unsealer, output, .. } => Some(Place {
                offset: unsealer.end(),
                output: output.end,
                part: Part::Frame { number: unsealer.sequence() + 1 },
            }),
            Held::Segment { next, .. } => Some(*next),
        }
    }

    /// What makes the target's byte at `output`, found from `place` on; where that is a command, with up to `ahead`
    /// more.
    fn load(&self, place: Place, output: u64, ahead: usize) -> Result<Held> {
        let Part::Command { end, .. } = place.part else { return self.load_frame(place, output) };
        match self.load_segment(place, end, output, ahead)? {
            Held::Segment { output: range, next, .. } if !range.contains(&output) => self.load_frame(next, output),
            held => Ok(held),
        }
    }

    /// Reads and verifies the frame that makes the target's byte at `output`, from the frame at `place` on.
    fn load_frame(&self, place: Place, output: u64) -> Result<Held> {
        let (Some(header), Part::Frame { number }) = (&self.header, place.part) else { return Err(changed()) };
        let mut unsealer = Box::new(Unsealer::resumed(header, place.offset, number, place.output));
        let mut buffer = zeroed(READ_LEN)?;
        let mut read = place.offset;
        loop {
            let len = read_some(&self.delta, &mut buffer, read)?;
            if len == 0 {
                return Err(changed());
            }
            read += len as u64;
            let mut input = &buffer[..len];
            loop {
                let start = unsealer.output();
                let zeros = match unsealer.next(&mut input)? {
                    None => break,
                    Some(Event::Data) => false,
                    Some(Event::ZeroRun(_)) => true,
                    Some(Event::Header | Event::Trailer) => return Err(changed()),
                };
                if (start..unsealer.output()).contains(&output) {
                    let marks = if zeros { Vec::new() } else { marks_of(unsealer.payload(), start)? };
                    let output = start..unsealer.output();
                    return Ok(Held::Frame { unsealer, output, zeros, marks });
                }
            }
        }
    }

    /// Parses commands from that at `place` on, to `ahead` after the one that makes the target's byte at `output`; if
    /// none before `end` makes it, what is found is what is before it.
    fn load_segment(&self, place: Place, end: u64, output: u64, ahead: usize) -> Result<Held> {
        let mut commands = PlainCommands::new(&self.delta, place.offset);
        let mut reached = place.output;
        let mut pieces: Vec<(u64, Piece)> = Vec::new();
        let mut left = ahead;
        let mut next = None;
        while next.is_none() {
            let piece = match commands.next()? {
                Command::Copy { offset, len } => Piece::Below { offset, len },
                Command::Literal { len } => {
                    let at = commands.offset;
                    commands.skip(len);
                    Piece::Literal { at, len }
                }
                Command::End => break,
            };
            if pieces.len() >= SEGMENT_COMMANDS && reached <= output {
                pieces.clear();
            }
            pieces.push((reached, piece));
            reached = reached.checked_add(piece.len()).ok_or_else(changed)?;
            match commands.offset.cmp(&end) {
                Ordering::Less if reached <= output => {}
                Ordering::Less if left == 0 => break,
                Ordering::Less => left -= 1,
                Ordering::Equal => next = place.after_frame(reached),
                Ordering::Greater => return Err(changed()),
            }
        }
        let start = pieces.first().map_or(reached, |&(start, _)| start);
        let next = next.unwrap_or(Place { offset: commands.offset, output: reached, part: place.part });
        Ok(Held::Segment { output: start..reached, pieces, next })
    }
}

impl Piece {
    pub(super) fn len(&self) -> u64 {
        match self {
            Self::Below { len, .. } | Self::Literal { len, .. } | Self::Zeros { len } => *len,
        }
    }
}

/// The piece without its first bytes.
fn skip(piece: Piece, by: u64) -> Piece {
    match piece {
        Piece::Below { offset, len } => Piece::Below { offset: offset + by, len: len - by },
        Piece::Literal { at, len } => Piece::Literal { at: at + by, len: len - by },
        Piece::Zeros { len } => Piece::Zeros { len: len - by },
    }
}

/// A delta was checked when it was indexed, so what no longer fits has been changed since.
fn changed() -> Error {
    Error::new(ErrorKind::Corrupt, "delta was changed while the chain was read").doing("reading a chain")
}
