//! The C++ header as programs see it: compiled without a warning by every compiler for every standard that it is for,
//! linked with the shared library and run plain, under sanitizers and under Valgrind.

#[path = "support/c.rs"]
mod c;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use c::{Bench, LEAKS, ROOT, SANITIZED, is_there, output_of};

const CXX17: [&str; 1] = ["-std=c++17"];
const CXX20: [&str; 1] = ["-std=c++20"];

/// Beside what no program here may be warned of.
const STRICTER: [&str; 2] = ["-Wshadow", "-Wconversion"];

fn header() -> String {
    std::fs::read_to_string(Path::new(ROOT).join("bindings/cpp/frazil.hpp")).unwrap()
}

fn header_of_c() -> String {
    std::fs::read_to_string(Path::new(ROOT).join("include/frazil.h")).unwrap()
}

/// What every compiler is told beside `more`.
fn flags<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&STRICTER, &["-I", concat!(env!("CARGO_MANIFEST_DIR"), "/bindings/cpp")], more].concat()
}

fn compile(bench: &Bench, compiler: &str, units: &[PathBuf], standard: &[&str], more: &[&str]) -> PathBuf {
    let units: Vec<&Path> = units.iter().map(PathBuf::as_path).collect();
    bench.compile_units(compiler, &units, standard, &flags(more))
}

fn sources(names: &[&str]) -> Vec<PathBuf> {
    names.iter().map(|name| Path::new(ROOT).join("tests/cpp").join(name)).collect()
}

/// Tries one program of `tests/cpp`: each compiler takes it by both standards, and what one of them makes of it runs.
fn try_program(names: &[&str]) {
    let (units, bench) = (sources(names), Bench::new());
    for (compiler, run, check) in [("g++", &CXX17, &CXX20), ("clang++", &CXX20, &CXX17)] {
        if is_there(compiler) {
            bench.run(&compile(&bench, compiler, &units, run, &[]));
            output_of(bench.strict(compiler, check, &flags(&["-fsyntax-only"])).args(&units));
        }
    }
    let sanitized = compile(&bench, "g++", &units, &CXX17, &SANITIZED);
    // A test that would pass without its sanitizer is none.
    let symbols = output_of(Command::new("nm").arg("--undefined-only").arg(&sanitized));
    assert!(symbols.contains("__asan_init") && symbols.contains("__ubsan"), "{symbols}");
    bench.run(&sanitized);
}

fn try_under_valgrind(name: &str) {
    if is_there("valgrind") {
        let bench = Bench::new();
        let program = compile(&bench, "g++", &sources(&[name]), &CXX17, &[]);
        let (clean, said) = bench.run_under_valgrind("memcheck", &LEAKS, &program);
        assert!(clean, "{name}: {said}");
    }
}

#[test]
fn levels_are_made_and_restored_in_every_form() {
    try_program(&["levels.cpp"]);
}

#[test]
fn failures_and_exceptions_come_out_as_what_they_are() {
    try_program(&["failures.cpp"]);
}

#[test]
fn nothing_leaks_and_nothing_is_touched_when_exceptions_fly() {
    try_under_valgrind("failures.cpp");
}

#[test]
fn sources_and_sinks_are_made_of_what_they_should_be() {
    try_program(&["sources.cpp"]);
}

#[test]
fn the_header_may_be_in_several_units_of_a_program() {
    try_program(&["units.cpp", "other_unit.cpp"]);
}

#[test]
fn trees_are_backed_up_and_restored() {
    try_program(&["trees.cpp"]);
}

/// The observer of a restore that is fed is called by another thread, so its exceptions cross over.
#[test]
fn nothing_leaks_and_nothing_is_touched_when_trees_are_given_up() {
    try_under_valgrind("trees.cpp");
}

/// Only what is built for tests has the function that panics.
#[test]
#[cfg(debug_assertions)]
fn a_panic_becomes_an_exception() {
    let bench = Bench::new();
    bench.run(&compile(&bench, "g++", &sources(&["panic.cpp"]), &CXX17, &[]));
}

