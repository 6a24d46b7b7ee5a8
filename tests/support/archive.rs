//! Archives of levels, written from docs/format.md alone: any records, in a tar that says anything, and
//! every checksum right.
#![allow(dead_code, reason = "each suite takes what it needs")]

use super::sealed::{Says, Sealing};

/// The kind of the sealed streams that an archive is made of.
const RECORDS: u8 = 4;

/// Bytes in a block, and in the leaves of every fingerprint.
pub(crate) const BLOCK_LEN: u32 = 65_536;

const TAR_BLOCK: usize = 512;

pub(crate) type Id = [u8; 16];

fn number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn signed(out: &mut Vec<u8>, value: i64) {
    let folded = i128::from(value) * 2;
    number(out, if value < 0 { -folded - 1 } else { folded } as u64);
}

fn field(out: &mut Vec<u8>, bytes: &[u8]) {
    number(out, bytes.len() as u64);
    out.extend(bytes);
}

/// The header of a level.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Header {
    pub(crate) id: Id,
    pub(crate) parent: Option<Id>,
    pub(crate) root: Id,
    pub(crate) number: u64,
    pub(crate) block_len: u64,
    pub(crate) created: i64,
}

impl Header {
    pub(crate) fn level_0(id: Id) -> Self {
        Self { id, parent: None, root: id, number: 0, block_len: BLOCK_LEN.into(), created: 1_000_000_000 }
    }

    /// The level after this one.
    pub(crate) fn next(&self, id: Id) -> Self {
        Self { id, parent: Some(self.id), number: self.number + 1, ..*self }
    }

    fn encode(&self, out: &mut Vec<u8>) {
        out.extend(self.id);
        out.push(self.parent.is_some().into());
        out.extend(self.parent.unwrap_or_default().iter().take(if self.parent.is_some() { 16 } else { 0 }));
        out.extend(self.root);
        number(out, self.number);
        number(out, self.block_len);
        signed(out, self.created);
    }
}

/// What an entry is, beyond its content.
#[derive(Clone, Debug)]
pub(crate) struct Metadata {
    pub(crate) kind: u8,
    pub(crate) mode: u64,
    pub(crate) uid: u64,
    pub(crate) gid: u64,
    pub(crate) user: Vec<u8>,
    pub(crate) group: Vec<u8>,
    pub(crate) modified: (i64, u64),
    pub(crate) flags: u64,
    pub(crate) size: u64,
    pub(crate) target: Vec<u8>,
    pub(crate) device: (u64, u64),
    pub(crate) attributes: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Metadata {
    /// Of whoever runs the test.
    pub(crate) fn new(kind: u8) -> Self {
        Self {
            kind,
            mode: if kind == b'd' { 0o755 } else { 0o644 },
            uid: rustix::process::geteuid().as_raw().into(),
            gid: rustix::process::getegid().as_raw().into(),
            user: Vec::new(),
            group: Vec::new(),
            modified: (900_000_000, 0),
            flags: 0,
            size: 0,
            target: Vec::new(),
            device: (0, 0),
            attributes: Vec::new(),
        }
    }

    pub(crate) fn symlink(target: impl AsRef<[u8]>) -> Self {
        Self { mode: 0o777, target: target.as_ref().to_vec(), ..Self::new(b'l') }
    }

    pub(crate) fn mode(self, mode: u64) -> Self {
        Self { mode, ..self }
    }

    fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.kind);
        for value in [self.mode, self.uid, self.gid] {
            number(out, value);
        }
        field(out, &self.user);
        field(out, &self.group);
        signed(out, self.modified.0);
        number(out, self.modified.1);
        number(out, self.flags);
        match self.kind {
            b'-' => number(out, self.size),
            b'l' => field(out, &self.target),
            b'c' | b'b' => {
                number(out, self.device.0);
                number(out, self.device.1);
            }
            _ => {}
        }
        number(out, self.attributes.len() as u64);
        for (name, value) in &self.attributes {
            field(out, name);
            field(out, value);
        }
    }
}

/// What a record says that there was before.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parent {
    pub(crate) kind: u8,
    pub(crate) size: u64,
    pub(crate) digest: [u8; 32],
}

