//! Levels in one pass give what they give one by one, from whichever level on.

use std::fs;

use frazil::{PatchOptions, Signature, SignatureParams, chain_file};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::cases::{Way, changes, manner, params, pieces, way};
use crate::forms::{Patcher, chained, pulled};
use crate::law::holds;
use crate::pieces::Manner;
use crate::script::{Change, Piece, changed, content};

#[derive(Clone, Debug)]
struct Case {
    pieces: Vec<Piece>,
    first: SignatureParams,
    /// What happens before each level, and how it is made.
    levels: Vec<(Vec<Change>, Way)>,
    manners: [Manner; 2],
    index_memory: u64,
    threads: usize,
}

fn case(longest: usize) -> impl Strategy<Value = Case> {
    let levels = vec((changes(), way(1)), 1..=5);
    let memory = prop_oneof![Just(0), 0..5000_u64, Just(PatchOptions::DEFAULT_INDEX_MEMORY)];
    (pieces(longest), params(1), levels, [manner(1), manner(1)], (memory, 1..=4_usize)).prop_map(
        |(pieces, first, levels, manners, (index_memory, threads))| Case {
            pieces,
            first,
            levels,
            manners,
            index_memory,
            threads,
        },
    )
}

/// The content before each level, and the last; and the levels.
fn levels(case: &Case, longest: usize) -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
    let mut states = vec![Vec::new()];
    let mut deltas = Vec::new();
    let mut signature: Option<Signature> = None;
    let mut state = content(&case.pieces);
    for (number, (changes, way)) in case.levels.iter().enumerate() {
        if number > 0 {
            state = changed(&state, changes, longest);
        }
        let way = match number {
            0 => &Way { new: Some(case.first), ..way.clone() },
            _ => way,
        };
        let known = signature.as_ref().map(|signature| way.known(signature));
        let options = way.options(known.as_ref(), &state);
        let (delta, summary) = pulled(known.as_ref(), &state, options, case.manners).unwrap();
        signature = summary.signature;
        deltas.push(delta);
        states.push(state.clone());
    }
    (states, deltas)
}

#[test]
fn levels_in_one_pass_give_what_they_give_one_by_one() {
    const LONGEST: usize = 30_000;
    holds(1, case(LONGEST), |case| {
        let (states, deltas) = levels(&case, 2 * LONGEST);
        let deltas: Vec<&[u8]> = deltas.iter().map(Vec::as_slice).collect();
        let dir = tempfile::tempdir().unwrap();
        let options = || PatchOptions::new().index_memory(case.index_memory).threads(case.threads);

        let mut state = Vec::new();
        for (number, delta) in deltas.iter().enumerate() {
            let patcher = [Patcher::Reader, Patcher::Writer, Patcher::File][number % 3];
            state = patcher.patched(&state, delta, options(), case.manners, dir.path()).unwrap();
            assert!(state == states[number + 1], "level {number} by itself, {patcher:?}");
        }
        // Any of the levels, upon the content that they were made against.
        for from in 0..deltas.len() {
            for to in from + 1..=deltas.len() {
                let target = chained(&states[from], &deltas[from..to], options(), case.manners);
                let target = target.unwrap_or_else(|error| panic!("levels {from}..{to}: {error}"));
                assert!(target == states[to], "levels {from}..{to} in one pass");
            }
        }
        let (basis, target) = (dir.path().join("basis"), dir.path().join("target"));
        fs::write(&basis, &states[1]).unwrap();
        for (from, basis) in [(0, None), (1, Some(&*basis))] {
            if from < deltas.len() {
                chain_file(basis, deltas[from..].to_vec(), &target, options().replace(true)).unwrap();
                assert!(fs::read(&target).unwrap() == state, "a file of levels {from} on");
            }
        }
    });
}
