//! The sums of a signature read once more from a place within it.

use std::io::{self, ErrorKind, Read};

use bytes::Buf;

use crate::format::sealed::{CRC_LEN, FRAME_HEAD_LEN};

/// Where in a signature's stream the sums of a block begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RecordPlace {
    pub(crate) offset: u64,
    /// How many bytes of the frame's payload follow, in a sealed stream.
    pub(crate) framed: Option<u32>,
}

/// Fills `records` from a source that stands at `place`; `false` if it ends before, or has no frames where they were.
///
/// Nothing is verified: the stream was before, and the caller knows what the checksum of the records was.
pub(crate) fn read_records(mut source: impl Read, place: RecordPlace, records: &mut [u8]) -> io::Result<bool> {
    let mut left = place.framed.map_or(usize::MAX, |left| left as usize);
    let mut rest = records;
    let mut between = [0; CRC_LEN + FRAME_HEAD_LEN];
    while !rest.is_empty() {
        if left == 0 {
            if !is_filled(&mut source, &mut between)? {
                return Ok(false);
            }
            // Behind the checksum of the frame before: type and codec, then the length.
            left = (&between[CRC_LEN + 2..]).get_u32() as usize;
            if left == 0 {
                return Ok(false);
            }
        }
        let (now, later) = rest.split_at_mut(left.min(rest.len()));
        if !is_filled(&mut source, now)? {
            return Ok(false);
        }
        left -= now.len();
        rest = later;
    }
    Ok(true)
}

fn is_filled(source: &mut impl Read, buffer: &mut [u8]) -> io::Result<bool> {
    match source.read_exact(buffer) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}
