//! `frazil restore`: the levels of a tree, one after the other, as they come.

use std::fs::File;
use std::path::Path;

use clap::{Args, ValueEnum};
use frazil::{
    Error, ErrorKind, LevelId, RestoreOptions, RestoreSummary, SyncMode, archive_header, conclude_restore,
    recover_restore, restore_tree, restored_level,
};
use serde_json::json;

use crate::failure::Failure;
use crate::input::Input;
use crate::kind::Kind;
use crate::list::{header_json, partial};
use crate::options::parse_size;
use crate::place::{Place, check_one_standard_input};
use crate::report::{Report, count, human, seconds};
use crate::session::Session;
use crate::table::Table;

const AFTER_HELP: &str = "\
Give the archives in order, level 0 first; DEST is made if it is not there. Each level is verified to its end \
before anything of it appears, and appears whole or not at all. While levels are still to come (--more), DEST \
keeps a directory .frazil-restore that says where it stands; the next run goes on from there. A run that was \
killed is finished, or undone, by the next; without archives, nothing else is done, and with the same archives \
it goes on from the level that DEST stands at.

Level 0 wants an empty DEST, or --overwrite. A user other than root restores no owners and no devices; root restores \
set-id bits, devices and attributes of the system with --privileged alone. What could not be restored as it was is \
named, and the exit status is 3. With --keep-going, what is whole of a damaged archive is restored, and the next \
level then wants --accept-partial.

A dry run is of one archive, onto the level that DEST stands at; frazil verify verifies any number.

Examples:
  frazil restore home.0 home.1 home.2 /restored
  ssh host cat home.0 | frazil restore --more - /restored
  frazil restore --path user/letters home.0 home.1 /restored
  frazil restore /restored";

/// Restore a tree of files from its levels, in order
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    /// Replace what is in the way; DEST need not be empty
    #[arg(long)]
    overwrite: bool,
    /// More levels will come: keep note in DEST of the level that it stands at
    #[arg(long)]
    more: bool,
    /// The level that DEST stands at, where it does not say so itself
    #[arg(long, value_name = "LEVEL_ID")]
    assume_parent: Option<LevelId>,
    /// Go on from a level that was restored in part
    #[arg(long)]
    accept_partial: bool,
    /// Restore what is whole of a damaged archive
    #[arg(long)]
    keep_going: bool,
    /// As root, restore devices, set-id bits and attributes of the system too
    #[arg(long)]
    privileged: bool,
    /// As root, restore owners by number rather than by name
    #[arg(long)]
    numeric_owner: bool,
    /// Give what belongs to the user FROM to the user TO, both by number
    #[arg(long, value_name = "FROM:TO", value_parser = parse_pair)]
    map_user: Vec<(u32, u32)>,
    /// Give what belongs to the group FROM to the group TO, both by number
    #[arg(long, value_name = "FROM:TO", value_parser = parse_pair)]
    map_group: Vec<(u32, u32)>,
    /// Restore this path and what is below it alone; may be given several times
    #[arg(long, value_name = "PATH")]
    path: Vec<std::ffi::OsString>,
    /// Leave out the first N names of each path
    #[arg(long, value_name = "N", default_value_t = 0)]
    strip: usize,
    /// Put everything below PATH in DEST
    #[arg(long, value_name = "PATH")]
    prefix: Option<std::ffi::OsString>,
    /// Read and verify everything, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// When to flush what was restored to the disk
    #[arg(long, value_name = "WHEN", default_value = "level")]
    sync: SyncName,
    /// The most bytes that one file may have [default: 1TiB]
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    max_file: Option<u64>,
    /// The most bytes that all files of one level may have [default: no limit]
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    max_output: Option<u64>,
    /// Read what is replaced, deleted or given other metadata, and refuse it unless it is as the level before had it
    #[arg(long)]
    verify_parent: bool,
    /// The archives, lowest level first, and the directory that they are restored to
    #[arg(required = true, num_args = 1.., value_name = "ARCHIVE... DEST")]
    places: Vec<Place>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum SyncName {
    /// The whole level, twice
    Level,
    /// Each file by itself too
    File,
}

fn parse_pair(text: &str) -> Result<(u32, u32), String> {
    let pair = text.split_once(':').and_then(|(from, to)| Some((from.parse().ok()?, to.parse().ok()?)));
    pair.ok_or_else(|| "expected two numbers with a colon between them".to_owned())
}

