//! Why a level was not restored, and what can be done about it.

use std::fs::File;
use std::path::Path;

use frazil::{Error, ErrorDetail, ErrorKind, LevelHeader, archive_header, restored_level};

use crate::failure::Failure;
use crate::place::Place;
use crate::report::one_line;
use crate::restore::Arguments;

/// What a restore keeps in its destination.
const NOTE: &str = ".frazil-restore";

/// The failure of a restore, with advice for its cause.
pub(crate) fn failure_of(error: Error, archive: Option<&Place>, destination: &Path, arguments: &Arguments) -> Failure {
    let (kind, detail) = (error.kind(), error.detail());
    let is_of_entry = error.file().is_some_and(|file| file != destination);
    let is_of_note = error.file().is_some_and(|file| file.starts_with(destination.join(NOTE)));
    let failure = Failure::of(format_args!("restoring to {}", one_line(destination)), error);
    let failure = match archive {
        Some(archive) => failure.within(archive.as_input()),
        None => failure,
    };
    if let Some(advice) = detail.and_then(of_detail) {
        return failure.advise(advice);
    }
    match kind {
        ErrorKind::Exists => failure.advise("give --overwrite to replace what is there"),
        ErrorKind::InvalidInput => Failure::usage(failure.to_string()),
        ErrorKind::WrongBasis if is_of_entry => failure.advise("give --keep-going to restore the rest"),
        ErrorKind::WrongBasis => failure.advise(of_level(archive, destination, arguments)),
        ErrorKind::Corrupt | ErrorKind::Truncated | ErrorKind::Mismatch | ErrorKind::Limit
            if !arguments.keep_going && !is_of_note =>
        {
            failure.advise("give --keep-going to restore what is whole")
        }
        ErrorKind::Corrupt | ErrorKind::Truncated if is_of_note => failure.advise(format!(
            "remove {}, and restore the levels anew, from level 0 up, with --overwrite",
            one_line(&destination.join(NOTE))
        )),
        _ => failure,
    }
}

/// What helps against just this. Limits without a detail are those of the format, and what is beyond them is damage
/// like any other.
fn of_detail(detail: ErrorDetail) -> Option<&'static str> {
    match detail {
        ErrorDetail::FileTooLong => Some("raise --max-file"),
        ErrorDetail::LevelTooLong => Some("raise --max-output"),
        ErrorDetail::NoArchive => Some("this is no archive; frazil backup makes archives"),
        ErrorDetail::BeyondArchive => Some("give one archive at a time: restore it with --more, and then the next"),
        _ => None,
    }
}

/// When the destination does not stand where it should.
fn of_level(archive: Option<&Place>, destination: &Path, arguments: &Arguments) -> &'static str {
    let header = archive.and_then(header_of);
    // What cannot be looked into once more has failed with a better message.
    match (restored_level(destination).ok().flatten(), header) {
        (None, _) => {
            "restore the levels in order, from level 0 up, and with --more while others are to come; or give \
             --assume-parent if the level before is what is there"
        }
        (Some(level), Some(header)) if header.id == level => {
            "go on with the level after it and --accept-partial, or restore the chain anew from level 0 up, with \
             --overwrite"
        }
        (Some(level), Some(header)) if header.parent == Some(level) && !arguments.path.is_empty() => {
            "give --accept-partial to go on from it; or restore the chain anew from level 0 up, with --overwrite, and \
             select by --path too what was named as not selected"
        }
        (Some(level), Some(header)) if header.parent == Some(level) => "give --accept-partial to go on from it",
        (Some(_), Some(_)) => "restore the levels in order, from level 0 up",
        (Some(_), None) => {
            "restore the levels in order, from level 0 up, and with --accept-partial onto one that was restored in part"
        }
    }
}

/// Which level an archive is of, where it can be looked into beforehand or once more: only a file can.
pub(crate) fn header_of(archive: &Place) -> Option<LevelHeader> {
    let file = archive.path().filter(|path| path.is_file()).and_then(|path| File::open(path).ok())?;
    archive_header(file).ok()
}
