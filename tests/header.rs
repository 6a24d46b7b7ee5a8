//! The C header is what the Rust sources say, and of their version, and so is what is kept of it for clients of the
//! release to come.

use std::path::{Path, PathBuf};

fn at(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn read(path: &str) -> String {
    std::fs::read_to_string(at(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The header as cbindgen makes it from the sources.
fn generated() -> String {
    let config = cbindgen::Config::from_file(at("cbindgen.toml")).unwrap();
    // The C interface alone: given the whole crate, cbindgen runs `cargo metadata` first.
    let builder = cbindgen::Builder::new().with_config(config).with_src(at("src/capi/mod.rs"));
    let mut header = Vec::new();
    builder.generate().unwrap().write(&mut header);
    String::from_utf8(header).unwrap()
}

/// Holds a file to what it has to be, and makes it so when asked to.
fn expect(path: &str, expected: &str) {
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(at(path), expected).unwrap();
    }
    assert!(
        read(path) == expected,
        "{path} is not what it has to be; write it anew with: BLESS=1 cargo test --test header"
    );
}

#[test]
fn the_committed_header_is_the_generated_one() {
    let generated = generated();
    assert!(generated.contains("const char *frazil_version(void);"), "{generated}");
    expect("include/frazil.h", &generated);
}

/// What is frozen is what was released; until then, it is what there is.
#[test]
fn what_is_frozen_is_what_is_to_be_released() {
    let unreleased = format!("## [{}] - unreleased", env!("CARGO_PKG_VERSION"));
    if !read("CHANGELOG.md").lines().any(|line| line == unreleased) || env!("CARGO_PKG_VERSION_PATCH") != "0" {
        return;
    }
    let frozen = concat!("tests/vectors/abi/", env!("CARGO_PKG_VERSION_MAJOR"), ".", env!("CARGO_PKG_VERSION_MINOR"));
    expect(&format!("{frozen}/frazil.h"), &generated());
    for name in ["layout.c", "constants.c"] {
        expect(&format!("{frozen}/{name}"), &read(&format!("tests/c/{name}")));
    }
}

#[test]
fn the_version_macros_are_the_crates_version() {
    let header = read("include/frazil.h");
    let macros = [
        ("FRAZIL_VERSION_MAJOR", env!("CARGO_PKG_VERSION_MAJOR").to_owned()),
        ("FRAZIL_VERSION_MINOR", env!("CARGO_PKG_VERSION_MINOR").to_owned()),
        ("FRAZIL_VERSION_PATCH", env!("CARGO_PKG_VERSION_PATCH").to_owned()),
        ("FRAZIL_VERSION", format!("{:?}", env!("CARGO_PKG_VERSION"))),
    ];
    for (name, value) in macros {
        let line = format!("#define {name} {value}");
        assert_eq!(header.lines().filter(|&found| found == line).count(), 1, "{line}");
    }
}
