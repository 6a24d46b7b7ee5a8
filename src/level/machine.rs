//! The machine behind both adapters: content goes in, the level's stream comes out.
//!
//! It gathers content up to a fixed amount, sums the whole blocks of it, matches what can be decided and
//! keeps the rest. The amount does not depend on how the content arrives, nor on the number of
//! threads, so the stream does not either.

use std::io::{self, Write};

use super::encoder::{Encoder, LevelStats, Piece};
use super::gathered::{GATHER_BLOCKS, GATHER_LEN, Gathered, len_max};
use super::latch::Latched;
use super::options::{LevelOptions, Matching};
use super::run::Run;
use super::signing::{SignatureSink, Signed, Signing};
use super::start::{Matcher, build_matcher, choose_matching, header, same_sums, target_params};
use super::{LevelBasis, LevelSummary};
use crate::engine::{CommandSink, Grid, Known};
use crate::format::{BlockSum, Flags, Format, Seals, SignatureParams, SignatureWriter, Trailer, check_sealable};
use crate::observer::Progress;
use crate::{Error, ErrorKind, Result};

/// The most content that is summed at once where it lies: much beside what it costs to start threads.
const SIGNED_LEN: usize = 16 << 20;

pub(super) struct Machine {
    options: LevelOptions,
    params: SignatureParams,
    gathered: Gathered,
    /// Up to where the content is summed.
    summed: u64,
    /// Sums of the blocks that are gathered, and the number of the first.
    sums: Vec<BlockSum>,
    first_sum: u64,
    /// Other sums for an aligned match, where the basis's signature has others than the new one.
    match_params: Option<SignatureParams>,
    /// Blocks that the matcher wants and the new signature has not: all, with such other sums, or those that may
    /// follow a match which lies elsewhere than its own.
    run: Option<Run>,
    signing: Option<Signing>,
    matcher: Matcher,
    matching: Matching,
    weak: bool,
    /// `None` when only the signature is wanted.
    encoder: Option<Encoder>,
    /// There once the level has ended.
    signed: Option<Signed>,
    dirty: bool,
    failed: bool,
}

impl Latched for Machine {
    fn failed(&mut self) -> &mut bool {
        &mut self.failed
    }
}

impl Machine {
    pub(super) fn new(basis: LevelBasis, options: LevelOptions) -> Result<Self> {
        Self::build(basis, options).map_err(|error| error.doing("starting a level"))
    }

    fn build(basis: LevelBasis, options: LevelOptions) -> Result<Self> {
        let params = target_params(&basis, &options)?;
        let weak = basis.params().is_some_and(|params| !params.is_trusted());
        if options.format == Format::Sealed {
            check_sealable(&params)?;
            check_identified(&options)?;
            if weak && !options.allow_weak {
                return Err(Error::new(
                    ErrorKind::InvalidInput,
                    "a sealed level against MD4 or shortened sums must be allowed: a false match can be crafted",
                ));
            }
        }
        let longest = params.block_len.max(basis.params().map_or(0, |params| params.block_len)) as usize;
        let len_max = len_max(longest);
        let (matching, memory_left) = choose_matching(&basis, &params, &options, len_max)?;
        let threads = options.thread_count();
        let sink = match options.hold_signature {
            true => SignatureSink::held(params),
            false => SignatureSink::Written(None),
        };
        let signing = Signing::new(params, options.engine, sink, memory_left, threads, options.identify)?;
        let encoder = Encoder::new(options.format, &header(&basis, &params, &options)?, threads);
        let match_params = basis.params().copied().filter(|basis| !same_sums(basis, &params));
        let matcher = build_matcher(&basis, matching, &options)?;
        Ok(Self {
            params,
            gathered: Gathered::new(len_max),
            summed: 0,
            sums: Vec::new(),
            first_sum: 0,
            match_params,
            run: None,
            signing: Some(signing),
            matcher,
            matching,
            weak,
            encoder: Some(encoder),
            signed: None,
            dirty: false,
            failed: false,
            options,
        })
    }

    /// Sends the new signature to `sink` instead of holding it.
    pub(super) fn sign_to(&mut self, sink: Box<dyn Write + Send>, format: Format) -> Result<()> {
        if format == Format::Sealed {
            check_identified(&self.options).map_err(|error| error.doing("starting a level"))?;
        }
        let writer = match self.options.stream_id {
            Some(id) => SignatureWriter::with_stream_id(sink, self.params, format, id),
            None => SignatureWriter::new(sink, self.params, format),
        };
        let writer = writer.map_err(|error| error.doing("starting a level"))?;
        if let Some(signing) = self.signing.as_mut().filter(|_| self.summed == 0) {
            signing.sink = SignatureSink::Written(Some(Box::new(writer)));
            return Ok(());
        }
        Err(Error::new(ErrorKind::State, "the signature's place must be given before content is read")
            .doing("starting a level"))
    }

