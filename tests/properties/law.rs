//! A law and the cases that it is tried on.

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::random::seed;

/// The longest that one failure is made smaller for, in milliseconds.
const SHRINKING_MAX: u32 = 120_000;

/// Fails with the least case that can be found to break the law. Of the cases that there are to be, each `share`th is
/// tried: 1 where they cost little.
pub(crate) fn holds<S: Strategy>(share: u32, cases: S, law: impl Fn(S::Value)) {
    let seed = seed(1);
    let config = Config {
        failure_persistence: None,
        max_shrink_iters: 10_000,
        max_shrink_time: SHRINKING_MAX,
        ..Config::default()
    };
    let config = Config { cases: config.cases.div_ceil(share), ..config };
    let all = config.cases;
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let random = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let result = TestRunner::new_with_rng(config, random).run(&cases, |case| {
        law(case);
        Ok(())
    });
    if let Err(broken) = result {
        panic!("one of {all} cases from FRAZIL_SEED={seed}: {broken}");
    }
    println!("{all} cases from seed {seed}");
}
