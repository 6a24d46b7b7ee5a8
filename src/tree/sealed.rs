//! Sealed streams of bytes: a snapshot as it is written and read, and the small ones within an archive.

use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use crate::engine::native::IdentityBuilder;
use crate::format::{
    DEFAULT_BLOCK_LEN, Event, FRAME_MORE_LEN, Flags, SealedHeader, SealedKind, Sealer, Source, StreamId, Trailer,
    Unsealed, Unsealer,
};
use crate::memory::{extend, push, reserve, zeroed};
use crate::{Error, ErrorKind, Result};

/// A frame is closed when its payload has grown to this.
const FRAME_LEN: usize = 256 * 1024;

/// Seals bytes that come in pieces; constant memory.
pub(crate) struct SealedWriter<W> {
    sink: W,
    sealer: Sealer,
    payload: Vec<u8>,
    out: Vec<u8>,
    /// Bytes of payload in closed frames.
    closed: u64,
    identity: IdentityBuilder,
}

impl<W: Write> SealedWriter<W> {
    pub(crate) fn new(sink: W, kind: SealedKind, stream_id: StreamId, threads: usize) -> Self {
        let mut out = Vec::new();
        let sealer = Sealer::new(&SealedHeader::new(kind, stream_id), &mut out);
        let identity = IdentityBuilder::new(DEFAULT_BLOCK_LEN, threads);
        Self { sink, sealer, payload: Vec::new(), out, closed: 0, identity }
    }

    /// Bytes of payload so far.
    pub(crate) fn position(&self) -> u64 {
        self.closed + self.payload.len() as u64
    }

    pub(crate) fn put(&mut self, mut bytes: &[u8]) -> Result<()> {
        while !bytes.is_empty() {
            let take = bytes.len().min(FRAME_LEN - self.payload.len());
            extend(&mut self.payload, &bytes[..take])?;
            bytes = &bytes[take..];
            if self.payload.len() == FRAME_LEN {
                self.close_frame()?;
            }
        }
        Ok(())
    }

    fn close_frame(&mut self) -> Result<()> {
        if !self.payload.is_empty() {
            self.identity.update(&self.payload);
            self.closed += self.payload.len() as u64;
            reserve(&mut self.out, self.payload.len() + FRAME_MORE_LEN)?;
            self.sealer.data(&self.payload, self.closed, &mut self.out);
            self.payload.clear();
        }
        self.sink.write_all(&self.out)?;
        self.out.clear();
        Ok(())
    }

    /// Closes the stream, flushes the sink and gives it back.
    pub(crate) fn finish(mut self) -> Result<W> {
        self.close_frame()?;
        let trailer = Trailer { flags: Flags::default(), identity: self.identity.finish() };
        self.sealer.finish(&trailer, &mut self.out);
        self.sink.write_all(&self.out)?;
        self.sink.flush()?;
        Ok(self.sink)
    }
}

/// Reads sealed bytes in order. What it has given out is from frames whose checksums held; that all of it
/// came is known once it has ended.
pub(crate) struct SealedReader<R> {
    unsealed: Unsealed<R>,
    held: Vec<u8>,
    taken: usize,
    /// Bytes of payload before `held`.
    before: u64,
    identity: Option<IdentityBuilder>,
    ended: bool,
    /// Where every frame begins, where that is wanted.
    frames: Option<Vec<Frame>>,
}

/// Where a frame stands in the stream, and its payload in the whole payload.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame {
    offset: u64,
    sequence: u64,
    start: u64,
}

impl<R: Read> SealedReader<R> {
    pub(crate) fn new(source: R, kind: SealedKind, threads: usize) -> Result<Self> {
        let unsealed = Unsealed::new(Source::new(source))?;
        let found = unsealed.header().map(|header| header.kind);
        if found != Some(kind) {
            let found = found.map_or("nothing".to_owned(), |kind| kind.to_string());
            return Err(Error::new(ErrorKind::Corrupt, "sealed stream is of another kind")
                .at(10)
                .expected(kind, found));
        }
        Ok(Self {
            unsealed,
            held: Vec::new(),
            taken: 0,
            before: 0,
            identity: Some(IdentityBuilder::new(DEFAULT_BLOCK_LEN, threads)),
            ended: false,
            frames: None,
        })
    }

    /// Remembers where every frame begins.
    pub(crate) fn with_frames(mut self) -> Self {
        self.frames = Some(Vec::new());
        self
    }

    pub(crate) fn header(&self) -> Option<&SealedHeader> {
        self.unsealed.header()
    }

    pub(crate) fn take_frames(&mut self) -> Vec<Frame> {
        self.frames.take().unwrap_or_default()
    }

