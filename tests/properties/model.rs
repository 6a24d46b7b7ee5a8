//! A tree as it should be, kept beside the one on disk that the same operations are done to.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::cases::{changes, pieces};
use crate::script::{Change, Piece, changed, content};
use crate::tree::{attributes_of, paths, set_attribute, set_time, time_of};

/// No file is longer.
const FILE_MAX: usize = 40_000;

/// What is done to a tree; what cannot be done is left undone.
#[derive(Clone, Debug)]
pub(crate) enum Op {
    Write(Name, Vec<Piece>),
    Directory(Name),
    Symlink(Name, &'static str),
    Change(Index, Vec<Change>),
    /// The permissions of a file or directory, of which the owner keeps enough.
    Mode(Index, u32),
    /// The modification time of a file or link, in seconds and nanoseconds.
    Touch(Index, (i64, i64)),
    /// An attribute of a file or directory, or none.
    Attribute(Index, &'static str, Option<u8>),
    Remove(Index),
    /// To another name, of which a file may lose its own.
    Rename(Index, Name),
    Link(Index, Name),
    /// Two entries take each other's name.
    Swap(Index, Index),
}

/// A name in one of the directories that there are.
#[derive(Clone, Debug)]
pub(crate) struct Name(Index, &'static str);

pub(crate) fn op() -> impl Strategy<Value = Op> {
    // Few, so that they meet; some that sort otherwise than it seems.
    let names = select(vec!["a", "b", "c", "a-", "a.b", "A", "\u{e9} \n%41"]);
    let name = || (any::<Index>(), names.clone()).prop_map(|(directory, name)| Name(directory, name));
    let at = any::<Index>;
    let times = (select(vec![-1, 0, 1_000_000_000, 1_700_000_000]), select(vec![0, 1, 999_999_999]));
    prop_oneof![
        4 => (name(), pieces(20_000)).prop_map(|(name, pieces)| Op::Write(name, pieces)),
        3 => name().prop_map(Op::Directory),
        1 => (name(), select(vec!["a", "../b", "nowhere"])).prop_map(|(name, target)| Op::Symlink(name, target)),
        3 => (at(), changes()).prop_map(|(at, changes)| Op::Change(at, changes)),
        2 => (at(), select(vec![0o644, 0o600, 0o755, 0o4711])).prop_map(|(at, mode)| Op::Mode(at, mode)),
        2 => (at(), times).prop_map(|(at, time)| Op::Touch(at, time)),
        3 => (at(), select(vec!["user.one", "user.two"]), any::<Option<u8>>())
            .prop_map(|(at, name, value)| Op::Attribute(at, name, value)),
        2 => at().prop_map(Op::Remove),
        3 => (at(), name()).prop_map(|(at, name)| Op::Rename(at, name)),
        2 => (at(), name()).prop_map(|(at, name)| Op::Link(at, name)),
        2 => (at(), at()).prop_map(|(one, other)| Op::Swap(one, other)),
    ]
}

/// What an entry is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    File(Vec<u8>),
    Directory,
    Symlink(PathBuf),
}

/// An entry; of a directory the time is not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Node {
    kind: Kind,
    mode: u32,
    modified: (i64, i64),
    attributes: BTreeMap<Vec<u8>, Vec<u8>>,
}

/// What can be seen of a tree: each entry, and the first of its names.
pub(crate) type Seen = BTreeMap<PathBuf, (PathBuf, String)>;

/// What is to be on disk below `root`.
#[derive(Debug)]
pub(crate) struct Model {
    root: PathBuf,
    /// Which node each path is of, relative to the root.
    names: BTreeMap<PathBuf, usize>,
    nodes: Vec<Node>,
    has_attributes: bool,
    /// Goes on with each time that is set.
    clock: i64,
}

impl Model {
    /// An empty tree, which is made.
    pub(crate) fn new(root: &Path) -> Self {
        fs::create_dir(root).unwrap();
        let has_attributes = set_attribute(root, b"user.probe", b"").is_ok();
        if has_attributes {
            rustix::fs::lremovexattr(root, "user.probe").unwrap();
        }
        let (names, nodes) = (BTreeMap::new(), Vec::new());
        Self { root: root.to_owned(), names, nodes, has_attributes, clock: 1_000_000_000 }
    }

    fn on_disk(&self, path: &Path) -> PathBuf {
        self.root.join(path)
    }

