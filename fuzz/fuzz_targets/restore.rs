//! Two levels that say anything, with every checksum right: nothing outside of the destination changes.
#![no_main]

#[path = "../../tests/support/archive.rs"]
mod archive;
#[path = "../../tests/support/look.rs"]
mod look;
#[path = "../../tests/support/sealed.rs"]
#[allow(dead_code, reason = "of the sealed streams, some parts are needed here")]
mod sealed;

use std::fs;

use archive::{Header, Level, Metadata, Parent, Record, Tar};
use frazil::{ErrorKind, RestoreOptions, restore_tree, verify_archive};
use frazil_fuzz::{Input, MAX_OUTPUT};
use libfuzzer_sys::fuzz_target;
use look::{differences, listing, scratch};

/// Entries of a level, at the most.
const ENTRIES_MAX: usize = 40;

/// Names that lead somewhere, within or without.
const PATHS: [&str; 16] = [
    "",
    "a",
    "a/b",
    "a/b/c",
    "a/l",
    "b",
    "b/c",
    "l",
    "l/a",
    "..",
    "../outside/f",
    "/tmp/f",
    "a/../../outside/f",
    ".frazil-restore",
    ".frazil-restore/state",
    "a//b",
];

const TARGETS: [&str; 6] = ["a", "../outside", "..", "/", "../outside/f", "."];

fuzz_target!(|data: &[u8]| {
    let mut input = Input(data);
    let choice = input.byte();
    let ground = scratch();
    let (destination, outside) = (ground.path().join("destination"), ground.path().join("outside"));
    fs::create_dir(&outside).expect("a directory");
    fs::write(outside.join("f"), "nobody touches this").expect("a file");
    let before = listing(&outside);

    let zero = Header::level_0(*b"a fuzzed level 0");
    for header in [zero, zero.next(*b"a fuzzed level 1")] {
        let archive = level(header, &mut input);
        let options = RestoreOptions::new()
            .keep_going(choice & 1 != 0)
            .overwrite(choice & 2 != 0)
            .accept_partial(choice & 4 != 0)
            .max_output(MAX_OUTPUT);
        for result in
            [verify_archive(&archive[..], None).map(drop), restore_tree(&archive[..], &destination, options).map(drop)]
        {
            if let Err(error) = result {
                assert!(error.kind() != ErrorKind::Internal, "{error}");
            }
        }
        assert_eq!(differences(&before, &listing(&outside)), [""; 0]);
    }
    let mut names: Vec<_> =
        fs::read_dir(ground.path()).expect("lists").map(|entry| entry.expect("an entry").file_name()).collect();
    names.retain(|name| name != "destination");
    assert_eq!(names, ["outside"]);
});

/// An archive as the input says.
fn level(header: Header, input: &mut Input<'_>) -> Vec<u8> {
    let mut level = Level::new(header);
    for _ in 0..ENTRIES_MAX {
        if input.is_over() {
            break;
        }
        let kind = input.byte();
        if kind == 0xff {
            // What is left is of the next level.
            break;
        }
        let path = PATHS[usize::from(input.byte()) % PATHS.len()];
        let other = PATHS[usize::from(input.byte()) % PATHS.len()];
        let target = TARGETS[usize::from(input.byte()) % TARGETS.len()];
        let len = usize::from(input.byte());
        match kind % 12 {
            0 => level.file(path, input.bytes(len)),
            1 => level.make(path, Metadata::symlink(target)),
            2 => level.open(path),
            3 => level.close(path),
            4 => level.make(path, Metadata::new(b'p').mode(input.word() as u64)),
            5 => level.record(&Record::new(b'L', path).from(other)),
            6 => level.record(&Record::new(b'X', path).after(Parent::file(input.bytes(len)))),
            7 => {
                let gone = Record::new(b'X', path).after(Parent::other(b"dlp"[len % 3]));
                level.record(&if len % 3 == 0 { gone.closing() } else { gone })
            }
            8 => {
                let content = input.bytes(len);
                level.record(&Record::file(b'C', path, content).after(Parent::file(content)).from(other))
            }
            9 => level.encoded(&Record::new(kind, path).encode()).encoded(&[&[len as u8], input.bytes(len)].concat()),
            10 => level.tar(&Tar { typeflag: b"0125gxLKSM"[len % 10], ..Tar::file(other, input.bytes(len)) }),
            _ => level.batch(),
        };
    }
    level.finish()
}
