//! A large file on its way into the archive, a piece at a time: whole, or as the delta from its basis.

use std::fs::File;
use std::io::{self, Read, Sink, Write};
use std::ops::Range;
use std::os::unix::fs::FileExt;

use rustix::fs::SeekFrom;

use super::basis::Basis;
use super::options::BackupOptions;
use super::spool::{Spool, Sums};
use crate::engine::is_zeros;
use crate::holes::HoleReader;
use crate::memory::{resize, zeroed};
use crate::tree::archive::{Outlet, PART_LEN};
use crate::tree::libarchive::TarEntry;
use crate::tree::snapshot::tree_params;
use crate::{
    Error, ErrorKind, Format, Identity, LevelOptions, LevelReader, LevelWriter, Matching, Result, SignatureParams,
    StreamId,
};

/// Content moved at once.
const PIECE_LEN: usize = 1 << 20;

/// What a level may take at least: its buffers, and an index of some 500,000 blocks.
const LEVEL_MEMORY: u64 = 16 << 20;

/// No more ranges of data go into the header of a sparse file; what is beyond them is sent as data.
const RANGES_MAX: usize = 4096;

/// What came of a file.
pub(super) struct Sent {
    pub(super) content: Content,
    pub(super) identity: Identity,
    /// The sums of its blocks.
    pub(super) sums: Sums,
    /// Whether what is restored is known to be other than what the file was at any time.
    pub(super) dirty: bool,
    pub(super) bytes: u64,
}

/// How the content is in the archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    Full,
    Delta,
    /// Not at all: it is that of the basis.
    Same,
}

/// A file of more than one block that is being read.
pub(super) enum Sending {
    Full(Box<SendingFull>),
    Delta(Box<SendingDelta>),
}

impl Sending {
    /// Reads and sends the next piece; what came of the file once it has ended.
    pub(super) fn step(&mut self, path: &[u8], outlet: &mut Outlet) -> Result<Option<Sent>> {
        match self {
            Self::Full(sending) => sending.step(outlet),
            Self::Delta(sending) => sending.step(path, outlet),
        }
    }

    /// After the file could not be read on: adds a piece of what is missing of the entry that was begun;
    /// whether it is closed.
    pub(super) fn fill_up(&mut self, outlet: &mut Outlet) -> Result<bool> {
        let Self::Full(sending) = self else { return Ok(true) };
        let len = (sending.size - sending.position).min(PIECE_LEN as u64);
        outlet.zeros(len)?;
        sending.position += len;
        if sending.position < sending.size {
            return Ok(false);
        }
        outlet.end()?;
        Ok(true)
    }

    /// Whether anything of it is in the archive.
    pub(super) fn has_sent(&self) -> bool {
        match self {
            Self::Full(_) => true,
            Self::Delta(sending) => sending.parts > 0,
        }
    }

    /// How much of the content was read.
    pub(super) fn position(&self) -> u64 {
        match self {
            Self::Full(sending) => sending.position,
            Self::Delta(sending) => sending.reader.as_ref().map_or(sending.size, |reader| reader.stats().source_bytes),
        }
    }

    pub(super) fn into_basis(self) -> Option<Basis> {
        match self {
            Self::Full(_) => None,
            Self::Delta(sending) => Some(sending.basis),
        }
    }
}

/// The options of the sums of one file.
fn level_options(options: &BackupOptions, params: SignatureParams, size: u64) -> LevelOptions {
    LevelOptions::new()
        .params(params)
        .matching(options.matching)
        .threads(options.thread_count())
        .hold_signature(false)
        .target_len(size)
}

/// A file that is sent whole.
pub(super) struct SendingFull {
    file: File,
    size: u64,
    position: u64,
    /// Where data is, the first range first; `None` when all of it is.
    data: Option<Vec<Range<u64>>>,
    trust_holes: bool,
    signer: Option<LevelWriter<Sink>>,
    spool: Spool,
    buffer: Vec<u8>,
    dirty: bool,
}

impl SendingFull {
    /// Begins the entry, of which `allocated` bytes are on the disk: from now on as many bytes have to follow as
    /// its metadata says.
    pub(super) fn begin(
        file: File,
        entry: TarEntry<'_>,
        allocated: u64,
        options: &BackupOptions,
        block_len: u32,
        outlet: &mut Outlet,
    ) -> Result<Self> {
        let size = entry.metadata.size;
        let data = if allocated < size { data_ranges(&file, size) } else { None };
        let spool = Spool::default();
        let params = tree_params(block_len)?;
        let signer = LevelWriter::new(io::sink(), None, level_options(options, params, size))?;
        let signer = signer.signature_to(spool.clone(), Format::Rdiff)?.without_stream();
        outlet.begin(&TarEntry { data: data.as_deref(), ..entry })?;
        Ok(Self {
            file,
            size,
            position: 0,
            data,
            trust_holes: options.trust_holes,
            signer: Some(signer),
            spool,
            buffer: zeroed(size.min(PIECE_LEN as u64) as usize)?,
            dirty: false,
        })
    }

    fn step(&mut self, outlet: &mut Outlet) -> Result<Option<Sent>> {
        if self.position == self.size {
            outlet.end()?;
            return self.finish().map(Some);
        }
        let (hole, end) = self.stretch();
        let want = usize::try_from(end - self.position).unwrap_or(usize::MAX).min(self.buffer.len());
        let piece = &mut self.buffer[..want];
        let got = match hole && self.trust_holes {
            true => {
                piece.fill(0);
                want
            }
            false => read_at(&self.file, piece, self.position)?,
        };
        if got < want {
            // It became shorter: what is restored has zeros instead, and so has what is signed.
            piece[got..].fill(0);
            self.dirty = true;
        }
        if hole {
            if !is_zeros(piece) {
                // A hole of the map is restored as one, so that is what is signed.
                piece.fill(0);
                self.dirty = true;
            }
            outlet.zeros(want as u64)?;
        } else {
            outlet.data(piece)?;
        }
        let signer = self.signer.as_mut().ok_or_else(ended)?;
        signer.write_all(piece)?;
        self.position += want as u64;
        Ok(None)
    }

