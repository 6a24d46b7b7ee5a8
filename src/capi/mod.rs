//! The C ABI: one file for each noun, over the modules of the crate.
//!
//! `include/frazil.h` is generated from here by cbindgen, in the order of the modules below; the test
//! `header` holds it to that. The documentation of what is exported is written to be read in C.
//!
//! Every exported function begins a [`call::Call`], through which alone it looks at its arguments, and
//! does its work inside [`call::Call::guard`]. Pointers of C are followed in the files of the first group
//! alone, and its callbacks are called where they become a reader, a writer, an observer or what is told
//! of entries. No symbol of a program but these begins with `frazil_`, which is what `no_mangle` wants to
//! be sure of.

#![expect(unreachable_pub, reason = "C reaches what Rust does not")]
#![allow(non_camel_case_types, reason = "the names are C's")]

mod arguments;
mod call;
mod choice;
mod descriptor;
mod handle;
mod sized;

mod version;

mod status;

mod error;

mod stream;

mod input;

mod action;

mod entry_report;

mod metadata;

mod entry;

mod observer;

mod identity;

mod format;

mod sums;

mod blueprint;

mod signature;

mod signature_fields;

mod comparison;

mod inspection;

mod level;

mod level_options;

mod level_writer;

mod patch;

mod patch_options;

mod patch_writer;

mod patch_file;

#[cfg(feature = "tree")]
mod level_id;

#[cfg(feature = "tree")]
mod selection;

#[cfg(feature = "tree")]
mod backup;

#[cfg(feature = "tree")]
mod backup_options;

#[cfg(feature = "tree")]
mod restore;

#[cfg(feature = "tree")]
mod recovery;

#[cfg(feature = "tree")]
mod restore_options;

#[cfg(feature = "tree")]
mod told_entry;

#[cfg(feature = "tree")]
mod archive;

#[cfg(feature = "tree")]
mod snapshot;

#[cfg(feature = "tree")]
mod tree;
