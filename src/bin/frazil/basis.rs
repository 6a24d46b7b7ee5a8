//! The signature that a level is made against: in memory if it fits, else in its file.

use frazil::{Engine, ErrorKind, Identity, LevelBasis, Matching, Signature, SignatureFile, SignatureParams};

use crate::failure::Failure;
use crate::input::Input;
use crate::kind::Kind;
use crate::options::Computing;
use crate::place::Place;
use crate::session::Session;

/// The old signature.
pub(crate) enum Basis {
    Held(Signature),
    /// In constant memory; blocks match in their place alone.
    File(SignatureFile),
}

impl Basis {
    /// Loads a signature into at most half of the memory, which leaves the rest to its index; or leaves it
    /// in its file when it does not fit, or when its index is not wanted.
    pub(crate) fn load(
        place: &Place,
        matching: Matching,
        computing: Computing,
        session: &Session,
    ) -> Result<Self, Failure> {
        let mut input = Input::open_kind(place, Kind::Signature)?;
        let path = place.path().filter(|_| input.is_seekable());
        let may_stay = computing.engine() == Engine::Native && matching != Matching::Rolling;
        let failed = |error| Failure::of(place.as_input(), error);
        if let Some(path) = path.filter(|_| may_stay && matching == Matching::Aligned) {
            return SignatureFile::open(path).map(Self::File).map_err(failed);
        }
        match (Signature::read_limited(session.watched(input), computing.memory.bytes() / 2), path) {
            (Err(error), Some(path)) if error.kind() == ErrorKind::Limit && may_stay => {
                session.note(format!(
                    "{}: does not fit in half of --memory, so blocks are looked for in their place alone",
                    place.as_input()
                ));
                SignatureFile::open(path).map(Self::File).map_err(failed)
            }
            (Err(error), _) if error.kind() == ErrorKind::Limit => Err(failed(error).advise("raise --memory")),
            (result, _) => result.map(Self::Held).map_err(failed),
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
