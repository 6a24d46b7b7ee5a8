//! Archives that were made to do harm: tars that no frazil wrote, and levels whose every checksum holds.
//!
//! Whatever they say, nothing outside the destination changes, and little memory is taken.

#[path = "support/allocation.rs"]
mod allocation;
#[path = "support/archive.rs"]
mod archive;
#[path = "support/look.rs"]
mod look;
#[path = "support/sealed.rs"]
#[allow(dead_code, reason = "of the sealed streams, some parts are needed here")]
mod sealed;

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use allocation::{Counting, peak_of};
use archive::{Header, Id, Level, Metadata, Parent, Record, Tar, end, seal};
use frazil::{Error, ErrorKind, LevelId, Observer, RestoreOptions, RestoreSummary, restore_tree, verify_archive};
use look::{Listing, differences, listing, scratch};
use rustix::fs::{CWD, RenameFlags, renameat_with};
use sealed::{DELTA, Says, Sealing, TAG_BASIS, TAG_TARGET_BLOCK_LEN};
use tempfile::TempDir;

use ErrorKind::{Corrupt, Exists, Limit, Mismatch, Truncated, WrongBasis};

#[global_allocator]
static COUNTING: Counting = Counting;

const ZERO: Id = *b"level 0 of tests";
const ONE: Id = *b"level 1 of tests";

/// The optional field of a delta's header that names its basis.
const TAG_BASIS_PATH: u16 = 0x8005;

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// What an operation survived.
#[derive(Default)]
struct Heard(Mutex<Vec<(ErrorKind, String)>>);

impl Observer for Heard {
    fn problem(&self, problem: &Error) {
        self.0.lock().unwrap().push((problem.kind(), problem.to_string()));
    }
}

impl Heard {
    fn all(&self) -> String {
        self.0.lock().unwrap().iter().map(|(kind, what)| format!("{kind:?}: {what}\n")).collect()
    }
}

/// A destination, and things beside it that nobody may touch.
struct Ground {
    dir: TempDir,
    outside: Listing,
}

impl Ground {
    fn new() -> Self {
        let dir = scratch();
        let path = |name: &str| dir.path().join(name);
        for name in ["destination", "outside", "outside/d"] {
            fs::create_dir(path(name)).unwrap();
        }
        for name in ["victim", "outside/secret", "outside/f", "outside/evil", "outside/d/f", "outside/d/0"] {
            fs::write(path(name), format!("{name}, which is nobody's business")).unwrap();
            fs::set_permissions(path(name), fs::Permissions::from_mode(0o600)).unwrap();
        }
        symlink("secret", path("outside/link")).unwrap();
        let mut ground = Self { dir, outside: Listing::new() };
        ground.outside = ground.look_outside();
        ground
    }

    fn destination(&self) -> PathBuf {
        self.dir.path().join("destination")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.destination().join(name)
    }

    /// Where the things are that nobody may touch.
    fn out(&self, name: &str) -> String {
        self.dir.path().join("outside").join(name).to_str().unwrap().to_owned()
    }

    fn look_outside(&self) -> Listing {
        let mut outside = listing(&self.dir.path().join("outside"));
        outside
            .extend(["victim"].map(|name| (PathBuf::from("..").join(name), look::look(&self.dir.path().join(name)))));
        let names = fs::read_dir(self.dir.path()).unwrap().count();
        assert_eq!(names, 3, "something was made beside the destination");
        outside
    }

    /// Restores an archive; nothing outside has changed afterwards.
    fn restore(&self, archive: &[u8], options: RestoreOptions) -> (frazil::Result<RestoreSummary>, String) {
        let heard = Arc::new(Heard::default());
        let result = restore_tree(archive, self.destination(), options.observer(heard.clone()));
        let outside = self.look_outside();
        assert_eq!(differences(&self.outside, &outside), [""; 0], "{result:?}");
        (result, heard.all())
    }

    /// Restores an archive that does not do any harm.
    fn prepare(&self, archive: &[u8]) {
        let (result, heard) = self.restore(archive, RestoreOptions::new());
        assert!(result.is_ok_and(|summary| summary.whole && summary.problems == 0), "{heard}");
    }

