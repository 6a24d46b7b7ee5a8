//! What a sub-command works with: the options of all, and who follows the work.

use std::fs::File;
use std::io::{self, Seek};
use std::sync::Arc;
use std::time::Duration;

use frazil::{LevelOptions, Observer};

use crate::entry_log::EntryLog;
use crate::failure::Failure;
use crate::input::Input;
use crate::options::{Common, Computing};
use crate::problems::{Problem, Problems};
use crate::progress::{Monitor, Watched};
use crate::report::print;

/// One run of the command.
pub(crate) struct Session {
    pub(crate) common: Common,
    monitor: Arc<Monitor>,
}

impl Session {
    pub(crate) fn new(common: Common) -> Self {
        let monitor = Arc::new(Monitor::new(common.quiet, common.json));
        Self { common, monitor }
    }

    /// The work is over: what is said now must not run into the progress bar.
    pub(crate) fn end(&self) {
        self.monitor.clear();
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.monitor.elapsed()
    }

    /// The options of a level, whose new signature is written or not wanted, but never held.
    pub(crate) fn level_options(&self, computing: Computing) -> LevelOptions {
        LevelOptions::new()
            .engine(computing.engine())
            .threads(computing.threads.number())
            .memory_limit(computing.memory.bytes())
            .trust_holes(computing.trust_holes)
            .hold_signature(false)
            .observer(self.observer())
    }

    /// Who follows the work.
    pub(crate) fn observer(&self) -> Arc<dyn Observer> {
        self.monitor.clone()
    }

    /// Who follows the backup of a tree; with `--json` each entry that was looked at is a line.
    pub(crate) fn entry_observer(&self, stdout_is_data: bool) -> Arc<dyn Observer> {
        match self.common.json {
            true => Arc::new(EntryLog::new(self.monitor.clone(), true, stdout_is_data)),
            false => self.monitor.clone(),
        }
    }

    /// Who follows a dry run, and prints what would be restored.
    pub(crate) fn dry_run_observer(&self) -> Arc<EntryLog> {
        Arc::new(EntryLog::new(self.monitor.clone(), self.common.json, false))
    }

    /// Follows an input that the library does not follow itself.
    pub(crate) fn watched(&self, input: Input) -> Watched<Input> {
        let total = input.len();
        Watched::new(input, total, self.monitor.clone())
    }

    /// As [`Session::watched`], for a file that is opened already.
    pub(crate) fn watched_file(&self, file: File, len: u64) -> Watched<File> {
        Watched::new(file, Some(len), self.monitor.clone())
    }

    /// The input as a file, or a copy without a name of what comes out of a pipe.
    pub(crate) fn seekable(&self, mut input: Input) -> io::Result<File> {
        if input.is_seekable() && input.len().is_some() {
            return input.into_seekable().ok_or_else(|| io::Error::from(io::ErrorKind::NotSeekable));
        }
        let mut copy = tempfile::tempfile()?;
        io::copy(&mut self.watched(input), &mut copy)?;
        copy.rewind()?;
        Ok(copy)
    }

    /// Prints a line on standard output, while work goes on.
    pub(crate) fn line(&self, line: impl std::fmt::Display) -> Result<(), Failure> {
        self.monitor.aside(|| print(&format!("{line}\n")))
    }

    /// As [`Session::line`], for what the library calls back, which knows no failures: it is kept for later.
    pub(crate) fn line_or_stop(
        &self,
        line: impl std::fmt::Display,
        failure: &mut Option<Failure>,
    ) -> frazil::Result<()> {
        self.line(line).map_err(|failed| {
            *failure = Some(failed);
            frazil::Error::from(std::io::Error::other("standard output failed"))
        })
    }

    /// The result is less than what was asked for.
    pub(crate) fn problem(&self, text: impl Into<String>) {
        self.monitor.add_problem(Problem::new(text, true));
    }

    /// The result is what was asked for, reached by another way.
    pub(crate) fn note(&self, text: impl Into<String>) {
        self.monitor.add_problem(Problem::new(text, false));
    }

    pub(crate) fn take_problems(&self) -> Problems {
        self.monitor.take_problems()
    }
}
