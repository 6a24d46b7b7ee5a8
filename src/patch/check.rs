//! What a patch holds its basis, its commands and its target against, and what it says in the end.

use super::PatchOptions;
use super::machine::WATCH_BYTES;
use crate::engine::native::{ContentSums, IdentityBuilder};
use crate::format::{Identity, SealedHeader, Trailer};
use crate::memory::zeroed;
use crate::observer::Progress;
use crate::read_at::{ReadAt, read_some};
use crate::{Comparison, Error, ErrorKind, Fingerprint, Result};

/// What a finished patch or chain is.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct PatchSummary {
    /// Bytes of the target.
    pub output_bytes: u64,
    /// Bytes of the deltas.
    pub stream_bytes: u64,
    /// The identity of the target, which was verified; a plain delta does not say what it should be.
    pub identity: Option<Identity>,
    /// Whether the source had changed while the level was made.
    pub dirty: bool,
    /// Whether blocks were matched on sums that cannot be trusted to tell contents apart.
    pub weak: bool,
}

impl PatchSummary {
    /// What can be said of a target of so many bytes, made by deltas of so many, the last of which ended so.
    pub(super) fn new(output_bytes: u64, stream_bytes: u64, trailer: Option<&Trailer>) -> Self {
        Self {
            output_bytes,
            stream_bytes,
            identity: trailer.map(|trailer| trailer.identity),
            dirty: trailer.is_some_and(|trailer| trailer.flags.dirty),
            weak: trailer.is_some_and(|trailer| trailer.flags.weak),
        }
    }
}

/// A copy must lie within the basis.
pub(crate) fn check_copy(offset: u64, len: u64, basis_len: u64) -> Result<()> {
    if offset.checked_add(len).is_some_and(|end| end <= basis_len) {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Corrupt, "copy reaches past the end of the basis")
        .doing("reading a delta")
        .expected(format_args!("an end of at most {basis_len}"), format_args!("{offset} + {len}")))
}

pub(super) fn shrunk(offset: u64, expected: u64) -> Error {
    Error::new(ErrorKind::WrongBasis, "basis became shorter while it was read")
        .doing("applying a delta")
        .expected(format_args!("{expected} bytes"), offset)
}

/// Fails unless the basis has this fingerprint; both are named.
pub(super) fn verify_basis(basis: &dyn ReadAt, expected: &Fingerprint, options: &PatchOptions) -> Result<()> {
    let found = fingerprint_of(basis, expected, options)?;
    match expected.compare(&found) {
        Comparison::Equal => Ok(()),
        _ => Err(wrong_basis(expected, &found)),
    }
}

/// The fingerprint of the whole basis, over leaves as `expected` has them.
fn fingerprint_of(basis: &dyn ReadAt, expected: &Fingerprint, options: &PatchOptions) -> Result<Fingerprint> {
    let mut identity = IdentityBuilder::new(expected.leaf_len(), options.thread_count());
    let mut buffer = zeroed(WATCH_BYTES as usize)?;
    // Some devices never end; one byte too many is enough to tell that it is another.
    let end = basis.size()?.max(expected.length()).saturating_add(1);
    while identity.length() < end {
        let len = usize::try_from(end - identity.length()).unwrap_or(usize::MAX).min(buffer.len());
        match read_some(basis, &mut buffer[..len], identity.length())? {
            0 => break,
            len => identity.update(&buffer[..len]),
        }
        options.watch.step(Progress::default())?;
    }
    Ok(*identity.finish().fingerprint())
}

pub(super) fn wrong_basis(expected: &Fingerprint, found: &Fingerprint) -> Error {
    Error::new(ErrorKind::WrongBasis, "the delta was made against another basis")
        .doing("applying a delta")
        .expected(expected, found)
}

/// Holds the target, as it goes by, against what a sealed delta promises.
pub(super) struct TargetCheck {
    identity: Option<IdentityBuilder>,
    length: u64,
    wrong: bool,
}

impl TargetCheck {
    /// For a plain delta, which promises nothing.
    pub(super) fn none() -> Self {
        Self { identity: None, length: 0, wrong: false }
    }

    pub(super) fn new(header: &SealedHeader, threads: usize) -> Self {
        Self { identity: Some(IdentityBuilder::new(header.target_leaf_len(), threads)), length: 0, wrong: false }
    }

    /// Bytes under each leaf of what the target is held against, if anything.
    pub(super) fn leaf_len(&self) -> Option<u32> {
        self.identity.as_ref().map(IdentityBuilder::leaf_len)
    }

    /// Content that was summed elsewhere; what came before must end with a leaf.
    pub(super) fn summed(&mut self, len: u64, sums: &ContentSums) {
        self.length += len;
        if let Some(identity) = &mut self.identity {
            identity.summed(sums);
        }
    }

    pub(super) fn update(&mut self, content: &[u8]) {
        self.length += content.len() as u64;
        if let Some(identity) = &mut self.identity {
            identity.update(content);
        }
    }

    pub(super) fn zeros(&mut self, len: u64) {
        self.length += len;
        if let Some(identity) = &mut self.identity {
            identity.zeros(len);
        }
    }

    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Ends the target.
    pub(super) fn verify(&mut self, trailer: Option<&Trailer>) -> Result<()> {
        if self.wrong {
            return Err(Error::new(ErrorKind::State, "the result was found wrong before").doing("applying a delta"));
        }
        let result = self.compare(trailer);
        self.wrong = result.is_err();
        result
    }

    fn compare(&mut self, trailer: Option<&Trailer>) -> Result<()> {
        let (Some(identity), Some(trailer)) = (self.identity.take(), trailer) else { return Ok(()) };
        let (expected, found) = (trailer.identity, identity.finish());
        let mismatch = |what| Error::new(ErrorKind::Mismatch, what).doing("applying a delta");
        if expected.length() != found.length() {
            return Err(mismatch("result has the wrong length").expected(expected.length(), found.length()));
        }
        if expected.crc32() != found.crc32() {
            return Err(mismatch("result has the wrong checksum")
                .expected(format_args!("{:08x}", expected.crc32()), format_args!("{:08x}", found.crc32())));
        }
        if expected.fingerprint() != found.fingerprint() {
            return Err(
                mismatch("result has the wrong fingerprint").expected(expected.fingerprint(), found.fingerprint())
            );
        }
        Ok(())
    }
}
