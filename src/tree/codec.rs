//! The fields of records: numbers of any width, and bytes with their length before them.
//!
//! A number is LEB128: seven bits a byte, the lowest first, the top bit set on all bytes but the last;
//! only the shortest form is read. A signed one is folded first, so that small ones stay short.

use bytes::{Buf, BufMut};

use super::metadata::{Attributes, EntryKind, Evidence, Metadata, Moment};
use super::path;
use crate::format::Leaf;
use crate::{Error, ErrorKind, Fingerprint, Identity, Result};

/// The longest name of a user or group that is read.
const OWNER_MAX: usize = 1024;

/// The most bytes of extended attributes, names and values together, that one entry carries.
pub(crate) const ATTRIBUTES_MAX: usize = 16 << 20;

/// The most bytes that the names of extended attributes take, each with a zero behind it: Linux lists no more
/// (`XATTR_LIST_MAX`). Without it, their number would be all the memory that short ones can take.
const ATTRIBUTE_NAMES_MAX: usize = 64 << 10;

pub(crate) trait PutFields: BufMut {
    fn put_number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.put_u8(number as u8 | 0x80);
            number >>= 7;
        }
        self.put_u8(number as u8);
    }

    fn put_signed(&mut self, number: i64) {
        self.put_number(((number << 1) ^ (number >> 63)) as u64);
    }

    fn put_field(&mut self, bytes: &[u8])
    where
        Self: Sized,
    {
        self.put_number(bytes.len() as u64);
        self.put_slice(bytes);
    }

    fn put_moment(&mut self, moment: Moment) {
        self.put_signed(moment.seconds);
        self.put_number(u64::from(moment.nanoseconds));
    }

    /// The leaf length is the level's, so it is not said again.
    fn put_identity(&mut self, identity: &Identity) {
        self.put_number(identity.length());
        self.put_u32(identity.crc32());
        self.put_slice(identity.fingerprint().digest());
    }

    fn put_metadata(&mut self, metadata: &Metadata)
    where
        Self: Sized,
    {
        self.put_u8(metadata.kind.letter());
        self.put_number(u64::from(metadata.mode));
        self.put_number(u64::from(metadata.uid));
        self.put_number(u64::from(metadata.gid));
        self.put_field(&metadata.user);
        self.put_field(&metadata.group);
        self.put_moment(metadata.modified);
        self.put_number(u64::from(metadata.flags));
        match metadata.kind {
            EntryKind::File => self.put_number(metadata.size),
            EntryKind::Symlink => self.put_field(&metadata.target),
            EntryKind::CharDevice | EntryKind::BlockDevice => {
                self.put_number(u64::from(metadata.device.0));
                self.put_number(u64::from(metadata.device.1));
            }
            EntryKind::Directory | EntryKind::Fifo => {}
        }
    }

    fn put_evidence(&mut self, evidence: &Evidence) {
        self.put_moment(evidence.changed);
        self.put_number(evidence.device);
        self.put_number(evidence.inode);
        self.put_number(evidence.links);
    }

    fn put_attributes(&mut self, attributes: &Attributes)
    where
        Self: Sized,
    {
        self.put_number(attributes.len() as u64);
        for (name, value) in attributes {
            self.put_field(name);
            self.put_field(value);
        }
    }
}

impl<B: BufMut> PutFields for B {}

/// Takes fields off the front of bytes; every failure is [`ErrorKind::Corrupt`].
#[derive(Clone, Copy)]
pub(crate) struct Fields<'a>(pub(crate) &'a [u8]);

impl<'a> Fields<'a> {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Fails unless everything was taken.
    pub(crate) fn end(self) -> Result<()> {
        if self.is_empty() { Ok(()) } else { Err(corrupt("record is longer than its fields")) }
    }

    pub(crate) fn byte(&mut self) -> Result<u8> {
        Ok(self.take(1)?[0])
    }

    pub(crate) fn take(&mut self, len: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len).ok_or_else(|| cut_off(len, self.0.len()))?;
        self.0 = rest;
        Ok(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    /// Most fields are numbers, and most of those a byte or two: of what reads a snapshot, this is what has to be fast.
    pub(crate) fn number(&mut self) -> Result<u64> {
        let mut number = 0_u64;
        for (place, &byte) in self.0.iter().enumerate() {
            let (bits, shift) = (u64::from(byte & 0x7f), 7 * place);
            if shift == 63 && byte > 1 {
                return Err(corrupt("number is too large"));
            }
            number |= bits << shift;
            if byte & 0x80 == 0 {
                if byte == 0 && place > 0 {
                    return Err(corrupt("number is not in its shortest form"));
                }
                self.0 = &self.0[place + 1..];
                return Ok(number);
            }
        }
        Err(cut_off(1, 0))
    }

    pub(crate) fn number_u32(&mut self) -> Result<u32> {
        u32::try_from(self.number()?).map_err(|_| corrupt("number is too large"))
    }

    pub(crate) fn signed(&mut self) -> Result<i64> {
        let folded = self.number()?;
        Ok((folded >> 1) as i64 ^ -((folded & 1) as i64))
    }

    pub(crate) fn bytes(&mut self, max: usize) -> Result<&'a [u8]> {
        let len = self.number()?;
        match usize::try_from(len) {
            Ok(len) if len <= max => self.take(len),
            _ => Err(corrupt("field is too long").expected(format_args!("at most {max} bytes"), len)),
        }
    }

