//! The sums of a file that is being read, until the snapshot takes them behind its record.

use std::fs::File;
use std::io::{self, Cursor, Read, Seek, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::format::SignatureParams;
use crate::memory::extend;
use crate::{Error, Result};

/// Sums beyond this are kept in a file: those of some 15 GB.
const SPOOL_MEMORY: usize = 8 << 20;

/// Takes a plain signature. A spooled file of the crate `tempfile` would end the process where there is no memory; this
/// one goes on in a file.
#[derive(Clone, Default)]
pub(super) struct Spool(Arc<Mutex<Spooled>>);

#[derive(Default)]
struct Spooled {
    held: Vec<u8>,
    /// What came after `held`.
    rest: Option<File>,
}

impl Spool {
    /// The sums without the head of the signature, from the first on.
    pub(super) fn take_sums(&self) -> Result<Sums> {
        let io = |error| Error::io("reading sums back", error);
        let Spooled { held, mut rest } = std::mem::take(&mut *self.lock());
        rest.as_mut().map_or(Ok(()), Seek::rewind).map_err(io)?;
        let mut sums = Sums { held: Cursor::new(held), rest };
        io::copy(&mut sums.by_ref().take(SignatureParams::HEAD_LEN as u64), &mut io::sink()).map_err(io)?;
        Ok(sums)
    }

    fn lock(&self) -> MutexGuard<'_, Spooled> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Write for Spool {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut spooled = self.lock();
        let Spooled { held, rest } = &mut *spooled;
        if rest.is_none() && held.len() + bytes.len() <= SPOOL_MEMORY && extend(held, bytes).is_ok() {
            return Ok(bytes.len());
        }
        let file = match rest {
            Some(file) => file,
            None => rest.insert(tempfile::tempfile()?),
        };
        file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Sums to be read once; by default there are none.
#[derive(Default)]
pub(super) struct Sums {
    held: Cursor<Vec<u8>>,
    rest: Option<File>,
}

impl Read for Sums {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match (self.held.read(buffer)?, &mut self.rest) {
            (0, Some(rest)) => rest.read(buffer),
            (len, _) => Ok(len),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_come_back_without_their_head_from_memory_and_from_a_file() {
        let head = SignatureParams::HEAD_LEN;
        for len in [head, 1000, SPOOL_MEMORY, SPOOL_MEMORY + 1, SPOOL_MEMORY * 2] {
            let signature: Vec<u8> = (0..len).map(|number| number as u8 ^ (number >> 8) as u8).collect();
            let spool = Spool::default();
            signature.chunks(32_000).for_each(|piece| spool.clone().write_all(piece).unwrap());
            assert_eq!(spool.lock().rest.is_some(), len > SPOOL_MEMORY, "{len}");
            let mut sums = Vec::new();
            spool.take_sums().unwrap().read_to_end(&mut sums).unwrap();
            assert!(sums == signature[head..], "{len}");
        }
    }
}
