//! The whole form's work: what is planned is read, summed and written by several threads, piece by piece, and held
//! against what should come of it in order.

use std::fs::File;
use std::io::{Seek, SeekFrom};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::PatchSummary;
use super::check::shrunk;
use super::machine::{Plan, Planned, WATCH_BYTES};
use crate::cloning::Cloning;
use crate::engine::ZERO_RUN_MIN;
use crate::engine::native::ContentSums;
use crate::in_order::{InOrder, jobs_at_once, work_in_order};
use crate::memory::zeroed;
use crate::read_at::{ReadAt, read_some};
use crate::{Error, Result};

/// The most of the target that a thread makes at once: enough leaves of the usual length for every lane of a vector,
/// little enough to stay in a core's own cache between being read, summed and written.
const PIECE_LEN: usize = 512 * 1024;

/// More threads would wait for each other: a file is written by one of them at a time.
const THREADS_MAX: usize = 8;

/// Of more copies than these a piece is read while it is planned: each takes memory, and one byte is enough for one.
const COPIES_MAX: usize = 1024;

/// Carries out all that is planned, on up to `threads` threads, and verifies it.
///
/// It takes 1 MiB for each thread, of which no more than eight are of use. What went wrong first in the target's
/// order is what is returned, as if one thread had done the work.
pub(super) fn apply(plan: &mut impl Plan, basis: &dyn ReadAt, file: &File, threads: usize) -> Result<PatchSummary> {
    let basis_len = basis.size().map_err(|error| Error::io("measuring the basis", error))?;
    let threads = threads.min(THREADS_MAX);
    plan.begin()?;
    let reading = Reading { basis, basis_len };
    let worker = Worker { reading, cloning: Cloning::new(basis.as_file(), file), file, writing: Mutex::new(()) };
    let spare = Vec::with_capacity(jobs_at_once(threads));
    let mut planning = Planning { plan, reading, at: 0, zeros: 0, ended: None, spare, watched: 0 };
    work_in_order(threads, &mut planning, |piece| worker.carry_out(piece))?;
    // Zeros at the end were not written.
    file.set_len(planning.at).map_err(|error| Error::io("writing", error))?;
    plan.end()?;
    plan.summary()
}

/// A piece of the target.
#[derive(Default)]
struct Piece {
    /// Where in the target it begins.
    at: u64,
    content: Vec<u8>,
    filled: usize,
    /// What is to be read into the content.
    copies: Vec<BasisRange>,
    /// What of the content need not be written: zeros, and what has been cloned.
    unwritten: Vec<Range<usize>>,
    /// Zeros that come after the content.
    zeros: u64,
    /// Bytes under each of the leaves that the piece is made of, if it is to be summed.
    leaf_len: Option<u32>,
    /// Bytes of the deltas that were taken when all of it was planned.
    stream_bytes: u64,
}

/// A range of the basis, and where in a piece it goes.
struct BasisRange {
    offset: u64,
    to: Range<usize>,
}

impl BasisRange {
    fn is_followed_by(&self, offset: u64, to: usize) -> bool {
        self.to.end == to && self.offset + self.to.len() as u64 == offset
    }
}

/// A piece that was made, or why not.
struct Made {
    piece: Piece,
    sums: Option<ContentSums>,
    result: Result<()>,
}

/// The content that pieces are copied from.
#[derive(Clone, Copy)]
struct Reading<'a> {
    basis: &'a dyn ReadAt,
    basis_len: u64,
}

impl Reading<'_> {
    /// Fills the buffer.
    fn read(&self, buffer: &mut [u8], offset: u64) -> Result<()> {
        let mut filled = 0;
        while filled < buffer.len() {
            let at = offset + filled as u64;
            match read_some(self.basis, &mut buffer[filled..], at)? {
                0 => return Err(shrunk(at, self.basis_len)),
                len => filled += len,
            }
        }
        Ok(())
    }
}

/// What makes pieces; all threads share it.
struct Worker<'a> {
    reading: Reading<'a>,
    cloning: Cloning<'a>,
    file: &'a File,
    /// Held while the file is written: the kernel lets one write at a time, and others spin.
    writing: Mutex<()>,
}

impl Worker<'_> {
    /// Sums before it writes where another thread is writing.
    fn carry_out(&self, mut piece: Piece) -> Made {
        if let Err(error) = self.read(&mut piece) {
            return Made { result: Err(error), sums: None, piece };
        }
        let sum = |piece: &Piece| {
            let leaf_len = piece.leaf_len.filter(|_| piece.filled > 0)?;
            Some(ContentSums::of(&piece.content[..piece.filled], leaf_len))
        };
        let write = |turn: MutexGuard<'_, ()>| {
            let written = self.write(&piece).map_err(|error| Error::io("writing", error));
            drop(turn);
            written
        };
        let (written, sums) = match self.writing.try_lock() {
            Ok(turn) => (write(turn), sum(&piece)),
            Err(_) => {
                let sums = sum(&piece);
                (write(self.writing.lock().unwrap_or_else(PoisonError::into_inner)), sums)
            }
        };
        Made { sums, result: written, piece }
    }

    /// Clones and reads what is to be copied.
    ///
    /// What was cloned is read where it was cloned to, so that what is verified is what is published, whoever writes
    /// to the basis meanwhile.
    fn read(&self, piece: &mut Piece) -> Result<()> {
        for BasisRange { offset, to } in std::mem::take(&mut piece.copies) {
            let cloned = self.cloning.clone_range(offset, piece.at + to.start as u64, to.len());
            let content = &mut piece.content[to.clone()];
            self.reading.read(&mut content[..cloned.start], offset)?;
            self.reading.read(&mut content[cloned.end..], offset + cloned.end as u64)?;
            if !cloned.is_empty() {
                let range = to.start + cloned.start..to.start + cloned.end;
                self.file
                    .read_exact_at(&mut content[cloned], piece.at + range.start as u64)
                    .map_err(|error| Error::io("reading what was cloned", error))?;
                piece.unwritten.push(range);
            }
        }
        piece.unwritten.sort_unstable_by_key(|range| range.start);
        Ok(())
    }

    fn write(&self, piece: &Piece) -> std::io::Result<()> {
        let mut from = 0;
        for range in &piece.unwritten {
            self.write_range(piece, from..range.start)?;
            from = range.end;
        }
        self.write_range(piece, from..piece.filled)?;
        if piece.zeros > 0 {
            // Nothing else shows before the end that no file can be so long.
            let mut file = self.file;
            file.seek(SeekFrom::Start(piece.at + piece.filled as u64 + piece.zeros))?;
        }
        Ok(())
    }

    fn write_range(&self, piece: &Piece, range: Range<usize>) -> std::io::Result<()> {
        if range.is_empty() {
            return Ok(());
        }
        self.file.write_all_at(&piece.content[range.clone()], piece.at + range.start as u64)
    }
}

