//! What one level says of one entry: how it comes to be what it is now.
//!
//! Records are the truth about a level. They travel in sealed batches behind the tar entries whose
//! content they describe; nothing that a tar header says is restored.

use bytes::BufMut;

use super::codec::{Fields, PutFields, corrupt};
use super::metadata::{Attributes, EntryKind, Metadata};
use super::path::{Position, is_below, to_os};
use crate::format::Leaf;
use crate::{Error, ErrorKind, Identity, Result};

const CLOSES: u8 = 1;
const METADATA: u8 = 2;
const IDENTITY: u8 = 4;
const DIRTY: u8 = 8;
const PARENT: u8 = 16;
const BASIS: u8 = 32;
const ALL_FLAGS: u8 = 63;

/// How an entry comes to be what it is at this level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Action {
    /// It is new, or replaces what was there; its content is in the archive whole.
    Full,
    /// A file made by a delta from a file of the parent level.
    Delta,
    /// A file with the very content of a file of the parent level.
    Copy,
    /// One more name of a file of this level.
    Link,
    /// Its content stays, its metadata is other.
    Metadata,
    /// It is gone.
    Delete,
    /// It could not be read to its end: what was sent of it is not used, and what was there stays.
    Void,
}

impl Action {
    fn letter(self) -> u8 {
        match self {
            Self::Full => b'F',
            Self::Delta => b'D',
            Self::Copy => b'C',
            Self::Link => b'L',
            Self::Metadata => b'M',
            Self::Delete => b'X',
            Self::Void => b'V',
        }
    }

    fn of_letter(letter: u8) -> Result<Self> {
        let all = [Self::Full, Self::Delta, Self::Copy, Self::Link, Self::Metadata, Self::Delete, Self::Void];
        all.into_iter().find(|action| action.letter() == letter).ok_or_else(|| {
            let what = format!("record of the action {:?}, which this frazil does not know", char::from(letter));
            Error::new(ErrorKind::Unsupported, what)
        })
    }
}

/// What the parent level has at a path, to be checked before anything is done there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Parent {
    pub(crate) kind: EntryKind,
    pub(crate) size: u64,
    /// The fingerprint's digest of a regular file.
    pub(crate) digest: Option<Leaf>,
}

/// What one level says of one entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) position: Position,
    pub(crate) action: Action,
    /// What the entry is now; `None` for what is gone, void, or one more name of another.
    pub(crate) metadata: Option<Metadata>,
    pub(crate) attributes: Attributes,
    /// The content of a regular file that is there now.
    pub(crate) identity: Option<Identity>,
    /// Whether it changed while it was read.
    pub(crate) dirty: bool,
    /// `None` where the parent level has nothing.
    pub(crate) parent: Option<Parent>,
    /// The path in the parent level of the basis of a delta or copy, where it is another than the entry's;
    /// the path in this level that a link is one more name of.
    pub(crate) basis: Option<Vec<u8>>,
}

impl Record {
    pub(crate) fn new(position: Position, action: Action) -> Self {
        Self {
            position,
            action,
            metadata: None,
            attributes: Attributes::new(),
            identity: None,
            dirty: false,
            parent: None,
            basis: None,
        }
    }

    /// The path of the content that a delta or a copy is made from.
    pub(crate) fn basis_path(&self) -> &[u8] {
        self.basis.as_deref().unwrap_or(&self.position.path)
    }

