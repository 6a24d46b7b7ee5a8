//! Where the file system can share extents, a patched file shares what is unchanged.

use std::process::Command;

use crate::ground::{DONE, Ground, Said};

/// Makes a file system, mounts it where nobody else sees it, patches a file in it, once into the file itself, and says
/// how many KiB less there are for other files.
const SCRIPT: &str = r#"
    truncate -s 400M image && "$@" image >&2 && mkdir ground && mount -o loop image ground || exit 99
    cp basis delta ground && cd ground && sync -f . || exit 98
    free() { sync -f . && stat -f -c '%a * %S / 1024' . | xargs expr; }
    before=$(free)
    "$FRAZIL" patch -q --threads 2 basis delta target && cmp target ../target || exit 97
    echo "$before - $(free)" | xargs expr
    "$FRAZIL" patch -q --force basis delta basis && cmp basis ../target || exit 96
"#;

#[test]
fn an_unchanged_range_takes_no_space_again_where_extents_can_be_shared() {
    let ground = Ground::new();
    let mut content: Vec<u8> =
        (0..16_u32 << 20).map(|at| (at.wrapping_mul(at) >> 11) as u8 ^ (at >> 16) as u8).collect();
    ground.write("basis", &content);
    ground.run("signature basis s").expect(DONE);
    content[5_000_000] ^= 1;
    content[5_500_000..5_600_000].fill(0);
    content.truncate(15_000_001);
    ground.write("target", &content);
    ground.run("delta s target delta").expect(DONE);
    for mkfs in [&["mkfs.xfs", "-q", "-m", "reflink=1"][..], &["mkfs.btrfs", "-q"]] {
        let is_root = rustix::process::geteuid().is_root();
        let mut command = Command::new("unshare");
        command.arg(if is_root { "-m" } else { "-rm" }).args(["sh", "-c", SCRIPT, "sh"]).args(mkfs);
        command.env("FRAZIL", env!("CARGO_BIN_EXE_frazil")).current_dir(ground.path(""));
        let said = match command.output() {
            Ok(output) => Said::from(output),
            Err(error) => return eprintln!("skipped: unshare: {error}"),
        };
        if said.status == Some(99) || said.stderr.starts_with("unshare:") {
            eprintln!("skipped: no {} here: {}", mkfs[0], said.stderr);
        } else {
            let said = said.expect(DONE);
            let taken: u64 = said.text().trim().parse().unwrap();
            assert!(taken < 2048, "{}: {taken} KiB for a file of 15 MB", mkfs[0]);
        }
        std::fs::remove_file(ground.path("image")).unwrap_or_default();
        std::fs::remove_dir(ground.path("ground")).unwrap_or_default();
    }
}
