//! What is said of a failure, and what can be done about it.

use crate::ground::{DONE, FAILED, Ground};

#[test]
fn who_reaches_a_limit_is_told_of_the_option_that_raises_it_and_of_no_other() {
    let ground = Ground::with_archives();
    ground.run("restore --more a.0 out").expect(DONE);
    let options = ["--max-file", "--max-output"];
    for (arguments, advised) in [
        ("restore --max-file 100K a.0 new", "--max-file"),
        ("restore --max-output 100K a.0 new", "--max-output"),
        ("restore --max-file 1G --max-output 100K a.0 new", "--max-output"),
        // Of a file that a delta makes.
        ("restore --more --max-file 100K a.1 out", "--max-file"),
        ("restore --more --max-output 100K a.1 out", "--max-output"),
    ] {
        let said = ground.run(arguments).expect(FAILED);
        for option in options {
            let is_advised = said.stderr.contains(&format!("(raise {option})"));
            assert_eq!(is_advised, option == advised, "{arguments}: {}", said.stderr);
        }
    }
}

#[test]
fn an_entry_of_an_archive_is_said_to_be_in_it() {
    let ground = Ground::with_archives();
    for (level, offset, what) in
        [(0, 100_000, ": content is not what its record says: "), (1, 4_000, ": frame checksum")]
    {
        let mut damaged = ground.read(&format!("a.{level}"));
        damaged[offset] ^= 1;
        ground.write("damaged", &damaged);
        for command in ["list damaged", "verify damaged"] {
            let said = ground.run(command).expect(FAILED);
            let text = said.stderr.split_once("reading in an archive the entry data").map_or("", |(_, text)| text);
            assert!(text.contains(what), "{command}: {}", said.stderr);
        }
    }
}
