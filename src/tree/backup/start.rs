//! What a backup begins with: which level it is, and what may be read before it is asked for.

use super::options::BackupOptions;
use super::previous::Previous;
use crate::tree::level_id::{LevelHeader, LevelId};
use crate::tree::metadata::Moment;
use crate::tree::snapshot::TREE_BLOCK_LEN_MIN;
use crate::tree::walk::ReadAhead;
use crate::{DEFAULT_BLOCK_LEN, Error, ErrorKind, MAX_BLOCK_LEN, Result};

pub(super) fn level_header(parent: Option<&LevelHeader>, options: &BackupOptions) -> Result<LevelHeader> {
    let id = match options.level_id {
        Some(id) => id,
        None => LevelId::random()?,
    };
    let invalid = |what| Error::new(ErrorKind::InvalidInput, what).doing("starting a backup");
    let block_len = match (parent, options.block_len) {
        (Some(parent), Some(asked)) if parent.block_len != asked => {
            return Err(invalid("a chain has one block length").expected(parent.block_len, asked));
        }
        (Some(parent), _) => parent.block_len,
        (None, asked) => asked.unwrap_or(DEFAULT_BLOCK_LEN),
    };
    if !(TREE_BLOCK_LEN_MIN..=MAX_BLOCK_LEN).contains(&block_len) {
        return Err(invalid("block length is out of range")
            .expected(format_args!("{TREE_BLOCK_LEN_MIN} to {MAX_BLOCK_LEN} bytes"), block_len));
    }
    let number = parent.map_or(Some(0), |parent| parent.number.checked_add(1));
    Ok(LevelHeader {
        id,
        parent: parent.map(|parent| parent.id),
        root: parent.map_or(id, |parent| parent.root),
        number: number.ok_or_else(|| invalid("chain is too long"))?,
        block_len,
        created: options.created.unwrap_or_else(|| Moment::now().seconds),
    })
}

/// Which files a walk that goes ahead reads: all where all will be read, and else those that changed after all that the
/// level before has seen, whatever its clock said, up to now. None where that is not known, or is not to be told from
/// change times.
pub(super) fn read_ahead(
    header: &LevelHeader,
    previous: Option<&Previous>,
    options: &BackupOptions,
) -> Option<ReadAhead> {
    let changed = match previous {
        Some(previous) if !options.always_read => match options.ignore_ctime {
            true => return None,
            // What is dated ahead is so at every level.
            false => Some((previous.newest_change()?, Moment::now())),
        },
        _ => None,
    };
    Some(ReadAhead { changed, leaf_len: header.block_len })
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::os::unix::fs::MetadataExt;
    use std::path::Path;

    use super::*;
    use crate::tree::backup::{Since, backup_tree};

    #[test]
    fn what_changed_after_all_that_the_level_before_saw_is_read_ahead_whatever_the_clock() {
        let dir = tempfile::tempdir().unwrap();
        let (tree, snapshot) = (dir.path().join("tree"), dir.path().join("snapshot"));
        fs::create_dir(&tree).unwrap();
        let created = |seconds| BackupOptions::new().created(seconds);
        fs::write(tree.join("file"), "content").unwrap();
        backup_tree(&tree, None, &snapshot, std::io::sink(), created(i64::MAX / 2)).unwrap();
        let changed = |path: &Path| {
            let metadata = fs::metadata(path).unwrap();
            Moment { seconds: metadata.ctime(), nanoseconds: metadata.ctime_nsec() as u32 }
        };
        let newest = changed(&tree.join("file")).max(changed(&tree));
        let file = || Since::File(snapshot.clone());
        let stream = || Since::Stream(Box::new(File::open(&snapshot).unwrap()));
        let plain = BackupOptions::new;
        for (since, options, expected) in [
            (Since::Nothing, plain(), Some(None)),
            (Since::Nothing, plain().ignore_ctime(true), Some(None)),
            (file(), plain(), Some(Some(newest))),
            (file(), plain().ignore_ctime(true), None),
            (file(), plain().always_read(true), Some(None)),
            (stream(), plain(), None),
            (stream(), plain().always_read(true), Some(None)),
        ] {
            let previous = since.open(1).unwrap();
            let header = level_header(previous.as_ref().map(Previous::header), &options).unwrap();
            let read_ahead = read_ahead(&header, previous.as_ref(), &options);
            assert_eq!(
                read_ahead.map(|read_ahead| read_ahead.changed.map(|changed| changed.0)),
                expected,
                "{options:?}"
            );
            assert!(read_ahead.is_none_or(|read_ahead| read_ahead.leaf_len == header.block_len));
        }
    }
}
