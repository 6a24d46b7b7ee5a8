//! What the fuzz targets share: input taken apart, contents made by edit scripts, sealed streams with
//! checksums that hold.

pub mod c;
mod input;
#[path = "../../tests/support/librsync.rs"]
mod librsync;
mod script;
mod sealer;

pub use input::Input;
pub use librsync::Librsync;
pub use script::{edited, params};
pub use sealer::{Frame, Promise, Sealed};

use std::io::Read;

use frazil::{LevelBasis, LevelOptions, LevelReader, PatchOptions, PatchReader, ReadAt, Signature};

/// The most that a target lets come out.
pub const MAX_OUTPUT: u64 = 1 << 20;

/// The options of every patch here.
pub fn patch_options() -> PatchOptions {
    PatchOptions::new().max_output(MAX_OUTPUT).threads(1)
}

/// A level that must succeed: its stream and the new signature.
pub fn level(content: &[u8], basis: impl Into<LevelBasis>, options: LevelOptions) -> (Vec<u8>, Signature) {
    let mut stream = Vec::new();
    let mut level = LevelReader::new(content, basis, options).expect("a level begins");
    level.read_to_end(&mut stream).expect("content in memory can be read");
    (stream, level.finish().expect("a level that was read ends"))
}

/// What comes out of a patch, and whether it came to its end.
pub fn patch(delta: &[u8], basis: impl ReadAt) -> (Vec<u8>, frazil::Result<()>) {
    let mut target = Vec::new();
    let mut patch = PatchReader::new(delta, basis, patch_options()).expect("a basis in memory has a length");
    let read = patch.read_to_end(&mut target).map(drop).map_err(frazil::Error::from);
    let result = read.and_then(|()| patch.finish().map(drop));
    (target, result)
}
