//! A file system that loses what was not made durable, or keeps it in part and in any order.
//!
//! It promises no more than POSIX does. What is written to a file is durable when the file was flushed since; a name
//! when the directory that it is in was, or of a rename the one that it leads to; all is when the file system was.
//! Anything else may be there or not, in any order, and of what is written some sectors or pages may be there alone;
//! a file may have its new length without its content. A rename is done or not. Of symbolic links, which nobody can
//! flush, what they are goes with their names.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

use crate::image::{Body, Event, Id, Image, Inode};
use crate::random::Random;
use crate::recording::Op;

/// A file system, and all that was done to it.
#[derive(Debug)]
pub(crate) struct Disk {
    /// As it was, with the inodes that came later, empty.
    first: Image,
    now: Image,
    events: Vec<Event>,
}

impl Disk {
    /// What is in a directory now, and durable.
    pub(crate) fn of(directory: &Path) -> Self {
        let image = Image::of(directory, &mut BTreeMap::new());
        Self { first: image.clone(), now: image, events: Vec::new() }
    }

    /// How many things were done that could have been the last.
    pub(crate) fn len(&self) -> usize {
        self.events.len()
    }

    /// The last of the first `point` things, for the message of a failure.
    pub(crate) fn describe(&self, point: usize) -> String {
        let last = point.checked_sub(1).map(|at| format!("{:?}", self.events[at]));
        last.map_or("nothing".to_owned(), |last| last.chars().take(200).collect())
    }

    /// As it is if all is kept.
    pub(crate) fn now(&self) -> &Image {
        &self.now
    }

    pub(crate) fn apply(&mut self, op: &Op) {
        let event = match op {
            Op::Create { path, .. } if self.now.find(path).is_some() => return,
            Op::Create { path, mode } => self.make(path, Body::File(Vec::new()), *mode),
            Op::MakeDirectory { path, mode } => self.make(path, Body::Directory(BTreeMap::new()), *mode),
            Op::MakeSymlink { path, target } => self.make(path, Body::Symlink(target.clone()), 0o777),
            Op::Link { from, to } => self.name(to, Some(self.id(from)), None),
            // Between two names of one file it does nothing.
            Op::Rename { from, to } if self.now.find(to) == Some(self.id(from)) => return,
            Op::Rename { from, to } => self.name(to, Some(self.id(from)), Some(self.now.place(from))),
            Op::Remove { path } => self.name(path, None, None),
            Op::Write { path, offset, bytes } => {
                Event::Write { inode: self.id(path), offset: *offset, bytes: bytes.clone() }
            }
            Op::SetLen { path, len } => Event::SetLen { inode: self.id(path), len: *len },
            Op::SetMode { path, mode } => Event::SetMode { inode: self.id(path), mode: *mode },
            Op::SetTime { path, time } => Event::SetTime { inode: self.id(path), time: *time },
            Op::Sync { path } => Event::Sync(self.id(path)),
            Op::SyncAll => Event::SyncAll,
        };
        self.now.carry_out(&event);
        self.events.push(event);
    }

    fn id(&self, path: &Path) -> Id {
        self.now.find(path).unwrap_or_else(|| panic!("nothing is known of {}", path.display()))
    }

    fn make(&mut self, path: &Path, body: Body, mode: u32) -> Event {
        let id = self.first.0.len();
        for image in [&mut self.first, &mut self.now] {
            image.0.push(Inode { body: body.clone(), mode, time: None, number: None });
        }
        self.name(path, Some(id), None)
    }

    fn name(&self, path: &Path, inode: Option<Id>, from: Option<(Id, OsString)>) -> Event {
        let (directory, name) = self.now.place(path);
        Event::Name { directory, name, inode, from, removed: self.now.find(path) }
    }

