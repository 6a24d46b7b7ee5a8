//! Trees that are backed up and restored while something goes wrong.

use std::fmt::Debug;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use frazil::{
    BackupOptions, BackupReader, Difference, ErrorKind, Recovery, RestoreOptions, RestoreWriter, Result, VerifyOptions,
    backup_tree, backup_tree_file, list_archive, list_snapshot, recover_restore, restore_tree, verify_archive,
    verify_tree,
};

use crate::content::noise;
use crate::drive::Run;
use crate::faults::{Faults, Faulty};
use crate::function::{After, Function, Seam, Zero, function};
use crate::look;

/// A tree at level 1 in `tree`, its levels in `a0` and `a1`, their snapshots, and a directory at level 0 in `dest`.
pub(crate) struct Woods {
    dir: tempfile::TempDir,
    threads: usize,
    archives: [Vec<u8>; 2],
}

impl Woods {
    pub(crate) fn new(threads: usize) -> Self {
        let mut woods = Self { dir: look::scratch(), threads, archives: Default::default() };
        let tree = woods.at("tree");
        fs::create_dir_all(tree.join("directory/below")).expect("directories");
        for (number, name) in ["a", "b", "directory/c", "directory/below/d"].into_iter().enumerate() {
            fs::write(tree.join(name), noise(1_500 * number, number as u64)).expect("a file");
        }
        symlink("a", tree.join("symlink")).expect("a symbolic link");
        fs::hard_link(tree.join("b"), tree.join("directory/link")).expect("a hard link");
        woods.back_up(0);
        let changed = [noise(4_000, 3), b"and more".to_vec()].concat();
        fs::write(tree.join("directory/below/d"), changed).expect("a change");
        fs::write(tree.join("directory/new"), noise(2_000, 9)).expect("a new file");
        fs::rename(tree.join("directory/c"), tree.join("moved")).expect("a rename");
        fs::remove_file(tree.join("symlink")).expect("a deletion");
        woods.back_up(1);
        woods.archives = ["a0", "a1"].map(|name| fs::read(woods.at(name)).expect("an archive"));
        woods.reset();
        woods
    }

