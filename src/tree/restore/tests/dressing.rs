use rustix::fs::{XattrFlags, lgetxattr, lsetxattr, setxattr};

use super::*;
use crate::tree::metadata::Attributes;

fn dress_at(place: &Place, name: &str, metadata: &Metadata, attributes: &Attributes, privileged: bool) -> Vec<String> {
    let directory = fs::File::open(&place.root).unwrap();
    let entry = pin(directory.as_fd(), name.as_bytes(), metadata).unwrap();
    let problems = dress(&entry, metadata, attributes, Policy { privileged }).unwrap();
    problems.iter().map(ToString::to_string).collect()
}

fn attribute(name: &str, value: &[u8]) -> (Vec<u8>, Vec<u8>) {
    (name.into(), value.into())
}

fn value(path: &Path, name: &str) -> Option<Vec<u8>> {
    let mut value = vec![0; 1024];
    let len = lgetxattr(path, name, &mut value[..]).ok()?;
    value.truncate(len);
    Some(value)
}

/// An access ACL that gives the user 1 what the group may not.
fn acl() -> Vec<u8> {
    let mut acl = 2_u32.to_le_bytes().to_vec();
    for (tag, permissions, id) in
        [(1_u16, 6_u16, u32::MAX), (2, 6, 1), (4, 4, u32::MAX), (0x10, 6, u32::MAX), (0x20, 0, u32::MAX)]
    {
        acl.extend(tag.to_le_bytes());
        acl.extend(permissions.to_le_bytes());
        acl.extend(id.to_le_bytes());
    }
    acl
}

#[test]
fn an_entry_gets_every_field_and_loses_the_attributes_it_should_not_have() {
    let place = Place::new();
    let path = place.file("f", "content");
    if setxattr(&path, "user.foreign", b"x", XattrFlags::empty()).is_err() {
        return;
    }
    setxattr(&path, "user.same", b"same", XattrFlags::empty()).unwrap();
    let has_acls = setxattr(&path, "system.posix_acl_access", &acl(), XattrFlags::empty()).is_ok();
    let mut wanted = metadata(EntryKind::File, 0o640);
    if is_root() {
        (wanted.uid, wanted.gid) = (12345, 23456);
    }
    let attributes =
        vec![attribute("user.a b", b"\0\xff"), attribute("user.empty", b""), attribute("user.same", b"same")];
    for mode in [0o640, 0o000, 0o444] {
        wanted.mode = mode;
        assert_eq!(dress_at(&place, "f", &wanted, &attributes, false), [""; 0]);
        let stat = fs::metadata(&path).unwrap();
        assert_eq!((stat.uid(), stat.gid(), stat.mode() & 0o7777), (wanted.uid, wanted.gid, mode));
        assert_eq!((stat.mtime(), stat.mtime_nsec()), (NOW, 5));
    }
    place.mode("f", 0o600);
    assert_eq!(value(&path, "user.a b").as_deref(), Some(&b"\0\xff"[..]));
    assert_eq!(value(&path, "user.empty").as_deref(), Some(&b""[..]));
    assert_eq!(value(&path, "user.same").as_deref(), Some(&b"same"[..]));
    assert_eq!(value(&path, "user.foreign"), None);
    assert_eq!(value(&path, "system.posix_acl_access"), None);
    if has_acls {
        wanted.mode = 0o660;
        let attributes = vec![attribute("system.posix_acl_access", &acl())];
        assert_eq!(dress_at(&place, "f", &wanted, &attributes, false), [""; 0]);
        assert_eq!(value(&path, "system.posix_acl_access"), Some(acl()));
        assert_eq!(value(&path, "user.same"), None);
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o660);
    }
}

#[test]
fn what_is_right_already_is_not_written() {
    let place = Place::new();
    let path = place.file("f", "content");
    let wanted = metadata(EntryKind::File, 0o640);
    dress_at(&place, "f", &wanted, &Vec::new(), false);
    let changed = |path: &Path| fs::metadata(path).map(|stat| (stat.ctime(), stat.ctime_nsec())).unwrap();
    let before = changed(&path);
    std::thread::sleep(Duration::from_millis(20));
    assert_eq!(dress_at(&place, "f", &wanted, &Vec::new(), false), [""; 0]);
    assert_eq!(changed(&path), before);
}

