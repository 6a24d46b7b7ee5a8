//! Giving an entry its extended attributes, POSIX ACLs among them.

use rustix::buffer::spare_capacity;
use rustix::fs::{XattrFlags, flistxattr_query, getxattr, listxattr, listxattr_query, removexattr, setxattr};
use rustix::io::Errno;

use super::dress::{ATTRIBUTES_LEFT_OUT, Dressing};
use super::pinned::Pinned;
use crate::tree::attributes::grown;
use crate::tree::metadata::Attributes;

const ACLS: [&[u8]; 2] = [b"system.posix_acl_access", b"system.posix_acl_default"];
const CAPABILITY: &[u8] = b"security.capability";

impl Dressing<'_> {
    /// Whether it has any attribute, or cannot say.
    pub(super) fn has_attributes(&self) -> bool {
        list_len(self.entry) != Ok(0)
    }

    /// Removes the attributes that are not wanted, and sets the others where they differ.
    ///
    /// Labels that the system's own security gives (`security.selinux` and the like) are set when they
    /// are wanted and privileged, and never removed: without one, an entry may be in nobody's reach.
    pub(super) fn set_attributes(&mut self, wanted: &Attributes) {
        let found = match list(self.entry) {
            Ok(found) => found,
            Err(Errno::OPNOTSUPP) if wanted.is_empty() => return,
            Err(error) => return self.problem("listing extended attributes", error),
        };
        if found.is_empty() && wanted.is_empty() {
            return;
        }
        let path = self.entry.path();
        let is_wanted = |name: &[u8]| wanted.binary_search_by(|(wanted, _)| wanted.as_slice().cmp(name)).is_ok();
        for name in &found {
            if is_wanted(name) || !self.is_removable(name) {
                continue;
            }
            match removexattr(&path, name.as_slice()) {
                Ok(()) | Err(Errno::NODATA) => {}
                Err(error) => self.problem(doing("removing", name), error),
            }
        }
        let (mut is_left_out, mut is_unsupported) = (false, false);
        // An ACL may take the right to write from the owner, who needs it for the others: so it comes last.
        let (acls, others): (Vec<_>, Vec<_>) = wanted.iter().partition(|(name, _)| ACLS.contains(&name.as_slice()));
        for (name, value) in others.into_iter().chain(acls) {
            if lends_rights(name) {
                if !self.is_root {
                    continue;
                }
                if !self.policy.privileged {
                    is_left_out = true;
                    continue;
                }
            }
            if found.contains(name) && get(&path, name).is_ok_and(|found| found == *value) {
                continue;
            }
            match setxattr(&path, name.as_slice(), value, XattrFlags::empty()) {
                Ok(()) => {}
                Err(Errno::OPNOTSUPP) if is_unsupported => {}
                Err(error) => {
                    is_unsupported |= error == Errno::OPNOTSUPP;
                    self.problem(doing("setting", name), error);
                }
            }
        }
        if is_left_out {
            self.left_out(ATTRIBUTES_LEFT_OUT);
        }
    }

    fn is_removable(&self, name: &[u8]) -> bool {
        name.starts_with(b"user.")
            || ACLS.contains(&name)
            || self.is_root && (name == CAPABILITY || self.policy.privileged && name.starts_with(b"trusted."))
    }
}

/// Whether an attribute is one of those that only a privileged restore gives.
pub(super) fn lends_rights(name: &[u8]) -> bool {
    name.starts_with(b"security.") || name.starts_with(b"trusted.")
}

fn doing(verb: &str, name: &[u8]) -> String {
    format!("{verb} the extended attribute {} of", String::from_utf8_lossy(name))
}

fn list_len(entry: &Pinned) -> rustix::io::Result<usize> {
    match entry.as_opened() {
        Some(file) => flistxattr_query(file),
        None => listxattr_query(entry.path()),
    }
}

fn list(entry: &Pinned) -> rustix::io::Result<Vec<Vec<u8>>> {
    let names = grown(|buffer| listxattr(entry.path(), spare_capacity(buffer)))?;
    Ok(names.split(|&byte| byte == 0).filter(|name| !name.is_empty()).map(<[u8]>::to_vec).collect())
}

fn get(path: &str, name: &[u8]) -> rustix::io::Result<Vec<u8>> {
    grown(|buffer| getxattr(path, name, spare_capacity(buffer)))
}
