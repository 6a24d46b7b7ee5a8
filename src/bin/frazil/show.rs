//! `frazil show`: what a stream says of itself, and whether it is whole.

use std::fmt::Display;
use std::io::Seek;

use clap::Args;
use frazil::{
    ArchiveSummary, Inspection, LevelHeader, SealedKind, SnapshotEntry, SnapshotSummary, inspect, list_snapshot,
    verify_archive,
};
use serde_json::json;

use crate::failure::Failure;
use crate::input::Input;
use crate::kind::Kind;
use crate::list::{archive_json, describe, header_json, metadata_json, partial, when};
use crate::place::Place;
use crate::report::{
    Report, count, hex, human, identity_json, insert_path, one_line, params_json, percent, print, strong_name,
    weak_name,
};
use crate::session::Session;

const AFTER_HELP: &str = "\
The whole stream is read and everything is checked that can be without the content itself. What a delta \
says of its target is its claim: only restoring it proves that. Exit status 1 if the stream is damaged.

Of a snapshot, its level is shown, and then a line for each entry: what it is, and in brackets what else the next \
level is to know of it. With --json, a line for each entry, and the level as the last. Of an archive, its level \
alone is shown; frazil list lists what is in it.

Examples:
  frazil show level.1
  frazil show snap.1
  ssh host cat level.1 | frazil show --json -";

/// Say what a signature, delta, level, snapshot or archive is, and whether it is whole
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    /// A signature, delta or level, sealed or plain; or a snapshot or an archive
    file: Place,
}

pub(crate) fn run(arguments: &Arguments, session: &Session) -> Result<Report, Failure> {
    let name = arguments.file.as_input();
    let mut input = Input::open(&arguments.file)?;
    match input.kind(&arguments.file)? {
        Kind::Snapshot => snapshot(&name, input, session),
        Kind::Archive => archive(&arguments.file, "none", input, session),
        Kind::Compressed(filter) => archive(&arguments.file, filter, input, session),
        Kind::Signature | Kind::Delta | Kind::Tar | Kind::Foreign | Kind::Unknown => stream(&name, input, session),
    }
}

/// A signature or a delta.
fn stream(name: &str, input: Input, session: &Session) -> Result<Report, Failure> {
    let input = session.watched(input);
    let inspection = inspect(input).map_err(|error| Failure::of(name, error))?;
    session.end();
    if session.common.json {
        print(&format!("{}\n", to_json(&inspection)))?;
    } else {
        print(&to_text(name, &inspection))?;
    }
    match inspection.damage {
        Some(damage) => Err(Failure::of(name, damage)),
        None => Ok(Report::printed()),
    }
}

/// A snapshot is read twice: what is printed of it was verified, and how much it is stands before it.
fn snapshot(name: &str, input: Input, session: &Session) -> Result<Report, Failure> {
    let failed = |error: frazil::Error| Failure::of(name, error);
    let mut file = session.seekable(input).map_err(|error| Failure::io(name, error))?;
    let len = file.metadata().map_err(|error| Failure::io(name, error))?.len();
    let reading = session.watched_file(file.try_clone().map_err(|error| Failure::io(name, error))?, len);
    let summary = list_snapshot(reading, |_| Ok(())).map_err(failed)?;
    file.rewind().map_err(|error| Failure::io(name, error))?;
    if !session.common.json {
        session.end();
        print(&snapshot_text(name, &summary, len))?;
    }
    let mut failure = None;
    let reading = session.watched_file(file, len);
    let again = list_snapshot(reading, |entry| match session.common.json {
        true => session.line_or_stop(entry_json(&entry), &mut failure),
        false => session.line_or_stop(entry_text(&entry), &mut failure),
    });
    if let Some(failure) = failure {
        return Err(failure);
    }
    again.map_err(failed)?;
    if session.common.json {
        let mut json = header_json(&summary.header);
        json["kind"] = "snapshot".into();
        json["entries"] = summary.entries.into();
        json["stream_bytes"] = len.into();
        session.line(json)?;
    }
    Ok(Report::printed())
}