/// Plugins show only what they say, and what they throw is caught elsewhere.
#[test]
fn an_error_of_another_shared_object_is_known() {
    for compiler in ["g++", "clang++"] {
        if is_there(compiler) {
            let bench = Bench::new();
            let hidden = flags(&["-fvisibility=hidden", "-fvisibility-inlines-hidden", "-fPIC"]);
            let plugin = bench.dir.path().join("libplugin.so");
            let mut make = bench.strict(compiler, &CXX17, &hidden);
            make.arg("-shared").args(sources(&["plugin.cpp"])).arg("-o").arg(&plugin);
            output_of(make.arg("-L").arg(bench.dir.path()).arg("-lfrazil"));
            let units = [sources(&["plugin_host.cpp"]), vec![plugin]].concat();
            bench.run(&compile(&bench, compiler, &units, &CXX17, &hidden));
        }
    }
}

/// What is loaded by a program that knows nothing of it, and keeps its symbols to itself, as a module of Python is.
#[test]
fn an_error_of_a_plugin_that_is_loaded_on_its_own_is_known() {
    for compiler in ["g++", "clang++"] {
        if is_there(compiler) {
            let bench = Bench::new();
            let hidden = flags(&["-fvisibility=hidden", "-fvisibility-inlines-hidden", "-fPIC"]);
            let plugin = bench.dir.path().join("libplugin.so");
            let mut make = bench.strict(compiler, &CXX17, &hidden);
            make.arg("-shared").args(sources(&["plugin.cpp"])).arg("-o").arg(&plugin);
            output_of(make.arg("-L").arg(bench.dir.path()).arg("-lfrazil"));
            let named = format!("-DPLUGIN=\"{}\"", plugin.display());
            let loading = [hidden.as_slice(), &[named.as_str()]].concat();
            let host: Vec<PathBuf> = sources(&["plugin_host.cpp"]);
            bench.run(&compile(&bench, compiler, &host, &CXX17, &loading));
        }
    }
}

/// The lines of `discarded.cpp` that say of themselves that something is lost there are those that are warned of.
#[test]
fn what_is_not_to_be_discarded_is_warned_of() {
    let source = sources(&["discarded.cpp"]).remove(0);
    let text = std::fs::read_to_string(&source).unwrap();
    let numbered = text.lines().zip(1..);
    let wanted: BTreeSet<usize> = numbered.filter(|(line, _)| line.ends_with("// lost")).map(|(_, at)| at).collect();
    assert!(wanted.len() > 10, "{wanted:?}");
    for compiler in ["g++", "clang++"] {
        if is_there(compiler) {
            let bench = Bench::new();
            let mut command = bench.strict(compiler, &CXX17, &flags(&["-fsyntax-only", "-Werror=unused-result"]));
            let output = command.arg(&source).output().unwrap();
            let said = String::from_utf8(output.stderr).unwrap();
            assert!(!output.status.success(), "{compiler}: {said}");
            let found: BTreeSet<usize> = said
                .lines()
                .filter(|line| line.contains("error:") && line.contains("nodiscard"))
                .map(|line| line.split("discarded.cpp:").nth(1).unwrap().split(':').next().unwrap().parse().unwrap())
                .collect();
            assert_eq!(found, wanted, "{compiler}: {said}");
            assert_eq!(said.matches("error:").count(), wanted.len(), "{compiler}: {said}");
        }
    }
}

/// Calls a function with each field of two structs of C: `each_field(a, b, visit)`.
fn each_field() -> String {
    let mut made = String::from("#include <frazil.h>\n");
    for (name, fields) in structs(&header_of_c()) {
        let visit = |field: &String| format!("    visit(\"{field}\", a.{field}, b.{field});\n");
        let visits: String = fields.iter().map(visit).collect();
        for constness in ["", "const "] {
            let head =
                format!("template <class V> void each_field({constness}{name} &a, {constness}{name} &b, V &&visit)");
            made += &format!("{head} {{\n{visits}}}\n");
        }
    }
    made
}

#[test]
fn every_field_reaches_its_own() {
    let bench = Bench::new();
    std::fs::write(bench.dir.path().join("each_field.hpp"), each_field()).unwrap();
    let here = ["-I", bench.dir.path().to_str().unwrap()];
    bench.run(&compile(&bench, "g++", &sources(&["fields.cpp"]), &CXX17, &here));
}

