//! The C interface as C and C++ programs see it: they are compiled without a warning, linked with the
//! shared library and run plain, under sanitizers and under Valgrind.

#[path = "support/c.rs"]
mod c;

use std::path::Path;
use std::process::Command;

use c::{Bench, C99, CXX17, LEAKS, ROOT, SANITIZED, is_there, output_of};

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
        let program = bench.compile("cc", &source, &C99, &[]);
        let (clean, said) = bench.run_under_valgrind("memcheck", &LEAKS, &program);
        assert!(clean, "{name}: {said}");
    }
}

#[test]
fn null_is_refused_by_name() {
    try_program("nulls.c");
}

#[test]
fn numbers_and_structs_that_may_not_be_are_refused() {
    try_program("arguments.c");
}

#[test]
fn signatures_are_loaded_saved_and_compared() {
    try_program("signatures.c");
}

#[test]
fn levels_are_made_in_every_form() {
    try_program("levels.c");
}

#[test]
fn patches_are_made_in_every_form() {
    try_program("patches.c");
}

#[test]
fn bases_and_deltas_come_from_files_descriptors_and_callbacks() {
    try_program("inputs.c");
}

#[test]
fn handles_refuse_what_their_state_does_not_allow() {
    try_program("states.c");
}

#[test]
fn callbacks_that_fail_stop_the_work() {
    try_program("callbacks.c");
}

#[test]
fn callbacks_may_not_use_the_handle_that_calls_them() {
    try_program("reentry.c");
}

#[test]
fn a_second_thread_is_refused_while_the_first_is_at_work() {
    try_program("two_threads.c");
}

#[test]
fn signals_reach_what_waits_for_a_descriptor() {
    try_program("signals.c");
}

#[test]
fn work_is_done_without_threads() {
    try_program("no_threads.c");
}

#[test]
fn observers_follow_the_work_and_stop_it() {
    try_program("observers.c");
}

#[test]
fn trees_are_backed_up_and_restored() {
    try_program("trees.c");
}

#[test]
fn threads_with_their_own_handles_do_not_meet() {
    try_program("threads.c");
}

/// Runs a program under Valgrind's detector of data races.
fn races(name: &str) -> (bool, String) {
    let bench = Bench::new();
    let program = bench.compile("cc", &Path::new(ROOT).join("tests/c").join(name), &C99, &[]);
    let suppressions = format!("--suppressions={ROOT}/tests/c/drd.supp");
    bench.run_under_valgrind("drd", &[&suppressions], &program)
}

/// DRD knows the locks of POSIX alone, so the program works on so little that frazil starts no threads.
#[test]
fn threads_with_their_own_handles_do_not_race() {
    if is_there("valgrind") {
        let (clean, said) = races("threads.c");
        assert!(clean, "{said}");
    }
}

/// A detector that would find nothing is none.
#[test]
fn a_race_in_the_callbacks_of_a_program_is_found() {
    if is_there("valgrind") {
        let (clean, said) = races("race.c");
        assert!(!clean && said.contains("Conflicting") && said.contains("race.c"), "{said}");
    }
}

#[test]
fn public_structs_and_constants_are_what_they_were() {
    try_program("layout.c");
    try_program("constants.c");
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
        assert!(std::fs::read_to_string(&path).unwrap().lines().count() < 60, "{path:?} is too long");
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
    let failed = |(code, stderr): (Option<i32>, String), says: &str| {
        assert!(code == Some(1) && stderr.contains(says), "{stderr}");
    };
    let (first, second) = (vec![7; 300_000], [vec![7; 200_000], vec![9; 100_000]].concat());
    std::fs::write(ground.path().join("disk"), &first).unwrap();
    done(run(&level_to_fd, &["disk", "signature.0"], None, "level.0"));
    std::fs::write(ground.path().join("disk"), &second).unwrap();
    done(run(&level_to_fd, &["disk", "signature.1", "signature.0"], None, "level.1"));
    done(run(&restore, &["restored"], Some("level.0"), "nothing"));
    assert_eq!(std::fs::read(ground.path().join("restored")).unwrap(), first);
    done(run(&restore, &["restored"], Some("level.1"), "nothing"));
    assert_eq!(std::fs::read(ground.path().join("restored")).unwrap(), second);
    failed(run(&restore, &["restored"], Some("level.0"), "nothing"), "restore_from_callback: restoring");
    failed(run(&level_to_fd, &["missing", "never"], None, "nothing"), "level_to_fd: opening the source missing: ");

    let tree = compile("tree.c");
    std::fs::create_dir(ground.path().join("home")).unwrap();
    std::fs::write(ground.path().join("home/letter"), "Dear reader").unwrap();
    done(run(&tree, &["home", "archive", "snapshot", "home.restored"], None, "said"));
    let said = std::fs::read_to_string(ground.path().join("said")).unwrap();
    assert_eq!(said, "backed up: done; restored: done\n");
    assert_eq!(std::fs::read(ground.path().join("home.restored/letter")).unwrap(), b"Dear reader");
    failed(run(&tree, &["missing", "archive.2", "never", "never"], None, "said"), "tree: ");
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
