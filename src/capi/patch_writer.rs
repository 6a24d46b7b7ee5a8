//! Patches, in their push form.

use std::ffi::{c_char, c_void};
use std::io::{self, Write};
use std::path::Path;

use super::call::Call;
use super::error::{Outcome, frazil_error};
use super::handle::{Handle, free_handle, give, handle_of};
use super::observer::Watching;
use super::patch::DOING;
use super::patch_options::{PatchPlan, frazil_patch_options, frazil_patch_summary};
use super::status::frazil_status;
use super::stream::{CallbackWriter, frazil_write_fn};
use crate::publish::PublishHoled;
use crate::{PatchWriter, ReadAt, Result, VerifyBasis};

/// Where the target goes.
enum Sink {
    Callback(CallbackWriter),
    File(PublishHoled),
}

impl Sink {
    fn finish(self) -> Result<()> {
        match self {
            Self::Callback(_) => Ok(()),
            Self::File(publish) => publish.commit(),
        }
    }
}

impl Write for Sink {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        match self {
            Self::Callback(callback) => callback.write(data),
            Self::File(publish) => publish.write(data),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Patch {
    writer: PatchWriter<Sink, Box<dyn ReadAt>>,
    watching: Watching,
}

/// A patch that is fed its delta. One call at a time may use it, from any thread.
pub struct frazil_patch_writer(Handle<Patch>);
handle_of!(frazil_patch_writer, Patch);

fn begin(sink: Sink, basis: Option<&Path>, mut plan: PatchPlan) -> Outcome<*mut frazil_patch_writer> {
    let writer = PatchWriter::new(sink, plan.basis(basis)?, plan.options)?;
    Ok(give(frazil_patch_writer(Handle::new("patch", Patch { writer, watching: plan.watching }))))
}

/// Prepares to be fed a delta, to apply it to the file at `basis_path` and to write the target to a
/// callback; NULL is no basis, as for a level 0. `options` may be NULL.
///
/// The callback is called from `frazil_patch_writer_feed` and `_finish`. What it was given is
/// **provisional** until `_finish` has succeeded.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_patch_writer_new(
    basis_path: *const c_char,
    options: *const frazil_patch_options,
    write: frazil_write_fn,
    user_data: *mut c_void,
    writer: *mut *mut frazil_patch_writer,
    error: *mut *mut frazil_error,
) -> frazil_status {
    // SAFETY: the arguments are the caller's, who keeps to the header.
    let call = unsafe { Call::new(error) };
    call.guard(|| {
        let out = call.out(writer, "writer")?;
        let (basis, sink) = (call.optional_path(basis_path), call.writer(write, user_data)?);
        out.set(begin(Sink::Callback(sink), basis, call.patch_plan(options)?)?);
        Ok(frazil_status::FRAZIL_OK)
    })
}

/// As `frazil_patch_writer_new`, into the file at `target_path`, which may be that at `basis_path`: it
/// appears whole at `frazil_patch_writer_finish`, or not at all. Long runs of zeros become holes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_patch_writer_new_file(
    basis_path: *const c_char,
    target_path: *const c_char,
    options: *const frazil_patch_options,
    writer: *mut *mut frazil_patch_writer,
    error: *mut *mut frazil_error,
) -> frazil_status {
    // SAFETY: the arguments are the caller's, who keeps to the header.
    let call = unsafe { Call::new(error) };
    call.guard(|| {
        let out = call.out(writer, "writer")?;
        let (basis, target) = (call.optional_path(basis_path), call.path(target_path, "target_path")?);
        let mut plan = call.patch_plan(options)?;
        // Nothing wrong is published either way.
        plan.options.verify_basis.get_or_insert(VerifyBasis::After);
        let sink = Sink::File(PublishHoled::new(target, plan.options.replace)?);
        out.set(begin(sink, basis, plan)?);
        Ok(frazil_status::FRAZIL_OK)
    })
}

/// Takes all of the `len` bytes of the delta at `data`. If it fails, the patch can only be freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_patch_writer_feed(
    writer: *mut frazil_patch_writer,
    data: *const c_void,
    len: usize,
    error: *mut *mut frazil_error,
) -> frazil_status {
    // SAFETY: the arguments are the caller's, who keeps to the header.
    let call = unsafe { Call::new(error) };
    call.guard(|| {
        let writer = call.reference(writer, "writer")?;
        let delta = call.bytes(data, len, "data")?;
        writer
            .0
            .work_or_end(|patch| patch.writer.write_all(delta).map_err(|error| patch.watching.explain(DOING, error)))?;
        Ok(frazil_status::FRAZIL_OK)
    })
}

/// Ends the delta, verifies the target and publishes it if it is a file; `summary` may be NULL.
/// `FRAZIL_ERR_TRUNCATED` when the delta is not whole. Whatever it returns, the patch can then only be
/// freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_patch_writer_finish(
    writer: *mut frazil_patch_writer,
    summary: *mut frazil_patch_summary,
    error: *mut *mut frazil_error,
) -> frazil_status {
    // SAFETY: the arguments are the caller's, who keeps to the header.
    let call = unsafe { Call::new(error) };
    call.guard(|| {
        let report = call.report(summary, "summary")?;
        let writer = call.reference(writer, "writer")?;
        let finish = |patch: Patch| patch.writer.finish().map_err(|error| patch.watching.explain(DOING, error));
        let (sink, summary) = writer.0.finish(finish)?;
        sink.finish()?;
        report.set(&(&summary).into());
        Ok(frazil_status::FRAZIL_OK)
    })
}

/// Frees a patch, finished or not; a file that was not published leaves nothing. Takes NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_patch_writer_free(writer: *mut frazil_patch_writer) {
    // SAFETY: it was given out by this library, and the caller frees it once.
    unsafe { free_handle(writer) }
}
