//! Inputs: files and pipes, opened so that a signal can end the wait for them.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};

use crate::failure::Failure;
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
}

impl Input {
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
        Ok(Self { file, waits, len: Some(data.len()).filter(|_| data.is_file()) })
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
        if self.waits {
            stop::wait_readable(self.file.as_fd())?;
        }
        self.file.read(buffer)
    }
}

fn is_directory(place: &Place) -> Failure {
    Failure::new(format!("{}: is a directory, and a level is made of one file or stream", place.as_input()))
        .advise("give an archive of it: tar -c DIRECTORY | frazil level - OUT")
}
