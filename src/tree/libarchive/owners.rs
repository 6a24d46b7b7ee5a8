//! Users and groups by number and by name, as the system knows them.

use std::collections::HashMap;
use std::ffi::{CString, c_char};
use std::hash::Hash;

use super::handle::{Handle, bytes_of};
use super::sys::{Archive, ffi};
use crate::{ErrorKind, Result};

/// The most answers of one sort that are kept; then they are asked for again.
const CACHE_MAX: usize = 10_000;

/// Looks users and groups up, and remembers the answers: a system may have to ask the network for them.
pub(crate) struct Owners {
    names: Handle,
    numbers: Handle,
    user_names: HashMap<u32, Vec<u8>>,
    group_names: HashMap<u32, Vec<u8>>,
    user_numbers: HashMap<Vec<u8>, Option<u32>>,
    group_numbers: HashMap<Vec<u8>, Option<u32>>,
}

impl Owners {
    pub(crate) fn new() -> Result<Self> {
        super::libarchive_version()?;
        let (mut names, mut numbers) = (Handle::disk_reader()?, Handle::disk_writer()?);
        if names.configure(ffi::archive_read_disk_set_standard_lookup) != ffi::ARCHIVE_OK {
            return Err(names.error(ErrorKind::Internal).doing("preparing to look up names of owners"));
        }
        if numbers.configure(ffi::archive_write_disk_set_standard_lookup) != ffi::ARCHIVE_OK {
            return Err(numbers.error(ErrorKind::Internal).doing("preparing to look up numbers of owners"));
        }
        Ok(Self {
            names,
            numbers,
            user_names: HashMap::new(),
            group_names: HashMap::new(),
            user_numbers: HashMap::new(),
            group_numbers: HashMap::new(),
        })
    }

    /// The user's name, empty where the system knows none.
    pub(crate) fn user(&mut self, uid: u32) -> &[u8] {
        let names = &self.names;
        remembered(&mut self.user_names, uid, |uid| name_of(names, ffi::archive_read_disk_uname, *uid)).as_slice()
    }

    /// The group's name, empty where the system knows none.
    pub(crate) fn group(&mut self, gid: u32) -> &[u8] {
        let names = &self.names;
        remembered(&mut self.group_names, gid, |gid| name_of(names, ffi::archive_read_disk_gname, *gid)).as_slice()
    }

    /// The user's number, `otherwise` where the system knows nobody of that name.
    pub(crate) fn uid(&mut self, name: &[u8], otherwise: u32) -> u32 {
        let numbers = &self.numbers;
        let ask = |name: &Vec<u8>| number_of(numbers, ffi::archive_write_disk_uid, name);
        remembered(&mut self.user_numbers, name.to_vec(), ask).unwrap_or(otherwise)
    }

    /// The group's number, `otherwise` where the system knows none of that name.
    pub(crate) fn gid(&mut self, name: &[u8], otherwise: u32) -> u32 {
        let numbers = &self.numbers;
        let ask = |name: &Vec<u8>| number_of(numbers, ffi::archive_write_disk_gid, name);
        remembered(&mut self.group_numbers, name.to_vec(), ask).unwrap_or(otherwise)
    }
}

fn remembered<K: Eq + Hash, V>(cache: &mut HashMap<K, V>, key: K, ask: impl FnOnce(&K) -> V) -> &V {
    if cache.len() >= CACHE_MAX && !cache.contains_key(&key) {
        cache.clear();
    }
    cache.entry(key).or_insert_with_key(ask)
}

fn name_of(handle: &Handle, look_up: unsafe extern "C" fn(*mut Archive, i64) -> *const c_char, id: u32) -> Vec<u8> {
    // SAFETY: the handle is live and of the sort that these functions take; gives null or a string that lasts
    // until the next call.
    let name = unsafe { look_up(handle.as_ptr(), i64::from(id)) };
    // SAFETY: as libarchive gave it, and copied before anything else is called.
    unsafe { bytes_of(name) }.unwrap_or_default()
}

/// libarchive remembers the number it was given for a name it does not know, whatever it is given later,
/// so it is given the same one always; and gives it back cut to 32 bits the second time.
fn number_of(
    handle: &Handle,
    look_up: unsafe extern "C" fn(*mut Archive, *const c_char, i64) -> i64,
    name: &[u8],
) -> Option<u32> {
    if name.is_empty() {
        return None;
    }
    let name = CString::new(name).ok()?;
    // SAFETY: the handle is live and of the sort that these functions take; the name lives through the call.
    let id = unsafe { look_up(handle.as_ptr(), name.as_ptr(), -1) };
    u32::try_from(id).ok().filter(|id| *id != u32::MAX)
}
