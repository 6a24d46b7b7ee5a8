//! The one driver of librsync's jobs: all input in, all output out, and every code an error or not.

use std::ffi::{c_char, c_int};
use std::ptr::NonNull;
use std::sync::Once;

use librsync_sys as sys;

use crate::memory::zeroed;
use crate::{Error, ErrorKind, Result};

/// Room for a job's output before it is handed on: twice the longest literal librsync writes at once.
pub(super) const OUTPUT_LEN: usize = 64 << 10;

/// The most that one call feeds: lengths in C are `int`, and a delta copies all that it is given.
pub(super) const SLICE_LEN: usize = 256 << 10;

/// Stands in for librsync's writer to standard error, which a library must not use.
extern "C" fn silent(_level: sys::rs_loglevel, _message: *const c_char) {}

/// Silences librsync's trace, which is global to the process and so is set only once.
pub(super) fn silence() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: `silent` lives for ever and takes any argument; every job of ours comes after.
        unsafe { sys::rs_trace_to(silent) };
        // SAFETY: sets an `int` that no job of ours is reading yet.
        unsafe { sys::rs_trace_set_level(sys::RS_LOG_EMERG) };
    });
}

/// Turns a result other than success into an error that names it.
pub(super) fn check(code: sys::rs_result) -> Result<()> {
    let (kind, what) = match code {
        sys::RS_DONE | sys::RS_BLOCKED => return Ok(()),
        sys::RS_IO_ERROR => (ErrorKind::Io, "input or output failed"),
        sys::RS_MEM_ERROR => (ErrorKind::OutOfMemory, "out of memory"),
        sys::RS_INPUT_ENDED => (ErrorKind::Truncated, "unexpected end of input"),
        sys::RS_BAD_MAGIC => (ErrorKind::Corrupt, "bad magic number"),
        sys::RS_CORRUPT => (ErrorKind::Corrupt, "stream is corrupt"),
        sys::RS_PARAM_ERROR => (ErrorKind::InvalidInput, "bad parameter"),
        sys::RS_INTERNAL_ERROR => (ErrorKind::Internal, "internal error"),
        sys::RS_UNIMPLEMENTED => (ErrorKind::Internal, "not implemented"),
        _ => (ErrorKind::Internal, "unexpected result"),
    };
    Err(Error::new(kind, format!("librsync: {what} (code {code})")))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Running,
    Ended,
    Failed,
}

/// A job of librsync with its output buffer.
pub(super) struct Job {
    raw: NonNull<sys::rs_job_t>,
    pub(super) output: Box<[u8]>,
    state: State,
    /// Bytes of input that librsync has taken.
    consumed: u64,
    pub(super) doing: &'static str,
}

// SAFETY: a job in C is plain heap memory that only this owner reaches; it keeps nothing of the thread
// that made it, and librsync's only globals, the trace's, are set before the first job. The pointer
// keeps `Job` from being `Sync`.
unsafe impl Send for Job {}

impl Job {
    /// Takes over a job that was begun just now; `output_len` is 0 for a job that writes nothing.
    pub(super) fn new(raw: *mut sys::rs_job_t, output_len: usize, doing: &'static str) -> Result<Self> {
        let raw =
            NonNull::new(raw).ok_or_else(|| Error::new(ErrorKind::OutOfMemory, "no librsync job").doing(doing))?;
        Ok(Self { raw, output: zeroed(output_len)?.into(), state: State::Running, consumed: 0, doing })
    }

    /// Refuses the call unless the job can go on.
    pub(super) fn ready(&self) -> Result<()> {
        let what = match self.state {
            State::Running => return Ok(()),
            State::Ended => "the job has ended already",
            State::Failed => "the job has failed already",
        };
        Err(Error::new(ErrorKind::State, what).doing(self.doing))
    }

    /// Lets the job take no more calls, for `error`.
    pub(super) fn fail(&mut self, error: Error) -> Error {
        self.state = State::Failed;
        error.doing(self.doing)
    }

    /// Feeds all of `input` and appends what comes of it to `out`.
    pub(super) fn feed(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<()> {
        self.ready()?;
        for slice in input.chunks(SLICE_LEN) {
            self.drive(slice, false, out).map_err(|error| self.fail(error))?;
        }
        Ok(())
    }

    /// Says that the input is over, and appends the rest of the output to `out`.
    pub(super) fn end(&mut self, out: &mut Vec<u8>) -> Result<()> {
        self.ready()?;
        self.drive(&[], true, out).map_err(|error| self.fail(error))?;
        self.state = State::Ended;
        Ok(())
    }

    /// Calls `rs_job_iter` until it has taken all input and, at the end, is done.
    fn drive(&mut self, mut input: &[u8], eof: bool, out: &mut Vec<u8>) -> Result<()> {
        loop {
            let mut buffers = sys::rs_buffers_t {
                next_in: input.as_ptr().cast(),
                avail_in: input.len(),
                eof_in: c_int::from(eof),
                next_out: self.output.as_mut_ptr().cast(),
                avail_out: self.output.len(),
            };
            // SAFETY: the job is alive and is ours alone, and the buffers are two live slices with their
            // true lengths. C reads the first and writes the second within them; it keeps the pointer to
            // `buffers` but reads it only in the next call, which sets it anew.
            let code = unsafe { sys::rs_job_iter(self.raw.as_ptr(), &raw mut buffers) };
            let consumed = input.len() - buffers.avail_in;
            let produced = self.output.len() - buffers.avail_out;
            self.consumed += consumed as u64;
            input = &input[consumed..];
            out.try_reserve(produced)
                .map_err(|_| Error::new(ErrorKind::OutOfMemory, "no memory for what librsync makes"))?;
            out.extend_from_slice(&self.output[..produced]);

            check(code).map_err(|error| error.at(self.consumed))?;
            match (code == sys::RS_DONE, eof) {
                (true, true) => return Ok(()),
                (true, false) => {
                    return Err(Error::new(ErrorKind::Internal, "librsync ended before its input").at(self.consumed));
                }
                (false, _) if consumed > 0 || produced > 0 => {}
                (false, false) if input.is_empty() => return Ok(()),
                // Some malformed input makes librsync wait for ever rather than fail.
                (false, _) => {
                    return Err(Error::new(ErrorKind::Corrupt, "librsync makes no progress").at(self.consumed));
                }
            }
        }
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        // SAFETY: the pointer came from a `begin` function and is freed here only. What the job borrows,
        // a loaded signature, is not touched by this.
        unsafe { sys::rs_job_free(self.raw.as_ptr()) };
    }
}
