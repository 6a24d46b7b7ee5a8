//! What `make install` puts where, and that programs are built on it: by pkg-config and by CMake, with the shared
//! and with the static library, wherever it has been moved to.

#[path = "packaging/installation.rs"]
mod installation;
#[path = "packaging/libraries.rs"]
mod libraries;
#[path = "packaging/manual.rs"]
mod manual;
#[path = "packaging/programs.rs"]
mod programs;

use installation::{Installation, listed};

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Before 1.0 the minor version is part of the name.
const ABI: &str = concat!(env!("CARGO_PKG_VERSION_MAJOR"), ".", env!("CARGO_PKG_VERSION_MINOR"));

/// What belongs below the prefix, as `listed` has it.
fn expected() -> Vec<String> {
    let mut files = vec![
        "bin/frazil 755".to_owned(),
        "include/frazil.h 644".to_owned(),
        "include/frazil.hpp 644".to_owned(),
        "lib/cmake/frazil/frazil-config-version.cmake 644".to_owned(),
        "lib/cmake/frazil/frazil-config.cmake 644".to_owned(),
        "lib/libfrazil.a 644".to_owned(),
        format!("lib/libfrazil.so -> libfrazil.so.{ABI}"),
        format!("lib/libfrazil.so.{ABI} -> libfrazil.so.{VERSION}"),
        format!("lib/libfrazil.so.{VERSION} 755"),
        "lib/pkgconfig/frazil.pc 644".to_owned(),
        "share/bash-completion/completions/frazil 644".to_owned(),
        "share/doc/frazil/LICENSE-APACHE 644".to_owned(),
        "share/doc/frazil/LICENSE-MIT 644".to_owned(),
        "share/doc/frazil/LICENSE.md 644".to_owned(),
        "share/doc/frazil/librsync-COPYING 644".to_owned(),
        "share/fish/vendor_completions.d/frazil.fish 644".to_owned(),
        "share/man/man1/frazil.1 644".to_owned(),
        "share/zsh/site-functions/_frazil 644".to_owned(),
    ];
    let commands = ["backup", "compare", "delta", "level", "list", "patch", "restore", "show", "signature", "verify"];
    files.extend(commands.map(|name| format!("share/man/man1/frazil-{name}.1 644")));
    files.sort();
    files
}

#[test]
fn everything_is_put_in_its_place_and_taken_away_again() {
    let installation = Installation::new(&[]);
    assert_eq!(listed(&installation.stage().join("usr/local")), expected());
    assert_eq!(listed(&installation.stage()).len(), expected().len(), "something is outside of the prefix");

    let neighbour = installation.stage().join("usr/local/lib/libneighbour.a");
    std::fs::write(&neighbour, "").unwrap();
    installation.uninstall();
    assert_eq!(listed(&installation.stage()), ["usr/local/lib/libneighbour.a 644"]);
    for directory in ["lib/cmake/frazil", "share/doc/frazil"] {
        assert!(!installation.stage().join("usr/local").join(directory).exists(), "{directory}");
    }
}

#[test]
fn each_directory_can_be_elsewhere() {
    let places = [
        ("PREFIX", "/opt/frazil", ""),
        ("BINDIR", "/a", "frazil"),
        ("INCLUDEDIR", "/b", "frazil.h"),
        ("LIBDIR", "/c", "libfrazil.a"),
        ("MANDIR", "/d", "man1/frazil.1"),
        ("BASHCOMPDIR", "/e", "frazil"),
        ("FISHCOMPDIR", "/f", "frazil.fish"),
        ("ZSHCOMPDIR", "/g", "_frazil"),
        ("PKGCONFIGDIR", "/h", "frazil.pc"),
        ("CMAKEDIR", "/i", "frazil-config.cmake"),
        ("DOCDIR", "/j", "LICENSE.md"),
    ];
    let variables: Vec<String> = places.iter().map(|(variable, place, _)| format!("{variable}={place}")).collect();
    let installation = Installation::new(&variables.iter().map(String::as_str).collect::<Vec<_>>());
    for (variable, place, file) in &places[1..] {
        assert!(installation.stage().join(&place[1..]).join(file).is_file(), "{variable}");
    }
    assert!(!installation.stage().join("opt").exists(), "{:?}", listed(&installation.stage()));
    installation.uninstall();
    assert_eq!(listed(&installation.stage()), [""; 0]);
}

#[test]
fn a_relative_prefix_is_refused() {
    for variable in ["PREFIX=here", "LIBDIR=lib"] {
        let output =
            installation::make("install", &[variable.to_owned(), "BUILT=nowhere".to_owned()]).output().unwrap();
        assert!(!output.status.success());
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains(&format!("not an absolute path: {}", variable.split('=').nth(1).unwrap())), "{said}");
    }
}
