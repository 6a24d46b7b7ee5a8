//! The machine behind the patch adapters: a delta goes in, the target comes out.

use std::ops::Range;

use super::delta_stream::{DeltaStream, Step};
use super::{PatchOptions, VerifyBasis};
use crate::engine::native::IdentityBuilder;
use crate::format::{DEFAULT_BLOCK_LEN, Identity, SealedHeader, SignatureParams, Trailer, leaf_len_for};
use crate::observer::Progress;
use crate::read_at::{ReadAt, read_some};
use crate::{Comparison, Error, ErrorKind, Fingerprint, Result};

/// What a finished patch or chain is.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct PatchSummary {
    /// Bytes of the target.
    pub output_bytes: u64,
    /// Bytes of the deltas.
    pub stream_bytes: u64,
    /// The identity of the target, which was verified; a plain delta does not say what it should be.
    pub identity: Option<Identity>,
    /// Whether the source had changed while the level was made.
    pub dirty: bool,
    /// Whether blocks were matched on sums that cannot be trusted to tell contents apart.
    pub weak: bool,
}

/// What came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Produced {
    /// So many bytes were put into the buffer.
    Bytes(usize),
    /// So many zeros come next; nothing was put into the buffer.
    Zeros(u64),
    /// Nothing more comes.
    End,
}

/// Something whose bytes come out in order.
pub(super) trait Produce {
    /// Puts the next bytes into the buffer, which is not empty, or says that zeros come.
    fn produce(&mut self, buffer: &mut [u8]) -> Result<Produced>;

    /// What was done; to be called after [`Produced::End`].
    fn summary(&self) -> Result<PatchSummary>;
}

/// What of the current command is not yet given out.
enum Pending {
    Nothing,
    /// The basis is to be held against this before anything comes out.
    Basis(Fingerprint),
    Copy {
        offset: u64,
        len: u64,
    },
    Literal(Range<usize>),
    Zeros(u64),
}

pub(super) struct PatchMachine<B> {
    stream: DeltaStream,
    basis: B,
    basis_len: u64,
    pending: Pending,
    target: TargetCheck,
    options: PatchOptions,
    verify_basis: VerifyBasis,
    /// The output of which the observer was told last.
    watched: u64,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Running,
    Ended,
    /// Something was found wrong: nothing more comes out, or a second call would pass over it.
    Failed,
}

/// The observer is told once for so much output.
pub(super) const WATCH_BYTES: u64 = 1 << 20;

/// A run of zeros is given out in pieces of this length at most, so that the observer can stop one that
/// would go on for ever.
pub(super) const ZEROS_LEN: u64 = 64 << 20;

impl<B: ReadAt> PatchMachine<B> {
    pub(super) fn new(basis: B, options: PatchOptions, verify_basis: VerifyBasis) -> Result<Self> {
        let basis_len = basis.size().map_err(|error| Error::io("measuring the basis", error))?;
        Ok(Self {
            stream: DeltaStream::new(&options),
            basis,
            basis_len,
            pending: Pending::Nothing,
            target: TargetCheck::none(),
            verify_basis: options.verify_basis.unwrap_or(verify_basis),
            options,
            watched: 0,
            state: State::Running,
        })
    }

    /// Takes input until there is something to produce; `false` when it wants more.
    pub(super) fn advance(&mut self, input: &mut &[u8]) -> Result<bool> {
        self.latched(|this| this.try_advance(input))
    }

