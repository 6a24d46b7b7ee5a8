//! Giving an entry its metadata.
//!
//! The order matters: changing the owner takes away set-id bits and capabilities, changing permissions
//! changes an ACL, every change but the last disturbs a flag that forbids changes.

use std::os::fd::BorrowedFd;

use rustix::fs::{AtFlags, Gid, IFlags, Stat, Timespec, Timestamps, UTIME_OMIT, Uid};
use rustix::io::Errno;

use super::attributes::lends_rights;
use super::flags::{LOCKS, set_flags, unlock};
use super::pinned::{Pinned, permissions};
use crate::tree::attributes::INTENT;
use crate::tree::metadata::{Attributes, EntryKind, Metadata};
use crate::{Error, ErrorKind, Result};

const SET_ID: u32 = 0o6000;

const SET_ID_LEFT_OUT: &str = "set-id bits are left out, as the restore is not privileged";
pub(super) const ATTRIBUTES_LEFT_OUT: &str =
    "attributes that lend rights are left out, as the restore is not privileged";

/// What a restore may give away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Policy {
    /// Whether root restores what lends rights: devices, set-id bits of files, and extended attributes of
    /// `trusted.` and `security.`. An archive that somebody else wrote should not hand them out.
    pub(crate) privileged: bool,
}

impl Policy {
    /// Whether an entry of this kind is to be made at all.
    pub(crate) fn makes(self, kind: EntryKind) -> bool {
        self.privileged || !kind.is_device()
    }

    /// What is left out of what the archive has of an entry; known without giving it anything.
    pub(super) fn left_out(self, metadata: &Metadata, attributes: &Attributes) -> Vec<Error> {
        let is_root = rustix::process::geteuid().is_root();
        let attributes = is_root && !self.privileged && attributes.iter().any(|(name, _)| lends_rights(name));
        [(self.withholds_set_id(metadata, is_root), SET_ID_LEFT_OUT), (attributes, ATTRIBUTES_LEFT_OUT)]
            .into_iter()
            .filter(|(is_left_out, _)| *is_left_out)
            .map(|(_, what)| left_out(what))
            .collect()
    }

    fn withholds_set_id(self, metadata: &Metadata, is_root: bool) -> bool {
        let lends = !matches!(metadata.kind, EntryKind::Directory | EntryKind::Symlink) && metadata.mode & SET_ID != 0;
        lends && is_root && !self.privileged
    }
}

/// Gives an entry that is in its place its metadata and attributes, and gives back the problems that were
/// survived, without paths.
///
/// The numbers of owner and group are given as they are: names are looked up before. What is there and
/// should not be is removed; only what differs is written. Flags that forbid renaming are cleared, and
/// not set: [`lock`] does, when the entry is in its place.
///
/// A user who is not root is not expected to give files away, so a failed change of owner is then no
/// problem. Set-id bits go with it, whoever runs this: they would lend the rights of somebody else.
///
/// # Errors
///
/// [`ErrorKind::Mismatch`] when the entry has names that it did not have when it was decided to change it in
/// its place.
pub(super) fn dress(
    entry: &Pinned,
    metadata: &Metadata,
    attributes: &Attributes,
    policy: Policy,
) -> Result<Vec<Error>> {
    if metadata.kind != EntryKind::Directory && entry.stat().st_nlink > 1 {
        let doing = "setting the metadata of";
        let what = "the entry has got another name, which must not change with it";
        // Before a run was killed, it may have been given its metadata, and then its other names.
        return if has_time(entry.stat(), metadata) && has_mode(entry.stat(), metadata) {
            Ok(Vec::new())
        } else {
            Err(Error::new(ErrorKind::Mismatch, what).doing(doing))
        };
    }
    let mut dressing = Dressing::new(entry, metadata, policy);
    dressing.unlock();
    Ok(dressing.dress(attributes))
}

/// Holds the entry of this name, which has to be of the kind of the metadata. An empty name is the directory
/// itself.
pub(super) fn pin(directory: BorrowedFd<'_>, name: &[u8], metadata: &Metadata) -> Result<Pinned> {
    check(Pinned::at(directory, name), metadata)
}

