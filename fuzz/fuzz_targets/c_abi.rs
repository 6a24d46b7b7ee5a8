//! Sequences of calls of the C interface that hand data in, in any order, on handles that are fresh, used up or ended:
//! each gives a status and an error that agree, none touches what it should not, and what was made restores.
#![no_main]

use std::ffi::{c_char, c_int, c_void};
use std::ptr::{null, null_mut};

use frazil_fuzz::Input;
use frazil_fuzz::c::{Handle, REFUSED, SLOTS, STATE, call, made, restores};
use libfuzzer_sys::fuzz_target;

type Write = extern "C" fn(*mut c_void, *const c_void, usize) -> c_int;

// What the header declares. The functions are in the crate, whether it is linked as a C library or not.
unsafe extern "C" {
    fn frazil_signature_load_data(data: *const c_void, len: usize, made: *mut Handle, error: *mut Handle) -> c_int;
    fn frazil_signature_of_data(
        data: *const c_void,
        len: usize,
        options: *const c_void,
        made: *mut Handle,
        error: *mut Handle,
    ) -> c_int;
    fn frazil_signature_free(signature: Handle);
    fn frazil_comparison_open(old: Handle, new: Handle, made: *mut Handle, error: *mut Handle) -> c_int;
    fn frazil_comparison_next(comparison: Handle, range: *mut [u64; 4], error: *mut Handle) -> c_int;
    fn frazil_comparison_free(comparison: Handle);
    fn frazil_level_writer_new(
        basis: Handle,
        options: *const c_void,
        write: Write,
        sink: *mut c_void,
        made: *mut Handle,
        error: *mut Handle,
    ) -> c_int;
    fn frazil_level_writer_feed(writer: Handle, data: *const c_void, len: usize, error: *mut Handle) -> c_int;
    fn frazil_level_writer_finish(
        writer: Handle,
        signature: *mut Handle,
        summary: *mut c_void,
        error: *mut Handle,
    ) -> c_int;
    fn frazil_level_writer_free(writer: Handle);
    fn frazil_patch_writer_new(
        basis_path: *const c_char,
        options: *const c_void,
        write: Write,
        sink: *mut c_void,
        made: *mut Handle,
        error: *mut Handle,
    ) -> c_int;
    fn frazil_patch_writer_feed(writer: Handle, data: *const c_void, len: usize, error: *mut Handle) -> c_int;
    fn frazil_patch_writer_finish(writer: Handle, summary: *mut c_void, error: *mut Handle) -> c_int;
    fn frazil_patch_writer_free(writer: Handle);
}

/// Takes what a callback is given, until it is to fail.
struct Sink {
    taken: Vec<u8>,
    calls_left: u8,
}

extern "C" fn write(sink: *mut c_void, data: *const c_void, len: usize) -> c_int {
    // SAFETY: every sink is in a box that outlives its writer, which is used by this thread alone.
    let sink = unsafe { &mut *sink.cast::<Sink>() };
    if sink.calls_left == 0 {
        return REFUSED;
    }
    sink.calls_left -= 1;
    // SAFETY: the library gives what it has.
    sink.taken.extend_from_slice(unsafe { std::slice::from_raw_parts(data.cast(), len) });
    0
}

/// A writer of levels or patches: what it was fed, where it writes, and whether it can only be freed.
struct Writer {
    handle: Handle,
    sink: Box<Sink>,
    fed: Vec<u8>,
    /// Whether it was made against a signature.
    has_basis: bool,
    over: bool,
}

/// Feeds or finishes, whatever the state it is in.
fn use_writer(writer: &mut Writer, work: impl FnOnce(Handle, *mut Handle) -> c_int, ends: bool) -> c_int {
    let status = call(|error| work(writer.handle, error));
    if writer.over {
        assert_eq!(status, STATE, "what is over can only be freed");
    }
    writer.over |= ends || status < 0;
    status
}

#[derive(Default)]
struct Session {
    signatures: Vec<Handle>,
    comparisons: Vec<Handle>,
    levels: Vec<Writer>,
    patches: Vec<Writer>,
    streams: Vec<Vec<u8>>,
}

impl Session {
    // SAFETY of all calls below: handles are those that the library gave, freed once and not used after that; data
    // has its true length; NULL stands for what may be left out.

