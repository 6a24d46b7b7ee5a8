//! What a level can be made of, by path.

use std::io::{Read, Write};
use std::process::Command;

use frazil::{ErrorKind, PatchOptions, PatchReader};

#[test]
fn a_file_that_says_it_is_empty_is_read_all_the_same() {
    // The kernel makes the files of /proc as they are read, and gives their length as 0.
    let path = "/proc/self/limits";
    assert_eq!(std::fs::metadata(path).unwrap().len(), 0);
    let mut level = frazil::gen_sig_from_file(path, None).unwrap();
    let mut delta = Vec::new();
    level.read_to_end(&mut delta).unwrap();
    let signature = level.finish().unwrap();
    assert!(!signature.is_dirty());

    let mut restored = String::new();
    let mut patch = PatchReader::new(&delta[..], frazil::NoBasis, PatchOptions::new()).unwrap();
    patch.read_to_string(&mut restored).unwrap();
    assert_eq!(signature.length(), Some(restored.len() as u64));
    assert!(restored.contains("Max open files"), "{restored}");
}

#[test]
fn an_empty_file_makes_levels_and_comes_back() {
    let dir = tempfile::tempdir().unwrap();
    let (source, restored) = (dir.path().join("empty"), dir.path().join("restored"));
    std::fs::write(&source, "").unwrap();
    let level = frazil::gen_sig_from_file(&source, None).unwrap();
    frazil::patch_from_stream(level, &restored).unwrap();
    assert_eq!(std::fs::read(&restored).unwrap(), b"");

    let signature = frazil::gen_sig_from_file(&source, None).unwrap().finish().unwrap();
    std::fs::write(&source, "no longer").unwrap();
    let level = frazil::gen_sig_from_file(&source, Some(&signature)).unwrap();
    frazil::patch_from_stream(level, &restored).unwrap();
    assert_eq!(std::fs::read(&restored).unwrap(), b"no longer");
}

#[test]
fn a_directory_is_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let Err(error) = frazil::gen_sig_from_file(dir.path(), None) else { panic!("a directory was opened") };
    assert_eq!((error.kind(), error.file()), (ErrorKind::InvalidInput, Some(dir.path())));
    assert!(error.to_string().contains("is a directory"), "{error}");
}

#[test]
fn a_fifo_is_read_to_its_end() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("fifo");
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    let writer = {
        let path = path.clone();
        std::thread::spawn(move || {
            let mut fifo = std::fs::OpenOptions::new().write(true).open(path).unwrap();
            fifo.write_all(&[7; 300_000]).unwrap();
        })
    };
    let signature = frazil::gen_sig_from_file(&path, None).unwrap().finish().unwrap();
    writer.join().unwrap();
    assert_eq!(signature.length(), Some(300_000));
}

#[test]
fn a_level_0_replaces_a_file_only_when_asked() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("restored");
    std::fs::write(&path, "what was there").unwrap();
    let level = || frazil::gen_sig_from_stream(&b"new"[..], None).unwrap();
    let error = frazil::patch_from_stream(level(), &path).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WrongBasis, "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), b"what was there");
    frazil::patch_from_stream_with(level(), &path, PatchOptions::new().replace(true)).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), b"new");
}
