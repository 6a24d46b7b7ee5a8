use std::io::{Read, Write};

use super::*;
use crate::tree::metadata::{EntryKind, Evidence, Metadata, Moment};
use crate::{ErrorKind, Fingerprint, Identity};

const BLOCK_LEN: u32 = 1024;

fn header() -> LevelHeader {
    let id = LevelId([7; 16]);
    LevelHeader { id, parent: None, root: id, number: 0, block_len: BLOCK_LEN, created: -1 }
}

fn entry(path: &str, kind: EntryKind, size: u64) -> SnapshotRecord {
    let fingerprint = Fingerprint { leaf_len: BLOCK_LEN, length: size, digest: [3; 32] };
    SnapshotRecord {
        path: path.as_bytes().to_vec(),
        metadata: Metadata {
            kind,
            mode: 0o644,
            uid: 0,
            gid: 0,
            user: b"root".to_vec(),
            group: b"root".to_vec(),
            size,
            modified: Moment { seconds: 1_700_000_000, nanoseconds: 1 },
            flags: 0,
            device: (0, 0),
            target: Vec::new(),
        },
        evidence: Evidence { inode: size, links: 1, ..Evidence::default() },
        attributes: None,
        identity: (kind == EntryKind::File).then_some(Identity { crc32: 1, fingerprint }),
        link: None,
        mark: Mark { racy: size == 5, ..Mark::default() },
    }
}

fn sums(record: &SnapshotRecord) -> Vec<u8> {
    let len = sums_of(record.metadata.size, BLOCK_LEN) as usize * SUM_LEN;
    (0..len).map(|i| (i as u64 * 31 + record.metadata.size) as u8).collect()
}

fn records() -> Vec<SnapshotRecord> {
    let mut records = vec![entry("", EntryKind::Directory, 0), entry("a", EntryKind::Directory, 0)];
    for (name, size) in [("a/0", 0), ("a/1", 5), ("a/2", 1024), ("a/3", 1025), ("b", 30_000_000), ("c", 7)] {
        records.push(entry(name, EntryKind::File, size));
    }
    records.push(SnapshotRecord { link: Some(b"b".to_vec()), ..entry("d", EntryKind::File, 30_000_000) });
    records
}

fn written(records: &[SnapshotRecord]) -> Vec<u8> {
    let mut writer = SnapshotWriter::new(Vec::new(), &header(), 1).unwrap();
    for record in records {
        writer.push(record, &sums(record)[..]).unwrap();
    }
    writer.finish().unwrap()
}

fn read_all(snapshot: &[u8]) -> Result<u64> {
    let mut reader = SnapshotReader::new(snapshot, 1)?;
    while reader.next()?.is_some() {}
    Ok(reader.records())
}

#[test]
fn records_and_their_sums_come_back_in_order() {
    let snapshot = written(&records());
    for read_sums in [true, false] {
        let mut reader = SnapshotReader::new(&snapshot[..], 1).unwrap();
        assert_eq!(*reader.header(), header());
        for expected in records() {
            assert_eq!(reader.next().unwrap().unwrap(), expected);
            if read_sums && expected.link.is_none() {
                let mut found = Vec::new();
                reader.sums().read_to_end(&mut found).unwrap();
                assert_eq!(found, sums(&expected), "{:?}", expected.path);
            }
        }
        assert!(reader.next().unwrap().is_none());
        assert_eq!(reader.records(), records().len() as u64);
    }
}

#[test]
fn a_file_is_found_by_its_inode_with_its_sums() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(&written(&records())).unwrap();
    let mut snapshot = SnapshotFile::open(file.path(), 1).unwrap();
    for expected in records().iter().filter(|record| record.metadata.size > 0 && record.link.is_none()) {
        let found = snapshot.find(expected.evidence.inode).unwrap();
        assert_eq!(found.len(), 1);
        let (record, at) = &found[0];
        assert_eq!(record, expected);
        let mut read = Vec::new();
        snapshot.sums(*at, sums_of(record.metadata.size, BLOCK_LEN)).read_to_end(&mut read).unwrap();
        assert_eq!(read, sums(expected));
    }
    assert!(snapshot.find(4711).unwrap().is_empty());
    assert_eq!(snapshot.reader(1).unwrap().next().unwrap().unwrap(), records()[0]);
}

#[test]
fn the_newest_change_is_that_of_what_changed_last_and_not_of_what_is_dated_ahead() {
    let changed = |seconds, mut record: SnapshotRecord| {
        record.evidence.changed = Moment { seconds, nanoseconds: 0 };
        record
    };
    let ahead = Moment::now().seconds + 1_000;
    for (times, expected) in
        [([5, 9, 7], Some(9)), ([5, ahead, 7], Some(7)), ([ahead; 3], None), ([-9, -7, -8], Some(-7))]
    {
        let file = tempfile::NamedTempFile::new().unwrap();
        let records: Vec<_> = records().into_iter().zip(times).map(|(record, time)| changed(time, record)).collect();
        std::fs::write(file.path(), written(&records)).unwrap();
        let newest = SnapshotFile::open(file.path(), 1).unwrap().newest_change();
        assert_eq!(newest.map(|newest| newest.seconds), expected, "{times:?}");
    }
}

#[test]
fn a_snapshot_cut_or_flipped_anywhere_is_an_error() {
    let small: Vec<_> = records().into_iter().filter(|record| record.metadata.size < 30_000_000).collect();
    let snapshot = written(&small);
    read_all(&snapshot).unwrap();
    for len in 0..snapshot.len() {
        let error = read_all(&snapshot[..len]).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Truncated | ErrorKind::Corrupt), "cut at {len}: {error}");
    }
    for at in 0..snapshot.len() {
        let mut flipped = snapshot.clone();
        flipped[at] ^= 1 << (at % 8);
        read_all(&flipped).unwrap_err();
    }
    assert!(read_all(&[&snapshot[..], b"x"].concat()).is_err(), "something follows");
}

#[test]
fn records_out_of_order_and_twice_are_refused() {
    for order in [["b", "a"], ["a", "a"], ["a-", "a/b"]] {
        let snapshot = written(&order.map(|name| entry(name, EntryKind::File, 1)));
        assert_eq!(read_all(&snapshot).unwrap_err().kind(), ErrorKind::Corrupt, "{order:?}");
    }
}
