//! What is on a file system, in memory, and made really.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, UTIME_OMIT, utimensat};

pub(crate) type Id = usize;

const ROOT: Id = 0;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Body {
    File(Vec<u8>),
    Directory(BTreeMap<OsString, Id>),
    Symlink(PathBuf),
}

#[derive(Clone, Debug)]
pub(crate) struct Inode {
    pub(crate) body: Body,
    pub(crate) mode: u32,
    /// When it was modified, where that is known.
    pub(crate) time: Option<(i64, i64)>,
    /// Its real number, of what was there from the start.
    pub(crate) number: Option<u64>,
}

/// All inodes, of which some may have no name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Image(pub(crate) Vec<Inode>);

#[derive(Clone, Debug)]
pub(crate) enum Event {
    /// A name gets another inode or none; with `from`, it is taken from there.
    Name {
        directory: Id,
        name: OsString,
        inode: Option<Id>,
        from: Option<(Id, OsString)>,
        removed: Option<Id>,
    },
    Write {
        inode: Id,
        offset: u64,
        bytes: Vec<u8>,
    },
    SetLen {
        inode: Id,
        len: u64,
    },
    SetMode {
        inode: Id,
        mode: u32,
    },
    SetTime {
        inode: Id,
        time: (i64, i64),
    },
    Sync(Id),
    SyncAll,
}

/// The files beneath a directory that have no other name, by their numbers.
fn files(directory: &Path) -> BTreeMap<u64, PathBuf> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(directory).into_iter().flatten() {
        let path = entry.expect("an entry").path();
        let metadata = fs::symlink_metadata(&path).expect("what is there");
        match () {
            () if metadata.is_dir() => files.extend(self::files(&path)),
            () if metadata.is_file() && metadata.nlink() == 1 => drop(files.insert(metadata.ino(), path)),
            () => {}
        }
    }
    files
}

/// Puts files that were taken out of a directory back to where they were, if they are still there.
pub(crate) fn put_back(directory: &Path, taken: &BTreeMap<u64, PathBuf>) {
    for (number, path) in files(directory) {
        if let Some(place) = taken.get(&number) {
            fs::rename(path, place).expect("the same file");
        }
    }
}

impl Image {
    fn read(&mut self, path: &Path, known: &mut BTreeMap<u64, Id>) -> Id {
        let metadata = fs::symlink_metadata(path).expect("what is there");
        if let Some(&id) = known.get(&metadata.ino()) {
            return id;
        }
        let id = self.0.len();
        known.insert(metadata.ino(), id);
        let time = Some((metadata.mtime(), metadata.mtime_nsec()));
        let body = match () {
            () if metadata.is_dir() => Body::Directory(BTreeMap::new()),
            () if metadata.is_symlink() => Body::Symlink(fs::read_link(path).expect("a link")),
            () => Body::File(fs::read(path).expect("a file")),
        };
        let number = Some(metadata.ino());
        self.0.push(Inode { body, mode: metadata.mode() & 0o7777, time, number });
        if metadata.is_dir() {
            let entries = fs::read_dir(path).expect("a directory").map(|entry| entry.expect("an entry"));
            let entries = entries.map(|entry| (entry.file_name(), self.read(&entry.path(), known))).collect();
            self.0[id].body = Body::Directory(entries);
        }
        id
    }

    pub(crate) fn find(&self, path: &Path) -> Option<Id> {
        path.iter().try_fold(ROOT, |id, name| match &self.0[id].body {
            Body::Directory(names) => names.get(name).copied(),
            _ => None,
        })
    }

    /// The directory that a path is in, and its name there.
    pub(crate) fn place(&self, path: &Path) -> (Id, OsString) {
        let parent = path.parent().and_then(|parent| self.find(parent));
        let place = parent.zip(path.file_name().map(OsString::from));
        place.unwrap_or_else(|| panic!("nothing is known of where {} is", path.display()))
    }

    fn names(&mut self, directory: Id) -> &mut BTreeMap<OsString, Id> {
        self.0[directory].time = None;
        match &mut self.0[directory].body {
            Body::Directory(names) => names,
            other => panic!("{other:?} is no directory"),
        }
    }

    fn content(&mut self, file: Id) -> &mut Vec<u8> {
        self.0[file].time = None;
        match &mut self.0[file].body {
            Body::File(content) => content,
            other => panic!("{other:?} is no file"),
        }
    }

