//! What a level sends, and why.

use std::fs::{self, File, Permissions};
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use frazil::{Action, BackupOptions, Reason, RestoreOptions, Since, backup_tree, list_archive, restore_tree};

use crate::content::noise;
use crate::ground::{Ground, Said, privileged};
use crate::tree::{acl, assert_same, image, make_node, paths, set_attribute, set_time, time_of};

const BLOCK: usize = 1 << 16;

/// One change: what there is, what happens to it, and what is said of which paths. The bytes are the most
/// that are sent; the change happens in a directory of its own.
struct Change {
    name: &'static str,
    before: fn(&Path),
    change: fn(&Path),
    said: &'static [(&'static str, Option<Said>)],
}

const fn sent(action: Action, reason: Reason, bytes: u64) -> Option<Said> {
    Some((Some(action), reason, bytes))
}

const fn read(reason: Reason) -> Option<Said> {
    Some((None, reason, 0))
}

fn small() -> Vec<u8> {
    noise(5000, 1)
}

fn large() -> Vec<u8> {
    noise(5 * BLOCK + 77, 2)
}

fn write(path: impl AsRef<Path>, content: impl AsRef<[u8]>) {
    fs::write(path, content).unwrap();
}

fn overwrite_in_secret(path: &Path, at: usize) {
    let time = time_of(path);
    let mut content = fs::read(path).unwrap();
    content[at] ^= 1;
    fs::write(path, content).unwrap();
    set_time(path, time).unwrap();
}

