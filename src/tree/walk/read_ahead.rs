//! Small files, read by the walk that goes ahead: most of what a level costs that has many of them.

use std::io;
use std::os::fd::OwnedFd;

use super::Step;
use crate::DEFAULT_BLOCK_LEN;
use crate::format::LEAVES_AT_ONCE;
use crate::sharing::{share_out, threads_for};
use crate::tree::metadata::{EntryKind, Moment};
use crate::tree::small_file::{SmallFile, Wanted};
use crate::tree::stat::Stat;

/// So many files, or as much content as elsewhere, are worth another thread.
const THREAD_FILES_MIN: usize = 32;

/// What a walk that goes ahead reads: files of at most one leaf, which are most files of most trees. It is a guess at
/// what will be asked for, and what is not there is read when it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReadAhead {
    /// Files that were changed after the first and not after the second; all of them without it.
    pub(crate) changed: Option<(Moment, Moment)>,
    /// Bytes of content under each leaf of a fingerprint.
    pub(crate) leaf_len: u32,
}

impl ReadAhead {
    /// The longest file that is read.
    fn len_max(&self) -> u64 {
        self.leaf_len.min(DEFAULT_BLOCK_LEN).into()
    }

    /// Whether a file is likely to be asked for. One with several names may be known by another.
    pub(super) fn wants(&self, step: &Step, stat: &Stat) -> bool {
        matches!(step, Step::Entry)
            && stat.is(EntryKind::File)
            && stat.links == 1
            && stat.size <= self.len_max()
            && self.changed.is_none_or(|(after, until)| stat.changed > after && stat.changed <= until)
    }

    /// Reads files on several threads, and puts each in its place.
    pub(super) fn read<O: FnOnce() -> io::Result<OwnedFd> + Send>(&self, wanted: Vec<Wanted<'_, O>>, threads: usize) {
        let content: u64 = wanted.iter().map(|wanted| wanted.size).sum();
        let threads = threads.min(wanted.len() / THREAD_FILES_MIN).max(threads_for(content as usize, threads));
        let mut left = wanted.into_iter();
        let shares = std::iter::from_fn(|| {
            Some(left.by_ref().take(LEAVES_AT_ONCE).collect()).filter(|share: &Vec<_>| !share.is_empty())
        });
        share_out(shares, threads, |share| SmallFile::read_several(share.into_iter(), self.leaf_len));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Error, ErrorKind};

    #[test]
    fn small_files_of_one_name_that_changed_since_are_wanted() {
        let moment = |seconds| Moment { seconds, nanoseconds: 5 };
        let file = Stat::of(&tempfile::NamedTempFile::new().unwrap().into_file()).unwrap();
        let file = Stat { size: 1024, changed: moment(7), links: 1, ..file };
        let small = |changed, leaf_len| ReadAhead { changed, leaf_len };
        let all = small(None, 1024);
        let between = |after, until| small(Some((after, until)), 1024);
        for (read_ahead, stat, expected) in [
            (all, file, true),
            (all, Stat { size: 0, ..file }, true),
            (all, Stat { size: 1025, ..file }, false),
            (all, Stat { links: 2, ..file }, false),
            (all, Stat { kind: Some(EntryKind::Fifo), ..file }, false),
            (all, Stat { kind: None, ..file }, false),
            (small(None, 1 << 30), Stat { size: 65_536, ..file }, true),
            (small(None, 1 << 30), Stat { size: 65_537, ..file }, false),
            (between(moment(6), moment(8)), file, true),
            (between(moment(6), moment(7)), file, true),
            (between(moment(7), moment(8)), file, false),
            (between(moment(5), moment(6)), file, false),
            (between(Moment { nanoseconds: 4, ..moment(7) }, moment(8)), file, true),
        ] {
            assert_eq!(read_ahead.wants(&Step::Entry, &stat), expected, "{read_ahead:?}, {stat:?}");
            assert!(!read_ahead.wants(&Step::Vanished, &stat));
            assert!(!read_ahead.wants(&Step::Unreadable(Error::new(ErrorKind::Io, "")), &stat));
        }
    }
}
