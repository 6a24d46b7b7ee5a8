use std::sync::atomic::{AtomicBool, Ordering};

use super::*;
use crate::ErrorKind;

fn outside(place: &Place) -> PathBuf {
    let outside = place.dir.path().join("outside");
    fs::create_dir_all(outside.join("e")).unwrap();
    for name in ["f", "e/f", "e/gone"] {
        fs::write(outside.join(name), "safe").unwrap();
    }
    outside
}

fn seen(outside: &Path) -> Vec<(PathBuf, u32, i64, u64)> {
    let mut seen = Vec::new();
    walk(outside, &mut |path| {
        let stat = fs::symlink_metadata(path).unwrap();
        seen.push((path.to_owned(), stat.mode(), stat.mtime_nsec(), stat.nlink()));
    });
    seen.sort();
    seen
}

#[test]
fn a_file_is_reached_through_no_link_and_nothing_else_is_opened() {
    let place = Place::new();
    place.file("d/e/f", "content");
    place.link("d/e/link", "f");
    place.link("d/link", "e");
    place.link("link", "d");
    let level = Level::new(&place);
    let confined = &level.confined;
    rustix::fs::mkfifoat(rustix::fs::CWD, place.root.join("fifo"), rustix::fs::Mode::RWXU).unwrap();
    assert_eq!(std::io::read_to_string(confined.open_file(b"d/e/f").unwrap()).unwrap(), "content");
    for path in ["d/e/link", "d/link/f", "link/e/f", "fifo", "d", ""] {
        confined.open_file(path.as_bytes()).expect_err(path);
    }
    for path in ["d/link/f", "link/e/f", "d/e/f/x", "d/x", "x/y"] {
        assert!(confined.stat(path.as_bytes()).unwrap().is_none(), "{path}");
        confined.pin_by_name(path.as_bytes()).expect_err(path);
    }
    for path in ["d/e/link", "d/e/f", "d", "", "fifo"] {
        let found = confined.stat(path.as_bytes()).unwrap().unwrap();
        let by_name = if path.is_empty() { continue } else { confined.pin_by_name(path.as_bytes()).unwrap() };
        assert_eq!(rustix::fs::fstat(by_name).unwrap().st_ino, found.st_ino, "{path}");
    }
}

#[test]
fn a_file_that_its_owner_may_not_read_is_read_and_stays_so() {
    let place = Place::new();
    place.file("shut/f", "content");
    place.mode("shut/f", 0);
    place.mode("shut", 0);
    let file = place.confined().open_file(b"shut/f").unwrap();
    assert_eq!(std::io::read_to_string(file).unwrap(), "content");
    assert_eq!(fs::metadata(place.root.join("shut")).unwrap().mode(), 0o40000);
    assert!(place.confined().stat(b"shut/f").unwrap().is_some());
    assert_eq!(place.look()["shut"].split(' ').next(), Some("40000"));
    assert_eq!(place.look()["shut/f"].split(' ').next(), Some("100000"));
}

#[test]
fn a_stack_goes_deeper_than_it_holds_directories_and_than_the_kernel_takes_paths() {
    let place = Place::new();
    let confined = place.confined();
    let names: Vec<_> = (0..300).map(|depth| format!("{depth:030}")).collect();
    let deepest = names.join("/");
    assert!(deepest.len() > 4096);
    let mut made = 0;
    let mut stack = stack::DirectoryStack::new(&confined).unwrap();
    stack.enter_to_change(deepest.as_bytes(), Some(&mut |_| made += 1)).unwrap();
    assert_eq!(made, 300);
    for depth in (0..=300).rev() {
        let path = names[..depth].join("/");
        let directory = stack.enter(path.as_bytes()).unwrap();
        rustix::fs::mkdirat(directory, "here", rustix::fs::Mode::RWXU).unwrap();
    }
    for depth in [0, 1, 127, 128, 129, 299, 300, 5] {
        let path = path::join(names[..depth].join("/").as_bytes(), b"here");
        assert!(confined.stat(&path).unwrap().is_some(), "{depth}");
        stack.enter(&path).unwrap();
    }
    drop(stack);
    // Here and not when the test ends, where it is by paths.
    fs::remove_dir_all(place.root.join(&names[0])).unwrap();
}

