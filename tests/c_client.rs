//! A C program that includes the header, links with the shared library and runs.

use std::path::PathBuf;
use std::process::Command;

/// The header is included twice, since a guard that fails shows only then.
const PROGRAM: &str = r#"
#include <frazil.h>
#include <frazil.h>
#include <stdio.h>
#include <string.h>

int main(void) {
    puts(frazil_version());
    return strcmp(frazil_version(), FRAZIL_VERSION) != 0;
}
"#;

/// Before 1.0 the minor version is part of the name.
const SONAME: &str = concat!("libfrazil.so.", env!("CARGO_PKG_VERSION_MAJOR"), ".", env!("CARGO_PKG_VERSION_MINOR"));

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

#[test]
fn a_pedantic_c99_program_links_and_prints_the_version() {
    let dir = tempfile::tempdir().unwrap();
    let (source, program) = (dir.path().join("client.c"), dir.path().join("client"));
    std::fs::write(&source, PROGRAM).unwrap();
    // Under its name for the linker and under the name that the loader looks for.
    let library = library_dir().join("libfrazil.so");
    for name in ["libfrazil.so", SONAME] {
        std::os::unix::fs::symlink(&library, dir.path().join(name)).unwrap();
    }

    let mut cc = Command::new("cc");
    cc.args(["-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]);
    cc.arg("-I").arg(concat!(env!("CARGO_MANIFEST_DIR"), "/include"));
    cc.arg(&source).arg("-o").arg(&program).arg("-L").arg(dir.path()).arg("-lfrazil");
    output_of(&mut cc);
    let printed = output_of(Command::new(&program).env("LD_LIBRARY_PATH", dir.path()));
    assert_eq!(printed, format!("{}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn the_shared_library_has_its_versioned_name() {
    let dynamic = output_of(Command::new("readelf").arg("-d").arg(library_dir().join("libfrazil.so")));
    let soname = dynamic.lines().find(|line| line.contains("(SONAME)")).unwrap_or(&dynamic);
    assert!(soname.ends_with(&format!("[{SONAME}]")), "{soname}");
}

#[test]
fn the_shared_library_exports_nothing_but_its_own_names() {
    let mut nm = Command::new("nm");
    nm.args(["-D", "--defined-only", "--format=posix"]).arg(library_dir().join("libfrazil.so"));
    let listing = output_of(&mut nm);
    let names: Vec<&str> = listing.lines().filter_map(|line| line.split(' ').next()).collect();
    let foreign: Vec<&&str> = names.iter().filter(|name| !name.starts_with("frazil_")).collect();
    assert!(foreign.is_empty(), "exported too: {foreign:?}");
    assert!(names.contains(&"frazil_version"), "{names:?}");
}
