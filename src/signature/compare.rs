//! What two signatures say of two contents: which ranges are the same, which moved, which changed.
//!
//! Only blocks that stand on the grid of both can be recognised: after an insertion in the middle of a
//! block, all that follows is `changed`. The result is a plan of what must be read or sent.

use std::borrow::Cow;
use std::io::Read;

use crate::engine::native::{BlockIndex, block_sums};
use crate::engine::{default_threads, is_strong};
use crate::format::{BlockSum, SignatureParams, SignatureReader, Source, named};
use crate::signature::{Signature, SignatureFile};
use crate::{Error, ErrorKind, Result};

/// What a range of the new content is to the old.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RangeKind {
    /// Equal to the old content at the same offset.
    Same,
    /// Equal to the old content at the offset `from`.
    Moved {
        /// The offset in the old content, in bytes.
        from: u64,
    },
    /// Not found in the old content.
    Changed,
}

/// A range of the new content, in bytes; ranges come in order and without gaps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BlockRange {
    /// Where it begins.
    pub offset: u64,
    /// How long it is. Where a plain signature leaves the length of the last block unknown, it counts as
    /// whole.
    pub len: u64,
    /// What it is to the old content.
    pub kind: RangeKind,
}

impl BlockRange {
    /// Lengthens `run` by this range if it carries on where that ends, in both contents; else takes its
    /// place and gives it out.
    fn follow(self, run: &mut Option<Self>) -> Option<Self> {
        if let Some(run) = run {
            let joins = match (run.kind, self.kind) {
                (RangeKind::Moved { from }, RangeKind::Moved { from: next }) => from + run.len == next,
                (kind, next) => kind == next,
            };
            if joins {
                run.len += self.len;
                return None;
            }
        }
        run.replace(self)
    }
}

/// Fails unless the sums of the two can be held against each other.
fn check_comparable(old: &SignatureParams, new: &SignatureParams) -> Result<()> {
    let same = (old.weak, old.strong, old.block_len) == (new.weak, new.strong, new.block_len);
    if same {
        return Ok(());
    }
    let describe = |params: &SignatureParams| {
        format!("{:?} and {:?} over blocks of {}", params.weak, params.strong, params.block_len)
    };
    Err(Error::new(ErrorKind::Incomparable, "signatures have different parameters")
        .doing("comparing signatures")
        .expected(describe(old), describe(new)))
}

/// Compares the sums of new content, handed in block by block, with an old signature in memory.
pub struct Comparer<'a> {
    old: Cow<'a, Signature>,
    index: BlockIndex,
    /// Bytes of each strong sum that both signatures have.
    strong_len: usize,
    /// Where the last moved block led: the block after it is the likeliest next.
    expected: usize,
    offset: u64,
    run: Option<BlockRange>,
}

impl<'a> Comparer<'a> {
    /// Prepares to compare content whose signature has the parameters `new` with the signature `old`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Incomparable`] unless sums and block length agree.
    pub fn new(old: &'a Signature, new: &SignatureParams) -> Result<Self> {
        Self::of(Cow::Borrowed(old), new)
    }

    fn of(old: Cow<'a, Signature>, new: &SignatureParams) -> Result<Self> {
        check_comparable(old.params(), new)?;
        let strong_len = old.params().strong_len.min(new.strong_len) as usize;
        Ok(Self {
            index: BlockIndex::new(old.table(), old.block_count())?,
            old,
            strong_len,
            expected: usize::MAX,
            offset: 0,
            run: None,
        })
    }

    /// Takes in the sums of the next block, of `len` bytes; gives the range before it once that is known
    /// to have ended.
    pub fn push(&mut self, sum: &BlockSum, len: u64) -> Option<BlockRange> {
        let next = BlockRange { offset: self.offset, len, kind: self.kind_of(sum) };
        self.offset += len;
        next.follow(&mut self.run)
    }

    /// The last range.
    pub fn finish(self) -> Option<BlockRange> {
        self.run
    }

