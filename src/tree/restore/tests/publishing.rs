use super::*;
use crate::ErrorKind;

/// A tree with something for every kind of change.
fn old_tree(place: &Place) {
    for (path, content) in [
        ("a", "A"),
        ("b", "B"),
        ("becomes-directory", "file"),
        ("becomes-file/sub/y", "y"),
        ("becomes-file/x", "x"),
        ("becomes-link", "file"),
        ("gone/deep/deeper/f", "f"),
        ("keep", "kept"),
        ("linked", "old"),
        ("mode", "mode"),
        ("passed/open/f", "f"),
        ("replaced-fifo", "file"),
        ("shut/deep/f", "f"),
        ("shut/gone", "gone"),
        ("void", "void"),
    ] {
        place.file(path, content);
    }
    fs::hard_link(place.root.join("linked"), place.root.join("linked-too")).unwrap();
    place.link("link", "old-target");
    place.link("link-becomes-directory", "..");
    place.settle();
    place.mode("passed", 0o555);
    place.mode("shut", 0o555);
}

fn new_level(place: &Place) -> Level {
    let mut level = Level::new(place);
    level.file("a", 0o644, "B");
    level.file("b", 0o400, "A");
    level.directory("becomes-directory", 0o750);
    level.file("becomes-directory/inner", 0o600, "inner");
    level.delete("becomes-file/sub/y");
    level.delete_directory("becomes-file/sub");
    level.delete("becomes-file/x");
    level.file_at("becomes-file", true, metadata(EntryKind::File, 0o644), "now a file");
    level.symlink("becomes-link", "keep");
    level.delete("gone/deep/deeper/f");
    level.delete_directory("gone/deep/deeper");
    level.delete_directory("gone/deep");
    level.delete_directory("gone");
    level.hard_link("also-kept", "keep");
    level.file("linked", 0o644, "new");
    level.hard_link("linked-too", "linked");
    level.symlink("link", "new-target");
    level.directory("link-becomes-directory", 0o000);
    level.file("link-becomes-directory/f", 0o000, "within");
    level.change("mode", Metadata { size: 4, ..metadata(EntryKind::File, 0) });
    level.file("passed/open/new", 0o644, "new");
    level.close("passed/open", 0o755);
    level.fifo("replaced-fifo");
    level.change("shut/deep/f", Metadata { size: 1, ..metadata(EntryKind::File, 0o444) });
    level.delete("shut/gone");
    level.file("shut/new", 0o644, "new");
    level.close("shut", 0o555);
    level.records.push((None, record("void", false, Action::Void)));
    level.close("", 0o755);
    level
}

#[test]
fn a_level_cut_anywhere_and_recovered_is_as_if_published_at_once() {
    let whole = Place::new();
    old_tree(&whole);
    let (confined, private) = new_level(&whole).begin();
    let (recovered, problems) = finish(&confined, private);
    assert!(problems.is_empty(), "{problems:?}");
    let state = recovered.state.unwrap();
    assert_eq!((state.complete, state.applying, state.partial), (Some(LEVEL), None, false));
    recovered.private.remove(&confined).unwrap();
    let expected = whole.look();
    assert!(!whole.root.join(".frazil-restore").exists());
    assert_eq!(expected["a"], format!("100644 {NOW} a: B"));
    assert_eq!(expected["becomes-file"], format!("100644 {NOW} becomes-file: now a file"));
    assert_eq!(expected["linked-too"], format!("100644 {NOW} linked: new"));
    assert!(expected["keep"].ends_with("also-kept: kept") || expected["also-kept"].ends_with("keep: kept"));
    assert_eq!(expected["link"], "120777 0 new-target");
    assert_eq!(expected["passed"], format!("40555 {OLD} "));
    assert_eq!(expected["shut"], format!("40555 {NOW} "));
    assert_eq!(expected["link-becomes-directory/f"], format!("100000 {NOW} link-becomes-directory/f: within"));
    assert_eq!(expected["mode"], format!("100000 {NOW} mode: mode"));
    assert_eq!(expected[""], format!("40755 {NOW} "));
    assert!(!expected.keys().any(|path| path.starts_with("gone")));

    for cut in 0.. {
        let place = Place::new();
        old_tree(&place);
        let (confined, private) = new_level(&place).begin();
        let mut steps = 0;
        let stopped = publish(
            &confined,
            &private,
            StagedBy::ThisRun,
            &mut |_| {
                steps += 1;
                if steps > cut { Err(Error::new(ErrorKind::Cancelled, "killed")) } else { Ok(()) }
            },
            &mut |problem| panic!("cut at {cut}: {problem}"),
        );
        assert_eq!(stopped.is_err(), steps > cut);
        let (recovered, problems) = finish(&confined, private);
        assert!(problems.is_empty(), "cut at {cut}: {problems:?}");
        recovered.private.remove(&confined).unwrap();
        let mut found = place.look();
        // Which of two names is met first is the directory's affair.
        for path in ["keep", "also-kept"] {
            found.insert(path.into(), expected[path].clone());
        }
        assert_eq!(found, expected, "cut at {cut}");
        let keep = |name: &str| fs::metadata(place.root.join(name)).unwrap().ino();
        assert_eq!(keep("keep"), keep("also-kept"));
        if stopped.is_ok() {
            assert!(cut > 30);
            break;
        }
    }
}

