//! The fuzz targets without a fuzzer: each runs over its seeds, over all that it once failed on, and over random
//! changes of both, which `FRAZIL_FUZZ` is the number of. `make fuzz` looks further, led by coverage and under a
//! sanitizer; what it finds goes to `fuzz/regressions/TARGET/` once it is repaired, and is tried here from then on.
#![allow(
    unused_attributes,
    unused_imports,
    unreachable_pub,
    unsafe_code,
    reason = "the targets are of another package"
)]
#![allow(
    clippy::duplicate_mod,
    clippy::multiple_unsafe_ops_per_block,
    clippy::undocumented_unsafe_blocks,
    reason = "and each of them is a program of its own"
)]

#[path = "support/random.rs"]
mod random;
#[path = "../fuzz/src/lib.rs"]
mod shared;

// The targets are programs of that crate, over libFuzzer.
extern crate self as frazil_fuzz;
extern crate self as libfuzzer_sys;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use random::{Content, Edit, Random};
use shared::*;

/// Longer than any input takes that is worth keeping.
const TIME_MAX: Duration = Duration::from_secs(20);

/// Seeds and words of all targets together.
const BYTES_MAX: u64 = 200 * 1024;

macro_rules! targets {
    ($($target:ident in $path:literal,)*) => {
        $(
            #[path = $path]
            mod $target;
        )*

        const TARGETS: &[&str] = &[$(stringify!($target)),*];

        mod holds {
            $(
                #[test]
                fn $target() {
                    super::run(stringify!($target), super::$target::run);
                }
            )*
        }
    };
}

targets! {
    archive in "../fuzz/fuzz_targets/archive.rs",
    c_abi in "../fuzz/fuzz_targets/c_abi.rs",
    c_readers in "../fuzz/fuzz_targets/c_readers.rs",
    chain in "../fuzz/fuzz_targets/chain.rs",
    compare in "../fuzz/fuzz_targets/compare.rs",
    delta in "../fuzz/fuzz_targets/delta.rs",
    in_place in "../fuzz/fuzz_targets/in_place.rs",
    librsync in "../fuzz/fuzz_targets/librsync.rs",
    restore in "../fuzz/fuzz_targets/restore.rs",
    round_trip in "../fuzz/fuzz_targets/round_trip.rs",
    sealed in "../fuzz/fuzz_targets/sealed.rs",
    show in "../fuzz/fuzz_targets/show.rs",
    signature in "../fuzz/fuzz_targets/signature.rs",
    snapshot in "../fuzz/fuzz_targets/snapshot.rs",
}

macro_rules! fuzz_target {
    (|$data:ident: &[u8]| $body:block) => {
        pub(crate) fn run($data: &[u8]) $body
    };
}
use fuzz_target;

fn at(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz").join(path)
}

fn names(dir: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(at(dir)).into_iter().flatten();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// The files of a target in a directory, by name; none if there is no such directory.
fn inputs(of: &str, target: &str) -> Vec<Vec<u8>> {
    let dir = format!("{of}/{target}");
    names(&dir).iter().map(|name| fs::read(at(&dir).join(name)).unwrap()).collect()
}

/// The words of a target's dictionary, which has libFuzzer's syntax.
fn words(target: &str) -> Vec<Vec<u8>> {
    let Ok(dictionary) = fs::read_to_string(at(&format!("dictionaries/{target}.dict"))) else { return Vec::new() };
    let lines = dictionary.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| word(line).unwrap_or_else(|| panic!("{target}.dict: {line}"))).collect()
}

/// The bytes of `name="escaped"`.
fn word(line: &str) -> Option<Vec<u8>> {
    let (name, quoted) = line.split_once('=')?;
    if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return None;
    }
    let mut left = quoted.strip_prefix('"')?.strip_suffix('"')?.bytes();
    let mut word = Vec::new();
    while let Some(byte) = left.next() {
        word.push(match byte {
            b'\\' => match left.next()? {
                b'x' => {
                    let digits = [left.next()?, left.next()?];
                    u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
                }
                byte @ (b'\\' | b'"') => byte,
                _ => return None,
            },
            b'"' => return None,
            byte => byte,
        });
    }
    (!word.is_empty()).then_some(word)
}

/// An input that is being tried; if that fails, it is written where `cargo fuzz` puts such inputs.
struct Trying<'a> {
    target: &'a str,
    input: &'a [u8],
}

impl Drop for Trying<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let dir = at("artifacts").join(self.target);
            let path = dir.join(format!("failed-{:08x}", crc32fast::hash(self.input)));
            let written = fs::create_dir_all(&dir).and_then(|()| fs::write(&path, self.input));
            eprintln!("the input that failed, of {} bytes, is in {}: {written:?}", self.input.len(), path.display());
        }
    }
}

fn try_one(target: &str, run: fn(&[u8]), input: &[u8]) {
    let _trying = Trying { target, input };
    let begun = Instant::now();
    run(input);
    let took = begun.elapsed();
    assert!(took < TIME_MAX, "took {took:?}");
}

