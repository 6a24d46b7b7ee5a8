//! What a destination stands at and lets happen: levels in part, one restore at a time, limits, and who may
//! look into it meanwhile.

use std::fs::{self, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use frazil::{
    ArchiveEntry, BackupOptions, Error, ErrorKind, Observer, Progress, Recovery, RestoreOptions, RestoreWriter,
    backup_tree, conclude_restore, recover_restore, restore_tree,
};

use crate::content::noise;
use crate::ground::{Ground, Log, privileged};
use crate::tree::{assert_same, image, paths, set_time, time_of};

/// Two levels; the second changes, copies, deletes and links what the first has.
fn two_levels() -> Ground {
    let mut ground = Ground::new();
    ground.write("changes", noise(200_000, 1));
    ground.write("d/goes", "early");
    ground.write("moves", noise(100_000, 2));
    ground.write("retouched", "dress");
    ground.write("stays", "stays");
    ground.level(BackupOptions::new());
    ground.write("changes", noise(200_001, 1));
    fs::remove_dir_all(ground.live("d")).unwrap();
    fs::rename(ground.live("moves"), ground.live("moved")).unwrap();
    fs::hard_link(ground.live("moved"), ground.live("moved too")).unwrap();
    fs::set_permissions(ground.live("retouched"), Permissions::from_mode(0o600)).unwrap();
    ground.write("new", "new");
    ground.level(BackupOptions::new());
    ground
}

/// A level 0 of which these files are lost.
fn damaged(ground: &Ground, lost: &[&str]) -> Vec<u8> {
    let mut archive = ground.archives[0].clone();
    for path in lost {
        let content = fs::read(ground.at("level 0").join(path)).unwrap();
        let at = archive.windows(content.len()).position(|window| window == content).unwrap();
        archive[at] ^= 1;
    }
    archive
}

#[test]
fn a_level_goes_onto_one_in_part_when_that_is_accepted_and_names_what_it_lacks() {
    let ground = two_levels();
    ground.restore(0, "level 0", privileged());
    let archive = damaged(&ground, &["changes", "d/goes", "moves", "retouched"]);
    let destination = ground.at("destination");
    let summary = restore_tree(&archive[..], &destination, privileged().keep_going(true)).unwrap();
    assert!(summary.is_partial());
    let recovery = recover_restore(&destination, None).unwrap();
    assert_eq!(recovery, Recovery::StandsAt { level: summary.header.id, partial: true });
    assert!(recovery.to_string().ends_with("which was restored in part"), "{recovery}");

    let as_it_was = image(&destination);
    let error = restore_tree(&ground.archives[1][..], &destination, privileged()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WrongBasis);
    assert!(error.to_string().contains("has to be accepted"), "{error}");
    assert_same(&as_it_was, &image(&destination), "refused");

    let dry = privileged().accept_partial(true).dry_run(true);
    assert!(restore_tree(&ground.archives[1][..], &destination, dry).unwrap().is_partial());
    let log = Arc::<Log>::default();
    let options = privileged().accept_partial(true).observer(log.clone());
    let summary = restore_tree(&ground.archives[1][..], &destination, options).unwrap();
    assert!(summary.is_partial());
    let mut problems = log.problems();
    problems.sort_by(|(_, a), (_, b)| a.cmp(b));
    let lacking = ["changes", "moved", "moved too", "retouched"];
    // A path of the destination where that is looked at, and of the archive where it is not.
    let names: Vec<_> = problems.iter().map(|(_, path)| path.strip_prefix(&destination).unwrap_or(path)).collect();
    let mut expected = lacking.map(Path::new);
    expected.sort();
    let mut names = names;
    names.sort();
    assert_eq!(names, expected);
    assert!(problems.iter().all(|(kind, _)| *kind == ErrorKind::WrongBasis), "{problems:?}");
    // All else is as the level has it, what was to go among it.
    let mut expected = image(&ground.live(""));
    expected.retain(|path, _| !lacking.iter().any(|lacking| path == Path::new(lacking)));
    assert_same(&expected, &image(&destination), "but for what is lacking");

    // The same level does not go onto itself, and says why; concluded, it is a directory like any other.
    let error = restore_tree(&ground.archives[1][..], &destination, privileged().accept_partial(true)).unwrap_err();
    assert!(error.to_string().contains("restored in part, and cannot be restored onto itself"), "{error}");
    conclude_restore(&destination).unwrap();
    assert_eq!(recover_restore(&destination, None).unwrap(), Recovery::Nothing);
    assert!(!destination.join(".frazil-restore").exists());
}

#[test]
fn a_level_that_says_nothing_of_what_is_lacking_is_there_in_part_all_the_same() {
    let mut ground = Ground::new();
    ground.write("lost", "early");
    ground.write("stays", "stays");
    ground.level(BackupOptions::new());
    ground.level(BackupOptions::new());
    ground.restore(0, "level 0", privileged());
    let destination = ground.at("destination");
    let options = privileged().keep_going(true);
    assert!(restore_tree(&damaged(&ground, &["lost"])[..], &destination, options).unwrap().is_partial());
    for dry in [true, false] {
        let summary = ground.restore(1, "destination", privileged().accept_partial(true).dry_run(dry));
        assert!(summary.is_partial() && summary.problems == 0, "dry: {dry}: {summary:?}");
    }
}

#[test]
fn only_content_that_is_put_in_its_place_is_counted() {
    let ground = two_levels();
    ground.restore(0, "level 0", privileged());
    let archive = &ground.archives[0];
    let flipped = damaged(&ground, &["changes", "retouched"]);
    let moves = noise(100_000, 2);
    let cut = archive.windows(moves.len()).position(|window| window == moves).unwrap() + moves.len();
    for (name, archive, options, expected) in [
        ("whole", &archive[..], privileged(), (5, 300_015)),
        ("damaged", &flipped, privileged(), (3, 100_010)),
        // The records are behind all of the content.
        ("cut", &archive[..cut], privileged(), (0, 0)),
        ("selected", archive, privileged().path("d").unwrap(), (1, 5)),
    ] {
        for dry in [true, false] {
            let destination = ground.at(name);
            let options = options.clone().keep_going(true).dry_run(dry);
            let summary = restore_tree(archive, &destination, options).unwrap();
            assert_eq!((summary.files, summary.output_bytes), expected, "{name}, dry: {dry}");
            let there = if dry { Vec::new() } else { paths(&destination) };
            let files = there.iter().map(|path| fs::metadata(destination.join(path)).unwrap());
            let lens: Vec<u64> = files.filter(|found| found.is_file()).map(|found| found.len()).collect();
            let found = (lens.len() as u64, lens.iter().sum());
            assert_eq!(found, if dry { (0, 0) } else { expected }, "{name}");
        }
    }
}

#[test]
fn what_is_not_damage_of_the_destination_is_refused_also_when_a_part_is_accepted() {
    let ground = two_levels();
    ground.restore(0, "destination", privileged());
    let as_it_was = image(&ground.at("destination"));
    let accepting = || privileged().accept_partial(true);
    let mut damaged = ground.archives[1].clone();
    let at = damaged.windows(3).rposition(|window| window == b"new").unwrap();
    damaged[at] ^= 1;
    for archive in [&damaged[..], &ground.archives[1][..ground.archives[1].len() / 2]] {
        let error = restore_tree(archive, ground.at("destination"), accepting()).unwrap_err();
        assert_ne!(error.kind(), ErrorKind::WrongBasis, "{error}");
        assert_same(&as_it_was, &image(&ground.at("destination")), "refused");
    }
    // What somebody has changed is left to him.
    fs::write(ground.at("destination/changes"), "his own").unwrap();
    let summary = ground.restore(1, "destination", accepting());
    assert!(summary.is_partial() && summary.problems == 1, "{summary:?}");
    assert_eq!(fs::read(ground.at("destination/changes")).unwrap(), b"his own");
    assert_eq!(fs::read(ground.at("destination/new")).unwrap(), b"new");
}

#[test]
fn one_restore_is_at_work_at_a_time() {
    let ground = two_levels();
    let destination = ground.at("destination");
    let archive = &ground.archives[0];
    let mut first = RestoreWriter::new(&destination, privileged()).unwrap();
    first.write_all(&archive[..archive.len() / 2]).unwrap();
    // It is at work when it has taken a part of that.
    while !destination.join(".frazil-restore/state").exists() {
        std::thread::yield_now();
    }
    for result in [
        restore_tree(&archive[..], &destination, privileged().overwrite(true)).map(drop),
        recover_restore(&destination, None).map(drop),
        conclude_restore(&destination),
        frazil::restored_level(&destination).map(drop),
    ] {
        let error = result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::State, "{error}");
        assert!(error.to_string().contains("another restore is at work in this destination"), "{error}");
    }
    first.write_all(&archive[archive.len() / 2..]).unwrap();
    assert!(first.finish().unwrap().whole);
    assert!(ground.restore(0, "destination", privileged()).already_there);
}

