//! What a sub-command works with: the options of all, and who follows the work.

use std::fs::File;
use std::sync::Arc;
use std::time::Duration;

use frazil::{Engine, LevelOptions, Observer, PatchOptions};

use crate::failure::Failure;
use crate::input::Input;
use crate::options::Common;
use crate::progress::{EntryLog, Monitor, Problem, Watched};
use crate::report::print;

/// One run of the command.
pub(crate) struct Session {
    pub(crate) common: Common,
    monitor: Arc<Monitor>,
}

impl Session {
    pub(crate) fn new(common: Common) -> Self {
        let monitor = Arc::new(Monitor::new(common.quiet));
        Self { common, monitor }
    }

    /// The work is over: what is said now must not run into the progress bar.
    pub(crate) fn end(&self) {
        self.monitor.clear();
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.monitor.elapsed()
    }

    pub(crate) fn engine(&self) -> Engine {
        self.common.engine.into()
    }

    pub(crate) fn threads(&self) -> usize {
        self.common.threads.unwrap_or(0)
    }

    /// Bytes that signatures and indexes may take together.
    pub(crate) fn memory(&self) -> u64 {
        self.common.memory.unwrap_or(LevelOptions::DEFAULT_MEMORY_LIMIT)
    }

    /// The options of a level, whose new signature is written or not wanted, but never held.
    pub(crate) fn level_options(&self) -> LevelOptions {
        LevelOptions::new()
            .engine(self.engine())
            .threads(self.threads())
            .memory_limit(self.memory())
            .hold_signature(false)
            .observer(self.monitor.clone())
    }

    pub(crate) fn patch_options(&self) -> PatchOptions {
        let options =
            PatchOptions::new().replace(self.common.force).threads(self.threads()).observer(self.monitor.clone());
        match self.common.memory {
            Some(memory) => options.index_memory(memory),
            None => options,
        }
    }

    /// Who follows work on a tree; with `--json` each entry that was looked at is a line.
    pub(crate) fn observer(&self, stdout_is_data: bool) -> Arc<dyn Observer> {
        match self.common.json {
            true => Arc::new(EntryLog::new(self.monitor.clone(), stdout_is_data)),
            false => self.monitor.clone(),
        }
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
        self.monitor.add_problem(Problem { text: text.into(), grave: true });
    }

    /// The result is what was asked for, reached by another way.
    pub(crate) fn note(&self, text: impl Into<String>) {
        self.monitor.add_problem(Problem { text: text.into(), grave: false });
    }

    pub(crate) fn take_problems(&self) -> Vec<Problem> {
        self.monitor.take_problems()
    }
}
