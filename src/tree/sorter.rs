//! Sorts byte strings of any number in bounded memory.
//!
//! What fits the limit is sorted where it lies. What does not is written in sorted runs to one unlinked
//! temporary file, which are merged as they are read: the names of a huge directory, an index of inodes.

use std::cmp::Ordering;
use std::collections::binary_heap::{BinaryHeap, PeekMut};
use std::collections::vec_deque::VecDeque;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::mem;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use crate::memory::{reserve, resize, zeroed};
use crate::{Error, ErrorKind, Result};

/// How many runs are merged at once. More are first merged into fewer, so that each has a buffer worth
/// reading into.
const FAN_IN: usize = 64;

/// What each run is read in at least.
const BUFFER_MIN: usize = 512;

/// Each item in the file has its length before it.
const LENGTH_LEN: usize = 4;

/// Takes items in any order.
pub(crate) struct Sorter {
    memory_limit: usize,
    held: Held,
    spill: Option<Spill>,
}

impl Sorter {
    /// The limit is for what items take while they are held (their vectors may have room for twice that), and
    /// then for the buffers that runs are read into. One item that is longer is held alone.
    pub(crate) fn new(memory_limit: usize) -> Self {
        Self { memory_limit: memory_limit.min(u32::MAX as usize), held: Held::default(), spill: None }
    }

    pub(crate) fn push(&mut self, item: &[u8]) -> Result<()> {
        let Ok(len) = u32::try_from(item.len()) else {
            return Err(Error::new(ErrorKind::Limit, "item to be sorted is too long")
                .expected(format_args!("at most {} bytes", u32::MAX), item.len()));
        };
        let is_full = self.held.size() + item.len() + mem::size_of::<Item>() > self.memory_limit;
        // It does with less memory where there is no more.
        if !self.held.items.is_empty() && (is_full || self.held.make_room(item.len()).is_err()) {
            self.spill()?;
        }
        self.held.make_room(item.len())?;
        // No overflow: bytes that lie before are within the limit.
        self.held.items.push(Item { start: self.held.arena.len() as u32, len });
        self.held.arena.extend_from_slice(item);
        Ok(())
    }

    /// Every item that was pushed, in the order of their bytes; equal ones as often as they were pushed.
    pub(crate) fn finish(mut self) -> Result<Sorted> {
        if self.spill.is_none() {
            self.held.sort();
            return Ok(Sorted(Source::Held(self.held, 0)));
        }
        self.spill()?;
        // The limit is the buffers' now.
        self.held = Held::default();
        let Some(spill) = self.spill else { return Ok(Sorted::default()) };
        spill.merge(self.memory_limit).map(|merge| Sorted(Source::Merge(merge))).map_err(failed)
    }

    fn spill(&mut self) -> Result<()> {
        let spill = match &mut self.spill {
            Some(spill) => spill,
            None => self.spill.insert(Spill::new().map_err(failed)?),
        };
        self.held.sort();
        spill.write(&self.held).map_err(failed)?;
        self.held.arena.clear();
        self.held.items.clear();
        Ok(())
    }
}

fn failed(error: io::Error) -> Error {
    Error::io("sorting in a temporary file", error)
}

/// Gives the items back in order.
#[derive(Default)]
pub(crate) struct Sorted(Source);

enum Source {
    Held(Held, usize),
    Merge(Merge),
}

impl Default for Source {
    fn default() -> Self {
        Self::Held(Held::default(), 0)
    }
}

impl Sorted {
    pub(crate) fn next(&mut self) -> Result<Option<&[u8]>> {
        match &mut self.0 {
            Source::Held(held, next) => {
                let item = held.items.get(*next).map(|&item| held.bytes(item));
                *next += 1;
                Ok(item)
            }
            Source::Merge(merge) => merge.next().map_err(failed),
        }
    }
}

/// Where an item lies in the arena.
#[derive(Clone, Copy)]
struct Item {
    start: u32,
    len: u32,
}