    /// How much of the payload was taken.
    pub(crate) fn position(&self) -> u64 {
        self.before + self.taken as u64
    }

    /// Where in the stream the frame begins that holds what comes next: for messages.
    pub(crate) fn offset(&self) -> u64 {
        self.unsealed.offset()
    }

    /// What is held and not taken.
    pub(crate) fn held(&self) -> &[u8] {
        &self.held[self.taken..]
    }

    pub(crate) fn take(&mut self, len: usize) {
        self.taken += len;
    }

    /// Holds at least `len` bytes; `false` when the stream, which was then checked whole, ends before.
    pub(crate) fn hold(&mut self, len: usize) -> Result<bool> {
        while self.held().len() < len {
            if self.ended || !self.fill()? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn fill(&mut self) -> Result<bool> {
        if self.taken > 0 {
            self.held.drain(..self.taken);
            self.before += self.taken as u64;
            self.taken = 0;
        }
        let start = self.before + self.held.len() as u64;
        if let Some(payload) = self.unsealed.next_payload()? {
            if let Some(identity) = &mut self.identity {
                identity.update(payload);
            }
            extend(&mut self.held, payload)?;
            if let Some(frames) = &mut self.frames {
                // As many as the stream has, and a frame may be of one byte.
                push(frames, Frame { offset: self.unsealed.offset(), sequence: self.unsealed.sequence(), start })?;
            }
            return Ok(true);
        }
        self.ended = true;
        let found = self.identity.take().map(IdentityBuilder::finish);
        let expected = self.unsealed.trailer().map(|trailer| trailer.identity);
        if found != expected {
            return Err(Error::new(ErrorKind::Corrupt, "payload is not what its trailer says").at(self.offset()));
        }
        Ok(false)
    }
}

/// A sealed file that was checked from end to end and is read anywhere, frame by frame.
pub(crate) struct SealedFile {
    file: Arc<File>,
    header: SealedHeader,
    frames: Vec<Frame>,
    /// The frame that was read last: its number in `frames`, and its payload.
    current: Option<(usize, Vec<u8>)>,
}

impl SealedFile {
    pub(crate) fn new(file: Arc<File>, header: SealedHeader, frames: Vec<Frame>) -> Self {
        Self { file, header, frames, current: None }
    }

    /// Appends `len` bytes of payload from `position` on to `out`.
    pub(crate) fn read(&mut self, mut position: u64, len: usize, out: &mut Vec<u8>) -> Result<()> {
        let end = position + len as u64;
        while position < end {
            let index = self.frames.partition_point(|frame| frame.start <= position).saturating_sub(1);
            if self.current.as_ref().is_none_or(|(current, _)| *current != index) {
                self.current = Some((index, self.read_frame(index)?));
            }
            let (Some((_, payload)), Some(frame)) = (&self.current, self.frames.get(index)) else { return Err(cut()) };
            let from = usize::try_from(position - frame.start).unwrap_or(usize::MAX).min(payload.len());
            let take = payload.len().saturating_sub(from).min((end - position) as usize);
            if take == 0 {
                return Err(cut());
            }
            out.extend_from_slice(&payload[from..from + take]);
            position += take as u64;
        }
        Ok(())
    }

    fn read_frame(&self, index: usize) -> Result<Vec<u8>> {
        let frame = *self.frames.get(index).ok_or_else(cut)?;
        let mut unsealer = Unsealer::resumed(&self.header, frame.offset, frame.sequence, frame.start);
        let mut offset = frame.offset;
        let mut buffer = zeroed(64 * 1024)?;
        loop {
            let len = self.file.read_at(&mut buffer, offset)?;
            offset += len as u64;
            let mut input = &buffer[..len];
            match unsealer.next(&mut input)? {
                Some(Event::Data) => return Ok(unsealer.payload().to_vec()),
                None if len > 0 => {}
                _ => return Err(cut()),
            }
        }
    }
}

fn cut() -> Error {
    Error::new(ErrorKind::Corrupt, "sealed file has changed since it was checked")
}

/// Seals a few bytes whole.
pub(crate) fn seal(kind: SealedKind, stream_id: StreamId, payload: &[u8]) -> Result<Vec<u8>> {
    let mut writer = SealedWriter::new(Vec::new(), kind, stream_id, 1);
    writer.put(payload)?;
    writer.finish()
}

/// The payload of a sealed stream that is held whole.
pub(crate) fn unseal(kind: SealedKind, sealed: &[u8]) -> Result<Vec<u8>> {
    let mut reader = SealedReader::new(sealed, kind, 1)?;
    while reader.fill()? {}
    Ok(reader.held)
}
