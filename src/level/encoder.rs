//! Turns copies and literals into the level's stream, sealed or plain.

use std::ops::Range;

use bytes::BufMut;

use crate::engine::{CommandSink, ZERO_RUN_MIN, is_zeros};
use crate::format::{
    DELTA_MAGIC, END, Format, MAX_PAYLOAD, SealedHeader, Sealer, Seals, Trailer, encode_copy, encode_literal,
};
use crate::{Error, ErrorKind, Result};

/// What a level consists of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LevelStats {
    /// Bytes of content that were read.
    pub source_bytes: u64,
    /// Bytes of the level's stream.
    pub stream_bytes: u64,
    /// Bytes of content that were found in the basis.
    pub copy_bytes: u64,
    /// Bytes of content that are in the stream.
    pub literal_bytes: u64,
    /// Bytes of content that are runs of zeros, which take no room in a sealed stream.
    pub zero_bytes: u64,
    /// How many ranges of the basis are copied.
    pub copy_commands: u64,
}

/// A longer literal is split: a sealed command never crosses a frame.
const LITERAL_MAX: usize = 64 * 1024;

/// Bytes of a command without its literal, with what closes a frame and begins another, or more.
const COMMAND_MAX: usize = 128;

/// A frame is closed when its payload has grown to this; with the last literal it stays below 1 MiB.
const FRAME_LEN: usize = 256 * 1024;

const _: () = assert!(FRAME_LEN + LITERAL_MAX + COMMAND_MAX <= MAX_PAYLOAD);

/// A part of a level's stream.
#[derive(Default)]
pub(crate) struct Piece {
    bytes: Vec<u8>,
    /// Its frames that are not sealed.
    frames: Vec<Range<usize>>,
}

impl Piece {
    /// Its bytes, once `seals`, if there are any, have sealed them.
    pub(super) fn sealed(&mut self, seals: Option<&mut Seals>, threads: usize) -> &[u8] {
        if let Some(seals) = seals {
            seals.seal(&mut self.bytes, &self.frames, threads);
        }
        &self.bytes
    }
}

/// Writes the commands of a delta.
pub(crate) struct Encoder {
    /// `None` for the plain format.
    sealer: Option<Sealer>,
    /// A copy that the next one may continue.
    copy: Option<(u64, u64)>,
    zeros: u64,
    /// The offset in the target that the commands reach.
    reached: u64,
    /// The stream; commands stand in it where they stay.
    out: Vec<u8>,
    /// How much of it is complete.
    ready: usize,
    written: u64,
    stats: LevelStats,
    threads: usize,
    /// Whether something found no room in the stream, which then is of no use.
    refused: bool,
}

pub(super) fn no_memory(what: &str) -> Error {
    Error::new(ErrorKind::OutOfMemory, format!("no memory {what}")).doing("making a level")
}

impl Encoder {
    /// Begins a delta.
    pub(super) fn new(format: Format, header: &SealedHeader, threads: usize) -> Self {
        let mut out = Vec::new();
        let sealer = match format {
            Format::Sealed => Some(Sealer::new(header, &mut out)),
            Format::Rdiff => None,
        };
        // The header can be read before anything of the source was.
        let (ready, stats) = (out.len(), LevelStats::default());
        let refused = false;
        let mut this =
            Self { sealer, copy: None, zeros: 0, reached: 0, ready, out, written: 0, stats, threads, refused };
        this.commands().put_u32(DELTA_MAGIC);
        this
    }

    /// Ends the delta; a plain one has no trailer.
    ///
    /// # Errors
    ///
    /// As [`Encoder::seal`].
    pub(super) fn finish(&mut self, trailer: Option<&Trailer>) -> Result<()> {
        self.settle();
        self.commands().put_u8(END);
        self.close_frame();
        if let (Some(sealer), Some(trailer)) = (&mut self.sealer, trailer) {
            sealer.end(trailer, &mut self.out);
        }
        self.seal()
    }

    /// Completes what can be; the frame that is open stays so.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::OutOfMemory`] when a literal found no room.
    pub(super) fn seal(&mut self) -> Result<()> {
        if self.refused {
            return Err(no_memory("for the stream of a level"));
        }
        self.ready = match &mut self.sealer {
            Some(sealer) => sealer.seal(&mut self.out, self.threads),
            None => self.out.len(),
        };
        Ok(())
    }

    /// What of the stream is complete.
    pub(super) fn output(&self) -> &[u8] {
        &self.out[..self.ready]
    }

    /// Forgets the output, which was taken.
    pub(super) fn clear_output(&mut self) {
        self.out.drain(..self.ready);
        self.forget(self.ready);
    }

    /// Leaves it to the caller to seal the pieces that it takes; of a plain stream there is nothing to seal.
    pub(super) fn detach_seals(&mut self) -> Option<Seals> {
        self.sealer.as_mut().and_then(Sealer::detach)
    }

