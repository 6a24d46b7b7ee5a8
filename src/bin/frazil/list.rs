//! `frazil list`: what is in the archive of one level.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use clap::Args;
use frazil::{Action, ArchiveEntry, ArchiveSummary, EntryKind, LevelHeader, Metadata, list_archive};
use serde_json::json;

use crate::failure::Failure;
use crate::input::Input;
use crate::kind::Kind;
use crate::place::Place;
use crate::progress::action_name;
use crate::report::{Report, count, hex, human, insert_bytes, insert_input, insert_path, one_line, plain, seconds};
use crate::session::Session;

const AFTER_HELP: &str = "\
A line for each record of the level, in the order of a walk; times are UTC. The first letter says how the entry \
comes to be: F it is here whole, D by a delta, C with the content of a file of the level before, L as a further \
name of a file, M by its metadata alone; X it is gone, V it could not be read. A directory may come twice, where \
it opens and where it closes. What is not in the list is as the level before has it.

The whole archive is verified on the way, as far as it can be without the level before. Exit status 1 if it is \
damaged, and what was listed until then is not to be trusted; 3 if the backup had problems.

With --json, a line for each record, and the summary as the last. A path that is not UTF-8 has U+FFFD in it where \
it cannot be said, and its bytes beside it, in hexadecimal, as path_bytes; from and target likewise.

Examples:
  frazil list home.1
  ssh host cat home.1 | frazil list -
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
    let input = session.watched(Input::open_kind(&arguments.archive, Kind::Archive)?);
    let mut failure = None;
    let summary = list_archive(input, |entry| match session.common.json {
        true => session.line_or_stop(to_json(&entry), &mut failure),
        false => session.line_or_stop(to_text(&entry), &mut failure),
    });
    if let Some(failure) = failure {
        return Err(failure);
    }
    let summary = summary.map_err(|error| Failure::inside(&name, error))?;
    if summary.totals.problems > 0 {
        session.problem(partial(&name, summary.totals.problems));
    }
    let text = format!(
        "{name}: level {} ({}), {}, {} of content, {}",
        summary.header.number,
        summary.header.id,
        count(summary.totals.records, "record"),
        human(summary.totals.content_bytes),
        seconds(session.elapsed()),
    );
    let mut json = archive_json(&arguments.archive, &summary);
    json["command"] = "list".into();
    Ok(Report::new(text, json, false))
}

/// What there is to say of a backup that had problems.
pub(crate) fn partial(name: &str, problems: u64) -> String {
    format!("{name}: the backup had {}, so this level is partial", count(problems, "problem"))
}

/// Which level this is, as JSON.
pub(crate) fn header_json(header: &LevelHeader) -> serde_json::Value {
    json!({
        "level": header.number,
        "level_id": header.id.to_string(),
        "parent_id": header.parent.map(|id| id.to_string()),
        "root_id": header.root.to_string(),
        "block_len": header.block_len,
        "created": header.created,
    })
}

/// What an archive is as a whole, as JSON.
pub(crate) fn archive_json(archive: &Place, summary: &ArchiveSummary) -> serde_json::Value {
    let mut json = header_json(&summary.header);
    insert_input(&mut json, "archive", archive);
    json["records"] = summary.totals.records.into();
    json["content_bytes"] = summary.totals.content_bytes.into();
    json["backup_problems"] = summary.totals.problems.into();
    json
}

/// The line of an entry for a person.
pub(crate) fn to_text(entry: &ArchiveEntry) -> String {
    let path = one_line(&entry.path);
    let letter = match entry.action {
        Action::Delete => 'X',
        action => action_name(action).chars().next().map_or('?', |letter| letter.to_ascii_uppercase()),
    };
    let mut line = match &entry.metadata {
        Some(metadata) => format!("{letter} {}", describe(metadata)),
        None => format!("{letter} {:57}", ""),
    };
    line += &format!(" {path}");
    if let Some(metadata) = entry.metadata.as_ref().filter(|metadata| metadata.kind == EntryKind::Symlink) {
        line += &format!(" -> {}", one_line(Path::new(OsStr::from_bytes(&metadata.target))));
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
        name => plain(&String::from_utf8_lossy(name)),
    };
    let owners = format!("{}/{}", owner(&metadata.user, metadata.uid), owner(&metadata.group, metadata.gid));
    let size = match metadata.kind {
        EntryKind::CharDevice | EntryKind::BlockDevice => format!("{},{}", metadata.device.0, metadata.device.1),
        _ => metadata.size.to_string(),
    };
    format!("{} {owners:<13} {size:>12} {}", mode(metadata), when(metadata.modified.seconds))
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

/// Seconds since 1970 as a date and a time, UTC.
pub(crate) fn when(seconds: i64) -> String {
    match jiff::Timestamp::from_second(seconds) {
        Ok(time) => time.strftime("%Y-%m-%d %H:%M:%S").to_string(),
        Err(_) => format!("{seconds:>19}"),
    }
}

/// The line of an entry as JSON.
pub(crate) fn to_json(entry: &ArchiveEntry) -> serde_json::Value {
    let mut json = json!({
        "action": action_name(entry.action),
        "closes": entry.closes,
        "metadata": entry.metadata.as_ref().map(metadata_json),
        "fingerprint": entry.fingerprint.map(|fingerprint| hex(fingerprint.digest())),
        "from": null,
        "dirty": entry.dirty,
    });
    insert_path(&mut json, "path", &entry.path);
    if let Some(from) = &entry.from {
        insert_path(&mut json, "from", from);
    }
    json
}

/// Metadata as JSON.
pub(crate) fn metadata_json(metadata: &Metadata) -> serde_json::Value {
    let mut json = json!({
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
    });
    insert_bytes(&mut json, "target", &metadata.target);
    json
}
