//! A place from which a delta can be parsed.

use crate::format::Unsealer;

/// A frame of a sealed delta, or a command of a plain one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unit {
    /// Which frame or command it is, counted from zero.
    pub(crate) number: u64,
    /// Where in the stream it begins.
    pub(crate) offset: u64,
    /// Where in the target it begins.
    pub(crate) output: u64,
}

/// A place in a delta.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// Where in the stream it is.
    pub(crate) offset: u64,
    /// Where in the target.
    pub(crate) output: u64,
    pub(crate) part: Part,
}

/// What is at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// The head of this frame.
    Frame { number: u64 },
    /// A command of this frame, whose commands end at `end`; of a plain delta as if it were one frame without an end.
    Command { number: u64, end: u64 },
}

impl Place {
    pub(super) fn of_frame(frame: Unit) -> Self {
        Self { offset: frame.offset, output: frame.output, part: Part::Frame { number: frame.number } }
    }

    pub(super) fn of_plain_command(command: Unit) -> Self {
        let part = Part::Command { number: 0, end: u64::MAX };
        Self { offset: command.offset, output: command.output, part }
    }

    /// The frame after that of the command here, of whose target `output` is reached; none of a plain delta.
    pub(super) fn after_frame(&self, output: u64) -> Option<Self> {
        match self.part {
            Part::Command { number, end } if end != u64::MAX => {
                Some(Self { offset: Unsealer::frame_end(end), output, part: Part::Frame { number: number + 1 } })
            }
            _ => None,
        }
    }

    /// The frame that this is in, and the bytes to the end of its commands.
    pub(super) fn rest_of_frame(&self) -> (u64, u64) {
        match self.part {
            Part::Frame { number } => (number, 0),
            Part::Command { number, end } => (number, end - self.offset),
        }
    }
}
