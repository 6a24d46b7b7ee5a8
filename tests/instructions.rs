//! What the hot loops cost in instructions, as Valgrind counts them in the command as it is released: no other work of
//! the machine changes that. A figure that leaves its recorded one by more than a few hundredths fails, in either
//! direction, so that what was gained is recorded and kept.
//!
//! `FRAZIL_BLESS=1 cargo test --all-features --test instructions` records new figures.

#[path = "support/c.rs"]
mod c;
#[path = "support/content.rs"]
#[allow(dead_code, reason = "random bytes are needed alone")]
mod content;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use c::{ROOT, is_there, output_of};
use content::noise;

const CONTENT_LEN: usize = 4 << 20;

/// How far from what was recorded a figure may be.
const TOLERANCE: f64 = 0.03;

/// Figures, and the compiler that they are of.
const RECORDED: &str = "tests/instructions/recorded.txt";

/// What of a command is counted: one function and all that it calls, or all but what the same takes with no content.
enum Counted {
    Function(&'static str),
    Whole,
}

use Counted::{Function, Whole};

/// A name, what of it is counted, and the command. `CONTENT` is random; so is `other`, which has nothing in common
/// with it, and in `shifted` one byte precedes it. Of `equal-CONTENT` every window has the weak sum of `equal.old`.
const KERNELS: [(&str, Counted, &str); 15] = [
    ("RabinKarp of blocks", Function("frazil::engine::native::weak::polynomial_avx2*"), "signature CONTENT out"),
    ("rollsum of blocks", Function("frazil::engine::native::weak::adler_avx2*"), OLD_SIGNATURE),
    ("BLAKE2b of blocks", Function("blake2b_simd::avx2::compress4_loop*"), "signature CONTENT out"),
    ("MD4 of blocks", Function("frazil::engine::native::md4::avx2::digests*"), OLD_SIGNATURE),
    ("CRC32", Function("crc32fast::specialized::pclmulqdq::calculate*"), "level CONTENT out"),
    ("scan by RabinKarp", Function("frazil::engine::native::scan::avx2::roll*"), "delta other.sig CONTENT out"),
    (
        "scan by rollsum",
        Function("frazil::engine::native::scan::avx2::roll*"),
        "delta --allow-weak other.old CONTENT out",
    ),
    ("seal", Function("frazil::format::sealed::sealer::Seals::seal"), "level CONTENT out"),
    ("level, all new", Whole, "level CONTENT out"),
    ("level, unchanged", Whole, "level --against content.sig CONTENT out"),
    ("level, aligned", Whole, "level --matching aligned --against content.sig CONTENT out"),
    ("level, shifted", Whole, "level --against shifted.sig CONTENT out"),
    ("level, a hit at every byte", Whole, "delta equal.old equal-CONTENT out"),
    ("patch, unchanged", Whole, "patch CONTENT CONTENT.delta out"),
    ("restore of two levels", Whole, "patch empty CONTENT.level CONTENT.delta out"),
];

const OLD_SIGNATURE: &str = "signature --format rdiff --hash md4 --weak rollsum --block-size 2048 CONTENT out";

/// The command as it is released, and what it is run on.
struct Ground {
    frazil: PathBuf,
    dir: tempfile::TempDir,
}

impl Ground {
    fn new() -> Self {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--release", "--features", "cli", "--locked", "--message-format", "json"]);
        let built = output_of(cargo.current_dir(ROOT));
        let executable = built.lines().rev().find_map(|line| {
            let message: serde_json::Value = serde_json::from_str(line).unwrap();
            message["executable"].as_str().map(PathBuf::from)
        });
        let ground = Self { frazil: executable.expect("the command"), dir: tempfile::tempdir().unwrap() };
        let content = noise(CONTENT_LEN, 1);
        let write = |name, bytes: &[u8]| fs::write(ground.dir.path().join(name), bytes).unwrap();
        write("content", &content);
        write("shifted", &[&[1], &content[..]].concat());
        write("other", &noise(CONTENT_LEN, 2));
        write("empty", &[]);
        write("equal-content", &[7; CONTENT_LEN]);
        write("equal-empty", &[]);
        for preparation in [
            "signature content content.sig",
            "signature shifted shifted.sig",
            "signature other other.sig",
            &OLD_SIGNATURE.replace("CONTENT out", "other other.old"),
            "signature empty empty.sig",
            "level content content.level",
            "level empty empty.level",
            "delta content.sig content content.delta",
            "delta empty.sig empty empty.delta",
        ] {
            ground.run(&[], preparation, "");
        }
        // Weak sums of that content, under strong sums that nothing has.
        ground.run(&[], "signature --format rdiff equal-content equal.old", "");
        let mut signature = fs::read(ground.dir.path().join("equal.old")).unwrap();
        for (number, record) in signature[12..].chunks_mut(4 + 32).enumerate() {
            record[4..].copy_from_slice(&noise(32, number as u64 + 3));
        }
        write("equal.old", &signature);
        ground
    }

