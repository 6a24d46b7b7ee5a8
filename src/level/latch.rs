//! What a failure half-way leaves behind: a level that says so, whatever is asked of it next.

use crate::{Error, ErrorKind, Result};

/// Work that goes on from where it has come to, unless it failed there.
pub(super) trait Latched {
    /// Whether it has failed before.
    fn failed(&mut self) -> &mut bool;

    /// After a failure half-way the state is no longer what the stream says.
    fn guarded<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if *self.failed() {
            return Err(Error::new(ErrorKind::State, "the level has failed before").doing("making a level"));
        }
        // A panic, of a caller's reader too, leaves it half-way.
        *self.failed() = true;
        let result = work(self);
        *self.failed() = result.is_err();
        result
    }
}
