//! Writes a sealed stream, frame by frame, into memory.

use std::ops::Range;

use bytes::BufMut;

use super::trailer::DIGEST_LEN;
use super::{CODEC_NONE, CRC_LEN, FRAME_HEAD_LEN, FrameKind, MAX_PAYLOAD, SealedHeader, StreamDigest, Trailer};
use crate::format::{LEAVES_AT_ONCE, Leaf, leaves_of};
use crate::sharing::{share_out, threads_for};

/// Frames around payloads, in a buffer of the caller's: what is closed is complete once it was sealed.
pub(crate) struct Sealer {
    /// `None` where another seals what is closed here.
    seals: Option<Seals>,
    sequence: u64,
    output: u64,
    /// Where in the buffer the frame begins that is open.
    open: Option<usize>,
    /// The frames that are closed and not yet sealed.
    closed: Vec<Range<usize>>,
}

impl Sealer {
    /// Begins the stream.
    pub(crate) fn new(header: &SealedHeader, out: &mut Vec<u8>) -> Self {
        let encoded = header.encode();
        out.put_slice(&encoded);
        let seals = Some(Seals::new(header, &encoded));
        Self { seals, sequence: 0, output: 0, open: None, closed: Vec::new() }
    }

    /// Leaves it to the caller to seal, from now on, what [`Sealer::take_closed`] gives.
    pub(crate) fn detach(&mut self) -> Option<Seals> {
        self.seals.take()
    }

    /// Moves the frames that are closed and not yet sealed, and lie in the first `ready` bytes of the buffer, to `closed`.
    /// Those behind, which a stream has that failed before they were ready, are given up.
    pub(crate) fn take_closed(&mut self, ready: usize, closed: &mut Vec<Range<usize>>) {
        closed.extend(self.closed.drain(..).filter(|frame| frame.end <= ready));
    }

    /// Begins a frame, unless one is open: its payload is appended to `out` next. Gives where that begins.
    pub(crate) fn open(&mut self, out: &mut Vec<u8>) -> usize {
        let start = *self.open.get_or_insert_with(|| {
            out.put_bytes(0, FRAME_HEAD_LEN);
            out.len() - FRAME_HEAD_LEN
        });
        start + FRAME_HEAD_LEN
    }

    /// Closes the open frame, if there is one, which brings the output to the offset `output`.
    pub(crate) fn close(&mut self, output: u64, out: &mut Vec<u8>) {
        self.close_as(FrameKind::Data, output, out);
    }

    /// Adds a run of `len` zeros, while no frame is open.
    pub(crate) fn zero_run(&mut self, len: u64, out: &mut Vec<u8>) {
        self.open(out);
        out.put_u64(len);
        self.close_as(FrameKind::ZeroRun, self.output + len, out);
    }

    /// Adds a frame that brings the output to the offset `output`, and seals it.
    pub(crate) fn data(&mut self, payload: &[u8], output: u64, out: &mut Vec<u8>) {
        self.open(out);
        out.put_slice(payload);
        self.close(output, out);
        self.seal(out, 1);
    }

    /// Closes the stream with a frame that is to be sealed.
    pub(crate) fn end(&mut self, trailer: &Trailer, out: &mut Vec<u8>) {
        self.open(out);
        trailer.encode_fields(out);
        out.put_bytes(0, DIGEST_LEN);
        self.close_as(FrameKind::Trailer, self.output, out);
    }

    /// Closes the stream, and seals it.
    pub(crate) fn finish(mut self, trailer: &Trailer, out: &mut Vec<u8>) {
        self.end(trailer, out);
        self.seal(out, 1);
    }

    fn close_as(&mut self, kind: FrameKind, output: u64, out: &mut Vec<u8>) {
        let Some(start) = self.open.take() else { return };
        let payload_len = out.len() - start - FRAME_HEAD_LEN;
        debug_assert!(payload_len <= MAX_PAYLOAD && output >= self.output);
        let mut head = &mut out[start..start + FRAME_HEAD_LEN];
        head.put_u8(kind.code());
        head.put_u8(CODEC_NONE);
        head.put_u32(payload_len as u32);
        head.put_u64(self.sequence);
        head.put_u64(output);
        out.put_bytes(0, CRC_LEN);
        self.closed.push(start..out.len());
        self.sequence += 1;
        self.output = output;
    }

