//! The command `frazil`: levels of files, streams and trees, made, restored, compared and shown.
//!
//! One file per sub-command; each takes its arguments and the [`Session`], does its work through the
//! library's public items alone, and hands back a [`Report`].

mod advice;
mod backup;
mod basis;
mod compare;
mod delta;
mod entry_log;
mod failure;
mod input;
mod kind;
mod level;
mod list;
#[cfg(test)]
mod manual;
mod options;
mod output;
mod patch;
mod place;
mod problems;
mod progress;
mod report;
mod restore;
mod restored;
mod session;
mod show;
mod signature;
mod stop;
mod table;
mod verify;

use std::process::ExitCode;
use std::sync::LazyLock;

use clap::{Parser, Subcommand};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use failure::Failure;
use options::Common;
use report::Report;
use session::Session;

const AFTER_HELP: &str = "\
A dash stands for standard input or output wherever a file does.

Exit status: 0 done, 1 failed, 2 wrong usage, 3 finished with problems, which are named.

Example: three days of backups of a home directory, and the restoration of the third
  frazil backup --snapshot snap.0 /home home.0
  frazil backup --since snap.0 --snapshot snap.1 /home home.1
  frazil backup --since snap.1 --snapshot snap.2 /home home.2
  frazil restore home.0 home.1 home.2 /restored

Example: the same of a disk image
  frazil level --signature-out sig.0 disk.img level.0
  frazil level --against sig.0 --signature-out sig.1 disk.img level.1
  frazil patch /dev/null level.0 level.1 restored.img";

/// Block-level backups of files, streams and trees, made and restored in stream.
#[derive(Parser)]
#[command(name = "frazil", version, long_version = LONG_VERSION.as_str(), after_help = AFTER_HELP, max_term_width = 100)]
struct Arguments {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Backup(backup::Arguments),
    Restore(restore::Arguments),
    List(list::Arguments),
    Verify(verify::Arguments),
    Signature(signature::Arguments),
    Delta(delta::Arguments),
    Level(level::Arguments),
    Patch(patch::Arguments),
    Compare(compare::Arguments),
    Show(show::Arguments),
}

static LONG_VERSION: LazyLock<String> = LazyLock::new(|| {
    let libarchive = match frazil::libarchive_version() {
        Ok((major, minor, patch)) => format!("{major}.{minor}.{patch}"),
        Err(error) => error.to_string(),
    };
    format!("{}\nlibrsync {}\nlibarchive {libarchive}", frazil::VERSION, frazil::librsync_version())
});

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let json = arguments.common.json;
    let quiet = arguments.common.quiet;
    let result = run(arguments);
    let report = match result {
        Ok(report) => report,
        Err(_) if stop::requested() => return Failure::new("stopped").exit(),
        Err(failure) => return failure.exit(),
    };
    report.give(json, quiet)
}

fn run(arguments: Arguments) -> Result<Report, Failure> {
    stop::listen().map_err(|error| Failure::new(format!("listening to signals: {error}")))?;
    allow_open_files();
    let session = Session::new(arguments.common);
    let result = match arguments.command {
        Command::Backup(arguments) => backup::run(&arguments, &session),
        Command::Restore(arguments) => restore::run(&arguments, &session),
        Command::List(arguments) => list::run(&arguments, &session),
        Command::Verify(arguments) => verify::run(&arguments, &session),
        Command::Signature(arguments) => signature::run(&arguments, &session),
        Command::Delta(arguments) => delta::run(&arguments, &session),
        Command::Level(arguments) => level::run(&arguments, &session),
        Command::Patch(arguments) => patch::run(&arguments, &session),
        Command::Compare(arguments) => compare::run(&arguments, &session),
        Command::Show(arguments) => show::run(&arguments, &session),
    };
    session.end();
    let problems = session.take_problems();
    if result.is_err() {
        for line in problems.lines() {
            report::say(line);
        }
    }
    result.map(|report| report.with_problems(problems))
}

/// Lets as many files be open as the system allows, where a shell allows fewer: each directory of a deep tree takes
/// one.
fn allow_open_files() {
    let limit = getrlimit(Resource::Nofile);
    // Where it is refused, all goes on with what there is.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
}
