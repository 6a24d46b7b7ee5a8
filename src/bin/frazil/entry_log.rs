//! Follows the work on a tree as a monitor does, and prints a line for each of its entries.

use std::sync::{Arc, Mutex, PoisonError};

use frazil::{ArchiveEntry, EntryReport, Error, Observer, Progress};
use serde_json::json;

use crate::failure::Failure;
use crate::list::{to_json, to_text};
use crate::progress::{Monitor, action_name};
use crate::report::{insert_path, print, say};

/// A log of what a backup has looked at, or of what a dry run would restore.
pub(crate) struct EntryLog {
    monitor: Arc<Monitor>,
    json: bool,
    stdout_is_data: bool,
    /// Why the log cannot go on, where it is all that is wanted.
    failure: Mutex<Option<Failure>>,
}

impl EntryLog {
    pub(crate) fn new(monitor: Arc<Monitor>, json: bool, stdout_is_data: bool) -> Self {
        Self { monitor, json, stdout_is_data, failure: Mutex::default() }
    }

    /// Why it has stopped the work, if it has.
    pub(crate) fn take_failure(&self) -> Option<Failure> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Observer for EntryLog {
    fn progress(&self, progress: &Progress) {
        self.monitor.progress(progress);
    }

    fn problem(&self, problem: &Error) {
        self.monitor.problem(problem);
    }

    fn note(&self, note: &Error) {
        self.monitor.note(note);
    }

    fn cancelled(&self) -> bool {
        self.monitor.cancelled() || self.failure.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    fn entry(&self, entry: &EntryReport<'_>) {
        let mut line = json!({
            "action": entry.action.map_or("none", action_name),
            "reason": entry.reason.to_string(),
            "bytes": entry.bytes,
        });
        insert_path(&mut line, "path", entry.path);
        self.monitor.aside(|| match self.stdout_is_data {
            true => say(line),
            // Whoever has closed it wants no more lines, and the backup goes on.
            false => drop(print(&format!("{line}\n"))),
        });
    }

    fn restoring(&self, entry: &ArchiveEntry) {
        let line = if self.json { to_json(entry).to_string() } else { to_text(entry) };
        if let Err(failed) = self.monitor.aside(|| print(&format!("{line}\n"))) {
            self.failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(failed);
        }
    }
}
