//! A delta taken apart into commands that are safe to carry out, sealed or plain.

use bytes::Buf;

use crate::format::{
    Command, CommandParser, DELTA_MAGIC, DETECT_LEN, Detected, Event, SealedHeader, SealedKind, Trailer, Unsealer,
    detect,
};
use crate::{Error, ErrorDetail, ErrorKind, Result};

use super::PatchOptions;
use super::place::{Part, Place, Unit};

/// A plain literal is handed on in pieces of this length at most.
const PIECE_LEN: usize = 64 * 1024;

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The head is there: [`DeltaStream::header`] says what the delta was made against.
    Begin,
    /// Give `len` bytes of the basis from `offset`.
    Copy { offset: u64, len: u64 },
    /// Give the bytes in [`DeltaStream::literal`].
    Literal,
    /// Give so many zeros.
    Zeros(u64),
    /// Everything was given; a sealed delta's [`DeltaStream::trailer`] is there.
    End,
}

/// Parses a delta that comes in pieces.
///
/// Each command is checked before it is given out: against the announced offsets of its frame, the
/// declared length of the target, and the limit.
pub(crate) struct DeltaStream {
    form: Form,
    parser: CommandParser,
    /// Bytes of the stream that were taken.
    taken: u64,
    /// Bytes of the target that the commands given out make.
    reached: u64,
    /// What may come out: the limit, or the less that the header declares.
    limit: u64,
    declared: bool,
    literal: Vec<u8>,
    literal_left: u64,
    /// The command of a plain delta that is being carried out, and how many there were.
    command: Unit,
    commands: u64,
    ended: bool,
}

enum Form {
    Unknown { first: [u8; DETECT_LEN], have: usize },
    Plain,
    Sealed { unsealer: Box<Unsealer>, frame: Option<Frame>, magic_seen: bool },
}

/// How far the payload of the current data frame is parsed.
struct Frame {
    at: usize,
    /// Where in it the last command begins, and where in the target.
    command: usize,
    output: u64,
    literal: std::ops::Range<usize>,
}

impl DeltaStream {
    pub(crate) fn new(options: &PatchOptions) -> Self {
        Self {
            form: Form::Unknown { first: [0; DETECT_LEN], have: 0 },
            parser: CommandParser::default(),
            taken: 0,
            reached: 0,
            limit: options.max_output.unwrap_or(PatchOptions::DEFAULT_MAX_OUTPUT),
            declared: false,
            literal: Vec::new(),
            literal_left: 0,
            command: Unit { number: 0, offset: 0, output: 0 },
            commands: 0,
            ended: false,
        }
    }

    /// The header of a sealed delta, once it has come.
    pub(crate) fn header(&self) -> Option<&SealedHeader> {
        match &self.form {
            Form::Sealed { unsealer, .. } => unsealer.header(),
            _ => None,
        }
    }

    /// The trailer of a sealed delta, once it has come.
    pub(crate) fn trailer(&self) -> Option<&Trailer> {
        match &self.form {
            Form::Sealed { unsealer, .. } => unsealer.trailer(),
            _ => None,
        }
    }

    /// The bytes of the last [`Step::Literal`].
    pub(crate) fn literal(&self) -> &[u8] {
        match &self.form {
            Form::Sealed { unsealer, frame: Some(frame), .. } => &unsealer.payload()[frame.literal.clone()],
            _ => &self.literal,
        }
    }

    /// Bytes of the stream that were taken.
    pub(crate) fn taken(&self) -> u64 {
        self.taken
    }

    /// Bytes of the target that the commands given out make.
    pub(crate) fn reached(&self) -> u64 {
        self.reached
    }

    /// The frame or command that the last step came from.
    pub(crate) fn unit(&self) -> Unit {
        match &self.form {
            Form::Sealed { unsealer, .. } => {
                Unit { number: unsealer.sequence(), offset: unsealer.offset(), output: unsealer.frame_start() }
            }
            _ => self.command,
        }
    }

    /// Where the last step came from: a command, or a frame that is none.
    pub(crate) fn place(&self) -> Place {
        match &self.form {
            Form::Sealed { unsealer, frame: Some(frame), .. } => {
                let payload = unsealer.payload_offset();
                let (number, end) = (unsealer.sequence(), payload + unsealer.payload().len() as u64);
                let offset = payload + frame.command as u64;
                Place { offset, output: frame.output, part: Part::Command { number, end } }
            }
            Form::Sealed { .. } => Place::of_frame(self.unit()),
            _ => Place::of_plain_command(self.command),
        }
    }

