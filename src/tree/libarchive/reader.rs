//! A tar, read entry by entry, from a source that is read once.

use std::ffi::c_int;
use std::io::Read;
use std::panic::resume_unwind;
use std::ptr::{self, NonNull};

use super::filter::Filter;
use super::handle::{Handle, Shared};
use super::read_entry::{RawEntry, ReadEntry};
use super::source::{self, Source};
use super::sys::{self, ArchiveEntry, ffi};
use crate::memory::resize;
use crate::{Error, ErrorDetail, ErrorKind, Result};

/// How much of the source libarchive is given at once.
const BLOCK_LEN: usize = 64 << 10;

/// A tar has nothing shorter than this.
const RECORD_LEN: u64 = 512;

/// What comes next in a tar.
#[derive(Debug)]
pub(crate) enum Next {
    /// An entry; its body is to be read from the reader.
    Entry(ReadEntry),
    /// Something that is no entry of ours. The reader can go on, to whatever looks like a header next: that
    /// may be part of a body, so only the records inside can tell what it is worth.
    Damaged(Error),
    /// The end: of the archive, or of what there is of it. One that was cut between two entries ends so too.
    End,
}

/// Reads a tar, compressed in any way that [`Filter`] knows, out of a source.
///
/// libarchive would stop at the first mark of an archive's end and look at nothing behind it: not at
/// entries appended there, nor at the check sums with which the compressed stream itself ends. It is told
/// to go on to the end of the source.
pub(crate) struct ArchiveReader<R> {
    // Before the source, which its callback reaches.
    handle: Handle,
    source: Shared<Source<R>>,
    entry: Option<Body>,
    state: State,
    /// What was before it, of a tar that begins within what is read.
    base: u64,
}

struct Body {
    size: u64,
    given: u64,
    sparse: bool,
    /// Whether libarchive has given all the data, and what is left is a hole.
    ends_in_hole: bool,
}

enum State {
    Open,
    End,
    /// libarchive forgets that it has failed, and goes on as if it had not.
    Failed(ErrorKind, String),
}

impl<R: Read> ArchiveReader<R> {
    pub(crate) fn new(source: R) -> Result<Self> {
        Self::with_block_len(source, BLOCK_LEN)
    }

    /// Reads the source in blocks of a length.
    pub(crate) fn with_block_len(source: R, block_len: usize) -> Result<Self> {
        super::libarchive_version()?;
        let mut handle = Handle::reader()?;
        // Every other format has had its share of memory errors, and no other is written.
        if handle.configure(ffi::archive_read_support_format_tar) != ffi::ARCHIVE_OK {
            return Err(handle.error(ErrorKind::Internal).doing("preparing to read a tar"));
        }
        Filter::enable_for_reading(&mut handle)?;
        let code =
            handle.set_option(ffi::archive_read_set_format_option, c"tar", c"read_concatenated_archives", Some(c"1"));
        if code != ffi::ARCHIVE_OK {
            return Err(handle.error(ErrorKind::Internal).doing("preparing to read a tar"));
        }
        let source = Shared::new(Source::new(source, block_len)?);
        let mut reader = Self { handle, source, entry: None, state: State::Open, base: 0 };
        // SAFETY: the handle is live and not yet open; the client data is the source, which lives until after
        // the handle, and which `source::read` takes it for.
        let code = unsafe {
            ffi::archive_read_open(
                reader.handle.as_ptr(),
                reader.source.as_client_data(),
                None,
                Some(source::read::<R>),
                None,
            )
        };
        reader.check_source()?;
        if code != ffi::ARCHIVE_OK {
            let source = reader.source.get();
            let error = if source.ended && source.given < RECORD_LEN {
                Error::new(ErrorKind::Truncated, "source ends before a tar begins")
                    .detailed(ErrorDetail::NoArchive)
                    .at(source.given)
            } else {
                reader.handle.error(ErrorKind::Corrupt)
            };
            return Err(error.doing("reading a tar"));
        }
        Ok(reader)
    }

    /// Counts from the beginning of what the tar is within, where it begins at `offset`.
    pub(crate) fn begun_at(self, offset: u64) -> Self {
        Self { base: offset, ..self }
    }

