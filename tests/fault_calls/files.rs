//! Levels, signatures and patches of files.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use frazil::{LevelOptions, PatchOptions, PatchReader, Signature, SignatureParams, level_file};

use crate::look;
use crate::noise;
use crate::strace::{self, Case, Invocation, Said};
use crate::sweep::{Operation, Outcome};

/// Two states of a content, and their levels.
pub(crate) struct Files {
    dir: tempfile::TempDir,
}

impl Files {
    pub(crate) fn new() -> Self {
        let files = Self { dir: look::scratch() };
        let old = noise(200_000, 1);
        let mut new = old.clone();
        new.splice(70_000..70_007, noise(30_000, 2));
        new.extend(vec![0; 50_000]);
        fs::write(files.at("old"), &old).expect("a file");
        fs::write(files.at("new"), &new).expect("a file");
        let options = || LevelOptions::new().params(SignatureParams::with_block_len(4096).expect("a block length"));
        let level = |from: &str, basis: Option<&Signature>, to: &str| {
            let summary = level_file(files.at(from), basis, files.at(to), options()).expect("a level");
            summary.signature.expect("it was held")
        };
        let signature = level("old", None, "level.0");
        signature.save(files.at("sig.0"), frazil::Format::Sealed).expect("a signature");
        level("new", Some(&signature), "level.1");
        files
    }

    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    fn at(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.at(name)).expect("a file")
    }

    /// Whether a level or a signature is of the beginning of the new content, and says that it is not of a whole one.
    fn is_of_a_beginning(&self, found: &[u8]) -> bool {
        let (old, new) = (self.read("old"), self.read("new"));
        if let Ok(signature) = Signature::read_from(found) {
            let beginning = &new[..signature.length().expect("it is sealed") as usize];
            let options = LevelOptions::new().params(*signature.params());
            let of_it = frazil::gen_sig_from_stream_with(beginning, None, options).and_then(|level| level.finish());
            return signature.is_dirty() && signature.fingerprint() == of_it.expect("a signature").fingerprint();
        }
        [&b""[..], &old].iter().any(|basis| {
            let mut made = Vec::new();
            let Ok(mut patch) = PatchReader::new(found, *basis, PatchOptions::new()) else { return false };
            patch.read_to_end(&mut made).is_ok()
                && new.starts_with(&made)
                && patch.finish().is_ok_and(|summary| summary.dirty)
        })
    }

    /// Whether a delta turns this basis into the new content.
    fn makes_new(&self, delta: &[u8], basis: &[u8]) -> bool {
        let mut made = Vec::new();
        let patch = PatchReader::new(delta, basis, PatchOptions::new());
        patch.is_ok_and(|mut patch| patch.read_to_end(&mut made).is_ok()) && made == self.read("new")
    }
}

/// Whether an output is what the command makes.
type IsRight = fn(&Files, &[u8]) -> bool;

fn is_level_0(files: &Files, found: &[u8]) -> bool {
    files.makes_new(found, &[])
}

fn is_level_1(files: &Files, found: &[u8]) -> bool {
    files.makes_new(found, &files.read("old"))
}

fn is_signature(files: &Files, found: &[u8]) -> bool {
    let Ok(signature) = Signature::read_from(found) else { return false };
    let new = files.read("new");
    let whole = frazil::gen_sig_from_stream_with(&new[..], None, LevelOptions::new().params(*signature.params()));
    !signature.is_dirty() && whole.and_then(|level| level.finish()).is_ok_and(|whole| whole == signature)
}

fn is_old(files: &Files, found: &[u8]) -> bool {
    found == files.read("old")
}

fn is_new(files: &Files, found: &[u8]) -> bool {
    found == files.read("new")
}

/// What an undisturbed run prints.
fn is_what_is_printed(files: &Files, found: &[u8]) -> bool {
    found == files.read("printed")
}

/// Stands for standard output among the outputs.
const STDOUT: &str = "-";

/// A file that the command writes.
pub(crate) struct Output {
    name: &'static str,
    /// What is there before.
    before: Option<&'static str>,
    is_right: IsRight,
}

/// A command that makes files; `@` stands for their directory.
pub(crate) struct FileOperation<'a> {
    pub(crate) files: &'a Files,
    pub(crate) command: &'static str,
    pub(crate) outputs: &'static [Output],
}

const fn new(name: &'static str, is_right: IsRight) -> Output {
    Output { name, before: None, is_right }
}