const CHANGES: &[Change] = &[
    Change {
        name: "nothing",
        before: |at| write(at.join("f"), small()),
        change: |_| {},
        said: &[("f", None), ("", None)],
    },
    Change {
        name: "touch",
        before: |at| {
            write(at.join("small"), small());
            write(at.join("large"), large());
        },
        change: |at| {
            set_time(&at.join("small"), (1_000_000_000, 1)).unwrap();
            set_time(&at.join("large"), (1_000_000_000, 1)).unwrap();
        },
        said: &[
            ("small", sent(Action::Metadata, Reason::Modified, 0)),
            ("large", sent(Action::Metadata, Reason::Modified, 0)),
            ("", sent(Action::Metadata, Reason::Content, 0)),
        ],
    },
    Change {
        name: "the same written again",
        before: |at| write(at.join("f"), large()),
        change: |at| {
            write(at.join("f"), large());
            set_time(&at.join("f"), (1, 0)).unwrap();
        },
        said: &[("f", sent(Action::Metadata, Reason::Modified, 0))],
    },
    Change {
        name: "chmod",
        before: |at| {
            write(at.join("f"), large());
            fs::create_dir(at.join("d")).unwrap();
        },
        change: |at| {
            fs::set_permissions(at.join("f"), Permissions::from_mode(0o600)).unwrap();
            fs::set_permissions(at.join("d"), Permissions::from_mode(0o1777)).unwrap();
        },
        said: &[("f", sent(Action::Metadata, Reason::Owner, 0)), ("d", sent(Action::Metadata, Reason::Owner, 0))],
    },
    Change {
        name: "attributes",
        before: |at| {
            for name in ["set", "acl"] {
                write(at.join(name), large());
            }
        },
        change: |at| {
            set_attribute(&at.join("set"), b"user.a b%20", b"\0\xff").unwrap();
            set_attribute(&at.join("acl"), b"system.posix_acl_access", &acl(1000, 6)).unwrap();
        },
        said: &[
            ("set", sent(Action::Metadata, Reason::Changed, 0)),
            // The mask is among the bits of the mode.
            ("acl", sent(Action::Metadata, Reason::Owner, 0)),
        ],
    },
    Change {
        name: "a byte before ten mebibytes",
        before: |at| write(at.join("f"), noise(10 << 20, 3)),
        change: |at| write(at.join("f"), [b"x".as_slice(), &noise(10 << 20, 3)].concat()),
        said: &[("f", sent(Action::Delta, Reason::Size, BLOCK as u64))],
    },
    Change {
        name: "growth by whole blocks",
        before: |at| write(at.join("f"), noise(4 * BLOCK, 4)),
        change: |at| write(at.join("f"), noise(6 * BLOCK, 4)),
        said: &[("f", sent(Action::Delta, Reason::Size, 2 * BLOCK as u64 + 1000))],
    },
    Change {
        name: "cut at the edge of a block, and within one",
        before: |at| {
            write(at.join("at an edge"), noise(4 * BLOCK, 4));
            write(at.join("within"), noise(4 * BLOCK, 4));
        },
        change: |at| {
            let cut = |name, len| File::options().write(true).open(at.join(name)).unwrap().set_len(len).unwrap();
            cut("at an edge", 2 * BLOCK as u64);
            cut("within", 2 * BLOCK as u64 + 100);
        },
        said: &[
            ("at an edge", sent(Action::Delta, Reason::Size, 1000)),
            ("within", sent(Action::Delta, Reason::Size, 1100)),
        ],
    },
    Change {
        name: "another small content",
        before: |at| write(at.join("f"), small()),
        change: |at| write(at.join("f"), noise(4000, 9)),
        said: &[("f", sent(Action::Full, Reason::Size, 4000))],
    },
    Change {
        name: "emptied, and filled",
        before: |at| {
            write(at.join("emptied"), large());
            write(at.join("filled"), "");
        },
        change: |at| {
            write(at.join("emptied"), "");
            write(at.join("filled"), large());
        },
        said: &[
            ("emptied", sent(Action::Full, Reason::Size, 0)),
            ("filled", sent(Action::Full, Reason::Size, 5 * BLOCK as u64 + 77)),
        ],
    },
    Change {
        name: "times put back",
        before: |at| {
            write(at.join("small"), small());
            write(at.join("large"), large());
        },
        change: |at| {
            overwrite_in_secret(&at.join("small"), 9);
            overwrite_in_secret(&at.join("large"), BLOCK + 9);
        },
        said: &[
            ("small", sent(Action::Full, Reason::Changed, 5000)),
            ("large", sent(Action::Delta, Reason::Changed, BLOCK as u64 + 1000)),
        ],
    },
    Change {
        name: "renamed files",
        before: |at| {
            write(at.join("small"), small());
            write(at.join("large"), large());
        },
        change: |at| {
            fs::rename(at.join("small"), at.join("a new small")).unwrap();
            fs::rename(at.join("large"), at.join("zz")).unwrap();
        },
        said: &[
            ("small", sent(Action::Delete, Reason::Gone, 0)),
            ("large", sent(Action::Delete, Reason::Gone, 0)),
            ("a new small", sent(Action::Copy, Reason::New, 0)),
            ("zz", sent(Action::Copy, Reason::New, 0)),
        ],
    },
    Change {
        name: "renamed and changed",
        before: |at| write(at.join("f"), large()),
        change: |at| {
            fs::rename(at.join("f"), at.join("g")).unwrap();
            File::options().append(true).open(at.join("g")).unwrap().write_all(b"more").unwrap();
        },
        said: &[("g", sent(Action::Delta, Reason::New, 1000))],
    },
    Change {
        // As editors do it, where the file system gives the new file an inode that was another's.
        name: "saved anew on an inode given out again",
        before: |at| {
            write(at.join("f"), noise(6 * BLOCK, 6));
            write(at.join("gone"), noise(6 * BLOCK, 7));
        },
        change: |at| {
            write(at.join("gone"), [&noise(6 * BLOCK, 6), b"x".as_slice()].concat());
            fs::rename(at.join("gone"), at.join("f")).unwrap();
        },
        said: &[("f", sent(Action::Delta, Reason::Size, 1000)), ("gone", sent(Action::Delete, Reason::Gone, 0))],
    },
    Change {
        name: "swapped",
        before: |at| {
            write(at.join("a"), large());
            write(at.join("b"), noise(3 * BLOCK, 5));
        },
        change: |at| {
            fs::rename(at.join("a"), at.join("c")).unwrap();
            fs::rename(at.join("b"), at.join("a")).unwrap();
            fs::rename(at.join("c"), at.join("b")).unwrap();
        },
        said: &[("a", sent(Action::Copy, Reason::Size, 0)), ("b", sent(Action::Copy, Reason::Size, 0))],
    },
    Change {
        name: "a renamed directory",
        before: |at| {
            fs::create_dir_all(at.join("d/e")).unwrap();
            write(at.join("d/e/small"), small());
            write(at.join("d/large"), large());
        },
        change: |at| fs::rename(at.join("d"), at.join("moved")).unwrap(),
        said: &[
            ("d/e/small", sent(Action::Delete, Reason::Gone, 0)),
            ("d/e", sent(Action::Delete, Reason::Gone, 0)),
            ("d", sent(Action::Delete, Reason::Gone, 0)),
            ("moved/e/small", sent(Action::Copy, Reason::New, 0)),
            ("moved/large", sent(Action::Copy, Reason::New, 0)),
        ],
    },
    Change {
        name: "kinds",
        before: |at| {
            write(at.join("file to directory"), large());
            write(at.join("file to link"), large());
            write(at.join("file to pipe"), small());
            fs::create_dir_all(at.join("directory to file/in it")).unwrap();
            write(at.join("directory to file/in it/f"), small());
            fs::create_dir(at.join("directory to link")).unwrap();
            write(at.join("directory to link/f"), small());
            symlink("nowhere", at.join("link to file")).unwrap();
            symlink("directory to link", at.join("link to directory")).unwrap();
            make_node(&at.join("pipe to link"), rustix::fs::FileType::Fifo, (0, 0)).unwrap();
        },
        change: |at| {
            let names = ["file to directory", "file to link", "file to pipe", "link to file", "link to directory"];
            names.iter().chain(&["pipe to link"]).for_each(|name| fs::remove_file(at.join(name)).unwrap());
            fs::remove_dir_all(at.join("directory to file")).unwrap();
            fs::remove_dir_all(at.join("directory to link")).unwrap();
            fs::create_dir(at.join("file to directory")).unwrap();
            write(at.join("file to directory/f"), small());
            symlink("file to directory", at.join("file to link")).unwrap();
            make_node(&at.join("file to pipe"), rustix::fs::FileType::Fifo, (0, 0)).unwrap();
            write(at.join("directory to file"), large());
            symlink("..", at.join("directory to link")).unwrap();
            write(at.join("link to file"), small());
            fs::create_dir(at.join("link to directory")).unwrap();
            symlink("x", at.join("pipe to link")).unwrap();
        },
        said: &[
            // Of a directory, what is said last is how it closes.
            ("file to directory", sent(Action::Metadata, Reason::Kind, 0)),
            ("file to link", sent(Action::Full, Reason::Kind, 0)),
            ("file to pipe", sent(Action::Full, Reason::Kind, 0)),
            ("directory to file", sent(Action::Full, Reason::Kind, 5 * BLOCK as u64 + 77)),
            ("directory to file/in it", sent(Action::Delete, Reason::Gone, 0)),
            ("directory to file/in it/f", sent(Action::Delete, Reason::Gone, 0)),
            ("directory to link", sent(Action::Full, Reason::Kind, 0)),
            ("link to file", sent(Action::Full, Reason::Kind, 5000)),
            ("link to directory", sent(Action::Metadata, Reason::Kind, 0)),
            ("pipe to link", sent(Action::Full, Reason::Kind, 0)),
        ],
    },
    Change {
        name: "deletions",
        before: |at| {
            fs::create_dir_all(at.join("d/empty")).unwrap();
            write(at.join("d/f"), small());
            write(at.join("f"), small());
            symlink("nowhere", at.join("dangling")).unwrap();
        },
        change: |at| {
            fs::remove_dir_all(at.join("d")).unwrap();
            fs::remove_file(at.join("f")).unwrap();
            fs::remove_file(at.join("dangling")).unwrap();
        },
        said: &[
            ("d", sent(Action::Delete, Reason::Gone, 0)),
            ("d/empty", sent(Action::Delete, Reason::Gone, 0)),
            ("d/f", sent(Action::Delete, Reason::Gone, 0)),
            ("f", sent(Action::Delete, Reason::Gone, 0)),
            ("dangling", sent(Action::Delete, Reason::Gone, 0)),
        ],
    },
    Change {
        name: "retargeted",
        before: |at| symlink("nowhere", at.join("l")).unwrap(),
        change: |at| {
            fs::remove_file(at.join("l")).unwrap();
            symlink("elsewhere", at.join("l")).unwrap();
            set_time(&at.join("l"), (7, 7)).unwrap();
        },
        said: &[("l", sent(Action::Full, Reason::Modified, 0))],
    },
    Change {
        name: "hard links",
        before: |at| {
            write(at.join("a"), large());
            write(at.join("joined"), large());
            write(at.join("p"), small());
            fs::hard_link(at.join("p"), at.join("parted")).unwrap();
        },
        change: |at| {
            fs::remove_file(at.join("joined")).unwrap();
            fs::hard_link(at.join("a"), at.join("joined")).unwrap();
            fs::remove_file(at.join("parted")).unwrap();
            write(at.join("parted"), small());
        },
        said: &[
            ("a", read(Reason::Changed)),
            ("joined", sent(Action::Link, Reason::Link, 0)),
            ("p", read(Reason::Changed)),
            ("parted", sent(Action::Copy, Reason::Unlinked, 0)),
        ],
    },
    Change {
        name: "the first of three names gone",
        before: |at| {
            write(at.join("a"), large());
            fs::hard_link(at.join("a"), at.join("b")).unwrap();
            fs::hard_link(at.join("a"), at.join("c")).unwrap();
        },
        change: |at| fs::remove_file(at.join("a")).unwrap(),
        said: &[
            ("a", sent(Action::Delete, Reason::Gone, 0)),
            ("b", sent(Action::Copy, Reason::Unlinked, 0)),
            ("c", sent(Action::Link, Reason::Link, 0)),
        ],
    },
    Change {
        name: "new entries",
        before: |_| {},
        change: |at| {
            write(at.join("empty"), "");
            write(at.join("one byte"), "1");
            write(at.join("large"), large());
            fs::create_dir(at.join("d")).unwrap();
        },
        said: &[
            ("empty", sent(Action::Full, Reason::New, 0)),
            ("one byte", sent(Action::Full, Reason::New, 1)),
            ("large", sent(Action::Full, Reason::New, 5 * BLOCK as u64 + 77)),
            ("d", sent(Action::Metadata, Reason::New, 0)),
        ],
    },
];

