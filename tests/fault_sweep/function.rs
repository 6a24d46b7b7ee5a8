//! A function, by what is made to go wrong in it and what has to come of that.

use std::sync::Arc;

use frazil::ErrorKind;

use crate::drive::Run;
use crate::faults::{Fault, Faults};

/// Which calls go wrong, and with what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seam {
    /// What is read; nothing more where there is more ends it, or fails so.
    Reading(Zero),
    Writing,
    Observing,
}

impl Seam {
    pub(crate) fn faults(self) -> &'static [Fault] {
        match self {
            Self::Reading(_) => &Fault::READING,
            Self::Writing => &Fault::WRITING,
            Self::Observing => &Fault::OBSERVING,
        }
    }
}

/// What a source comes to that ends too early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Zero {
    /// There is no telling: that is the content.
    Ends,
    Fails(&'static [ErrorKind]),
}

/// What a handle does after an error that a caller's own reader or writer raised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum After {
    /// It goes on, and gives the same bytes.
    GoesOn,
    /// It refuses all that follows.
    Refuses,
    /// There is none any more.
    Gone,
    /// It refuses all that follows, unless the call was the last, after which there is none.
    GoneOrRefuses,
    /// It goes on, unless the call was the last, after which there is none.
    GoesOnOrGone,
}

/// One function of the table, on ground of some sort.
pub(crate) struct Function<G> {
    pub(crate) name: &'static str,
    pub(crate) seam: Seam,
    pub(crate) after: After,
    pub(crate) run: fn(&G, &Arc<Faults>) -> Run,
}

pub(crate) const fn function<G>(
    name: &'static str,
    seam: Seam,
    after: After,
    run: fn(&G, &Arc<Faults>) -> Run,
) -> Function<G> {
    Function { name, seam, after, run }
}
