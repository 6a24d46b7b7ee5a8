//! Inputs: files and pipes, opened so that a signal can end the wait for them.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::os::fd::AsFd;
use std::os::unix::fs::{FileExt, FileTypeExt, MetadataExt, OpenOptionsExt};

use crate::failure::Failure;
use crate::kind::{Kind, LOOK_LEN};
use crate::place::Place;
use crate::stop;

/// Something opened to be read once, from where it stands.
#[derive(Debug)]
pub(crate) struct Input {
    file: File,
    /// Whether a read may have to wait for another process.
    waits: bool,
    /// The length of a regular file.
    len: Option<u64>,
    /// What was looked at of an input that can be read only once.
    first: Vec<u8>,
    /// How much of that was read.
    taken: usize,
}

impl Input {
    /// Opens a place for reading, unless its first bytes say that it is another kind of thing than is wanted.
    pub(crate) fn open_kind(place: &Place, wanted: Kind) -> Result<Self, Failure> {
        let mut input = Self::open(place)?;
        let kind = input.kind(place)?;
        if kind.may_be(wanted) {
            return Ok(input);
        }
        Err(Failure::new(format!("{}: is {kind}, and {wanted} is wanted", place.as_input())).advise(kind.advice()))
    }

    /// What the first bytes say that it is. They are still to be read.
    pub(crate) fn kind(&mut self, place: &Place) -> Result<Kind, Failure> {
        let failed = |error| Failure::io(format_args!("reading {}", place.as_input()), error);
        self.look().map(|first| Kind::of(&first)).map_err(failed)
    }

    /// The first bytes, fewer at the end.
    fn look(&mut self) -> io::Result<Vec<u8>> {
        let mut first = vec![0; LOOK_LEN];
        let mut len = 0;
        let start = self.file.stream_position().ok();
        while len < first.len() {
            let read = match start {
                Some(start) => self.file.read_at(&mut first[len..], start + len as u64),
                None => self.read_on(&mut first[len..]),
            };
            match read {
                Ok(0) => break,
                Ok(more) => len += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        first.truncate(len);
        if start.is_none() {
            self.first.clone_from(&first);
        }
        Ok(first)
    }

    fn read_on(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.waits {
            stop::wait_readable(self.file.as_fd())?;
        }
        self.file.read(buffer)
    }

    /// Opens a place for reading.
    pub(crate) fn open(place: &Place) -> Result<Self, Failure> {
        let failed = |error| Failure::io(format_args!("opening {}", place.as_input()), error);
        let file = match place {
            Place::Standard => File::from(io::stdin().as_fd().try_clone_to_owned().map_err(failed)?),
            // Opening a fifo waits for a writer, and no signal would end the wait; reading it can.
            Place::Path(path) => {
                let is_fifo = std::fs::metadata(path).map_err(failed)?.file_type().is_fifo();
                let flags = if is_fifo { rustix::fs::OFlags::NONBLOCK.bits() as i32 } else { 0 };
                let file = File::options().read(true).custom_flags(flags).open(path).map_err(failed)?;
                if is_fifo {
                    let flags = rustix::fs::fcntl_getfl(&file).map_err(|error| failed(error.into()))?;
                    rustix::fs::fcntl_setfl(&file, flags - rustix::fs::OFlags::NONBLOCK)
                        .map_err(|error| failed(error.into()))?;
                }
                file
            }
        };
        let data = file.metadata().map_err(failed)?;
        if data.is_dir() {
            return Err(is_directory(place));
        }
        let waits = !data.is_file() && !data.file_type().is_block_device();
        Ok(Self { file, waits, len: Some(data.len()).filter(|_| data.is_file()), first: Vec::new(), taken: 0 })
    }

    /// The length of a regular file.
    pub(crate) fn len(&self) -> Option<u64> {
        self.len
    }

    /// The file itself, if it can be read anywhere and any number of times.
    pub(crate) fn into_seekable(mut self) -> Option<File> {
        self.is_seekable().then_some(self.file)
    }

    /// Whether it can be read anywhere, and stands at its start.
    pub(crate) fn is_seekable(&mut self) -> bool {
        self.file.stream_position().is_ok_and(|position| position == 0)
    }

    /// Whether this is the file at a place.
    pub(crate) fn is_same_file(&self, place: &Place) -> bool {
        let Some(other) = place.path().and_then(|path| std::fs::metadata(path).ok()) else { return false };
        let same = |data: std::fs::Metadata| (data.dev(), data.ino()) == (other.dev(), other.ino());
        self.len.is_some() && self.file.metadata().is_ok_and(same)
    }
}

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let looked_at = &self.first[self.taken..];
        if looked_at.is_empty() {
            return self.read_on(buffer);
        }
        let len = looked_at.len().min(buffer.len());
        buffer[..len].copy_from_slice(&looked_at[..len]);
        self.taken += len;
        Ok(len)
    }
}

fn is_directory(place: &Place) -> Failure {
    Failure::new(format!("{}: is a directory, and a file or stream is wanted", place.as_input()))
        .advise("frazil backup makes levels of directories")
}
