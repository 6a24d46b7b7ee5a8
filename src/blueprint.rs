//! The blueprint's functions, under its own names.
//!
//! Source: the OpenStack Freezer blueprint *Add block based backup*, items 1 to 6. Where it has one
//! function with an optional signature there is one here with an `Option`; where it returns a
//! signature there is a [`LevelReader`] that ends with one. Each has a form with options.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::level::{LevelOptions, LevelReader};
use crate::patch::{PatchOptions, PatchSummary, patch_file};
use crate::signature::Signature;
use crate::{Error, Result};

/// The signature of a file, and its level: 0 without an existing signature, n against that of level n-1
/// (blueprint items 1 and 3).
///
/// Read the level's stream, then call `finish` for the new full signature; or call `finish` at once for
/// the signature alone. The file is read once.
///
/// # Errors
///
/// As [`LevelReader::open`].
///
/// # Examples
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let dir = tempfile::tempdir()?; let path = dir.path().join("disk.img");
/// std::fs::write(&path, "first content")?;
/// let mut storage = Vec::new();
///
/// let mut level = frazil::gen_sig_from_file(&path, None)?; // level 0
/// std::io::copy(&mut level, &mut storage)?;
/// let signature = level.finish()?;
///
/// std::fs::write(&path, "second content")?;
/// let mut level = frazil::gen_sig_from_file(&path, Some(&signature))?; // level 1
/// std::io::copy(&mut level, &mut storage)?;
/// assert_eq!(level.finish()?.length(), Some(14));
/// # Ok(()) }
/// ```
pub fn gen_sig_from_file(fs_path: impl AsRef<Path>, ex_signature: Option<&Signature>) -> Result<LevelReader<File>> {
    gen_sig_from_file_with(fs_path, ex_signature, LevelOptions::new())
}

/// As [`gen_sig_from_file`], with options.
///
/// # Errors
///
/// As [`LevelReader::open`].
pub fn gen_sig_from_file_with(
    fs_path: impl AsRef<Path>,
    ex_signature: Option<&Signature>,
    options: LevelOptions,
) -> Result<LevelReader<File>> {
    LevelReader::open(fs_path, ex_signature, options)
}

/// The signature of a stream, and its level: 0 without an existing signature, n against that of level
/// n-1 (blueprint items 2 and 4).
///
/// As [`gen_sig_from_file`], for anything that can be read: pipes, sockets, other adapters.
///
/// # Errors
///
/// As [`LevelReader::new`].
///
/// # Examples
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let pipe = &b"what comes through a pipe"[..];
/// let signature = frazil::gen_sig_from_stream(pipe, None)?.finish()?; // the signature alone
///
/// let pipe = &b"what comes through a pipe"[..];
/// let mut level = frazil::gen_sig_from_stream(pipe, Some(&signature))?; // level 1
/// let mut storage = Vec::new();
/// std::io::copy(&mut level, &mut storage)?;
/// assert_eq!(level.stats().literal_bytes, 0); // nothing has changed
/// level.finish()?;
/// # Ok(()) }
/// ```
pub fn gen_sig_from_stream<R: Read>(read_pipe: R, ex_signature: Option<&Signature>) -> Result<LevelReader<R>> {
    gen_sig_from_stream_with(read_pipe, ex_signature, LevelOptions::new())
}

/// As [`gen_sig_from_stream`], with options.
///
/// # Errors
///
/// As [`LevelReader::new`].
pub fn gen_sig_from_stream_with<R: Read>(
    read_pipe: R,
    ex_signature: Option<&Signature>,
    options: LevelOptions,
) -> Result<LevelReader<R>> {
    LevelReader::new(read_pipe, ex_signature, options)
}

