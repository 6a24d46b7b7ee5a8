//! What is left out of a backup, and what a restore makes of owners.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown};

use crate::ground::{DONE, FAILED, Ground, PROBLEMS, Said, USAGE};
use crate::privileges::is_root;

/// The paths of what a backup with these options lists, but for the root.
fn backed_up(ground: &Ground, options: &[&str]) -> Vec<String> {
    let mut command = ground.command("backup -q --force --snapshot s tree a");
    Said::from(command.args(options).output().unwrap()).expect(DONE);
    let lines = ground.run("list --json a").expect(DONE).json_lines();
    let mut paths: Vec<_> = lines.iter().filter_map(|line| line["path"].as_str()).map(str::to_owned).collect();
    paths.retain(|path| path != ".");
    paths.sort();
    paths.dedup();
    paths
}

fn with_files(names: &[&str]) -> Ground {
    let ground = Ground::new();
    for name in names {
        let path = format!("tree/{name}");
        fs::create_dir_all(ground.path(&path).parent().unwrap()).unwrap();
        ground.write(&path, name.as_bytes());
    }
    ground
}

#[test]
fn patterns_come_from_a_file_and_then_from_the_command_line() {
    let ground = with_files(&["a.o", "b.o", "keep.o", "d/c.o", "d/note"]);
    ground.write("patterns", b"# objects\n*.o\n\n  \n!keep.o\n");
    assert_eq!(backed_up(&ground, &["--exclude-from", "patterns"]), ["d", "d/note", "keep.o"]);
    ground.write("more", b"/d/\n");
    let options = ["--exclude-from", "patterns", "--exclude-from", "more", "--exclude", "!/b.o", "--exclude", "keep.o"];
    assert_eq!(backed_up(&ground, &options), ["b.o"]);

    let said = ground.run("backup --exclude-from nowhere --snapshot x tree y").expect(FAILED);
    assert!(said.stderr.contains("reading nowhere: No such file"), "{}", said.stderr);
}

#[test]
fn a_pattern_that_begins_like_a_comment_is_one_all_the_same() {
    let ground = with_files(&["#x#", "x"]);
    assert_eq!(backed_up(&ground, &["--exclude", "#x#"]), ["x"]);
    assert_eq!(backed_up(&ground, &["--exclude", "#*", "--exclude", "!#x#"]), ["#x#", "x"]);
    let mut command = ground.command("backup --snapshot x tree y --exclude");
    let said = Said::from(command.arg("").output().unwrap()).expect(USAGE);
    assert!(said.stderr.contains("an empty pattern leaves nothing out"), "{}", said.stderr);
}

#[test]
fn marked_directories_are_kept_empty() {
    let ground = with_files(&["a/.nobackup", "a/big", "b/big", "c/skip me", "c/big"]);
    assert_eq!(
        backed_up(&ground, &["--exclude-marked", ".nobackup"]),
        ["a", "a/.nobackup", "b", "b/big", "c", "c/big", "c/skip me"]
    );
    let both = ["--exclude-marked", ".nobackup", "--exclude-marked", "skip me"];
    assert_eq!(backed_up(&ground, &both), ["a", "a/.nobackup", "b", "b/big", "c", "c/skip me"]);
    ground.run("backup --exclude-marked a/b --snapshot x tree y").expect(USAGE);

    ground.write("tree/b/CACHEDIR.TAG", b"Signature: 8a477f597d28d172789f06886806bc55\n");
    let cache: Vec<_> =
        backed_up(&ground, &["--exclude-caches"]).into_iter().filter(|path| path.starts_with('b')).collect();
    assert_eq!(cache, ["b", "b/CACHEDIR.TAG"]);
}

#[test]
fn owners_are_mapped_by_number() {
    if !is_root() {
        // Anybody else's files are their own.
        return;
    }
    let ground = with_files(&["mine", "theirs"]);
    chown(ground.path("tree/theirs"), Some(54_321), Some(54_322)).unwrap();
    ground.run("backup -q --snapshot s tree a").expect(DONE);
    ground.run("restore --map-user 54321:1234 --map-user 0:4321 --map-group 54322:1235 a out").expect(DONE);
    let owner = |name: &str| {
        let data = fs::metadata(ground.path(name)).unwrap();
        (data.uid(), data.gid())
    };
    assert_eq!((owner("out/mine").0, owner("out/theirs")), (4321, (1234, 1235)));
    assert_eq!(owner("out/mine").1, owner("tree/mine").1);
    for pair in ["1", "1:", ":1", "a:b", "1:2:3", "-1:2"] {
        ground.run(&format!("restore --map-group={pair} a nowhere")).expect(USAGE);
    }
}

#[test]
fn nobody_becomes_two_others() {
    let ground = Ground::with_archives();
    for option in ["--map-user", "--map-group"] {
        let said = ground.run(&format!("restore {option} 0:1 {option} 0:2 a.0 out")).expect(USAGE);
        assert!(said.stderr.contains(&format!("{option}: 0 is given to two others")), "{}", said.stderr);
        ground.run(&format!("restore --dry-run {option} 0:1 {option} 2:1 {option} 0:1 a.0 out")).expect(DONE);
    }
    let said = ground.run("restore --strip x a.0 out").expect(USAGE);
    assert!(said.stderr.contains("expected a number of names"), "{}", said.stderr);
}

#[test]
fn a_path_may_be_written_as_list_and_the_shell_write_it() {
    let ground = Ground::with_archives();
    ground.run("restore --path docs a.0 docs").expect(DONE);
    ground.run("restore a.0 all").expect(DONE);
    for (number, (path, expected)) in
        [(".", "all"), ("./", "all"), ("./docs", "docs"), ("././docs/", "docs"), ("docs/", "docs")]
            .into_iter()
            .enumerate()
    {
        let to = format!("out {number}");
        let said = Said::from(ground.command("restore a.0 --path").args([path, &to]).output().unwrap());
        said.expect(DONE);
        assert_eq!(ground.look(&to), ground.look(expected), "{path}");
    }
    for path in ["/docs", "docs/../docs", "docs/./letter"] {
        ground.run(&format!("restore --path {path} a.0 nowhere")).expect(USAGE);
    }
}

#[test]
fn who_leaves_out_more_names_than_any_path_has_is_told_that_nothing_is_left() {
    let ground = Ground::with_archives();
    for dry in ["--dry-run", ""] {
        let said = ground.run(&format!("restore {dry} --strip 9 a.0 out")).expect(PROBLEMS);
        assert!(said.stderr.contains("nothing is left of any path without its first 9 names"), "{}", said.stderr);
    }
}
