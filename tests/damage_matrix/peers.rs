//! What librsync's own command makes of the very same damage.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::Command;

use frazil::Format;

use crate::damage::{Damage, Place};
use crate::ground::Ground;
use crate::is_thorough;
use crate::operations::{Outcome, level, patch};

/// Seconds after which something hangs.
const HANGS: u64 = 5;

/// What `timeout` ends with then.
const TIMED_OUT: i32 = 124;

/// How often something ended so.
#[derive(Clone, Copy, Default)]
struct Tally {
    refused: usize,
    right: usize,
    wrong: usize,
    crashed_or_hung: usize,
}

impl Tally {
    fn add(&mut self, outcome: Ended) {
        *match outcome {
            Ended::Refused => &mut self.refused,
            Ended::Right => &mut self.right,
            Ended::Wrong => &mut self.wrong,
            Ended::CrashedOrHung => &mut self.crashed_or_hung,
        } += 1;
    }
}

enum Ended {
    Refused,
    Right,
    Wrong,
    CrashedOrHung,
}

impl From<Outcome> for Ended {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Refused(_) | Outcome::Damaged | Outcome::Partial => Self::Refused,
            Outcome::Wrong => Self::Wrong,
            Outcome::Right | Outcome::Passed | Outcome::Unchanged => Self::Right,
        }
    }
}

/// Runs `rdiff` with each of these arguments; the last makes `made`, which should be `new`.
fn rdiff(ground: &Ground, runs: &[&str]) -> Ended {
    for run in runs {
        let mut command = Command::new("timeout");
        command.arg(HANGS.to_string()).args(["rdiff", "-f"]).args(run.split(' ')).current_dir(ground.path(""));
        let output = command.output().expect("rdiff is installed (Debian: apt-get install rdiff)");
        // What `timeout` says of what hangs, and of what a signal ended.
        match output.status.code() {
            Some(0) => {}
            Some(code @ 1..128) if code != TIMED_OUT => return Ended::Refused,
            _ => {
                print!("rdiff -f {run}: {}: ", output.status);
                return Ended::CrashedOrHung;
            }
        }
    }
    if ground.read("made") == ground.read("new") { Ended::Right } else { Ended::Wrong }
}

/// All damage that is tried: that of the table, and all bits or some.
fn damaged(bytes: &[u8], bits: usize) -> Vec<Vec<u8>> {
    let table = [Damage::Truncate, Damage::Extend, Damage::Flip, Damage::Zero].into_iter();
    let table = table.flat_map(|damage| Place::ALL.map(|place| damage.to(bytes, place))).flatten();
    let flips = (0..bytes.len() * 8).step_by(bits).map(|bit| {
        let mut flipped = bytes.to_vec();
        flipped[bit / 8] ^= 1 << (bit % 8);
        flipped
    });
    table.filter(|damaged| damaged != bytes).chain(flips).collect()
}

#[test]
fn of_the_same_damage_frazil_makes_nothing_wrong_that_is_sealed_and_rdiff_does() {
    let ground = Ground::new();
    let stride = |thorough: usize, otherwise: usize| if is_thorough() { thorough } else { otherwise };
    let signature = ["delta plain.sig new out", "patch old out made"];
    let delta = ["patch old plain.delta made"];
    type Try = fn(&Ground) -> Outcome;
    let sealed: [(&str, &str, Try, usize); 3] = [
        ("signature", "sealed.sig", |ground| level(ground, "sealed.sig", Format::Sealed), stride(1, 997)),
        ("delta", "sealed.delta", |ground| patch(ground, "sealed.delta"), stride(1, 997)),
        ("basis", "old", |ground| patch(ground, "sealed.delta"), stride(13, 1999)),
    ];
    let plain: [(&str, &str, Try, &[&str], usize); 3] = [
        ("signature", "plain.sig", |ground| level(ground, "plain.sig", Format::Rdiff), &signature, stride(1, 997)),
        ("delta", "plain.delta", |ground| patch(ground, "plain.delta"), &delta, stride(1, 997)),
        ("basis", "old", |ground| patch(ground, "plain.delta"), &delta, stride(13, 1999)),
    ];
    let mut tallies = BTreeMap::<_, Tally>::new();
    for (stream, file, run, bits) in sealed {
        let sound = ground.read(file);
        for damaged in damaged(&sound, bits) {
            ground.put(file, Some(&damaged));
            tallies.entry((stream, "frazil, sealed")).or_default().add(run(&ground).into());
        }
        ground.put(file, Some(&sound));
        assert!(matches!(run(&ground), Outcome::Right));
    }
    for (stream, file, run, runs, bits) in plain {
        let sound = ground.read(file);
        for (number, damaged) in damaged(&sound, bits).into_iter().enumerate() {
            ground.put(file, Some(&damaged));
            tallies.entry((stream, "frazil, plain")).or_default().add(run(&ground).into());
            let ended = rdiff(&ground, runs);
            if matches!(ended, Ended::CrashedOrHung) {
                println!("damage {number} of the {stream}, for rdiff");
            }
            tallies.entry((stream, "rdiff")).or_default().add(ended);
        }
        ground.put(file, Some(&sound));
        assert!(matches!(rdiff(&ground, runs), Ended::Right));
    }
    let mut table = format!(
        "\n{:<10} {:<15} {:>9} {:>9} {:>9} {:>9} {:>9}\n",
        "damaged", "by", "damages", "refused", "right", "WRONG", "crashed"
    );
    for ((stream, by), Tally { refused, right, wrong, crashed_or_hung }) in &tallies {
        let all = refused + right + wrong + crashed_or_hung;
        writeln!(table, "{stream:<10} {by:<15} {all:>9} {refused:>9} {right:>9} {wrong:>9} {crashed_or_hung:>9}")
            .unwrap();
        assert!(*wrong == 0 || *by != "frazil, sealed", "{stream}");
        assert!(*crashed_or_hung == 0 || *by == "rdiff", "{stream}");
    }
    println!("{table}");
    let wrong_of = |by| tallies.iter().filter(|((_, who), _)| *who == by).map(|(_, tally)| tally.wrong).sum::<usize>();
    // It is the lack of checksums that makes the difference, so what is plain shows that the damage is such.
    assert!(wrong_of("rdiff") > 0 && wrong_of("frazil, sealed") == 0);
}