pub(crate) fn run(arguments: &Arguments, session: &Session) -> Result<Report, Failure> {
    let (archives, destination) = match arguments.places.split_last() {
        Some((Place::Path(destination), archives)) => (archives, destination),
        _ => return Err(Failure::usage("a tree is restored to a directory, not to standard output")),
    };
    if destination.metadata().is_ok_and(|data| !data.is_dir()) {
        return Err(Failure::usage(format!("{}: is not a directory", destination.display()))
            .advise("the directory to restore to comes last"));
    }
    if arguments.dry_run && archives.len() > 1 {
        return Err(Failure::usage("a dry run is of one archive, since the next needs what it would restore")
            .advise("frazil verify verifies several"));
    }
    check_one_standard_input(archives)?;
    let failed = |archive: Option<&Place>, error: Error| {
        let kind = error.kind();
        let failure = Failure::of(format_args!("restoring to {}", destination.display()), error);
        let failure = match archive {
            Some(archive) => failure.within(archive.as_input()),
            None => failure,
        };
        match kind {
            ErrorKind::Exists => failure.advise("give --overwrite to replace what is there"),
            ErrorKind::Limit => failure.advise("raise --max-file, or --max-output where it is given"),
            ErrorKind::InvalidInput => Failure::usage(failure.to_string()),
            ErrorKind::Corrupt | ErrorKind::Truncated | ErrorKind::Mismatch if !arguments.keep_going => {
                failure.advise("give --keep-going to restore what is whole")
            }
            _ => failure,
        }
    };
    if archives.is_empty() {
        let recovered =
            recover_restore(destination, Some(session.observer(false))).map_err(|error| failed(None, error))?;
        if recovered.is_partial() {
            session.problem(format!("{}: not all of the level is there", destination.display()));
        }
        let text = format!("{}: {recovered}", destination.display());
        let partial = recovered.is_partial();
        let json = json!({ "command": "restore", "recovered": recovered.to_string(), "partial": partial });
        return Ok(Report::new(text, json, false));
    }
    let options = options(arguments, session)?;
    let mut summaries = Vec::new();
    for archive in not_passed(archives, destination).map_err(|error| failed(None, error))? {
        let input = session.watched(Input::open_kind(archive, Kind::Archive)?);
        let summary =
            restore_tree(input, destination, options.clone()).map_err(|error| failed(Some(archive), error))?;
        if summary.backup_problems > 0 {
            session.problem(partial(&archive.as_input(), summary.backup_problems));
        }
        summaries.push(summary);
    }
    for path in summaries.last().iter().flat_map(|summary| &summary.missing) {
        session.problem(format!("{}: there is nothing of this path at this level", path.display()));
    }
    let partial = summaries.iter().any(|summary| summary.is_partial());
    if !arguments.more && !arguments.dry_run && !partial {
        conclude_restore(destination).map_err(|error| failed(None, error))?;
    }
    Ok(report(destination, arguments, &summaries, session))
}

/// The archives from the level on that the destination stands at: given again, a chain goes on from there.
///
/// Only files can be looked into beforehand. What cannot be read fails where it is restored.
fn not_passed<'a>(archives: &'a [Place], destination: &Path) -> frazil::Result<&'a [Place]> {
    if archives.len() == 1 || !destination.is_dir() {
        return Ok(archives);
    }
    let Some(stands_at) = restored_level(destination)? else { return Ok(archives) };
    let is_it = |archive: &Place| {
        let file = archive.path().filter(|path| path.is_file()).and_then(|path| File::open(path).ok());
        file.and_then(|file| archive_header(file).ok()).is_some_and(|header| header.id == stands_at)
    };
    Ok(&archives[archives.iter().rposition(is_it).unwrap_or_default()..])
}

fn options(arguments: &Arguments, session: &Session) -> Result<RestoreOptions, Failure> {
    use std::os::unix::ffi::OsStrExt;
    let usage = |error: Error| Failure::usage(error.to_string());
    let mut options = RestoreOptions::new()
        .overwrite(arguments.overwrite || session.common.force)
        .accept_partial(arguments.accept_partial)
        .keep_going(arguments.keep_going)
        .privileged(arguments.privileged)
        .numeric_owner(arguments.numeric_owner)
        .strip(arguments.strip)
        .dry_run(arguments.dry_run)
        .verify_parent(arguments.verify_parent)
        .threads(session.threads())
        .sync(match arguments.sync {
            SyncName::Level => SyncMode::Level,
            SyncName::File => SyncMode::File,
        })
        .observer(session.observer(false));
    if let Some(level) = arguments.assume_parent {
        options = options.assume_parent(level);
    }
    if let Some(bytes) = arguments.max_file {
        options = options.max_file_len(bytes);
    }
    if let Some(bytes) = arguments.max_output {
        options = options.max_output(bytes);
    }
    if let Some(prefix) = &arguments.prefix {
        options = options.prefix(prefix.as_bytes()).map_err(usage)?;
    }
    for path in &arguments.path {
        options = options.path(path.as_bytes()).map_err(usage)?;
    }
    for &(from, to) in &arguments.map_user {
        options = options.map_user(from, to);
    }
    for &(from, to) in &arguments.map_group {
        options = options.map_group(from, to);
    }
    Ok(options)
}

fn report(destination: &Path, arguments: &Arguments, levels: &[RestoreSummary], session: &Session) -> Report {
    let total = |figure: fn(&RestoreSummary) -> u64| levels.iter().map(figure).sum::<u64>();
    let last = levels.last();
    let mut table = Table::new(format!(
        "{}: {} {}, {} in {}",
        destination.display(),
        count(levels.len() as u64, "level"),
        if arguments.dry_run { "verified, nothing changed" } else { "restored" },
        count(total(|level| level.entries), "entry"),
        seconds(session.elapsed()),
    ));
    table
        .row("written", format!("{}, {}", count(total(|level| level.files), "file"), human(total(|l| l.output_bytes))));
    table.row("deleted", total(|level| level.deleted));
    let there = levels.iter().filter(|level| level.already_there).count();
    if there > 0 {
        table.row("stood there already", count(there as u64, "level"));
    }
    if let Some(last) = last {
        table.row("stands at", format!("level {} ({})", last.header.number, last.header.id));
    }
    if levels.iter().any(RestoreSummary::is_partial) {
        table.row("partial", "not everything was restored; the problems are named above");
    }
    let json = json!({
        "command": "restore",
        "dry_run": arguments.dry_run,
        "level": last.map(|level| level.header.number),
        "level_id": last.map(|level| level.header.id.to_string()),
        "partial": levels.iter().any(RestoreSummary::is_partial),
        "levels": levels.iter().map(level_json).collect::<Vec<_>>(),
        "seconds": session.elapsed().as_secs_f64(),
    });
    Report::new(table.into_text(), json, false)
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
