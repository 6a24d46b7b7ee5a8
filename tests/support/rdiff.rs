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

    fn run(&self, args: &[&OsStr]) -> Vec<u8> {
        let made = self.path("made");
        let output = Command::new("rdiff").arg("-f").args(args).arg(&made).output();
        let output = output.expect("rdiff is installed (Debian: apt-get install rdiff)");
        assert!(output.status.success(), "rdiff {args:?}: {}", String::from_utf8_lossy(&output.stderr));
        fs::read(made).unwrap()
    }

    pub(crate) fn signature(&self, params: &SignatureParams, content: &[u8]) -> Vec<u8> {
        let (block_len, strong_len) = (params.block_len().to_string(), params.strong_len().to_string());
        let weak = if params.weak() == WeakKind::Rollsum { "rollsum" } else { "rabinkarp" };
        let strong = if params.strong() == StrongKind::Md4 { "md4" } else { "blake2" };
        let basis = self.put("basis", content);
        let words = ["-b", &block_len, "-S", &strong_len, "-R", weak, "-H", strong, "signature"];
        let mut args: Vec<&OsStr> = words.iter().map(OsStr::new).collect();
        args.push(basis.as_os_str());
        self.run(&args)
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
