//! The identity of content that is read from its beginning to its end.

use std::io::{self, Read};

use crate::engine::native::IdentityBuilder;
use crate::{Error, Identity, Result};

/// Reads all that there is by way of `buffer`, and tells `moved` of each piece by its length.
pub(super) fn identify(
    source: &mut dyn Read,
    leaf_len: u32,
    threads: usize,
    buffer: &mut [u8],
    mut moved: impl FnMut(usize) -> Result<()>,
) -> Result<Identity> {
    let mut identity = IdentityBuilder::new(leaf_len, threads);
    loop {
        match read_some(source, buffer)? {
            0 => return Ok(identity.finish()),
            len => {
                identity.update(&buffer[..len]);
                moved(len)?;
            }
        }
    }
}

/// Reads some bytes, again if it was interrupted.
pub(super) fn read_some(source: &mut dyn Read, buffer: &mut [u8]) -> Result<usize> {
    loop {
        match source.read(buffer) {
            Ok(len) => return Ok(len),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Error::from(error)),
        }
    }
}
