//! Regular files as a backup reads them: what is known of one once it is open, and those of at most one leaf whole.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};

use rustix::buffer::spare_capacity;
use rustix::io::{Errno, pread};

use super::attributes;
use super::identify::identities_of_leaves;
use super::metadata::{Attributes, EntryKind, Moment};
use super::stat::Stat;
use crate::{Error, ErrorKind, Identity, Result};

/// Of files of which several are held, the bytes of attributes that each may have: enough for an ACL and a label.
const ATTRIBUTES_MAX: usize = 1024;

/// What is known of a regular file that was opened, beside its content.
#[derive(Debug)]
pub(crate) struct OpenedFile {
    pub(crate) stat: Stat,
    /// A moment before anything was asked of it.
    pub(crate) since: Moment,
    pub(crate) flags: Result<u32>,
    /// What could be read of them, and what failed first.
    pub(crate) attributes: (Attributes, Option<Error>),
}

impl OpenedFile {
    /// Looks at what `open` opens, which may be another thing by now than it was.
    pub(crate) fn by(open: impl FnOnce() -> io::Result<OwnedFd>) -> Result<(File, Self)> {
        let since = Moment::now();
        let opened = open().map(File::from).and_then(|file| Ok((Stat::of(&file)?, file)));
        let (stat, file) = opened.map_err(|error| Error::io("opening", error))?;
        if !stat.is(EntryKind::File) {
            let changed = Error::new(ErrorKind::SourceChanged, "became another kind of entry while it was looked at");
            return Err(changed.doing("backing up"));
        }
        let (flags, attributes) = (attributes::flags(file.as_fd()), attributes::of_file(file.as_fd()));
        Ok((file, Self { stat, since, flags, attributes }))
    }

    /// Bytes of the names and values of its attributes.
    fn attributes_len(&self) -> usize {
        self.attributes.0.iter().map(|(name, value)| name.len() + value.len()).sum()
    }
}

/// Content that was read whole.
#[derive(Debug)]
pub(crate) struct Whole {
    pub(crate) bytes: Vec<u8>,
    /// It has grown or shrunk since it was opened: this is what it would have been at its old size.
    pub(crate) is_resized: bool,
    /// What the file was after that.
    pub(crate) after: Stat,
}

