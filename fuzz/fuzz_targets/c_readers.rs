//! Sequences of calls of the C interface that pull: levels and patches over callbacks that fail now and then, read in
//! pieces of any length, ended at any time.
#![no_main]

use std::ffi::{c_char, c_int, c_void};
use std::ptr::{null, null_mut};

use frazil_fuzz::c::{CALLBACK, Handle, REFUSED, SLOTS, STATE, call, made, restores};
use frazil_fuzz::{Input, MAX_OUTPUT};
use libfuzzer_sys::fuzz_target;

type Read = extern "C" fn(*mut c_void, *mut c_void, usize, *mut usize) -> c_int;

unsafe extern "C" {
    fn frazil_level_open_stream(
        read: Read,
        source: *mut c_void,
        basis: Handle,
        options: *const c_void,
        made: *mut Handle,
        error: *mut Handle,
    ) -> c_int;
    fn frazil_level_read(level: Handle, buffer: *mut c_void, len: usize, read: *mut usize, error: *mut Handle)
    -> c_int;
    fn frazil_level_finish(level: Handle, signature: *mut Handle, summary: *mut c_void, error: *mut Handle) -> c_int;
    fn frazil_level_free(level: Handle);
    fn frazil_patch_open_stream(
        basis_path: *const c_char,
        read: Read,
        source: *mut c_void,
        options: *const c_void,
        made: *mut Handle,
        error: *mut Handle,
    ) -> c_int;
    fn frazil_patch_read(patch: Handle, buffer: *mut c_void, len: usize, read: *mut usize, error: *mut Handle)
    -> c_int;
    fn frazil_patch_finish(patch: Handle, summary: *mut c_void, error: *mut Handle) -> c_int;
    fn frazil_patch_free(patch: Handle);
    fn frazil_signature_free(signature: Handle);
}

/// What a callback gives, a piece at a time; after some of them it fails once.
struct Source {
    content: Vec<u8>,
    given: usize,
    piece: usize,
    calls_left: u8,
}

extern "C" fn read(source: *mut c_void, buffer: *mut c_void, len: usize, read: *mut usize) -> c_int {
    // SAFETY: every source is in a box that outlives its reader, which is used by this thread alone.
    let source = unsafe { &mut *source.cast::<Source>() };
    if source.calls_left == 0 {
        source.calls_left = 200;
        return REFUSED;
    }
    source.calls_left -= 1;
    let left = &source.content[source.given..];
    let len = left.len().min(len).min(source.piece);
    // SAFETY: the library has room for what it asks for, and for how much it was.
    unsafe {
        std::ptr::copy_nonoverlapping(left.as_ptr(), buffer.cast(), len);
        *read = len;
    }
    source.given += len;
    0
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Level,
    Patch,
}

/// A level or a patch that is read.
struct Reader {
    kind: Kind,
    handle: Handle,
    source: Box<Source>,
    /// What came out, and whether that was all.
    taken: Vec<u8>,
    is_read: bool,
    /// Of a level, whether it was made against a signature.
    has_basis: bool,
    is_finished: bool,
    /// It has failed for good.
    is_broken: bool,
}

impl Reader {
    fn read(&mut self, len: usize) {
        let mut buffer = vec![0_u8; len];
        let (handle, place) = (self.handle, buffer.as_mut_ptr().cast());
        let mut got = 0;
        let status = call(|error| unsafe {
            match self.kind {
                Kind::Level => frazil_level_read(handle, place, len, &raw mut got, error),
                Kind::Patch => frazil_patch_read(handle, place, len, &raw mut got, error),
            }
        });
        assert!(got <= len && (status == 0 || got == 0), "status {status}, {got} of {len}");
        assert!(!self.is_finished || status == STATE, "what was finished can only be freed: {status}");
        assert!(!self.is_broken || status < 0 || len == 0, "what has failed goes on");
        // A callback that failed is asked again.
        self.is_broken |= status < 0 && status != CALLBACK;
        self.taken.extend_from_slice(&buffer[..got]);
        self.is_read |= status == 0 && got == 0 && len > 0;
    }

