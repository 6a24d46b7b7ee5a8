//! Turns copies and literals into the level's stream, sealed or plain.

use bytes::BufMut;

use crate::engine::{CommandSink, is_zeros};
use crate::format::{
    DELTA_MAGIC, END, Format, MAX_PAYLOAD, SealedHeader, Sealer, Trailer, encode_copy, encode_literal,
};

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

/// A frame is closed when its payload has grown to this; with the last literal it stays below 1 MiB.
const FRAME_LEN: usize = 256 * 1024;

/// Shorter runs of zeros cost more as a frame of their own than they save.
const ZERO_RUN_MIN: usize = 4096;

const _: () = assert!(FRAME_LEN + LITERAL_MAX + 64 <= MAX_PAYLOAD);

/// Writes the commands of a delta into `out`.
pub(crate) struct Encoder {
    /// `None` for the plain format.
    sealer: Option<Sealer>,
    /// Commands that go into the next frame, or out as they are.
    commands: Vec<u8>,
    /// A copy that the next one may continue.
    copy: Option<(u64, u64)>,
    zeros: u64,
    /// The offset in the target that `commands` reaches.
    reached: u64,
    pub(super) out: Vec<u8>,
    written: u64,
    stats: LevelStats,
}

impl Encoder {
    /// Begins a delta.
    pub(super) fn new(format: Format, header: &SealedHeader) -> Self {
        let mut out = Vec::new();
        let sealer = match format {
            Format::Sealed => Some(Sealer::new(header, &mut out)),
            Format::Rdiff => None,
        };
        let commands = DELTA_MAGIC.to_be_bytes().to_vec();
        Self { sealer, commands, copy: None, zeros: 0, reached: 0, out, written: 0, stats: LevelStats::default() }
    }

    /// Ends the delta.
    pub(super) fn finish(&mut self, trailer: &Trailer) {
        self.settle();
        self.commands.put_u8(END);
        self.flush_commands();
        if let Some(sealer) = self.sealer.take() {
            sealer.finish(trailer, &mut self.out);
        }
    }

    /// Forgets the output that was taken.
    pub(super) fn clear_out(&mut self) {
        self.written += self.out.len() as u64;
        self.out.clear();
    }

    pub(super) fn stats(&self) -> LevelStats {
        LevelStats { stream_bytes: self.written + self.out.len() as u64, ..self.stats }
    }

    /// Writes the copy or the zeros that were held back to be continued.
    fn settle(&mut self) {
        if let Some((offset, len)) = self.copy.take() {
            encode_copy(offset, len, &mut self.commands);
            self.reached += len;
            self.stats.copy_commands += 1;
            self.flush_if_full();
        }
        if self.zeros > 0 {
            self.flush_commands();
            if let Some(sealer) = &mut self.sealer {
                sealer.zero_run(self.zeros, &mut self.out);
            }
            self.reached += self.zeros;
            self.zeros = 0;
        }
    }

    fn flush_if_full(&mut self) {
        if self.commands.len() >= FRAME_LEN {
            self.flush_commands();
        }
    }

    fn flush_commands(&mut self) {
        if self.commands.is_empty() {
            return;
        }
        match &mut self.sealer {
            Some(sealer) => sealer.data(&self.commands, self.reached, &mut self.out),
            None => self.out.extend_from_slice(&self.commands),
        }
        self.commands.clear();
    }

    fn put_literal(&mut self, content: &[u8]) {
        self.settle();
        encode_literal(content.len() as u64, &mut self.commands);
        self.commands.extend_from_slice(content);
        self.reached += content.len() as u64;
        self.stats.literal_bytes += content.len() as u64;
        self.flush_if_full();
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
        for piece in content.chunks(LITERAL_MAX) {
            let zero_run = self.sealer.is_some() && piece.len() >= ZERO_RUN_MIN && is_zeros(piece);
            if zero_run {
                if self.copy.is_some() {
                    self.settle();
                }
                self.zeros += piece.len() as u64;
                self.stats.zero_bytes += piece.len() as u64;
            } else {
                self.put_literal(piece);
            }
        }
    }
}