impl Parent {
    pub(crate) fn file(content: &[u8]) -> Self {
        Self { kind: b'-', size: content.len() as u64, digest: Says::truth(content).fingerprint }
    }

    pub(crate) fn other(kind: u8) -> Self {
        Self { kind, size: 0, digest: [0; 32] }
    }
}

/// A record; the flags are those of the fields that are there.
#[derive(Clone)]
pub(crate) struct Record {
    pub(crate) action: u8,
    pub(crate) path: Vec<u8>,
    pub(crate) closes: bool,
    pub(crate) metadata: Option<Metadata>,
    pub(crate) identity: Option<Says>,
    pub(crate) parent: Option<Parent>,
    pub(crate) basis: Option<Vec<u8>>,
}

impl Record {
    pub(crate) fn new(action: u8, path: impl AsRef<[u8]>) -> Self {
        let path = path.as_ref().to_vec();
        Self { action, path, closes: false, metadata: None, identity: None, parent: None, basis: None }
    }

    /// A file with this content, by any action that has one.
    pub(crate) fn file(action: u8, path: impl AsRef<[u8]>, content: &[u8]) -> Self {
        let metadata = Metadata { size: content.len() as u64, ..Metadata::new(b'-') };
        Self { metadata: Some(metadata), identity: Some(Says::truth(content)), ..Self::new(action, path) }
    }

    pub(crate) fn with(self, metadata: Metadata) -> Self {
        Self { metadata: Some(metadata), ..self }
    }

    pub(crate) fn from(self, basis: impl AsRef<[u8]>) -> Self {
        Self { basis: Some(basis.as_ref().to_vec()), ..self }
    }

    pub(crate) fn after(self, parent: Parent) -> Self {
        Self { parent: Some(parent), ..self }
    }

    pub(crate) fn closing(self) -> Self {
        Self { closes: true, ..self }
    }

    /// The record, its length before it.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let flag = |set: bool, flag: u8| if set { flag } else { 0 };
        let flags = flag(self.closes, 1)
            | flag(self.metadata.is_some(), 2)
            | flag(self.identity.is_some(), 4)
            | flag(self.parent.is_some(), 16)
            | flag(self.basis.is_some(), 32);
        let mut body = vec![self.action, flags];
        field(&mut body, &self.path);
        if let Some(metadata) = &self.metadata {
            metadata.encode(&mut body);
        }
        if let Some(identity) = &self.identity {
            number(&mut body, identity.length);
            body.extend(identity.crc32.to_be_bytes());
            body.extend(identity.fingerprint);
        }
        if let Some(parent) = &self.parent {
            body.push(parent.kind);
            if parent.kind == b'-' {
                number(&mut body, parent.size);
                body.extend(parent.digest);
            }
        }
        if let Some(basis) = &self.basis {
            field(&mut body, basis);
        }
        let mut out = Vec::new();
        field(&mut out, &body);
        out
    }
}

/// A sealed stream of kind 4.
pub(crate) fn seal(payload: &[u8]) -> Vec<u8> {
    let mut sealing = Sealing::new(RECORDS, &[]);
    let mut output = 0;
    for piece in payload.chunks(256 * 1024) {
        output += piece.len() as u64;
        sealing = sealing.data(piece, output);
    }
    sealing.end(&Says::truth(payload))
}

/// One entry of a tar; what its header says goes in as it is.
#[derive(Clone)]
pub(crate) struct Tar {
    pub(crate) name: Vec<u8>,
    pub(crate) typeflag: u8,
    pub(crate) link: Vec<u8>,
    pub(crate) mode: u64,
    pub(crate) uid: u64,
    pub(crate) gid: u64,
    pub(crate) modified: u64,
    pub(crate) device: (u64, u64),
    /// What the header says of the length of the body.
    pub(crate) size: u64,
    /// Keywords of an extended header before it.
    pub(crate) pax: Vec<(Vec<u8>, Vec<u8>)>,
    pub(crate) body: Vec<u8>,
}

