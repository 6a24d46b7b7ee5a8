//! Fuzzed bytes as numbers and pieces; at the end of the input everything is zero or empty.

/// The part of the input that is not yet used.
pub struct Input<'a>(pub &'a [u8]);

impl<'a> Input<'a> {
    /// One byte.
    pub fn byte(&mut self) -> u8 {
        self.bytes(1).first().copied().unwrap_or(0)
    }

    /// Two bytes as a number.
    pub fn word(&mut self) -> usize {
        self.bytes(2).iter().fold(0, |value, &byte| value << 8 | usize::from(byte))
    }

    /// A number of eight bytes.
    pub fn number(&mut self) -> u64 {
        self.bytes(8).iter().fold(0, |value, &byte| value << 8 | u64::from(byte))
    }

    /// So many bytes, or as many as are left.
    pub fn bytes(&mut self, len: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(len.min(self.0.len()));
        self.0 = rest;
        taken
    }

    /// Whether everything is used.
    pub fn is_over(&self) -> bool {
        self.0.is_empty()
    }
}
