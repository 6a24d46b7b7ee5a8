//! SIGINT and SIGTERM: what is under way is stopped, and leaves nothing behind.
//!
//! The first signal sets a flag, which the library asks for about once a mebibyte, and wakes a read that
//! waits for a pipe. A second one ends the process at once.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use rustix::event::{PollFd, PollFlags, poll};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::{flag, low_level};

struct Stop {
    requested: Arc<AtomicBool>,
    wake: UnixStream,
}

static STOP: OnceLock<Stop> = OnceLock::new();

/// Begins to listen.
pub(crate) fn listen() -> io::Result<()> {
    let requested = Arc::new(AtomicBool::new(false));
    let (wake, waker) = UnixStream::pair()?;
    for signal in [SIGINT, SIGTERM] {
        // In this order: the flag is not yet set when the first signal asks for it.
        flag::register_conditional_default(signal, requested.clone())?;
        flag::register(signal, requested.clone())?;
        low_level::pipe::register(signal, waker.try_clone()?)?;
    }
    let _ = STOP.set(Stop { requested, wake });
    Ok(())
}

/// Whether a signal has come.
pub(crate) fn requested() -> bool {
    STOP.get().is_some_and(|stop| stop.requested.load(Ordering::Relaxed))
}

/// Fails once a signal has come.
pub(crate) fn check() -> io::Result<()> {
    if requested() { Err(io::Error::other("stopped")) } else { Ok(()) }
}

/// Waits until there is something to read, or fails when a signal comes before.
pub(crate) fn wait_readable(fd: BorrowedFd<'_>) -> io::Result<()> {
    let Some(stop) = STOP.get() else { return Ok(()) };
    loop {
        check()?;
        let mut fds =
            [PollFd::from_borrowed_fd(fd, PollFlags::IN), PollFd::from_borrowed_fd(stop.wake.as_fd(), PollFlags::IN)];
        match poll(&mut fds, None) {
            Ok(_) if fds[0].revents().is_empty() => {}
            Err(rustix::io::Errno::INTR) => {}
            Ok(_) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
}