/// Items in memory: their bytes one after the other, and where each lies.
#[derive(Default)]
struct Held {
    arena: Vec<u8>,
    items: Vec<Item>,
}

impl Held {
    fn bytes(&self, item: Item) -> &[u8] {
        &self.arena[item.start as usize..][..item.len as usize]
    }

    /// Makes room for one more item.
    fn make_room(&mut self, len: usize) -> Result<()> {
        reserve(&mut self.arena, len)?;
        reserve(&mut self.items, 1)
    }

    fn size(&self) -> usize {
        self.arena.len() + self.items.len() * mem::size_of::<Item>()
    }

    fn sort(&mut self) {
        let mut items = mem::take(&mut self.items);
        items.sort_unstable_by(|&a, &b| self.bytes(a).cmp(self.bytes(b)));
        self.items = items;
    }
}

/// Sorted runs, one after the other in one file.
struct Spill {
    /// Only appended to, at its cursor; runs are read by offset, which leaves the cursor where it is.
    file: Arc<File>,
    len: u64,
    runs: VecDeque<Range<u64>>,
}

impl Spill {
    fn new() -> io::Result<Self> {
        Ok(Self { file: Arc::new(tempfile::tempfile()?), len: 0, runs: VecDeque::new() })
    }

    fn write(&mut self, held: &Held) -> io::Result<()> {
        let mut out = BufWriter::with_capacity(1 << 16, &*self.file);
        let start = self.len;
        for &item in &held.items {
            self.len += put(&mut out, held.bytes(item))?;
        }
        out.flush()?;
        self.runs.push_back(start..self.len);
        Ok(())
    }

    /// Merges all runs, in passes until few enough are left to be merged as they are read.
    fn merge(mut self, memory_limit: usize) -> io::Result<Merge> {
        let buffer = (memory_limit / FAN_IN).max(BUFFER_MIN);
        while self.runs.len() > FAN_IN {
            let mut merge = Merge::new(&self.file, self.runs.drain(..FAN_IN), buffer)?;
            let mut out = BufWriter::with_capacity(1 << 16, &*self.file);
            let start = self.len;
            while let Some(item) = merge.next()? {
                self.len += put(&mut out, item)?;
            }
            out.flush()?;
            self.runs.push_back(start..self.len);
        }
        Merge::new(&self.file, self.runs.drain(..), buffer)
    }
}

fn put(out: &mut impl Write, item: &[u8]) -> io::Result<u64> {
    out.write_all(&(item.len() as u32).to_le_bytes())?;
    out.write_all(item)?;
    Ok((LENGTH_LEN + item.len()) as u64)
}

/// Several runs read side by side, the one with the lowest item on top.
struct Merge {
    runs: BinaryHeap<Run>,
    /// Whether the item on top has been given already.
    given: bool,
}

impl Merge {
    fn new(file: &Arc<File>, ranges: impl Iterator<Item = Range<u64>>, buffer: usize) -> io::Result<Self> {
        let mut runs = BinaryHeap::with_capacity(FAN_IN);
        for unread in ranges {
            let mut run = Run { file: Arc::clone(file), unread, buffer: zeroed(buffer)?, filled: 0..0, item: 0..0 };
            if run.advance()? {
                runs.push(run);
            }
        }
        Ok(Self { runs, given: false })
    }

    fn next(&mut self) -> io::Result<Option<&[u8]>> {
        if mem::replace(&mut self.given, true)
            && let Some(mut top) = self.runs.peek_mut()
            && !top.advance()?
        {
            PeekMut::pop(top);
        }
        Ok(self.runs.peek().map(Run::item))
    }
}

struct Run {
    file: Arc<File>,
    /// What of the file has not been read into the buffer.
    unread: Range<u64>,
    buffer: Vec<u8>,
    /// What of the buffer comes after the current item.
    filled: Range<usize>,
    /// Where the current item lies in the buffer.
    item: Range<usize>,
}

impl Run {
    fn item(&self) -> &[u8] {
        &self.buffer[self.item.clone()]
    }

