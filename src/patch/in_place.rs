//! Patching a file in its place: for images that are too big to have a second copy of.

use std::fs::{File, OpenOptions};
use std::io::ErrorKind as IoErrorKind;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::check::{TargetCheck, shrunk, verify_basis};
use super::layer::{Layer, Piece};
use super::machine::WATCH_BYTES;
use super::{PatchOptions, PatchSummary};
use crate::memory::{push, zeroed};
use crate::observer::Progress;
use crate::read_at::{ReadAt, read_some};
use crate::{Error, ErrorKind, Result};

/// Bytes moved at once.
const BUFFER_LEN: usize = 1 << 20;

/// Turns the file at `path` itself into the target of a delta, without a second copy.
///
/// **What this gives up:** once writing has begun the old content is gone. A crash, a full disk or a
/// failing device leaves a file that is neither old nor new, with no way back but restoring all levels;
/// [`patch_file`](crate::patch_file) never does. Everything that can be checked is checked before the
/// first write: the whole delta, and the basis against the fingerprint that a sealed delta carries. The
/// result of a sealed delta is flushed, read back and verified at the end; a plain one says neither what its
/// basis nor what its target should be. An observer can stop the checks, but not the writing.
///
/// After a crash, the same call tells. With a sealed delta that was made against a sealed signature, it succeeds where
/// the file is still the old one, and refuses one that is not, [`ErrorKind::WrongBasis`], without a write: it may be
/// the new one, or neither. Only such a delta knows its basis: one made against a plain signature, sealed or not, is
/// applied to whatever is there, and if it is sealed the result is found to be wrong,
/// [`ErrorKind::Mismatch`], when nothing can be undone.
///
/// Where the target is longer, the file is made as long first, so that a file system which cannot have it that long
/// says so before anything is lost. Zeros take no room, where the file system can do without.
///
/// Content that moves both towards the end and towards the start of the file is held in memory where
/// the two cross, within [`PatchOptions::index_memory`].
///
/// # Errors
///
/// As [`Chain::new`](crate::Chain::new); [`ErrorKind::Limit`] when more crosses than fits in memory;
/// before the first write, all of these leave the file as it was. [`ErrorKind::Mismatch`] when the result
/// is wrong: the file is then of no use.
pub fn patch_in_place(path: impl AsRef<Path>, delta: impl ReadAt, options: PatchOptions) -> Result<PatchSummary> {
    let path = path.as_ref();
    let named = |error: Error| error.path(path);
    let file = OpenOptions::new().read(true).write(true).open(path);
    let file = file.map_err(|error| named(Error::io("opening the file to patch", error)))?;
    InPlace::plan(file, delta, options).map_err(named)?.run().map_err(named)
}

/// Content of the file that goes to another offset.
#[derive(Clone, Copy, Debug)]
struct Move {
    from: u64,
    to: u64,
    len: u64,
}

/// Old content that is overwritten before it is moved, and so is held.
struct Saved {
    from: u64,
    content: Vec<u8>,
}

struct InPlace<D> {
    file: File,
    /// A device has the length that it has.
    resizable: bool,
    basis_len: u64,
    layer: Layer<D>,
    /// Content that goes towards the start, by offset: done in this order none overwrites another's source.
    down: Vec<Move>,
    /// Content that goes towards the end, by offset: to be done in reverse, for the same reason.
    up: Vec<Move>,
    saved: Vec<Saved>,
    options: PatchOptions,
    written: u64,
    watched: u64,
}

impl<D: ReadAt> InPlace<D> {
    /// Checks everything and finds an order of the moves; writes nothing.
    fn plan(file: File, delta: D, options: PatchOptions) -> Result<Self> {
        let budget = options.index_memory.unwrap_or(PatchOptions::DEFAULT_INDEX_MEMORY);
        let basis_len = file.size().map_err(|error| Error::io("measuring the basis", error))?;
        let layer = Layer::open(delta, basis_len, budget, &options)?;
        if let Some(expected) = layer.header().and_then(|header| header.basis) {
            verify_basis(&file, &expected, &options)?;
        }
        let resizable = file.metadata().map_err(|error| Error::io("looking at the basis", error))?.is_file();
        if !resizable && layer.length() > basis_len {
            return Err(Error::new(ErrorKind::InvalidInput, "the target is longer than the device")
                .doing("planning to patch in place")
                .expected(format_args!("at most {basis_len} bytes"), layer.length()));
        }
        let (down, up) = (Vec::new(), Vec::new());
        let saved = Vec::new();
        let mut this = Self { file, resizable, basis_len, layer, down, up, saved, options, written: 0, watched: 0 };
        this.gather_moves(budget)?;
        this.save_crossings(budget)?;
        Ok(this)
    }