#[test]
fn the_permissions_that_a_stack_gives_itself_are_given_back() {
    let place = Place::new();
    place.file("a/b/f", "");
    place.mode("a/b", 0o400);
    place.mode("a", 0o000);
    let confined = place.confined();
    let mode = |path: &str| confined.stat(path.as_bytes()).unwrap().unwrap().st_mode & 0o777;
    let mut stack = stack::DirectoryStack::new(&confined).unwrap();
    let directory = stack.enter_to_change(b"a/b", None).unwrap();
    rustix::fs::unlinkat(directory, "f", rustix::fs::AtFlags::empty()).unwrap();
    assert_eq!(mode("a/b"), if is_root() { 0o400 } else { 0o700 });
    stack.enter(b"a").unwrap();
    assert_eq!(mode("a/b"), 0o400);
    assert_eq!(mode("a"), if is_root() { 0 } else { 0o100 });
    drop(stack);
    assert_eq!(mode("a"), 0);
}

/// Everything that a level can do below `d/e`.
fn level(place: &Place) -> Level {
    let mut level = Level::new(place);
    level.file("d/e/f", 0o644, "new");
    level.file("d/e/g", 0o644, "new");
    level.hard_link("d/e/h", "d/e/g");
    level.hard_link("i", "d/e/g");
    level.symlink("d/e/l", "x");
    level.change("d/e/m", metadata(EntryKind::File, 0o600));
    level.delete("d/e/gone");
    level.directory("d/e/new", 0o700);
    level.close("d/e", 0o700);
    level.close("d", 0o700);
    level
}

#[test]
fn nothing_is_published_through_a_link_at_any_component() {
    for component in ["d", "d/e"] {
        let place = Place::new();
        let outside = outside(&place);
        place.file("d/e/gone", "");
        let target = if component == "d" { outside.clone() } else { outside.join("e") };
        fs::rename(place.root.join(component), place.root.join("away")).unwrap();
        symlink(target, place.root.join(component)).unwrap();
        let before = seen(&outside);
        let mut level = level(&place);
        level.make_parents = true;
        let (confined, private) = level.begin();
        let (recovered, problems) = finish(&confined, private);
        assert!(recovered.published.unwrap().failed >= 7 && !problems.is_empty());
        assert!(problems.iter().all(|problem| problem.kind() != ErrorKind::Internal), "{problems:?}");
        assert_eq!(seen(&outside), before);
    }
}

struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn a_directory_swapped_for_a_link_while_publishing_leads_nowhere_outside() {
    let place = Place::new();
    let outside = outside(&place);
    let before = seen(&outside);
    let (d, away) = (place.root.join("d"), place.root.join("away"));
    let stop = AtomicBool::new(false);
    for component in ["d", "d/e"] {
        let (target, swapped) =
            if component == "d" { (outside.clone(), d.clone()) } else { (outside.join("e"), d.join("e")) };
        std::thread::scope(|scope| {
            stop.store(false, Ordering::Relaxed);
            for path in ["f", "gone", "m"] {
                place.file(&format!("d/e/{path}"), "old");
            }
            // Also when an assertion fails here: the thread would go on for ever.
            let _stop = Stop(&stop);
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    if fs::rename(&swapped, &away).is_ok() {
                        let _ = symlink(&target, &swapped);
                        std::thread::yield_now();
                        let _ = fs::remove_file(&swapped);
                        let _ = fs::rename(&away, &swapped);
                    }
                }
            });
            for _ in 0..100 {
                let (confined, private) = level(&place).begin();
                let _ = finish(&confined, private);
            }
        });
        assert_eq!(seen(&outside), before);
    }
}