impl Tar {
    pub(crate) fn file(name: impl AsRef<[u8]>, body: &[u8]) -> Self {
        Self {
            name: name.as_ref().to_vec(),
            typeflag: b'0',
            link: Vec::new(),
            mode: 0o644,
            uid: rustix::process::geteuid().as_raw().into(),
            gid: rustix::process::getegid().as_raw().into(),
            modified: 900_000_000,
            device: (0, 0),
            size: body.len() as u64,
            pax: Vec::new(),
            body: body.to_vec(),
        }
    }

    /// As a writer would have it for `full/<path>`.
    pub(crate) fn full(path: &[u8], metadata: &Metadata, body: &[u8]) -> Self {
        let name = if path.is_empty() { b"full".to_vec() } else { [b"full/", path].concat() };
        let typeflag = match metadata.kind {
            b'd' => b'5',
            b'l' => b'2',
            b'p' => b'6',
            b'c' => b'3',
            b'b' => b'4',
            _ => b'0',
        };
        Self {
            typeflag,
            link: metadata.target.clone(),
            mode: metadata.mode,
            uid: metadata.uid,
            gid: metadata.gid,
            modified: metadata.modified.0 as u64,
            device: metadata.device,
            ..Self::file(name, body)
        }
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let mut pax = self.pax.clone();
        if self.name.len() > 100 {
            pax.push((b"path".to_vec(), self.name.clone()));
        }
        if self.link.len() > 100 {
            pax.push((b"linkpath".to_vec(), self.link.clone()));
        }
        if !pax.is_empty() {
            let body: Vec<u8> = pax.iter().flat_map(|(key, value)| keyword(key, value)).collect();
            let header = Self { typeflag: b'x', pax: Vec::new(), ..Self::file("pax", &body) };
            out.extend(header.encode());
        }
        let mut block = [0; TAR_BLOCK];
        let mut put = |at: usize, bytes: &[u8]| block[at..at + bytes.len()].copy_from_slice(bytes);
        put(0, &self.name[..self.name.len().min(100)]);
        put(100, format!("{:07o}\0", self.mode).as_bytes());
        put(108, format!("{:07o}\0", self.uid).as_bytes());
        put(116, format!("{:07o}\0", self.gid).as_bytes());
        // A size that has no room in octal is binary, as GNU has it.
        if self.size < 1 << 33 {
            put(124, format!("{:011o}\0", self.size).as_bytes());
        } else {
            put(124, &[&[0x80, 0, 0, 0][..], &self.size.to_be_bytes()].concat());
        }
        put(136, format!("{:011o}\0", self.modified).as_bytes());
        put(148, b"        ");
        put(156, &[self.typeflag]);
        put(157, &self.link[..self.link.len().min(100)]);
        put(257, b"ustar\x0000");
        put(329, format!("{:07o}\0", self.device.0).as_bytes());
        put(337, format!("{:07o}\0", self.device.1).as_bytes());
        let sum: u32 = block.iter().map(|&byte| u32::from(byte)).sum();
        block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        out.extend(block);
        out.extend(&self.body);
        out.resize(out.len().next_multiple_of(TAR_BLOCK), 0);
        out
    }
}

/// A keyword of an extended header, with the length of all of it before it.
fn keyword(key: &[u8], value: &[u8]) -> Vec<u8> {
    let rest = [&b" "[..], key, b"=", value, b"\n"].concat();
    let mut digits = 1;
    while (rest.len() + digits).to_string().len() != digits {
        digits += 1;
    }
    [(rest.len() + digits).to_string().as_bytes(), &rest].concat()
}

/// An archive being written.
pub(crate) struct Level {
    pub(crate) header: Header,
    pub(crate) tar: Vec<u8>,
    records_of_batch: Vec<u8>,
    batches: u64,
    records: u64,
    content: u64,
    digest: blake2b_simd::State,
}

impl Level {
    pub(crate) fn new(header: Header) -> Self {
        let mut payload = vec![b'H'];
        header.encode(&mut payload);
        let digest = blake2b_simd::Params::new().hash_length(32).personal(b"frazil-records").to_state();
        let mut level =
            Self { header, tar: Vec::new(), records_of_batch: Vec::new(), batches: 0, records: 0, content: 0, digest };
        level.digest(&payload);
        level.tar(&Tar::file(".frazil/header", &seal(&payload)));
        level
    }