/// One of the inputs with some changes: pieces of it edited, words put in, the end of another behind its beginning.
fn changed(inputs: &[Vec<u8>], words: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut input = inputs[random.below(inputs.len())].clone();
    // A length far from that of the seeds shows little and takes long.
    let longest = 4096.max(2 * input.len());
    for _ in 0..1 + random.small(5) {
        match random.below(4) {
            0 if !words.is_empty() => {
                let word = &words[random.below(words.len())];
                let start = random.below(input.len() + 1);
                let replaced = if random.below(2) == 0 { 0 } else { word.len().min(input.len() - start) };
                input.splice(start..start + replaced, word.iter().copied());
            }
            1 => {
                let other = &inputs[random.below(inputs.len())];
                input.truncate(random.below(input.len() + 1));
                input.extend_from_slice(&other[random.below(other.len() + 1)..]);
            }
            _ => random.pick(&Edit::ALL).apply(random, Content::Random, &mut input),
        }
    }
    input.truncate(longest);
    input
}

fn run(target: &str, run: fn(&[u8])) {
    let (seeds, failed, words) = (inputs("seeds", target), inputs("regressions", target), words(target));
    assert!(!seeds.is_empty(), "fuzz/seeds has none for it");
    for input in seeds.iter().chain(&failed).chain([&Vec::new()]) {
        try_one(target, run, input);
    }
    let wanted: u64 = std::env::var("FRAZIL_FUZZ").map_or(200, |number| number.parse().expect("a number"));
    let first = random::seed(1);
    let known = [seeds, failed].concat();
    for seed in first..first + wanted {
        let mut random = Random::new(seed);
        let input = changed(&known, &words, &mut random);
        try_one(target, run, &input);
    }
    println!("{target}: {} known inputs and {wanted} changed ones from seed {first} on", known.len() + 1);
}

#[test]
fn every_target_is_here_and_everything_else_belongs_to_one() {
    let targets: BTreeSet<String> = TARGETS.iter().map(|&target| target.to_owned()).collect();
    let sources = names("fuzz_targets");
    assert_eq!(sources, targets.iter().map(|target| format!("{target}.rs")).collect());
    assert_eq!(names("seeds"), targets);
    let stray = |dir: &str, suffix: &str| -> Vec<String> {
        let is_known = |name: &String| name.strip_suffix(suffix).is_some_and(|target| targets.contains(target));
        names(dir).into_iter().filter(|name| !is_known(name)).collect()
    };
    assert_eq!(stray("dictionaries", ".dict"), [""; 0]);
    assert_eq!(stray("regressions", ""), [""; 0]);

    // `make fuzz` runs each, and cargo-fuzz builds each.
    let script = fs::read_to_string(at("../scripts/fuzz")).unwrap();
    let (_, list) = script.split_once("|| targets=(").expect("the script has a list");
    let (list, _) = list.split_once(')').expect("the list ends");
    assert_eq!(list.split_whitespace().map(str::to_owned).collect::<BTreeSet<String>>(), targets);
    let manifest = fs::read_to_string(at("Cargo.toml")).unwrap();
    for target in &targets {
        assert!(manifest.contains(&format!("path = \"fuzz_targets/{target}.rs\"")), "fuzz/Cargo.toml has no {target}");
    }
}

#[test]
fn seeds_and_words_are_small() {
    let mut bytes = 0;
    for target in TARGETS {
        assert!(words(target).len() <= 64, "{target}.dict is long");
        bytes += inputs("seeds", target).iter().chain(&words(target)).map(|input| input.len() as u64).sum::<u64>();
    }
    assert!(bytes < BYTES_MAX, "{bytes} bytes");
}

#[test]
fn a_word_is_read_as_libfuzzer_reads_it() {
    assert_eq!(word(r#"magic="rs\x026""#), Some(b"rs\x026".to_vec()));
    assert_eq!(word(r#"quote="\"\\""#), Some(b"\"\\".to_vec()));
    for wrong in [r#"magic"#, r#"magic="rs"#, r#"magic="\n""#, r#"magic="\x2""#, r#"magic="""#, r#"="x""#, r#"a b="x""#]
    {
        assert_eq!(word(wrong), None, "{wrong}");
    }
}

/// What a change can do has to be done, or the changes would be none.
#[test]
fn changes_reach_words_and_other_inputs() {
    let inputs = [vec![b'a'; 100], vec![b'b'; 100]];
    let words = [b"word".to_vec()];
    let made: Vec<Vec<u8>> = (0..200).map(|seed| changed(&inputs, &words, &mut Random::new(seed))).collect();
    assert!(made.iter().any(|input| input.windows(4).any(|window| window == b"word")));
    assert!(made.iter().any(|input| input.contains(&b'a') && input.contains(&b'b')));
    assert!(made.iter().collect::<BTreeSet<_>>().len() > 150);
}