/// As [`pin`], but only if it is still the one that was looked at before: by `inode`, its file system and
/// number there. Another that has taken its place is not touched.
pub(super) fn pin_same(
    (directory, name): (BorrowedFd<'_>, &[u8]),
    inode: (u64, u64),
    metadata: &Metadata,
) -> Result<Pinned> {
    let entry = pin(directory, name, metadata)?;
    if inode_of(entry.stat()) == inode {
        return Ok(entry);
    }
    Err(Error::new(ErrorKind::Mismatch, "another entry has taken its place")
        .doing("setting the metadata of")
        .expected(format_args!("inode {}", inode.1), format_args!("inode {}", inode_of(entry.stat()).1)))
}

/// Which entry it is, by whatever name.
#[allow(clippy::unnecessary_cast, reason = "the types of the fields differ between architectures")]
pub(crate) fn inode_of(stat: &rustix::fs::Stat) -> (u64, u64) {
    (stat.st_dev as u64, stat.st_ino as u64)
}

/// The same for what was made just now, and has no flag that forbids changes: those are never inherited.
pub(super) fn dress_new(
    directory: BorrowedFd<'_>,
    name: &[u8],
    metadata: &Metadata,
    attributes: &Attributes,
    policy: Policy,
) -> Result<Vec<Error>> {
    let entry = match metadata.kind {
        EntryKind::File => check(Pinned::opened(directory, name), metadata)?,
        _ => pin(directory, name, metadata)?,
    };
    Ok(Dressing::new(&entry, metadata, policy).dress(attributes))
}

/// Whether the metadata has flags that forbid renaming.
pub(super) fn is_locked(metadata: &Metadata) -> bool {
    has_flags(metadata.kind) && IFlags::from_bits_retain(metadata.flags).intersects(LOCKS)
}

/// Sets the flags that forbid renaming, where the metadata has them: the last thing that is done to an
/// entry. Gives back a problem that was survived.
pub(super) fn lock(entry: &Pinned, metadata: &Metadata) -> Option<Error> {
    if !is_locked(metadata) {
        return None;
    }
    let wanted = IFlags::from_bits_retain(metadata.flags) & LOCKS;
    set_flags(entry, wanted, LOCKS).err().map(|error| Error::io("setting flags of", error.into()))
}

/// Makes a file or a directory durable as it is; of anything else, its directory is enough.
pub(super) fn flush(entry: &Pinned) -> Result<()> {
    if !entry.kind().is_some_and(has_flags) {
        return Ok(());
    }
    entry.open().and_then(rustix::fs::fsync).map_err(|error| Error::io("flushing", error.into()))
}

/// Fails for an entry of another kind.
fn check(entry: rustix::io::Result<Pinned>, metadata: &Metadata) -> Result<Pinned> {
    let doing = "setting the metadata of";
    let entry = entry.map_err(|error| Error::io(doing, error.into()))?;
    if entry.kind() == Some(metadata.kind) {
        return Ok(entry);
    }
    let found = entry.kind().map_or("something else".to_owned(), |kind| kind.to_string());
    Err(Error::new(ErrorKind::Mismatch, "the entry is of another kind").doing(doing).expected(metadata.kind, found))
}

/// Whether it can be opened without doing anything, so that it has flags and can be flushed.
fn has_flags(kind: EntryKind) -> bool {
    matches!(kind, EntryKind::File | EntryKind::Directory)
}

fn has_time(stat: &Stat, metadata: &Metadata) -> bool {
    let wanted = metadata.modified;
    // Nanoseconds are signed or not, as the system has it.
    stat.st_mtime == wanted.seconds && i128::from(stat.st_mtime_nsec) == i128::from(wanted.nanoseconds)
}

/// Whether it may be read, written and run by whom the metadata says; links may by all, and set-id bits are not always
/// given.
fn has_mode(stat: &Stat, metadata: &Metadata) -> bool {
    metadata.kind == EntryKind::Symlink || (permissions(stat.st_mode) ^ permissions(metadata.mode)) & 0o777 == 0
}

fn left_out(what: &'static str) -> Error {
    Error::new(ErrorKind::Unsupported, what).doing("setting the metadata of")
}

/// Who owns the entry now.
#[derive(Clone, Copy)]
struct Owner {
    /// Whether owner and group are those that the metadata has.
    is_right: bool,
    /// Whether it was changed, which may have changed the mode too.
    changed: bool,
}

pub(super) struct Dressing<'a> {
    pub(super) entry: &'a Pinned,
    metadata: &'a Metadata,
    pub(super) policy: Policy,
    pub(super) is_root: bool,
    problems: Vec<Error>,
}