    /// An archive is refused with this, with nothing changed in the destination, in a dry run too.
    fn refused(&self, archive: &[u8], options: RestoreOptions, kind: ErrorKind, part: &str) {
        let before = listing(&self.destination());
        for options in [options.clone().dry_run(true), options] {
            let (result, _) = self.restore(archive, options);
            let error = result.expect_err(part);
            assert_eq!(error.kind(), kind, "{part}: {error}");
            assert!(error.to_string().contains(part), "{part}: {error}");
            let after = listing(&self.destination());
            assert_eq!(differences(&before, &after), [""; 0], "{error}");
        }
    }

    /// An archive is restored but for what could not be, of which something is said.
    fn partial(&self, archive: &[u8], options: RestoreOptions, part: &str) {
        let (result, heard) = self.restore(archive, options);
        let summary = result.expect(part);
        assert!(summary.is_partial() && summary.problems > 0, "{part}: {heard}");
        assert!(heard.contains(part), "{part}: {heard}");
    }

    fn names(&self) -> Vec<String> {
        let paths = look::tree(&self.destination()).into_keys();
        paths.map(|path| path.to_string_lossy().into_owned()).filter(|path| !path.is_empty()).collect()
    }
}

fn plain() -> RestoreOptions {
    RestoreOptions::new()
}

/// A level 0 of which the root and this is said.
fn level_0(entries: impl FnOnce(&mut Level) -> &mut Level) -> Vec<u8> {
    let mut level = Level::new(Header::level_0(ZERO));
    level.open("");
    entries(&mut level);
    level.close("").finish()
}

/// The level after it.
fn level_1(entries: impl FnOnce(&mut Level) -> &mut Level) -> Vec<u8> {
    let mut level = Level::new(Header::level_0(ZERO).next(ONE));
    entries(&mut level);
    level.finish()
}

/// A delta that copies the whole of a basis, with any further fields in its header.
fn copy_delta(basis: &[u8], fields: &[(u16, &[u8])]) -> Vec<u8> {
    let says = Says::truth(basis);
    let (basis_field, block_len) = (says.as_basis(), archive::BLOCK_LEN.to_be_bytes());
    let mut all = vec![(TAG_BASIS, &basis_field[..]), (TAG_TARGET_BLOCK_LEN, &block_len[..])];
    all.extend(fields);
    let commands = [&[0x72, 0x73, 0x02, 0x36, 0x54][..], &[0; 8], &(basis.len() as u64).to_be_bytes(), &[0]].concat();
    Sealing::new(DELTA, &all).data(&commands, basis.len() as u64).end(&says)
}

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