fn before(ground: &Ground) {
    for change in CHANGES {
        fs::create_dir(ground.live(change.name)).unwrap();
        (change.before)(&ground.live(change.name));
    }
}

/// Changes it all. As long as what is returned is kept, no new file gets an inode that another had before, which
/// would be taken for a file that was renamed and changed.
fn change(ground: &Ground) -> Vec<File> {
    let paths = paths(&ground.live("")).into_iter().map(|path| ground.live("").join(path));
    let files = paths.filter(|path| fs::symlink_metadata(path).unwrap().is_file());
    let kept = files.map(|path| File::open(path).unwrap()).collect();
    CHANGES.iter().for_each(|change| (change.change)(&ground.live(change.name)));
    kept
}

#[test]
fn each_change_sends_what_it_has_to_and_says_why() {
    let mut ground = Ground::new();
    before(&ground);
    ground.rest();
    ground.level(BackupOptions::new());
    let _kept = change(&ground);
    let (summary, log) = ground.level(BackupOptions::new());
    assert!(!summary.is_partial(), "{:?}", log.problems());
    let entries = log.entries();
    for Change { name, said, .. } in CHANGES {
        for (path, expected) in *said {
            let path = Path::new(name).join(path);
            let found = entries.get(&path).copied();
            let bytes = |said: Option<Said>| said.map_or(0, |(_, _, bytes)| bytes);
            let kind = |said: Option<Said>| said.map(|(action, reason, _)| (action, reason));
            assert_eq!(kind(found), kind(*expected), "{}", path.display());
            assert!(bytes(found) <= bytes(*expected), "{}: {found:?}", path.display());
        }
    }
    ground.assert_restores();

    // Nothing has changed since, though much of it so lately that it has to be read.
    let (summary, log) = ground.level(BackupOptions::new());
    let entries = log.entries();
    assert!(entries.values().all(|said| matches!(said, (None, Reason::Racy, 0))), "{entries:?}");
    assert_eq!((summary.content_bytes, summary.problems), (0, 0));
    list_archive(&ground.archives[2][..], |entry| panic!("{entry:?}")).unwrap();

    // And once it has rested, it is not even read.
    ground.rest();
    ground.level(BackupOptions::new());
    let (summary, log) = ground.level(BackupOptions::new());
    assert_eq!((summary.files_read, log.entries().len()), (0, 0));
    ground.assert_restores();

    // What was not read has kept its sums.
    let file = ground.live("times put back/large");
    let content = fs::read(&file).unwrap();
    write(&file, [b"x".as_slice(), &content].concat());
    let (summary, log) = ground.level(BackupOptions::new());
    let (action, reason, bytes) = log.of("times put back/large").unwrap();
    assert_eq!((action, reason, summary.files_read), (Some(Action::Delta), Reason::Size, 1));
    assert!(bytes <= BLOCK as u64 + 1000, "{bytes}");
    ground.assert_restores();
}

