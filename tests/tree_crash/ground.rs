//! A directory with a tree, its levels, and copies of it to hold what was restored against.

use std::cell::Cell;
use std::fs::{self, File, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::killing::scratch;
use crate::random::Random;
use crate::trees;

/// Of `nobody`: who has no rights but those of everybody.
const NOBODY: u32 = 65534;

/// Who runs the command. Whoever runs the tests makes the trees and compares them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum User {
    Root,
    Nobody,
    /// Who runs the tests, not being root.
    Ourselves,
}

impl User {
    pub(crate) fn all() -> &'static [Self] {
        if rustix::process::geteuid().is_root() { &[Self::Root, Self::Nobody] } else { &[Self::Ourselves] }
    }

    pub(crate) fn privileges(self) -> &'static str {
        if self == Self::Root { "--privileged " } else { "" }
    }
}

pub(crate) struct Ground {
    dir: TempDir,
    /// With a copy of the command: where it was built, nobody else may look.
    programs: TempDir,
    user: User,
    /// The inode of the snapshot that a backup is to replace.
    snapshot_stood: Cell<Option<u64>>,
}

impl Ground {
    /// With the levels 0 and 1 of a tree in `a0` and `a1`, their snapshots in `s0` and `s1`, and copies of the
    /// tree in `level.0` and `level.1`. The tree, in `source`, is at level 1.
    pub(crate) fn new(user: User, random: &mut Random) -> Self {
        let programs = tempfile::tempdir().expect("a directory");
        // Copied by another process: whatever another test starts meanwhile would hold a file that we write, and the
        // system runs none that is being written.
        copy(Path::new(env!("CARGO_BIN_EXE_frazil")), &programs.path().join("frazil"));
        let ground = Self { dir: scratch(), programs, user, snapshot_stood: Cell::new(None) };
        for directory in [&ground.dir, &ground.programs] {
            fs::set_permissions(directory.path(), Permissions::from_mode(0o755)).expect("open the directory");
        }
        ground.give(ground.dir.path());
        let source = ground.path("source");
        trees::grow(&source, random).expect("a tree");
        ground.owned(&source);
        ground.run("backup -q --snapshot s0 --block-size 4K source a0");
        ground.copy("source", "level.0");
        trees::change(&source, random).expect("a changed tree");
        ground.owned(&source);
        ground.run("backup -q --since s0 --snapshot s1 source a1");
        ground.copy("source", "level.1");
        ground.stand_at(None);
        ground
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn give(&self, path: &Path) {
        if self.user == User::Nobody {
            chown(path, Some(NOBODY), Some(NOBODY)).expect("give the directory away");
        }
    }

    fn owned(&self, tree: &Path) {
        match self.user {
            User::Root => trees::scatter(tree),
            User::Nobody => trees::give(tree, NOBODY),
            User::Ourselves => {}
        }
    }

    fn copy(&self, from: &str, to: &str) {
        copy(&self.path(from), &self.path(to));
    }

    /// The command with these arguments, which have no spaces within them, in the directory.
    pub(crate) fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(self.programs.path().join("frazil"));
        command.args(arguments.split_whitespace()).current_dir(self.dir.path()).stdin(Stdio::null());
        command.stdout(Stdio::null());
        if self.user == User::Nobody {
            command.uid(NOBODY).gid(NOBODY);
        }
        command
    }

    /// Runs the command in some way, and keeps what it writes to a pipe in a file of the directory.
    pub(crate) fn receiving<T>(&self, received: &str, arguments: &str, run: impl FnOnce(Command) -> T) -> T {
        let mut command = self.command(arguments);
        let (mut reader, writer) = std::io::pipe().expect("a pipe");
        let mut file = File::create(self.path(received)).expect("a file");
        command.stdout(writer);
        std::thread::scope(|scope| {
            scope.spawn(move || std::io::copy(&mut reader, &mut file).expect("receive"));
            run(command)
        })
    }

    /// Runs the command to its end, which has to be a good one.
    #[track_caller]
    pub(crate) fn run(&self, arguments: &str) {
        let output = self.command(arguments).stderr(Stdio::piped()).output().expect("run frazil");
        assert!(output.status.success(), "frazil {arguments}: {}", String::from_utf8_lossy(&output.stderr));
    }

    #[track_caller]
    pub(crate) fn run_receiving(&self, received: &str, arguments: &str) {
        let status = self.receiving(received, arguments, |mut command| command.status().expect("run frazil"));
        assert!(status.success(), "frazil {arguments}");
    }

    /// Runs the command to its end, and gives whether that was a good one.
    pub(crate) fn try_run(&self, arguments: &str) -> bool {
        self.command(arguments).stderr(Stdio::null()).status().expect("run frazil").success()
    }

    /// Makes the destination anew, and restores a level to it.
    pub(crate) fn stand_at(&self, level: Option<usize>) {
        let destination = self.path("dest");
        let removed = Command::new("rm").arg("-rf").arg(&destination).status().expect("run rm");
        assert!(removed.success(), "rm -rf {}", destination.display());
        fs::create_dir(&destination).expect("a destination");
        self.give(&destination);
        if let Some(level) = level {
            let archives: Vec<_> = (0..=level).map(|level| format!("a{level}")).collect();
            self.run(&format!("restore -q --more {}{} dest", self.user.privileges(), archives.join(" ")));
        }
    }

    /// Which of these the destination is equal to, in content and all metadata: levels, or nothing at all.
    pub(crate) fn stands_at(&self, levels: &[Option<usize>]) -> Option<Option<usize>> {
        self.find(levels, |difference| difference.is_empty())
    }