    fn digest(&mut self, payload: &[u8]) {
        self.digest.update(&(payload.len() as u64).to_be_bytes());
        self.digest.update(payload);
    }

    /// An entry of the tar, whatever it says.
    pub(crate) fn tar(&mut self, entry: &Tar) -> &mut Self {
        self.tar.extend(entry.encode());
        self
    }

    /// A record of the next batch, whatever it says.
    pub(crate) fn record(&mut self, record: &Record) -> &mut Self {
        self.encoded(&record.encode())
    }

    pub(crate) fn encoded(&mut self, record: &[u8]) -> &mut Self {
        self.records_of_batch.extend(record);
        self.records += 1;
        self
    }

    /// An entry that is there whole, and its record.
    pub(crate) fn full(&mut self, record: &Record, content: &[u8]) -> &mut Self {
        let metadata = record.metadata.as_ref().expect("an entry has metadata");
        self.content += content.len() as u64;
        self.tar(&Tar::full(&record.path, metadata, content)).record(record)
    }

    /// A new file.
    pub(crate) fn file(&mut self, path: impl AsRef<[u8]>, content: &[u8]) -> &mut Self {
        self.full(&Record::file(b'F', path, content), content)
    }

    /// Anything new that has no content.
    pub(crate) fn make(&mut self, path: impl AsRef<[u8]>, metadata: Metadata) -> &mut Self {
        self.full(&Record::new(b'F', path).with(metadata), b"")
    }

    pub(crate) fn open(&mut self, path: impl AsRef<[u8]>) -> &mut Self {
        self.make(path, Metadata::new(b'd'))
    }

    pub(crate) fn close(&mut self, path: impl AsRef<[u8]>) -> &mut Self {
        self.record(&Record::new(b'M', path).with(Metadata::new(b'd')).closing())
    }

    /// A file made by a delta, in parts of `part_len` bytes, and its record.
    pub(crate) fn delta(&mut self, record: &Record, delta: &[u8], part_len: usize) -> &mut Self {
        for (part, piece) in delta.chunks(part_len).enumerate() {
            let name = [b"delta/", &record.path[..], format!("/{:08}", part + 1).as_bytes()].concat();
            self.content += piece.len() as u64;
            self.tar(&Tar { mode: 0o600, ..Tar::file(name, piece) });
        }
        self.record(record)
    }

    /// The payload of the batch that is next, and nothing of it kept.
    pub(crate) fn take_batch(&mut self) -> Vec<u8> {
        let mut payload = vec![b'C'];
        payload.extend(self.header.id);
        number(&mut payload, self.batches + 1);
        payload.append(&mut self.records_of_batch);
        payload
    }

    /// Writes the records so far.
    pub(crate) fn batch(&mut self) -> &mut Self {
        if self.records_of_batch.is_empty() {
            return self;
        }
        let payload = self.take_batch();
        self.batches += 1;
        self.digest(&payload);
        let name = format!(".frazil/check/{:08}", self.batches);
        self.tar(&Tar::file(name, &seal(&payload)))
    }

    /// The sealed trailer.
    pub(crate) fn trailer(&self) -> Vec<u8> {
        let mut payload = vec![b'T'];
        payload.extend(self.header.id);
        for total in [self.batches, self.records, self.content, 0] {
            number(&mut payload, total);
        }
        payload.extend(self.digest.finalize().as_bytes());
        seal(&payload)
    }

    /// The archive.
    pub(crate) fn finish(&mut self) -> Vec<u8> {
        self.batch();
        let trailer = self.trailer();
        self.tar(&Tar::file(".frazil/trailer", &trailer));
        end(std::mem::take(&mut self.tar))
    }
}

/// Ends a tar.
pub(crate) fn end(mut tar: Vec<u8>) -> Vec<u8> {
    tar.resize(tar.len() + 2 * TAR_BLOCK, 0);
    tar
}