    /// Whether a hole begins here, and where it ends or the data does.
    fn stretch(&self) -> (bool, u64) {
        let Some(data) = &self.data else { return (false, self.size) };
        let next = data.partition_point(|range| range.end <= self.position);
        match data.get(next) {
            Some(range) if range.start <= self.position => (false, range.end),
            Some(range) => (true, range.start),
            None => (true, self.size),
        }
    }

    fn finish(&mut self) -> Result<Sent> {
        let signer = self.signer.take().ok_or_else(ended)?;
        let (_, summary) = signer.finish()?;
        let sums = self.spool.take_sums()?;
        let identity = summary.identity.ok_or_else(unidentified)?;
        Ok(Sent { content: Content::Full, identity, sums, dirty: self.dirty, bytes: self.size })
    }
}

/// A file that is sent as a delta.
pub(super) struct SendingDelta {
    /// `None` once it has ended.
    reader: Option<LevelReader<io::Take<Box<dyn Read + Send>>>>,
    size: u64,
    basis: Basis,
    spool: Spool,
    part: Vec<u8>,
    parts: u64,
}

impl SendingDelta {
    /// Prepares to make the delta; nothing is in the archive before its first part is full.
    pub(super) fn begin(
        file: File,
        size: u64,
        basis: Basis,
        other_path: bool,
        options: &BackupOptions,
        stream_id: StreamId,
    ) -> Result<Self> {
        let block_len = basis.block_len();
        let spool = Spool::default();
        let limit = options.memory_limit.saturating_sub(basis.memory_bytes());
        let mut level = level_options(options, tree_params(block_len)?, size)
            .memory_limit(limit.max(LEVEL_MEMORY))
            .stream_id(stream_id);
        if basis.is_filed() && options.matching == Matching::Rolling {
            // An index that does not fit either is no reason to leave the file out.
            level = level.matching(Matching::Auto);
        }
        if other_path {
            level = level.basis_path(basis.record.path.clone());
        }
        let content: Box<dyn Read + Send> = match options.trust_holes {
            true => Box::new(HoleReader::new(file)),
            false => Box::new(file),
        };
        let reader = LevelReader::new(content.take(size), basis.to_level_basis(), level)?;
        let reader = reader.signature_to(spool.clone(), Format::Rdiff)?;
        Ok(Self { reader: Some(reader), size, basis, spool, part: Vec::new(), parts: 0 })
    }

    fn step(&mut self, path: &[u8], outlet: &mut Outlet) -> Result<Option<Sent>> {
        let start = self.part.len();
        resize(&mut self.part, PART_LEN)?;
        let reader = self.reader.as_mut().ok_or_else(ended)?;
        let got = reader.read(&mut self.part[start..]);
        let len = start + *got.as_ref().unwrap_or(&0);
        self.part.truncate(len);
        if got? > 0 {
            if len == PART_LEN {
                self.flush(path, outlet)?;
            }
            return Ok(None);
        }
        Ok(Some(self.finish(path, outlet)?))
    }

    fn flush(&mut self, path: &[u8], outlet: &mut Outlet) -> Result<()> {
        self.parts += 1;
        outlet.part(path, self.parts, &self.part)?;
        self.part.clear();
        Ok(())
    }

    fn finish(&mut self, path: &[u8], outlet: &mut Outlet) -> Result<Sent> {
        let reader = self.reader.take().ok_or_else(ended)?;
        let identity = reader.finish_summary()?.identity.ok_or_else(unidentified)?;
        let same = self.parts == 0 && self.basis.identity() == Some(&identity);
        let mut bytes = self.parts * PART_LEN as u64;
        if !same && !self.part.is_empty() {
            bytes += self.part.len() as u64;
            self.flush(path, outlet)?;
        }
        let content = if same { Content::Same } else { Content::Delta };
        let sums = self.spool.take_sums()?;
        // It may have ended early, and say nothing of that.
        let dirty = identity.length() < self.size;
        Ok(Sent { content, identity, sums, dirty, bytes })
    }
}

fn ended() -> Error {
    Error::new(ErrorKind::Internal, "a file is read on after its end")
}

fn unidentified() -> Error {
    Error::new(ErrorKind::Internal, "a file that was read has no identity")
}

/// Reads until the buffer is full or the file ends.
fn read_at(file: &File, buffer: &mut [u8], position: u64) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read_at(&mut buffer[filled..], position + filled as u64) {
            Ok(0) => break,
            Ok(len) => filled += len,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// Where the file has data, as the file system tells; `None` when it does not tell, or tells of no hole.
fn data_ranges(file: &File, size: u64) -> Option<Vec<Range<u64>>> {
    let mut ranges: Vec<Range<u64>> = Vec::new();
    let mut position = 0;
    while position < size {
        let start = match rustix::fs::seek(file, SeekFrom::Data(position)) {
            Ok(start) if start < size => start,
            Ok(_) | Err(rustix::io::Errno::NXIO) => break,
            Err(_) => return None,
        };
        if ranges.len() == RANGES_MAX {
            ranges.push(start..size);
            return Some(ranges);
        }
        let end = rustix::fs::seek(file, SeekFrom::Hole(start)).ok()?.min(size);
        if end <= start {
            return None;
        }
        ranges.push(start..end);
        position = end;
    }
    match ranges.as_slice() {
        [range] if *range == (0..size) => None,
        _ => Some(ranges),
    }
}