    /// Lets nothing but a reader's own error, after which it may be asked again, be followed by more.
    fn latched<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.state == State::Failed {
            return Err(Error::new(ErrorKind::State, "the patch has failed before").doing("applying a delta"));
        }
        let result = work(self);
        if result.as_ref().is_err_and(|error| !error.is_raised()) {
            self.state = State::Failed;
        }
        result
    }

    fn try_advance(&mut self, input: &mut &[u8]) -> Result<bool> {
        while matches!(self.pending, Pending::Nothing) {
            match self.stream.next(input)? {
                None => return Ok(false),
                Some(Step::Begin) => self.begin(),
                Some(Step::Copy { offset, len }) => {
                    check_copy(offset, len, self.basis_len).map_err(|error| error.at(self.stream.unit().offset))?;
                    self.pending = Pending::Copy { offset, len };
                }
                Some(Step::Literal) => self.pending = Pending::Literal(0..self.stream.literal().len()),
                Some(Step::Zeros(len)) => self.pending = Pending::Zeros(len),
                Some(Step::End) => self.options.watch.step(self.progress())?,
            }
        }
        Ok(true)
    }

    /// No more input will come: checks that the delta was whole and the target is what it should be.
    pub(super) fn end(&mut self) -> Result<()> {
        self.latched(Self::try_end)
    }

    fn try_end(&mut self) -> Result<()> {
        self.stream.finish()?;
        let Err(error) = self.target.verify(self.stream.trailer()) else {
            self.state = State::Ended;
            return Ok(());
        };
        self.state = State::Failed;
        // The usual reason for a wrong result is a wrong basis, so look before blaming the delta.
        if let (Some(expected), VerifyBasis::After) = (self.expected_basis(), self.verify_basis) {
            verify_basis(&self.basis, &expected, self.options.thread_count())?;
        }
        Err(error)
    }

    pub(super) fn has_pending(&self) -> bool {
        !matches!(self.pending, Pending::Nothing)
    }

    fn expected_basis(&self) -> Option<Fingerprint> {
        self.stream.header().and_then(|header| header.basis)
    }

    fn progress(&self) -> Progress {
        Progress {
            done_bytes: self.target.length(),
            total_bytes: self.stream.header().and_then(|header| header.target_len),
            stream_bytes: self.stream.taken(),
        }
    }

    /// What is to be verified is pending like a command: the input of the head is taken, and a basis that
    /// cannot be read just now is read again by the next call.
    fn begin(&mut self) {
        let Some(header) = self.stream.header() else { return };
        self.target = TargetCheck::new(header, self.options.thread_count());
        if let Some(expected) = self.expected_basis()
            && (self.verify_basis == VerifyBasis::Before || expected.length() != self.basis_len)
        {
            self.pending = Pending::Basis(expected);
        }
    }

    /// Gives out the pending command, or a part of it; no bytes when what was pending makes none.
    pub(super) fn produce(&mut self, buffer: &mut [u8]) -> Result<Produced> {
        self.latched(|this| this.try_produce(buffer))
    }

    fn try_produce(&mut self, buffer: &mut [u8]) -> Result<Produced> {
        let produced = match &mut self.pending {
            Pending::Nothing => return Ok(Produced::Bytes(0)),
            Pending::Basis(expected) => {
                verify_basis(&self.basis, expected, self.options.thread_count())?;
                self.pending = Pending::Nothing;
                return Ok(Produced::Bytes(0));
            }
            Pending::Zeros(left) => {
                let len = (*left).min(ZEROS_LEN);
                *left -= len;
                if *left == 0 {
                    self.pending = Pending::Nothing;
                }
                self.target.zeros(len);
                Produced::Zeros(len)
            }
            Pending::Literal(range) => {
                let len = range.len().min(buffer.len());
                buffer[..len].copy_from_slice(&self.stream.literal()[range.start..range.start + len]);
                range.start += len;
                if range.start == range.end {
                    self.pending = Pending::Nothing;
                }
                self.target.update(&buffer[..len]);
                Produced::Bytes(len)
            }
            Pending::Copy { offset, len } => {
                let want = buffer.len().min(usize::try_from(*len).unwrap_or(usize::MAX));
                let got = read_some(&self.basis, &mut buffer[..want], *offset)?;
                if got == 0 {
                    return Err(shrunk(*offset, self.basis_len));
                }
                *offset += got as u64;
                *len -= got as u64;
                if *len == 0 {
                    self.pending = Pending::Nothing;
                }
                self.target.update(&buffer[..got]);
                Produced::Bytes(got)
            }
        };
        if self.target.length() - self.watched >= WATCH_BYTES {
            self.watched = self.target.length();
            self.options.watch.step(self.progress())?;
        }
        Ok(produced)
    }

    pub(super) fn summary(&self) -> Result<PatchSummary> {
        if self.state != State::Ended {
            return Err(Error::new(ErrorKind::State, "the target was not read to its end").doing("finishing a patch"));
        }
        let trailer = self.stream.trailer();
        Ok(PatchSummary {
            output_bytes: self.target.length(),
            stream_bytes: self.stream.taken(),
            identity: trailer.map(|trailer| trailer.identity),
            dirty: trailer.is_some_and(|trailer| trailer.flags.dirty),
            weak: trailer.is_some_and(|trailer| trailer.flags.weak),
        })
    }
}

