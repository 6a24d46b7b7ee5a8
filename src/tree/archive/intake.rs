//! The reading side of an archive: entries in, and with each batch what has become of them.

use std::io::Read;

use super::parts::Entries;
use super::taking::Taking;
use super::{ArchiveTotals, EntryName, SMALL_MAX, decode_header};
use crate::tree::codec::corrupt;
use crate::tree::level_id::LevelHeader;
use crate::tree::libarchive::Next;
use crate::tree::record::Record;
use crate::{Error, Identity, Result};

/// What is done with the parts of an archive, in their order.
pub(crate) trait Intake {
    /// What was made of content whose record has not come yet.
    type Made;

    /// The archive has begun: nothing was done yet, and nothing has to be.
    fn begin(&mut self, header: &LevelHeader) -> Result<()>;

    /// The content of a file that is there whole.
    fn file(&mut self, path: &[u8], size: u64, body: &mut dyn Read) -> Result<(Self::Made, Identity)>;

    /// The sealed delta of a file, whose basis its header may name.
    fn delta(&mut self, path: &[u8], delta: &mut dyn Read) -> Result<(Self::Made, Identity)>;

    /// What the level says of an entry; its content has the identity that is said.
    fn record(&mut self, record: Record, made: Option<Self::Made>) -> Result<()>;

    /// Content that is not used.
    fn discard(&mut self, made: Self::Made) -> Result<()>;

    /// Something that was survived, as far as `keep_going` allows.
    fn problem(&mut self, problem: Error);

    /// Whether an entry that failed so is passed over in any case: the archive is not to blame for it.
    fn passes_over(&self, error: &Error) -> bool {
        let _ = error;
        false
    }
}

/// How an archive is read.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct IntakeOptions {
    /// Whether to go on after damage, with what is whole.
    pub(crate) keep_going: bool,
}

/// What an archive was.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Taken {
    pub(crate) header: LevelHeader,
    pub(crate) totals: ArchiveTotals,
    /// Whether all of it was there and whole, and taken.
    pub(crate) whole: bool,
}

/// Reads an archive to its end and hands all of it to `intake`.
pub(crate) fn take_in<I: Intake>(source: impl Read, intake: &mut I, options: IntakeOptions) -> Result<Taken> {
    let mut entries = Entries::new(source)?;
    let header = match entries.next()? {
        Next::Entry(entry) if EntryName::parse(&entry.path).is_ok_and(|name| name == EntryName::Header) => {
            let payload = entries.read_sealed(SMALL_MAX, "reading the header")?;
            (decode_header(&payload)?, payload)
        }
        Next::Damaged(error) => return Err(error),
        Next::Entry(_) | Next::End => {
            return Err(corrupt("not an archive of frazil: it does not begin with a header"));
        }
    };
    let (header, payload) = header;
    intake.begin(&header)?;
    Taking::new(entries, intake, options, header, &payload).run()
}
