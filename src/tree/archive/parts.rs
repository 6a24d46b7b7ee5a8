//! The entries of a tar one by one, and the parts of a delta as one stream.

use std::io::{self, Read};

use super::EntryName;
use super::replay::Replay;
use crate::format::SealedKind;
use crate::tree::libarchive::{ArchiveReader, Next, ReadEntry};
use crate::tree::sealed::unseal;
use crate::{Error, ErrorKind, Result};

/// The entries of an archive; the next one can be looked at before it is taken.
pub(super) struct Entries<R: Read> {
    tar: ArchiveReader<Replay<R>>,
    source: Replay<R>,
    /// Where in the source the tar was begun that is being read.
    from: u64,
    /// Where the entry begins that was read last.
    last: u64,
    peeked: Option<ReadEntry>,
}

impl<R: Read> Entries<R> {
    pub(super) fn new(source: R) -> Result<Self> {
        let source = Replay::new(source);
        Ok(Self { tar: ArchiveReader::new(source.again())?, source, from: 0, last: 0, peeked: None })
    }

    /// Where the entry begins that was taken last.
    pub(super) fn position(&self) -> u64 {
        self.tar.position()
    }

    /// Whether the tar has failed within an entry.
    pub(super) fn has_failed(&self) -> bool {
        self.tar.has_failed()
    }

    /// Goes on behind damage that libarchive cannot pass, where there is no filter; whether there is more.
    pub(super) fn resume(&mut self) -> Result<bool> {
        if self.tar.filtered() {
            return Ok(false);
        }
        let mut after = self.from.max(self.last) + 1;
        while let Some(header) = self.source.seek_header(after)? {
            match ArchiveReader::new(self.source.again()) {
                Ok(tar) => {
                    (self.tar, self.from, self.peeked) = (tar.begun_at(header), header, None);
                    return Ok(true);
                }
                Err(error) if error.kind() == ErrorKind::Io => return Err(error),
                Err(_) => after = header + 1,
            }
        }
        Ok(false)
    }

    pub(super) fn next(&mut self) -> Result<Next> {
        match self.peeked.take() {
            Some(entry) => Ok(Next::Entry(entry)),
            None => {
                let next = self.tar.next();
                if matches!(next, Ok(Next::Entry(_))) {
                    self.last = self.position();
                }
                next
            }
        }
    }

    /// The payload of the sealed stream that is the body of the entry that was taken last. Damage in it is told of
    /// where that entry begins, since an offset is one in the archive.
    pub(super) fn read_sealed(&mut self, max: usize, doing: &'static str) -> Result<Vec<u8>> {
        let sealed = self.tar.read_all(max)?;
        unseal(SealedKind::Records, &sealed).map_err(|error| error.doing(doing).at(self.position()))
    }

    pub(super) fn tar(&mut self) -> &mut ArchiveReader<Replay<R>> {
        &mut self.tar
    }

    /// The body of the entry that was taken last.
    pub(super) fn body(&mut self) -> Body<'_, R> {
        Body(self)
    }

    /// The delta whose first part was taken last.
    pub(super) fn parts<'a>(&'a mut self, path: &'a [u8]) -> Parts<'a, R> {
        Parts { entries: self, path, number: 1, ended: false }
    }
}

pub(super) struct Body<'a, R: Read>(&'a mut Entries<R>);

impl<R: Read> Read for Body<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(self.0.tar.read(buffer)?)
    }
}

/// The bodies of the parts of one delta, one after the other.
pub(super) struct Parts<'a, R: Read> {
    entries: &'a mut Entries<R>,
    path: &'a [u8],
    number: u64,
    ended: bool,
}

impl<R: Read> Parts<'_, R> {
    /// Whether the entry after this is the next part.
    fn advance(&mut self) -> Result<bool> {
        match self.entries.next()? {
            Next::Entry(entry) => {
                if EntryName::parse(&entry.path).ok() == Some(EntryName::Delta(self.path, self.number + 1)) {
                    self.number += 1;
                    return Ok(true);
                }
                self.entries.peeked = Some(entry);
                Ok(false)
            }
            Next::Damaged(error) => Err(error),
            Next::End => Err(Error::new(ErrorKind::Truncated, "archive ends before its trailer")),
        }
    }
}

impl<R: Read> Read for Parts<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() || self.ended {
            return Ok(0);
        }
        loop {
            let len = self.entries.tar.read(buffer)?;
            if len > 0 {
                return Ok(len);
            }
            if !self.advance()? {
                self.ended = true;
                return Ok(0);
            }
        }
    }
}
