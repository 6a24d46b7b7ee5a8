//! The walk over a tree, in the order in which everything about a tree comes.
//!
//! Every name is looked up in the descriptor of its directory, so that no path is too long, nothing is
//! changed that threads share, and a link that is put in the way is not followed. A directory's names are
//! sorted before the first is given; what is gone or cannot be read is a step of its own, and the walk goes
//! on. The directory in which a restore works is an entry, but not entered.

mod ahead;
mod listing;
mod look;
mod read_ahead;
mod stack;
#[cfg(test)]
mod tests;
mod visits;

pub(crate) use read_ahead::ReadAhead;
pub(crate) use visits::Visits;

use std::ffi::OsStr;
use std::mem;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{AtFlags, CWD, OFlags, fstat, statat};
use rustix::io::Errno;

use self::listing::Listing;
use self::look::{look, open, open_directory};
use self::stack::{Frame, Stack};
use super::descriptors;
use super::metadata::EntryKind;
use super::path::{NAME_MAX, PATH_MAX, RESTORE_NAME};
use super::select::{Selection, Selector};
use super::sorter::Sorted;
use super::stat::Stat;
use crate::{Error, ErrorKind, Result};

/// How many links to directories lead to any entry of a walk that follows them: as many as Linux follows in
/// one path. Each holds a descriptor.
const LINKS_MAX: usize = 40;

#[derive(Clone, Debug, Default)]
pub(crate) struct WalkOptions {
    pub(crate) selection: Selection,
    /// Whether links are taken for what they lead to. One that leads nowhere is an entry itself, and so is
    /// one that leads back to a directory that it is in.
    pub(crate) dereference: bool,
}

/// What a walk may hold.
#[derive(Clone, Copy, Debug)]
struct Limits {
    /// Bytes of the names of each directory; what is beyond goes through a temporary file.
    names: usize,
    /// Descriptors of directories.
    descriptors: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { names: 8 << 20, descriptors: descriptors::for_directories() }
    }
}

/// What the walk comes upon; [`Walk::path`] says where.
#[derive(Debug)]
pub(crate) enum Step {
    /// An entry. Each directory is left again, whether it could be entered or not.
    Entry,
    /// A directory has been walked, or passed over.
    Leave,
    /// It was gone before more was known of it than its name, or of a directory than its entry.
    Vanished,
    /// Nothing more is known of what is there: an entry without its `Entry`, or what is in a directory that
    /// could not be opened, or not listed to its end. What is missing below has not been deleted.
    Unreadable(Error),
    /// The entry before was given other than it was asked for.
    Problem(Error),
}

/// Goes from step to step. What the methods say is true until the next.
pub(crate) struct Walk {
    root: PathBuf,
    selector: Selector,
    dereference: bool,
    /// The file system of the root.
    device: u64,
    /// The root is no directory: it is the only entry, and the only frame is the directory that holds it.
    single: bool,
    stack: Stack,
    path: Vec<u8>,
    stat: Stat,
    stage: Stage,
    problem: Option<Error>,
    listing: Listing,
}

/// What comes next.
enum Stage {
    /// The root, which is known already.
    Root(Option<Directory>),
    /// What is in the directory whose entry was given.
    Directory(Directory),
    /// Leaving the directory whose entry was given.
    Leave,
    /// The next name of the innermost directory.
    Name,
}

/// What to do with a directory after its entry.
enum Directory {
    Enter {
        descriptor: Arc<OwnedFd>,
        through_link: bool,
    },
    /// Another file system, opened if it was found to be one only then.
    Pass(Option<Arc<OwnedFd>>),
    Fail(Errno),
}

impl Walk {
    /// A link to a directory is followed, as the root alone. A root that is no directory is walked as one
    /// entry, with its last name for a path.
    pub(crate) fn new(root: &Path, options: WalkOptions) -> Result<Self> {
        Self::with_limits(root, options, Limits::default())
    }

