//! Every kind of damage to every kind of stream, in every place, and what is done with it next: how each ends is in
//! `damage_matrix/expected.txt`, which `BLESS=1` writes anew. Whatever that is, nothing wrong is made of what has
//! checksums and said to be right, nothing is changed by what is refused, and what is sound works afterwards.
//!
//! With `FRAZIL_THOROUGH=1` the command too is given everything, every bit is flipped of what is small, and one in
//! 4,096 of what is large; that takes minutes.

#[path = "support/content.rs"]
mod content;
#[path = "damage_matrix/damage.rs"]
mod damage;
#[path = "damage_matrix/flips.rs"]
mod flips;
#[path = "damage_matrix/ground.rs"]
mod ground;
#[path = "support/look.rs"]
mod look;
#[path = "damage_matrix/operations.rs"]
mod operations;
#[path = "damage_matrix/peers.rs"]
mod peers;

use std::fmt::Write as _;
use std::path::Path;

use damage::{Damage, Place};
use ground::{BEFORE, Ground};
use operations::{Outcome, Row, rows};

fn is_thorough() -> bool {
    std::env::var_os("FRAZIL_THOROUGH").is_some()
}

/// Damages what a row is about, does what it says, and gives how that ends.
fn outcome(ground: &Ground, row: &Row, damage: Damage, place: Place) -> Outcome {
    let stand = || row.stands.map(|state| ground.stand(state));
    stand();
    let sound = ground.read(&row.file);
    let damaged = damage.to(&sound, place);
    if damaged.as_ref() == Some(&sound) {
        return Outcome::Unchanged;
    }
    let what = format!("{}, {}, {damage} {place:?}", row.stream, row.operation);
    ground.put(&row.file, damaged.as_deref());
    let names = ground.names();
    let outcome = (row.run)(ground);
    assert!(outcome != Outcome::Wrong || row.has_no_checksums(), "{what}: wrong, and said to be right");
    assert_eq!(ground.read("target"), BEFORE, "{what}");
    assert_eq!(ground.names(), names, "{what}: something is left");
    if !row.command.is_empty() && (is_thorough() || damage == Damage::Flip && place == Place::Middle) {
        if stand().is_some() && row.file.starts_with("dest/") {
            ground.put(&row.file, damaged.as_deref());
        }
        let statuses = row.command.split("; ").map(|command| ground.status(command));
        let status = statuses.reduce(|first, next| if first == Some(0) { next } else { first }).flatten();
        let expected = match outcome {
            // A tree that differs is a problem of the tree, not of the run.
            Outcome::Refused(_) if row.operation == "and verify" => 3,
            Outcome::Refused(_) | Outcome::Damaged => 1,
            Outcome::Partial => 3,
            _ => 0,
        };
        assert_eq!(status, Some(expected), "{what}: {outcome}, frazil {}", row.command);
        assert!(outcome == Outcome::Right || ground.read("target") == BEFORE || row.has_no_checksums(), "{what}");
        ground.tidy(&names);
    }
    if !row.file.starts_with("dest/") {
        ground.put(&row.file, Some(&sound));
    }
    outcome
}

#[test]
fn every_damage_is_met_as_the_table_says() {
    let ground = Ground::new();
    let mut table = format!("{:<18} {:<17} {:<9}", "stream", "operation", "damage");
    Place::ALL.iter().for_each(|place| write!(table, " {:<11}", format!("{place:?}")).unwrap());
    let mut tally = std::collections::BTreeMap::new();
    for row in rows() {
        for damage in Damage::ALL {
            let places = if damage == Damage::Delete { &Place::ALL[..1] } else { &Place::ALL };
            write!(table, "\n{:<18} {:<17} {damage:<9}", row.stream, row.operation).unwrap();
            for place in places {
                let outcome = outcome(&ground, &row, damage, *place);
                write!(table, " {outcome:<11}").unwrap();
                *tally.entry(outcome.to_string()).or_insert(0) += 1;
            }
        }
        row.stands.map(|state| ground.stand(state));
        let sound = (row.run)(&ground);
        assert!(matches!(sound, Outcome::Right | Outcome::Passed), "{}, {}: {sound}", row.stream, row.operation);
    }
    let table: String = table.lines().map(|line| format!("{}\n", line.trim_end())).collect();
    println!("{tally:?}");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/damage_matrix/expected.txt");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, &table).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    let differing: Vec<_> = table.lines().filter(|line| !expected.lines().any(|other| other == *line)).collect();
    assert!(table == expected, "not as expected.txt has it; BLESS=1 writes it anew:\n{}", differing.join("\n"));
}
