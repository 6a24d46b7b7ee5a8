//! Patching in place, which no command does: this test's own binary does it, in a process of its own.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use frazil::{LevelOptions, PatchOptions, SignatureParams, level_file, patch_in_place};

use crate::look;
use crate::noise;
use crate::strace::{self, Case, Invocation, Said};
use crate::sweep::{Operation, Outcome};

/// Says where the files are, to the process that patches.
const PLACE: &str = "FRAZIL_TEST_IN_PLACE";

/// The name of the test that patches when it is told where.
const TEST: &str = "whatever_call_of_a_patch_in_place_fails_it_says_so";

/// Patches, in the process that was started for it.
pub(crate) fn patch_if_told() -> bool {
    let Some(dir) = std::env::var_os(PLACE).map(PathBuf::from) else { return false };
    let delta = File::open(dir.join("level.1")).map_err(frazil::Error::from);
    match delta.and_then(|delta| patch_in_place(dir.join("patched"), delta, PatchOptions::new().threads(1))) {
        Ok(_) => std::process::exit(0),
        Err(error) => {
            eprintln!("frazil: {error}");
            std::process::exit(1);
        }
    }
}

pub(crate) struct InPlace {
    dir: tempfile::TempDir,
}

impl InPlace {
    pub(crate) fn new() -> Self {
        let this = Self { dir: look::scratch() };
        let old = noise(60_000, 1);
        let mut new = old.clone();
        new.rotate_left(20_000);
        new.splice(10_000..10_000, noise(7_000, 2));
        new.truncate(50_000);
        fs::write(this.at("old"), &old).expect("a file");
        fs::write(this.at("new"), &new).expect("a file");
        let options = || LevelOptions::new().params(SignatureParams::with_block_len(1024).expect("a block length"));
        let level0 = level_file(this.at("old"), None, this.at("level.0"), options()).expect("a level");
        let signature = level0.signature.expect("it was held");
        level_file(this.at("new"), &signature, this.at("level.1"), options()).expect("a level");
        this
    }

    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    fn at(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn is(&self, name: &str) -> bool {
        fs::read(self.at("patched")).expect("a file") == fs::read(self.at(name)).expect("a file")
    }
}

impl Operation for InPlace {
    fn name(&self) -> &str {
        "patch in place"
    }

    fn command(&self) -> Invocation {
        let program = std::env::current_exe().expect("this test").into();
        // The only thread, so that its calls are those of the process.
        let arguments = ["--test-threads=1", "--exact", "--nocapture", TEST].map(Into::into).to_vec();
        Invocation { program, arguments, environment: Some((PLACE, self.dir().into())) }
    }

    fn reset(&self) {
        fs::copy(self.at("old"), self.at("patched")).expect("the old content");
    }

    fn remember(&self, _: &Said) {}

    /// Once writing has begun, what was there is given up, and only a status of 0 says that all is well.
    fn outcome(&self, said: &Said, _: Option<&Case>, context: &str) -> Outcome {
        match said.status {
            Some(0) => {
                assert!(self.is("new"), "{context}: status 0, and another content");
                Outcome::Done
            }
            _ if self.is("old") => Outcome::AsBefore,
            _ if self.is("new") => Outcome::Whole,
            _ => Outcome::GivenUp,
        }
    }

    fn again(&self, outcome: Outcome, context: &str) {
        if outcome == Outcome::GivenUp {
            let left = fs::read(self.at("patched")).expect("a file");
            let said = strace::run(&self.command());
            assert!(said.status == Some(1), "{context}, then not refused: {said:?}");
            assert!(fs::read(self.at("patched")).expect("a file") == left, "{context}, then changed");
        }
        self.reset();
        let said = strace::run(&self.command());
        assert_eq!(self.outcome(&said, None, context), Outcome::Done, "{context}, then {}", said.stderr);
    }
}
