//! The new signature, as a level's pass makes it.

use std::io::{self, Write};

use crate::Result;
use crate::engine::Engine;
use crate::engine::librsync::SignatureJob;
use crate::engine::native::{BlockRun, IdentityBuilder, ZeroSum, block_sums, sum_while_filling};
use crate::format::{BlockSum, Flags, Identity, SignatureParams, SignatureWriter, SumTable, leaf_len_for};
use crate::memory::reserve;
use crate::signature::Signature;

/// Where the sums go.
pub(super) enum SignatureSink {
    Held(SumTable),
    /// `None` when it goes nowhere.
    Written(Option<Box<SignatureWriter<Box<dyn Write + Send>>>>),
}

impl SignatureSink {
    pub(super) fn held(params: SignatureParams) -> Self {
        Self::Held(SumTable::new(params))
    }
}

/// Computes the sums of each block of the content, its identity, and hands the sums on.
pub(super) struct Signing {
    params: SignatureParams,
    engine: Summing,
    /// `None` where the content is not to be identified.
    identity: Option<IdentityBuilder>,
    /// Whether the sums are the leaves of the fingerprint.
    sums_are_leaves: bool,
    of_zeros: ZeroSum,
    pub(super) sink: SignatureSink,
    memory_limit: u64,
    threads: usize,
}

enum Summing {
    Native,
    Librsync {
        job: SignatureJob,
        /// Its output that does not yet make a record; the head is dropped.
        raw: Vec<u8>,
        skip: usize,
    },
}

impl Signing {
    pub(super) fn new(
        params: SignatureParams,
        engine: Engine,
        sink: SignatureSink,
        memory_limit: u64,
        threads: usize,
        identify: bool,
    ) -> Result<Self> {
        let engine = match engine {
            Engine::Native => Summing::Native,
            Engine::Librsync => {
                let job = SignatureJob::new(params)?;
                Summing::Librsync { job, raw: Vec::new(), skip: SignatureParams::HEAD_LEN }
            }
        };
        let leaf_len = leaf_len_for(&params);
        Ok(Self {
            params,
            engine,
            identity: identify.then(|| IdentityBuilder::new(leaf_len, threads)),
            sums_are_leaves: identify && params.is_full() && leaf_len == params.block_len,
            of_zeros: ZeroSum::default(),
            sink,
            memory_limit,
            threads,
        })
    }

    /// Fills the window by `read` and sums its whole blocks meanwhile, where the engine can. The first block that is
    /// not summed begins at `from` of it, and `filled` bytes are there. Sums are appended to `sums`, those of the
    /// blocks of `more` to its own.
    ///
    /// Gives whether the content has ended, or what `read` raises; what was read before is summed.
    ///
    /// # Errors
    ///
    /// What the signature's sink raises, and [`ErrorKind::OutOfMemory`](crate::ErrorKind::OutOfMemory).
    pub(super) fn fill(
        &mut self,
        window: &mut [u8],
        from: usize,
        filled: &mut usize,
        sums: &mut Vec<BlockSum>,
        mut more: Option<BlockRun<'_>>,
        mut read: impl FnMut(&mut [u8]) -> io::Result<usize>,
    ) -> Result<io::Result<bool>> {
        if !matches!(self.engine, Summing::Native) {
            while *filled < window.len() {
                match read(&mut window[*filled..]) {
                    Ok(0) => return Ok(Ok(true)),
                    Ok(len) => *filled += len,
                    Err(error) => return Ok(Err(error)),
                }
            }
            return Ok(Ok(false));
        }
        let first = sums.len();
        let blocks = window.len().saturating_sub(from) / self.params.block_len as usize;
        reserve(sums, blocks)?;
        if let Some(more) = &mut more {
            reserve(more.sums, window.len().saturating_sub(more.from) / more.params.block_len as usize)?;
        }
        let mut crc = crc32fast::Hasher::new();
        let own = BlockRun {
            params: self.params,
            from,
            sums,
            crc: Some(&mut crc).filter(|_| self.sums_are_leaves),
            of_zeros: &self.of_zeros,
        };
        let mut runs: Vec<_> = std::iter::once(own).chain(more).collect();
        let result = sum_while_filling(window, filled, &mut runs, self.threads, read);
        let len = (sums.len() - first) * self.params.block_len as usize;
        if let Some(identity) = &mut self.identity {
            match self.sums_are_leaves {
                true => identity.checksummed(&crc, len),
                false => identity.update(&window[from..from + len]),
            }
        }
        self.hand_on(&sums[first..])?;
        Ok(result)
    }

    /// Takes in the next content, which is whole blocks unless `eof`; appends the sums to `sums`.
    pub(super) fn advance(&mut self, content: &[u8], eof: bool, sums: &mut Vec<BlockSum>) -> Result<()> {
        let first = sums.len();
        reserve(sums, content.len().div_ceil(self.params.block_len as usize))?;
        match &mut self.engine {
            Summing::Native => block_sums(&self.params, content, self.threads, sums),
            Summing::Librsync { job, raw, skip } => {
                job.feed(content, raw)?;
                if eof {
                    job.end(raw)?;
                }
                let head = (*skip).min(raw.len());
                *skip -= head;
                let mut records = raw[head..].chunks_exact(self.params.record_len());
                sums.extend(records.by_ref().map(BlockSum::from_record));
                *raw = records.remainder().to_vec();
            }
        }
        if let Some(identity) = &mut self.identity {
            match self.sums_are_leaves {
                true => identity.checksum(content),
                false => identity.update(content),
            }
        }
        self.hand_on(&sums[first..])
    }

    fn hand_on(&mut self, sums: &[BlockSum]) -> Result<()> {
        for sum in sums {
            if let Some(identity) = self.identity.as_mut().filter(|_| self.sums_are_leaves) {
                identity.leaf(&sum.strong);
            }
            match &mut self.sink {
                SignatureSink::Held(table) => table.push(sum, self.memory_limit)?,
                SignatureSink::Written(Some(writer)) => writer.push(sum)?,
                SignatureSink::Written(None) => {}
            }
        }
        Ok(())
    }

    /// The identity of the content, which must be over, and its signature.
    pub(super) fn finish(self, dirty: bool) -> Signed {
        Signed { identity: self.identity.map(IdentityBuilder::finish), dirty, sink: self.sink }
    }
}

/// A signature that is whole but not closed: that waits until the level's stream has been taken, since a
/// signature of a level that was lost would be the basis of levels that cannot be restored.
pub(super) struct Signed {
    pub(super) identity: Option<Identity>,
    dirty: bool,
    sink: SignatureSink,
}

impl Signed {
    /// Closes the signature, and gives it if it was held.
    pub(super) fn close(self) -> Result<Option<Signature>> {
        match self.sink {
            SignatureSink::Held(table) => Ok(Some(Signature::new(table, self.identity, self.dirty))),
            SignatureSink::Written(None) => Ok(None),
            SignatureSink::Written(Some(writer)) => {
                // The level may stand on weak sums; its signature, of the content itself, does not.
                let flags = Flags { dirty: self.dirty, ..Flags::default() };
                match self.identity {
                    Some(identity) => writer.finish_flagged(&identity, flags).map(|_| None),
                    None => writer.finish_unidentified().map(|_| None),
                }
            }
        }
    }
}
