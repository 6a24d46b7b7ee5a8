//! What a tree is: every entry with all of its metadata.
#![allow(dead_code, reason = "each suite takes what it needs")]

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;
use std::fs::{self, File, Permissions};
use std::io::{self, Read};
use std::os::fd::{AsFd, AsRawFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::fs::{
    AtFlags, CWD, FileType, IFlags, Mode, OFlags, Timespec, Timestamps, UTIME_OMIT, XattrFlags, ioctl_getflags,
    ioctl_setflags, lgetxattr, llistxattr, lsetxattr, makedev, mknodat, utimensat,
};

/// Where a restore keeps its notes, which are no part of the tree.
pub(crate) const NOTES: &str = ".frazil-restore";

/// The flags of a file that say what somebody wants of it.
const FLAGS: IFlags = IFlags::NODUMP.union(IFlags::NOATIME).union(IFlags::IMMUTABLE).union(IFlags::APPEND);

/// All that an entry is, but for the times that nobody can set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) mode: u32,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) size: u64,
    pub(crate) modified: (i64, i64),
    pub(crate) target: Vec<u8>,
    pub(crate) device: u64,
    pub(crate) flags: u32,
    pub(crate) attributes: BTreeMap<Vec<u8>, Vec<u8>>,
    pub(crate) content: Option<[u8; 32]>,
    /// The first of its names, in their order.
    pub(crate) first_name: PathBuf,
    pub(crate) names: u64,
}

/// The whole tree at `root`, by paths relative to it; the root is the empty one.
pub(crate) fn image(root: &Path) -> BTreeMap<PathBuf, Entry> {
    let mut first_names = HashMap::new();
    let mut image = BTreeMap::new();
    for path in paths(root).into_iter().chain([PathBuf::new()]) {
        let on_disk = root.join(&path);
        let stat = fs::symlink_metadata(&on_disk).unwrap();
        let kind = stat.file_type();
        let is_open = kind.is_file() || kind.is_dir();
        // Some file systems count the directories in a directory among its names, others do not.
        let names = if kind.is_dir() { 1 } else { stat.nlink() };
        let first_name = match names {
            1 => path.clone(),
            _ => first_names.entry((stat.dev(), stat.ino())).or_insert_with(|| path.clone()).clone(),
        };
        let entry = Entry {
            mode: stat.mode(),
            uid: stat.uid(),
            gid: stat.gid(),
            size: if kind.is_dir() { 0 } else { stat.size() },
            modified: (stat.mtime(), stat.mtime_nsec()),
            target: fs::read_link(&on_disk).map_or(Vec::new(), |target| target.into_os_string().into_vec()),
            device: stat.rdev(),
            flags: if is_open { flags_of(&on_disk).bits() } else { 0 },
            attributes: attributes_of(&on_disk),
            content: kind.is_file().then(|| digest(&on_disk)),
            first_name,
            names,
        };
        image.insert(path, entry);
    }
    image
}

/// Fails with what differs, and only that.
pub(crate) fn assert_same(expected: &BTreeMap<PathBuf, Entry>, found: &BTreeMap<PathBuf, Entry>, what: &str) {
    let paths: std::collections::BTreeSet<_> = expected.keys().chain(found.keys()).collect();
    let differences: Vec<_> = paths
        .into_iter()
        .filter(|path| expected.get(*path) != found.get(*path))
        .map(|path| format!("{path:?}:\n  expected {:?}\n  found    {:?}", expected.get(path), found.get(path)))
        .collect();
    assert!(differences.is_empty(), "{what}:\n{}", differences.join("\n"));
}

/// What rsync would have to do to make `copy` the tree at `root`: nothing.
pub(crate) fn assert_rsync_finds_nothing(root: &Path, copy: &Path, what: &str) {
    let slashed = |path: &Path| {
        let mut path = path.as_os_str().to_owned();
        path.push("/");
        path
    };
    let output = Command::new("rsync")
        .args(["-aHAXn", "--checksum", "--delete", "--itemize-changes", "--numeric-ids", "--exclude=/.frazil-restore"])
        .args([slashed(root), slashed(copy)])
        .output()
        .expect("rsync");
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success() && said.is_empty(), "{what}: {}\n{said}", output.status);
}

fn digest(path: &Path) -> [u8; 32] {
    let mut state = blake2b_simd::Params::new().hash_length(32).to_state();
    let mut file = File::open(path).unwrap();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer).unwrap() {
            0 => return state.finalize().as_bytes().try_into().unwrap(),
            len => state.update(&buffer[..len]),
        };
    }
}

/// All paths below `root` but those of a restore's notes, parents first, in the order of their names.
pub(crate) fn paths(root: &Path) -> Vec<PathBuf> {
    fn walk(root: &Path, below: &Path, into: &mut Vec<PathBuf>) {
        let mut names: Vec<OsString> =
            fs::read_dir(root.join(below)).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        for name in names.into_iter().filter(|name| !below.as_os_str().is_empty() || name != NOTES) {
            let path = below.join(name);
            let is_directory = fs::symlink_metadata(root.join(&path)).unwrap().is_dir();
            into.push(path.clone());
            if is_directory {
                walk(root, &path, into);
            }
        }
    }
    let mut all = Vec::new();
    walk(root, Path::new(""), &mut all);
    all
}

fn open_for_flags(path: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    Ok(rustix::fs::open(path, flags, Mode::empty())?)
}

pub(crate) fn flags_of(path: &Path) -> IFlags {
    open_for_flags(path).and_then(|file| Ok(ioctl_getflags(file.as_fd())?)).unwrap_or(IFlags::empty()) & FLAGS
}