    fn step(&mut self, input: &mut Input<'_>) {
        let (what, which) = (input.byte() % 11, usize::from(input.byte()));
        match what {
            0 => {
                let len = input.word() & 0xfff;
                let data = input.bytes(len);
                self.keep_signature(made(|signature, error| unsafe {
                    frazil_signature_of_data(data.as_ptr().cast(), data.len(), null(), signature, error)
                }));
            }
            1 => {
                let len = input.word() & 0xfff;
                let data = input.bytes(len);
                self.keep_signature(made(|signature, error| unsafe {
                    frazil_signature_load_data(data.as_ptr().cast(), data.len(), signature, error)
                }));
            }
            2 if !self.signatures.is_empty() => {
                let [old, new] = [which, which >> 4].map(|at| self.signatures[at % self.signatures.len()]);
                let opened = made(|comparison, error| unsafe { frazil_comparison_open(old, new, comparison, error) });
                self.comparisons.extend(opened);
                if self.comparisons.len() > SLOTS {
                    unsafe { frazil_comparison_free(self.comparisons.remove(0)) };
                }
            }
            3 if !self.comparisons.is_empty() => {
                let comparison = self.comparisons[which % self.comparisons.len()];
                let mut range = [0; 4];
                call(|error| unsafe { frazil_comparison_next(comparison, &raw mut range, error) });
            }
            4 | 5 => {
                let basis = self.signatures.get(which % SLOTS).copied().filter(|_| which & 0x80 == 0);
                let mut sink = Box::new(Sink { taken: Vec::new(), calls_left: input.byte() });
                let place: *mut c_void = (&raw mut *sink).cast();
                let handle = made(|handle, error| unsafe {
                    match what {
                        4 => {
                            let basis = basis.unwrap_or(null_mut());
                            frazil_level_writer_new(basis, null(), write, place, handle, error)
                        }
                        _ => frazil_patch_writer_new(null(), null(), write, place, handle, error),
                    }
                });
                let Some(handle) = handle else { return };
                let writer = Writer { handle, sink, fed: Vec::new(), has_basis: basis.is_some(), over: false };
                if what == 4 {
                    self.levels.push(writer);
                    if self.levels.len() > SLOTS {
                        unsafe { frazil_level_writer_free(self.levels.remove(0).handle) };
                    }
                } else {
                    self.patches.push(writer);
                    if self.patches.len() > SLOTS {
                        unsafe { frazil_patch_writer_free(self.patches.remove(0).handle) };
                    }
                }
            }
            6 if !self.levels.is_empty() => {
                let at = which % self.levels.len();
                let len = input.word() & 0x3fff;
                let data = input.bytes(len);
                let feed = |writer, error| unsafe {
                    frazil_level_writer_feed(writer, data.as_ptr().cast(), data.len(), error)
                };
                if use_writer(&mut self.levels[at], feed, false) == 0 {
                    self.levels[at].fed.extend_from_slice(data);
                }
            }
            7 if !self.levels.is_empty() => {
                let at = which % self.levels.len();
                let mut signature = null_mut();
                let finish = |writer, error| unsafe {
                    frazil_level_writer_finish(writer, &raw mut signature, null_mut(), error)
                };
                let writer = &mut self.levels[at];
                if use_writer(writer, finish, true) == 0 {
                    if !writer.has_basis {
                        restores(&writer.sink.taken, &writer.fed);
                    }
                    self.streams.push(writer.sink.taken.clone());
                    assert!(!signature.is_null());
                }
                self.keep_signature(Some(signature).filter(|signature| !signature.is_null()));
            }
            8 if !self.patches.is_empty() => {
                // A stream that was made, or any bytes.
                let at = which % self.patches.len();
                let len = input.word() & 0xfff;
                let made = self.streams.get(which >> 4).cloned();
                let data = made.unwrap_or_else(|| input.bytes(len).to_vec());
                let feed = |writer, error| unsafe {
                    frazil_patch_writer_feed(writer, data.as_ptr().cast(), data.len(), error)
                };
                use_writer(&mut self.patches[at], feed, false);
            }
            9 if !self.patches.is_empty() => {
                let at = which % self.patches.len();
                let finish = |writer, error| unsafe { frazil_patch_writer_finish(writer, null_mut(), error) };
                use_writer(&mut self.patches[at], finish, true);
            }
            10 if !self.signatures.is_empty() => {
                let at = which % self.signatures.len();
                unsafe { frazil_signature_free(self.signatures.remove(at)) };
            }
            _ => {}
        }
    }

    fn keep_signature(&mut self, signature: Option<Handle>) {
        self.signatures.extend(signature);
        if self.signatures.len() > SLOTS {
            unsafe { frazil_signature_free(self.signatures.remove(0)) };
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.signatures.drain(..).for_each(|handle| unsafe { frazil_signature_free(handle) });
        self.comparisons.drain(..).for_each(|handle| unsafe { frazil_comparison_free(handle) });
        self.levels.drain(..).for_each(|writer| unsafe { frazil_level_writer_free(writer.handle) });
        self.patches.drain(..).for_each(|writer| unsafe { frazil_patch_writer_free(writer.handle) });
    }
}

fuzz_target!(|data: &[u8]| {
    let mut input = Input(data);
    let mut session = Session::default();
    for _ in 0..64 {
        if input.is_over() {
            break;
        }
        session.step(&mut input);
    }
});
