//! `frazil delta`: what turns the content of a signature into a file.

use clap::Args;

use crate::failure::Failure;
use crate::level::{Making, MakingOptions, make};
use crate::place::Place;
use crate::report::Report;
use crate::session::Session;

const AFTER_HELP: &str = "\
Examples:
  frazil delta disk.sig disk.img disk.delta
  frazil delta --format rdiff old.sig new.iso - | ssh host rdiff patch old.iso - new.iso
  frazil delta --matching aligned --memory 32M --signature-out new.sig old.sig /dev/vg/snap delta";

/// Write the delta that turns what a signature was made of into a file
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    #[command(flatten)]
    options: MakingOptions,
    /// The signature of the old content
    sig: Place,
    /// The new content
    file: Place,
    /// Where the delta goes
    delta: Place,
}

pub(crate) fn run(arguments: &Arguments, session: &Session) -> Result<Report, Failure> {
    let making = Making {
        command: "delta",
        against: Some(&arguments.sig),
        source: &arguments.file,
        out: &arguments.delta,
        block_len: None,
        options: &arguments.options,
    };
    make(&making, session)
}
