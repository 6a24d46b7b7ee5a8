//! What the process holds: bytes of the heap, and descriptors.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicIsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

static HELD: AtomicIsize = AtomicIsize::new(0);

/// Counts the bytes that are allocated and not freed, of all threads: what one allocates another frees.
pub(crate) struct Counting;

// SAFETY: every call is passed on to the system's allocator as it is; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        HELD.fetch_add(layout.size() as isize, Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size() as isize, Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// Bytes and descriptors.
fn held() -> (isize, usize) {
    let descriptors = std::fs::read_dir("/proc/self/fd").expect("/proc/self/fd").count();
    (HELD.load(Ordering::Relaxed), descriptors)
}

/// One test at a time: they count what all of them hold.
static ALONE: Mutex<()> = Mutex::new(());

pub(crate) fn alone<T>(work: impl FnOnce() -> T) -> T {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    work()
}

/// How often `work` is tried anew, when something else was going on: a leak leaks every time.
const TRIES: u32 = 5;

/// Runs `work`, after which the process holds what it held before.
#[track_caller]
pub(crate) fn leaving_nothing<T: Copy>(what: &str, work: impl Fn() -> T) -> T {
    let mut leaks = Vec::with_capacity(TRIES as usize);
    for _ in 0..TRIES {
        let before = held();
        let result = work();
        // A thread gives its last back shortly after it was waited for.
        for _ in 0..20 {
            if held() == before {
                return result;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        let after = held();
        leaks.push((after.0 - before.0, after.1 as isize - before.1 as isize));
    }
    panic!("{what}: leaks bytes and descriptors: {leaks:?}");
}