#[test]
fn what_is_not_of_the_tree_stays_and_is_reported() {
    let place = Place::new();
    place.file("d/mine", "mine");
    place.file("e/mine", "mine");
    place.file("f/mine", "mine");
    let mut level = Level::new(&place);
    level.delete_directory("d");
    level.file_at("e", true, metadata(EntryKind::File, 0o644), "now a file");
    level.delete("f");
    level.file("g", 0o644, "the rest is done");
    let (confined, private) = level.begin();
    let (recovered, problems) = finish(&confined, private);
    let files: Vec<_> = problems.iter().map(|problem| problem.file().unwrap().to_owned()).collect();
    assert_eq!(files, ["d", "e", "f"].map(|name| place.root.join(name)));
    assert_eq!(problems[0].kind(), ErrorKind::Exists);
    let published = recovered.published.unwrap();
    assert_eq!((published.done, published.failed, published.problems), (1, 3, 3));
    assert!(recovered.state.unwrap().partial);
    for path in ["d/mine", "e/mine", "f/mine"] {
        assert_eq!(read(&place.root.join(path)), "mine");
    }
    assert_eq!(read(&place.root.join("g")), "the rest is done");
}

#[test]
fn what_came_after_the_level_was_checked_is_replaced_only_on_request_also_by_a_later_run() {
    for overwrite in [false, true] {
        for is_killed in [false, true] {
            let place = Place::new();
            place.file("replaced", "old");
            place.file("basis", "basis");
            let mut level = Level::new(&place);
            level.overwrite = overwrite;
            level.file("a", 0o644, "moved before");
            level.directory("d", 0o755);
            level.file("d/f", 0o644, "new");
            level.file("file", 0o644, "new");
            level.hard_link("link", "basis");
            level.hard_link("linked", "basis");
            level.file("replaced", 0o644, "new");
            level.symlink("symlink", "new");
            let (confined, private) = level.begin();
            if is_killed {
                // Everything is in its place, and then somebody takes some of it.
                publish(&confined, &private, StagedBy::ThisRun, &mut unstopped(), &mut |problem| panic!("{problem}"))
                    .unwrap();
                fs::remove_file(place.root.join("d/f")).unwrap();
                fs::remove_dir(place.root.join("d")).unwrap();
                for name in ["file", "link", "symlink"] {
                    fs::remove_file(place.root.join(name)).unwrap();
                }
            }
            for name in ["d", "file", "link", "symlink"] {
                place.file(name, "mine");
            }
            let (recovered, problems) = finish(&confined, private);
            let published = recovered.published.unwrap();
            // Of what was in its place and has been taken, nothing is left to be put there.
            assert_eq!(published.failed > 0, !overwrite || is_killed, "{problems:?}");
            let told: Vec<_> = problems.iter().map(|problem| problem.file().unwrap().to_owned()).collect();
            let read = |name: &str| fs::read_to_string(place.root.join(name)).unwrap_or_default();
            assert_eq!([read("a"), read("linked"), read("replaced")], ["moved before", "basis", "new"]);
            let is_same = fs::metadata(place.root.join("linked")).unwrap().ino()
                == fs::metadata(place.root.join("basis")).unwrap().ino();
            assert!(is_same);
            if !overwrite {
                assert!(recovered.state.unwrap().partial);
                assert_eq!((read("d"), read("link")), ("mine".into(), "mine".into()));
                assert!(told.contains(&place.root.join("d")) && told.contains(&place.root.join("link")), "{told:?}");
                assert!(!told.contains(&place.root.join("a")) && !told.contains(&place.root.join("linked")));
            }
            // What had left the stage before stays as somebody has it, as what else is changed later does.
            if !overwrite || is_killed {
                assert_eq!([read("file"), read("symlink")], ["mine", "mine"]);
            }
            if !is_killed && !overwrite {
                let file = place.root.join("file");
                let problem = problems.iter().find(|problem| problem.file() == Some(&*file)).unwrap();
                assert_eq!(problem.kind(), ErrorKind::Exists);
                assert_eq!((published.failed_files, published.failed_bytes), (2, 6), "{problems:?}");
            }
            if overwrite && !is_killed {
                assert_eq!([read("d/f"), read("file"), read("link")], ["new", "new", "basis"]);
                assert_eq!(fs::read_link(place.root.join("symlink")).unwrap(), Path::new("new"));
            }
        }
    }
}