    /// Goes to the next item; `false` at the end of the run.
    fn advance(&mut self) -> io::Result<bool> {
        if self.filled.is_empty() && self.unread.is_empty() {
            return Ok(false);
        }
        self.fill(LENGTH_LEN)?;
        let mut length = [0; LENGTH_LEN];
        length.copy_from_slice(&self.buffer[self.filled.start..][..LENGTH_LEN]);
        let len = u32::from_le_bytes(length) as usize;
        self.fill(LENGTH_LEN + len)?;
        let start = self.filled.start + LENGTH_LEN;
        self.item = start..start + len;
        self.filled.start = self.item.end;
        Ok(true)
    }

    /// Sees to it that so many bytes lie in the buffer, which grows for an item that is longer.
    fn fill(&mut self, len: usize) -> io::Result<()> {
        if self.filled.len() >= len {
            return Ok(());
        }
        self.buffer.copy_within(self.filled.clone(), 0);
        self.filled = 0..self.filled.len();
        if self.buffer.len() < len {
            resize(&mut self.buffer, len)?;
        }
        let left = usize::try_from(self.unread.end - self.unread.start).unwrap_or(usize::MAX);
        let end = self.buffer.len().min(self.filled.end.saturating_add(left));
        self.file.read_exact_at(&mut self.buffer[self.filled.end..end], self.unread.start)?;
        self.unread.start += (end - self.filled.end) as u64;
        self.filled.end = end;
        if end < len { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
    }
}

/// The heap has its greatest on top: the lowest item is the greatest run.
impl Ord for Run {
    fn cmp(&self, other: &Self) -> Ordering {
        other.item().cmp(self.item())
    }
}

impl PartialOrd for Run {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Run {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Run {}

#[cfg(test)]
pub(super) mod tests {
    use std::time::SystemTime;

    use super::*;

    /// Numbers below what is asked for, the same for the same seed.
    pub(in crate::tree) fn noise(seed: u64) -> impl FnMut(usize) -> usize {
        let mut state = seed | 1;
        move |below| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 32) as usize % below
        }
    }

    pub(in crate::tree) fn any_seed() -> u64 {
        SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_nanos() as u64
    }

    fn sorted(limit: usize, items: &[Vec<u8>]) -> Vec<Vec<u8>> {
        let mut sorter = Sorter::new(limit);
        items.iter().for_each(|item| sorter.push(item).unwrap());
        let mut sorted = sorter.finish().unwrap();
        let mut all = Vec::new();
        while let Some(item) = sorted.next().unwrap() {
            all.push(item.to_vec());
        }
        assert!(sorted.next().unwrap().is_none(), "the end is the end");
        all
    }

    #[test]
    fn items_come_in_the_order_of_their_bytes_however_little_memory_there_is() {
        for limit in [0, 1, 40, 700, 5_000, 1 << 20] {
            let seed = any_seed();
            let mut noise = noise(seed);
            // Few letters, so that items are equal or begin alike now and then.
            let items: Vec<Vec<u8>> =
                (0..6_000).map(|_| (0..noise(13)).map(|_| 253 + noise(3) as u8).collect()).collect();
            let mut expected = items.clone();
            expected.sort();
            assert!(sorted(limit, &items) == expected, "seed {seed}, limit {limit}");
        }
    }

    #[test]
    fn equal_items_come_as_often_as_they_were_pushed() {
        let items = vec![b"same".to_vec(); 1_000];
        assert_eq!(sorted(64, &items), items);
        assert_eq!(sorted(1 << 20, &items), items);
    }

    #[test]
    fn nothing_pushed_is_nothing_given() {
        assert!(sorted(0, &[]).is_empty());
        assert_eq!(sorted(0, &[Vec::new(), Vec::new()]), [b"", b""]);
    }

    #[test]
    fn an_item_longer_than_the_limit_is_sorted_like_any_other() {
        let items = [vec![9; 70_000], vec![1], vec![5; 100_000], Vec::new(), vec![3; 10]];
        let mut expected = items.to_vec();
        expected.sort();
        assert!(sorted(100, &items) == expected);
    }
}
