//! What `docs/reliability.md` promises: every test that it names is there, and what no other suite tries.

#[path = "support/content.rs"]
mod content;

use std::fs;
use std::io::{self, Read, Write};
use std::path::Path;

use content::{level, noise, options};
use frazil::{
    Chain, Error, ErrorKind, Format, LevelOptions, LevelReader, NoBasis, PatchOptions, PatchReader, PatchWriter,
    Signature, patch_file,
};

const BLOCK_LEN: u32 = 1024;

/// The words of a page that are in backquotes.
fn quoted(page: &str) -> impl Iterator<Item = &str> {
    page.split('`').skip(1).step_by(2)
}

/// Whether a file of tests has one of this name that is run.
fn is_run(file: &str, name: &str) -> bool {
    let Some((before, _)) = file.split_once(&format!("fn {name}(")) else { return false };
    let attributes: Vec<_> = before
        .lines()
        .rev()
        .skip_while(|line| line.trim().is_empty())
        .take_while(|line| line.trim().starts_with("#["))
        .collect();
    let has = |start: &str| attributes.iter().any(|line| line.trim().starts_with(start));
    has("#[test]") && !has("#[ignore")
}

/// Each fault is a row of the table, and its last cell has the tests.
#[test]
fn every_fault_has_a_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("docs/reliability.md")).unwrap();
    let table = page.lines().skip_while(|line| !line.starts_with("| fault |")).skip(2);
    let mut faults = 0;
    for row in table.take_while(|line| line.starts_with('|')) {
        let (mut file, mut tests) = (String::new(), 0);
        for word in quoted(row.trim_end_matches(" |").rsplit(" | ").next().unwrap()) {
            if word.ends_with(".rs") {
                file = fs::read_to_string(root.join(word)).unwrap_or_else(|error| panic!("{word}: {error}"));
            } else {
                assert!(is_run(&file, word), "no test {word} is run");
                tests += 1;
            }
        }
        assert!(tests > 0, "{row}");
        faults += 1;
    }
    assert!(faults >= 24, "{faults} faults");
}

#[test]
fn every_test_that_the_page_names_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("docs/reliability.md")).unwrap();
    // A test is named behind the file that it is in.
    let (mut file, mut named) = (String::new(), 0);
    for word in quoted(&page) {
        if word.ends_with(".rs") {
            file = fs::read_to_string(root.join(word)).unwrap_or_else(|error| panic!("{word}: {error}"));
        } else if word.matches('_').count() >= 3
            && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_' || byte.is_ascii_digit())
        {
            assert!(is_run(&file, word), "no test {word} is run");
            named += 1;
        }
    }
    assert!(named >= 50, "{named} tests are named");
}

#[test]
fn anything_behind_the_end_of_a_delta_is_refused() {
    let content = noise(5000, 1);
    for format in [Format::Sealed, Format::Rdiff] {
        let (mut stream, _) = level(&content, None, options(BLOCK_LEN).format(format));
        let end = stream.len() as u64;
        stream.extend(b"more");
        let mut pulled = PatchReader::new(&stream[..], NoBasis, PatchOptions::new()).unwrap();
        let mut pushed = PatchWriter::new(io::sink(), NoBasis, PatchOptions::new()).unwrap();
        let pushed = pushed.write_all(&stream).map_err(Error::from).and_then(|()| pushed.finish().map(drop));
        let chained = Chain::new(NoBasis, vec![&stream], PatchOptions::new())
            .and_then(|mut chain| Ok(chain.read_to_end(&mut Vec::new())?));
        let errors =
            [Error::from(pulled.read_to_end(&mut Vec::new()).unwrap_err()), pushed.unwrap_err(), chained.unwrap_err()];
        for error in errors {
            assert_eq!((error.kind(), error.offset()), (ErrorKind::Corrupt, Some(end)), "{format:?}: {error}");
        }
    }
}

#[test]
fn a_match_that_was_false_is_found_out_before_anything_is_published() {
    let (old, new) = (noise(20_000, 2), noise(20_000, 3));
    let (_, of_new) = level(&new, None, options(BLOCK_LEN));
    // A plain signature of the one, given as that of the other: as if all sums of the two were equal. A sealed one
    // cannot say that, since its fingerprint is made of its sums.
    let lying = Signature::read_from(&of_new.write_to(Vec::new(), Format::Rdiff).unwrap()[..]).unwrap();
    let (stream, _) = level(&new, Some(&lying), options(BLOCK_LEN));
    assert!(stream.len() < 1000, "all is copied");

    let dir = tempfile::tempdir().unwrap();
    let [basis, target] = ["basis", "target"].map(|name| dir.path().join(name));
    fs::write(&basis, &old).unwrap();
    for there in [false, true] {
        if there {
            fs::write(&target, "what was there").unwrap();
        }
        let options = PatchOptions::new().replace(there);
        let error = patch_file(Some(&basis), &stream[..], &target, options).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Mismatch, "{error}");
        assert_eq!(fs::read(&target).ok(), there.then(|| b"what was there".to_vec()));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1 + usize::from(there), "nothing else is left");
    }
}

#[test]
fn a_source_that_shrinks_or_grows_while_it_is_read_is_as_long_as_what_was_read() {
    const LEN: u64 = 6 << 20;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("source");
    for (becomes, lengths) in [(3 << 20, 3 << 20..=3 << 20), (0, 1 << 20..=LEN - 1), (LEN + 5000, LEN..=LEN)] {
        let content = noise(LEN as usize, 4);
        fs::write(&path, &content).unwrap();
        let mut reader = LevelReader::open(&path, None, LevelOptions::new().threads(1)).unwrap();
        let mut stream = vec![0; 1 << 20];
        reader.read_exact(&mut stream).unwrap();
        fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(becomes).unwrap();
        reader.read_to_end(&mut stream).unwrap();
        let summary = reader.finish_summary().unwrap();
        assert!(summary.dirty, "becomes {becomes}");
        let read = summary.stats.source_bytes;
        assert!(lengths.contains(&read), "becomes {becomes}: {read}");
        let mut restored = Vec::new();
        let mut patch = PatchReader::new(&stream[..], NoBasis, PatchOptions::new()).unwrap();
        patch.read_to_end(&mut restored).unwrap();
        assert!(patch.finish().unwrap().dirty);
        assert_eq!(restored.len() as u64, read);
        assert!(content.starts_with(&restored), "nothing but what was read, and no zeros in its place");
    }
}
