//! The identity of content that is read from its beginning to its end, or held whole.

use std::io::{self, Read};

use crate::engine::native::IdentityBuilder;
use crate::format::{FingerprintBuilder, LEAVES_AT_ONCE, Leaf, leaves_of};
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

/// The identities of contents that are held whole, none longer than a leaf; several are hashed at once, where they lie.
pub(super) fn identities_of_leaves(contents: &[&[u8]], leaf_len: u32) -> Vec<Identity> {
    let of_leaf = |(content, leaf): (&&[u8], Leaf)| {
        debug_assert!(content.len() <= leaf_len as usize);
        let mut fingerprint = FingerprintBuilder::new(leaf_len);
        if !content.is_empty() {
            fingerprint.leaf(&leaf);
        }
        let fingerprint = fingerprint.finish(content.len() as u64);
        Identity { crc32: crc32fast::hash(content), fingerprint }
    };
    let several = contents.chunks(LEAVES_AT_ONCE);
    several.flat_map(|several| several.iter().zip(leaves_of(several.iter().copied())).map(of_leaf)).collect()
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