fn archive(place: &Place, filter: &str, input: Input, session: &Session) -> Result<Report, Failure> {
    let name = place.as_input();
    let mut input = session.watched(input);
    let summary = verify_archive(&mut input, None).map_err(|error| Failure::inside(&name, error))?;
    session.end();
    if summary.totals.problems > 0 {
        session.problem(partial(&name, summary.totals.problems));
    }
    if session.common.json {
        let mut json = archive_json(place, &summary);
        json["kind"] = "archive".into();
        json["filter"] = filter.into();
        json["stream_bytes"] = input.done().into();
        session.line(json)?;
    } else {
        print(&archive_text(&name, &summary, filter, input.done()))?;
    }
    Ok(Report::printed())
}

fn snapshot_text(name: &str, summary: &SnapshotSummary, len: u64) -> String {
    let mut lines = Lines(format!("{name}: the snapshot of a level {}\n", summary.header.number));
    lines.add_header(&summary.header);
    lines.add("entries", summary.entries);
    lines.add("stream", format_args!("{len} bytes"));
    lines.add("integrity", "whole: every check holds");
    lines.0
}

fn archive_text(name: &str, summary: &ArchiveSummary, filter: &str, len: u64) -> String {
    let mut lines = Lines(format!("{name}: the archive of a level {}\n", summary.header.number));
    lines.add_header(&summary.header);
    lines.add("records", format_args!("{}; frazil list lists them", summary.totals.records));
    lines.add("content", format_args!("{} bytes", summary.totals.content_bytes));
    lines.add("filter", filter);
    lines.add("stream", format_args!("{len} bytes"));
    lines.add("integrity", "whole: every check holds that needs no other level");
    lines.0
}

fn entry_text(entry: &SnapshotEntry) -> String {
    let mut line = format!("{} {}", describe(&entry.metadata), one_line(&entry.path));
    if let Some(link) = &entry.link {
        line += &format!(" (of {})", one_line(link));
    }
    let notes: Vec<_> = notes(entry).into_iter().filter_map(|(name, is)| is.then_some(name)).collect();
    if !notes.is_empty() {
        line += &format!(" [{}]", notes.join(", "));
    }
    line
}