impl<'a> Dressing<'a> {
    fn new(entry: &'a Pinned, metadata: &'a Metadata, policy: Policy) -> Self {
        let is_root = rustix::process::geteuid().is_root();
        Self { entry, metadata, policy, is_root, problems: Vec::new() }
    }

    fn dress(mut self, attributes: &Attributes) -> Vec<Error> {
        let owner = self.set_owner();
        self.set_mode_and_attributes(owner, attributes);
        self.set_times();
        self.set_flags();
        self.problems
    }

    pub(super) fn problem(&mut self, doing: impl Into<std::borrow::Cow<'static, str>>, error: Errno) {
        self.problems.push(Error::io(doing, error.into()));
    }

    pub(super) fn left_out(&mut self, what: &'static str) {
        self.problems.push(left_out(what));
    }

    fn unlock(&mut self) {
        if has_flags(self.metadata.kind)
            && let Err(error) = unlock(self.entry)
        {
            self.problem("clearing flags of", error);
        }
    }

    fn set_owner(&mut self) -> Owner {
        let (uid, gid) = (self.metadata.uid, self.metadata.gid);
        let (old_uid, old_gid) = (self.entry.stat().st_uid, self.entry.stat().st_gid);
        if (old_uid, old_gid) == (uid, gid) {
            return Owner { is_right: true, changed: false };
        }
        let chown = |uid: Option<u32>, gid: Option<u32>| {
            // To the kernel, this number says that nothing is to be changed.
            if uid == Some(u32::MAX) || gid == Some(u32::MAX) {
                return Err(Errno::INVAL);
            }
            let (uid, gid) = (uid.map(Uid::from_raw), gid.map(Gid::from_raw));
            rustix::fs::chownat(self.entry.as_fd(), c"", uid, gid, AtFlags::EMPTY_PATH)
        };
        match chown((old_uid != uid).then_some(uid), (old_gid != gid).then_some(gid)) {
            Ok(()) => Owner { is_right: true, changed: true },
            Err(error) => {
                let changed = old_gid != gid && old_uid != uid && chown(None, Some(gid)).is_ok();
                if self.is_root {
                    self.problem("setting the owner of", error);
                }
                Owner { is_right: false, changed }
            }
        }
    }

    fn set_mode_and_attributes(&mut self, owner: Owner, attributes: &Attributes) {
        if self.metadata.kind == EntryKind::Symlink {
            return self.set_attributes(attributes);
        }
        let mut mode = permissions(self.metadata.mode);
        if mode & SET_ID != 0 {
            if !owner.is_right {
                mode &= !SET_ID;
            } else if self.policy.withholds_set_id(self.metadata, self.is_root) {
                mode &= !SET_ID;
                self.left_out(SET_ID_LEFT_OUT);
            }
        }
        // Nobody but root sets attributes of what he may not write.
        let lent = if self.is_root || attributes.is_empty() && !self.has_attributes() { 0 } else { 0o600 };
        let mut now = permissions(self.entry.stat().st_mode);
        if owner.changed || now != mode | lent {
            match self.entry.set_mode(mode | lent) {
                Ok(()) => now = mode | lent,
                Err(error) => self.problem("setting the permissions of", error),
            }
        }
        self.set_attributes(attributes);
        if now == mode | lent
            && now != mode
            && let Err(error) = self.entry.set_mode(mode)
        {
            self.problem("setting the permissions of", error);
        }
    }

    fn set_times(&mut self) {
        if has_time(self.entry.stat(), self.metadata) {
            return;
        }
        let wanted = self.metadata.modified;
        let times = Timestamps {
            last_access: Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT },
            last_modification: Timespec { tv_sec: wanted.seconds, tv_nsec: wanted.nanoseconds.into() },
        };
        if let Err(error) = self.entry.set_times(&times) {
            self.problem("setting the time of", error);
        }
    }

    fn set_flags(&mut self) {
        if !has_flags(self.metadata.kind) {
            return;
        }
        let wanted = IFlags::from_bits_retain(self.metadata.flags) & INTENT;
        if let Err(error) = set_flags(self.entry, wanted - LOCKS, INTENT - LOCKS) {
            // Where there are no flags, none is missing.
            if !wanted.is_empty() {
                self.problem("setting flags of", error);
            }
        }
    }
}
