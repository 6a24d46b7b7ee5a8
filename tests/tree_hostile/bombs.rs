//! Archives that say or hold more than anybody has room for.

use super::*;

/// Restores within this much memory of the thread that does it, beyond what a batch and its entries take.
const PEAK: isize = 100 << 20;

fn refused_in_little_memory(ground: &Ground, archive: &[u8], kind: ErrorKind, part: &str) {
    let ((), peak) = peak_of(|| ground.refused(archive, plain(), kind, part));
    assert!(peak < PEAK, "{part}: {peak} bytes");
}

#[test]
fn bodies_of_any_length_that_is_only_said_are_refused() {
    let ground = Ground::new();
    let record = |len: u64| Record::file(b'F', "f", b"").with(Metadata { size: len, ..Metadata::new(b'-') });
    for len in [1 << 40, 1 << 62, u64::MAX >> 1].map(|len: u64| len + 1) {
        let plain_body =
            level_0(|level| level.tar(&Tar { size: len, ..Tar::file("full/f", b"") }).record(&record(len)));
        let map = [b"1\n0\n0\n".to_vec(), vec![0; 506]].concat();
        let pax = [("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0"), ("GNU.sparse.name", "full/f")];
        let mut pax: Vec<_> = pax.map(|(key, value)| (key.into(), value.into())).into();
        pax.push((b"GNU.sparse.realsize".to_vec(), len.to_string().into_bytes()));
        let sparse =
            level_0(|level| level.tar(&Tar { pax: pax.clone(), ..Tar::file("full/f", &map) }).record(&record(len)));
        for archive in [plain_body, sparse] {
            let (result, _) = ground.restore(&archive, plain());
            let error = result.unwrap_err();
            assert!(matches!(error.kind(), Limit | Corrupt | Truncated), "{len}: {error}");
        }
    }
    // What is asked for is the limit.
    let archive = level_0(|level| level.file("f", &[7; 100]));
    ground.refused(&archive, plain().max_file_len(99), Limit, "a file is longer than is allowed");
}

#[test]
fn runs_of_zeros_beyond_what_is_allowed_are_refused() {
    let ground = Ground::new();
    ground.prepare(&innocent());
    for len in [(1 << 40) + 1, 1 << 62, u64::MAX] {
        let says = Says { length: len, ..Says::truth(b"") };
        let basis = Says::truth(b"content").as_basis();
        let block_len = archive::BLOCK_LEN.to_be_bytes();
        let delta = Sealing::new(DELTA, &[(TAG_BASIS, &basis), (TAG_TARGET_BLOCK_LEN, &block_len)]);
        let delta = delta.data(&[0x72, 0x73, 0x02, 0x36], 0).zeros(len).data(&[0], len).end(&says);
        let mut record = Record::file(b'D', "f", b"").after(Parent::file(b"content"));
        record.metadata = Some(Metadata { size: len, ..Metadata::new(b'-') });
        record.identity = Some(says);
        let archive = level_1(|level| level.delta(&record, &delta, 1 << 20));
        refused_in_little_memory(&ground, &archive, Limit, "output is longer than is allowed");
    }
}

/// What each filter makes of something; several of them one after the other are as good as one.
fn compressed(program: &str, content: &[u8]) -> Vec<u8> {
    use std::io::Write;
    use std::process::{Command, Stdio};
    let mut command = Command::new(program);
    command.arg("-c").stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{program}: {error}"));
    let mut stdin = child.stdin.take().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(move || stdin.write_all(content).unwrap());
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{program}: {}", output.status);
        output.stdout
    })
}

#[test]
fn what_is_little_compressed_and_much_else_is_refused_behind_every_filter() {
    const PARTS: usize = 64;
    const PART: usize = 16 << 20;
    let ground = Ground::new();
    // Of entries whose bodies are said to go on for longer than anybody waits.
    let begun = |name: &str| {
        let mut level = Level::new(Header::level_0(ZERO));
        level.open("").tar(&Tar { size: 1 << 40, ..Tar::file(name, b"") });
        level.tar
    };
    for program in ["gzip", "bzip2", "xz", "zstd", "lz4"] {
        let zeros = compressed(program, &vec![0; PART]).repeat(PARTS);
        assert!(zeros.len() < 8 << 20, "{program}: {}", zeros.len());
        for (name, part) in
            [("full/f", "the files of the level are longer"), (".frazil/check/00000001", "entry is too long")]
        {
            let archive = [compressed(program, &begun(name)), zeros.clone()].concat();
            let options = plain().max_output(PART as u64 * 2);
            let ((), peak) = peak_of(|| ground.refused(&archive, options, Limit, part));
            assert!(peak < PEAK, "{program}, {part}: {peak} bytes");
        }
    }
}

#[test]
fn batches_that_no_writer_makes_take_no_memory() {
    let ground = Ground::new();
    // Records of five bytes each, that take a hundred times that when they are read.
    let many = level_0(|level| {
        for number in 0..1_000_000 {
            level.encoded(&Record::new(b'V', format!("{number:07}")).encode());
        }
        level
    });
    refused_in_little_memory(&ground, &many, Corrupt, "more records than a writer puts into one");
    // A length that only the header says.
    let long = level_0(|level| level.tar(&Tar { size: 1 << 40, ..Tar::file(".frazil/check/00000001", b"") }));
    refused_in_little_memory(&ground, &long, Limit, "entry is too long");
    // Attributes without end.
    let attributes = (0..1_000_000).map(|number: u32| (format!("u{number:07}").into_bytes(), Vec::new())).collect();
    let record = Record::new(b'F', "d").with(Metadata { attributes, ..Metadata::new(b'd') });
    let archive = level_0(|level| level.full(&record, b""));
    refused_in_little_memory(&ground, &archive, Corrupt, "extended attribute");
    // Entries whose records never come.
    let waiting = level_0(|level| {
        for number in 0..5000 {
            level.tar(&Tar::full(format!("{number}").as_bytes(), &Metadata::new(b'd'), b""));
        }
        level
    });
    refused_in_little_memory(&ground, &waiting, Limit, "entries of an archive without their records");
    let pax = vec![(b"LIBARCHIVE.xattr.user.x".to_vec(), [b'A'; 400_000].to_vec())];
    let waiting = level_0(|level| {
        for number in 0..300 {
            let directory = Tar::full(format!("{number}").as_bytes(), &Metadata::new(b'd'), b"");
            level.tar(&Tar { pax: pax.clone(), ..directory });
        }
        level
    });
    refused_in_little_memory(&ground, &waiting, Limit, "entries of an archive without their records");
}

#[test]
fn a_path_of_thirty_thousand_names_does_no_harm() {
    let ground = Ground::new();
    let path = ["d"; 30_000].join("/");
    let archive = level_0(|level| level.file(&path, b"deep down"));
    let summary = restore_tree(&archive[..], ground.destination(), plain()).unwrap();
    assert!(summary.is_partial());
    assert_eq!(ground.names(), [""; 0]);
    frazil::conclude_restore(ground.destination()).unwrap();
    // A tenth of it with all its directories made, which takes the square of their number.
    let path = ["d"; 3000].join("/");
    let archive = level_0(|level| level.file(&path, b"deep down"));
    let result = restore_tree(&archive[..], ground.destination(), plain().keep_going(true).overwrite(true));
    // Nothing that removes directories by recursion could.
    let removed = std::process::Command::new("rm").arg("-rf").arg(ground.path("d")).status().unwrap();
    assert!(removed.success());
    assert!(result.unwrap().problems > 2990);
    assert_eq!(differences(&ground.outside, &ground.look_outside()), [""; 0]);
}
