//! Signatures as streams: read and written block by block, sealed or as librsync's plain format.

mod again;
mod writer;

use std::io::Read;

use bytes::Buf;

pub(crate) use self::again::{RecordPlace, read_records};
pub use self::writer::SignatureWriter;
pub(crate) use self::writer::check_sealable;
use crate::format::sealed::{SealedHeader, SealedKind, Trailer, Unsealed};
use crate::format::source::Source;
use crate::format::{DETECT_LEN, Detected, FingerprintBuilder, Identity, SignatureParams, detect, leaf_len_for};
use crate::memory::extend;
use crate::{Error, ErrorKind, Result};

/// The sums of one block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct BlockSum {
    /// The rolling sum.
    pub weak: u32,
    /// The strong sum; bytes past the signature's strong length are zero.
    pub strong: [u8; 32],
}

impl BlockSum {
    /// The sums in a record of a signature: the weak sum, and the strong sum as far as it is kept.
    pub(crate) fn from_record(mut record: &[u8]) -> Self {
        let mut sum = Self { weak: record.get_u32(), ..Self::default() };
        sum.strong[..record.len()].copy_from_slice(record);
        sum
    }
}

/// Reads a signature block by block, in constant memory, told apart by its magic.
///
/// A sealed signature is trustworthy once [`SignatureReader::next_block`] has returned `None`: blocks
/// given out before come from frames whose checksums held, but the stream may yet prove cut off.
pub struct SignatureReader<R> {
    payload: Payload<R>,
    /// Bytes of the raw signature that were read and not yet taken apart.
    held: Vec<u8>,
    taken: usize,
    params: SignatureParams,
    blocks: u64,
    /// Recomputes the fingerprint from the sums, where they are its leaves.
    fingerprint: Option<FingerprintBuilder>,
    trailer: Option<Trailer>,
    ended: bool,
    /// Something was found wrong: a second call must not pass over it.
    failed: bool,
}

enum Payload<R> {
    Raw(Source<R>),
    Sealed(Box<Unsealed<R>>),
}

impl<R: Read> Payload<R> {
    /// Appends more of the raw signature to `held`; `false` at its end.
    fn read_into(&mut self, held: &mut Vec<u8>) -> Result<bool> {
        match self {
            Self::Raw(source) => {
                if source.buffered().is_empty() && !source.fill()? {
                    return Ok(false);
                }
                extend(held, source.buffered())?;
                source.consume(source.buffered().len());
                Ok(true)
            }
            Self::Sealed(unsealed) => match unsealed.next_payload()? {
                Some(payload) => {
                    extend(held, payload)?;
                    Ok(true)
                }
                None => Ok(false),
            },
        }
    }

    fn offset(&self) -> u64 {
        match self {
            Self::Raw(source) => source.consumed(),
            Self::Sealed(unsealed) => unsealed.offset(),
        }
    }
}

impl<R: Read> SignatureReader<R> {
    /// Reads the head of a signature.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Truncated`] or [`ErrorKind::Corrupt`] when no signature begins here, and whatever
    /// the source raises.
    pub fn new(source: R) -> Result<Self> {
        Self::open(source).map_err(|error| named(error, "reading a signature"))
    }

    fn open(source: R) -> Result<Self> {
        let mut source = Source::new(source);
        if !source.fill_to(DETECT_LEN)? {
            let what =
                if source.buffered().is_empty() { "signature is empty" } else { "signature ends within its head" };
            return Err(Error::new(ErrorKind::Truncated, what).at(source.buffered().len() as u64));
        }
        let mut first = [0; DETECT_LEN];
        first.copy_from_slice(&source.buffered()[..DETECT_LEN]);
        let payload = match detect(first) {
            Detected::Sealed => {
                let unsealed = Unsealed::new(source)?;
                match unsealed.header().map(|header| header.kind) {
                    Some(SealedKind::Signature) => Payload::Sealed(Box::new(unsealed)),
                    kind => {
                        return Err(Error::new(ErrorKind::Corrupt, "sealed stream is not a signature")
                            .at(10)
                            .expected("signature", kind.map_or("nothing".to_owned(), |kind| kind.to_string())));
                    }
                }
            }
            Detected::RawSignature => Payload::Raw(source),
            Detected::RawDelta => {
                return Err(Error::new(ErrorKind::Corrupt, "stream is not a signature")
                    .at(0)
                    .expected("signature", "delta"));
            }
            Detected::Unknown => {
                return Err(Error::new(ErrorKind::Corrupt, "neither a sealed stream nor a librsync signature")
                    .at(0)
                    .expected("a known magic", format_args!("{:08x}", u32::from_be_bytes(first))));
            }
        };
        let mut this = Self {
            payload,
            held: Vec::new(),
            taken: 0,
            params: SignatureParams::default(),
            blocks: 0,
            fingerprint: None,
            trailer: None,
            ended: false,
            failed: false,
        };
        if !this.hold(SignatureParams::HEAD_LEN)? {
            return Err(this.truncated("signature ends within its head"));
        }
        let mut head = [0; SignatureParams::HEAD_LEN];
        head.copy_from_slice(&this.held[..SignatureParams::HEAD_LEN]);
        this.taken = SignatureParams::HEAD_LEN;
        this.params = SignatureParams::decode(head)?;
        if this.is_sealed() {
            let declared = this.header().and_then(|header| header.target_block_len);
            if let Some(declared) = declared.filter(|&declared| declared != this.params.block_len) {
                return Err(Error::new(ErrorKind::Corrupt, "header and signature differ in their block length")
                    .at(this.payload.offset())
                    .expected(declared, this.params.block_len));
            }
            if !this.params.is_full() {
                return Err(Error::new(ErrorKind::Corrupt, "sealed signature without whole BLAKE2b-256 sums")
                    .at(this.payload.offset()));
            }
            if leaf_len_for(&this.params) == this.params.block_len {
                this.fingerprint = Some(FingerprintBuilder::new(this.params.block_len));
            }
        }
        Ok(this)
    }

