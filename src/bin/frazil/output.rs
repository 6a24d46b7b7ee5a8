//! Outputs: files that appear whole or not at all, and streams that are written as they come.

use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use frazil::Publish;

use crate::failure::Failure;
use crate::place::Place;

/// Something opened to be written from start to end.
#[derive(Debug)]
pub(crate) struct Output {
    name: String,
    target: Target,
    written: Arc<AtomicU64>,
}

#[derive(Debug)]
enum Target {
    /// A file that comes to be there on commit.
    Published(Publish),
    /// Standard output, a pipe or a device: there is nothing to replace.
    Direct(File),
}

impl Output {
    /// Opens a place for writing; what is there already is replaced only when `force` is set.
    pub(crate) fn create(place: &Place, force: bool) -> Result<Self, Failure> {
        let name = place.as_output();
        let failed = |error| Failure::io(format_args!("opening {name}"), error);
        let target = match place {
            Place::Standard => Target::Direct(File::from(io::stdout().as_fd().try_clone_to_owned().map_err(failed)?)),
            Place::Path(path) if is_special(place) => {
                let file = File::options().write(true).open(path).map_err(failed)?;
                if !force && file.metadata().map_err(failed)?.file_type().is_block_device() {
                    return Err(Failure::new(format!("{name}: is a block device, whose content would be lost"))
                        .advise("give --force to write over it"));
                }
                Target::Direct(file)
            }
            Place::Path(path) if path.is_dir() => {
                return Err(Failure::new(format!("{name}: is a directory")));
            }
            Place::Path(path) => {
                Target::Published(Publish::new(path, force).map_err(|error| Failure::of(&name, error))?)
            }
        };
        Ok(Self { name, target, written: Arc::default() })
    }

    /// As [`Output::create`], for what no terminal can show.
    pub(crate) fn create_binary(place: &Place, force: bool) -> Result<Self, Failure> {
        if *place == Place::Standard && io::stdout().is_terminal() {
            return Err(Failure::usage("standard output is a terminal, and this is not text")
                .advise("name a file, or pipe it on"));
        }
        Self::create(place, force)
    }

    /// As [`Output::create_binary`], for what its owner alone should read.
    pub(crate) fn create_private(place: &Place, force: bool) -> Result<Self, Failure> {
        let mut output = Self::create_binary(place, force)?;
        if let Target::Published(publish) = &mut output.target {
            let owner_alone = std::fs::Permissions::from_mode(0o600);
            publish.file().set_permissions(owner_alone).map_err(|error| Failure::io(&output.name, error))?;
        }
        Ok(output)
    }

    /// The file that is written.
    pub(crate) fn file(&mut self) -> &File {
        match &mut self.target {
            Target::Published(publish) => publish.file(),
            Target::Direct(file) => file,
        }
    }

    /// A writer of its own, for whoever must own one.
    pub(crate) fn writer(&mut self) -> Result<Counted, Failure> {
        let file = match &mut self.target {
            Target::Published(publish) => publish.file().try_clone(),
            Target::Direct(file) => file.try_clone(),
        };
        let file = file.map_err(|error| Failure::io(&self.name, error))?;
        Ok(Counted { name: self.name.clone(), file, written: self.written.clone() })
    }

    /// Bytes written so far.
    pub(crate) fn written(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }

    /// Puts a file in its place; what was written directly is there already.
    pub(crate) fn commit(self) -> Result<(), Failure> {
        match self.target {
            Target::Published(publish) => publish.commit().map_err(|error| Failure::of(&self.name, error)),
            Target::Direct(file) => {
                let is_block = file.metadata().is_ok_and(|data| data.file_type().is_block_device());
                if is_block { file.sync_all().map_err(|error| Failure::io(&self.name, error)) } else { Ok(()) }
            }
        }
    }
}

/// Puts an output in its place, and then the one at `place`, which is of no use without it; both were made against
/// `basis`.
pub(crate) fn commit_both(
    output: Output,
    (dependent, place): (Output, &Place),
    basis: Option<&Place>,
) -> Result<(), Failure> {
    // Over its own basis it replaces what belongs to the level below, which has another place.
    let is_over_basis = basis.is_some_and(|basis| place.is_same_output(basis));
    match (output.target, dependent.target) {
        (Target::Published(first), Target::Published(second)) if !is_over_basis => {
            first.commit_before(second).map_err(|error| Failure::of(&output.name, error))
        }
        (first, second) => {
            Output { target: first, ..output }.commit()?;
            Output { target: second, ..dependent }.commit()
        }
    }
}

/// Whether there is something at the place that is written as it is: a device, a fifo or a socket.
pub(crate) fn is_special(place: &Place) -> bool {
    let data = place.path().and_then(|path| std::fs::metadata(path).ok());
    data.is_some_and(|data| !data.is_file() && !data.is_dir())
}

/// Counts what it writes, and names the place when that fails.
#[derive(Debug)]
pub(crate) struct Counted {
    name: String,
    file: File,
    written: Arc<AtomicU64>,
}

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let len = match self.file.write(bytes) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => {
                return Err(io::Error::new(error.kind(), format!("writing {}: {error}", self.name)));
            }
            result => result?,
        };
        self.written.fetch_add(len as u64, Ordering::Relaxed);
        Ok(len)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