    /// What to do next; `None` when it wants more input.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Corrupt`], [`ErrorKind::Unsupported`] or [`ErrorKind::Limit`], with the offset in the
    /// stream of the command or frame.
    pub(crate) fn next(&mut self, input: &mut &[u8]) -> Result<Option<Step>> {
        let before = input.len();
        let step = match &self.form {
            Form::Unknown { .. } => self.begin(input),
            Form::Plain => self.next_plain(input),
            Form::Sealed { .. } => self.next_sealed(input),
        };
        self.taken += (before - input.len()) as u64;
        step.map_err(|error| {
            let error = if error.offset().is_none() { error.at(self.unit().offset) } else { error };
            error.doing("reading a delta")
        })
    }

    /// Fails unless the delta is complete: to be called when no more input will come.
    pub(crate) fn finish(&self) -> Result<()> {
        let truncated = |what| Error::new(ErrorKind::Truncated, what).at(self.taken).doing("reading a delta");
        match &self.form {
            Form::Unknown { have: 0, .. } => Err(truncated("delta is empty")),
            Form::Unknown { .. } => Err(truncated("delta ends within its magic")),
            Form::Sealed { unsealer, .. } => unsealer.finish().map_err(|error| error.doing("reading a delta")),
            Form::Plain if self.ended => Ok(()),
            Form::Plain if self.literal_left > 0 => Err(truncated("delta ends within a literal")),
            Form::Plain if self.parser.is_within() => Err(truncated("delta ends within a command")),
            Form::Plain => Err(truncated("delta ends without its end command")),
        }
    }

    fn begin(&mut self, input: &mut &[u8]) -> Result<Option<Step>> {
        if let Form::Unknown { first, have } = &mut self.form {
            let take = input.len().min(DETECT_LEN - *have);
            first[*have..*have + take].copy_from_slice(&input[..take]);
            input.advance(take);
            *have += take;
            if *have < DETECT_LEN {
                return Ok(None);
            }
            let first = *first;
            match detect(first) {
                Detected::RawDelta => {
                    self.form = Form::Plain;
                    return Ok(Some(Step::Begin));
                }
                Detected::Sealed => {
                    let mut unsealer = Box::new(Unsealer::new());
                    unsealer.next(&mut &first[..])?;
                    self.form = Form::Sealed { unsealer, frame: None, magic_seen: false };
                }
                Detected::RawSignature => {
                    let error = Error::new(ErrorKind::Corrupt, "stream is not a delta");
                    return Err(error.at(0).expected("delta", "signature"));
                }
                Detected::Unknown => {
                    return Err(Error::new(ErrorKind::Corrupt, "neither a sealed stream nor a librsync delta")
                        .at(0)
                        .expected("a known magic", format_args!("{:08x}", u32::from_be_bytes(first))));
                }
            }
        }
        self.next_sealed(input)
    }

    /// Counts a command's output, unless it goes too far.
    fn reach(&mut self, len: u64) -> Result<()> {
        match self.reached.checked_add(len).filter(|&reached| reached <= self.limit) {
            Some(reached) => {
                self.reached = reached;
                Ok(())
            }
            None => Err(over_limit(self.limit, format_args!("{} and {len} more", self.reached))),
        }
    }

    fn next_plain(&mut self, input: &mut &[u8]) -> Result<Option<Step>> {
        if self.ended {
            if input.is_empty() {
                return Ok(None);
            }
            self.command = Unit { number: self.commands, offset: self.taken, output: self.reached };
            return Err(Error::new(ErrorKind::Corrupt, "bytes after the end of the delta"));
        }
        if self.literal_left == 0 {
            if !self.parser.is_within() {
                // `taken` is brought up to date after this call.
                self.command = Unit { number: self.commands, offset: self.taken, output: self.reached };
            }
            match self.parser.next(input)? {
                None => return Ok(None),
                Some(Command::End) => {
                    self.ended = true;
                    return Ok(Some(Step::End));
                }
                Some(Command::Copy { offset, len }) => {
                    self.reach(len)?;
                    self.commands += 1;
                    return Ok(Some(Step::Copy { offset, len }));
                }
                Some(Command::Literal { len }) => {
                    self.reach(len)?;
                    self.commands += 1;
                    self.literal_left = len;
                }
            }
        }
        let take = input.len().min(PIECE_LEN).min(usize::try_from(self.literal_left).unwrap_or(usize::MAX));
        if take == 0 {
            return Ok(None);
        }
        self.literal.clear();
        self.literal.extend_from_slice(&input[..take]);
        input.advance(take);
        self.literal_left -= take as u64;
        Ok(Some(Step::Literal))
    }

