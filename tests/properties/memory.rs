//! Less memory than is needed is said so; enough of it, however little, takes nothing from the result.

use std::fs;

use frazil::{Error, ErrorKind, LevelSummary, PatchOptions, SignatureFile, SignatureParams, patch_in_place};
use proptest::prelude::*;

use crate::cases::{STREAM_ID, Way, changes, manner, params, pieces, way};
use crate::forms::{Patcher, pulled, pushed, sign};
use crate::law::holds;
use crate::pieces::{Manner, Shared};
use crate::script::{Change, Piece, changed, content};

const LONGEST: usize = 60_000;

#[derive(Clone, Debug)]
struct Case {
    pieces: Vec<Piece>,
    changes: Vec<Change>,
    old: SignatureParams,
    way: Way,
    manners: [Manner; 2],
    /// Out of what is hardly enough for anything to what is enough for everything here.
    memory: u64,
}

fn case(least: u64, most: u64) -> impl Strategy<Value = Case> {
    (pieces(LONGEST), changes(), params(1), (way(1), [manner(1), manner(1)]), least..=most)
        .prop_map(|(pieces, changes, old, (way, manners), memory)| Case { pieces, changes, old, way, manners, memory })
}

impl Case {
    fn contents(&self) -> (Vec<u8>, Vec<u8>) {
        let old = content(&self.pieces);
        let new = changed(&old, &self.changes, 2 * LONGEST);
        (old, new)
    }
}

#[test]
fn a_level_in_little_memory_gives_the_new_content_or_says_that_it_is_too_little() {
    holds(1, case(4 << 20, 16 << 20), |case| {
        let (old, new) = case.contents();
        let signature = case.way.known(&sign(&old, case.old));
        let options = || case.way.options(Some(&signature), &new).memory_limit(case.memory);
        let check = |result: Result<(Vec<u8>, LevelSummary), Error>| match result {
            Ok((stream, summary)) => {
                let found = summary.signature.expect("it is held");
                assert!(found == sign(&new, *found.params()), "the new signature");
                let dir = tempfile::tempdir().unwrap();
                let target = Patcher::Reader.patched(&old, &stream, PatchOptions::new(), case.manners, dir.path());
                assert!(target.unwrap() == new, "the level restores something else");
                Some(stream)
            }
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Limit, "{error}");
                None
            }
        };
        let one = check(pulled(&signature, &new, options(), case.manners));
        assert!(one == check(pushed(&signature, &new, options(), case.manners)), "pushed it is another");
    });
}

/// A signature that is written on the way is the one that would be held, and one in its file is as good a basis.
#[test]
fn a_level_that_holds_no_signature_gives_the_same_bytes() {
    holds(1, case(0, 0), |case| {
        let (old, new) = case.contents();
        let way = &case.way;
        let old = sign(&old, case.old);
        // What librsync matches with, it has in memory.
        let by_librsync = matches!(way.finding, crate::cases::Finding::Librsync);
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("signature");
        let sealable = SignatureParams::with_block_len(case.old.block_len()).unwrap() == case.old;
        let format = if way.stripped || !sealable { frazil::Format::Rdiff } else { frazil::Format::Sealed };
        old.save(&path, format).unwrap();
        let known = frazil::Signature::load(&path).unwrap();
        let file = SignatureFile::open(&path).unwrap();

        let options = || way.options(Some(&known), &new);
        let (expected, summary) = pulled(&known, &new, options(), case.manners).unwrap();
        let signature = summary.signature.unwrap();
        let basis = if by_librsync { frazil::LevelBasis::from(&known) } else { frazil::LevelBasis::from(&file) };

        let sink = Shared::default();
        let level = frazil::LevelReader::new(&new[..], basis, options().hold_signature(false)).unwrap();
        let mut level = level.signature_to(sink.clone(), way.format).unwrap();
        let mut stream = Vec::new();
        std::io::Read::read_to_end(&mut level, &mut stream).unwrap();
        let summary = level.finish_summary().unwrap();
        assert!(summary.signature.is_none());
        assert_eq!(summary.identity.as_ref(), signature.identity());
        assert!(stream == expected, "the stream is another");
        let written = signature.write_with_stream_id(Vec::new(), way.format, STREAM_ID).unwrap();
        assert!(*sink.content() == written, "the signature is another");
    });
}

#[test]
fn patching_in_place_in_any_memory_gives_the_new_content_or_leaves_the_old() {
    holds(1, case(0, 50_000), |case| {
        let (old, new) = case.contents();
        let signature = case.way.known(&sign(&old, case.old));
        let (delta, _) = pulled(&signature, &new, case.way.options(Some(&signature), &new), case.manners).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("image");
        fs::write(&path, &old).unwrap();
        let result = patch_in_place(&path, &delta[..], PatchOptions::new().index_memory(case.memory));
        let found = fs::read(&path).unwrap();
        match result {
            Ok(summary) => {
                assert!(found == new, "the file is something else");
                assert_eq!(summary.output_bytes, new.len() as u64);
            }
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Limit, "{error}");
                assert!(found == old, "refused, the file was written to: {error}");
            }
        }
    });
}