    fn kind_of(&mut self, sum: &BlockSum) -> RangeKind {
        let block_len = u64::from(self.old.params().block_len);
        let here = (self.offset / block_len) as usize;
        if self.is_block(here, sum) {
            self.expected = usize::MAX;
            return RangeKind::Same;
        }
        let found = if self.is_block(self.expected, sum) {
            Some(self.expected)
        } else {
            self.index.candidates(sum.weak).map(|block| block as usize).find(|&block| self.is_block(block, sum))
        };
        match found {
            Some(block) => {
                self.expected = block + 1;
                RangeKind::Moved { from: block as u64 * block_len }
            }
            None => RangeKind::Changed,
        }
    }

    fn is_block(&self, block: usize, sum: &BlockSum) -> bool {
        let table = self.old.table();
        block < table.len()
            && table.weak()[block] == sum.weak
            && is_strong(&sum.strong, &table.strong_of(block)[..self.strong_len])
    }
}

impl Signature {
    /// The ranges of the content of `new`, as this older signature knows them.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Incomparable`] unless sums and block length agree.
    pub fn compare<'a>(&'a self, new: &'a Signature) -> Result<impl Iterator<Item = BlockRange> + 'a> {
        BlockRanges::new(Cow::Borrowed(self), Cow::Borrowed(new))
    }
}

/// The ranges of new content, found one after the other: beside the signatures there is the old one's index, and
/// nothing that grows with the ranges.
pub(crate) struct BlockRanges<'a> {
    /// `None` once the last was given.
    comparer: Option<Comparer<'a>>,
    new: Cow<'a, Signature>,
    /// The block that comes next.
    block: usize,
}

impl BlockRanges<'static> {
    /// As [`Signature::compare`], for as long as is wanted: clones of a signature share its sums.
    pub(crate) fn held(old: &Signature, new: &Signature) -> Result<Self> {
        Self::new(Cow::Owned(old.clone()), Cow::Owned(new.clone()))
    }
}

impl<'a> BlockRanges<'a> {
    fn new(old: Cow<'a, Signature>, new: Cow<'a, Signature>) -> Result<Self> {
        Ok(Self { comparer: Some(Comparer::of(old, new.params())?), new, block: 0 })
    }
}

impl Iterator for BlockRanges<'_> {
    type Item = BlockRange;

    fn next(&mut self) -> Option<BlockRange> {
        let comparer = self.comparer.as_mut()?;
        let block_len = u64::from(self.new.params().block_len);
        let length = self.new.length().unwrap_or(u64::MAX);
        while let Some(sum) = self.new.block(self.block) {
            self.block += 1;
            let range = comparer.push(&sum, block_len.min(length - comparer.offset));
            if range.is_some() {
                return range;
            }
        }
        self.comparer.take()?.finish()
    }
}

/// The ranges of the content of `new`, `Same` or `Changed`, in constant memory: moved blocks are not
/// looked for.
///
/// # Errors
///
/// As [`compare_streams`].
pub fn compare_files(old: &SignatureFile, new: &SignatureFile) -> Result<impl Iterator<Item = Result<BlockRange>>> {
    compare_streams(old.reader()?, new.reader()?)
}

/// The ranges of the content of `new`, `Same` or `Changed`, out of two signatures that stream by, each read
/// once and in constant memory: moved blocks are not looked for.
///
/// The ranges are provisional until the last: a stream may yet prove cut off.
///
/// # Errors
///
/// [`ErrorKind::Incomparable`] unless sums and block length agree; while iterating, as
/// [`SignatureReader::next_block`], after which nothing more comes.
pub fn compare_streams<R: Read, S: Read>(
    old: SignatureReader<R>,
    new: SignatureReader<S>,
) -> Result<impl Iterator<Item = Result<BlockRange>>> {
    check_comparable(old.params(), new.params())?;
    Ok(StreamComparison {
        strong_len: old.params().strong_len.min(new.params().strong_len) as usize,
        block_len: u64::from(new.params().block_len),
        old,
        new: Some(new),
        offset: 0,
        block: None,
        run: None,
    })
}

struct StreamComparison<R, S> {
    old: SignatureReader<R>,
    /// `None` once the comparison has ended.
    new: Option<SignatureReader<S>>,
    strong_len: usize,
    block_len: u64,
    offset: u64,
    /// What the block at `offset` is; only when another follows is it known to be whole.
    block: Option<RangeKind>,
    run: Option<BlockRange>,
}

