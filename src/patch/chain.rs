//! Levels 0..n in one pass: the deltas are composed, not applied one after the other.
//!
//! Each range of the result is followed down the levels, newest first, to the literal, the zeros or the
//! basis that it comes from. PostgreSQL's `pg_combinebackup` restores in this way; the composition of
//! copy and insert commands is older (Burns and Long's "version jumping", 1997).

use std::io::{self, Read};
use std::path::Path;

use super::check::{TargetCheck, verify_basis, wrong_basis};
use super::layer::{Layer, Piece};
use super::machine::{Plan, Planned, Produce, Produced, WATCH_BYTES, ZEROS_LEN};
use super::reader::read_produced;
use super::{PatchOptions, PatchSummary, VerifyBasis};
use crate::observer::Progress;
use crate::read_at::ReadAt;
use crate::{Comparison, Error, ErrorKind, Fingerprint, Result};

/// Reads the target of the last of several levels, all of whose deltas can be read anywhere.
///
/// Opening it reads every delta once, checks it and indexes it in a declared amount of memory; before
/// anything comes out, each level's basis must be the content that the level below promises. What has
/// been read is **provisional** until the read that returns 0: only then was the whole target held
/// against the last trailer. [`Chain::finish`] says so.
///
/// It can be sent between threads.
pub struct Chain<B, D> {
    basis: B,
    basis_len: u64,
    /// Level 0 first.
    layers: Vec<Layer<D>>,
    position: u64,
    zeros: u64,
    target: TargetCheck,
    verify_basis: VerifyBasis,
    options: PatchOptions,
    watched: u64,
    resolved: u64,
    ended: bool,
    failed: bool,
}

/// The observer is asked after so many ranges of the target too, however short they are.
const WATCH_RANGES: u64 = 1024;

impl<B: ReadAt, D: ReadAt> Chain<B, D> {
    /// Opens the deltas, sealed or plain, of the levels on top of `basis`, lowest level first.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](ErrorKind::InvalidInput) without any delta;
    /// [`WrongBasis`](ErrorKind::WrongBasis) when a level does not stand on the one before it, or the first
    /// not on `basis`; and what reading each delta shows: [`Corrupt`](ErrorKind::Corrupt),
    /// [`Truncated`](ErrorKind::Truncated), [`Limit`](ErrorKind::Limit).
    pub fn new(basis: B, deltas: Vec<D>, options: PatchOptions) -> Result<Self> {
        Self::open(basis, deltas, options, VerifyBasis::Before)
    }

    pub(super) fn verifying_after(basis: B, deltas: Vec<D>, options: PatchOptions) -> Result<Self> {
        Self::open(basis, deltas, options, VerifyBasis::After)
    }

    fn open(basis: B, deltas: Vec<D>, options: PatchOptions, verify: VerifyBasis) -> Result<Self> {
        let mut verify = options.verify_basis.unwrap_or(verify);
        let threads = options.thread_count();
        let basis_len = basis.size().map_err(|error| Error::io("measuring the basis", error))?;
        let budgets = budgets(&deltas, options.index_memory.unwrap_or(PatchOptions::DEFAULT_INDEX_MEMORY))?;
        // The limit is for what comes out, and a level below may be longer than the last, but not without any limit.
        let max_below = options.max_output.filter(|&max| max > PatchOptions::DEFAULT_MAX_OUTPUT);
        let below = PatchOptions { max_output: max_below, ..options.clone() };
        let count = deltas.len();
        let mut layers: Vec<Layer<D>> = Vec::with_capacity(deltas.len());
        for (level, (delta, budget)) in deltas.into_iter().zip(budgets).enumerate() {
            let options = if level + 1 == count { &options } else { &below };
            let path = delta.path().map(Path::to_owned);
            let in_level = |error| in_level(error, level, count, path.as_deref());
            let below_len = layers.last().map_or(basis_len, Layer::length);
            let layer = Layer::open(delta, below_len, budget, options).map_err(in_level)?;
            check_stands_on(&layer, layers.last()).map_err(in_level)?;
            layers.push(layer);
        }
        let (Some(first), Some(last)) = (layers.first(), layers.last()) else {
            return Err(
                Error::new(ErrorKind::InvalidInput, "a chain needs at least one delta").doing("opening a chain")
            );
        };
        if last.trailer().is_none() {
            // A plain delta at the end promises nothing that the result could be held against.
            verify = VerifyBasis::Before;
        }
        if let Some(expected) = first.header().and_then(|header| header.basis)
            && (verify == VerifyBasis::Before || expected.length() != basis_len)
        {
            verify_basis(&basis, &expected, &options)?;
        }
        let target = last.header().map_or_else(TargetCheck::none, |header| TargetCheck::new(header, threads));
        Ok(Self {
            basis,
            basis_len,
            layers,
            position: 0,
            zeros: 0,
            target,
            verify_basis: verify,
            options,
            watched: 0,
            resolved: 0,
            ended: false,
            failed: false,
        })
    }