    fn pick(&self, at: &Index, wanted: impl Fn(&Kind) -> bool) -> Option<PathBuf> {
        let all: Vec<_> = self.names.iter().filter(|(_, node)| wanted(&self.nodes[**node].kind)).collect();
        (!all.is_empty()).then(|| at.get(&all).0.clone())
    }

    fn path(&self, Name(directory, name): &Name) -> PathBuf {
        let mut all = vec![PathBuf::new()];
        all.extend(
            self.names
                .iter()
                .filter(|(_, node)| self.nodes[**node].kind == Kind::Directory)
                .map(|(path, _)| path.clone()),
        );
        directory.get(&all).join(name)
    }

    /// A path at which nothing is.
    fn free(&self, name: &Name) -> Option<PathBuf> {
        Some(self.path(name)).filter(|path| !self.names.contains_key(path))
    }

    fn node(&mut self, path: &Path) -> &mut Node {
        &mut self.nodes[self.names[path]]
    }

    /// Adds what was made there, with a mode and a time that are known.
    fn add(&mut self, path: PathBuf, kind: Kind) {
        let mode = match kind {
            Kind::File(_) => 0o640,
            Kind::Directory => 0o750,
            Kind::Symlink(_) => 0o777,
        };
        if !matches!(kind, Kind::Symlink(_)) {
            fs::set_permissions(self.on_disk(&path), Permissions::from_mode(mode)).unwrap();
        }
        self.nodes.push(Node { kind, mode, modified: (0, 0), attributes: BTreeMap::new() });
        self.names.insert(path.clone(), self.nodes.len() - 1);
        self.clock += 1;
        self.touch(&path, (self.clock, 0));
    }

    fn touch(&mut self, path: &Path, time: (i64, i64)) {
        if self.node(path).kind != Kind::Directory {
            set_time(&self.on_disk(path), time).unwrap();
            self.node(path).modified = time;
        }
    }

    /// All paths at and below one.
    fn at_and_below(&self, path: &Path) -> Vec<PathBuf> {
        self.names.keys().filter(|name| name.starts_with(path)).cloned().collect()
    }

    fn rename(&mut self, from: &Path, to: &Path) {
        fs::rename(self.on_disk(from), self.on_disk(to)).unwrap();
        for path in self.at_and_below(from) {
            let node = self.names.remove(&path).unwrap();
            // Joined with nothing, a path would be that of a directory.
            let below = path.strip_prefix(from).unwrap();
            let renamed = if below == Path::new("") { to.to_owned() } else { to.join(below) };
            self.names.insert(renamed, node);
        }
    }

    /// Does it, here and on disk, if it can be done.
    pub(crate) fn apply(&mut self, op: &Op) {
        // What cannot be found, cannot be done.
        let _ = self.try_apply(op);
    }

