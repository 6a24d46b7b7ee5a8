//! Matching by librsync: its delta, taken apart into commands for our encoder.

use crate::engine::librsync::{DeltaJob, SignatureLoader};
use crate::engine::{CommandSink, Window};
use crate::format::{Command, CommandParser, SumTable};
use crate::observer::Watch;
use crate::{Error, ErrorKind, Result};

/// Fed between two looks at the observer: a signature made to fail at every byte makes librsync slow beyond
/// any bound, and only who watches it can stop it.
const PIECE_LEN: usize = 64 * 1024;

/// Drives librsync's delta job over the content.
pub(super) struct LibrsyncMatcher {
    job: DeltaJob,
    parser: CommandParser,
    /// Bytes of the delta's magic still to come.
    magic_left: usize,
    literal_left: u64,
    raw: Vec<u8>,
    decided: u64,
}

impl LibrsyncMatcher {
    pub(super) fn new(table: &SumTable) -> Result<Self> {
        let mut loader = SignatureLoader::new(*table.params())?;
        let mut record = Vec::new();
        for sum in table.iter() {
            record.clear();
            record.extend_from_slice(&sum.weak.to_be_bytes());
            record.extend_from_slice(&sum.strong[..table.params().strong_len() as usize]);
            loader.feed(&record)?;
        }
        let job = DeltaJob::new(loader.finish()?)?;
        Ok(Self { job, parser: CommandParser::default(), magic_left: 4, literal_left: 0, raw: Vec::new(), decided: 0 })
    }

    /// Hands the content of the window that is new to librsync, and its commands to the sink.
    pub(super) fn advance(
        &mut self,
        window: &Window<'_>,
        eof: bool,
        watch: &Watch,
        sink: &mut impl CommandSink,
    ) -> Result<()> {
        for piece in window.slice(self.decided, window.end()).chunks(PIECE_LEN) {
            self.job.feed(piece, &mut self.raw)?;
            watch.ask(self.decided)?;
        }
        if eof {
            self.job.end(&mut self.raw)?;
        }
        self.decided = window.end();
        let raw = std::mem::take(&mut self.raw);
        let mut input = &raw[self.magic_left.min(raw.len())..];
        self.magic_left -= self.magic_left.min(raw.len());
        while !input.is_empty() {
            if self.literal_left > 0 {
                let take = input.len().min(usize::try_from(self.literal_left).unwrap_or(usize::MAX));
                sink.literal(&input[..take]);
                input = &input[take..];
                self.literal_left -= take as u64;
                continue;
            }
            match self.parser.next(&mut input)? {
                None => {}
                Some(Command::Literal { len }) => self.literal_left = len,
                Some(Command::Copy { offset, len }) => sink.copy(offset, len),
                Some(Command::End) if input.is_empty() => {}
                Some(Command::End) => {
                    return Err(Error::new(ErrorKind::Internal, "librsync went on after the end of a delta"));
                }
            }
        }
        self.raw = raw;
        self.raw.clear();
        Ok(())
    }

    pub(super) fn decided(&self) -> u64 {
        self.decided
    }
}
