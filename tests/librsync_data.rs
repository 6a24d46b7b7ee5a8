//! librsync's own test data, which the crate librsync-sys carries, and its own kinds of test.

#[path = "support/random.rs"]
mod random;

use std::fs;
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use frazil::{
    Engine, Format, LevelOptions, LevelReader, LevelWriter, NoBasis, PatchOptions, PatchReader, PatchWriter, Signature,
    SignatureParams, StrongKind, WeakKind,
};
use random::{Random, seed};

const ENGINES: [Engine; 2] = [Engine::Native, Engine::Librsync];

const SUMS: [(WeakKind, StrongKind); 4] = [
    (WeakKind::Rollsum, StrongKind::Md4),
    (WeakKind::Rollsum, StrongKind::Blake2),
    (WeakKind::RabinKarp, StrongKind::Md4),
    (WeakKind::RabinKarp, StrongKind::Blake2),
];

/// librsync's own choice; its 0, a length left to the library, is here all at once.
const PIECES: [usize; 9] = [0, 1, 2, 3, 7, 15, 100, 10_000, 200_000];

/// The directory of the data, wherever cargo keeps the crate.
fn directory() -> &'static PathBuf {
    static DIRECTORY: OnceLock<PathBuf> = OnceLock::new();
    DIRECTORY.get_or_init(|| {
        let metadata = |more: &[&str]| {
            let mut cargo = Command::new(env!("CARGO"));
            cargo.args(["metadata", "--format-version", "1", "--locked"]).args(more);
            cargo.current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap()
        };
        let mut output = metadata(&["--offline"]);
        if !output.status.success() {
            // Packages for other systems may be missing here.
            output = metadata(&[]);
        }
        assert!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
        let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let packages = metadata["packages"].as_array().unwrap();
        let package = packages.iter().find(|package| package["name"] == "librsync-sys").unwrap();
        PathBuf::from(package["manifest_path"].as_str().unwrap()).with_file_name("librsync/tests")
    })
}

fn shipped(file: &str) -> Vec<u8> {
    let path = directory().join(file);
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every `.in` of a directory, by name.
fn inputs(of: &str) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(directory().join(of)).unwrap();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| name.ends_with(".in"));
    names.sort();
    names.into_iter().map(|name| (name.clone(), shipped(&format!("{of}/{name}")))).collect()
}

/// Gives and takes at most so many bytes at a time.
struct InPieces<T>(T, usize);

impl<R: Read> Read for InPieces<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let len = buffer.len().min(self.1);
        self.0.read(&mut buffer[..len])
    }
}

fn piece_len(piece: usize) -> usize {
    if piece == 0 { usize::MAX } else { piece }
}

/// Feeds in pieces.
fn feed(to: &mut impl Write, content: &[u8], piece: usize) {
    content.chunks(piece_len(piece)).for_each(|piece| to.write_all(piece).unwrap());
}

fn plain(params: SignatureParams, engine: Engine) -> LevelOptions {
    LevelOptions::new().params(params).engine(engine).format(Format::Rdiff).threads(1)
}

/// Signs in pieces, in librsync's format.
fn sign(params: SignatureParams, engine: Engine, content: &[u8], piece: usize) -> Vec<u8> {
    let source = InPieces(content, piece_len(piece));
    let signature = LevelReader::new(source, None, plain(params, engine)).unwrap().finish().unwrap();
    signature.write_to(Vec::new(), Format::Rdiff).unwrap()
}

/// Signature, delta and patch, with every buffer of the same length, pulled and pushed.
fn check_round_trip(params: SignatureParams, engine: Engine, old: &[u8], new: &[u8], piece: usize, name: &str) {
    let signature = sign(params, engine, old, piece);
    let signature = Signature::read_from(InPieces(&signature[..], piece_len(piece))).unwrap();

    let source = InPieces(new, piece_len(piece));
    let level = LevelReader::new(source, &signature, plain(params, engine)).unwrap();
    let mut delta = Vec::new();
    InPieces(level, piece_len(piece)).read_to_end(&mut delta).unwrap();
    let mut level = LevelWriter::new(Vec::new(), &signature, plain(params, engine)).unwrap();
    feed(&mut level, new, piece);
    assert!(level.finish().unwrap().0 == delta, "{name}: pushed and pulled deltas differ");

    let options = || PatchOptions::new().threads(1);
    let patch = PatchReader::new(InPieces(&delta[..], piece_len(piece)), old, options()).unwrap();
    let mut out = Vec::new();
    InPieces(patch, piece_len(piece)).read_to_end(&mut out).unwrap();
    assert!(out == new, "{name}: pulled");
    let mut patch = PatchWriter::new(Vec::new(), old, options()).unwrap();
    feed(&mut patch, &delta, piece);
    assert!(patch.finish().unwrap().0 == new, "{name}: pushed");
}

