//! POSIX ACLs between the kernel's binary form and libarchive's entries.
//!
//! The kernel's form is a version, 2, in 32 bits, and for each entry a tag and permissions in 16 bits and
//! the number of a user or group in 32, all little-endian.

use std::ffi::c_int;

use super::sys;

pub(super) const ACCESS: &[u8] = b"system.posix_acl_access";
pub(super) const DEFAULT: &[u8] = b"system.posix_acl_default";

/// Both ACLs: the attribute's name, and libarchive's type.
pub(super) const BOTH: [(&[u8], c_int); 2] = [(ACCESS, sys::ACL_TYPE_ACCESS), (DEFAULT, sys::ACL_TYPE_DEFAULT)];

const VERSION: u32 = 2;
const HEADER_LEN: usize = 4;
const ENTRY_LEN: usize = 8;

/// The number of what is not somebody in particular.
const NOBODY: u32 = u32::MAX;

/// The most entries that are put as an ACL: from 3.7.5 on, libarchive reads no more than 128 KiB of text,
/// and an entry takes 40 bytes at most.
const ENTRIES_MAX: usize = 3000;

/// Tags by the kernel's number, in the kernel's order, and libarchive's number for them.
const TAGS: [(u16, c_int); 6] = [
    (0x01, sys::ACL_USER_OBJ),
    (0x02, sys::ACL_USER),
    (0x04, sys::ACL_GROUP_OBJ),
    (0x08, sys::ACL_GROUP),
    (0x10, sys::ACL_MASK),
    (0x20, sys::ACL_OTHER),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct AclEntry {
    tag: u16,
    id: u32,
    permissions: u16,
}

impl AclEntry {
    /// Takes what libarchive gives; `None` for what the kernel has no form for, as a name without a number.
    pub(super) fn of_libarchive(tag: c_int, id: c_int, permissions: c_int) -> Option<Self> {
        let (kernel, _) = *TAGS.iter().find(|(_, libarchive)| *libarchive == tag)?;
        let entry = Self { tag: kernel, id: NOBODY, permissions: u16::try_from(permissions).ok()? };
        if !entry.is_named() {
            return Some(entry);
        }
        Some(Self { id: u32::try_from(id).ok()?, ..entry })
    }

    /// Tag, number and permissions as libarchive takes them.
    pub(super) fn for_libarchive(self) -> (c_int, c_int, c_int) {
        let tag = TAGS.iter().find(|(kernel, _)| *kernel == self.tag).map_or(0, |(_, libarchive)| *libarchive);
        (tag, if self.is_named() { self.id as c_int } else { -1 }, c_int::from(self.permissions))
    }

    fn is_named(self) -> bool {
        matches!(self.tag, 0x02 | 0x08)
    }

    /// Whether it is the mask, which stands in the place of the group in a mode.
    pub(super) fn is_mask(self) -> bool {
        self.tag == 0x10
    }

    pub(super) fn permissions(self) -> u16 {
        self.permissions
    }
}

/// Takes the kernel's form apart; `None` for what would not come back from libarchive as it was.
///
/// That is what the kernel does not make, and what has numbers above 2^31, which libarchive holds in an
/// `int`. Such an ACL travels as any other attribute.
pub(super) fn parse(value: &[u8]) -> Option<Vec<AclEntry>> {
    let (version, body) = value.split_first_chunk::<HEADER_LEN>()?;
    let (chunks, rest) = body.as_chunks::<ENTRY_LEN>();
    if u32::from_le_bytes(*version) != VERSION || !rest.is_empty() || chunks.len() > ENTRIES_MAX {
        return None;
    }
    let entries: Vec<AclEntry> = chunks
        .iter()
        .map(|&[t0, t1, p0, p1, i0, i1, i2, i3]| AclEntry {
            tag: u16::from_le_bytes([t0, t1]),
            permissions: u16::from_le_bytes([p0, p1]),
            id: u32::from_le_bytes([i0, i1, i2, i3]),
        })
        .collect();
    let is_sound = |entry: &AclEntry| {
        let id_fits = if entry.is_named() { i32::try_from(entry.id).is_ok() } else { entry.id == NOBODY };
        id_fits && entry.permissions <= 7 && TAGS.iter().any(|(kernel, _)| *kernel == entry.tag)
    };
    let has = |tag| entries.iter().any(|entry| entry.tag == tag);
    let is_ordered = entries.is_sorted_by(|a, b| (a.tag, a.id) < (b.tag, b.id));
    let is_whole = has(0x01) && has(0x04) && has(0x20);
    (is_ordered && is_whole && entries.iter().all(is_sound)).then_some(entries)
}

/// The kernel's form, in the kernel's order.
pub(super) fn encode(entries: &mut [AclEntry]) -> Vec<u8> {
    entries.sort_unstable();
    let mut value = VERSION.to_le_bytes().to_vec();
    for entry in entries {
        value.extend_from_slice(&entry.tag.to_le_bytes());
        value.extend_from_slice(&entry.permissions.to_le_bytes());
        value.extend_from_slice(&entry.id.to_le_bytes());
    }
    value
}
