//! What bindings cost beside Rust, in what no other work of the machine changes: instructions, as Valgrind counts
//! them, and bytes that are copied.

#[path = "support/c.rs"]
mod c;
#[path = "support/content.rs"]
#[allow(dead_code, reason = "random bytes are needed alone")]
mod content;
#[path = "../benches/bindings/pull_level.rs"]
#[allow(dead_code, reason = "its arguments come by the environment")]
mod pull_level;

use std::fs;
use std::path::Path;
use std::process::Command;

use c::{Bench, C99, ROOT, is_there, library_dir};
use content::noise;
use frazil::{Format, gen_sig_from_file};

const CONTENT_LEN: usize = 8 << 20;

/// The arguments of the program in Rust, which is this one.
const ARGUMENTS: &str = "FRAZIL_PULL_LEVEL";

#[test]
#[ignore = "is what the others run"]
fn the_program_in_rust() {
    // There are none where all that is ignored is run.
    let Ok(arguments) = std::env::var(ARGUMENTS) else { return };
    pull_level::pull(arguments.split(' ').map(Into::into)).unwrap();
}

/// A binding, bytes in a piece, and what it costs at most, Rust being 1.
const BINDINGS: [(&str, usize, f64); 2] = [("C", 64 << 10, 1.03), ("Python", 1 << 20, 1.05)];

/// What is pulled, and what takes the same start and end with nothing pulled in between.
type Level = (&'static str, &'static str);
const ALL_NEW: Level = ("content", "empty");
const UNCHANGED: Level = ("content signature", "empty signature");

/// Programs that do the same in several languages, and files.
struct Programs {
    bench: Bench,
    ground: tempfile::TempDir,
    python: String,
}

impl Programs {
    fn new() -> Self {
        let ground = tempfile::tempdir().unwrap();
        let at = |name| ground.path().join(name);
        fs::write(at("empty"), "").unwrap();
        fs::write(at("content"), noise(CONTENT_LEN, 1)).unwrap();
        let signature = gen_sig_from_file(at("content"), None).unwrap().finish().unwrap();
        signature.save(at("signature"), Format::Sealed).unwrap();
        let bench = Bench::new();
        bench.compile("cc", &Path::new(ROOT).join("benches/bindings/pull_level.c"), &C99, &["-O2"]);
        // What is found first may be a script that looks for it.
        let python = c::output_of(Command::new("python3").args(["-c", "import sys; print(sys.executable)"]));
        Self { bench, ground, python: python.trim().to_owned() }
    }

    /// Prepares to pull a level in a language, with these words before the command.
    fn command(&self, before: &[&str], language: &str, piece_len: usize, level: &str) -> Command {
        let arguments = format!("{piece_len} {level}");
        let program = match language {
            "C" => vec![self.bench.dir.path().join("program")],
            "Python" => vec![self.python.clone().into(), Path::new(ROOT).join("benches/bindings/pull_level.py")],
            _ => vec![std::env::current_exe().unwrap()],
        };
        let mut command = Command::new("env");
        command.args(before).args(program).current_dir(self.ground.path());
        match language {
            "Rust" => command.args(["--exact", "--ignored", "the_program_in_rust"]).env(ARGUMENTS, arguments),
            _ => command.args(arguments.split(' ')),
        };
        command.env("LD_LIBRARY_PATH", self.bench.dir.path());
        command.env("FRAZIL_LIBRARY", library_dir().join("libfrazil.so"));
        command.env("PYTHONPATH", Path::new(ROOT).join("bindings/python/src"));
        // What it makes of its own sources is made each time, and its tables are the same each time.
        command.env("PYTHONDONTWRITEBYTECODE", "1").env("PYTHONHASHSEED", "0");
        command
    }

    /// Holds every binding to what it may cost beside Rust, as `count` measures a language, a piece and a level.
    fn compare(&self, what: &str, levels: &[Level], count: impl Fn(&str, usize, &str) -> u64) {
        for &(level, nothing) in levels {
            for (language, piece_len, limit) in BINDINGS {
                let [cost, of_rust] = [language, "Rust"]
                    .map(|language| count(language, piece_len, level) - count(language, piece_len, nothing));
                println!("{language}, {level}: {cost} {what}, in Rust {of_rust}");
                assert!(
                    cost as f64 <= of_rust as f64 * limit,
                    "{language} takes {cost} {what} for {level}, and Rust {of_rust}"
                );
            }
        }
    }
}

#[test]
fn a_level_takes_hardly_more_instructions_through_a_binding_than_in_rust() {
    if !["cc", "python3", "valgrind"].into_iter().all(is_there) {
        return;
    }
    let programs = Programs::new();
    let valgrind = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"];
    programs.compare("instructions", &[ALL_NEW, UNCHANGED], |language, piece_len, level| {
        let output = programs.command(&valgrind, language, piece_len, level).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{said}");
        let collected = said.lines().find_map(|line| line.split_once("Collected : ")).expect("what was collected");
        collected.1.parse().unwrap()
    });
}

#[test]
fn a_binding_copies_hardly_a_byte_that_rust_does_not_copy() {
    if !["cc", "python3"].into_iter().all(is_there) {
        return;
    }
    let programs = Programs::new();
    let counter = programs.ground.path().join("copied.so");
    let mut cc = programs.bench.strict("cc", &C99, &["-O2", "-fPIC", "-shared"]);
    c::output_of(cc.arg(Path::new(ROOT).join("tests/c/copied.c")).arg("-o").arg(&counter));
    let preload = format!("LD_PRELOAD={}", counter.display());
    // Of what did not change there is nothing to copy.
    programs.compare("copied bytes", &[ALL_NEW], |language, piece_len, level| {
        let mut command = programs.command(&[&preload], language, piece_len, level);
        c::output_of(command.env("COPIED", "copied"));
        fs::read_to_string(programs.ground.path().join("copied")).unwrap().parse().unwrap()
    });
}
