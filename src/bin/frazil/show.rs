//! `frazil show`: what a signature or a delta says of itself, and whether it is whole.

use std::fmt::Display;

use clap::Args;
use frazil::{Inspection, SealedKind, inspect};
use serde_json::json;

use crate::failure::Failure;
use crate::input::Input;
use crate::place::Place;
use crate::report::{Report, count, hex, human, identity_json, params_json, percent, print, strong_name, weak_name};
use crate::session::Session;

const AFTER_HELP: &str = "\
The whole stream is read and everything is checked that can be without the content itself. What a delta \
says of its target is its claim: only restoring it proves that. Exit status 1 if the stream is damaged.

Examples:
  frazil show level.1
  ssh host cat level.1 | frazil show --json -";

/// Say what a signature, delta or level is, and whether it is whole
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    /// A signature, delta or level, sealed or plain
    file: Place,
}

pub(crate) fn run(arguments: &Arguments, session: &Session) -> Result<Report, Failure> {
    let name = arguments.file.as_input();
    let input = session.watched(Input::open(&arguments.file)?);
    let inspection = inspect(input).map_err(|error| Failure::of(&name, error))?;
    session.end();
    if session.common.json {
        print(&format!("{}\n", to_json(&inspection)))?;
    } else {
        print(&to_text(&name, &inspection))?;
    }
    match inspection.damage {
        Some(damage) => Err(Failure::of(&name, damage)),
        None => Ok(Report::printed()),
    }
}

/// The lines for a person.
struct Lines(String);

impl Lines {
    fn add(&mut self, label: &str, value: impl Display) {
        self.0 += &format!("  {label:<14}{value}\n");
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
