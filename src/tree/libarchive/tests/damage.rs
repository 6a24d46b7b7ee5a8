//! What libarchive's reader would pass over, die of, or mistake for something else.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::*;

/// Two entries of a body in two records each; the second begins at `SECOND`.
fn two() -> Vec<u8> {
    archive(Filter::None, |writer| {
        writer.file(b"a", &noise(1000)).unwrap();
        writer.file(b"b", &noise(1000)).unwrap();
    })
}

/// Where the second entry of [`two`] begins: after headers of 512 bytes each and a body.
fn second(tar: &[u8]) -> usize {
    let mut reader = ArchiveReader::new(tar).unwrap();
    entry(&mut reader);
    entry(&mut reader);
    reader.position() as usize
}

/// Hands out some bytes, then does something else.
struct Then<'a, F>(&'a [u8], F);

impl<F: FnMut() -> io::Result<usize>> Read for Then<'_, F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.0.is_empty() { (self.1)() } else { self.0.read(&mut buffer[..1]) }
    }
}

fn read_to_the_end<R: Read>(source: R) -> Result<Vec<Vec<u8>>> {
    let mut reader = ArchiveReader::with_block_len(source, 700)?;
    let mut paths = Vec::new();
    loop {
        match reader.next()? {
            Next::Entry(entry) => paths.push(entry.path),
            Next::Damaged(error) => return Err(error),
            Next::End => return Ok(paths),
        }
        reader.read_all(1 << 20)?;
    }
}

#[test]
fn a_bad_header_is_damage_with_its_place_and_the_reader_goes_on() {
    let mut tar = two();
    let place = second(&tar);
    tar[place] ^= 1;
    let mut reader = ArchiveReader::new(&tar[..]).unwrap();
    entry(&mut reader);
    let Next::Damaged(error) = reader.next().unwrap() else { panic!("a bad header was read") };
    assert_eq!((error.kind(), error.offset()), (ErrorKind::Corrupt, Some(place as u64)));
    assert_eq!(reader.read(&mut [0]).unwrap_err().kind(), ErrorKind::State);
    // What follows is the body of the pax header that was lost, then a header without what that said of it.
    assert!(matches!(reader.next().unwrap(), Next::Damaged(_)));
    assert_eq!(entry(&mut reader).path, b"b");
    ends(&mut reader);
}

#[test]
fn a_tar_cut_anywhere_is_truncated_unless_it_is_cut_between_entries() {
    let tar = two();
    let place = second(&tar);
    let end = tar.len() - 1024;
    for len in 0..tar.len() {
        let result = read_to_the_end(&tar[..len]);
        if len == place || len >= end && len % 512 == 0 {
            result.unwrap();
        } else {
            assert_eq!(result.unwrap_err().kind(), ErrorKind::Truncated, "cut at {len}");
        }
    }
    // libarchive takes this for a whole archive, so a level has a trailer of its own.
    assert_eq!(read_to_the_end(&tar[..place]).unwrap(), [b"a"]);
    assert_eq!(read_to_the_end(&tar[..]).unwrap(), [b"a", b"b"]);
}

#[test]
fn a_compressed_tar_cut_anywhere_is_an_error() {
    for filter in Filter::ALL.into_iter().filter(|filter| *filter != Filter::None) {
        let tar = archive(filter, |writer| writer.file(b"a", &noise(3000)).unwrap());
        for len in (0..tar.len()).step_by(7).chain([tar.len() - 1]) {
            assert!(read_to_the_end(&tar[..len]).is_err(), "{filter} cut at {len} of {}", tar.len());
        }
        assert_eq!(read_to_the_end(&tar[..]).unwrap(), [b"a"], "{filter}");
    }
}

#[test]
fn what_comes_after_the_end_of_an_archive_is_noticed() {
    let tar = two();
    assert_eq!(read_to_the_end(&[&tar[..], &tar[..]].concat()[..]).unwrap(), [b"a", b"b", b"a", b"b"]);
    assert_eq!(read_to_the_end(&[&tar[..], &noise(512)].concat()[..]).unwrap_err().kind(), ErrorKind::Corrupt);
    assert_eq!(read_to_the_end(&[&tar[..], &[0; 10_240]].concat()[..]).unwrap(), [b"a", b"b"]);
    for filter in Filter::ALL.into_iter().filter(|filter| *filter != Filter::None) {
        let tar = archive(filter, |writer| writer.file(b"a", &noise(3000)).unwrap());
        for (behind, count) in [(&[7; 100_000][..], 100_000), (&[0; 100_000], 0)] {
            let tar = [&tar[..], behind].concat();
            match read_and_drain(&tar) {
                // lz4 has taken four of them by then, to see whether they are its own.
                Ok(found) => assert!(found <= count && found + 4 >= count, "{filter}: {found}"),
                // Some filters take it for more of their own.
                Err(error) => assert_eq!(error.kind(), ErrorKind::Corrupt, "{filter}: {error}"),
            }
        }
    }
}

