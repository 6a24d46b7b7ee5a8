//! Signatures are one whoever makes, writes and reads them; comparing them is comparing the bytes.

use std::io::Read;

use frazil::{
    BlockRange, BlockSum, Engine, Format, LevelOptions, PatchOptions, RangeLevel, Signature, SignatureFile,
    SignatureParams, SignatureReader, SignatureWriter, compare_data, compare_files, compare_streams,
};
use proptest::prelude::*;

use crate::cases::{STREAM_ID, any_params, changes, manner, params, pieces, stripped};
use crate::forms::{Patcher, pulled, pushed, sign};
use crate::law::holds;
use crate::pieces::{Manner, Pieces};
use crate::ranges::{check_ranges, without_moves};
use crate::script::{Change, Piece, changed, content};

/// All blocks, by a reader whose source gives such pieces.
fn read(bytes: &[u8], manner: Manner) -> Vec<BlockSum> {
    let mut reader = SignatureReader::new(Pieces::new(bytes, manner)).unwrap();
    let mut sums = Vec::new();
    while let Some(sum) = reader.next_block().unwrap() {
        sums.push(sum);
    }
    sums
}

/// The signature in a format, by a writer whose sink takes such pieces.
fn written(signature: &Signature, format: Format, manner: Manner) -> Vec<u8> {
    let sink = Pieces::new(Vec::new(), manner);
    let mut writer = SignatureWriter::with_stream_id(sink, *signature.params(), format, STREAM_ID).unwrap();
    signature.blocks().for_each(|sum| writer.push(&sum).unwrap());
    writer.finish(signature.identity().unwrap()).unwrap().into_inner()
}

#[test]
fn a_signature_is_one_whoever_makes_writes_and_reads_it() {
    let case = (pieces(40_000), any_params(1, 1), [manner(1), manner(1)], 1..=6_usize);
    holds(1, case, |(pieces, params, manners, threads): (Vec<Piece>, SignatureParams, [Manner; 2], usize)| {
        let content = content(&pieces);
        let signature = sign(&content, params);
        for engine in [Engine::Native, Engine::Librsync] {
            let options = LevelOptions::new().params(params).format(Format::Rdiff).engine(engine).threads(threads);
            for (_, summary) in [
                pulled(None, &content, options.clone(), manners).unwrap(),
                pushed(None, &content, options, manners).unwrap(),
            ] {
                assert!(summary.signature.unwrap() == signature, "by {engine:?} on {threads} threads");
            }
        }
        let sums: Vec<BlockSum> = signature.blocks().collect();
        let dir = tempfile::tempdir().unwrap();
        let sealable = SignatureParams::with_block_len(params.block_len()).unwrap() == params;
        for format in [Format::Rdiff, Format::Sealed] {
            if format == Format::Sealed && !sealable {
                continue;
            }
            let bytes = signature.write_with_stream_id(Vec::new(), format, STREAM_ID).unwrap();
            assert!(written(&signature, format, manners[1]) == bytes, "{format:?}, block by block");
            assert!(read(&bytes, manners[0]) == sums, "{format:?}, block by block");
            let again = Signature::read_from(Pieces::new(&bytes[..], manners[0])).unwrap();
            let expected = if format == Format::Sealed { signature.clone() } else { stripped(&signature) };
            assert!(again == expected, "{format:?}");
            let path = dir.path().join(format!("{format:?}"));
            signature.save(&path, format).unwrap();
            assert!(Signature::load(&path).unwrap() == expected, "{format:?}, from a file");
            let file = SignatureFile::open(&path).unwrap();
            assert_eq!((file.block_count(), file.identity()), (sums.len() as u64, expected.identity()));
            let mut reader = file.reader().unwrap();
            assert!(sums.iter().all(|sum| reader.next_block().unwrap().as_ref() == Some(sum)), "{format:?}, in a file");
            assert!(reader.next_block().unwrap().is_none(), "{format:?}, in a file");
        }
    });
}

#[test]
fn comparing_signatures_is_comparing_bytes_and_enough_for_a_level() {
    let case = ((pieces(30_000), changes()), params(60), any::<u16>(), [manner(1), manner(1)]);
    type Case = ((Vec<Piece>, Vec<Change>), SignatureParams, u16, [Manner; 2]);
    holds(1, case, |((pieces, changes), params, turned, manners): Case| {
        let block_len = params.block_len() as usize;
        let old = content(&pieces);
        let mut new = changed(&old, &changes, 60_000);
        // Whole blocks that stay on the grid: what a comparison of signatures can find again.
        let blocks = new.len() / block_len;
        if blocks > 0 {
            new[..blocks * block_len].rotate_left(usize::from(turned) % blocks * block_len);
        }
        let (old_signature, new_signature) = (sign(&old, params), sign(&new, params));
        let ranges: Vec<BlockRange> = old_signature.compare(&new_signature).unwrap().collect();
        check_ranges(&ranges, &old, &new, block_len, true);
        let data = compare_data(&old_signature, Pieces::new(&new[..], manners[0])).unwrap();
        assert!(data.map(|range| range.map_err(|error| error.to_string())).eq(ranges.iter().copied().map(Ok)));
        assert!(stripped(&old_signature).compare(&new_signature).unwrap().eq(ranges.iter().copied()));

        // Out of streams and files nothing is found that has moved.
        let plain = without_moves(&ranges);
        let dir = tempfile::tempdir().unwrap();
        let [old_path, new_path] = ["old", "new"].map(|name| dir.path().join(name));
        let sealable = SignatureParams::with_block_len(params.block_len()).unwrap() == params;
        if sealable {
            old_signature.save(&old_path, Format::Sealed).unwrap();
            new_signature.save(&new_path, Format::Sealed).unwrap();
            let files = [&old_path, &new_path].map(|path| SignatureFile::open(path).unwrap());
            let filed = compare_files(&files[0], &files[1]).unwrap().map(Result::unwrap);
            assert!(filed.eq(plain.iter().copied()), "in files");
            let bytes = [&old_path, &new_path].map(|path| std::fs::read(path).unwrap());
            let [old, new] = [0, 1].map(|at| SignatureReader::new(Pieces::new(&bytes[at][..], manners[at])).unwrap());
            let streamed = compare_streams(old, new).unwrap().map(Result::unwrap);
            assert!(streamed.eq(plain.iter().copied()), "in streams");
        }
        for format in [Format::Rdiff, Format::Sealed] {
            if format == Format::Sealed && !sealable {
                continue;
            }
            let options = LevelOptions::new().format(format).stream_id(STREAM_ID);
            let source = Pieces::new(&new[..], manners[0]);
            let mut level = RangeLevel::new(&old_signature, &new_signature, source, options).unwrap();
            let mut delta = Vec::new();
            Pieces::new(&mut level, manners[1]).read_to_end(&mut delta).unwrap();
            level.finish().unwrap();
            for patcher in Patcher::ALL {
                let target = patcher.patched(&old, &delta, PatchOptions::new(), manners, dir.path()).unwrap();
                assert!(target == new, "a level of ranges, {format:?}, {patcher:?}");
            }
        }
    });
}
