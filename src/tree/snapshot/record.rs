//! What a snapshot says of one entry.

use bytes::BufMut;

use crate::format::Leaf;
use crate::tree::codec::{Fields, PutFields, corrupt};
use crate::tree::metadata::{EntryKind, Evidence, Metadata};
use crate::tree::record::Parent;
use crate::{Error, ErrorKind, Identity, Result};

const ATTRIBUTES: u8 = 1;
const IDENTITY: u8 = 2;
const LINK: u8 = 4;

/// Why an entry is looked at again at the next level whatever its metadata says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mark {
    /// It changed while it was read, or could have without its times showing it.
    pub(crate) dirty: bool,
    /// It changed so shortly before it was read that a later change may have left the same times.
    pub(crate) racy: bool,
    /// It could not be read: this is what the level before knew of it.
    pub(crate) stale: bool,
}

impl Mark {
    fn bits(self) -> u8 {
        (u8::from(self.dirty) << 4) | (u8::from(self.racy) << 5) | (u8::from(self.stale) << 6)
    }

    fn of_bits(bits: u8) -> Self {
        Self { dirty: bits & 1 << 4 != 0, racy: bits & 1 << 5 != 0, stale: bits & 1 << 6 != 0 }
    }
}

/// What a snapshot says of one entry; the sums of its blocks follow it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SnapshotRecord {
    pub(crate) path: Vec<u8>,
    pub(crate) metadata: Metadata,
    pub(crate) evidence: Evidence,
    /// Of the extended attributes, where there are any.
    pub(crate) attributes: Option<Leaf>,
    /// The content of a regular file.
    pub(crate) identity: Option<Identity>,
    /// The path that this is one more name of.
    pub(crate) link: Option<Vec<u8>>,
    pub(crate) mark: Mark,
}

impl SnapshotRecord {
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        let flag = |set: bool, flag: u8| if set { flag } else { 0 };
        out.put_u8(
            flag(self.attributes.is_some(), ATTRIBUTES)
                | flag(self.identity.is_some(), IDENTITY)
                | flag(self.link.is_some(), LINK)
                | self.mark.bits(),
        );
        out.put_field(&self.path);
        out.put_metadata(&self.metadata);
        out.put_evidence(&self.evidence);
        if let Some(digest) = &self.attributes {
            out.put_slice(digest);
        }
        if let Some(identity) = &self.identity {
            out.put_identity(identity);
        }
        if let Some(link) = &self.link {
            out.put_field(link);
        }
    }

    pub(crate) fn decode(body: &[u8], leaf_len: u32) -> Result<Self> {
        let mut fields = Fields(body);
        let flags = fields.byte()?;
        if flags & 0x88 != 0 {
            let what = format!("snapshot record flags {flags:02x}, of which this frazil does not know all");
            return Err(Error::new(ErrorKind::Unsupported, what));
        }
        let path = fields.path()?.to_vec();
        let metadata = fields.metadata()?;
        let evidence = fields.evidence()?;
        let attributes = if flags & ATTRIBUTES != 0 { Some(fields.digest()?) } else { None };
        let identity = if flags & IDENTITY != 0 { Some(fields.identity(leaf_len)?) } else { None };
        let link = if flags & LINK != 0 { Some(fields.path()?.to_vec()) } else { None };
        fields.end()?;
        let is_file = metadata.kind == EntryKind::File;
        let sized = identity.is_none_or(|identity| identity.length() == metadata.size);
        let linkable = link.is_none() || metadata.kind != EntryKind::Directory;
        let root = !path.is_empty() || metadata.kind == EntryKind::Directory;
        if identity.is_some() != is_file || !sized || !linkable || !root {
            return Err(corrupt("snapshot record has fields that do not go with its kind"));
        }
        Ok(Self { path, metadata, evidence, attributes, identity, link, mark: Mark::of_bits(flags) })
    }

    /// What a record of the next level says was here.
    pub(crate) fn as_parent(&self) -> Parent {
        Parent {
            kind: self.metadata.kind,
            size: self.metadata.size,
            digest: self.identity.map(|identity| *identity.fingerprint().digest()),
        }
    }
}
