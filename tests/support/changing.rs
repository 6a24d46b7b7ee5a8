//! A tree of random entries, and random edits of it.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use rustix::fs::{FileType, IFlags, lremovexattr};

use crate::random::{Content, Edit, Random};
use crate::tree::{
    acl, attributes_of, flags_of, is_root, make_node, paths, set_attribute, set_flags, set_time, time_of, unlock,
};

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
        let code = E::from_io_error(&error).unwrap_or_else(|| panic!("{name}: {error}"));
        let known = impossible.contains(&code)
            // Not even root puts an attribute of a user on a link or a device.
            || (name == "attribute" && code == E::PERM)
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
        // A file system may have little room for attributes.
        set_attribute(path, &name, &value).or_else(|error| match error.kind() {
            io::ErrorKind::StorageFull => Ok(()),
            _ => Err(error),
        })
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
