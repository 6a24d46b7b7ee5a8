//! The header of a sealed stream: what it is, and what it was made against.

use std::fmt;
use std::ops::ControlFlow;

use bytes::{Buf, BufMut};

use super::{CRC_LEN, SEALED_MAGIC, VERSION};
use crate::format::{DEFAULT_BLOCK_LEN, Fingerprint, LEAF_LEN_MIN, MAX_BLOCK_LEN, SignatureParams, leaf_len_for};
use crate::{Error, ErrorKind, Result};

/// Magic, version, kind, flags (none yet: zero), stream id, length of the fields that follow.
pub(super) const FIXED_LEN: usize = 8 + 2 + 1 + 1 + 16 + 4;

/// The longest path of a basis that fits with all other fields.
pub(crate) const BASIS_PATH_MAX: usize = 1 << 15;

/// All fields together may not be longer than this.
const FIELDS_MAX: usize = 1 << 16;

/// A field's head: tag and length.
const FIELD_HEAD_LEN: usize = 2 + 4;

/// A field whose tag has this bit may be skipped by a reader that does not know it.
const OPTIONAL: u16 = 0x8000;

const TAG_BASIS: u16 = 1;
const TAG_MATCH_BLOCK_LEN: u16 = 2;
const TAG_TARGET_BLOCK_LEN: u16 = 3;
const TAG_TARGET_LEN: u16 = 4;
const TAG_BASIS_PATH: u16 = 5 | OPTIONAL;

/// What a sealed stream carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SealedKind {
    /// A signature in librsync's format.
    Signature,
    /// A delta in librsync's format.
    Delta,
    /// What the next level of a tree needs to know of this one.
    Snapshot,
    /// A part of a tree's archive that says what the rest of it is.
    Records,
}

impl SealedKind {
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Signature => 1,
            Self::Delta => 2,
            Self::Snapshot => 3,
            Self::Records => 4,
        }
    }
}

impl fmt::Display for SealedKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Signature => "signature",
            Self::Delta => "delta",
            Self::Snapshot => "snapshot",
            Self::Records => "records of an archive",
        })
    }
}

/// Sixteen random bytes that tie the frames of one stream together.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct StreamId(pub [u8; 16]);

impl StreamId {
    /// A fresh id from the operating system.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Io`] when the operating system has no random bytes.
    pub fn random() -> Result<Self> {
        let mut id = [0; 16];
        getrandom::fill(&mut id)
            .map_err(|error| Error::io("making a stream id", std::io::Error::other(error.to_string())))?;
        Ok(Self(id))
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StreamId({self})")
    }
}

/// The header of a sealed stream.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SealedHeader {
    /// What the stream carries.
    pub kind: SealedKind,
    /// Which stream this is.
    pub stream_id: StreamId,
    /// The content that a delta turns into the target; `None` when a raw signature, which has no
    /// fingerprint, was all that was known of it: the basis cannot be verified.
    pub basis: Option<Fingerprint>,
    /// Bytes in the blocks that were matched.
    pub match_block_len: Option<u32>,
    /// Bytes in the blocks of the target's signature, which decide the leaves of its fingerprint.
    pub target_block_len: Option<u32>,
    /// The length of the target, where it was known beforehand: never more than this comes out.
    pub target_len: Option<u64>,
    /// Which path the basis had, where it is another than the target's.
    pub basis_path: Option<Vec<u8>>,
}

impl SealedHeader {
    pub(crate) fn new(kind: SealedKind, stream_id: StreamId) -> Self {
        Self {
            kind,
            stream_id,
            basis: None,
            match_block_len: None,
            target_block_len: None,
            target_len: None,
            basis_path: None,
        }
    }

    /// The leaves of the fingerprint of the content, which its block length decides.
    pub(crate) fn target_leaf_len(&self) -> u32 {
        let params = SignatureParams::with_block_len(self.target_block_len.unwrap_or(DEFAULT_BLOCK_LEN));
        params.map_or(DEFAULT_BLOCK_LEN, |params| leaf_len_for(&params))
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut fields = Vec::new();
        let mut field = |tag: u16, value: &[u8]| {
            fields.put_u16(tag);
            fields.put_u32(value.len() as u32);
            fields.put_slice(value);
        };
        if let Some(basis) = &self.basis {
            let mut value = Vec::with_capacity(44);
            value.put_u32(basis.leaf_len);
            value.put_u64(basis.length);
            value.put_slice(&basis.digest);
            field(TAG_BASIS, &value);
        }
        let mut number = |tag, value: Option<&[u8]>| value.into_iter().for_each(|value| field(tag, value));
        number(TAG_MATCH_BLOCK_LEN, self.match_block_len.map(u32::to_be_bytes).as_ref().map(<[u8; 4]>::as_slice));
        number(TAG_TARGET_BLOCK_LEN, self.target_block_len.map(u32::to_be_bytes).as_ref().map(<[u8; 4]>::as_slice));
        number(TAG_TARGET_LEN, self.target_len.map(u64::to_be_bytes).as_ref().map(<[u8; 8]>::as_slice));
        number(TAG_BASIS_PATH, self.basis_path.as_deref());

        let mut out = Vec::with_capacity(FIXED_LEN + fields.len() + CRC_LEN);
        out.put_slice(&SEALED_MAGIC);
        out.put_u16(VERSION);
        out.put_u8(self.kind.code());
        out.put_u8(0);
        out.put_slice(&self.stream_id.0);
        out.put_u32(fields.len() as u32);
        out.put_slice(&fields);
        let crc = crc32fast::hash(&out);
        out.put_u32(crc);
        out
    }