    fn finish(&mut self) -> Option<Handle> {
        let mut signature = null_mut();
        let status = call(|error| unsafe {
            match self.kind {
                Kind::Level => frazil_level_finish(self.handle, &raw mut signature, null_mut(), error),
                Kind::Patch => frazil_patch_finish(self.handle, null_mut(), error),
            }
        });
        assert!(status < 0 || !(self.is_finished || self.is_broken), "it is finished twice, or after a failure");
        assert_eq!(!signature.is_null(), status == 0 && self.kind == Kind::Level, "status {status}");
        if status == 0 {
            self.is_finished = true;
            if self.kind == Kind::Level && self.is_read && !self.has_basis {
                restores(&self.taken, &self.source.content);
            }
            assert!(self.kind == Kind::Level || self.is_read, "a patch ended that was not read to its end");
        } else if status != CALLBACK && status != STATE {
            self.is_broken = true;
        }
        Some(signature).filter(|signature| !signature.is_null())
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        unsafe {
            match self.kind {
                Kind::Level => frazil_level_free(self.handle),
                Kind::Patch => frazil_patch_free(self.handle),
            }
        }
    }
}

#[derive(Default)]
struct Session {
    readers: Vec<Reader>,
    signatures: Vec<Handle>,
    /// Levels that were read to their end.
    streams: Vec<Vec<u8>>,
}

impl Session {
    // SAFETY of all calls: handles are those that the library gave, freed once and not used after that; buffers have
    // their true length; NULL stands for what may be left out.

    fn step(&mut self, input: &mut Input<'_>) {
        let (what, which) = (input.byte() % 4, usize::from(input.byte()));
        match what {
            0 => self.open(which, input),
            1 | 2 if !self.readers.is_empty() => {
                let at = which % self.readers.len();
                let len = if what == 1 { input.word() & 0x3fff } else { MAX_OUTPUT as usize };
                if self.readers[at].taken.len() <= MAX_OUTPUT as usize {
                    self.readers[at].read(len);
                }
            }
            3 if !self.readers.is_empty() => {
                let at = which % self.readers.len();
                let signature = self.readers[at].finish();
                let is_new = signature.is_some() && self.readers[at].is_read;
                self.signatures.extend(signature);
                if self.signatures.len() > SLOTS {
                    unsafe { frazil_signature_free(self.signatures.remove(0)) };
                }
                if is_new {
                    self.streams.push(self.readers[at].taken.clone());
                }
            }
            _ => {}
        }
    }

    fn open(&mut self, which: usize, input: &mut Input<'_>) {
        let kind = if which & 1 == 0 { Kind::Level } else { Kind::Patch };
        let (calls_left, piece, len) = (input.byte(), usize::from(input.byte()) * 64 + 1, input.word() & 0x3fff);
        let stream = self.streams.get(which >> 4).filter(|_| kind == Kind::Patch).cloned();
        let content = stream.unwrap_or_else(|| input.bytes(len).to_vec());
        let basis = self.signatures.get(which >> 4).copied().filter(|_| kind == Kind::Level);
        let mut source = Box::new(Source { content, given: 0, piece, calls_left });
        let place: *mut c_void = (&raw mut *source).cast();
        let handle = made(|handle, error| unsafe {
            match kind {
                Kind::Level => {
                    let basis = basis.unwrap_or(null_mut());
                    frazil_level_open_stream(read, place, basis, null(), handle, error)
                }
                Kind::Patch => frazil_patch_open_stream(null(), read, place, null(), handle, error),
            }
        });
        let Some(handle) = handle else { return };
        self.readers.push(Reader {
            kind,
            handle,
            source,
            taken: Vec::new(),
            is_read: false,
            has_basis: basis.is_some(),
            is_finished: false,
            is_broken: false,
        });
        if self.readers.len() > SLOTS {
            self.readers.remove(0);
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.readers.clear();
        self.signatures.drain(..).for_each(|handle| unsafe { frazil_signature_free(handle) });
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