impl Whole {
    fn read(file: &File, opened: &OpenedFile) -> io::Result<Self> {
        let size = opened.stat.size as usize;
        // One more byte shows whether it has grown.
        let mut bytes = Vec::with_capacity(size + 1);
        loop {
            let offset = bytes.len() as u64;
            match pread(file, spare_capacity(&mut bytes), offset) {
                Ok(0) => break,
                // It may have grown since: then it is another afterwards.
                Ok(_) if bytes.len() >= size => break,
                Ok(_) | Err(Errno::INTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
        let is_resized = bytes.len() != size;
        bytes.truncate(size);
        Ok(Self { bytes, is_resized, after: Stat::of(file)? })
    }
}

/// A file that is to be read.
pub(crate) struct Wanted<'a, O> {
    /// Where it goes; boxed, since most places stay empty.
    pub(crate) place: &'a mut Option<Box<SmallFile>>,
    /// How long it was when it was looked at.
    pub(crate) size: u64,
    pub(crate) open: O,
}

/// A regular file of at most one leaf that was read whole.
#[derive(Debug)]
pub(crate) struct SmallFile {
    pub(crate) opened: OpenedFile,
    pub(crate) whole: Whole,
    pub(crate) identity: Identity,
}

impl SmallFile {
    pub(crate) fn read(file: &File, opened: OpenedFile, leaf_len: u32) -> Result<Self> {
        let whole = Whole::read(file, &opened).map_err(|error| Error::io("reading", error))?;
        let identity = identities_of_leaves(&[&whole.bytes], leaf_len)[0];
        Ok(Self { opened, whole, identity })
    }

    /// Reads files of at most one leaf, and sums several at once. What could not be opened or read, has grown since, or
    /// has attributes that are worth mentioning is left to who asks for it alone: how much is held is known beforehand.
    pub(crate) fn read_several<'a, O: FnOnce() -> io::Result<OwnedFd>>(
        files: impl Iterator<Item = Wanted<'a, O>>,
        leaf_len: u32,
    ) {
        let read = files.filter_map(|Wanted { place, size, open }| {
            let (file, opened) = OpenedFile::by(open).ok()?;
            if opened.stat.size > size || opened.attributes_len() > ATTRIBUTES_MAX {
                return None;
            }
            let whole = Whole::read(&file, &opened).ok()?;
            Some((place, opened, whole))
        });
        let read: Vec<_> = read.collect();
        let contents: Vec<_> = read.iter().map(|(_, _, whole)| &whole.bytes[..]).collect();
        let identities = identities_of_leaves(&contents, leaf_len);
        for ((place, opened, whole), identity) in read.into_iter().zip(identities) {
            *place = Some(Box::new(Self { opened, whole, identity }));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;

    use rustix::fs::{CWD, FileType, Mode, OFlags, XattrFlags, mknodat, setxattr};

    use super::*;
    use crate::tree::identify::identify;

    const LEAF_LEN: u32 = 1024;

    fn identity_of(mut content: &[u8]) -> Identity {
        identify(&mut content, LEAF_LEN, 1, &mut [0; 100], |_| Ok(())).unwrap()
    }

    #[test]
    fn several_files_are_read_at_once_and_what_is_no_small_file_is_left() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        let lengths = [0, 1, 200, 1023, 1024, 127, 128, 129, 1000, 500];
        for (number, len) in lengths.into_iter().enumerate() {
            fs::write(at(&number.to_string()), vec![number as u8; len]).unwrap();
        }
        fs::write(at("large"), [0; LEAF_LEN as usize + 1]).unwrap();
        mknodat(CWD, at("pipe"), FileType::Fifo, Mode::RUSR, 0).unwrap();
        fs::write(at("grown"), [0; 20]).unwrap();
        fs::write(at("adorned"), [0; 20]).unwrap();
        let adorned = setxattr(at("adorned"), "user.long", &[0; ATTRIBUTES_MAX], XattrFlags::empty()).is_ok();
        let names = ["large", "0", "pipe", "1", "2", "3", "4", "gone", "5", "6", "7", "8", "9", "grown", "adorned"];
        let names = &names[..names.len() - usize::from(!adorned)];
        let mut places: Vec<Option<Box<SmallFile>>> = names.iter().map(|_| None).collect();
        let wanted = places.iter_mut().zip(names).map(|(place, name)| {
            let open = || Ok(rustix::fs::open(at(name), OFlags::RDONLY | OFlags::NONBLOCK, Mode::empty())?);
            Wanted { place, size: if *name == "grown" { 19 } else { LEAF_LEN.into() }, open }
        });
        SmallFile::read_several(wanted, LEAF_LEN);
        for (name, place) in names.iter().zip(places) {
            let expected = name.parse::<usize>().ok();
            assert_eq!(place.is_some(), expected.is_some(), "{name}");
            if let (Some(small), Some(number)) = (place, expected) {
                let content = vec![number as u8; lengths[number]];
                assert_eq!(small.identity, identity_of(&content), "{name}");
                assert!(small.whole.bytes == content && !small.whole.is_resized, "{name}");
                assert_eq!(small.whole.after.identity(), small.opened.stat.identity(), "{name}");
            }
        }
    }

    #[test]
    fn a_file_that_grows_or_shrinks_after_it_was_opened_is_known_by_its_old_size() {
        for (now, expected) in [(&b"0123456789ab"[..], &b"0123456789"[..]), (b"0123", b"0123"), (b"", b"")] {
            let mut named = tempfile::NamedTempFile::new().unwrap();
            named.write_all(b"0123456789").unwrap();
            let (file, opened) = OpenedFile::by(|| Ok(File::open(named.path())?.into())).unwrap();
            fs::write(named.path(), now).unwrap();
            let SmallFile { whole, identity, .. } = SmallFile::read(&file, opened, LEAF_LEN).unwrap();
            assert!(whole.is_resized && whole.bytes == expected, "{now:?}");
            assert_eq!((whole.after.size, identity), (now.len() as u64, identity_of(expected)));
        }
    }

    #[test]
    fn a_file_that_says_it_is_empty_and_has_content_is_taken_for_one_that_grows() {
        let (file, opened) = OpenedFile::by(|| Ok(File::open("/proc/self/status")?.into())).unwrap();
        let small = SmallFile::read(&file, opened, LEAF_LEN).unwrap();
        assert!(small.whole.is_resized && small.whole.bytes.is_empty());
    }

    #[test]
    fn what_is_no_regular_file_any_more_is_not_read() {
        let error = OpenedFile::by(|| Ok(File::open("/dev/null")?.into())).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::SourceChanged);
        let error = OpenedFile::by(|| Ok(File::open("/nowhere")?.into())).unwrap_err();
        assert_eq!(error.to_string(), "opening: No such file or directory (os error 2)");
    }
}
