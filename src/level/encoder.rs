//! Turns copies and literals into the level's stream, sealed or plain.

use std::ops::Range;

use bytes::BufMut;

use crate::engine::{CommandSink, ZERO_RUN_MIN, is_zeros};
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
        for piece in content.chunks(LITERAL_MAX) {
            self.settle();
            encode_literal(piece.len() as u64, &mut self.commands);
            self.commands.extend_from_slice(piece);
            self.reached += piece.len() as u64;
            self.stats.literal_bytes += piece.len() as u64;
            self.flush_if_full();
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
