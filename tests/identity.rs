//! What does not belong together is refused, with both identities named; what changed is said to be dirty.

#[path = "support/content.rs"]
mod content;
#[path = "support/pieces.rs"]
#[allow(dead_code, reason = "of the readers that fail, one is needed here")]
mod pieces;

use std::fs;
use std::io::{self, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use content::{level, noise, options};
use frazil::{
    Chain, Engine, Error, ErrorKind, Format, LevelBasis, LevelOptions, LevelReader, LevelWriter, Matching, NoBasis,
    PatchOptions, PatchReader, PatchWriter, ReadAt, Signature, SignatureFile, SignatureParams, StrongKind, VerifyBasis,
    WeakKind, patch_file,
};
use pieces::{Manner, Pieces, Shared};

use ErrorKind::{InvalidInput, Limit, State, WrongBasis};

const BLOCK_LEN: u32 = 1024;

/// Four states, the levels from nothing to the last, and their signatures.
struct History {
    states: Vec<Vec<u8>>,
    levels: Vec<Vec<u8>>,
    signatures: Vec<Signature>,
}

impl History {
    fn new(format: Format) -> Self {
        let states: Vec<_> = (0..4)
            .map(|number| {
                let mut content = noise(20_000, 1);
                content[number * 5000..][..700].copy_from_slice(&noise(700, number as u64 + 2));
                content
            })
            .collect();
        let mut history = Self { states, levels: Vec::new(), signatures: Vec::new() };
        for state in &history.states {
            let (stream, signature) = level(state, history.signatures.last(), options(BLOCK_LEN).format(format));
            history.levels.push(stream);
            history.signatures.push(signature);
        }
        history
    }

    /// What an error must say when level `level` meets the state `found`.
    fn check_named(&self, error: &Error, level: usize, found: usize) {
        assert_eq!(error.kind(), WrongBasis, "{error}");
        let [expected, found] = [level - 1, found].map(|state| self.signatures[state].fingerprint().unwrap());
        let named = format!("made against another basis: expected {expected}, found {found}");
        assert!(error.to_string().contains(&named), "{error}");
    }
}

#[test]
fn a_wrong_basis_is_named_before_a_byte_comes_out() {
    let history = History::new(Format::Sealed);
    let (delta, wrong) = (&history.levels[1], &history.states[2]);
    let mut reader = PatchReader::new(&delta[..], wrong, PatchOptions::new()).unwrap();
    let mut out = Vec::new();
    let error = reader.read_to_end(&mut out).unwrap_err();
    history.check_named(&Error::from(error), 1, 2);
    assert_eq!(out.len(), 0);
    assert_eq!(Error::from(reader.read(&mut [0]).unwrap_err()).kind(), State);
    assert_eq!(reader.finish().unwrap_err().kind(), State);

    let sink = Shared::default();
    let mut writer = PatchWriter::new(sink.clone(), wrong, PatchOptions::new()).unwrap();
    let error = writer.write_all(delta).unwrap_err();
    history.check_named(&Error::from(error), 1, 2);
    assert_eq!(sink.content().len(), 0);
    assert_eq!(Error::from(writer.write(b"more").unwrap_err()).kind(), State);
    assert_eq!(writer.finish().unwrap_err().kind(), State);
}

#[test]
fn a_level_of_empty_content_does_not_stand_on_another() {
    let (_, empty) = level(b"", None, options(4096));
    let (delta, _) = level(b"content", Some(&empty), options(4096));
    let mut reader = PatchReader::new(&delta[..], &b"other"[..], PatchOptions::new()).unwrap();
    let error = Error::from(reader.read_to_end(&mut Vec::new()).unwrap_err());
    assert_eq!(error.kind(), ErrorKind::WrongBasis, "{error}");
}

#[test]
fn a_wrong_basis_is_named_whenever_it_is_verified_and_nothing_is_published() {
    let history = History::new(Format::Sealed);
    let dir = tempfile::tempdir().unwrap();
    let (basis, target) = (dir.path().join("basis"), dir.path().join("target"));
    // Of another length the basis is seen to be wrong at once, of the same one by the result.
    let longer = [&history.states[2][..], b"longer"].concat();
    for (wrong, is_longer) in [(&history.states[2], false), (&longer, true)] {
        fs::write(&basis, wrong).unwrap();
        for when in [None, Some(VerifyBasis::Before), Some(VerifyBasis::After)] {
            let options = when.map_or(PatchOptions::new(), |when| PatchOptions::new().verify_basis(when));
            let error = patch_file(Some(&basis), &history.levels[1][..], &target, options).unwrap_err();
            assert_eq!(error.kind(), WrongBasis, "{when:?}: {error}");
            assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "{when:?}");
            if !is_longer {
                history.check_named(&error, 1, 2);
            }
        }
    }
}

