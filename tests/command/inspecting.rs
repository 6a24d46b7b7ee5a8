//! `frazil compare` and `frazil show`.

use crate::ground::{DONE, FAILED, Ground, states};

const BLOCK_LEN: u64 = 4096;

/// (kind, offset, length, from) of each range.
fn ranges(json: &serde_json::Value) -> Vec<(String, u64, u64, Option<u64>)> {
    let number = |range: &serde_json::Value, key: &str| range[key].as_u64();
    let range = |range: &serde_json::Value| {
        let kind = range["kind"].as_str().unwrap().to_owned();
        (kind, number(range, "offset").unwrap(), number(range, "len").unwrap(), number(range, "from"))
    };
    json["ranges"].as_array().unwrap().iter().map(range).collect()
}

#[test]
fn ranges_say_what_is_the_same_moved_and_changed() {
    let ground = Ground::with_levels();
    let [mut content, ..] = states();
    // Blocks 2 and 3 go before the first, and block 10 is new.
    let moved: Vec<u8> = content.drain(2 * 4096..4 * 4096).collect();
    content.splice(0..0, moved);
    content[10 * 4096] ^= 1;
    ground.write("new", &content);
    ground.run("signature -q --block-size 4K new new.sig").expect(DONE);

    let block = |kind: &str, at: u64, blocks: u64, from: Option<u64>| {
        (kind.to_owned(), at * BLOCK_LEN, blocks * BLOCK_LEN, from.map(|from| from * BLOCK_LEN))
    };
    let mut expected = vec![
        block("moved", 0, 2, Some(2)),
        block("moved", 2, 2, Some(0)),
        block("same", 4, 6, Some(4)),
        block("changed", 10, 1, None),
        block("same", 11, 0, Some(11)),
    ];
    expected[4].2 = 300_000 - 11 * BLOCK_LEN;
    for arguments in ["compare --json sig.0 new.sig", "compare --json --data sig.0 new"] {
        let json = ground.run(arguments).expect(DONE).json();
        assert_eq!(ranges(&json), expected, "{arguments}");
        let totals = &json["totals"];
        assert_eq!((&totals["changed_bytes"], &totals["total_bytes"]), (&4096.into(), &300_000.into()));
        assert_eq!((&totals["moved_bytes"], &totals["same_bytes"]), (&16_384.into(), &279_520.into()));
    }

    let said = ground.run("compare sig.0 new.sig").expect(DONE);
    let table: Vec<Vec<&str>> = said.text().lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(table[0], ["kind", "offset", "length", "from"]);
    assert_eq!(table[1], ["moved", "0", "8192", "8192"]);
    assert_eq!(table[4], ["changed", "40960", "4096", "-"]);
    let totals = said.text().lines().last().unwrap();
    assert!(totals.ends_with("16.00 KiB (5.5 %) moved, 4.00 KiB (1.4 %) changed"), "{totals}");
    assert_eq!(said.stderr, "");
}

#[test]
fn signatures_that_do_not_fit_are_compared_in_their_files() {
    let ground = Ground::new();
    ground.run("signature -q --block-size 1 source.0 old").expect(DONE);
    ground.run("signature -q --block-size 1 source.1 new").expect(DONE);
    let said = ground.run("compare --json --memory 1M old new").expect(DONE);
    assert!(said.stderr.contains("do not fit in --memory"), "{}", said.stderr);
    let totals = &said.json()["totals"];
    assert_eq!((&totals["moved_bytes"], &totals["total_bytes"]), (&0.into(), &300_000.into()));
    let said = ground.run("compare --data --memory 1M old source.1").expect(FAILED);
    assert!(said.stderr.contains("raise --memory"), "{}", said.stderr);
}

#[test]
fn no_content_has_no_ranges() {
    let ground = Ground::new();
    ground.write("empty", b"");
    ground.run("signature -q empty sig").expect(DONE);
    let json = ground.run("compare --json --data sig empty").expect(DONE).json();
    assert_eq!((ranges(&json).len(), &json["totals"]["total_bytes"]), (0, &0.into()));
    assert!(ground.run("compare sig sig").expect(DONE).text().contains("0 B in 0 ranges: 0 B (-) same"));
}

#[test]
fn a_stream_says_what_it_is() {
    let ground = Ground::with_levels();
    ground.run("delta -q --format rdiff sig.0 source.1 plain.delta").expect(DONE);
    ground.run("signature -q --format rdiff source.0 plain.sig").expect(DONE);
    let sig = ground.run("show --json sig.0").expect(DONE).json();
    let table = [
        ("level.0", vec!["a sealed delta, format version 1", "nothing: this is a level 0", "every check holds"]),
        (
            "level.1",
            vec!["stream id", "blocks of 4096 bytes", "CRC32", sig["identity"]["fingerprint"].as_str().unwrap()],
        ),
        ("level.2", vec!["in 1 run\n", "(500000 bytes)"]),
        ("sig.0", vec!["a sealed signature", "rabinkarp, blake2 of 32 bytes", "74 of 4096 bytes", "every check holds"]),
        ("plain.delta", vec!["a plain delta", "unverified", "300000 bytes", "no checks"]),
        ("plain.sig", vec!["a plain signature in librsync's format", "5 of 65536 bytes", "no checks"]),
    ];
    for (name, parts) in table {
        let said = ground.run(&format!("show {name}")).expect(DONE);
        for part in parts {
            assert!(said.text().contains(part), "{name}: {part} in {}", said.text());
        }
        assert_eq!(said.stderr, "", "{name}");
    }
    let level = ground.run("show --json level.1").expect(DONE).json();
    assert_eq!(
        level["basis"],
        serde_json::json!({
            "length": 300_000,
            "fingerprint": sig["identity"]["fingerprint"],
            "leaf_len": 4096,
        })
    );
    assert_eq!(level["commands"]["target_bytes"], 300_000);
    assert_eq!(level["stream_bytes"], ground.read("level.1").len());
    let damage = (&level["damage"], &level["dirty"], &level["weak"]);
    assert_eq!(damage, (&serde_json::Value::Null, &false.into(), &false.into()));
}

#[test]
fn a_damaged_stream_is_shown_as_far_as_it_goes_and_fails() {
    let ground = Ground::with_levels();
    let mut level = ground.read("level.1");
    *level.last_mut().unwrap() ^= 1;
    ground.write("damaged", &level);
    let said = ground.run("show damaged").expect(FAILED);
    assert!(said.text().contains("stream id") && said.text().contains("DAMAGED: "), "{}", said.text());
    assert!(said.stderr.starts_with("frazil: damaged: reading a delta at offset "), "{}", said.stderr);
    let said = ground.run("show --json damaged").expect(FAILED);
    assert!(said.json()["damage"].as_str().unwrap().contains("frame checksum does not match"));
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let ground = Ground::with_levels();
    ground.run("signature -q --block-size 1 source.0 old").expect(DONE);
    ground.run("signature -q --block-size 1 source.3 new").expect(DONE);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = ground.command("compare old new").stdout(writer).output().unwrap();
    assert_eq!((output.status.code(), output.stderr), (Some(DONE), vec![]));
}
