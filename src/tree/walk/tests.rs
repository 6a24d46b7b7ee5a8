mod ahead;
mod left_out;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::net::UnixListener;

use rustix::fs::{FileType, IFlags, Mode, ioctl_getflags, ioctl_setflags, mkdirat, mknodat};

use super::*;
use crate::tree::path::{Position, compare, join};
use crate::tree::sorter::tests::{any_seed, noise};

/// All steps as text: the letter of the kind and the path, `/` before what is left.
fn steps(walk: Walk) -> Vec<String> {
    told(&mut Visits::of(walk, 1, None))
}

fn told(walk: &mut Visits) -> Vec<String> {
    let mut steps = Vec::new();
    while let Some(step) = walk.advance().unwrap() {
        let path = walk.path().escape_ascii();
        steps.push(match step {
            Step::Entry => format!("{} {path}", walk.stat().kind.map_or('s', |kind| char::from(kind.letter()))),
            Step::Leave => format!("/ {path}"),
            Step::Vanished => format!("vanished {path}"),
            Step::Unreadable(error) => format!("unreadable {path}: {:?}", error.os_code()),
            Step::Problem(error) => format!("problem {path}: {:?}", error.os_code()),
        });
    }
    assert!(walk.advance().unwrap().is_none(), "the end is the end");
    steps
}

fn selected(root: &Path, selection: Selection) -> Vec<String> {
    steps(Walk::new(root, WalkOptions { selection, dereference: false }).unwrap())
}

fn walked(root: &Path) -> Vec<String> {
    selected(root, Selection::new())
}

fn followed(root: &Path) -> Vec<String> {
    let options = WalkOptions { dereference: true, ..WalkOptions::default() };
    steps(Walk::new(root, options).unwrap())
}

/// Makes files and, where the path ends with `/`, directories.
fn tree(paths: &[&str]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for path in paths {
        let at = dir.path().join(path);
        fs::create_dir_all(if path.ends_with('/') { &at } else { at.parent().unwrap() }).unwrap();
        if !path.ends_with('/') {
            File::create(at).unwrap();
        }
    }
    dir
}

/// Every path below a directory, with whether it is a directory, by way of the standard library.
fn all_below(root: &Path, at: &[u8], all: &mut BTreeMap<Vec<u8>, bool>) {
    for entry in fs::read_dir(root.join(OsStr::from_bytes(at))).unwrap() {
        let entry = entry.unwrap();
        let path = join(at, entry.file_name().as_bytes());
        let is_directory = entry.file_type().unwrap().is_dir();
        all.insert(path.clone(), is_directory);
        if is_directory {
            all_below(root, &path, all);
        }
    }
}

#[test]
fn everything_in_a_tree_comes_once_and_in_order() {
    for limits in [Limits::default(), Limits { names: 100, descriptors: 2 }] {
        let seed = any_seed();
        let mut noise = noise(seed);
        let dir = tempfile::tempdir().unwrap();
        let mut directories = vec![dir.path().to_owned()];
        for _ in 0..600 {
            // Bytes about the slash, beyond ASCII, and a newline.
            let letters = b"a\n-.!0 \xff\xc3";
            let name = (0..=noise(3)).map(|_| letters[noise(letters.len())]).collect();
            let at = directories[noise(directories.len())].join(OsString::from_vec(name));
            if at.file_name().is_none() || at.exists() {
                continue;
            }
            if noise(3) == 0 {
                fs::create_dir(&at).unwrap();
                directories.push(at);
            } else {
                File::create(at).unwrap();
            }
        }
        let mut expected = BTreeMap::from([(Vec::new(), true)]);
        all_below(dir.path(), b"", &mut expected);
        let mut walk = Walk::with_limits(dir.path(), WalkOptions::default(), limits).unwrap();
        let (mut found, mut left) = (BTreeMap::new(), 0);
        let mut before: Option<Position> = None;
        while let Some(step) = walk.advance().unwrap() {
            let here = match step {
                Step::Entry => {
                    found.insert(walk.path().to_vec(), walk.stat().is(EntryKind::Directory));
                    Position::opening(walk.path())
                }
                Step::Leave => {
                    left += 1;
                    Position::closing(walk.path())
                }
                step => panic!("{step:?}, seed {seed}"),
            };
            if let Some(before) = before {
                assert!(before < here, "{before:?} and {here:?}, seed {seed}");
                assert!(before.closes || here.closes || compare(&before.path, &here.path).is_lt());
            }
            before = Some(here);
        }
        assert!(found == expected, "seed {seed}");
        assert_eq!(left, expected.values().filter(|&&is_directory| is_directory).count(), "seed {seed}");
    }
}

