//! Content of any length that is made as it is read.

use std::io::{self, Read};

const BLOCK_LEN: u64 = 65536;

/// Blocks of random bytes, each stamped with its number; some are changed.
pub(crate) struct Generated {
    block: Vec<u8>,
    position: u64,
    length: u64,
    change: fn(u64) -> bool,
}

impl Generated {
    /// `length` bytes in which the blocks that `change` picks by their number have other content.
    pub(crate) fn new(length: u64, change: fn(u64) -> bool) -> Self {
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        let block = (0..BLOCK_LEN)
            .map(|_| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                state as u8
            })
            .collect();
        Self { block, position: 0, length, change }
    }
}

impl Read for Generated {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let number = self.position / BLOCK_LEN;
        let at = (self.position % BLOCK_LEN) as usize;
        self.block[..8].copy_from_slice(&number.to_le_bytes());
        self.block[8] = u8::from((self.change)(number));
        let left = usize::try_from(self.length - self.position).unwrap_or(usize::MAX);
        let len = buffer.len().min(self.block.len() - at).min(left);
        buffer[..len].copy_from_slice(&self.block[at..at + len]);
        self.position += len as u64;
        Ok(len)
    }
}
