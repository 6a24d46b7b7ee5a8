//! A level then its patch gives the new content, in any form, in any pieces, on any number of threads.

use frazil::{LevelSummary, PatchOptions, Signature, SignatureParams};
use proptest::prelude::*;

use crate::cases::{Way, changes, manner, params, pieces, way};
use crate::forms::{Patcher, pulled, pushed, sign};
use crate::law::holds;
use crate::pieces::Manner;
use crate::script::{Change, Piece, changed, content};

/// Two contents and everything that may be chosen about a level between them.
#[derive(Clone, Debug)]
struct Case {
    pieces: Vec<Piece>,
    changes: Vec<Change>,
    old: SignatureParams,
    way: Way,
    manners: [Manner; 2],
    more_threads: usize,
}

fn case(longest: usize, shortest_block: u32, shortest_piece: usize) -> impl Strategy<Value = Case> {
    let manners = [manner(shortest_piece), manner(shortest_piece)];
    let contents = (pieces(longest), changes());
    (contents, params(shortest_block), way(shortest_block), manners, 2..=6_usize).prop_map(
        |((pieces, changes), old, way, manners, more_threads)| Case {
            pieces,
            changes,
            old,
            way,
            manners,
            more_threads,
        },
    )
}

impl Case {
    fn contents(&self, longest: usize) -> (Vec<u8>, Vec<u8>) {
        let old = content(&self.pieces);
        let new = changed(&old, &self.changes, 2 * longest);
        (old, new)
    }
}

/// The new signature is that of the new content, whoever made it.
fn check_signature(summary: &LevelSummary, new: &[u8]) {
    let signature = summary.signature.as_ref().expect("it is held");
    let expected = sign(new, *signature.params());
    assert!(*signature == expected, "the new signature is not that of the new content");
    assert_eq!(signature.identity(), summary.identity.as_ref());
    assert_eq!(summary.stats.source_bytes, new.len() as u64);
}

/// The stream of the level, which is one whatever the form, the pieces and the number of threads.
fn the_stream(case: &Case, signature: &Signature, new: &[u8]) -> Vec<u8> {
    let options = || case.way.options(Some(signature), new);
    let (stream, summary) = pulled(signature, new, options(), case.manners).unwrap();
    check_signature(&summary, new);
    assert_eq!(summary.stats.stream_bytes, stream.len() as u64);
    let (same, summary) = pushed(signature, new, options(), case.manners).unwrap();
    assert!(same == stream, "pushed, the stream is another");
    check_signature(&summary, new);
    for threads in [1, case.more_threads] {
        let (same, _) = pulled(signature, new, options().threads(threads), [Manner::whole(); 2]).unwrap();
        assert!(same == stream, "on {threads} threads and in one piece the stream is another");
    }
    stream
}

fn check(case: Case, longest: usize) {
    let (old, new) = case.contents(longest);
    let signature = case.way.known(&sign(&old, case.old));
    let stream = the_stream(&case, &signature, &new);
    let dir = tempfile::tempdir().unwrap();
    for patcher in Patcher::ALL {
        for threads in [1, case.more_threads] {
            let options = PatchOptions::new().threads(threads);
            let target = patcher.patched(&old, &stream, options, case.manners, dir.path());
            let target = target.unwrap_or_else(|error| panic!("{patcher:?}, {threads} threads: {error}"));
            assert!(target == new, "{patcher:?} on {threads} threads makes something else");
        }
    }
}

#[test]
fn a_level_then_its_patch_gives_the_new_content_in_every_form() {
    const LONGEST: usize = 40_000;
    holds(1, case(LONGEST, 1, 1), |case| check(case, LONGEST));
}

/// Longer than what a level gathers and what a thread patches at once.
#[test]
fn a_level_of_long_content_then_its_patch_gives_it_in_every_form() {
    const LONGEST: usize = 7_000_000;
    holds(8, case(LONGEST, 500, 1000), |case| check(case, LONGEST));
}

#[test]
fn a_level_0_then_its_patch_gives_the_content_in_every_form() {
    const LONGEST: usize = 40_000;
    holds(2, case(LONGEST, 1, 1), |case| {
        let (_, new) = case.contents(LONGEST);
        let options = || case.way.options(None, &new);
        let (stream, summary) = pulled(None, &new, options(), case.manners).unwrap();
        check_signature(&summary, &new);
        let (same, _) = pushed(None, &new, options().threads(case.more_threads), case.manners).unwrap();
        assert!(same == stream, "pushed on {} threads, the stream is another", case.more_threads);
        let dir = tempfile::tempdir().unwrap();
        for patcher in Patcher::ALL {
            let target = patcher.patched(&[], &stream, PatchOptions::new(), case.manners, dir.path());
            assert!(target.unwrap() == new, "{patcher:?} makes something else");
        }
    });
}