/// What makes the next level look again.
fn notes(entry: &SnapshotEntry) -> [(&'static str, bool); 3] {
    [("dirty", entry.dirty), ("racy", entry.racy), ("stale", entry.stale)]
}

fn entry_json(entry: &SnapshotEntry) -> serde_json::Value {
    let mut json = json!({
        "metadata": metadata_json(&entry.metadata),
        "fingerprint": entry.fingerprint.map(|fingerprint| hex(fingerprint.digest())),
        "blocks": entry.blocks,
        "link": null,
    });
    insert_path(&mut json, "path", &entry.path);
    if let Some(link) = &entry.link {
        insert_path(&mut json, "link", link);
    }
    for (name, is) in notes(entry) {
        json[name] = is.into();
    }
    json
}

/// The lines for a person.
struct Lines(String);

impl Lines {
    fn add(&mut self, label: &str, value: impl Display) {
        self.0 += &format!("  {label:<14}{value}\n");
    }

    /// Which level of which chain.
    fn add_header(&mut self, header: &LevelHeader) {
        self.add("level id", header.id);
        match header.parent {
            Some(parent) => self.add("made against", parent),
            None => self.add("made against", "nothing: this is a level 0"),
        }
        self.add("level 0 is", header.root);
        self.add("blocks", format_args!("of {} bytes", header.block_len));
        self.add("begun", format_args!("{} UTC", when(header.created)));
    }
}

fn to_text(name: &str, inspection: &Inspection) -> String {
    let kind = inspection.kind;
    let mut lines = Lines(match inspection.version {
        Some(version) => format!("{name}: a sealed {kind}, format version {version}\n"),
        None => format!("{name}: a plain {kind} in librsync's format\n"),
    });
    if let Some(header) = &inspection.header {
        lines.add("stream id", header.stream_id);
    }
    if let Some(params) = &inspection.params {
        let (weak, strong) = (weak_name(params.weak()), strong_name(params.strong()));
        lines.add("sums", format_args!("{weak}, {strong} of {} bytes", params.strong_len()));
        lines.add("blocks", format_args!("{} of {} bytes", inspection.blocks, params.block_len()));
    }
    if kind == SealedKind::Delta {
        let header = inspection.header.as_ref();
        match header.and_then(|header| header.basis) {
            Some(basis) if basis.length() == 0 => lines.add("basis", "nothing: this is a level 0"),
            Some(basis) => lines.add("basis", basis),
            None => lines.add("basis", "unverified: the stream does not say what it was made against"),
        }
        if let Some(path) = header.and_then(|header| header.basis_path.as_deref()) {
            lines.add("basis path", String::from_utf8_lossy(path).escape_debug());
        }
        if let Some(block_len) = header.and_then(|header| header.match_block_len) {
            lines.add("matched", format_args!("blocks of {block_len} bytes"));
        }
        let commands = inspection.commands;
        let total = commands.target_bytes();
        let part =
            |bytes, number, what| format!("{} ({}) in {}", human(bytes), percent(bytes, total), count(number, what));
        lines.add("copied", part(commands.copy_bytes, commands.copy_commands, "range"));
        lines.add("literal", part(commands.literal_bytes, commands.literal_commands, "piece"));
        lines.add("zeros", part(commands.zero_bytes, commands.zero_runs, "run"));
        if inspection.identity.is_none() {
            lines.add("makes", format_args!("{total} bytes"));
        }
    }
    if let Some(identity) = &inspection.identity {
        let label = if kind == SealedKind::Delta { "target" } else { "content" };
        lines.add(label, identity.fingerprint());
        lines.add("CRC32", format_args!("{:08x}", identity.crc32()));
    }
    if inspection.dirty {
        lines.add("dirty", "the source changed while this was made of it");
    }
    if inspection.weak {
        lines.add("weak", "matched on sums on which a false match can be crafted");
    }
    lines.add("stream", format_args!("{} bytes", inspection.stream_bytes));
    match (&inspection.damage, inspection.version) {
        (Some(damage), _) => lines.add("integrity", format_args!("DAMAGED: {damage}")),
        (None, Some(_)) => lines.add("integrity", "whole: every check holds"),
        (None, None) => lines.add("integrity", "well-formed; the plain format has no checks"),
    }
    lines.0
}

fn to_json(inspection: &Inspection) -> serde_json::Value {
    let header = inspection.header.as_ref();
    let is_delta = inspection.kind == SealedKind::Delta;
    let commands = inspection.commands;
    json!({
        "kind": inspection.kind.to_string(),
        "format": if inspection.version.is_some() { "sealed" } else { "rdiff" },
        "version": inspection.version,
        "stream_id": header.map(|header| header.stream_id.to_string()),
        "params": inspection.params.as_ref().map(params_json),
        "blocks": inspection.params.map(|_| inspection.blocks),
        "basis": header.and_then(|header| header.basis).map(|basis| json!({
            "length": basis.length(),
            "fingerprint": hex(basis.digest()),
            "leaf_len": basis.leaf_len(),
        })),
        "match_block_len": header.and_then(|header| header.match_block_len),
        "target_block_len": header.and_then(|header| header.target_block_len),
        "commands": is_delta.then(|| json!({
            "copy_commands": commands.copy_commands,
            "copy_bytes": commands.copy_bytes,
            "literal_commands": commands.literal_commands,
            "literal_bytes": commands.literal_bytes,
            "zero_runs": commands.zero_runs,
            "zero_bytes": commands.zero_bytes,
            "target_bytes": commands.target_bytes(),
        })),
        "identity": inspection.identity.as_ref().map(identity_json),
        "dirty": inspection.dirty,
        "weak": inspection.weak,
        "stream_bytes": inspection.stream_bytes,
        "damage": inspection.damage.as_ref().map(ToString::to_string),
    })
}