    fn with_limits(root: &Path, options: WalkOptions, limits: Limits) -> Result<Self> {
        let WalkOptions { selection, dereference } = options;
        let selector = selection.compile()?;
        let failed = |errno: Errno| Error::io("opening", errno.into()).path(root);
        let single = match statat(CWD, root, AtFlags::empty()) {
            Ok(stat) => !Stat::from(stat).is(EntryKind::Directory),
            // A link that leads nowhere is an entry too.
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::ACCESS) => true,
            Err(errno) => return Err(failed(errno)),
        };
        let opened = if single {
            // Whatever is wrong with the root itself is said of it, not of the directory that holds it.
            statat(CWD, root, AtFlags::SYMLINK_NOFOLLOW).map_err(failed)?;
            let parent = root.parent().filter(|parent| !parent.as_os_str().is_empty());
            open(CWD, parent.unwrap_or(Path::new(".")).as_os_str().as_bytes(), OFlags::DIRECTORY)
        } else {
            open(CWD, root.as_os_str().as_bytes(), OFlags::DIRECTORY)
        };
        let descriptor = Arc::new(opened.map_err(failed)?);
        let stat = Stat::from(fstat(&descriptor).map_err(failed)?);
        if selector.excludes_flagged(descriptor.as_fd(), b".", false) == Err(Errno::NOSYS) {
            let what = "this system does not tell which files have the flag nodump";
            return Err(Error::new(ErrorKind::Unsupported, what).expected("Linux 4.11 or newer", "an older one"));
        }
        let mut walk = Self {
            root: root.to_owned(),
            selector,
            dereference,
            device: stat.device,
            single,
            stack: Stack::new(limits.descriptors),
            path: Vec::new(),
            stat,
            stage: Stage::Root(None),
            problem: None,
            listing: Listing::new(limits.names),
        };
        if single {
            walk.path.extend_from_slice(root.file_name().unwrap_or_default().as_bytes());
            walk.stack.push(Frame::new(descriptor, stat, false, Sorted::default(), 0));
        } else {
            walk.stage = Stage::Root(Some(Directory::Enter { descriptor, through_link: false }));
        }
        Ok(walk)
    }

    /// Goes one step further; `None` at the end. An error is no fault of the tree, and ends the walk: too many
    /// files are open, or there is no room for the names of a directory.
    pub(crate) fn advance(&mut self) -> Result<Option<Step>> {
        if let Some(problem) = self.problem.take() {
            return Ok(Some(Step::Problem(problem)));
        }
        match mem::replace(&mut self.stage, Stage::Name) {
            Stage::Root(Some(directory)) => {
                self.stage = Stage::Directory(directory);
                return Ok(Some(Step::Entry));
            }
            Stage::Root(None) => {
                if let Some(step) = self.examine(0) {
                    return Ok(Some(step));
                }
            }
            Stage::Directory(Directory::Enter { descriptor, through_link }) => {
                let (names, failure) = self.listing.names(descriptor.as_fd(), &self.selector)?;
                self.stack.push(Frame::new(descriptor, self.stat, through_link, names, self.path.len()));
                if let Some(errno) = failure {
                    return Ok(Some(self.unreadable("listing", errno)));
                }
            }
            Stage::Directory(Directory::Fail(errno)) => {
                self.stage = Stage::Leave;
                return match self.unreadable("opening", errno) {
                    Step::Unreadable(error) if descriptors::is_shortage(&error) => Err(error),
                    step => Ok(Some(step)),
                };
            }
            Stage::Directory(Directory::Pass(_)) | Stage::Leave => return Ok(Some(Step::Leave)),
            Stage::Name => {}
        }
        self.next_name()
    }

    /// Where the last step was, relative to the root, which is the empty path.
    pub(crate) fn path(&self) -> &[u8] {
        &self.path
    }

    fn os_path(&self) -> PathBuf {
        os_path(&self.root, self.single, &self.path)
    }

    /// What is known of the entry, or of the directory that is left as it was when it was entered.
    pub(crate) fn stat(&self) -> &Stat {
        &self.stat
    }

    /// The directory that holds the entry; `None` for the root.
    fn directory(&self) -> Option<&Arc<OwnedFd>> {
        self.stack.top().and_then(Frame::descriptor)
    }

    /// The directory that the entry is, where it could be opened.
    fn opened(&self) -> Option<&Arc<OwnedFd>> {
        match &self.stage {
            Stage::Directory(Directory::Enter { descriptor, .. } | Directory::Pass(Some(descriptor))) => {
                Some(descriptor)
            }
            _ => None,
        }
    }

    /// Whether the directory that the entry is will not be entered, since it is of another file system.
    fn is_passed(&self) -> bool {
        matches!(&self.stage, Stage::Directory(Directory::Pass(_)))
    }

    fn next_name(&mut self) -> Result<Option<Step>> {
        loop {
            let Some(frame) = self.stack.top_mut() else { return Ok(None) };
            let start = frame.path_len + usize::from(frame.path_len > 0);
            let Some(name) = frame.names.next()? else {
                self.path.truncate(frame.path_len);
                self.stat = frame.stat;
                self.stack.pop();
                let end = self.single && self.stack.top().is_none();
                return Ok(if end { None } else { Some(Step::Leave) });
            };
            // The name before is still in the path; a directory that changes may list one twice.
            if self.path.get(start..) == Some(name) {
                continue;
            }
            self.path.truncate(frame.path_len);
            if let Some(error) = frame.lost.take() {
                frame.names = Sorted::default();
                return Ok(Some(Step::Unreadable(error.path(self.os_path()))));
            }
            if start > 0 {
                self.path.push(b'/');
            }
            self.path.extend_from_slice(name);
            if let Some(step) = self.examine(start) {
                return Ok(Some(step));
            }
        }
    }

    /// Looks at the entry whose name begins at `start` in the path; `None` when it is left out.
    fn examine(&mut self, start: usize) -> Option<Step> {
        let directory = self.directory()?.as_fd();
        let name = &self.path[start..];
        if name.len() > NAME_MAX || self.path.len() > PATH_MAX {
            let (what, max, found) = match name.len() {
                len @ ..=NAME_MAX => ("path is too long", PATH_MAX, start + len),
                len => ("name is too long", NAME_MAX, len),
            };
            let error = Error::new(ErrorKind::Limit, what).expected(format_args!("at most {max} bytes"), found);
            return Some(Step::Unreadable(error.path(self.os_path())));
        }
        let (mut stat, link) = match look(directory, name, self.dereference) {
            Ok(found) => found,
            // Of what is left out under any kind nothing is said, though its kind is not known.
            Err(_) if self.excludes(false) || self.excludes(true) => return None,
            Err(errno) => return Some(self.unreadable("examining", errno)),
        };
        let is_directory = stat.is(EntryKind::Directory);
        if self.excludes(is_directory) {
            return None;
        }
        if !self.single {
            match self.selector.excludes_flagged(directory, name, link.is_some()) {
                Ok(false) => {}
                Ok(true) => return None,
                Err(errno) => return Some(self.unreadable("examining", errno)),
            }
        }
        if is_directory && self.path == RESTORE_NAME {
            self.stage = Stage::Leave;
        } else if is_directory {
            let through_link = link.is_some();
            let elsewhere = |stat: &Stat| self.selector.one_file_system() && stat.device != self.device;
            let flags = if through_link { OFlags::DIRECTORY } else { OFlags::DIRECTORY | OFlags::NOFOLLOW };
            // Nothing is mounted only because it was looked at.
            let opened = if elsewhere(&stat) { Ok(None) } else { open_directory(directory, name, flags).map(Some) };
            let next = match opened {
                Ok(Some((descriptor, opened))) => {
                    let descriptor = Arc::new(descriptor);
                    // Another may have taken its place; this is the one that is walked.
                    stat = opened;
                    if elsewhere(&stat) {
                        Directory::Pass(Some(descriptor))
                    } else {
                        Directory::Enter { descriptor, through_link }
                    }
                }
                Ok(None) => Directory::Pass(None),
                Err(errno) => Directory::Fail(errno),
            };
            if let Some(link) = link
                && (self.stack.links() >= LINKS_MAX || self.stack.holds(stat.identity()))
            {
                self.problem = Some(Error::io("following", Errno::LOOP.into()).path(self.os_path()));
                stat = link;
            } else {
                self.stage = Stage::Directory(next);
            }
        }
        self.stat = stat;
        Some(Step::Entry)
    }

    /// Whoever names a single file means it.
    fn excludes(&self, is_directory: bool) -> bool {
        !self.single && self.selector.excludes(&self.path, is_directory)
    }

    fn unreadable(&self, doing: &'static str, errno: Errno) -> Step {
        match errno {
            Errno::NOENT => Step::Vanished,
            errno => Step::Unreadable(Error::io(doing, errno.into()).path(self.os_path())),
        }
    }
}

/// A path of the operating system, for messages alone: it may be too long to be opened.
fn os_path(root: &Path, is_single: bool, path: &[u8]) -> PathBuf {
    match is_single || path.is_empty() {
        true => root.to_owned(),
        false => root.join(OsStr::from_bytes(path)),
    }
}
