//! The whole form: from path to path, published whole or not at all.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::apply::apply;
use super::machine::Plan;
use super::{Chain, PatchOptions, PatchReader, PatchSummary};
use crate::publish::Publish;
use crate::read_at::{NoBasis, ReadAt};
use crate::{Error, Result};

/// Applies one delta to the file `basis` and publishes the result as `target`, which may be the same
/// path; without a basis the delta is that of a level 0.
///
/// The result is written beside `target` under a temporary name, held against the delta's trailer,
/// flushed to the disk and renamed. On any failure what was at `target` stays as it was. Runs of zeros
/// become holes; what is unchanged shares its extents with the basis where the file system can.
///
/// The delta is read by the calling thread alone, some MiB of the target ahead of what is written.
/// It takes 1 MiB of memory for each thread, and the parts of the delta that are being parsed.
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
    let publish = Publish::new(target, options.replace)?;
    let threads = options.thread_count();
    let patch = PatchReader::verifying_after(delta, &basis, options)?;
    write_out(patch, &basis, publish, threads).map_err(|error| error.in_stream(delta_path).aiming("restoring", target))
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
    let publish = Publish::new(target, options.replace)?;
    let threads = options.thread_count();
    // What is wrong with a delta is found before there is anything to restore to.
    let chain = Chain::verifying_after(&basis, deltas, options)?;
    write_out(chain, &basis, publish, threads).map_err(|error| error.aiming("restoring", target))
}

pub(crate) fn open_basis(path: Option<&Path>) -> Result<Box<dyn ReadAt>> {
    let Some(path) = path else { return Ok(Box::new(NoBasis)) };
    let file = File::open(path).map_err(|error| Error::io("opening the basis", error).path(path))?;
    Ok(Box::new(file))
}

/// Writes all that is planned to the file and publishes it.
fn write_out(mut plan: impl Plan, basis: &dyn ReadAt, mut publish: Publish, threads: usize) -> Result<PatchSummary> {
    let summary = apply(&mut plan, basis, publish.file(), threads)?;
    publish.commit()?;
    Ok(summary)
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::thread::ThreadId;

    use super::*;
    use crate::{ErrorKind, LevelOptions, LevelReader};

    /// A basis that is no file, is read by one thread alone, and cannot be read from some place on.
    struct Shy<'a> {
        content: &'a [u8],
        reader: ThreadId,
        until: u64,
    }

    impl ReadAt for Shy<'_> {
        fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
            assert_eq!(std::thread::current().id(), self.reader);
            if offset >= self.until {
                return Err(io::Error::from_raw_os_error(libc::EIO));
            }
            // Some readers give little at a time.
            let len = buffer.len().min(30_000);
            self.content.read_at(&mut buffer[..len], offset)
        }

        fn size(&self) -> io::Result<u64> {
            self.content.size()
        }
    }

    #[test]
    fn a_basis_that_is_no_file_is_read_by_the_caller_alone_and_its_error_is_kept() {
        let basis: Vec<u8> = (0..3_000_000_u32).map(|at| (at.wrapping_mul(at) >> 9) as u8).collect();
        let mut content = basis.clone();
        content[1_000_000] ^= 1;
        let signature = LevelReader::new(&basis[..], None, LevelOptions::new()).and_then(LevelReader::finish).unwrap();
        let mut delta = Vec::new();
        LevelReader::new(&content[..], &signature, LevelOptions::new()).unwrap().read_to_end(&mut delta).unwrap();
        let dir = tempfile::tempdir().unwrap();
        for threads in [1, 2, 5] {
            let options = || PatchOptions::new().threads(threads).replace(true);
            for (name, until) in [("whole", u64::MAX), ("broken", 2_000_000)] {
                let shy = || Shy { content: &basis, reader: std::thread::current().id(), until };
                let target = dir.path().join(name);
                let patched = patch_to_file(shy(), &delta[..], None, &target, options());
                let chained = chain_to_file(shy(), vec![&delta], &target, options());
                for result in [patched, chained] {
                    if until == u64::MAX {
                        result.unwrap();
                        assert!(std::fs::read(&target).unwrap() == content);
                    } else {
                        let error = result.unwrap_err();
                        let source = std::error::Error::source(&error);
                        let source = source.and_then(|source| source.downcast_ref::<io::Error>());
                        assert_eq!((error.kind(), source.unwrap().raw_os_error()), (ErrorKind::Io, Some(libc::EIO)));
                        assert!(!target.exists());
                    }
                }
            }
        }
    }
}
