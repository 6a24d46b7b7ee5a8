//! Whether an entry is what its record says.

use crate::tree::codec::corrupt;
use crate::tree::libarchive::ReadEntry;
use crate::tree::metadata::EntryKind;
use crate::tree::record::{Action, Record};
use crate::{Error, ErrorKind, Identity, Result};

/// Holds what came against what its record says of it: content above all, but also what the tar says to
/// others, since a difference is damage that a filter or the tar itself did not notice.
pub(super) fn check_entry(record: &Record, entry: Option<&ReadEntry>, found: Option<&Identity>) -> Result<()> {
    if let (Some(expected), Some(found)) = (&record.identity, found)
        && expected != found
    {
        let (expected, found) = (expected.fingerprint(), found.fingerprint());
        return Err(Error::new(ErrorKind::Mismatch, "content is not what its record says").expected(expected, found));
    }
    match (record.action, entry) {
        (Action::Delta, None) if found.is_some() => return Ok(()),
        (Action::Full | Action::Link, Some(_)) => {}
        _ => return Err(corrupt("entry is not of the kind that its record says")),
    }
    let Some(entry) = entry else { return Ok(()) };
    let differs =
        |what: &'static str| Err(corrupt("the tar header does not agree with the record").expected(what, "another"));
    if record.action == Action::Link {
        let target = record.basis.as_deref().map(super::full_name);
        return if entry.hardlink == target { Ok(()) } else { differs("the same link") };
    }
    let Some(expected) = &record.metadata else { return differs("metadata") };
    let Some(found) = entry.metadata() else { return differs("a known kind") };
    if entry.hardlink.is_some() || (found.kind == EntryKind::File) != record.identity.is_some() {
        return differs("an entry that is no link");
    }
    if found != *expected {
        return differs("the same metadata");
    }
    // Those that are too long for a tar header are in the record alone.
    if !entry.attributes.is_empty() && entry.attributes != record.attributes {
        return differs("the same extended attributes");
    }
    Ok(())
}
