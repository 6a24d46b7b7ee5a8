//! `frazil compare`: which ranges of new content are the same, moved or changed.

use std::io::{self, BufWriter, Read, Write};
use std::panic::resume_unwind;
use std::thread;

use clap::Args;
use frazil::{BlockRange, Error, ErrorKind, RangeKind, Signature, SignatureFile, compare_data, compare_files};
use serde_json::json;

use crate::failure::Failure;
use crate::input::Input;
use crate::kind::Kind;
use crate::options::Memory;
use crate::place::{Place, check_one_standard_input};
use crate::progress::Watched;
use crate::report::{Report, count, human, percent};
use crate::session::Session;

const AFTER_HELP: &str = "\
Only blocks that stand on the grid of both contents are recognised: a byte inserted changes all that \
follows. Signatures that do not fit in --memory are compared in constant memory, without moved blocks.

Examples:
  frazil compare sig.0 sig.1
  frazil compare --data sig.1 disk.img
  frazil compare --json sig.0 sig.1 | jq '.ranges[] | select(.kind == \"changed\")'";

/// Say which ranges of the new content are the same, moved or changed
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    /// NEW is not a signature but the content itself
    #[arg(long)]
    data: bool,
    #[command(flatten)]
    memory: Memory,
    /// The signature of the old content
    #[arg(value_name = "OLD_SIG")]
    old: Place,
    /// The signature of the new content, or the content itself
    #[arg(value_name = "NEW")]
    new: Place,
}

/// A file that may not end before its length.
struct Whole {
    inner: Watched<Input>,
    len: u64,
}

impl Read for Whole {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.inner.read(buffer)? {
            0 if !buffer.is_empty() && self.inner.done() < self.len => {
                Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file became shorter while it was read"))
            }
            len => Ok(len),
        }
    }
}

pub(crate) fn run(arguments: &Arguments, session: &Session) -> Result<Report, Failure> {
    let Arguments { old, new, data, memory } = arguments;
    check_one_standard_input([old, new])?;
    let failed = |error: Error| Failure::of(format_args!("comparing {old} with {new}"), error);
    let table = Table::new(session.common.json);
    if *data {
        let old = load(old, memory.bytes(), true, session)?.map_err(|error| error.advise("raise --memory"))?;
        let input = Input::open(new)?;
        // Standard input may stand anywhere in its file.
        let len = input.len().filter(|_| new.path().is_some());
        let input = Whole { inner: session.watched(input), len: len.unwrap_or(0) };
        table.print(compare_data(&old, input).map_err(failed)?, failed)?;
        return Ok(Report::printed());
    }
    // Loading them is most of the work, and neither needs the other.
    let load_new = || load(new, memory.bytes() / 3, false, session);
    let (loaded_old, loaded_new) = thread::scope(|scope| {
        let loading_new = thread::Builder::new().spawn_scoped(scope, load_new);
        let loaded_old = load(old, memory.bytes() / 3 * 2, true, session);
        let loaded_new = match loading_new {
            Ok(loading) => loading.join().unwrap_or_else(|panic| resume_unwind(panic)),
            Err(_) => load_new(),
        };
        (loaded_old, loaded_new)
    });
    let loaded = match (loaded_old?, loaded_new?) {
        (Ok(old), Ok(new)) => Ok((old, new)),
        (Err(too_large), _) | (_, Err(too_large)) => Err(too_large),
    };
    match (loaded, old.path(), new.path()) {
        (Ok((old, new)), ..) => table.print(old.compare(&new).map_err(failed)?.map(Ok), failed)?,
        (Err(_), Some(old), Some(new)) => {
            session.note("the signatures do not fit in --memory, so moved blocks are not looked for");
            let open = |path| SignatureFile::open(path).map_err(failed);
            table.print(compare_files(&open(old)?, &open(new)?).map_err(failed)?, failed)?;
        }
        (Err(too_large), ..) => return Err(too_large.advise("raise --memory")),
    }
    Ok(Report::printed())
}

/// Loads a signature that fits in the memory, with its index where that is wanted; the inner failure says that it does
/// not.
fn load(place: &Place, limit: u64, indexed: bool, session: &Session) -> Result<Result<Signature, Failure>, Failure> {
    let input = session.watched(Input::open_kind(place, Kind::Signature)?);
    match Signature::read_limited(input, limit) {
        Ok(signature) => {
            let index = if indexed { signature.index_bytes() } else { 0 };
            let needed = signature.memory_bytes().saturating_add(index);
            if needed <= limit {
                return Ok(Ok(signature));
            }
            let what = "signature and index do not fit in the memory allowed";
            Ok(Err(Failure::new(format!("{place}: {what}: expected at most {limit} bytes, found {needed}"))))
        }
        Err(error) if error.kind() == ErrorKind::Limit => Ok(Err(Failure::of(place.as_input(), error))),
        Err(error) => Err(Failure::of(place.as_input(), error)),
    }
}

/// Prints ranges as they come, and the totals after them.
struct Table {
    json: bool,
    out: BufWriter<io::Stdout>,
    ranges: u64,
    same: u64,
    moved: u64,
    changed: u64,
}

impl Table {
    fn new(json: bool) -> Self {
        Self { json, out: BufWriter::new(io::stdout()), ranges: 0, same: 0, moved: 0, changed: 0 }
    }

    fn print(
        mut self,
        ranges: impl Iterator<Item = frazil::Result<BlockRange>>,
        failed: impl Fn(Error) -> Failure,
    ) -> Result<(), Failure> {
        let begun = if self.json {
            write!(self.out, "{{\"ranges\":[")
        } else {
            writeln!(self.out, "{:<8}{:>16}{:>16}{:>16}", "kind", "offset", "length", "from")
        };
        let mut written = begun;
        for range in ranges {
            let range = range.map_err(&failed)?;
            written = written.and_then(|()| self.range(&range));
            if written.is_err() {
                break;
            }
        }
        match written.and_then(|()| self.totals()).and_then(|()| self.out.flush()) {
            // Whoever has read enough and closed the pipe is served.
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(Failure::io("writing standard output", error))
            }
            _ => Ok(()),
        }
    }

    fn range(&mut self, range: &BlockRange) -> io::Result<()> {
        let (kind, from, sum) = match range.kind {
            RangeKind::Same => ("same", Some(range.offset), &mut self.same),
            RangeKind::Moved { from } => ("moved", Some(from), &mut self.moved),
            _ => ("changed", None, &mut self.changed),
        };
        *sum += range.len;
        self.ranges += 1;
        if self.json {
            let comma = if self.ranges == 1 { "" } else { "," };
            let range = json!({ "kind": kind, "offset": range.offset, "len": range.len, "from": from });
            return write!(self.out, "{comma}\n{range}");
        }
        let from = from.map_or("-".to_owned(), |from| from.to_string());
        writeln!(self.out, "{kind:<8}{:>16}{:>16}{from:>16}", range.offset, range.len)
    }

    fn totals(&mut self) -> io::Result<()> {
        let Self { same, moved, changed, .. } = *self;
        let total = same + moved + changed;
        if self.json {
            let totals = json!({
                "total_bytes": total,
                "same_bytes": same,
                "moved_bytes": moved,
                "changed_bytes": changed,
            });
            return writeln!(self.out, "\n],\"totals\":{totals}}}");
        }
        let share = |bytes| format!("{} ({})", human(bytes), percent(bytes, total));
        writeln!(
            self.out,
            "\n{} in {}: {} same, {} moved, {} changed",
            human(total),
            count(self.ranges, "range"),
            share(same),
            share(moved),
            share(changed),
        )
    }
}
