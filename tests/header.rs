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

#[test]
fn no_line_of_the_header_is_wider_than_the_sources() {
    let header = read("include/frazil.h");
    let wide: Vec<&str> = header.lines().filter(|line| line.chars().count() > 120).collect();
    assert!(wide.is_empty(), "{wide:#?}");
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

fn version_number() -> u32 {
    let parts = env!("CARGO_PKG_VERSION").split('.').map(|part| part.parse::<u32>().unwrap());
    parts.fold(0, |number, part| number * 1000 + part)
}

#[test]
fn the_version_macros_are_the_crates_version() {
    let header = read("include/frazil.h");
    let macros = [
        ("FRAZIL_VERSION_MAJOR", env!("CARGO_PKG_VERSION_MAJOR").to_owned()),
        ("FRAZIL_VERSION_MINOR", env!("CARGO_PKG_VERSION_MINOR").to_owned()),
        ("FRAZIL_VERSION_PATCH", env!("CARGO_PKG_VERSION_PATCH").to_owned()),
        ("FRAZIL_VERSION", format!("{:?}", env!("CARGO_PKG_VERSION"))),
        ("FRAZIL_VERSION_NUMBER", version_number().to_string()),
    ];
    for (name, value) in macros {
        let line = format!("#define {name} {value}");
        assert_eq!(header.lines().filter(|&found| found == line).count(), 1, "{line}");
    }
}

/// The options that a file of Rust has builders for.
fn builders(path: &str) -> Vec<String> {
    let source = read(path);
    let functions = source.lines().filter_map(|line| line.trim().strip_prefix("pub fn ")?.split_once('('));
    let builders =
        functions.filter(|(_, arguments)| arguments.starts_with("mut self,") || arguments.starts_with("self,"));
    builders.map(|(name, _)| name.to_owned()).collect()
}

#[test]
fn every_option_of_rust_is_one_of_c() {
    // What makes bytes that can be repeated is for tests; `include` is an exclusion that begins with `!`.
    let exceptions = ["stream_id", "level_id", "created", "include"];
    let options = [
        ("src/level/options.rs", "src/capi/level_options.rs"),
        ("src/patch/options.rs", "src/capi/patch_options.rs"),
        ("src/tree/select.rs", "src/capi/selection.rs"),
        ("src/tree/backup/options.rs", "src/capi/backup_options.rs"),
        ("src/tree/restore/options.rs", "src/capi/restore_options.rs"),
        ("src/tree/verify/mod.rs", "src/capi/tree.rs"),
    ];
    for (rust, c) in options {
        let (builders, translated) = (builders(rust), read(c));
        assert!(builders.iter().any(|name| name == "observer" || name == "exclude"), "{rust}: {builders:?}");
        for name in builders.iter().filter(|name| !exceptions.contains(&name.as_str())) {
            assert!(translated.contains(&format!(".{name}(")), "{c} has no {name}, as {rust} has");
        }
    }
}