    fn at(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn backups(&self) -> BackupOptions {
        BackupOptions::new().block_len(1024).threads(self.threads)
    }

    fn restores(&self) -> RestoreOptions {
        RestoreOptions::new().threads(self.threads)
    }

    fn back_up(&self, level: usize) {
        let (snapshot, archive) = (self.at(&format!("s{level}")), self.at(&format!("a{level}")));
        let since = (level > 0).then(|| self.at("s0"));
        backup_tree_file(self.at("tree"), since.as_deref(), snapshot, archive, self.backups()).expect("a level");
    }

    /// All that can be seen; of what a restore keeps for itself, the content alone counts.
    pub(crate) fn listing(&self) -> look::Listing {
        let mut listing = look::listing(self.dir.path());
        listing.retain(|path, _| !path.starts_with("dest"));
        let dest = look::listing(&self.at("dest"));
        listing.extend(dest.into_iter().map(|(path, look)| (Path::new("dest").join(path), look)));
        listing
    }

    /// Makes `dest` stand at level 0 again, and removes what else was made.
    pub(crate) fn reset(&self) {
        for name in ["dest", "absent"] {
            let _ = fs::remove_dir_all(self.at(name));
        }
        for name in ["s.new", "a.new"] {
            let _ = fs::remove_file(self.at(name));
        }
        restore_tree(&self.archives[0][..], self.at("dest"), self.restores()).expect("a level 0");
    }

    /// The tree that an archive restores on top of those below it, and whether its snapshot is whole.
    fn made(&self, archive: &[u8], level: usize) -> Vec<u8> {
        let scratch = look::scratch();
        for archive in self.archives[..level].iter().map(Vec::as_slice).chain([archive]) {
            restore_tree(archive, scratch.path(), self.restores()).expect("what was backed up is restored");
        }
        let snapshot = list_snapshot(File::open(self.at("s.new")).expect("a snapshot"), |_| Ok(()));
        let entries = snapshot.expect("a whole snapshot").entries;
        format!("{entries} {:?}", look::tree(scratch.path())).into_bytes()
    }

    /// Whether a restore that was ended while it was publishing is completed by the next run.
    pub(crate) fn is_finished_later(&self, expected: &[u8]) -> bool {
        ["dest", "absent"].iter().any(|name| {
            let recovered = recover_restore(self.at(name), None).expect("what was left can be gone on with");
            recovered != Recovery::Nothing && self.restored(name) == expected
        })
    }

    fn restored(&self, name: &str) -> Vec<u8> {
        format!("{:?}", look::tree(&self.at(name))).into_bytes()
    }
}

/// A backup whose archive goes to a sink.
fn backed_up(woods: &Woods, level: usize, faults: &Arc<Faults>) -> Run {
    Run::whole(|| {
        let mut archive = Vec::new();
        let since = (level > 0).then(|| woods.at("s0"));
        let sink = Faulty::new(&mut archive, faults);
        backup_tree(woods.at("tree"), since.as_deref(), woods.at("s.new"), sink, woods.backups())?;
        Ok::<_, frazil::Error>(woods.made(&archive, level))
    })
}

fn backup_0(woods: &Woods, faults: &Arc<Faults>) -> Run {
    backed_up(woods, 0, faults)
}

fn backup_1(woods: &Woods, faults: &Arc<Faults>) -> Run {
    backed_up(woods, 1, faults)
}

fn backup_written(woods: &Woods, faults: &Arc<Faults>) -> Run {
    let run = Run::whole(|| {
        let (mut archive, since) = (Vec::new(), woods.at("s0"));
        let snapshot = File::create(woods.at("s.new")).expect("a file");
        let reader = BackupReader::new(woods.at("tree"), Some(&*since), snapshot, woods.backups())?;
        reader.write_to(Faulty::new(&mut archive, faults))?;
        Ok::<_, frazil::Error>(woods.made(&archive, 1))
    });
    if run.output.is_none() {
        let snapshot = File::open(woods.at("s.new")).expect("what was written of the snapshot");
        assert!(list_snapshot(snapshot, |_| Ok(())).is_err(), "a snapshot without its archive is taken for whole");
        fs::remove_file(woods.at("s.new")).expect("a file");
    }
    run
}

fn backup_reader(woods: &Woods, faults: &Arc<Faults>) -> Run {
    let mut run = Run::default();
    let mut is_archived = false;
    let snapshot = Faulty::new(File::create(woods.at("s.new")).expect("a file"), faults);
    let since = woods.at("s0");
    let reader = run.open(|| BackupReader::new(woods.at("tree"), Some(&*since), snapshot, woods.backups()));
    if let Some(mut reader) = reader {
        let archive = run.read(&mut reader);
        is_archived = run.failures.is_empty();
        run.finish(|| reader.finish().map(|_| woods.made(&archive, 1)));
    }
    if run.output.is_none() && !is_archived {
        let snapshot = File::open(woods.at("s.new")).expect("what was written of the snapshot");
        let listed = list_snapshot(snapshot, |_| Ok(()));
        assert!(listed.is_err(), "a snapshot without its archive is taken for whole");
    }
    if run.output.is_none() {
        fs::remove_file(woods.at("s.new")).expect("a file");
    }
    run
}

fn observed_backup(woods: &Woods, faults: &Arc<Faults>) -> Run {
    Run::whole(|| {
        let (since, archive) = (woods.at("s0"), woods.at("a.new"));
        let options = woods.backups().observer(faults.clone());
        backup_tree_file(woods.at("tree"), Some(&*since), woods.at("s.new"), &archive, options)?;
        Ok::<_, frazil::Error>(woods.made(&fs::read(archive)?, 1))
    })
}

fn restored(woods: &Woods, level: usize, archive: impl io::Read, options: RestoreOptions) -> Run {
    Run::whole(|| {
        let name = ["absent", "dest"][level];
        restore_tree(archive, woods.at(name), options).map(|_| woods.restored(name))
    })
}

fn restore_0(woods: &Woods, faults: &Arc<Faults>) -> Run {
    restored(woods, 0, Faulty::new(&woods.archives[0][..], faults), woods.restores())
}

fn restore_1(woods: &Woods, faults: &Arc<Faults>) -> Run {
    restored(woods, 1, Faulty::new(&woods.archives[1][..], faults), woods.restores())
}

fn observed_restore_0(woods: &Woods, faults: &Arc<Faults>) -> Run {
    restored(woods, 0, &woods.archives[0][..], woods.restores().observer(faults.clone()))
}

fn observed_restore_1(woods: &Woods, faults: &Arc<Faults>) -> Run {
    restored(woods, 1, &woods.archives[1][..], woods.restores().observer(faults.clone()))
}

/// A level 0 over a directory that stands at it already.
fn restore_over(woods: &Woods, faults: &Arc<Faults>) -> Run {
    Run::whole(|| {
        let archive = Faulty::new(&woods.archives[0][..], faults);
        restore_tree(archive, woods.at("dest"), woods.restores().overwrite(true)).map(|_| woods.restored("dest"))
    })
}

/// Of what is not in the archive, the directories above, the times are those of the restore.
fn restore_of_a_part(woods: &Woods, faults: &Arc<Faults>) -> Run {
    Run::whole(|| {
        let archive = Faulty::new(&woods.archives[0][..], faults);
        let options = woods.restores().path("directory/below")?.strip(1).prefix("part")?;
        restore_tree(archive, woods.at("absent"), options)?;
        Ok::<_, frazil::Error>(format!("{:?}", look::tree(&woods.at("absent/part/below"))).into_bytes())
    })
}

fn observed_restore_that_keeps_going(woods: &Woods, faults: &Arc<Faults>) -> Run {
    restored(woods, 1, &woods.archives[1][..], woods.restores().keep_going(true).observer(faults.clone()))
}

fn restore_writer(woods: &Woods, faults: &Arc<Faults>) -> Run {
    let mut run = Run::default();
    let options = woods.restores().observer(faults.clone());
    let mut writer = RestoreWriter::new(woods.at("dest"), options).expect("a thread");
    run.write(&mut writer, &woods.archives[1]);
    run.finish(|| writer.finish().map(|_| woods.restored("dest")));
    run
}

fn verification(woods: &Woods, faults: &Arc<Faults>) -> Run {
    Run::told(|| verify_archive(Faulty::new(&woods.archives[1][..], faults), None))
}

/// All that is given to `each` of a list, and what comes after it.
fn listed<T: Debug, S: Debug>(list: impl FnOnce(&mut dyn FnMut(T) -> Result<()>) -> Result<S>) -> Run {
    Run::told(|| {
        let mut given = Vec::new();
        let summary = list(&mut |entry| {
            given.push(entry);
            Ok(())
        })?;
        Ok::<_, frazil::Error>((given, summary))
    })
}

fn listing(woods: &Woods, faults: &Arc<Faults>) -> Run {
    listed(|each| list_archive(Faulty::new(&woods.archives[1][..], faults), each))
}

fn snapshot_listing(woods: &Woods, faults: &Arc<Faults>) -> Run {
    let snapshot = File::open(woods.at("s1")).expect("a snapshot");
    listed(|each| list_snapshot(Faulty::new(snapshot, faults), each))
}

/// `dest` stands at level 0, so there are differences to be told.
fn tree_verified(woods: &Woods, archives: Vec<impl io::Read + Send>, options: VerifyOptions) -> Run {
    listed(|each: &mut dyn FnMut(Difference) -> Result<()>| {
        let summary = verify_tree(archives, woods.at("dest"), options, |difference| each(difference.clone()))?;
        assert!(summary.differences > 0, "{summary:?}");
        Ok(summary)
    })
}

fn tree_verification(woods: &Woods, faults: &Arc<Faults>) -> Run {
    let archives = woods.archives.iter().map(|archive| Faulty::new(&archive[..], faults)).collect();
    tree_verified(woods, archives, VerifyOptions::new())
}

fn observed_tree_verification(woods: &Woods, faults: &Arc<Faults>) -> Run {
    let archives = woods.archives.iter().map(|archive| &archive[..]).collect();
    tree_verified(woods, archives, VerifyOptions::new().observer(faults.clone()))
}

const ARCHIVE: Seam = Seam::Reading(Zero::Fails(&[ErrorKind::Truncated]));

pub(crate) const FUNCTIONS: [Function<Woods>; 18] = [
    function("backup_tree, level 0: archive's sink", Seam::Writing, After::Gone, backup_0),
    function("backup_tree, level 1: archive's sink", Seam::Writing, After::Gone, backup_1),
    function("BackupReader::write_to: archive's sink", Seam::Writing, After::Gone, backup_written),
    function("BackupReader: snapshot's sink", Seam::Writing, After::GoneOrRefuses, backup_reader),
    function("backup_tree_file: observer", Seam::Observing, After::Gone, observed_backup),
    function("restore_tree, level 0: archive", ARCHIVE, After::Gone, restore_0),
    function("restore_tree, level 1: archive", ARCHIVE, After::Gone, restore_1),
    function("restore_tree, overwriting: archive", ARCHIVE, After::Gone, restore_over),
    function("restore_tree, a part elsewhere: archive", ARCHIVE, After::Gone, restore_of_a_part),
    function("restore_tree, level 0: observer", Seam::Observing, After::Gone, observed_restore_0),
    function("restore_tree, level 1: observer", Seam::Observing, After::Gone, observed_restore_1),
    function("restore_tree, keeping going: observer", Seam::Observing, After::Gone, observed_restore_that_keeps_going),
    function("RestoreWriter: observer", Seam::Observing, After::GoneOrRefuses, restore_writer),
    function("verify_archive: archive", ARCHIVE, After::Gone, verification),
    function("list_archive: archive", ARCHIVE, After::Gone, listing),
    function("list_snapshot: snapshot", ARCHIVE, After::Gone, snapshot_listing),
    function("verify_tree: archives", ARCHIVE, After::Gone, tree_verification),
    function("verify_tree: observer", Seam::Observing, After::Gone, observed_tree_verification),
];
