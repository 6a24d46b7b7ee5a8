//! Records and the entries that wait for them.

use std::io::Read;

use super::Intake;
use super::agreement::check_entry;
use super::taking::Taking;
use super::waiting::Unclaimed;
use crate::tree::codec::corrupt;
use crate::tree::path;
use crate::tree::record::{Action, Record};
use crate::{Error, ErrorKind, Result};

impl<R: Read, I: Intake> Taking<'_, R, I> {
    pub(super) fn take_record(&mut self, record: Record) -> Result<()> {
        let wants_entry = matches!(record.action, Action::Full | Action::Delta);
        let may_have_entry = wants_entry || matches!(record.action, Action::Link | Action::Void);
        let waits = || self.waiting.position(&record.position.path, record.identity);
        let waiting = match may_have_entry.then(waits).flatten() {
            Some(index) => {
                // What is before it has no record.
                for _ in 0..index {
                    if let Some(unclaimed) = self.waiting.pop() {
                        self.give_up(unclaimed)?;
                    }
                }
                self.waiting.pop()
            }
            None => None,
        };
        if record.action == Action::Link && self.lost.contains(record.basis_path()) {
            // What is there under that name may be the entry of the level before.
            let lost = Error::new(ErrorKind::WrongBasis, "is one more name of an entry that was lost")
                .expected(path::to_os(record.basis_path()).display(), "nothing of this level");
            return match waiting.and_then(|waiting| waiting.made) {
                Some(Ok((made, _))) => self.intake.discard(made).and(Err(lost)),
                _ => Err(lost),
            };
        }
        let Some(Unclaimed { entry, made, .. }) = waiting else {
            if wants_entry {
                let missing = corrupt("content of an entry is missing");
                if record.identity.is_some() {
                    return Err(missing);
                }
                // The record says all that there is of it.
                self.survive(missing.path(path::to_os(&record.position.path)))?;
            }
            return self.intake.record(record, None);
        };
        let (made, failed) = match made.transpose() {
            Ok(made) => (made, None),
            Err(error) => (None, Some(error)),
        };
        let checked = match (record.action, failed) {
            (Action::Void, _) => Err(None),
            (_, Some(error)) => Err(Some(error)),
            _ => check_entry(&record, entry.as_ref(), made.as_ref().map(|(_, identity)| identity)).map_err(Some),
        };
        let is_right = record.identity == made.as_ref().map(|(_, identity)| *identity);
        let made = made.map(|(made, _)| made);
        match checked {
            Ok(()) => self.intake.record(record, made),
            // Only the tar says something else, and the record is the truth.
            Err(Some(error)) if is_right => {
                self.survive(error.path(path::to_os(&record.position.path)))?;
                self.intake.record(record, made)
            }
            Err(error) => {
                made.map_or(Ok(()), |made| self.intake.discard(made))?;
                error.map_or_else(|| self.intake.record(record, None), Err)
            }
        }
    }

    pub(super) fn give_up_waiting(&mut self) -> Result<()> {
        while let Some(unclaimed) = self.waiting.pop() {
            self.give_up(unclaimed)?;
        }
        Ok(())
    }

    fn give_up(&mut self, unclaimed: Unclaimed<I::Made>) -> Result<()> {
        match unclaimed.made {
            Some(Ok((made, _))) => self.intake.discard(made)?,
            Some(Err(error)) => return self.survive(error.of_entry(path::to_os(&unclaimed.path))),
            None => {}
        }
        if !self.whole {
            // Something was lost before, and said so; this may be what came of it.
            return Ok(());
        }
        let error = corrupt("entry of an archive that no record answers for").path(path::to_os(&unclaimed.path));
        self.survive(error)
    }
}
