//! Records that name what they may not, twice, out of order, or with rights that they lend.

use super::*;

#[test]
fn what_frazil_keeps_in_the_destination_is_nothing_that_a_record_can_name() {
    let ground = Ground::new();
    let part = "path is that of a restore's own directory";
    let refused = |entries: &dyn Fn(&mut Level) -> &mut Level| {
        ground.refused(&level_0(|level| entries(level)), plain(), Corrupt, part);
        ground.refused(&level_0(|level| entries(level)), plain().overwrite(true), Corrupt, part);
    };
    refused(&|level| level.file(".frazil-restore", b"evil"));
    refused(&|level| level.make(".frazil-restore", Metadata::symlink("../outside")));
    refused(&|level| level.open(".frazil-restore").close(".frazil-restore"));
    refused(&|level| level.file(".frazil-restore/state", b"evil"));
    refused(&|level| level.file(".frazil-restore/stage/0/0", b"evil"));
    refused(&|level| level.record(&Record::new(b'L', ".frazil-restore/state").from("f")));
    refused(&|level| level.record(&Record::file(b'M', ".frazil-restore/journal", b"")));
    refused(&|level| level.record(&Record::new(b'X', ".frazil-restore/state").after(Parent::file(b""))));
    assert_eq!(ground.names(), [""; 0]);
    // Nor below a selection, when it comes to the same place.
    let archive = level_0(|level| level.open("a").file("a/.frazil-restore", b"evil").close("a"));
    ground.refused(&archive, plain().strip(1), Corrupt, part);
}

#[test]
fn entries_that_are_repeated_or_out_of_order_are_refused() {
    let ground = Ground::new();
    let f = Record::file(b'F', "f", b"content");
    let entry = || Tar::full(b"f", f.metadata.as_ref().unwrap(), b"content");
    let order = "records of a level are out of order";
    ground.refused(&level_0(|level| level.file("f", b"content").file("f", b"evil")), plain(), Corrupt, order);
    ground.refused(&level_0(|level| level.file("g", b"content").file("f", b"content")), plain(), Corrupt, order);
    ground.refused(&level_0(|level| level.file("f", b"content").open("f")), plain(), Corrupt, order);
    ground.refused(&level_0(|level| level.open("d").close("d").file("d/f", b"late")), plain(), Corrupt, order);
    ground.refused(&level_0(|level| level.open("d").close("d").batch().open("d").close("d")), plain(), Corrupt, order);
    let twice = level_0(|level| level.tar(&entry()).full(&f, b"content"));
    ground.refused(&twice, plain(), Corrupt, "entry of an archive that no record answers for");
    let swapped = level_0(|level| {
        let g = Record::file(b'F', "g", b"content");
        level.tar(&Tar::full(b"g", g.metadata.as_ref().unwrap(), b"content")).tar(&entry()).record(&f).record(&g)
    });
    ground.refused(&swapped, plain(), Corrupt, "");
    ground.refused(&level_0(|level| level.record(&f)), plain(), Corrupt, "content of an entry is missing");
}

#[test]
fn a_file_that_something_is_said_to_be_in_stays_a_file() {
    let ground = Ground::new();
    let archive = level_0(|level| level.file("f", b"content").file("f/g", b"evil").file("z", b"last"));
    ground.partial(&archive, plain(), "Not a directory");
    assert_eq!(ground.names(), ["f", "z"]);
    assert_eq!(fs::read(ground.path("f")).unwrap(), b"content");
}

