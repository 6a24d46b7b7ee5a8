//! Every adapter gives the same bytes however its sources and sinks behave, and hands on their errors.

#[path = "support/content.rs"]
mod content;
#[path = "support/pieces.rs"]
mod pieces;

use std::io::{self, Read, Write};

use content::{level, noise, options};
use frazil::{
    Chain, Engine, Format, LevelOptions, LevelReader, LevelWriter, PatchOptions, PatchReader, PatchWriter, Signature,
    SignatureReader, SignatureWriter, compare_data,
};
use pieces::{Manner, Pieces, Shared, is_unchanged};

/// Three states of one content, the levels between them, and how those were made.
struct Fixture {
    states: [Vec<u8>; 3],
    signatures: [Signature; 3],
    deltas: [Vec<u8>; 2],
    format: Format,
    engine: Engine,
}

const BLOCK_LEN: u32 = 2048;

impl Fixture {
    fn new(len: usize, format: Format, engine: Engine) -> Self {
        let first = noise(len, 1);
        let mut second = first.clone();
        second.splice(len / 3..len / 3 + 7, noise(len / 8, 2));
        second.extend(vec![0; 20_000]);
        let mut third = second.clone();
        third.rotate_left(len / 2);
        third.splice(100..100, noise(len / 4, 3));
        let make = |content: &[u8], basis| level(content, basis, options(BLOCK_LEN).format(format).engine(engine));
        let (_, signature0) = make(&first, None);
        let (delta1, signature1) = make(&second, Some(&signature0));
        let (delta2, signature2) = make(&third, Some(&signature1));
        Self {
            states: [first, second, third],
            signatures: [signature0, signature1, signature2],
            deltas: [delta1, delta2],
            format,
            engine,
        }
    }

    fn options(&self) -> LevelOptions {
        options(BLOCK_LEN).format(self.format).engine(self.engine)
    }

    fn signature_bytes(&self) -> Vec<u8> {
        self.signatures[1].write_with_stream_id(Vec::new(), self.format, content::STREAM_ID).unwrap()
    }
}

/// Where an adapter stopped for good; what its documentation does not promise to go on from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stop {
    New,
    Push,
    Finish,
}

/// What came out, and which errors on the way.
struct Run {
    output: Vec<u8>,
    raised: Vec<io::Error>,
    stopped: Option<Stop>,
}

impl Run {
    fn new() -> Self {
        Self { output: Vec::new(), raised: Vec::new(), stopped: None }
    }

    fn stop(mut self, stop: Stop, error: impl Into<io::Error>) -> Self {
        self.raised.push(error.into());
        self.stopped = Some(stop);
        self
    }

    /// Reads to the end, going on after errors.
    fn read_on(&mut self, reader: &mut impl Read) {
        let mut buffer = vec![0; 50_000];
        loop {
            match reader.read(&mut buffer) {
                Ok(0) => return,
                Ok(len) => self.output.extend_from_slice(&buffer[..len]),
                Err(error) => self.raised.push(error),
            }
            assert!(self.raised.len() < 3, "{:?}", self.raised);
        }
    }

    /// Writes it all, going on after errors.
    fn write_on(&mut self, writer: &mut impl Write, mut content: &[u8]) {
        while !content.is_empty() {
            let len = content.len().min(300_000);
            match writer.write(&content[..len]) {
                Ok(len) => content = &content[len..],
                Err(error) => self.raised.push(error),
            }
            assert!(self.raised.len() < 3, "{:?}", self.raised);
        }
    }
}

fn level_reader(fixture: &Fixture, manner: Manner) -> Run {
    let source = Pieces::new(&fixture.states[1][..], manner);
    let mut run = Run::new();
    let mut reader = LevelReader::new(source, &fixture.signatures[0], fixture.options()).unwrap();
    run.read_on(&mut reader);
    assert_eq!(reader.finish().unwrap(), fixture.signatures[1]);
    run
}

/// A level that is written where another thread may write it.
fn level_written(fixture: &Fixture, source: impl Read, sink: impl Write + Send, written: &Shared) -> Run {
    let mut run = Run::new();
    let reader = LevelReader::new(source, &fixture.signatures[0], fixture.options().threads(2)).unwrap();
    let finished = reader.write_to(sink);
    run.output = written.content().clone();
    match finished {
        Ok(summary) => assert_eq!(summary.signature.as_ref(), Some(&fixture.signatures[1])),
        Err(error) => return run.stop(Stop::Finish, error),
    }
    run
}

fn level_written_from(fixture: &Fixture, manner: Manner) -> Run {
    let written = Shared::default();
    level_written(fixture, Pieces::new(&fixture.states[1][..], manner), written.clone(), &written)
}