/// Takes a plan apart into pieces, and takes them back.
struct Planning<'a, P> {
    plan: &'a mut P,
    reading: Reading<'a>,
    /// Where the next piece begins.
    at: u64,
    /// Zeros that were planned and are in no piece yet.
    zeros: u64,
    /// How it ends, once that has come.
    ended: Option<Result<()>>,
    /// Buffers of pieces that were taken back.
    spare: Vec<Vec<u8>>,
    /// The output of which the observer was told last.
    watched: u64,
}

impl<P: Plan> Planning<'_, P> {
    /// How long a piece may be, and bytes under each of its leaves, if its thread can sum it.
    fn measure(&mut self) -> (usize, Option<u32>) {
        match self.plan.target().leaf_len().filter(|&leaf_len| leaf_len as usize <= PIECE_LEN) {
            Some(leaf_len) => (PIECE_LEN - PIECE_LEN % leaf_len as usize, Some(leaf_len)),
            None => (PIECE_LEN, None),
        }
    }

    /// Puts what comes next into the piece, of which `len` is to be filled; `false` when it is to get no more.
    fn fill(&mut self, piece: &mut Piece, len: usize) -> Result<bool> {
        let from = piece.filled;
        if self.zeros > 0 {
            let leaf_len = piece.leaf_len.map_or(1, u64::from);
            let to_leaf = (piece.filled as u64).next_multiple_of(leaf_len) - piece.filled as u64;
            if self.zeros >= PIECE_LEN as u64 && to_leaf == 0 {
                piece.zeros = self.zeros - self.zeros % leaf_len;
                self.zeros -= piece.zeros;
                return Ok(false);
            }
            let len = self.zeros.min((len - from) as u64) as usize;
            let len = if self.zeros >= PIECE_LEN as u64 { len.min(to_leaf as usize) } else { len };
            piece.content[from..from + len].fill(0);
            if len >= ZERO_RUN_MIN {
                piece.unwritten.push(from..from + len);
            }
            piece.filled += len;
            self.zeros -= len as u64;
            return Ok(true);
        }
        match self.plan.plan(&mut piece.content[from..len])? {
            Planned::Bytes(len) => piece.filled += len,
            Planned::Basis { offset, len } => {
                let to = from..from + len;
                let may_wait = self.reading.basis.as_file().is_some() && piece.copies.len() < COPIES_MAX;
                match piece.copies.last_mut() {
                    Some(last) if last.is_followed_by(offset, from) => last.to.end = to.end,
                    _ if may_wait => piece.copies.push(BasisRange { offset, to }),
                    _ => self.reading.read(&mut piece.content[to], offset)?,
                }
                self.plan.copied(len);
                piece.filled += len;
            }
            Planned::Zeros(len) => {
                self.zeros = len;
                return Ok(true);
            }
            Planned::End => self.ended = Some(Ok(())),
        }
        Ok(self.ended.is_none())
    }
}

impl<P: Plan> InOrder for Planning<'_, P> {
    type Job = Piece;
    type Done = Made;

    fn give(&mut self) -> Result<Option<Piece>> {
        if let Some(ended) = self.ended.take() {
            return ended.map(|()| None);
        }
        let (len, leaf_len) = self.measure();
        let content = self.spare.pop().map_or_else(|| zeroed(PIECE_LEN), Ok)?;
        let mut piece = Piece { at: self.at, content, leaf_len, ..Piece::default() };
        while piece.filled < len {
            match self.fill(&mut piece, len) {
                Ok(true) => {}
                Ok(false) => break,
                // What comes before it is done first, and may fail first.
                Err(error) => {
                    self.ended = Some(Err(error));
                    break;
                }
            }
        }
        if piece.filled == 0
            && piece.zeros == 0
            && let Some(ended) = self.ended.take()
        {
            return ended.map(|()| None);
        }
        self.at += piece.filled as u64 + piece.zeros;
        piece.stream_bytes = self.plan.stream_bytes();
        Ok(Some(piece))
    }

    fn take(&mut self, made: Made) -> Result<()> {
        let Made { piece, sums, result } = made;
        result?;
        match &sums {
            Some(sums) => self.plan.target().summed(piece.filled as u64, sums),
            None => self.plan.target().update(&piece.content[..piece.filled]),
        }
        self.plan.target().zeros(piece.zeros);
        let length = self.plan.target().length();
        if length / WATCH_BYTES != self.watched / WATCH_BYTES {
            self.watched = length;
            self.plan.tell(piece.stream_bytes)?;
        }
        self.spare.push(piece.content);
        Ok(())
    }
}
