//! The command `frazil`: levels of single files and streams, made, restored, compared and shown.
//!
//! One file per sub-command; each takes its arguments and the [`Session`], does its work through the
//! library's public items alone, and hands back a [`Report`].

mod basis;
mod compare;
mod delta;
mod failure;
mod input;
mod level;
mod options;
mod output;
mod patch;
mod place;
mod progress;
mod report;
mod session;
mod show;
mod signature;
mod stop;

use std::process::ExitCode;
use std::sync::LazyLock;

use clap::{Parser, Subcommand};

use failure::Failure;
use options::Common;
use report::Report;
use session::Session;

const AFTER_HELP: &str = "\
A dash stands for standard input or output wherever a file does.

Exit status: 0 done, 1 failed, 2 wrong usage, 3 finished with problems, which are named.

Example: three days of backups of a disk image, and the restoration of the third
  frazil level --signature-out sig.0 disk.img level.0
  frazil level --against sig.0 --signature-out sig.1 disk.img level.1
  frazil level --against sig.1 --signature-out sig.2 disk.img level.2
  frazil patch /dev/null level.0 level.1 level.2 restored.img";

/// Block-level backups of files and streams, made and restored in stream.
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
    Signature(signature::Arguments),
    Delta(delta::Arguments),
    Level(level::Arguments),
    Patch(patch::Arguments),
    Compare(compare::Arguments),
    Show(show::Arguments),
}

static LONG_VERSION: LazyLock<String> = LazyLock::new(|| {
    let libarchive = libarchive_version().unwrap_or_else(|| "not linked".to_owned());
    format!("{}\nlibrsync {}\nlibarchive {libarchive}", frazil::VERSION, frazil::librsync_version())
});

#[cfg(feature = "tree")]
fn libarchive_version() -> Option<String> {
    Some(match frazil::libarchive_version() {
        Ok((major, minor, patch)) => format!("{major}.{minor}.{patch}"),
        Err(error) => error.to_string(),
    })
}

#[cfg(not(feature = "tree"))]
fn libarchive_version() -> Option<String> {
    None
}

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
    let session = Session::new(arguments.common);
    let result = match arguments.command {
        Command::Signature(arguments) => signature::run(&arguments, &session),
        Command::Delta(arguments) => delta::run(&arguments, &session),
        Command::Level(arguments) => level::run(&arguments, &session),
        Command::Patch(arguments) => patch::run(&arguments, &session),
        Command::Compare(arguments) => compare::run(&arguments, &session),
        Command::Show(arguments) => show::run(&arguments, &session),
    };
    session.end();
    result.map(|report| report.with_problems(session.take_problems()))
}
