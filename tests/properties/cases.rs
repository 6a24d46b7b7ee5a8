//! Cases: contents and their edits, how they are signed, how a level is made, how bytes come and go.

use frazil::{Engine, Format, LevelOptions, Matching, Signature, SignatureParams, StreamId, StrongKind, WeakKind};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use crate::pieces::Manner;
use crate::random::{Content, Edit};
use crate::script::{Change, Piece};

/// The stream id of every level and signature made here, so that bytes can be compared.
pub(crate) const STREAM_ID: StreamId = StreamId(*b"frazil-keeps-law");

/// On shorter strong sums blocks may match that are not equal.
const STRONG_LEN_TO_MATCH: u32 = 8;

/// Up to three pieces of content, of `longest` bytes together at most.
pub(crate) fn pieces(longest: usize) -> impl Strategy<Value = Vec<Piece>> {
    let third = longest / 3;
    // Some at and around the ends of the blocks that there are to be.
    let len = prop_oneof![
        0..=third,
        (0..=third / 1024, 0..3_usize).prop_map(|(blocks, more)| (blocks * 1024 + more).saturating_sub(1)),
        (0..=third.min(3000)),
    ];
    let piece = (select(Content::ALL.to_vec()), 0..4_u64, len).prop_map(|(kind, seed, len)| Piece { kind, seed, len });
    vec(piece, 0..=3)
}

/// Up to five edits.
pub(crate) fn changes() -> impl Strategy<Value = Vec<Change>> {
    let change = (select(Edit::ALL.to_vec()), select(Content::ALL.to_vec()), any::<u16>());
    vec(change.prop_map(|(edit, kind, seed)| Change { edit, kind, seed: seed.into() }), 0..=5)
}

/// Any length of blocks from `shortest` on, more often one that is in use.
pub(crate) fn block_len(shortest: u32) -> impl Strategy<Value = u32> {
    let usual = select(vec![1, 2, 3, 7, 16, 64, 100, 512, 1000, 1024, 2048, 4096, 16_384, 65_536, 100_000]);
    prop_oneof![1..5000_u32, usual].prop_map(move |len| len.max(shortest))
}

/// Any sums that can be trusted to match, over such blocks.
pub(crate) fn params(shortest: u32) -> impl Strategy<Value = SignatureParams> {
    any_params(shortest, STRONG_LEN_TO_MATCH)
}

/// Any sums at all, their strong ones of `strong_min` bytes at least.
pub(crate) fn any_params(shortest: u32, strong_min: u32) -> impl Strategy<Value = SignatureParams> {
    let kinds = select(vec![
        (WeakKind::RabinKarp, StrongKind::Blake2),
        (WeakKind::RabinKarp, StrongKind::Md4),
        (WeakKind::Rollsum, StrongKind::Blake2),
        (WeakKind::Rollsum, StrongKind::Md4),
    ]);
    // Half of them whole, since only such can be sealed.
    let strong_len = prop_oneof![Just(32), strong_min..=32];
    (kinds, block_len(shortest), strong_len).prop_map(|((weak, strong), block_len, strong_len)| {
        SignatureParams::new(weak, strong, block_len, strong_len.min(strong.max_len())).unwrap()
    })
}

/// How sources and sinks behave: in pieces of any length, interrupted or not.
pub(crate) fn manner(shortest: usize) -> impl Strategy<Value = Manner> {
    let piece = prop_oneof![Just(usize::MAX), shortest..shortest + 20, shortest..shortest + 20_000];
    (piece, any::<bool>()).prop_map(|(piece, interrupted)| Manner { piece, interrupted, fails_at: None })
}

/// Who finds matches, and which.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Finding {
    Auto,
    Rolling,
    /// Where the blocks are of one length; or else as `Auto`.
    Aligned,
    Librsync,
}

/// How a level is made.
#[derive(Clone, Debug)]
pub(crate) struct Way {
    pub(crate) finding: Finding,
    pub(crate) format: Format,
    /// The sums of the new signature, unless they are left to the library; a sealed level takes their block length.
    pub(crate) new: Option<SignatureParams>,
    pub(crate) threads: usize,
    /// Whether the length of the content is told beforehand.
    pub(crate) length_told: bool,
    /// Whether the basis's signature has been written plain, without length and fingerprint.
    pub(crate) stripped: bool,
}

pub(crate) fn way(shortest: u32) -> impl Strategy<Value = Way> {
    let finding = select(vec![Finding::Auto, Finding::Rolling, Finding::Aligned, Finding::Librsync]);
    let format = select(vec![Format::Sealed, Format::Rdiff]);
    let rest = (1..=4_usize, any::<bool>(), any::<bool>());
    (finding, format, option::of(params(shortest)), rest).prop_map(
        |(finding, format, new, (threads, length_told, stripped))| Way {
            finding,
            format,
            new,
            threads,
            length_told,
            stripped,
        },
    )
}

impl Way {
    /// The options of the level of a content against a basis with such a signature.
    pub(crate) fn options(&self, basis: Option<&Signature>, content: &[u8]) -> LevelOptions {
        let mut options =
            LevelOptions::new().format(self.format).threads(self.threads).allow_weak(true).stream_id(STREAM_ID);
        if let Some(new) = self.new {
            options = options.params(match self.format {
                // Only whole BLAKE2b-256 sums can be sealed.
                Format::Sealed => SignatureParams::with_block_len(new.block_len()).unwrap(),
                _ => new,
            });
        }
        if self.length_told {
            options = options.target_len(content.len() as u64);
        }
        let alignable = match (basis, self.new) {
            (Some(basis), Some(new)) => basis.params().block_len() == new.block_len(),
            _ => true,
        };
        match self.finding {
            Finding::Rolling => options.matching(Matching::Rolling),
            Finding::Aligned if alignable => options.matching(Matching::Aligned),
            Finding::Auto | Finding::Aligned => options,
            Finding::Librsync => options.engine(Engine::Librsync),
        }
    }

    /// The signature as the level is to know it.
    pub(crate) fn known(&self, signature: &Signature) -> Signature {
        if self.stripped { stripped(signature) } else { signature.clone() }
    }
}

/// The signature without length and fingerprint.
pub(crate) fn stripped(signature: &Signature) -> Signature {
    Signature::read_from(&signature.write_to(Vec::new(), Format::Rdiff).unwrap()[..]).unwrap()
}
