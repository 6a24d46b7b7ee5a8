//! What is written comes back as it was.

use super::*;

const NOBODY: u32 = u32::MAX;

#[test]
fn every_kind_of_entry_comes_back_under_every_name_through_every_filter() {
    let long = [b"full/".to_vec(), vec![b'n'; 300]].concat();
    let longer = [b"full/\xff".to_vec(), b"/directory".repeat(90)].concat();
    let names: [&[u8]; 7] = [b"full/\xff\xfe", b"full/a\nb", b"full/100%", b"full/a b=c", b".frazil/x", &long, &longer];
    let kinds =
        [EntryKind::Directory, EntryKind::Symlink, EntryKind::Fifo, EntryKind::CharDevice, EntryKind::BlockDevice];
    let none = Attributes::new();
    let body = noise(300_000);
    for filter in Filter::ALL {
        let tar = archive(filter, |writer| {
            for name in names {
                File::new(name, &body).write(writer);
                for kind in kinds {
                    let metadata = metadata(kind, 0);
                    let entry =
                        TarEntry { path: name, metadata: &metadata, attributes: &none, hardlink: None, data: None };
                    writer.begin(&entry).unwrap();
                    writer.end().unwrap();
                }
                let metadata = metadata(EntryKind::File, 70_000);
                let hardlink = Some(&long[..]);
                let entry = TarEntry { path: name, metadata: &metadata, attributes: &none, hardlink, data: None };
                writer.begin(&entry).unwrap();
                writer.end().unwrap();
            }
        });
        let mut reader = ArchiveReader::new(&tar[..]).unwrap();
        assert_eq!(reader.filtered(), filter != Filter::None, "{filter}");
        for name in names {
            File::new(name, &body).read(&mut reader);
            for kind in kinds {
                let entry = entry(&mut reader);
                assert_eq!((&entry.path[..], entry.metadata()), (name, Some(metadata(kind, 0))), "{filter}");
                assert_eq!(reader.read(&mut [0; 10]).unwrap(), 0);
            }
            let entry = entry(&mut reader);
            assert_eq!((&entry.path[..], entry.hardlink.as_deref()), (name, Some(&long[..])));
            assert_eq!((entry.kind, entry.metadata(), entry.size), (None, None, 0));
        }
        ends(&mut reader);
    }
}

#[test]
fn a_directory_gets_a_slash_at_the_end_of_its_name() {
    let metadata = metadata(EntryKind::Directory, 0);
    let none = Attributes::new();
    let tar = archive(Filter::None, |writer| {
        let entry = TarEntry { path: b"full", metadata: &metadata, attributes: &none, hardlink: None, data: None };
        writer.begin(&entry).unwrap();
        writer.end().unwrap();
    });
    assert!(tar.windows(6).any(|bytes| bytes == b"full/\0"));
}

#[test]
fn attributes_come_back_once_and_in_order_whatever_their_names() {
    let mut file = File::new(b"full/a", b"body");
    for name in
        [&b"user.a b"[..], b"user.%41", b"user.a=b", b"user.\xff\n", b"trusted.t", b"security.selinux", b"user.e"]
    {
        file.attributes.push((name.to_vec(), [b"\0\xff\n=", name].concat()));
    }
    file.attributes.push((b"user.empty".to_vec(), Vec::new()));
    file.attributes.sort();
    let tar = archive(Filter::None, |writer| file.write(writer));
    assert_eq!(file.read(&mut ArchiveReader::new(&tar[..]).unwrap()).attributes, file.attributes);
}

#[test]
fn acls_come_back_in_the_form_of_the_kernel_and_are_acls_to_other_tars() {
    let mut file = File::new(b"full/a", b"body");
    let access = acl(&[
        (1, 7, NOBODY),
        (2, 6, 0),
        (2, 4, 2_000_000_000),
        (4, 4, NOBODY),
        (8, 7, 100),
        (16, 5, NOBODY),
        (32, 1, NOBODY),
    ]);
    let default = acl(&[(1, 7, NOBODY), (4, 0, NOBODY), (32, 0, NOBODY)]);
    file.attributes = vec![
        (b"system.posix_acl_access".to_vec(), access),
        (b"system.posix_acl_default".to_vec(), default),
        (b"user.a".to_vec(), b"b".to_vec()),
    ];
    let tar = archive(Filter::None, |writer| file.write(writer));
    // The mode comes back with the mask in it, 5, though libarchive has the group's 4 there.
    assert_eq!(file.read(&mut ArchiveReader::new(&tar[..]).unwrap()).attributes, file.attributes);
    let text = String::from_utf8_lossy(&tar);
    assert!(text.contains("SCHILY.acl.access=") && text.contains("SCHILY.acl.default="));
    assert!(!text.contains("xattr.system"));
}

#[test]
fn an_acl_that_libarchive_would_change_travels_as_an_attribute() {
    let whole = [(1, 7, NOBODY), (4, 4, NOBODY), (32, 1, NOBODY)];
    let values = [
        b"nonsense".to_vec(),
        acl(&[]),
        acl(&[(1, 7, NOBODY), (2, 7, 4_000_000_000), (4, 4, NOBODY), (16, 7, NOBODY), (32, 1, NOBODY)]),
        acl(&[(1, 7, NOBODY), (2, 7, 9), (2, 7, 8), (4, 4, NOBODY), (16, 7, NOBODY), (32, 1, NOBODY)]),
        acl(&[(1, 9, NOBODY), (4, 4, NOBODY), (32, 1, NOBODY)]),
        acl(&whole[..2]),
        [acl(&whole), vec![0]].concat(),
        [vec![3], acl(&whole)[1..].to_vec()].concat(),
    ];
    for value in values {
        let mut file = File::new(b"full/a", b"body");
        file.attributes = vec![(b"system.posix_acl_access".to_vec(), value)];
        let tar = archive(Filter::None, |writer| file.write(writer));
        assert_eq!(file.read(&mut ArchiveReader::new(&tar[..]).unwrap()).attributes, file.attributes);
    }
}

