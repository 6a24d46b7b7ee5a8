//! An installation made by `make install`, and programs that are built on it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use tempfile::TempDir;

pub(crate) const ROOT: &str = env!("CARGO_MANIFEST_DIR");

pub(crate) fn output_of(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {}\n{stderr}", output.status);
    String::from_utf8(output.stdout).unwrap()
}

/// What a release has in `target/release`, of what was built for this test: the command, and the libraries beside
/// the test. Without what debuggers read, which is most of it.
pub(crate) fn built() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let built = Path::new(env!("CARGO_TARGET_TMPDIR")).join("packaging");
        fs::create_dir_all(&built).unwrap();
        let deps = std::env::current_exe().unwrap().parent().unwrap().to_owned();
        let command = PathBuf::from(env!("CARGO_BIN_EXE_frazil"));
        for from in [command, deps.join("libfrazil.so"), deps.join("libfrazil.a")] {
            let to = built.join(from.file_name().unwrap());
            output_of(Command::new("strip").arg("--strip-debug").arg("-o").arg(to).arg(from));
        }
        built
    })
}

/// `make`, as from a shell: not knowing of the `make` that runs the tests.
pub(crate) fn make(target: &str, variables: &[String]) -> Command {
    let mut make = Command::new("make");
    make.current_dir(ROOT).arg("--no-print-directory").arg(target).args(variables);
    for variable in ["MAKEFLAGS", "MAKELEVEL", "MFLAGS", "DESTDIR", "PREFIX"] {
        make.env_remove(variable);
    }
    make
}

/// What `make install` put below a DESTDIR.
pub(crate) struct Installation {
    dir: TempDir,
    variables: Vec<String>,
}

impl Installation {
    /// Installs with these variables, such as `PREFIX=/usr`.
    pub(crate) fn new(variables: &[&str]) -> Self {
        Self::by("install", variables)
    }

    /// By another target than `install`.
    pub(crate) fn by(target: &str, variables: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut all: Vec<String> = variables.iter().map(|&variable| variable.to_owned()).collect();
        all.push(format!("DESTDIR={}", dir.path().join("a stage").display()));
        all.push(format!("BUILT={}", built().display()));
        output_of(&mut make(target, &all));
        Self { dir, variables: all }
    }

    pub(crate) fn stage(&self) -> PathBuf {
        self.dir.path().join("a stage")
    }

    /// Moves everything below a part of the stage to another place, and gives that.
    pub(crate) fn moved(&self, part: &str) -> PathBuf {
        let moved = self.dir.path().join("moved away");
        fs::rename(self.stage().join(part), &moved).unwrap();
        moved
    }

    pub(crate) fn uninstall(&self) {
        output_of(&mut make("uninstall", &self.variables));
    }
}

/// Every file and link below a directory, sorted: its path, and its mode or where the link leads.
pub(crate) fn listed(root: &Path) -> Vec<String> {
    let mut find = Command::new("find");
    find.args([".", "(", "-type", "l", "-printf", "%P -> %l\\n", ")", "-o"]);
    find.args(["(", "!", "-type", "d", "-printf", "%P %m\\n", ")"]).current_dir(root);
    let mut listed: Vec<String> = output_of(&mut find).lines().map(str::to_owned).collect();
    listed.sort();
    listed
}

/// An example for C, compiled with these arguments, backs up a tree and restores it.
pub(crate) fn compile_and_run(arguments: &[String], libraries: Option<&Path>) {
    let dir = tempfile::tempdir().unwrap();
    let program = dir.path().join("tree");
    let mut cc = Command::new("cc");
    cc.arg(Path::new(ROOT).join("bindings/c/examples/tree.c")).arg("-o").arg(&program).args(arguments);
    output_of(&mut cc);
    run(&program, libraries);
}

/// Runs the example `tree`, which finds the shared library in this directory.
pub(crate) fn run(program: &Path, libraries: Option<&Path>) {
    let ground = tempfile::tempdir().unwrap();
    fs::create_dir(ground.path().join("home")).unwrap();
    fs::write(ground.path().join("home/letter"), "Dear reader").unwrap();
    let mut command = Command::new(program);
    command.args(["home", "archive", "snapshot", "restored"]).current_dir(ground.path());
    command.env_remove("LD_LIBRARY_PATH");
    if let Some(libraries) = libraries {
        command.env("LD_LIBRARY_PATH", libraries);
    }
    assert_eq!(output_of(&mut command), "backed up: done; restored: done\n");
    assert_eq!(fs::read(ground.path().join("restored/letter")).unwrap(), b"Dear reader");
}
