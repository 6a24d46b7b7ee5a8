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

#[path = "tree_hostile/bombs.rs"]
mod bombs;
#[path = "tree_hostile/freezer.rs"]
mod freezer;
#[path = "tree_hostile/lies.rs"]
mod lies;
#[path = "tree_hostile/links.rs"]
mod links;
#[path = "tree_hostile/paths.rs"]
mod paths;
#[path = "tree_hostile/races.rs"]
mod races;
#[path = "tree_hostile/records.rs"]
mod records;

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

/// A level 0 with a directory, a file in it, and a link.
fn innocent() -> Vec<u8> {
    level_0(|level| {
        level.open("d").file("d/f", b"in d").close("d").file("f", b"content");
        level.make("l", Metadata::symlink("../outside"))
    })
}