    /// Gives up the stream: only the signature is wanted.
    pub(super) fn sign_only(&mut self) {
        self.encoder = None;
        self.matcher = Matcher::Nothing { decided: 0 };
    }

    /// How much more content there may be.
    pub(super) fn left(&self) -> u64 {
        self.target_len().map_or(u64::MAX, |len| len.saturating_sub(self.taken()))
    }

    /// The length that the source is known to have.
    pub(super) fn target_len(&self) -> Option<u64> {
        self.options.target_len
    }

    /// Takes in content, as much as there is room for; gives how much that is.
    pub(super) fn take_in(&mut self, content: &[u8]) -> Result<usize> {
        let left = self.left();
        let (buffer, filled) = self.gathered.room()?;
        let room = &mut buffer[*filled..];
        let len = room.len().min(content.len());
        if len as u64 > left {
            let declared = self.taken() + left;
            return Err(Error::new(ErrorKind::InvalidInput, "content is longer than was declared")
                .doing("making a level")
                .expected(format_args!("at most {declared} bytes"), "more"));
        }
        room[..len].copy_from_slice(&content[..len]);
        *filled += len;
        Ok(len)
    }

    /// Sums whole blocks at the front of `content` where they lie, if the signature alone is wanted and nothing is
    /// gathered; gives how many bytes those were. Less than would be gathered is left to be: pieces of a block or two
    /// would be summed one by one, by one thread.
    pub(super) fn sign_in_place(&mut self, content: &[u8]) -> Result<usize> {
        let block_len = self.params.block_len as usize;
        let len = content.len().min(SIGNED_LEN.min(block_len.saturating_mul(GATHER_BLOCKS))) / block_len * block_len;
        if self.encoder.is_some() || !self.gathered.is_empty() || len < self.gathered.len_max().min(GATHER_LEN) {
            return Ok(0);
        }
        self.guarded(|this| {
            this.watch()?;
            let Some(signing) = &mut this.signing else { return Err(ended()) };
            signing.advance(&content[..len], false, &mut this.sums)?;
            this.summed += len as u64;
            this.gathered.pass_to(this.summed);
            this.first_sum = this.summed / block_len as u64;
            this.sums.clear();
            Ok(len)
        })
    }

    /// Gathers content by `read`, on this thread, and sums what has come on the others.
    ///
    /// Gives whether the content has ended, or what `read` raises, after which it may be asked again.
    pub(super) fn fill(&mut self, mut read: impl FnMut(&mut [u8]) -> io::Result<usize>) -> Result<io::Result<bool>> {
        self.guarded(|this| {
            let mut left = this.left();
            let mut read = |room: &mut [u8]| {
                let len = room.len().min(usize::try_from(left).unwrap_or(usize::MAX));
                let read = if len == 0 { 0 } else { read(&mut room[..len])? };
                left -= read as u64;
                Ok(read)
            };
            while !this.is_full() {
                let Some(signing) = &mut this.signing else { return Err(ended()) };
                let start = this.gathered.start();
                let from = (this.summed - start) as usize;
                let sums_before = this.sums.len();
                let run = this.run.as_mut().map(|run| run.blocks(start));
                let (buffer, filled) = this.gathered.room()?;
                let result = signing.fill(buffer, from, filled, &mut this.sums, run, &mut read)?;
                this.summed += (this.sums.len() - sums_before) as u64 * u64::from(this.params.block_len);
                if !matches!(result, Ok(false)) {
                    return Ok(result);
                }
            }
            Ok(Ok(false))
        })
    }

    pub(super) fn is_full(&self) -> bool {
        self.gathered.is_full()
    }

    /// Bytes of content taken in.
    pub(super) fn taken(&self) -> u64 {
        self.gathered.end()
    }

    /// What of the stream is ready.
    pub(super) fn output(&self) -> &[u8] {
        self.encoder.as_ref().map_or(&[], Encoder::output)
    }

    /// Forgets the output, which was taken.
    pub(super) fn clear_output(&mut self) {
        if let Some(encoder) = &mut self.encoder {
            encoder.clear_output();
        }
    }

    /// As [`Encoder::detach_seals`].
    pub(super) fn detach_seals(&mut self) -> Option<Seals> {
        self.encoder.as_mut().and_then(Encoder::detach_seals)
    }

    /// As [`Encoder::take_output`].
    pub(super) fn take_output(&mut self, piece: &mut Piece) {
        if let Some(encoder) = &mut self.encoder {
            encoder.take_output(piece);
        }
    }

    /// How many threads may work at once.
    pub(super) fn threads(&self) -> usize {
        self.options.thread_count()
    }

    pub(super) fn is_ended(&self) -> bool {
        self.signed.is_some()
    }

    pub(super) fn stats(&self) -> LevelStats {
        match &self.encoder {
            Some(encoder) => encoder.stats(),
            None => LevelStats { source_bytes: self.taken(), ..LevelStats::default() },
        }
    }