    /// What may be there when the power goes after the first `point` things; `false` for all that can be lost.
    pub(crate) fn after_loss(&self, point: usize, random: &mut Random, is_random: bool) -> Image {
        let events = &self.events[..point];
        let durable = self.durable(events);
        // How much of the rest is kept, of names and of content: nothing, all, what came first, or some of it.
        let cut = random.below(point + 1);
        let ways = [0, 1, 2, 3, 4].map(|_| random.pick(&[0, 100, 100, 50, 90, 10]));
        let manner = if is_random { random.below(4) } else { 3 };
        let kept = events.iter().enumerate().map(|(at, event)| {
            let is_name = matches!(event, Event::Name { .. });
            durable[at]
                || match manner {
                    0 => random.below(100) < ways[0],
                    1 => random.below(100) < ways[if is_name { 1 } else { 2 }],
                    2 => at < cut,
                    _ => false,
                }
        });
        let kept: Vec<_> = kept.collect();
        let kept = self.with_what_they_need(events, &durable, kept);
        let mut image = self.first.clone();
        let unit = random.pick(&[512, 4096, usize::MAX]);
        for (at, event) in events.iter().enumerate().filter(|(at, _)| kept[*at]) {
            match event {
                Event::Write { inode, offset, bytes } if !durable[at] && is_random => {
                    for (offset, piece) in pieces(*offset, bytes, unit) {
                        if unit == usize::MAX || random.below(100) < ways[3] {
                            image.carry_out(&Event::Write { inode: *inode, offset, bytes: piece.to_vec() });
                        }
                    }
                }
                event => image.carry_out(event),
            }
        }
        if is_random {
            self.lengthen(events, &mut image, random);
        }
        image
    }

    fn durable(&self, events: &[Event]) -> Vec<bool> {
        let mut durable = vec![false; events.len()];
        for (at, event) in events.iter().enumerate() {
            match event {
                Event::SyncAll => durable[..at].fill(true),
                Event::Sync(id) => {
                    for before in 0..at {
                        durable[before] |= self.is_made_durable(&events[..at], &events[before], *id);
                    }
                }
                _ => {}
            }
        }
        durable
    }

    fn is_made_durable(&self, events: &[Event], event: &Event, synced: Id) -> bool {
        let is_symlink = |id: Id| matches!(self.first.0[id].body, Body::Symlink(_));
        match event {
            Event::Name { directory, .. } => *directory == synced,
            Event::Write { inode, .. } | Event::SetLen { inode, .. } => *inode == synced,
            Event::SetMode { inode, .. } | Event::SetTime { inode, .. } if is_symlink(*inode) => {
                events.iter().any(|event| match event {
                    Event::Name { directory, inode: Some(id), .. } => *directory == synced && id == inode,
                    _ => false,
                })
            }
            Event::SetMode { inode, .. } | Event::SetTime { inode, .. } => *inode == synced,
            Event::Sync(_) | Event::SyncAll => false,
        }
    }

    /// No directory is removed before what is in it. A name that was not made durable is not written before the
    /// directory that it is in has one; a durable name in a directory that has none is lost with it.
    fn with_what_they_need(&self, events: &[Event], durable: &[bool], mut kept: Vec<bool>) -> Vec<bool> {
        // What is needed came before.
        for at in (0..events.len()).rev().filter(|at| matches!(events[*at], Event::Name { .. })) {
            let Event::Name { directory, removed, inode: now, .. } = &events[at] else { continue };
            if !kept[at] {
                continue;
            }
            for before in 0..at {
                let Event::Name { directory: other, inode, from, .. } = &events[before] else { continue };
                let makes_directory = !durable[at] && *inode == Some(*directory);
                let empties = now.is_none()
                    && (Some(*other) == *removed || from.as_ref().map(|from| from.0) == *removed)
                    && removed.is_some();
                kept[before] |= makes_directory || empties;
            }
        }
        kept
    }

    /// A file may have the length that it was to have, with zeros for what is not there.
    fn lengthen(&self, events: &[Event], image: &mut Image, random: &mut Random) {
        let mut whole = self.first.clone();
        events.iter().for_each(|event| whole.carry_out(event));
        for (inode, whole) in image.0.iter_mut().zip(whole.0) {
            if let (Body::File(content), Body::File(whole)) = (&mut inode.body, whole.body)
                && content.len() < whole.len()
                && random.below(2) == 0
            {
                content.resize(whole.len(), 0);
            }
        }
    }
}

/// What is written, cut where sectors or pages of the file end.
fn pieces(offset: u64, bytes: &[u8], unit: usize) -> impl Iterator<Item = (u64, &[u8])> {
    let first = if unit == usize::MAX { bytes.len() } else { (unit - offset as usize % unit).min(bytes.len()) };
    let (head, rest) = bytes.split_at(first);
    let rest =
        rest.chunks(unit).enumerate().map(move |(number, piece)| (offset + (first + number * unit) as u64, piece));
    std::iter::once((offset, head)).chain(rest)
}