fn level_written_to(fixture: &Fixture, manner: Manner) -> Run {
    let written = Shared::default();
    level_written(fixture, &fixture.states[1][..], Pieces::new(written.clone(), manner), &written)
}

fn level_writer(fixture: &Fixture, manner: Manner) -> Run {
    let sink = Shared::default();
    let mut run = Run::new();
    let pieces = Pieces::new(sink.clone(), manner);
    let mut writer = LevelWriter::new(pieces, &fixture.signatures[0], fixture.options()).unwrap();
    run.write_on(&mut writer, &fixture.states[1]);
    let finished = writer.finish();
    run.output = sink.content().clone();
    match finished {
        Ok((_, summary)) => assert_eq!(summary.signature.as_ref(), Some(&fixture.signatures[1])),
        Err(error) => return run.stop(Stop::Finish, error),
    }
    run
}

fn signature_sink(fixture: &Fixture, manner: Manner) -> Run {
    let sink = Shared::default();
    let mut run = Run::new();
    let reader = LevelReader::new(&fixture.states[1][..], &fixture.signatures[0], fixture.options()).unwrap();
    let mut reader = reader.signature_to(Pieces::new(sink.clone(), manner), fixture.format).unwrap();
    let result = match io::copy(&mut reader, &mut io::sink()) {
        Ok(_) => reader.finish_summary().map_err(|error| (Stop::Finish, io::Error::from(error))),
        Err(error) => Err((Stop::Push, error)),
    };
    run.output = sink.content().clone();
    match result {
        Ok(_) => run,
        Err((stop, error)) => run.stop(stop, error),
    }
}

fn patch_reader_delta(fixture: &Fixture, manner: Manner) -> Run {
    let delta = Pieces::new(&fixture.deltas[0][..], manner);
    let mut run = Run::new();
    let mut reader = PatchReader::new(delta, &fixture.states[0], PatchOptions::new()).unwrap();
    run.read_on(&mut reader);
    reader.finish().unwrap();
    run
}

fn patch_reader_basis(fixture: &Fixture, manner: Manner) -> Run {
    let basis = Pieces::new(&fixture.states[0], manner);
    let mut run = Run::new();
    let mut reader = PatchReader::new(&fixture.deltas[0][..], basis, PatchOptions::new()).unwrap();
    run.read_on(&mut reader);
    reader.finish().unwrap();
    run
}

fn patch_writer_sink(fixture: &Fixture, manner: Manner) -> Run {
    let sink = Shared::default();
    let pieces = Pieces::new(sink.clone(), manner);
    let mut run = Run::new();
    let mut writer = PatchWriter::new(pieces, &fixture.states[0], PatchOptions::new()).unwrap();
    run.write_on(&mut writer, &fixture.deltas[0]);
    let finished = writer.finish();
    run.output = sink.content().clone();
    match finished {
        Ok(_) => run,
        Err(error) => run.stop(Stop::Finish, error),
    }
}

fn patch_writer_basis(fixture: &Fixture, manner: Manner) -> Run {
    let sink = Shared::default();
    let mut run = Run::new();
    let basis = Pieces::new(&fixture.states[0], manner);
    let mut writer = PatchWriter::new(sink.clone(), basis, PatchOptions::new()).unwrap();
    run.write_on(&mut writer, &fixture.deltas[0]);
    let finished = writer.finish();
    run.output = sink.content().clone();
    match finished {
        Ok(_) => run,
        Err(error) => run.stop(Stop::Finish, error),
    }
}

/// A chain over a basis and deltas that can be opened again.
fn chain(fixture: &Fixture, basis: Manner, deltas: Manner) -> Run {
    let basis = Pieces::new(&fixture.states[0], basis);
    let deltas = fixture.deltas.each_ref().map(|delta| Pieces::new(delta, deltas));
    let mut run = Run::new();
    let mut chain = loop {
        match Chain::new(&basis, deltas.iter().collect(), PatchOptions::new()) {
            Ok(chain) => break chain,
            Err(error) => run.raised.push(error.into()),
        }
        assert!(run.raised.len() < 3, "{:?}", run.raised);
    };
    run.read_on(&mut chain);
    chain.finish().unwrap();
    run
}

fn chain_basis(fixture: &Fixture, manner: Manner) -> Run {
    chain(fixture, manner, Manner::whole())
}

fn chain_deltas(fixture: &Fixture, manner: Manner) -> Run {
    chain(fixture, Manner::whole(), manner)
}