#[test]
fn what_was_staged_and_is_damaged_or_lost_by_the_time_of_a_later_run_is_reported_and_takes_no_place() {
    let place = Place::new();
    let names = ["flipped", "longer", "lost", "shorter", "sound"];
    let mut level = Level::new(&place);
    names.iter().for_each(|name| level.file(name, 0o644, "content"));
    let (confined, private) = level.begin();
    let staged = |number: usize| place.root.join(format!(".frazil-restore/stage/0/{number}"));
    fs::write(staged(0), "cOntent").unwrap();
    fs::write(staged(1), "content, and more").unwrap();
    fs::remove_file(staged(2)).unwrap();
    fs::write(staged(3), "").unwrap();
    let (recovered, problems) = finish(&confined, private);
    let told: Vec<_> = problems.iter().map(|problem| (problem.kind(), problem.file().unwrap().to_owned())).collect();
    assert_eq!(told, names[..4].iter().map(|name| (ErrorKind::Mismatch, place.root.join(name))).collect::<Vec<_>>());
    assert!(recovered.state.unwrap().partial && recovered.published.unwrap().failed == 4);
    assert_eq!(names.map(|name| place.root.join(name).exists()), [false, false, false, false, true]);
    assert_eq!(read(&place.root.join("sound")), "content");
}

#[test]
fn a_file_of_which_the_mode_alone_changes_is_not_taken_for_changed_when_it_has_got_another_name() {
    let place = Place::new();
    let file = place.file("f", "content");
    let time = SystemTime::UNIX_EPOCH + Duration::new(NOW as u64, 5);
    fs::File::open(&file).unwrap().set_modified(time).unwrap();
    place.mode("f", 0o644);
    let mut level = Level::new(&place);
    level.change("f", Metadata { size: 7, ..metadata(EntryKind::File, 0o600) });
    let (confined, private) = level.begin();
    fs::hard_link(&file, place.dir.path().join("another name")).unwrap();
    let (recovered, problems) = finish(&confined, private);
    let told: Vec<_> = problems.iter().map(|problem| (problem.kind(), problem.file().unwrap().to_owned())).collect();
    assert_eq!(told, [(ErrorKind::Mismatch, file.clone())]);
    assert!(recovered.state.unwrap().partial);
    assert_eq!(fs::metadata(file).unwrap().mode(), 0o100_644);
}

#[test]
fn directories_whose_records_were_lost_are_made_only_on_request() {
    for make_parents in [false, true] {
        let place = Place::new();
        let mut level = Level::new(&place);
        level.make_parents = make_parents;
        level.file("lost/too/f", 0o644, "f");
        let (confined, private) = level.begin();
        let (recovered, problems) = finish(&confined, private);
        assert_eq!(recovered.published.unwrap().failed, u64::from(!make_parents));
        assert_eq!(problems.len(), if make_parents { 2 } else { 1 });
        assert_eq!(place.root.join("lost/too/f").exists(), make_parents);
        if make_parents {
            assert_eq!(fs::metadata(place.root.join("lost")).unwrap().mode(), 0o40700);
        }
    }
}

