//! What programs that are there already rely on: the names that are exported, and that a client compiled
//! against the header of an earlier version still runs.

#[path = "support/c.rs"]
mod c;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use c::{Bench, C99, ROOT, SANITIZED, SONAME, library_dir, output_of};

fn read(path: impl AsRef<Path>) -> String {
    let path = Path::new(ROOT).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path:?}: {error}"))
}

/// A header without its comments and macros, a declaration each.
fn declarations(header: &str) -> Vec<String> {
    let is_code = |line: &&str| !line.trim_start().starts_with("//") && !line.starts_with('#');
    let code = header.lines().filter(is_code).collect::<Vec<_>>().join("\n");
    let code = code.replace("extern \"C\" {", "");
    code.split_inclusive(['{', '}', ';']).map(|part| part.trim().to_owned()).collect()
}

/// The functions that a header declares, each with its arguments.
fn functions(header: &str) -> Vec<(String, String)> {
    let function = |declaration: &String| {
        let (before, arguments) = declaration.split_once('(')?;
        let name = before.rsplit([' ', '*', '\n']).next()?;
        let is_function = name.starts_with("frazil_") && !before.contains("typedef");
        is_function.then(|| (name.to_owned(), arguments.to_owned()))
    };
    declarations(header).iter().filter_map(function).collect()
}

/// The fields of each struct that a header defines.
fn structs(header: &str) -> Vec<(String, Vec<String>)> {
    let mut found = Vec::new();
    let mut fields = None;
    for declaration in declarations(header) {
        if declaration == "typedef struct {" {
            fields = Some(Vec::new());
        } else if declaration == "}" || declaration.starts_with("typedef") {
            continue;
        } else if let Some(open) = &mut fields {
            // The name follows the closing brace; a callback's is in brackets, an array's before them.
            match declaration.strip_suffix(';').filter(|name| name.starts_with("frazil_") && !name.contains(' ')) {
                Some(name) => found.push((name.to_owned(), fields.take().unwrap_or_default())),
                None => {
                    let callback = declaration.split_once("(*").and_then(|(_, rest)| rest.split_once(')'));
                    let plain = || declaration.trim_end_matches(';').split('[').next()?.rsplit([' ', '*']).next();
                    let name = callback.map(|(name, _)| name).or_else(plain).unwrap_or("");
                    open.push(name.to_owned());
                }
            }
        }
    }
    found
}

/// The names that the shared library exports.
fn exported() -> BTreeSet<String> {
    let mut nm = Command::new("nm");
    nm.args(["-D", "--defined-only", "--format=posix"]).arg(library_dir().join("libfrazil.so"));
    output_of(&mut nm).lines().filter_map(|line| line.split(' ').next().map(str::to_owned)).collect()
}

#[test]
fn the_shared_library_has_its_versioned_name() {
    let dynamic = output_of(Command::new("readelf").arg("-d").arg(library_dir().join("libfrazil.so")));
    let soname = dynamic.lines().find(|line| line.contains("(SONAME)")).unwrap_or(&dynamic);
    assert!(soname.ends_with(&format!("[{SONAME}]")), "{soname}");
}

#[test]
fn the_shared_library_exports_what_the_header_declares_and_nothing_else() {
    let declared: BTreeSet<String> = functions(&read("include/frazil.h")).into_iter().map(|(name, _)| name).collect();
    assert!(declared.len() > 90 && declared.contains("frazil_version"), "{declared:?}");
    let is_hook = |name: &str| cfg!(debug_assertions) && name == "frazil_test_panic";
    let exported: BTreeSet<String> = exported().into_iter().filter(|name| !is_hook(name)).collect();
    let foreign: Vec<_> = exported.difference(&declared).collect();
    assert!(foreign.is_empty(), "exported and not declared: {foreign:?}");
    let missing: Vec<_> = declared.difference(&exported).collect();
    assert!(missing.is_empty(), "declared and not exported: {missing:?}");
}

