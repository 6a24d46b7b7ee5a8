//! The signature that a level is made against: in memory if it is small, else in its file.

use frazil::{Engine, ErrorKind, Identity, LevelBasis, Matching, Signature, SignatureFile, SignatureParams};

use crate::failure::Failure;
use crate::input::Input;
use crate::kind::Kind;
use crate::options::Computing;
use crate::place::Place;
use crate::session::Session;

/// A signature of up to so many bytes is read once, and held: that of some 7 GiB.
const HELD_MAX: u64 = 4 << 20;

/// The old signature.
pub(crate) enum Basis {
    Held(Signature),
    /// Its sums are read as they are wanted.
    File(SignatureFile),
}

impl Basis {
    /// Leaves a signature in its file, unless it is small; what comes from a pipe, or is for librsync, is held in at
    /// most half of the memory, which leaves the rest to its index.
    pub(crate) fn load(
        place: &Place,
        matching: Matching,
        computing: Computing,
        session: &Session,
    ) -> Result<Self, Failure> {
        let mut input = Input::open_kind(place, Kind::Signature)?;
        let half = computing.memory.bytes() / 2;
        let is_small = input.len().is_some_and(|len| len <= HELD_MAX.min(half));
        let may_stay = computing.engine() == Engine::Native && (matching == Matching::Aligned || !is_small);
        let failed = |error| Failure::of(place.as_input(), error);
        match place.path().filter(|_| may_stay && input.is_seekable()) {
            Some(path) => SignatureFile::open(path).map(Self::File).map_err(failed),
            None => match Signature::read_limited(session.watched(input), half) {
                Err(error) if error.kind() == ErrorKind::Limit => Err(failed(error).advise("raise --memory")),
                result => result.map(Self::Held).map_err(failed),
            },
        }
    }

    pub(crate) fn to_level_basis(&self) -> LevelBasis {
        match self {
            Self::Held(signature) => signature.into(),
            Self::File(file) => file.into(),
        }
    }

    pub(crate) fn params(&self) -> &SignatureParams {
        match self {
            Self::Held(signature) => signature.params(),
            Self::File(file) => file.params(),
        }
    }

    pub(crate) fn identity(&self) -> Option<&Identity> {
        match self {
            Self::Held(signature) => signature.identity(),
            Self::File(file) => file.identity(),
        }
    }

    /// Bytes that it takes.
    pub(crate) fn memory_bytes(&self) -> u64 {
        match self {
            Self::Held(signature) => signature.memory_bytes(),
            Self::File(_) => 0,
        }
    }
}