    /// The parameters of the signature.
    pub fn params(&self) -> &SignatureParams {
        &self.params
    }

    /// Whether the signature came sealed.
    pub fn is_sealed(&self) -> bool {
        matches!(self.payload, Payload::Sealed(_))
    }

    /// How many blocks were given out.
    pub fn blocks(&self) -> u64 {
        self.blocks
    }

    /// What the signed content is, once the last block of a sealed signature was given out; a raw
    /// signature does not say.
    pub fn identity(&self) -> Option<&Identity> {
        self.trailer.as_ref().map(|trailer| &trailer.identity)
    }

    /// Whether the content changed while the signature was made, once the last block was given out.
    pub fn is_dirty(&self) -> bool {
        self.trailer.as_ref().is_some_and(|trailer| trailer.flags.dirty)
    }

    /// The header of a sealed signature.
    pub fn header(&self) -> Option<&SealedHeader> {
        match &self.payload {
            Payload::Raw(_) => None,
            Payload::Sealed(unsealed) => unsealed.header(),
        }
    }

    /// Where in the stream the sums of the next block begin.
    pub(crate) fn place(&self) -> RecordPlace {
        // Only the frame that came last can hold bytes that were not taken.
        let left = (self.held.len() - self.taken) as u64;
        match &self.payload {
            Payload::Raw(source) => RecordPlace { offset: source.consumed() - left, framed: None },
            Payload::Sealed(unsealed) => {
                RecordPlace { offset: unsealed.payload_end() - left, framed: Some(left as u32) }
            }
        }
    }

    /// The sums of the next block; `None` after the last.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Truncated`] when the signature ends within a block (a raw one that ends between
    /// two cannot be told from a whole one) or before its trailer, [`ErrorKind::Corrupt`] when a
    /// checksum does not hold, and whatever the source raises.
    pub fn next_block(&mut self) -> Result<Option<BlockSum>> {
        if self.failed {
            return Err(Error::new(ErrorKind::State, "the signature has failed before").doing("reading a signature"));
        }
        let block = self.take_block().map_err(|error| named(error, "reading a signature"));
        self.failed = block.as_ref().is_err_and(|error| !error.is_raised());
        block
    }

    fn take_block(&mut self) -> Result<Option<BlockSum>> {
        if self.ended {
            return Ok(None);
        }
        let record_len = self.params.record_len();
        if !self.hold(record_len)? {
            if self.taken < self.held.len() {
                return Err(self.truncated("signature ends within the sums of a block"));
            }
            self.end()?;
            return Ok(None);
        }
        let sum = BlockSum::from_record(&self.held[self.taken..self.taken + record_len]);
        self.taken += record_len;
        self.blocks += 1;
        if let Some(fingerprint) = &mut self.fingerprint {
            fingerprint.leaf(&sum.strong);
        }
        Ok(Some(sum))
    }

    /// Holds at least `len` untaken bytes; `false` when the payload ends before.
    fn hold(&mut self, len: usize) -> Result<bool> {
        while self.held.len() - self.taken < len {
            self.held.drain(..self.taken);
            self.taken = 0;
            if !self.payload.read_into(&mut self.held)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Holds the sums against what the trailer says of them.
    fn end(&mut self) -> Result<()> {
        self.ended = true;
        let Payload::Sealed(unsealed) = &self.payload else { return Ok(()) };
        let Some(trailer) = unsealed.trailer().copied() else {
            return Err(Error::new(ErrorKind::Internal, "sealed signature ended without its trailer"));
        };
        let corrupt = |what| Error::new(ErrorKind::Corrupt, what).at(unsealed.offset());
        let length = trailer.identity.length();
        let expected = self.params.blocks_in(length);
        if self.blocks != expected {
            return Err(corrupt("signature does not have the blocks of its length").expected(expected, self.blocks));
        }
        let (expected, found) = (leaf_len_for(&self.params), trailer.identity.fingerprint.leaf_len);
        if expected != found {
            return Err(corrupt("fingerprint has other leaves than the block length gives").expected(expected, found));
        }
        if let Some(fingerprint) = self.fingerprint.take() {
            let found = fingerprint.finish(length);
            if found != trailer.identity.fingerprint {
                return Err(
                    corrupt("fingerprint is not that of the sums").expected(trailer.identity.fingerprint, found)
                );
            }
        }
        self.trailer = Some(trailer);
        Ok(())
    }

    fn truncated(&self, what: &'static str) -> Error {
        Error::new(ErrorKind::Truncated, what).at(self.payload.offset())
    }
}

/// Says what was being done, but leaves an error that the source raised as it is.
pub(crate) fn named(error: Error, doing: &'static str) -> Error {
    if error.kind() == ErrorKind::Io { error } else { error.doing(doing) }
}