    fn next_sealed(&mut self, input: &mut &[u8]) -> Result<Option<Step>> {
        loop {
            if let Some(step) = self.next_in_frame()? {
                return Ok(Some(step));
            }
            let Form::Sealed { unsealer, frame, magic_seen } = &mut self.form else { return Ok(None) };
            let Some(event) = unsealer.next(input)? else { return Ok(None) };
            let corrupt = |what| Error::new(ErrorKind::Corrupt, what).at(unsealer.offset());
            match event {
                Event::Header => {
                    let header = unsealer.header();
                    if let Some(kind) = header.map(|header| header.kind).filter(|&kind| kind != SealedKind::Delta) {
                        return Err(corrupt("sealed stream is not a delta").expected("delta", kind));
                    }
                    if let Some(declared) = header.and_then(|header| header.target_len) {
                        if declared > self.limit {
                            return Err(over_limit(self.limit, declared));
                        }
                        self.limit = declared;
                        self.declared = true;
                    }
                    return Ok(Some(Step::Begin));
                }
                Event::Trailer => {
                    let expected = unsealer.header().map(SealedHeader::target_leaf_len);
                    let found = unsealer.trailer().map(|trailer| trailer.identity.fingerprint().leaf_len());
                    if expected != found {
                        return Err(corrupt("fingerprint has other leaves than the header's block length gives")
                            .expected(expected.unwrap_or_default(), found.unwrap_or_default()));
                    }
                    let length = unsealer.trailer().map(|trailer| trailer.identity.length());
                    if !self.ended {
                        return Err(corrupt("trailer comes before the end of the delta"));
                    }
                    if length != Some(self.reached) {
                        return Err(corrupt("delta does not make the length of its trailer")
                            .expected(length.unwrap_or_default(), self.reached));
                    }
                    return Ok(Some(Step::End));
                }
                _ if self.ended => return Err(corrupt("frame after the end of the delta")),
                _ if unsealer.output() > self.limit && self.declared => {
                    return Err(corrupt("frame reaches past the length that the header declares")
                        .expected(format_args!("at most {}", self.limit), unsealer.output()));
                }
                _ if unsealer.output() > self.limit => return Err(over_limit(self.limit, unsealer.output())),
                Event::ZeroRun(len) => {
                    if !*magic_seen {
                        return Err(corrupt("delta does not begin with its magic"));
                    }
                    self.reached += len;
                    return Ok(Some(Step::Zeros(len)));
                }
                Event::Data => {
                    let mut at = 0;
                    if !*magic_seen {
                        if !unsealer.payload().starts_with(&DELTA_MAGIC.to_be_bytes()) {
                            return Err(corrupt("delta does not begin with its magic"));
                        }
                        at = DETECT_LEN;
                        *magic_seen = true;
                    }
                    *frame = Some(Frame { at, command: at, output: self.reached, literal: 0..0 });
                }
            }
        }
    }

    /// The next command of the current frame; `None` when the frame is over, or there is none.
    fn next_in_frame(&mut self) -> Result<Option<Step>> {
        let Form::Sealed { unsealer, frame: current, .. } = &mut self.form else { return Ok(None) };
        let Some(frame) = current else { return Ok(None) };
        let (payload, output) = (unsealer.payload(), unsealer.output());
        let corrupt = |what| Error::new(ErrorKind::Corrupt, what);
        let mut rest = &payload[frame.at..];
        if rest.is_empty() || self.ended {
            if self.ended && !rest.is_empty() {
                return Err(corrupt("bytes after the end of the delta"));
            }
            if self.reached != output {
                return Err(corrupt("frame does not reach the offset it announces").expected(output, self.reached));
            }
            *current = None;
            return Ok(None);
        }
        (frame.command, frame.output) = (frame.at, self.reached);
        let Some(command) = self.parser.next(&mut rest)? else {
            return Err(corrupt("command crosses the end of its frame"));
        };
        frame.at = payload.len() - rest.len();
        let len = match command {
            Command::End => {
                self.ended = true;
                return self.next_in_frame();
            }
            Command::Copy { len, .. } | Command::Literal { len } => len,
        };
        if self.reached.checked_add(len).is_none_or(|reached| reached > output) {
            return Err(corrupt("command goes past the offset its frame announces")
                .expected(output, format_args!("{} and {len} more", self.reached)));
        }
        self.reached += len;
        match command {
            Command::Copy { offset, len } => Ok(Some(Step::Copy { offset, len })),
            _ if len > rest.len() as u64 => Err(corrupt("literal crosses the end of its frame")),
            _ => {
                frame.literal = frame.at..frame.at + len as usize;
                frame.at = frame.literal.end;
                Ok(Some(Step::Literal))
            }
        }
    }
}

fn over_limit(limit: u64, found: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Limit, "output is longer than is allowed")
        .detailed(ErrorDetail::FileTooLong)
        .expected(format_args!("at most {limit} bytes"), found)
}