    pub(crate) fn path(&mut self) -> Result<&'a [u8]> {
        let path = self.bytes(path::PATH_MAX)?;
        path::check(path)?;
        Ok(path)
    }

    pub(crate) fn moment(&mut self) -> Result<Moment> {
        let (seconds, nanoseconds) = (self.signed()?, self.number_u32()?);
        if nanoseconds >= 1_000_000_000 {
            return Err(corrupt("time has too many nanoseconds").expected("below 10^9", nanoseconds));
        }
        Ok(Moment { seconds, nanoseconds })
    }

    /// The leaf length is that of the level.
    pub(crate) fn identity(&mut self, leaf_len: u32) -> Result<Identity> {
        let length = self.number()?;
        let crc32 = self.take(4)?.get_u32();
        Ok(Identity { crc32, fingerprint: Fingerprint { leaf_len, length, digest: self.digest()? } })
    }

    pub(crate) fn digest(&mut self) -> Result<Leaf> {
        self.array()
    }

    pub(crate) fn kind(&mut self) -> Result<EntryKind> {
        let letter = self.byte()?;
        EntryKind::of_letter(letter).ok_or_else(|| {
            let what = format!("entry of the kind {:?}, which this frazil does not know", char::from(letter));
            Error::new(ErrorKind::Unsupported, what)
        })
    }

    pub(crate) fn metadata(&mut self) -> Result<Metadata> {
        let kind = self.kind()?;
        let mode = self.number_u32()?;
        if mode > 0o7777 {
            return Err(corrupt("mode is out of range").expected("at most 7777", format_args!("{mode:o}")));
        }
        let mut metadata = Metadata {
            kind,
            mode,
            uid: self.number_u32()?,
            gid: self.number_u32()?,
            user: self.bytes(OWNER_MAX)?.to_vec(),
            group: self.bytes(OWNER_MAX)?.to_vec(),
            size: 0,
            modified: self.moment()?,
            flags: self.number_u32()?,
            device: (0, 0),
            target: Vec::new(),
        };
        match kind {
            EntryKind::File => metadata.size = self.number()?,
            EntryKind::Symlink => metadata.target = self.target()?,
            EntryKind::CharDevice | EntryKind::BlockDevice => {
                metadata.device = (self.number_u32()?, self.number_u32()?);
            }
            EntryKind::Directory | EntryKind::Fifo => {}
        }
        Ok(metadata)
    }

    /// A link may lead anywhere, but not through a zero byte, which would end it early.
    fn target(&mut self) -> Result<Vec<u8>> {
        let target = self.bytes(path::PATH_MAX)?;
        if target.is_empty() || target.contains(&0) {
            return Err(corrupt("symbolic link leads to what no link can lead to"));
        }
        Ok(target.to_vec())
    }

    pub(crate) fn evidence(&mut self) -> Result<Evidence> {
        Ok(Evidence { changed: self.moment()?, device: self.number()?, inode: self.number()?, links: self.number()? })
    }

    /// Names in strictly rising order, none of them empty or with a zero byte.
    pub(crate) fn attributes(&mut self) -> Result<Attributes> {
        let count = self.number()?;
        let mut attributes = Attributes::new();
        let (mut total, mut names) = (0, 0);
        for _ in 0..count {
            let name = self.bytes(path::NAME_MAX)?;
            let value = self.bytes(ATTRIBUTES_MAX)?;
            total += name.len() + value.len();
            names += name.len() + 1;
            let is_too_much = total > ATTRIBUTES_MAX || names > ATTRIBUTE_NAMES_MAX;
            if name.is_empty() || name.contains(&0) || is_too_much {
                return Err(corrupt("extended attribute that no system has"));
            }
            if attributes.last().is_some_and(|(before, _)| before.as_slice() >= name) {
                return Err(corrupt("extended attributes are out of order"));
            }
            attributes.push((name.to_vec(), value.to_vec()));
        }
        Ok(attributes)
    }
}

pub(crate) fn corrupt(what: &'static str) -> Error {
    Error::new(ErrorKind::Corrupt, what)
}

#[cold]
fn cut_off(len: usize, left: usize) -> Error {
    corrupt("record is cut off").expected(format_args!("{len} more bytes"), left)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back_and_have_one_form_only() {
        for number in [0, 1, 0x7f, 0x80, 0x3fff, 0x4000, u64::from(u32::MAX), u64::MAX - 1, u64::MAX] {
            let mut bytes = Vec::new();
            bytes.put_number(number);
            let mut fields = Fields(&bytes);
            assert_eq!(fields.number().unwrap(), number);
            fields.end().unwrap();
            bytes.clear();
            bytes.put_signed(number as i64);
            assert_eq!(Fields(&bytes).signed().unwrap(), number as i64);
        }
        let refused: [&[u8]; 4] = [&[0x80], &[0x80, 0], &[0xff; 10], &[0xff; 11]];
        for bytes in refused {
            assert_eq!(Fields(bytes).number().unwrap_err().kind(), ErrorKind::Corrupt, "{bytes:x?}");
        }
    }
}
