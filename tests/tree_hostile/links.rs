//! Links, hard links and bases that lead where nothing is the archive's.

use super::*;

#[test]
fn nothing_is_written_through_a_link_made_earlier_in_the_same_archive() {
    for target in ["../outside", "../outside/d", "."] {
        let ground = Ground::new();
        let archive =
            level_0(|level| level.make("l", Metadata::symlink(target)).file("l/evil", b"evil").file("l/f", b"evil"));
        ground.partial(&archive, plain(), "Not a directory");
        assert_eq!(ground.names(), ["l"]);
        let ground = Ground::new();
        ground.partial(&archive, plain().keep_going(true).overwrite(true), "Not a directory");
        assert_eq!(ground.names(), ["l"]);
    }
}

#[test]
fn nothing_is_written_through_a_link_that_is_in_the_destination() {
    let ground = Ground::new();
    symlink("../outside", ground.path("d")).unwrap();
    symlink("../outside/f", ground.path("f")).unwrap();
    let archive = level_0(|level| level.open("d").file("d/f", b"in the tree").close("d").file("f", b"too"));
    ground.refused(&archive, plain(), Exists, "a level 0 goes into an empty directory");
    let (result, heard) = ground.restore(&archive, plain().overwrite(true));
    assert!(result.unwrap().whole, "{heard}");
    assert!(ground.path("d").symlink_metadata().unwrap().is_dir());
    assert_eq!(fs::read(ground.path("d/f")).unwrap(), b"in the tree");
    assert_eq!(fs::read(ground.path("f")).unwrap(), b"too");
}

#[test]
fn a_directory_that_a_level_replaces_by_a_link_is_not_entered_any_more() {
    let link = || Record::new(b'F', "d").with(Metadata::symlink("../outside")).after(Parent::other(b'd')).closing();
    let gone = Record::new(b'X', "d/f").after(Parent::file(b"in d"));
    let ground = Ground::new();
    ground.prepare(&innocent());
    // What is in the directory stands before what replaces it.
    let archive = level_1(|level| level.record(&gone).full(&link(), b"").file("d/evil", b"evil"));
    ground.refused(&archive, plain(), Corrupt, "records of a level are out of order");
    let archive = level_1(|level| level.full(&Record { closes: false, ..link() }, b"").file("d/evil", b"evil"));
    ground.refused(&archive, plain(), Corrupt, "record has fields that do not go with its action");
    // One that lies about what is there: the directory is not empty, so it stays, and the rest is put into it.
    let lying = Record { closes: false, parent: None, ..link() };
    let archive = level_1(|level| level.full(&lying, b"").file("d/evil", b"evil").file("d/f2", b"evil"));
    ground.refused(&archive, plain(), Exists, "is there already, and was not to be replaced");
    ground.partial(&archive, plain().overwrite(true), "is in the directory, and stays");
    assert_eq!(ground.names(), ["d", "d/evil", "d/f", "d/f2", "f", "l"]);
    // An empty one gives way, and is not entered.
    let ground = Ground::new();
    ground.prepare(&level_0(|level| level.open("d").close("d")));
    ground.partial(&archive, plain().overwrite(true), "Not a directory");
    assert_eq!(ground.names(), ["d"]);
}

#[test]
fn hard_links_lead_to_entries_of_the_tree_only() {
    let ground = Ground::new();
    let archive = |basis: &str| {
        level_0(|level| level.make("l", Metadata::symlink("../outside")).record(&Record::new(b'L', "z").from(basis)))
    };
    for basis in ["../outside/secret", "..", &ground.out("secret"), "l/../../outside/secret"] {
        ground.refused(&archive(basis), plain(), Corrupt, "path");
    }
    for basis in [".frazil-restore", ".frazil-restore/state", ".frazil-restore/journal", ".frazil-restore/stage/0/0"] {
        ground.refused(&archive(basis), plain(), Corrupt, "path is that of a restore's own directory");
    }
    for (basis, what) in [("l/secret", "Not a directory"), ("missing", "No such file"), ("", "")] {
        let ground = Ground::new();
        match basis {
            "" => ground.refused(&archive(basis), plain(), Corrupt, "record has fields that do not go with its action"),
            _ => ground.partial(&archive(basis), plain(), what),
        }
    }
    // One more name of a link is a link, and nothing is done to where it leads.
    let ground = Ground::new();
    ground.prepare(&archive("l"));
    let lying = Record::file(b'M', "z", b"x").with(Metadata { size: 1, mode: 0o4777, ..Metadata::new(b'-') });
    let one = level_1(|level| level.record(&lying));
    ground.refused(&one, plain(), Exists, "is there already");
    ground.refused(&one, plain().overwrite(true), WrongBasis, "is no regular file");
    assert!(ground.path("z").is_symlink());
}

#[test]
fn a_basis_is_a_file_of_the_tree_and_nothing_else() {
    let ground = Ground::new();
    ground.prepare(&innocent());
    let secret = fs::read(ground.out("secret")).unwrap();
    let state = fs::read(ground.path(".frazil-restore/state")).unwrap();
    let table: [(&str, &[u8], ErrorKind, &str); 8] = [
        ("../outside/secret", &secret, Corrupt, "path"),
        (&ground.out("secret"), &secret, Corrupt, "path"),
        ("l/secret", &secret, WrongBasis, "the file that it is made from is missing"),
        ("l", &secret, WrongBasis, "is no regular file"),
        ("d", &secret, WrongBasis, "is no regular file"),
        ("missing", &secret, WrongBasis, "the file that it is made from is missing"),
        (".frazil-restore/state", &state, Corrupt, "path is that of a restore's own directory"),
        ("f", &secret, WrongBasis, ""),
    ];
    for (basis, content, kind, part) in table {
        let copy = level_1(|level| level.record(&Record::file(b'C', "x", content).from(basis)));
        ground.refused(&copy, plain(), kind, part);
        let record = Record::file(b'D', "x", content).from(basis);
        let delta = copy_delta(content, &[(TAG_BASIS_PATH, basis.as_bytes())]);
        ground.refused(&level_1(|level| level.delta(&record, &delta, 1 << 20)), plain(), kind, part);
    }
}