fn signature_reader(fixture: &Fixture, manner: Manner) -> Run {
    let bytes = fixture.signature_bytes();
    let mut run = Run::new();
    let mut reader = match SignatureReader::new(Pieces::new(&bytes[..], manner)) {
        Ok(reader) => reader,
        Err(error) => return run.stop(Stop::New, error),
    };
    loop {
        match reader.next_block() {
            Ok(None) => return run,
            Ok(Some(sum)) => {
                run.output.extend(sum.weak.to_be_bytes());
                run.output.extend(sum.strong);
            }
            Err(error) => run.raised.push(error.into()),
        }
        assert!(run.raised.len() < 3, "{:?}", run.raised);
    }
}

fn signature_writer(fixture: &Fixture, manner: Manner) -> Run {
    let sink = Shared::default();
    let mut run = Run::new();
    let signature = &fixture.signatures[1];
    let pieces = Pieces::new(sink.clone(), manner);
    let mut writer =
        SignatureWriter::with_stream_id(pieces, *signature.params(), fixture.format, content::STREAM_ID).unwrap();
    let pushed = signature.blocks().try_for_each(|sum| writer.push(&sum));
    let finished = pushed.and_then(|()| writer.finish(signature.identity().unwrap()));
    run.output = sink.content().clone();
    match finished {
        Ok(sink) => assert_eq!(*sink.into_inner().content(), run.output),
        Err(error) => return run.stop(Stop::Push, error),
    }
    run
}

fn data_comparison(fixture: &Fixture, manner: Manner) -> Run {
    let mut run = Run::new();
    let source = Pieces::new(&fixture.states[2][..], manner);
    for range in compare_data(&fixture.signatures[1], source).unwrap() {
        match range {
            Ok(range) => run.output.extend(format!("{range:?}\n").bytes()),
            Err(error) => run.raised.push(error.into()),
        }
        assert!(run.raised.len() < 3, "{:?}", run.raised);
    }
    run
}

type Adapter = fn(&Fixture, Manner) -> Run;

/// Each adapter by the source or sink that misbehaves, and where an error of that is the end.
const ADAPTERS: [(&str, Adapter, &[Stop]); 14] = [
    ("LevelReader's source", level_reader, &[]),
    ("LevelWriter's sink", level_writer, &[Stop::Finish]),
    ("write_to's source", level_written_from, &[Stop::Finish]),
    ("write_to's sink", level_written_to, &[Stop::Finish]),
    ("signature_to's sink", signature_sink, &[Stop::Push, Stop::Finish]),
    ("PatchReader's delta", patch_reader_delta, &[]),
    ("PatchReader's basis", patch_reader_basis, &[]),
    ("PatchWriter's sink", patch_writer_sink, &[Stop::Finish]),
    ("PatchWriter's basis", patch_writer_basis, &[Stop::Finish]),
    ("Chain's basis", chain_basis, &[]),
    ("Chain's deltas", chain_deltas, &[]),
    ("SignatureReader's source", signature_reader, &[Stop::New]),
    ("SignatureWriter's sink", signature_writer, &[Stop::Push]),
    ("compare_data's source", data_comparison, &[]),
];

/// Which pairs of format and engine there are.
const FORMS: [(Format, Engine); 4] = [
    (Format::Sealed, Engine::Native),
    (Format::Rdiff, Engine::Native),
    (Format::Sealed, Engine::Librsync),
    (Format::Rdiff, Engine::Librsync),
];

/// Enough content that the machine works on it several times.
const LONG: usize = 5 << 20;

#[test]
fn pieces_of_any_length_and_interruptions_change_no_byte() {
    for (format, engine) in FORMS {
        for (len, sizes) in [(30_000, &[1, 2, 3, 7, 15, 100, 10_000][..]), (LONG, &[10_000])] {
            let fixture = Fixture::new(len, format, engine);
            for (name, adapter, _) in ADAPTERS {
                let expected = adapter(&fixture, Manner::whole()).output;
                assert!(!expected.is_empty(), "{name}");
                for &piece in sizes {
                    for interrupted in [false, true] {
                        let run = adapter(&fixture, Manner { piece, interrupted, fails_at: None });
                        let form = format!("{name}, {format:?}, {engine:?}, {len} bytes in pieces of {piece}");
                        assert!(run.raised.is_empty(), "{form}: {:?}", run.raised);
                        assert!(run.output == expected, "{form}");
                    }
                }
            }
        }
    }
}

