//! The pull form: a delta out of a `Read`, the target as a `Read`.

use std::io::{self, Read};

use super::check::TargetCheck;
use super::machine::{PatchMachine, Plan, Planned, Produce, Produced};
use super::{PatchOptions, PatchSummary, VerifyBasis};
use crate::format::Source;
use crate::read_at::ReadAt;
use crate::{Error, Result};

/// Applies a delta to a basis and is the target.
///
/// What has been read is **provisional** until the read that returns 0: only then has the trailer come
/// and the whole target been held against it. [`PatchReader::finish`] says so.
///
/// An error that the delta's reader or the basis raises comes out as it is; reading again goes on where
/// it stopped. It can be sent between threads.
pub struct PatchReader<D, B> {
    delta: Source<D>,
    machine: PatchMachine<B>,
    /// Zeros to be read as bytes.
    zeros: u64,
    ended: bool,
}

impl<D: Read, B: ReadAt> PatchReader<D, B> {
    /// Prepares to apply `delta`, sealed or plain, to `basis`.
    ///
    /// # Errors
    ///
    /// [`Io`](crate::ErrorKind::Io) when the basis does not tell its length. While reading:
    /// [`WrongBasis`](crate::ErrorKind::WrongBasis), [`Corrupt`](crate::ErrorKind::Corrupt),
    /// [`Truncated`](crate::ErrorKind::Truncated), [`Limit`](crate::ErrorKind::Limit) and
    /// [`Mismatch`](crate::ErrorKind::Mismatch), wrapped in `io::Error`.
    pub fn new(delta: D, basis: B, options: PatchOptions) -> Result<Self> {
        let machine = PatchMachine::new(basis, options, VerifyBasis::Before)?;
        Ok(Self { delta: Source::new(delta), machine, zeros: 0, ended: false })
    }

    pub(crate) fn verifying_after(delta: D, basis: B, options: PatchOptions) -> Result<Self> {
        let machine = PatchMachine::new(basis, options, VerifyBasis::After)?;
        Ok(Self { delta: Source::new(delta), machine, zeros: 0, ended: false })
    }

    /// Says what was done, after the target was read to its end.
    ///
    /// # Errors
    ///
    /// [`State`](crate::ErrorKind::State) when it was not.
    pub fn finish(self) -> Result<PatchSummary> {
        self.machine.summary()
    }

    /// Reads the delta until something is pending; `false` at its end.
    fn take_in(&mut self) -> Result<bool> {
        while !self.machine.has_pending() {
            let mut input = self.delta.buffered();
            let before = input.len();
            let ready = self.machine.advance(&mut input);
            let used = before - input.len();
            self.delta.consume(used);
            if !ready? && !self.delta.fill()? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

impl<D: Read, B: ReadAt> Produce for PatchReader<D, B> {
    fn produce(&mut self, buffer: &mut [u8]) -> Result<Produced> {
        loop {
            if self.ended {
                return Ok(Produced::End);
            }
            if !self.take_in()? {
                self.machine.end()?;
                self.ended = true;
                continue;
            }
            match self.machine.produce(buffer)? {
                Produced::Bytes(0) => {}
                produced => return Ok(produced),
            }
        }
    }
}

impl<D: Read, B: ReadAt> Plan for PatchReader<D, B> {
    fn begin(&mut self) -> Result<()> {
        self.take_in().map(|_| ())
    }

    fn plan(&mut self, buffer: &mut [u8]) -> Result<Planned> {
        while self.take_in()? {
            match self.machine.plan(buffer)? {
                Planned::Bytes(0) => {}
                planned => return Ok(planned),
            }
        }
        Ok(Planned::End)
    }

    fn copied(&mut self, len: usize) {
        self.machine.copied(len);
    }

    fn target(&mut self) -> &mut TargetCheck {
        self.machine.target()
    }

    fn stream_bytes(&self) -> u64 {
        self.machine.stream_bytes()
    }

    fn tell(&self, stream_bytes: u64) -> Result<()> {
        self.machine.tell(stream_bytes)
    }

    fn end(&mut self) -> Result<()> {
        self.machine.end()
    }

    fn summary(&self) -> Result<PatchSummary> {
        self.machine.summary()
    }
}

impl<D: Read, B: ReadAt> Read for PatchReader<D, B> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let zeros = std::mem::take(&mut self.zeros);
        let (read, zeros) = read_produced(self, zeros, buffer)?;
        self.zeros = zeros;
        Ok(read)
    }
}

/// Reads from something that produces, with zeros as bytes; gives the zeros that are left.
pub(super) fn read_produced(from: &mut impl Produce, mut zeros: u64, buffer: &mut [u8]) -> Result<(usize, u64), Error> {
    if buffer.is_empty() {
        return Ok((0, zeros));
    }
    if zeros == 0 {
        match from.produce(buffer)? {
            Produced::Bytes(len) => return Ok((len, 0)),
            Produced::Zeros(len) => zeros = len,
            Produced::End => return Ok((0, 0)),
        }
    }
    let len = buffer.len().min(usize::try_from(zeros).unwrap_or(usize::MAX));
    buffer[..len].fill(0);
    Ok((len, zeros - len as u64))
}