#[test]
fn a_copied_tree_is_told_by_its_paths_where_inodes_say_nothing() {
    let mut ground = Ground::new();
    let contents = [noise(3 * BLOCK, 10), noise(3 * BLOCK, 11)];
    let time = (1_000_000_000, 0);
    let files = ["a", "b"].map(|name| ground.write(name, &contents[usize::from(name == "b")]));
    files.iter().for_each(|file| set_time(file, time).unwrap());
    ground.level(BackupOptions::new());

    // Each file is on the inode that was the other's, with its own content.
    write(&files[0], &contents[1]);
    write(&files[1], &contents[0]);
    let aside = ground.at("aside");
    fs::rename(&files[0], &aside).unwrap();
    fs::rename(&files[1], &files[0]).unwrap();
    fs::rename(&aside, &files[1]).unwrap();
    files.iter().for_each(|file| set_time(file, time).unwrap());
    let (summary, log) = ground.level(BackupOptions::new().ignore_inode(true));
    assert_eq!((summary.content_bytes, summary.deltas), (0, 0), "{:?}", log.entries());
    ground.assert_restores();
}

/// Bytes that this thread has read by now, from anywhere.
fn bytes_read() -> u64 {
    let io = fs::read_to_string("/proc/thread-self/io").unwrap();
    io.lines().find_map(|line| line.strip_prefix("rchar: ")).unwrap().parse().unwrap()
}

