//! `frazil level`: one level of a chain of backups; and the making that it shares with `frazil delta`.

use std::io::Read;

use clap::Args;
use frazil::{Error, ErrorKind, Format, LevelBasis, LevelReader, LevelSummary, Matching, SignatureParams};
use serde_json::json;

use crate::basis::Basis;
use crate::failure::Failure;
use crate::input::Input;
use crate::options::{Computing, FormatName, MatchingName, Replacing, parse_block_len};
use crate::output::{Output, commit_both};
use crate::place::{Place, check_different_outputs, check_one_standard_input};
use crate::report::{Report, human, identity_json, seconds, share};
use crate::session::Session;

const AFTER_HELP: &str = "\
Examples:
  frazil level --signature-out sig.0 disk.img level.0
  frazil level --against sig.0 --signature-out sig.1 disk.img level.1
  pg_dump base | frazil level --against sig.1 --signature-out sig.2 - - | ssh host 'cat > level.2'

Restore the levels with frazil patch.";

/// Write a level: everything, or what changed since the level whose signature is given
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    /// The signature of the level before; without it this is level 0
    #[arg(long, value_name = "SIG")]
    against: Option<Place>,
    /// Bytes in a block of the new signature (4096, 64K, …) [default: as in SIG, or 65536]
    #[arg(long, value_name = "N", value_parser = parse_block_len)]
    block_size: Option<u32>,
    #[command(flatten)]
    options: MakingOptions,
    /// The content to back up
    file: Place,
    /// Where the level goes
    out: Place,
}

/// Options of all that makes a delta.
#[derive(Args)]
pub(crate) struct MakingOptions {
    /// Write the new full signature, which the next level needs
    #[arg(long, value_name = "NEW_SIG")]
    signature_out: Option<Place>,
    /// The form of what is written
    #[arg(long, value_name = "FORMAT", default_value = "sealed")]
    format: FormatName,
    /// Which matches are looked for
    #[arg(long, value_name = "MATCHING", default_value = "auto")]
    matching: MatchingName,
    /// Match on MD4 or shortened sums too, on which a false match can be crafted; the stream then says so
    #[arg(long)]
    allow_weak: bool,
    #[command(flatten)]
    computing: Computing,
    #[command(flatten)]
    replacing: Replacing,
}

/// What is to be made of what.
pub(crate) struct Making<'a> {
    pub(crate) command: &'static str,
    pub(crate) against: Option<&'a Place>,
    pub(crate) source: &'a Place,
    pub(crate) out: &'a Place,
    pub(crate) block_len: Option<u32>,
    pub(crate) options: &'a MakingOptions,
}

pub(crate) fn run(arguments: &Arguments, session: &Session) -> Result<Report, Failure> {
    let making = Making {
        command: "level",
        against: arguments.against.as_ref(),
        source: &arguments.file,
        out: &arguments.out,
        block_len: arguments.block_size,
        options: &arguments.options,
    };
    make(&making, session)
}

/// No output may be the very content that is being read.
pub(crate) fn check_not_source<'a>(
    input: &Input,
    source: &Place,
    outputs: impl IntoIterator<Item = Option<&'a Place>>,
) -> Result<(), Failure> {
    if outputs.into_iter().flatten().any(|output| input.is_same_file(output)) {
        return Err(Failure::usage(format!("{}: the output would replace the source", source.as_input())));
    }
    Ok(())
}

