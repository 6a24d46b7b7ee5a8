//! A pax tar, made entry by entry.

use std::ffi::{CStr, CString, c_int, c_void};
use std::os::unix::ffi::OsStrExt;
use std::sync::LazyLock;

use super::entry::{Entry, TarEntry};
use super::filter::Filter;
use super::handle::{Handle, Shared};
use super::sys::{self, Archive, ffi};
use crate::tree::metadata::{Attributes, EntryKind, Metadata, Moment};
use crate::{Error, ErrorKind, Result};

/// What libarchive collects before it hands output over; its own 10 KiB would make many small pieces.
const BLOCK_LEN: c_int = 256 << 10;

/// What the holes of a sparse file are fed from: few calls, since libarchive drops what it is given. It is
/// memory that nobody has touched, so the system lends its page of zeros for it.
static ZEROS: LazyLock<Vec<u8>> = LazyLock::new(|| vec![0; 1 << 20]);

/// Writes a tar into memory, which the caller takes from it as it grows.
///
/// Each entry is [`begin`](Self::begin), its body, [`end`](Self::end). Dropped before
/// [`finish`](Self::finish), it writes no end of the archive.
pub(crate) struct ArchiveWriter {
    // Before the output, which its callback reaches.
    handle: Handle,
    output: Shared<Output>,
    entry: Entry,
    /// How much of a body is still to come; `None` between entries.
    left: Option<u64>,
    state: State,
}

#[derive(Default)]
struct Output {
    bytes: Vec<u8>,
    /// Whether nothing more is taken.
    refused: bool,
}

enum State {
    Open,
    Finished,
    /// libarchive forgets that it has failed, and goes on as if it had not.
    Failed(ErrorKind, String),
}

impl ArchiveWriter {
    /// Compresses in so many threads where the filter can; the output depends on whether they are more than
    /// one.
    pub(crate) fn new(filter: Filter, threads: usize) -> Result<Self> {
        super::libarchive_version()?;
        let doing = "preparing to write a tar";
        let mut handle = Handle::writer()?;
        if handle.configure(filter.for_writing()) != ffi::ARCHIVE_OK {
            // A warning: it would have a program do it.
            let what = format!("this libarchive was built without {filter}");
            return Err(Error::new(ErrorKind::Unsupported, what).doing(doing));
        }
        let mut codes = vec![handle.configure(ffi::archive_write_set_format_pax)];
        // Names are bytes. In the C locale, which a Rust program is in, libarchive could not tell UTF-8.
        codes.push(set_format_option(&mut handle, c"hdrcharset", c"BINARY"));
        // The other keyword, SCHILY.xattr, spoils names with a space, `%` or `=` in them.
        codes.push(set_format_option(&mut handle, c"xattrheader", c"LIBARCHIVE"));
        if filter == Filter::Gzip {
            // The same entries make the same bytes at any time.
            codes.push(handle.set_option(ffi::archive_write_set_filter_option, c"gzip", c"timestamp", None));
        }
        // SAFETY: the handle is live and not yet open.
        codes.push(unsafe { ffi::archive_write_set_bytes_per_block(handle.as_ptr(), BLOCK_LEN) });
        // SAFETY: as above. The last block is not padded.
        codes.push(unsafe { ffi::archive_write_set_bytes_in_last_block(handle.as_ptr(), 1) });
        if codes.iter().any(|code| *code != ffi::ARCHIVE_OK) {
            return Err(handle.error(ErrorKind::Internal).doing(doing));
        }
        set_threads(&mut handle, filter, threads);
        let output = Shared::new(Output::default());
        // SAFETY: the handle is live; the client data is the output, which lives until after the handle, and
        // which `write` takes it for.
        let code = unsafe {
            sys::archive_write_open2(handle.as_ptr(), output.as_client_data(), None, Some(write), None, None)
        };
        if code != ffi::ARCHIVE_OK {
            return Err(handle.error(ErrorKind::Internal).doing(doing));
        }
        Ok(Self { handle, output, entry: Entry::new()?, left: None, state: State::Open })
    }

