//! What is left out of a backup.

use std::ffi::OsStr;
use std::os::fd::BorrowedFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use ignore::gitignore::{Gitignore, GitignoreBuilder};
use rustix::fs::{AtFlags, Mode, OFlags, StatxAttributes, StatxFlags, openat, statx};
use rustix::io::Errno;

use crate::{Error, ErrorKind, Result};

/// The file that says of its directory that it can be made again, and how it begins:
/// <https://bford.info/cachedir/>.
const CACHE_TAG: &[u8] = b"CACHEDIR.TAG";
const CACHE_SIGNATURE: &[u8; 43] = b"Signature: 8a477f597d28d172789f06886806bc55";

/// What is left out of a backup of a tree; by default nothing.
///
/// Patterns are those of a `.gitignore` at the root of the tree, and the last one that matches decides:
/// `*.o` leaves out every such name, `/build` that of the root alone, `cache/` directories only. What is
/// in a directory that is left out cannot be taken in again. The root itself is never left out.
///
/// ```
/// let selection = frazil::Selection::new().exclude("*.log").include("/audit/*.log").exclude_caches(true);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Selection {
    patterns: Vec<String>,
    exclude_caches: bool,
    markers: Vec<Vec<u8>>,
    nodump: bool,
    one_file_system: bool,
}

impl Selection {
    /// Everything.
    pub fn new() -> Self {
        Self::default()
    }

    /// Leaves out what matches: one line as in a `.gitignore`, so that an empty one and one that begins
    /// with `#` say nothing, and one that begins with `!` takes in. A pattern that is none is refused when
    /// the backup starts.
    pub fn exclude(mut self, pattern: impl Into<String>) -> Self {
        self.patterns.push(pattern.into());
        self
    }

    /// Takes in what matches, though a pattern before this one leaves it out.
    pub fn include(self, pattern: impl AsRef<str>) -> Self {
        self.exclude(format!("!{}", pattern.as_ref()))
    }

    /// Whether to leave out what is in a directory with a valid `CACHEDIR.TAG`. The directory and its tag
    /// stay, so that it is known for a cache when it is restored.
    pub fn exclude_caches(mut self, exclude: bool) -> Self {
        self.exclude_caches = exclude;
        self
    }

    /// Leaves out what is in a directory that holds anything of this name, `.nobackup` for one. The
    /// directory and what marks it stay. Can be called more than once.
    pub fn exclude_marked(mut self, name: impl AsRef<OsStr>) -> Self {
        self.markers.push(name.as_ref().to_owned().into_vec());
        self
    }

    /// Whether to leave out what has the `nodump` flag, a directory with all that is in it.
    pub fn nodump(mut self, leave_out: bool) -> Self {
        self.nodump = leave_out;
        self
    }

    /// Whether to stay on the file system of the root: a directory that another is mounted on is taken as
    /// if it were empty.
    pub fn one_file_system(mut self, stay: bool) -> Self {
        self.one_file_system = stay;
        self
    }

    pub(crate) fn compile(self) -> Result<Selector> {
        let invalid = |what: String| Error::new(ErrorKind::InvalidInput, what);
        // Of a root with this name, `ignore` takes no part of a path for the root's.
        let mut builder = GitignoreBuilder::new(".");
        for pattern in &self.patterns {
            builder.add_line(None, pattern).map_err(|error| invalid(format!("pattern {pattern:?}: {error}")))?;
        }
        let patterns = builder.build().map_err(|error| invalid(format!("patterns: {error}")))?;
        if let Some(name) = self.markers.iter().find(|name| name.is_empty() || name.contains(&b'/')) {
            return Err(invalid(format!("marker {:?} is not the name of a file", OsStr::from_bytes(name))));
        }
        Ok(Selector { patterns, selection: self })
    }
}

/// A [`Selection`] ready for use.
pub(crate) struct Selector {
    patterns: Gitignore,
    selection: Selection,
}

