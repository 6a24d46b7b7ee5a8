//! What the functions of streams and files are tried on.

use std::io::Read;
use std::path::PathBuf;

use frazil::{Engine, Format, LevelOptions, PatchOptions, PatchReader, Signature};

use crate::content::{STREAM_ID, level, noise, options};
use crate::look;

/// In what form the levels are, and who makes them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Form {
    pub(crate) format: Format,
    pub(crate) engine: Engine,
    pub(crate) threads: usize,
    /// Bytes of the old content: of more than a mebibyte the threads have something to do.
    pub(crate) len: usize,
}

const SHORT: usize = 5_000;
const LONG: usize = 1_300_000;

pub(crate) const FORMS: [Form; 5] = [
    Form { format: Format::Sealed, engine: Engine::Native, threads: 1, len: SHORT },
    Form { format: Format::Rdiff, engine: Engine::Native, threads: 1, len: SHORT },
    Form { format: Format::Sealed, engine: Engine::Librsync, threads: 1, len: SHORT },
    Form { format: Format::Rdiff, engine: Engine::Librsync, threads: 2, len: SHORT },
    Form { format: Format::Sealed, engine: Engine::Native, threads: 2, len: LONG },
];

impl Form {
    pub(crate) fn is_short(&self) -> bool {
        self.len == SHORT
    }

    fn block_len(&self) -> u32 {
        if self.is_short() { 512 } else { 16_384 }
    }

    /// Most bytes that one call takes or gives.
    fn piece(&self) -> usize {
        if self.is_short() { 700 } else { 200_000 }
    }
}

/// Two states of one content in memory and in the files `old` and `new`, their levels, and where to patch to.
pub(crate) struct Ground {
    dir: tempfile::TempDir,
    form: Form,
    pub(crate) old: Vec<u8>,
    pub(crate) new: Vec<u8>,
    pub(crate) signature: Signature,
    pub(crate) deltas: [Vec<u8>; 2],
}

impl Ground {
    pub(crate) fn new(form: Form) -> Self {
        let old = noise(form.len, 1);
        let mut new = old.clone();
        new.splice(form.len / 3..form.len / 3 + 7, noise(form.len / 5, 2));
        new.rotate_left(form.len / 2);
        let made = |content: &[u8], basis| level(content, basis, options(form.block_len()).format(form.format));
        let (delta0, signature) = made(&old, None);
        let (delta1, _) = made(&new, Some(&signature));
        let ground = Self { dir: look::scratch(), form, old, new, signature, deltas: [delta0, delta1] };
        for (name, content) in [("old", &ground.old), ("new", &ground.new), ("delta", &ground.deltas[1])] {
            std::fs::write(ground.at(name), content).expect("a file");
        }
        ground.reset();
        ground
    }

    pub(crate) fn at(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn piece(&self) -> usize {
        self.form.piece()
    }

    pub(crate) fn block_len(&self) -> u32 {
        self.form.block_len()
    }

    /// All that can be seen of the directory.
    pub(crate) fn listing(&self) -> look::Listing {
        look::listing(self.dir.path())
    }

    /// Makes `there` the old content again, and removes `absent`.
    pub(crate) fn reset(&self) {
        let _ = std::fs::remove_file(self.at("absent"));
        std::fs::write(self.at("there"), &self.old).expect("the old content");
        let there = std::fs::File::options().write(true).open(self.at("there"));
        there.and_then(|file| file.set_modified(std::time::UNIX_EPOCH)).expect("the old time");
    }

    pub(crate) fn levels(&self) -> LevelOptions {
        let Form { format, engine, threads, .. } = self.form;
        options(self.form.block_len()).format(format).engine(engine).threads(threads)
    }

    pub(crate) fn patches(&self) -> PatchOptions {
        PatchOptions::new().threads(self.form.threads)
    }

    /// Whether what was made is the level of the beginning of the content, and says so.
    pub(crate) fn is_level_of_a_beginning(&self, output: &[u8]) -> bool {
        let (stream, signature) = parts(output);
        let signature = Signature::read_from(signature).expect("a signature");
        let length = signature.length().expect("a length") as usize;
        let beginning = &self.new[..length];
        let same = signature.fingerprint() == level(beginning, None, options(self.form.block_len())).1.fingerprint();
        let restored = [&b""[..], &self.old].iter().any(|basis| {
            let mut restored = Vec::new();
            PatchReader::new(stream, *basis, PatchOptions::new())
                .is_ok_and(|mut patch| patch.read_to_end(&mut restored).is_ok() && restored == beginning)
        });
        same && (stream.is_empty() || restored)
    }
}

/// A stream and the signature that came with it, in one.
pub(crate) fn joined(stream: &[u8], signature: &[u8]) -> Vec<u8> {
    [&(stream.len() as u64).to_be_bytes()[..], stream, signature].concat()
}

fn parts(joined: &[u8]) -> (&[u8], &[u8]) {
    let (len, rest) = joined.split_first_chunk().expect("a length");
    rest.split_at(u64::from_be_bytes(*len) as usize)
}

pub(crate) fn sealed(signature: &Signature) -> Vec<u8> {
    signature.write_with_stream_id(Vec::new(), Format::Sealed, STREAM_ID).expect("a signature")
}