#[test]
fn a_reader_that_verifies_after_gives_provisional_bytes_and_then_names_the_basis() {
    let history = History::new(Format::Sealed);
    let options = PatchOptions::new().verify_basis(VerifyBasis::After);
    let mut reader = PatchReader::new(&history.levels[1][..], &history.states[2], options.clone()).unwrap();
    let mut out = Vec::new();
    let error = reader.read_to_end(&mut out).unwrap_err();
    history.check_named(&Error::from(error), 1, 2);
    assert_eq!(out.len(), 20_000, "all of it, and all of it provisional");
    assert_eq!(reader.finish().unwrap_err().kind(), State);

    let mut chain = Chain::new(&history.states[2], vec![&history.levels[1]], options).unwrap();
    let error = chain.read_to_end(&mut Vec::new()).unwrap_err();
    history.check_named(&Error::from(error), 1, 2);
    assert_eq!(Error::from(chain.read(&mut [0]).unwrap_err()).kind(), State);
    assert_eq!(chain.finish().unwrap_err().kind(), State);
}

#[test]
fn a_chain_with_a_level_missing_or_out_of_order_is_refused_before_it_begins() {
    let history = History::new(Format::Sealed);
    let open = |order: &[usize]| {
        let deltas = order.iter().map(|&number| &history.levels[number]).collect();
        Chain::new(NoBasis, deltas, PatchOptions::new())
    };
    assert_eq!(open(&[0, 1, 2, 3]).unwrap().length(), 20_000);
    for (order, place, level, found) in
        [(&[0, 2, 3][..], 2, 2, 0), (&[0, 1, 3], 3, 3, 1), (&[0, 2, 1], 2, 2, 0), (&[0, 1, 1], 3, 1, 1)]
    {
        let error = open(order).err().unwrap();
        history.check_named(&error, level, found);
        assert!(error.to_string().starts_with(&format!("reading delta {place} of {}: ", order.len())), "{error}");
    }
    for order in [&[1, 2][..], &[0, 0], &[3]] {
        assert_eq!(open(order).err().unwrap().kind(), WrongBasis, "{order:?}");
    }
    assert_eq!(open(&[]).err().unwrap().kind(), InvalidInput);
}

#[test]
fn a_plain_delta_cannot_tell_its_basis() {
    let history = History::new(Format::Rdiff);
    let mut out = Vec::new();
    let mut reader = PatchReader::new(&history.levels[1][..], &history.states[2], PatchOptions::new()).unwrap();
    reader.read_to_end(&mut out).unwrap();
    assert!(out != history.states[1], "a wrong result, and no way to know");
    assert!(reader.finish().unwrap().identity.is_none());
}

/// A basis that is no longer what it was once it has been read so often.
struct Changing<'a> {
    content: &'a [u8],
    reads: AtomicU64,
    after: u64,
    shrinks: bool,
}