/// A copy must lie within the basis.
pub(crate) fn check_copy(offset: u64, len: u64, basis_len: u64) -> Result<()> {
    if offset.checked_add(len).is_some_and(|end| end <= basis_len) {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Corrupt, "copy reaches past the end of the basis")
        .doing("reading a delta")
        .expected(format_args!("an end of at most {basis_len}"), format_args!("{offset} + {len}")))
}

pub(super) fn shrunk(offset: u64, expected: u64) -> Error {
    Error::new(ErrorKind::WrongBasis, "basis became shorter while it was read")
        .doing("applying a delta")
        .expected(format_args!("{expected} bytes"), offset)
}

/// Fails unless the basis has this fingerprint; both are named.
pub(super) fn verify_basis(basis: &dyn ReadAt, expected: &Fingerprint, threads: usize) -> Result<()> {
    let found = fingerprint_of(basis, expected.leaf_len(), threads)?;
    match expected.compare(&found) {
        Comparison::Equal => Ok(()),
        _ => Err(wrong_basis(expected, &found)),
    }
}

/// The fingerprint of the whole content, over leaves of `leaf_len` bytes.
fn fingerprint_of(source: &dyn ReadAt, leaf_len: u32, threads: usize) -> Result<Fingerprint> {
    let mut identity = IdentityBuilder::new(leaf_len, threads);
    let mut buffer = vec![0; 1 << 20];
    loop {
        match read_some(source, &mut buffer, identity.length())? {
            0 => return Ok(*identity.finish().fingerprint()),
            len => identity.update(&buffer[..len]),
        }
    }
}

pub(super) fn wrong_basis(expected: &Fingerprint, found: &Fingerprint) -> Error {
    Error::new(ErrorKind::WrongBasis, "the delta was made against another basis")
        .doing("applying a delta")
        .expected(expected, found)
}

/// Holds the target, as it goes by, against what a sealed delta promises.
pub(super) struct TargetCheck {
    identity: Option<IdentityBuilder>,
    length: u64,
    wrong: bool,
}

impl TargetCheck {
    /// For a plain delta, which promises nothing.
    pub(super) fn none() -> Self {
        Self { identity: None, length: 0, wrong: false }
    }

    pub(super) fn new(header: &SealedHeader, threads: usize) -> Self {
        // The header's target block length and this rule give the leaves of the trailer's fingerprint.
        let params = SignatureParams::with_block_len(header.target_block_len.unwrap_or(DEFAULT_BLOCK_LEN));
        let leaf_len = params.map_or(DEFAULT_BLOCK_LEN, |params| leaf_len_for(&params));
        Self { identity: Some(IdentityBuilder::new(leaf_len, threads)), length: 0, wrong: false }
    }

    pub(super) fn update(&mut self, content: &[u8]) {
        self.length += content.len() as u64;
        if let Some(identity) = &mut self.identity {
            identity.update(content);
        }
    }

    pub(super) fn zeros(&mut self, len: u64) {
        self.length += len;
        if let Some(identity) = &mut self.identity {
            identity.zeros(len);
        }
    }

    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Ends the target.
    pub(super) fn verify(&mut self, trailer: Option<&Trailer>) -> Result<()> {
        if self.wrong {
            return Err(Error::new(ErrorKind::State, "the result was found wrong before").doing("applying a delta"));
        }
        let result = self.compare(trailer);
        self.wrong = result.is_err();
        result
    }

    fn compare(&mut self, trailer: Option<&Trailer>) -> Result<()> {
        let (Some(identity), Some(trailer)) = (self.identity.take(), trailer) else { return Ok(()) };
        let (expected, found) = (trailer.identity, identity.finish());
        let mismatch = |what| Error::new(ErrorKind::Mismatch, what).doing("applying a delta");
        if expected.length() != found.length() {
            return Err(mismatch("result has the wrong length").expected(expected.length(), found.length()));
        }
        if expected.crc32() != found.crc32() {
            return Err(mismatch("result has the wrong checksum")
                .expected(format_args!("{:08x}", expected.crc32()), format_args!("{:08x}", found.crc32())));
        }
        if expected.fingerprint() != found.fingerprint() {
            return Err(
                mismatch("result has the wrong fingerprint").expected(expected.fingerprint(), found.fingerprint())
            );
        }
        Ok(())
    }
}