    fn gather_moves(&mut self, budget: u64) -> Result<()> {
        let mut to = 0;
        while to < self.layer.length() {
            let piece = self.layer.piece_at(to)?;
            if let Piece::Below { offset: from, len } = piece {
                let moves = if from > to { &mut self.down } else { &mut self.up };
                match moves.last_mut() {
                    Some(last) if last.from + last.len == from && last.to + last.len == to => last.len += len,
                    _ if from == to => {}
                    _ => push(moves, Move { from, to, len })?,
                }
                let bytes = ((self.down.len() + self.up.len()) * size_of::<Move>()) as u64;
                if bytes > budget {
                    return Err(over_budget(budget));
                }
            }
            to += piece.len();
        }
        Ok(())
    }

    /// Reads what goes up but lies where something that goes down is written before.
    fn save_crossings(&mut self, budget: u64) -> Result<()> {
        let mut crossings: Vec<Range<u64>> = Vec::new();
        for up in &self.up {
            let end = up.from + up.len;
            let first = self.down.partition_point(|down| down.to + down.len <= up.from);
            for down in self.down[first..].iter().take_while(|down| down.to < end) {
                push(&mut crossings, down.to.max(up.from)..(down.to + down.len).min(end))?;
                if crossings.len() as u64 * size_of::<Range<u64>>() as u64 > budget {
                    return Err(over_budget(budget));
                }
            }
        }
        // Several moves may take from one place: what they share is held once.
        crossings.sort_unstable_by_key(|crossing| crossing.start);
        crossings.dedup_by(|next, last| {
            let touches = next.start <= last.end;
            if touches {
                last.end = last.end.max(next.end);
            }
            touches
        });
        let held: u64 = crossings.iter().map(|crossing| crossing.end - crossing.start).sum();
        if held > budget {
            return Err(over_budget(budget));
        }
        for crossing in crossings {
            let mut content = zeroed((crossing.end - crossing.start) as usize)?;
            read_exact(&self.file, &mut content, crossing.start)?;
            push(&mut self.saved, Saved { from: crossing.start, content })?;
        }
        Ok(())
    }

    /// From here on the old content is lost.
    fn run(mut self) -> Result<PatchSummary> {
        let mut buffer = zeroed(BUFFER_LEN)?;
        if self.resizable && self.layer.length() > self.basis_len {
            self.set_len(self.layer.length())?;
        }
        for down in std::mem::take(&mut self.down) {
            let mut done = 0;
            while done < down.len {
                let len = (down.len - done).min(BUFFER_LEN as u64);
                self.carry(down.from + done, down.to + done, &mut buffer[..len as usize])?;
                done += len;
            }
        }
        for up in std::mem::take(&mut self.up).into_iter().rev() {
            let mut left = up.len;
            while left > 0 {
                let len = left.min(BUFFER_LEN as u64);
                left -= len;
                let buffer = &mut buffer[..len as usize];
                read_exact(&self.file, buffer, up.from + left)?;
                self.restore_saved(up.from + left, buffer);
                self.write(up.to + left, buffer)?;
            }
        }
        self.write_new(&mut buffer)?;
        if self.resizable && self.layer.length() < self.basis_len {
            self.set_len(self.layer.length())?;
        }
        self.file.sync_all().map_err(|error| Error::io("flushing", error))?;
        self.verify(&mut buffer)
    }

    fn set_len(&self, length: u64) -> Result<()> {
        self.file.set_len(length).map_err(|error| Error::io("setting the length", error))
    }

    fn carry(&mut self, from: u64, to: u64, buffer: &mut [u8]) -> Result<()> {
        read_exact(&self.file, buffer, from)?;
        self.write(to, buffer)
    }

