//! The directories that a walk is in, however many, with few descriptors.
//!
//! When there are more, the outermost is closed, and opened again as `..` of the one below it on the way
//! back. Whatever was moved meanwhile, the walk goes on in that very directory or not at all.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use rustix::fs::OFlags;

use super::look::open_directory;
use crate::tree::sorter::Sorted;
use crate::tree::stat::Stat;
use crate::{Error, ErrorKind};

/// A directory that the walk is in.
pub(super) struct Frame {
    /// `None` while it is closed, and after it was lost.
    descriptor: Option<Arc<OwnedFd>>,
    /// It was reached through a link, so that its `..` is not the frame above.
    through_link: bool,
    pub(super) stat: Stat,
    /// Those that are still to come.
    pub(super) names: Sorted,
    pub(super) path_len: usize,
    /// Why it could not be opened again.
    pub(super) lost: Option<Error>,
}

impl Frame {
    pub(super) fn new(
        descriptor: Arc<OwnedFd>,
        stat: Stat,
        through_link: bool,
        names: Sorted,
        path_len: usize,
    ) -> Self {
        Self { descriptor: Some(descriptor), through_link, stat, names, path_len, lost: None }
    }

    pub(super) fn descriptor(&self) -> Option<&Arc<OwnedFd>> {
        self.descriptor.as_ref()
    }
}

pub(super) struct Stack {
    frames: Vec<Frame>,
    descriptors_max: usize,
    /// How many frames have a descriptor.
    open: usize,
    /// Every frame before this one is closed, or cannot be.
    first_open: usize,
    /// How many frames were reached through a link.
    links: usize,
}

impl Stack {
    pub(super) fn new(descriptors_max: usize) -> Self {
        Self { frames: Vec::new(), descriptors_max, open: 0, first_open: 0, links: 0 }
    }

    pub(super) fn top(&self) -> Option<&Frame> {
        self.frames.last()
    }

    pub(super) fn top_mut(&mut self) -> Option<&mut Frame> {
        self.frames.last_mut()
    }

    pub(super) fn links(&self) -> usize {
        self.links
    }

    pub(super) fn holds(&self, identity: (u64, u64)) -> bool {
        self.frames.iter().any(|frame| frame.stat.identity() == identity)
    }

    pub(super) fn push(&mut self, frame: Frame) {
        self.open += 1;
        self.links += usize::from(frame.through_link);
        self.frames.push(frame);
        while self.open > self.descriptors_max && self.first_open + 1 < self.frames.len() {
            if !self.frames[self.first_open + 1].through_link {
                self.frames[self.first_open].descriptor = None;
                self.open -= 1;
            }
            self.first_open += 1;
        }
    }

    pub(super) fn pop(&mut self) {
        let Some(left) = self.frames.pop() else { return };
        self.open -= usize::from(left.descriptor.is_some());
        self.links -= usize::from(left.through_link);
        self.first_open = self.first_open.min(self.frames.len().saturating_sub(1));
        if let Some(parent) = self.frames.last_mut().filter(|parent| parent.descriptor.is_none()) {
            match reopen(left.descriptor().map(|child| child.as_fd()), &parent.stat) {
                Ok(descriptor) => {
                    parent.descriptor = Some(Arc::new(descriptor));
                    self.open += 1;
                }
                Err(error) => parent.lost = Some(error),
            }
        }
    }
}

fn reopen(child: Option<BorrowedFd<'_>>, expected: &Stat) -> Result<OwnedFd, Error> {
    let moved = || Error::new(ErrorKind::SourceChanged, "directory was moved while what is in it was read");
    // The way up goes through what is lost.
    let child = child.ok_or_else(moved)?;
    let opened = open_directory(child, b"..", OFlags::DIRECTORY | OFlags::NOFOLLOW);
    let (descriptor, stat) = opened.map_err(|errno| Error::io("opening again", errno.into()))?;
    if stat.identity() == expected.identity() { Ok(descriptor) } else { Err(moved()) }
}