/// The names that begin with `prefix` and are followed by `next`, outside of comments.
fn names(of: &str, prefix: &str, next: &str) -> BTreeSet<String> {
    let code = of.lines().filter(|line| !line.trim_start().starts_with("//"));
    let is_in_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let starts = code.flat_map(|line| line.match_indices(prefix).map(move |(at, _)| &line[at..]));
    let split = starts.map(|start| start.split_at(start.find(|c| !is_in_name(c)).unwrap_or(start.len())));
    split.filter(|(_, rest)| rest.starts_with(next)).map(|(name, _)| name.to_owned()).collect()
}

/// What is new in C is missed here, be it a function, a constant, or a field of a struct.
#[test]
fn all_that_c_has_is_there() {
    let (c, cpp) = (header_of_c(), header());
    // The header says why.
    let left_out = [
        "FRAZIL_H",
        "frazil_backup_tree",
        "frazil_patch_file_chain",
        "frazil_patch_open_chain",
        "frazil_signature_load_data",
        "frazil_signature_of_data",
        "frazil_signature_save_fd",
    ];
    let is_needed = |name: &String| !name.starts_with("FRAZIL_VERSION") && !left_out.contains(&&**name);
    for (prefix, next) in [("frazil_", "("), ("FRAZIL_", "")] {
        let (there, wanted) = (names(&cpp, prefix, ""), names(&c, prefix, next));
        assert!(wanted.len() > 80, "{wanted:?}");
        let missing: Vec<&String> = wanted.difference(&there).filter(|name| is_needed(name)).collect();
        assert!(missing.is_empty(), "frazil.h has, and frazil.hpp has not: {missing:?}");
    }
    // Their fields are for `fields.cpp`, but for the one struct that is C's here too, and the one that is tried by what
    // is read from it.
    let fields = std::fs::read_to_string(Path::new(ROOT).join("tests/cpp/fields.cpp")).unwrap();
    let tried = names(&fields.replace("frazil::", "frazil_"), "frazil_", "");
    let known = |name: &str| tried.contains(name) || ["frazil_owner_change", "frazil_input"].contains(&name);
    let untried: Vec<_> = structs(&c).into_iter().filter(|(name, _)| !known(name)).collect();
    assert!(untried.is_empty(), "fields.cpp does not try {untried:?}");
}

/// The fields of each struct of the C header that is not opaque, but for its own size and what is reserved.
fn structs(c: &str) -> Vec<(String, Vec<String>)> {
    let mut found = Vec::new();
    let mut fields = None;
    for line in c.lines().map(str::trim).filter(|line| !line.starts_with("//")) {
        if line.starts_with("typedef struct {") {
            fields = Some(Vec::new());
        } else if line == "size_t size;" || line.ends_with(" reserved;") {
        } else if let Some(name) = line.strip_prefix("} ").and_then(|line| line.strip_suffix(';')) {
            found.extend(fields.take().map(|fields: Vec<String>| (name.to_owned(), fields)));
        } else if let Some(fields) = &mut fields {
            // `int (*progress)(…);`, `uint8_t bytes[16];` or `const char *path;`
            let declared = line.split_once("(*").map_or(line, |(_, rest)| rest.split(')').next().unwrap());
            let declared = declared.trim_end_matches(';').split('[').next().unwrap();
            fields.push(declared.rsplit([' ', '*']).next().unwrap().to_owned());
        }
    }
    assert!(found.len() > 15 && found.iter().all(|(_, fields)| !fields.is_empty()), "{found:?}");
    found
}