#[test]
fn what_was_not_read_of_a_level_is_written_whatever_the_number_of_threads() {
    for (format, engine) in FORMS {
        for len in [300, 30_000, LONG] {
            let fixture = Fixture::new(len, format, engine);
            let content = &fixture.states[1][..];
            for basis in [None, Some(&fixture.signatures[0])] {
                let reader = |threads| LevelReader::new(content, basis, fixture.options().threads(threads)).unwrap();
                let mut expected = Vec::new();
                reader(1).read_to_end(&mut expected).unwrap();
                for threads in [1, 2, 5] {
                    for read in [0, 1, 4, 1000, expected.len() / 2, expected.len()] {
                        let mut level = reader(threads);
                        let mut stream = vec![0; read.min(expected.len())];
                        level.read_exact(&mut stream).unwrap();
                        let summary = level.write_to(&mut stream).unwrap();
                        let form = format!("{read} bytes read of {}, {format:?}, {engine:?}", expected.len());
                        assert!(stream == expected, "{form}");
                        assert_eq!(summary.stats.stream_bytes, expected.len() as u64, "{form}");
                        assert_eq!(summary.signature.as_ref(), Some(&fixture.signatures[1]), "{form}");
                    }
                }
            }
        }
    }
}

#[test]
fn adapters_that_are_fed_and_read_in_pieces_give_the_same_bytes() {
    for (format, engine) in FORMS {
        let fixture = Fixture::new(30_000, format, engine);
        for piece in [1, 2, 3, 7, 15, 100, 10_000] {
            let mut writer = LevelWriter::new(Vec::new(), &fixture.signatures[0], fixture.options()).unwrap();
            let mut patch = PatchWriter::new(Vec::new(), &fixture.states[0], PatchOptions::new()).unwrap();
            fixture.states[1].chunks(piece).for_each(|content| writer.write_all(content).unwrap());
            fixture.deltas[0].chunks(piece).for_each(|content| patch.write_all(content).unwrap());
            assert!(writer.finish().unwrap().0 == fixture.deltas[0], "{format:?}, {engine:?}, pieces of {piece}");
            assert!(patch.finish().unwrap().0 == fixture.states[1], "{format:?}, {engine:?}, pieces of {piece}");

            let manner = Manner { piece, ..Manner::whole() };
            let level = LevelReader::new(&fixture.states[1][..], &fixture.signatures[0], fixture.options()).unwrap();
            let patch = PatchReader::new(&fixture.deltas[0][..], &fixture.states[0], PatchOptions::new()).unwrap();
            let chain = Chain::new(&fixture.states[0], fixture.deltas.to_vec(), PatchOptions::new()).unwrap();
            let read = |reader: &mut dyn Read| {
                let mut content = Vec::new();
                Pieces::new(reader, manner).read_to_end(&mut content).unwrap();
                content
            };
            assert!(read(&mut { level }) == fixture.deltas[0], "{format:?}, {engine:?}, pieces of {piece}");
            assert!(read(&mut { patch }) == fixture.states[1], "{format:?}, {engine:?}, pieces of {piece}");
            assert!(read(&mut { chain }) == fixture.states[2], "{format:?}, {engine:?}, pieces of {piece}");
        }
    }
}

/// Fails each call once, in turn, and holds what comes out against the run in which none fails.
fn fail_each_call(fixture: &Fixture, piece: usize, most: u64) {
    for (name, adapter, stops) in ADAPTERS {
        let expected = adapter(fixture, Manner::whole()).output;
        let mut failures = 0;
        for number in 1.. {
            assert!(number < most, "{name}: {most} calls");
            let run = adapter(fixture, Manner { piece, interrupted: false, fails_at: Some(number) });
            let form = format!("{name}, {:?}, {:?}, call {number}", fixture.format, fixture.engine);
            if run.raised.is_empty() {
                assert!(run.output == expected, "{form}");
                break;
            }
            failures += 1;
            // The chain's two deltas fail in turn, each at its call of that number.
            let times = if name == "Chain's deltas" { 1..=2 } else { 1..=1 };
            assert!(times.contains(&run.raised.len()), "{form}: {:?}", run.raised);
            assert!(run.raised.iter().all(|error| is_unchanged(error, number)), "{form}: {:?}", run.raised);
            match run.stopped {
                None => assert!(run.output == expected, "{form}: {} of {}", run.output.len(), expected.len()),
                Some(stop) => {
                    assert!(stops.contains(&stop), "{form}: stopped for good in {stop:?}");
                    assert!(expected.starts_with(&run.output), "{form}");
                }
            }
        }
        assert!(failures > 0, "{name}: nothing failed");
    }
}

#[test]
fn an_error_comes_back_unchanged_and_going_on_gives_the_same_bytes() {
    for (format, engine) in FORMS {
        fail_each_call(&Fixture::new(20_000, format, engine), 701, 400);
    }
}

#[test]
fn an_error_after_much_output_loses_none_of_it() {
    for format in [Format::Sealed, Format::Rdiff] {
        fail_each_call(&Fixture::new(LONG, format, Engine::Native), 300_000, 400);
    }
}
