//! Follows the work: a bar on a terminal once it has taken a second, and what the work survived.

use std::io::{self, IsTerminal, Read, Write};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use frazil::{Action, Error, ErrorKind, Observer, Progress};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::problems::{Problem, Problems};
use crate::report::count;
use crate::stop;

/// Work that takes less is not worth a bar.
const PATIENCE: Duration = Duration::from_secs(1);

/// What the library and the sub-commands tell of the work.
pub(crate) struct Monitor {
    started: Instant,
    /// Where a bar is drawn, if it can be seen and is wanted, and how long the work goes on without one.
    screen: Option<Screen>,
    bar: Mutex<Option<ProgressBar>>,
    /// Entries of a tree that are done.
    entries: AtomicU64,
    /// Inputs that are followed by themselves: their bytes are shown, not those that the library tells of.
    watched: AtomicUsize,
    problems: Mutex<Problems>,
}

struct Screen {
    target: fn() -> ProgressDrawTarget,
    patience: Duration,
}

impl Monitor {
    /// `json` keeps problems for the end.
    pub(crate) fn new(quiet: bool, json: bool) -> Self {
        let is_visible = !quiet && io::stderr().is_terminal();
        let screen = Screen { target: ProgressDrawTarget::stderr, patience: PATIENCE };
        Self::on(is_visible.then_some(screen), json)
    }

    fn on(screen: Option<Screen>, json: bool) -> Self {
        Self {
            started: Instant::now(),
            screen,
            bar: Mutex::default(),
            entries: AtomicU64::new(0),
            watched: AtomicUsize::new(0),
            problems: Mutex::new(Problems::new(json)),
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

    /// Says it, or keeps it for the end.
    pub(crate) fn add_problem(&self, problem: Problem) {
        let line = lock(&self.problems).add(problem);
        if let Some(line) = line {
            // Whoever has closed standard error wants no more lines, and the work goes on.
            self.aside(|| drop(writeln!(io::stderr(), "{line}")));
        }
    }

    pub(crate) fn take_problems(&self) -> Problems {
        std::mem::take(&mut *lock(&self.problems))
    }

    fn show(&self, done: u64, total: Option<u64>) {
        let Some(screen) = &self.screen else { return };
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
        if bar.is_hidden() && self.elapsed() >= screen.patience {
            bar.set_draw_target((screen.target)());
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

    fn problem(&self, problem: &Error) {
        if problem.kind() == ErrorKind::SourceChanged && problem.file().is_none() {
            // The summary says so too, and with it the command, which knows the source's name.
            return;
        }
        self.add_problem(Problem::of(problem, true));
    }

    fn note(&self, note: &Error) {
        self.add_problem(Problem::of(note, false));
    }

    fn cancelled(&self) -> bool {
        stop::requested()
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

#[cfg(test)]
mod tests {
    use indicatif::TermLike;

    use super::*;

    /// What was drawn, which a function without an environment has to find.
    static DRAWN: Mutex<String> = Mutex::new(String::new());

    #[derive(Debug)]
    struct Paper;

    impl TermLike for Paper {
        fn width(&self) -> u16 {
            100
        }

        fn move_cursor_up(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn move_cursor_down(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn move_cursor_right(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn move_cursor_left(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn write_line(&self, text: &str) -> io::Result<()> {
            self.write_str(text)
        }

        fn write_str(&self, text: &str) -> io::Result<()> {
            lock(&DRAWN).push_str(text);
            Ok(())
        }

        fn clear_line(&self) -> io::Result<()> {
            Ok(())
        }

        fn flush(&self) -> io::Result<()> {
            Ok(())
        }
    }

    fn drawn(work: impl FnOnce()) -> String {
        lock(&DRAWN).clear();
        work();
        std::mem::take(&mut *lock(&DRAWN))
    }

    fn progress(done_bytes: u64, total_bytes: Option<u64>, entries: u64) -> Progress {
        let mut progress = Progress::default();
        (progress.done_bytes, progress.total_bytes, progress.entries) = (done_bytes, total_bytes, entries);
        progress
    }

    #[test]
    fn a_bar_has_entries_bytes_and_rate_and_comes_after_a_while_alone() {
        let target = || ProgressDrawTarget::term_like(Box::new(Paper));
        let patient = Monitor::on(Some(Screen { target, patience: Duration::MAX }), false);
        assert_eq!(drawn(|| patient.progress(&progress(1 << 20, None, 3))), "");

        let monitor = Arc::new(Monitor::on(Some(Screen { target, patience: Duration::ZERO }), false));
        let bar = drawn(|| monitor.progress(&progress(3 << 20, None, 7)));
        assert!(bar.contains("7 entries, ") && bar.contains("3.00 MiB, ") && bar.contains("/s, "), "{bar:?}");
        let bar = drawn(|| monitor.progress(&progress(1 << 20, Some(4 << 20), 1)));
        assert!(bar.contains("1 entry, ") && bar.contains("1.00 MiB of 4.00 MiB, "), "{bar:?}");
        assert!(bar.contains("/s, ") && bar.contains(" left"), "{bar:?}");

        // An input that is followed by itself counts, and not what the library tells of bytes.
        let mut watched = Watched::new(&[0; 2048][..], Some(4096), monitor.clone());
        assert_eq!(drawn(|| monitor.progress(&progress(5, Some(6), 9))), "");
        let bar = drawn(|| assert_eq!(watched.read(&mut [0; 2048]).unwrap(), 2048));
        assert!(bar.contains("9 entries, ") && bar.contains("2.00 KiB of 4.00 KiB, "), "{bar:?}");
        drop(watched);
        monitor.clear();
        assert!(lock(&monitor.bar).is_none());

        let unseen = Monitor::on(None, false);
        assert_eq!(drawn(|| unseen.progress(&progress(1, None, 1))), "");
    }
}
