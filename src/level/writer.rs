//! The push form: content is fed in, the stream goes to a `Write`.

use std::io::{self, Write};

use super::machine::Machine;
use super::{LevelBasis, LevelOptions, LevelStats, LevelSummary};
use crate::Result;
use crate::format::Format;

/// Takes content by [`Write`] and writes the stream of its level to a sink; ends with
/// [`LevelWriter::finish`].
///
/// The stream reaches the sink in large pieces, behind the content that was fed. An error that the sink
/// raises comes out as it is, from a call that has then taken nothing; the call can be repeated. Without
/// `finish` the stream has no trailer, and no reader will take it for complete.
///
/// It can be sent between threads; each call works on it alone.
pub struct LevelWriter<W> {
    sink: W,
    machine: Machine,
    output_written: usize,
}

impl<W: Write> LevelWriter<W> {
    /// Prepares to make a level against `basis`; see [`LevelBasis`] for what that can be made from.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) when the options do not go together,
    /// [`Limit`](crate::ErrorKind::Limit) when the work does not fit the memory limit; and as
    /// [`LevelReader::new`](crate::LevelReader::new) where the basis is in a file.
    pub fn new(sink: W, basis: impl Into<LevelBasis>, options: LevelOptions) -> Result<Self> {
        Ok(Self { sink, machine: Machine::new(basis.into(), options)?, output_written: 0 })
    }

    /// Writes the new signature to `sink` on the way, so that memory stays constant however long the
    /// content is.
    ///
    /// # Errors
    ///
    /// As [`LevelReader::signature_to`](crate::LevelReader::signature_to).
    pub fn signature_to(mut self, sink: impl Write + Send + 'static, format: Format) -> Result<Self> {
        self.machine.sign_to(Box::new(sink), format)?;
        Ok(self)
    }

    /// What was done so far.
    pub fn stats(&self) -> LevelStats {
        self.machine.stats()
    }

    /// Ends the content, writes the rest of the stream, flushes the sink and gives it back.
    ///
    /// # Errors
    ///
    /// Whatever the sink raises.
    pub fn finish(mut self) -> Result<(W, LevelSummary)> {
        self.drain()?;
        self.machine.end(false)?;
        self.drain()?;
        self.sink.flush()?;
        Ok((self.sink, self.machine.finish()?))
    }

    /// Gives up the stream: only the signature is made, and nothing is written.
    pub fn without_stream(mut self) -> Self {
        self.machine.sign_only();
        self
    }

    fn drain(&mut self) -> io::Result<()> {
        while self.output_written < self.machine.output().len() {
            match self.sink.write(&self.machine.output()[self.output_written..]) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(len) => self.output_written += len,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.machine.clear_output();
        self.output_written = 0;
        Ok(())
    }
}

impl<W: Write> Write for LevelWriter<W> {
    fn write(&mut self, content: &[u8]) -> io::Result<usize> {
        if content.is_empty() {
            return Ok(0);
        }
        self.drain()?;
        let left = usize::try_from(self.machine.left()).unwrap_or(usize::MAX);
        let signed = self.machine.sign_in_place(&content[..content.len().min(left)])?;
        if signed > 0 {
            return Ok(signed);
        }
        let len = self.machine.take_in(content)?;
        if self.machine.is_full() {
            // At once, as the reader does, so that both make the same stream of the same content.
            self.machine.step()?;
        }
        Ok(len)
    }

    /// Writes what is ready and flushes the sink; content that does not yet make a whole window stays.
    fn flush(&mut self) -> io::Result<()> {
        self.drain()?;
        self.sink.flush()
    }
}
