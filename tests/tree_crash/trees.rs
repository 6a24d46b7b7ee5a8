//! A tree at level 0, and what becomes of it at level 1.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::Path;

use rustix::fs::{CWD, FileType, Mode, XattrFlags, mknodat, setxattr};

use crate::random::{Content, Edit, Random};

const DIRECTORIES: usize = 12;
const FILES: usize = 30;

/// An access ACL that lets user 1 read, as the kernel keeps it: version 2, then tag, permissions and number.
const ACL: [u8; 44] = [
    2, 0, 0, 0, //
    1, 0, 6, 0, 255, 255, 255, 255, //
    2, 0, 4, 0, 1, 0, 0, 0, //
    4, 0, 4, 0, 255, 255, 255, 255, //
    16, 0, 4, 0, 255, 255, 255, 255, //
    32, 0, 4, 0, 255, 255, 255, 255,
];

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn attribute(path: &Path, name: &str, value: &[u8]) {
    match setxattr(path, name, value, XattrFlags::empty()) {
        // Not every file system that tests are run on has them.
        Ok(()) | Err(rustix::io::Errno::OPNOTSUPP) => {}
        Err(error) => panic!("{}: {name}: {error}", path.display()),
    }
}

fn content(random: &mut Random) -> Vec<u8> {
    let len = if random.below(30) == 0 { 200_000 } else { random.small(6_000) };
    let kind = random.pick(&Content::ALL);
    random.content(kind, len)
}

fn file(number: usize) -> String {
    format!("d{}/f{number}", number % DIRECTORIES)
}

/// Some hundreds of small entries of every kind.
pub(crate) fn grow(root: &Path, random: &mut Random) -> io::Result<()> {
    fs::create_dir(root)?;
    for number in 0..DIRECTORIES {
        fs::create_dir_all(root.join(format!("d{number}/deep/er")))?;
    }
    for number in 0..DIRECTORIES * FILES {
        let path = root.join(file(number));
        fs::write(&path, content(random))?;
        match number % 9 {
            0 => mode(&path, 0o400),
            1 => mode(&path, 0o4755),
            2 => attribute(&path, "user.number", &number.to_le_bytes()),
            3 => attribute(&path, "system.posix_acl_access", &ACL),
            4 => fs::hard_link(&path, path.with_extension("link"))?,
            5 => symlink(format!("../f{number}"), path.with_extension("symlink"))?,
            _ => {}
        }
    }
    for name in ["a", "b", "c", "becomes a directory", "becomes a link", "one name", "leaves"] {
        fs::write(root.join(name), content(random))?;
    }
    fs::hard_link(root.join("leaves"), root.join("stays"))?;
    fs::hard_link(root.join("leaves"), root.join("stays too"))?;
    symlink("a", root.join("becomes a file"))?;
    mknodat(CWD, root.join("becomes a fifo no more"), FileType::Fifo, Mode::RUSR, 0)?;
    for directory in ["becomes a file too", "goes", "x", "y"] {
        fs::create_dir_all(root.join(directory).join("in it"))?;
        for number in 0..10 {
            fs::write(root.join(directory).join(format!("in it/{number}")), content(random))?;
        }
    }
    for number in 0..DIRECTORIES {
        let directory = root.join(format!("d{number}"));
        attribute(&directory, "user.directory", b"yes");
        mode(&directory.join("deep"), 0o711);
        mode(&directory, if number % 3 == 0 { 0o555 } else { 0o755 });
    }
    mode(&root.join("goes/in it"), 0o555);
    mode(root, 0o751);
    Ok(())
}

/// Edits, renames in a circle, links made and left, entries of other types, deletions, other metadata.
pub(crate) fn change(root: &Path, random: &mut Random) -> io::Result<()> {
    for number in 0..DIRECTORIES {
        mode(&root.join(format!("d{number}")), 0o755);
    }
    for number in 0..DIRECTORIES * FILES {
        let path = root.join(file(number));
        match random.below(12) {
            0 => fs::remove_file(&path)?,
            1 => fs::rename(&path, root.join(format!("d{}/deep/er/f{number}", random.below(DIRECTORIES))))?,
            2 => mode(&path, 0o640),
            3 => attribute(&path, "user.changed", b"later"),
            4 => fs::hard_link(&path, path.with_extension("another"))?,
            5 | 6 => {
                let mut content = fs::read(&path)?;
                let (edit, kind) = (random.pick(&Edit::ALL), random.pick(&Content::ALL));
                edit.apply(random, kind, &mut content);
                // Beside it, so that of a file with two names one is a file of its own.
                fs::write(path.with_extension("tmp"), content)?;
                fs::rename(path.with_extension("tmp"), &path)?;
            }
            7 => fs::write(root.join(format!("d{}/new{number}", random.below(DIRECTORIES))), content(random))?,
            _ => {}
        }
    }
    let renames = [("a", "swap"), ("b", "a"), ("c", "b"), ("swap", "c"), ("x", "swap"), ("y", "x"), ("swap", "y")];
    for (from, to) in renames {
        fs::rename(root.join(from), root.join(to))?;
    }
    for name in ["becomes a directory", "becomes a link", "becomes a file", "becomes a fifo no more", "leaves"] {
        fs::remove_file(root.join(name))?;
    }
    mode(&root.join("goes/in it"), 0o755);
    fs::remove_dir_all(root.join("becomes a file too"))?;
    fs::remove_dir_all(root.join("goes"))?;
    fs::create_dir(root.join("becomes a directory"))?;
    fs::write(root.join("becomes a directory/now"), content(random))?;
    symlink("becomes a directory/now", root.join("becomes a link"))?;
    for name in ["becomes a file", "becomes a file too", "becomes a fifo no more", "leaves"] {
        fs::write(root.join(name), content(random))?;
    }
    fs::hard_link(root.join("one name"), root.join("d1/another name"))?;
    mode(&root.join("becomes a directory"), 0o500);
    for number in 0..DIRECTORIES {
        mode(&root.join(format!("d{number}")), if number % 3 == 1 { 0o555 } else { 0o755 });
    }
    mode(root, 0o755);
    Ok(())
}

/// Gives all of it to a user; set-id bits and capabilities go with that.
pub(crate) fn give(root: &Path, user: u32) {
    let mut below = vec![root.to_owned()];
    while let Some(path) = below.pop() {
        let metadata = fs::symlink_metadata(&path).unwrap();
        if metadata.is_dir() {
            below.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
        std::os::unix::fs::lchown(&path, Some(user), Some(user)).unwrap();
        if metadata.is_file() && metadata.permissions().mode() & 0o6000 != 0 {
            mode(&path, metadata.permissions().mode() & 0o7777);
        }
    }
}

/// Gives some files to others, as only root can.
pub(crate) fn scatter(root: &Path) {
    for number in (0..DIRECTORIES * FILES).step_by(7) {
        let path = root.join(file(number));
        if path.exists() {
            let bits = fs::metadata(&path).unwrap().permissions().mode() & 0o7777;
            chown(&path, Some(1000 + number as u32), Some(100)).unwrap();
            mode(&path, bits);
        }
    }
}