    /// The first bytes of the buffer were taken away.
    pub(crate) fn drained(&mut self, len: usize) {
        debug_assert!(self.closed.is_empty());
        self.open = self.open.map(|open| open - len);
    }

    /// Seals every closed frame of `out`, unless another is to. Gives how much of `out` is complete but for that.
    pub(crate) fn seal(&mut self, out: &mut [u8], threads: usize) -> usize {
        let complete = self.open.unwrap_or(out.len());
        if let Some(seals) = &mut self.seals {
            seals.seal(out, &self.closed, threads);
            self.closed.clear();
        }
        complete
    }
}

/// What makes frames a stream's own: their checksums, and the digest of them all, which is in the trailer.
pub(crate) struct Seals {
    /// Has taken in the stream id, so that a frame of another stream does not pass.
    crc: crc32fast::Hasher,
    digest: StreamDigest,
}

impl Seals {
    fn new(header: &SealedHeader, encoded: &[u8]) -> Self {
        let mut crc = crc32fast::Hasher::new();
        crc.update(&header.stream_id.0);
        Self { crc, digest: StreamDigest::new(encoded) }
    }

    /// Gives each of the `closed` frames of `out`, which follow those that were sealed before, its checksum and takes
    /// it into the digest, several at once; a trailer, the digest first.
    pub(crate) fn seal(&mut self, out: &mut [u8], closed: &[Range<usize>], threads: usize) {
        let is_trailer = |frame: &Range<usize>| out[frame.start] == FrameKind::Trailer.code();
        let (closed, trailer) = match closed.split_last() {
            None => return,
            Some((last, others)) if is_trailer(last) => (others, Some(last.clone())),
            Some(_) => (closed, None),
        };
        self.seal_content(&mut *out, closed, threads);
        if let Some(frame) = trailer.map(|frame| &mut out[frame]) {
            let (fields, digest) = frame.split_at_mut(frame.len() - CRC_LEN - DIGEST_LEN);
            digest[..DIGEST_LEN].copy_from_slice(&self.digest.clone().finish(&fields[FRAME_HEAD_LEN..]));
            self.put_checksum(frame);
        }
    }

    fn seal_content(&mut self, out: &mut [u8], closed: &[Range<usize>], threads: usize) {
        let bytes = closed.iter().map(Range::len).sum();
        let mut digests = vec![Leaf::default(); closed.len()];
        let (mut rest, mut at) = (out, 0);
        let mut batch_of = |frames: &[Range<usize>]| {
            let (start, end) =
                frames.first().zip(frames.last()).map_or((at, at), |(first, last)| (first.start, last.end));
            let (_, behind) = std::mem::take(&mut rest).split_at_mut(start - at);
            let (batch, behind) = behind.split_at_mut(end - start);
            (rest, at) = (behind, end);
            batch
        };
        let batches: Vec<_> = closed.chunks(LEAVES_AT_ONCE).map(|frames| (frames, batch_of(frames))).collect();
        let this = &*self;
        share_out(batches.into_iter().zip(digests.chunks_mut(LEAVES_AT_ONCE)), threads_for(bytes, threads), |share| {
            let ((frames, mut batch), digests) = share;
            let mut sealed = Vec::with_capacity(frames.len());
            for frame in frames {
                let (frame, behind) = std::mem::take(&mut batch).split_at_mut(frame.len());
                batch = behind;
                this.put_checksum(frame);
                sealed.push(&*frame);
            }
            digests.iter_mut().zip(leaves_of(sealed.into_iter())).for_each(|(digest, leaf)| *digest = leaf);
        });
        digests.iter().for_each(|digest| self.digest.frame(digest));
    }

    fn put_checksum(&self, frame: &mut [u8]) {
        let (body, mut place) = frame.split_at_mut(frame.len() - CRC_LEN);
        let mut crc = self.crc.clone();
        crc.update(body);
        place.put_u32(crc.finalize());
    }
}
