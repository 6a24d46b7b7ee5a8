//! Programs that are built on an installation, in every way that there is.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use rustix::process::{Gid, Uid, geteuid};

use crate::installation::{Installation, ROOT, built, compile_and_run, make, output_of, run};
use crate::{ABI, VERSION};

/// Someone who may write nothing of the system's.
const NOBODY: u32 = 65534;

/// What pkg-config says of the installation that has its libraries here, as a shell takes it apart.
fn pkg_config(libraries: &Path, arguments: &[&str]) -> Vec<String> {
    let mut command = Command::new("pkg-config");
    command.args(arguments).arg("frazil").env("PKG_CONFIG_PATH", libraries.join("pkgconfig"));
    let said = output_of(&mut command);
    let words = output_of(Command::new("sh").arg("-c").arg(format!("printf '%s\\n' {}", said.trim())));
    words.lines().map(str::to_owned).collect()
}

/// What a program needs to be loaded, as `readelf` has it.
fn needed(program: &Path) -> String {
    output_of(Command::new("readelf").arg("-d").arg(program))
}

#[test]
fn a_user_installs_at_home_and_uses_it_from_there() {
    let home = tempfile::tempdir().unwrap();
    // Where the tests run, others may not look.
    let sources = home.path().join("sources");
    fs::create_dir(&sources).unwrap();
    for part in [
        "Makefile",
        "Cargo.toml",
        "LICENSE.md",
        "LICENSE-APACHE",
        "LICENSE-MIT",
        "packaging",
        "include",
        "bindings/cpp",
    ] {
        output_of(Command::new("cp").current_dir(ROOT).args(["-r", "--parents", part]).arg(&sources));
    }
    output_of(Command::new("cp").arg("-r").arg(built()).arg(sources.join("built")));
    output_of(Command::new("chmod").args(["-R", "a+rX"]).arg(home.path()));

    let prefix = home.path().join("my programs");
    let variables = [format!("PREFIX={}", prefix.display()), "BUILT=built".to_owned()];
    let make = |target| {
        let mut make = make(target, &variables);
        make.current_dir(&sources);
        if geteuid().is_root() {
            make.uid(NOBODY).gid(NOBODY);
        }
        output_of(&mut make);
    };
    fs::create_dir(&prefix).unwrap();
    if geteuid().is_root() {
        rustix::fs::chown(&prefix, Some(Uid::from_raw(NOBODY)), Some(Gid::from_raw(NOBODY))).unwrap();
    }
    make("install");
    let libraries = prefix.join("lib");
    compile_and_run(&pkg_config(&libraries, &["--cflags", "--libs"]), Some(&libraries));
    output_of(Command::new(prefix.join("bin/frazil")).arg("--version"));
    make("uninstall");
    assert_eq!(crate::installation::listed(&prefix), [""; 0]);
}

/// As Debian does it: the libraries in a directory of their own for each kind of machine.
fn multiarch() -> (Installation, String) {
    let machine = output_of(Command::new("gcc").arg("-print-multiarch")).trim().to_owned();
    let libraries = if machine.is_empty() { "lib".to_owned() } else { format!("lib/{machine}") };
    (Installation::new(&["PREFIX=/usr", &format!("LIBDIR=/usr/{libraries}")]), libraries)
}

#[test]
fn pkg_config_finds_what_was_moved() {
    let (installation, libraries) = multiarch();
    let prefix = installation.moved("usr");
    let libraries = prefix.join(libraries);
    let moved = format!("--define-variable=prefix={}", prefix.display());
    assert_eq!(pkg_config(&libraries, &["--modversion"]), [VERSION]);
    assert_eq!(pkg_config(&libraries, &["--variable=prefix"]), ["/usr"]);
    compile_and_run(&pkg_config(&libraries, &[&moved, "--cflags", "--libs"]), Some(&libraries));

    let mut told = pkg_config(&libraries, &[&moved, "--static", "--cflags", "--libs"]);
    *told.iter_mut().find(|word| *word == "-lfrazil").unwrap() = "-l:libfrazil.a".to_owned();
    compile_and_run(&told, None);
    // Where there is no shared library, the linker takes the static one by itself.
    for name in ["libfrazil.so", &format!("libfrazil.so.{ABI}"), &format!("libfrazil.so.{VERSION}")] {
        fs::remove_file(libraries.join(name)).unwrap();
    }
    compile_and_run(&pkg_config(&libraries, &[&moved, "--static", "--cflags", "--libs"]), None);
}

#[test]
fn cmake_finds_what_was_moved() {
    let (installation, _) = multiarch();
    let prefix = installation.moved("usr");
    let project = Path::new(ROOT).join("tests/packaging");
    let [major, minor, patch] =
        [env!("CARGO_PKG_VERSION_MAJOR"), env!("CARGO_PKG_VERSION_MINOR"), env!("CARGO_PKG_VERSION_PATCH")]
            .map(|number| number.parse::<u32>().unwrap());
    let serves = format!("{ABI};{VERSION};{ABI}...<{}.0", major + 1);
    let mut refused = format!("{};{ABI}.{};{}.0...{}.0", major + 1, patch + 1, major + 1, major + 2);
    if major == 0 {
        refused += &format!(";0.{}", minor + 1);
    }
    let build = tempfile::tempdir().unwrap();
    let mut configure = Command::new("cmake");
    configure.arg("-S").arg(project).arg("-B").arg(build.path());
    configure.arg(format!("-DCMAKE_PREFIX_PATH={}", prefix.display()));
    configure.arg(format!("-DSERVES={serves}")).arg(format!("-DREFUSED={refused}"));
    output_of(configure.arg(format!("-DPROGRAM={ROOT}/bindings/c/examples/tree.c")));
    output_of(Command::new("cmake").arg("--build").arg(build.path()));

    // CMake lets a program find the libraries of its own build, so nothing else has to.
    run(&build.path().join("shared"), None);
    run(&build.path().join("static"), None);
    assert!(needed(&build.path().join("shared")).contains(&format!("[libfrazil.so.{ABI}]")));
    assert!(!needed(&build.path().join("static")).contains("libfrazil"));
}

#[test]
fn the_header_for_cxx_is_found_beside_that_for_c() {
    let installation = Installation::new(&[]);
    let source = installation.stage().join("program.cpp");
    fs::write(&source, "#include <frazil.hpp>\nint main() {}\n").unwrap();
    let mut cxx = Command::new("c++");
    cxx.args(["-std=c++17", "-fsyntax-only", "-I"]).arg(installation.stage().join("usr/local/include"));
    output_of(cxx.arg(source));
}