    /// What was written and not yet taken.
    pub(crate) fn output(&self) -> &[u8] {
        &self.output.get().bytes
    }

    /// Forgets what [`output`](Self::output) gave; its memory is kept.
    pub(crate) fn clear_output(&mut self) {
        self.output.get_mut().bytes.clear();
    }

    /// Puts what was written and not yet taken into a buffer, whose memory is used again.
    pub(crate) fn take_output(&mut self, buffer: &mut Vec<u8>) {
        buffer.clear();
        std::mem::swap(&mut self.output.get_mut().bytes, buffer);
    }

    /// Writes the header of an entry.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] for an entry that no tar can have; the archive is as it was then.
    pub(crate) fn begin(&mut self, entry: &TarEntry<'_>) -> Result<()> {
        self.check_open()?;
        if self.left.is_some() {
            return Err(internal("entry begins before the last one has ended"));
        }
        let path = std::ffi::OsStr::from_bytes(entry.path);
        self.entry.fill(entry).map_err(|error| error.doing("writing the header of").path(path))?;
        // SAFETY: both are live and ours alone; the entry is copied.
        let code = unsafe { ffi::archive_write_header(self.handle.as_ptr(), self.entry.as_ptr()) };
        match code {
            ffi::ARCHIVE_OK => {
                self.left = Some(entry.body_len());
                Ok(())
            }
            // The entry was refused and nothing of it written.
            ffi::ARCHIVE_FAILED => {
                Err(self.handle.error(ErrorKind::InvalidInput).doing("writing the header of").path(path))
            }
            // A warning means that the header was written with something lost, and nothing that is set here
            // should be.
            _ => Err(self.fail("writing the header of").path(path)),
        }
    }

    /// Writes some of the body.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Internal`] when it is longer than the header says; libarchive would drop the rest and
    /// say nothing.
    pub(crate) fn data(&mut self, mut data: &[u8]) -> Result<()> {
        self.check_open()?;
        let left = self.left.ok_or_else(|| internal("body without an entry"))?;
        if data.len() as u64 > left {
            return Err(internal("body is longer than its header says")
                .expected(format_args!("at most {left} more bytes"), data.len()));
        }
        while !data.is_empty() {
            // SAFETY: the handle is live and ours alone; the data lives through the call.
            let written = unsafe { ffi::archive_write_data(self.handle.as_ptr(), data.as_ptr().cast(), data.len()) };
            // It takes no more than `INT_MAX` at once.
            let written = match usize::try_from(written) {
                Ok(written) if written > 0 && written <= data.len() => written,
                _ => return Err(self.fail("writing a body")),
            };
            data = &data[written..];
            self.left = self.left.map(|left| left - written as u64);
        }
        Ok(())
    }

    /// Writes zeros: a hole, or what stands for bytes that were not to be had.
    ///
    /// Where the entry is sparse and this is a hole, nothing comes out. Where not, the output grows by as
    /// much, so ask for it in pieces.
    pub(crate) fn zeros(&mut self, mut len: u64) -> Result<()> {
        while len > 0 {
            let piece = usize::try_from(len).unwrap_or(usize::MAX).min(ZEROS.len());
            self.data(&ZEROS[..piece])?;
            len -= piece as u64;
        }
        Ok(())
    }

    /// Ends the entry.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Internal`] when the body is shorter than the header says; libarchive would fill up with
    /// zeros and say nothing.
    pub(crate) fn end(&mut self) -> Result<()> {
        self.check_open()?;
        match self.left {
            Some(0) => {}
            Some(left) => {
                return Err(internal("body is shorter than its header says")
                    .expected(format_args!("{left} more bytes"), "its end"));
            }
            None => return Err(internal("end without an entry")),
        }
        if self.handle.configure(ffi::archive_write_finish_entry) != ffi::ARCHIVE_OK {
            return Err(self.fail("ending an entry"));
        }
        self.left = None;
        Ok(())
    }

