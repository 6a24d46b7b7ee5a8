//! What the linker and the loader see of the libraries.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::installation::{Installation, ROOT, built, output_of};
use crate::{ABI, VERSION};

/// The names that `nm`, with these options, shows.
fn names(options: &[&str], library: &Path) -> BTreeSet<String> {
    let mut nm = Command::new("nm");
    let said = output_of(nm.args(options).args(["--format=posix"]).arg(library));
    // Above those of each member of an archive stands which it is, and a colon.
    let lines = said.lines().filter(|line| !line.ends_with(':'));
    lines.filter_map(|line| line.split_once(' ')).map(|(name, _)| name.to_owned()).collect()
}

/// What the dynamic section of a library says under a tag.
fn dynamic(library: &Path, tag: &str) -> Vec<String> {
    let said = output_of(Command::new("readelf").arg("-d").arg(library));
    let lines = said.lines().filter(|line| line.contains(&format!("({tag})")));
    lines.map(|line| line.split(['[', ']']).nth(1).expect(line).to_owned()).collect()
}

#[test]
fn both_libraries_show_the_functions_of_the_header_alone() {
    let installation = Installation::new(&[]);
    let libraries = installation.stage().join("usr/local/lib");
    let shared = names(&["--dynamic", "--defined-only"], &libraries.join("libfrazil.so"));
    let of_archive = names(&["--extern-only", "--defined-only"], &libraries.join("libfrazil.a"));
    assert_eq!(shared, of_archive);
    let header = fs::read_to_string(installation.stage().join("usr/local/include/frazil.h")).unwrap();
    let code = header.lines().filter(|line| !line.trim_start().starts_with("//"));
    // A name before a bracket; in a type of callbacks it stands in brackets itself.
    let named = |line: &str| {
        let (before, _) = line.split_once('(')?;
        Some(before.rsplit([' ', '*']).next()?.to_owned()).filter(|name| name.starts_with("frazil_"))
    };
    let mut declared: BTreeSet<String> = code.filter_map(named).collect();
    assert!(declared.contains("frazil_version") && declared.contains("frazil_backup_open"), "{declared:?}");
    if shared.contains("frazil_test_panic") {
        // Of a build for tests.
        declared.insert("frazil_test_panic".to_owned());
    }
    assert_eq!(shared, declared);
}

/// As optimised builds have it; some binutils then see no function.
#[test]
fn the_functions_are_found_beside_bitcode() {
    let dir = tempfile::tempdir().unwrap();
    let source = "#[unsafe(no_mangle)] pub extern \"C\" fn frazil_answer() -> i32 { 42 }";
    fs::write(dir.path().join("answer.rs"), source).unwrap();
    let mut rustc = Command::new("rustc");
    rustc.args(["--edition=2024", "--crate-type=staticlib", "-Cembed-bitcode=yes", "answer.rs"]);
    output_of(rustc.current_dir(&dir));
    let mut join = Command::new(Path::new(ROOT).join("packaging/static-library"));
    output_of(join.args(["libanswer.a", "joined.a"]).current_dir(&dir));
    let joined = names(&["--extern-only", "--defined-only"], &dir.path().join("joined.a"));
    assert_eq!(joined, BTreeSet::from(["frazil_answer".to_owned()]));
}

#[test]
fn stripped_libraries_show_the_same_functions() {
    let [whole, stripped] = ["install", "install-strip"].map(|target| Installation::by(target, &[]));
    let library = |installation: &Installation, name: &str| installation.stage().join("usr/local/lib").join(name);
    for (name, options) in
        [("libfrazil.so", ["--dynamic", "--defined-only"]), ("libfrazil.a", ["--extern-only", "--defined-only"])]
    {
        let functions = names(&options, &library(&whole, name));
        assert_eq!(names(&options, &library(&stripped, name)), functions, "{name}");
    }
    let sections = output_of(Command::new("readelf").args(["-S", "-W"]).arg(library(&stripped, "libfrazil.so")));
    assert!(!sections.contains(".symtab"), "{sections}");
}

#[test]
fn the_shared_library_needs_what_the_readme_says() {
    let installation = Installation::new(&[]);
    let library = installation.stage().join("usr/local/lib").join(format!("libfrazil.so.{VERSION}"));
    assert_eq!(dynamic(&library, "SONAME"), [format!("libfrazil.so.{ABI}")]);
    let needed = dynamic(&library, "NEEDED").into_iter().map(|name| name.split(".so").next().unwrap().to_owned());
    // The loader comes with the C library, and is called otherwise on each kind of machine.
    let needed: BTreeSet<String> = needed.filter(|name| !name.starts_with("ld-")).collect();

    let readme = fs::read_to_string(Path::new(ROOT).join("README.md")).unwrap();
    let start = "`libfrazil.so` needs";
    let sentence = readme.split(start).nth(1).expect(start).split('.').next().unwrap();
    let said: BTreeSet<String> = sentence.split('`').skip(1).step_by(2).map(str::to_owned).collect();
    assert_eq!(needed, said, "README.md:{sentence}");
}

/// Functions that frazil's librsync has, as another library may have them, and not for frazil to call.
fn another_librsync() -> String {
    let inside = names(&["--extern-only", "--defined-only"], &built().join("libfrazil.a"));
    let functions: Vec<&String> = inside.iter().filter(|name| name.starts_with("rs_job_")).collect();
    assert!(functions.len() > 3, "{functions:?}");
    functions
        .iter()
        .fold("void abort(void);\n".to_owned(), |c, name| c + &format!("void {name}(void) {{ abort(); }}\n"))
}

#[test]
fn a_program_may_have_a_librsync_of_its_own() {
    let installation = Installation::new(&[]);
    let prefix = installation.stage().join("usr/local");
    let dir = installation.stage();
    fs::write(dir.join("other.c"), another_librsync()).unwrap();
    let works = |libraries: &Path, name: &str, arguments: &[&str]| {
        let mut cc = Command::new("cc");
        cc.arg(Path::new(ROOT).join("tests/packaging/librsync.c")).arg(dir.join("other.c"));
        cc.arg("-I").arg(prefix.join("include")).arg(libraries.join(name)).args(arguments);
        let compiled = cc.arg("-o").arg(dir.join("program")).output().unwrap();
        let ground = tempfile::tempdir().unwrap();
        let mut program = Command::new(dir.join("program"));
        program.current_dir(&ground).env("LD_LIBRARY_PATH", libraries);
        let run = compiled.status.success().then(|| program.output().unwrap());
        run.as_ref().is_some_and(|run| run.status.success()) || {
            eprintln!("{name}: {compiled:?}\n{run:?}");
            false
        }
    };
    let libraries = prefix.join("lib");
    assert!(works(&libraries, "libfrazil.so", &["-rdynamic"]));
    assert!(works(&libraries, "libfrazil.a", &["-larchive", "-lm"]));
    // The library as cargo builds it takes the program's functions for its own.
    assert!(!works(built(), "libfrazil.a", &["-larchive", "-lm"]), "cargo's own library would do");
}