/// A level 0 with a directory, a file in it, and a link.
fn innocent() -> Vec<u8> {
    level_0(|level| {
        level.open("d").file("d/f", b"in d").close("d").file("f", b"content");
        level.make("l", Metadata::symlink("../outside"))
    })
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

#[test]
fn what_frazil_keeps_in_the_destination_is_nothing_that_a_record_can_name() {
    let ground = Ground::new();
    let part = "path is that of a restore's own directory";
    let refused = |entries: &dyn Fn(&mut Level) -> &mut Level| {
        ground.refused(&level_0(|level| entries(level)), plain(), Corrupt, part);
        ground.refused(&level_0(|level| entries(level)), plain().overwrite(true), Corrupt, part);
    };
    refused(&|level| level.file(".frazil-restore", b"evil"));
    refused(&|level| level.make(".frazil-restore", Metadata::symlink("../outside")));
    refused(&|level| level.open(".frazil-restore").close(".frazil-restore"));
    refused(&|level| level.file(".frazil-restore/state", b"evil"));
    refused(&|level| level.file(".frazil-restore/stage/0/0", b"evil"));
    refused(&|level| level.record(&Record::new(b'L', ".frazil-restore/state").from("f")));
    refused(&|level| level.record(&Record::file(b'M', ".frazil-restore/journal", b"")));
    refused(&|level| level.record(&Record::new(b'X', ".frazil-restore/state").after(Parent::file(b""))));
    assert_eq!(ground.names(), [""; 0]);
    // Nor below a selection, when it comes to the same place.
    let archive = level_0(|level| level.open("a").file("a/.frazil-restore", b"evil").close("a"));
    ground.refused(&archive, plain().strip(1), Corrupt, part);
}

#[test]
fn entries_that_are_repeated_or_out_of_order_are_refused() {
    let ground = Ground::new();
    let f = Record::file(b'F', "f", b"content");
    let entry = || Tar::full(b"f", f.metadata.as_ref().unwrap(), b"content");
    let order = "records of a level are out of order";
    ground.refused(&level_0(|level| level.file("f", b"content").file("f", b"evil")), plain(), Corrupt, order);
    ground.refused(&level_0(|level| level.file("g", b"content").file("f", b"content")), plain(), Corrupt, order);
    ground.refused(&level_0(|level| level.file("f", b"content").open("f")), plain(), Corrupt, order);
    ground.refused(&level_0(|level| level.open("d").close("d").file("d/f", b"late")), plain(), Corrupt, order);
    ground.refused(&level_0(|level| level.open("d").close("d").batch().open("d").close("d")), plain(), Corrupt, order);
    let twice = level_0(|level| level.tar(&entry()).full(&f, b"content"));
    ground.refused(&twice, plain(), Corrupt, "entry of an archive that no record answers for");
    let swapped = level_0(|level| {
        let g = Record::file(b'F', "g", b"content");
        level.tar(&Tar::full(b"g", g.metadata.as_ref().unwrap(), b"content")).tar(&entry()).record(&f).record(&g)
    });
    ground.refused(&swapped, plain(), Corrupt, "");
    ground.refused(&level_0(|level| level.record(&f)), plain(), Corrupt, "content of an entry is missing");
}

#[test]
fn a_file_that_something_is_said_to_be_in_stays_a_file() {
    let ground = Ground::new();
    let archive = level_0(|level| level.file("f", b"content").file("f/g", b"evil").file("z", b"last"));
    ground.partial(&archive, plain(), "Not a directory");
    assert_eq!(ground.names(), ["f", "z"]);
    assert_eq!(fs::read(ground.path("f")).unwrap(), b"content");
}

#[test]
fn what_lends_rights_is_left_out_unless_the_restore_is_privileged() {
    let ground = Ground::new();
    let capability = [1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0].to_vec();
    let attributes: Vec<(Vec<u8>, Vec<u8>)> =
        vec![(b"security.capability".to_vec(), capability), (b"trusted.overlay.opaque".to_vec(), b"y".to_vec())];
    let archive = level_0(|level| {
        let with = |path: &str, mode| {
            Record::file(b'F', path, b"#!").with(Metadata {
                size: 2,
                attributes: attributes.clone(),
                ..Metadata::new(b'-').mode(mode)
            })
        };
        level.make("block", Metadata { device: (8, 0), ..Metadata::new(b'b') });
        level.make("char", Metadata { device: (1, 1), ..Metadata::new(b'c') });
        level.full(&with("setgid", 0o2755), b"#!").full(&with("setuid", 0o4755), b"#!")
    });
    let (result, heard) = ground.restore(&archive, plain());
    let summary = result.unwrap();
    assert_eq!(ground.names(), ["setgid", "setuid"], "{heard}");
    for name in ["setgid", "setuid"] {
        let look = look::look(&ground.path(name));
        assert_eq!(look.mode & if is_root() { 0o6000 } else { 0 }, 0, "{heard}");
        assert!(!format!("{look:?}").contains("trusted"), "{look:?}");
        assert!(rustix::fs::getxattr(ground.path(name), "security.capability", &mut [0; 64][..]).is_err());
    }
    assert!(heard.contains("devices are restored on request only"), "{heard}");
    if is_root() {
        assert_eq!(heard.matches("attributes that lend rights are left out").count(), 2, "{heard}");
        assert_eq!(heard.matches("set-id bits are left out").count(), 2, "{heard}");
        assert_eq!(summary.problems, 6, "{heard}");
    }
}

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

#[test]
fn directories_that_nobody_may_write_take_what_comes_and_stay_as_they_are() {
    let ground = Ground::new();
    let closed = || Metadata::new(b'd').mode(0o500);
    let close = || Record::new(b'M', "d").with(closed()).closing();
    ground.prepare(&level_0(|level| level.make("d", closed()).file("d/f", b"one").record(&close())));
    ground.prepare(&level_1(|level| {
        level.record(&Record::new(b'X', "d/f").after(Parent::file(b"one"))).file("d/g", b"two");
        level.record(&Record { parent: Some(Parent::other(b'd')), ..close() })
    }));
    assert_eq!(look::look(&ground.path("d")).mode, 0o500);
    assert_eq!(fs::read(ground.path("d/g")).unwrap(), b"two");
    fs::set_permissions(ground.path("d"), fs::Permissions::from_mode(0o700)).unwrap();
}

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

/// Somebody who may write in the destination, and swaps what is there for a link as fast as he can.
struct Swapper {
    stop: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<u64>>,
}

impl Swapper {
    fn new(destination: &Path, swaps: Vec<(PathBuf, PathBuf)>) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let swaps: Vec<_> = swaps.into_iter().map(|(a, b)| (destination.join(a), destination.join(b))).collect();
        let work = move || {
            let mut done = 0;
            while !stopped.load(Ordering::Relaxed) {
                for (a, b) in &swaps {
                    done += u64::from(renameat_with(CWD, a, CWD, b, RenameFlags::EXCHANGE).is_ok());
                }
            }
            done
        };
        Self { stop, thread: Some(std::thread::spawn(work)) }
    }

    fn stop(mut self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().unwrap()
    }
}

