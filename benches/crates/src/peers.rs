//! The three libraries behind one trait: bytes in, bytes out.

use std::io::{self, Cursor, Read, Write};

use frazil::{
    Format, LevelOptions, LevelReader, LevelWriter, PatchOptions, PatchReader, Signature, SignatureParams, StrongKind,
    WeakKind,
};

/// Which strong sums, cut to how many bytes, over blocks of what length. The rolling sum is rsync's, the one that
/// all three have.
pub struct Sums {
    strong: StrongKind,
    strong_len: u32,
    block_len: u32,
}

impl Sums {
    pub fn name(&self) -> String {
        let strong = match self.strong {
            StrongKind::Md4 => "MD4",
            _ => "BLAKE2b",
        };
        format!("{strong}, {} bytes of {} KiB", self.strong_len, self.block_len >> 10)
    }
}

/// The peers, and the sums that each is measured with.
pub fn peers() -> Vec<(Box<dyn Peer>, Sums)> {
    let whole = |strong: StrongKind| Sums { strong, strong_len: strong.max_len(), block_len: 64 << 10 };
    // As in fast_rsync's own benchmarks.
    let short = Sums { strong: StrongKind::Md4, strong_len: 8, block_len: 4 << 10 };
    vec![
        (Box::new(Librsync), whole(StrongKind::Blake2)),
        (Box::new(Librsync), whole(StrongKind::Md4)),
        (Box::new(FastRsync), whole(StrongKind::Md4)),
        (Box::new(FastRsync), short),
    ]
}

/// A library. What fails here is a mistake in the measurement, so it panics.
pub trait Peer {
    fn name(&self) -> &'static str;
    fn signature(&self, old: &[u8], sums: &Sums) -> Vec<u8>;
    fn delta(&self, signature: &[u8], new: &[u8]) -> Vec<u8>;
    /// Makes the new content, which is of that length.
    fn patch(&self, old: &[u8], delta: &[u8], len: usize) -> Vec<u8>;
}

pub struct Frazil;

impl Peer for Frazil {
    fn name(&self) -> &'static str {
        "frazil"
    }

    fn signature(&self, old: &[u8], sums: &Sums) -> Vec<u8> {
        let params = SignatureParams::new(WeakKind::Rollsum, sums.strong, sums.block_len, sums.strong_len).unwrap();
        let options = LevelOptions::new().params(params).format(Format::Rdiff).identify(false);
        let mut writer = LevelWriter::new(io::sink(), None, options).unwrap().without_stream();
        writer.write_all(old).unwrap();
        let signature = writer.finish().unwrap().1.signature.unwrap();
        signature.write_to(Vec::new(), Format::Rdiff).unwrap()
    }

    fn delta(&self, signature: &[u8], new: &[u8]) -> Vec<u8> {
        let signature = Signature::read_from(signature).unwrap();
        let options = LevelOptions::new().format(Format::Rdiff).hold_signature(false).identify(false);
        let mut delta = Vec::new();
        io::copy(&mut LevelReader::new(new, &signature, options).unwrap(), &mut delta).unwrap();
        delta
    }

    fn patch(&self, old: &[u8], delta: &[u8], len: usize) -> Vec<u8> {
        let mut new = vec![0; len];
        let mut patch = PatchReader::new(delta, old, PatchOptions::new()).unwrap();
        patch.read_exact(&mut new).unwrap();
        assert_eq!(patch.read(&mut [0]).unwrap(), 0);
        patch.finish().unwrap();
        new
    }
}

struct Librsync;

impl Peer for Librsync {
    fn name(&self) -> &'static str {
        "librsync"
    }

    fn signature(&self, old: &[u8], sums: &Sums) -> Vec<u8> {
        let kind = match sums.strong {
            StrongKind::Md4 => librsync::SignatureType::MD4,
            _ => librsync::SignatureType::Blake2,
        };
        let (block_len, strong_len) = (sums.block_len as usize, sums.strong_len as usize);
        let mut signature = Vec::new();
        librsync::whole::signature_with_options(&mut { old }, &mut signature, block_len, strong_len, kind).unwrap();
        signature
    }

    fn delta(&self, mut signature: &[u8], mut new: &[u8]) -> Vec<u8> {
        let mut delta = Vec::new();
        librsync::whole::delta(&mut new, &mut signature, &mut delta).unwrap();
        delta
    }

    fn patch(&self, old: &[u8], mut delta: &[u8], len: usize) -> Vec<u8> {
        let mut new = Vec::with_capacity(len);
        librsync::whole::patch(&mut Cursor::new(old), &mut delta, &mut new).unwrap();
        new
    }
}

struct FastRsync;

impl Peer for FastRsync {
    fn name(&self) -> &'static str {
        "fast_rsync"
    }

    fn signature(&self, old: &[u8], sums: &Sums) -> Vec<u8> {
        let options = fast_rsync::SignatureOptions { block_size: sums.block_len, crypto_hash_size: sums.strong_len };
        fast_rsync::Signature::calculate(old, options).into_serialized()
    }

    fn delta(&self, signature: &[u8], new: &[u8]) -> Vec<u8> {
        let signature = fast_rsync::Signature::deserialize(signature.to_vec()).unwrap();
        let mut delta = Vec::new();
        fast_rsync::diff(&signature.index(), new, &mut delta).unwrap();
        delta
    }

    fn patch(&self, old: &[u8], delta: &[u8], len: usize) -> Vec<u8> {
        let mut new = Vec::with_capacity(len);
        fast_rsync::apply(old, delta, &mut new).unwrap();
        new
    }
}
