//! Paths that lead out, and tars that frazil did not write.

use super::*;

#[test]
fn an_archive_of_the_tests_own_making_is_one() {
    let ground = Ground::new();
    let zero = level_0(|level| {
        level.open("d").file("d/f", b"old content").make("d/l", Metadata::symlink("f")).close("d");
        level.record(&Record::new(b'L', "e").from("d/f"));
        level.batch().file("n".repeat(200), b"a long name").file("z", b"")
    });
    let one = level_1(|level| {
        level.delta(
            &Record::file(b'D', "d/f", b"old content").after(Parent::file(b"old content")),
            &copy_delta(b"old content", &[]),
            100,
        );
        level.record(&Record::new(b'X', "d/l").after(Parent::other(b'l'))).close("d");
        level.record(&Record::file(b'C', "f", b"old content").from("d/f"));
        level.record(&Record::file(b'M', "z", b"").with(Metadata::new(b'-').mode(0o600)).after(Parent::file(b"")));
        level.close("")
    });
    verify_archive(&zero[..], None).unwrap();
    verify_archive(&one[..], None).unwrap();
    ground.prepare(&zero);
    assert_eq!(fs::metadata(ground.path("e")).unwrap().nlink(), 2);
    ground.prepare(&one);
    assert_eq!(ground.names(), ["d", "d/f", "e", "f", &"n".repeat(200), "z"]);
    assert_eq!(fs::read(ground.path("f")).unwrap(), b"old content");
    assert_eq!(fs::metadata(ground.path("z")).unwrap().mode() & 0o7777, 0o600);
}

/// Paths that no entry has.
fn impossible_paths(ground: &Ground) -> Vec<Vec<u8>> {
    let mut paths: Vec<Vec<u8>> =
        ["../evil", "..", "a/../../evil", ".", "./evil", "a//evil", "evil/", "/", "a/./evil", "evil\0", "\0"]
            .iter()
            .map(|path| path.as_bytes().to_vec())
            .collect();
    paths.push(ground.out("evil").into_bytes());
    paths.push([b'n'; 256].to_vec());
    paths.push(b"n/".repeat(32_768).iter().copied().chain(*b"n").collect());
    paths
}

#[test]
fn no_record_can_name_a_path_that_leads_out() {
    let ground = Ground::new();
    for path in impossible_paths(&ground) {
        let content = b"evil";
        let records = [
            Record::file(b'F', &path, content),
            Record::file(b'C', &path, content).from("f"),
            Record::file(b'C', "evil", content).from(&path),
            Record::new(b'F', &path).with(Metadata::new(b'd')),
            Record::file(b'M', &path, content),
            Record::new(b'X', &path).after(Parent::other(b'l')),
            Record::new(b'L', &path).from("f"),
            Record::new(b'L', "evil").from(&path),
            Record::new(b'V', &path),
        ];
        for record in records {
            let archive = level_0(|level| level.record(&record));
            ground.refused(&archive, plain(), Corrupt, "");
            ground.refused(&archive, plain().overwrite(true), Corrupt, "");
        }
        if path.contains(&0) {
            // To a tar, that is where a name ends.
            continue;
        }
        // Where the tar alone says it, with an innocent record behind it.
        let archive = level_0(|level| {
            level.tar(&Tar::file([b"full/", &path[..]].concat(), content)).record(&Record::file(b'F', "evil", content))
        });
        ground.refused(&archive, plain(), Corrupt, "");
    }
    assert_eq!(ground.names(), [""; 0]);
}

#[test]
fn a_tar_that_no_frazil_wrote_is_refused_whatever_is_in_it() {
    let ground = Ground::new();
    let evil = ground.out("evil");
    let link = Tar { typeflag: b'2', link: ground.out("").into_bytes(), ..Tar::file("full/l", b"") };
    let hard = |name: &str, target: &str| Tar { typeflag: b'1', link: target.into(), ..Tar::file(name, b"") };
    let attacks: [(&str, Vec<Tar>); 9] = [
        ("a path with ..", vec![Tar::file("full/../../outside/evil", b"evil")]),
        ("an absolute path", vec![Tar::file(&evil, b"evil")]),
        ("an absolute path below full", vec![Tar::file(format!("full/{evil}"), b"evil")]),
        ("a way through a link", vec![link, Tar::file("full/l/evil", b"evil")]),
        ("a hard link to the outside", vec![hard("full/h", &evil), Tar::file("full/h", b"evil")]),
        ("a hard link upwards", vec![hard("full/h", "full/../../outside/evil")]),
        ("a foreign entry", vec![Tar::file("etc/passwd", b"root::0:0::/:/bin/sh")]),
        (
            "an extended path",
            vec![Tar { pax: vec![(b"path".into(), b"../outside/evil".into())], ..Tar::file("full/f", b"") }],
        ),
        ("a device", vec![Tar { typeflag: b'3', device: (1, 3), ..Tar::file("full/null", b"") }]),
    ];
    for (what, entries) in attacks {
        let foreign = end(entries.iter().flat_map(Tar::encode).collect());
        ground.refused(&foreign, plain(), Corrupt, "");
        let framed = level_0(|level| entries.iter().fold(level, |level, entry| level.tar(entry)));
        ground.refused(&framed, plain(), Corrupt, "");
        // Nor does any of it appear when as much as possible is wanted.
        let (result, heard) = ground.restore(&foreign, plain().keep_going(true));
        assert_eq!(result.unwrap_err().kind(), Corrupt, "{what}: {heard}");
        ground.partial(&framed, plain().keep_going(true), "Corrupt");
        assert_eq!(ground.names(), [""; 0], "{what}");
        fs::remove_dir_all(ground.path(".frazil-restore")).unwrap();
    }
}