    /// Puts the saved parts of the old content from `from` on back into what was read of it.
    fn restore_saved(&self, from: u64, content: &mut [u8]) {
        let end = from + content.len() as u64;
        let first = self.saved.partition_point(|saved| saved.from + saved.content.len() as u64 <= from);
        for saved in self.saved[first..].iter().take_while(|saved| saved.from < end) {
            let start = saved.from.max(from);
            let stop = (saved.from + saved.content.len() as u64).min(end);
            let source = &saved.content[(start - saved.from) as usize..(stop - saved.from) as usize];
            content[(start - from) as usize..(stop - from) as usize].copy_from_slice(source);
        }
    }

    /// Writes the literals and zeros: last, since they need nothing of the old content.
    fn write_new(&mut self, buffer: &mut [u8]) -> Result<()> {
        let mut to = 0;
        while to < self.layer.length() {
            let piece = self.layer.piece_at(to)?;
            let len = piece.len().min(buffer.len() as u64) as usize;
            let len = match piece {
                Piece::Zeros { len } if self.is_emptied(to, len) => len,
                Piece::Below { len, .. } => len,
                Piece::Literal { at, .. } => {
                    let read = self.layer.read_literal(at, &mut buffer[..len])?;
                    self.write(to, &buffer[..read])?;
                    read as u64
                }
                Piece::Zeros { .. } => {
                    buffer[..len].fill(0);
                    self.write(to, &buffer[..len])?;
                    len as u64
                }
            };
            to += len;
        }
        Ok(())
    }

    /// Makes a range of the file read as zeros without writing any; says whether that could be had.
    fn is_emptied(&self, to: u64, len: u64) -> bool {
        // Behind the old end there is nothing yet.
        let old = to..(to + len).min(self.basis_len);
        self.resizable && (old.is_empty() || empty(&self.file, old))
    }

    fn write(&mut self, to: u64, content: &[u8]) -> Result<()> {
        self.file.write_all_at(content, to).map_err(|error| Error::io("writing in place", error))?;
        self.written += content.len() as u64;
        if self.written - self.watched >= WATCH_BYTES {
            self.watched = self.written;
            let stream_bytes = self.layer.stream_bytes();
            let done_bytes = self.written;
            self.options.watch.report(Progress { done_bytes, stream_bytes, ..Progress::default() });
        }
        Ok(())
    }

    /// Reads the result back.
    fn verify(self, buffer: &mut [u8]) -> Result<PatchSummary> {
        let trailer = self.layer.trailer();
        if let (Some(header), Some(_)) = (self.layer.header(), trailer) {
            let mut target = TargetCheck::new(header, self.options.thread_count());
            while target.length() < self.layer.length() {
                let len = (self.layer.length() - target.length()).min(buffer.len() as u64) as usize;
                match read_some(&self.file, &mut buffer[..len], target.length())? {
                    0 => break,
                    len => target.update(&buffer[..len]),
                }
            }
            target.verify(trailer)?;
        }
        Ok(PatchSummary::new(self.layer.length(), self.layer.stream_bytes(), trailer))
    }
}

/// Takes the room of a range away, where that can be done.
#[cfg(target_os = "linux")]
fn empty(file: &File, range: Range<u64>) -> bool {
    use rustix::fs::{FallocateFlags, fallocate};

    let how = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
    fallocate(file, how, range.start, range.end - range.start).is_ok()
}

#[cfg(not(target_os = "linux"))]
fn empty(_file: &File, _range: Range<u64>) -> bool {
    false
}

fn read_exact(file: &File, content: &mut [u8], from: u64) -> Result<()> {
    file.read_exact_at(content, from).map_err(|error| match error.kind() {
        IoErrorKind::UnexpectedEof => shrunk(from, from + content.len() as u64),
        _ => Error::io("reading the basis", error),
    })
}

fn over_budget(budget: u64) -> Error {
    Error::new(ErrorKind::Limit, "the moves of this delta do not fit in the memory allowed; patch to another file")
        .doing("planning to patch in place")
        .expected(format_args!("at most {budget} bytes"), "more")
}
