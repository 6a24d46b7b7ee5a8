//! What a tar's header says, copied out of libarchive.

use std::ffi::{c_char, c_int, c_long, c_ulong, c_void};
use std::ptr::{self, NonNull};

use super::acl::{self, AclEntry};
use super::handle::bytes_of;
use super::sys::{ArchiveEntry, ffi};
use crate::tree::metadata::{Attributes, EntryKind, Metadata, Moment};

/// One entry of a tar, before its body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ReadEntry {
    /// The name in the archive, a directory's without the slash at its end.
    pub(crate) path: Vec<u8>,
    /// `None` for one more name of another entry, and for what is no kind of ours.
    pub(crate) kind: Option<EntryKind>,
    /// Permissions with set-id and sticky bits.
    pub(crate) mode: u32,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) user: Vec<u8>,
    pub(crate) group: Vec<u8>,
    /// How long the body is, holes and all.
    pub(crate) size: u64,
    pub(crate) modified: Moment,
    /// Major and minor number of a device.
    pub(crate) device: (u32, u32),
    /// Flags as `FS_IOC_GETFLAGS` gives them.
    pub(crate) flags: u32,
    /// The name in the archive of the entry that this is one more name of.
    pub(crate) hardlink: Option<Vec<u8>>,
    /// Where a symbolic link leads.
    pub(crate) target: Vec<u8>,
    /// In the order of their names, each once, ACLs as the kernel has them.
    pub(crate) attributes: Attributes,
}

impl ReadEntry {
    /// What a record would say of it; `None` for one more name of another entry.
    pub(crate) fn metadata(&self) -> Option<Metadata> {
        let kind = self.kind.filter(|_| self.hardlink.is_none())?;
        Some(Metadata {
            kind,
            mode: self.mode,
            uid: self.uid,
            gid: self.gid,
            user: self.user.clone(),
            group: self.group.clone(),
            size: if kind == EntryKind::File { self.size } else { 0 },
            modified: self.modified,
            flags: self.flags,
            device: self.device,
            target: self.target.clone(),
        })
    }
}

/// An entry that libarchive owns and has just read.
pub(super) struct RawEntry(NonNull<ArchiveEntry>);

impl RawEntry {
    /// # Safety
    ///
    /// The entry is live and nobody else's until the value is dropped.
    pub(super) unsafe fn new(entry: NonNull<ArchiveEntry>) -> Self {
        Self(entry)
    }