#[test]
fn a_file_is_read_once_for_its_signature_its_delta_and_its_identity() {
    let mut ground = Ground::new();
    let len = 64 * BLOCK;
    let file = ground.write("f", noise(len, 12));
    for level in 0..2 {
        if level > 0 {
            write(&file, [b"x".as_slice(), &noise(len, 12)].concat());
        }
        let before = bytes_read();
        ground.level(BackupOptions::new().threads(1));
        let read = bytes_read() - before;
        let range = len as u64..len as u64 * 11 / 10;
        assert!(range.contains(&read), "level {level}: {read} bytes were read of a file of {len}");
    }
}

#[test]
fn from_a_stream_renames_are_sent_again_and_two_levels_1_stand_on_one_level_0() {
    let mut ground = Ground::new();
    before(&ground);
    ground.level(BackupOptions::new());
    let _kept = change(&ground);
    ground.level(BackupOptions::new());

    let log = std::sync::Arc::<crate::ground::Log>::default();
    let mut archive = Vec::new();
    let since = Since::Stream(Box::new(File::open(ground.snapshot(0)).unwrap()));
    let options = BackupOptions::new().observer(log.clone());
    backup_tree(ground.live(""), since, ground.at("streamed"), &mut archive, options).unwrap();
    for (path, bytes) in [
        ("renamed files/a new small", 5000),
        ("renamed files/zz", large().len() as u64),
        ("a renamed directory/moved/large", large().len() as u64),
    ] {
        assert_eq!(log.of(path), sent(Action::Full, Reason::New, bytes), "{path}");
    }

    let expected = image(&ground.live(""));
    for (name, level_1) in [("filed", &ground.archives[1]), ("as it came", &archive)] {
        ground.restore(0, name, privileged());
        restore_tree(&level_1[..], ground.at(name), privileged()).unwrap();
        assert_same(&expected, &image(&ground.at(name)), name);
    }
    // One does not go onto the other.
    let error = restore_tree(&archive[..], ground.at("filed"), RestoreOptions::new()).unwrap_err();
    assert_eq!(error.kind(), frazil::ErrorKind::WrongBasis, "{error}");
    assert_same(&expected, &image(&ground.at("filed")), "after a level that was refused");
}

