//! What is written before a body: a tar entry as libarchive takes it.

use std::ffi::{CString, c_char, c_int, c_long};
use std::ops::Range;
use std::ptr::NonNull;

use super::acl;
use super::handle::out_of_memory;
use super::sys::{ArchiveEntry, ffi};
use crate::tree::metadata::{Attributes, EntryKind, Metadata};
use crate::{Error, ErrorKind, Result};

/// The most bytes that attributes may take in a header. Up to 3.7.4 libarchive's reader gives up on a pax
/// header of more than 1 MiB, and its writer writes one all the same.
const ATTRIBUTES_MAX: usize = 512 << 10;

/// The most ranges of data in a sparse file's map, which libarchive reads into a list; newer ones read no
/// more than 8 MiB of it.
const RANGES_MAX: usize = 100_000;

/// One entry of a tar, before its body.
///
/// Its header is for other tars and for listings: what is restored is in sealed records. So what a header
/// has no room for, or what libarchive would spoil, is left out of it.
#[derive(Clone, Copy)]
pub(crate) struct TarEntry<'a> {
    /// The name in the archive; a directory's gets a slash at its end.
    pub(crate) path: &'a [u8],
    pub(crate) metadata: &'a Metadata,
    pub(crate) attributes: &'a Attributes,
    /// The name in the archive of the entry that this is one more name of; it has no body then.
    pub(crate) hardlink: Option<&'a [u8]>,
    /// Where a sparse file has data, in rising order; `Some` and empty where it has none at all. The body is
    /// the whole content nevertheless, holes as zeros. A name that is too long for a header without
    /// extension goes without the map, and holes become zeros of the archive.
    pub(crate) data: Option<&'a [Range<u64>]>,
}

impl TarEntry<'_> {
    /// How long the body is.
    pub(crate) fn body_len(&self) -> u64 {
        if self.hardlink.is_none() && self.metadata.kind == EntryKind::File { self.metadata.size } else { 0 }
    }
}

/// A `struct archive_entry`, freed when dropped.
pub(super) struct Entry(NonNull<ArchiveEntry>);

// SAFETY: plain memory without any tie to a thread.
unsafe impl Send for Entry {}

impl Entry {
    pub(super) fn new() -> Result<Self> {
        // SAFETY: takes nothing; null is looked for.
        let entry = unsafe { ffi::archive_entry_new() };
        NonNull::new(entry).map(Self).ok_or_else(out_of_memory)
    }

    pub(super) fn as_ptr(&self) -> *mut ArchiveEntry {
        self.0.as_ptr()
    }

    /// Makes it what `entry` says, with nothing left of what it was.
    pub(super) fn fill(&mut self, entry: &TarEntry<'_>) -> Result<()> {
        let metadata = entry.metadata;
        // SAFETY: the entry is live and ours alone; gives the same one back.
        unsafe { ffi::archive_entry_clear(self.as_ptr()) };
        self.set(ffi::archive_entry_set_filetype, metadata.kind.mode_bits());
        self.set(ffi::archive_entry_set_perm, metadata.mode & 0o7777);
        self.set(ffi::archive_entry_set_uid, i64::from(metadata.uid));
        self.set(ffi::archive_entry_set_gid, i64::from(metadata.gid));
        self.copy(ffi::archive_entry_copy_pathname, entry.path)?;
        if !metadata.user.is_empty() {
            self.copy(ffi::archive_entry_copy_uname, &metadata.user)?;
        }
        if !metadata.group.is_empty() {
            self.copy(ffi::archive_entry_copy_gname, &metadata.group)?;
        }
        let modified = metadata.modified.in_tar();
        // SAFETY: the entry is live and ours alone.
        unsafe { ffi::archive_entry_set_mtime(self.as_ptr(), modified.seconds, modified.nanoseconds as c_long) };
        if let Some(path) = entry.hardlink {
            return self.copy(ffi::archive_entry_copy_hardlink, path);
        }
        match metadata.kind {
            EntryKind::File => self.set_size(entry)?,
            EntryKind::Symlink => self.copy(ffi::archive_entry_copy_symlink, &metadata.target)?,
            EntryKind::CharDevice | EntryKind::BlockDevice => {
                self.set(ffi::archive_entry_set_rdevmajor, metadata.device.0.into());
                self.set(ffi::archive_entry_set_rdevminor, metadata.device.1.into());
            }
            EntryKind::Directory | EntryKind::Fifo => {}
        }
        if metadata.flags != 0 {
            // SAFETY: the entry is live and ours alone; on Linux it takes the bits of FS_IOC_GETFLAGS.
            unsafe { ffi::archive_entry_set_fflags(self.as_ptr(), metadata.flags.into(), 0) };
        }
        self.add_attributes(entry.attributes)
    }

    fn set<T>(&mut self, setter: unsafe extern "C" fn(*mut ArchiveEntry, T), value: T) {
        // SAFETY: the entry is live and ours alone; these setters store a number.
        unsafe { setter(self.as_ptr(), value) };
    }

    fn copy(&mut self, setter: unsafe extern "C" fn(*mut ArchiveEntry, *const c_char), bytes: &[u8]) -> Result<()> {
        let string = terminated(bytes)?;
        // SAFETY: the entry is live and ours alone; the string lives through the call and is copied.
        unsafe { setter(self.as_ptr(), string.as_ptr()) };
        Ok(())
    }

