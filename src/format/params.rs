//! What a signature is made of: which sums, how long, over blocks of what length.

use crate::{Error, ErrorKind, Result};

/// The block length when none is given: 64 KiB, as the blueprint asks.
pub const DEFAULT_BLOCK_LEN: u32 = 65536;

/// The longest block: librsync holds the length in a C `int`, and a block must fit in memory.
pub const MAX_BLOCK_LEN: u32 = 1 << 30;

/// The sum that rolls along the data and finds candidates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WeakKind {
    /// librsync's first sum, after rsync's; collides often on long runs of equal bytes.
    Rollsum,
    /// The polynomial sum of librsync 2.2 and later.
    #[default]
    RabinKarp,
}

/// The sum that decides whether two blocks are equal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StrongKind {
    /// MD4, 16 bytes: broken (CVE-2014-8242), for exchange with old peers only.
    Md4,
    /// BLAKE2b with a 32-byte digest.
    #[default]
    Blake2,
}

impl StrongKind {
    /// The length of the whole digest in bytes.
    pub fn max_len(self) -> u32 {
        match self {
            Self::Md4 => 16,
            Self::Blake2 => 32,
        }
    }
}

/// The parameters in the head of a signature.
///
/// The default is RabinKarp and whole BLAKE2b-256 sums over blocks of 64 KiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SignatureParams {
    pub(crate) weak: WeakKind,
    pub(crate) strong: StrongKind,
    pub(crate) block_len: u32,
    pub(crate) strong_len: u32,
}

impl Default for SignatureParams {
    fn default() -> Self {
        let strong = StrongKind::Blake2;
        Self { weak: WeakKind::RabinKarp, strong, block_len: DEFAULT_BLOCK_LEN, strong_len: strong.max_len() }
    }
}

impl SignatureParams {
    /// The length of the head: magic, block length, strong sum length.
    pub(crate) const HEAD_LEN: usize = 12;

    /// Parameters with a block length in bytes (1 to 2^30) and a strong sum cut to `strong_len` bytes
    /// (1 to [`StrongKind::max_len`]).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] outside these ranges.
    pub fn new(weak: WeakKind, strong: StrongKind, block_len: u32, strong_len: u32) -> Result<Self> {
        let params = Self { weak, strong, block_len, strong_len };
        params.validate(ErrorKind::InvalidInput)?;
        Ok(params)
    }

    /// The default sums over blocks of `block_len` bytes (1 to 2^30).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] outside that range.
    pub fn with_block_len(block_len: u32) -> Result<Self> {
        let default = Self::default();
        Self::new(default.weak, default.strong, block_len, default.strong_len)
    }

    fn validate(self, kind: ErrorKind) -> Result<()> {
        if !(1..=MAX_BLOCK_LEN).contains(&self.block_len) {
            return Err(Error::new(kind, "block length is out of range")
                .expected(format_args!("1 to {MAX_BLOCK_LEN}"), self.block_len));
        }
        let max = self.strong.max_len();
        if !(1..=max).contains(&self.strong_len) {
            return Err(Error::new(kind, "strong sum length is out of range")
                .expected(format_args!("1 to {max}"), self.strong_len));
        }
        Ok(())
    }

    /// The rolling sum.
    pub fn weak(&self) -> WeakKind {
        self.weak
    }

    /// The strong sum.
    pub fn strong(&self) -> StrongKind {
        self.strong
    }

    /// Bytes in a block; the last block of a file may be shorter.
    pub fn block_len(&self) -> u32 {
        self.block_len
    }

    /// Bytes kept of each strong sum.
    pub fn strong_len(&self) -> u32 {
        self.strong_len
    }

    /// librsync's magic number for these sums.
    pub fn magic(&self) -> u32 {
        match (self.weak, self.strong) {
            (WeakKind::Rollsum, StrongKind::Md4) => 0x7273_0136,
            (WeakKind::Rollsum, StrongKind::Blake2) => 0x7273_0137,
            (WeakKind::RabinKarp, StrongKind::Md4) => 0x7273_0146,
            (WeakKind::RabinKarp, StrongKind::Blake2) => 0x7273_0147,
        }
    }

    pub(crate) fn kinds_of_magic(magic: u32) -> Option<(WeakKind, StrongKind)> {
        match magic {
            0x7273_0136 => Some((WeakKind::Rollsum, StrongKind::Md4)),
            0x7273_0137 => Some((WeakKind::Rollsum, StrongKind::Blake2)),
            0x7273_0146 => Some((WeakKind::RabinKarp, StrongKind::Md4)),
            0x7273_0147 => Some((WeakKind::RabinKarp, StrongKind::Blake2)),
            _ => None,
        }
    }

    /// Whether a match on these sums can be trusted without a check of the whole result: BLAKE2b sums of
    /// at least 128 bits.
    pub fn is_trusted(&self) -> bool {
        self.strong == StrongKind::Blake2 && self.strong_len >= 16
    }

    /// Whether the strong sums are whole BLAKE2b-256 digests, as a sealed signature demands.
    pub(crate) fn is_full(&self) -> bool {
        self.strong == StrongKind::Blake2 && self.strong_len == 32
    }

    /// Bytes of one block's sums in a signature.
    pub(crate) fn record_len(&self) -> usize {
        4 + self.strong_len as usize
    }

    /// How many blocks `length` bytes make.
    pub(crate) fn blocks_in(&self, length: u64) -> u64 {
        length.div_ceil(u64::from(self.block_len))
    }

    pub(crate) fn encode(&self) -> [u8; Self::HEAD_LEN] {
        let mut head = [0; Self::HEAD_LEN];
        head[..4].copy_from_slice(&self.magic().to_be_bytes());
        head[4..8].copy_from_slice(&self.block_len.to_be_bytes());
        head[8..].copy_from_slice(&self.strong_len.to_be_bytes());
        head
    }

    /// Parses and validates the head of a signature.
    pub(crate) fn decode(head: [u8; Self::HEAD_LEN]) -> Result<Self> {
        let word = |at: usize| u32::from_be_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        let Some((weak, strong)) = Self::kinds_of_magic(word(0)) else {
            return Err(Error::new(ErrorKind::Corrupt, "not a signature: unknown magic number")
                .at(0)
                .expected("72730136, 72730137, 72730146 or 72730147", format_args!("{:08x}", word(0))));
        };
        let params = Self { weak, strong, block_len: word(4), strong_len: word(8) };
        params.validate(ErrorKind::Corrupt).map_err(|error| error.at(4))?;
        Ok(params)
    }
}
