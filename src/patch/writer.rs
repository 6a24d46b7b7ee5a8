//! The push form: a delta is fed in, the target goes to a `Write`.

use std::io::{self, Write};

use super::machine::{PatchMachine, Produced};
use super::{PatchOptions, PatchSummary, VerifyBasis};
use crate::Result;
use crate::memory::zeroed;
use crate::read_at::ReadAt;

/// Bytes produced before they are written.
const STAGE_LEN: usize = 256 * 1024;

/// Takes a delta by [`Write`], applies it to a basis and writes the target to a sink.
///
/// What the sink has been given is **provisional** until [`PatchWriter::finish`] has succeeded: only
/// then has the trailer come and the whole target been held against it.
///
/// An error that the sink raises comes out as it is, from a call that has then taken nothing; the call
/// can be repeated. It can be sent between threads.
pub struct PatchWriter<W, B> {
    sink: W,
    machine: PatchMachine<B>,
    staged: Vec<u8>,
    /// How far `staged` is filled, and written.
    filled: usize,
    written: usize,
    zeros: u64,
}

impl<W: Write, B: ReadAt> PatchWriter<W, B> {
    /// Prepares to apply a delta, sealed or plain, to `basis`.
    ///
    /// # Errors
    ///
    /// As [`PatchReader::new`](crate::PatchReader::new).
    pub fn new(sink: W, basis: B, options: PatchOptions) -> Result<Self> {
        let machine = PatchMachine::new(basis, options, VerifyBasis::Before)?;
        Ok(Self { sink, machine, staged: Vec::new(), filled: 0, written: 0, zeros: 0 })
    }

    /// Ends the delta, verifies the target, flushes the sink and gives it back.
    ///
    /// # Errors
    ///
    /// [`Truncated`](crate::ErrorKind::Truncated) when the trailer has not come,
    /// [`Mismatch`](crate::ErrorKind::Mismatch) when the target is not what it should be, and whatever the
    /// sink raises.
    pub fn finish(mut self) -> Result<(W, PatchSummary)> {
        self.run()?;
        self.machine.end()?;
        self.sink.flush()?;
        let summary = self.machine.summary()?;
        Ok((self.sink, summary))
    }

    /// Carries out the pending command and writes all it makes.
    fn run(&mut self) -> io::Result<()> {
        loop {
            while self.written < self.filled {
                match self.sink.write(&self.staged[self.written..self.filled]) {
                    Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                    Ok(len) => self.written += len,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(error),
                }
            }
            self.written = 0;
            self.filled = 0;
            if self.staged.is_empty() {
                self.staged = zeroed(STAGE_LEN)?;
            }
            if self.zeros > 0 {
                self.filled = STAGE_LEN.min(usize::try_from(self.zeros).unwrap_or(STAGE_LEN));
                self.staged[..self.filled].fill(0);
                self.zeros -= self.filled as u64;
            } else if self.machine.has_pending() {
                match self.machine.produce(&mut self.staged)? {
                    Produced::Bytes(len) => self.filled = len,
                    Produced::Zeros(len) => self.zeros = len,
                    Produced::End => return Ok(()),
                }
            } else {
                return Ok(());
            }
        }
    }
}

impl<W: Write, B: ReadAt> Write for PatchWriter<W, B> {
    fn write(&mut self, delta: &[u8]) -> io::Result<usize> {
        let mut input = delta;
        loop {
            self.run()?;
            self.machine.advance(&mut input)?;
            let taken = delta.len() - input.len();
            if taken > 0 || delta.is_empty() {
                return Ok(taken);
            }
        }
    }

    /// Writes what can be made of the delta so far and flushes the sink.
    fn flush(&mut self) -> io::Result<()> {
        self.run()?;
        self.sink.flush()
    }
}
