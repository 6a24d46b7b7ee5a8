//! A level from two signatures and the ranges that differ, without reading the rest of the content.

use std::io::{self, Read};

use super::LevelOptions;
use super::encoder::{Encoder, LevelStats};
use super::gathered::GATHER_BLOCKS;
use super::latch::Latched;
use super::start::header;
use crate::engine::CommandSink;
use crate::engine::native::block_sums;
use crate::format::{Flags, Format, Trailer};
use crate::memory::{reserve, zeroed};
use crate::observer::Progress;
use crate::read_at::{ReadAt, read_some};
use crate::signature::{BlockRange, BlockRanges, RangeKind, Signature};
use crate::{Error, ErrorKind, Result};

/// Content fetched at once, about.
const FETCH_LEN: u64 = 1 << 20;

/// How much that is where the blocks have so many bytes: less where the sums of short blocks would take more than the
/// content.
fn fetch_len(block_len: u32) -> u64 {
    let block_len = u64::from(block_len);
    FETCH_LEN.min(block_len.saturating_mul(GATHER_BLOCKS as u64)).next_multiple_of(block_len)
}

/// The stream of the level from the content of an old signature to that of a new one, for which only
/// the changed ranges of the new content are fetched.
///
/// Where the new content lies elsewhere and its signature came first, a level so costs a transfer of
/// what changed alone. What is fetched is held against the new signature. An insertion moves all that
/// follows off the blocks, and makes it changed: a level from the content itself, made where the content
/// is, finds it again.
///
/// An error that the content raises comes out as it is; reading again asks for the same range again.
pub struct RangeLevel<C> {
    new: Signature,
    content: C,
    /// Finds the ranges as they are wanted: they may be as many as the blocks.
    plan: BlockRanges<'static>,
    /// What is left of the range being given out.
    range: Option<BlockRange>,
    encoder: Encoder,
    output_read: usize,
    options: LevelOptions,
    weak: bool,
    done: u64,
    ended: bool,
    failed: bool,
}

impl<C> Latched for RangeLevel<C> {
    fn failed(&mut self) -> &mut bool {
        &mut self.failed
    }
}

impl<C: ReadAt> RangeLevel<C> {
    /// Plans the level; nothing is fetched yet.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Incomparable`] unless sums and block length of the two agree;
    /// [`ErrorKind::InvalidInput`] when the new signature, read from the plain format, does not know its
    /// length, or the sums cannot be trusted (see [`LevelOptions::allow_weak`]).
    pub fn new(old: &Signature, new: &Signature, content: C, options: LevelOptions) -> Result<Self> {
        let invalid = |what| Error::new(ErrorKind::InvalidInput, what).doing("starting a level");
        if new.identity().is_none() {
            return Err(invalid("the new signature does not know the length of its content"));
        }
        let weak = !old.params().is_trusted() || !new.params().is_trusted();
        if options.format == Format::Sealed && (weak && !options.allow_weak || !new.params().is_full()) {
            return Err(invalid("a sealed level from signatures needs whole BLAKE2b-256 sums"));
        }
        let plan = BlockRanges::held(old, new)?;
        let options = options.target_len(new.length().unwrap_or_default());
        let encoder =
            Encoder::new(options.format, &header(&old.into(), new.params(), &options)?, options.thread_count());
        Ok(Self {
            new: new.clone(),
            content,
            plan,
            range: None,
            encoder,
            output_read: 0,
            options,
            weak,
            done: 0,
            ended: false,
            failed: false,
        })
    }

    /// What was done so far.
    pub fn stats(&self) -> LevelStats {
        self.encoder.stats()
    }

    /// Ends the level and says what it consists of.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::State`] when the stream was not read to its end.
    pub fn finish(self) -> Result<LevelStats> {
        if !self.ended || self.output_read < self.encoder.output().len() {
            return Err(Error::new(ErrorKind::State, "the stream was not read to its end").doing("finishing a level"));
        }
        Ok(self.encoder.stats())
    }

    /// Gives out the next range, or a part of it that is as long as is fetched at once.
    fn advance(&mut self) -> Result<()> {
        self.guarded(|this| {
            this.encoder.clear_output();
            this.output_read = 0;
            this.watch()?;
            let Some(range) = this.range.take().or_else(|| this.plan.next()) else {
                let flags = Flags { dirty: this.new.is_dirty(), weak: this.weak };
                let identity = this.new.identity().copied();
                this.encoder.finish(identity.map(|identity| Trailer { flags, identity }).as_ref())?;
                this.ended = true;
                return Ok(Ok(()));
            };
            let mut len = range.len;
            match range.kind {
                RangeKind::Same => this.encoder.copy(range.offset, len),
                RangeKind::Moved { from } => this.encoder.copy(from, len),
                RangeKind::Changed => {
                    len = len.min(fetch_len(this.new.params().block_len));
                    match this.fetch(range.offset, len as usize) {
                        Ok(content) => this.encoder.literal(&content),
                        Err(error) => {
                            // Nothing was done with it: the same range may be asked for again.
                            this.range = Some(range);
                            return Ok(Err(error));
                        }
                    }
                }
            }
            this.encoder.seal()?;
            this.done = range.offset + len;
            if len < range.len {
                this.range = Some(BlockRange { offset: this.done, len: range.len - len, ..range });
            }
            Ok(Ok(()))
        })?
    }

    fn watch(&self) -> Result<()> {
        self.options.watch.step(Progress {
            done_bytes: self.done,
            total_bytes: self.options.target_len,
            stream_bytes: self.encoder.stats().stream_bytes,
            ..Progress::default()
        })
    }

    /// Reads whole blocks of the content and holds them against the new signature.
    fn fetch(&self, offset: u64, len: usize) -> Result<Vec<u8>> {
        let mut content = zeroed(len)?;
        let mut have = 0;
        while have < len {
            match read_some(&self.content, &mut content[have..], offset + have as u64)? {
                0 => {
                    return Err(Error::new(ErrorKind::Mismatch, "content ends before its signature does")
                        .doing("making a level of ranges")
                        .at(offset + have as u64));
                }
                read => have += read,
            }
        }
        let block_len = u64::from(self.new.params().block_len);
        let mut sums = Vec::new();
        reserve(&mut sums, len.div_ceil(block_len as usize))?;
        block_sums(self.new.params(), &content, self.options.thread_count(), &mut sums);
        let first = offset / block_len;
        for (number, sum) in (first..).zip(&sums) {
            if !self.new.table().is_block(number as usize, sum) {
                return Err(Error::new(ErrorKind::Mismatch, "content is not what its signature says")
                    .doing("making a level of ranges")
                    .at(number * block_len));
            }
        }
        Ok(content)
    }
}

impl<C: ReadAt> Read for RangeLevel<C> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.output_read == self.encoder.output().len() && !self.ended && !buffer.is_empty() {
            self.advance()?;
        }
        let ready = &self.encoder.output()[self.output_read..];
        let len = ready.len().min(buffer.len());
        buffer[..len].copy_from_slice(&ready[..len]);
        self.output_read += len;
        Ok(len)
    }
}
