//! Memory that is asked for, and not just taken: what cannot be had of it is an error, and not the end of the process.

use std::collections::TryReserveError;

use crate::{Error, ErrorKind, Result};

/// Makes room for so many more elements.
pub(crate) fn reserve<T>(vec: &mut Vec<T>, more: usize) -> Result<()> {
    vec.try_reserve(more).map_err(no_memory)
}

/// Appends one more element.
pub(crate) fn push<T>(vec: &mut Vec<T>, element: T) -> Result<()> {
    reserve(vec, 1)?;
    vec.push(element);
    Ok(())
}

/// Appends bytes.
pub(crate) fn extend(vec: &mut Vec<u8>, bytes: &[u8]) -> Result<()> {
    reserve(vec, bytes.len())?;
    vec.extend_from_slice(bytes);
    Ok(())
}

/// Makes it so many bytes long: what comes new is zeros.
pub(crate) fn resize(vec: &mut Vec<u8>, len: usize) -> Result<()> {
    reserve(vec, len.saturating_sub(vec.len()))?;
    vec.resize(len, 0);
    Ok(())
}

pub(crate) fn no_memory(_: TryReserveError) -> Error {
    Error::new(ErrorKind::OutOfMemory, "no memory for a buffer")
}

/// A buffer of so many zeros.
pub(crate) fn zeroed(len: usize) -> Result<Vec<u8>> {
    let mut buffer = Vec::new();
    resize(&mut buffer, len)?;
    Ok(buffer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_machine_has_is_refused_and_leaves_what_was_there() {
        let mut elements = vec![7_u64];
        assert_eq!(reserve(&mut elements, usize::MAX / 16).unwrap_err().kind(), ErrorKind::OutOfMemory);
        assert_eq!(elements, [7]);
        assert_eq!(zeroed(isize::MAX as usize).unwrap_err().kind(), ErrorKind::OutOfMemory);
        assert_eq!(zeroed(3).unwrap(), [0; 3]);
    }
}
