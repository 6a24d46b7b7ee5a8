//! Measures frazil beside the crates `librsync` and `fast_rsync` in one process: the same content, the same sums,
//! librsync's plain formats, everything in memory. `scripts/bench-crates` runs it and makes the table.
//!
//! `frazil-crates-bench MIB ROUNDS SEED` prints a line for each row as it is measured, with tabs between: the work,
//! the peer and its sums, bytes of content, and a pair of seconds for each round, frazil's and the peer's.

mod peers;

use std::error::Error;
use std::hint::black_box;
use std::time::Instant;

use peers::{Frazil, Peer, Sums, peers};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = std::env::args().skip(1).map(|word| word.parse()).collect::<Result<Vec<usize>, _>>()?;
    let [mib, rounds, seed] = arguments[..] else {
        return Err("usage: frazil-crates-bench MIB ROUNDS SEED".into());
    };
    let contents = Contents::new(mib << 20, seed as u64);
    for (peer, sums) in peers() {
        measure(&contents, &*peer, &sums, rounds);
    }
    Ok(())
}

/// The old content, and what became of it.
struct Contents {
    old: Vec<u8>,
    new: [(&'static str, Vec<u8>); 4],
}

const SCATTERED: &str = "delta, 1 % scattered";

impl Contents {
    fn new(len: usize, seed: u64) -> Self {
        let old = random(len, seed);
        let mut scattered = old.clone();
        scattered.chunks_mut(65536).step_by(100).for_each(|block| block[block.len() / 2] ^= 1);
        let inserted = [&[1], &old[..]].concat();
        let new = [
            ("delta, unchanged", old.clone()),
            (SCATTERED, scattered),
            ("delta, a byte inserted at the front", inserted),
            ("delta, all new", random(len, seed ^ 0xffff_0000)),
        ];
        Self { old, new }
    }
}

/// xorshift64.
fn random(len: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let words = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    });
    words.take(len.div_ceil(8)).flatten().take(len).collect()
}

/// Measures every work with these sums, and holds what frazil and the peer make against each other.
fn measure(contents: &Contents, peer: &dyn Peer, sums: &Sums, rounds: usize) {
    let name = format!("{}, {}", peer.name(), sums.name());
    let pairs = |work: &str, bytes: usize, of: &dyn Fn(&dyn Peer) -> Vec<u8>| {
        let (own, other) = (of(&Frazil), of(peer));
        let seconds = |peer| {
            let begin = Instant::now();
            black_box(of(peer));
            begin.elapsed().as_secs_f64()
        };
        let mut line = format!("{work}\t{name}\t{bytes}");
        for round in 0..rounds {
            let mut pair = [0.0; 2];
            for place in if round % 2 == 0 { [0, 1] } else { [1, 0] } {
                pair[place] = seconds([&Frazil as &dyn Peer, peer][place]);
            }
            line += &format!("\t{}\t{}", pair[0], pair[1]);
        }
        println!("{line}");
        (own, other)
    };
    let old = &contents.old[..];
    let (signature, theirs) = pairs("signature", old.len(), &|peer| peer.signature(old, sums));
    assert!(signature == theirs, "{name}: the signatures differ");
    for (work, new) in &contents.new {
        let (own, other) = pairs(work, new.len(), &|peer| peer.delta(&signature, new));
        assert!(peer.patch(old, &own, new.len()) == *new, "{name}: {work}: the peer makes something else of it");
        assert!(Frazil.patch(old, &other, new.len()) == *new, "{name}: {work}: frazil makes something else of it");
        if *work == SCATTERED {
            let (own, other) = pairs("patch, 1 % scattered", new.len(), &|peer| peer.patch(old, &own, new.len()));
            assert!(own == other, "{name}: the patched contents differ");
        }
    }
}
