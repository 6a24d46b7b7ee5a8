//! Follows the work: a bar on a terminal once it has taken a second, and the problems that it survived.

use std::io::{self, IsTerminal, Read};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use frazil::{Action, EntryReport, ErrorKind, Observer, Progress};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;

use crate::report::{count, insert_path};
use crate::stop;

/// Work that takes less is not worth a bar.
const PATIENCE: Duration = Duration::from_secs(1);

/// What the library and the sub-commands tell of the work.
pub(crate) struct Monitor {
    started: Instant,
    /// Whether a bar can be seen and is wanted.
    visible: bool,
    bar: Mutex<Option<ProgressBar>>,
    /// Entries of a tree that are done.
    entries: AtomicU64,
    /// Inputs that are followed by themselves: their bytes are shown, not those that the library tells of.
    watched: AtomicUsize,
    problems: Mutex<Vec<Problem>>,
}

/// Something that the work survived.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    pub(crate) text: String,
    /// Whether the result is less than what was asked for; else it only took another way.
    pub(crate) grave: bool,
}

impl Monitor {
    pub(crate) fn new(quiet: bool) -> Self {
        let visible = !quiet && io::stderr().is_terminal();
        Self {
            started: Instant::now(),
            visible,
            bar: Mutex::default(),
            entries: AtomicU64::new(0),
            watched: AtomicUsize::new(0),
            problems: Mutex::default(),
        }
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Takes the bar away.
    pub(crate) fn clear(&self) {
        if let Some(bar) = lock(&self.bar).take() {
            bar.finish_and_clear();
        }
    }

    /// Does something that may write on the terminal, with the bar out of the way.
    pub(crate) fn aside<T>(&self, work: impl FnOnce() -> T) -> T {
        match &*lock(&self.bar) {
            Some(bar) => bar.suspend(work),
            None => work(),
        }
    }

    pub(crate) fn add_problem(&self, problem: Problem) {
        lock(&self.problems).push(problem);
    }

    pub(crate) fn take_problems(&self) -> Vec<Problem> {
        std::mem::take(&mut *lock(&self.problems))
    }

    fn show(&self, done: u64, total: Option<u64>) {
        if !self.visible {
            return;
        }
        let mut bar = lock(&self.bar);
        // Another length is another part of the work, with a bar of its own.
        if let Some(old) = bar.take_if(|bar| bar.length() != total) {
            old.finish_and_clear();
        }
        // Made at once, so that it knows the speed by the time it is drawn.
        let bar = bar.get_or_insert_with(|| {
            let template = match total {
                Some(_) => "{msg}{wide_bar:.cyan} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left",
                None => "{spinner:.cyan} {msg}{bytes}, {bytes_per_sec}, {elapsed}",
            };
            let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
            let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::hidden()).with_elapsed(self.elapsed());
            bar.with_style(style)
        });
        if bar.is_hidden() && self.elapsed() >= PATIENCE {
            bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        bar.set_position(done);
        match self.entries.load(Ordering::Relaxed) {
            0 => {}
            entries => bar.set_message(format!("{}, ", count(entries, "entry"))),
        }
    }
}

impl Observer for Monitor {
    fn progress(&self, progress: &Progress) {
        self.entries.store(progress.entries, Ordering::Relaxed);
        if self.watched.load(Ordering::Relaxed) == 0 {
            self.show(progress.done_bytes, progress.total_bytes);
        }
    }

    /// A limit that was kept to by another way of working is no problem of the result, nor is a socket, of
    /// which there is nothing to keep.
    fn problem(&self, problem: &frazil::Error) {
        if problem.kind() == ErrorKind::SourceChanged && problem.file().is_none() {
            // The summary says so too, and with it the command, which knows the source's name.
            return;
        }
        let harmless = matches!(problem.kind(), ErrorKind::Limit | ErrorKind::Unsupported);
        self.add_problem(Problem { text: problem.to_string(), grave: !harmless });
    }

    fn cancelled(&self) -> bool {
        stop::requested()
    }
}

/// A monitor that prints a line of JSON for each entry of a tree that was looked at.
pub(crate) struct EntryLog {
    monitor: Arc<Monitor>,
    stdout_is_data: bool,
}

impl EntryLog {
    pub(crate) fn new(monitor: Arc<Monitor>, stdout_is_data: bool) -> Self {
        Self { monitor, stdout_is_data }
    }
}

impl Observer for EntryLog {
    fn progress(&self, progress: &Progress) {
        self.monitor.progress(progress);
    }

    fn problem(&self, problem: &frazil::Error) {
        self.monitor.problem(problem);
    }

    fn cancelled(&self) -> bool {
        self.monitor.cancelled()
    }

    fn entry(&self, entry: &EntryReport<'_>) {
        let mut line = json!({
            "action": entry.action.map_or("none", action_name),
            "reason": entry.reason.to_string(),
            "bytes": entry.bytes,
        });
        insert_path(&mut line, "path", entry.path);
        self.monitor.aside(|| match self.stdout_is_data {
            true => eprintln!("{line}"),
            // Whoever has closed it wants no more lines, and the work goes on.
            false => drop(crate::report::print(&format!("{line}\n"))),
        });
    }
}

/// What the library calls an action.
pub(crate) fn action_name(action: Action) -> &'static str {
    match action {
        Action::Full => "full",
        Action::Delta => "delta",
        Action::Copy => "copy",
        Action::Link => "link",
        Action::Metadata => "metadata",
        Action::Delete => "delete",
        Action::Void => "void",
        _ => "unknown",
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A reader whose progress is shown, and that stops when it is asked to.
pub(crate) struct Watched<R> {
    inner: R,
    monitor: Arc<Monitor>,
    done: u64,
    total: Option<u64>,
}

impl<R> Watched<R> {
    pub(crate) fn new(inner: R, total: Option<u64>, monitor: Arc<Monitor>) -> Self {
        monitor.watched.fetch_add(1, Ordering::Relaxed);
        Self { inner, monitor, done: 0, total }
    }

    /// Bytes that were read.
    pub(crate) fn done(&self) -> u64 {
        self.done
    }
}

impl<R> Drop for Watched<R> {
    fn drop(&mut self) {
        self.monitor.watched.fetch_sub(1, Ordering::Relaxed);
    }
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        stop::check()?;
        let len = self.inner.read(buffer)?;
        self.done += len as u64;
        self.monitor.show(self.done, self.total);
        Ok(len)
    }
}