/// Puts a file of its own where an entry is about to be restored.
struct Coming {
    destination: PathBuf,
    at: &'static [&'static str],
    problems: Mutex<Vec<(ErrorKind, PathBuf)>>,
}

impl Observer for Coming {
    fn restoring(&self, entry: &ArchiveEntry) {
        if let Some(path) = self.at.iter().find(|path| Path::new(path) == entry.path) {
            fs::write(self.destination.join(path), "mine").unwrap();
        }
    }

    fn problem(&self, problem: &Error) {
        self.problems.lock().unwrap().push((problem.kind(), problem.file().unwrap().to_owned()));
    }
}

#[test]
fn what_came_after_it_was_looked_for_is_replaced_only_on_request() {
    let ground = two_levels();
    for overwrite in [false, true] {
        let destination = ground.at(&format!("destination {overwrite}"));
        let at: &'static [&'static str] = &["d", "stays"];
        let coming = Arc::new(Coming { destination: destination.clone(), at, problems: Mutex::default() });
        let options = privileged().overwrite(overwrite).observer(coming.clone());
        let summary = restore_tree(&ground.archives[0][..], &destination, options).unwrap();
        let content = fs::read(destination.join("stays")).unwrap();
        if overwrite {
            assert!(summary.whole && summary.files == 5, "{summary:?}");
            assert_eq!(content, b"stays");
            assert_eq!(fs::read(destination.join("d/goes")).unwrap(), b"early");
            continue;
        }
        assert!(summary.is_partial(), "{summary:?}");
        assert_eq!((summary.files, summary.output_bytes), (3, 300_005));
        assert_eq!((fs::read(destination.join("d")).unwrap(), content), (b"mine".to_vec(), b"mine".to_vec()));
        let problems = coming.problems.lock().unwrap();
        for path in at {
            assert!(problems.contains(&(ErrorKind::Exists, destination.join(path))), "{problems:?}");
        }
        let level = summary.header.id;
        assert_eq!(recover_restore(&destination, None).unwrap(), Recovery::StandsAt { level, partial: true });
    }
}