    /// Bytes that will come out.
    pub fn length(&self) -> u64 {
        self.layers.last().map_or(0, Layer::length)
    }

    /// Says what was done, after the target was read to its end.
    ///
    /// # Errors
    ///
    /// [`State`](ErrorKind::State) when it was not.
    pub fn finish(self) -> Result<PatchSummary> {
        self.summary()
    }

    fn in_level(&self, error: Error, level: usize) -> Error {
        in_level(error, level, self.layers.len(), self.layers[level].path())
    }

    fn expected_basis(&self) -> Option<Fingerprint> {
        self.layers.first()?.header()?.basis
    }

    /// Where the byte at `position` comes from: a level, and the piece there.
    fn resolve(&mut self) -> Result<(usize, Piece)> {
        let mut offset = self.position;
        let mut len = u64::MAX;
        for level in (0..self.layers.len()).rev() {
            let piece = self.layers[level].piece_at(offset).map_err(|error| self.in_level(error, level))?;
            len = len.min(piece.len());
            match piece {
                Piece::Below { offset: below, .. } => offset = below,
                Piece::Literal { at, .. } => return Ok((level, Piece::Literal { at, len })),
                Piece::Zeros { .. } => return Ok((level, Piece::Zeros { len })),
            }
        }
        Ok((0, Piece::Below { offset, len }))
    }

    fn produce_piece(&mut self, buffer: &mut [u8]) -> Result<Produced> {
        let planned = self.plan_piece(buffer)?;
        let produced = planned.produce(&self.basis, self.basis_len, &mut self.target, buffer)?;
        match (planned, produced) {
            (Planned::Basis { .. }, Produced::Bytes(len)) => self.copied(len),
            (Planned::End, _) if !self.ended => self.end()?,
            _ => {}
        }
        if self.position - self.watched >= WATCH_BYTES {
            self.watched = self.position;
            self.tell(self.stream_bytes())?;
        }
        Ok(produced)
    }

    fn plan_piece(&mut self, buffer: &mut [u8]) -> Result<Planned> {
        if self.position == self.length() {
            return Ok(Planned::End);
        }
        self.resolved += 1;
        if self.resolved.is_multiple_of(WATCH_RANGES) {
            self.tell(self.stream_bytes())?;
        }
        let (level, piece) = self.resolve()?;
        let want = buffer.len().min(usize::try_from(piece.len()).unwrap_or(usize::MAX));
        Ok(match piece {
            Piece::Zeros { len } => {
                let len = len.min(ZEROS_LEN);
                self.position += len;
                Planned::Zeros(len)
            }
            Piece::Literal { at, .. } => {
                let len = self.layers[level].read_literal(at, &mut buffer[..want]);
                let len = len.map_err(|error| self.in_level(error, level))?;
                self.position += len as u64;
                Planned::Bytes(len)
            }
            Piece::Below { offset, .. } => Planned::Basis { offset, len: want },
        })
    }

    /// Holds the target against the last trailer.
    fn verify(&mut self) -> Result<()> {
        let trailer = self.layers.last().and_then(|layer| layer.trailer().copied());
        let Err(error) = self.target.verify(trailer.as_ref()) else { return Ok(()) };
        if let (Some(expected), VerifyBasis::After) = (self.expected_basis(), self.verify_basis) {
            verify_basis(&self.basis, &expected, &self.options)?;
        }
        Err(error)
    }
}

/// Shares the memory for indexes out by the length of the deltas.
fn budgets<D: ReadAt>(deltas: &[D], memory: u64) -> Result<Vec<u64>> {
    let sizes: io::Result<Vec<u64>> = deltas.iter().map(ReadAt::size).collect();
    let sizes = sizes.map_err(|error| Error::io("measuring a delta", error))?;
    // What a caller says of lengths may be anything; no sum of them is more than this takes.
    let total = sizes.iter().map(|&size| u128::from(size)).sum::<u128>().max(1);
    Ok(sizes.iter().map(|&size| (u128::from(memory) * u128::from(size) / total) as u64).collect())
}

