//! `frazil patch`: applies one delta, or the levels 0 to n in one pass.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

use clap::Args;
use frazil::{Chain, Error, ErrorKind, PatchOptions, PatchReader, PatchSummary, chain_file, patch_file};
use serde_json::json;

use crate::failure::Failure;
use crate::input::Input;
use crate::kind::Kind;
use crate::options::{Replacing, Threads, parse_size};
use crate::output::{Output, is_special};
use crate::place::{Place, check_one_standard_input};
use crate::report::{Report, human, identity_json, seconds};
use crate::session::Session;

const AFTER_HELP: &str = "\
Sealed deltas and librsync's are told apart by themselves. What comes from a sealed delta is verified \
before it appears in a file; what goes to standard output is to be trusted at exit status 0 only.

Examples:
  frazil patch /dev/null level.0 level.1 level.2 restored.img
  frazil patch --force disk.img level.3 disk.img
  ssh host cat level.0 | frazil patch /dev/null - - | tar -x";

/// Bytes moved at once.
const BUFFER_LEN: usize = 256 * 1024;

/// Apply deltas in order: restore a file from its levels
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    /// Write at most SIZE bytes [default: 1TiB]
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    max_output: Option<u64>,
    /// Hold at most SIZE bytes of the index of several deltas; in less, more is read twice [default: 8MiB]
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    memory: Option<u64>,
    #[command(flatten)]
    threads: Threads,
    #[command(flatten)]
    replacing: Replacing,
    /// The old content; /dev/null for a level 0
    basis: Place,
    /// The deltas, lowest level first; several are applied in one pass
    #[arg(required = true, num_args = 1.., value_name = "DELTA")]
    deltas: Vec<Place>,
    /// Where the result goes; it may be BASIS, with --force
    out: Place,
}

/// The deltas, opened.
enum Deltas {
    /// One, which may come out of a pipe.
    One(Input),
    /// Several, which are read anywhere.
    Several(Vec<File>),
}

pub(crate) fn run(arguments: &Arguments, session: &Session) -> Result<Report, Failure> {
    let Arguments { basis, out, .. } = arguments;
    check_one_standard_input(arguments.deltas.iter().chain([basis]))?;
    let basis_file = Input::open(basis)?.into_seekable().ok_or_else(|| {
        Failure::usage(format!("{}: a basis is read at any offset, so it cannot be a pipe", basis.as_input()))
            .advise("save it to a file first; /dev/null is the basis of a level 0")
    })?;
    let deltas = open_deltas(&arguments.deltas)?;
    let options = options(arguments, session);
    let failed = |error: Error| {
        let kind = error.kind();
        let failure = Failure::of(format_args!("restoring {}", out.as_output()), error);
        match kind {
            ErrorKind::Limit => failure.advise("raise --max-output"),
            ErrorKind::WrongBasis => failure.advise("restore the levels in order, from level 0 up"),
            _ => failure,
        }
    };
    let summary = match out.path().filter(|path| !is_special(out) && !path.is_dir()) {
        Some(path) => {
            // Standard input that can be read at any offset is a file, and this opens it again.
            let basis = basis.path().unwrap_or(Path::new("/dev/stdin"));
            // The library publishes the file, with runs of zeros as holes.
            match deltas {
                Deltas::One(delta) => patch_file(Some(basis), delta, path, options),
                Deltas::Several(deltas) => chain_file(Some(basis), deltas, path, options),
            }
        }
        None => {
            let mut output = Output::create(out, arguments.replacing.force)?;
            let summary = to_stream(basis_file, deltas, output.writer()?, options).map_err(failed)?;
            output.commit()?;
            Ok(summary)
        }
    };
    let summary = summary.map_err(failed)?;
    if summary.dirty {
        session.problem("the source had changed while the level was made: this is what was read of it");
    }
    if summary.weak {
        session.problem("blocks were matched on weak sums, on which a false match can be crafted");
    }
    Ok(report(&summary, out, session))
}

fn options(arguments: &Arguments, session: &Session) -> PatchOptions {
    let mut options = PatchOptions::new()
        .replace(arguments.replacing.force)
        .threads(arguments.threads.number())
        .observer(session.observer());
    if let Some(bytes) = arguments.memory {
        options = options.index_memory(bytes);
    }
    if let Some(bytes) = arguments.max_output {
        options = options.max_output(bytes);
    }
    options
}

fn open_deltas(places: &[Place]) -> Result<Deltas, Failure> {
    if let [one] = places {
        return Input::open_kind(one, Kind::Delta).map(Deltas::One);
    }
    let open = |place: &Place| {
        Input::open_kind(place, Kind::Delta)?.into_seekable().ok_or_else(|| {
            let what = "several deltas are applied in one pass, so none of them can come out of a pipe";
            Failure::usage(format!("{}: {what}", place.as_input()))
                .advise("save it to a file, or apply the deltas one after the other")
        })
    };
    places.iter().map(open).collect::<Result<_, _>>().map(Deltas::Several)
}

fn to_stream(basis: File, deltas: Deltas, out: impl Write, options: PatchOptions) -> Result<PatchSummary, Error> {
    match deltas {
        Deltas::One(delta) => {
            let mut patch = PatchReader::new(delta, basis, options)?;
            copy(&mut patch, out)?;
            patch.finish()
        }
        Deltas::Several(deltas) => {
            let mut chain = Chain::new(basis, deltas, options)?;
            copy(&mut chain, out)?;
            chain.finish()
        }
    }
}

fn copy(from: &mut impl Read, mut to: impl Write) -> Result<(), Error> {
    let mut buffer = vec![0; BUFFER_LEN];
    loop {
        match from.read(&mut buffer)? {
            0 => return Ok(to.flush()?),
            len => to.write_all(&buffer[..len])?,
        }
    }
}

fn report(summary: &PatchSummary, out: &Place, session: &Session) -> Report {
    let verified = summary.identity.is_some();
    let text = format!(
        "{}: {} out of {} of deltas, {}, {}",
        out.as_output(),
        human(summary.output_bytes),
        human(summary.stream_bytes),
        if verified { "verified" } else { "not verified: a plain delta does not say what it makes" },
        seconds(session.elapsed()),
    );
    let json = json!({
        "command": "patch",
        "output_bytes": summary.output_bytes,
        "stream_bytes": summary.stream_bytes,
        "verified": verified,
        "identity": summary.identity.as_ref().map(identity_json),
        "dirty": summary.dirty,
        "weak": summary.weak,
        "seconds": session.elapsed().as_secs_f64(),
    });
    Report::new(text, json, *out == Place::Standard)
}