    /// Runs the command on `content` with these words before it, on one thread, and gives what it says on standard
    /// error.
    fn run(&self, before: &[&str], command: &str, content: &str) -> String {
        let command = command.replace("CONTENT", content);
        let mut env = Command::new("env");
        env.args(before).arg(&self.frazil).args(command.split(' ')).args(["--quiet", "--force", "--threads", "1"]);
        let output = env.current_dir(self.dir.path()).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        // Sums that are not safe are a problem, and no failure.
        assert!(output.status.success() || command.contains("--allow-weak"), "frazil {command}: {said}");
        said
    }

    fn count(&self, function: Option<&str>, command: &str, content: &str) -> u64 {
        let mut valgrind = vec!["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"];
        let collect = function.map(|function| format!("--toggle-collect={function}"));
        valgrind.extend(collect.as_deref());
        let said = self.run(&valgrind, command, content);
        let collected = said.lines().find_map(|line| line.split_once("Collected : "));
        collected.unwrap_or_else(|| panic!("frazil {command}: {said}")).1.parse().unwrap()
    }

    /// Instructions for each KiB of content.
    fn cost(&self, counted: &Counted, command: &str) -> f64 {
        let instructions = match counted {
            Function(name) => self.count(Some(name), command, "content"),
            Whole => self.count(None, command, "content") - self.count(None, command, "empty"),
        };
        (instructions * 1024) as f64 / CONTENT_LEN as f64
    }
}

/// The compiler that was recorded, and the figures.
fn recorded(path: &Path) -> (String, BTreeMap<String, f64>) {
    let text = fs::read_to_string(path).unwrap_or_default();
    let mut lines = text.lines();
    let compiler = lines.next().unwrap_or_default().to_owned();
    let figures = lines.map(|line| line.split_once(": ").unwrap());
    (compiler, figures.map(|(name, figure)| (name.to_owned(), figure.parse().unwrap())).collect())
}

#[test]
fn the_hot_loops_take_as_many_instructions_as_were_recorded() {
    if !is_there("valgrind") {
        return;
    }
    #[cfg(target_arch = "x86_64")]
    let has_avx2 = std::arch::is_x86_feature_detected!("avx2");
    #[cfg(not(target_arch = "x86_64"))]
    let has_avx2 = false;
    if !has_avx2 {
        eprintln!("this processor has no AVX2, of which the figures are, so nothing is counted");
        return;
    }
    let compiler = output_of(Command::new("rustc").arg("--version").current_dir(ROOT)).trim().to_owned();
    let path = Path::new(ROOT).join(RECORDED);
    let (recorded_by, recorded) = recorded(&path);
    let ground = Ground::new();
    let mut found = format!("{compiler}\n");
    let mut gone = String::new();
    println!("instructions for each KiB of content, compiled by {compiler}; recorded are those of {recorded_by}");
    for (name, counted, command) in &KERNELS {
        let cost = ground.cost(counted, command);
        assert!(
            cost > 0.0,
            "{name}: nothing was counted, so the function has another name or was compiled into others"
        );
        writeln!(found, "{name}: {cost:.1}").unwrap();
        let before = recorded.get(*name).copied().unwrap_or(f64::NAN);
        println!("{name}: {cost:.1}, recorded {before:.1}");
        let holds = (cost / before - 1.0).abs() <= TOLERANCE;
        if !holds {
            writeln!(gone, "{name}: {cost:.1} instead of {before:.1}").unwrap();
        }
    }
    if std::env::var_os("FRAZIL_BLESS").is_some() {
        fs::write(&path, found).unwrap();
    } else if compiler == recorded_by {
        assert!(
            gone.is_empty(),
            "{gone}Where that is meant, FRAZIL_BLESS=1 cargo test --all-features --test instructions records it."
        );
    } else {
        eprintln!("{compiler} is not what the figures are recorded with, so they are held to nothing");
    }
}
