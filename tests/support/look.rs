//! All that can be seen of a directory and what is in it, to tell whether anything has changed.
#![allow(dead_code, reason = "each suite takes what it needs")]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use rustix::fs::{lgetxattr, llistxattr};
use tempfile::TempDir;

/// What is kept of a restore, of which only the content counts.
const RESTORE_NAME: &str = ".frazil-restore";

/// A directory for trying things out: in memory where there is such a place, since flushing to a disk takes
/// longer than all the rest.
pub(crate) fn scratch() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a temporary directory")
}

/// What can be seen of one entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Look {
    pub(crate) kind: char,
    pub(crate) mode: u32,
    owner: (u32, u32),
    modified: (i64, i64),
    device: u64,
    pub(crate) content: Vec<u8>,
    attributes: Vec<(Vec<u8>, Vec<u8>)>,
}

pub(crate) type Listing = BTreeMap<PathBuf, Look>;

/// Looks at everything at and below `root`, which is the empty path; follows no link.
pub(crate) fn listing(root: &Path) -> Listing {
    let mut listing = Listing::new();
    let mut left = vec![PathBuf::new()];
    while let Some(path) = left.pop() {
        let full = root.join(&path);
        let mut look = look(&full);
        if path.starts_with(RESTORE_NAME) {
            (look.modified, look.attributes) = ((0, 0), Vec::new());
        }
        if look.kind == 'd' {
            let entries = fs::read_dir(&full).unwrap_or_else(|error| panic!("{}: {error}", full.display()));
            left.extend(entries.map(|entry| path.join(entry.expect("an entry").file_name())));
        }
        listing.insert(path, look);
    }
    listing
}

/// The same without what frazil itself keeps there.
pub(crate) fn tree(root: &Path) -> Listing {
    let mut tree = listing(root);
    tree.retain(|path, _| !path.starts_with(RESTORE_NAME));
    tree
}

/// Looks at one entry.
pub(crate) fn look(path: &Path) -> Look {
    let metadata = fs::symlink_metadata(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let of = metadata.file_type();
    let (kind, content) = match () {
        () if of.is_dir() => ('d', Vec::new()),
        () if of.is_symlink() => ('l', fs::read_link(path).expect("a link").as_os_str().as_bytes().to_vec()),
        () if of.is_file() => ('-', fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))),
        () if of.is_fifo() => ('p', Vec::new()),
        () if of.is_char_device() => ('c', Vec::new()),
        () if of.is_block_device() => ('b', Vec::new()),
        () => ('?', Vec::new()),
    };
    Look {
        kind,
        mode: metadata.mode() & 0o7777,
        owner: (metadata.uid(), metadata.gid()),
        modified: (metadata.mtime(), metadata.mtime_nsec()),
        device: if matches!(kind, 'c' | 'b') { metadata.rdev() } else { 0 },
        content,
        attributes: attributes(path),
    }
}

fn attributes(path: &Path) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut names = vec![0; 65_536];
    // Where there are none, none can differ.
    let len = llistxattr(path, &mut names[..]).unwrap_or(0);
    let mut attributes = Vec::new();
    for name in names[..len].split(|&byte| byte == 0).filter(|name| !name.is_empty()) {
        let mut value = vec![0; 65_536];
        let len = lgetxattr(path, name, &mut value[..]).expect("an attribute");
        attributes.push((name.to_vec(), value[..len].to_vec()));
    }
    attributes.sort();
    attributes
}

/// Which paths differ, and how, for a person to read.
pub(crate) fn differences(before: &Listing, after: &Listing) -> Vec<String> {
    let paths: std::collections::BTreeSet<_> = before.keys().chain(after.keys()).collect();
    let short = |look: Option<&Look>| match look {
        Some(look) => {
            format!("{} {:o} {:?} {:?} {} bytes", look.kind, look.mode, look.owner, look.modified, look.content.len())
        }
        None => "nothing".to_owned(),
    };
    paths
        .into_iter()
        .filter(|path| before.get(*path) != after.get(*path))
        .map(|path| format!("{}: {} became {}", path.display(), short(before.get(path)), short(after.get(path))))
        .collect()
}
