//! What is to be done to a destination, in the order of the tree.
//!
//! An entry is its length and a CRC32 over length and bytes, then the bytes; length 0 is the end, whose
//! bytes are the number of entries.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;

use bytes::{Buf, BufMut};

use super::dress::Policy;
use super::private::{JOURNAL, Private, check_outside};
use super::stage::StageId;
use super::transaction::SyncMode;
use crate::tree::codec::{ATTRIBUTES_MAX, Fields, PutFields};
use crate::tree::level_id::LevelId;
use crate::tree::path::{PATH_MAX, Position};
use crate::tree::record::Record;
use crate::{Error, ErrorKind, Result};

const MAGIC: [u8; 8] = *b"\x89frazjn\n";
const VERSION: u8 = 2;

const DAMAGED: &str = "journal of a restore is damaged; restore the chain again from its level 0";
const MISSING: &str = "journal of a restore is missing; restore the chain again from its level 0";
const CUT: &str = "journal of a restore ends early; restore the chain again from its level 0";

/// More than any record takes: its attributes, three paths, and fields of a few bytes.
const ENTRY_MAX: usize = ATTRIBUTES_MAX + 4 * PATH_MAX + (1 << 20);

/// Before length and bytes of an entry.
const PREFIX: usize = 8;

const PRIVILEGED: u8 = 1;
const MAKE_PARENTS: u8 = 2;
const SYNC_FILE: u8 = 4;
const OVERWRITE: u8 = 8;

/// How a journal is to be carried out, also by a later run that was given other options.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct JournalHeader {
    pub(crate) level: LevelId,
    /// Of the level's fingerprints.
    pub(crate) leaf_len: u32,
    pub(crate) policy: Policy,
    /// Whether directories that are missing, since their records were lost, are made.
    pub(crate) make_parents: bool,
    /// Whether what is in the way of a new entry makes way for it.
    pub(crate) overwrite: bool,
    pub(crate) sync: SyncMode,
}

/// Writes a journal; without [`finish`](Self::finish) it is none.
#[derive(Debug)]
pub(crate) struct JournalWriter {
    file: BufWriter<File>,
    path: PathBuf,
    entry: Vec<u8>,
    count: u64,
    last: Option<Position>,
}

impl JournalWriter {
    pub(crate) fn create(private: &Private, header: &JournalHeader) -> Result<Self> {
        let file = BufWriter::with_capacity(1 << 16, private.write(JOURNAL)?);
        let path = private.display(JOURNAL);
        let mut writer = Self { file, path, entry: Vec::new(), count: 0, last: None };
        let flag = |set: bool, flag: u8| if set { flag } else { 0 };
        let mut bytes = MAGIC.to_vec();
        bytes.put_u8(VERSION);
        bytes.put_slice(&header.level.0);
        bytes.put_u32(header.leaf_len);
        bytes.put_u8(
            flag(header.policy.privileged, PRIVILEGED)
                | flag(header.make_parents, MAKE_PARENTS)
                | flag(header.sync == SyncMode::File, SYNC_FILE)
                | flag(header.overwrite, OVERWRITE),
        );
        writer.write(&bytes)?;
        writer.write(&crc32fast::hash(&bytes).to_be_bytes())?;
        Ok(writer)
    }

    /// Adds what is to be done at one place, after that before it in the order of the tree. What takes its
    /// place from the stage has an id; what is changed in its place, and what is to be locked there, is told
    /// from others by `inode`, its file system and number. The record's metadata has the owner that is to be
    /// given.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Corrupt`] for a record out of order, or one that would touch what is frazil's own.
    pub(crate) fn append(&mut self, item: Option<StageId>, inode: Option<(u64, u64)>, record: &Record) -> Result<()> {
        check_outside(&record.position.path)?;
        check_outside(record.basis.as_deref().unwrap_or_default())?;
        if self.last.as_ref().is_some_and(|last| *last >= record.position) {
            return Err(Error::new(ErrorKind::Corrupt, "records are out of order")
                .path(crate::tree::path::to_os(&record.position.path)));
        }
        self.last = Some(record.position.clone());
        let mut entry = std::mem::take(&mut self.entry);
        entry.clear();
        entry.put_number(item.map_or(0, |id| id.0 + 1));
        entry.put_u8(inode.is_some().into());
        if let Some((device, inode)) = inode {
            entry.put_number(device);
            entry.put_number(inode);
        }
        record.encode(&mut entry);
        self.write_entry(&entry)?;
        self.entry = entry;
        self.count += 1;
        Ok(())
    }

    /// Writes the end and makes the journal durable.
    pub(crate) fn finish(mut self, private: &Private) -> Result<()> {
        let mut end = [0; 16];
        (&mut end[8..]).put_u64(self.count);
        let crc = crc(0, &end[8..]);
        (&mut end[4..8]).put_u32(crc);
        self.write(&end)?;
        let flushed = self.file.flush().and_then(|()| self.file.get_ref().sync_all());
        flushed.map_err(|error| Error::io("flushing", error).path(&self.path))?;
        private.flush()
    }

    fn write_entry(&mut self, entry: &[u8]) -> Result<()> {
        let len = u32::try_from(entry.len()).ok().filter(|&len| len as usize <= ENTRY_MAX);
        let len = len.ok_or_else(|| Error::new(ErrorKind::Limit, "record is too long for a journal"))?;
        self.write(&len.to_be_bytes())?;
        self.write(&crc(len, entry).to_be_bytes())?;
        self.write(entry)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.write_all(bytes).map_err(|error| Error::io("writing", error).path(&self.path))
    }
}

