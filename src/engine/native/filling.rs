//! A buffer whose front is read while its rest is filled.
#![expect(unsafe_code, reason = "what is filled and what is not are parts of one slice, at a border that moves")]

use std::marker::PhantomData;
use std::ops::Range;

/// Bytes that are there already, which others may hold on to, and room for more behind them.
pub(super) struct Filling<'a> {
    start: *mut u8,
    len: usize,
    filled: usize,
    _buffer: PhantomData<&'a mut [u8]>,
}

impl<'a> Filling<'a> {
    /// Of `buffer`, the first `filled` bytes are there.
    pub(super) fn new(buffer: &'a mut [u8], filled: usize) -> Self {
        assert!(filled <= buffer.len());
        Self { start: buffer.as_mut_ptr(), len: buffer.len(), filled, _buffer: PhantomData }
    }

    pub(super) fn filled(&self) -> usize {
        self.filled
    }

    /// Where the next bytes go; empty when the buffer is full.
    pub(super) fn room(&mut self) -> &mut [u8] {
        // SAFETY: `filled` is at most the buffer's length.
        let start = unsafe { self.start.add(self.filled) };
        // SAFETY: within the buffer, which is borrowed mutably as long as `self` lives; `content` gives nothing of it
        // out before `advance` has moved the border, and that takes `self` again.
        unsafe { std::slice::from_raw_parts_mut(start, self.len - self.filled) }
    }

    /// So many bytes were put into the room.
    pub(super) fn advance(&mut self, len: usize) {
        assert!(len <= self.len - self.filled);
        self.filled += len;
    }

    /// Bytes that are there.
    pub(super) fn content(&self, range: Range<usize>) -> &'a [u8] {
        assert!(range.start <= range.end && range.end <= self.filled);
        // SAFETY: it begins within the buffer.
        let start = unsafe { self.start.add(range.start) };
        // SAFETY: within the buffer, and nobody writes there any more: `room` begins behind it, and what is filled
        // only grows.
        unsafe { std::slice::from_raw_parts(start, range.len()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_is_read_while_more_is_put_behind_it() {
        let mut buffer = *b"ab......";
        let mut filling = Filling::new(&mut buffer, 2);
        let front = filling.content(0..2);
        filling.room()[..3].copy_from_slice(b"cde");
        filling.advance(3);
        assert_eq!((front, filling.content(1..5), filling.room().len()), (&b"ab"[..], &b"bcde"[..], 3));
    }

    #[test]
    #[should_panic(expected = "self.filled")]
    fn what_is_not_there_yet_is_not_given_out() {
        Filling::new(&mut [0; 8], 2).content(0..3);
    }
}