#[test]
fn directories_nest_deeper_than_descriptors_and_paths_reach() {
    const DEPTH: usize = 3_000;
    let dir = tempfile::tempdir().unwrap();
    let mut at = open(CWD, dir.path().as_os_str().as_bytes(), OFlags::DIRECTORY).unwrap();
    for _ in 0..DEPTH {
        mkdirat(&at, "directory", Mode::RWXU).unwrap();
        mknodat(&at, "file", FileType::RegularFile, Mode::RUSR, 0).unwrap();
        at = open(at.as_fd(), b"directory", OFlags::DIRECTORY).unwrap();
    }
    for limits in [Limits::default(), Limits { descriptors: 1, ..Limits::default() }] {
        let walk = Walk::with_limits(dir.path(), WalkOptions::default(), limits).unwrap();
        let mut walk = Visits::of(walk, 1, None);
        let (mut files, mut depth, mut deepest) = (0, 0, 0);
        while let Some(step) = walk.advance().unwrap() {
            match step {
                Step::Entry if walk.stat().is(EntryKind::File) => {
                    walk.open().unwrap();
                    files += 1;
                }
                Step::Entry => {
                    depth += 1;
                    deepest = deepest.max(depth);
                }
                Step::Leave => depth -= 1,
                step => panic!("{step:?}"),
            }
        }
        assert_eq!((files, depth, deepest), (DEPTH, 0, DEPTH + 1));
    }
    // What removes the directory recurses, on the small stack of a test.
    drop(at);
    let mut remover = std::process::Command::new("rm");
    assert!(remover.arg("-rf").arg(dir.path()).status().unwrap().success());
}

#[test]
fn what_was_moved_away_from_under_the_walk_is_not_taken_for_deleted() {
    let dir = tree(&["a/b/c/d", "a/b/e", "a/f", "g", "elsewhere/"]);
    let limits = Limits { descriptors: 1, ..Limits::default() };
    let mut walk = Visits::of(Walk::with_limits(dir.path(), WalkOptions::default(), limits).unwrap(), 1, None);
    while walk.path() != b"a/b/c" {
        walk.advance().unwrap().unwrap();
    }
    assert!(matches!(walk.advance().unwrap(), Some(Step::Entry)), "a/b/c is entered");
    fs::rename(dir.path().join("a/b/c"), dir.path().join("elsewhere/c")).unwrap();
    let expected = ["/ a/b/c", "unreadable a/b: None", "/ a/b", "unreadable a: None", "/ a", "unreadable : None", "/ "];
    assert_eq!(told(&mut walk), expected);
}

#[test]
fn a_directory_of_many_names_is_sorted_in_little_memory() {
    let dir = tempfile::tempdir().unwrap();
    let parent = File::open(dir.path()).unwrap();
    for number in 0..20_000 {
        let name = format!("{:x}", number * 7_919 % 20_000);
        mknodat(&parent, name, FileType::RegularFile, Mode::RUSR, 0).unwrap();
    }
    let limits = Limits { names: 4_000, ..Limits::default() };
    let steps = steps(Walk::with_limits(dir.path(), WalkOptions::default(), limits).unwrap());
    assert_eq!(steps.len(), 20_002);
    assert!(steps[1..20_001].is_sorted());
}

