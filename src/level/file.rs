//! The whole form: from path to path, published whole or not at all.

use std::io::{self, Write};
use std::path::Path;

use super::{LevelBasis, LevelOptions, LevelReader, LevelSummary};
use crate::publish::Publish;
use crate::{Format, Result};

/// Makes the level of the file `source` against `basis` and publishes its stream as the new file `level`.
///
/// # Errors
///
/// As [`LevelReader::open`]; [`Exists`](crate::ErrorKind::Exists) when there is something at `level`
/// already. On any failure nothing is left there.
///
/// # Examples
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let dir = tempfile::tempdir()?; let at = |name: &str| dir.path().join(name);
/// use frazil::{LevelOptions, level_file};
///
/// std::fs::write(at("disk.img"), "first content")?;
/// let summary = level_file(at("disk.img"), None, at("level.0"), LevelOptions::new())?;
/// let signature = summary.signature.ok_or("held unless it is told not to be")?;
/// level_file(at("disk.img"), &signature, at("level.1"), LevelOptions::new())?;
/// # Ok(()) }
/// ```
pub fn level_file(
    source: impl AsRef<Path>,
    basis: impl Into<LevelBasis>,
    level: impl AsRef<Path>,
    options: LevelOptions,
) -> Result<LevelSummary> {
    level_file_with(source.as_ref(), basis.into(), level.as_ref(), options, None::<(io::Sink, _)>)
}

/// As [`level_file`], with somewhere for the new signature to go to.
pub(crate) fn level_file_with(
    source: &Path,
    basis: LevelBasis,
    level: &Path,
    options: LevelOptions,
    signature_to: Option<(impl Write + Send + 'static, Format)>,
) -> Result<LevelSummary> {
    let mut publish = Publish::new(level, false)?;
    let mut reader = LevelReader::open(source, basis, options)?;
    if let Some((sink, format)) = signature_to {
        reader = reader.signature_to(sink, format)?;
    }
    let written = reader.write_to(publish.file());
    let summary = written.map_err(|error| error.while_doing("making a level of").path(source))?;
    publish.commit()?;
    Ok(summary)
}