fn read_and_drain(tar: &[u8]) -> Result<u64> {
    let mut reader = ArchiveReader::new(tar)?;
    entry(&mut reader);
    assert!(matches!(reader.next()?, Next::End));
    reader.drain()
}

#[test]
fn an_error_of_the_source_comes_out_as_it_is_wherever_it_is_met() {
    #[derive(Debug, thiserror::Error)]
    #[error("told so")]
    struct Told(u32);

    let tar = two();
    for len in [0, 100, 512, 700, 1000, 1500, 2000, tar.len()] {
        let mut told = 0;
        let source = Then(&tar[..len], || {
            told += 1;
            Err(io::Error::new(io::ErrorKind::HostUnreachable, Told(told)))
        });
        let error = io::Error::from(read_to_the_end(source).unwrap_err());
        assert_eq!(error.kind(), io::ErrorKind::HostUnreachable, "at {len}");
        assert_eq!(error.downcast::<Told>().unwrap().0, 1, "at {len}");
    }
    let error = Error::from(io::Error::from(Error::new(ErrorKind::WrongBasis, "no").at(7)));
    let source = Then(&tar[..700], || Err(io::Error::from(Error::new(error.kind(), "no").at(7))));
    let error = read_to_the_end(source).unwrap_err();
    assert_eq!((error.kind(), error.offset()), (ErrorKind::WrongBasis, Some(7)));
}

#[test]
fn a_source_that_is_interrupted_is_asked_again() {
    let tar = two();
    let mut interrupted = false;
    let rest = Then(&[], || {
        interrupted = !interrupted;
        if interrupted { Err(io::ErrorKind::Interrupted.into()) } else { Ok(0) }
    });
    assert_eq!(read_to_the_end(tar.chain(rest)).unwrap(), [b"a", b"b"]);
}

#[test]
fn a_panic_of_the_source_comes_out_as_the_panic() {
    let tar = two();
    for len in [0, 700, tar.len()] {
        let source = Then(&tar[..len], || std::panic::panic_any(len));
        let panic = catch_unwind(AssertUnwindSafe(|| read_to_the_end(source))).unwrap_err();
        assert_eq!(panic.downcast_ref(), Some(&len));
    }
}

#[test]
fn a_failure_is_not_forgotten() {
    let tar = two();
    let mut reader = ArchiveReader::new(&tar[..2000]).unwrap();
    entry(&mut reader);
    for _ in 0..3 {
        assert_eq!(reader.read_all(1000).unwrap_err().kind(), ErrorKind::Truncated);
        assert_eq!(reader.next().unwrap_err().kind(), ErrorKind::Truncated);
        assert_eq!(reader.drain().unwrap_err().kind(), ErrorKind::Truncated);
    }
}

#[test]
fn an_entry_beyond_its_limit_is_not_read() {
    let tar = two();
    let mut reader = ArchiveReader::new(&tar[..]).unwrap();
    entry(&mut reader);
    assert_eq!(reader.read_all(999).unwrap_err().kind(), ErrorKind::Limit);
    assert_eq!(reader.drain().unwrap_err().kind(), ErrorKind::State);
    assert_eq!(reader.read_all(1000).unwrap(), noise(1000));
}

#[test]
fn names_that_are_not_in_ascii_are_no_warning() {
    let tar = archive(Filter::None, |writer| {
        for path in [&b"\xff\xfe"[..], "\u{e4}\u{1f600}".as_bytes(), b"\xc3"] {
            writer.file(path, b"").unwrap();
        }
    });
    assert_eq!(read_to_the_end(&tar[..]).unwrap().len(), 3);
}

#[test]
fn what_is_no_tar_is_refused() {
    assert_eq!(read_to_the_end(&noise(5000)[..]).unwrap_err().kind(), ErrorKind::Corrupt);
    assert_eq!(read_to_the_end(&b"short"[..]).unwrap_err().kind(), ErrorKind::Truncated);
    assert_eq!(read_to_the_end((&b"PK\x03\x04"[..]).chain(&[0; 600][..])).unwrap_err().kind(), ErrorKind::Corrupt);
}
