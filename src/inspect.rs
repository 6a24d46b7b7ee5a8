//! What a stream says of itself: a signature or a delta, sealed or plain, read from end to end.

use std::cell::Cell;
use std::io::{self, Read};
use std::rc::Rc;

use crate::format::{
    DETECT_LEN, Detected, Identity, SEALED_VERSION, SealedHeader, SealedKind, SignatureParams, SignatureReader, Source,
    detect,
};
use crate::patch::{DeltaStream, PatchOptions, Step, check_copy};
use crate::read_at::CLAIMS_MORE;
use crate::{Error, ErrorKind, Result};

/// How far into a sealed stream its kind stands: after the magic and the version.
const KIND_AT: usize = 10;

/// What a delta consists of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CommandStats {
    /// How many ranges of the basis are copied.
    pub copy_commands: u64,
    /// Bytes that they make.
    pub copy_bytes: u64,
    /// How many commands bring their bytes with them.
    pub literal_commands: u64,
    /// Bytes that they make.
    pub literal_bytes: u64,
    /// How many runs of zeros there are.
    pub zero_runs: u64,
    /// Bytes that they make.
    pub zero_bytes: u64,
}

impl CommandStats {
    /// Bytes that all of it makes.
    pub fn target_bytes(&self) -> u64 {
        self.copy_bytes + self.literal_bytes + self.zero_bytes
    }
}

/// What [`inspect`] has found.
#[derive(Debug)]
#[non_exhaustive]
pub struct Inspection {
    /// A signature or a delta.
    pub kind: SealedKind,
    /// The version of the sealed format; `None` for a plain stream.
    pub version: Option<u16>,
    /// The header of a sealed stream.
    pub header: Option<SealedHeader>,
    /// The sums and block length of a signature.
    pub params: Option<SignatureParams>,
    /// The blocks of a signature.
    pub blocks: u64,
    /// The commands of a delta.
    pub commands: CommandStats,
    /// What a sealed stream says of its content. A delta's is claimed, not proven: only patching shows.
    pub identity: Option<Identity>,
    /// Whether the source changed while the stream was made.
    pub dirty: bool,
    /// Whether blocks were matched on sums that cannot be trusted to tell contents apart.
    pub weak: bool,
    /// Bytes of the stream that were read.
    pub stream_bytes: u64,
    /// The first thing wrong with the stream; the rest of what is here was found before it.
    pub damage: Option<Error>,
}

impl Inspection {
    fn new(kind: SealedKind, header: Option<&SealedHeader>) -> Self {
        Self {
            kind,
            version: header.map(|_| SEALED_VERSION),
            header: header.cloned(),
            params: None,
            blocks: 0,
            commands: CommandStats::default(),
            identity: None,
            dirty: false,
            weak: false,
            stream_bytes: 0,
            damage: None,
        }
    }
}

/// Reads a signature or a delta to its end, checks all that can be checked without the content, and says
/// what it is; in constant memory.
///
/// # Errors
///
/// What is wrong with the stream's head, since then there is nothing to tell, and whatever the source
/// raises. What is wrong further on is [`Inspection::damage`].
///
/// # Examples
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use std::io::Read;
/// let mut level = Vec::new();
/// frazil::gen_sig_from_stream(&b"content"[..], None)?.read_to_end(&mut level)?;
///
/// let inspection = frazil::inspect(&level[..])?;
/// assert_eq!(inspection.commands.literal_bytes, 7);
/// assert!(inspection.damage.is_none());
/// # Ok(()) }
/// ```
pub fn inspect(source: impl Read) -> Result<Inspection> {
    let count = Rc::new(Cell::new(0));
    let mut source = Counted { inner: source, count: count.clone() };
    let mut first = Vec::new();
    source.by_ref().take(KIND_AT as u64 + 1).read_to_end(&mut first)?;
    let is_signature = match first.first_chunk::<DETECT_LEN>().map(|magic| detect(*magic)) {
        Some(Detected::RawSignature) => true,
        Some(Detected::Sealed) => first.get(KIND_AT) == Some(&SealedKind::Signature.code()),
        Some(Detected::RawDelta) => false,
        Some(Detected::Unknown) => {
            return Err(Error::new(ErrorKind::Corrupt, "neither a signature nor a delta").at(0).expected(
                "a known magic",
                first[..DETECT_LEN].iter().map(|b| format!("{b:02x}")).collect::<String>(),
            ));
        }
        None => {
            return Err(
                Error::new(ErrorKind::Truncated, "too short to be a signature or a delta").at(first.len() as u64)
            );
        }
    };
    let whole = first.chain(source);
    let inspection = if is_signature { signature(whole) } else { delta(whole) };
    inspection.map(|inspection| Inspection { stream_bytes: count.get(), ..inspection })
}

