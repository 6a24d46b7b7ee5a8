//! What a restore says at its end.

use std::path::Path;

use frazil::{Recovery, RestoreSummary};
use serde_json::json;

use crate::list::header_json;
use crate::report::{Report, count, human, one_line, seconds};
use crate::restore::Arguments;
use crate::session::Session;
use crate::table::Table;

/// Of levels that were restored.
pub(crate) fn report(
    destination: &Path,
    arguments: &Arguments,
    levels: &[RestoreSummary],
    session: &Session,
) -> Report {
    let total = |figure: fn(&RestoreSummary) -> u64| levels.iter().map(figure).sum::<u64>();
    let last = levels.last();
    let is_partial = levels.iter().any(RestoreSummary::is_partial);
    let there = levels.iter().filter(|level| level.already_there).count() as u64;
    // What stands there already is verified too.
    let done = levels.len() as u64 - if arguments.dry_run { 0 } else { there };
    let (verb, written, deleted) = match arguments.dry_run {
        true => ("verified, nothing changed", "would write", "would delete"),
        false => ("restored", "written", "deleted"),
    };
    let mut table = Table::new(format!(
        "{}: {} {verb}, {} in {}",
        one_line(destination),
        count(done, "level"),
        count(total(|level| level.entries), "entry"),
        seconds(session.elapsed()),
    ));
    if there > 0 {
        table.row("stood there already", count(there, "level"));
    }
    table.row(written, format!("{}, {}", count(total(|level| level.files), "file"), human(total(|l| l.output_bytes))));
    table.row(deleted, total(|level| level.deleted));
    if let Some(last) = last {
        table.row("stands at", format!("level {} ({})", last.header.number, last.header.id));
    }
    if is_partial {
        let then = match arguments.conclude || arguments.dry_run {
            true => "",
            false => "; go on with --accept-partial, or end with frazil restore --conclude",
        };
        table.row("partial", format!("not everything is as the level has it{then}"));
    }
    let problems = total(|level| level.problems);
    if problems > 0 {
        table.row("problems", problems);
    }
    let json = json!({
        "command": "restore",
        "dry_run": arguments.dry_run,
        "level": last.map(|level| level.header.number),
        "level_id": last.map(|level| level.header.id.to_string()),
        "partial": is_partial,
        "levels": levels.iter().map(level_json).collect::<Vec<_>>(),
        "seconds": session.elapsed().as_secs_f64(),
    });
    let problems = problems + total(|level| level.backup_problems);
    Report::new(table.into_text(), json, false).partial(is_partial || problems > 0)
}

/// Of what a run before had left behind.
pub(crate) fn recovery(destination: &Path, recovered: Recovery, concluded: bool) -> Report {
    // Where no level was known, there was no chain to end.
    let concluded = concluded && recovered.level().is_some();
    let end = if concluded { "; its note of that was removed" } else { "" };
    let text = format!("{}: {recovered}{end}", one_line(destination));
    let is_partial = recovered.is_partial();
    let is_known = concluded && !matches!(recovered, Recovery::FinishedInPart(_));
    let json = json!({
        "command": "restore",
        "recovered": recovered.to_string(),
        "concluded": concluded,
        "partial": is_partial,
    });
    // Who ends a chain that is known to be there in part has what was asked for.
    Report::new(text, json, false).partial(is_partial && !is_known)
}

fn level_json(level: &RestoreSummary) -> serde_json::Value {
    let mut json = header_json(&level.header);
    json["entries"] = level.entries.into();
    json["files"] = level.files.into();
    json["output_bytes"] = level.output_bytes.into();
    json["deleted"] = level.deleted.into();
    json["problem_count"] = level.problems.into();
    json["backup_problems"] = level.backup_problems.into();
    json["partial"] = level.is_partial().into();
    json["already_there"] = level.already_there.into();
    json
}