/// Who knows one form of a function knows the names of the others.
#[test]
fn what_is_read_at_a_path_is_read_from_a_descriptor_and_a_callback_too() {
    let functions = functions(&read("include/frazil.h"));
    let is_there = |name: &str| functions.iter().any(|(there, _)| there == name);
    // The blueprint has its own names.
    let is_blueprint = |name: &str| name.starts_with("frazil_gen_sig_from_") || name.starts_with("frazil_patch_from_");
    let mut seen = 0;
    for (name, arguments) in functions.iter().filter(|(name, _)| !is_blueprint(name)) {
        let has = |wanted: &str| arguments.split(',').any(|argument| argument.trim().starts_with(wanted));
        assert_eq!(has("int fd") || has("const int *fds"), name.ends_with("_fd"), "{name}");
        assert!(!has("frazil_read_fn ") || name.ends_with("_stream"), "{name}");
        for (this, other) in [("_fd", "_stream"), ("_stream", "_fd")] {
            if let Some(plain) = name.strip_suffix(this) {
                let other = format!("{plain}{other}");
                assert!(is_there(&other), "{name} has no {other}");
                let path = if plain.ends_with("_of") { format!("{plain}_path") } else { plain.to_owned() };
                assert!(is_there(&path), "{name} has no {path}");
                seen += 1;
            }
        }
    }
    assert!(seen >= 24, "{seen}");
}

/// A fault would end the program instead of becoming a status.
#[test]
fn no_profile_aborts_on_a_panic() {
    let manifest = read("Cargo.toml");
    assert!(manifest.contains("[profile.release]") && !manifest.lines().any(|line| line.starts_with("panic")));
}

#[test]
fn every_function_is_called_in_a_program_and_every_pointer_is_null_once() {
    let programs = |skip: &str| -> String {
        let sources = std::fs::read_dir(Path::new(ROOT).join("tests/c")).unwrap().map(|entry| entry.unwrap().path());
        sources.filter(|path| !path.ends_with(skip)).map(read).collect()
    };
    let (nulls, others) = (read("tests/c/nulls.c"), programs("nulls.c"));
    for (name, arguments) in functions(&read("include/frazil.h")) {
        let is_called = |source: &str| source.contains(&format!("{name}("));
        assert!(is_called(&others), "no program of tests/c calls {name}");
        let takes_pointer = arguments.contains('*') || arguments.contains("_fn ");
        assert!(!takes_pointer || is_called(&nulls), "tests/c/nulls.c does not call {name}");
    }
}

#[test]
fn the_number_of_every_constant_is_pinned() {
    let (header, constants) = (read("include/frazil.h"), read("tests/c/constants.c"));
    let numbered = header.lines().filter_map(|line| line.trim().strip_suffix(',')?.split_once(" = "));
    let numbered: Vec<_> = numbered.filter(|(name, _)| name.starts_with("FRAZIL_")).collect();
    assert!(numbered.len() > 90, "{numbered:?}");
    for (name, number) in numbered {
        assert!(constants.contains(&format!("    SAME({name}, {number});\n")), "{name} is not pinned to {number}");
    }
}

#[test]
fn the_layout_of_every_struct_is_pinned() {
    let layout = read("tests/c/layout.c");
    let structs = structs(&read("include/frazil.h"));
    assert!(structs.len() > 20, "{structs:?}");
    for (name, fields) in structs {
        let pins = |kind: &str| layout.contains(&format!("{kind}({name}, "));
        assert!(pins("FIXED") || pins("GROWS"), "tests/c/layout.c does not pin {name}");
        assert!(!fields.is_empty(), "{name}");
        for field in fields {
            let pinned = layout.contains(&format!("FIELD({name}, {field}, "));
            assert!(pinned, "tests/c/layout.c does not pin {field} of {name}");
        }
    }
}

/// The first releases of each name that the shared library has had.
fn frozen() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(Path::new(ROOT).join("tests/vectors/abi")).unwrap();
    let mut frozen: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect();
    frozen.sort();
    frozen
}

#[test]
fn clients_of_earlier_versions_still_run() {
    let this = SONAME.trim_start_matches("libfrazil.so.");
    assert!(frozen().iter().any(|dir| dir.ends_with(this)), "tests/vectors/abi has no {this}");
    for dir in frozen() {
        let files: BTreeSet<_> = std::fs::read_dir(&dir).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(
            files,
            ["client.c", "constants.c", "frazil.h", "layout.c"].into_iter().map(Into::into).collect(),
            "{dir:?}"
        );

        let then = Bench::with_header_in(&dir);
        for source in ["layout.c", "constants.c", "client.c"] {
            then.run(&then.compile("cc", &dir.join(source), &C99, &SANITIZED));
        }
        let today = Bench::new();
        for source in ["layout.c", "constants.c", "client.c"] {
            today.run(&today.compile("cc", &dir.join(source), &C99, &["-DLATER"]));
        }
        let exported = exported();
        for (name, _) in functions(&read(dir.join("frazil.h"))) {
            assert!(exported.contains(&name), "{dir:?} has {name}, which is gone");
        }
    }
}