#[test]
fn what_is_taken_for_evidence_can_be_chosen() {
    let mut ground = Ground::new();
    for name in ["secret", "copied", "chmod", "untouched"] {
        ground.write(name, noise(3000, 6));
    }
    ground.rest();
    ground.level(BackupOptions::new());
    overwrite_in_secret(&ground.live("secret"), 5);
    let time = time_of(&ground.live("copied"));
    ground.write("new", noise(3000, 6));
    fs::rename(ground.live("new"), ground.live("copied")).unwrap();
    set_time(&ground.live("copied"), time).unwrap();
    fs::set_permissions(ground.live("chmod"), Permissions::from_mode(0o600)).unwrap();

    let options = BackupOptions::new;
    let full = sent(Action::Full, Reason::Changed, 3000);
    let chmod = sent(Action::Metadata, Reason::Owner, 0);
    let always = read(Reason::Always);
    for (number, (options, expected)) in [
        (options(), [full, read(Reason::Changed), chmod, None]),
        (options().ignore_inode(true), [full, read(Reason::Changed), chmod, None]),
        (options().ignore_ctime(true), [None, read(Reason::Inode), chmod, None]),
        (options().ignore_ctime(true).ignore_inode(true), [None, None, chmod, None]),
        (options().always_read(true), [full, read(Reason::Changed), chmod, always]),
        (
            options().ignore_ctime(true).ignore_inode(true).always_read(true),
            [sent(Action::Full, Reason::Always, 3000), always, chmod, always],
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let log = std::sync::Arc::<crate::ground::Log>::default();
        let (snapshot, since) = (ground.at(&format!("{number}")), ground.snapshot(0));
        let options = options.observer(log.clone());
        backup_tree(ground.live(""), Some(&*since), snapshot, std::io::sink(), options).unwrap();
        let found = ["secret", "copied", "chmod", "untouched"].map(|path| log.of(path));
        assert_eq!(found, expected, "choice {number}");
    }
}

#[test]
fn a_file_that_changed_right_before_it_was_read_is_read_again() {
    let mut ground = Ground::new();
    let path = ground.write("f", noise(3000, 7));
    // Even with nothing but size and modification time to go by, which another change within the same tick
    // of the clock may leave as they are.
    let options = || BackupOptions::new().ignore_ctime(true);
    ground.level(options());
    assert!(ground.known(0, "f").unwrap().racy);
    overwrite_in_secret(&path, 100);
    let (_, log) = ground.level(options());
    assert_eq!(log.of("f"), sent(Action::Full, Reason::Racy, 3000));
    ground.assert_restores();

    ground.rest();
    let (_, log) = ground.level(options());
    assert_eq!(log.of("f"), read(Reason::Racy));
    assert!(!ground.known(2, "f").unwrap().racy);
    let (_, log) = ground.level(options());
    assert_eq!(log.of("f"), None);

    // A time to come hides every change until then.
    set_time(&path, (i64::from(i32::MAX), 0)).unwrap();
    ground.level(options());
    assert!(ground.known(4, "f").unwrap().racy);
}
