//! What a restore would do, entry by entry.

use std::fs::File;
use std::io::{self, Seek};
use std::path::{Path, PathBuf};

use frazil::{Action, ArchiveEntry, EntryKind, RestoreOptions, RestoreSummary, list_archive, restore_tree};

use crate::advice::failure_of;
use crate::failure::Failure;
use crate::input::Input;
use crate::kind::Kind;
use crate::list::{to_json, to_text};
use crate::place::Place;
use crate::restore::Arguments;
use crate::session::Session;

/// Takes the archive for a restore that changes nothing, and then prints what it would have done.
pub(crate) fn run(
    archive: &Place,
    destination: &Path,
    options: RestoreOptions,
    arguments: &Arguments,
    session: &Session,
) -> Result<RestoreSummary, Failure> {
    let name = archive.as_input();
    let failed = |error| Failure::io(format_args!("reading {name}"), error);
    let mut file = session.seekable(Input::open_kind(archive, Kind::Archive)?).map_err(failed)?;
    let len = file.metadata().map_err(failed)?.len();
    let reading = |file: &File| -> io::Result<_> { Ok(session.watched_file(file.try_clone()?, len)) };
    let mut summary = restore_tree(reading(&file).map_err(failed)?, destination, options)
        .map_err(|error| failure_of(error, Some(archive), destination, arguments))?;
    // Of an archive that is damaged only a restore finds out what is whole.
    if summary.already_there || summary.is_partial() {
        return Ok(summary);
    }
    file.rewind().map_err(failed)?;
    (summary.files, summary.output_bytes) = (0, 0);
    let mut failure = None;
    let listed = list_archive(reading(&file).map_err(failed)?, |entry| match placed(entry, arguments) {
        None => Ok(()),
        Some(entry) => {
            count(&entry, &mut summary);
            match session.common.json {
                true => session.line_or_stop(to_json(&entry), &mut failure),
                false => session.line_or_stop(to_text(&entry), &mut failure),
            }
        }
    });
    match (failure, listed) {
        (Some(failure), _) => Err(failure),
        (None, Err(error)) => Err(Failure::inside(&name, error)),
        (None, Ok(_)) => Ok(summary),
    }
}

/// Counts what would be written.
fn count(entry: &ArchiveEntry, summary: &mut RestoreSummary) {
    let has_content = matches!(entry.action, Action::Full | Action::Delta | Action::Copy);
    let metadata = entry.metadata.as_ref().filter(|metadata| has_content && metadata.kind == EntryKind::File);
    if let Some(metadata) = metadata {
        summary.files += 1;
        summary.output_bytes += metadata.size;
    }
}

/// The entry as it would be in the destination, if it would be there.
fn placed(mut entry: ArchiveEntry, arguments: &Arguments) -> Option<ArchiveEntry> {
    let place = place(&entry.path, arguments)?;
    let is_root = place.as_os_str().is_empty();
    if entry.action == Action::Void || (is_root && entry.action == Action::Delete) {
        return None;
    }
    entry.path = if is_root { PathBuf::from(".") } else { place };
    entry.from = entry.from.and_then(|from| self::place(&from, arguments));
    Some(entry)
}

/// Where a path of the archive would go: selected with what is above it and below, less the names that are left out,
/// and below the prefix.
fn place(path: &Path, arguments: &Arguments) -> Option<PathBuf> {
    let path = path.strip_prefix(".").unwrap_or(path);
    let is_selected = |selected: &Path| path.starts_with(selected) || selected.starts_with(path);
    if !arguments.path.is_empty() && !arguments.path.iter().any(|selected| is_selected(Path::new(selected))) {
        return None;
    }
    let mut names = path.components();
    for _ in 0..arguments.strip {
        names.next()?;
        if names.as_path().as_os_str().is_empty() {
            return None;
        }
    }
    let rest = names.as_path();
    Some(match &arguments.prefix {
        None => rest.to_owned(),
        // Joined to nothing, it would get a slash.
        Some(prefix) => Path::new(prefix).components().chain(rest.components()).collect(),
    })
}
