//! `frazil verify`: archives alone, or a tree against the archives of its levels.

use std::path::PathBuf;

use clap::Args;
use frazil::{Difference, Error, ErrorKind, VerifyOptions, verify_archive, verify_tree};
use serde_json::json;

use crate::backup::SelectionArguments;
use crate::failure::Failure;
use crate::input::Input;
use crate::list::one_line;
use crate::place::{Place, check_one_standard_input};
use crate::report::{Report, count, human, print, seconds};
use crate::session::Session;

const AFTER_HELP: &str = "\
Without --tree each archive is verified by itself: its framing and digests, the content of what is there \
whole, and the bounds of deltas. What a delta makes is its claim: restoring it, or --tree, proves that. With \
--tree the archives are a chain from level 0 up, and every difference between what they say and the tree is \
printed. Exit status 1 if an archive is damaged, 3 if the tree differs.

Examples:
  frazil verify home.0 home.1
  frazil verify --tree /home home.0 home.1";

/// Verify archives, or a tree against them
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    /// Hold this tree against the levels
    #[arg(long, value_name = "DIR")]
    tree: Option<PathBuf>,
    #[command(flatten)]
    selection: SelectionArguments,
    /// The archives, lowest level first
    #[arg(required = true, num_args = 1.., value_name = "ARCHIVE")]
    archives: Vec<Place>,
}

pub(crate) fn run(arguments: &Arguments, session: &Session) -> Result<Report, Failure> {
    check_one_standard_input(&arguments.archives)?;
    match &arguments.tree {
        Some(tree) => against_tree(arguments, tree, session),
        None => alone(arguments, session),
    }
}

fn alone(arguments: &Arguments, session: &Session) -> Result<Report, Failure> {
    let mut levels = Vec::new();
    let mut records = 0;
    for archive in &arguments.archives {
        let name = archive.as_input();
        let input = session.watched(Input::open(archive)?);
        let summary = verify_archive(input, None).map_err(|error| Failure::of(&name, error))?;
        if summary.totals.problems > 0 {
            session.problem(format!("{name}: this backup is partial: {} problems", summary.totals.problems));
        }
        records += summary.totals.records;
        levels.push(json!({
            "archive": name,
            "level": summary.header.number,
            "level_id": summary.header.id.to_string(),
            "parent_id": summary.header.parent.map(|id| id.to_string()),
            "records": summary.totals.records,
            "content_bytes": summary.totals.content_bytes,
            "problems": summary.totals.problems,
        }));
    }
    let text = format!(
        "{} whole, {}, {}",
        count(levels.len() as u64, "archive"),
        count(records, "record"),
        seconds(session.elapsed())
    );
    Ok(Report::new(text, json!({ "command": "verify", "levels": levels }), false))
}

fn against_tree(arguments: &Arguments, tree: &PathBuf, session: &Session) -> Result<Report, Failure> {
    let inputs: Vec<_> = arguments.archives.iter().map(Input::open).collect::<Result<_, _>>()?;
    let options = VerifyOptions::new().selection(arguments.selection.selection()?).observer(session.observer(false));
    let mut failure = None;
    let each = |difference: &Difference| {
        let line = match session.common.json {
            true => {
                json!({ "path": difference.path.to_string_lossy(), "what": difference.what.to_string() }).to_string()
            }
            false => format!("{}: {}", one_line(&difference.path), difference.what),
        };
        print(&(line + "\n")).map_err(|failed| {
            failure = Some(failed);
            Error::from(std::io::Error::other("output"))
        })
    };
    let result = verify_tree(inputs, tree, options, each);
    if let Some(failure) = failure {
        return Err(failure);
    }
    let summary = result.map_err(|error| {
        let kind = error.kind();
        let failure = Failure::of(format_args!("verifying {}", tree.display()), error);
        match kind {
            ErrorKind::WrongBasis => Failure::usage(failure.to_string()),
            _ => failure,
        }
    })?;
    if summary.differences > 0 {
        let differences = count(summary.differences, "difference");
        session.problem(format!("{}: {differences} from what its levels say", tree.display()));
    }
    let text = format!(
        "{}: {} held against level {}, {} read, {}, {}",
        tree.display(),
        count(summary.entries, "entry"),
        summary.header.number,
        human(summary.source_bytes),
        count(summary.differences, "difference"),
        seconds(session.elapsed()),
    );
    let json = json!({
        "command": "verify",
        "level": summary.header.number,
        "level_id": summary.header.id.to_string(),
        "entries": summary.entries,
        "source_bytes": summary.source_bytes,
        "differences": summary.differences,
        "seconds": session.elapsed().as_secs_f64(),
    });
    Ok(Report::new(text, json, false))
}