fn signature(source: impl Read) -> Result<Inspection> {
    let mut reader = SignatureReader::new(source)?;
    let mut inspection = Inspection::new(SealedKind::Signature, reader.header());
    inspection.params = Some(*reader.params());
    let damage = loop {
        match reader.next_block() {
            Ok(Some(_)) => {}
            Ok(None) => break None,
            Err(error) if error.kind() == ErrorKind::Io => return Err(error),
            Err(error) => break Some(error),
        }
    };
    inspection.blocks = reader.blocks();
    inspection.identity = reader.identity().copied();
    inspection.dirty = reader.is_dirty();
    inspection.damage = damage;
    Ok(inspection)
}

fn delta(source: impl Read) -> Result<Inspection> {
    let mut delta = DeltaRead {
        source: Source::new(source),
        // Nothing is made of it, so a plain delta may make as much as it likes.
        stream: DeltaStream::new(&PatchOptions::new().max_output(u64::MAX)),
        commands: CommandStats::default(),
        begun: false,
    };
    let damage = match delta.read() {
        Err(error) if error.kind() == ErrorKind::Io || !delta.begun => return Err(error),
        result => result.err(),
    };
    let DeltaRead { stream, commands, .. } = delta;
    let trailer = stream.trailer();
    Ok(Inspection {
        commands,
        identity: trailer.map(|trailer| trailer.identity),
        dirty: trailer.is_some_and(|trailer| trailer.flags.dirty),
        weak: trailer.is_some_and(|trailer| trailer.flags.weak),
        damage,
        ..Inspection::new(SealedKind::Delta, stream.header())
    })
}

/// A delta whose commands are counted.
struct DeltaRead<R> {
    source: Source<R>,
    stream: DeltaStream,
    commands: CommandStats,
    /// Whether the head was read.
    begun: bool,
}

impl<R: Read> DeltaRead<R> {
    fn read(&mut self) -> Result<()> {
        let mut literal_at = None;
        loop {
            let mut input = self.source.buffered();
            let before = input.len();
            let step = self.stream.next(&mut input);
            let used = before - input.len();
            self.source.consume(used);
            let commands = &mut self.commands;
            match step? {
                Some(Step::Begin) => self.begun = true,
                Some(Step::Copy { offset, len }) => {
                    if let Some(basis) = self.stream.header().and_then(|header| header.basis) {
                        check_copy(offset, len, basis.length()).map_err(|error| error.at(self.stream.unit().offset))?;
                    }
                    commands.copy_commands += 1;
                    commands.copy_bytes += len;
                }
                Some(Step::Literal) => {
                    // A plain literal comes in pieces, all of the same command.
                    let at = Some(self.stream.unit().offset).filter(|_| self.stream.header().is_none());
                    commands.literal_commands += u64::from(at.is_none() || at != literal_at);
                    commands.literal_bytes += self.stream.literal().len() as u64;
                    literal_at = at;
                }
                Some(Step::Zeros(len)) => {
                    commands.zero_runs += 1;
                    commands.zero_bytes += len;
                }
                Some(Step::End) => {}
                None if self.source.fill()? => {}
                None => return self.stream.finish(),
            }
        }
    }
}

/// Counts the bytes that are read, and refuses a claim to more than there was room for.
struct Counted<R> {
    inner: R,
    count: Rc<Cell<u64>>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let len = self.inner.read(buffer)?;
        if len > buffer.len() {
            return Err(Error::new(ErrorKind::Internal, CLAIMS_MORE).into());
        }
        self.count.set(self.count.get() + len as u64);
        Ok(len)
    }
}
