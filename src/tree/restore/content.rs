//! Content on its way into the stage, and out of files of the parent level.

use std::fs::File;
use std::io::{Read, Write};

use super::incoming::Incoming;
use super::private::check_outside;
use super::{SparseFile, StageId};
use crate::engine::native::IdentityBuilder;
use crate::tree::archive::Intake;
use crate::tree::identify::{identify, read_some};
use crate::tree::path;
use crate::tree::record::Record;
use crate::{Error, ErrorDetail, ErrorKind, Identity, Result};

impl Incoming<'_> {
    /// The identity of what goes nowhere.
    pub(super) fn identify(&mut self, content: &mut dyn Read) -> Result<Identity> {
        let mut buffer = std::mem::take(&mut self.buffer);
        let identity = identify(content, self.leaf_len, 1, &mut buffer, |len| self.moved(len));
        self.buffer = buffer;
        identity
    }

    /// Counts content against what all of the level may have.
    fn spend(&mut self, bytes: usize) -> Result<()> {
        self.spent += bytes as u64;
        if self.spent <= self.options.max_output {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Limit, "the files of the level are longer than is allowed")
            .detailed(ErrorDetail::LevelTooLong)
            .expected(format_args!("at most {} bytes", self.options.max_output), "more"))
    }

    /// Copies all that a reader has into a staged file, and gives its identity.
    pub(super) fn copy(&mut self, from: &mut dyn Read, to: Option<&mut SparseFile>, limit: u64) -> Result<Identity> {
        let mut identity = IdentityBuilder::new(self.leaf_len, 1);
        self.pour(from, to, |content| {
            identity.update(content);
            if identity.length() <= limit {
                return Ok(());
            }
            Err(Error::new(ErrorKind::Limit, "a file is longer than is allowed")
                .detailed(ErrorDetail::FileTooLong)
                .expected(format_args!("at most {limit} bytes"), "more"))
        })?;
        Ok(identity.finish())
    }

    /// Copies all that a reader has into a staged file, a piece at a time past `check`.
    pub(super) fn pour(
        &mut self,
        from: &mut dyn Read,
        mut to: Option<&mut SparseFile>,
        mut check: impl FnMut(&[u8]) -> Result<()>,
    ) -> Result<()> {
        let mut buffer = std::mem::take(&mut self.buffer);
        let result = loop {
            let len = match read_some(from, &mut buffer) {
                Ok(0) => break Ok(()),
                Ok(len) => len,
                Err(error) => break Err(error),
            };
            let content = &buffer[..len];
            let written = check(content).and_then(|()| self.spend(len)).and_then(|()| match &mut to {
                Some(to) => to.write_all(content).map_err(|error| Error::io("writing", error)),
                None => Ok(()),
            });
            if let Err(error) = written.and_then(|()| self.moved(len)) {
                break Err(error);
            }
        };
        self.buffer = buffer;
        result
    }

    /// The file of the parent level at a path of the archive, for what is made from it at a place.
    pub(super) fn basis(&self, path: &[u8], place: &[u8]) -> Result<File> {
        let lacking = |what: &'static str| {
            Error::new(ErrorKind::WrongBasis, what)
                .doing("restoring")
                .path(self.destination.display(place))
                .expected(path::to_os(path).display(), "nothing")
        };
        let basis = self.mapping.place_selected(path);
        let basis = basis.ok_or_else(|| lacking("the file that it is made from is not selected"))?;
        check_outside(&basis)?;
        match self.destination.stat(&basis)? {
            Some(_) => self.destination.open_file(&basis),
            None => Err(lacking("the file that it is made from is missing")),
        }
    }

    pub(super) fn make_copy(&mut self, basis: &[u8], record: &Record) -> Result<Option<StageId>> {
        let file = self.basis(basis, &record.position.path)?;
        self.copy_of(file, record.identity, &record.position.path)
    }

    pub(super) fn copy_of_place(&mut self, place: &[u8], identity: Option<Identity>) -> Result<Option<StageId>> {
        let file = self.destination.open_file(place)?;
        self.copy_of(file, identity, place)
    }

    /// A staged copy of a file of the parent level, which has to have this identity.
    fn copy_of(&mut self, file: File, expected: Option<Identity>, place: &[u8]) -> Result<Option<StageId>> {
        let mut from = file;
        let limit = expected.map_or(self.options.max_file_len, |identity| identity.length());
        let staged = self.staged(|this, to| this.copy(&mut from, to, limit));
        let (item, found) = staged.map_err(|error| match error.kind() {
            ErrorKind::Limit => wrong(expected, "more").path(self.destination.display(place)),
            _ => error.path(self.destination.display(place)),
        })?;
        if expected.is_some_and(|expected| expected != found) {
            self.discard(item)?;
            return Err(wrong(expected, found.fingerprint()).path(self.destination.display(place)));
        }
        Ok(item)
    }

    /// Fills a staged file by `fill`, and removes it again if that fails.
    pub(super) fn staged<T>(
        &mut self,
        fill: impl FnOnce(&mut Self, Option<&mut SparseFile>) -> Result<T>,
    ) -> Result<(Option<StageId>, T)> {
        let created = match self.stage() {
            Some(stage) => Some(stage.create_file()?),
            None => None,
        };
        let Some((id, file)) = created else {
            return Ok((None, fill(self, None)?));
        };
        let mut file = SparseFile::new(file);
        let filled = fill(self, Some(&mut file));
        let finished = filled.and_then(|filled| {
            file.finish().map_err(|error| Error::io("writing", error))?;
            Ok(filled)
        });
        match finished {
            Ok(filled) => Ok((Some(id), filled)),
            Err(error) => {
                self.stage().map_or(Ok(()), |stage| stage.discard(id))?;
                Err(error)
            }
        }
    }
}

fn wrong(expected: Option<Identity>, found: impl std::fmt::Display) -> Error {
    let error = Error::new(ErrorKind::WrongBasis, "the file that it is made from is another").doing("restoring");
    match expected {
        Some(expected) => error.expected(expected.fingerprint(), found),
        None => error,
    }
}