#[test]
fn an_entry_says_what_it_is_and_can_be_opened_without_being_followed() {
    let dir = tree(&["dir/"]);
    fs::write(dir.path().join("file"), b"content").unwrap();
    fs::hard_link(dir.path().join("file"), dir.path().join("more")).unwrap();
    symlink("nowhere\n", dir.path().join("link")).unwrap();
    mknodat(CWD, dir.path().join("pipe"), FileType::Fifo, Mode::RUSR, 0).unwrap();
    let _listener = UnixListener::bind(dir.path().join("socket")).unwrap();
    assert_eq!(walked(dir.path()), ["d ", "d dir", "/ dir", "- file", "l link", "- more", "p pipe", "s socket", "/ "]);

    let mut walk = Visits::new(dir.path(), WalkOptions::default(), 1, None).unwrap();
    while let Some(step) = walk.advance().unwrap() {
        assert!(matches!(step, Step::Entry | Step::Leave));
        let expected = fs::symlink_metadata(walk.os_path()).unwrap();
        let stat = walk.stat();
        assert_eq!((stat.identity(), stat.links), ((expected.dev(), expected.ino()), expected.nlink()));
        assert_eq!((stat.modified.seconds, stat.changed.seconds), (expected.mtime(), expected.ctime()));
        assert_eq!((stat.mode, stat.uid, stat.blocks), (expected.mode() & 0o7777, expected.uid(), expected.blocks()));
        match walk.name() {
            b"file" => {
                assert_eq!(io::read_to_string(File::from(walk.open().unwrap())).unwrap(), "content");
                let metadata = stat.metadata().unwrap();
                assert_eq!((metadata.kind, metadata.size), (EntryKind::File, 7));
            }
            b"link" => {
                assert_eq!(walk.read_link().unwrap(), b"nowhere\n");
                assert_eq!(walk.open().unwrap_err().raw_os_error(), Some(Errno::LOOP.raw_os_error()));
            }
            b"socket" => assert!(stat.metadata().is_none()),
            b"dir" if matches!(step, Step::Entry) => {
                assert_eq!(Stat::from(fstat(walk.opened().unwrap()).unwrap()).identity(), stat.identity());
                walk.open().unwrap();
            }
            _ => {}
        }
    }
}

#[test]
fn what_is_gone_when_it_is_looked_at_has_vanished() {
    let dir = tree(&["a", "b", "c/d", "e"]);
    let mut walk = Visits::new(dir.path(), WalkOptions::default(), 1, None).unwrap();
    walk.advance().unwrap();
    walk.advance().unwrap();
    fs::remove_file(dir.path().join("b")).unwrap();
    fs::remove_dir_all(dir.path().join("c")).unwrap();
    assert_eq!(told(&mut walk), ["vanished b", "vanished c", "- e", "/ "]);

    let dir = tree(&["c/d", "e"]);
    let mut walk = Visits::new(dir.path(), WalkOptions::default(), 1, None).unwrap();
    walk.advance().unwrap();
    walk.advance().unwrap();
    fs::remove_dir_all(dir.path().join("c")).unwrap();
    assert_eq!(told(&mut walk), ["/ c", "- e", "/ "], "one that is removed after it was opened is empty");
}

#[test]
fn a_directory_that_cannot_be_read_is_a_step_and_not_the_end() {
    // The mode of a file is nothing to root, and there is no other way to make one that cannot be read.
    if rustix::process::geteuid().is_root() {
        return;
    }
    let dir = tree(&["closed/x", "listed/y", "open/z"]);
    let set = |name: &str, mode| fs::set_permissions(dir.path().join(name), fs::Permissions::from_mode(mode)).unwrap();
    set("closed", 0);
    set("listed", 0o400);
    let steps = walked(dir.path());
    set("closed", 0o700);
    set("listed", 0o700);
    let expected = [
        "d ",
        "d closed",
        "unreadable closed: Some(13)",
        "/ closed",
        "d listed",
        "unreadable listed/y: Some(13)",
        "/ listed",
        "d open",
        "- open/z",
        "/ open",
        "/ ",
    ];
    assert_eq!(steps, expected);
}

#[test]
fn what_a_restore_works_in_is_not_entered() {
    let dir = tree(&[".frazil-restore/b", "a/.frazil-restore/b", "c"]);
    let expected =
        ["d ", "d .frazil-restore", "/ .frazil-restore", "d a", "d a/.frazil-restore", "- a/.frazil-restore/b"];
    assert_eq!(walked(dir.path())[..6], expected);
}

