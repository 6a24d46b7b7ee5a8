//! Integers from C, which may be anything, as one of several values.

use std::ffi::c_int;

use super::arguments::invalid;
use super::error::Outcome;

/// The value that `number` stands for in `table`.
pub(super) fn choose<T: Copy, const N: usize>(number: c_int, name: &str, table: [(c_int, T); N]) -> Outcome<T> {
    let found = table.iter().find(|(known, _)| *known == number);
    found.map(|&(_, value)| value).ok_or_else(|| invalid(format!("`{name}` cannot be {number}")))
}
