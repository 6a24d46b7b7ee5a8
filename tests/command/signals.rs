//! SIGINT and SIGTERM stop the work, and nothing is left of it.

use std::fs::File;
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::ground::{FAILED, Ground, Said};

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