    /// The length of the header that begins with these [`FIXED_LEN`] bytes.
    ///
    /// Magic, version and the length itself are checked here: nothing after them can be read otherwise.
    pub(super) fn encoded_len(fixed: &[u8]) -> Result<usize> {
        let mut input = fixed;
        if input[..8] != SEALED_MAGIC {
            return Err(Error::new(ErrorKind::Corrupt, "not a sealed stream: wrong magic").at(0));
        }
        input.advance(8);
        let version = input.get_u16();
        if version != VERSION {
            let what = format!("sealed stream of format version {version}, and this frazil reads version {VERSION}");
            return Err(Error::new(ErrorKind::Unsupported, what).at(8));
        }
        input.advance(2 + 16);
        let fields_len = input.get_u32() as usize;
        if fields_len > FIELDS_MAX {
            return Err(Error::new(ErrorKind::Corrupt, "header is too long")
                .at(28)
                .expected(format_args!("at most {FIELDS_MAX} bytes of fields"), fields_len));
        }
        Ok(FIXED_LEN + fields_len + CRC_LEN)
    }

    /// Parses a header of the length that [`Self::encoded_len`] gave.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self> {
        let (body, mut crc) = bytes.split_at(bytes.len() - CRC_LEN);
        let (expected, found) = (crc.get_u32(), crc32fast::hash(body));
        if expected != found {
            return Err(Error::new(ErrorKind::Corrupt, "header checksum does not match")
                .at(0)
                .expected(format_args!("{expected:08x}"), format_args!("{found:08x}")));
        }
        let kind = match body[10] {
            1 => SealedKind::Signature,
            2 => SealedKind::Delta,
            3 => SealedKind::Snapshot,
            4 => SealedKind::Records,
            code => {
                let what = format!("sealed stream of kind {code}, which this frazil does not know");
                return Err(Error::new(ErrorKind::Unsupported, what).at(10));
            }
        };
        if body[11] != 0 {
            let what = format!("header flags {:02x}, which this frazil does not know", body[11]);
            return Err(Error::new(ErrorKind::Unsupported, what).at(11));
        }
        let mut id = [0; 16];
        id.copy_from_slice(&body[12..28]);
        let mut header = Self::new(kind, StreamId(id));
        let mut fields = &body[FIXED_LEN..];
        while let ControlFlow::Continue(()) = header.decode_field(&mut fields, body.len())? {}
        Ok(header)
    }

    fn decode_field(&mut self, fields: &mut &[u8], end: usize) -> Result<ControlFlow<()>> {
        let at = (end - fields.len()) as u64;
        if fields.is_empty() {
            return Ok(ControlFlow::Break(()));
        }
        let corrupt = |what| Error::new(ErrorKind::Corrupt, what).at(at);
        if fields.len() < FIELD_HEAD_LEN {
            return Err(corrupt("header field is cut off"));
        }
        let (tag, len) = (fields.get_u16(), fields.get_u32() as usize);
        if len > fields.len() {
            return Err(corrupt("header field is longer than the header"));
        }
        let (mut value, rest) = fields.split_at(len);
        *fields = rest;
        let sized = |expected: usize| {
            if len == expected {
                Ok(())
            } else {
                Err(corrupt("header field has the wrong length").expected(expected, len))
            }
        };
        let once = |seen: bool| if seen { Err(corrupt("header field comes twice")) } else { Ok(()) };
        match tag {
            TAG_BASIS => {
                sized(44)?;
                once(self.basis.is_some())?;
                let (leaf_len, length) = (value.get_u32(), value.get_u64());
                let mut digest = [0; 32];
                digest.copy_from_slice(value);
                check_leaf_len(leaf_len).map_err(|error| error.at(at))?;
                self.basis = Some(Fingerprint { leaf_len, length, digest });
            }
            TAG_MATCH_BLOCK_LEN => {
                sized(4)?;
                once(self.match_block_len.is_some())?;
                let block_len = value.get_u32();
                check_block_len(block_len).map_err(|error| error.at(at))?;
                self.match_block_len = Some(block_len);
            }
            TAG_TARGET_BLOCK_LEN => {
                sized(4)?;
                once(self.target_block_len.is_some())?;
                let block_len = value.get_u32();
                check_block_len(block_len).map_err(|error| error.at(at))?;
                self.target_block_len = Some(block_len);
            }
            TAG_TARGET_LEN => {
                sized(8)?;
                once(self.target_len.is_some())?;
                self.target_len = Some(value.get_u64());
            }
            TAG_BASIS_PATH => {
                once(self.basis_path.is_some())?;
                self.basis_path = Some(value.to_vec());
            }
            _ if tag & OPTIONAL != 0 => {}
            _ => {
                let what = format!("header field {tag}, which this frazil does not know and must not skip");
                return Err(Error::new(ErrorKind::Unsupported, what).at(at));
            }
        }
        Ok(ControlFlow::Continue(()))
    }
}

/// A hostile length of a block would decide how much a reader holds.
fn check_block_len(len: u32) -> Result<()> {
    in_range("block length is out of range", 1, len)
}

/// Leaves that are shorter than any writer makes would make a reader hash more leaves than content.
pub(super) fn check_leaf_len(len: u32) -> Result<()> {
    in_range("leaf length is out of range", LEAF_LEN_MIN, len)
}

fn in_range(what: &'static str, least: u32, len: u32) -> Result<()> {
    if (least..=MAX_BLOCK_LEN).contains(&len) {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Corrupt, what).expected(format_args!("{least} to {MAX_BLOCK_LEN}"), len))
}
