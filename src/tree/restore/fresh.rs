//! A destination that is made for what is restored to it.

use std::fs::File;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use super::Confined;
use super::pinned::permissions;
use crate::publish::directory_of;
use crate::{Error, Result};

/// Makes the directory with the mode that the umask leaves of this, and says whether it was not there.
pub(super) fn make_directory(destination: &Path, mode: u32) -> Result<bool> {
    match std::fs::DirBuilder::new().mode(mode).create(destination) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(false),
        result => result.map(|()| true).map_err(|error| Error::io("making", error).path(destination)),
    }
}

/// Makes its name durable.
pub(super) fn flush_name(destination: &Path) -> Result<()> {
    let above = directory_of(destination);
    let flushed = File::open(above).and_then(|above| above.sync_all());
    flushed.map_err(|error| Error::io("flushing", error).path(above))
}

/// Gives a destination that was closed the mode of any directory that is made: the level has none for it, as that of a
/// single file.
pub(super) fn open_to_others(destination: &Confined) -> Result<()> {
    let set = || {
        let held = destination.pin(b"")?;
        // Its set-group-ID bit is that of the directory it is in.
        held.set_mode(permissions(held.stat().st_mode) & 0o7000 | 0o777 & !umask())
    };
    set().map_err(|error| Error::io("setting the mode of", error.into()).path(destination.display(b"")))
}

/// Without changing it, which would change it for all threads; that of most systems where it is not told.
fn umask() -> u32 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let umask = status.lines().find_map(|line| line.strip_prefix("Umask:"));
    umask.and_then(|umask| u32::from_str_radix(umask.trim(), 8).ok()).unwrap_or(0o022)
}
