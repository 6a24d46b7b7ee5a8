//! How an entry of a tree comes to be what it is.

/// How an entry comes to be what it is at its level.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "tree"), expect(dead_code, reason = "there are no entries"))]
pub enum frazil_action {
    /// It is new, or replaces what was there; its content is in the archive whole.
    FRAZIL_ACTION_FULL = 0,
    /// A file made by a delta from a file of the parent level.
    FRAZIL_ACTION_DELTA = 1,
    /// A file with the very content of a file of the parent level.
    FRAZIL_ACTION_COPY = 2,
    /// One more name of a file of this level.
    FRAZIL_ACTION_LINK = 3,
    /// Its content stays, its metadata is other.
    FRAZIL_ACTION_METADATA = 4,
    /// It is gone.
    FRAZIL_ACTION_DELETE = 5,
    /// It could not be read to its end: what was sent of it is not used, and what was there stays.
    FRAZIL_ACTION_VOID = 6,
    /// It proved to be what it was, and the archive says nothing of it: only an observer is told of it.
    FRAZIL_ACTION_NONE = 7,
}

#[cfg(feature = "tree")]
impl From<crate::Action> for frazil_action {
    fn from(action: crate::Action) -> Self {
        use crate::Action;
        match action {
            Action::Full => Self::FRAZIL_ACTION_FULL,
            Action::Delta => Self::FRAZIL_ACTION_DELTA,
            Action::Copy => Self::FRAZIL_ACTION_COPY,
            Action::Link => Self::FRAZIL_ACTION_LINK,
            Action::Metadata => Self::FRAZIL_ACTION_METADATA,
            Action::Delete => Self::FRAZIL_ACTION_DELETE,
            Action::Void => Self::FRAZIL_ACTION_VOID,
        }
    }
}