impl ReadAt for Changing<'_> {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let changed = self.reads.fetch_add(1, Ordering::Relaxed) >= self.after;
        if changed && self.shrinks {
            return Ok(0);
        }
        let len = self.content.read_at(buffer, offset)?;
        buffer[..len].iter_mut().for_each(|byte| *byte ^= u8::from(changed));
        Ok(len)
    }

    fn size(&self) -> io::Result<u64> {
        self.content.size()
    }
}

#[test]
fn a_basis_that_changes_or_shrinks_while_it_is_read_is_noticed() {
    let history = History::new(Format::Sealed);
    // Two reads verify it; what changes after that shows in the result alone.
    for (after, shrinks, kind, part) in [
        (0, false, WrongBasis, "made against another basis"),
        (2, false, ErrorKind::Mismatch, "result has the wrong checksum"),
        (2, true, WrongBasis, "basis became shorter while it was read: expected 20000 bytes, found "),
    ] {
        let basis = || Changing { content: &history.states[0], reads: AtomicU64::new(0), after, shrinks };
        let delta = &history.levels[1];
        let mut reader = PatchReader::new(&delta[..], basis(), PatchOptions::new()).unwrap();
        let pulled = Error::from(reader.read_to_end(&mut Vec::new()).unwrap_err());
        let chain = Chain::new(basis(), vec![delta], PatchOptions::new());
        let chained = chain.and_then(|mut chain| Ok(chain.read_to_end(&mut Vec::new()).map(drop)?)).unwrap_err();
        for error in [pulled, chained] {
            assert_eq!(error.kind(), kind, "{error}");
            assert!(error.to_string().contains(part), "{error}");
        }
        assert_eq!(reader.finish().unwrap_err().kind(), State);
    }
}

#[test]
fn a_source_that_changes_while_it_is_read_makes_a_dirty_level() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("source");
    fs::write(&path, noise(6 << 20, 1)).unwrap();
    for changes in [false, true] {
        let signature_sink = Shared::default();
        let mut reader = LevelReader::open(&path, None, LevelOptions::new()).unwrap();
        let mut again = LevelReader::open(&path, None, LevelOptions::new()).unwrap();
        again = again.signature_to(signature_sink.clone(), Format::Sealed).unwrap();
        let mut stream = vec![0; 100];
        reader.read_exact(&mut stream).unwrap();
        again.read_exact(&mut [0; 100]).unwrap();
        if changes {
            fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(b"more").unwrap();
        }
        reader.read_to_end(&mut stream).unwrap();
        io::copy(&mut again, &mut io::sink()).unwrap();
        let summary = reader.finish_summary().unwrap();
        assert_eq!(summary.dirty, changes);
        assert_eq!(summary.signature.unwrap().is_dirty(), changes);
        assert_eq!(again.finish_summary().unwrap().dirty, changes);
        assert_eq!(Signature::read_from(&signature_sink.content()[..]).unwrap().is_dirty(), changes);
        let mut patch = PatchReader::new(&stream[..], NoBasis, PatchOptions::new()).unwrap();
        assert_eq!(io::copy(&mut patch, &mut io::sink()).unwrap(), 6 << 20, "what the file was when it was opened");
        assert_eq!(patch.finish().unwrap().dirty, changes);
        let mut chain = Chain::new(NoBasis, vec![&stream], PatchOptions::new()).unwrap();
        io::copy(&mut chain, &mut io::sink()).unwrap();
        assert_eq!(chain.finish().unwrap().dirty, changes);
    }
}

