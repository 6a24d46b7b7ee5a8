//! Taking an archive in, entry by entry, each with its record.

use std::io::Read;

use super::intake::Taken;
use super::lost::Lost;
use super::parts::Entries;
use super::waiting::{Unclaimed, Waiting};
use super::{
    ArchiveTotals, BATCH_MAX, BatchDigest, EntryName, Intake, IntakeOptions, SMALL_MAX, Trailer, decode_batch,
    decode_trailer,
};
use crate::tree::codec::corrupt;
use crate::tree::level_id::LevelHeader;
use crate::tree::libarchive::{Next, ReadEntry};
use crate::tree::metadata::EntryKind;
use crate::tree::path::{self, Position};
use crate::{Error, ErrorDetail, ErrorKind, Result};

/// A version or a flag that nobody knows is damage too, where the header of the archive was of a known one.
fn is_damage(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Corrupt
            | ErrorKind::Truncated
            | ErrorKind::Mismatch
            | ErrorKind::WrongBasis
            | ErrorKind::Limit
            | ErrorKind::Unsupported
    )
}

/// Puts off damage until the record says whether the content was wanted. What is too long is not read on.
fn deferred<T>(made: Result<T>, options: IntakeOptions) -> Result<Result<T>> {
    match made {
        Err(error) if !is_damage(&error) || error.kind() == ErrorKind::Limit && !options.keep_going => Err(error),
        made => Ok(made),
    }
}

pub(super) struct Taking<'a, R: Read, I: Intake> {
    entries: Entries<R>,
    pub(super) intake: &'a mut I,
    options: IntakeOptions,
    header: LevelHeader,
    pub(super) waiting: Waiting<I::Made>,
    last: Option<Position>,
    batches: u64,
    records: u64,
    digest: BatchDigest,
    /// Whether all of the archive is.
    pub(super) whole: bool,
    /// Whether no entry of it was passed over.
    is_complete: bool,
    pub(super) lost: Lost,
    /// Whether damage was told of, behind which no entry was found yet: what else does not fit is of the same.
    astray: bool,
    /// Where the last of such damage is.
    told_to: Option<u64>,
    /// Batches that were told to be damaged, which those behind them miss.
    damaged_batches: u64,
    /// Whether it was told that records are missing.
    lacks_records: bool,
}

impl<'a, R: Read, I: Intake> Taking<'a, R, I> {
    /// Goes on behind the header, whose payload begins what the trailer answers for.
    pub(super) fn new(
        entries: Entries<R>,
        intake: &'a mut I,
        options: IntakeOptions,
        header: LevelHeader,
        payload: &[u8],
    ) -> Self {
        let mut digest = BatchDigest::new();
        digest.payload(payload);
        Self {
            entries,
            intake,
            options,
            header,
            waiting: Waiting::default(),
            last: None,
            batches: 0,
            records: 0,
            digest,
            whole: true,
            is_complete: true,
            lost: Lost::default(),
            astray: false,
            told_to: None,
            damaged_batches: 0,
            lacks_records: false,
        }
    }

    /// Takes in all that is left of the archive.
    pub(super) fn run(mut self) -> Result<Taken> {
        let totals = match self.take_entries() {
            Ok(totals) => totals,
            Err(error) if self.options.keep_going && is_damage(&error) => {
                self.intake.problem(error);
                self.whole = false;
                ArchiveTotals { records: self.records, ..ArchiveTotals::default() }
            }
            // What waits for its record has none because of this, and goes with all the rest.
            Err(error) => return Err(error),
        };
        self.give_up_waiting()?;
        Ok(Taken { header: self.header, totals, whole: self.whole && self.is_complete })
    }

