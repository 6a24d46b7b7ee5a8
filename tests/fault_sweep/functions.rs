//! What is swept: each function by the source, sink, basis or observer of which a call goes wrong.

use std::io::{self, Write};
use std::sync::Arc;

use frazil::{
    Chain, ErrorKind, Format, LevelOptions, LevelReader, LevelWriter, PatchOptions, PatchReader, PatchWriter,
    RangeLevel, Result, Signature, gen_sig_from_file_with, gen_sig_from_stream_with, patch_from_file_with,
    patch_from_stream_with,
};

use crate::content::level;
use crate::drive::Run;
use crate::faults::{Faults, Faulty};
use crate::function::{After, Function, Seam, Zero, function};
use crate::ground::{Ground, joined, sealed};

/// A sink whose content can be looked at while a level holds it.
#[derive(Clone, Default)]
struct Shared(Arc<std::sync::Mutex<Vec<u8>>>);

impl Shared {
    fn content(&self) -> Vec<u8> {
        self.0.lock().expect("no write panics").clone()
    }
}

impl Write for Shared {
    fn write(&mut self, content: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no write panics").write(content)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Reads a level to its end and finishes it.
fn pulled<R: io::Read>(level: Result<LevelReader<R>>, written: Option<&Shared>) -> Run {
    let mut run = Run::default();
    let mut level = level.expect("a level begins without reading");
    let stream = run.read(&mut level);
    run.finish(|| {
        let summary = level.finish_summary()?;
        let signature = match written {
            Some(written) => written.content(),
            None => sealed(&summary.signature.expect("it was held")),
        };
        Ok::<_, frazil::Error>(joined(&stream, &signature))
    });
    run
}

fn stream_level_0(ground: &Ground, faults: &Arc<Faults>) -> Run {
    pulled(gen_sig_from_stream_with(Faulty::new(&ground.new[..], faults), None, ground.levels()), None)
}

fn stream_level_n(ground: &Ground, faults: &Arc<Faults>) -> Run {
    let source = Faulty::new(&ground.new[..], faults);
    pulled(gen_sig_from_stream_with(source, Some(&ground.signature), ground.levels()), None)
}

fn stream_signature(ground: &Ground, faults: &Arc<Faults>) -> Run {
    Run::whole(|| {
        let source = Faulty::new(&ground.new[..], faults);
        let signature = gen_sig_from_stream_with(source, None, ground.levels())?.finish()?;
        Ok::<_, frazil::Error>(joined(&[], &sealed(&signature)))
    })
}

fn observed_stream(ground: &Ground, faults: &Arc<Faults>) -> Run {
    let options = ground.levels().observer(faults.clone());
    pulled(gen_sig_from_stream_with(&ground.new[..], Some(&ground.signature), options), None)
}

/// A level of the file whose signature goes to a sink.
fn file_level(ground: &Ground, basis: Option<&Signature>, faults: &Arc<Faults>) -> Run {
    let written = Shared::default();
    let level = gen_sig_from_file_with(ground.at("new"), basis, ground.levels());
    let sink = Faulty::new(written.clone(), faults);
    match level.and_then(|level| level.signature_to(sink, Format::Sealed)) {
        Ok(level) => pulled(Ok(level), Some(&written)),
        Err(error) => Run::whole(|| Err(error)),
    }
}

fn file_level_0(ground: &Ground, faults: &Arc<Faults>) -> Run {
    file_level(ground, None, faults)
}

fn file_level_n(ground: &Ground, faults: &Arc<Faults>) -> Run {
    file_level(ground, Some(&ground.signature), faults)
}

fn observed_file_0(ground: &Ground, faults: &Arc<Faults>) -> Run {
    let options = ground.levels().observer(faults.clone());
    pulled(gen_sig_from_file_with(ground.at("new"), None, options), None)
}

fn observed_file_n(ground: &Ground, faults: &Arc<Faults>) -> Run {
    let options = ground.levels().observer(faults.clone());
    pulled(gen_sig_from_file_with(ground.at("new"), Some(&ground.signature), options), None)
}

fn level_writer(ground: &Ground, faults: &Arc<Faults>) -> Run {
    let sink = Shared::default();
    let mut run = Run::default();
    let faulty = Faulty::new(sink.clone(), faults);
    let mut writer = LevelWriter::new(faulty, &ground.signature, ground.levels()).expect("a level begins");
    run.write(&mut writer, &ground.new);
    run.flush(&mut writer);
    run.finish(|| {
        let signature = writer.finish()?.1.signature.expect("it was held");
        Ok::<_, frazil::Error>(joined(&sink.content(), &sealed(&signature)))
    });
    run
}

/// What was published at a path, once it was.
fn published(ground: &Ground, name: &str, patched: Result<frazil::PatchSummary>) -> Result<Vec<u8>> {
    patched.map(|_| std::fs::read(ground.at(name)).expect("what was published"))
}

fn patch_of_a_file(ground: &Ground, faults: &Arc<Faults>) -> Run {
    Run::whole(|| {
        let mut pipe = Faulty::new(&ground.deltas[1][..], faults);
        let (basis, target) = (ground.at("old"), ground.at("absent"));
        published(ground, "absent", patch_from_file_with(basis, target, Some(&mut pipe), ground.patches()))
    })
}

fn observed_patch_by_a_file(ground: &Ground, faults: &Arc<Faults>) -> Run {
    Run::whole(|| {
        let options = ground.patches().observer(faults.clone());
        published(ground, "there", patch_from_file_with(ground.at("delta"), ground.at("there"), None, options))
    })
}

fn patch_from_a_stream(ground: &Ground, name: &str, delta: impl io::Read, options: PatchOptions) -> Run {
    Run::whole(|| published(ground, name, patch_from_stream_with(delta, ground.at(name), options)))
}

fn patch_of_level_0(ground: &Ground, faults: &Arc<Faults>) -> Run {
    patch_from_a_stream(ground, "absent", Faulty::new(&ground.deltas[0][..], faults), ground.patches())
}

fn patch_of_level_n(ground: &Ground, faults: &Arc<Faults>) -> Run {
    patch_from_a_stream(ground, "there", Faulty::new(&ground.deltas[1][..], faults), ground.patches())
}

fn observed_patch_of_level_0(ground: &Ground, faults: &Arc<Faults>) -> Run {
    patch_from_a_stream(ground, "absent", &ground.deltas[0][..], ground.patches().observer(faults.clone()))
}

fn observed_patch_of_level_n(ground: &Ground, faults: &Arc<Faults>) -> Run {
    patch_from_a_stream(ground, "there", &ground.deltas[1][..], ground.patches().observer(faults.clone()))
}

fn chain_to_a_file(ground: &Ground, faults: &Arc<Faults>) -> Run {
    Run::whole(|| {
        let deltas = ground.deltas.iter().map(|delta| Faulty::new(delta, faults)).collect();
        published(ground, "absent", frazil::chain_file(None, deltas, ground.at("absent"), ground.patches()))
    })
}

fn patch_reader(ground: &Ground, delta: impl io::Read, basis: impl frazil::ReadAt) -> Run {
    let mut run = Run::default();
    let mut reader = PatchReader::new(delta, basis, ground.patches()).expect("a patch begins without reading");
    let target = run.read(&mut reader);
    run.finish(|| reader.finish().map(|_| target));
    run
}

fn patch_reader_delta(ground: &Ground, faults: &Arc<Faults>) -> Run {
    patch_reader(ground, Faulty::new(&ground.deltas[1][..], faults), &ground.old)
}

fn patch_reader_basis(ground: &Ground, faults: &Arc<Faults>) -> Run {
    patch_reader(ground, &ground.deltas[1][..], Faulty::new(&ground.old, faults))
}

fn patch_writer<W: Write>(ground: &Ground, sink: W, basis: impl frazil::ReadAt, given: &Shared) -> Run {
    let mut run = Run::default();
    let mut writer = PatchWriter::new(sink, basis, ground.patches()).expect("a patch begins without reading");
    run.write(&mut writer, &ground.deltas[1]);
    run.flush(&mut writer);
    run.finish(|| writer.finish().map(|_| given.content()));
    run
}

fn patch_writer_sink(ground: &Ground, faults: &Arc<Faults>) -> Run {
    let sink = Shared::default();
    patch_writer(ground, Faulty::new(sink.clone(), faults), &ground.old, &sink)
}

fn patch_writer_basis(ground: &Ground, faults: &Arc<Faults>) -> Run {
    let sink = Shared::default();
    patch_writer(ground, sink.clone(), Faulty::new(&ground.old, faults), &sink)
}

/// One call opens the chain, and the others read it.
fn chain(ground: &Ground, basis: impl frazil::ReadAt, deltas: Vec<impl frazil::ReadAt>) -> Run {
    let mut run = Run::default();
    let Some(mut chain) = run.open(|| Chain::new(basis, deltas, ground.patches())) else { return run };
    let target = run.read(&mut chain);
    run.finish(|| chain.finish().map(|_| target));
    run
}

fn chain_basis(ground: &Ground, faults: &Arc<Faults>) -> Run {
    chain(ground, Faulty::new(&ground.old, faults), vec![&ground.deltas[1]])
}

fn chain_deltas(ground: &Ground, faults: &Arc<Faults>) -> Run {
    chain(ground, frazil::NoBasis, ground.deltas.iter().map(|delta| Faulty::new(delta, faults)).collect())
}

/// A level that is written where another thread may write it.
fn level_written(ground: &Ground, source: impl io::Read, sink: impl Write + Send, written: &Shared) -> Run {
    Run::whole(|| {
        let summary = LevelReader::new(source, &ground.signature, ground.levels())?.write_to(sink)?;
        Ok::<_, frazil::Error>(joined(&written.content(), &sealed(&summary.signature.expect("it was held"))))
    })
}

fn level_written_from(ground: &Ground, faults: &Arc<Faults>) -> Run {
    let written = Shared::default();
    level_written(ground, Faulty::new(&ground.new[..], faults), written.clone(), &written)
}

fn level_written_to(ground: &Ground, faults: &Arc<Faults>) -> Run {
    let written = Shared::default();
    level_written(ground, &ground.new[..], Faulty::new(written.clone(), faults), &written)
}

/// The old content, changed but for its ends.
fn changed_between(ground: &Ground) -> Vec<u8> {
    let mut content = ground.old.clone();
    let len = content.len();
    content[len / 10..len - len / 20].iter_mut().for_each(|byte| *byte ^= 1);
    content
}

fn range_level(ground: &Ground, new: &[u8], content: impl frazil::ReadAt, options: LevelOptions) -> Run {
    let signature = level(new, None, crate::content::options(ground.block_len())).1;
    let mut run = Run::default();
    let mut level =
        RangeLevel::new(&ground.signature, &signature, content, options).expect("it begins without reading");
    let stream = run.read(&mut level);
    run.finish(|| level.finish().map(|_| stream));
    run
}

fn range_level_content(ground: &Ground, faults: &Arc<Faults>) -> Run {
    let new = changed_between(ground);
    range_level(ground, &new, Faulty::new(&new, faults), ground.levels())
}

fn observed_range_level(ground: &Ground, faults: &Arc<Faults>) -> Run {
    let new = changed_between(ground);
    range_level(ground, &new, &new, ground.levels().observer(faults.clone()))
}

const CONTENT: Seam = Seam::Reading(Zero::Ends);
/// The signature says how long it is.
const RANGES: Seam = Seam::Reading(Zero::Fails(&[ErrorKind::Mismatch]));
const DELTA: Seam = Seam::Reading(Zero::Fails(&[ErrorKind::Truncated]));
/// Read once to be checked, and again to be carried out.
const DELTAS: Seam = Seam::Reading(Zero::Fails(&[ErrorKind::Truncated, ErrorKind::Corrupt]));
const BASIS: Seam = Seam::Reading(Zero::Fails(&[ErrorKind::WrongBasis]));

pub(crate) const FUNCTIONS: [Function<Ground>; 26] = [
    function("gen_sig_from_stream, level 0: pipe", CONTENT, After::GoesOn, stream_level_0),
    function("gen_sig_from_stream, level n: pipe", CONTENT, After::GoesOn, stream_level_n),
    function("gen_sig_from_stream, signature alone: pipe", CONTENT, After::Gone, stream_signature),
    function("gen_sig_from_stream: observer", Seam::Observing, After::Refuses, observed_stream),
    function("gen_sig_from_file, level 0: signature's sink", Seam::Writing, After::GoneOrRefuses, file_level_0),
    function("gen_sig_from_file, level n: signature's sink", Seam::Writing, After::GoneOrRefuses, file_level_n),
    function("gen_sig_from_file, level 0: observer", Seam::Observing, After::Refuses, observed_file_0),
    function("gen_sig_from_file, level n: observer", Seam::Observing, After::Refuses, observed_file_n),
    function("LevelWriter: sink", Seam::Writing, After::GoesOnOrGone, level_writer),
    function("LevelReader::write_to: source", CONTENT, After::Gone, level_written_from),
    function("LevelReader::write_to: sink", Seam::Writing, After::Gone, level_written_to),
    function("RangeLevel: content", RANGES, After::GoesOn, range_level_content),
    function("RangeLevel: observer", Seam::Observing, After::Refuses, observed_range_level),
    function("patch_from_file with a pipe: pipe", DELTA, After::Gone, patch_of_a_file),
    function("patch_from_file without a pipe: observer", Seam::Observing, After::Gone, observed_patch_by_a_file),
    function("patch_from_stream, level 0: pipe", DELTA, After::Gone, patch_of_level_0),
    function("patch_from_stream, level n: pipe", DELTA, After::Gone, patch_of_level_n),
    function("patch_from_stream, level 0: observer", Seam::Observing, After::Gone, observed_patch_of_level_0),
    function("patch_from_stream, level n: observer", Seam::Observing, After::Gone, observed_patch_of_level_n),
    function("chain_file: deltas", DELTAS, After::Gone, chain_to_a_file),
    function("PatchReader: delta", DELTA, After::GoesOn, patch_reader_delta),
    function("PatchReader: basis", BASIS, After::GoesOn, patch_reader_basis),
    function("PatchWriter: sink", Seam::Writing, After::GoesOnOrGone, patch_writer_sink),
    function("PatchWriter: basis", BASIS, After::GoesOnOrGone, patch_writer_basis),
    function("Chain: basis", BASIS, After::GoesOnOrGone, chain_basis),
    function("Chain: deltas", DELTAS, After::GoesOnOrGone, chain_deltas),
];