#[test]
fn a_symbolic_link_is_dressed_and_not_what_it_leads_to() {
    let place = Place::new();
    let target = place.file("target", "content");
    place.link("link", "target");
    place.settle();
    let mut wanted = Metadata { target: b"target".to_vec(), ..metadata(EntryKind::Symlink, 0o777) };
    let mut attributes = Vec::new();
    if is_root() {
        (wanted.uid, wanted.gid) = (12345, 23456);
        attributes.push(attribute("trusted.frazil", b"on the link"));
    }
    let before = fs::metadata(&target).unwrap();
    let problems = dress_at(&place, "link", &wanted, &attributes, true);
    let path = place.root.join("link");
    let stat = fs::symlink_metadata(&path).unwrap();
    assert_eq!((stat.uid(), stat.gid(), stat.mtime(), stat.mtime_nsec()), (wanted.uid, wanted.gid, NOW, 5));
    let after = fs::metadata(&target).unwrap();
    assert_eq!((after.ctime_nsec(), after.mtime(), after.mode()), (before.ctime_nsec(), OLD as i64, before.mode()));
    if is_root() && problems.is_empty() {
        assert_eq!(value(&path, "trusted.frazil").as_deref(), Some(&b"on the link"[..]));
        assert_eq!(value(&target, "trusted.frazil"), None);
        dress_at(&place, "link", &wanted, &Vec::new(), true);
        assert_eq!(value(&path, "trusted.frazil"), None);
    }
}

#[test]
fn what_lends_rights_is_restored_to_root_only_on_request() {
    let place = Place::new();
    let path = place.file("f", "content");
    let wanted = metadata(EntryKind::File, 0o6755);
    let attributes = vec![attribute("trusted.frazil", b"t")];
    let problems = dress_at(&place, "f", &wanted, &attributes, false);
    if !is_root() {
        assert_eq!(problems, [""; 0]);
        return;
    }
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o755);
    assert_eq!(value(&path, "trusted.frazil"), None);
    assert!(!Policy { privileged: false }.makes(EntryKind::BlockDevice));
    if dress_at(&place, "f", &wanted, &attributes, true).is_empty() {
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o6755);
        assert_eq!(value(&path, "trusted.frazil").as_deref(), Some(&b"t"[..]));
    }
}

#[test]
fn without_the_owner_nobody_lends_his_rights() {
    let place = Place::new();
    let path = place.file("f", "content");
    // As root, a number that no system gives; else, one that is not ours to give.
    let wanted = Metadata { uid: if is_root() { u32::MAX } else { 0 }, ..metadata(EntryKind::File, 0o6755) };
    let problems = dress_at(&place, "f", &wanted, &Vec::new(), true);
    assert_eq!(problems.len(), usize::from(is_root()), "{problems:?}");
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o755);
}

#[test]
fn flags_are_set_and_cleared_where_there_are_any() {
    let place = Place::new();
    let path = place.file("f", "content");
    let flags = || rustix::fs::ioctl_getflags(fs::File::open(&path).unwrap());
    let Ok(before) = flags() else { return };
    let mut wanted = Metadata { flags: IFlags::NODUMP.bits(), ..metadata(EntryKind::File, 0o600) };
    if !dress_at(&place, "f", &wanted, &Vec::new(), false).is_empty() {
        return;
    }
    assert_eq!(flags().unwrap(), before | IFlags::NODUMP);
    wanted.flags = 0;
    wanted.mode = 0;
    assert_eq!(dress_at(&place, "f", &wanted, &Vec::new(), false), [""; 0]);
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0);
    place.mode("f", 0o400);
    assert_eq!(flags().unwrap(), before);
}

#[test]
fn an_entry_of_another_kind_is_left_alone() {
    let place = Place::new();
    place.link("f", "/");
    let directory = fs::File::open(&place.root).unwrap();
    let wanted = metadata(EntryKind::File, 0o600);
    let failed = pin(directory.as_fd(), b"f", &wanted).unwrap_err();
    assert_eq!(failed.kind(), crate::ErrorKind::Mismatch);
    lsetxattr(place.root.join("f"), "user.no", b"", XattrFlags::empty()).unwrap_err();
}
