//! What the entries of an archive are called.

use crate::tree::path;
use crate::{Error, ErrorKind, Result};

/// What the name of an entry says that it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EntryName<'a> {
    Header,
    Batch(u64),
    Trailer,
    /// An entry of the tree, whole.
    Full(&'a [u8]),
    /// One part of a delta, counted from 1.
    Delta(&'a [u8], u64),
}

const HEADER: &[u8] = b".frazil/header";
const TRAILER: &[u8] = b".frazil/trailer";
const BATCH: &[u8] = b".frazil/check/";
const FULL: &[u8] = b"full";
const DELTA: &[u8] = b"delta/";

/// The name of an entry of the tree that is there whole.
pub(crate) fn full_name(path: &[u8]) -> Vec<u8> {
    if path.is_empty() { FULL.to_vec() } else { path::join(FULL, path) }
}

impl<'a> EntryName<'a> {
    pub(crate) fn to_bytes(self) -> Vec<u8> {
        match self {
            Self::Header => HEADER.to_vec(),
            Self::Trailer => TRAILER.to_vec(),
            Self::Batch(number) => [BATCH, format!("{number:08}").as_bytes()].concat(),
            Self::Full(path) => full_name(path),
            Self::Delta(path, part) => [DELTA, path, format!("/{part:08}").as_bytes()].concat(),
        }
    }

    /// Reads a name as [`EntryName::to_bytes`] writes it, and no other.
    pub(crate) fn parse(name: &'a [u8]) -> Result<Self> {
        let parsed = Self::parse_any(name);
        match parsed {
            Some(parsed) => {
                if let Self::Full(path) | Self::Delta(path, _) = parsed {
                    path::check(path)?;
                }
                Ok(parsed)
            }
            None => Err(Error::new(ErrorKind::Corrupt, "entry of an archive has a name that no writer gives")
                .expected("full/…, delta/…/00000001 or .frazil/…", format_args!("{:?}", path::to_os(name)))),
        }
    }

    fn parse_any(name: &'a [u8]) -> Option<Self> {
        if name == HEADER {
            return Some(Self::Header);
        }
        if name == TRAILER {
            return Some(Self::Trailer);
        }
        if let Some(number) = name.strip_prefix(BATCH) {
            return parse_number(number).map(Self::Batch);
        }
        if name == FULL {
            return Some(Self::Full(&[]));
        }
        if let Some(path) = name.strip_prefix(b"full/") {
            return Some(Self::Full(path)).filter(|_| !path.is_empty());
        }
        let rest = name.strip_prefix(DELTA)?;
        let (path, part) = path::split(rest);
        let part = parse_number(part)?;
        Some(Self::Delta(path, part)).filter(|_| !path.is_empty() && part > 0)
    }
}

/// Eight digits, or more where eight do not do.
fn parse_number(digits: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(digits).ok()?;
    let number: u64 = text.parse().ok()?;
    (format!("{number:08}") == text).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_back() {
        let names = [
            EntryName::Header,
            EntryName::Trailer,
            EntryName::Batch(1),
            EntryName::Batch(123_456_789),
            EntryName::Full(b""),
            EntryName::Full(b"a/\xff"),
            EntryName::Delta(b"a/b", 1),
            EntryName::Delta(b"00000001", 99),
        ];
        for name in names {
            assert_eq!(EntryName::parse(&name.to_bytes()).unwrap(), name);
        }
    }

    #[test]
    fn names_that_no_writer_gives_are_refused() {
        let refused = [
            "",
            "/",
            "full/",
            "full//a",
            "full/../a",
            "fulla",
            "delta",
            "delta/00000001",
            "delta/a/1",
            "delta/a/00000000",
            "delta/a/+0000001",
            "delta/../00000001",
            ".frazil",
            ".frazil/check/1",
            ".frazil/header/",
            "etc/passwd",
            "/full/a",
        ];
        for name in refused {
            assert_eq!(EntryName::parse(name.as_bytes()).unwrap_err().kind(), ErrorKind::Corrupt, "{name:?}");
        }
    }
}