    /// The same, after a kill that may have come between the removal of `.frazil-restore`, which gives the
    /// destination a new time, and its getting its own time back. By then nothing can tell any more.
    pub(crate) fn stands_at_but_for_its_time(&self, levels: &[Option<usize>]) -> Option<Option<usize>> {
        self.find(levels, |difference| difference.is_empty() || difference == ".d..t...... ./\n")
    }

    fn find(&self, levels: &[Option<usize>], is_equal: impl Fn(&str) -> bool) -> Option<Option<usize>> {
        levels.iter().copied().find(|level| match level {
            Some(level) => is_equal(&self.difference(*level)),
            None => fs::read_dir(self.path("dest"))
                .expect("the destination")
                .all(|entry| entry.expect("an entry").file_name() == ".frazil-restore"),
        })
    }

    fn difference(&self, level: usize) -> String {
        let output = Command::new("rsync")
            .args(["-aHAXn", "--checksum", "--delete", "--itemize-changes", "--exclude=/.frazil-restore"])
            .arg(format!("level.{level}/"))
            .arg("dest/")
            .current_dir(self.dir.path())
            .output()
            .expect("run rsync");
        assert!(output.status.success(), "rsync: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    pub(crate) fn keeps_note_of_its_level(&self) -> bool {
        self.path("dest/.frazil-restore/state").exists()
    }

    /// For the message of a failure.
    pub(crate) fn differences(&self) -> String {
        let one = |level| {
            let difference = self.difference(level);
            let lines: Vec<_> = difference.lines().take(10).collect();
            format!("\nfrom level {level}:\n{}", lines.join("\n"))
        };
        one(0) + &one(1)
    }

    #[track_caller]
    pub(crate) fn assert_no_work_is_left(&self, context: &str) {
        for name in ["stage", "journal", "state.new"] {
            assert!(!self.path("dest/.frazil-restore").join(name).exists(), "{context}: {name} is left");
        }
    }

    /// How far a restore came, for the count alone.
    pub(crate) fn phase(&self) -> &'static str {
        /// Behind magic, version, and two levels that each may be missing.
        const PHASE: usize = 8 + 1 + 17 + 17;
        let Ok(state) = fs::read(self.path("dest/.frazil-restore/state")) else { return "without a state" };
        match state.get(PHASE) {
            Some(0) => "between levels",
            Some(1) => "staging",
            Some(2) => "publishing",
            _ => "without a whole state",
        }
    }

    /// No outputs of an earlier backup, or those of level 0.
    pub(crate) fn stand_outputs(&self, is_over: bool) {
        for name in ["a.new", "s.new", "received"] {
            let _ = fs::remove_file(self.path(name));
        }
        if is_over {
            self.copy("a0", "a.new");
            self.copy("s0", "s.new");
        }
        self.snapshot_stood.set(self.number_of("s.new"));
    }

    fn number_of(&self, name: &str) -> Option<u64> {
        fs::metadata(self.path(name)).ok().map(|metadata| metadata.ino())
    }

    /// Whether a backup has begun to put its outputs in their places.
    pub(crate) fn are_outputs_published(&self, is_over: bool) -> bool {
        if is_over { self.number_of("s.new") != self.snapshot_stood.get() } else { self.path("a.new").exists() }
    }

    pub(crate) fn has_old_archive(&self) -> bool {
        fs::read(self.path("a.new")).is_ok_and(|found| found == fs::read(self.path("a0")).expect("the archive"))
    }

    /// Fails unless the snapshot is of the level that the archive has.
    #[track_caller]
    pub(crate) fn assert_belong_together(&self, context: &str) {
        let open = |name| File::open(self.path(name)).expect("it is there");
        let archive = frazil::archive_header(open("a.new")).expect("an archive");
        let snapshot = frazil::list_snapshot(open("s.new"), |_| Ok(())).expect("a snapshot").header;
        assert_eq!(archive.id, snapshot.id, "{context}: the snapshot is of an archive that is gone");
    }

    /// What a backup came to, for the count alone.
    pub(crate) fn outputs(&self) -> &'static str {
        match (self.path("a.new").exists(), self.path("s.new").exists()) {
            (true, true) if self.has_old_archive() => "before anything was replaced",
            (true, false) if self.has_old_archive() => "before the archive was replaced",
            (false, false) => "before the archive was there",
            (true, false) => "before the snapshot was there",
            (_, true) => "at the end",
        }
    }

    /// Removes what a killed run could not, which has to be recognised by its name.
    #[track_caller]
    pub(crate) fn remove_temporaries(&self, context: &str) {
        const OURS: [&str; 12] =
            ["a.new", "a0", "a1", "dest", "level.0", "level.1", "received", "s.after", "s.new", "s0", "s1", "source"];
        for entry in fs::read_dir(self.dir.path()).expect("the directory") {
            let name = entry.expect("an entry").file_name().into_string().expect("UTF-8");
            if OURS.contains(&name.as_str()) {
                continue;
            }
            assert!(name.starts_with('.') && name.contains(".frazil-") && name.ends_with(".tmp"), "{context}: {name}");
            fs::remove_file(self.path(&name)).expect("remove a temporary");
        }
    }
}

fn copy(from: &Path, to: &Path) {
    let status = Command::new("cp").arg("-a").arg(from).arg(to).status().expect("run cp");
    assert!(status.success(), "cp -a {} {}", from.display(), to.display());
}