    /// Closes the signature and says what was done, once the level has ended and its stream was taken.
    pub(super) fn finish(self) -> Result<LevelSummary> {
        let stats = self.stats();
        let Some(signed) = self.signed else {
            let what = "the stream was not read to its end";
            return Err(Error::new(ErrorKind::State, what).doing("finishing a level"));
        };
        let identity = signed.identity;
        let signature = signed.close()?;
        Ok(LevelSummary { stats, identity, signature, dirty: self.dirty, matching: self.matching })
    }

    /// Works on what is gathered.
    pub(super) fn step(&mut self) -> Result<()> {
        self.guarded(|this| this.work(false))
    }

    /// The content is over: works on what is left and closes the stream.
    pub(super) fn end(&mut self, dirty: bool) -> Result<()> {
        self.guarded(|this| {
            this.work(true)?;
            let flags = Flags { dirty, weak: this.weak };
            let Some(signing) = this.signing.take() else { return Err(ended()) };
            if dirty {
                let changed = Error::new(ErrorKind::SourceChanged, "the source changed while it was read");
                this.options.watch.problem(&changed.doing("making a level"));
                // The observer may end it: before there is a trailer.
                this.watch()?;
            }
            let signed = signing.finish(dirty);
            if let Some(encoder) = &mut this.encoder {
                encoder.finish(signed.identity.map(|identity| Trailer { flags, identity }).as_ref())?;
            }
            this.signed = Some(signed);
            this.dirty = dirty;
            Ok(())
        })
    }

    fn watch(&self) -> Result<()> {
        self.options.watch.step(Progress {
            done_bytes: self.taken(),
            total_bytes: self.options.target_len,
            stream_bytes: self.stats().stream_bytes,
            ..Progress::default()
        })
    }

    fn work(&mut self, eof: bool) -> Result<()> {
        self.watch()?;
        let window = self.gathered.window();
        let block_len = self.params.block_len as usize;
        let whole = (window.end() - self.summed) / block_len as u64 * block_len as u64;
        let until = if eof { window.end() } else { self.summed + whole };
        let Some(signing) = &mut self.signing else { return Err(ended()) };
        signing.advance(window.slice(self.summed, until), eof, &mut self.sums)?;
        self.summed = until;

        let decided = match &mut self.encoder {
            None => self.summed,
            Some(encoder) => {
                let shared = self.match_params.is_none();
                let start = self.first_sum * block_len as u64;
                let grid = Grid { block_len: block_len as u64, start, sums: &self.sums };
                match &mut self.matcher {
                    Matcher::Nothing { decided } => {
                        encoder.literal(window.slice(*decided, self.summed));
                        *decided = self.summed;
                        *decided
                    }
                    Matcher::Rolling(matcher) => {
                        if let Some(run) = &mut self.run {
                            // Done already where the window was filled here.
                            run.sum_whole(&window, self.options.thread_count())?;
                        }
                        let known = Known { grids: [Some(grid).filter(|_| shared), self.run.as_ref().map(Run::grid)] };
                        matcher.advance(&window, &known, eof, encoder)?;
                        let params = self.match_params.unwrap_or(self.params);
                        let elsewhere = |at: &u64| !shared || !at.is_multiple_of(u64::from(params.block_len));
                        self.run = matcher.run_from().filter(elsewhere).map(|start| Run::new(params, start));
                        matcher.decided()
                    }
                    Matcher::Aligned(matcher) if shared => {
                        matcher.advance(&window, &grid, eof, encoder)?;
                        matcher.decided()
                    }
                    Matcher::Aligned(matcher) => {
                        let params = self.match_params.unwrap_or(self.params);
                        let run = self.run.get_or_insert_with(|| Run::new(params, 0));
                        run.sum_until(self.summed, &window, self.options.thread_count())?;
                        matcher.advance(&window, &run.grid(), eof, encoder)?;
                        self.run = Some(Run::new(params, matcher.decided()));
                        matcher.decided()
                    }
                    Matcher::Librsync(matcher) => {
                        matcher.advance(&window, eof, &self.options.watch, encoder)?;
                        matcher.decided()
                    }
                }
            }
        };
        if let Some(encoder) = &mut self.encoder {
            encoder.seal()?;
        }
        self.drop_before(decided.min(self.summed));
        Ok(())
    }

    /// Forgets content that is decided, and its sums.
    fn drop_before(&mut self, offset: u64) {
        self.gathered.drop_before(offset);
        let first = (offset / u64::from(self.params.block_len)).min(self.first_sum + self.sums.len() as u64);
        self.sums.drain(..(first - self.first_sum) as usize);
        self.first_sum = first;
    }
}

fn ended() -> Error {
    Error::new(ErrorKind::State, "the level has ended").doing("making a level")
}

/// A sealed stream says what content it is of.
fn check_identified(options: &LevelOptions) -> Result<()> {
    if options.identify {
        return Ok(());
    }
    Err(Error::new(ErrorKind::InvalidInput, "a sealed stream identifies its content; only a plain one can do without"))
}
