//! What only looks at a stream: it tells the same, or fails.

use std::io::{self, Read};
use std::sync::Arc;

use frazil::{
    BlockRange, Error, ErrorKind, Result, Signature, SignatureReader, compare_data, compare_streams, inspect,
};

use crate::content::{level, options};
use crate::drive::{Failure, Run};
use crate::faults::{Faults, Faulty};
use crate::function::{After, Function, Seam, Zero, function};
use crate::ground::{Ground, sealed};

/// The signatures of the old and of the new content.
fn signatures(ground: &Ground) -> [Vec<u8>; 2] {
    [&ground.old, &ground.new].map(|content| sealed(&level(content, None, options(ground.block_len())).1))
}

fn signature_read(ground: &Ground, faults: &Arc<Faults>) -> Run {
    let signature = sealed(&ground.signature);
    Run::told(|| Signature::read_from(Faulty::new(&signature[..], faults)))
}

fn compared(old: impl Read, new: impl Read) -> Run {
    Run::told(|| compare_streams(SignatureReader::new(old)?, SignatureReader::new(new)?)?.collect::<Result<Vec<_>>>())
}

fn old_signature_compared(ground: &Ground, faults: &Arc<Faults>) -> Run {
    let [old, new] = signatures(ground);
    compared(Faulty::new(&old[..], faults), &new[..])
}

fn new_signature_compared(ground: &Ground, faults: &Arc<Faults>) -> Run {
    let [old, new] = signatures(ground);
    compared(&old[..], Faulty::new(&new[..], faults))
}

/// Who compares knows how long the content is: a shorter one is an error of theirs.
fn data_compared(ground: &Ground, faults: &Arc<Faults>) -> Run {
    Run::told(|| {
        let content = Faulty::new(&ground.new[..], faults);
        let ranges = compare_data(&ground.signature, content)?.collect::<Result<Vec<BlockRange>>>()?;
        let length: u64 = ranges.iter().map(|range| range.len).sum();
        if length < ground.new.len() as u64 {
            return Err(Failure::Raised(io::ErrorKind::UnexpectedEof.into()));
        }
        Ok(ranges)
    })
}

/// What is wrong further on than the head is told beside what was found before.
fn inspected(stream: &[u8], faults: &Arc<Faults>) -> Run {
    Run::told(|| {
        let mut inspection = inspect(Faulty::new(stream, faults))?;
        match inspection.damage.take() {
            Some(damage) => Err::<_, Error>(damage),
            None => Ok(inspection),
        }
    })
}

fn delta_inspected(ground: &Ground, faults: &Arc<Faults>) -> Run {
    inspected(&ground.deltas[1], faults)
}

fn signature_inspected(ground: &Ground, faults: &Arc<Faults>) -> Run {
    inspected(&sealed(&ground.signature), faults)
}

const STREAM: Seam = Seam::Reading(Zero::Fails(&[ErrorKind::Truncated]));
const CONTENT: Seam = Seam::Reading(Zero::Fails(&[ErrorKind::Io]));

pub(crate) const FUNCTIONS: [Function<Ground>; 6] = [
    function("Signature::read_from: signature", STREAM, After::Gone, signature_read),
    function("compare_streams: old signature", STREAM, After::Gone, old_signature_compared),
    function("compare_streams: new signature", STREAM, After::Gone, new_signature_compared),
    function("compare_data: content", CONTENT, After::Gone, data_compared),
    function("inspect: delta", STREAM, After::Gone, delta_inspected),
    function("inspect: signature", STREAM, After::Gone, signature_inspected),
];
