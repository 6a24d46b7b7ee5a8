//! A signature in memory.

use std::fmt;
use std::io::{Read, Write};
use std::path::Path;
use std::sync::Arc;

use crate::engine::native::BlockIndex;
use crate::format::{
    BlockSum, Flags, Format, Identity, SignatureParams, SignatureReader, SignatureWriter, StreamId, SumTable, named,
};
use crate::publish::Publish;
use crate::{Error, ErrorKind, Fingerprint, Result};

/// The sums of every block of a file, with its length and fingerprint where they are known.
///
/// It takes four bytes and the strong sum's length for each block: 36 bytes for each 64 KiB of content
/// by default. It is what a level n is made against, comes out of making a level, and is read from and
/// written to files, sealed or in librsync's plain format (which has neither length nor fingerprint).
#[derive(Clone, PartialEq, Eq)]
pub struct Signature {
    table: Arc<SumTable>,
    identity: Option<Identity>,
    dirty: bool,
}

impl Signature {
    pub(crate) fn new(table: SumTable, identity: Option<Identity>, dirty: bool) -> Self {
        Self { table: Arc::new(table), identity, dirty }
    }

    /// Reads a signature, sealed or plain, told apart by its magic.
    ///
    /// # Errors
    ///
    /// As [`SignatureReader::next_block`]; [`ErrorKind::OutOfMemory`] when the sums do not fit in memory.
    pub fn read_from(source: impl Read) -> Result<Self> {
        Self::read_limited(source, u64::MAX)
    }

    /// As [`Signature::read_from`], in at most `memory_limit` bytes.
    ///
    /// # Errors
    ///
    /// As [`Signature::read_from`], and [`ErrorKind::Limit`].
    pub fn read_limited(source: impl Read, memory_limit: u64) -> Result<Self> {
        let mut reader = SignatureReader::new(source)?;
        let mut table = SumTable::new(*reader.params());
        while let Some(sum) = reader.next_block()? {
            table.push(&sum, memory_limit).map_err(|error| named(error, "reading a signature"))?;
        }
        Ok(Self::new(table, reader.identity().copied(), reader.is_dirty()))
    }

    /// Opens and reads the signature in a file.
    ///
    /// # Errors
    ///
    /// As [`Signature::read_from`], with the path named.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let file = std::fs::File::open(path).map_err(|error| Error::io("opening a signature", error).path(path))?;
        Self::read_from(file).map_err(|error| error.path(path))
    }

    /// Writes the signature, flushes the sink and gives it back.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] when it is to be sealed but has MD4 or shortened sums, or no identity
    /// because it was read from the plain format; and whatever the sink raises.
    pub fn write_to<W: Write>(&self, sink: W, format: Format) -> Result<W> {
        let stream_id = if format == Format::Sealed { StreamId::random()? } else { StreamId([0; 16]) };
        self.write_with_stream_id(sink, format, stream_id)
    }

    /// As [`Signature::write_to`], with a given stream id: for bytes that can be repeated.
    ///
    /// # Errors
    ///
    /// As [`Signature::write_to`].
    pub fn write_with_stream_id<W: Write>(&self, sink: W, format: Format, stream_id: StreamId) -> Result<W> {
        let mut writer = SignatureWriter::with_stream_id(sink, *self.params(), format, stream_id)?;
        self.blocks().try_for_each(|sum| writer.push(&sum))?;
        match (&self.identity, format) {
            (Some(identity), _) => writer.finish_flagged(identity, Flags { dirty: self.dirty, ..Flags::default() }),
            (None, Format::Rdiff) => writer.finish_unidentified(),
            (None, Format::Sealed) => {
                Err(Error::new(ErrorKind::InvalidInput, "a signature without length and fingerprint cannot be sealed")
                    .doing("writing a signature"))
            }
        }
    }

    /// Writes the signature to a new file, which appears whole or not at all.
    ///
    /// # Errors
    ///
    /// As [`Signature::write_to`]; [`ErrorKind::Exists`] when there is such a file already.
    pub fn save(&self, path: impl AsRef<Path>, format: Format) -> Result<()> {
        let mut publish = Publish::new(path.as_ref(), false)?;
        self.write_to(publish.file(), format)?;
        publish.commit()
    }

    /// The parameters: which sums over blocks of what length.
    pub fn params(&self) -> &SignatureParams {
        self.table.params()
    }

    /// How many blocks there are.
    pub fn block_count(&self) -> usize {
        self.table.len()
    }

    /// The sums of block `index`, counted from zero.
    pub fn block(&self, index: usize) -> Option<BlockSum> {
        self.table.get(index)
    }

    /// The sums of all blocks in order.
    pub fn blocks(&self) -> impl ExactSizeIterator<Item = BlockSum> + '_ {
        self.table.iter()
    }

    pub(crate) fn table(&self) -> &Arc<SumTable> {
        &self.table
    }

    /// Bytes of content; a plain signature does not say.
    pub fn length(&self) -> Option<u64> {
        self.identity.map(|identity| identity.length())
    }

    /// The fingerprint of the content; a plain signature does not have it.
    pub fn fingerprint(&self) -> Option<&Fingerprint> {
        self.identity.as_ref().map(Identity::fingerprint)
    }

    /// Length, CRC32 and fingerprint of the content; a plain signature has none of them.
    pub fn identity(&self) -> Option<&Identity> {
        self.identity.as_ref()
    }

    /// Whether the content changed while it was read: the signature is that of the bytes that were read.
    pub fn is_dirty(&self) -> bool {
        self.dirty
    }

    /// Bytes of memory that the sums take.
    pub fn memory_bytes(&self) -> u64 {
        self.table.memory_bytes()
    }

    /// Bytes of memory that its index takes, beside the sums, while content or another signature is compared with it:
    /// at most 12 for each block, or of fewer than 2^18 up to 512 KiB more.
    pub fn index_bytes(&self) -> u64 {
        BlockIndex::memory_bytes(self.table.len() as u64)
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signature")
            .field("params", self.params())
            .field("blocks", &self.block_count())
            .field("identity", &self.identity)
            .field("dirty", &self.dirty)
            .finish()
    }
}
