//! `frazil list`: what is in the archive of one level.

use clap::Args;
use frazil::{Action, ArchiveEntry, EntryKind, Metadata, list_archive};
use serde_json::json;

use crate::failure::Failure;
use crate::input::Input;
use crate::place::Place;
use crate::progress::action_name;
use crate::report::{Report, hex, print};
use crate::session::Session;

const AFTER_HELP: &str = "\
The whole archive is verified on the way, as far as it can be without the level before; exit status 1 if it \
is damaged, and what was listed before is then not to be trusted. The first letter of a line says how the \
entry comes to be: F it is here whole, D by a delta, C with the content of another file, L as a further name \
of one, M by its metadata alone; X it is gone, V it could not be read.

Examples:
  frazil list home.1
  frazil list --json home.1 | jq -r 'select(.action == \"delete\") | .path'";

/// List what the archive of a level says of each entry
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    /// The archive of one level
    archive: Place,
}

pub(crate) fn run(arguments: &Arguments, session: &Session) -> Result<Report, Failure> {
    let name = arguments.archive.as_input();
    let input = session.watched(Input::open(&arguments.archive)?);
    let mut failure = None;
    let summary = list_archive(input, |entry| {
        let line = if session.common.json { to_json(&entry).to_string() } else { to_text(&entry) };
        print(&(line + "\n")).map_err(|failed| {
            failure = Some(failed);
            frazil::Error::from(std::io::Error::other("output"))
        })
    });
    if let Some(failure) = failure {
        return Err(failure);
    }
    let summary = summary.map_err(|error| Failure::of(&name, error))?;
    if summary.totals.problems > 0 {
        session.problem(format!("{name}: this backup is partial: {} problems", summary.totals.problems));
    }
    Ok(Report::printed())
}

/// A path that takes one line.
pub(crate) fn one_line(path: &std::path::Path) -> String {
    match path.to_str() {
        Some(text) if !text.contains(|letter: char| letter.is_control()) => text.to_owned(),
        _ => path.as_os_str().as_encoded_bytes().escape_ascii().to_string(),
    }
}

fn to_text(entry: &ArchiveEntry) -> String {
    let path = one_line(&entry.path);
    let letter = match entry.action {
        Action::Delete => 'X',
        action => action_name(action).chars().next().map_or('?', |letter| letter.to_ascii_uppercase()),
    };
    let mut line = match &entry.metadata {
        Some(metadata) => format!("{letter} {}", describe(metadata)),
        None => format!("{letter} {:51}", ""),
    };
    line += &format!(" {path}");
    if let Some(metadata) = entry.metadata.as_ref().filter(|metadata| metadata.kind == EntryKind::Symlink) {
        line += &format!(" -> {}", metadata.target.escape_ascii());
    }
    if let Some(from) = entry.from.as_ref().filter(|from| **from != entry.path) {
        line += &format!(" (of {})", one_line(from));
    }
    if entry.dirty {
        line += " (changed while it was read)";
    }
    line
}

/// What `ls -l` says.
pub(crate) fn describe(metadata: &Metadata) -> String {
    let owner = |name: &[u8], number: u32| match name {
        b"" => number.to_string(),
        name => String::from_utf8_lossy(name).into_owned(),
    };
    let owners = format!("{}/{}", owner(&metadata.user, metadata.uid), owner(&metadata.group, metadata.gid));
    let size = match metadata.kind {
        EntryKind::CharDevice | EntryKind::BlockDevice => format!("{},{}", metadata.device.0, metadata.device.1),
        _ => metadata.size.to_string(),
    };
    format!("{} {owners:<13} {size:>12} {}", mode(metadata), when(metadata))
}

fn mode(metadata: &Metadata) -> String {
    let bits = metadata.mode;
    let mut text = String::new();
    text.push(match metadata.kind {
        EntryKind::Directory => 'd',
        EntryKind::Symlink => 'l',
        EntryKind::Fifo => 'p',
        EntryKind::CharDevice => 'c',
        EntryKind::BlockDevice => 'b',
        _ => '-',
    });
    for (shift, special, letter) in [(6, 0o4000, 's'), (3, 0o2000, 's'), (0, 0o1000, 't')] {
        let three = bits >> shift;
        text.push(if three & 4 != 0 { 'r' } else { '-' });
        text.push(if three & 2 != 0 { 'w' } else { '-' });
        text.push(match (three & 1 != 0, bits & special != 0) {
            (true, true) => letter,
            (false, true) => letter.to_ascii_uppercase(),
            (true, false) => 'x',
            (false, false) => '-',
        });
    }
    text
}

fn when(metadata: &Metadata) -> String {
    let modified = metadata.modified;
    match jiff::Timestamp::from_second(modified.seconds) {
        Ok(time) => time.strftime("%Y-%m-%d %H:%M:%S").to_string(),
        Err(_) => format!("{:>19}", modified.seconds),
    }
}

fn to_json(entry: &ArchiveEntry) -> serde_json::Value {
    json!({
        "path": entry.path.to_string_lossy(),
        "action": action_name(entry.action),
        "closes": entry.closes,
        "metadata": entry.metadata.as_ref().map(metadata_json),
        "fingerprint": entry.fingerprint.map(|fingerprint| hex(fingerprint.digest())),
        "from": entry.from.as_ref().map(|from| from.to_string_lossy().into_owned()),
        "dirty": entry.dirty,
    })
}

/// Metadata as JSON; what is not UTF-8 loses what cannot be said in it.
pub(crate) fn metadata_json(metadata: &Metadata) -> serde_json::Value {
    json!({
        "kind": metadata.kind.to_string(),
        "mode": format!("{:04o}", metadata.mode),
        "uid": metadata.uid,
        "gid": metadata.gid,
        "user": String::from_utf8_lossy(&metadata.user),
        "group": String::from_utf8_lossy(&metadata.group),
        "size": metadata.size,
        "mtime": metadata.modified.seconds,
        "mtime_ns": metadata.modified.nanoseconds,
        "flags": metadata.flags,
        "device": [metadata.device.0, metadata.device.1],
        "target": String::from_utf8_lossy(&metadata.target),
    })
}
