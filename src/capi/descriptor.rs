//! File descriptors of C that are read.

use std::ffi::c_int;
use std::fs::File;
use std::io::{self, ErrorKind, Read};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_getfl};

use super::call::Call;
use super::error::Outcome;
use super::observer::Watching;
use crate::Error;

/// How long an observer is not asked while there is nothing to read: a signal that comes just before the
/// wait does not end it.
const WAIT: Timespec = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };

/// What a descriptor gives from where it stands, and who may stop waiting for it.
pub(super) struct Descriptor {
    file: File,
    fd: c_int,
    watching: Watching,
    /// Whether a read may wait; else its failure is the caller's to hear of.
    waits: bool,
}

impl Descriptor {
    /// Waits until there is something to read, as long as the observer does not want to stop.
    fn wait(&self) -> io::Result<()> {
        loop {
            self.watching.check()?;
            match poll(&mut [PollFd::new(&self.file, PollFlags::IN)], Some(&WAIT)) {
                Ok(0) | Err(rustix::io::Errno::INTR) => {}
                // What it is that cannot be waited for, the read says.
                Ok(_) | Err(_) => return Ok(()),
            }
        }
    }
}

impl Read for Descriptor {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if self.waits && self.watching.can_stop() {
                self.wait()?;
            }
            match self.file.read(buffer) {
                Err(error) if error.kind() == ErrorKind::Interrupted => self.watching.check()?,
                Err(error) => return Err(Error::io(format!("reading file descriptor {}", self.fd), error).into()),
                read => return read,
            }
        }
    }
}

impl Call {
    /// Something to read of the caller's, whose descriptor stays the caller's.
    pub(super) fn source(&self, fd: c_int, watching: &Watching) -> Outcome<Descriptor> {
        let file = self.descriptor(fd)?;
        let waits = fcntl_getfl(&file).is_ok_and(|flags| !flags.contains(OFlags::NONBLOCK));
        Ok(Descriptor { file, fd, watching: watching.clone(), waits })
    }
}