    /// Copies everything; says what is wrong with what no entry of ours can be.
    pub(super) fn read(&self) -> Result<ReadEntry, &'static str> {
        let mut path = self.bytes(ffi::archive_entry_pathname).filter(|path| !path.is_empty()).ok_or("no name")?;
        let kind = EntryKind::of_mode(self.number(ffi::archive_entry_filetype));
        if kind == Some(EntryKind::Directory) && path.len() > 1 && path.ends_with(b"/") {
            path.pop();
        }
        let (attributes, mask) = self.attributes();
        let mut mode = self.number(ffi::archive_entry_perm);
        if let Some(mask) = mask {
            // libarchive gives the group's own permissions here; a mode has the mask.
            mode = mode & !0o070 | u32::from(mask) << 3;
        }
        let is_device = matches!(kind, Some(EntryKind::CharDevice | EntryKind::BlockDevice));
        let device_number = |get| if is_device { u32::try_from(self.number(get)) } else { Ok(0) };
        let nanoseconds: c_long = self.number(ffi::archive_entry_mtime_nsec);
        Ok(ReadEntry {
            path,
            kind,
            mode,
            uid: u32::try_from(self.number(ffi::archive_entry_uid)).map_err(|_| "a user out of range")?,
            gid: u32::try_from(self.number(ffi::archive_entry_gid)).map_err(|_| "a group out of range")?,
            user: self.bytes(ffi::archive_entry_uname).unwrap_or_default(),
            group: self.bytes(ffi::archive_entry_gname).unwrap_or_default(),
            size: u64::try_from(self.number(ffi::archive_entry_size)).map_err(|_| "a negative size")?,
            modified: Moment {
                seconds: self.number(ffi::archive_entry_mtime),
                nanoseconds: u32::try_from(nanoseconds).unwrap_or(0),
            },
            device: (
                device_number(ffi::archive_entry_rdevmajor).map_err(|_| "a device out of range")?,
                device_number(ffi::archive_entry_rdevminor).map_err(|_| "a device out of range")?,
            ),
            flags: self.flags(),
            hardlink: self.bytes(ffi::archive_entry_hardlink),
            target: self.bytes(ffi::archive_entry_symlink).unwrap_or_default(),
            attributes,
        })
    }

    /// Whether it has a map of what is data and what is not.
    pub(super) fn is_sparse(&self) -> bool {
        self.number(ffi::archive_entry_sparse_count) > 0
    }

    fn number<T>(&self, getter: unsafe extern "C" fn(*mut ArchiveEntry) -> T) -> T {
        // SAFETY: the entry is live and ours alone; these getters give a number.
        unsafe { getter(self.0.as_ptr()) }
    }

    fn bytes(&self, getter: unsafe extern "C" fn(*mut ArchiveEntry) -> *const c_char) -> Option<Vec<u8>> {
        // SAFETY: the entry is live and ours alone; gives null or a string that lasts as long as it is not set.
        let string = unsafe { getter(self.0.as_ptr()) };
        // SAFETY: as libarchive gave it, and copied before anything else is called.
        unsafe { bytes_of(string) }
    }

    fn flags(&self) -> u32 {
        let (mut set, mut clear): (c_ulong, c_ulong) = (0, 0);
        // SAFETY: the entry is live and ours alone; both numbers are ours to be written to.
        unsafe { ffi::archive_entry_fflags(self.0.as_ptr(), &mut set, &mut clear) };
        set as u32
    }

    /// The attributes, and the mask where an ACL of access has one.
    fn attributes(&self) -> (Attributes, Option<u16>) {
        let mut attributes = Attributes::new();
        self.number(ffi::archive_entry_xattr_reset);
        while let Some(attribute) = self.next_attribute() {
            attributes.push(attribute);
        }
        let mut mask = None;
        for (name, acl_type) in acl::BOTH {
            let Some(mut entries) = self.acl(acl_type) else { continue };
            if name == acl::ACCESS {
                mask = entries.iter().find(|entry| entry.is_mask()).map(|entry| entry.permissions());
            }
            attributes.push((name.to_vec(), acl::encode(&mut entries)));
        }
        attributes.sort_by(|a, b| a.0.cmp(&b.0));
        // Other tars write an attribute under two keywords, and libarchive gives it twice.
        attributes.dedup_by(|later, earlier| later.0 == earlier.0);
        (attributes, mask)
    }

    fn next_attribute(&self) -> Option<(Vec<u8>, Vec<u8>)> {
        let (mut name, mut value, mut len): (*const c_char, *const c_void, usize) = (ptr::null(), ptr::null(), 0);
        // SAFETY: the entry is live and ours alone; name, value and length are ours to be written to.
        let code = unsafe { ffi::archive_entry_xattr_next(self.0.as_ptr(), &mut name, &mut value, &mut len) };
        if code != ffi::ARCHIVE_OK {
            return None;
        }
        // SAFETY: as libarchive gave it; lasts as long as the entry.
        let name = unsafe { bytes_of(name) }.unwrap_or_default();
        if value.is_null() || len == 0 {
            return Some((name, Vec::new()));
        }
        // SAFETY: libarchive gave the length with the value, which is not null and lasts as long as the entry.
        let value = unsafe { std::slice::from_raw_parts(value.cast::<u8>(), len) };
        Some((name, value.to_vec()))
    }

    /// `None` where there is no ACL of the type, or one with names that have no numbers.
    fn acl(&self, acl_type: c_int) -> Option<Vec<AclEntry>> {
        // SAFETY: the entry is live and ours alone; goes to the start of the list.
        unsafe { ffi::archive_entry_acl_reset(self.0.as_ptr(), acl_type) };
        let mut entries = Vec::new();
        loop {
            let (mut found, mut permissions, mut tag, mut id): (c_int, c_int, c_int, c_int) = (0, 0, 0, -1);
            let mut name: *const c_char = ptr::null();
            // SAFETY: the entry is live and ours alone; the rest is ours to be written to.
            let code = unsafe {
                ffi::archive_entry_acl_next(
                    self.0.as_ptr(),
                    acl_type,
                    &mut found,
                    &mut permissions,
                    &mut tag,
                    &mut id,
                    &mut name,
                )
            };
            if code != ffi::ARCHIVE_OK {
                return (!entries.is_empty()).then_some(entries);
            }
            entries.push(AclEntry::of_libarchive(tag, id, permissions)?);
        }
    }
}