#[test]
fn content_that_is_replaced_deleted_or_retouched_is_held_against_the_parent_on_request() {
    for path in ["d/goes", "retouched"] {
        let ground = two_levels();
        ground.restore(0, "destination", privileged());
        // Another of the same length and time.
        let file = ground.at("destination").join(path);
        let time = time_of(&file);
        fs::write(&file, fs::read(&file).unwrap().to_ascii_uppercase()).unwrap();
        set_time(&file, time).unwrap();
        let as_it_was = image(&ground.at("destination"));
        let verifying = privileged().verify_parent(true);
        let error = restore_tree(&ground.archives[1][..], ground.at("destination"), verifying).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WrongBasis);
        let text = error.to_string();
        let (expected, found) = text.split_once(": expected ").unwrap().1.split_once(", found ").unwrap();
        assert!(text.contains("other content") && expected != found, "{text}");
        assert!([expected, found].iter().all(|value| value.ends_with("(5 bytes)") && value.len() > 64), "{text}");
        assert_same(&as_it_was, &image(&ground.at("destination")), "refused");
        ground.restore(1, "destination", privileged());
    }
    // What is as it should be passes.
    let ground = two_levels();
    for level in 0..2 {
        assert!(ground.restore(level, "destination", privileged().verify_parent(true)).whole);
    }
    assert_same(&image(&ground.live("")), &image(&ground.at("destination")), "verified");
}

#[test]
fn all_files_of_a_level_together_are_within_the_limit() {
    let ground = two_levels();
    let content = 200_000 + 5 + 100_000 + 5 + 5;
    for (options, fits) in [
        (privileged().max_output(content), true),
        (privileged().max_output(content - 1), false),
        (privileged().max_output(content - 1).dry_run(true), false),
        (privileged().max_output(0), false),
        // Each file counts, not all of them.
        (privileged().max_file_len(200_000), true),
        (privileged().max_file_len(199_999), false),
        // And what is restored, not what is passed over.
        (privileged().path("stays").unwrap().max_output(5).max_file_len(5), true),
        (privileged().path("stays").unwrap().max_output(4), false),
    ] {
        let result = restore_tree(&ground.archives[0][..], ground.at("destination"), options);
        assert_eq!(ground.at("destination").exists(), fits);
        match result {
            Ok(summary) => {
                assert!(fits && summary.whole);
                fs::remove_dir_all(ground.at("destination")).unwrap();
            }
            Err(error) => assert!(!fits && error.kind() == ErrorKind::Limit, "{error}"),
        }
    }
}

/// Looks at the destination whenever there is progress.
struct Looking {
    destination: PathBuf,
    seen: Mutex<Vec<(u32, Progress)>>,
    problems: Mutex<Vec<String>>,
}

impl Observer for Looking {
    fn progress(&self, progress: &Progress) {
        let mode = fs::metadata(&self.destination).unwrap().permissions().mode() & 0o777;
        self.seen.lock().unwrap().push((mode, *progress));
    }

