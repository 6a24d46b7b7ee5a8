//! C and C++ programs: compiled without a warning, linked with the shared library, and run.
#![allow(dead_code, reason = "each suite takes what it needs")]

use std::path::{Path, PathBuf};
use std::process::Command;

pub(crate) const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Before 1.0 the minor version is part of the name.
pub(crate) const SONAME: &str =
    concat!("libfrazil.so.", env!("CARGO_PKG_VERSION_MAJOR"), ".", env!("CARGO_PKG_VERSION_MINOR"));

/// What a compiler may not say about a program here.
const STRICT: [&str; 5] = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-g"];

pub(crate) const SANITIZED: [&str; 3] =
    ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer"];

pub(crate) const C99: [&str; 1] = ["-std=c99"];
pub(crate) const CXX17: [&str; 3] = ["-x", "c++", "-std=c++17"];

/// What Valgrind exits with when it has found something.
const FOUND: i32 = 99;

/// What is still reachable at the end belongs to the runtimes.
pub(crate) const LEAKS: [&str; 3] =
    ["--leak-check=full", "--errors-for-leak-kinds=definite,indirect", "--show-leak-kinds=definite,indirect"];

/// Where cargo puts the libraries that belong to this test: beside it, not a directory higher.
pub(crate) fn library_dir() -> PathBuf {
    std::env::current_exe().unwrap().parent().unwrap().to_owned()
}

pub(crate) fn output_of(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {}\n{stderr}", output.status);
    String::from_utf8(output.stdout).unwrap()
}

/// Whether a tool is installed; `make test` installs them all, and demands them.
pub(crate) fn is_there(tool: &str) -> bool {
    let found = Command::new(tool).arg("--version").output().is_ok_and(|output| output.status.success());
    if !found {
        assert!(std::env::var_os("FRAZIL_REQUIRE_TOOLS").is_none(), "{tool} is not installed");
        eprintln!("{tool} is not installed, so nothing is tried with it");
    }
    found
}

/// A directory with the library under its name for the linker and that for the loader, and a header.
pub(crate) struct Bench {
    pub(crate) dir: tempfile::TempDir,
    include: PathBuf,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self::with_header_in(&Path::new(ROOT).join("include"))
    }

    pub(crate) fn with_header_in(include: &Path) -> Self {
        let dir = tempfile::tempdir().unwrap();
        for name in ["libfrazil.so", SONAME] {
            std::os::unix::fs::symlink(library_dir().join("libfrazil.so"), dir.path().join(name)).unwrap();
        }
        Self { dir, include: include.to_owned() }
    }

    pub(crate) fn compile(&self, compiler: &str, source: &Path, standard: &[&str], more: &[&str]) -> PathBuf {
        self.compile_units(compiler, &[source], standard, more)
    }

    /// Compiles a program of several translation units.
    pub(crate) fn compile_units(&self, compiler: &str, units: &[&Path], standard: &[&str], more: &[&str]) -> PathBuf {
        let program = self.dir.path().join("program");
        let mut cc = self.strict(compiler, standard, more);
        cc.args(units).args(["-x", "none"]).arg("-o").arg(&program);
        cc.arg("-L").arg(self.dir.path()).args(["-lfrazil", "-pthread"]);
        output_of(&mut cc);
        program
    }

    /// A compiler that passes nothing that it could warn of.
    pub(crate) fn strict(&self, compiler: &str, standard: &[&str], more: &[&str]) -> Command {
        let mut cc = Command::new(compiler);
        cc.args(standard).args(STRICT).args(more).arg("-I").arg(&self.include);
        cc
    }

    /// Prepares to run a program in an empty directory of its own.
    pub(crate) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> (Command, tempfile::TempDir) {
        let ground = tempfile::tempdir().unwrap();
        let mut command = Command::new(program);
        command.current_dir(ground.path()).env("LD_LIBRARY_PATH", self.dir.path());
        command.env("ASAN_OPTIONS", "detect_leaks=1");
        (command, ground)
    }

    pub(crate) fn run(&self, program: &Path) {
        let (mut command, _ground) = self.command(program);
        output_of(&mut command);
    }

    /// Runs a program under a tool of Valgrind: whether it found nothing, and what it said.
    pub(crate) fn run_under_valgrind(&self, tool: &str, more: &[&str], program: &Path) -> (bool, String) {
        let (mut command, _ground) = self.command("valgrind");
        command.args(["--quiet", &format!("--tool={tool}"), &format!("--error-exitcode={FOUND}")]).args(more);
        let output = command.arg(program).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(matches!(output.status.code(), Some(0 | FOUND)), "{program:?}: {}\n{said}", output.status);
        (output.status.success(), said)
    }
}