#[test]
fn finish_takes_a_level_read_whole_or_not_at_all() {
    let content = noise(100_000, 1);
    // Of little content all of the stream is made before any of it is read.
    for content in [&content[..], &content[..100]] {
        let start = || LevelReader::new(content, None, options(BLOCK_LEN)).unwrap();
        let alone = start().finish().unwrap();
        let mut reader = start();
        reader.read_exact(&mut [0; 10]).unwrap();
        let error = reader.finish().unwrap_err();
        assert_eq!(error.kind(), State);
        assert_eq!(error.to_string(), "finishing a level: the stream was not read to its end");
        let mut reader = start();
        io::copy(&mut reader, &mut io::sink()).unwrap();
        assert_eq!(reader.finish().unwrap(), alone);
    }

    let (delta, _) = level(&content, None, options(BLOCK_LEN));
    let reader = PatchReader::new(&delta[..], NoBasis, PatchOptions::new()).unwrap();
    assert_eq!(reader.finish().unwrap_err().kind(), State);
    let mut chain = Chain::new(NoBasis, vec![&delta], PatchOptions::new()).unwrap();
    chain.read_exact(&mut [0; 10]).unwrap();
    assert_eq!(chain.finish().unwrap_err().kind(), State);
}

#[test]
fn a_level_that_failed_in_its_signature_goes_no_further() {
    let content = noise(8 << 20, 1);
    let failing = || Pieces::new(io::sink(), Manner { fails_at: Some(1), ..Manner::whole() });
    let reader = LevelReader::new(&content[..], None, options(BLOCK_LEN)).unwrap();
    let mut reader = reader.signature_to(failing(), Format::Sealed).unwrap();
    let error = io::copy(&mut reader, &mut io::sink()).unwrap_err();
    assert!(pieces::is_unchanged(&error, 1), "{error}");
    assert_eq!(Error::from(reader.read(&mut [0]).unwrap_err()).kind(), State);
    assert_eq!(reader.finish_summary().unwrap_err().kind(), State);

    let writer = LevelWriter::new(io::sink(), None, options(BLOCK_LEN)).unwrap();
    let mut writer = writer.signature_to(failing(), Format::Sealed).unwrap();
    assert!(pieces::is_unchanged(&writer.write_all(&content).unwrap_err(), 1));
    assert_eq!(Error::from(writer.write_all(&content).unwrap_err()).kind(), State);
    assert_eq!(writer.finish().unwrap_err().kind(), State);
}

