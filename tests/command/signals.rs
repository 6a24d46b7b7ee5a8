//! SIGINT and SIGTERM stop the work, and nothing is left of it.

use std::fs::File;
use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::ground::{DONE, FAILED, Ground, Said, states};

fn mkfifo(ground: &Ground) {
    assert!(Command::new("mkfifo").arg(ground.path("fifo")).status().unwrap().success());
}

/// Starts the command, waits until it has made `temporaries` files, lets it read what `feed` writes into
/// the fifo, if anything, and sends a signal.
fn stopped_while_waiting(
    ground: &Ground,
    arguments: &str,
    signal: &str,
    temporaries: usize,
    feed: Option<&[u8]>,
) -> Said {
    let before = ground.names().len();
    let child = ground.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let fifo = feed.map(|content| {
        let mut fifo = File::options().write(true).open(ground.path("fifo")).unwrap();
        // More than a pipe holds: when this returns, reading has begun.
        fifo.write_all(content).unwrap();
        fifo
    });
    while ground.names().len() < before + temporaries {
        std::thread::sleep(Duration::from_millis(5));
    }
    let sent = Command::new("sh").args(["-c", &format!("kill -{signal} {}", child.id())]).status().unwrap();
    assert!(sent.success());
    let said = child.wait_with_output().unwrap().into();
    drop(fifo);
    said
}

#[test]
fn a_signal_ends_the_wait_for_a_slow_source_and_leaves_nothing() {
    let ground = Ground::with_levels();
    mkfifo(&ground);
    let names = ground.names();
    let content = vec![7; 3 << 20];
    for signal in ["INT", "TERM"] {
        for feed in [None, Some(&content[..])] {
            for (arguments, temporaries) in
                [("level --signature-out s fifo l", 2), ("level --against sig.0 fifo l", 1), ("signature fifo s", 1)]
            {
                let said = stopped_while_waiting(&ground, arguments, signal, temporaries, feed);
                assert_eq!(said.stderr, "frazil: stopped\n", "{arguments} {signal}");
                said.expect(FAILED);
                assert_eq!(ground.names(), names, "{arguments} {signal}");
            }
        }
    }
}

#[test]
fn a_stopped_patch_leaves_the_old_file() {
    let ground = Ground::with_levels();
    mkfifo(&ground);
    ground.write("out", b"old");
    let names = ground.names();
    let said = stopped_while_waiting(
        &ground,
        "patch --force /dev/null fifo out",
        "TERM",
        1,
        Some(&ground.read("level.0")[..200_000]),
    );
    assert_eq!(said.stderr, "frazil: stopped\n");
    said.expect(FAILED);
    assert_eq!((ground.names(), ground.read("out")), (names, b"old".to_vec()));
}

#[test]
fn a_stopped_backup_leaves_neither_archive_nor_snapshot() {
    let ground = Ground::new();
    std::fs::create_dir(ground.path("tree")).unwrap();
    // Much more than fits into the pipe, so that the work is under way when the first byte is there.
    ground.write("tree/data", &states()[0].repeat(40));
    let names = ground.names();
    let mut command = ground.command("backup --snapshot s tree -");
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    stdout.read_exact(&mut [0]).unwrap();
    let sent = Command::new("sh").args(["-c", &format!("kill -INT {}", child.id())]).status().unwrap();
    assert!(sent.success());
    let mut archive = Vec::new();
    stdout.read_to_end(&mut archive).unwrap();
    let said = Said::from(child.wait_with_output().unwrap());
    assert_eq!(said.stderr, "frazil: stopped\n");
    said.expect(FAILED);
    assert!(archive.len() < 12_000_000);
    assert_eq!(ground.names(), names);
}

#[test]
fn a_stopped_restore_leaves_nothing_or_the_level_before() {
    let ground = Ground::with_archives();
    ground.write("tree/large", &vec![7; 3 << 20]);
    ground.run("backup -q --snapshot s.large tree a.large").expect(DONE);
    ground.run("backup -q --since s.1 --snapshot s.next tree a.next").expect(DONE);
    mkfifo(&ground);
    let names = ground.names();
    let archive = ground.read("a.large");
    let said = stopped_while_waiting(&ground, "restore fifo out", "INT", 1, Some(&archive[..2 << 20]));
    assert_eq!(said.stderr, "frazil: stopped\n");
    said.expect(FAILED);
    assert_eq!(ground.names(), names);

    ground.run("restore -q --more a.0 a.1 out").expect(DONE);
    let before = ground.look("out");
    let archive = ground.read("a.next");
    let said = stopped_while_waiting(&ground, "restore fifo out", "TERM", 0, Some(&archive[..2 << 20]));
    assert_eq!(said.stderr, "frazil: stopped\n");
    assert_eq!(without_note(ground.look("out")), without_note(before));
    assert!(!ground.path("out/.frazil-restore/stage").exists());
    ground.run("restore -q a.next out").expect(DONE);
    assert_eq!(ground.look("out"), ground.look("tree"));
}

/// Without what a restore keeps for itself.
fn without_note<T>(mut tree: std::collections::BTreeMap<std::path::PathBuf, T>) -> Vec<(std::path::PathBuf, T)> {
    tree.retain(|path, _| !path.starts_with(".frazil-restore") && !path.as_os_str().is_empty());
    tree.into_iter().collect()
}