    fn take_entries(&mut self) -> Result<ArchiveTotals> {
        loop {
            let has_failed = self.entries.has_failed();
            let entry = match self.entries.next() {
                Ok(Next::Entry(entry)) => entry,
                Ok(Next::Damaged(error)) => {
                    self.go_astray(error, false)?;
                    continue;
                }
                Err(error) => {
                    self.find_on(error, has_failed)?;
                    continue;
                }
                Ok(Next::End) => return Err(Error::new(ErrorKind::Truncated, "archive ends before its trailer")),
            };
            self.astray = false;
            let offset = self.entries.position();
            match self.take_entry(entry) {
                Ok(Some(totals)) => {
                    self.end()?;
                    return Ok(totals);
                }
                Ok(None) => {}
                Err(error) => {
                    let error = if error.offset().is_some() || !is_damage(&error) { error } else { error.at(offset) };
                    self.survive(error)?;
                    self.astray = self.entries.has_failed();
                }
            }
        }
    }

    /// Goes on after something that is no entry. Damage is told of once, in however many blocks it shows, and however
    /// often it is come to: what is before it is read again when an entry behind it is looked for.
    fn go_astray(&mut self, error: Error, has_failed: bool) -> Result<()> {
        let is_told = match error.offset() {
            // Who cannot read on has come to the next header at least.
            offset @ Some(_) => offset <= self.told_to || self.astray && !has_failed,
            None => self.astray,
        };
        self.astray = true;
        self.told_to = self.told_to.max(error.offset());
        match is_told && self.options.keep_going && is_damage(&error) {
            true => Ok(()),
            false => self.survive(error),
        }
    }

    /// Goes on behind what libarchive has failed at, within an entry or between two, if anything is there.
    fn find_on(&mut self, error: Error, has_failed: bool) -> Result<()> {
        match has_failed.then(|| self.waiting.pop_failed()).flatten() {
            // It failed within that entry, which says so with its record, or when none comes.
            Some(entry) if self.options.keep_going => {
                self.whole = false;
                self.astray = true;
                self.waiting.push(entry)?;
            }
            Some(Unclaimed { path, made: Some(Err(error)), .. }) => return Err(error.of_entry(path::to_os(&path))),
            // A body that could not be read on was reported when it was met.
            _ if error.kind() == ErrorKind::State => {}
            _ => self.go_astray(error, true)?,
        }
        if self.options.keep_going {
            if self.entries.resume()? {
                self.waiting.resume();
                return Ok(());
            }
            self.give_up_waiting()?;
        }
        Err(Error::new(ErrorKind::Truncated, "archive cannot be read on"))
    }

    /// Goes on after damage where that is wanted, since only content that has the identity of its record is
    /// used.
    pub(super) fn survive(&mut self, error: Error) -> Result<()> {
        if !self.options.keep_going || !is_damage(&error) {
            return Err(error);
        }
        self.whole = false;
        self.intake.problem(error);
        Ok(())
    }

    /// Goes on after a record that could not be taken; what is a further name of its entry goes with it.
    fn pass_over(&mut self, path: Vec<u8>, error: Error) -> Result<()> {
        let error = error.of_entry(path::to_os(&path));
        if self.intake.passes_over(&error) {
            self.is_complete = false;
            self.intake.problem(error);
        } else {
            self.survive(error)?;
        }
        if let Err(error) = self.lost.insert(&path) {
            self.intake.problem(error.path(path::to_os(&path)));
        }
        Ok(())
    }

    fn take_entry(&mut self, entry: ReadEntry) -> Result<Option<ArchiveTotals>> {
        let name = entry.path.clone();
        match EntryName::parse(&name)? {
            EntryName::Header => {
                self.drop_foreign()?;
                Err(corrupt("archive has a second header"))
            }
            EntryName::Batch(number) => self.take_batch(number).map(|()| None),
            EntryName::Trailer => self.take_trailer().map(Some),
            EntryName::Full(path) => {
                let is_file = entry.kind == Some(EntryKind::File) && entry.hardlink.is_none();
                let made = match is_file {
                    true => Some(deferred(self.intake.file(path, entry.size, &mut self.entries.body()), self.options)?),
                    false => None,
                };
                self.wait(Unclaimed { path: path.to_vec(), entry: Some(entry), made })
            }
            EntryName::Delta(path, 1) => {
                let mut parts = self.entries.parts(path);
                let made = deferred(self.intake.delta(path, &mut parts), self.options)?;
                if made.is_err() {
                    // What is left of it says nothing more; should it be damaged, the next entry is too.
                    let _ = std::io::copy(&mut parts, &mut std::io::sink());
                }
                self.wait(Unclaimed { path: path.to_vec(), entry: None, made: Some(made) })
            }
            EntryName::Delta(path, _) => {
                Err(corrupt("part of a delta without the one before it").path(path::to_os(path)))
            }
        }
    }