    fn problem(&self, problem: &Error) {
        self.problems.lock().unwrap().push(problem.to_string());
    }
}

#[test]
fn a_destination_is_closed_to_others_until_its_content_is_and_progress_shows_what_is_published() {
    let mut ground = Ground::new();
    for number in 0..700 {
        ground.write(&format!("f{number}"), "secret");
    }
    for mode in [0o700, 0o755] {
        fs::set_permissions(ground.live(""), Permissions::from_mode(mode)).unwrap();
        ground.archives.clear();
        let _ = fs::remove_file(ground.snapshot(0));
        ground.level(BackupOptions::new());
        let destination = ground.at(&format!("destination {mode:o}"));
        let (seen, problems) = (Mutex::default(), Mutex::default());
        let looking = Arc::new(Looking { destination: destination.clone(), seen, problems });
        let options = RestoreOptions::new().observer(looking.clone());
        let summary = restore_tree(&ground.archives[0][..], &destination, options).unwrap();
        assert!(summary.whole, "{:?}", looking.problems.lock().unwrap());
        assert_eq!(fs::metadata(&destination).unwrap().permissions().mode() & 0o777, mode);

        let seen = looking.seen.lock().unwrap();
        let (last, before) = seen.split_last().unwrap();
        assert!(before.iter().all(|(mode, _)| *mode == 0o700), "{seen:?}");
        // Staged, then published: 700 files, and the root where it opens and closes.
        let begun = seen.iter().rposition(|(_, progress)| progress.entries == 0).unwrap();
        let published: Vec<u64> = seen[begun..].iter().map(|(_, progress)| progress.entries).collect();
        assert_eq!(published, [0, 256, 512, 702], "{seen:?}");
        assert!(begun > 0 && seen[begun..].iter().all(|(_, progress)| progress.done_bytes == 4200), "{seen:?}");
        assert_eq!(last.0, mode);
    }
    // One that was there has the mode that it had, until the level gives it another.
    fs::create_dir(ground.at("there")).unwrap();
    fs::set_permissions(ground.at("there"), Permissions::from_mode(0o750)).unwrap();
    let (seen, problems) = (Mutex::default(), Mutex::default());
    let looking = Arc::new(Looking { destination: ground.at("there"), seen, problems });
    ground.restore(0, "there", RestoreOptions::new().observer(looking.clone()));
    let seen = looking.seen.lock().unwrap();
    assert!(seen[..seen.len() - 1].iter().all(|(mode, _)| *mode == 0o750), "{seen:?}");
}

#[test]
fn what_is_found_in_the_place_of_a_file_is_said_in_numbers_that_agree() {
    let mut ground = Ground::new();
    ground.write("f", "to be one byte");
    ground.level(BackupOptions::new());
    fs::remove_file(ground.live("f")).unwrap();
    ground.level(BackupOptions::new());
    ground.restore(0, "destination", privileged());
    fs::write(ground.at("destination/f"), "1").unwrap();
    let error = restore_tree(&ground.archives[1][..], ground.at("destination"), privileged()).unwrap_err();
    let said = error.to_string();
    assert!(said.ends_with("expected a file of 14 bytes, found a file of 1 byte"), "{said}");
}

#[test]
fn a_directory_that_stays_with_what_somebody_has_in_it_is_not_counted_as_deleted() {
    let ground = two_levels();
    ground.restore(0, "destination", privileged());
    fs::write(ground.at("destination/d/own"), "own").unwrap();
    let summary = ground.restore(1, "destination", privileged());
    assert!(summary.is_partial());
    assert_eq!(paths(&ground.at("destination/d")), [PathBuf::from("own")]);
    // The file in it, and the one that was renamed.
    assert_eq!((summary.deleted, summary.problems), (2, 1), "{summary:?}");
}

#[test]
fn a_destination_that_is_made_for_a_single_file_is_open_as_others_are() {
    let ground = Ground::new();
    let file = ground.write("f", "f");
    fs::set_permissions(&file, Permissions::from_mode(0o604)).unwrap();
    let mut archive = Vec::new();
    backup_tree(&file, None, ground.at("snapshot"), &mut archive, BackupOptions::new()).unwrap();
    let destination = ground.at("destination");
    restore_tree(&archive[..], &destination, privileged()).unwrap();
    fs::create_dir(ground.at("another")).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode(&destination), mode(&ground.at("another")));
    assert_eq!(mode(&destination.join("f")) & 0o777, 0o604);
    // One that was there is as it was.
    let closed = ground.at("closed");
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(&closed, Permissions::from_mode(0o700)).unwrap();
    restore_tree(&archive[..], &closed, privileged()).unwrap();
    assert_eq!(mode(&closed) & 0o777, 0o700);
}
