//! A level pulled in small pieces through the C interface, and the same in Rust.
#![expect(unsafe_code, reason = "is what is measured")]

use std::ffi::c_void;
use std::hint::black_box;
use std::io::Read;
use std::ptr::{null, null_mut};

use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use frazil::{LevelOptions, LevelReader};

// As in include/frazil.h; what it calls handles and options is passed on, or none.
unsafe extern "C" {
    fn frazil_level_open_stream(
        read: unsafe extern "C" fn(*mut c_void, *mut c_void, usize, *mut usize) -> i32,
        user_data: *mut c_void,
        basis: *const c_void,
        options: *const c_void,
        level: *mut *mut c_void,
        error: *mut *mut c_void,
    ) -> i32;
    fn frazil_level_read(
        level: *mut c_void,
        buffer: *mut c_void,
        len: usize,
        read: *mut usize,
        error: *mut *mut c_void,
    ) -> i32;
    fn frazil_level_finish(
        level: *mut c_void,
        signature: *mut *mut c_void,
        summary: *mut c_void,
        error: *mut *mut c_void,
    ) -> i32;
    fn frazil_level_free(level: *mut c_void);
}

/// What the interface's `frazil_read_fn` is: gives more of the slice that `user_data` points to.
unsafe extern "C" fn give(user_data: *mut c_void, buffer: *mut c_void, len: usize, read: *mut usize) -> i32 {
    // SAFETY: it is the slice that `through_c` gave, which nobody else uses meanwhile.
    let source = unsafe { &mut *user_data.cast::<&[u8]>() };
    // SAFETY: the interface gives `len` bytes to write to.
    let buffer = unsafe { std::slice::from_raw_parts_mut(buffer.cast::<u8>(), len) };
    let given = source.read(buffer).expect("a slice can be read");
    // SAFETY: the interface gives a place for how many.
    unsafe { read.write(given) };
    0
}

fn through_c(mut content: &[u8], buffer: &mut [u8]) {
    let (source, mut level, mut read) = ((&raw mut content).cast(), null_mut(), 0);
    // SAFETY: the source outlives the level; what may be null is null.
    let opened = unsafe { frazil_level_open_stream(give, source, null(), null(), &raw mut level, null_mut()) };
    assert_eq!(opened, 0);
    loop {
        // SAFETY: the level is open, and the buffer is as long as is said.
        let status =
            unsafe { frazil_level_read(level, buffer.as_mut_ptr().cast(), buffer.len(), &raw mut read, null_mut()) };
        assert_eq!(status, 0);
        if read == 0 {
            break;
        }
        black_box(&buffer);
    }
    // SAFETY: the level was read to its end; neither signature nor summary is wanted.
    assert_eq!(unsafe { frazil_level_finish(level, null_mut(), null_mut(), null_mut()) }, 0);
    // SAFETY: it is freed once.
    unsafe { frazil_level_free(level) };
}

fn in_rust(content: &[u8], buffer: &mut [u8]) {
    let mut level = LevelReader::new(content, None, LevelOptions::new()).expect("a level");
    while level.read(buffer).expect("the level's stream") > 0 {
        black_box(&buffer);
    }
    level.finish().expect("a signature");
}

/// Much of one content, so that what a call costs is not lost in the work.
const CONTENT_LEN: usize = 16 << 20;
/// Bytes that one call is asked for.
const PIECES: [usize; 3] = [64, 4 << 10, 64 << 10];

fn bench(bencher: Bencher, piece: usize, pull: fn(&[u8], &mut [u8])) {
    let content = super::random(CONTENT_LEN, super::SEED);
    let mut buffer = vec![0; piece];
    bencher
        .counter(BytesCount::new(CONTENT_LEN))
        .counter(ItemsCount::new(CONTENT_LEN / piece))
        .bench_local(|| pull(&content, &mut buffer));
}

#[divan::bench(args = PIECES, sample_count = 20)]
fn pieces_through_c(bencher: Bencher, piece: usize) {
    bench(bencher, piece, through_c);
}

#[divan::bench(args = PIECES, sample_count = 20)]
fn pieces_in_rust(bencher: Bencher, piece: usize) {
    bench(bencher, piece, in_rust);
}
