//! Levels, in their push form.
//!
//! What comes out goes to a callback and not to a buffer that the caller drains: one call may make any
//! amount, so a buffer would have to grow without bound or to refuse input in the middle. Who wants to
//! drain has the pull form.

use std::ffi::c_void;
use std::io::Write;

use super::call::Call;
use super::error::frazil_error;
use super::handle::{Handle, free_handle, give, handle_of};
use super::level::frazil_level_summary;
use super::level_options::frazil_level_options;
use super::observer::Watching;
use super::signature::frazil_signature;
use super::status::frazil_status;
use super::stream::{CallbackWriter, frazil_write_fn};
use crate::LevelWriter;

struct Level {
    writer: LevelWriter<CallbackWriter>,
    watching: Watching,
}

/// A level that is fed its content. One call at a time may use it, from any thread.
pub struct frazil_level_writer(Handle<Level>);
handle_of!(frazil_level_writer, Level);

/// Prepares to be fed content and to write the stream of its level against the signature `basis` to a
/// callback; NULL makes a level 0. `options` may be NULL.
///
/// The callback is called from `frazil_level_writer_feed` and `_finish`, with large pieces. Without
/// `_finish` the stream has no trailer, and no reader will take it for complete.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_level_writer_new(
    basis: *const frazil_signature,
    options: *const frazil_level_options,
    write: frazil_write_fn,
    user_data: *mut c_void,
    writer: *mut *mut frazil_level_writer,
    error: *mut *mut frazil_error,
) -> frazil_status {
    // SAFETY: the arguments are the caller's, who keeps to the header.
    let call = unsafe { Call::new(error) };
    call.guard(|| {
        let out = call.out(writer, "writer")?;
        let sink = call.writer(write, user_data)?;
        let (writer, watching) = call.level_plan(basis, options)?.write(sink)?;
        out.set(give(frazil_level_writer(Handle::new("level", Level { writer, watching }))));
        Ok(frazil_status::FRAZIL_OK)
    })
}

/// Takes all of the `len` bytes of content at `data`. If it fails, the level can only be freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_level_writer_feed(
    writer: *mut frazil_level_writer,
    data: *const c_void,
    len: usize,
    error: *mut *mut frazil_error,
) -> frazil_status {
    // SAFETY: the arguments are the caller's, who keeps to the header.
    let call = unsafe { Call::new(error) };
    call.guard(|| {
        let writer = call.reference(writer, "writer")?;
        let content = call.bytes(data, len, "data")?;
        writer.0.work_or_end(|level| {
            level.writer.write_all(content).map_err(|error| level.watching.explain("making a level", error))
        })?;
        Ok(frazil_status::FRAZIL_OK)
    })
}

/// Ends the content, writes the rest of the stream and gives the new signature; `signature` and `summary`
/// may be NULL. Whatever it returns, the level can then only be freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_level_writer_finish(
    writer: *mut frazil_level_writer,
    signature: *mut *mut frazil_signature,
    summary: *mut frazil_level_summary,
    error: *mut *mut frazil_error,
) -> frazil_status {
    // SAFETY: the arguments are the caller's, who keeps to the header.
    let call = unsafe { Call::new(error) };
    call.guard(|| {
        let outs = call.level_outs(signature, summary)?;
        let writer = call.reference(writer, "writer")?;
        let finish =
            |level: Level| level.writer.finish().map_err(|error| level.watching.explain("making a level", error));
        let (_, summary) = writer.0.finish(finish)?;
        Ok(outs.set(summary))
    })
}

/// Frees a level, finished or not. Takes NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_level_writer_free(writer: *mut frazil_level_writer) {
    // SAFETY: it was given out by this library, and the caller frees it once.
    unsafe { free_handle(writer) }
}
