//! A directory to run the command in, with the states of a changing file.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

pub(crate) const DONE: i32 = 0;
pub(crate) const FAILED: i32 = 1;
pub(crate) const USAGE: i32 = 2;
pub(crate) const PROBLEMS: i32 = 3;

/// Levels that a file goes through.
pub(crate) const LEVELS: usize = 4;

pub(crate) struct Ground {
    dir: TempDir,
}

/// What a run has said.
pub(crate) struct Said {
    pub(crate) status: Option<i32>,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        let stderr = String::from_utf8(output.stderr).expect("messages are UTF-8");
        Self { status: output.status.code(), stdout: output.stdout, stderr }
    }
}

impl Said {
    /// Fails the test unless the run ended so.
    #[track_caller]
    pub(crate) fn expect(self, status: i32) -> Self {
        assert_eq!(self.status, Some(status), "{}", self.stderr);
        self
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.stdout).expect("text on standard output")
    }

    /// The one JSON object on standard output.
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        parse(self.text())
    }
}

#[track_caller]
pub(crate) fn parse(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error} in {text:?}"))
}

/// The content of the file at each level, some 300 KiB: random, edited, lengthened by zeros, and with a
/// byte inserted at its start.
pub(crate) fn states() -> [Vec<u8>; LEVELS] {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let first: Vec<u8> = (0..300_000)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state as u8
        })
        .collect();
    let mut edited = first.clone();
    edited[100_000..100_100].fill(7);
    let mut longer = edited.clone();
    longer.extend([0; 200_000]);
    let mut shifted = longer.clone();
    shifted.insert(0, 1);
    [first, edited, longer, shifted]
}

impl Ground {
    /// With the states as `source.0` and so on.
    pub(crate) fn new() -> Self {
        let ground = Self { dir: tempfile::tempdir().expect("a directory") };
        for (level, state) in states().iter().enumerate() {
            ground.write(&format!("source.{level}"), state);
        }
        ground
    }

    /// With a level, and the signature that the next one needs, of each state.
    pub(crate) fn with_levels() -> Self {
        let ground = Self::new();
        ground.run("level -q --block-size 4K --signature-out sig.0 source.0 level.0").expect(DONE);
        for level in 1..LEVELS {
            let below = level - 1;
            let made = format!("--against sig.{below} --signature-out sig.{level} source.{level} level.{level}");
            ground.run(&format!("level -q {made}")).expect(DONE);
        }
        ground
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: &[u8]) {
        fs::write(self.path(name), content).expect(name);
    }

    #[track_caller]
    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).expect(name)
    }

    /// Everything in the directory but the sources, in order.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.dir.path()).expect("the directory");
        let name =
            |entry: std::io::Result<fs::DirEntry>| entry.expect("entry").file_name().into_string().expect("UTF-8");
        let mut names: Vec<_> = entries.map(name).filter(|name| !name.starts_with("source.")).collect();
        names.sort();
        names
    }

    /// The command with these arguments, which have no spaces within them, in the directory.
    pub(crate) fn command(&self, arguments: &str) -> Command {
        self.prepare(Path::new(env!("CARGO_BIN_EXE_frazil")), arguments)
    }

    fn prepare(&self, program: &Path, arguments: &str) -> Command {
        let mut command = Command::new(program);
        command.args(arguments.split_whitespace()).current_dir(self.dir.path()).stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, arguments: &str) -> Said {
        self.command(arguments).output().expect("run frazil").into()
    }

    /// As `run`, with this on standard input, through a pipe.
    pub(crate) fn feed(&self, arguments: &str, input: &[u8]) -> Said {
        let mut command = self.command(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("run frazil");
        let mut stdin = child.stdin.take().expect("the pipe");
        std::thread::scope(|scope| {
            // Who has failed does not read on.
            scope.spawn(move || stdin.write_all(input).ok());
            child.wait_with_output().expect("frazil's end").into()
        })
    }

    #[track_caller]
    pub(crate) fn rdiff(&self, arguments: &str) {
        let output = self.prepare(Path::new("rdiff"), arguments).output().expect("run rdiff");
        assert!(output.status.success(), "rdiff {arguments}: {}", String::from_utf8_lossy(&output.stderr));
    }
}
