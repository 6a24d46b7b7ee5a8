//! Any tar reads an archive: bsdtar, GNU tar and Python's tarfile list every level behind every filter, and
//! make the tree of a level 0 again. rsync says whether it is the same.
//!
//! What each of them cannot do:
//!
//! - bsdtar 3.6.2 restores everything. Without `-p` it leaves modes, ACLs and attributes out.
//! - GNU tar knows attributes and ACLs as `SCHILY.` keywords only. The ACLs are written as those and come back;
//!   attributes are not (`SCHILY.xattr` cannot carry every name) and are passed over with a notice.
//! - Python's tarfile restores no attributes, no ACLs, no times of links, and others to the microsecond or so. Before
//!   3.14 it does not know Zstandard, and LZ4 not at all: it is given what another program unpacks.
//! - With `--strip-components 1`, what is in the tree comes out whole, but the root itself is nothing that is
//!   extracted: its own mode and time are lost. Here it is extracted as `full`.
//! - GNU tar has to be told (`-I lz4`) when an archive is compressed with LZ4.
//! - None of them can do anything with `delta/` and `.frazil/`, which are files to them.

#[path = "support/look.rs"]
mod look;

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use frazil::{BackupOptions, Filter, backup_tree};
use look::{differences, tree};
use rustix::fs::{CWD, Mode, XattrFlags, lsetxattr};
use tempfile::TempDir;