#[test]
fn both_engines_make_the_shipped_signatures() {
    let content = shipped("signature.input/01.in");
    let names = ["rollsum-md4", "rollsum-blake2", "rabinkarp-md4", "rabinkarp-blake2"];
    for ((weak, strong), name) in SUMS.into_iter().zip(names) {
        let known = shipped(&format!("signature.input/{name}/01.sig"));
        let params = *Signature::read_from(&known[..]).unwrap().params();
        assert_eq!((params.weak(), params.strong(), params.block_len()), (weak, strong, 2048));
        for engine in ENGINES {
            for piece in PIECES {
                assert!(sign(params, engine, &content, piece) == known, "{name}, {engine:?}, pieces of {piece}");
            }
        }
    }
}

#[test]
fn the_shipped_deltas_make_what_is_expected_of_them() {
    for number in ["01", "02", "03"] {
        let delta = shipped(&format!("delta.input/{number}.delta"));
        let expected = shipped(&format!("delta.input/{number}.expect"));
        for piece in PIECES {
            let name = format!("delta {number}, pieces of {piece}");
            let source = InPieces(&delta[..], piece_len(piece));
            let mut out = Vec::new();
            PatchReader::new(source, NoBasis, PatchOptions::new()).unwrap().read_to_end(&mut out).unwrap();
            assert!(out == expected, "{name}, pulled");
            let mut patch = PatchWriter::new(Vec::new(), NoBasis, PatchOptions::new()).unwrap();
            feed(&mut patch, &delta, piece);
            assert!(patch.finish().unwrap().0 == expected, "{name}, pushed");
        }
    }
}

/// librsync's `changes.test` and `triple.test`: each input against each, with each length of buffer.
#[test]
fn each_shipped_input_becomes_each_other() {
    let mut pairs = 0;
    for of in ["changes.input", "triple.input"] {
        let inputs = inputs(of);
        assert!(inputs.len() >= 4, "{of}");
        for (old_name, old) in &inputs {
            for (new_name, new) in &inputs {
                for (turn, (weak, strong)) in SUMS.into_iter().enumerate() {
                    let params = SignatureParams::new(weak, strong, [2048, 100, 333, 512][turn], 16).unwrap();
                    for engine in ENGINES {
                        for piece in PIECES {
                            let name = format!("{of}: {old_name} -> {new_name}, {params:?}, {engine:?}, {piece}");
                            check_round_trip(params, engine, old, new, piece, &name);
                            pairs += 1;
                        }
                    }
                }
            }
        }
    }
    println!("{pairs} round trips");
}

/// librsync's `mutate.pl`: one to five copies over other places, copies in between, or deletions.
fn mutate(random: &mut Random, content: &[u8]) -> Vec<u8> {
    let mut content = content.to_vec();
    for _ in 0..1 + random.below(5) {
        let len = content.len();
        let from = random.below(len);
        let from_len = random.small(len).min(len - from);
        let to = random.below(len);
        let to_len = random.small(len).min(len - to);
        let copy = content[from..from + from_len].to_vec();
        match random.below(3) {
            0 => drop(content.splice(to..to + to_len, copy)),
            1 => drop(content.splice(to..to, copy)),
            _ => drop(content.drain(to..to + to_len)),
        }
    }
    content
}

/// librsync's `mutate.test`, on the same kind of input: its tests' sources.
#[test]
fn a_hundred_mutations_of_source_code_go_round() {
    let mut old = Vec::new();
    for file in ["checksum_test.c", "hashtable_test.c", "netint_test.c", "rollsum_test.c", "sumset_test.c"] {
        old.extend(shipped(file));
    }
    let first = seed(1);
    for seed in first..first + 100 {
        let mut random = Random::new(seed);
        let new = mutate(&mut random, &old);
        for (weak, strong) in SUMS {
            let params = SignatureParams::new(weak, strong, random.pick(&[64, 256, 500, 2048]), 16).unwrap();
            for engine in ENGINES {
                check_round_trip(params, engine, &old, &new, 0, &format!("{params:?}, {engine:?}"));
            }
        }
    }
}