/// Sets the flags of a file or directory, where the file system has any.
pub(crate) fn set_flags(path: &Path, flags: IFlags) {
    let Ok(file) = open_for_flags(path) else { return };
    if let Ok(found) = ioctl_getflags(file.as_fd()) {
        let _ = ioctl_setflags(file.as_fd(), (found - FLAGS) | flags);
    }
}

/// Takes the flags away that keep the tree from being changed or removed.
pub(crate) fn unlock(root: &Path) {
    for path in paths(root) {
        let path = root.join(path);
        let kind = fs::symlink_metadata(&path).unwrap().file_type();
        if (kind.is_file() || kind.is_dir()) && flags_of(&path).intersects(IFlags::IMMUTABLE | IFlags::APPEND) {
            set_flags(&path, flags_of(&path) - (IFlags::IMMUTABLE | IFlags::APPEND));
        }
    }
}

/// The attributes that an entry has, all that can be read.
pub(crate) fn attributes_of(path: &Path) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let mut names = vec![0; 1 << 16];
    let len = match llistxattr(path, &mut names[..]) {
        Ok(len) => len,
        Err(rustix::io::Errno::NOTSUP) => return BTreeMap::new(),
        Err(error) => panic!("listing the attributes of {}: {error}", path.display()),
    };
    let mut value = vec![0; 1 << 16];
    let names = names[..len].split(|&byte| byte == 0).filter(|name| !name.is_empty());
    names
        .map(|name| {
            let len = lgetxattr(path, name, &mut value[..]).unwrap();
            (name.to_vec(), value[..len].to_vec())
        })
        .collect()
}

/// Makes every descriptor that this process reads `path` by one that cannot be read.
#[allow(unsafe_code)]
pub(crate) fn break_descriptors(path: &Path) {
    let unreadable = File::options().write(true).open("/dev/null").unwrap();
    let mut broken = 0;
    for entry in fs::read_dir("/proc/self/fd").unwrap() {
        let entry = entry.unwrap();
        if fs::read_link(entry.path()).is_ok_and(|target| target == path) {
            let number: RawFd = entry.file_name().to_str().unwrap().parse().unwrap();
            assert_ne!(number, unreadable.as_raw_fd());
            // SAFETY: whoever owns the descriptor goes on owning it: it is given back below, unclosed, and
            // what it stands for is as good as a file that fails.
            let mut descriptor = unsafe { OwnedFd::from_raw_fd(number) };
            rustix::io::dup2(&unreadable, &mut descriptor).unwrap();
            let _ = descriptor.into_raw_fd();
            broken += 1;
        }
    }
    assert!(broken > 0, "nobody reads {}", path.display());
}

/// Whether this process may do all that a restore of anything needs.
pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Says that this process is the one that [`as_plain_user`] started.
const PLAIN: &str = "FRAZIL_TEST_PLAIN_USER";

/// Runs `work` as a user who is not root: at once if this one is none, and else by running the test of this
/// name once more, in a process of user 65534.
pub(crate) fn as_plain_user(test: &str, work: impl FnOnce()) {
    as_user(65534, test, work);
}

/// As [`as_plain_user`], where root can choose which one.
pub(crate) fn as_user(user: u32, test: &str, work: impl FnOnce()) {
    if !is_root() {
        return work();
    }
    assert!(std::env::var_os(PLAIN).is_none(), "the user is still root");
    // The binary may lie where nobody else may go.
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), Permissions::from_mode(0o755)).unwrap();
    let binary = dir.path().join("test");
    fs::copy(std::env::current_exe().unwrap(), &binary).unwrap();
    let home = dir.path().join("tmp");
    fs::create_dir(&home).unwrap();
    fs::set_permissions(&home, Permissions::from_mode(0o777)).unwrap();
    let status = Command::new(&binary)
        .args(["--exact", "--nocapture", test])
        .env(PLAIN, "1")
        .env("TMPDIR", &home)
        .current_dir("/")
        .uid(user)
        .gid(user)
        .status()
        .unwrap();
    assert!(status.success(), "{test} as user {user}: {status}");
}

/// Gives an entry this modification time, itself and not what it leads to.
pub(crate) fn set_time(path: &Path, (seconds, nanoseconds): (i64, i64)) -> io::Result<()> {
    let times = Timestamps {
        last_access: Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT },
        last_modification: Timespec { tv_sec: seconds, tv_nsec: nanoseconds as _ },
    };
    Ok(utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW)?)
}

pub(crate) fn time_of(path: &Path) -> (i64, i64) {
    let stat = fs::symlink_metadata(path).unwrap();
    (stat.mtime(), stat.mtime_nsec())
}

/// A POSIX ACL as the kernel has it: of the owner, one more user, the group, the mask and all others.
pub(crate) fn acl(user: u32, permissions: u16) -> Vec<u8> {
    const NONE: u32 = u32::MAX;
    let entries = [(1, 7, NONE), (2, permissions, user), (4, 5, NONE), (16, permissions | 5, NONE), (32, 1, NONE)];
    let mut encoded = 2_u32.to_le_bytes().to_vec();
    for (tag, permissions, id) in entries {
        encoded.extend(u16::to_le_bytes(tag));
        encoded.extend(u16::to_le_bytes(permissions));
        encoded.extend(u32::to_le_bytes(id));
    }
    encoded
}

pub(crate) fn set_attribute(path: &Path, name: &[u8], value: &[u8]) -> io::Result<()> {
    Ok(lsetxattr(path, name, value, XattrFlags::empty())?)
}

pub(crate) fn make_node(path: &Path, kind: FileType, device: (u32, u32)) -> io::Result<()> {
    Ok(mknodat(CWD, path, kind, Mode::from_raw_mode(0o640), makedev(device.0, device.1))?)
}