    /// Appends the record, its length before it.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        let mut body = Vec::with_capacity(160 + self.position.path.len());
        let flag = |set: bool, flag: u8| if set { flag } else { 0 };
        body.put_u8(self.action.letter());
        body.put_u8(
            flag(self.position.closes, CLOSES)
                | flag(self.metadata.is_some(), METADATA)
                | flag(self.identity.is_some(), IDENTITY)
                | flag(self.dirty, DIRTY)
                | flag(self.parent.is_some(), PARENT)
                | flag(self.basis.is_some(), BASIS),
        );
        body.put_field(&self.position.path);
        if let Some(metadata) = &self.metadata {
            body.put_metadata(metadata);
            body.put_attributes(&self.attributes);
        }
        if let Some(identity) = &self.identity {
            body.put_identity(identity);
        }
        if let Some(parent) = &self.parent {
            body.put_u8(parent.kind.letter());
            if parent.kind == EntryKind::File {
                body.put_number(parent.size);
                body.put_slice(&parent.digest.unwrap_or_default());
            }
        }
        if let Some(basis) = &self.basis {
            body.put_field(basis);
        }
        out.put_field(&body);
    }

    /// Takes one record off the front of a batch.
    pub(crate) fn decode(batch: &mut Fields<'_>, leaf_len: u32) -> Result<Self> {
        let mut body = Fields(batch.bytes(usize::MAX)?);
        let action = Action::of_letter(body.byte()?)?;
        let flags = body.byte()?;
        if flags & !ALL_FLAGS != 0 {
            let what = format!("record flags {flags:02x}, of which this frazil does not know all");
            return Err(Error::new(ErrorKind::Unsupported, what));
        }
        let position = Position { path: body.path()?.to_vec(), closes: flags & CLOSES != 0 };
        let mut record = Self { dirty: flags & DIRTY != 0, ..Self::new(position, action) };
        if flags & METADATA != 0 {
            record.metadata = Some(body.metadata()?);
            record.attributes = body.attributes()?;
        }
        if flags & IDENTITY != 0 {
            record.identity = Some(body.identity(leaf_len)?);
        }
        if flags & PARENT != 0 {
            let kind = body.kind()?;
            let (size, digest) = match kind {
                EntryKind::File => (body.number()?, Some(body.digest()?)),
                _ => (0, None),
            };
            record.parent = Some(Parent { kind, size, digest });
        }
        if flags & BASIS != 0 {
            record.basis = Some(body.path()?.to_vec());
        }
        body.end()?;
        record.check()?;
        Ok(record)
    }

    /// Fails unless the fields are those that the action takes, so that nobody has to ask later.
    fn check(&self) -> Result<()> {
        let kind = self.metadata.as_ref().map(|metadata| metadata.kind);
        let is_file = kind == Some(EntryKind::File);
        let parent_is = |kind| self.parent.is_some_and(|parent| parent.kind == kind);
        let root = self.position.path.is_empty();
        let fields_fit = match self.action {
            Action::Full => kind.is_some() && self.basis.is_none() && self.identity.is_some() == is_file,
            Action::Delta | Action::Copy => is_file && self.identity.is_some(),
            Action::Link => kind.is_none() && self.identity.is_none() && self.basis.is_some(),
            Action::Metadata => {
                kind.is_some()
                    && self.basis.is_none()
                    && self.identity.is_some() == is_file
                    && self.position.closes == (kind == Some(EntryKind::Directory))
            }
            Action::Delete => {
                kind.is_none()
                    && self.identity.is_none()
                    && self.basis.is_none()
                    && self.parent.is_some()
                    && self.position.closes == parent_is(EntryKind::Directory)
            }
            Action::Void => kind.is_none() && self.identity.is_none() && self.basis.is_none(),
        };
        // What replaces a directory comes where that closes: what is in it has to go before.
        let place_fits = match self.action {
            Action::Full if kind == Some(EntryKind::Directory) => !self.position.closes,
            Action::Full | Action::Delta | Action::Copy | Action::Link => {
                self.position.closes == parent_is(EntryKind::Directory)
            }
            _ => true,
        };
        let root_fits = !root || (kind == Some(EntryKind::Directory) && self.action != Action::Link);
        let sizes_fit = match (&self.metadata, &self.identity) {
            (Some(metadata), Some(identity)) => metadata.size == identity.length(),
            _ => true,
        };
        let basis_fits = self.basis.as_ref().is_none_or(|basis| {
            !basis.is_empty() && (self.action != Action::Link || !is_below(basis, &self.position.path))
        });
        let checks = [
            (fields_fit, "the fields of that action"),
            (place_fits, "it where its place in the order is"),
            (root_fits, "a directory at the root"),
            (sizes_fit, "the size that its content has"),
            (basis_fits, "a path of another entry to be made from"),
        ];
        match checks.into_iter().find(|(fits, _)| !fits) {
            None => Ok(()),
            Some((_, expected)) => Err(corrupt("record has fields that do not go with its action")
                .doing("reading the record of")
                .path(to_os(&self.position.path))
                .expected(expected, self.fields())),
        }
    }

    /// The action and the fields, for messages.
    fn fields(&self) -> String {
        let mut fields = format!("action {}", char::from(self.action.letter()));
        for (is_there, field) in [
            (self.position.closes, "closing"),
            (self.metadata.is_some(), "metadata"),
            (self.identity.is_some(), "content"),
            (self.parent.is_some(), "parent"),
            (self.basis.is_some(), "basis"),
        ] {
            if is_there {
                fields = format!("{fields}, {field}");
            }
        }
        match &self.metadata {
            Some(metadata) => format!("{fields}, of a {} of {} bytes", metadata.kind, metadata.size),
            None => fields,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::metadata::Moment;

    fn metadata(kind: EntryKind) -> Metadata {
        Metadata {
            kind,
            mode: 0o4755,
            uid: 4_000_000_000,
            gid: 7,
            user: b"someone".to_vec(),
            group: Vec::new(),
            size: if kind == EntryKind::File { 70_000 } else { 0 },
            modified: Moment { seconds: -5, nanoseconds: 999_999_999 },
            flags: 0x10,
            device: if kind == EntryKind::CharDevice { (300_000, 1_048_576) } else { (0, 0) },
            target: if kind == EntryKind::Symlink { b"../a\nb".to_vec() } else { Vec::new() },
        }
    }

    fn full(kind: EntryKind) -> Record {
        let fingerprint = crate::Fingerprint { leaf_len: 65_536, length: 70_000, digest: [9; 32] };
        Record {
            metadata: Some(metadata(kind)),
            attributes: vec![(b"user.a b".to_vec(), b"\0\xff".to_vec()), (b"user.b".to_vec(), Vec::new())],
            identity: (kind == EntryKind::File).then_some(Identity { crc32: 5, fingerprint }),
            ..Record::new(Position::opening(b"a/\xff \n%".to_vec()), Action::Full)
        }
    }

    fn coded(record: &Record) -> Result<Record> {
        let mut batch = Vec::new();
        record.encode(&mut batch);
        let mut fields = Fields(&batch);
        let decoded = Record::decode(&mut fields, 65_536)?;
        fields.end()?;
        Ok(decoded)
    }

    #[test]
    fn a_record_of_every_kind_comes_back() {
        use EntryKind::*;
        for kind in [File, Directory, Symlink, Fifo, CharDevice, BlockDevice] {
            assert_eq!(coded(&full(kind)).unwrap(), full(kind));
        }
        let parent = Some(Parent { kind: File, size: 3, digest: Some([1; 32]) });
        let delete = Record { parent, ..Record::new(Position::opening(b"a".to_vec()), Action::Delete) };
        assert_eq!(coded(&delete).unwrap(), delete);
        let link = Record { basis: Some(b"a".to_vec()), ..Record::new(Position::opening(b"b".to_vec()), Action::Link) };
        assert_eq!(coded(&link).unwrap(), link);
    }

    #[test]
    fn a_record_whose_fields_do_not_go_with_its_action_is_refused() {
        let at = |path: &[u8]| Position::opening(path.to_vec());
        let refused = [
            ("a file without its identity", Record { identity: None, ..full(EntryKind::File) }),
            ("a root that is a file", Record { position: at(b""), ..full(EntryKind::File) }),
            ("a path that leads out", Record { position: at(b"../a"), ..full(EntryKind::File) }),
            ("the end of what was not there", Record::new(at(b"a"), Action::Delete)),
            ("a link to nothing", Record::new(at(b"a"), Action::Link)),
            ("a change of nothing", Record::new(at(b"a"), Action::Metadata)),
            ("a copy without content", Record { action: Action::Copy, ..full(EntryKind::Symlink) }),
        ];
        for (what, record) in refused {
            let error = coded(&record).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corrupt, "{what}");
        }
        // Which record, and what is wrong with it.
        let error = coded(&Record { identity: None, ..full(EntryKind::File) }).unwrap_err().to_string();
        for part in
            ["reading the record of a/", "expected the fields of that action", "found action F, metadata, of a file"]
        {
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn a_record_cut_anywhere_is_an_error() {
        let mut batch = Vec::new();
        full(EntryKind::File).encode(&mut batch);
        for len in 0..batch.len() {
            assert!(Record::decode(&mut Fields(&batch[..len]), 65_536).is_err(), "cut at {len}");
        }
    }
}
