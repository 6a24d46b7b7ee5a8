//! Memory that does not grow with the number of files: trees of 100,000 entries, each command a process of
//! its own. `make bench-scale` goes to a million.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

const LIMIT_KIB: u64 = 64 * 1024;
const ENTRIES: usize = 100_000;
const LINKS: usize = 20_000;

/// Runs the command in a directory and gives its peak of resident memory, in KiB.
///
/// `time` starts it, since what is counted for a process includes what started it had resident.
fn peak(dir: &Path, arguments: &str) -> u64 {
    let output = Command::new("time")
        .args(["-f", "%M", "-o", "peak", env!("CARGO_BIN_EXE_frazil")])
        .args(arguments.split_whitespace())
        .current_dir(dir)
        .output()
        .expect("run time");
    assert!(output.status.success(), "frazil {arguments}: {}", String::from_utf8_lossy(&output.stderr));
    let peak = fs::read_to_string(dir.join("peak")).expect("the peak");
    peak.trim().parse().expect("a number of KiB")
}

/// Takes a tree, which `plant` makes, through level 0, level 1 with nothing changed, and back.
fn goes_there_and_back(plant: impl FnOnce(&Path)) {
    let dir = tempfile::tempdir().expect("a directory");
    let tree = dir.path().join("tree");
    fs::create_dir(&tree).expect("a directory");
    plant(&tree);
    for arguments in [
        "backup -q --snapshot s0 tree a0",
        "backup -q --since s0 --snapshot s1 tree a1",
        "restore -q a0 a1 restored",
        "verify -q --tree restored a0 a1",
    ] {
        let peak = peak(dir.path(), arguments);
        println!("{arguments}: {peak} KiB");
        assert!(peak <= LIMIT_KIB, "frazil {arguments}: {peak} KiB");
    }
    let (level_0, level_1) = (len(&dir.path().join("a0")), len(&dir.path().join("a1")));
    assert!(level_1 < level_0 / 100, "{level_1} of {level_0} bytes, and nothing had changed");
}

fn len(path: &Path) -> u64 {
    fs::metadata(path).expect("an archive").len()
}

#[test]
fn a_tree_of_100_000_files_goes_there_and_back_within_64_mib() {
    goes_there_and_back(|tree| {
        for number in 0..ENTRIES {
            let directory = tree.join(format!("{}/{}", number / 10_000, number / 100));
            if number % 100 == 0 {
                fs::create_dir_all(&directory).unwrap();
            }
            fs::write(directory.join(format!("{number}")), format!("{number}\n").repeat(number % 50)).unwrap();
        }
    });
}

#[test]
fn a_directory_of_100_000_names_goes_there_and_back_within_64_mib() {
    goes_there_and_back(|tree| {
        for number in 0..ENTRIES {
            let name = tree.join(format!("a name that is not as short as it might be, {number}"));
            if number % 10 == 0 { fs::write(name, "content").unwrap() } else { symlink("nowhere", name).unwrap() }
        }
    });
}

#[test]
fn a_tree_of_20_000_hard_links_goes_there_and_back_within_64_mib() {
    goes_there_and_back(|tree| {
        let (there, here) = (tree.join("there"), tree.join("here"));
        fs::create_dir(&there).unwrap();
        fs::create_dir(&here).unwrap();
        for number in 0..LINKS / 2 {
            let file = there.join(number.to_string());
            fs::write(&file, format!("{number}\n")).unwrap();
            // One beside it, and one that comes long before.
            fs::hard_link(&file, there.join(format!("{number}.link"))).unwrap();
            fs::hard_link(&file, here.join(number.to_string())).unwrap();
        }
    });
}
