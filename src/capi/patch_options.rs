//! Options and summary of a patch.

use std::ffi::c_int;
use std::path::Path;

use super::arguments::invalid;
use super::call::Call;
use super::choice::choose;
use super::error::Outcome;
use super::identity::frazil_identity;
use super::input::frazil_input;
use super::observer::{Watching, frazil_observer};
use super::patch::DOING;
use super::sized::{Growing, Report, size_through, unused};
use super::status::frazil_status;
use crate::patch::open_basis;
use crate::{PatchOptions, PatchSummary, ReadAt, VerifyBasis};

/// When the basis is held against the fingerprint that a sealed delta carries.
#[repr(C)]
#[derive(Clone, Copy)]
pub enum frazil_verify_basis {
    /// Before, or after where a file is published, which is never wrong either way.
    FRAZIL_VERIFY_BASIS_DEFAULT = 0,
    /// Before the first byte comes out, by one more reading of it.
    FRAZIL_VERIFY_BASIS_BEFORE = 1,
    /// By the result alone: what comes out till the end is provisional.
    FRAZIL_VERIFY_BASIS_AFTER = 2,
}

/// Options of a patch or a chain. Zero is the default of each.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct frazil_patch_options {
    /// The size of this struct, as `frazil_patch_options_init` sets it.
    pub size: usize,
    /// The most bytes that may come out; 0 for 1 TiB. A sealed delta that declares more is refused before
    /// anything is made.
    pub max_output: u64,
    /// Bytes that the index of all levels of a chain may take together; 0 for 8 MiB.
    pub index_memory: u64,
    /// A `frazil_verify_basis`: when the basis is verified.
    pub verify_basis: c_int,
    /// Whether a file that is there already may be replaced.
    pub replace: c_int,
    /// How many threads verify; 0 for as many as there are processors.
    pub threads: u32,
    /// Keep it 0.
    pub reserved: u32,
    /// Who follows the work and may stop it, or NULL.
    pub observer: *const frazil_observer,
    /// The basis where it has no path, for the functions that take a `basis_path`, which is then NULL; all
    /// others refuse it. Or NULL.
    pub basis: *const frazil_input,
}

// SAFETY: numbers and pointers, which may be NULL.
unsafe impl Growing for frazil_patch_options {
    const FIRST_SIZE: usize = size_through!(Self, basis);
}

/// Makes the default options, of `size` bytes: `sizeof (frazil_patch_options)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_patch_options_init(options: *mut frazil_patch_options, size: usize) {
    // SAFETY: the arguments are the caller's, who keeps to the header.
    let call = unsafe { Call::infallible() };
    call.init(options, size);
}

/// What a finished patch or chain is.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct frazil_patch_summary {
    /// The size of this struct, as `frazil_patch_summary_init` sets it.
    pub size: usize,
    /// Bytes of the target.
    pub output_bytes: u64,
    /// Bytes of the deltas.
    pub stream_bytes: u64,
    /// The target, which was verified; zeros where `verified` is 0.
    pub identity: frazil_identity,
    /// 1 if the target was held against what the stream promises of it; 0 for a plain delta, which
    /// promises nothing.
    pub verified: c_int,
    /// 1 if the source had changed while the level was made, else 0.
    pub dirty: c_int,
    /// 1 if blocks were matched on sums that cannot be trusted to tell contents apart, else 0.
    pub weak: c_int,
    /// 0.
    pub reserved: c_int,
}

// SAFETY: numbers.
unsafe impl Growing for frazil_patch_summary {
    const FIRST_SIZE: usize = size_through!(Self, reserved);
}

/// Makes a summary that can be filled, of `size` bytes: `sizeof (frazil_patch_summary)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn frazil_patch_summary_init(summary: *mut frazil_patch_summary, size: usize) {
    // SAFETY: the arguments are the caller's, who keeps to the header.
    let call = unsafe { Call::infallible() };
    call.init(summary, size);
}

impl From<&PatchSummary> for frazil_patch_summary {
    fn from(summary: &PatchSummary) -> Self {
        Self {
            size: 0,
            output_bytes: summary.output_bytes,
            stream_bytes: summary.stream_bytes,
            identity: summary.identity.as_ref().map(Into::into).unwrap_or_default(),
            verified: summary.identity.is_some().into(),
            dirty: summary.dirty.into(),
            weak: summary.weak.into(),
            reserved: 0,
        }
    }
}

/// What the options of a patch ask for.
pub(super) struct PatchPlan {
    pub(super) options: PatchOptions,
    pub(super) watching: Watching,
    /// Until it is taken.
    basis: Option<Box<dyn ReadAt>>,
}

impl PatchPlan {
    /// Takes the basis: the file at `path`, what the options name, or nothing.
    pub(super) fn basis(&mut self, path: Option<&Path>) -> Outcome<Box<dyn ReadAt>> {
        match (self.basis.take(), path) {
            (None, path) => Ok(open_basis(path)?),
            (Some(basis), None) => Ok(basis),
            (Some(_), Some(_)) => Err(invalid("`basis_path` and the `basis` of the options are both given")),
        }
    }

    /// Does all of the work in one go, and tells the caller of it.
    pub(super) fn run(
        self,
        report: Report<frazil_patch_summary>,
        work: impl FnOnce(PatchOptions) -> crate::Result<PatchSummary>,
    ) -> Outcome {
        if self.basis.is_some() {
            return Err(invalid("the options name a `basis`, where another argument says what it is"));
        }
        report.set(&(&work(self.options).map_err(|error| self.watching.explain(DOING, error))?).into());
        Ok(frazil_status::FRAZIL_OK)
    }
}

impl Call {
    pub(super) fn patch_plan(&self, options: *const frazil_patch_options) -> Outcome<PatchPlan> {
        use frazil_verify_basis as verify;
        let given = self.options(options, "options")?;
        unused(given.reserved)?;
        let watching = self.watching(given.observer)?;
        let times = [
            (verify::FRAZIL_VERIFY_BASIS_DEFAULT as c_int, None),
            (verify::FRAZIL_VERIFY_BASIS_BEFORE as c_int, Some(VerifyBasis::Before)),
            (verify::FRAZIL_VERIFY_BASIS_AFTER as c_int, Some(VerifyBasis::After)),
        ];
        let mut options = PatchOptions::new().replace(given.replace != 0).threads(given.threads as usize);
        if let Some(when) = choose(given.verify_basis, "verify_basis", times)? {
            options = options.verify_basis(when);
        }
        if given.max_output > 0 {
            options = options.max_output(given.max_output);
        }
        if given.index_memory > 0 {
            options = options.index_memory(given.index_memory);
        }
        if let Some(observer) = watching.observer() {
            options = options.observer(observer);
        }
        let basis = self.optional(given.basis).map(|basis| self.input(basis, "basis")).transpose()?;
        Ok(PatchPlan { options, watching, basis })
    }
}
