//! What a level is made against.

use std::sync::Arc;

use crate::format::{Identity, SignatureParams, SumTable};
use crate::signature::{Signature, SignatureFile};

/// The signature of the content that a level is the delta against.
///
/// Made from `None` (level 0: no bytes), `&Signature`, `Option<&Signature>` or `&SignatureFile`; the
/// sums of a signature are shared with it, not copied, and those of a file are read as they are wanted.
#[derive(Clone)]
pub struct LevelBasis {
    params: Option<SignatureParams>,
    identity: Option<Identity>,
    pub(super) source: BasisSource,
}

#[derive(Clone)]
pub(super) enum BasisSource {
    Empty,
    Held(Arc<SumTable>),
    File(SignatureFile),
}

impl LevelBasis {
    /// The parameters of the signature; `None` for level 0.
    pub(super) fn params(&self) -> Option<&SignatureParams> {
        self.params.as_ref()
    }

    pub(super) fn identity(&self) -> Option<&Identity> {
        self.identity.as_ref()
    }

    pub(super) fn blocks(&self) -> u64 {
        match &self.source {
            BasisSource::Empty => 0,
            BasisSource::Held(table) => table.len() as u64,
            BasisSource::File(file) => file.block_count(),
        }
    }
}

impl From<&Signature> for LevelBasis {
    fn from(signature: &Signature) -> Self {
        Self {
            params: Some(*signature.params()),
            identity: signature.identity().copied(),
            source: BasisSource::Held(signature.table().clone()),
        }
    }
}

impl From<Option<&Signature>> for LevelBasis {
    fn from(signature: Option<&Signature>) -> Self {
        signature.map_or(Self { params: None, identity: None, source: BasisSource::Empty }, Self::from)
    }
}

impl From<&SignatureFile> for LevelBasis {
    fn from(file: &SignatureFile) -> Self {
        Self {
            params: Some(*file.params()),
            identity: file.identity().copied(),
            source: BasisSource::File(file.clone()),
        }
    }
}
