//! What libarchive's writer would do without a word.

use super::*;

fn begun(size: u64) -> ArchiveWriter {
    let mut writer = ArchiveWriter::new(Filter::None, 1).unwrap();
    let (metadata, none) = (metadata(EntryKind::File, size), Attributes::new());
    let entry = TarEntry { path: b"full/a", metadata: &metadata, attributes: &none, hardlink: None, data: None };
    writer.begin(&entry).unwrap();
    writer
}

#[test]
fn a_body_that_is_too_short_is_not_filled_up() {
    let mut writer = begun(10);
    writer.data(b"123456789").unwrap();
    assert_eq!(writer.end().unwrap_err().kind(), ErrorKind::Internal);
    assert_eq!(writer.finish().unwrap_err().kind(), ErrorKind::Internal);
    assert_eq!(writer.file(b"b", b"").unwrap_err().kind(), ErrorKind::Internal);
    writer.zeros(1).unwrap();
    writer.end().unwrap();
    writer.finish().unwrap();
}

#[test]
fn a_body_that_is_too_long_is_not_cut() {
    let mut writer = begun(10);
    assert_eq!(writer.data(b"12345678901").unwrap_err().kind(), ErrorKind::Internal);
    writer.data(b"1234567890").unwrap();
    assert_eq!(writer.data(b"1").unwrap_err().kind(), ErrorKind::Internal);
    writer.end().unwrap();
    assert_eq!(writer.data(b"1").unwrap_err().kind(), ErrorKind::Internal);
    assert_eq!(writer.end().unwrap_err().kind(), ErrorKind::Internal);
}

#[test]
fn a_failure_is_not_forgotten() {
    let mut writer = begun(10 << 20);
    writer.refuse_output();
    assert_eq!(writer.zeros(1 << 20).unwrap_err().kind(), ErrorKind::OutOfMemory);
    // libarchive would take all of these for a success.
    for _ in 0..2 {
        assert_eq!(writer.data(b"1").unwrap_err().kind(), ErrorKind::OutOfMemory);
        assert_eq!(writer.end().unwrap_err().kind(), ErrorKind::OutOfMemory);
        assert_eq!(writer.finish().unwrap_err().kind(), ErrorKind::OutOfMemory);
    }
}

#[test]
fn a_tar_ends_once_and_is_not_filled_up_to_a_block() {
    let mut writer = begun(0);
    writer.end().unwrap();
    writer.finish().unwrap();
    assert_eq!(writer.finish().unwrap_err().kind(), ErrorKind::State);
    let len = writer.output().len();
    writer.clear_output();
    assert_eq!((writer.output(), len % 512), (&[][..], 0));
}

#[test]
fn ranges_that_libarchive_would_pass_over_are_refused() {
    let (metadata, none) = (metadata(EntryKind::File, 100), Attributes::new());
    let maps: [&[Range<u64>]; 3] = [&[50..60, 10..20], &[10..20, 15..30], &[90..101]];
    for map in maps {
        let mut writer = ArchiveWriter::new(Filter::None, 1).unwrap();
        let entry = TarEntry { path: b"a", metadata: &metadata, attributes: &none, hardlink: None, data: Some(map) };
        assert_eq!(writer.begin(&entry).unwrap_err().kind(), ErrorKind::Internal, "{map:?}");
        writer.file(b"b", b"the archive is as it was").unwrap();
    }
}

#[test]
fn a_name_that_would_end_early_is_refused() {
    let mut writer = ArchiveWriter::new(Filter::None, 1).unwrap();
    assert_eq!(writer.file(b"a\0b", b"").unwrap_err().kind(), ErrorKind::InvalidInput);
    writer.file(b"a", b"").unwrap();
}

/// The threads of this process that have the name of this one, which those that it starts take over.
fn namesakes() -> usize {
    let name = std::fs::read("/proc/thread-self/comm").unwrap();
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    // One may end while they are looked at.
    tasks
        .filter(|task| std::fs::read(task.as_ref().unwrap().path().join("comm")).is_ok_and(|comm| comm == name))
        .count()
}

#[test]
fn several_threads_compress_where_the_filter_can() {
    // xz starts them one by one as there is content for them.
    let cases = [(Filter::Zstd, 1, false), (Filter::Zstd, 3, true), (Filter::Xz, 3, true), (Filter::Gzip, 3, false)];
    for (filter, threads, expected) in cases {
        let compress = move || {
            let mut writer = ArchiveWriter::new(filter, threads).unwrap();
            let (metadata, none) = (metadata(EntryKind::File, 1 << 20), Attributes::new());
            let entry = TarEntry { path: b"a", metadata: &metadata, attributes: &none, hardlink: None, data: None };
            writer.begin(&entry).unwrap();
            writer.data(&noise(1 << 20)).unwrap();
            namesakes()
        };
        let thread = std::thread::Builder::new().name(format!("compress {filter:?}")).spawn(compress).unwrap();
        assert_eq!(thread.join().unwrap() > 1, expected, "{filter:?}, {threads} threads");
    }
}
