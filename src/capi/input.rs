//! Content that can be read anywhere, as a path, a descriptor or a callback of C.

use std::ffi::{c_char, c_int, c_void};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use super::arguments::{gathered, invalid, null};
use super::call::Call;
use super::choice::choose;
use super::error::Outcome;
use super::stream::{UserData, bytes_read};
use crate::{Error, NoBasis, ReadAt, Result};

/// Reads bytes from anywhere.
///
/// It puts at most `len` of the bytes from `offset` on into `buffer`, which is not to be kept, and how
/// many into `*read`, which is 0 when it is called. It may put fewer than it could, and is called again;
/// 0 bytes say that there are none. It returns 0; any other value is a failure, which stops the
/// operation. A count above `len` stops it with `FRAZIL_ERR_INVALID_INPUT`.
pub type frazil_read_at_fn = Option<
    unsafe extern "C" fn(
        user_data: *mut c_void,
        offset: u64,
        buffer: *mut c_void,
        len: usize,
        read: *mut usize,
    ) -> c_int,
>;

/// Where the bytes of an input are.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum frazil_input_kind {
    /// There are none: the basis of a level 0.
    FRAZIL_INPUT_NONE = 0,
    /// In the file or device at `path`.
    FRAZIL_INPUT_PATH = 1,
    /// In the file or device that `fd` is a descriptor of, from its start; where the descriptor stands does
    /// not matter, and is left so. Of a pipe or a socket, which can be read once only, it is refused.
    FRAZIL_INPUT_FD = 2,
    /// Where `read_at` has them from.
    FRAZIL_INPUT_CALLBACK = 3,
}

/// Bytes that can be read anywhere, and more than once: a basis, or the delta of one level of a chain. It
/// has these fields in all versions, so that there can be arrays of it.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct frazil_input {
    /// A `frazil_input_kind`, which says what of the rest counts.
    pub kind: c_int,
    /// A file descriptor.
    pub fd: c_int,
    /// A path.
    pub path: *const c_char,
    /// A callback; it is called by the thread that uses the handle, one call at a time.
    pub read_at: frazil_read_at_fn,
    /// What `read_at` is called with.
    pub user_data: *mut c_void,
    /// How many bytes `read_at` has; it is asked for no more.
    pub length: u64,
}

/// A callback that reads from anywhere, and its user data.
struct CallbackInput {
    read_at: unsafe extern "C" fn(*mut c_void, u64, *mut c_void, usize, *mut usize) -> c_int,
    user_data: UserData,
    length: u64,
}

impl ReadAt for CallbackInput {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let left = usize::try_from(self.length.saturating_sub(offset)).unwrap_or(usize::MAX);
        let len = buffer.len().min(left);
        if len == 0 {
            return Ok(0);
        }
        let mut read = 0;
        let buffer = buffer.as_mut_ptr().cast();
        // SAFETY: the header asks for a callback that may be called so until the handle is freed.
        let code = unsafe { (self.read_at)(self.user_data.0, offset, buffer, len, &raw mut read) };
        bytes_read(code, read, len)
    }

    fn size(&self) -> io::Result<u64> {
        Ok(self.length)
    }
}

/// Fails if what is open there cannot be read twice.
fn check_seekable(file: &File, fd: c_int) -> Outcome<()> {
    let kind =
        file.metadata().map_err(|error| Error::io(format!("looking at file descriptor {fd}"), error))?.file_type();
    if kind.is_fifo() || kind.is_socket() {
        let what = if kind.is_fifo() { "pipe" } else { "socket" };
        return Err(invalid(format!("file descriptor {fd} is a {what}, which cannot be read at an offset")));
    }
    Ok(())
}

impl Call {
    /// What an input has, which is called `name` in messages.
    pub(super) fn input(&self, input: &frazil_input, name: &str) -> Outcome<Box<dyn ReadAt>> {
        use frazil_input_kind as kind;
        let kinds =
            [kind::FRAZIL_INPUT_NONE, kind::FRAZIL_INPUT_PATH, kind::FRAZIL_INPUT_FD, kind::FRAZIL_INPUT_CALLBACK];
        Ok(match choose(input.kind, "kind", kinds.map(|kind| (kind as c_int, kind)))? {
            kind::FRAZIL_INPUT_NONE => Box::new(NoBasis),
            kind::FRAZIL_INPUT_PATH => {
                let path = self.path(input.path, "path")?;
                Box::new(File::open(path).map_err(|error| Error::io(format!("opening the {name}"), error).path(path))?)
            }
            kind::FRAZIL_INPUT_FD => {
                let file = self.descriptor(input.fd)?;
                check_seekable(&file, input.fd)?;
                Box::new(file)
            }
            kind::FRAZIL_INPUT_CALLBACK => {
                let read_at = input.read_at.ok_or_else(|| null("read_at"))?;
                Box::new(CallbackInput { read_at, user_data: UserData(input.user_data), length: input.length })
            }
        })
    }

    /// The deltas of a chain, lowest level first, from anywhere.
    pub(super) fn deltas(&self, deltas: *const frazil_input, count: usize) -> Outcome<Vec<Delta>> {
        let numbered = self.array(deltas, count, "deltas")?.iter().zip(1..);
        gathered(numbered.map(|(delta, number)| {
            let is_path = delta.kind == frazil_input_kind::FRAZIL_INPUT_PATH as c_int;
            // What is of no account may be anything.
            let path = if is_path { self.optional_path(delta.path).map(Path::to_owned) } else { None };
            let content = self.input(delta, "delta").map_err(|error| error.of(&place(number, count)))?;
            Ok(Delta { content, path, number, count })
        }))
    }

    /// The same, in files.
    pub(super) fn delta_files(&self, paths: *const *const c_char, count: usize) -> Outcome<Vec<Delta>> {
        let numbered = self.paths(paths, count, "delta_paths")?.into_iter().zip(1..);
        gathered(numbered.map(|(path, number)| {
            Ok(Delta { content: Box::new(open_delta(path)?), path: Some(path.to_owned()), number, count })
        }))
    }
}

fn place(number: usize, count: usize) -> String {
    format!("delta {number} of {count}")
}

pub(super) fn open_delta(path: &Path) -> Result<File> {
    File::open(path).map_err(|error| Error::io("opening the delta", error).path(path))
}

/// The delta of one level of a chain, which is told apart from the others when it cannot be read.
pub(super) struct Delta {
    content: Box<dyn ReadAt>,
    path: Option<PathBuf>,
    /// From 1.
    number: usize,
    count: usize,
}

impl Delta {
    fn failed(&self, doing: &str, error: io::Error) -> io::Error {
        if error.kind() == io::ErrorKind::Interrupted {
            return error;
        }
        let error = Error::io(format!("{doing} {}", place(self.number, self.count)), error);
        match &self.path {
            Some(path) => error.path(path),
            None => error,
        }
        .into()
    }
}

impl ReadAt for Delta {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.content.read_at(buffer, offset).map_err(|error| self.failed("reading", error))
    }

    fn size(&self) -> io::Result<u64> {
        self.content.size().map_err(|error| self.failed("measuring", error))
    }

    fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }
}
