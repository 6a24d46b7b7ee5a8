//! Files that appear whole or not at all.
//!
//! A file is written beside its place under a recognisable name, flushed to the disk and renamed; then
//! the directory is flushed. Dropped before that, it leaves nothing.

use std::ffi::OsString;
use std::fs::{File, Metadata, OpenOptions, Permissions};
use std::io::{self, Seek, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::engine::is_zeros;
use crate::{Error, ErrorKind, Result};

/// Between the name and the random letters of a temporary file.
const MARK: &str = ".frazil-";

/// What the name of a temporary file ends with.
const SUFFIX: &str = ".tmp";

/// The shortest run of zeros that becomes a hole: a page of most systems, and a block of most file systems.
const HOLE_MIN: usize = 4096;

/// A file on its way to its place, where it appears whole or not at all.
///
/// It is written beside its place under a temporary name, and dropped without [`Publish::commit`] it
/// leaves nothing. The whole forms and [`Signature::save`](crate::Signature::save) publish through it; it
/// is there for what is written by push or pull.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let dir = tempfile::tempdir()?; let path = dir.path().join("level.0");
/// let mut level = frazil::gen_sig_from_stream(&b"content"[..], None)?;
/// let mut publish = frazil::Publish::new(&path, false)?;
/// std::io::copy(&mut level, publish.file())?;
/// level.finish()?;
/// assert!(!path.exists());
/// publish.commit()?;
/// assert!(path.exists());
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Publish {
    temporary: NamedTempFile,
    path: PathBuf,
    /// Opened beforehand, so that nothing can fail after the file is in its place but its flushing.
    directory: File,
    replace: bool,
}

impl Publish {
    /// Opens a temporary file beside `path`, with the owner and the permissions of the file there if it
    /// will be replaced.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Exists`] when something is there and `replace` is false; [`ErrorKind::InvalidInput`]
    /// when what is there is no regular file.
    pub fn new(path: impl AsRef<Path>, replace: bool) -> Result<Self> {
        let path = path.as_ref();
        let io = |doing: &'static str| move |error| Error::io(doing, error).path(path);
        if path.file_name().is_none() {
            return Err(Error::new(ErrorKind::InvalidInput, "not the name of a file").doing("creating").path(path));
        }
        let directory = directory_of(path);
        let old = match std::fs::symlink_metadata(path) {
            Ok(_) if !replace => return Err(exists(path)),
            Ok(old) if !old.is_file() => {
                return Err(Error::new(ErrorKind::InvalidInput, "only a regular file can be replaced")
                    .doing("replacing")
                    .path(path));
            }
            Ok(old) => Some(old),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(io("looking at")(error)),
        };
        // What any new file gets, less the umask; a temporary file's 0600 would outlive the rename.
        let mode = if old.is_none() { 0o666 } else { 0o600 };
        // Opened here, since what tempfile opens itself fails without the operating system's number.
        let open = |path: &Path| OpenOptions::new().read(true).write(true).create_new(true).mode(mode).open(path);
        let parent = File::open(directory).map_err(|error| Error::io("opening", error).path(directory))?;
        let mut builder = tempfile::Builder::new();
        let made = builder.prefix(&temporary_prefix(path)).suffix(SUFFIX).make_in(directory, open);
        let temporary = made.map_err(io("creating a temporary file beside"))?;
        if let Some(old) = old {
            take_over(temporary.as_file(), &old).map_err(io("setting the permissions for"))?;
        }
        Ok(Self { temporary, path: path.to_owned(), directory: parent, replace })
    }

    /// Whether files published at the two paths would take one place: the same name in the same directory, however
    /// each is spelt. Where a directory is not there, only the same spelling is the same place.
    pub fn is_same_place(a: impl AsRef<Path>, b: impl AsRef<Path>) -> bool {
        let place = |path: &Path| Some((directory_of(path).canonicalize().ok()?, path.file_name()?.to_owned()));
        let (a, b) = (a.as_ref(), b.as_ref());
        a == b || place(a).is_some_and(|a| place(b) == Some(a))
    }

    /// The temporary file.
    pub fn file(&mut self) -> &mut File {
        self.temporary.as_file_mut()
    }

    /// Flushes the file to the disk and puts it in its place.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Exists`] when something has come to be there meanwhile and was not to be replaced.
    pub fn commit(self) -> Result<()> {
        self.flush()?;
        self.put_in_place()?.flush()
    }

    /// Publishes this file, and then one that is of no use without it: a level and its signature, an archive and its
    /// snapshot.
    ///
    /// Whenever it is cut short, what is there of the two was made together, or the first is there without the
    /// second: an old second file that a new first one would belie is gone before that is in its place.
    ///
    /// # Errors
    ///
    /// As [`Publish::commit`]. If it is the first file that cannot be put in its place, both places have what they had.
    pub fn commit_before(self, dependent: Self) -> Result<()> {
        // All that may lack room comes before anything is touched.
        self.flush()?;
        dependent.flush()?;
        let is_replacing = self.replace && self.path.symlink_metadata().is_ok();
        let aside = if is_replacing { Aside::take(&dependent)? } else { None };
        match self.put_in_place() {
            Ok(placed) => placed.flush()?,
            Err(error) => {
                if let Some(aside) = aside {
                    aside.put_back(&dependent)?;
                }
                return Err(error);
            }
        }
        dependent.put_in_place()?.flush()
    }

    fn flush(&self) -> Result<()> {
        self.temporary.as_file().sync_all().map_err(|error| Error::io("flushing", error).path(&self.path))
    }

    fn put_in_place(self) -> Result<Placed> {
        let Self { temporary, path, directory, replace } = self;
        let persisted = if replace { temporary.persist(&path) } else { temporary.persist_noclobber(&path) };
        match persisted {
            Ok(_) => Ok(Placed { path, directory }),
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Err(exists(&path)),
            Err(error) => Err(Error::io("publishing", error.error).path(&path)),
        }
    }
}

/// A file in its place, whose name may yet be lost.
struct Placed {
    path: PathBuf,
    directory: File,
}

impl Placed {
    fn flush(&self) -> Result<()> {
        flush_directory(&self.directory, &self.path)
    }
}

/// What was at a place, under a temporary name beside it; dropped, it is gone.
struct Aside(NamedTempFile<()>);

impl Aside {
    /// Takes what `publish` is to replace out of its place, if there is anything; that will not come back by itself.
    fn take(publish: &Publish) -> Result<Option<Self>> {
        let Publish { path, directory, .. } = publish;
        let prefix = temporary_prefix(path);
        let made = tempfile::Builder::new()
            .prefix(&prefix)
            .suffix(SUFFIX)
            .make_in(directory_of(path), |aside| std::fs::rename(path, aside));
        let aside = match made {
            Ok(aside) => Self(aside),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::io("setting aside", error).path(path)),
        };
        match flush_directory(directory, path) {
            Ok(()) => Ok(Some(aside)),
            Err(error) => aside.put_back(publish).and(Err(error)),
        }
    }

    fn put_back(self, publish: &Publish) -> Result<()> {
        let Publish { path, directory, .. } = publish;
        self.0.persist(path).map_err(|error| {
            // Better under another name than lost.
            let _ = error.file.keep();
            Error::io("putting back", error.error).path(path)
        })?;
        flush_directory(directory, path)
    }
}

