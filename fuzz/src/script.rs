//! Related contents: random bytes alone would never share a block.

use frazil::{SignatureParams, StrongKind, WeakKind};

use crate::Input;

/// No content grows beyond this.
const LEN_MAX: usize = 64 * 1024;

/// The parameters that a byte chooses: blocks of 1 to 4096 bytes, both rolling sums.
pub fn params(choice: u8) -> SignatureParams {
    let block_len = [1, 2, 3, 7, 16, 64, 1024, 4096][usize::from(choice & 7)];
    let weak = if choice & 8 == 0 { WeakKind::RabinKarp } else { WeakKind::Rollsum };
    SignatureParams::new(weak, StrongKind::Blake2, block_len, 32).expect("these parameters are in range")
}

/// A content made of pieces of an old one, new bytes, zeros and repetitions, as the input says.
pub fn edited(old: &[u8], input: &mut Input<'_>) -> Vec<u8> {
    let mut new = Vec::new();
    for _ in 0..usize::from(input.byte() & 31) {
        match input.byte() % 5 {
            0 => {
                let start = input.word().min(old.len());
                let len = input.word().min(old.len() - start);
                new.extend_from_slice(&old[start..start + len]);
            }
            1 => {
                let len = usize::from(input.byte());
                new.extend_from_slice(input.bytes(len));
            }
            2 => new.resize(new.len() + (input.word() & 0x3fff), 0),
            3 => {
                let byte = input.byte();
                new.resize(new.len() + (input.word() & 0x3fff), byte);
            }
            _ => {
                let at = input.word();
                if let Some(byte) = new.get_mut(at) {
                    *byte ^= input.byte();
                }
            }
        }
        new.truncate(LEN_MAX);
    }
    new
}