    /// Goes on to the next entry, past what is left of the body of the last.
    ///
    /// # Errors
    ///
    /// Those after which libarchive cannot go on: [`ErrorKind::Truncated`], [`ErrorKind::Corrupt`], and any
    /// that the source raised, as it raised it. A panic of the source goes on from here.
    pub(crate) fn next(&mut self) -> Result<Next> {
        match self.state {
            State::Open => {}
            State::End => return Ok(Next::End),
            State::Failed(..) => return Err(self.failed_before()),
        }
        self.entry = None;
        let mut entry: *mut ArchiveEntry = ptr::null_mut();
        // SAFETY: the handle is live and ours alone; the pointer is ours to be written to.
        let code = unsafe { ffi::archive_read_next_header(self.handle.as_ptr(), &mut entry) };
        self.check_source()?;
        match (code, NonNull::new(entry)) {
            (ffi::ARCHIVE_EOF, _) => {
                self.state = State::End;
                Ok(Next::End)
            }
            (ffi::ARCHIVE_OK, Some(entry)) => {
                // SAFETY: libarchive's own, which it leaves alone until the next header is read.
                let raw = unsafe { RawEntry::new(entry) };
                Ok(match raw.read() {
                    Ok(entry) => {
                        self.entry =
                            Some(Body { size: entry.size, given: 0, sparse: raw.is_sparse(), ends_in_hole: false });
                        Next::Entry(entry)
                    }
                    Err(what) => Next::Damaged(
                        Error::new(ErrorKind::Corrupt, format!("tar header has {what}"))
                            .doing("reading a tar")
                            .at(self.position()),
                    ),
                })
            }
            (ffi::ARCHIVE_FATAL, _) => Err(self.fail()),
            // A warning too: part of the header was lost, as the map of a sparse file may be, and of what is
            // written here none is.
            _ => Ok(Next::Damaged(self.handle.error(ErrorKind::Corrupt).doing("reading a tar").at(self.position()))),
        }
    }

