//! Levels that lie about the one before, about their content, or about themselves.

use super::*;

#[test]
fn a_level_that_lies_about_the_one_before_it_is_refused_before_anything_is_done() {
    let ground = Ground::new();
    ground.prepare(&innocent());
    let wrong = "is not what the level before had there";
    let one = |record: &Record| level_1(|level| level.record(record));
    let longer = Parent { size: 8, ..Parent::file(b"content") };
    for parent in [longer, Parent::other(b'l'), Parent::other(b'p')] {
        ground.refused(&one(&Record::new(b'X', "f").after(parent)), plain(), WrongBasis, wrong);
        ground.refused(&one(&Record::file(b'M', "f", b"content").after(parent)), plain(), WrongBasis, wrong);
    }
    ground.refused(&one(&Record::new(b'X', "missing").after(Parent::file(b""))), plain(), WrongBasis, wrong);
    ground.refused(&one(&Record::new(b'X', "l/secret").after(Parent::file(b""))), plain(), WrongBasis, wrong);
    // A directory that is said to be gone, with what is in it not mentioned.
    let archive = one(&Record::new(b'X', "d").after(Parent::other(b'd')).closing());
    ground.partial(&archive, plain(), "something that is not of this tree is in the directory, and stays");
    assert_eq!(ground.names(), ["d", "d/f", "f", "l"]);
}

#[test]
fn a_level_that_lies_about_its_own_content_is_refused() {
    let ground = Ground::new();
    let file = || Record::file(b'F', "f", b"content");
    let lie = |record: Record, body: &[u8]| level_0(|level| level.tar(&Tar::file("full/f", body)).record(&record));
    ground.refused(&lie(file(), b"contend"), plain(), Mismatch, "content is not what its record says");
    ground.refused(&lie(file(), b"content!"), plain(), Mismatch, "content is not what its record says");
    let sized = Record { identity: Some(Says::truth(b"content!")), ..file() };
    ground.refused(&lie(sized, b"content!"), plain(), Corrupt, "record has fields that do not go with its action");
    let other = file().with(Metadata { size: 7, ..Metadata::new(b'-').mode(0o4755) });
    ground.refused(&lie(other, b"content"), plain(), Corrupt, "the tar header does not agree with the record");
    let directory = Record::new(b'F', "f").with(Metadata::new(b'd'));
    ground.refused(&lie(directory, b""), plain(), Corrupt, "the tar header does not agree with the record");
    // A level that is not of the chain that it says it is of.
    ground.prepare(&innocent());
    let mut level = Level::new(Header { parent: Some(*b"quite another id"), ..Header::level_0(ZERO).next(ONE) });
    ground.refused(&level.finish(), plain(), WrongBasis, "the level was made against another than is there");
    ground.refused(
        &level_1(|level| level),
        plain().assume_parent(LevelId(ONE)).map_user(0, 0).path("d").unwrap(),
        ErrorKind::InvalidInput,
        "another selection of paths",
    );
}

#[test]
fn a_header_that_contradicts_itself_or_is_no_header_is_refused() {
    let ground = Ground::new();
    let zero = Header::level_0(ZERO);
    let headers = [
        Header { root: ONE, ..zero },
        Header { number: 1, ..zero },
        Header { parent: Some(ONE), ..zero },
        Header { number: 0, ..zero.next(ONE) },
        Header { block_len: 1023, ..zero },
        Header { block_len: (1 << 30) + 1, ..zero },
        Header { block_len: 1 << 40, ..zero },
        Header { number: 1 << 40, ..zero.next(ONE) },
    ];
    for header in headers {
        ground.refused(&Level::new(header).finish(), plain(), Corrupt, "");
    }
    let mut payload = Level::new(zero).take_batch();
    payload.push(0);
    let archive = end(Tar::file(".frazil/header", &seal(&payload)).encode());
    ground.refused(&archive, plain(), Corrupt, "part of an archive stands in another's place");
    let delta = copy_delta(b"content", &[]);
    let archive = end(Tar::file(".frazil/header", &delta).encode());
    ground.refused(&archive, plain(), Corrupt, "sealed stream is of another kind");
}
