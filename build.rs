//! Names the shared library and checks the system's libarchive before anything links to it.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=LIBARCHIVE_LIB_DIR");
    set_soname();
    if std::env::var_os("CARGO_FEATURE_TREE").is_some() {
        check_libarchive();
    }
}

/// Before 1.0 a minor release may change the ABI, so the minor version is part of the name.
fn set_soname() {
    let linux = std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux");
    if linux {
        let major = env!("CARGO_PKG_VERSION_MAJOR");
        let minor = env!("CARGO_PKG_VERSION_MINOR");
        let version = if major == "0" { format!("0.{minor}") } else { major.to_owned() };
        println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,libfrazil.so.{version}");
    }
}

/// libarchive3-sys accepts any version; 3.6.0 is the first with every option that frazil sets.
fn check_libarchive() {
    if std::env::var_os("LIBARCHIVE_LIB_DIR").is_some() {
        return;
    }
    let probe = pkg_config::Config::new().cargo_metadata(false).atleast_version("3.6.0").probe("libarchive");
    if let Err(error) = probe {
        println!(
            "cargo::error=frazil's feature `tree` needs libarchive 3.6.0 or newer and pkg-config \
             (Debian: apt-get install libarchive-dev pkg-config): {error}"
        );
    }
}
