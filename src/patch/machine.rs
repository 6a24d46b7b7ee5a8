//! The machine behind the patch adapters: a delta goes in, the target comes out.

use std::ops::Range;

use super::check::{TargetCheck, check_copy, shrunk, verify_basis};
use super::delta_stream::{DeltaStream, Step};
use super::{PatchOptions, PatchSummary, VerifyBasis};
use crate::observer::Progress;
use crate::read_at::{ReadAt, read_some};
use crate::{Error, ErrorKind, Fingerprint, Result};

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
}

/// What comes next, to be carried out by another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Planned {
    /// So many bytes, which were put into the buffer.
    Bytes(usize),
    /// So many bytes of the basis, no more than the buffer takes.
    Basis { offset: u64, len: usize },
    /// So many zeros.
    Zeros(u64),
    /// Nothing more comes.
    End,
}

impl Planned {
    /// Carries it out here and now: what is of the basis is read, and the target takes in what comes.
    pub(super) fn produce(
        self,
        basis: &dyn ReadAt,
        basis_len: u64,
        target: &mut TargetCheck,
        buffer: &mut [u8],
    ) -> Result<Produced> {
        let len = match self {
            Self::Bytes(len) => len,
            Self::Basis { offset, len } => match read_some(basis, &mut buffer[..len], offset)? {
                0 => return Err(shrunk(offset, basis_len)),
                len => len,
            },
            Self::Zeros(len) => {
                target.zeros(len);
                return Ok(Produced::Zeros(len));
            }
            Self::End => return Ok(Produced::End),
        };
        target.update(&buffer[..len]);
        Ok(Produced::Bytes(len))
    }
}

/// Something that says in order what is to be done, and holds what was done against what should come of it.
pub(super) trait Plan {
    /// Takes in what comes before the first command, after which [`Plan::target`] is there.
    fn begin(&mut self) -> Result<()>;

    /// What comes next; what is of the basis comes again until [`Plan::copied`] was told that it was given.
    fn plan(&mut self, buffer: &mut [u8]) -> Result<Planned>;

    /// So many bytes of what is of the basis were given.
    fn copied(&mut self, len: usize);

    /// What takes in what was done, in order.
    fn target(&mut self) -> &mut TargetCheck;

    /// Bytes of the deltas that what was planned till now took.
    fn stream_bytes(&self) -> u64;

    /// Tells the observer of what the target has taken in, which so many bytes of the deltas made.
    fn tell(&self, stream_bytes: u64) -> Result<()>;

    /// All was done: the target must be what it should be, of which the observer is told.
    fn end(&mut self) -> Result<()>;

    /// What was done, after [`Plan::end`].
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
                Some(Step::End) => {}
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
            self.tell(self.stream.taken())?;
            self.state = State::Ended;
            return Ok(());
        };
        self.state = State::Failed;
        // The usual reason for a wrong result is a wrong basis, so look before blaming the delta.
        if let (Some(expected), VerifyBasis::After) = (self.expected_basis(), self.verify_basis) {
            verify_basis(&self.basis, &expected, &self.options)?;
        }
        Err(error)
    }

    pub(super) fn has_pending(&self) -> bool {
        !matches!(self.pending, Pending::Nothing)
    }

    fn expected_basis(&self) -> Option<Fingerprint> {
        self.stream.header().and_then(|header| header.basis)
    }

    pub(super) fn tell(&self, stream_bytes: u64) -> Result<()> {
        self.options.watch.step(Progress {
            done_bytes: self.target.length(),
            total_bytes: self.stream.header().and_then(|header| header.target_len),
            stream_bytes,
            ..Progress::default()
        })
    }

    pub(super) fn target(&mut self) -> &mut TargetCheck {
        &mut self.target
    }

    /// Bytes of the delta that were taken.
    pub(super) fn stream_bytes(&self) -> u64 {
        self.stream.taken()
    }

    /// What is to be verified is pending like a command: the input of the head is taken, and a basis that
    /// cannot be read just now is read again by the next call.
    fn begin(&mut self) {
        let Some(header) = self.stream.header() else { return };
        self.target = TargetCheck::new(header, self.options.thread_count());
        if let Some(expected) = self.expected_basis()
            && !(self.options.level_0_replaces && expected.length() == 0)
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
        let planned = self.try_plan(buffer)?;
        let produced = planned.produce(&self.basis, self.basis_len, &mut self.target, buffer)?;
        if let (Planned::Basis { .. }, Produced::Bytes(len)) = (planned, produced) {
            self.copied(len);
        }
        if self.target.length() - self.watched >= WATCH_BYTES {
            self.watched = self.target.length();
            self.tell(self.stream.taken())?;
        }
        Ok(produced)
    }

    /// Says what the pending command, or a part of it, is; no bytes when what was pending makes none.
    pub(super) fn plan(&mut self, buffer: &mut [u8]) -> Result<Planned> {
        self.latched(|this| this.try_plan(buffer))
    }

    fn try_plan(&mut self, buffer: &mut [u8]) -> Result<Planned> {
        let (planned, is_over) = match &mut self.pending {
            Pending::Nothing => (Planned::Bytes(0), true),
            Pending::Basis(expected) => {
                verify_basis(&self.basis, expected, &self.options)?;
                (Planned::Bytes(0), true)
            }
            Pending::Zeros(left) => {
                let len = (*left).min(ZEROS_LEN);
                *left -= len;
                (Planned::Zeros(len), *left == 0)
            }
            Pending::Literal(range) => {
                let len = range.len().min(buffer.len());
                buffer[..len].copy_from_slice(&self.stream.literal()[range.start..range.start + len]);
                range.start += len;
                (Planned::Bytes(len), range.start == range.end)
            }
            Pending::Copy { offset, len } => {
                let len = buffer.len().min(usize::try_from(*len).unwrap_or(usize::MAX));
                (Planned::Basis { offset: *offset, len }, false)
            }
        };
        if is_over {
            self.pending = Pending::Nothing;
        }
        Ok(planned)
    }

    /// So many bytes of the pending copy were given.
    pub(super) fn copied(&mut self, by: usize) {
        if let Pending::Copy { offset, len } = &mut self.pending {
            *offset += by as u64;
            *len -= by as u64;
            if *len == 0 {
                self.pending = Pending::Nothing;
            }
        }
    }

    pub(super) fn summary(&self) -> Result<PatchSummary> {
        if self.state != State::Ended {
            return Err(Error::new(ErrorKind::State, "the target was not read to its end").doing("finishing a patch"));
        }
        Ok(PatchSummary::new(self.target.length(), self.stream.taken(), self.stream.trailer()))
    }
}
