//! What is written comes back, and what libarchive would pass over is noticed.

// The map of a sparse file is a list of ranges, of one range too.
#![allow(clippy::single_range_in_vec_init)]

mod damage;
mod programs;
mod round_trip;
mod writing;

use std::io::Read;
use std::ops::Range;

use super::*;
use crate::tree::metadata::{Attributes, EntryKind, Metadata, Moment};

fn metadata(kind: EntryKind, size: u64) -> Metadata {
    Metadata {
        kind,
        mode: 0o4751,
        uid: 4_000_000_000,
        gid: 4_100_000_000,
        user: b"some\xffone".to_vec(),
        group: b"a group".to_vec(),
        size,
        modified: Moment { seconds: -5, nanoseconds: 999_999_999 },
        flags: if matches!(kind, EntryKind::File | EntryKind::Directory) { 0x50 } else { 0 },
        device: match kind {
            EntryKind::CharDevice => (300_000, 1_048_576),
            EntryKind::BlockDevice => (8, 1),
            _ => (0, 0),
        },
        target: if kind == EntryKind::Symlink { b"../\xff a\n%".to_vec() } else { Vec::new() },
    }
}

/// A file as it is written, and as it is read.
struct File<'a> {
    path: &'a [u8],
    attributes: Attributes,
    data: Option<&'a [Range<u64>]>,
    body: Vec<u8>,
}

impl<'a> File<'a> {
    fn new(path: &'a [u8], body: &[u8]) -> Self {
        Self { path, attributes: Attributes::new(), data: None, body: body.to_vec() }
    }

    fn write(&self, writer: &mut ArchiveWriter) {
        let metadata = metadata(EntryKind::File, self.body.len() as u64);
        let (path, attributes, data) = (self.path, &self.attributes, self.data);
        writer.begin(&TarEntry { path, metadata: &metadata, attributes, hardlink: None, data }).unwrap();
        writer.data(&self.body).unwrap();
        writer.end().unwrap();
    }

    fn read<R: Read>(&self, reader: &mut ArchiveReader<R>) -> ReadEntry {
        let entry = entry(reader);
        assert_eq!(entry.path, self.path);
        assert_eq!(entry.metadata(), Some(metadata(EntryKind::File, self.body.len() as u64)));
        assert!(reader.read_all(self.body.len()).unwrap() == self.body, "body of {:?}", self.path);
        entry
    }
}

fn archive(filter: Filter, write: impl FnOnce(&mut ArchiveWriter)) -> Vec<u8> {
    let mut writer = ArchiveWriter::new(filter, 2).unwrap();
    write(&mut writer);
    writer.finish().unwrap();
    writer.output().to_vec()
}

fn entry<R: Read>(reader: &mut ArchiveReader<R>) -> ReadEntry {
    match reader.next().unwrap() {
        Next::Entry(entry) => entry,
        other => panic!("{other:?}"),
    }
}

fn ends<R: Read>(reader: &mut ArchiveReader<R>) {
    assert!(matches!(reader.next().unwrap(), Next::End));
    assert_eq!(reader.drain().unwrap(), 0);
    assert!(matches!(reader.next().unwrap(), Next::End));
}

/// Bytes that no filter makes much smaller.
fn noise(len: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let step = |_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    (0..len).map(step).collect()
}

/// An ACL in the kernel's form.
fn acl(entries: &[(u16, u16, u32)]) -> Vec<u8> {
    let mut value = 2_u32.to_le_bytes().to_vec();
    for (tag, permissions, id) in entries {
        value.extend_from_slice(&tag.to_le_bytes());
        value.extend_from_slice(&permissions.to_le_bytes());
        value.extend_from_slice(&id.to_le_bytes());
    }
    value
}
