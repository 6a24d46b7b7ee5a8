//! Integers from C, which may be anything, as one of several values.

use std::ffi::c_int;

use super::arguments::invalid;
use super::error::Outcome;

/// The value that `number` stands for in `table`.
pub(super) fn choose<T: Copy, const N: usize>(number: c_int, name: &str, table: [(c_int, T); N]) -> Outcome<T> {
    let found = table.iter().find(|(known, _)| *known == number);
    found.map(|&(_, value)| value).ok_or_else(|| invalid(format!("`{name}` cannot be {number}")))
}

#[cfg(test)]
mod tests {
    use super::super::status::frazil_status;
    use super::*;

    #[test]
    fn a_number_that_stands_for_nothing_is_refused_by_name() {
        let table = [(0, 'a'), (2, 'b')];
        assert_eq!(choose(2, "letter", table).unwrap(), 'b');
        for number in [-1, 1, 3, c_int::MIN, c_int::MAX] {
            let refused = choose(number, "letter", table).unwrap_err();
            assert_eq!(refused.status, frazil_status::FRAZIL_ERR_INVALID_INPUT);
            assert!(format!("{refused:?}").contains(&format!("`letter` cannot be {number}")));
        }
    }
}
