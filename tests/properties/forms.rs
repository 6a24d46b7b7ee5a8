//! Levels made and patches applied in every form there is.

use std::fs;
use std::io::{Read, Write};
use std::path::Path;

use frazil::{
    Chain, Error, LevelBasis, LevelOptions, LevelReader, LevelSummary, LevelWriter, PatchOptions, PatchReader,
    PatchWriter, Result, Signature, SignatureParams, patch_file, patch_in_place,
};

use crate::pieces::{Manner, Pieces};

pub(crate) fn sign(content: &[u8], params: SignatureParams) -> Signature {
    let options = LevelOptions::new().params(params).format(frazil::Format::Rdiff).threads(1);
    LevelReader::new(content, None, options).and_then(LevelReader::finish).unwrap()
}

/// A level read out of the reader, its content and its stream in such pieces.
pub(crate) fn pulled(
    basis: impl Into<LevelBasis>,
    content: &[u8],
    options: LevelOptions,
    [source, sink]: [Manner; 2],
) -> Result<(Vec<u8>, LevelSummary)> {
    let mut level = LevelReader::new(Pieces::new(content, source), basis, options)?;
    let mut stream = Vec::new();
    Pieces::new(&mut level, sink).read_to_end(&mut stream)?;
    Ok((stream, level.finish_summary()?))
}

/// A level made by the writer, its content and its stream in such pieces.
pub(crate) fn pushed(
    basis: impl Into<LevelBasis>,
    content: &[u8],
    options: LevelOptions,
    [source, sink]: [Manner; 2],
) -> Result<(Vec<u8>, LevelSummary)> {
    let mut level = LevelWriter::new(Pieces::new(Vec::new(), sink), basis, options)?;
    content.chunks(source.piece).try_for_each(|piece| level.write_all(piece))?;
    let (stream, summary) = level.finish()?;
    Ok((stream.into_inner(), summary))
}

/// Everything that applies a delta to content in memory or in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Patcher {
    Reader,
    Writer,
    File,
    InPlace,
    Chain,
}

impl Patcher {
    pub(crate) const ALL: [Self; 5] = [Self::Reader, Self::Writer, Self::File, Self::InPlace, Self::Chain];

    /// What becomes of the basis; files are in the directory `dir`.
    pub(crate) fn patched(
        self,
        basis: &[u8],
        delta: &[u8],
        options: PatchOptions,
        [source, sink]: [Manner; 2],
        dir: &Path,
    ) -> Result<Vec<u8>> {
        let (old, new) = (dir.join("old"), dir.join("new"));
        let found = |path: &Path| fs::read(path).map_err(Error::from);
        match self {
            Self::Reader => {
                let mut patch = PatchReader::new(Pieces::new(delta, source), Pieces::new(basis, source), options)?;
                let mut target = Vec::new();
                Pieces::new(&mut patch, sink).read_to_end(&mut target)?;
                patch.finish()?;
                Ok(target)
            }
            Self::Writer => {
                let basis = Pieces::new(basis, source);
                let mut patch = PatchWriter::new(Pieces::new(Vec::new(), sink), basis, options)?;
                delta.chunks(source.piece).try_for_each(|piece| patch.write_all(piece))?;
                Ok(patch.finish()?.0.into_inner())
            }
            Self::File => {
                fs::write(&old, basis)?;
                patch_file(Some(&old), Pieces::new(delta, source), &new, options.replace(true))?;
                found(&new)
            }
            Self::InPlace => {
                fs::write(&old, basis)?;
                patch_in_place(&old, Pieces::new(delta, source), options)?;
                found(&old)
            }
            Self::Chain => chained(basis, &[delta], options, [source, sink]),
        }
    }
}

/// What becomes of the basis when all deltas are applied in one pass.
pub(crate) fn chained(
    basis: &[u8],
    deltas: &[&[u8]],
    options: PatchOptions,
    [source, sink]: [Manner; 2],
) -> Result<Vec<u8>> {
    let deltas = deltas.iter().map(|delta| Pieces::new(*delta, source)).collect();
    let mut chain = Chain::new(Pieces::new(basis, source), deltas, options)?;
    let length = chain.length();
    let mut target = Vec::new();
    Pieces::new(&mut chain, sink).read_to_end(&mut target)?;
    assert_eq!(length, target.len() as u64, "what a chain says of its length");
    chain.finish()?;
    Ok(target)
}
