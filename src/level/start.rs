//! What a level starts with: the sums of its signature, its header, and a matcher that fits.

use super::LevelBasis;
use super::basis::BasisSource;
use super::options::{LevelOptions, Matching};
use super::relay::LibrsyncMatcher;
use crate::engine::native::{AlignedMatcher, Basis, BasisSums, BlockIndex, FiledSums, RollingMatcher, RollingOptions};
use crate::engine::{Engine, ZERO_RUN_MIN};
use crate::format::{
    BASIS_PATH_MAX, BlockSum, Fingerprint, Format, Identity, SealedHeader, SealedKind, SignatureParams, StreamId,
};
use crate::{Error, ErrorKind, Result};

/// Who finds the matches.
pub(super) enum Matcher {
    /// Level 0, or no stream wanted.
    Nothing {
        decided: u64,
    },
    Aligned(AlignedMatcher),
    Rolling(Box<RollingMatcher>),
    Librsync(LibrsyncMatcher),
}

/// Whether the sums of one signature can be held against those of the other.
pub(super) fn same_sums(a: &SignatureParams, b: &SignatureParams) -> bool {
    (a.weak, a.strong, a.block_len) == (b.weak, b.strong, b.block_len)
}

pub(super) fn target_params(basis: &LevelBasis, options: &LevelOptions) -> Result<SignatureParams> {
    if let Some(params) = options.params {
        return Ok(params);
    }
    match basis.params() {
        Some(params) if params.is_full() || options.format == Format::Rdiff => Ok(*params),
        Some(params) => SignatureParams::with_block_len(params.block_len),
        None => Ok(SignatureParams::default()),
    }
}

pub(super) fn header(basis: &LevelBasis, params: &SignatureParams, options: &LevelOptions) -> Result<SealedHeader> {
    let stream_id = match (options.format, options.stream_id) {
        (_, Some(id)) => id,
        (Format::Sealed, None) => StreamId::random()?,
        (Format::Rdiff, None) => StreamId([0; 16]),
    };
    let mut header = SealedHeader::new(SealedKind::Delta, stream_id);
    header.basis = match basis.params() {
        None => Some(Fingerprint::empty()),
        Some(_) => basis.identity().map(|identity| *identity.fingerprint()),
    };
    header.match_block_len = basis.params().map(|params| params.block_len);
    header.target_block_len = Some(params.block_len);
    header.target_len = options.target_len;
    if let Some(path) = options.basis_path.as_ref().filter(|path| path.len() > BASIS_PATH_MAX) {
        return Err(Error::new(ErrorKind::InvalidInput, "the path of the basis is too long")
            .expected(format_args!("at most {BASIS_PATH_MAX} bytes"), path.len()));
    }
    header.basis_path = options.basis_path.clone();
    Ok(header)
}

/// Settles on a matcher that the basis and the memory allow, and gives the memory that is left for the new
/// signature.
pub(super) fn choose_matching(
    basis: &LevelBasis,
    params: &SignatureParams,
    options: &LevelOptions,
    window_max: usize,
) -> Result<(Matching, u64)> {
    let held_len = options.target_len.filter(|_| options.hold_signature);
    let signature = held_len.map_or(0, |len| params.blocks_in(len) * params.record_len() as u64);
    // The window, the stream made of it and the one before that is being written, their sums, and the buffers of frames
    // and leaves.
    let shortest = params.block_len.min(basis.params().map_or(u32::MAX, |params| params.block_len));
    let sums = window_max as u64 / u64::from(shortest) * 2 * size_of::<BlockSum>() as u64;
    let buffers = 3 * window_max as u64 + sums + (2 << 20);
    let fixed = buffers + signature;
    let index = index_bytes(basis, options.engine);
    let limit = |needed: u64| {
        Err(Error::new(ErrorKind::Limit, "the level needs more memory than is allowed")
            .expected(format_args!("at most {} bytes", options.memory_limit), needed))
    };
    if fixed > options.memory_limit {
        return limit(fixed);
    }
    let left = |matching, index| Ok((matching, options.memory_limit - buffers - index));
    let alignable = basis.params().is_some_and(|basis| basis.block_len == params.block_len);
    let needed = fixed.saturating_add(index);
    // There is no index of so many blocks that they cannot be numbered.
    let fits = index < u64::MAX && needed <= options.memory_limit;
    let invalid = |what| Err(Error::new(ErrorKind::InvalidInput, what));
    match options.matching {
        _ if matches!(basis.source, BasisSource::Empty) => left(options.matching, 0),
        Matching::Aligned if options.engine == Engine::Librsync => {
            invalid("librsync cannot match aligned blocks alone")
        }
        Matching::Aligned if !alignable => {
            invalid("an aligned match needs the new signature's blocks to be as long as the basis's")
        }
        Matching::Aligned => left(Matching::Aligned, 0),
        _ if options.engine == Engine::Librsync && matches!(basis.source, BasisSource::File(_)) => {
            invalid("librsync needs the basis's signature in memory")
        }
        Matching::Rolling | Matching::Auto if fits => left(options.matching, index),
        Matching::Auto if alignable && options.engine == Engine::Native => {
            options.watch.note(
                &Error::new(
                    ErrorKind::Limit,
                    "the index does not fit in the memory allowed: matching aligned blocks only",
                )
                .doing("starting a level")
                .expected(format_args!("at most {} bytes", options.memory_limit), needed),
            );
            left(Matching::Aligned, 0)
        }
        _ => limit(needed),
    }
}

/// Bytes that the index of the basis takes, and what is held of the sums that are in a file.
fn index_bytes(basis: &LevelBasis, engine: Engine) -> u64 {
    let blocks = basis.blocks();
    match (engine, &basis.source) {
        (Engine::Librsync, _) => blocks * 96,
        (Engine::Native, BasisSource::File(file)) => {
            BlockIndex::memory_bytes(blocks).saturating_add(FiledSums::memory_bytes(blocks, file.params()))
        }
        (Engine::Native, _) => BlockIndex::memory_bytes(blocks),
    }
}

pub(super) fn build_matcher(basis: &LevelBasis, matching: Matching, options: &LevelOptions) -> Result<Matcher> {
    let length = basis.identity().map(Identity::length);
    let Some(params) = basis.params().filter(|_| basis.blocks() > 0) else {
        return Ok(Matcher::Nothing { decided: 0 });
    };
    let aligned = |sums| Ok(Matcher::Aligned(AlignedMatcher::new(sums, params.strong_len)));
    let sums = match (&basis.source, matching) {
        (BasisSource::Empty, _) => return Ok(Matcher::Nothing { decided: 0 }),
        (BasisSource::Held(table), Matching::Aligned) => {
            return aligned(BasisSums::Held { table: table.clone(), next: 0 });
        }
        (BasisSource::File(file), Matching::Aligned) => return aligned(BasisSums::File(Box::new(file.reread()?))),
        (BasisSource::Held(table), _) if options.engine == Engine::Librsync => {
            return Ok(Matcher::Librsync(LibrsyncMatcher::new(table)?));
        }
        (BasisSource::Held(table), _) => Basis::Held(table.clone()),
        (BasisSource::File(file), _) => {
            Basis::Filed(Box::new(FiledSums::new(file.source(), file.reread()?, file.block_count() as usize)))
        }
    };
    let rolling = RollingOptions {
        always_scan: matching == Matching::Rolling,
        zeros_are_free: options.format == Format::Sealed && params.block_len as usize >= ZERO_RUN_MIN,
        threads: options.thread_count(),
    };
    Ok(Matcher::Rolling(Box::new(RollingMatcher::new(sums, length, rolling)?)))
}
