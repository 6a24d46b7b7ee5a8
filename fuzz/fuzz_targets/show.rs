//! What `frazil show` says of any bytes: described or refused, the same whatever pieces they come in.
#![no_main]

use std::io::{self, Read};

use frazil::inspect;
use frazil_fuzz::Input;
use libfuzzer_sys::fuzz_target;

/// Gives at most so many bytes at once.
struct Pieces<'a>(&'a [u8], usize);

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let len = self.1.min(buffer.len());
        self.0.read(&mut buffer[..len])
    }
}

fuzz_target!(|data: &[u8]| {
    let mut input = Input(data);
    let piece = 1 + usize::from(input.byte());
    assert_eq!(described(input.0), described(Pieces(input.0, piece)));
});

/// What is said of a stream, as text.
fn described(stream: impl Read) -> String {
    match inspect(stream) {
        Ok(mut inspection) => {
            // Of a stream that is damaged, it is how much was read to see that.
            if inspection.damage.is_some() {
                inspection.stream_bytes = 0;
            }
            format!("{inspection:?}")
        }
        Err(error) => error.to_string(),
    }
}
