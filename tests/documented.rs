//! What the documents say of the sources and of what builds them is so.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn at(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn read(path: &str) -> String {
    fs::read_to_string(at(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// All sources of the library and the command, as paths from the root of the package.
fn sources() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut left = vec!["src".to_owned()];
    while let Some(dir) = left.pop() {
        for entry in fs::read_dir(at(&dir)).unwrap() {
            let entry = entry.unwrap();
            let path = format!("{dir}/{}", entry.file_name().into_string().unwrap());
            if entry.file_type().unwrap().is_dir() {
                left.push(path);
            } else {
                found.insert(path);
            }
        }
    }
    found
}

/// Whether a source has code that is `unsafe`, and not only words about it.
fn is_unsafe(source: &str) -> bool {
    let code = source.lines().map(|line| line.split("//").next().unwrap_or_default());
    let kinds = ["unsafe {", "unsafe fn", "unsafe impl", "unsafe extern", "unsafe trait"];
    code.into_iter().any(|line| kinds.iter().any(|kind| line.contains(kind)))
}

#[test]
fn the_design_names_every_file_that_has_unsafe_code() {
    let design = read("docs/design.md");
    let paragraph = design.split("\n\n").find(|text| text.starts_with("`unsafe` is denied")).expect("a paragraph");
    let named: Vec<&str> = paragraph.split('`').skip(1).step_by(2).filter(|&name| name != "unsafe").collect();
    let is_of = |path: &str, name: &str| path.contains(&format!("/{name}"));

    let files: BTreeSet<String> = sources().into_iter().filter(|path| is_unsafe(&read(path))).collect();
    let missing: Vec<_> = files.iter().filter(|path| !named.iter().any(|name| is_of(path, name))).collect();
    assert!(missing.is_empty(), "docs/design.md does not name {missing:?}");
    let gone: Vec<_> = named.iter().filter(|name| !files.iter().any(|path| is_of(path, name))).collect();
    assert!(gone.is_empty(), "docs/design.md names {gone:?}, which have none");
}

/// The lints that hold unsafe code to one operation a block, each with its reason, are for the whole package.
#[test]
fn unsafe_code_has_to_give_its_reasons() {
    let manifest = read("Cargo.toml");
    for lint in [
        "unsafe_code = \"deny\"",
        "unsafe_op_in_unsafe_fn = \"deny\"",
        "multiple_unsafe_ops_per_block = \"warn\"",
        "undocumented_unsafe_blocks = \"warn\"",
    ] {
        assert!(manifest.lines().any(|line| line == lint), "Cargo.toml has no {lint}");
    }
    let reasons = ["undocumented_unsafe_blocks", "multiple_unsafe_ops_per_block"];
    for path in sources() {
        let source = read(&path);
        assert!(!reasons.iter().any(|lint| source.contains(lint)), "{path} switches a lint off");
    }
}

#[test]
fn the_oldest_compiler_is_the_same_everywhere() {
    let oldest = env!("CARGO_PKG_RUST_VERSION");
    assert!(read("README.md").contains(&format!("Rust {oldest} or newer is needed")), "README.md");
    assert!(read("scripts/setup").contains(&format!("install Rust {oldest} or newer")), "scripts/setup");
}