impl<R: Read, S: Read> StreamComparison<R, S> {
    fn next_range(&mut self) -> Result<Option<BlockRange>> {
        while let Some(new) = &mut self.new {
            let sum = new.next_block()?;
            let mut len = self.block_len;
            let next = match sum {
                Some(sum) => {
                    let same = self.old.next_block()?.is_some_and(|old| {
                        old.weak == sum.weak && is_strong(&sum.strong, &old.strong[..self.strong_len])
                    });
                    Some(if same { RangeKind::Same } else { RangeKind::Changed })
                }
                None => {
                    // What is left of the old signature must be whole too.
                    while self.old.next_block()?.is_some() {}
                    len = new.identity().map_or(len, |identity| identity.length().saturating_sub(self.offset));
                    self.new = None;
                    None
                }
            };
            if let Some(kind) = std::mem::replace(&mut self.block, next) {
                let block = BlockRange { offset: self.offset, len, kind };
                self.offset += len;
                if let Some(range) = block.follow(&mut self.run) {
                    return Ok(Some(range));
                }
            }
        }
        Ok(self.run.take())
    }
}

impl<R: Read, S: Read> Iterator for StreamComparison<R, S> {
    type Item = Result<BlockRange>;

    fn next(&mut self) -> Option<Self::Item> {
        let range = self.next_range().transpose();
        if matches!(range, Some(Err(_))) {
            self.new = None;
            self.run = None;
        }
        range
    }
}

/// The ranges of the content that streams out of `source`, as the signature `old` knows them, read
/// once and in constant memory beside the signature.
///
/// # Errors
///
/// While iterating, whatever the source raises.
pub fn compare_data<'a>(
    old: &'a Signature,
    source: impl Read + 'a,
) -> Result<impl Iterator<Item = Result<BlockRange>> + 'a> {
    Ok(DataComparison {
        params: *old.params(),
        comparer: Some(Comparer::new(old, old.params())?),
        source: Source::new(source),
        sums: Vec::new(),
        next: 0,
        last_len: 0,
        threads: default_threads(),
        batch: Vec::new(),
    })
}

struct DataComparison<'a, R> {
    params: SignatureParams,
    comparer: Option<Comparer<'a>>,
    source: Source<R>,
    /// Whole blocks being gathered.
    batch: Vec<u8>,
    /// The sums of the batch gathered last, and how far they were compared.
    sums: Vec<BlockSum>,
    next: usize,
    /// The length of the last block in `sums`.
    last_len: u64,
    threads: usize,
}

impl<R: Read> DataComparison<'_, R> {
    fn next_range(&mut self) -> Result<Option<BlockRange>> {
        loop {
            let Some(comparer) = &mut self.comparer else { return Ok(None) };
            while let Some(sum) = self.sums.get(self.next) {
                self.next += 1;
                let last = self.next == self.sums.len();
                let len = if last { self.last_len } else { u64::from(self.params.block_len) };
                if let Some(range) = comparer.push(sum, len) {
                    return Ok(Some(range));
                }
            }
            if !self.gather()? {
                return Ok(self.comparer.take().and_then(Comparer::finish));
            }
        }
    }

    /// Reads the next batch and computes its sums; `false` when there is nothing left.
    fn gather(&mut self) -> Result<bool> {
        let block_len = self.params.block_len as usize;
        let batch_len = (1usize << 20).next_multiple_of(block_len);
        while self.batch.len() < batch_len {
            if self.source.buffered().is_empty()
                && !self.source.fill().map_err(|error| named(error, "comparing data"))?
            {
                break;
            }
            let take = self.source.buffered().len().min(batch_len - self.batch.len());
            self.batch.extend_from_slice(&self.source.buffered()[..take]);
            self.source.consume(take);
        }
        self.sums.clear();
        self.next = 0;
        block_sums(&self.params, &self.batch, self.threads, &mut self.sums);
        self.last_len = match self.batch.len() % block_len {
            0 => block_len as u64,
            short => short as u64,
        };
        self.batch.clear();
        Ok(!self.sums.is_empty())
    }
}

impl<R: Read> Iterator for DataComparison<'_, R> {
    type Item = Result<BlockRange>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_range().transpose()
    }
}
