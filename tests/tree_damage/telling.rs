//! What is said of damage that is passed: where in the archive it is, and once.

use std::sync::Arc;

use frazil::{Filter, RestoreOptions, restore_tree};

use crate::archive::{Header, Level, end};
use crate::look::scratch;
use crate::{Heard, back_up, entries, flipped};

/// What a restore that keeps going says of an archive.
fn said(archive: &[u8], what: &str) -> Vec<String> {
    let heard = Arc::new(Heard::default());
    let options = RestoreOptions::new().keep_going(true).observer(heard.clone());
    let summary = restore_tree(archive, scratch().path(), options).unwrap();
    let said = std::mem::take(&mut *heard.0.lock().unwrap());
    assert_eq!(summary.problems, said.len() as u64, "{what}");
    assert!(summary.is_partial(), "{what}");
    said
}

fn is_missing(path: &str) -> String {
    format!("Corrupt: {path}: content of an entry is missing")
}

fn is_damaged_at(offset: usize) -> String {
    format!("Corrupt: reading a tar at offset {offset}: libarchive: Damaged tar archive")
}

/// Where a header with this name is.
fn find(archive: &[u8], name: &str) -> usize {
    let name = format!("{name}\0");
    archive.chunks(512).position(|block| block.starts_with(name.as_bytes())).unwrap() * 512
}

#[test]
fn a_damaged_header_is_told_of_once_however_long_what_is_behind_it_and_where_it_is() {
    let dir = scratch();
    for name in ["a", "b", "c", "d"] {
        std::fs::write(dir.path().join(name), name.repeat(3000)).unwrap();
    }
    let archive = back_up(dir.path(), frazil::Since::Nothing, Filter::None).unwrap().0;
    for lost in [&["a"][..], &["b"], &["a", "b"], &["a", "c"], &["b", "c", "d"], &["a", "b", "c", "d"]] {
        // In its name, its checksum, and its magic.
        for within in [0, 148, 257] {
            let at = |name: &str| find(&archive, &format!("full/{name}"));
            let damaged = lost.iter().fold(archive.clone(), |archive, name| flipped(&archive, at(name) + within, 1));
            let said = said(&damaged, &format!("{lost:?} at {within}"));
            // There is an extended header before it, so that libarchive cannot go on, and says where it has read to.
            let mut expected: Vec<_> = lost.iter().map(|name| is_damaged_at(at(name) + 512)).collect();
            expected.extend(lost.iter().map(|name| is_missing(name)));
            assert_eq!(said, expected, "{lost:?} at {within}");
        }
    }
}

#[test]
fn a_batch_that_is_damaged_or_missing_is_told_of_once_and_where_it_is() {
    let mut level = Level::new(Header::level_0(*b"three batches..."));
    level.open("");
    for name in ["a", "b", "c"] {
        level.file(name, name.repeat(3000).as_bytes());
        level.batch();
    }
    level.close("");
    let archive = level.finish();
    for number in 1..=3 {
        let batch = find(&archive, &format!(".frazil/check/{number:08}"));
        // Its body is a sealed stream, with an offset of its own that nobody could find.
        let said = said(&flipped(&archive, batch + 512 + 100, 1), &format!("batch {number}"));
        let [damaged] = &said[..] else { panic!("batch {number}: {said:?}") };
        let expected = format!("Corrupt: reading a batch of records at offset {batch}: ");
        assert!(damaged.starts_with(&expected), "batch {number}: {damaged}");
    }
    // Those that are not there at all are missed by the batch behind them alone.
    let entries = entries(&archive);
    let is_batch = |entry: &Vec<u8>, number: usize| entry.starts_with(format!(".frazil/check/{number:08}").as_bytes());
    for (missing, found) in [(&[1][..], 2), (&[2], 3), (&[1, 2], 3)] {
        let kept = entries.iter().filter(|entry| !missing.iter().any(|number| is_batch(entry, *number)));
        let said = said(&end(kept.cloned().collect::<Vec<_>>().concat()), &format!("without {missing:?}"));
        let expected = format!("batch of records is out of order: expected {}, found {found}", missing[0]);
        assert!(said.len() == 1 && said[0].ends_with(&expected), "without {missing:?}: {said:?}");
    }
}
