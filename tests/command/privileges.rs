//! Whether the tests may do what root alone may.

pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}
