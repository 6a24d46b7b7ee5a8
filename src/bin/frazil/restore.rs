//! `frazil restore`: the levels of a tree, one after the other, as they come.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use clap::{Args, ValueEnum};
use frazil::{
    Error, LevelHeader, LevelId, RestoreOptions, RestoreSummary, SyncMode, conclude_restore, recover_restore,
    restore_tree, restored_level,
};

use crate::advice::{failure_of, header_of};
use crate::failure::Failure;
use crate::input::Input;
use crate::kind::Kind;
use crate::list::partial;
use crate::options::{Threads, parse_size};
use crate::place::{Place, check_one_standard_input};
use crate::report::{Report, count, one_line};
use crate::restored::{recovery, report};
use crate::session::Session;

const AFTER_HELP: &str = "\
Give the archives in order, level 0 first; DEST is made if it is not there. Each level is verified to its end \
before anything of it appears, and appears whole or not at all. While levels are still to come (--more), DEST \
keeps a directory .frazil-restore that says where it stands; the next run goes on from there. A run that was \
killed is finished, or undone, by the next; without archives, nothing else is done, and with the same archives \
it goes on from the level that DEST stands at, or behind it, with --accept-partial, where that is there in part.

Level 0 wants an empty DEST, or --overwrite, with which a chain from level 0 up is restored anew, whatever DEST \
stands at. Without it, a level that DEST stands at already is only verified. A user other than root restores no \
owners and no devices; root restores set-id bits, devices and attributes of the system (trusted.*, security.*) \
with --privileged alone. What could not be restored as it was is named, and the exit status is 3.

With --keep-going, what is whole of a damaged archive is restored. The next level then wants --accept-partial, with \
which what is made from something missing is left out and named. DEST keeps .frazil-restore after a level that was \
restored in part; --conclude removes it.

With --path, what is a further name of a file that is not selected, or made from one, is left out and named, unless it \
has the content already: select that file too. \
Directories that lead to what is selected stay as they are where they are there; what is no directory leads nowhere, \
and is not restored. What is left after --strip has to come from one directory, since its order has to stay: with \
several at the top of the tree, select one by --path. \
What is mounted in DEST takes a restore of its own.

A dry run is of one archive, onto the level that DEST stands at, and lists what would be restored as frazil list \
does; frazil verify verifies any number.

Examples:
  frazil restore home.0 home.1 home.2 /restored
  ssh host cat home.0 | frazil restore --more - /restored
  frazil restore --path user/letters home.0 home.1 /restored
  frazil restore --dry-run home.0 /restored
  frazil restore /restored
  frazil restore --conclude /restored";

/// Restore a tree of files from its levels, in order
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    /// Replace what is in the way; DEST need not be empty
    #[arg(long, visible_alias = "force")]
    overwrite: bool,
    /// More levels will come: keep note in DEST of the level that it stands at
    #[arg(long)]
    more: bool,
    /// No more levels will come: remove that note, also after a level that was restored in part
    #[arg(long, conflicts_with_all = ["more", "dry_run"])]
    pub(crate) conclude: bool,
    /// The level that DEST stands at, where it does not say so itself
    #[arg(long, value_name = "LEVEL_ID")]
    assume_parent: Option<LevelId>,
    /// Go on from a level that was restored in part, and leave out what its gaps are in the way of
    #[arg(long)]
    accept_partial: bool,
    /// Restore what is whole of a damaged archive, and what can be where DEST is not as the level before was
    #[arg(long)]
    pub(crate) keep_going: bool,
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
    pub(crate) path: Vec<OsString>,
    /// Leave out the first N names of each path; what is left has to come from one directory
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = parse_names)]
    pub(crate) strip: usize,
    /// Put everything below PATH in DEST
    #[arg(long, value_name = "PATH")]
    pub(crate) prefix: Option<OsString>,
    /// Read and verify everything, list what would be restored, and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
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
    #[command(flatten)]
    threads: Threads,
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

fn parse_names(text: &str) -> Result<usize, String> {
    text.parse().map_err(|_| "expected a number of names".to_owned())
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
    if destination.as_os_str().is_empty() {
        return Err(Failure::usage("the directory to restore to has no name"));
    }
    if destination.metadata().is_ok_and(|data| !data.is_dir()) {
        return Err(Failure::usage(format!("{}: is not a directory", one_line(destination)))
            .advise("the directory to restore to comes last"));
    }
    if arguments.dry_run && archives.is_empty() {
        return Err(Failure::usage("a dry run needs an archive, and the directory to restore to comes behind it"));
    }
    if arguments.dry_run && archives.len() > 1 {
        return Err(Failure::usage("a dry run is of one archive, since the next needs what it would restore")
            .advise("frazil verify verifies any number"));
    }
    check_one_standard_input(archives)?;
    let failed = |archive: Option<&Place>, error: Error| failure_of(error, archive, destination, arguments);
    if archives.is_empty() {
        // A name that was mistyped is none of a restore that was killed.
        destination.metadata().map_err(|error| failed(None, error.into()))?;
        let recovered = recover_restore(destination, Some(session.observer())).map_err(|error| failed(None, error))?;
        if arguments.conclude {
            conclude_restore(destination).map_err(|error| failed(None, error))?;
        } else if recovered.is_partial() {
            session.problem(format!("{}: not all of the level is there", one_line(destination)));
        }
        return Ok(recovery(destination, recovered, arguments.conclude));
    }
    let mut options = options(arguments, session)?;
    let log = arguments.dry_run.then(|| session.dry_run_observer());
    if let Some(log) = &log {
        options = options.observer(log.clone());
    }
    let mut summaries = Vec::new();
    // Only files can be looked into beforehand. What cannot be read fails where it is restored.
    let headers: Vec<_> = match archives {
        [_] => vec![None],
        _ => archives.iter().map(header_of).collect(),
    };
    let passed = passed(&headers, destination, arguments, session).map_err(|error| failed(None, error))?;
    check_order(&archives[passed..], &headers[passed..], arguments)?;
    for archive in &archives[passed..] {
        let input = session.watched(Input::open_kind(archive, Kind::Archive)?);
        let restored = restore_tree(input, destination, options.clone());
        if let Some(failure) = log.as_ref().and_then(|log| log.take_failure()) {
            return Err(failure);
        }
        let summary = restored.map_err(|error| failed(Some(archive), error))?;
        if summary.backup_problems > 0 {
            session.problem(partial(&archive.as_input(), summary.backup_problems));
        }
        summaries.push(summary);
    }
    for path in summaries.last().iter().flat_map(|summary| &summary.missing) {
        session.problem(format!("{}: there is nothing of this path at this level", one_line(path)));
    }
    // Of any tree, there is at least its root.
    let is_nothing = |summary: &RestoreSummary| !summary.already_there && summary.header.parent.is_none();
    if arguments.strip > 0
        && arguments.path.is_empty()
        && summaries.first().is_some_and(is_nothing)
        && summaries.iter().all(|summary| summary.entries == 0)
    {
        session.problem(format!(
            "nothing is left of any path without its first {}",
            count(arguments.strip as u64, "name")
        ));
    }
    let is_whole = summaries.iter().all(|summary| !summary.is_partial());
    if arguments.conclude || (!arguments.more && !arguments.dry_run && is_whole) {
        conclude_restore(destination).map_err(|error| failed(None, error))?;
    }
    Ok(report(destination, arguments, &summaries, session))
}

