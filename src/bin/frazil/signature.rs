//! `frazil signature`: the sums of every block of a file.

use std::io::Read;

use clap::{Args, ValueEnum};
use frazil::{ErrorKind, Format, LevelReader, LevelSummary, SignatureParams, StrongKind, WeakKind};
use serde_json::json;

use crate::failure::Failure;
use crate::input::Input;
use crate::level::check_not_source;
use crate::options::{Computing, FormatName, Replacing, parse_block_len};
use crate::output::{Counted, Output};
use crate::place::Place;
use crate::report::{Report, count, human, identity_json, params_json, seconds};
use crate::session::Session;

const AFTER_HELP: &str = "\
Examples:
  frazil signature disk.img disk.sig
  pg_dump base | frazil signature - base.sig
  frazil signature --format rdiff --hash md4 --weak rollsum --strong-len 8 old.iso old.sig";

/// Write the signature of a file: all that is needed to make the next level
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    /// Bytes in a block (4096, 64K, …)
    #[arg(long, value_name = "N", value_parser = parse_block_len, default_value = "65536")]
    block_size: u32,
    /// The strong sum
    #[arg(long, value_name = "HASH", default_value = "blake2")]
    hash: HashName,
    /// The rolling sum
    #[arg(long, value_name = "SUM", default_value = "rabinkarp")]
    weak: WeakName,
    /// Bytes kept of each strong sum; by default all
    #[arg(long, value_name = "N")]
    strong_len: Option<u32>,
    /// The form of the signature
    #[arg(long, value_name = "FORMAT", default_value = "sealed")]
    format: FormatName,
    #[command(flatten)]
    computing: Computing,
    #[command(flatten)]
    replacing: Replacing,
    /// What to sign
    file: Place,
    /// Where the signature goes
    sig: Place,
}

#[derive(Clone, Copy, ValueEnum)]
enum HashName {
    Blake2,
    /// Broken; for exchange with old peers only
    Md4,
}

#[derive(Clone, Copy, ValueEnum)]
enum WeakName {
    #[value(name = "rabinkarp")]
    RabinKarp,
    Rollsum,
}

pub(crate) fn run(arguments: &Arguments, session: &Session) -> Result<Report, Failure> {
    let (source, sig) = (&arguments.file, &arguments.sig);
    let params = params(arguments)?;
    let format = arguments.format.into();
    let input = Input::open(source)?;
    check_not_source(&input, source, [Some(sig)])?;
    let mut output = Output::create_binary(sig, arguments.replacing.force)?;
    let writer = output.writer()?;
    let options = session.level_options(arguments.computing).params(params).format(format);
    let level = match source.path().filter(|_| input.len().is_some()) {
        Some(path) => LevelReader::open(path, None, options).and_then(|level| finish(level, writer, format)),
        None => LevelReader::new(input, None, options).and_then(|level| finish(level, writer, format)),
    };
    let summary = level.map_err(|error| {
        let kind = error.kind();
        let failure = Failure::of(format_args!("signing {}", source.as_input()), error);
        if kind == ErrorKind::Limit { failure.advise("raise --memory") } else { failure }
    })?;
    let signature_bytes = output.written();
    output.commit()?;
    if summary.dirty {
        session.problem(format!("{}: changed while it was read", source.as_input()));
    }
    let length = summary.stats.source_bytes;
    let blocks = length.div_ceil(u64::from(params.block_len()));
    let text = format!(
        "{}: {} in {} of {} signed, signature of {}, {}",
        source.as_input(),
        human(length),
        count(blocks, "block"),
        params.block_len(),
        human(signature_bytes),
        seconds(session.elapsed()),
    );
    let json = json!({
        "command": "signature",
        "source_bytes": length,
        "signature_bytes": signature_bytes,
        "blocks": blocks,
        "params": params_json(&params),
        "identity": summary.identity.as_ref().map(identity_json),
        "dirty": summary.dirty,
        "seconds": session.elapsed().as_secs_f64(),
    });
    Ok(Report::new(text, json, *sig == Place::Standard))
}

fn finish<R: Read>(level: LevelReader<R>, writer: Counted, format: Format) -> frazil::Result<LevelSummary> {
    level.signature_to(writer, format)?.finish_summary()
}

fn params(arguments: &Arguments) -> Result<SignatureParams, Failure> {
    let strong = match arguments.hash {
        HashName::Blake2 => StrongKind::Blake2,
        HashName::Md4 => StrongKind::Md4,
    };
    let weak = match arguments.weak {
        WeakName::RabinKarp => WeakKind::RabinKarp,
        WeakName::Rollsum => WeakKind::Rollsum,
    };
    let strong_len = arguments.strong_len.unwrap_or(strong.max_len());
    let params = SignatureParams::new(weak, strong, arguments.block_size, strong_len)
        .map_err(|error| Failure::usage(error.to_string()))?;
    let is_full = strong == StrongKind::Blake2 && strong_len == strong.max_len();
    if matches!(arguments.format, FormatName::Sealed) && !is_full {
        return Err(Failure::usage("a sealed signature has whole BLAKE2b sums only").advise("give --format rdiff"));
    }
    Ok(params)
}