/// The basis of a level must be the target of the one below it, as far as both say what they are.
fn check_stands_on<D: ReadAt>(layer: &Layer<D>, below: Option<&Layer<D>>) -> Result<()> {
    let (Some(expected), Some(below)) = (layer.header().and_then(|header| header.basis), below) else { return Ok(()) };
    if let Some(found) = below.trailer().map(|trailer| *trailer.identity.fingerprint()) {
        return match expected.compare(&found) {
            Comparison::Different => Err(wrong_basis(&expected, &found)),
            // Fingerprints over other leaves say nothing here; the last one decides.
            Comparison::Equal | Comparison::Incomparable => Ok(()),
        };
    }
    if expected.length() != below.length() {
        return Err(Error::new(ErrorKind::WrongBasis, "the delta was made against another basis")
            .doing("applying a delta")
            .expected(expected, format_args!("{} bytes", below.length())));
    }
    Ok(())
}

/// Says which delta it is that is wrong; what its reader raises is passed on as it is.
fn in_level(error: Error, level: usize, count: usize, path: Option<&Path>) -> Error {
    if error.is_raised() {
        return error;
    }
    let error = error.doing(format!("reading delta {} of {count}", level + 1));
    match path {
        Some(path) => error.path(path),
        None => error,
    }
}

impl<B: ReadAt, D: ReadAt> Produce for Chain<B, D> {
    fn produce(&mut self, buffer: &mut [u8]) -> Result<Produced> {
        if self.failed {
            return Err(Error::new(ErrorKind::State, "the chain has failed before").doing("reading a chain"));
        }
        // A panic of the basis or of a delta leaves it half-way.
        self.failed = true;
        let result = self.produce_piece(buffer);
        self.failed = result.as_ref().is_err_and(|error| !error.is_raised());
        result
    }
}

impl<B: ReadAt, D: ReadAt> Plan for Chain<B, D> {
    fn begin(&mut self) -> Result<()> {
        Ok(())
    }

    fn plan(&mut self, buffer: &mut [u8]) -> Result<Planned> {
        self.plan_piece(buffer)
    }

    fn copied(&mut self, len: usize) {
        self.position += len as u64;
    }

    fn target(&mut self) -> &mut TargetCheck {
        &mut self.target
    }

    fn stream_bytes(&self) -> u64 {
        self.layers.iter().map(Layer::stream_bytes).sum()
    }

    fn tell(&self, stream_bytes: u64) -> Result<()> {
        self.options.watch.step(Progress {
            done_bytes: self.target.length(),
            total_bytes: Some(self.length()),
            stream_bytes,
            ..Progress::default()
        })
    }

    fn end(&mut self) -> Result<()> {
        self.verify()?;
        self.tell(self.stream_bytes())?;
        self.ended = true;
        Ok(())
    }

    fn summary(&self) -> Result<PatchSummary> {
        if !self.ended {
            return Err(Error::new(ErrorKind::State, "the target was not read to its end").doing("finishing a chain"));
        }
        let trailer = self.layers.last().and_then(Layer::trailer);
        let weak = self.layers.iter().filter_map(Layer::trailer).any(|trailer| trailer.flags.weak);
        Ok(PatchSummary { weak, ..PatchSummary::new(self.position, self.stream_bytes(), trailer) })
    }
}

impl<B: ReadAt, D: ReadAt> Read for Chain<B, D> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let zeros = std::mem::take(&mut self.zeros);
        let (read, zeros) = read_produced(self, zeros, buffer)?;
        self.zeros = zeros;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Content that says it is of a length.
    struct Said(u64);

    impl ReadAt for Said {
        fn read_at(&self, _buffer: &mut [u8], _offset: u64) -> io::Result<usize> {
            Ok(0)
        }

        fn size(&self) -> io::Result<u64> {
            Ok(self.0)
        }
    }

    #[test]
    fn shares_of_memory_add_up_to_no_more_than_there_is_whatever_lengths_are_said() {
        for (sizes, expected) in [
            (&[1, 3][..], &[250, 750][..]),
            (&[0, 0], &[0, 0]),
            (&[u64::MAX, 1], &[999, 0]),
            (&[u64::MAX, u64::MAX], &[500, 500]),
        ] {
            let deltas: Vec<_> = sizes.iter().map(|&size| Said(size)).collect();
            assert_eq!(budgets(&deltas, 1000).unwrap(), expected, "{sizes:?}");
        }
    }
}
