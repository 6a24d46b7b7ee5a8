//! Checks a sealed stream that comes in pieces, and hands out what has been verified.

use bytes::Buf;

use super::header::FIXED_LEN;
use super::trailer::{DIGEST_LEN, FIELDS_LEN};
use super::{CODEC_NONE, CRC_LEN, FRAME_HEAD_LEN, FrameKind, MAX_PAYLOAD, SealedHeader, StreamDigest, Trailer};
use crate::format::leaf_of;
use crate::memory::extend;
use crate::{Error, ErrorKind, Result};

/// What [`Unsealer::next`] has just verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// The header is there.
    Header,
    /// A frame of commands or sums is in [`Unsealer::payload`].
    Data,
    /// So many zeros.
    ZeroRun(u64),
    /// The trailer is there: the stream is complete.
    Trailer,
}

/// Takes a sealed stream apart; holds at most one frame.
pub(crate) struct Unsealer {
    state: State,
    /// The bytes of the header or frame being gathered, or of the one just verified.
    held: Vec<u8>,
    /// Whether `held` is verified and handed out, to be dropped at the next call.
    spent: bool,
    /// Where in the stream `held` begins.
    offset: u64,
    header: Option<SealedHeader>,
    trailer: Option<Trailer>,
    crc: crc32fast::Hasher,
    digest: Option<StreamDigest>,
    /// The number of the next frame.
    sequence: u64,
    /// The output offset that the frames before the last verified one reach, and that with it.
    frame_start: u64,
    output: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Header,
    Frames,
    Done,
}

/// The head of a frame.
struct Head {
    kind: FrameKind,
    output: u64,
}

impl Unsealer {
    pub(crate) fn new() -> Self {
        Self {
            state: State::Header,
            held: Vec::new(),
            spent: false,
            offset: 0,
            header: None,
            trailer: None,
            crc: crc32fast::Hasher::new(),
            digest: None,
            sequence: 0,
            frame_start: 0,
            output: 0,
        }
    }

    /// Where in the stream the frame ends whose payload ends at `payload_end`.
    pub(crate) fn frame_end(payload_end: u64) -> u64 {
        payload_end.saturating_add(CRC_LEN as u64)
    }

    /// Goes on in the middle of a stream that was checked from end to end before: at the frame of number
    /// `sequence`, which begins at `offset` and stands at `output`.
    pub(crate) fn resumed(header: &SealedHeader, offset: u64, sequence: u64, output: u64) -> Self {
        let mut this = Self { state: State::Frames, offset, sequence, output, ..Self::new() };
        this.crc.update(&header.stream_id.0);
        this
    }

    /// The header, once it has come.
    pub(crate) fn header(&self) -> Option<&SealedHeader> {
        self.header.as_ref()
    }

    /// The trailer, once it has come.
    pub(crate) fn trailer(&self) -> Option<&Trailer> {
        self.trailer.as_ref()
    }

    /// The payload of the frame just verified.
    pub(crate) fn payload(&self) -> &[u8] {
        &self.held[FRAME_HEAD_LEN..self.held.len() - CRC_LEN]
    }

    /// Where in the stream the header or frame begins that is being gathered or was just verified.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// Where in the stream the payload of the frame begins that was just verified.
    pub(crate) fn payload_offset(&self) -> u64 {
        self.offset + FRAME_HEAD_LEN as u64
    }

    /// The number of the frame just verified.
    pub(crate) fn sequence(&self) -> u64 {
        self.sequence.saturating_sub(1)
    }

    /// The output offset at which the frame just verified begins.
    pub(crate) fn frame_start(&self) -> u64 {
        self.frame_start
    }

    /// Where in the stream the header or frame ends that was just verified.
    pub(crate) fn end(&self) -> u64 {
        self.offset + self.held.len() as u64
    }

    /// The output offset that the frame just verified reaches.
    pub(crate) fn output(&self) -> u64 {
        self.output
    }

    /// Takes bytes from `input` until something is verified; `None` when it wants more.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Corrupt`] or [`ErrorKind::Unsupported`], with the offset in the stream.
    pub(crate) fn next(&mut self, input: &mut &[u8]) -> Result<Option<Event>> {
        if self.spent {
            self.offset += self.held.len() as u64;
            self.held.clear();
            self.spent = false;
        }
        let event = match self.state {
            State::Header => self.gather_header(input)?,
            State::Frames => self.gather_frame(input)?,
            State::Done if input.is_empty() => None,
            State::Done => return Err(Error::new(ErrorKind::Corrupt, "bytes after the trailer").at(self.offset)),
        };
        self.spent = event.is_some();
        Ok(event)
    }

    /// Fails unless the stream is complete: to be called when no more bytes will come.
    pub(crate) fn finish(&self) -> Result<()> {
        let what = match self.state {
            State::Done => return Ok(()),
            State::Header => "stream ends within its header",
            State::Frames if self.held.is_empty() || self.spent => "stream ends before its trailer",
            State::Frames => "stream ends within a frame",
        };
        Err(Error::new(ErrorKind::Truncated, what).at(self.offset + self.held.len() as u64))
    }

