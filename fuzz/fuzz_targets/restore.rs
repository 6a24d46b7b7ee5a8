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

use archive::{BLOCK_LEN, Header, Level, Metadata, Parent, Record, Tar};
use frazil::{ErrorKind, RestoreOptions, restore_tree, verify_archive};
use frazil_fuzz::{Input, MAX_OUTPUT};
use libfuzzer_sys::fuzz_target;
use look::{differences, listing, scratch};
use sealed::{DELTA, Says, Sealing, TAG_BASIS, TAG_TARGET_BLOCK_LEN};

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

/// Names of attributes, of all namespaces.
const ATTRIBUTES: [&str; 6] =
    ["user.a", "user.", "trusted.a", "security.capability", "system.posix_acl_access", "frazil.a"];

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
        match kind % 16 {
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
            11 => level.batch(),
            12 => {
                let (basis, commands, content) = (input.bytes(len), input.bytes(len), input.bytes(len));
                let record = Record::file(b'D', path, content).after(Parent::file(basis));
                let record = if len % 2 == 0 { record } else { record.from(other) };
                level.delta(&record, &delta(basis, commands, &Says::truth(content)), 1 + input.word())
            }
            13 => {
                let (basis, added) = (input.bytes(len), input.bytes(1));
                let content = [basis, added].concat();
                let commands = appending(basis, added);
                let record = Record::file(b'D', path, &content).after(Parent::file(basis));
                level.delta(&record, &delta(basis, &commands, &Says::truth(&content)), 1 + input.word())
            }
            14 => {
                let name = ATTRIBUTES[usize::from(input.byte()) % ATTRIBUTES.len()].into();
                let attributes = vec![(name, input.bytes(len).to_vec())];
                match b"-dp"[len % 3] {
                    b'-' => {
                        let file = Record::file(b'F', path, b"");
                        level.full(&file.with(Metadata { attributes, ..Metadata::new(b'-') }), b"")
                    }
                    kind => level.make(path, Metadata { attributes, ..Metadata::new(kind) }),
                }
            }
            _ => {
                let device = (input.word() as u64, input.word() as u64);
                level.make(path, Metadata { device, ..Metadata::new(b"cb"[len % 2]) })
            }
        };
    }
    level.finish()
}

/// A sealed delta of these commands, and what it says that they make of this basis.
fn delta(basis: &[u8], commands: &[u8], makes: &Says) -> Vec<u8> {
    let basis = Says::truth(basis).as_basis();
    let fields: [(_, &[u8]); 2] = [(TAG_BASIS, &basis), (TAG_TARGET_BLOCK_LEN, &BLOCK_LEN.to_be_bytes())];
    Sealing::new(DELTA, &fields).data(commands, makes.length).end(makes)
}

/// Commands that copy all of a short basis, and append this.
fn appending(basis: &[u8], added: &[u8]) -> Vec<u8> {
    let mut commands = b"rs\x026".to_vec();
    if !basis.is_empty() {
        commands.extend([0x45, 0, basis.len() as u8]);
    }
    if !added.is_empty() {
        commands.extend([&[0x41, added.len() as u8], added].concat());
    }
    commands.push(0);
    commands
}