const FILTERS: [Filter; 6] = [Filter::None, Filter::Gzip, Filter::Bzip2, Filter::Xz, Filter::Zstd, Filter::Lz4];

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Runs a program and fails unless it ends well.
fn run(command: &mut Command) -> Output {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(
        output.status.success(),
        "{command:?}: {}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

/// A tree with entries of every kind.
struct Ground {
    dir: TempDir,
}

impl Ground {
    fn new() -> Self {
        // On a disk: a file system in memory need not have attributes.
        let ground = Self { dir: tempfile::tempdir().unwrap() };
        fs::create_dir(ground.tree()).unwrap();
        let at = |name: &[u8]| ground.tree().join(Path::new(std::ffi::OsStr::from_bytes(name)));
        fs::create_dir_all(at(b"d/empty directory")).unwrap();
        fs::write(at(b"plain"), "content\n").unwrap();
        fs::write(at(b"d/empty"), "").unwrap();
        fs::write(at(b"d/ leading and trailing "), "spaces").unwrap();
        fs::write(at(b"d/line\nfeed %20 \\n"), "odd").unwrap();
        fs::write(at("d/\u{e4}\u{f6}\u{fc}".as_bytes()), "UTF-8").unwrap();
        fs::write(at(b"d/not \xff\xfe UTF-8"), "bytes").unwrap();
        let long: PathBuf = ["long"; 3].iter().map(|name| name.repeat(50)).collect();
        fs::create_dir_all(ground.tree().join(&long)).unwrap();
        fs::write(ground.tree().join(&long).join("f".repeat(255)), "a long path").unwrap();
        let large: Vec<u8> =
            (0..300_000_u32).flat_map(|number| number.wrapping_mul(0x9e37_79b9).to_be_bytes()).collect();
        fs::write(at(b"large"), large).unwrap();
        let sparse = File::create(at(b"sparse")).unwrap();
        sparse.set_len(20 << 20).unwrap();
        sparse.write_all_at(&[7; 5000], 3 << 20).unwrap();
        sparse.write_all_at(&[8; 5000], 9 << 20).unwrap();
        fs::hard_link(at(b"plain"), at(b"z further name")).unwrap();
        symlink("plain", at(b"link")).unwrap();
        symlink("nowhere/at/all", at(b"dangling")).unwrap();
        rustix::fs::mkfifoat(CWD, at(b"pipe"), Mode::RUSR | Mode::WUSR).unwrap();
        for (name, mode) in [(&b"plain"[..], 0o4751), (b"d", 0o1770), (b"d/empty", 0o400)] {
            fs::set_permissions(at(name), fs::Permissions::from_mode(mode)).unwrap();
        }
        for (name, value) in [("user.frazil", &b"a value"[..]), ("user.a b%=", b"\0\xff\n"), ("user.empty", b"")] {
            lsetxattr(at(b"large"), name, value, XattrFlags::empty()).unwrap();
        }
        run(Command::new("setfacl").args(["-m", "u:4242:rw,g:4243:r"]).arg(at(b"large")));
        run(Command::new("setfacl").args(["-m", "d:u:4242:rx,u:4242:rx"]).arg(at(b"d")));
        if is_root() {
            let device = rustix::fs::makedev(1, 3);
            rustix::fs::mknodat(CWD, at(b"null"), rustix::fs::FileType::CharacterDevice, Mode::RUSR, device).unwrap();
            std::os::unix::fs::chown(at(b"d/empty"), Some(4242), Some(4243)).unwrap();
        }
        for name in [&b"plain"[..], b"large", b"d/empty directory"] {
            let time = std::time::UNIX_EPOCH + std::time::Duration::new(1_234_567_890, 123_456_789);
            File::open(at(name)).unwrap().set_modified(time).unwrap();
        }
        ground
    }

    fn tree(&self) -> PathBuf {
        self.dir.path().join("tree")
    }

    fn archive(&self, level: usize, filter: Filter) -> PathBuf {
        self.dir.path().join(format!("{filter}.{level}.tar"))
    }

    /// Backs up a level behind every filter.
    fn back_up(&self, level: usize) {
        for filter in FILTERS {
            let snapshot = |level| self.dir.path().join(format!("{filter}.{level}.snapshot"));
            let since = level.checked_sub(1).map(snapshot);
            let archive = File::create(self.archive(level, filter)).unwrap();
            let options = BackupOptions::new().filter(filter);
            let summary = backup_tree(self.tree(), since.as_deref(), snapshot(level), archive, options).unwrap();
            assert!(!summary.is_partial());
        }
    }

    /// Changes something of everything.
    fn change(&self) {
        let at = |name: &str| self.tree().join(name);
        let large = File::options().write(true).open(at("large")).unwrap();
        large.write_all_at(&[1; 300_000], 400_000).unwrap();
        fs::remove_file(at("link")).unwrap();
        symlink("large", at("link")).unwrap();
        fs::remove_dir(at("d/empty directory")).unwrap();
        fs::rename(at("sparse"), at("d/renamed")).unwrap();
        fs::set_permissions(at("z further name"), fs::Permissions::from_mode(0o600)).unwrap();
        File::create(at("new")).unwrap().write_all(b"new").unwrap();
    }

    /// Fails unless a tree is equal to that of the ground, as rsync sees it.
    fn check(&self, extracted: &Path, with: &str) {
        let (from, to) = (self.tree().join(""), extracted.join(""));
        let mut rsync = Command::new("rsync");
        rsync.args([with, "-n", "--checksum", "--delete", "--itemize-changes", "--numeric-ids"]);
        let output = run(rsync.arg(from).arg(to));
        assert_eq!(String::from_utf8_lossy(&output.stdout), "", "{extracted:?}");
    }
}

/// GNU tar, which tells by itself what an archive is compressed with, but for one.
fn gnu_tar(filter: Filter) -> Command {
    let mut gnu = Command::new("tar");
    if filter == Filter::Lz4 {
        gnu.args(["-I", "lz4"]);
    }
    gnu
}

/// Lists an archive with three programs that know nothing of frazil.
fn list(archive: &Path, filter: Filter) -> [usize; 3] {
    let lines = |output: Output| output.stdout.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()).count();
    let bsdtar = run(Command::new("bsdtar").arg("-tf").arg(archive));
    let gnu = run(gnu_tar(filter).args(["--warning=no-unknown-keyword", "-tf"]).arg(archive));
    let python = run(python("for member in tar: print(ascii(member.name))").arg(archive));
    [lines(bsdtar), lines(gnu), lines(python)]
}

/// Python, which has opened the archive that is its first argument, and does this with it.
fn python(then: &str) -> Command {
    let open = "
import io, subprocess, sys, tarfile
head = open(sys.argv[1], 'rb').read(6)
# What Python's own library reads, and what another program has to.
programs = {b'\\x28\\xb5\\x2f\\xfd': 'zstd', b'\\x04\\x22\\x4d\\x18': 'lz4'}
program = programs.get(head[:4])
if program:
    data = subprocess.run([program, '-dc', sys.argv[1]], check=True, capture_output=True).stdout
    tar = tarfile.open(fileobj=io.BytesIO(data))
else:
    tar = tarfile.open(sys.argv[1])
";
    let mut python = Command::new("python3");
    python.args(["-c", &format!("{open}{then}")]);
    python
}

#[test]
fn every_tar_lists_every_level_behind_every_filter() {
    let ground = Ground::new();
    ground.back_up(0);
    ground.change();
    ground.back_up(1);
    for level in [0, 1] {
        // Python's names are of one line each, and so are those of the others, which write line feeds as `\n`.
        let counts = FILTERS.map(|filter| list(&ground.archive(level, filter), filter));
        assert!(counts.iter().flatten().all(|&count| count > 5 && count == counts[0][2]), "level {level}: {counts:?}");
    }
}

#[test]
fn bsdtar_makes_the_tree_of_a_level_0_again() {
    let ground = Ground::new();
    ground.back_up(0);
    for filter in FILTERS {
        let to = ground.dir.path().join(format!("bsdtar.{filter}"));
        fs::create_dir(&to).unwrap();
        let mut bsdtar = Command::new("bsdtar");
        bsdtar.args(["--numeric-owner", "-xpf"]).arg(ground.archive(0, filter)).arg("-C").arg(&to);
        run(bsdtar.args(["full", "full/*"]));
        let to = to.join("full");
        ground.check(&to, "-aHAX");
        assert_eq!(differences(&tree(&ground.tree()), &tree(&to)), [""; 0], "{filter}");
        assert!(fs::metadata(to.join("sparse")).is_ok_and(|sparse| is_sparse(&sparse)), "{filter}");
    }
}

#[test]
fn gnu_tar_makes_the_tree_of_a_level_0_again_but_for_attributes() {
    let ground = Ground::new();
    ground.back_up(0);
    for filter in FILTERS {
        let to = ground.dir.path().join(format!("gnu.{filter}"));
        fs::create_dir(&to).unwrap();
        let mut gnu = gnu_tar(filter);
        gnu.args(["--xattrs", "--acls", "--sparse", "--numeric-owner", "-xpf"]).arg(ground.archive(0, filter));
        run(gnu.arg("-C").arg(&to).arg("full"));
        let to = to.join("full");
        ground.check(&to, "-aHA");
        assert!(fs::metadata(to.join("sparse")).is_ok_and(|sparse| is_sparse(&sparse)), "{filter}");
    }
}

#[test]
fn pythons_tarfile_makes_the_tree_of_a_level_0_again_but_for_attributes_and_acls() {
    let ground = Ground::new();
    // Where there is an ACL, the tar header has the mode without its mask.
    run(Command::new("setfacl").arg("-Rb").arg(ground.tree()));
    ground.back_up(0);
    let extract = "
full = [member for member in tar if member.name == 'full' or member.name.startswith('full/')]
# Newer ones want to be told that what is set-id or absolute is meant.
trust = {'filter': 'fully_trusted'} if hasattr(tarfile, 'fully_trusted_filter') else {}
tar.extractall(sys.argv[2], members=full, numeric_owner=True, **trust)
";
    for filter in FILTERS {
        let to = ground.dir.path().join(format!("python.{filter}"));
        fs::create_dir(&to).unwrap();
        run(python(extract).arg(ground.archive(0, filter)).arg(&to));
        let names: Vec<_> = fs::read_dir(&to).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["full"], "{filter}");
        let to = to.join("full");
        ground.check(&to, "-aHJ");
        assert!(fs::metadata(to.join("sparse")).is_ok_and(|sparse| is_sparse(&sparse)), "{filter}");
    }
}

fn is_sparse(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    metadata.len() == 20 << 20 && metadata.blocks() * 512 < 1 << 20
}
