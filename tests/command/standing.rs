//! What a destination stands at, and what of it `frazil restore` says.

use std::fs;
use std::process::Command;

use crate::ground::{DONE, Ground, PROBLEMS, Said};

#[test]
fn a_level_in_part_is_said_to_be_so_whenever_it_is_asked_for() {
    let ground = Ground::with_archives();
    let mut damaged = ground.read("a.0");
    damaged[100_000] ^= 1;
    ground.write("damaged", &damaged);
    ground.run("restore --keep-going damaged out").expect(PROBLEMS);
    for _ in 0..2 {
        let said = ground.run("restore out").expect(PROBLEMS);
        assert!(said.stderr.contains("which was restored in part"), "{}", said.stderr);
        let json = ground.run("restore --json out").expect(PROBLEMS).json();
        assert!(json["partial"] == true && json["problems"].as_array().unwrap().len() == 1, "{json}");
    }
    ground.run("restore --more a.0 whole").expect(DONE);
    assert_eq!(ground.run("restore --json whole").expect(DONE).json()["partial"], false);
}

#[test]
fn a_path_at_which_nothing_is_is_named() {
    let ground = Ground::with_archives();
    let said = ground.run("restore --path nosuch --path docs a.0 out").expect(PROBLEMS);
    assert!(said.stderr.contains("nosuch: there is nothing of this path at this level"), "{}", said.stderr);
    assert!(!said.stderr.contains("docs: there is nothing"), "{}", said.stderr);
    assert_eq!(ground.read("out/docs/letter"), b"Dear reader\n");
    // It comes at a later level.
    ground.run("restore --path docs/reply a.0 a.1 later").expect(DONE);
    assert_eq!(ground.read("later/docs/reply"), b"Dear writer\n");
    let said = ground.run("restore --path link a.0 a.1 gone").expect(PROBLEMS);
    assert!(said.stderr.contains("link: there is nothing"), "{}", said.stderr);
}

#[test]
fn a_level_that_stood_there_already_is_said_to() {
    let ground = Ground::with_archives();
    ground.run("restore --more a.0 out").expect(DONE);
    for (options, done) in [("--more", "0 levels restored"), ("--dry-run", "1 level verified")] {
        let said = ground.run(&format!("restore {options} a.0 out")).expect(DONE);
        assert!(said.stderr.contains(done) && said.stderr.contains("stood there already"), "{}", said.stderr);
    }
    let said = ground.run("restore --more a.1 out").expect(DONE);
    assert!(!said.stderr.contains("stood there already"), "{}", said.stderr);
}

#[test]
fn a_level_0_that_stood_there_already_is_restored_anew_by_who_overwrites() {
    let ground = Ground::with_archives();
    ground.run("restore --more a.0 out").expect(DONE);
    let look = || {
        let mut tree = ground.look("out");
        tree.retain(|path, _| !path.starts_with(".frazil-restore"));
        tree
    };
    let whole = look();
    let change = || {
        fs::write(ground.path("out/docs/letter"), "changed").unwrap();
        fs::remove_file(ground.path("out/data")).unwrap();
        fs::write(ground.path("out/own"), "own").unwrap();
    };
    change();
    let said = ground.run("restore --more a.0 out").expect(DONE);
    assert!(said.stderr.contains("stood there already"), "{}", said.stderr);
    assert!(!ground.path("out/data").exists());

    let said = ground.run("restore --more --overwrite --dry-run a.0 out").expect(DONE);
    assert!(!said.stderr.contains("stood there already"), "{}", said.stderr);
    let said = ground.run("restore --more --overwrite a.0 out").expect(DONE);
    assert!(said.stderr.contains("1 level restored") && !said.stderr.contains("stood there"), "{}", said.stderr);
    // What is not of the level stays.
    assert_eq!(ground.read("out/own"), b"own");
    fs::remove_file(ground.path("out/own")).unwrap();
    ground.run("restore --more --overwrite a.0 out").expect(DONE);
    assert!(look() == whole);
    // It still stands at it, and the next goes onto it; that is not restored twice, whatever is asked for.
    ground.run("restore --more a.1 out").expect(DONE);
    let said = ground.run("restore --more --overwrite a.1 out").expect(DONE);
    assert!(said.stderr.contains("stood there already"), "{}", said.stderr);
}

#[test]
fn nothing_is_restored_into_what_is_mounted_in_the_destination_and_each_entry_is_named() {
    let ground = Ground::with_archives();
    fs::create_dir_all(ground.path("out/docs")).unwrap();
    let script = "mount -t tmpfs none out/docs || exit 99; \"$0\" restore --overwrite a.0 out; status=$?; \
                  ls out/docs; exit $status";
    let mut command = Command::new("unshare");
    let is_root = rustix::process::geteuid().is_root();
    command.arg(if is_root { "-m" } else { "-rm" }).args(["sh", "-c", script, env!("CARGO_BIN_EXE_frazil")]);
    let said = match command.current_dir(ground.path("")).output() {
        Ok(output) => Said::from(output),
        Err(error) => return eprintln!("skipped: unshare: {error}"),
    };
    if said.status != Some(PROBLEMS) && (said.status == Some(99) || said.stderr.starts_with("unshare:")) {
        return eprintln!("skipped: nothing can be mounted here: {}", said.stderr);
    }
    let said = said.expect(PROBLEMS);
    assert!(
        said.stderr.contains("publishing across a mount point in the destination, to out/docs/letter"),
        "{}",
        said.stderr
    );
    assert_eq!(said.text(), "");
    assert!(ground.path("out/data").exists());
}
