//! librsync's own command, the peer whose files must be ours and that must take ours.
//!
//! Debian has it in the package `rdiff`; 2.3.2 is the version that the suites were made with.
#![allow(dead_code, reason = "each suite takes what it needs")]

use std::ffi::OsStr;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use frazil::{SignatureParams, StrongKind, WeakKind};

/// Runs `rdiff` on files in a directory of its own.
pub(crate) struct Rdiff {
    dir: tempfile::TempDir,
}

impl Rdiff {
    pub(crate) fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn put(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, content).unwrap();
        path
    }

    /// What rdiff makes, or what it says and its exit status.
    fn try_run(&self, args: &[&OsStr]) -> Result<Vec<u8>, (Option<i32>, String)> {
        let made = self.path("made");
        let output = Command::new("rdiff").arg("-f").args(args).arg(&made).output();
        let output = output.expect("rdiff is installed (Debian: apt-get install rdiff)");
        if output.status.success() {
            Ok(fs::read(made).unwrap())
        } else {
            Err((output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned()))
        }
    }

    fn run(&self, args: &[&OsStr]) -> Vec<u8> {
        self.try_run(args).unwrap_or_else(|error| panic!("rdiff {args:?}: {error:?}"))
    }

    /// A signature with options as they stand on the command line.
    pub(crate) fn signature_with(&self, options: &[&str], content: &[u8]) -> Result<Vec<u8>, (Option<i32>, String)> {
        let basis = self.put("basis", content);
        let mut args: Vec<&OsStr> = options.iter().map(OsStr::new).collect();
        args.extend(["signature".as_ref(), basis.as_os_str()]);
        self.try_run(&args)
    }

    pub(crate) fn signature(&self, params: &SignatureParams, content: &[u8]) -> Vec<u8> {
        let (block_len, strong_len) = (params.block_len().to_string(), params.strong_len().to_string());
        let weak = if params.weak() == WeakKind::Rollsum { "rollsum" } else { "rabinkarp" };
        let strong = if params.strong() == StrongKind::Md4 { "md4" } else { "blake2" };
        let options = ["-b", &block_len, "-S", &strong_len, "-R", weak, "-H", strong];
        self.signature_with(&options, content).unwrap_or_else(|error| panic!("rdiff {options:?}: {error:?}"))
    }

    pub(crate) fn delta(&self, signature: &[u8], new: &[u8]) -> Vec<u8> {
        let (signature, new) = (self.put("signature", signature), self.put("new", new));
        self.run(&["delta".as_ref(), signature.as_ref(), new.as_ref()])
    }

    pub(crate) fn patch(&self, basis: &[u8], delta: &[u8]) -> Vec<u8> {
        let (basis, delta) = (self.put("basis", basis), self.put("delta", delta));
        self.run(&["patch".as_ref(), basis.as_ref(), delta.as_ref()])
    }
}