pub(crate) const COMMANDS: [(&str, &[Output]); 10] = [
    (
        "level --threads 1 --block-size 4096 --signature-out @/made.sig @/new @/made",
        &[new("made", is_level_0), new("made.sig", is_signature)],
    ),
    (
        "level --threads 1 --against @/sig.0 --force --signature-out @/made.sig @/new @/made",
        &[
            Output { name: "made", before: Some("level.0"), is_right: is_level_1 },
            Output { name: "made.sig", before: Some("sig.0"), is_right: is_signature },
        ],
    ),
    ("level --threads 2 --matching rolling --against @/sig.0 @/new @/made", &[new("made", is_level_1)]),
    ("signature --threads 1 --block-size 4096 @/new @/made.sig", &[new("made.sig", is_signature)]),
    ("patch --threads 1 /dev/null @/level.0 @/made", &[new("made", is_old)]),
    (
        "patch --threads 1 --force @/made @/level.1 @/made",
        &[Output { name: "made", before: Some("old"), is_right: is_new }],
    ),
    ("patch --threads 2 /dev/null @/level.0 @/level.1 @/made", &[new("made", is_new)]),
    ("patch --threads 1 @/old @/level.1 -", &[new(STDOUT, is_new)]),
    ("compare --data @/sig.0 @/new", &[new(STDOUT, is_what_is_printed)]),
    ("show @/level.1", &[new(STDOUT, is_what_is_printed)]),
];

impl FileOperation<'_> {
    fn found(&self, output: &Output, said: &Said) -> Option<Vec<u8>> {
        match output.name {
            STDOUT => Some(said.stdout.clone()),
            name => fs::read(self.files.at(name)).ok(),
        }
    }
}

impl Operation for FileOperation<'_> {
    fn name(&self) -> &str {
        self.command
    }

    fn command(&self) -> Invocation {
        Invocation::of_frazil(self.command, self.files.dir())
    }

    fn reset(&self) {
        for Output { name, before, .. } in self.outputs {
            let _ = fs::remove_file(self.files.at(name));
            if let Some(before) = before {
                fs::copy(self.files.at(before), self.files.at(name)).expect("what was there before");
            }
        }
    }

    fn remember(&self, said: &Said) {
        fs::write(self.files.at("printed"), &said.stdout).expect("a file");
    }

    fn outcome(&self, said: &Said, case: Option<&Case>, context: &str) -> Outcome {
        remove_temporaries(self.files.dir(), case, context);
        let mut changed = 0;
        for output in self.outputs {
            let found = self.found(output, said);
            let is_right = found.as_ref().is_some_and(|found| (output.is_right)(self.files, found));
            let before = output.before.map(|name| self.files.read(name));
            match said.status {
                Some(0) => assert!(is_right, "{context}: status 0, and {} is not right", output.name),
                Some(3) => {
                    let found = found.unwrap_or_default();
                    assert!(
                        self.files.is_of_a_beginning(&found),
                        "{context}: {} is of nothing that was read",
                        output.name
                    );
                }
                // What has gone to a pipe is gone.
                _ if output.name == STDOUT => {}
                _ if found == before => {}
                // What belongs to another output is gone once that is replaced.
                _ if found.is_none() && changed > 0 => {}
                _ => {
                    assert!(is_right, "{context}: {} is neither what it was nor what it is to be", output.name);
                    changed += 1;
                }
            }
        }
        match said.status {
            Some(0) => Outcome::Done,
            Some(3) => {
                assert!(said.stderr.contains("changed while it was read"), "{context}");
                Outcome::Partial
            }
            _ if changed > 0 => Outcome::Whole,
            _ => Outcome::AsBefore,
        }
    }

    fn again(&self, outcome: Outcome, context: &str) {
        if outcome != Outcome::AsBefore {
            self.reset();
        }
        let said = strace::run(&self.command());
        assert_eq!(self.outcome(&said, None, context), Outcome::Done, "{context}, then {}", said.stderr);
    }
}

/// Removes what a run could not remove, which it may leave only if it was kept from removing it.
pub(crate) fn remove_temporaries(dir: &Path, case: Option<&Case>, context: &str) {
    for entry in fs::read_dir(dir).expect("the directory") {
        let name = entry.expect("an entry").file_name().into_string().expect("UTF-8");
        if name.contains(".frazil-") && name.ends_with(".tmp") && name.starts_with('.') {
            assert!(case.is_some_and(Case::is_of_removal), "{context}: {name} is left");
            fs::remove_file(dir.join(name)).expect("remove a temporary");
        }
    }
}