    pub(crate) fn carry_out(&mut self, event: &Event) {
        match event {
            Event::Name { directory, name, inode, from, .. } => {
                if let Some((directory, name)) = from {
                    // By then it may be that of another.
                    if self.names(*directory).get(name) == inode.as_ref() {
                        self.names(*directory).remove(name);
                    }
                }
                match inode {
                    Some(id) => drop(self.names(*directory).insert(name.clone(), *id)),
                    None => drop(self.names(*directory).remove(name)),
                }
            }
            Event::Write { inode, offset, bytes } => {
                let (content, start) = (self.content(*inode), *offset as usize);
                content.resize(content.len().max(start + bytes.len()), 0);
                content[start..start + bytes.len()].copy_from_slice(bytes);
            }
            Event::SetLen { inode, len } => self.content(*inode).resize(*len as usize, 0),
            Event::SetMode { inode, mode } => self.0[*inode].mode = *mode,
            Event::SetTime { inode, time } => self.0[*inode].time = Some(*time),
            Event::Sync(_) | Event::SyncAll => {}
        }
    }

    /// Makes all that has a name, in a directory that is made for it. What frazil may have noted the number of is the
    /// same file, taken out of the directory `real`; gives the numbers and places of those.
    pub(crate) fn build(&self, directory: &Path, real: &Path) -> BTreeMap<u64, PathBuf> {
        let mut taken = files(real);
        self.build_one(ROOT, directory, &mut taken, &mut BTreeMap::new());
        taken.retain(|_, path| !path.exists());
        taken
    }

    pub(crate) fn of(directory: &Path, numbers: &mut BTreeMap<u64, Id>) -> Self {
        let mut image = Self::default();
        image.read(directory, numbers);
        image
    }

    fn build_one(&self, id: Id, path: &Path, real: &mut BTreeMap<u64, PathBuf>, made: &mut BTreeMap<Id, PathBuf>) {
        let inode = &self.0[id];
        if let Some(other) = made.get(&id) {
            return fs::hard_link(other, path).expect("another name");
        }
        made.insert(id, path.to_owned());
        match &inode.body {
            Body::Symlink(target) => symlink(target, path).expect("a link"),
            Body::File(content) => match inode.number.and_then(|number| real.get(&number)) {
                Some(real) if fs::read(real).is_ok_and(|found| found == *content) => {
                    fs::rename(real, path).expect("the same file");
                }
                _ => fs::write(path, content).expect("a file"),
            },
            Body::Directory(names) => {
                fs::create_dir(path).expect("a directory");
                names.iter().for_each(|(name, id)| self.build_one(*id, &path.join(name), real, made));
            }
        }
        if !matches!(inode.body, Body::Symlink(_)) {
            fs::set_permissions(path, Permissions::from_mode(inode.mode)).expect("its mode");
        }
        if let Some((tv_sec, tv_nsec)) = inode.time {
            let last_access = Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT };
            let times = Timestamps { last_access, last_modification: Timespec { tv_sec, tv_nsec: tv_nsec as _ } };
            utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW).expect("its time");
        }
    }

    /// Fails unless this is what is really there: nothing was done that the model does not know of.
    pub(crate) fn assert_is(&self, directory: &Path) {
        let real = Self::of(directory, &mut BTreeMap::new());
        self.assert_same(ROOT, &real, ROOT, Path::new(""));
    }

    fn assert_same(&self, id: Id, real: &Self, other: Id, path: &Path) {
        let (ours, theirs) = (&self.0[id], &real.0[other]);
        match (&ours.body, &theirs.body) {
            (Body::Directory(ours), Body::Directory(theirs)) => {
                assert!(ours.keys().eq(theirs.keys()), "{}: {ours:?}, {theirs:?}", path.display());
                for (name, id) in ours {
                    self.assert_same(*id, real, theirs[name], &path.join(name));
                }
            }
            (ours, theirs) => assert!(ours == theirs, "{}: has other content", path.display()),
        }
        let is_symlink = matches!(ours.body, Body::Symlink(_));
        assert!(is_symlink || ours.mode == theirs.mode, "{}: {:o}, {:o}", path.display(), ours.mode, theirs.mode);
        assert!(ours.time.is_none() || ours.time == theirs.time, "{}: has another time", path.display());
    }
}
