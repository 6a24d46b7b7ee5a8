//! Everything that an entry of a tree can be, and what is left out.

use std::ffi::OsStr;
use std::fs::{self, File, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use frazil::{
    Action, BackupOptions, ErrorKind, Reason, RestoreOptions, Selection, backup_tree, list_archive, restore_tree,
};
use rustix::fs::{FileType, IFlags};

use crate::content::noise;
use crate::ground::{Ground, Log, privileged};
use crate::tree::{
    acl, as_plain_user, as_user, assert_same, image, is_root, make_node, paths, set_attribute, set_flags, set_time,
    unlock,
};

const MIB: u64 = 1 << 20;

/// Makes a file of 8 MiB with data at its start, in its middle, and nowhere else.
fn make_sparse(path: &Path) {
    let file = File::create(path).unwrap();
    file.set_len(8 * MIB).unwrap();
    file.write_all_at(&noise(5000, 1), 0).unwrap();
    file.write_all_at(&noise(5000, 2), 5 * MIB).unwrap();
}

fn allocated(path: &Path) -> u64 {
    fs::metadata(path).unwrap().blocks() * 512
}

#[test]
fn every_kind_of_entry_comes_back_with_all_of_its_metadata() {
    let mut ground = Ground::new();
    ground.write("empty", "");
    ground.write("one byte", "1");
    symlink("nowhere/at all", ground.live("dangling")).unwrap();
    symlink(OsStr::from_bytes(b"\xff\n%"), ground.live("strange")).unwrap();
    symlink(".", ground.live("circle")).unwrap();
    make_node(&ground.live("pipe"), FileType::Fifo, (0, 0)).unwrap();
    for mode in [0o000, 0o400, 0o4755, 0o2711, 0o6777, 0o1644] {
        let readable = if is_root() { mode } else { mode | 0o400 };
        let path = ground.write(&format!("mode {mode:o}"), "x");
        fs::set_permissions(path, Permissions::from_mode(readable)).unwrap();
    }
    for mode in [0o555, 0o1777, 0o2750] {
        let path = ground.live(&format!("directory {mode:o}"));
        fs::create_dir(&path).unwrap();
        fs::write(path.join("inside"), "x").unwrap();
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }
    for (name, time) in [("before 1970", (-86_400, 999_999_999)), ("after 2038", (5_000_000_000, 1)), ("1970", (0, 0))]
    {
        set_time(&ground.write(name, "x"), time).unwrap();
    }
    let attributes = ground.write("attributes", "x");
    for (name, value) in [
        (&b"user.empty"[..], Vec::new()),
        (b"user.binary", vec![0, 255, 10, 61]),
        (b"user.a name with spaces", b"x".to_vec()),
        (b"user.100%25 = \xff", b"x".to_vec()),
        (b"user.long", noise(3000, 3)),
    ] {
        set_attribute(&attributes, name, &value).unwrap();
    }
    set_attribute(&ground.write("acl", "x"), b"system.posix_acl_access", &acl(4_242_424, 6)).unwrap();
    fs::create_dir(ground.live("default acl")).unwrap();
    set_attribute(&ground.live("default acl"), b"system.posix_acl_default", &acl(1000, 3)).unwrap();
    set_flags(&ground.write("flags", "x"), IFlags::NODUMP | IFlags::NOATIME);
    if is_root() {
        for (name, owner) in [("without a name", 4_242_424), ("nobody's", 65534), ("the last", u32::MAX - 1)] {
            std::os::unix::fs::chown(ground.write(name, "x"), Some(owner), Some(owner)).unwrap();
        }
        std::os::unix::fs::lchown(ground.live("dangling"), Some(7), Some(4_242_424)).unwrap();
        make_node(&ground.live("character"), FileType::CharacterDevice, (300, 70_000)).unwrap();
        make_node(&ground.live("block"), FileType::BlockDevice, (8, 1)).unwrap();
        set_attribute(&ground.live("dangling"), b"trusted.of a link", b"x").unwrap();
        set_attribute(&ground.live("pipe"), b"trusted.of a pipe", b"x").unwrap();
        set_flags(&ground.write("locked/within", "x"), IFlags::IMMUTABLE);
        set_flags(&ground.live("locked"), IFlags::APPEND);
    }
    let (summary, log) = ground.level(BackupOptions::new());
    assert!(!summary.is_partial(), "{:?}", log.problems());
    let restored = ground.assert_restores();
    unlock(&ground.live(""));
    unlock(&restored);
}

#[test]
fn a_plain_user_gets_attributes_back_from_under_an_acl_without_the_right_to_write() {
    as_plain_user("entries::a_plain_user_gets_attributes_back_from_under_an_acl_without_the_right_to_write", || {
        let mut ground = Ground::new();
        for name in ["file", "directory/within"] {
            let path = ground.write(name, "x");
            let path = if name == "file" { path } else { path.parent().unwrap().to_owned() };
            set_attribute(&path, b"user.x", b"x").unwrap();
            set_attribute(&path, b"system.posix_acl_access", &acl(1000, 6)).unwrap();
            fs::set_permissions(path, Permissions::from_mode(0o555)).unwrap();
        }
        let (summary, log) = ground.level(BackupOptions::new());
        assert!(!summary.is_partial(), "{:?}", log.problems());
        ground.assert_restores();
    });
}

#[test]
fn a_user_without_a_name_backs_up_and_restores_what_is_his_own() {
    as_user(4_242_424, "entries::a_user_without_a_name_backs_up_and_restores_what_is_his_own", || {
        let mut ground = Ground::new();
        ground.write("d/f", noise(5000, 1));
        let (summary, log) = ground.level(BackupOptions::new());
        assert!(!summary.is_partial(), "{:?}", log.problems());
        ground.assert_restores();
    });
}

#[test]
fn names_of_any_bytes_come_back() {
    let mut ground = Ground::new();
    let names: [&[u8]; 12] = [
        b"\xff\xfe not utf-8",
        b"new\nline",
        b" leading and trailing ",
        b"100% %41 %00",
        b"-rf",
        b"back\\slash",
        b"...",
        b".hidden",
        b"quote\"'",
        b"\x01\x7f",
        "\u{e9}\u{10348} utf-8".as_bytes(),
        &[b'x'; 255],
    ];
    for name in names {
        let directory = ground.live("").join(OsStr::from_bytes(name));
        fs::create_dir(&directory).unwrap();
        fs::write(directory.join(OsStr::from_bytes(name)), name).unwrap();
    }
    let deep: PathBuf = (0..12).map(|level| format!("{level}").repeat(100)).collect();
    fs::create_dir_all(ground.live("").join(&deep)).unwrap();
    fs::write(ground.live("").join(deep).join("bottom"), "at more than 1200 bytes").unwrap();
    ground.level(BackupOptions::new());
    fs::write(ground.live("").join(OsStr::from_bytes(names[0])).join("more"), "x").unwrap();
    ground.level(BackupOptions::new());
    ground.assert_restores();
}

#[test]
fn holes_are_in_the_map_of_the_tar_and_stay_holes() {
    let mut ground = Ground::new();
    make_sparse(&ground.live("sparse"));
    let all_hole = File::create(ground.live("nothing but hole")).unwrap();
    all_hole.set_len(3 * MIB + 1).unwrap();
    if allocated(&ground.live("sparse")) > MIB {
        eprintln!("skipped: this file system has no holes");
        return;
    }
    ground.level(BackupOptions::new());
    assert!(ground.archives[0].len() < MIB as usize, "{} bytes", ground.archives[0].len());
    let map = b"GNU.sparse.name=full/sparse\n";
    assert!(ground.archives[0].windows(map.len()).any(|window| window == map));
    // The next level makes it by a delta, with zeros of its own.
    let file = File::options().write(true).open(ground.live("sparse")).unwrap();
    file.write_all_at(&noise(5000, 3), 2 * MIB).unwrap();
    ground.level(BackupOptions::new().trust_holes(true));
    let restored = ground.assert_restores();
    for name in ["sparse", "nothing but hole"] {
        assert!(allocated(&restored.join(name)) < MIB, "{name}: {} bytes", allocated(&restored.join(name)));
    }
}

#[test]
fn a_sparse_file_of_any_name_is_known_by_that_name_to_any_tar() {
    let mut ground = Ground::new();
    // libarchive cuts a name at a slash, so that the rest has 100 bytes and what is before it 155 at most.
    let names = [
        vec![b'n'; 93],
        vec![b'n'; 95],
        vec![b'n'; 96],
        vec![b'n'; 255],
        [vec![b'd'; 149], b"/".to_vec(), vec![b'n'; 99]].concat(),
        [vec![b'd'; 150], b"/".to_vec(), vec![b'n'; 100]].concat(),
        [vec![b'd'; 151], b"/".to_vec(), vec![b'n'; 100]].concat(),
        [vec![b'd'; 20], b"/".to_vec(), vec![b'n'; 101]].concat(),
        [vec![b'\xff'; 60], b"/".to_vec(), vec![b'n'; 60]].concat(),
        [vec![b'\xff'; 20], b"/".to_vec(), vec![b'n'; 20]].concat(),
    ];
    for name in &names {
        let path = ground.live("").join(OsStr::from_bytes(name));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        make_sparse(&path);
    }
    ground.level(BackupOptions::new());
    let restored = ground.assert_restores();
    for name in &names {
        assert!(allocated(&restored.join(OsStr::from_bytes(name))) < MIB);
    }
    fs::write(ground.at("archive.tar"), &ground.archives[0]).unwrap();
    fs::create_dir(ground.at("extracted")).unwrap();
    let tar = Command::new("tar")
        .args(["--extract", "--warning=no-unknown-keyword", "--file"])
        .arg(ground.at("archive.tar"))
        .current_dir(ground.at("extracted"))
        .output()
        .expect("tar");
    assert!(tar.status.success() && tar.stderr.is_empty(), "{}", String::from_utf8_lossy(&tar.stderr));
    let (expected, found) = (image(&ground.live("")), image(&ground.at("extracted/full")));
    assert_same(&expected, &found, "extracted by tar");
}

#[test]
fn hard_links_are_links_again_also_across_directories_and_levels() {
    let mut ground = Ground::new();
    ground.write("a/first", noise(200_000, 1));
    fs::create_dir_all(ground.live("b/deep")).unwrap();
    fs::hard_link(ground.live("a/first"), ground.live("b/deep/second")).unwrap();
    fs::hard_link(ground.live("a/first"), ground.live("third")).unwrap();
    symlink("x", ground.live("link")).unwrap();
    fs::hard_link(ground.live("link"), ground.live("b/link")).unwrap();
    make_node(&ground.live("pipe"), FileType::Fifo, (0, 0)).unwrap();
    fs::hard_link(ground.live("pipe"), ground.live("b/pipe")).unwrap();
    let (summary, _) = ground.level(BackupOptions::new());
    assert_eq!(summary.links, 4);
    // Changed through another name than the first.
    ground.write("third", noise(150_000, 2));
    fs::set_permissions(ground.live("b/pipe"), Permissions::from_mode(0o600)).unwrap();
    ground.level(BackupOptions::new());
    // The name that all were links to goes.
    fs::remove_dir_all(ground.live("a")).unwrap();
    fs::hard_link(ground.live("third"), ground.live("fourth")).unwrap();
    ground.level(BackupOptions::new());
    let restored = ground.assert_restores();
    assert_eq!(fs::metadata(restored.join("third")).unwrap().nlink(), 3);
}

#[test]
fn a_locked_file_keeps_its_flags_when_one_of_its_names_goes_or_becomes_another() {
    if !is_root() {
        eprintln!("skipped: only root locks files");
        return;
    }
    let mut ground = Ground::new();
    let path = ground.write("a", "x");
    for name in ["goes", "is replaced", "stays"] {
        fs::hard_link(&path, ground.live(name)).unwrap();
    }
    set_flags(&path, IFlags::APPEND);
    let is_locked = crate::tree::flags_of(&path) == IFlags::APPEND;
    ground.level(BackupOptions::new());
    // What is done to the other names leaves it as it was, so that nothing is said of it.
    set_flags(&path, IFlags::empty());
    fs::remove_file(ground.live("goes")).unwrap();
    fs::remove_file(ground.live("is replaced")).unwrap();
    ground.write("is replaced", "by another");
    set_flags(&path, IFlags::APPEND);
    let (_, log) = ground.level(BackupOptions::new());
    assert_eq!(log.of("a"), Some((None, Reason::Changed, 0)));
    let restored = ground.assert_restores();
    assert_eq!(crate::tree::flags_of(&restored.join("stays")) == IFlags::APPEND, is_locked);
    unlock(&ground.live(""));
    unlock(&restored);
}

#[test]
fn hard_links_beyond_the_memory_for_them_become_files_and_are_reported() {
    let mut ground = Ground::new();
    ground.write("a", noise(3000, 1));
    fs::hard_link(ground.live("a"), ground.live("b")).unwrap();
    ground.write("c", noise(2000, 2));
    let (summary, log) = ground.level(BackupOptions::new().link_memory(0));
    assert_eq!(log.problems(), ["a", "b"].map(|name| (ErrorKind::Limit, ground.live(name))));
    assert!(summary.is_partial() && summary.links == 0);
    ground.restore(0, "restored", privileged());
    for name in ["a", "b", "c"] {
        assert_eq!(fs::read(ground.at("restored").join(name)).unwrap(), fs::read(ground.live(name)).unwrap());
        assert_eq!(fs::metadata(ground.at("restored").join(name)).unwrap().nlink(), 1);
    }
    // With memory for them they are links again.
    ground.rest();
    let (summary, log) = ground.level(BackupOptions::new());
    assert!(!summary.is_partial(), "{:?}", log.problems());
    assert_eq!(log.of("b"), Some((Some(Action::Link), Reason::Link, 0)));
    ground.assert_restores();
}

#[test]
fn a_socket_is_reported_and_left_out() {
    let mut ground = Ground::new();
    ground.write("a", "x");
    let _socket = UnixListener::bind(ground.live("socket")).unwrap();
    ground.write("z", "x");
    let (_, log) = ground.level(BackupOptions::new());
    assert_eq!(log.notes(), [(ErrorKind::Unsupported, ground.live("socket"))]);
    assert_eq!(log.problems(), []);
    ground.restore(0, "restored", privileged());
    assert_eq!(paths(&ground.at("restored")), [Path::new("a"), Path::new("z")]);
}

#[test]
fn a_single_file_is_a_tree() {
    let ground = Ground::new();
    let path = ground.write("disk.img", noise(300_000, 1));
    symlink("nowhere", ground.live("dangling")).unwrap();
    let (mut level_0, mut level_1) = (Vec::new(), Vec::new());
    backup_tree(&path, None, ground.snapshot(0), &mut level_0, BackupOptions::new()).unwrap();
    fs::write(&path, [b"x".as_slice(), &noise(300_000, 1)].concat()).unwrap();
    let since = ground.snapshot(0);
    let summary = backup_tree(&path, Some(&*since), ground.snapshot(1), &mut level_1, BackupOptions::new()).unwrap();
    assert_eq!((summary.entries, summary.deltas), (1, 1));
    for level in [&level_0, &level_1] {
        restore_tree(&level[..], ground.at("restored"), RestoreOptions::new()).unwrap();
    }
    assert!(fs::read(ground.at("restored/disk.img")).unwrap() == fs::read(&path).unwrap());
    assert_eq!(paths(&ground.at("restored")).len(), 1);

    let mut link = Vec::new();
    backup_tree(ground.live("dangling"), None, ground.at("link"), &mut link, BackupOptions::new()).unwrap();
    restore_tree(&link[..], ground.at("of a link"), RestoreOptions::new()).unwrap();
    assert_eq!(fs::read_link(ground.at("of a link/dangling")).unwrap(), Path::new("nowhere"));
}

#[test]
fn what_is_left_out_is_not_there_and_is_gone_when_it_was() {
    let mut ground = Ground::new();
    let tag = "Signature: 8a477f597d28d172789f06886806bc55";
    for name in [
        "a.log",
        "audit/b.log",
        "build/out",
        "deep/build/out",
        "cache/big",
        "marked/inside",
        "false cache/kept",
        "kept",
    ] {
        ground.write(name, "x");
    }
    ground.write("cache/CACHEDIR.TAG", tag);
    ground.write("false cache/CACHEDIR.TAG", "something else");
    ground.write("marked/.nobackup", "");
    set_flags(&ground.write("not to be dumped", "x"), IFlags::NODUMP);
    let has_flags = crate::tree::flags_of(&ground.live("not to be dumped")) == IFlags::NODUMP;
    ground.level(BackupOptions::new());
    let selection = Selection::new()
        .exclude("*.log")
        .include("/audit/*.log")
        .exclude("/build")
        .exclude_caches(true)
        .exclude_marked(".nobackup")
        .nodump(true)
        .one_file_system(true);
    let options = || BackupOptions::new().selection(selection.clone());
    let (summary, log) = ground.level(options());
    assert!(!summary.is_partial());
    ground.restore(0, "restored", privileged());
    ground.restore(1, "restored", privileged());
    let mut expected = vec![
        "audit",
        "audit/b.log",
        "cache",
        "cache/CACHEDIR.TAG",
        "deep",
        "deep/build",
        "deep/build/out",
        "false cache",
        "false cache/CACHEDIR.TAG",
        "false cache/kept",
        "kept",
        "marked",
        "marked/.nobackup",
    ];
    if !has_flags {
        expected.push("not to be dumped");
    }
    let expected: Vec<_> = expected.into_iter().map(PathBuf::from).collect();
    assert_eq!(paths(&ground.at("restored")), expected);
    assert_eq!(log.of("build"), Some((Some(Action::Delete), Reason::Gone, 0)));
    // And taken in again, it is new.
    let (_, log) = ground.level(BackupOptions::new());
    assert_eq!(log.of("a.log").map(|said| said.1), Some(Reason::New));
    ground.assert_restores();
}

#[test]
fn a_link_that_is_followed_is_what_it_leads_to() {
    let mut ground = Ground::new();
    fs::create_dir(ground.at("elsewhere")).unwrap();
    fs::write(ground.at("elsewhere/f"), noise(200_000, 1)).unwrap();
    symlink(ground.at("elsewhere/f"), ground.live("to file")).unwrap();
    symlink(ground.at("elsewhere"), ground.live("to directory")).unwrap();
    symlink("nowhere", ground.live("dangling")).unwrap();
    let options = || BackupOptions::new().dereference(true);
    ground.level(options());
    fs::write(ground.at("elsewhere/f"), noise(200_001, 1)).unwrap();
    let (summary, _) = ground.level(options());
    assert_eq!(summary.full, 0);
    ground.restore(0, "restored", privileged());
    ground.restore(1, "restored", privileged());
    for name in ["to file", "to directory/f"] {
        let restored = ground.at("restored").join(name);
        assert!(fs::symlink_metadata(&restored).unwrap().is_file(), "{name}");
        assert!(fs::read(restored).unwrap() == noise(200_001, 1), "{name}");
    }
    assert_eq!(fs::read_link(ground.at("restored/dangling")).unwrap(), Path::new("nowhere"));
    // And not followed any more, it is a link.
    let (summary, _) = ground.level(BackupOptions::new());
    assert!(!summary.is_partial());
    ground.assert_restores();
}

#[test]
fn the_notes_of_a_restore_are_never_backed_up() {
    let mut ground = Ground::new();
    ground.write("f", "x");
    ground.write("d/.frazil-restore", "another's file of the same name, and not at the root");
    ground.level(BackupOptions::new());
    ground.restore(0, "restored", privileged());
    assert!(ground.at("restored/.frazil-restore").is_dir());
    let mut archive = Vec::new();
    backup_tree(ground.at("restored"), None, ground.at("again"), &mut archive, BackupOptions::new()).unwrap();
    let mut found = Vec::new();
    list_archive(&archive[..], |entry| {
        found.push(entry.path);
        Ok(())
    })
    .unwrap();
    found.dedup();
    found.retain(|path| path.to_str().unwrap().contains("frazil"));
    assert_eq!(found, [Path::new("d/.frazil-restore")]);
}

#[test]
fn what_somebody_else_calls_by_the_name_of_those_notes_is_reported() {
    for is_directory in [true, false] {
        let mut ground = Ground::new();
        let notes = ground.live(".frazil-restore");
        if is_directory {
            ground.write(".frazil-restore/mine", "mine");
            fs::set_permissions(&notes, Permissions::from_mode(0o755)).unwrap();
        } else {
            ground.write(".frazil-restore", "mine");
        }
        let (summary, log) = ground.level(BackupOptions::new());
        assert!(summary.is_partial());
        assert_eq!(log.problems(), [(ErrorKind::Unsupported, notes)]);
        list_archive(&ground.archives[0][..], |entry| {
            assert_eq!(entry.path, Path::new("."));
            Ok(())
        })
        .unwrap();
    }
}

#[test]
fn without_privilege_root_restores_no_device_no_set_id_bit_and_no_trusted_attribute() {
    if !is_root() {
        eprintln!("skipped: only root can make devices");
        return;
    }
    let mut ground = Ground::new();
    make_node(&ground.live("device"), FileType::CharacterDevice, (1, 3)).unwrap();
    fs::set_permissions(ground.write("set-id", "x"), Permissions::from_mode(0o6755)).unwrap();
    set_attribute(&ground.write("trusted", "x"), b"trusted.x", b"x").unwrap();
    fs::create_dir(ground.live("trusted directory")).unwrap();
    set_attribute(&ground.live("trusted directory"), b"trusted.x", b"x").unwrap();
    ground.write("plain", "x");
    ground.level(BackupOptions::new());
    let run = |ground: &Ground, level, dry| {
        let log = Arc::<Log>::default();
        let options = RestoreOptions::new().dry_run(dry).observer(log.clone());
        let summary = ground.restore(level, "restored", options);
        let mut problems = log.problems();
        problems.sort_by(|(_, a), (_, b)| a.cmp(b));
        (summary.problems, problems, log.restored())
    };
    // What is left out is told beforehand too, by the path that it would have.
    let dry = run(&ground, 0, true);
    assert_eq!(dry, run(&ground, 0, false));
    let names = ["device", "set-id", "trusted", "trusted directory"];
    let expected = names.map(|name| (ErrorKind::Unsupported, ground.at("restored").join(name)));
    assert_eq!((dry.0, &dry.1[..]), (4, &expected[..]));
    assert!(dry.2.iter().all(|(path, ..)| path != Path::new("device")), "{:?}", dry.2);
    // What was changed in its place is too, and what was not made is not told of.
    for name in ["set-id", "trusted", "device"] {
        fs::set_permissions(ground.live(name), Permissions::from_mode(0o4711)).unwrap();
    }
    ground.level(BackupOptions::new());
    let dry = run(&ground, 1, true);
    assert_eq!(dry.0, 3, "{:?}", dry.1);
    assert_eq!(dry, run(&ground, 1, false));
    let restored = image(&ground.at("restored"));
    assert!(!restored.contains_key(Path::new("device")));
    assert_eq!(restored[Path::new("set-id")].mode & 0o7777, 0o711);
    assert!(restored[Path::new("trusted")].attributes.is_empty());
    assert_eq!(restored.get(Path::new("plain")), image(&ground.live("")).get(Path::new("plain")));
}
