//! Whether an entry is what its record says.

use crate::tree::codec::corrupt;
use crate::tree::libarchive::ReadEntry;
use crate::tree::metadata::{EntryKind, Metadata, Moment};
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
    let disagree = || corrupt("the tar header does not agree with the record");
    let differs = |what: &'static str| Err(disagree().expected(what, "another"));
    if record.action == Action::Link {
        let target = record.basis.as_deref().map(super::full_name);
        return if entry.hardlink == target { Ok(()) } else { differs("the same link") };
    }
    let Some(expected) = &record.metadata else { return differs("metadata") };
    let Some(found) = entry.metadata() else { return differs("a known kind") };
    if entry.hardlink.is_some() || (found.kind == EntryKind::File) != record.identity.is_some() {
        return differs("an entry that is no link");
    }
    if let Some((field, expected, found)) = difference(expected, &found) {
        let said = |value: &str| format!("{field} {value}");
        return Err(disagree().expected(said(&expected), said(&found)));
    }
    // Those that are too long for a tar header are in the record alone.
    if !entry.attributes.is_empty() && entry.attributes != record.attributes {
        return differs("the same extended attributes");
    }
    Ok(())
}

/// The first field in which a tar header says something else than its record, and what each says.
fn difference(record: &Metadata, header: &Metadata) -> Option<(&'static str, String, String)> {
    let moment = |moment: Moment| format!("{}.{:09}", moment.seconds, moment.nanoseconds);
    let bytes = |bytes: &[u8]| format!("\"{}\"", bytes.escape_ascii());
    let fields = |it: &Metadata| {
        [
            ("kind", it.kind.to_string()),
            ("mode", format!("{:04o}", it.mode)),
            ("user", it.uid.to_string()),
            ("group", it.gid.to_string()),
            ("user name", bytes(&it.user)),
            ("group name", bytes(&it.group)),
            ("size", it.size.to_string()),
            ("time", moment(it.modified.in_tar())),
            ("flags", format!("{:x}", it.flags)),
            ("device", format!("{}:{}", it.device.0, it.device.1)),
            ("target", bytes(&it.target)),
        ]
    };
    let both = fields(record).into_iter().zip(fields(header));
    both.map(|((field, expected), (_, found))| (field, expected, found)).find(|(_, expected, found)| expected != found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_field_that_differs_is_named_with_what_each_says() {
        let modified = Moment { seconds: i64::MIN, nanoseconds: 7 };
        let record = Metadata {
            kind: EntryKind::File,
            mode: 0o644,
            uid: 1,
            gid: 2,
            user: Vec::new(),
            group: Vec::new(),
            size: 0,
            modified,
            flags: 0,
            device: (0, 0),
            target: Vec::new(),
        };
        let in_tar = Metadata { modified: modified.in_tar(), ..record.clone() };
        assert_eq!(difference(&record, &in_tar), None);
        let longer = Metadata { size: 1, ..record.clone() };
        assert_eq!(difference(&record, &longer), Some(("size", "0".to_owned(), "1".to_owned())));
    }
}
