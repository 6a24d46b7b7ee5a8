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

/// What the static library needs, as `packaging/install` has it.
fn libraries() -> Vec<String> {
    let install = fs::read_to_string(Path::new(ROOT).join("packaging/install")).unwrap();
    let line = install.lines().find_map(|line| line.strip_prefix("libraries='")).unwrap();
    line.trim_end_matches('\'').split(' ').map(str::to_owned).collect()
}

/// The words of a text that name a library for the linker.
fn linked(text: &str) -> Vec<String> {
    let is_edge = |c: char| c.is_whitespace() || c == '`' || c == ',';
    text.split(is_edge).filter_map(|word| word.strip_prefix("-l")).map(str::to_owned).collect()
}

#[test]
fn what_the_static_library_needs_is_said_alike_everywhere() {
    let wanted = libraries();
    let installation = Installation::new(&[]);
    let prefix = installation.stage().join("usr/local");
    let pc = fs::read_to_string(prefix.join("lib/pkgconfig/frazil.pc")).unwrap();
    let private = pc.lines().find(|line| line.starts_with("Libs.private:")).unwrap();
    assert_eq!(linked(private), wanted);
    let cmake = fs::read_to_string(prefix.join("lib/cmake/frazil/frazil-config.cmake")).unwrap();
    assert!(cmake.contains(&format!("INTERFACE_LINK_LIBRARIES \"{}\")", wanted.join(";"))), "{cmake}");

    let docs = fs::read_to_string(Path::new(ROOT).join("docs/packaging.md")).unwrap();
    let start = "What it needs is what rustc says (`--print native-static-libs`): libarchive, and of the system";
    let sentence = docs.split(start).nth(1).expect(start).split('.').next().unwrap();
    assert_eq!(linked(sentence), wanted[1..]);

    // What the standard library needs; frazil itself needs libarchive alone.
    let mut rustc = Command::new("rustc");
    rustc.args(["--crate-type=staticlib", "--print=native-static-libs", "--crate-name=empty", "-o"]);
    let dir = tempfile::tempdir().unwrap();
    let empty = dir.path().join("empty.rs");
    fs::write(&empty, "").unwrap();
    let said = rustc.arg(dir.path().join("libempty.a")).arg(&empty).output().unwrap();
    let said = String::from_utf8(said.stderr).unwrap();
    let line = said.lines().find_map(|line| line.split_once("native-static-libs:")).expect(&said).1;
    let system: BTreeSet<String> = linked(line).into_iter().filter(|name| name != "gcc_s" && name != "c").collect();
    assert_eq!(system, wanted[1..].iter().cloned().collect(), "{line}");
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
    let needed: Vec<String> = libraries().iter().map(|name| format!("-l{name}")).collect();
    let needed: Vec<&str> = needed.iter().map(String::as_str).collect();
    let libraries = prefix.join("lib");
    assert!(works(&libraries, "libfrazil.so", &["-rdynamic"]));
    assert!(works(&libraries, "libfrazil.a", &needed));
    // The library as cargo builds it takes the program's functions for its own.
    assert!(!works(built(), "libfrazil.a", &needed), "cargo's own library would do");
}