impl Selector {
    pub(crate) fn one_file_system(&self) -> bool {
        self.selection.one_file_system
    }

    /// Whether a pattern leaves this path out.
    pub(crate) fn excludes(&self, path: &[u8], is_directory: bool) -> bool {
        !self.patterns.is_empty() && self.patterns.matched(Path::new(OsStr::from_bytes(path)), is_directory).is_ignore()
    }

    /// Whether the flag `nodump` leaves this name out, which the kernel tells without opening anything.
    pub(crate) fn excludes_flagged(
        &self,
        directory: BorrowedFd<'_>,
        name: &[u8],
        follow: bool,
    ) -> rustix::io::Result<bool> {
        if !self.selection.nodump {
            return Ok(false);
        }
        let flags = if follow { AtFlags::empty() } else { AtFlags::SYMLINK_NOFOLLOW };
        Ok(statx(directory, name, flags, StatxFlags::empty())?.stx_attributes.contains(StatxAttributes::NODUMP))
    }

    /// Whether this name in a directory marks it as one whose content is left out.
    pub(crate) fn is_marker(&self, directory: BorrowedFd<'_>, name: &[u8]) -> bool {
        self.selection.markers.iter().any(|marker| marker == name)
            || (self.selection.exclude_caches && name == CACHE_TAG && is_cache_tag(directory))
    }
}

/// What cannot be read is no valid tag: then the directory is no cache, and the tag is an entry whose
/// failure is reported.
fn is_cache_tag(directory: BorrowedFd<'_>) -> bool {
    // A pipe of that name must not hold up the walk.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let Ok(tag) = openat(directory, CACHE_TAG, flags, Mode::empty()) else { return false };
    let mut begin = [0; CACHE_SIGNATURE.len()];
    let mut filled = 0;
    while filled < begin.len() {
        match rustix::io::read(&tag, &mut begin[filled..]) {
            Ok(0) => return false,
            Ok(len) => filled += len,
            Err(Errno::INTR) => {}
            Err(_) => return false,
        }
    }
    begin == *CACHE_SIGNATURE
}

#[cfg(test)]
mod tests {
    use super::*;

    fn excludes(selection: Selection, path: &[u8]) -> bool {
        selection.compile().unwrap().excludes(path, path.ends_with(b"d"))
    }

    #[test]
    fn the_last_pattern_that_matches_decides() {
        let selection = || Selection::new().exclude("*.log").include("/audit/*.log").exclude("/audit/x.log");
        for (path, out) in [
            (&b"a.log"[..], true),
            (b"deep/in/a.log", true),
            (b"audit/a.log", false),
            (b"audit/x.log", true),
            (b"other/audit/a.log", true),
            (b"a.logs", false),
        ] {
            assert_eq!(excludes(selection(), path), out, "{}", path.escape_ascii());
        }
    }

    #[test]
    fn a_pattern_is_a_line_of_a_gitignore() {
        for (pattern, path, out) in [
            ("/a", &b"a"[..], true),
            ("/a", b"b/a", false),
            ("b/a", b"b/a", true),
            ("b/a", b"c/b/a", false),
            ("**/b/a", b"c/b/a", true),
            ("d/", b"c/d", true),
            ("c/", b"c", false),
            ("a?c", b"a\xffc", true),
            ("*", b"\xff\n", true),
            ("\\#a", b"#a", true),
            ("#a", b"#a", false),
            ("", b"a", false),
            ("", b"", false),
            ("[ab]", b"b", true),
        ] {
            assert_eq!(excludes(Selection::new().exclude(pattern), path), out, "{pattern} {}", path.escape_ascii());
        }
    }

    #[test]
    fn what_is_no_pattern_is_refused_by_name() {
        let error = Selection::new().exclude("fine").exclude("a[z-a]").compile().err().unwrap();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.to_string().contains("a[z-a]"), "{error}");
        for name in ["", "a/b"] {
            let error = Selection::new().exclude_marked(name).compile().err().unwrap();
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{name}");
        }
    }
}
