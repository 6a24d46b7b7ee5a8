//! Reads the payload of a sealed stream of bytes out of a `Read`: a signature, a snapshot, records.

use std::io::Read;

use super::{CRC_LEN, Event, SealedHeader, Trailer, Unsealer};
use crate::format::source::Source;
use crate::{Error, ErrorKind, Result};

/// A sealed stream whose data frames are pulled one by one.
pub(crate) struct Unsealed<R> {
    source: Source<R>,
    unsealer: Unsealer,
    /// Bytes of payload given out, which is what the frames announce.
    reached: u64,
}

impl<R: Read> Unsealed<R> {
    /// Reads the header.
    pub(crate) fn new(source: Source<R>) -> Result<Self> {
        let mut this = Self { source, unsealer: Unsealer::new(), reached: 0 };
        match this.advance()? {
            Some(Event::Header) => Ok(this),
            _ => Err(Error::new(ErrorKind::Internal, "sealed stream did not begin with its header")),
        }
    }

    pub(crate) fn header(&self) -> Option<&SealedHeader> {
        self.unsealer.header()
    }

    pub(crate) fn trailer(&self) -> Option<&Trailer> {
        self.unsealer.trailer()
    }

    /// The number of the frame that was given out last.
    #[cfg(feature = "tree")]
    pub(crate) fn sequence(&self) -> u64 {
        self.unsealer.sequence()
    }

    /// Where the frame begins that was given out last.
    pub(crate) fn offset(&self) -> u64 {
        self.unsealer.offset()
    }

    /// Where the payload ends that was given out last.
    pub(crate) fn payload_end(&self) -> u64 {
        self.unsealer.end() - CRC_LEN as u64
    }

    /// The payload of the next data frame; `None` when the trailer has come and nothing follows it.
    pub(crate) fn next_payload(&mut self) -> Result<Option<&[u8]>> {
        match self.advance()? {
            Some(Event::Data) => {
                self.reached += self.unsealer.payload().len() as u64;
                if self.reached != self.unsealer.output() {
                    return Err(Error::new(ErrorKind::Corrupt, "frame does not reach the offset it announces")
                        .at(self.offset())
                        .expected(self.unsealer.output(), self.reached));
                }
                Ok(Some(self.unsealer.payload()))
            }
            Some(Event::Trailer) => match self.advance()? {
                None => Ok(None),
                Some(_) => Err(Error::new(ErrorKind::Corrupt, "bytes after the trailer").at(self.offset())),
            },
            None => Ok(None),
            Some(Event::ZeroRun(_) | Event::Header) => {
                Err(Error::new(ErrorKind::Corrupt, "zero run in a stream that has none").at(self.offset()))
            }
        }
    }

    /// The next event; `None` at the end of a complete stream.
    fn advance(&mut self) -> Result<Option<Event>> {
        loop {
            let mut input = self.source.buffered();
            let before = input.len();
            let event = self.unsealer.next(&mut input)?;
            let used = before - input.len();
            self.source.consume(used);
            if event.is_some() {
                return Ok(event);
            }
            if !self.source.fill()? {
                self.unsealer.finish()?;
                return Ok(None);
            }
        }
    }
}
