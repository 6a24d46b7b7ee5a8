//! What is known of one file, directory or other entry beside its content.

use std::fmt;
use std::time::SystemTime;

/// What kind of entry it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EntryKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Symlink,
    /// A named pipe.
    Fifo,
    /// A character device.
    CharDevice,
    /// A block device.
    BlockDevice,
}

impl EntryKind {
    /// The kind in the upper bits of a mode; `None` for a socket and for what no system has today.
    pub(crate) fn of_mode(mode: u32) -> Option<Self> {
        Some(match mode & 0o170_000 {
            0o100_000 => Self::File,
            0o040_000 => Self::Directory,
            0o120_000 => Self::Symlink,
            0o010_000 => Self::Fifo,
            0o020_000 => Self::CharDevice,
            0o060_000 => Self::BlockDevice,
            _ => return None,
        })
    }

    /// The upper bits of a mode.
    pub(crate) fn mode_bits(self) -> u32 {
        match self {
            Self::File => 0o100_000,
            Self::Directory => 0o040_000,
            Self::Symlink => 0o120_000,
            Self::Fifo => 0o010_000,
            Self::CharDevice => 0o020_000,
            Self::BlockDevice => 0o060_000,
        }
    }

    /// Whether it is a device of either kind.
    pub(crate) fn is_device(self) -> bool {
        matches!(self, Self::CharDevice | Self::BlockDevice)
    }

    /// The letter that stands for it in records and listings.
    pub(crate) fn letter(self) -> u8 {
        match self {
            Self::File => b'-',
            Self::Directory => b'd',
            Self::Symlink => b'l',
            Self::Fifo => b'p',
            Self::CharDevice => b'c',
            Self::BlockDevice => b'b',
        }
    }

    pub(crate) fn of_letter(letter: u8) -> Option<Self> {
        [Self::File, Self::Directory, Self::Symlink, Self::Fifo, Self::CharDevice, Self::BlockDevice]
            .into_iter()
            .find(|kind| kind.letter() == letter)
    }
}

impl fmt::Display for EntryKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::File => "file",
            Self::Directory => "directory",
            Self::Symlink => "symbolic link",
            Self::Fifo => "named pipe",
            Self::CharDevice => "character device",
            Self::BlockDevice => "block device",
        })
    }
}

/// A moment in seconds since 1970 and nanoseconds, as `stat` gives it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment {
    /// Seconds since the beginning of 1970, negative before.
    pub seconds: i64,
    /// Nanoseconds, below 10^9.
    pub nanoseconds: u32,
}

impl Moment {
    /// This moment, by the clock that file systems take their times from.
    pub(crate) fn now() -> Self {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self { seconds: since.as_secs() as i64, nanoseconds: since.subsec_nanos() }
    }

    /// The nearest time that a tar holds: libarchive reads the very first second as the one after it.
    pub(crate) fn in_tar(self) -> Self {
        Self { seconds: self.seconds.max(-i64::MAX), ..self }
    }
}

/// What a restored entry is given beside its content; all of it but `size`, which its content gives.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metadata {
    /// What it is.
    pub kind: EntryKind,
    /// Permissions with set-id and sticky bits: the lower twelve bits of a mode.
    pub mode: u32,
    /// Number of the owner.
    pub uid: u32,
    /// Number of the group.
    pub gid: u32,
    /// Name of the owner, empty where the system knew none.
    pub user: Vec<u8>,
    /// Name of the group, empty where the system knew none.
    pub group: Vec<u8>,
    /// Bytes of content of a regular file, as it is restored; 0 for all else.
    pub size: u64,
    /// When the content was last changed.
    pub modified: Moment,
    /// Flags as `FS_IOC_GETFLAGS` gives them, those that a user can change.
    pub flags: u32,
    /// Major and minor number of a device.
    pub device: (u32, u32),
    /// Where a symbolic link leads.
    pub target: Vec<u8>,
}

/// Extended attributes by name, in the order of their names; POSIX ACLs are among them, as the kernel
/// has them (`system.posix_acl_access`, `system.posix_acl_default`).
pub(crate) type Attributes = Vec<(Vec<u8>, Vec<u8>)>;

/// What tells at the next level whether an entry may have changed; never restored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Evidence {
    /// When the entry was last changed in any way.
    pub(crate) changed: Moment,
    /// Which file system it is on.
    pub(crate) device: u64,
    pub(crate) inode: u64,
    /// How many names it has.
    pub(crate) links: u64,
}