    fn wait(&mut self, entry: Unclaimed<I::Made>) -> Result<Option<ArchiveTotals>> {
        if matches!(entry.made, Some(Err(_))) && self.waiting.has_failed(&entry.path) {
            // The header of one that could not be read on was found again, behind its extended header.
            return Ok(None);
        }
        if let Err(error) = self.waiting.check_room(&entry) {
            if let Some(Ok((made, _))) = entry.made {
                self.intake.discard(made)?;
            }
            return Err(error);
        }
        self.waiting.push(entry)?;
        Ok(None)
    }

    fn take_batch(&mut self, number: u64) -> Result<()> {
        let decoded = self.entries.read_sealed(BATCH_MAX, "reading a batch of records").and_then(|payload| {
            let decoded = decode_batch(&payload, self.header.block_len)?;
            Ok((payload, decoded))
        });
        let (payload, (level, own_number, records)) = decoded.inspect_err(|_| self.damaged_batches += 1)?;
        if level != self.header.id {
            self.drop_foreign()?;
            return Err(corrupt("batch of records is of another level").expected(self.header.id, level));
        }
        let expected = self.batches + 1;
        if own_number != number || number != expected {
            let error = corrupt("batch of records is out of order").expected(expected, number.max(own_number));
            if own_number < expected || !self.options.keep_going {
                return Err(error);
            }
            match own_number == expected || own_number - expected > self.damaged_batches {
                true => self.survive(error)?,
                false => self.whole = false,
            }
            self.lacks_records |= own_number > expected;
        }
        self.damaged_batches = 0;
        self.batches = own_number;
        self.digest.payload(&payload);
        if own_number > expected
            && let Some(record) = records.first()
        {
            self.lost.between(self.last.clone(), record.position.clone());
        }
        for record in records {
            if self.last.as_ref().is_some_and(|last| *last >= record.position) {
                return Err(corrupt("records of a level are out of order").path(path::to_os(&record.position.path)));
            }
            self.last = Some(record.position.clone());
            self.records += 1;
            let path = record.position.path.clone();
            if let Err(error) = self.take_record(record) {
                self.pass_over(path, error)?;
            }
        }
        self.give_up_waiting()
    }

    /// Drops what came since damage was passed: it is of an archive that was a file of this one.
    fn drop_foreign(&mut self) -> Result<()> {
        while let Some(unclaimed) = self.waiting.pop_foreign() {
            if let Some(Ok((made, _))) = unclaimed.made {
                self.intake.discard(made)?;
            }
        }
        Ok(())
    }

    fn take_trailer(&mut self) -> Result<ArchiveTotals> {
        let payload = self.entries.read_sealed(SMALL_MAX, "reading the trailer")?;
        let trailer = decode_trailer(&payload)?;
        if trailer.level != self.header.id {
            self.drop_foreign()?;
            return Err(corrupt("trailer is of another level").expected(self.header.id, trailer.level));
        }
        let found = Trailer {
            level: self.header.id,
            batches: self.batches,
            totals: ArchiveTotals { records: self.records, ..trailer.totals },
            digest: self.digest.finish(),
        };
        if found != trailer && self.damaged_batches == 0 && !self.lacks_records {
            let error = corrupt("trailer does not match the records before it")
                .expected(format_args!("{} records", trailer.totals.records), self.records);
            self.survive(error)?;
        }
        Ok(trailer.totals)
    }

    /// Nothing but the end of the tar may follow the trailer.
    fn end(&mut self) -> Result<()> {
        let foreign = match self.entries.next()? {
            Next::End => self.entries.tar().drain()?,
            Next::Damaged(_) | Next::Entry(_) => 1,
        };
        match foreign {
            0 => Ok(()),
            _ => self
                .survive(corrupt("something follows the trailer of the archive").detailed(ErrorDetail::BeyondArchive)),
        }
    }
}
