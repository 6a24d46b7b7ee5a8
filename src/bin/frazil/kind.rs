//! What an input is, as far as its first bytes say.

use std::fmt;

/// As many bytes as are wanted to tell: the header of a tar entry.
pub(crate) const LOOK_LEN: usize = 512;

/// The magic of a sealed stream, and where its kind stands.
const SEALED: &[u8] = b"\x89frazil\n";
const SEALED_KIND_AT: usize = 10;

/// How the first name in an archive begins, with which its tar begins, whether or not the header of that entry is
/// extended.
const HEADER_NAME: &[u8] = b".frazil/";

/// Where a tar says that it is one.
const USTAR: &[u8] = b"ustar";
const USTAR_AT: usize = 257;

/// How what an archive may be compressed with begins.
const FILTERS: [(&str, &[u8]); 5] = [
    ("gzip", &[0x1f, 0x8b]),
    ("bzip2", b"BZh"),
    ("xz", b"\xfd7zXZ\0"),
    ("zstd", &[0x28, 0xb5, 0x2f, 0xfd]),
    ("lz4", &[0x04, 0x22, 0x4d, 0x18]),
];

/// What the first bytes make of an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Signature,
    Delta,
    Snapshot,
    Archive,
    /// A tar of someone else.
    Tar,
    /// By this filter; an archive may be in it.
    Compressed(&'static str),
    /// Nothing that is known.
    Foreign,
    /// Too short to tell.
    Unknown,
}

impl Kind {
    pub(crate) fn of(first: &[u8]) -> Self {
        if first.starts_with(SEALED) {
            return match first.get(SEALED_KIND_AT) {
                Some(1) => Self::Signature,
                Some(2) => Self::Delta,
                Some(3) => Self::Snapshot,
                _ => Self::Unknown,
            };
        }
        match first {
            [0x72, 0x73, 0x01, 0x36 | 0x37 | 0x46 | 0x47, ..] => return Self::Signature,
            [0x72, 0x73, 0x02, 0x36, ..] => return Self::Delta,
            _ => {}
        }
        if first.starts_with(HEADER_NAME) {
            return Self::Archive;
        }
        if first.get(USTAR_AT..).is_some_and(|rest| rest.starts_with(USTAR)) {
            return Self::Tar;
        }
        match FILTERS.iter().find(|(_, magic)| first.starts_with(magic)) {
            Some((name, _)) => Self::Compressed(name),
            // A frame that zstd and lz4 skip: what is behind it is not seen from here.
            None if matches!(first, [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..]) => Self::Unknown,
            None if first.len() < LOOK_LEN => Self::Unknown,
            None => Self::Foreign,
        }
    }

    /// Whether an input that looks like this may be what is wanted; what is not known fails where it is read,
    /// with more to say of it.
    pub(crate) fn may_be(self, wanted: Self) -> bool {
        match self {
            Self::Unknown => true,
            Self::Foreign => wanted != Self::Archive,
            Self::Compressed(_) => wanted == Self::Archive,
            _ => self == wanted,
        }
    }

    /// What can be done with it.
    pub(crate) fn advice(self) -> &'static str {
        match self {
            Self::Signature => "frazil level --against takes a signature",
            Self::Delta => "frazil patch applies deltas and levels of files",
            Self::Snapshot => "frazil backup --since takes a snapshot, and frazil show prints it",
            Self::Archive | Self::Compressed(_) => "frazil restore, list and verify take archives",
            Self::Tar | Self::Foreign | Self::Unknown => "frazil backup makes archives",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Signature => f.write_str("a signature"),
            Self::Delta => f.write_str("a delta"),
            Self::Snapshot => f.write_str("a snapshot"),
            Self::Archive => f.write_str("an archive"),
            Self::Tar => f.write_str("a tar that frazil has not made"),
            Self::Compressed(filter) => write!(f, "compressed by {filter}"),
            Self::Foreign | Self::Unknown => f.write_str("nothing that frazil knows"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bytes_tell_what_an_input_is() {
        let mut tar = [0; LOOK_LEN];
        tar[USTAR_AT..][..USTAR.len()].copy_from_slice(USTAR);
        let table: [(&[u8], Kind); 13] = [
            (b"\x89frazil\n\0\x01\x01", Kind::Signature),
            (b"\x89frazil\n\0\x01\x02", Kind::Delta),
            (b"\x89frazil\n\0\x01\x03", Kind::Snapshot),
            (b"\x89frazil\n\0\x01\x09", Kind::Unknown),
            (b"rs\x01\x47", Kind::Signature),
            (b"rs\x02\x36", Kind::Delta),
            (b"\x1f\x8b\x08", Kind::Compressed("gzip")),
            (&tar, Kind::Tar),
            (b".frazil/header\0", Kind::Archive),
            (&tar[..USTAR_AT], Kind::Unknown),
            (&[b'x'; LOOK_LEN], Kind::Foreign),
            (b"\x50\x2a\x4d\x18", Kind::Unknown),
            (b"", Kind::Unknown),
        ];
        for (first, kind) in table {
            assert_eq!(Kind::of(first), kind, "{}", first.escape_ascii());
        }
    }
}
