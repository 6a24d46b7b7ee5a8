//! `frazil verify`: archives alone, or a tree against the archives of its levels.

use std::path::{Path, PathBuf};

use clap::Args;
use frazil::{ArchiveSummary, Difference, Error, ErrorKind, LevelId, VerifyOptions, verify_archive, verify_tree};
use serde_json::json;

use crate::backup::SelectionArguments;
use crate::failure::Failure;
use crate::input::Input;
use crate::kind::Kind;
use crate::list::{archive_json, header_json, partial};
use crate::place::{Place, check_one_standard_input};
use crate::report::{Report, count, human, insert_path, one_line, seconds};
use crate::session::Session;

const AFTER_HELP: &str = "\
Without --tree each archive is verified by itself: its framing and digests, the content of what is there \
whole, and the bounds of deltas. What a delta makes is its claim, which only a restore proves, or --tree. An \
archive that was not made against the one before it is named, unless it is a level 0, which begins a chain. With \
--tree the archives are a chain from level 0 up, and every difference between what they say and the tree is \
printed, one a line. Options that leave something out, and --dereference, are those that the backup had.

Exit status 1 if an archive is damaged, 3 if the tree differs, the backup had problems, or an archive does not \
follow the one before it. With --json, a line for \
each difference, and the summary as the last; a path that is not UTF-8 has its bytes, in hexadecimal, as path_bytes.

Examples:
  frazil verify home.0 home.1
  ssh host cat home.1 | frazil verify -
  frazil verify --tree /home --exclude '*.o' home.0 home.1";

/// Verify archives, or a tree against them
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    /// Hold this tree against the levels
    #[arg(long, value_name = "DIR")]
    tree: Option<PathBuf>,
    #[command(flatten)]
    selection: SelectionArguments,
    /// Hold what symbolic links lead to against the levels, as a backup with this option has it in their place
    #[arg(long, requires = "tree")]
    dereference: bool,
    /// The archives, lowest level first
    #[arg(required = true, num_args = 1.., value_name = "ARCHIVE")]
    archives: Vec<Place>,
}

pub(crate) fn run(arguments: &Arguments, session: &Session) -> Result<Report, Failure> {
    check_one_standard_input(&arguments.archives)?;
    match &arguments.tree {
        Some(tree) => against_tree(arguments, tree, session),
        None if arguments.selection.leaves_out() => {
            Err(Failure::usage("what was left out is of interest only beside a tree").advise("give --tree DIR"))
        }
        None => alone(arguments, session),
    }
}

fn alone(arguments: &Arguments, session: &Session) -> Result<Report, Failure> {
    let mut levels = Vec::new();
    let mut records = 0;
    let mut below: Option<(String, LevelId)> = None;
    for archive in &arguments.archives {
        let name = archive.as_input();
        let summary = read(archive, session)?;
        if summary.totals.problems > 0 {
            session.problem(partial(&name, summary.totals.problems));
        }
        let header = summary.header;
        if let Some((below, id)) = below.filter(|(_, id)| header.parent.is_some_and(|parent| parent != *id)) {
            session.problem(format!("{name}: was not made against {below} (level {id}), so it does not follow it"));
        }
        records += summary.totals.records;
        levels.push(archive_json(archive, &summary));
        below = Some((name, header.id));
    }
    let text = format!(
        "{} whole, {}, {}",
        count(levels.len() as u64, "archive"),
        count(records, "record"),
        seconds(session.elapsed())
    );
    let json = json!({ "command": "verify", "levels": levels, "seconds": session.elapsed().as_secs_f64() });
    Ok(Report::new(text, json, false))
}

/// Verifies an archive by itself.
fn read(archive: &Place, session: &Session) -> Result<ArchiveSummary, Failure> {
    let input = session.watched(Input::open_kind(archive, Kind::Archive)?);
    verify_archive(input, None).map_err(|error| Failure::inside(archive.as_input(), error))
}

/// What has gone wrong with one of several archives, which are read side by side: whatever is wrong with the first
/// that cannot be read alone, since that has a name.
fn named(archives: &[Place], session: &Session, failure: Failure) -> Failure {
    let again = archives.iter().filter(|archive| archive.path().is_some_and(Path::is_file));
    again.map(|archive| read(archive, session)).find_map(Result::err).unwrap_or(failure)
}

fn against_tree(arguments: &Arguments, tree: &Path, session: &Session) -> Result<Report, Failure> {
    let inputs: Vec<_> =
        arguments.archives.iter().map(|place| Input::open_kind(place, Kind::Archive)).collect::<Result<_, _>>()?;
    let options = VerifyOptions::new()
        .selection(arguments.selection.selection()?)
        .dereference(arguments.dereference)
        .observer(session.observer());
    let mut failure = None;
    let each = |difference: &Difference| match session.common.json {
        true => {
            let mut json = json!({ "what": difference.what.to_string() });
            insert_path(&mut json, "path", &difference.path);
            session.line_or_stop(json, &mut failure)
        }
        false => {
            let line = format!("{}: {}", one_line(&difference.path), difference.what);
            session.line_or_stop(line, &mut failure)
        }
    };
    let result = verify_tree(inputs, tree, options, each);
    if let Some(failure) = failure {
        return Err(failure);
    }
    let summary = result.map_err(|error: Error| {
        let kind = error.kind();
        let failure = Failure::of(format_args!("verifying {}", one_line(tree)), error);
        match kind {
            ErrorKind::WrongBasis => failure.advise("give the archives of one chain in order, from level 0 up"),
            ErrorKind::Io | ErrorKind::Cancelled => failure,
            _ => named(&arguments.archives, session, failure),
        }
    })?;
    if summary.differences > 0 {
        let differences = count(summary.differences, "difference");
        session.problem(format!("{}: {differences} from what its levels say", one_line(tree)));
    }
    let text = format!(
        "{}: {} held against level {}, {} read, {}, {}",
        one_line(tree),
        count(summary.entries, "entry"),
        summary.header.number,
        human(summary.source_bytes),
        count(summary.differences, "difference"),
        seconds(session.elapsed()),
    );
    let mut json = header_json(&summary.header);
    json["command"] = "verify".into();
    json["entries"] = summary.entries.into();
    json["source_bytes"] = summary.source_bytes.into();
    json["differences"] = summary.differences.into();
    json["seconds"] = session.elapsed().as_secs_f64().into();
    Ok(Report::new(text, json, false))
}
