//! What a changed file is matched against: its record of the level before, with the sums of its blocks.

use std::io::{self, Read};

use super::spool::{Spool, Sums};
use crate::format::SumTable;
use crate::tree::snapshot::{SUM_LEN, SnapshotRecord, block_sum, sums_of, tree_params};
use crate::{
    Error, ErrorKind, Format, Identity, LevelBasis, Result, Signature, SignatureFile, SignatureParams, SignatureWriter,
};

/// A file of the level before, and its sums.
pub(super) struct Basis {
    pub(super) record: SnapshotRecord,
    sums: BasisSums,
}

enum BasisSums {
    Held(Signature),
    /// They do not fit in memory, and are read as they are wanted.
    Filed(SignatureFile),
}

impl Basis {
    /// Takes in the sums of a record, which are all of `sums`.
    pub(super) fn load(record: SnapshotRecord, sums: impl Read, block_len: u32, memory_limit: u64) -> Result<Self> {
        let params = tree_params(block_len)?;
        let count = sums_of(record.metadata.size, block_len);
        let identity = record.identity.ok_or_else(|| Error::new(ErrorKind::Internal, "basis without its identity"))?;
        let bytes = count.saturating_mul(SUM_LEN as u64);
        // An index takes about a third as much again, and a level needs its buffers.
        let sums = if bytes.saturating_mul(2) <= memory_limit {
            BasisSums::Held(hold(sums, count, params, identity)?)
        } else {
            BasisSums::Filed(file(sums, count, params, &identity)?)
        };
        Ok(Self { record, sums })
    }

    pub(super) fn identity(&self) -> Option<&Identity> {
        self.record.identity.as_ref()
    }

    pub(super) fn to_level_basis(&self) -> LevelBasis {
        match &self.sums {
            BasisSums::Held(signature) => signature.into(),
            BasisSums::Filed(file) => file.into(),
        }
    }

    pub(super) fn is_filed(&self) -> bool {
        matches!(self.sums, BasisSums::Filed(_))
    }

    /// Bytes of memory that the sums take.
    pub(super) fn memory_bytes(&self) -> u64 {
        match &self.sums {
            BasisSums::Held(signature) => signature.memory_bytes(),
            BasisSums::Filed(_) => 0,
        }
    }

    /// The sums as the snapshot has them.
    pub(super) fn into_sums(self) -> Result<(SnapshotRecord, Sums)> {
        let spool = Spool::default();
        let mut sums = SignatureWriter::new(spool.clone(), tree_params(self.block_len())?, Format::Rdiff)?;
        match &self.sums {
            BasisSums::Held(signature) => signature.blocks().try_for_each(|sum| sums.push(&sum))?,
            BasisSums::Filed(file) => {
                let mut reader = file.reader()?;
                while let Some(sum) = reader.next_block()? {
                    sums.push(&sum)?;
                }
            }
        }
        sums.finish_unidentified()?;
        Ok((self.record, spool.take_sums()?))
    }

    pub(super) fn block_len(&self) -> u32 {
        match &self.sums {
            BasisSums::Held(signature) => signature.params().block_len(),
            BasisSums::Filed(file) => file.params().block_len(),
        }
    }
}

fn hold(mut sums: impl Read, count: u64, params: SignatureParams, identity: Identity) -> Result<Signature> {
    let mut table = SumTable::new(params);
    let mut record = [0; SUM_LEN];
    for _ in 0..count {
        sums.read_exact(&mut record).map_err(missing)?;
        table.push(&block_sum(&record), u64::MAX)?;
    }
    Ok(Signature::new(table, Some(identity), false))
}

fn file(mut sums: impl Read, count: u64, params: SignatureParams, identity: &Identity) -> Result<SignatureFile> {
    let file = tempfile::tempfile().map_err(|error| Error::io("making a temporary file", error))?;
    let mut writer = SignatureWriter::new(file, params, Format::Sealed)?;
    let mut record = [0; SUM_LEN];
    for _ in 0..count {
        sums.read_exact(&mut record).map_err(missing)?;
        writer.push(&block_sum(&record))?;
    }
    SignatureFile::of_file(writer.finish(identity)?)
}

fn missing(error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => Error::new(ErrorKind::Truncated, "snapshot ends within the sums of a file"),
        _ => Error::from(error),
    }
}