#[test]
fn attributes_that_would_make_a_header_that_libarchive_cannot_read_are_left_to_the_record() {
    let mut file = File::new(b"full/a", b"body");
    file.attributes = (0..8).map(|i| (format!("user.{i}").into_bytes(), vec![i; 64 << 10])).collect();
    let tar = archive(Filter::None, |writer| {
        file.write(writer);
        file.attributes.truncate(5);
        file.write(writer);
    });
    let mut reader = ArchiveReader::new(&tar[..]).unwrap();
    assert_eq!(file.read(&mut reader).attributes, []);
    assert_eq!(file.read(&mut reader).attributes, file.attributes);
    ends(&mut reader);
}

#[test]
fn a_sparse_file_comes_back_whole_and_its_holes_take_no_room() {
    let data = noise(4096);
    let mut body = vec![0; 1 << 20];
    body[8192..12_288].copy_from_slice(&data);
    body[500_000..504_096].copy_from_slice(&data);
    let end = 1_u64 << 20;
    let maps: [(&str, &[Range<u64>]); 4] = [
        ("holes all around", &[8192..12_288, 500_000..504_096]),
        ("a hole at the start", &[8192..end]),
        ("data up to the end, and nothing between", &[0..12_288, 12_288..12_288, 12_288..504_096]),
        ("no hole", &[0..end]),
    ];
    for (what, map) in maps {
        let file = File { data: Some(map), ..File::new(b"full/\xff sparse", &body) };
        let tar = archive(Filter::None, |writer| file.write(writer));
        let stored: u64 = map.iter().map(|range| range.end - range.start).sum();
        assert!((tar.len() as u64) < stored + 6000, "{what}: {}", tar.len());
        let mut reader = ArchiveReader::new(&tar[..]).unwrap();
        file.read(&mut reader);
        ends(&mut reader);
    }
}

#[test]
fn a_file_that_is_one_hole_comes_back_and_so_do_empty_files() {
    let tar = archive(Filter::None, |writer| {
        let none = Attributes::new();
        let metadata = metadata(EntryKind::File, 9 << 30);
        let entry = TarEntry { path: b"hole", metadata: &metadata, attributes: &none, hardlink: None, data: Some(&[]) };
        writer.begin(&entry).unwrap();
        writer.zeros(9 << 30).unwrap();
        writer.end().unwrap();
        File { data: Some(&[]), ..File::new(b"full/empty", b"") }.write(writer);
    });
    assert!(tar.len() < 10_000);
    let mut reader = ArchiveReader::new(&tar[..]).unwrap();
    assert_eq!(entry(&mut reader).size, 9 << 30);
    let (mut buffer, mut len) = (vec![1; 1 << 20], 0);
    loop {
        let read = reader.read(&mut buffer).unwrap();
        assert!(buffer[..read].iter().all(|byte| *byte == 0));
        len += read as u64;
        if read == 0 {
            break;
        }
    }
    assert_eq!(len, 9 << 30);
    File::new(b"full/empty", b"").read(&mut reader);
    ends(&mut reader);
}

#[test]
fn a_map_with_too_many_ranges_is_made_coarser() {
    let map: Vec<Range<u64>> = (0..150_000).map(|i| i * 16..i * 16 + 8 - i % 3).collect();
    let mut body = vec![0; 150_000 * 16];
    for range in &map {
        body[range.start as usize..range.end as usize].fill(7);
    }
    let file = File { data: Some(&map), ..File::new(b"full/a", &body) };
    let tar = archive(Filter::None, |writer| file.write(writer));
    let mut reader = ArchiveReader::new(&tar[..]).unwrap();
    file.read(&mut reader);
    ends(&mut reader);
}

#[test]
fn the_same_entries_make_the_same_bytes() {
    let body = noise(2 << 20);
    for filter in Filter::ALL {
        let write = |writer: &mut ArchiveWriter| File::new(b"full/a", &body).write(writer);
        assert!(archive(filter, write) == archive(filter, write), "{filter}");
        assert_eq!(filter.to_string().parse::<Filter>().unwrap(), filter);
    }
    assert_eq!("rar".parse::<Filter>().unwrap_err().kind(), ErrorKind::InvalidInput);
}

#[test]
fn owners_are_found_by_number_and_by_name() {
    let mut owners = Owners::new().unwrap();
    for _ in 0..2 {
        assert_eq!(owners.user(0), b"root");
        assert_eq!(owners.group(0), b"root");
        assert_eq!((owners.uid(b"root", 7), owners.gid(b"root", 7)), (0, 0));
        assert_eq!(owners.user(3_999_999_999), b"");
        assert_eq!(owners.group(3_999_999_999), b"");
        for otherwise in [7, 8] {
            assert_eq!(owners.uid(b"no such user", otherwise), otherwise);
            assert_eq!(owners.gid(b"no such\0group", otherwise), otherwise);
            assert_eq!(owners.gid(b"", otherwise), otherwise);
        }
    }
}