    /// Reads some of the body of the entry, its holes as zeros; 0 at its end.
    ///
    /// # Errors
    ///
    /// As those of [`next`](Self::next); and [`ErrorKind::Truncated`] or [`ErrorKind::Corrupt`] when the body
    /// is not as long as the header says.
    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        if let State::Failed(..) = self.state {
            return Err(self.failed_before());
        }
        if self.entry.is_none() {
            return Err(Error::new(ErrorKind::State, "there is no entry to read").doing("reading the body"));
        }
        if buffer.is_empty() {
            return Ok(0);
        }
        if let Some(body) = self.entry.as_mut().filter(|body| body.ends_in_hole) {
            return Ok(body.zeros(buffer));
        }
        // SAFETY: the handle is live and ours alone; the buffer is ours to be written to, and as long as that.
        let read = unsafe { ffi::archive_read_data(self.handle.as_ptr(), buffer.as_mut_ptr().cast(), buffer.len()) };
        self.check_source()?;
        let Ok(read) = usize::try_from(read) else {
            return match read as c_int {
                ffi::ARCHIVE_FATAL => Err(self.fail().doing("reading the body")),
                _ => Err(self.handle.error(ErrorKind::Corrupt).doing("reading the body").at(self.position())),
            };
        };
        let position = self.position();
        let body = self.entry.as_mut().expect("looked for above");
        let left = body.size - body.given;
        if read as u64 > left {
            return Err(wrong_len(ErrorKind::Corrupt, body, position));
        }
        if read > 0 || left == 0 {
            body.given += read as u64;
            return Ok(read);
        }
        if !body.sparse {
            return Err(wrong_len(ErrorKind::Truncated, body, position));
        }
        // libarchive takes the end of the data for the end of the body, unless it is asked once more; that is
        // nothing to rely on.
        body.ends_in_hole = true;
        Ok(body.zeros(buffer))
    }

    /// Reads what is left of the body.
    ///
    /// # Errors
    ///
    /// As those of [`read`](Self::read); and [`ErrorKind::Limit`] when it is longer than `max`.
    pub(crate) fn read_all(&mut self, max: usize) -> Result<Vec<u8>> {
        let left = self.entry.as_ref().map_or(0, |body| body.size - body.given);
        if left > max as u64 {
            return Err(Error::new(ErrorKind::Limit, "entry is too long")
                .doing("reading a tar")
                .at(self.position())
                .expected(format_args!("at most {max} bytes"), left));
        }
        let mut body = Vec::new();
        loop {
            // What the header says is not taken on trust for memory.
            let len = body.len();
            resize(&mut body, len + BLOCK_LEN)?;
            let read = self.read(&mut body[len..])?;
            body.truncate(len + read);
            if read == 0 {
                return Ok(body);
            }
        }
    }

    /// Reads what is left of the source after [`Next::End`], and says how many bytes that are not zero were
    /// there.
    ///
    /// Behind a tar that is not compressed there are none, since entries and damage are looked for up to the
    /// end of the source. Behind one that is, there is what its filter took for no more of its own, less a
    /// few bytes that it had to take to see.
    pub(crate) fn drain(&mut self) -> Result<u64> {
        match self.state {
            State::End => {}
            State::Open => return Err(Error::new(ErrorKind::State, "tar is not read to its end")),
            State::Failed(..) => return Err(self.failed_before()),
        }
        let used = self.used();
        self.source.get_mut().drain(used)
    }

    /// Whether the tar is compressed or wrapped in any way.
    pub(crate) fn filtered(&self) -> bool {
        // SAFETY: the handle is live; reads a number.
        unsafe { ffi::archive_filter_code(self.handle.as_ptr(), 0) != sys::FILTER_NONE }
    }

    /// How much of what libarchive was given of the source it has used.
    fn used(&self) -> u64 {
        // SAFETY: the handle is live; -1 asks for the count of the source.
        let used = unsafe { ffi::archive_filter_bytes(self.handle.as_ptr(), -1) };
        used.max(0).unsigned_abs()
    }

    /// Whether it has failed, so that nothing more can be read.
    pub(crate) fn has_failed(&self) -> bool {
        matches!(self.state, State::Failed(..))
    }

    /// Where in the tar, when it is no longer compressed, the last header began; after a failure, how far it was
    /// read: up to what it could not read, or behind that.
    pub(crate) fn position(&self) -> u64 {
        let position = match self.has_failed() {
            // SAFETY: the handle is live; 0 asks for the count of what has come out of the last filter. Of a header,
            // libarchive says nothing any more.
            true => unsafe { ffi::archive_filter_bytes(self.handle.as_ptr(), 0) },
            // SAFETY: the handle is live; reads a number.
            false => unsafe { ffi::archive_read_header_position(self.handle.as_ptr()) },
        };
        self.base + position.max(0).unsigned_abs()
    }

    /// Deals with what the source did during a call, whatever the call returned: where libarchive only
    /// looks ahead, it takes a failure for the end.
    fn check_source(&mut self) -> Result<()> {
        let source = self.source.get_mut();
        if let Some(panic) = source.panic.take() {
            self.state = State::Failed(ErrorKind::State, "its source panicked".into());
            resume_unwind(panic);
        }
        if let Some(error) = source.error.take() {
            self.state = State::Failed(ErrorKind::State, format!("its source failed: {error}"));
            return Err(Error::from(error));
        }
        Ok(())
    }

    fn fail(&mut self) -> Error {
        let message = self.handle.message();
        // libarchive has no number for it, nor always a word: between the headers of one entry, the end is
        // damage to it.
        let at_end = !self.filtered() && self.source.get().ended && self.used() == self.source.get().given;
        let is_said = |message: &String| {
            let message = message.to_lowercase();
            message.contains("truncated") || message.contains("premature")
        };
        let truncated = at_end || message.as_ref().map_or(self.source.get().ended, is_said);
        let error = match (truncated, message) {
            (true, None) => Error::new(ErrorKind::Truncated, "libarchive: source ends within a header"),
            (true, _) => self.handle.error(ErrorKind::Truncated),
            (false, _) => self.handle.error(ErrorKind::Corrupt),
        };
        self.state = State::Failed(error.kind(), error.to_string());
        error.doing("reading a tar").at(self.position())
    }

    fn failed_before(&self) -> Error {
        match &self.state {
            State::Failed(kind, what) => {
                Error::new(*kind, what.clone()).doing("reading a tar after an earlier failure")
            }
            _ => Error::new(ErrorKind::Internal, "tar has not failed"),
        }
    }
}

impl Body {
    fn zeros(&mut self, buffer: &mut [u8]) -> usize {
        let len = usize::try_from(self.size - self.given).unwrap_or(usize::MAX).min(buffer.len());
        buffer[..len].fill(0);
        self.given += len as u64;
        len
    }
}

fn wrong_len(kind: ErrorKind, body: &Body, position: u64) -> Error {
    Error::new(kind, "body is not as long as its header says")
        .doing("reading the body")
        .at(position)
        .expected(format_args!("{} bytes", body.size), if kind == ErrorKind::Corrupt { "more" } else { "fewer" })
}