/// Fails before the first is restored where one does not go onto the one before it, as far as is known.
fn check_order(archives: &[Place], headers: &[Option<LevelHeader>], arguments: &Arguments) -> Result<(), Failure> {
    for (places, headers) in archives.windows(2).zip(headers.windows(2)) {
        let (Some(below), Some(header)) = (headers[0], headers[1]) else { continue };
        let begins_anew = arguments.overwrite && header.parent.is_none();
        if header.id != below.id && header.parent != Some(below.id) && !begins_anew {
            let (name, before) = (places[1].as_input(), places[0].as_input());
            let what = format!("{name}: was not made against {before} (level {}), so it does not follow it", below.id);
            return Err(Failure::new(what).advise("restore the levels in order, from level 0 up"));
        }
    }
    Ok(())
}

/// How many of the archives are not to be restored again: given again, a chain goes on from the level that the
/// destination stands at, which is verified once more, and behind it where what is there in part is accepted.
/// Overwriting, a chain from level 0 up begins anew.
fn passed(
    headers: &[Option<LevelHeader>],
    destination: &Path,
    arguments: &Arguments,
    session: &Session,
) -> frazil::Result<usize> {
    if headers.len() < 2 {
        return Ok(0);
    }
    let begins_at_0 = headers[0].is_none_or(|header| header.parent.is_none());
    if arguments.overwrite && !arguments.accept_partial && begins_at_0 {
        return Ok(0);
    }
    let Some(stands_at) = restored_level(destination)? else { return Ok(0) };
    let is_it = |header: &Option<LevelHeader>| header.is_some_and(|header| header.id == stands_at);
    let Some(at) = headers.iter().rposition(is_it) else { return Ok(0) };
    // Whether a level is there in part is only known when its publishing is over. The last one has nothing behind
    // it to go on with, and is refused with what can be done.
    let is_behind = arguments.accept_partial
        && at + 1 < headers.len()
        && recover_restore(destination, Some(session.observer()))?.is_partial();
    Ok(at + usize::from(is_behind))
}

fn options(arguments: &Arguments, session: &Session) -> Result<RestoreOptions, Failure> {
    let usage = |option: &str, path: &OsStr, error: Error| {
        Failure::usage(format!("{option} {}: {error}", one_line(Path::new(path))))
            .advise("frazil list shows paths as they are taken")
    };
    let mut options = RestoreOptions::new()
        .overwrite(arguments.overwrite)
        .accept_partial(arguments.accept_partial)
        .keep_going(arguments.keep_going)
        .privileged(arguments.privileged)
        .numeric_owner(arguments.numeric_owner)
        .strip(arguments.strip)
        .dry_run(arguments.dry_run)
        .verify_parent(arguments.verify_parent)
        .threads(arguments.threads.number())
        .sync(match arguments.sync {
            SyncName::Level => SyncMode::Level,
            SyncName::File => SyncMode::File,
        })
        .observer(session.observer());
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
        options = options.prefix(prefix.as_bytes()).map_err(|error| usage("--prefix", prefix, error))?;
    }
    for path in &arguments.path {
        options = options.path(path.as_bytes()).map_err(|error| usage("--path", path, error))?;
    }
    check_owners("--map-user", &arguments.map_user)?;
    check_owners("--map-group", &arguments.map_group)?;
    for &(from, to) in &arguments.map_user {
        options = options.map_user(from, to);
    }
    for &(from, to) in &arguments.map_group {
        options = options.map_group(from, to);
    }
    Ok(options)
}

/// Nobody can become two.
fn check_owners(option: &str, pairs: &[(u32, u32)]) -> Result<(), Failure> {
    let twice = |&(from, to): &(u32, u32)| pairs.iter().any(|&(other, another)| other == from && another != to);
    match pairs.iter().find(|pair| twice(pair)) {
        None => Ok(()),
        Some((from, _)) => Err(Failure::usage(format!("{option}: {from} is given to two others"))),
    }
}
