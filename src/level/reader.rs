//! The pull form: content out of a `Read`, the stream as a `Read`.

use std::fs::{File, Metadata};
use std::io::{self, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::encoder::Piece;
use super::machine::Machine;
use super::{LevelBasis, LevelOptions, LevelStats, LevelSummary};
use crate::format::Format;
use crate::holes::HoleReader;
use crate::read_at::CLAIMS_MORE;
use crate::signature::Signature;
use crate::write_behind::{Making, write_behind};
use crate::{Error, ErrorKind, Result};

/// Reads content once and is the stream of its level; ends with the new full signature.
///
/// Reading gives the level's stream; when it has ended, [`LevelReader::finish`] gives the signature.
/// `finish` without any reading computes the signature alone, faster; after reading in part it fails,
/// since the rest of the stream would be lost. Dropping it ends nothing and publishes nothing.
///
/// An error that the source raises comes out as it is, after all output that came before it; reading
/// again asks the source again. A read that was interrupted is repeated without being told.
///
/// It can be sent between threads; each read works on it alone.
pub struct LevelReader<R> {
    source: R,
    machine: Machine,
    source_ended: bool,
    /// How much of the machine's output was read, and whether any ever was.
    output_read: usize,
    started: bool,
    watched: Option<WatchedFile>,
    /// Reads in place of the source, which is the same file, where holes are trusted.
    holes: Option<HoleReader>,
}

/// Notices that a file has changed while it was read.
struct WatchedFile {
    file: File,
    before: FileState,
}

type FileState = (u64, i64, i64, i64, i64);

fn state_of(data: &Metadata) -> FileState {
    (data.size(), data.mtime(), data.mtime_nsec(), data.ctime(), data.ctime_nsec())
}

impl LevelReader<File> {
    /// Opens a file, or a device, to make a level of it.
    ///
    /// Should it change while it is read, or end before its length, the level restores the bytes that were
    /// read, and its stream, its signature and its summary say that it is *dirty*.
    ///
    /// # Errors
    ///
    /// As [`LevelReader::new`], and [`ErrorKind::Io`] when the file cannot be opened.
    pub fn open(path: impl AsRef<Path>, basis: impl Into<LevelBasis>, options: LevelOptions) -> Result<Self> {
        let path = path.as_ref();
        let io = |error| Error::io("opening the source", error).path(path);
        let file = File::open(path).map_err(io)?;
        let data = file.metadata().map_err(io)?;
        if data.is_dir() {
            return Err(Error::new(ErrorKind::InvalidInput, "is a directory").doing("opening the source").path(path));
        }
        let options = match options.target_len {
            // A file that says 0 may be made as it is read, as those of /proc are.
            None if data.is_file() && data.size() > 0 => options.target_len(data.size()),
            _ => options,
        };
        let watched = if data.is_file() {
            Some(WatchedFile { before: state_of(&data), file: file.try_clone().map_err(io)? })
        } else {
            None
        };
        let holes = match options.trust_holes && data.is_file() {
            true => Some(HoleReader::new(file.try_clone().map_err(io)?)),
            false => None,
        };
        let mut reader = Self::new(file, basis, options)?;
        reader.watched = watched;
        reader.holes = holes;
        Ok(reader)
    }
}

impl<R: Read> LevelReader<R> {
    /// Prepares to read `source` and make the level of it against `basis`; see [`LevelBasis`] for what
    /// that can be made from.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] when the options do not go together, [`ErrorKind::Limit`] when the
    /// work does not fit the memory limit, and as [`SignatureFile::reader`](crate::SignatureFile::reader) and
    /// [`SignatureReader::next_block`](crate::SignatureReader::next_block) where the basis is in a file, which is read
    /// through once more for a scan. Reading the level says [`ErrorKind::Corrupt`] if the file changes after that.
    pub fn new(source: R, basis: impl Into<LevelBasis>, options: LevelOptions) -> Result<Self> {
        let machine = Machine::new(basis.into(), options)?;
        Ok(Self { source, machine, source_ended: false, output_read: 0, started: false, watched: None, holes: None })
    }

    /// Writes the new signature to `sink` on the way, so that memory stays constant however long the
    /// content is; [`LevelReader::finish_summary`] then has none.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] when the format cannot carry the sums, or is sealed and the content is not to be
    /// identified ([`LevelOptions::identify`]); [`ErrorKind::State`] after reading has begun.
    pub fn signature_to(mut self, sink: impl Write + Send + 'static, format: Format) -> Result<Self> {
        self.machine.sign_to(Box::new(sink), format)?;
        Ok(self)
    }

    /// Writes the whole stream to `sink`, flushes it, ends the level and says what was done.
    ///
    /// It does what [`io::copy`] and [`LevelReader::finish_summary`] do, and faster: the stream is not copied again,
    /// and where more than one [thread](LevelOptions::threads) is allowed, one more writes to `sink` while what comes
    /// next is made. All but the last of its pieces are at least 256 KiB long. What was read before is not written.
    ///
    /// # Errors
    ///
    /// Whatever the source and `sink` raise, the first in the order of the stream; what comes before a failure of the
    /// source is written. As [`LevelReader::signature_to`]'s sink raises.
    pub fn write_to(mut self, mut sink: impl Write + Send) -> Result<LevelSummary> {
        self.started = true;
        let mut read = std::mem::take(&mut self.output_read);
        let threads = self.machine.threads();
        let mut seals = self.machine.detach_seals();
        let write = |piece: &mut Piece| {
            let stream = piece.sealed(seals.as_mut(), threads.div_ceil(2));
            sink.write_all(&stream[std::mem::take(&mut read)..])
        };
        write_behind(threads, &mut self, write)?;
        sink.flush()?;
        self.machine.finish()
    }

    /// What was done so far.
    pub fn stats(&self) -> LevelStats {
        self.machine.stats()
    }

    /// Ends the level and gives the new full signature.
    ///
    /// # Errors
    ///
    /// As [`LevelReader::finish_summary`]; [`ErrorKind::State`] when the signature was not held in memory.
    pub fn finish(self) -> Result<Signature> {
        let summary = self.finish_summary()?;
        summary.signature.ok_or_else(|| {
            Error::new(ErrorKind::State, "the signature was not held in memory").doing("finishing a level")
        })
    }

    /// Ends the level and says what was done.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::State`] when the stream was read in part; before it was read at all, whatever the
    /// source raises.
    pub fn finish_summary(mut self) -> Result<LevelSummary> {
        let state = |what| Error::new(ErrorKind::State, what).doing("finishing a level");
        if !self.started {
            self.machine.sign_only();
            while !self.machine.is_ended() {
                self.advance()?;
            }
        }
        if self.output_read < self.machine.output().len() {
            return Err(state("the stream was not read to its end"));
        }
        self.machine.finish()
    }

    /// Whether a file gave less than its length, whatever it says of itself afterwards.
    fn ends_early(&self, watched: &WatchedFile) -> bool {
        let (size, ..) = watched.before;
        self.machine.taken() < self.machine.target_len().map_or(size, |len| len.min(size))
    }
}

impl<R: Read> Making for LevelReader<R> {
    type Piece = Piece;

    /// Fills the window and works on it.
    fn advance(&mut self) -> io::Result<()> {
        if !self.source_ended {
            let source: &mut dyn Read = match &mut self.holes {
                Some(holes) => holes,
                None => &mut self.source,
            };
            self.source_ended = self.machine.fill(|room| {
                loop {
                    match source.read(room) {
                        Ok(read) if read > room.len() => {
                            return Err(io::Error::other(CLAIMS_MORE));
                        }
                        Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                        result => return result,
                    }
                }
            })??;
        }
        if self.source_ended {
            let dirty = match &self.watched {
                Some(watched) => self.ends_early(watched) || state_of(&watched.file.metadata()?) != watched.before,
                None => false,
            };
            self.machine.end(dirty)?;
        } else {
            self.machine.step()?;
        }
        Ok(())
    }

    fn is_ended(&self) -> bool {
        self.machine.is_ended()
    }

    fn ready_len(&self) -> usize {
        self.machine.output().len()
    }

    fn take(&mut self, piece: &mut Piece) {
        self.machine.take_output(piece);
    }
}

impl<R: Read> Read for LevelReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            let ready = &self.machine.output()[self.output_read..];
            if !ready.is_empty() {
                let len = ready.len().min(buffer.len());
                buffer[..len].copy_from_slice(&ready[..len]);
                self.output_read += len;
                self.started = true;
                return Ok(len);
            }
            if self.machine.is_ended() {
                return Ok(0);
            }
            self.started = true;
            self.machine.clear_output();
            self.output_read = 0;
            self.advance()?;
        }
    }
}
