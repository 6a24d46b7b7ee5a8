//! The header of a delta, looked at before the delta is applied.

use std::io::{self, Chain, Cursor, Read};

use crate::format::{Event, SealedHeader, Unsealer};
use crate::{Error, ErrorKind, Result};

/// A delta of which the beginning was read.
pub(crate) type Whole<R> = Chain<Cursor<Vec<u8>>, R>;

/// Reads the header of a sealed delta; gives it, and the whole delta again.
pub(crate) fn peek_header<R: Read>(mut delta: R) -> Result<(SealedHeader, Whole<R>)> {
    let mut unsealer = Unsealer::new();
    let mut seen = Vec::new();
    let mut piece = [0; 256];
    loop {
        let len = match delta.read(&mut piece) {
            Ok(len) => len,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error.into()),
        };
        seen.extend_from_slice(&piece[..len]);
        let mut input = &piece[..len];
        if unsealer.next(&mut input)? == Some(Event::Header) {
            break;
        }
        if len == 0 {
            unsealer.finish()?;
        }
    }
    match unsealer.header() {
        Some(header) => Ok((header.clone(), Cursor::new(seen).chain(delta))),
        None => Err(Error::new(ErrorKind::Internal, "sealed stream without a header")),
    }
}