#[test]
fn who_swaps_directories_for_links_during_a_restore_leads_it_nowhere() {
    const RUNS: usize = 100;
    const FILES: usize = 30;
    let zero = level_0(|level| {
        level.open("d").file("d/f", b"f");
        for number in 10..10 + FILES {
            level.file(format!("d/f{number}"), b"f");
        }
        level.open("d/sub").file("d/sub/f", b"f").file("d/sub/secret", b"s").close("d/sub").close("d").file("f", b"f")
    });
    let one = level_1(|level| {
        level.record(&Record::new(b'X', "d/f").after(Parent::file(b"f")));
        for number in 10..10 + FILES {
            let metadata = Metadata { size: 1, ..Metadata::new(b'-').mode(0o777) };
            level.record(&Record::file(b'M', format!("d/f{number}"), b"f").with(metadata).after(Parent::file(b"f")));
        }
        level.file("d/new", b"new").record(&Record::new(b'X', "d/sub/f").after(Parent::file(b"f")));
        level.record(&Record::new(b'L', "d/sub/linked").from("f"));
        level.record(&Record::new(b'X', "d/sub/secret").after(Parent::file(b"s")));
        level.close("d/sub").close("d")
    });
    let ground = Ground::new();
    let (mut swaps, mut failed, mut partial, mut whole) = (0, 0, 0, 0);
    for _ in 0..RUNS {
        fs::remove_dir_all(ground.destination()).unwrap();
        fs::create_dir(ground.destination()).unwrap();
        // Both names lead to the same kind of harm: all names that the levels use are there outside too.
        symlink(ground.out(""), ground.path("s")).unwrap();
        symlink(ground.out("d"), ground.path("t")).unwrap();
        let start = || {
            let swap = |a: &str, b: &str| (PathBuf::from(a), PathBuf::from(b));
            Swapper::new(&ground.destination(), vec![swap("d", "s"), swap("d/sub", "t"), swap("f", "t")])
        };
        for archive in [&zero, &one] {
            let swapper = start();
            for options in [plain().overwrite(true), plain().overwrite(true).keep_going(true).accept_partial(true)] {
                match restore_tree(&archive[..], ground.destination(), options) {
                    Err(_) => failed += 1,
                    Ok(summary) if summary.is_partial() => partial += 1,
                    Ok(_) => whole += 1,
                }
            }
            swaps += swapper.stop();
            assert_eq!(differences(&ground.outside, &ground.look_outside()), [""; 0]);
        }
    }
    println!("{swaps} swaps: {failed} restores failed, {partial} were partial and {whole} whole");
    assert!(swaps > 0);
}

/// An archive behind the last byte of which something is done.
struct Then<'a, F>(&'a [u8], Option<F>);

impl<F: FnOnce()> std::io::Read for Then<'_, F> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.0.is_empty()
            && let Some(then) = self.1.take()
        {
            then();
        }
        self.0.read(buffer)
    }
}