#[test]
fn a_root_that_is_no_directory_is_the_only_entry() {
    let dir = tree(&["dir/file"]);
    symlink("dir", dir.path().join("to-dir")).unwrap();
    symlink("dir/file", dir.path().join("to-file")).unwrap();
    symlink("nowhere", dir.path().join("dangling")).unwrap();
    // What is named is meant: no pattern leaves it out.
    assert_eq!(selected(&dir.path().join("dir/file"), Selection::new().exclude("*")), ["- file"]);
    assert_eq!(walked(&dir.path().join("to-file")), ["l to-file"]);
    assert_eq!(walked(&dir.path().join("dangling")), ["l dangling"]);
    assert_eq!(walked(&dir.path().join("to-dir")), ["d ", "- file", "/ "]);
    assert_eq!(followed(&dir.path().join("to-file")), ["- to-file"]);
    let error = Walk::new(&dir.path().join("none"), WalkOptions::default()).err().unwrap();
    assert_eq!((error.kind(), error.file()), (ErrorKind::Io, Some(&*dir.path().join("none"))));
}

#[test]
fn links_are_followed_only_when_asked_and_never_in_circles() {
    let dir = tree(&["a/b/file", "other/file"]);
    symlink("../..", dir.path().join("a/b/up")).unwrap();
    symlink("loop", dir.path().join("loop")).unwrap();
    symlink("nowhere", dir.path().join("nil")).unwrap();
    symlink("other/file", dir.path().join("one")).unwrap();
    symlink("../other", dir.path().join("a/to")).unwrap();
    let end = ["l loop", "l nil", "- one", "d other", "- other/file", "/ other", "/ "];
    let mut expected = vec!["d ", "d a", "d a/b", "- a/b/file", "l a/b/up", "problem a/b/up: Some(40)", "/ a/b"];
    expected.extend(["d a/to", "- a/to/file", "/ a/to", "/ a"]);
    expected.extend(end);
    assert_eq!(followed(dir.path()), expected);
    assert!(walked(dir.path()).contains(&"l one".to_owned()));
}

#[test]
fn a_directory_reached_through_a_link_is_left_to_where_it_was_reached_from() {
    let dir = tree(&["a/b/z", "a/z", "far/off/c/d/e/f", "far/off/c/d/z", "far/off/z"]);
    symlink("../../far/off", dir.path().join("a/b/link")).unwrap();
    let options = WalkOptions { dereference: true, ..WalkOptions::default() };
    let limits = Limits { descriptors: 1, ..Limits::default() };
    let few = steps(Walk::with_limits(dir.path(), options, limits).unwrap());
    assert_eq!(few, followed(dir.path()));
    assert!(few.iter().any(|step| step == "- a/b/link/c/d/e/f") && few.iter().all(|step| !step.contains("unread")));
}

#[test]
fn links_are_not_followed_without_end() {
    let dir = tempfile::tempdir().unwrap();
    for number in 0..60 {
        fs::create_dir(dir.path().join(format!("{number}"))).unwrap();
        symlink(format!("../{}", number + 1), dir.path().join(format!("{number}/l"))).unwrap();
    }
    let steps = followed(&dir.path().join("0"));
    assert_eq!(steps.iter().filter(|step| step.starts_with("d ")).count(), LINKS_MAX + 1);
    assert_eq!(steps.iter().filter(|step| step.starts_with("problem")).count(), 1);
}

#[test]
fn another_file_system_is_not_entered_when_asked() {
    // The place where another is mounted on every Linux, and nothing else.
    let selection = Selection::new().exclude("/*").include("/proc").one_file_system(true);
    assert_eq!(selected(Path::new("/"), selection), ["d ", "d proc", "/ proc", "/ "]);
}

#[test]
fn a_name_or_path_longer_than_an_archive_takes_is_reported() {
    let dir = tempfile::tempdir().unwrap();
    let mut walk = Walk::new(dir.path(), WalkOptions::default()).unwrap();
    walk.advance().unwrap();
    walk.advance().unwrap();
    // File systems here have no such names; some elsewhere do.
    let top = File::open(dir.path()).unwrap();
    walk.stack.push(Frame::new(Arc::new(top.into()), walk.stat, false, Sorted::default(), 0));
    for (len, start) in [(NAME_MAX + 1, 0), (PATH_MAX + 1, PATH_MAX)] {
        walk.path = vec![b'n'; len];
        match walk.examine(start) {
            Some(Step::Unreadable(error)) => assert_eq!(error.kind(), ErrorKind::Limit, "{error}"),
            step => panic!("{step:?}"),
        }
    }
}
