//! Which paths of an archive are restored, and where to.

use super::RestoreOptions;
use crate::format::{Leaf, leaf_of};
use crate::tree::codec::PutFields;
use crate::tree::path;

/// Selects paths and maps them into the destination.
pub(super) struct Mapping {
    paths: Vec<Vec<u8>>,
    strip: usize,
    prefix: Vec<u8>,
}

impl Mapping {
    pub(super) fn new(options: &RestoreOptions) -> Self {
        Self { paths: options.paths.clone(), strip: options.strip, prefix: options.prefix.clone() }
    }

    /// Tells mappings apart, so that the levels of a chain are not restored by different ones; zeros where
    /// everything is restored as it is.
    pub(super) fn digest(&self) -> Leaf {
        if self.paths.is_empty() && self.strip == 0 && self.prefix.is_empty() {
            return [0; 32];
        }
        let mut fields = Vec::new();
        let mut paths = self.paths.clone();
        paths.sort();
        fields.put_number(paths.len() as u64);
        paths.iter().for_each(|path| fields.put_field(path));
        fields.put_number(self.strip as u64);
        fields.put_field(&self.prefix);
        leaf_of(&fields)
    }

    /// The paths that were selected; none where everything is.
    pub(super) fn paths(&self) -> &[Vec<u8>] {
        &self.paths
    }

    /// Which of the selected paths an entry belongs to.
    pub(super) fn selecting<'a>(&'a self, path: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
        let selects = move |selected: &Vec<u8>| path == selected || path::is_below(path, selected);
        self.paths.iter().enumerate().filter(move |(_, selected)| selects(selected)).map(|(number, _)| number)
    }

    /// Whether a path is selected, itself or by one that it is below.
    fn selects(&self, path: &[u8]) -> bool {
        self.paths.is_empty() || self.selecting(path).next().is_some()
    }

    /// Whether a path is not selected itself, but leads to one that is.
    pub(super) fn leads(&self, path: &[u8]) -> bool {
        self.paths.iter().any(|selected| path::is_below(selected, path)) && !self.selects(path)
    }

    /// Where a path goes; `None` when it is not restored. The directories that lead to a selected path are
    /// restored with it, and nothing else that is there.
    pub(super) fn place(&self, path: &[u8]) -> Option<Vec<u8>> {
        if self.selects(path) || self.leads(path) { self.map(path) } else { None }
    }

    /// Where a path goes that is selected; `None` for what only leads there too.
    pub(super) fn place_selected(&self, path: &[u8]) -> Option<Vec<u8>> {
        if self.selects(path) { self.map(path) } else { None }
    }

    fn map(&self, path: &[u8]) -> Option<Vec<u8>> {
        let mut rest = path;
        for _ in 0..self.strip {
            let slash = rest.iter().position(|&byte| byte == b'/')?;
            rest = &rest[slash + 1..];
        }
        Some(match (self.prefix.is_empty(), rest.is_empty()) {
            (true, _) => rest.to_vec(),
            (false, true) => self.prefix.clone(),
            (false, false) => path::join(&self.prefix, rest),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mapping(paths: &[&str], strip: usize, prefix: &str) -> Mapping {
        let paths = paths.iter().map(|path| path.as_bytes().to_vec()).collect();
        Mapping { paths, strip, prefix: prefix.as_bytes().to_vec() }
    }

    /// Paths, names to leave out, prefix; a path, and where it goes.
    type Case<'a> = (&'a [&'a str], usize, &'a str, &'a str, Option<&'a str>);

    #[test]
    fn paths_go_where_they_are_sent() {
        let table: [Case<'_>; 12] = [
            (&[], 0, "", "a/b", Some("a/b")),
            (&[], 0, "", "", Some("")),
            (&["a/b"], 0, "", "a/b/c", Some("a/b/c")),
            (&["a/b"], 0, "", "a", Some("a")),
            (&["a/b"], 0, "", "", Some("")),
            (&["a/b"], 0, "", "a/bc", None),
            (&["a/b"], 0, "", "c", None),
            (&[], 1, "", "a/b", Some("b")),
            (&[], 1, "", "a", None),
            (&[], 0, "p/q", "a", Some("p/q/a")),
            (&[], 0, "p/q", "", Some("p/q")),
            (&["a"], 1, "p", "a/b", Some("p/b")),
        ];
        for (paths, strip, prefix, path, expected) in table {
            let found = mapping(paths, strip, prefix).place(path.as_bytes());
            assert_eq!(found.as_deref(), expected.map(str::as_bytes), "{paths:?} {strip} {prefix} {path}");
        }
    }

    #[test]
    fn what_leads_to_a_selected_path_is_told_from_what_is_selected() {
        let mapping = mapping(&["a/b", "c"], 0, "");
        for (path, leads, selecting) in [
            ("", true, &[][..]),
            ("a", true, &[]),
            ("a/b", false, &[0]),
            ("a/b/d", false, &[0]),
            ("a/bc", false, &[]),
            ("c", false, &[1]),
        ] {
            assert_eq!(mapping.leads(path.as_bytes()), leads, "{path}");
            assert_eq!(mapping.selecting(path.as_bytes()).collect::<Vec<_>>(), selecting, "{path}");
            assert_eq!(mapping.place_selected(path.as_bytes()).is_some(), !selecting.is_empty(), "{path}");
        }
        assert!(!self::mapping(&[], 0, "").leads(b""));
    }

    #[test]
    fn mappings_are_told_apart() {
        let digests = [mapping(&[], 0, ""), mapping(&["a"], 0, ""), mapping(&[], 1, ""), mapping(&[], 0, "a")]
            .map(|mapping| mapping.digest());
        for (i, a) in digests.iter().enumerate() {
            for (j, b) in digests.iter().enumerate() {
                assert_eq!(a == b, i == j);
            }
        }
        assert_eq!(mapping(&["a", "b"], 0, "").digest(), mapping(&["b", "a"], 0, "").digest());
    }
}
