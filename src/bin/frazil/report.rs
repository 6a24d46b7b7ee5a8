//! What was done, for a person or as JSON, and the exit status that follows.

use std::fmt;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use frazil::{Identity, SignatureParams, StrongKind, WeakKind};
use indicatif::HumanBytes;
use serde_json::{Map, Value, json};

use crate::failure::Failure;
use crate::place::Place;
use crate::problems::Problems;

/// Finished, with problems.
const PROBLEMS: u8 = 3;

/// What a sub-command has done.
pub(crate) struct Report {
    /// What is said on standard error; nothing where the result was printed already.
    summary: Option<String>,
    json: Map<String, Value>,
    /// Whether standard output carries data.
    stdout_is_data: bool,
    /// Whether the result is less than what was asked for.
    partial: bool,
    problems: Problems,
}

impl Report {
    /// What a command says that has written its result elsewhere.
    pub(crate) fn new(summary: String, json: Value, stdout_is_data: bool) -> Self {
        let json = if let Value::Object(json) = json { json } else { Map::new() };
        Self { summary: Some(summary), json, stdout_is_data, partial: false, problems: Problems::default() }
    }

    /// For a command whose result has been printed.
    pub(crate) fn printed() -> Self {
        Self { summary: None, ..Self::new(String::new(), Value::Null, false) }
    }

    /// Says whether the result is less than what was asked for, whatever was told of on the way.
    pub(crate) fn partial(self, partial: bool) -> Self {
        Self { partial, ..self }
    }

    pub(crate) fn with_problems(self, problems: Problems) -> Self {
        Self { problems, ..self }
    }

    /// Says it, and gives the exit status.
    pub(crate) fn give(mut self, json: bool, quiet: bool) -> ExitCode {
        match self.summary.take() {
            Some(_) if json => {
                let problems = [
                    ("problem_count", json!(self.problems.grave())),
                    ("problems", json!(self.problems.texts(true))),
                    ("notes", json!(self.problems.texts(false))),
                ];
                self.json.extend(problems.map(|(key, value)| (key.to_owned(), value)));
                let line = Value::Object(self.json);
                if self.stdout_is_data {
                    say(line);
                } else if let Err(failure) = print(&format!("{line}\n")) {
                    return failure.exit();
                }
            }
            summary => {
                for line in self.problems.lines() {
                    say(line);
                }
                if let Some(summary) = summary.filter(|_| !quiet) {
                    say(summary);
                }
            }
        }
        let is_less = self.partial || self.problems.grave() > 0;
        if is_less { ExitCode::from(PROBLEMS) } else { ExitCode::SUCCESS }
    }
}

/// Says a line on standard error. Nobody can be told that this failed, and the work has not failed for it.
pub(crate) fn say(line: impl fmt::Display) {
    // At once: nothing else buffers it.
    let _ = io::stderr().write_all(format!("{line}\n").as_bytes());
}

/// Prints on standard output. Whoever has read enough and closed it is served.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::io("writing standard output", error)),
        _ => Ok(()),
    }
}

/// A number of bytes for a person.
pub(crate) fn human(bytes: u64) -> String {
    HumanBytes(bytes).to_string()
}

/// So many of something.
pub(crate) fn count(number: u64, what: &str) -> String {
    match (number, what.strip_suffix('y')) {
        (1, _) => format!("{number} {what}"),
        (_, Some(stem)) => format!("{number} {stem}ies"),
        (_, None) => format!("{number} {what}s"),
    }
}

/// A duration for a person.
pub(crate) fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}

/// What was written as a share of what was read; nothing where it is none, since little or nothing was read.
pub(crate) fn share(written: u64, read: u64) -> Option<String> {
    (written <= read && read > 0).then(|| percent(written, read))
}

/// One number as a share of another.
pub(crate) fn percent(part: u64, whole: u64) -> String {
    match whole {
        0 => "-".to_owned(),
        _ => format!("{:.1} %", part as f64 * 100.0 / whole as f64),
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A text in one line, with nothing in it that a terminal would obey, whatever a file is called.
pub(crate) fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter.is_control() {
            true => plain += &letter.encode_utf8(&mut [0; 4]).as_bytes().escape_ascii().to_string(),
            false => plain.push(letter),
        }
    }
    plain
}

/// A path that takes one line.
pub(crate) fn one_line(path: &Path) -> String {
    match path.to_str() {
        Some(text) if !text.contains(|letter: char| letter.is_control()) => text.to_owned(),
        _ => path.as_os_str().as_encoded_bytes().escape_ascii().to_string(),
    }
}

/// Puts a path, or what else is bytes, into JSON. Where it is not UTF-8, `key` has it with U+FFFD for what
/// cannot be said, and `key_bytes` has its bytes in hexadecimal.
pub(crate) fn insert_bytes(json: &mut Value, key: &str, bytes: &[u8]) {
    json[key] = String::from_utf8_lossy(bytes).into();
    if std::str::from_utf8(bytes).is_err() {
        json[format!("{key}_bytes")] = hex(bytes).into();
    }
}

/// As [`insert_bytes`], of a path.
pub(crate) fn insert_path(json: &mut Value, key: &str, path: &Path) {
    insert_bytes(json, key, path.as_os_str().as_bytes());
}

/// As [`insert_path`], of where something comes from.
pub(crate) fn insert_input(json: &mut Value, key: &str, place: &Place) {
    match place.path() {
        Some(path) => insert_path(json, key, path),
        None => json[key] = place.as_input().into(),
    }
}

/// What content is, as JSON.
pub(crate) fn identity_json(identity: &Identity) -> Value {
    json!({
        "length": identity.length(),
        "crc32": format!("{:08x}", identity.crc32()),
        "fingerprint": hex(identity.fingerprint().digest()),
        "leaf_len": identity.fingerprint().leaf_len(),
    })
}

/// The parameters of a signature, as JSON.
pub(crate) fn params_json(params: &SignatureParams) -> Value {
    json!({
        "weak": weak_name(params.weak()),
        "strong": strong_name(params.strong()),
        "strong_len": params.strong_len(),
        "block_len": params.block_len(),
    })
}

/// The name that `--weak` takes.
pub(crate) fn weak_name(kind: WeakKind) -> &'static str {
    match kind {
        WeakKind::Rollsum => "rollsum",
        WeakKind::RabinKarp => "rabinkarp",
        _ => "unknown",
    }
}

/// The name that `--hash` takes.
pub(crate) fn strong_name(kind: StrongKind) -> &'static str {
    match kind {
        StrongKind::Md4 => "md4",
        StrongKind::Blake2 => "blake2",
        _ => "unknown",
    }
}