    /// Appends input to `held` until it has `len` bytes; says whether it has.
    fn gather(&mut self, input: &mut &[u8], len: usize) -> Result<bool> {
        let take = input.len().min(len.saturating_sub(self.held.len()));
        extend(&mut self.held, &input[..take])?;
        input.advance(take);
        Ok(self.held.len() >= len)
    }

    fn gather_header(&mut self, input: &mut &[u8]) -> Result<Option<Event>> {
        if !self.gather(input, FIXED_LEN)? {
            return Ok(None);
        }
        let len = SealedHeader::encoded_len(&self.held[..FIXED_LEN])?;
        if !self.gather(input, len)? {
            return Ok(None);
        }
        let header = SealedHeader::decode(&self.held)?;
        self.crc.update(&header.stream_id.0);
        self.digest = Some(StreamDigest::new(&self.held));
        self.header = Some(header);
        self.state = State::Frames;
        Ok(Some(Event::Header))
    }

    fn gather_frame(&mut self, input: &mut &[u8]) -> Result<Option<Event>> {
        if !self.gather(input, FRAME_HEAD_LEN)? {
            return Ok(None);
        }
        let offset = self.offset;
        let payload_len = self.payload_len().map_err(|error| error.at(offset))?;
        if !self.gather(input, FRAME_HEAD_LEN + payload_len + CRC_LEN)? {
            return Ok(None);
        }
        // Only bytes whose checksum holds are interpreted: what is unknown in them is new, not damaged.
        self.verify_checksum().map_err(|error| error.at(offset))?;
        let head = self.parse_head().map_err(|error| error.at(offset))?;
        let event = self.take_frame(&head).map_err(|error| error.at(offset))?;
        self.sequence += 1;
        self.frame_start = self.output;
        self.output = head.output;
        Ok(Some(event))
    }

    /// The length of the payload, which decides how much is read and held before it can be checked.
    fn payload_len(&self) -> Result<usize> {
        let mut len = &self.held[2..6];
        let len = len.get_u32() as usize;
        if len > MAX_PAYLOAD {
            return Err(Error::new(ErrorKind::Corrupt, "frame is too long")
                .expected(format_args!("at most {MAX_PAYLOAD} bytes"), len));
        }
        Ok(len)
    }

    fn verify_checksum(&self) -> Result<()> {
        let (body, mut crc_bytes) = self.held.split_at(self.held.len() - CRC_LEN);
        let mut crc = self.crc.clone();
        crc.update(body);
        let (expected, found) = (crc_bytes.get_u32(), crc.finalize());
        if expected == found {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Corrupt, "frame checksum does not match")
            .expected(format_args!("{expected:08x}"), format_args!("{found:08x}")))
    }

    fn parse_head(&self) -> Result<Head> {
        let mut head = &self.held[..FRAME_HEAD_LEN];
        let kind = FrameKind::from_code(head.get_u8())?;
        let codec = head.get_u8();
        if codec != CODEC_NONE {
            let what = format!("frame packed with codec {codec}, which this frazil does not know");
            return Err(Error::new(ErrorKind::Unsupported, what));
        }
        let payload_len = head.get_u32() as usize;
        let sequence = head.get_u64();
        if sequence != self.sequence {
            return Err(Error::new(ErrorKind::Corrupt, "frame is out of order").expected(self.sequence, sequence));
        }
        let output = head.get_u64();
        let fits = match kind {
            FrameKind::Data => payload_len > 0,
            FrameKind::ZeroRun => payload_len == 8,
            FrameKind::Trailer => payload_len == FIELDS_LEN + DIGEST_LEN,
        };
        if !fits {
            return Err(Error::new(ErrorKind::Corrupt, "frame has a length that its type does not take")
                .expected("a length of its type", payload_len));
        }
        let moved = match kind {
            FrameKind::Trailer => output == self.output,
            FrameKind::Data => output >= self.output,
            FrameKind::ZeroRun => output > self.output,
        };
        if !moved {
            return Err(Error::new(ErrorKind::Corrupt, "frame announces a wrong output offset")
                .expected(format_args!("from {}", self.output), output));
        }
        Ok(Head { kind, output })
    }

    fn take_frame(&mut self, head: &Head) -> Result<Event> {
        let mut payload = &self.held[FRAME_HEAD_LEN..self.held.len() - CRC_LEN];
        if head.kind == FrameKind::Trailer {
            let (fields, digest) = payload.split_at(FIELDS_LEN);
            let trailer = Trailer::decode_fields(fields)?;
            let found = self.digest.take().map(|state| state.finish(fields));
            if found.as_ref().map(<[u8; 32]>::as_slice) != Some(digest) {
                return Err(Error::new(ErrorKind::Corrupt, "stream digest does not match its trailer"));
            }
            self.trailer = Some(trailer);
            self.state = State::Done;
            return Ok(Event::Trailer);
        }
        if let Some(digest) = &mut self.digest {
            digest.frame(&leaf_of(&self.held));
        }
        match head.kind {
            FrameKind::ZeroRun => {
                let len = payload.get_u64();
                if self.output.checked_add(len) != Some(head.output) {
                    return Err(Error::new(ErrorKind::Corrupt, "zero run does not reach the offset it announces"));
                }
                Ok(Event::ZeroRun(len))
            }
            _ => Ok(Event::Data),
        }
    }
}
