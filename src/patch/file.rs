//! The whole form: from path to path, published whole or not at all.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::machine::{Produce, Produced};
use super::{Chain, PatchOptions, PatchReader, PatchSummary};
use crate::publish::PublishHoled;
use crate::read_at::{NoBasis, ReadAt};
use crate::{Error, Result};

/// Bytes produced before they are written.
const BUFFER_LEN: usize = 1 << 20;

/// Applies one delta to the file `basis` and publishes the result as `target`, which may be the same
/// path; without a basis the delta is that of a level 0.
///
/// The result is written beside `target` under a temporary name, held against the delta's trailer,
/// flushed to the disk and renamed. On any failure what was at `target` stays as it was. Runs of zeros
/// become holes.
///
/// # Errors
///
/// As reading a [`PatchReader`]; [`Exists`](crate::ErrorKind::Exists) when `target` is there and
/// [`PatchOptions::replace`] is off; whatever the delta's reader raises.
pub fn patch_file(
    basis: Option<&Path>,
    delta: impl Read,
    target: impl AsRef<Path>,
    options: PatchOptions,
) -> Result<PatchSummary> {
    patch_to_file(open_basis(basis)?, delta, None, target.as_ref(), options)
}

/// As [`patch_file`], on any basis, with a delta that may be in a file of this path.
pub(crate) fn patch_to_file(
    basis: impl ReadAt,
    delta: impl Read,
    delta_path: Option<&Path>,
    target: &Path,
    options: PatchOptions,
) -> Result<PatchSummary> {
    let publish = PublishHoled::new(target, options.replace)?;
    write_out(PatchReader::verifying_after(delta, basis, options)?, publish)
        .map_err(|error| error.in_stream(delta_path).aiming("restoring", target))
}

/// Applies the deltas of several levels to the file `basis`, in order and in one pass, and publishes the
/// result as `target` as [`patch_file`] does.
///
/// # Errors
///
/// As [`Chain::new`] and reading it; [`Exists`](crate::ErrorKind::Exists) when `target` is there and
/// [`PatchOptions::replace`] is off.
pub fn chain_file<D: ReadAt>(
    basis: Option<&Path>,
    deltas: Vec<D>,
    target: impl AsRef<Path>,
    options: PatchOptions,
) -> Result<PatchSummary> {
    chain_to_file(open_basis(basis)?, deltas, target.as_ref(), options)
}

/// As [`chain_file`], on any basis.
pub(crate) fn chain_to_file<D: ReadAt>(
    basis: impl ReadAt,
    deltas: Vec<D>,
    target: &Path,
    options: PatchOptions,
) -> Result<PatchSummary> {
    let publish = PublishHoled::new(target, options.replace)?;
    write_out(Chain::verifying_after(basis, deltas, options)?, publish)
        .map_err(|error| error.aiming("restoring", target))
}

pub(crate) fn open_basis(path: Option<&Path>) -> Result<Box<dyn ReadAt>> {
    let Some(path) = path else { return Ok(Box::new(NoBasis)) };
    let file = File::open(path).map_err(|error| Error::io("opening the basis", error).path(path))?;
    Ok(Box::new(file))
}

/// Writes all that comes out to the file and publishes it.
fn write_out(mut from: impl Produce, mut publish: PublishHoled) -> Result<PatchSummary> {
    let mut buffer = vec![0; BUFFER_LEN];
    loop {
        let written = match from.produce(&mut buffer)? {
            Produced::Bytes(len) => publish.put(&buffer[..len]),
            Produced::Zeros(len) => publish.skip(len),
            Produced::End => break,
        };
        written.map_err(|error| Error::io("writing", error))?;
    }
    let summary = from.summary()?;
    publish.commit()?;
    Ok(summary)
}