#[test]
fn who_puts_another_file_in_a_place_when_all_was_checked_does_not_have_it_changed() {
    let mut one = level_1(|level| {
        let metadata = Metadata { size: 7, modified: (800_000_000, 0), ..Metadata::new(b'-').mode(0o666) };
        level.record(&Record::file(b'M', "f", b"content").with(metadata).after(Parent::file(b"content")))
    });
    // Zeros behind the end of a tar are part of it, and libarchive reads some way ahead.
    one.resize(one.len() + (1 << 20), 0);
    for replace in [|from: &str, to: &Path| fs::hard_link(from, to), |from: &str, to: &Path| symlink(from, to)] {
        let ground = Ground::new();
        ground.prepare(&innocent());
        let swap = || {
            fs::remove_file(ground.path("f")).unwrap();
            replace(&ground.out("f"), &ground.path("f")).unwrap();
        };
        let heard = Arc::new(Heard::default());
        let options = plain().observer(heard.clone());
        let summary = restore_tree(Then(&one, Some(swap)), ground.destination(), options).unwrap();
        assert_eq!(differences(&ground.outside, &ground.look_outside()), [""; 0]);
        assert!(summary.is_partial() && heard.all().starts_with("Mismatch"), "{}", heard.all());
    }
}

// The faults of the engines that were there before, each by its name.

#[test]
fn freezer_a_path_with_two_dots_does_not_escape() {
    let ground = Ground::new();
    let archive = level_0(|level| level.file("../evil", b"evil"));
    ground.refused(&archive, plain(), Corrupt, "path");
    assert!(!ground.dir.path().join("evil").exists());
}

#[test]
fn freezer_an_absolute_path_does_not_escape() {
    let ground = Ground::new();
    let archive = level_0(|level| level.file(ground.out("evil"), b"evil"));
    ground.refused(&archive, plain(), Corrupt, "path");
}

#[test]
fn freezer_a_link_earlier_in_the_stream_is_not_written_through() {
    let ground = Ground::new();
    let archive = level_0(|level| level.make("a", Metadata::symlink(ground.out(""))).file("a/evil", b"evil"));
    ground.partial(&archive, plain(), "Not a directory");
}

#[test]
fn freezer_a_link_that_becomes_a_file_is_replaced_and_not_written_through() {
    let ground = Ground::new();
    ground.prepare(&level_0(|level| level.make("l", Metadata::symlink("../outside/secret"))));
    let file = Record::file(b'F', "l", b"a file now").after(Parent::other(b'l'));
    ground.prepare(&level_1(|level| level.full(&file, b"a file now").close("")));
    assert!(!ground.path("l").is_symlink());
    assert_eq!(fs::read(ground.path("l")).unwrap(), b"a file now");
}

#[test]
fn freezer_a_link_that_leads_elsewhere_is_changed_and_what_it_led_to_keeps_its_mode() {
    let ground = Ground::new();
    ground.prepare(&level_0(|level| level.make("l", Metadata::symlink("../outside/secret"))));
    let retargeted = Record::new(b'F', "l").with(Metadata::symlink("../outside/f")).after(Parent::other(b'l'));
    ground.prepare(&level_1(|level| level.full(&retargeted, b"").close("")));
    assert_eq!(fs::read_link(ground.path("l")).unwrap(), Path::new("../outside/f"));
}

#[test]
fn freezer_a_directory_that_becomes_a_file_is_replaced() {
    let ground = Ground::new();
    ground.prepare(&innocent());
    let file = Record::file(b'F', "d", b"a file now").after(Parent::other(b'd')).closing();
    ground.prepare(&level_1(|level| {
        level.record(&Record::new(b'X', "d/f").after(Parent::file(b"in d"))).full(&file, b"a file now").close("")
    }));
    assert_eq!(fs::read(ground.path("d")).unwrap(), b"a file now");
}

#[test]
fn freezer_a_dangling_link_is_deleted() {
    let ground = Ground::new();
    ground.prepare(&level_0(|level| level.make("l", Metadata::symlink("nowhere"))));
    ground.prepare(&level_1(|level| level.record(&Record::new(b'X', "l").after(Parent::other(b'l'))).close("")));
    assert_eq!(ground.names(), [""; 0]);
}

#[test]
fn freezer_a_stream_that_breaks_off_is_no_success() {
    let ground = Ground::new();
    let archive = innocent();
    let trailer = archive.len() - 1024 - 1024;
    ground.refused(&archive[..trailer], plain(), Truncated, "");
}
