//! The C interface as C and C++ programs see it: they are compiled without a warning, linked with the
//! shared library and run plain, under sanitizers and under Valgrind.

use std::path::{Path, PathBuf};
use std::process::Command;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Before 1.0 the minor version is part of the name.
const SONAME: &str = concat!("libfrazil.so.", env!("CARGO_PKG_VERSION_MAJOR"), ".", env!("CARGO_PKG_VERSION_MINOR"));

/// What a compiler may not say about a program here.
const STRICT: [&str; 5] = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-g"];

const SANITIZED: [&str; 3] = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer"];

/// Where cargo puts the libraries that belong to this test: beside it, not a directory higher.
fn library_dir() -> PathBuf {
    std::env::current_exe().unwrap().parent().unwrap().to_owned()
}

fn output_of(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {}\n{stderr}", output.status);
    String::from_utf8(output.stdout).unwrap()
}

/// Whether a tool is installed; `make test` installs them all.
fn is_there(tool: &str) -> bool {
    let found = Command::new(tool).arg("--version").output().is_ok_and(|output| output.status.success());
    if !found {
        eprintln!("{tool} is not installed, so nothing is tried with it");
    }
    found
}

/// A directory with the library under its name for the linker and that for the loader.
struct Bench {
    dir: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        for name in ["libfrazil.so", SONAME] {
            std::os::unix::fs::symlink(library_dir().join("libfrazil.so"), dir.path().join(name)).unwrap();
        }
        Self { dir }
    }

    fn compile(&self, compiler: &str, source: &Path, standard: &[&str], more: &[&str]) -> PathBuf {
        let program = self.dir.path().join("program");
        let mut cc = Command::new(compiler);
        cc.args(standard).args(STRICT).args(more).arg("-I").arg(Path::new(ROOT).join("include"));
        cc.arg(source).args(["-x", "none"]).arg("-o").arg(&program);
        cc.arg("-L").arg(self.dir.path()).args(["-lfrazil", "-pthread"]);
        output_of(&mut cc);
        program
    }

    /// Prepares to run a program in an empty directory of its own.
    fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> (Command, tempfile::TempDir) {
        let ground = tempfile::tempdir().unwrap();
        let mut command = Command::new(program);
        command.current_dir(ground.path()).env("LD_LIBRARY_PATH", self.dir.path());
        command.env("ASAN_OPTIONS", "detect_leaks=1");
        (command, ground)
    }

    fn run(&self, program: &Path) {
        let (mut command, _ground) = self.command(program);
        output_of(&mut command);
    }

    fn run_under_valgrind(&self, program: &Path) {
        let (mut command, _ground) = self.command("valgrind");
        command.args(["--quiet", "--error-exitcode=99", "--leak-check=full"]);
        // What is still reachable at the end belongs to the runtimes.
        command.args(["--errors-for-leak-kinds=definite,indirect", "--show-leak-kinds=definite,indirect"]);
        output_of(command.arg(program));
    }
}

const C99: [&str; 1] = ["-std=c99"];
const CXX17: [&str; 3] = ["-x", "c++", "-std=c++17"];

/// Tries one program of `tests/c` in every way there is.
fn try_program(name: &str) {
    let source = Path::new(ROOT).join("tests/c").join(name);
    let bench = Bench::new();
    let compilers = [("cc", &C99[..]), ("c++", &CXX17[..]), ("clang", &C99[..]), ("clang++", &CXX17[..])];
    for (compiler, standard) in compilers {
        if is_there(compiler) {
            bench.run(&bench.compile(compiler, &source, standard, &[]));
        }
    }
    bench.run(&bench.compile("cc", &source, &C99, &SANITIZED));
    if is_there("valgrind") {
        bench.run_under_valgrind(&bench.compile("cc", &source, &C99, &[]));
    }
}

#[test]
fn arguments_that_may_not_be_are_refused() {
    try_program("arguments.c");
}

#[test]
fn levels_are_made_and_restored_in_every_form() {
    try_program("levels.c");
}

#[test]
fn callbacks_that_fail_stop_the_work() {
    try_program("callbacks.c");
}

#[test]
#[cfg(feature = "tree")]
fn trees_are_backed_up_and_restored() {
    try_program("trees.c");
}

#[test]
fn threads_with_their_own_handles_do_not_meet() {
    try_program("threads.c");
}

#[test]
fn public_structs_keep_their_layout() {
    try_program("layout.c");
}

/// Only what is built for tests has the function that panics.
#[test]
#[cfg(debug_assertions)]
fn a_panic_becomes_a_status() {
    try_program("panic.c");
}