/// What the name of a temporary file beside `path` begins with.
fn temporary_prefix(path: &Path) -> OsString {
    let mut prefix = OsString::from(".");
    prefix.push(path.file_name().unwrap_or_default());
    prefix.push(MARK);
    // A name of up to 255 bytes must leave room for the mark.
    if prefix.len() > 200 { MARK.into() } else { prefix }
}

/// Makes the names in the directory of `path` durable.
fn flush_directory(directory: &File, path: &Path) -> Result<()> {
    directory.sync_all().map_err(|error| Error::io("flushing the directory", error).path(directory_of(path)))
}

/// A file to be published that is written from its start to its end, in which runs of zeros become holes.
#[derive(Debug)]
pub(crate) struct PublishHoled {
    publish: Publish,
    /// Whether it ends with a hole, which is not there until its length is set.
    hole: bool,
}

impl PublishHoled {
    pub(crate) fn new(path: impl AsRef<Path>, replace: bool) -> Result<Self> {
        Ok(Self { publish: Publish::new(path, replace)?, hole: false })
    }

    /// Leaves out so many zeros.
    fn skip(&mut self, len: u64) -> io::Result<()> {
        let ahead = i64::try_from(len).map_err(|_| io::Error::from(io::ErrorKind::FileTooLarge))?;
        self.publish.file().seek_relative(ahead)?;
        self.hole = true;
        Ok(())
    }

    /// Writes what is known not to be a hole.
    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.publish.file().write_all(bytes)?;
        self.hole = self.hole && bytes.is_empty();
        Ok(())
    }

    pub(crate) fn commit(mut self) -> Result<()> {
        if self.hole {
            let file = self.publish.file();
            let ended = file.stream_position().and_then(|len| file.set_len(len));
            ended.map_err(|error| Error::io("writing", error))?;
        }
        self.publish.commit()
    }
}

impl Write for PublishHoled {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match bytes.len() >= HOLE_MIN && is_zeros(bytes) {
            true => self.skip(bytes.len() as u64)?,
            false => self.put(bytes)?,
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn exists(path: &Path) -> Error {
    Error::new(ErrorKind::Exists, "is there already, and was not to be replaced").doing("writing").path(path)
}

/// The directory that a path is in.
pub(crate) fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Gives the new file the owner and the permissions of the old; without the owner, no set-id bits, which
/// would lend the rights of whoever runs this.
fn take_over(new: &File, old: &Metadata) -> io::Result<()> {
    let mode = match std::os::unix::fs::fchown(new, Some(old.uid()), Some(old.gid())) {
        Ok(()) => old.mode(),
        Err(_) => old.mode() & !0o6000,
    };
    new.set_permissions(Permissions::from_mode(mode & 0o7777))
}
