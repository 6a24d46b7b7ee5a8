//! The C header is what the Rust sources say, and of their version.

use std::path::Path;

fn committed() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("include/frazil.h")).unwrap()
}

/// The header as cbindgen makes it from the sources.
fn generated() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let config = cbindgen::Config::from_file(root.join("cbindgen.toml")).unwrap();
    // The C interface alone: given the whole crate, cbindgen runs `cargo metadata` first.
    let builder = cbindgen::Builder::new().with_config(config).with_src(root.join("src/capi/mod.rs"));
    let mut header = Vec::new();
    builder.generate().unwrap().write(&mut header);
    String::from_utf8(header).unwrap()
}

#[test]
fn the_committed_header_is_the_generated_one() {
    let generated = generated();
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join("include/frazil.h"), &generated).unwrap();
    }
    assert!(
        committed() == generated,
        "include/frazil.h is not what the sources say; write it anew with: BLESS=1 cargo test --test header"
    );
    assert!(generated.contains("const char *frazil_version(void);"), "{generated}");
}

#[test]
fn the_version_macros_are_the_crates_version() {
    let header = committed();
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
