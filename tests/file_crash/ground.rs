//! A directory with two states of a file and their levels, in which runs are killed.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::killing::scratch;
use crate::random::{Content, Random};

/// What is there from the start.
const OURS: [&str; 6] = ["begun", "delta", "level.0", "new", "old", "old.sig"];

pub(crate) struct Ground {
    dir: TempDir,
}

impl Ground {
    /// With `old` and `new`, the signature `old.sig`, and the levels `level.0` and `delta`.
    pub(crate) fn new(random: &mut Random) -> Self {
        let ground = Self { dir: scratch() };
        let old = random.content(Content::Random, 2_000_000);
        let insert = random.content(Content::Random, 90_000);
        // So that content moves up and down.
        let parts = [&old[..300_000], &insert, &old[300_000..700_000], &old[900_000..], &old[..50_000]];
        fs::write(ground.path("old"), &old).expect("a file");
        fs::write(ground.path("new"), parts.concat()).expect("a file");
        ground.run("level -q --block-size 4K --signature-out old.sig old level.0");
        ground.run("level -q --against old.sig new delta");
        ground
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    #[track_caller]
    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// The command with these arguments, which have no spaces within them, in the directory.
    pub(crate) fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_frazil"));
        command.args(arguments.split_whitespace()).current_dir(self.dir.path());
        command.stdin(Stdio::null()).stdout(Stdio::null());
        command
    }

    /// Runs the command to its end, which has to be a good one.
    #[track_caller]
    pub(crate) fn run(&self, arguments: &str) {
        let output = self.command(arguments).stderr(Stdio::piped()).output().expect("run frazil");
        assert!(output.status.success(), "frazil {arguments}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// The same run, over whatever is there; a file that was patched over its own basis is patched from that.
    pub(crate) fn forced(arguments: &str) -> String {
        let arguments = arguments.replace(" out delta out", " old delta out").replace(" --force", "");
        arguments.replacen(" -q", " -q --force", 1)
    }

    /// Whether what was found of a file is what it was to be. Sealed streams differ in their ids, and so in their
    /// checksums: one is whole if it is as long as another of the same, and shows no damage.
    pub(crate) fn is_same(found: Option<&[u8]>, new: &[u8]) -> bool {
        let Some(found) = found.filter(|found| found.len() == new.len()) else { return false };
        found == new
            || frazil::inspect(new).is_ok()
                && frazil::inspect(found).is_ok_and(|inspection| inspection.damage.is_none())
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.dir.path()).expect("the directory");
        entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8")).collect()
    }

    pub(crate) fn has_temporary(&self) -> bool {
        self.names().iter().any(|name| name.starts_with('.'))
    }

    /// Removes what a killed run could not, which has to be recognised by its name; gives how many there were.
    #[track_caller]
    pub(crate) fn remove_temporaries(&self, made: &[&str]) -> usize {
        let mut count = 0;
        for name in self.names() {
            if OURS.contains(&name.as_str()) || made.contains(&name.as_str()) {
                continue;
            }
            assert!(name.starts_with('.') && name.contains(".frazil-") && name.ends_with(".tmp"), "{name}");
            fs::remove_file(self.path(&name)).expect("remove a temporary");
            count += 1;
        }
        count
    }
}
