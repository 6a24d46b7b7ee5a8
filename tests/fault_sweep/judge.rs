//! What has to come of a call that goes wrong.

use std::fmt;
use std::ops::AddAssign;

use frazil::ErrorKind;

use crate::drive::{Failure, Run};
use crate::faults::{Fault, Faults};
use crate::function::{After, Function, Seam, Zero};

/// What became of the work.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Outcome {
    /// Nobody was told, and the same bytes came out.
    Unharmed,
    /// The source was taken to end there.
    Shorter,
    /// The error came out, and going on gave the same bytes.
    WentOn,
    /// The error came out, and what followed was refused.
    Refused,
    /// The error came out of a call that leaves no handle.
    Failed,
}

/// How often each came of it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally([u64; 5]);

impl Tally {
    pub(crate) fn count(&mut self, outcome: Outcome) {
        self.0[outcome as usize] += 1;
    }

    pub(crate) fn injected(&self) -> u64 {
        self.0.iter().sum()
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.0.iter_mut().zip(other.0).for_each(|(count, more)| *count += more);
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [unharmed, shorter, went_on, refused, failed] = self.0;
        write!(f, "{} faults injected: {unharmed} made no difference, {shorter} ended the source, ", self.injected())?;
        write!(f, "{went_on} came out and the work went on, {refused} came out and the rest was refused, ")?;
        write!(f, "{failed} came out of the whole")
    }
}

/// One run of a function in which a call went wrong.
pub(crate) struct Judge<'a, G> {
    pub(crate) function: &'a Function<G>,
    pub(crate) faults: &'a Faults,
    /// What comes out when none does.
    pub(crate) expected: &'a [u8],
    pub(crate) context: &'a str,
}

impl<G> Judge<'_, G> {
    pub(crate) fn outcome(&self, run: &Run, is_beginning: impl FnOnce(&[u8]) -> bool) -> Outcome {
        let Self { context, .. } = self;
        let first = match run.failures.first() {
            Some(first) => first,
            None if run.output.as_deref() == Some(self.expected) => {
                self.may_pass_over(run);
                return Outcome::Unharmed;
            }
            None => {
                let output = run.output.as_deref().unwrap_or_else(|| panic!("{context}: {run:?}"));
                assert!(self.faults.fault == Fault::Zero, "{context}: another output");
                assert!(self.function.seam == Seam::Reading(Zero::Ends), "{context}: another output");
                assert!(is_beginning(output), "{context}: the level is not that of what was read");
                return Outcome::Shorter;
            }
        };
        self.is_right(first);
        self.afterwards(run, self.after())
    }

    /// Whether it is right that nobody was told.
    fn may_pass_over(&self, run: &Run) {
        let fault = self.faults.fault;
        let ends = fault == Fault::Zero && matches!(self.function.seam, Seam::Reading(_));
        let passes = matches!(fault, Fault::Interrupted | Fault::Short) || ends || !self.faults.struck();
        assert!(passes, "{}: passed over: {:?}", self.context, run.failures);
    }

    /// Whether the first failure is what it has to be.
    fn is_right(&self, first: &Failure) {
        let Self { context, .. } = self;
        let Faults { fault, at, .. } = *self.faults;
        match (fault, self.function.seam) {
            (Fault::Interrupted | Fault::Short, _) => panic!("{context}: told of: {first:?}"),
            (Fault::Zero, Seam::Reading(Zero::Fails(kinds))) => {
                assert!(first.kind().is_some_and(|kind| kinds.contains(&kind)), "{context}: {first:?}");
            }
            (Fault::Zero, _) => assert!(first.is_write_zero(), "{context}: {first:?}"),
            (Fault::TooMany, _) => {
                let kinds = [Some(ErrorKind::Io), Some(ErrorKind::Internal)];
                assert!(kinds.contains(&first.kind()), "{context}: {first:?}");
            }
            _ => assert!(first.is(fault, at), "{context}: {first:?}"),
        }
    }

    /// What the handle may do next. An error of frazil's own ends the work, and so may a panic.
    fn after(&self) -> &'static [After] {
        match (self.function.after, self.faults.fault) {
            (After::GoesOn, Fault::Errno(_) | Fault::Raised) => &[After::GoesOn],
            (After::GoesOn, Fault::Zero) if self.function.seam == Seam::Writing => &[After::GoesOn],
            (After::GoesOn, _) => &[After::GoesOn, After::Refuses],
            (After::GoesOnOrGone, Fault::Errno(_) | Fault::Raised) => &[After::GoesOn, After::Gone],
            (After::GoesOnOrGone, _) => &[After::GoesOn, After::Refuses, After::Gone],
            (After::Refuses, _) => &[After::Refuses],
            (After::GoneOrRefuses, _) => &[After::Refuses, After::Gone],
            (After::Gone, _) => &[After::Gone],
        }
    }

    fn afterwards(&self, run: &Run, may: &[After]) -> Outcome {
        let Self { context, .. } = self;
        let (after, outcome) = match (&run.output, &run.failures[1..]) {
            (Some(output), []) => {
                assert!(output == self.expected, "{context}: another output after going on");
                (After::GoesOn, Outcome::WentOn)
            }
            (None, []) => (After::Gone, Outcome::Failed),
            (None, later) => {
                let refused = later.iter().all(|failure| failure.kind() == Some(ErrorKind::State));
                assert!(refused, "{context}: {:?}", run.failures);
                (After::Refuses, Outcome::Refused)
            }
            (Some(_), _) => panic!("{context}: finished after {:?}", run.failures),
        };
        assert!(may.contains(&after), "{context}: {after:?}, not one of {may:?}: {:?}", run.failures);
        outcome
    }
}
