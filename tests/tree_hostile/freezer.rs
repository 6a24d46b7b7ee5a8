//! What the block engine of Freezer 19.0.0 does wrong, one test each.

use super::*;

#[test]
fn a_path_with_two_dots_does_not_escape() {
    let ground = Ground::new();
    let archive = level_0(|level| level.file("../evil", b"evil"));
    ground.refused(&archive, plain(), Corrupt, "path");
    assert!(!ground.dir.path().join("evil").exists());
}

#[test]
fn an_absolute_path_does_not_escape() {
    let ground = Ground::new();
    let archive = level_0(|level| level.file(ground.out("evil"), b"evil"));
    ground.refused(&archive, plain(), Corrupt, "path");
}

#[test]
fn a_link_earlier_in_the_stream_is_not_written_through() {
    let ground = Ground::new();
    let archive = level_0(|level| level.make("a", Metadata::symlink(ground.out(""))).file("a/evil", b"evil"));
    ground.partial(&archive, plain(), "Not a directory");
}

#[test]
fn a_link_that_becomes_a_file_is_replaced_and_not_written_through() {
    let ground = Ground::new();
    ground.prepare(&level_0(|level| level.make("l", Metadata::symlink("../outside/secret"))));
    let file = Record::file(b'F', "l", b"a file now").after(Parent::other(b'l'));
    ground.prepare(&level_1(|level| level.full(&file, b"a file now").close("")));
    assert!(!ground.path("l").is_symlink());
    assert_eq!(fs::read(ground.path("l")).unwrap(), b"a file now");
}

#[test]
fn a_link_that_leads_elsewhere_is_changed_and_what_it_led_to_keeps_its_mode() {
    let ground = Ground::new();
    ground.prepare(&level_0(|level| level.make("l", Metadata::symlink("../outside/secret"))));
    let retargeted = Record::new(b'F', "l").with(Metadata::symlink("../outside/f")).after(Parent::other(b'l'));
    ground.prepare(&level_1(|level| level.full(&retargeted, b"").close("")));
    assert_eq!(fs::read_link(ground.path("l")).unwrap(), Path::new("../outside/f"));
}

#[test]
fn a_directory_that_becomes_a_file_is_replaced() {
    let ground = Ground::new();
    ground.prepare(&innocent());
    let file = Record::file(b'F', "d", b"a file now").after(Parent::other(b'd')).closing();
    ground.prepare(&level_1(|level| {
        level.record(&Record::new(b'X', "d/f").after(Parent::file(b"in d"))).full(&file, b"a file now").close("")
    }));
    assert_eq!(fs::read(ground.path("d")).unwrap(), b"a file now");
}

#[test]
fn a_dangling_link_is_deleted() {
    let ground = Ground::new();
    ground.prepare(&level_0(|level| level.make("l", Metadata::symlink("nowhere"))));
    ground.prepare(&level_1(|level| level.record(&Record::new(b'X', "l").after(Parent::other(b'l'))).close("")));
    assert_eq!(ground.names(), [""; 0]);
}

#[test]
fn a_stream_that_breaks_off_is_no_success() {
    let ground = Ground::new();
    let archive = innocent();
    let trailer = archive.len() - 1024 - 1024;
    ground.refused(&archive[..trailer], plain(), Truncated, "");
}
