//! Bits flipped, one after another: all of them are noticed, or make no difference.

use std::sync::atomic::{AtomicUsize, Ordering};

use frazil::{Filter, PatchOptions, PatchReader, Signature, Since, backup_tree, list_snapshot, verify_archive};

use crate::content::{level, noise, options};
use crate::ground::{FILTERS, Ground, backup_options};
use crate::is_thorough;
use crate::look::scratch;
use crate::operations::{Outcome, restore};

/// What became of flips.
#[derive(Default)]
struct Count {
    detected: AtomicUsize,
    /// What was made was right.
    harmless: AtomicUsize,
    wrong: AtomicUsize,
}

/// Flips one bit in `stride`, and says what became of it; `is_right` is whether the damaged stream makes what it
/// should, or an error.
fn flip(what: &str, bytes: &[u8], stride: usize, is_right: impl Fn(&[u8]) -> frazil::Result<bool> + Sync) -> Count {
    let count = Count::default();
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut damaged = bytes.to_vec();
                loop {
                    let bit = next.fetch_add(stride, Ordering::Relaxed);
                    if bit >= bytes.len() * 8 {
                        return;
                    }
                    damaged[bit / 8] ^= 1 << (bit % 8);
                    let became = match is_right(&damaged) {
                        Err(_) => &count.detected,
                        Ok(true) => &count.harmless,
                        Ok(false) => &count.wrong,
                    };
                    became.fetch_add(1, Ordering::Relaxed);
                    damaged[bit / 8] ^= 1 << (bit % 8);
                }
            });
        }
    });
    let [detected, harmless, wrong] =
        [&count.detected, &count.harmless, &count.wrong].map(|count| count.load(Ordering::Relaxed));
    let (all, len) = (detected + harmless + wrong, bytes.len());
    let became = format!("{detected} detected, {harmless} harmless, {wrong} wrong");
    println!("{what} of {len} bytes, 1 bit in {stride}: {all} flipped, {became}");
    assert_eq!(wrong, 0, "{what}");
    count
}

/// The same of what has a checksum over every byte.
fn flip_sealed(what: &str, bytes: &[u8], stride: usize, is_right: impl Fn(&[u8]) -> frazil::Result<bool> + Sync) {
    let count = flip(what, bytes, stride, is_right);
    assert_eq!(count.harmless.into_inner(), 0, "{what}: not noticed");
}

fn patched_is(delta: &[u8], old: &[u8], new: &[u8]) -> frazil::Result<bool> {
    let mut patch = PatchReader::new(delta, old, PatchOptions::new().threads(1))?;
    let mut made = Vec::with_capacity(new.len());
    std::io::copy(&mut patch, &mut made)?;
    patch.finish()?;
    Ok(made == new)
}

/// A restore is of what verifies, and of nothing else.
fn restored_is(ground: &std::sync::Mutex<Ground>, name: &str, archive: &[u8]) -> frazil::Result<bool> {
    verify_archive(archive, None)?;
    let ground = ground.lock().unwrap();
    ground.put(name, Some(archive));
    match restore(&ground, name) {
        Outcome::Right => Ok(true),
        _ => Ok(false),
    }
}

#[test]
fn every_bit_that_is_flipped_is_noticed_or_makes_no_difference() {
    let ground = Ground::new();
    let (old, new) = (ground.read("old"), ground.read("new"));
    let signature = Signature::load(ground.path("sealed.sig")).unwrap();
    flip_sealed("sealed signature", &ground.read("sealed.sig"), 1, |damaged| {
        Ok(Signature::read_from(damaged)?.fingerprint() == signature.fingerprint())
    });
    flip_sealed("sealed delta", &ground.read("sealed.delta"), if is_thorough() { 1 } else { 5 }, |damaged| {
        patched_is(damaged, &old, &new)
    });
    flip_sealed("snapshot", &ground.read("s0"), 1, |damaged| list_snapshot(damaged, |_| Ok(())).map(|_| true));
    let ground = std::sync::Mutex::new(ground);
    for filter in FILTERS {
        let name = format!("a1.{filter}");
        let archive = ground.lock().unwrap().read(&name);
        // A stride that comes by every bit of a byte.
        let stride = if is_thorough() { 1 } else { 211 };
        flip(&format!("archive, {filter}"), &archive, stride, |damaged| restored_is(&ground, &name, damaged));
    }
}

#[test]
fn every_bit_that_is_flipped_of_something_large_is_noticed() {
    if !is_thorough() {
        return println!("skipped: FRAZIL_THOROUGH=1 runs it");
    }
    const STRIDE: usize = 4096;
    let old = noise(8 << 20, 1);
    let new = [&old[..3 << 20], &noise(6 << 20, 2), &old[4 << 20..]].concat();
    let (_, signature) = level(&old, None, options(1024));
    let (delta, _) = level(&new, Some(&signature), options(1024));
    let sealed = signature.write_to(Vec::new(), frazil::Format::Sealed).unwrap();
    // Bits of all places in a byte are flipped, though the stride is a power of two.
    flip_sealed("large sealed signature", &sealed, STRIDE + 1, |damaged| Signature::read_from(damaged).map(|_| true));
    flip_sealed("large sealed delta", &delta, STRIDE + 1, |damaged| patched_is(damaged, &old, &new));

    let dir = scratch();
    let root = dir.path().join("tree");
    std::fs::create_dir(&root).unwrap();
    for number in 0..64 {
        std::fs::write(root.join(number.to_string()), noise(96 << 10, number)).unwrap();
    }
    for filter in [Filter::None, Filter::Zstd] {
        let mut archive = Vec::new();
        let options = backup_options().filter(filter);
        let snapshot = dir.path().join(format!("snapshot.{filter}"));
        backup_tree(&root, Since::Nothing, snapshot, &mut archive, options).unwrap();
        // What is not noticed is in bytes that do not count: what the archive says is the same.
        let says = |archive: &[u8]| {
            let mut said = String::new();
            frazil::list_archive(archive, |entry| {
                said += &format!("{entry:?}\n");
                Ok(())
            })
            .map(|summary| said + &format!("{summary:?}"))
        };
        let sound = says(&archive).unwrap();
        flip(&format!("large archive, {filter}"), &archive, STRIDE + 1, |damaged| Ok(says(damaged)? == sound));
    }
}