/// Makes a level or a delta, and its new signature where that is wanted.
pub(crate) fn make(making: &Making<'_>, session: &Session) -> Result<Report, Failure> {
    let Making { source, out, options, .. } = *making;
    let signature_out = options.signature_out.as_ref();
    let force = options.replacing.force;
    check_one_standard_input(making.against.into_iter().chain([source]))?;
    check_different_outputs(out, signature_out)?;
    let format = Format::from(options.format);
    let matching = Matching::from(options.matching);

    let input = Input::open(source)?;
    check_not_source(&input, source, [Some(out), signature_out])?;
    let basis = making.against.map(|place| Basis::load(place, matching, options.computing, session)).transpose()?;
    let mut output = Output::create_binary(out, force)?;
    let mut signature = signature_out.map(|place| Output::create_binary(place, force)).transpose()?;

    let weak = basis.as_ref().is_some_and(|basis| !basis.params().is_trusted()) && format == Format::Sealed;
    let held = basis.as_ref().map_or(0, Basis::memory_bytes);
    let mut level_options = session
        .level_options(options.computing)
        .format(format)
        .matching(matching)
        .allow_weak(options.allow_weak)
        .memory_limit(options.computing.memory.bytes().saturating_sub(held));
    if let Some(block_len) = making.block_len {
        let params = SignatureParams::with_block_len(block_len).map_err(|error| Failure::usage(error.to_string()))?;
        level_options = level_options.params(params);
    }
    let level_basis = basis.as_ref().map_or_else(|| LevelBasis::from(None), Basis::to_level_basis);
    let failed = |error: Error| {
        let kind = error.kind();
        let failure = Failure::of(format_args!("making a {} of {}", making.command, source.as_input()), error);
        match kind {
            ErrorKind::Limit => failure.advise("raise --memory"),
            ErrorKind::InvalidInput if weak && !options.allow_weak => failure.advise("give --allow-weak to allow it"),
            ErrorKind::InvalidInput => Failure::usage(failure.to_string()),
            _ => failure,
        }
    };
    let summary = match source.path().filter(|_| input.len().is_some()) {
        Some(path) => LevelReader::open(path, level_basis, level_options)
            .map_err(failed)
            .and_then(|level| drive(level, &mut output, signature.as_mut(), format, failed)),
        None => LevelReader::new(input, level_basis, level_options)
            .map_err(failed)
            .and_then(|level| drive(level, &mut output, signature.as_mut(), format, failed)),
    }?;

    let signature_bytes = signature.as_ref().map(Output::written);
    // The level first: a signature without its level would let the next level leave a gap in the chain.
    match signature.zip(signature_out) {
        Some(signature) => commit_both(output, signature, making.against)?,
        None => output.commit()?,
    }
    if summary.dirty {
        let source = source.as_input();
        session.problem(format!("{source}: changed while it was read; what was read is what will be restored"));
    }
    if weak {
        session.problem("matched on weak sums, on which a false match can be crafted; the stream says so");
    }
    let stdout_is_data = *out == Place::Standard || signature_out == Some(&Place::Standard);
    Ok(report(making, &summary, basis.as_ref(), signature_bytes, session, stdout_is_data))
}

/// Reads the whole stream of the level into its place.
fn drive<R: Read>(
    mut level: LevelReader<R>,
    output: &mut Output,
    signature: Option<&mut Output>,
    format: Format,
    failed: impl Fn(Error) -> Failure,
) -> Result<LevelSummary, Failure> {
    if let Some(signature) = signature {
        level = level.signature_to(signature.writer()?, format).map_err(&failed)?;
    }
    level.write_to(output.writer()?).map_err(failed)
}

fn report(
    making: &Making<'_>,
    summary: &LevelSummary,
    basis: Option<&Basis>,
    signature_bytes: Option<u64>,
    session: &Session,
    stdout_is_data: bool,
) -> Report {
    let stats = summary.stats;
    let matching = match summary.matching {
        _ if basis.is_none() => "none",
        Matching::Aligned => "aligned",
        Matching::Rolling => "rolling",
        _ => "auto",
    };
    let verifiable = basis.is_none_or(|basis| basis.identity().is_some());
    let share = share(stats.stream_bytes, stats.source_bytes);
    let mut text = format!(
        "{}: {} read, {} written{}: {} copied, {} literal, {} of zeros",
        making.source.as_input(),
        human(stats.source_bytes),
        human(stats.stream_bytes),
        share.map_or(String::new(), |share| format!(" ({share})")),
        human(stats.copy_bytes),
        human(stats.literal_bytes),
        human(stats.zero_bytes),
    );
    if let Some(bytes) = signature_bytes {
        text += &format!(", signature of {}", human(bytes));
    }
    text += &format!(", {}", seconds(session.elapsed()));
    let json = json!({
        "command": making.command,
        "source_bytes": stats.source_bytes,
        "stream_bytes": stats.stream_bytes,
        "copy_bytes": stats.copy_bytes,
        "copy_commands": stats.copy_commands,
        "literal_bytes": stats.literal_bytes,
        "zero_bytes": stats.zero_bytes,
        "signature_bytes": signature_bytes,
        "matching": matching,
        "basis_verifiable": verifiable,
        "identity": summary.identity.as_ref().map(identity_json),
        "dirty": summary.dirty,
        "seconds": session.elapsed().as_secs_f64(),
    });
    Report::new(text, json, stdout_is_data)
}