    /// Puts the output into a piece, whose memory is used again.
    pub(super) fn take_output(&mut self, piece: &mut Piece) {
        piece.bytes.clear();
        piece.bytes.extend_from_slice(&self.out[self.ready..]);
        self.out.truncate(self.ready);
        std::mem::swap(&mut self.out, &mut piece.bytes);
        piece.frames.clear();
        if let Some(sealer) = &mut self.sealer {
            sealer.take_closed(self.ready, &mut piece.frames);
        }
        self.forget(self.ready);
    }

    fn forget(&mut self, len: usize) {
        self.written += len as u64;
        if let Some(sealer) = &mut self.sealer {
            sealer.drained(len);
        }
        self.ready = 0;
    }

    pub(super) fn stats(&self) -> LevelStats {
        LevelStats { stream_bytes: self.written + self.ready as u64, ..self.stats }
    }

    /// Where the next command goes.
    fn commands(&mut self) -> &mut Vec<u8> {
        if let Some(sealer) = &mut self.sealer {
            sealer.open(&mut self.out);
        }
        &mut self.out
    }

    /// Whether there is room for a command with so much of a literal.
    fn has_room(&mut self, literal_len: usize) -> bool {
        self.refused |= self.out.try_reserve(literal_len + COMMAND_MAX).is_err();
        !self.refused
    }

    /// Writes the copy or the zeros that were held back to be continued.
    fn settle(&mut self) {
        if !self.has_room(0) {
            return;
        }
        if let Some((offset, len)) = self.copy.take() {
            encode_copy(offset, len, self.commands());
            self.reached += len;
            self.stats.copy_commands += 1;
            self.close_if_full();
        }
        if self.zeros > 0 {
            self.close_frame();
            if let Some(sealer) = &mut self.sealer {
                sealer.zero_run(self.zeros, &mut self.out);
            }
            self.reached += self.zeros;
            self.zeros = 0;
        }
    }

    fn close_if_full(&mut self) {
        if let Some(sealer) = &mut self.sealer
            && self.out.len() - sealer.open(&mut self.out) >= FRAME_LEN
        {
            self.close_frame();
        }
    }

    fn close_frame(&mut self) {
        if let Some(sealer) = &mut self.sealer {
            sealer.close(self.reached, &mut self.out);
        }
    }

    fn put_literal(&mut self, content: &[u8]) {
        for piece in content.chunks(LITERAL_MAX) {
            self.settle();
            // As long as the content that is gathered, which may be long blocks.
            if !self.has_room(piece.len()) {
                return;
            }
            let commands = self.commands();
            encode_literal(piece.len() as u64, commands);
            commands.extend_from_slice(piece);
            self.reached += piece.len() as u64;
            self.stats.literal_bytes += piece.len() as u64;
            self.close_if_full();
        }
    }

    fn put_zeros(&mut self, len: usize) {
        if self.copy.is_some() {
            self.settle();
        }
        self.zeros += len as u64;
        self.stats.zero_bytes += len as u64;
    }
}

/// The first run of zeros that is worth a frame of its own, in full.
fn zero_run(content: &[u8]) -> Option<Range<usize>> {
    // A run of that length covers one of these pieces, wherever it begins.
    const PROBE_LEN: usize = ZERO_RUN_MIN / 2;
    let mut from = 0;
    loop {
        let probe = from + content[from..].chunks_exact(PROBE_LEN).position(is_zeros)? * PROBE_LEN;
        let before = content[from..probe].iter().rev().take_while(|&&byte| byte == 0).count();
        let after = content[probe..].iter().take_while(|&&byte| byte == 0).count();
        if before + after >= ZERO_RUN_MIN {
            return Some(probe - before..probe + after);
        }
        from = probe + after;
    }
}

impl CommandSink for Encoder {
    fn copy(&mut self, offset: u64, len: u64) {
        self.stats.source_bytes += len;
        self.stats.copy_bytes += len;
        match &mut self.copy {
            Some((start, copied)) if *start + *copied == offset => *copied += len,
            _ => {
                self.settle();
                self.copy = Some((offset, len));
            }
        }
    }

    fn literal(&mut self, content: &[u8]) {
        self.stats.source_bytes += content.len() as u64;
        let mut rest = content;
        if self.sealer.is_some() {
            if self.zeros > 0 {
                let zeros = rest.iter().take_while(|&&byte| byte == 0).count();
                self.put_zeros(zeros);
                rest = &rest[zeros..];
            }
            while let Some(run) = zero_run(rest) {
                self.put_literal(&rest[..run.start]);
                self.put_zeros(run.len());
                rest = &rest[run.end..];
            }
        }
        self.put_literal(rest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_found_in_full_wherever_it_begins() {
        for start in [0, 1, 2047, 2048, 5000] {
            for len in [ZERO_RUN_MIN - 1, ZERO_RUN_MIN, ZERO_RUN_MIN + 1, 3 * ZERO_RUN_MIN] {
                let content = [&vec![7; start][..], &vec![0; len], &[7; 3000]].concat();
                let expected = (len >= ZERO_RUN_MIN).then_some(start..start + len);
                assert_eq!(zero_run(&content), expected, "{len} zeros from {start}");
            }
        }
        let short_then_long = [&[0; 3000][..], &[7], &[0; 5000]].concat();
        assert_eq!(zero_run(&short_then_long), Some(3001..8001));
    }
}
