//! The C ABI: one file for each noun, over the modules of the crate.
//!
//! `include/frazil.h` is generated from here by cbindgen; the test `header` holds it to that.

#![expect(unreachable_pub, reason = "C reaches what Rust does not")]

mod version;