/// The kind and a part of the message; none where the level starts.
type Refusal = Option<(ErrorKind, &'static str)>;

#[test]
fn options_that_do_not_go_together_are_refused_before_the_start() {
    let params = |strong, block_len, len| SignatureParams::new(WeakKind::RabinKarp, strong, block_len, len).unwrap();
    let signature_of = |params| {
        let options = LevelOptions::new().params(params).format(Format::Rdiff);
        level(&noise(50_000, 1), None, options).1
    };
    let md4 = signature_of(params(StrongKind::Md4, 1024, 16));
    let short = signature_of(params(StrongKind::Blake2, 1024, 15));
    let full = signature_of(params(StrongKind::Blake2, 1024, 32));
    let dir = tempfile::tempdir().unwrap();
    full.save(dir.path().join("signature"), Format::Sealed).unwrap();
    let file = SignatureFile::open(dir.path().join("signature")).unwrap();

    let plain = || LevelOptions::new().format(Format::Rdiff);
    let librsync = || LevelOptions::new().engine(Engine::Librsync);
    let other_blocks = params(StrongKind::Blake2, 2048, 32);
    let allowed = "must be allowed: a false match can be crafted";
    let table: [(LevelBasis, LevelOptions, Refusal); 20] = [
        ((&md4).into(), LevelOptions::new(), Some((InvalidInput, allowed))),
        ((&short).into(), LevelOptions::new(), Some((InvalidInput, allowed))),
        ((&md4).into(), LevelOptions::new().allow_weak(true), None),
        ((&short).into(), LevelOptions::new().allow_weak(true), None),
        ((&md4).into(), plain(), None),
        (None.into(), LevelOptions::new().params(*md4.params()), Some((InvalidInput, "whole BLAKE2b-256 sums only"))),
        (None.into(), plain().params(*md4.params()), None),
        ((&full).into(), librsync().matching(Matching::Aligned), Some((InvalidInput, "librsync cannot match aligned"))),
        ((&full).into(), librsync().matching(Matching::Rolling), None),
        ((&full).into(), librsync(), None),
        ((&file).into(), librsync(), Some((InvalidInput, "librsync needs the basis's signature in memory"))),
        ((&file).into(), librsync().matching(Matching::Rolling), Some((InvalidInput, "in memory"))),
        ((&file).into(), LevelOptions::new().matching(Matching::Rolling), None),
        ((&file).into(), LevelOptions::new(), None),
        ((&file).into(), LevelOptions::new().matching(Matching::Aligned), None),
        ((&full).into(), LevelOptions::new().params(other_blocks), None),
        (
            (&full).into(),
            LevelOptions::new().params(other_blocks).matching(Matching::Aligned),
            Some((InvalidInput, "an aligned match needs the new signature's blocks to be as long")),
        ),
        ((&full).into(), LevelOptions::new().memory_limit(1 << 20), Some((Limit, "needs more memory than is allowed"))),
        (None.into(), LevelOptions::new().target_len(1 << 50), Some((Limit, "needs more memory than is allowed"))),
        (None.into(), LevelOptions::new(), None),
    ];
    for (number, (basis, options, refused)) in table.into_iter().enumerate() {
        let started = LevelReader::new(io::empty(), basis.clone(), options.clone()).map(drop);
        assert_eq!(started.is_err(), LevelWriter::new(io::sink(), basis, options).is_err());
        match (started, refused) {
            (Ok(()), None) => {}
            (Err(error), Some((kind, part))) => {
                assert_eq!(error.kind(), kind, "{number}: {error}");
                assert!(error.to_string().starts_with("starting a level: "), "{number}: {error}");
                assert!(error.to_string().contains(part), "{number}: {error}");
            }
            (started, refused) => panic!("{number}: {started:?} instead of {refused:?}"),
        }
    }
}

#[test]
fn a_level_matched_on_weak_sums_says_so() {
    let params = SignatureParams::new(WeakKind::Rollsum, StrongKind::Md4, 1024, 8).unwrap();
    let content = noise(50_000, 1);
    let (_, signature) = level(&content, None, LevelOptions::new().params(params).format(Format::Rdiff));
    let (delta, _) = level(&content, Some(&signature), LevelOptions::new().allow_weak(true));
    let mut patch = PatchReader::new(&delta[..], &content, PatchOptions::new()).unwrap();
    let mut restored = Vec::new();
    patch.read_to_end(&mut restored).unwrap();
    assert!(restored == content && patch.finish().unwrap().weak);
}

/// Stops at a call of so many.
struct StopAt(u64, AtomicU64);

impl frazil::Observer for StopAt {
    fn cancelled(&self) -> bool {
        self.1.fetch_add(1, Ordering::Relaxed) + 1 == self.0
    }
}

#[test]
fn an_observer_that_stops_a_patch_or_chain_stops_it_for_good() {
    let content = noise(3 << 20, 1);
    let (delta, _) = level(&content, None, options(65536));
    let options = |call| PatchOptions::new().observer(Arc::new(StopAt(call, AtomicU64::new(0))));
    let mut patch = PatchReader::new(&delta[..], NoBasis, options(1)).unwrap();
    // A chain is watched as often while its delta is indexed, and would go on with a gap where it stopped.
    let mut chain = Chain::new(NoBasis, vec![&delta], options(5)).unwrap();
    for reader in [&mut patch as &mut dyn Read, &mut chain] {
        let error = Error::from(reader.read_to_end(&mut Vec::new()).unwrap_err());
        assert_eq!(error.kind(), ErrorKind::Cancelled);
        assert_eq!(Error::from(reader.read(&mut [0]).unwrap_err()).kind(), State);
    }
    assert_eq!(patch.finish().unwrap_err().kind(), State);
    assert_eq!(chain.finish().unwrap_err().kind(), State);
    let dir = tempfile::tempdir().unwrap();
    let error = patch_file(None, &delta[..], dir.path().join("target"), options(2)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}
