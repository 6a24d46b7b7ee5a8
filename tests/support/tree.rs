//! Random trees and edits of them, and what a tree is: every entry with all of its metadata.
#![allow(dead_code, reason = "each suite takes what it needs")]

use std::collections::{BTreeMap, HashMap};
use std::ffi::{OsStr, OsString};
use std::fs::{self, File, Permissions};
use std::io::{self, Read};
use std::os::fd::{AsFd, AsRawFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::fs::{
    AtFlags, CWD, FileType, IFlags, Mode, OFlags, Timespec, Timestamps, UTIME_OMIT, XattrFlags, ioctl_getflags,
    ioctl_setflags, lgetxattr, llistxattr, lremovexattr, lsetxattr, makedev, mknodat, utimensat,
};

use crate::random::{Content, Edit, Random};

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
        .uid(65534)
        .gid(65534)
        .status()
        .unwrap();
    assert!(status.success(), "{test} as user 65534: {status}");
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

/// One change, which may prove to be impossible.
type Attempt<'a> = fn(&mut Changing<'a>) -> io::Result<()>;

/// A tree that changes at random.
pub(crate) struct Changing<'a> {
    pub(crate) root: PathBuf,
    pub(crate) random: &'a mut Random,
    pub(crate) block_len: usize,
    /// Whether flags are set that keep files from being changed.
    pub(crate) locks: bool,
    serial: usize,
}

/// Changes a tree once.
type Change<'a> = fn(&mut Changing<'a>) -> io::Result<()>;

impl<'a> Changing<'a> {
    /// A tree of about `entries` entries at `root`, which must not exist.
    pub(crate) fn grow(root: &Path, random: &'a mut Random, block_len: usize, entries: usize) -> Self {
        fs::create_dir(root).unwrap();
        let locks = is_root() && random.below(3) == 0;
        let mut tree = Self { root: root.to_owned(), random, block_len, locks, serial: 0 };
        for _ in 0..entries {
            tree.step("make", Self::make);
        }
        tree.finish();
        tree
    }