    fn set_size(&mut self, entry: &TarEntry<'_>) -> Result<()> {
        let size = i64::try_from(entry.metadata.size)
            .map_err(|_| Error::new(ErrorKind::InvalidInput, "file is too large for a tar"))?;
        self.set(ffi::archive_entry_set_size, size);
        let Some(ranges) = entry.data.filter(|_| size > 0 && fits_short_header(entry.path)) else { return Ok(()) };
        let ranges = merged(ranges, entry.metadata.size)?;
        if ranges.is_empty() {
            // An empty range at the start makes a map that has no data.
            self.add_range(0, 0);
        }
        for range in ranges {
            self.add_range(range.start as i64, (range.end - range.start) as i64);
        }
        Ok(())
    }

    fn add_range(&mut self, offset: i64, len: i64) {
        // SAFETY: the entry is live and ours alone; libarchive passes over a range that does not fit.
        unsafe { ffi::archive_entry_sparse_add_entry(self.as_ptr(), offset, len) };
    }

    fn add_attributes(&mut self, attributes: &Attributes) -> Result<()> {
        if encoded_len(attributes) > ATTRIBUTES_MAX {
            // The entry's record has them, and it is the record that is restored.
            return Ok(());
        }
        for (name, value) in attributes {
            let acl = acl::BOTH.iter().find(|(attribute, _)| attribute == name);
            match acl.and_then(|(_, acl_type)| Some((*acl_type, acl::parse(value)?))) {
                Some((acl_type, entries)) => self.add_acl(acl_type, &entries)?,
                None => {
                    let name = terminated(name)?;
                    let value = value.as_slice();
                    // SAFETY: the entry is live and ours alone; name and value live through the call and are
                    // copied.
                    unsafe {
                        ffi::archive_entry_xattr_add_entry(
                            self.as_ptr(),
                            name.as_ptr(),
                            value.as_ptr().cast(),
                            value.len(),
                        )
                    };
                }
            }
        }
        Ok(())
    }

    /// An ACL of access also sets the mode, so that the header has the group's permissions where `stat` has
    /// the mask; libarchive reads it back so. What reads it has to put the mask back.
    fn add_acl(&mut self, acl_type: c_int, entries: &[acl::AclEntry]) -> Result<()> {
        for entry in entries {
            let (tag, id, permissions) = entry.for_libarchive();
            // SAFETY: the entry is live and ours alone; no name is given, so the number stands for itself.
            let code = unsafe {
                ffi::archive_entry_acl_add_entry(self.as_ptr(), acl_type, permissions, tag, id, std::ptr::null())
            };
            if code != ffi::ARCHIVE_OK {
                return Err(Error::new(ErrorKind::Internal, "libarchive does not take an ACL that was checked"));
            }
        }
        Ok(())
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        // SAFETY: the entry is live, ours alone, and not used again.
        unsafe { ffi::archive_entry_free(self.as_ptr()) };
    }
}

fn terminated(bytes: &[u8]) -> Result<CString> {
    CString::new(bytes).map_err(|_| Error::new(ErrorKind::InvalidInput, "name has a zero byte in it"))
}

/// Whether a name fits into a header without extension. Where it does not, libarchive shortens it before it
/// writes it into the map of a sparse file, and every tar then takes the short one for the name.
fn fits_short_header(path: &[u8]) -> bool {
    const NAME_MAX: usize = 100;
    const PREFIX_MAX: usize = 155;
    if path.len() < NAME_MAX {
        return true;
    }
    // It is cut at the first slash that leaves a short enough name.
    let cut = (path.len().saturating_sub(NAME_MAX + 1).max(1)..path.len()).find(|&at| path[at] == b'/');
    path.is_ascii() && cut.is_some_and(|at| at <= PREFIX_MAX && at + 1 < path.len())
}

/// How many bytes the attributes take in a pax header, or a few more: names with three for each byte at
/// worst, values in base64.
fn encoded_len(attributes: &Attributes) -> usize {
    attributes.iter().map(|(name, value)| 64 + 3 * name.len() + value.len().div_ceil(3) * 4).sum()
}

/// The ranges without empty ones and, where there are too many, with the smallest holes taken for data.
///
/// libarchive passes over a range that is out of order or beyond the end, and its bytes with it.
fn merged(ranges: &[Range<u64>], size: u64) -> Result<Vec<Range<u64>>> {
    let mut end = 0;
    for range in ranges {
        if range.start < end || range.end < range.start || range.end > size {
            return Err(Error::new(ErrorKind::Internal, "ranges of a sparse file are out of order")
                .expected(format_args!("within {end}..{size}"), format_args!("{range:?}")));
        }
        end = range.end;
    }
    let mut hole_min = 1;
    loop {
        let mut merged: Vec<Range<u64>> = Vec::new();
        for range in ranges.iter().filter(|range| !range.is_empty()) {
            match merged.last_mut() {
                Some(last) if range.start - last.end < hole_min => last.end = range.end,
                _ => merged.push(range.clone()),
            }
        }
        if merged.len() <= RANGES_MAX {
            return Ok(merged);
        }
        hole_min *= 2;
    }
}
