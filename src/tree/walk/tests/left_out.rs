//! What a selection, a cache's tag, a marker or a flag leaves out.

use super::*;

#[test]
fn what_the_patterns_leave_out_does_not_appear_and_is_not_entered() {
    let dir = tree(&["a.o", "src/b.o", "src/keep.o", "build/x", "src/build/x", "cache/y", "src/cache"]);
    let odd = OsStr::from_bytes(b"\xff.o");
    File::create(dir.path().join(odd)).unwrap();
    let selection = Selection::new().exclude("*.o").include("/src/keep.o").exclude("/build").exclude("cache/");
    let expected =
        ["d ", "d src", "d src/build", "- src/build/x", "/ src/build", "- src/cache", "- src/keep.o", "/ src", "/ "];
    assert_eq!(selected(dir.path(), selection), expected);
}

#[test]
fn of_a_cache_only_the_tag_is_kept_and_only_if_it_is_one() {
    let dir = tree(&["cache/a", "cache/sub/b", "cache/z", "false/a"]);
    let tag = b"Signature: 8a477f597d28d172789f06886806bc55\n# made by a test";
    fs::write(dir.path().join("cache/CACHEDIR.TAG"), tag).unwrap();
    fs::write(dir.path().join("false/CACHEDIR.TAG"), &tag[1..]).unwrap();
    let expected = [
        "d ",
        "d cache",
        "- cache/CACHEDIR.TAG",
        "/ cache",
        "d false",
        "- false/CACHEDIR.TAG",
        "- false/a",
        "/ false",
        "/ ",
    ];
    assert_eq!(selected(dir.path(), Selection::new().exclude_caches(true)), expected);
    assert_eq!(walked(dir.path()).len(), 14);
}

#[test]
fn of_a_marked_directory_only_the_marker_is_kept() {
    let dir = tree(&["a/.nobackup/", "a/b", "a/c/d", "e/f"]);
    let selection = Selection::new().exclude_marked(".nobackup");
    let expected = ["d ", "d a", "d a/.nobackup", "/ a/.nobackup", "/ a", "d e", "- e/f", "/ e", "/ "];
    assert_eq!(selected(dir.path(), selection), expected);
}

#[test]
fn what_is_flagged_not_to_be_dumped_is_left_out() {
    let dir = tree(&["a", "b/c", "d"]);
    let flag = |name: &str| -> rustix::io::Result<()> {
        let file = File::open(dir.path().join(name)).unwrap();
        ioctl_setflags(&file, ioctl_getflags(&file)? | IFlags::NODUMP)
    };
    // Not every file system has flags.
    if flag("a").and_then(|()| flag("b")).is_err() {
        return;
    }
    symlink("a", dir.path().join("e")).unwrap();
    assert_eq!(selected(dir.path(), Selection::new().nodump(true)), ["d ", "- d", "l e", "/ "]);
    assert_eq!(walked(dir.path()).len(), 8);
}