/// Applies a delta to a file (blueprint item 5).
///
/// Without a pipe, `source` is a delta in a file and is applied to `destination`, as
/// [`patch_from_stream`] does with a pipe. With one, `source` is the basis, the pipe carries the delta,
/// and `destination` is created.
///
/// # Errors
///
/// As [`patch_file`]; [`Exists`](crate::ErrorKind::Exists) when there is something at a `destination` that is to be
/// created.
///
/// # Examples
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let dir = tempfile::tempdir()?; let at = |name: &str| dir.path().join(name);
/// std::fs::write(at("old"), "the old content")?;
/// let signature = frazil::gen_sig_from_file(at("old"), None)?.finish()?;
/// std::fs::write(at("new"), "the new content")?;
/// let mut level = frazil::gen_sig_from_file(at("new"), Some(&signature))?;
/// std::io::copy(&mut level, &mut std::fs::File::create(at("delta"))?)?;
/// level.finish()?;
///
/// // The basis is a file and the delta comes through a pipe.
/// let mut pipe = std::fs::File::open(at("delta"))?;
/// frazil::patch_from_file(at("old"), at("restored"), Some(&mut pipe))?;
/// assert_eq!(std::fs::read(at("restored"))?, b"the new content");
///
/// // The delta is a file, and the old content becomes the new.
/// frazil::patch_from_file(at("delta"), at("old"), None)?;
/// assert_eq!(std::fs::read(at("old"))?, b"the new content");
/// # Ok(()) }
/// ```
pub fn patch_from_file(
    source: impl AsRef<Path>,
    destination: impl AsRef<Path>,
    read_pipe: Option<&mut dyn Read>,
) -> Result<PatchSummary> {
    patch_from_file_with(source, destination, read_pipe, PatchOptions::new())
}

/// As [`patch_from_file`], with options; [`PatchOptions::replace`] lets `destination` be replaced.
///
/// # Errors
///
/// As [`patch_from_file`].
pub fn patch_from_file_with(
    source: impl AsRef<Path>,
    destination: impl AsRef<Path>,
    read_pipe: Option<&mut dyn Read>,
    options: PatchOptions,
) -> Result<PatchSummary> {
    let source = source.as_ref();
    match read_pipe {
        Some(delta) => patch_file(Some(source), delta, destination, options),
        None => {
            let delta = File::open(source).map_err(|error| Error::io("opening the delta", error).path(source))?;
            patch_from_stream_with(delta, destination, options)
        }
    }
}

/// Applies the delta that streams out of a pipe (blueprint item 6): a level 0 creates `destination`, a
/// level n turns the file that is there into its next state, whole or not at all.
///
/// A plain delta does not say which level it is of, and is applied to the file that is there, if one is.
///
/// # Errors
///
/// As [`patch_file`]. A level 0 over a file that is there fails with [`WrongBasis`](crate::ErrorKind::WrongBasis): its basis
/// is no bytes.
///
/// # Examples
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let dir = tempfile::tempdir()?; let restored = dir.path().join("restored");
/// # use std::io::Read;
/// # let mut level0 = Vec::new(); let mut level1 = Vec::new();
/// let mut level = frazil::gen_sig_from_stream(&b"Monday"[..], None)?;
/// level.read_to_end(&mut level0)?;
/// let signature = level.finish()?;
/// frazil::gen_sig_from_stream(&b"Tuesday"[..], Some(&signature))?.read_to_end(&mut level1)?;
///
/// frazil::patch_from_stream(&level0[..], &restored)?;
/// assert_eq!(std::fs::read(&restored)?, b"Monday");
/// frazil::patch_from_stream(&level1[..], &restored)?;
/// assert_eq!(std::fs::read(&restored)?, b"Tuesday");
/// # Ok(()) }
/// ```
pub fn patch_from_stream(read_pipe: impl Read, destination: impl AsRef<Path>) -> Result<PatchSummary> {
    patch_from_stream_with(read_pipe, destination, PatchOptions::new())
}

/// As [`patch_from_stream`], with options; [`PatchOptions::replace`] lets a level 0 replace a file that is
/// there.
///
/// # Errors
///
/// As [`patch_from_stream`].
pub fn patch_from_stream_with(
    read_pipe: impl Read,
    destination: impl AsRef<Path>,
    options: PatchOptions,
) -> Result<PatchSummary> {
    let destination = destination.as_ref();
    let is_there = destination.try_exists().map_err(|error| Error::io("looking at", error).path(destination))?;
    if !is_there {
        return patch_file(None, read_pipe, destination, options);
    }
    let level_0_replaces = options.replace;
    patch_file(Some(destination), read_pipe, destination, PatchOptions { level_0_replaces, ..options.replace(true) })
}