    /// Writes a small entry that is no file of the tree, of nobody and of no time.
    pub(crate) fn file(&mut self, path: &[u8], body: &[u8]) -> Result<()> {
        let metadata = Metadata {
            kind: EntryKind::File,
            mode: 0o600,
            uid: 0,
            gid: 0,
            user: Vec::new(),
            group: Vec::new(),
            size: body.len() as u64,
            modified: Moment::default(),
            flags: 0,
            device: (0, 0),
            target: Vec::new(),
        };
        let attributes = Attributes::new();
        self.begin(&TarEntry { path, metadata: &metadata, attributes: &attributes, hardlink: None, data: None })?;
        self.data(body)?;
        self.end()
    }

    /// Writes the end of the archive, and of what it is compressed with.
    pub(crate) fn finish(&mut self) -> Result<()> {
        self.check_open()?;
        if self.left.is_some() {
            return Err(internal("archive ends within an entry"));
        }
        // `archive_write_free` would do it too, and nobody could tell whether it worked.
        if self.handle.configure(ffi::archive_write_close) != ffi::ARCHIVE_OK {
            return Err(self.fail("ending a tar"));
        }
        self.state = State::Finished;
        Ok(())
    }

    fn check_open(&self) -> Result<()> {
        match &self.state {
            State::Open => Ok(()),
            State::Finished => Err(Error::new(ErrorKind::State, "tar has ended already")),
            State::Failed(kind, what) => {
                Err(Error::new(*kind, what.clone()).doing("writing a tar after an earlier failure"))
            }
        }
    }

    /// Has the output refused from now on, as it is when there is no memory for it.
    #[cfg(test)]
    pub(super) fn refuse_output(&mut self) {
        self.output.get_mut().refused = true;
    }

    fn fail(&mut self, doing: &'static str) -> Error {
        let error = self.handle.error(ErrorKind::Internal);
        self.state = State::Failed(error.kind(), error.to_string());
        error.doing(doing)
    }
}

impl Drop for ArchiveWriter {
    fn drop(&mut self) {
        if !matches!(self.state, State::Finished) {
            // Or freeing it would write an end to what is not whole.
            self.output.get_mut().refused = true;
            self.handle.configure(ffi::archive_write_fail);
            // Or freeing what has failed would leave the block that it collects.
            self.handle.configure(ffi::archive_write_close);
        }
    }
}

fn internal(what: &'static str) -> Error {
    Error::new(ErrorKind::Internal, what).doing("writing a tar")
}

fn set_format_option(handle: &mut Handle, option: &CStr, value: &CStr) -> c_int {
    handle.set_option(ffi::archive_write_set_format_option, c"pax", option, Some(value))
}

/// What a filter does not know, or its library cannot do, is done in one thread: no reason to fail.
fn set_threads(handle: &mut Handle, filter: Filter, threads: usize) {
    let module = match filter {
        Filter::Xz => c"xz",
        Filter::Zstd => c"zstd",
        _ => return,
    };
    // No compressor has more than a few hundred, and C takes the number for an `int`.
    let threads = threads.min(256);
    if threads > 1
        && let Ok(value) = CString::new(threads.to_string())
    {
        handle.set_option(ffi::archive_write_set_filter_option, module, c"threads", Some(&value));
    }
}

/// Takes what libarchive hands over. Nothing here can panic: memory is asked for first.
unsafe extern "C" fn write(archive: *mut Archive, output: *mut c_void, data: *const c_void, len: usize) -> isize {
    if data.is_null() || len == 0 {
        return 0;
    }
    // SAFETY: `ArchiveWriter` gave its output as client data; it outlives the handle, and nobody has a
    // reference to it while libarchive is called.
    let output = unsafe { &mut *output.cast::<Output>() };
    // SAFETY: libarchive's data, of that length, which is not null and not changed during the call.
    let data = unsafe { std::slice::from_raw_parts(data.cast::<u8>(), len) };
    if output.refused || output.bytes.try_reserve(len).is_err() {
        // SAFETY: the handle that is calling; the format is ended by a zero and takes no arguments.
        unsafe { ffi::archive_set_error(archive, ffi::ENOMEM, c"no memory for the output".as_ptr()) };
        return -1;
    }
    output.bytes.extend_from_slice(data);
    len as isize
}
