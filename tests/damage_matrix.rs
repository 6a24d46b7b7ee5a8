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

/// A chain that is damaged is no reason why there should be no other.
#[test]
fn beside_whatever_is_damaged_new_levels_are_made_and_restored() {
    let ground = Ground::new();
    let names = ground.names();
    let rows = rows();
    let files: std::collections::BTreeSet<_> = rows.iter().map(|row| &row.file).collect();
    for file in files.into_iter().filter(|file| !file.starts_with("dest/")) {
        let sound = ground.read(file);
        for damage in Damage::ALL {
            let damaged = damage.to(&sound, Place::Middle);
            ground.put(file, damaged.as_deref());
            let run = |command: &str| {
                let output = ground.run(command);
                let said = String::from_utf8_lossy(&output.stderr);
                assert!(output.status.success(), "{file} {damage}, then {command}: {said}");
            };
            let restored_is_live = |levels: &str| {
                run(&format!("restore {levels} new.dest"));
                let (restored, live) = ["new.dest", "tree"].map(|name| look::tree(&ground.path(name))).into();
                assert_eq!(look::differences(&live, &restored), [""; 0], "{file} {damage}: {levels}");
                std::fs::remove_dir_all(ground.path("new.dest")).unwrap();
            };
            run("backup --snapshot new.s0 tree new.a0");
            restored_is_live("new.a0");
            std::fs::write(ground.path("tree/added"), format!("beside {file} {damage}")).unwrap();
            run("backup --since new.s0 --snapshot new.s1 tree new.a1");
            restored_is_live("new.a0 new.a1");
            // On top of the chain too: of that the snapshot is enough, and for a restore its archives.
            if file != "s1" {
                run("backup --since s1 --snapshot new.s2 tree new.a2");
            }
            if !["s1", "a0", "a1.none"].contains(&file.as_str()) {
                restored_is_live("a0 a1.none new.a2");
            }
            if file != "new" {
                run("level --signature-out new.sig new new.level");
                run("patch /dev/null new.level new.made");
                assert!(ground.read("new.made") == ground.read("new"), "{file} {damage}");
            }
            ground.put(file, Some(&sound));
            ground.tidy(&names);
        }
    }
}

#[test]
fn where_the_notes_of_a_restore_are_damaged_it_says_how_to_restore_anew_and_that_does() {
    let ground = Ground::new();
    let rows = rows();
    for row in rows.iter().filter(|row| matches!(&*row.stream, "state" | "journal")) {
        for damage in Damage::ALL {
            ground.stand(row.stands.unwrap());
            let sound = ground.read(&row.file);
            let damaged = damage.to(&sound, Place::Middle);
            if damaged.as_ref() == Some(&sound) {
                continue;
            }
            ground.put(&row.file, damaged.as_deref());
            let failed = ground.run(&row.command);
            let said = String::from_utf8_lossy(&failed.stderr);
            let what = format!("{} {damage}: {said}", row.stream);
            assert_eq!(failed.status.code(), Some(1), "{what}");
            if damage == Damage::Delete && row.stream == "state" {
                // It stands at no level, as far as anybody can tell.
                assert!(said.contains("restore the levels in order, from level 0 up"), "{what}");
            } else {
                assert!(said.contains("(remove dest/.frazil-restore, and restore the levels anew"), "{what}");
            }
            // Without a state there was nothing in it that is worth to be kept.
            let notes = ground.path("dest/.frazil-restore");
            assert_eq!(notes.exists(), damage != Damage::Delete || row.stream != "state", "{what}");
            if notes.exists() {
                std::fs::remove_dir_all(notes).unwrap();
            }
            assert_eq!(ground.status("restore --overwrite a0 a1.none dest"), Some(0), "{what}");
            assert!(look::tree(&ground.path("dest")) == ground.trees[1], "{what}");
        }
    }
}