    fn try_apply(&mut self, op: &Op) -> Option<()> {
        let file = |kind: &Kind| matches!(kind, Kind::File(_));
        let not_link = |kind: &Kind| !matches!(kind, Kind::Symlink(_));
        let not_directory = |kind: &Kind| *kind != Kind::Directory;
        match op {
            Op::Write(name, pieces) => {
                let (path, content) = (self.free(name)?, content(pieces));
                fs::write(self.on_disk(&path), &content).unwrap();
                self.add(path, Kind::File(content));
            }
            Op::Directory(name) => {
                let path = self.free(name)?;
                fs::create_dir(self.on_disk(&path)).unwrap();
                self.add(path, Kind::Directory);
            }
            Op::Symlink(name, target) => {
                let path = self.free(name)?;
                symlink(target, self.on_disk(&path)).unwrap();
                self.add(path, Kind::Symlink(target.into()));
            }
            Op::Change(at, changes) => {
                let path = self.pick(at, file)?;
                let on_disk = self.on_disk(&path);
                let Kind::File(content) = &mut self.node(&path).kind else { return None };
                *content = changed(content, changes, FILE_MAX);
                fs::write(&on_disk, &*content).unwrap();
                // Whoever may not set these bits loses them by writing.
                let mode = self.node(&path).mode;
                fs::set_permissions(&on_disk, Permissions::from_mode(mode)).unwrap();
                self.clock += 1;
                self.touch(&path, (self.clock, 0));
            }
            Op::Mode(at, mode) => {
                let path = self.pick(at, not_link)?;
                let mode = if self.node(&path).kind == Kind::Directory { mode | 0o700 } else { *mode };
                fs::set_permissions(self.on_disk(&path), Permissions::from_mode(mode)).unwrap();
                self.node(&path).mode = mode;
            }
            Op::Touch(at, time) => {
                let path = self.pick(at, not_directory)?;
                self.touch(&path, *time);
            }
            Op::Attribute(at, name, value) => {
                let path = self.pick(at, not_link).filter(|_| self.has_attributes)?;
                let (on_disk, attributes) = (self.on_disk(&path), &mut self.node(&path).attributes);
                let name = name.as_bytes();
                match value {
                    Some(value) => {
                        let value = vec![*value; usize::from(*value)];
                        set_attribute(&on_disk, name, &value).unwrap();
                        attributes.insert(name.to_vec(), value);
                    }
                    None => {
                        attributes.remove(name)?;
                        rustix::fs::lremovexattr(&on_disk, name).unwrap();
                    }
                }
            }
            Op::Remove(at) => {
                let path = self.pick(at, |_| true)?;
                let on_disk = self.on_disk(&path);
                let directory = self.node(&path).kind == Kind::Directory;
                if directory { fs::remove_dir_all(on_disk) } else { fs::remove_file(on_disk) }.unwrap();
                self.at_and_below(&path).iter().for_each(|path| _ = self.names.remove(path));
            }
            Op::Rename(at, name) => {
                let (from, to) = (self.pick(at, |_| true)?, self.path(name));
                match self.names.get(&to).copied() {
                    _ if to.starts_with(&from) => return None,
                    // Two names of one file both stay, and a directory keeps its own.
                    Some(node) if node == self.names[&from] => return None,
                    Some(node) if self.nodes[node].kind == Kind::Directory => return None,
                    Some(_) if self.node(&from).kind == Kind::Directory => return None,
                    _ => self.rename(&from, &to),
                }
            }
            Op::Link(at, name) => {
                let (of, path) = (self.pick(at, not_directory)?, self.free(name)?);
                fs::hard_link(self.on_disk(&of), self.on_disk(&path)).unwrap();
                self.names.insert(path, self.names[&of]);
            }
            Op::Swap(one, other) => {
                let (one, other) = (self.pick(one, |_| true)?, self.pick(other, |_| true)?);
                if one.starts_with(&other) || other.starts_with(&one) {
                    return None;
                }
                let aside = PathBuf::from("aside");
                self.rename(&one, &aside);
                self.rename(&other, &one);
                self.rename(&aside, &other);
            }
        }
        Some(())
    }

    /// What there should be to see.
    pub(crate) fn seen(&self) -> Seen {
        let mut first_names = BTreeMap::new();
        let mut seen = Seen::new();
        for (path, node) in &self.names {
            let first = first_names.entry(node).or_insert_with(|| path.clone()).clone();
            seen.insert(path.clone(), (first, described(&self.nodes[*node])));
        }
        seen
    }
}

/// What there is to see of the tree at `root`, of which nothing is known.
pub(crate) fn look(root: &Path) -> Seen {
    let mut first_names = BTreeMap::new();
    let mut seen = Seen::new();
    let mut all = paths(root);
    all.sort();
    for path in all {
        let on_disk = root.join(&path);
        let stat = fs::symlink_metadata(&on_disk).unwrap();
        let kind = match stat.file_type() {
            kind if kind.is_dir() => Kind::Directory,
            kind if kind.is_symlink() => Kind::Symlink(fs::read_link(&on_disk).unwrap()),
            _ => Kind::File(fs::read(&on_disk).unwrap()),
        };
        let modified = if kind == Kind::Directory { (0, 0) } else { time_of(&on_disk) };
        let mut attributes = attributes_of(&on_disk);
        attributes.retain(|name, _| name.starts_with(b"user."));
        let node = Node { kind, mode: stat.mode() & 0o7777, modified, attributes };
        let first = first_names.entry(stat.ino()).or_insert_with(|| path.clone()).clone();
        seen.insert(path, (first, described(&node)));
    }
    seen
}

/// An entry in a few words, in which equal entries are equal.
fn described(node: &Node) -> String {
    let Node { kind, mode, modified, attributes } = node;
    let hash = |content: &[u8]| blake2b_simd::Params::new().hash_length(16).hash(content).to_hex();
    let kind = match kind {
        Kind::File(content) => format!("file of {} bytes, {}", content.len(), hash(content)),
        Kind::Directory => "directory".to_owned(),
        Kind::Symlink(target) => format!("link to {target:?}"),
    };
    let attributes: Vec<_> =
        attributes.iter().map(|(name, value)| (String::from_utf8_lossy(name), value.len(), hash(value))).collect();
    format!("{kind}, {mode:o}, {modified:?}, {attributes:?}")
}
