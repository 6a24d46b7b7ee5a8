//! Signatures written block by block.

use std::io::Write;

use bytes::BufMut;

use super::BlockSum;
use crate::format::sealed::{FRAME_MORE_LEN, Flags, SealedHeader, SealedKind, Sealer, StreamId, Trailer};
use crate::format::{Format, Identity, SignatureParams};
use crate::memory::reserve;
use crate::{Error, ErrorKind, Result};

/// Writes a signature block by block, in constant memory.
pub struct SignatureWriter<W> {
    sink: W,
    params: SignatureParams,
    sealer: Option<Sealer>,
    /// Raw bytes on their way into a frame, or to the sink.
    payload: Vec<u8>,
    out: Vec<u8>,
    payload_bytes: u64,
    blocks: u64,
}

/// A frame of sums, or a write of raw ones.
const PAYLOAD_LEN: usize = 32 * 1024;

impl<W: Write> SignatureWriter<W> {
    /// Begins a signature; nothing is written before the first blocks or [`SignatureWriter::finish`].
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] for sums that a sealed signature cannot carry: those are whole
    /// BLAKE2b-256 only.
    pub fn new(sink: W, params: SignatureParams, format: Format) -> Result<Self> {
        let stream_id = if format == Format::Sealed { StreamId::random()? } else { StreamId([0; 16]) };
        Self::with_stream_id(sink, params, format, stream_id)
    }

    /// As [`SignatureWriter::new`], with a given stream id: for bytes that can be repeated.
    ///
    /// # Errors
    ///
    /// As [`SignatureWriter::new`].
    pub fn with_stream_id(sink: W, params: SignatureParams, format: Format, stream_id: StreamId) -> Result<Self> {
        let mut out = Vec::new();
        let sealer = match format {
            Format::Rdiff => None,
            Format::Sealed => {
                check_sealable(&params)?;
                let mut header = SealedHeader::new(SealedKind::Signature, stream_id);
                header.target_block_len = Some(params.block_len);
                Some(Sealer::new(&header, &mut out))
            }
        };
        let payload = params.encode().to_vec();
        Ok(Self { sink, params, sealer, payload, out, payload_bytes: 0, blocks: 0 })
    }

    /// Adds the sums of the next block.
    ///
    /// # Errors
    ///
    /// Whatever the sink raises; the signature is then of no use.
    pub fn push(&mut self, sum: &BlockSum) -> Result<()> {
        self.payload.put_u32(sum.weak);
        self.payload.put_slice(&sum.strong[..self.params.strong_len as usize]);
        self.blocks += 1;
        if self.payload.len() >= PAYLOAD_LEN { self.flush_payload() } else { Ok(()) }
    }

    fn flush_payload(&mut self) -> Result<()> {
        reserve(&mut self.out, self.payload.len() + FRAME_MORE_LEN)?;
        self.payload_bytes += self.payload.len() as u64;
        match &mut self.sealer {
            Some(sealer) if !self.payload.is_empty() => sealer.data(&self.payload, self.payload_bytes, &mut self.out),
            Some(_) => {}
            None => self.out.extend_from_slice(&self.payload),
        }
        self.payload.clear();
        self.sink.write_all(&self.out)?;
        self.out.clear();
        Ok(())
    }

    /// Closes the signature of content with this identity, flushes the sink and gives it back.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] when the blocks are not those of the identity's length, and whatever
    /// the sink raises.
    pub fn finish(self, identity: &Identity) -> Result<W> {
        self.finish_flagged(identity, Flags::default())
    }

    /// Closes a plain signature of content whose identity is not known.
    pub(crate) fn finish_unidentified(mut self) -> Result<W> {
        debug_assert!(self.sealer.is_none());
        self.flush_payload()?;
        self.sink.flush()?;
        Ok(self.sink)
    }

    pub(crate) fn finish_flagged(mut self, identity: &Identity, flags: Flags) -> Result<W> {
        let expected = self.params.blocks_in(identity.length());
        if self.blocks != expected {
            return Err(Error::new(ErrorKind::InvalidInput, "signature does not have the blocks of its length")
                .doing("writing a signature")
                .expected(expected, self.blocks));
        }
        self.flush_payload()?;
        if let Some(sealer) = self.sealer.take() {
            sealer.finish(&Trailer { flags, identity: *identity }, &mut self.out);
            self.sink.write_all(&self.out)?;
        }
        self.sink.flush()?;
        Ok(self.sink)
    }
}

/// A sealed stream carries whole BLAKE2b-256 sums only.
pub(crate) fn check_sealable(params: &SignatureParams) -> Result<()> {
    if params.is_full() {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::InvalidInput,
        "a sealed signature carries whole BLAKE2b-256 sums only; write it as rdiff's format",
    )
    .expected("BLAKE2b, 32 bytes", format_args!("{:?}, {} bytes", params.strong, params.strong_len)))
}
