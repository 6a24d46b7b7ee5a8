//! Fails the calls of an operation one after the other, and counts what came of it.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use crate::look;
use crate::random::{self, Random};
use crate::strace::{self, Case, Invocation, Said};

/// How many calls of each operation fail, unless the environment says otherwise.
const SAMPLE: usize = 10;

/// What came of a run in which a call failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Outcome {
    /// Status 0, and the result is what it is without.
    Done,
    /// Status 3: what is missing of the result was named.
    Partial,
    /// Status 1, and what was there is there.
    AsBefore,
    /// Status 1, though the result, or the first of two, is there and whole.
    Whole,
    /// Status 1 while a level was published, which the next run finished or undid.
    Recovered,
    /// Status 1, and what was patched in place is neither old nor new.
    GivenUp,
}

/// Something that the command does.
pub(crate) trait Operation {
    fn name(&self) -> &str;
    fn command(&self) -> Invocation;
    /// Everything as it is before the command.
    fn reset(&self);
    /// Keeps what an undisturbed run printed.
    fn remember(&self, said: &Said);
    /// What came of it; whatever may not come of it panics.
    fn outcome(&self, said: &Said, case: Option<&Case>, context: &str) -> Outcome;
    /// Makes the place ready to run the command again as it was left, where it was not done.
    fn again(&self, outcome: Outcome, context: &str);
}

/// How many faults had which outcome.
#[derive(Default)]
pub(crate) struct Tally(BTreeMap<Outcome, usize>);

impl Tally {
    pub(crate) fn injected(&self) -> usize {
        self.0.values().sum()
    }

    pub(crate) fn add(&mut self, other: &Self) {
        for (&outcome, count) in &other.0 {
            *self.0.entry(outcome).or_default() += count;
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} faults injected", self.injected())?;
        self.0.iter().try_for_each(|(outcome, count)| write!(f, ", {count} {outcome:?}"))
    }
}

/// Those of all cases that are tried: some, and all in which a file ends too early, of which the system tells nobody.
pub(crate) fn sample(cases: Vec<Case>) -> Vec<Case> {
    let mut random = Random::new(random::seed(20));
    let (ends, mut cases): (Vec<_>, Vec<_>) = cases.into_iter().partition(Case::ends_a_file);
    let wanted = match std::env::var("FRAZIL_FAULTS") {
        Ok(all) if all == "all" => usize::MAX,
        Ok(number) => number.parse().expect("FRAZIL_FAULTS is a number, or `all`"),
        Err(_) => SAMPLE,
    };
    while cases.len() > wanted {
        cases.swap_remove(random.below(cases.len()));
    }
    cases.extend(ends);
    cases
}

/// Fails where many fewer calls failed than were counted when this was written: `sample` by default, `all` of them.
#[track_caller]
pub(crate) fn assert_enough(injected: usize, sample: usize, all: usize) {
    let counted = match std::env::var("FRAZIL_FAULTS") {
        Ok(faults) if faults == "all" => all,
        // Who asks for a number may ask for a small one.
        Ok(_) => 1,
        Err(_) => sample,
    };
    assert!(injected * 10 >= counted * 9, "{injected} faults injected, where {counted} were");
}

pub(crate) fn sweep(operation: &dyn Operation, dir: &Path, tally: &mut Tally) {
    let logs = look::scratch();
    let log = logs.path().join("log");
    let name = operation.name();
    operation.reset();
    let (cases, said) = strace::cases(&operation.command(), dir, &log);
    operation.remember(&said);
    assert_eq!(operation.outcome(&said, None, name), Outcome::Done, "{name}: {}", said.stderr);
    let possible = cases.len();
    assert!(possible > 10, "{name}: {possible} calls");
    let mut own = Tally::default();
    for case in sample(cases) {
        operation.reset();
        let said = strace::disturbed(&operation.command(), &case, &log);
        // Threads do not always do as much; what is not reached does not fail.
        if said.injected.is_empty() {
            continue;
        }
        let context = format!("{name}: {case}: {}\n{:?}: {}", said.injected.join("; "), said.status, said.stderr);
        assert!(matches!(said.status, Some(0 | 1 | 3)), "{context}");
        assert!(!said.stderr.contains("panicked"), "{context}");
        let is_said = ["frazil: ", "\"problems\":[\""].iter().any(|words| said.stderr.contains(words));
        // Unless it is standard error that cannot be written to.
        let is_said = is_said
            || said.injected.iter().any(|call| {
                // Of a call that another thread came between only its end is in that line.
                call.contains("write(2, ") || call.contains("<... write resumed>")
            });
        assert!(said.status == Some(0) || is_said, "{context}");
        let outcome = operation.outcome(&said, Some(&case), &context);
        *own.0.entry(outcome).or_default() += 1;
        operation.again(outcome, &context);
    }
    println!("{name}: of {possible} possible, {own}");
    tally.add(&own);
}
