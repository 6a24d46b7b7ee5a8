//! A tree that changes, and its levels.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use crate::ground::{DONE, Ground, Said, parse, states};

/// A name that is not UTF-8.
pub(crate) const NOT_UTF8: &[u8] = b"na\xefve";

impl Ground {
    /// With `tree` as it is at level 0.
    pub(crate) fn with_tree() -> Self {
        let ground = Self::new();
        for directory in ["tree", "tree/docs", "tree/empty"] {
            fs::create_dir(ground.path(directory)).unwrap();
        }
        ground.write("tree/data", &states()[0]);
        ground.write("tree/docs/letter", b"Dear reader\n");
        ground.write("tree/new\nline", b"");
        fs::write(ground.path("tree").join(OsStr::from_bytes(NOT_UTF8)), b"i\n").unwrap();
        fs::hard_link(ground.path("tree/docs/letter"), ground.path("tree/same")).unwrap();
        symlink("docs/letter", ground.path("tree/link")).unwrap();
        ground
    }

    /// With the archives `a.0` to `a.2` and the snapshots `s.0` to `s.2` of a tree that was edited between levels
    /// 0 and 1 and left alone after that; `kept.0` is how it was before.
    pub(crate) fn with_archives() -> Self {
        let ground = Self::with_tree();
        ground.run("backup -q --snapshot s.0 tree a.0").expect(DONE);
        ground.run("restore -q a.0 kept.0").expect(DONE);
        ground.edit();
        ground.run("backup -q --since s.0 --snapshot s.1 tree a.1").expect(DONE);
        ground.run("backup -q --since s.1 --snapshot s.2 tree a.2").expect(DONE);
        ground
    }

    /// A file changes in place, one is renamed, one gets another mode, one is new, and one is gone.
    pub(crate) fn edit(&self) {
        self.write("tree/data", &states()[1]);
        fs::rename(self.path("tree/same"), self.path("tree/renamed")).unwrap();
        fs::set_permissions(self.path("tree/empty"), fs::Permissions::from_mode(0o700)).unwrap();
        self.write("tree/docs/reply", b"Dear writer\n");
        fs::remove_file(self.path("tree/link")).unwrap();
    }

    /// What is in a directory, and what the directory itself is.
    pub(crate) fn look(&self, name: &str) -> BTreeMap<PathBuf, (u32, i64, i64, Vec<u8>)> {
        let mut found = BTreeMap::new();
        look(&self.path(name), Path::new(""), &mut found);
        found
    }
}

fn look(root: &Path, path: &Path, found: &mut BTreeMap<PathBuf, (u32, i64, i64, Vec<u8>)>) {
    let whole = root.join(path);
    let data = fs::symlink_metadata(&whole).unwrap();
    let content = match data.file_type() {
        kind if kind.is_file() => fs::read(&whole).unwrap(),
        kind if kind.is_symlink() => fs::read_link(&whole).unwrap().into_os_string().into_encoded_bytes(),
        _ => {
            for entry in fs::read_dir(&whole).unwrap() {
                look(root, &path.join(entry.unwrap().file_name()), found);
            }
            Vec::new()
        }
    };
    found.insert(path.to_owned(), (data.mode(), data.mtime(), data.mtime_nsec(), content));
}

impl Said {
    /// The JSON objects on standard output, one a line.
    #[track_caller]
    pub(crate) fn json_lines(&self) -> Vec<serde_json::Value> {
        self.text().lines().map(parse).collect()
    }
}