#[test]
fn what_lends_rights_is_left_out_unless_the_restore_is_privileged() {
    let ground = Ground::new();
    let capability = [1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0].to_vec();
    let attributes: Vec<(Vec<u8>, Vec<u8>)> =
        vec![(b"security.capability".to_vec(), capability), (b"trusted.overlay.opaque".to_vec(), b"y".to_vec())];
    let archive = level_0(|level| {
        let with = |path: &str, mode| {
            Record::file(b'F', path, b"#!").with(Metadata {
                size: 2,
                attributes: attributes.clone(),
                ..Metadata::new(b'-').mode(mode)
            })
        };
        level.make("block", Metadata { device: (8, 0), ..Metadata::new(b'b') });
        level.make("char", Metadata { device: (1, 1), ..Metadata::new(b'c') });
        level.full(&with("setgid", 0o2755), b"#!").full(&with("setuid", 0o4755), b"#!")
    });
    let (result, heard) = ground.restore(&archive, plain());
    let summary = result.unwrap();
    assert_eq!(ground.names(), ["setgid", "setuid"], "{heard}");
    for name in ["setgid", "setuid"] {
        let look = look::look(&ground.path(name));
        assert_eq!(look.mode & if is_root() { 0o6000 } else { 0 }, 0, "{heard}");
        assert!(!format!("{look:?}").contains("trusted"), "{look:?}");
        assert!(rustix::fs::getxattr(ground.path(name), "security.capability", &mut [0; 64][..]).is_err());
    }
    assert!(heard.contains("devices are restored on request only"), "{heard}");
    if is_root() {
        assert_eq!(heard.matches("attributes that lend rights are left out").count(), 2, "{heard}");
        assert_eq!(heard.matches("set-id bits are left out").count(), 2, "{heard}");
        assert_eq!(summary.problems, 6, "{heard}");
    }
}

#[test]
fn directories_that_nobody_may_write_take_what_comes_and_stay_as_they_are() {
    let ground = Ground::new();
    let closed = || Metadata::new(b'd').mode(0o500);
    let close = || Record::new(b'M', "d").with(closed()).closing();
    ground.prepare(&level_0(|level| level.make("d", closed()).file("d/f", b"one").record(&close())));
    ground.prepare(&level_1(|level| {
        level.record(&Record::new(b'X', "d/f").after(Parent::file(b"one"))).file("d/g", b"two");
        level.record(&Record { parent: Some(Parent::other(b'd')), ..close() })
    }));
    assert_eq!(look::look(&ground.path("d")).mode, 0o500);
    assert_eq!(fs::read(ground.path("d/g")).unwrap(), b"two");
    fs::set_permissions(ground.path("d"), fs::Permissions::from_mode(0o700)).unwrap();
}

/// A name of this system that is not root's, and its number.
fn someone(list: &str) -> (Vec<u8>, u32) {
    let text = fs::read_to_string(list).unwrap();
    let found = text.lines().find_map(|line| {
        let fields: Vec<_> = line.split(':').collect();
        let number: u32 = fields.get(2)?.parse().ok()?;
        (number > 0).then(|| (fields[0].as_bytes().to_vec(), number))
    });
    found.unwrap_or_else(|| panic!("{list} knows nobody but root"))
}

#[test]
fn owners_are_restored_by_their_names_whatever_their_numbers_were_unless_numbers_are_asked_for() {
    if !is_root() {
        eprintln!("skipped: only root gives files away");
        return;
    }
    let ((user, uid), (group, gid)) = (someone("/etc/passwd"), someone("/etc/group"));
    let stranger = b"nobody here is called so".to_vec();
    let archive = level_0(|level| {
        for (path, user, group) in [("known", &user, &group), ("unknown", &stranger, &stranger)] {
            let (user, group) = (user.clone(), group.clone());
            let metadata = Metadata { uid: 4242, gid: 4343, user, group, size: 1, ..Metadata::new(b'-') };
            let pax = [(&b"uname"[..], &metadata.user), (b"gname", &metadata.group)];
            let pax = pax.map(|(key, value)| (key.to_vec(), value.clone())).into();
            let tar = Tar { pax, ..Tar::full(path.as_bytes(), &metadata, b"x") };
            level.tar(&tar).record(&Record::file(b'F', path, b"x").with(metadata));
        }
        level
    });
    for (options, known, unknown) in [
        (plain(), (uid, gid), (4242, 4343)),
        (plain().numeric_owner(true), (4242, 4343), (4242, 4343)),
        // What is mapped by number is not looked up.
        (plain().map_user(4242, 7000), (7000, gid), (7000, 4343)),
        (plain().map_group(4343, 7000).numeric_owner(true), (4242, 7000), (4242, 7000)),
        (plain().map_user(uid, 7000), (uid, gid), (4242, 4343)),
    ] {
        let ground = Ground::new();
        let (result, heard) = ground.restore(&archive, options);
        assert!(result.is_ok_and(|summary| summary.whole && summary.problems == 0), "{heard}");
        let owner = |name: &str| fs::metadata(ground.path(name)).map(|stat| (stat.uid(), stat.gid())).unwrap();
        assert_eq!((owner("known"), owner("unknown")), (known, unknown));
    }
}
