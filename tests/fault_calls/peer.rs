//! What librsync's own command makes of the same faults.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::files::Files;
use crate::look;
use crate::strace::{self, Invocation};
use crate::sweep::sample;

/// What was at the output's place.
const BEFORE: &[u8] = b"what was there before";

/// How a run ended in which a call failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Ended {
    Right,
    /// It said that all was well, and it was not.
    Wrong,
    FailedAndKept,
    /// A part of the output took the place of what was there, or nothing did.
    FailedAndLost,
    CrashedOrHung,
}

/// Runs of `rdiff` that make `made` out of a file, as much as it should be.
const COMMANDS: [&str; 3] =
    ["signature --block-size=4096 @/new @/made", "delta @/plain.sig @/new @/made", "patch @/old @/plain.delta @/made"];

fn rdiff(arguments: &str, dir: &Path) -> Invocation {
    Invocation { program: "rdiff".into(), ..Invocation::of_frazil(&format!("--force {arguments}"), dir) }
}

/// Makes the calls of each command fail, and counts how the runs ended.
pub(crate) fn sweep(files: &Files) -> BTreeMap<Ended, usize> {
    let logs = look::scratch();
    let (log, made) = (logs.path().join("log"), files.dir().join("made"));
    for (arguments, name) in [("signature --block-size=4096 @/old @/made", "plain.sig"), (COMMANDS[1], "plain.delta")] {
        assert_eq!(strace::run(&rdiff(arguments, files.dir())).status, Some(0), "rdiff {arguments}");
        fs::rename(&made, files.dir().join(name)).expect("a file");
    }
    let mut tally = BTreeMap::new();
    for arguments in COMMANDS {
        let command = rdiff(arguments, files.dir());
        let (cases, said) = strace::cases(&command, files.dir(), &log);
        assert_eq!(said.status, Some(0), "rdiff {arguments}: {}", said.stderr);
        let right = fs::read(&made).expect("what was made");
        for case in sample(cases) {
            fs::write(&made, BEFORE).expect("what was there");
            let said = strace::disturbed(&command, &case, &log);
            if said.injected.is_empty() {
                continue;
            }
            let found = fs::read(&made).unwrap_or_default();
            let ended = match said.status {
                Some(0) if found == right => Ended::Right,
                Some(0) => Ended::Wrong,
                // As `timeout` has it, and the shell for signals.
                None | Some(124..) => Ended::CrashedOrHung,
                Some(_) if found == BEFORE => Ended::FailedAndKept,
                Some(_) => Ended::FailedAndLost,
            };
            *tally.entry(ended).or_default() += 1;
        }
    }
    tally
}