    /// Changes the tree once more, by so many edits.
    pub(crate) fn edit(&mut self, edits: usize) {
        unlock(&self.root);
        for _ in 0..edits {
            let edits: [(&str, Attempt<'a>); 20] = [
                ("make", Self::make),
                ("make", Self::make),
                ("edit", Self::edit_content),
                ("edit", Self::edit_content),
                ("edit", Self::edit_content),
                ("edit in secret", Self::edit_in_secret),
                ("touch", Self::touch),
                ("chmod", Self::chmod),
                ("chown", Self::chown),
                ("attribute", Self::attribute),
                ("flag", Self::flag),
                ("remove", Self::remove),
                ("remove", Self::remove),
                ("rename", Self::rename),
                ("rename", Self::rename),
                ("swap", Self::swap),
                ("replace kind", Self::replace_kind),
                ("replace by copy", Self::replace_by_copy),
                ("link", Self::link),
                ("retarget", Self::retarget),
            ];
            let (name, edit) = edits[self.random.below(edits.len())];
            self.step(name, edit);
        }
        self.finish();
    }

    /// Some of what is tried cannot be: a directory below itself, a name that is taken, one that is too long.
    fn step(&mut self, name: &str, edit: Attempt<'a>) {
        let Err(error) = edit(self) else { return };
        use rustix::io::Errno as E;
        let impossible = [E::EXIST, E::NOTEMPTY, E::INVAL, E::ISDIR, E::NOTDIR, E::NAMETOOLONG, E::LOOP, E::NOENT];
        // Not even root puts an attribute of a user on a link or a device, and there is not much room for them.
        let of_attributes = [E::PERM, E::NOSPC, E::NOTSUP];
        let code = E::from_io_error(&error).unwrap_or_else(|| panic!("{name}: {error}"));
        let known = impossible.contains(&code)
            || (name == "attribute" && of_attributes.contains(&code))
            || (!is_root() && [E::PERM, E::ACCESS].contains(&code));
        assert!(known || code == E::NOTSUP, "{name}: {error}");
    }

    /// Locks some of it, where that is wanted.
    fn finish(&mut self) {
        for _ in 0..if self.locks { 3 } else { 0 } {
            let Some(path) = self.any(|kind| kind.is_file() || kind.is_dir()) else { break };
            let lock = self.random.pick(&[IFlags::IMMUTABLE, IFlags::APPEND]);
            set_flags(&path, flags_of(&path) | lock);
        }
    }

    fn choose(&mut self, from: &[PathBuf]) -> Option<PathBuf> {
        if from.is_empty() { None } else { Some(from[self.random.below(from.len())].clone()) }
    }

    fn any(&mut self, wanted: fn(fs::FileType) -> bool) -> Option<PathBuf> {
        let all: Vec<_> = paths(&self.root)
            .into_iter()
            .map(|path| self.root.join(path))
            .filter(|path| wanted(fs::symlink_metadata(path).unwrap().file_type()))
            .collect();
        self.choose(&all)
    }

    fn any_directory(&mut self) -> PathBuf {
        let mut all: Vec<_> = paths(&self.root).into_iter().map(|path| self.root.join(path)).collect();
        all.retain(|path| fs::symlink_metadata(path).unwrap().is_dir());
        all.push(self.root.clone());
        self.choose(&all).unwrap()
    }

    /// A path for something new: in any directory, under any kind of name.
    fn fresh(&mut self) -> PathBuf {
        self.serial += 1;
        let serial = self.serial;
        let name: Vec<u8> = match self.random.below(12) {
            0 => [b"\xff\xfe\x80 not utf-8 ", serial.to_string().as_bytes()].concat(),
            1 => format!("two\nlines {serial}").into_bytes(),
            2 => format!("100% of %41 %{serial}").into_bytes(),
            3 => format!(" spaces  and\ttabs {serial} ").into_bytes(),
            4 => {
                let mut name = vec![b'n'; 255];
                name[..8].copy_from_slice(format!("{serial:08}").as_bytes());
                name
            }
            5 => format!("-{serial}").into_bytes(),
            6 => format!("\\back*[slash]?{serial}").into_bytes(),
            7 => format!("zz.{serial}").into_bytes(),
            8 => format!("zz-{serial}").into_bytes(),
            9 => format!("zz{serial}").into_bytes(),
            _ => format!("{serial}").into_bytes(),
        };
        let directory = self.any_directory();
        directory.join(OsStr::from_bytes(&name))
    }

    /// Lets the owner change what is in the directory of `path` for as long as `work` takes.
    fn within<T>(&mut self, path: &Path, work: impl FnOnce(&mut Self) -> io::Result<T>) -> io::Result<T> {
        if is_root() {
            return work(self);
        }
        let directory = path.parent().unwrap();
        let mode = fs::metadata(directory)?.mode() & 0o7777;
        fs::set_permissions(directory, Permissions::from_mode(mode | 0o700))?;
        let result = work(self);
        fs::set_permissions(directory, Permissions::from_mode(mode))?;
        result
    }

    fn length(&mut self) -> usize {
        let block_len = self.block_len;
        match self.random.below(16) {
            0 | 1 => 0,
            2 => 1,
            3 => block_len - 1,
            4 => block_len,
            5 => block_len + 1,
            6 => 2 * block_len,
            7 => 3 * block_len + 7,
            8 => (300 * block_len).min(600_000) + self.random.below(5000),
            9 => self.random.below(20 * block_len),
            _ => self.random.below(2 * block_len),
        }
    }

    fn content(&mut self) -> Vec<u8> {
        let (len, kind) = (self.length(), self.random.pick(&Content::ALL));
        self.random.content(kind, len)
    }

    fn make(&mut self) -> io::Result<()> {
        let path = self.fresh();
        let what = self.random.below(20);
        self.within(&path, |this| this.make_at(&path, what))
    }

    fn make_at(&mut self, path: &Path, what: usize) -> io::Result<()> {
        match what {
            0..=3 => fs::create_dir(path)?,
            4 => {
                let mut deep = path.to_owned();
                fs::create_dir(&deep)?;
                for _ in 0..self.random.below(5) {
                    deep.push("d".repeat(1 + self.random.below(120)));
                    fs::create_dir(&deep)?;
                }
                fs::write(deep.join("bottom"), self.content())?;
            }
            5 | 6 => {
                let target = match self.random.below(4) {
                    0 => OsString::from("nowhere/at all"),
                    1 => OsString::from(".."),
                    2 => OsString::from_vec(b"/\xff\n%".to_vec()),
                    _ => self.any(|_| true).unwrap_or_default().into_os_string(),
                };
                symlink(if target.is_empty() { OsStr::new("x") } else { &target }, path)?;
            }
            7 => make_node(path, FileType::Fifo, (0, 0))?,
            8 if is_root() => {
                let kind = self.random.pick(&[FileType::CharacterDevice, FileType::BlockDevice]);
                let device = (self.random.below(300) as u32, self.random.below(70_000) as u32);
                make_node(path, kind, device)?;
            }
            9 => {
                let file = File::create_new(path)?;
                file.set_len((self.random.below(60) * 16_384 + self.random.below(3)) as u64)?;
                for _ in 0..self.random.below(4) {
                    let at = self.random.below(60) * 16_384;
                    file.write_all_at(&self.random.content(Content::Random, 5000), at as u64)?;
                }
            }
            10 | 11 => {
                // The kernel allows what it calls a link to a link.
                let Some(other) = self.any(|kind| !kind.is_dir()) else { return Ok(()) };
                fs::hard_link(other, path)?;
            }
            _ => fs::write(path, self.content())?,
        }
        match self.random.below(4) {
            0 => self.chmod_at(path),
            1 => self.attribute_at(path),
            2 => self.touch_at(path),
            _ => Ok(()),
        }
    }

    /// Makes a file writable for a while, if only its owner may.
    fn writing<T>(&mut self, path: &Path, work: impl FnOnce(&mut Self) -> io::Result<T>) -> io::Result<T> {
        let mode = fs::metadata(path)?.mode() & 0o7777;
        if is_root() || mode & 0o200 != 0 {
            return work(self);
        }
        fs::set_permissions(path, Permissions::from_mode(mode | 0o200))?;
        let result = work(self);
        fs::set_permissions(path, Permissions::from_mode(mode))?;
        result
    }

    fn edit_content(&mut self) -> io::Result<()> {
        let Some(path) = self.any(|kind| kind.is_file()) else { return Ok(()) };
        self.writing(&path, |this| this.edit_content_at(&path))
    }

    fn edit_content_at(&mut self, path: &Path) -> io::Result<()> {
        let mut content = fs::read(path)?;
        for _ in 0..=self.random.below(3) {
            let (edit, kind) = (self.random.pick(&Edit::ALL), self.random.pick(&Content::ALL));
            edit.apply(self.random, kind, &mut content);
        }
        if self.random.below(12) == 0 {
            content = self.content();
        }
        fs::write(path, content)
    }

    /// Another content of the same length with the same modification time.
    fn edit_in_secret(&mut self) -> io::Result<()> {
        let Some(path) = self.any(|kind| kind.is_file()) else { return Ok(()) };
        let time = time_of(&path);
        self.writing(&path, |this| {
            let file = File::options().write(true).open(&path)?;
            let len = file.metadata()?.len() as usize;
            if len > 0 {
                let at = this.random.below(len);
                let fresh = this.random.content(Content::Random, (len - at).min(10));
                file.write_all_at(&fresh, at as u64)?;
            }
            set_time(&path, time)
        })
    }

    fn touch(&mut self) -> io::Result<()> {
        match self.any(|_| true) {
            Some(path) => self.touch_at(&path),
            None => Ok(()),
        }
    }

    fn touch_at(&mut self, path: &Path) -> io::Result<()> {
        let seconds = self.random.pick(&[-1_000_000_000, -1, 0, 1, 1_000_000_000, 1_700_000_000, 5_000_000_000]);
        let nanoseconds = self.random.pick(&[0, 1, 123_456_789, 999_999_999]);
        set_time(path, (seconds, nanoseconds))
    }

    fn chmod(&mut self) -> io::Result<()> {
        match self.any(|kind| !kind.is_symlink()) {
            Some(path) => self.chmod_at(&path),
            None => Ok(()),
        }
    }

    fn chmod_at(&mut self, path: &Path) -> io::Result<()> {
        let stat = fs::symlink_metadata(path)?;
        if stat.is_symlink() {
            return Ok(());
        }
        let mode =
            self.random.pick(&[0o555, 0o400, 0o644, 0o600, 0o755, 0o4755, 0o2755, 0o6711, 0o1777, 0o000, 0o7777]);
        // Who is not root has to be able to read it, or the rest of the tree.
        let least = match (is_root(), stat.is_dir()) {
            (true, _) => 0,
            (false, true) => 0o500,
            (false, false) => 0o400,
        };
        fs::set_permissions(path, Permissions::from_mode(mode | least))
    }

    fn chown(&mut self) -> io::Result<()> {
        let Some(path) = self.any(|_| true).filter(|_| is_root()) else { return Ok(()) };
        let owner = |this: &mut Self| Some(this.random.pick(&[0, 1, 1000, 65534, 4_242_424, u32::MAX - 1]));
        let (uid, gid) = (owner(self), owner(self));
        std::os::unix::fs::lchown(path, uid, gid)
    }

    fn attribute(&mut self) -> io::Result<()> {
        match self.any(|_| true) {
            Some(path) => self.attribute_at(&path),
            None => Ok(()),
        }
    }

    fn attribute_at(&mut self, path: &Path) -> io::Result<()> {
        let kind = fs::symlink_metadata(path)?.file_type();
        let present: Vec<_> = attributes_of(path).into_keys().filter(|name| !name.starts_with(b"security.")).collect();
        if !present.is_empty() && self.random.below(3) == 0 {
            let name = &present[self.random.below(present.len())];
            return Ok(lremovexattr(path, &name[..])?);
        }
        if kind.is_file() || kind.is_dir() {
            match self.random.below(6) {
                0 => return set_attribute(path, b"system.posix_acl_access", &self.random_acl()),
                1 if kind.is_dir() => return set_attribute(path, b"system.posix_acl_default", &self.random_acl()),
                _ => {}
            }
        }
        let space: &[u8] = match kind.is_file() || kind.is_dir() {
            true => b"user.",
            false if is_root() => b"trusted.",
            false => return Ok(()),
        };
        let space = if is_root() && self.random.below(4) == 0 { b"trusted." } else { space };
        let names: [&[u8]; 6] = [b"plain", b"with space", b"100%25", b"\xff\x80", b"equals=sign", b"line\nfeed"];
        let name = [space, self.random.pick(&names)].concat();
        let len = self.random.pick(&[0, 1, 30, 300, 3000]);
        let value = self.random.content(Content::Random, len);
        set_attribute(path, &name, &value)
    }

    fn random_acl(&mut self) -> Vec<u8> {
        let (user, permissions) = (self.random.pick(&[0, 1000, 4_242_424]), self.random.below(8) as u16);
        acl(user, permissions)
    }

    fn flag(&mut self) -> io::Result<()> {
        let Some(path) = self.any(|kind| kind.is_file() || kind.is_dir()) else { return Ok(()) };
        let flags = self.random.pick(&[IFlags::empty(), IFlags::NODUMP, IFlags::NOATIME, IFlags::NODUMP]);
        set_flags(&path, flags);
        Ok(())
    }

    fn remove(&mut self) -> io::Result<()> {
        let Some(path) = self.any(|_| true) else { return Ok(()) };
        // Deep trees would be gone soon.
        if path.is_dir() && paths(&path).len() > 8 && self.random.below(4) > 0 {
            return Ok(());
        }
        self.remove_at(&path)
    }

    fn remove_at(&mut self, path: &Path) -> io::Result<()> {
        let is_directory = fs::symlink_metadata(path)?.is_dir();
        if is_directory {
            for below in [PathBuf::new()].into_iter().chain(paths(path)) {
                let below = path.join(below);
                let stat = fs::symlink_metadata(&below)?;
                if stat.is_dir() && !is_root() {
                    fs::set_permissions(&below, Permissions::from_mode(0o700))?;
                }
            }
        }
        self.within(path, |_| if is_directory { fs::remove_dir_all(path) } else { fs::remove_file(path) })
    }

    /// Renames from one path to another, whoever owns the directories.
    fn move_to(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        let stat = fs::symlink_metadata(from)?;
        let mode = stat.mode() & 0o7777;
        if stat.is_dir() && !is_root() {
            fs::set_permissions(from, Permissions::from_mode(mode | 0o700))?;
        }
        let moved = self.within(from, |this| this.within(to, |_| fs::rename(from, to)));
        if stat.is_dir() && !is_root() {
            let path = if moved.is_ok() { to } else { from };
            fs::set_permissions(path, Permissions::from_mode(mode))?;
        }
        moved
    }

    fn rename(&mut self) -> io::Result<()> {
        let Some(from) = self.any(|_| true) else { return Ok(()) };
        let onto = if self.random.below(3) == 0 { self.any(|_| true) } else { None };
        let to = match onto {
            Some(to) => to,
            None => self.fresh(),
        };
        self.move_to(&from, &to)
    }

    fn swap(&mut self) -> io::Result<()> {
        let (Some(a), Some(b)) = (self.any(|_| true), self.any(|_| true)) else { return Ok(()) };
        if a.starts_with(&b) || b.starts_with(&a) {
            return Ok(());
        }
        let aside = self.root.join(format!("aside {}", self.serial));
        self.serial += 1;
        self.move_to(&a, &aside)?;
        self.move_to(&b, &a)?;
        self.move_to(&aside, &b)
    }

    /// Something else takes the name.
    fn replace_kind(&mut self) -> io::Result<()> {
        let Some(path) = self.any(|_| true) else { return Ok(()) };
        if path.is_dir() && paths(&path).len() > 8 {
            return Ok(());
        }
        self.remove_at(&path)?;
        let what = self.random.below(20);
        self.within(&path, |this| this.make_at(&path, what))
    }

    /// Another file with the same content, and at times with all of the metadata.
    fn replace_by_copy(&mut self) -> io::Result<()> {
        let Some(path) = self.any(|kind| kind.is_file()) else { return Ok(()) };
        let (content, stat) = (fs::read(&path)?, fs::metadata(&path)?);
        self.within(&path, |_| {
            fs::remove_file(&path)?;
            fs::write(&path, content)
        })?;
        if self.random.below(2) == 0 {
            fs::set_permissions(&path, stat.permissions())?;
            set_time(&path, (stat.mtime(), stat.mtime_nsec()))?;
        }
        Ok(())
    }

    /// One more name, in the place of another file or in a new one.
    fn link(&mut self) -> io::Result<()> {
        let Some(of) = self.any(|kind| !kind.is_dir()) else { return Ok(()) };
        let onto = if self.random.below(2) == 0 { self.any(|kind| !kind.is_dir()) } else { None };
        let to = match onto {
            Some(to) if to != of => {
                self.within(&to, |_| fs::remove_file(&to))?;
                to
            }
            _ => self.fresh(),
        };
        self.within(&to, |_| fs::hard_link(of, &to))
    }

    fn retarget(&mut self) -> io::Result<()> {
        let Some(path) = self.any(|kind| kind.is_symlink()) else { return Ok(()) };
        let target = self.random.pick(&["elsewhere", "..", "/etc/passwd", "a b%20\n"]);
        self.within(&path, |_| {
            fs::remove_file(&path)?;
            symlink(target, &path)
        })
    }
}
