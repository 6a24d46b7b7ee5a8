//! One level of a chain: where in its delta the bytes of each range of its target come from.
//!
//! The index holds places in the delta, not commands: of frames, or of every so many commands of a
//! plain delta. When it has used up its budget it keeps every second place, and what lies between two
//! places is parsed again when it is wanted.

mod commands;

use std::ops::Range;
use std::path::Path;

use self::commands::{PlainCommands, find_in_payload, marks_of};
use super::PatchOptions;
use super::check::check_copy;
use super::delta_stream::{DeltaStream, Step, Unit};
use super::machine::WATCH_BYTES;
use crate::format::{Command, Event, SealedHeader, Trailer, Unsealer};
use crate::read_at::{ReadAt, read_some};
use crate::{Error, ErrorKind, Result};

/// How much of a delta is read at once.
const READ_LEN: usize = 64 * 1024;

/// How many commands of a plain delta are held at once.
const SEGMENT_COMMANDS: usize = 1024;

/// Places in order, within a budget.
struct Index {
    places: Vec<Unit>,
    budget: usize,
    /// Only every so many places are kept.
    stride: usize,
    seen: usize,
}

impl Index {
    fn new(budget_bytes: u64) -> Self {
        let budget = usize::try_from(budget_bytes).unwrap_or(usize::MAX) / size_of::<Unit>();
        Self { places: Vec::new(), budget: budget.max(16), stride: 1, seen: 0 }
    }

    fn push(&mut self, place: Unit) {
        if self.seen.is_multiple_of(self.stride) {
            if self.places.len() == self.budget {
                let mut at = 0;
                self.places.retain(|_| {
                    at += 1;
                    at % 2 == 1
                });
                self.stride *= 2;
            }
            if self.seen.is_multiple_of(self.stride) {
                self.places.push(place);
            }
        }
        self.seen += 1;
    }

    /// The last place at or before `output`.
    fn before(&self, output: u64) -> Option<Unit> {
        let at = self.places.partition_point(|place| place.output <= output);
        self.places.get(at.checked_sub(1)?).copied()
    }
}

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
    index: Index,
    header: Option<SealedHeader>,
    trailer: Option<Trailer>,
    length: u64,
    stream_bytes: u64,
    held: Held,
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
    /// Commands of a plain delta, where in the target each begins, and where in the delta they end.
    Segment {
        output: Range<u64>,
        pieces: Vec<(u64, Piece)>,
        end: u64,
    },
}

impl<D: ReadAt> Layer<D> {
    /// Reads a delta from end to end, checks all of it but what only the result can show, and indexes it.
    pub(super) fn open(delta: D, below_len: u64, budget: u64, options: &PatchOptions) -> Result<Self> {
        let mut stream = DeltaStream::new(options);
        let mut index = Index::new(budget);
        let mut buffer = vec![0; READ_LEN];
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
                let every = if stream.header().is_some() { 1 } else { SEGMENT_COMMANDS as u64 };
                if last != Some(unit.number) && unit.number.is_multiple_of(every) {
                    index.push(unit);
                }
                last = Some(unit.number);
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
            index,
            held: Held::Nothing,
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
            let place = self.nearest(output).ok_or_else(changed)?;
            self.held = Held::Nothing;
            self.held = match &self.header {
                Some(header) => self.load_frame(header, place, output)?,
                None => self.load_segment(place, output)?,
            };
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

    /// Where to begin to parse for the target's byte at `output`: at the nearest place of the index, or
    /// after what is held, so that reading on in order parses nothing twice.
    fn nearest(&self, output: u64) -> Option<Unit> {
        let after = match &self.held {
            Held::Nothing => None,
            Held::Frame { unsealer, output, .. } => {
                Some(Unit { number: unsealer.sequence() + 1, offset: unsealer.end(), output: output.end })
            }
            Held::Segment { output, end, .. } => Some(Unit { number: 0, offset: *end, output: output.end }),
        };
        let indexed = self.index.before(output);
        [after.filter(|after| after.output <= output), indexed].into_iter().flatten().max_by_key(|place| place.output)
    }

    /// Reads and verifies the frame that makes the target's byte at `output`, from `place` on.
    fn load_frame(&self, header: &SealedHeader, place: Unit, output: u64) -> Result<Held> {
        let mut unsealer = Box::new(Unsealer::resumed(header, place.offset, place.number, place.output));
        let mut buffer = vec![0; READ_LEN];
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

    /// Parses the commands of a plain delta around the one that makes the target's byte at `output`, from
    /// `place` on.
    fn load_segment(&self, place: Unit, output: u64) -> Result<Held> {
        let mut commands = PlainCommands::new(&self.delta, place.offset);
        let mut reached = place.output;
        let mut pieces: Vec<(u64, Piece)> = Vec::new();
        loop {
            let piece = match commands.next()? {
                Command::Copy { offset, len } => Piece::Below { offset, len },
                Command::Literal { len } => {
                    let at = commands.offset;
                    commands.skip(len);
                    Piece::Literal { at, len }
                }
                Command::End => break,
            };
            pieces.push((reached, piece));
            reached = reached.checked_add(piece.len()).ok_or_else(changed)?;
            if pieces.len() >= SEGMENT_COMMANDS {
                if reached > output {
                    break;
                }
                pieces.clear();
            }
        }
        let start = pieces.first().map_or(reached, |&(start, _)| start);
        Ok(Held::Segment { output: start..reached, pieces, end: commands.offset })
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
