//! Manual pages and completions, as those who read them and run them take them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::installation::{ROOT, output_of};

fn pages() -> Vec<PathBuf> {
    let entries = fs::read_dir(Path::new(ROOT).join("packaging/man")).unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}

fn is_there(tool: &str) -> bool {
    let found = Command::new(tool).arg("--version").output().is_ok();
    if !found {
        assert!(std::env::var_os("FRAZIL_REQUIRE_TOOLS").is_none(), "{tool} is not installed");
        eprintln!("{tool} is not installed, so nothing is tried with it");
    }
    found
}

#[test]
fn the_manual_pages_give_no_cause_for_warnings() {
    for page in pages() {
        if is_there("mandoc") {
            let said = Command::new("mandoc").args(["-T", "lint", "-W", "warning"]).arg(&page).output().unwrap();
            let said = String::from_utf8(said.stdout).unwrap();
            // A page has no date, and clap's lists of values are set apart twice.
            let known = ["missing date", "skipping paragraph macro: br"];
            let warnings: Vec<&str> =
                said.lines().filter(|line| !known.iter().any(|known| line.contains(known))).collect();
            assert!(warnings.is_empty(), "{warnings:#?}");
        }
        if is_there("groff") {
            let groff =
                Command::new("groff").args(["-man", "-Kutf8", "-Tutf8", "-ww", "-z"]).arg(&page).output().unwrap();
            let said = String::from_utf8_lossy(&groff.stderr);
            assert!(groff.status.success() && said.is_empty(), "{page:?}: {said}");
        }
    }
}

#[test]
fn the_completions_are_scripts_of_their_shells() {
    for (shell, name) in [("bash", "frazil.bash"), ("zsh", "_frazil"), ("fish", "frazil.fish")] {
        if is_there(shell) {
            let script = Path::new(ROOT).join("packaging/completions").join(name);
            output_of(Command::new(shell).arg("-n").arg(script));
        }
    }
}

#[test]
fn bash_completes_commands_and_options() {
    let table =
        [("ba", "backup"), ("backup --sn", "--snapshot"), ("backup --filter zs", "zstd"), ("level --ag", "--against")];
    for (typed, completed) in table {
        let words = typed.split(' ').count();
        let script = format!(
            "source '{ROOT}/packaging/completions/frazil.bash'
             COMP_WORDS=(frazil {typed}); COMP_CWORD={words}
             _frazil frazil \"${{COMP_WORDS[COMP_CWORD]}}\" \"${{COMP_WORDS[COMP_CWORD-1]}}\"
             echo \"${{COMPREPLY[*]}}\""
        );
        assert_eq!(output_of(Command::new("bash").args(["--norc", "-c", &script])).trim(), completed, "{typed}");
    }
}
