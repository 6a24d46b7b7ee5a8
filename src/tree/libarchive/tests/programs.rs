//! Other programs read what is written, and none is run to read.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::{env, fs};

use super::*;

/// Set for the test that runs itself again, with nothing but traps to run.
const TRAPPED: &str = "FRAZIL_TEST_TRAPPED";

#[test]
fn bsdtar_and_gnu_tar_list_what_is_written() {
    let (none, dir) = (Attributes::new(), tempfile::tempdir().unwrap());
    for filter in Filter::ALL {
        let path = dir.path().join(format!("a.{filter}"));
        let tar = archive(filter, |writer| {
            writer.file(b".frazil/header", b"header").unwrap();
            let mut file = File::new(b"full/\xff\n% a", b"body");
            file.attributes.push((b"user.a b".to_vec(), b"c".to_vec()));
            file.write(writer);
            File { data: Some(&[4096..8192]), ..File::new(b"full/sparse", &[0; 100_000]) }.write(writer);
            let metadata = metadata(EntryKind::Directory, 0);
            let entry =
                TarEntry { path: b"full/d", metadata: &metadata, attributes: &none, hardlink: None, data: None };
            writer.begin(&entry).unwrap();
            writer.end().unwrap();
        });
        fs::write(&path, tar).unwrap();
        list("bsdtar", &path);
        // GNU tar runs the compressors, which need not be installed.
        if matches!(filter, Filter::None | Filter::Gzip) {
            list("tar", &path);
        }
    }
}

fn list(program: &str, path: &Path) {
    let output = Command::new(program).arg("-tvf").arg(path).env("LC_ALL", "C").output().unwrap();
    let listing = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{program} {path:?}: {}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(listing.lines().count(), 4, "{program} {path:?}: {listing}");
    assert!(listing.contains("100000") && listing.contains("full/d/"), "{listing}");
}

#[test]
fn a_filter_that_is_not_ours_is_refused_and_no_program_is_run_for_it() {
    let magics: [&[u8]; 5] = [
        b"\x89LZO\x00\x0d\x0a\x1a\x0a\x10\x40\x20\x9a\x09\x40\x01\x03\x00\x00\x09",
        b"GRZipII\x00\x02\x04:)",
        b"LRZI\x00\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
        b"\x1f\x9d\x90",
        b"LZIP\x01\x0c",
    ];
    if env::var_os(TRAPPED).is_some() {
        for magic in magics {
            let source = [magic, &noise(5000)].concat();
            let error = ArchiveReader::new(&source[..]).map(drop).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corrupt, "{magic:x?}");
        }
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let sprung = dir.path().join("sprung");
    for program in ["lzop", "grzip", "lrzip", "compress", "uncompress", "lzip", "sh"] {
        let trap = dir.path().join(program);
        fs::write(&trap, format!("#!/bin/sh\n: > {}\n", sprung.display())).unwrap();
        fs::set_permissions(&trap, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let name = "tree::libarchive::tests::programs::a_filter_that_is_not_ours_is_refused_and_no_program_is_run_for_it";
    let mut again = Command::new(env::current_exe().unwrap());
    let output = again.args(["--exact", name]).env(TRAPPED, "1").env("PATH", dir.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"));
    assert!(!sprung.exists());
}