/// Examples are what users copy: each is short, compiles under the same rules and does what it says.
#[test]
fn the_examples_do_what_they_say() {
    let bench = Bench::new();
    let example = |name: &str| Path::new(ROOT).join("bindings/c/examples").join(name);
    for entry in std::fs::read_dir(example("")).unwrap() {
        let path = entry.unwrap().path();
        assert!(std::fs::read_to_string(&path).unwrap().lines().count() < 62, "{path:?} is too long");
    }
    // For POSIX, beside C99.
    let posix = ["-D_POSIX_C_SOURCE=200809L", SANITIZED[0], SANITIZED[1], SANITIZED[2]];
    let compile = |name| {
        let program = bench.compile("cc", &example(name), &C99, &posix);
        let kept = bench.dir.path().join(name).with_extension("");
        std::fs::rename(program, &kept).unwrap();
        kept
    };
    let (level_to_fd, restore) = (compile("level_to_fd.c"), compile("restore_from_callback.c"));

    let ground = tempfile::tempdir().unwrap();
    let run = |program: &Path, args: &[&str], stdin: Option<&str>, stdout: &str| {
        let (mut command, _empty) = bench.command(program);
        command.args(args).current_dir(ground.path());
        if let Some(stdin) = stdin {
            command.stdin(std::fs::File::open(ground.path().join(stdin)).unwrap());
        }
        let output = command.stderr(std::process::Stdio::piped()).output().unwrap();
        std::fs::write(ground.path().join(stdout), &output.stdout).unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let done = |(code, stderr): (Option<i32>, String)| assert_eq!(code, Some(0), "{stderr}");
    let (first, second) = (vec![7; 300_000], [vec![7; 200_000], vec![9; 100_000]].concat());
    std::fs::write(ground.path().join("disk"), &first).unwrap();
    done(run(&level_to_fd, &["disk", "signature.0"], None, "level.0"));
    std::fs::write(ground.path().join("disk"), &second).unwrap();
    done(run(&level_to_fd, &["disk", "signature.1", "signature.0"], None, "level.1"));
    done(run(&restore, &["restored"], Some("level.0"), "nothing"));
    assert_eq!(std::fs::read(ground.path().join("restored")).unwrap(), first);
    done(run(&restore, &["restored"], Some("level.1"), "nothing"));
    assert_eq!(std::fs::read(ground.path().join("restored")).unwrap(), second);
    let (code, stderr) = run(&restore, &["restored"], Some("level.0"), "nothing");
    assert!(code == Some(1) && stderr.contains("restore_from_callback: "), "{stderr}");

    if cfg!(feature = "tree") {
        let tree = compile("tree.c");
        std::fs::create_dir(ground.path().join("home")).unwrap();
        std::fs::write(ground.path().join("home/letter"), "Dear reader").unwrap();
        done(run(&tree, &["home", "archive", "snapshot", "home.restored"], None, "said"));
        let said = std::fs::read_to_string(ground.path().join("said")).unwrap();
        assert_eq!(said, "backed up: done; restored: done\n");
        assert_eq!(std::fs::read(ground.path().join("home.restored/letter")).unwrap(), b"Dear reader");
    }
}

/// The program at the head of the header compiles under the same rules and runs.
#[test]
fn the_headers_own_program_runs() {
    let header = std::fs::read_to_string(Path::new(ROOT).join("include/frazil.h")).unwrap();
    let lines = header.lines().skip_while(|line| !line.contains("#include <frazil.h>"));
    let lines = lines.take_while(|line| *line == "//" || line.starts_with("//     "));
    let program: String = lines.map(|line| format!("{}\n", line.get(7..).unwrap_or(""))).collect();
    assert!(program.contains("int main(void)") && program.ends_with("}\n\n"), "{program}");

    let bench = Bench::new();
    let source = bench.dir.path().join("client.c");
    std::fs::write(&source, program).unwrap();
    let (mut command, ground) = bench.command(bench.compile("cc", &source, &C99, &SANITIZED));
    std::fs::write(ground.path().join("disk.img"), "the content of a disk").unwrap();
    output_of(&mut command);
    assert_eq!(std::fs::read(ground.path().join("restored.img")).unwrap(), b"the content of a disk");
    assert!(ground.path().join("level.0.sig").exists());
}

/// A test that would pass without its sanitizer is none.
#[test]
fn the_sanitizers_are_in_what_they_are_to_check() {
    let bench = Bench::new();
    let program = bench.compile("cc", &Path::new(ROOT).join("tests/c/panic.c"), &C99, &SANITIZED);
    let symbols = output_of(Command::new("nm").arg("--undefined-only").arg(program));
    assert!(symbols.contains("__asan_init") && symbols.contains("__ubsan"), "{symbols}");
}

#[test]
fn the_shared_library_has_its_versioned_name() {
    let dynamic = output_of(Command::new("readelf").arg("-d").arg(library_dir().join("libfrazil.so")));
    let soname = dynamic.lines().find(|line| line.contains("(SONAME)")).unwrap_or(&dynamic);
    assert!(soname.ends_with(&format!("[{SONAME}]")), "{soname}");
}

/// The names that the shared library exports.
fn exported() -> Vec<String> {
    let mut nm = Command::new("nm");
    nm.args(["-D", "--defined-only", "--format=posix"]).arg(library_dir().join("libfrazil.so"));
    output_of(&mut nm).lines().filter_map(|line| line.split(' ').next().map(str::to_owned)).collect()
}

#[test]
fn the_shared_library_exports_what_the_header_declares_and_nothing_else() {
    let header = std::fs::read_to_string(Path::new(ROOT).join("include/frazil.h")).unwrap();
    let declared = |name: &str| header.contains(&format!("{name}("));
    let names = exported();
    let is_hook = |name: &str| cfg!(debug_assertions) && name == "frazil_test_panic";
    let foreign: Vec<&String> = names.iter().filter(|name| !declared(name) && !is_hook(name)).collect();
    assert!(foreign.is_empty(), "exported and not declared: {foreign:?}");
    if cfg!(feature = "tree") {
        let declarations = header.lines().filter(|line| !line.starts_with("//") && !line.starts_with("typedef"));
        for line in declarations {
            let Some(name) = line.split('(').next().and_then(|start| start.rsplit([' ', '*']).next()) else { continue };
            if line.contains('(') && name.starts_with("frazil_") {
                assert!(names.iter().any(|exported| exported == name), "declared and not exported: {name}");
            }
        }
    }
}