/// The program at the head of the header compiles under the same rules and runs.
#[test]
fn the_headers_own_program_runs() {
    let header = header();
    let lines = header.lines().skip_while(|line| !line.contains("#include <frazil.hpp>"));
    let lines = lines.take_while(|line| *line == "//" || line.starts_with("//     "));
    let program: String = lines.map(|line| format!("{}\n", line.get(7..).unwrap_or(""))).collect();
    assert!(program.contains("int main()") && program.ends_with("}\n\n"), "{program}");

    let bench = Bench::new();
    let source = bench.dir.path().join("client.cpp");
    std::fs::write(&source, program).unwrap();
    let (mut command, ground) = bench.command(compile(&bench, "g++", &[source], &CXX17, &SANITIZED));
    std::fs::write(ground.path().join("disk.img"), "the content of a disk").unwrap();
    output_of(&mut command);
    assert_eq!(std::fs::read(ground.path().join("restored.img")).unwrap(), b"the content of a disk");
    assert!(ground.path().join("level.0.sig").exists());
}

/// Where the examples run.
struct Examples {
    bench: Bench,
    ground: tempfile::TempDir,
}

impl Examples {
    /// Runs an example with standard input and output in files, and gives its exit status and what it said.
    fn run(&self, name: &str, args: &[&str], stdin: Option<&str>, stdout: &str) -> (Option<i32>, String) {
        let program = self.ground.path().join(name).with_extension("program");
        if !program.exists() {
            let source = Path::new(ROOT).join("bindings/cpp/examples").join(name);
            let made = compile(&self.bench, "g++", &[source], &CXX17, &[]);
            std::fs::rename(made, &program).unwrap();
        }
        let (mut command, _empty) = self.bench.command(program);
        command.args(args).current_dir(self.ground.path()).stderr(Stdio::piped());
        if let Some(stdin) = stdin {
            command.stdin(std::fs::File::open(self.ground.path().join(stdin)).unwrap());
        }
        let output = command.output().unwrap();
        std::fs::write(self.ground.path().join(stdout), &output.stdout).unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    }

    fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.ground.path().join(name)).unwrap()
    }
}

/// Examples are what users copy: each is short, compiles under the same rules and does what it says.
#[test]
fn the_examples_do_what_they_say() {
    let examples = Examples { bench: Bench::new(), ground: tempfile::tempdir().unwrap() };
    for entry in std::fs::read_dir(Path::new(ROOT).join("bindings/cpp/examples")).unwrap() {
        let path = entry.unwrap().path();
        assert!(std::fs::read_to_string(&path).unwrap().lines().count() < 60, "{path:?} is too long");
    }
    let done = |(code, stderr): (Option<i32>, String)| assert_eq!(code, Some(0), "{stderr}");
    let (first, second) = (vec![7; 300_000], [vec![7; 200_000], vec![9; 100_000]].concat());
    std::fs::write(examples.ground.path().join("disk.0"), &first).unwrap();
    std::fs::write(examples.ground.path().join("disk.1"), &second).unwrap();
    done(examples.run("level_of_stream.cpp", &["signature.0"], Some("disk.0"), "level.0"));
    done(examples.run("level_of_stream.cpp", &["signature.1", "signature.0"], Some("disk.1"), "level.1"));
    done(examples.run("restore_levels.cpp", &["restored", "level.0", "level.1"], None, "said"));
    assert!(examples.read("restored") == second, "not what it was");
    done(examples.run("compare.cpp", &["signature.0", "disk.1"], None, "said"));
    let said = String::from_utf8(examples.read("said")).unwrap();
    assert_eq!(said, "0+196608 is the same\n196608+103392 changed\n");

    let cut = examples.read("level.1");
    std::fs::write(examples.ground.path().join("level.1"), &cut[..cut.len() - 5]).unwrap();
    let (code, stderr) = examples.run("restore_levels.cpp", &["never", "level.0", "level.1"], None, "said");
    assert!(code == Some(1) && stderr.contains("restore_levels: "), "{stderr}");
    assert!(!examples.ground.path().join("never").exists());

    if cfg!(feature = "tree") {
        std::fs::create_dir(examples.ground.path().join("home")).unwrap();
        std::fs::write(examples.ground.path().join("home/letter"), "Dear reader").unwrap();
        done(examples.run("tree.cpp", &["home", "archive", "snapshot", "home.restored"], None, "said"));
        let said = String::from_utf8(examples.read("said")).unwrap();
        assert_eq!(said, "2 entries backed up\n1 files restored\n");
        assert_eq!(examples.read("home.restored/letter"), b"Dear reader");
    }
}