/// Needs root, and a file system with such flags.
#[test]
fn flags_that_forbid_it_do_not_keep_a_level_from_being_published() {
    let place = Place::new();
    for path in ["d/gone", "d/replaced", "d/basis", "d/mode"] {
        place.file(path, path);
    }
    let lock = |path: &str| {
        let file = fs::File::open(place.root.join(path)).unwrap();
        rustix::fs::ioctl_setflags(&file, IFlags::IMMUTABLE)
    };
    if ["d/gone", "d/replaced", "d/basis", "d/mode", "d"].iter().any(|path| lock(path).is_err()) {
        return;
    }
    let immutable = |kind, size| Metadata { size, flags: IFlags::IMMUTABLE.bits(), ..metadata(kind, 0o700) };
    for _ in 0..2 {
        let mut level = Level::new(&place);
        level.delete("d/gone");
        level.file_at("d/replaced", false, immutable(EntryKind::File, 0), "new");
        level.hard_link("d/linked", "d/basis");
        level.change("d/mode", immutable(EntryKind::File, 6));
        let mut close = record("d", true, Action::Metadata);
        close.metadata = Some(immutable(EntryKind::Directory, 0));
        level.records.push((None, close));
        let (confined, private) = level.begin();
        let (recovered, problems) = finish(&confined, private);
        assert!(problems.is_empty(), "{problems:?}");
        drop(recovered);
        assert!(!place.root.join("d/gone").exists());
        assert_eq!(read_locked(&place.root.join("d/replaced")), "new");
        for path in ["d", "d/replaced", "d/basis", "d/linked", "d/mode"] {
            let file = fs::File::open(place.root.join(path)).unwrap();
            assert!(rustix::fs::ioctl_getflags(&file).unwrap().contains(IFlags::IMMUTABLE), "{path}");
        }
    }
}

/// Needs root, and a file system with such flags.
#[test]
fn flags_that_forbid_changes_are_given_to_nothing_else_that_has_taken_the_place() {
    let place = Place::new();
    let outside = place.dir.path().join("outside");
    fs::write(&outside, "outside").unwrap();
    let flags = |path: &Path| rustix::fs::ioctl_getflags(fs::File::open(path).unwrap());
    let supported = place.file("supported", "");
    let Ok(before) = flags(&outside) else { return };
    let locked = Metadata { flags: IFlags::IMMUTABLE.bits(), ..metadata(EntryKind::File, 0o644) };
    if rustix::fs::ioctl_setflags(fs::File::open(&supported).unwrap(), IFlags::IMMUTABLE).is_err() {
        eprintln!("skipped: this file system, or this user, has no flags that forbid changes");
        return;
    }
    let mut level = Level::new(&place);
    level.file_at("f", false, locked, "new");
    let (confined, private) = level.begin();
    // Killed when it had moved the file and not locked it.
    publish(&confined, &private, StagedBy::ThisRun, &mut unstopped(), &mut |problem| panic!("{problem}")).unwrap();
    let f = place.root.join("f");
    assert!(flags(&f).unwrap().contains(IFlags::IMMUTABLE));
    rustix::fs::ioctl_setflags(fs::File::open(&f).unwrap(), before).unwrap();
    fs::remove_file(&f).unwrap();
    fs::hard_link(&outside, &f).unwrap();
    let mut problems = Vec::new();
    publish(&confined, &private, StagedBy::ThisRun, &mut unstopped(), &mut |problem| {
        problems.push(problem.to_string())
    })
    .unwrap();
    assert!(!flags(&outside).unwrap().contains(IFlags::IMMUTABLE), "{problems:?}");
    assert!(problems.len() == 1 && problems[0].contains("another entry has taken its place"), "{problems:?}");
}

fn read_locked(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

#[test]
fn a_staged_item_is_found_beyond_the_first_shard() {
    let place = Place::new();
    let mut level = Level::new(&place);
    level.sync = SyncMode::Level;
    let ids: Vec<_> = (0..4100).map(|_| level.stage.make_symlink(b"t").unwrap()).collect();
    level.stage.discard(ids[4099]).unwrap();
    assert!(level.stage.holds(ids[4098]).unwrap() && !level.stage.holds(ids[4099]).unwrap());
    assert!(level.stage.open(ids[0]).is_err());
    level.private.drop_work().unwrap();
    assert!(!place.root.join(".frazil-restore/stage").exists());
}

#[test]
fn a_dry_run_onto_what_was_left_half_way_says_so_and_changes_nothing() {
    let place = Place::new();
    let mut level = Level::new(&place);
    level.file("f", 0o644, "new");
    let (confined, private) = level.begin();
    drop(private);
    let error = restore_tree(&b""[..], &place.root, RestoreOptions::new().dry_run(true)).unwrap_err();
    assert_eq!((error.kind(), error.file()), (ErrorKind::State, Some(&*place.root)), "{error}");
    assert!(error.to_string().contains("was left half-way and has to be finished first"), "{error}");
    assert!(!place.root.join("f").exists());
    let private = Private::open(&confined).unwrap().unwrap();
    let (recovered, problems) = finish(&confined, private);
    assert!(problems.is_empty() && recovered.state.unwrap().complete == Some(LEVEL), "{problems:?}");
    assert_eq!(read(&place.root.join("f")), "new");
}