/// What is to be done at one place.
#[derive(Debug)]
pub(crate) struct Entry {
    /// What takes the place, from the stage.
    pub(crate) item: Option<StageId>,
    /// What is changed in its place or locked there, by file system and inode.
    pub(crate) inode: Option<(u64, u64)>,
    pub(crate) record: Record,
}

/// Reads a journal that was finished.
#[derive(Debug)]
pub(crate) struct JournalReader {
    file: BufReader<File>,
    path: PathBuf,
    header: JournalHeader,
    /// Where the first entry is.
    start: u64,
    entry: Vec<u8>,
    count: u64,
}

impl JournalReader {
    /// Opens a journal and reads it to its end, so that nothing is done of one that is damaged.
    pub(crate) fn open(private: &Private) -> Result<Self> {
        let path = private.display(JOURNAL);
        let file = private.read(JOURNAL)?.ok_or_else(|| damaged(MISSING).path(&path))?;
        let mut file = BufReader::with_capacity(1 << 16, file);
        let header = read_header(&mut file).map_err(|error| error.path(&path))?;
        let start = file.stream_position().map_err(|error| Error::io("reading", error).path(&path))?;
        let mut reader = Self { file, path, header, start, entry: Vec::new(), count: 0 };
        while reader.read_entry()? {}
        reader.rewind()?;
        Ok(reader)
    }

    pub(crate) fn header(&self) -> &JournalHeader {
        &self.header
    }

    /// The next thing to do; `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Entry>> {
        if !self.read_entry()? {
            return Ok(None);
        }
        let mut fields = Fields(&self.entry);
        let mut decode = || {
            let item = fields.number()?.checked_sub(1).map(StageId);
            let inode = match fields.byte()? {
                0 => None,
                _ => Some((fields.number()?, fields.number()?)),
            };
            let record = Record::decode(&mut fields, self.header.leaf_len)?;
            fields.end()?;
            Ok(Entry { item, inode, record })
        };
        decode().map(Some).map_err(|error: Error| error.doing("reading").path(&self.path))
    }

    fn rewind(&mut self) -> Result<()> {
        self.count = 0;
        let sought = self.file.seek(SeekFrom::Start(self.start));
        sought.map(drop).map_err(|error| Error::io("reading", error).path(&self.path))
    }

    fn read_entry(&mut self) -> Result<bool> {
        read_entry(&mut self.file, &mut self.entry, &mut self.count).map_err(|error| error.path(&self.path))
    }
}

fn read_header(file: &mut impl Read) -> Result<JournalHeader> {
    let mut bytes = [0; MAGIC.len() + 1 + 16 + 4 + 1 + 4];
    read_exact(file, &mut bytes)?;
    let (body, mut crc) = bytes.split_at(bytes.len() - 4);
    if body[..MAGIC.len()] != MAGIC || crc.get_u32() != crc32fast::hash(body) {
        return Err(damaged(DAMAGED));
    }
    if body[MAGIC.len()] != VERSION {
        return Err(Error::new(ErrorKind::Unsupported, "journal is of another version of frazil")
            .doing("reading")
            .expected(VERSION, body[MAGIC.len()]));
    }
    let mut fields = Fields(&body[MAGIC.len() + 1..]);
    let level = LevelId(fields.array()?);
    let leaf_len = u32::from_be_bytes(fields.array()?);
    let flags = fields.byte()?;
    Ok(JournalHeader {
        level,
        leaf_len,
        policy: Policy { privileged: flags & PRIVILEGED != 0 },
        make_parents: flags & MAKE_PARENTS != 0,
        overwrite: flags & OVERWRITE != 0,
        sync: if flags & SYNC_FILE != 0 { SyncMode::File } else { SyncMode::Level },
    })
}

/// Reads an entry whole, or the end, after which there is nothing.
fn read_entry(file: &mut impl Read, entry: &mut Vec<u8>, count: &mut u64) -> Result<bool> {
    let mut prefix = [0; PREFIX];
    read_exact(file, &mut prefix)?;
    let mut fields = &prefix[..];
    let (len, expected) = (fields.get_u32(), fields.get_u32());
    let is_end = len == 0;
    let body_len = if is_end { 8 } else { len as usize };
    if body_len > ENTRY_MAX {
        return Err(damaged(DAMAGED));
    }
    entry.resize(body_len, 0);
    read_exact(file, entry)?;
    if crc(len, entry) != expected {
        return Err(damaged(DAMAGED));
    }
    if !is_end {
        *count += 1;
        return Ok(true);
    }
    let after = file.read(&mut prefix).map_err(|error| Error::io("reading", error))?;
    if (&entry[..]).get_u64() != *count || after != 0 {
        return Err(damaged(DAMAGED));
    }
    Ok(false)
}

fn read_exact(file: &mut impl Read, bytes: &mut [u8]) -> Result<()> {
    file.read_exact(bytes).map_err(|error| match error.kind() {
        std::io::ErrorKind::UnexpectedEof => damaged(CUT),
        _ => Error::io("reading", error),
    })
}

fn crc(len: u32, entry: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&len.to_be_bytes());
    hasher.update(entry);
    hasher.finalize()
}

fn damaged(what: &'static str) -> Error {
    Error::new(ErrorKind::Corrupt, what).doing("reading")
}
